"""Every error that this project raises, as one tree; foreign exceptions are translated into it at the edge.

    DeskError
    ├── SettingsError              a setting is missing or wrong; the start stops (exit 2)
    ├── PolicyError                the policy file is refused as a whole; the running policy stays
    ├── UsageError                 what a person typed can't be used; nothing was done
    │   ├── InstrumentError        no contract, or more than one, fits the spelling
    │   └── PriceError             a price is missing, off the tick or on the wrong side
    ├── BrokerError                a *read* of CrossTrade failed: unknown, never evidence of anything
    │   ├── BrokerUnreachable      no usable answer: down, offline, timeout, 408, 5xx
    │   ├── BrokerRefused          CrossTrade answered with an error of its own
    │   │   └── BrokerLacks        CrossTrade, or an add-on too old for it, doesn't have that call
    │   └── BrokerGarbled          an answer came that can't be read
    │       └── BrokerPartly       of a list some rows can be read and some can't
    ├── JournalError               the journal can't be read or written: nothing may be sent
    │   └── JournalLocked          another process owns this journal: stop (exit 1), or stand by where one can
    ├── Halted                     a switch bars the order: nothing was stored and nothing may be sent
    ├── DeliveryError              a message didn't reach Discord
    │   ├── DeliveryDelayed        later may work: 5xx, 429, the link is down
    │   └── DeliveryRefused        it never will there: channel gone, right to post missing
    └── ServiceUnreachable         Discord can't be reached at a command-line check (exit 69)

Sending an order raises nothing: it returns one of the outcomes of ``bot.trading.orders.outcomes``.
"""

from collections.abc import Sequence

# So many rows that can't be read are named in a sentence.
MOST_UNREAD = 3


class DeskError(Exception):
    """Base of all our errors; ``str(error)`` is a sentence for people, without secrets."""


class SettingsError(DeskError):
    """A setting is missing or wrong."""

    def __init__(self, setting: str, mend: str) -> None:
        self.setting = setting
        self.mend = mend
        super().__init__(f"{setting}: {mend}")


class PolicyError(DeskError):
    """The policy file can't be used."""

    def __init__(self, file: str, reasons: Sequence[str]) -> None:
        self.file = file
        self.reasons = tuple(reasons)
        super().__init__(f"{file}: {'; '.join(self.reasons)}")


class UsageError(DeskError):
    """Something that a person typed can't be used; the sentence says what to do."""


class InstrumentError(UsageError):
    """No contract, or more than one, fits what was typed."""

    def __init__(self, typed: str, sentence: str, fits: Sequence[str] = ()) -> None:
        self.typed = typed
        self.fits = tuple(fits)
        super().__init__(sentence)


class PriceError(UsageError):
    """A price is missing, unreadable, off the tick or on the wrong side of the market."""


class BrokerError(DeskError):
    """A read of CrossTrade failed. A failed read is unknown, never "flat" and never "no order"."""


class BrokerUnreachable(BrokerError):
    """No usable answer came: CrossTrade or the add-on is down, or too slow."""


class BrokerRefused(BrokerError):
    """CrossTrade answered a read with an error of its own.

    Attributes:
        status: the HTTP status; over the WebSocket, where there is none, 400.
        text: CrossTrade's own words, redacted.
    """

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


class BrokerLacks(BrokerRefused):
    """CrossTrade doesn't have that call, or the add-on in NinjaTrader is too old for it."""


class BrokerGarbled(BrokerError):
    """An answer came, but can't be read as what was asked for."""


class BrokerPartly(BrokerGarbled):
    """Some rows of a list can't be read; whoever takes no care of that has read nothing.

    Attributes:
        rows: those that can be read.
        unread: what the others are, by their own text, such as ``position "ES ?"``.
        accounts: whose the others are; ``None`` where one of them doesn't say.
    """

    def __init__(self, rows: Sequence[object], unread: Sequence[str], accounts: frozenset[str] | None) -> None:
        self.rows = tuple(rows)
        self.unread = tuple(unread)
        self.accounts = accounts
        more = f" and {len(unread) - MOST_UNREAD} more" if len(unread) > MOST_UNREAD else ""
        super().__init__(f"CrossTrade's {', '.join(self.unread[:MOST_UNREAD])}{more} can't be read.")


# What must be told wherever the journal fails: an order that isn't on disk before its first byte could be sent twice.
NO_JOURNAL = "While the journal can't be written the bot sends nothing, ways out neither: close and cancel in NinjaTrader itself."


class JournalError(DeskError):
    """The journal can't be read or written."""


class JournalLocked(JournalError):
    """Another process owns this journal.

    Attributes:
        leader: its name, where processes take turns.
    """

    def __init__(self, sentence: str, leader: str | None = None) -> None:
        self.leader = leader
        super().__init__(sentence)


class Halted(DeskError):
    """The kill switch bars an order: nothing was stored and nothing may be sent.

    Attributes:
        code: that of the denial.
        sentence: what is so, and what to do.
        details: the facts behind it.
    """

    def __init__(self, code: str, sentence: str, details: str = "") -> None:
        self.code = code
        self.sentence = sentence
        self.details = details
        super().__init__(sentence)


class DeliveryError(DeskError):
    """A message didn't reach Discord."""


class DeliveryDelayed(DeliveryError):
    """It may work later.

    Attributes:
        retry_after: seconds that Discord asks to wait, if it said so.
    """

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(sentence)


class DeliveryRefused(DeliveryError):
    """It will never work there."""


class ServiceUnreachable(DeskError):
    """A service that a command needs can't be reached."""
