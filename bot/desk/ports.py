"""The seams of the desk: what it needs of the broker, the journal and the chat, as protocols and plain data.

``bot.crosstrade`` fills :class:`Broker`, ``bot.journal`` fills :class:`Journal`, ``bot.chat`` fills :class:`Messenger`; tests
fill them by hand. No implementation lives here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.trading.facts import Account, Execution, Order, Position, Quote
from bot.trading.instruments import Contract, Root
from bot.trading.intents import Intent
from bot.trading.outcomes import Outcome
from bot.trading.tickets import Ticket


class Broker(Protocol):
    """CrossTrade, whichever way it is reached.

    Every read raises one of ``bot.errors.BrokerError`` when it fails: a failed read is unknown, never empty. A write never
    raises and is never repeated: it returns what came of it.
    """

    async def accounts(self) -> Sequence[Account]:
        """All accounts that NinjaTrader has."""

    async def account(self, name: str) -> Account:
        """One account with the day's profit and loss."""

    async def positions(self, account: str) -> Sequence[Position]:
        """The open positions of an account; empty only when CrossTrade said so."""

    async def orders(self, account: str, *, active_only: bool) -> Sequence[Order]:
        """The orders of an account; finished ones stay listed for some minutes."""

    async def order(self, account: str, order_id: str) -> Order | None:
        """One order by any of its ids; ``None`` when CrossTrade says that it has none (which a live order may meet too)."""

    async def executions(self, account: str) -> Sequence[Execution]:
        """The fills of the last 15 minutes, the longest look-back that CrossTrade offers."""

    async def quote(self, instrument: Contract | Root) -> Quote:
        """The quote; for a root, of the front month as CrossTrade answers it."""

    async def atm_templates(self) -> Sequence[str]:
        """The names of the ATM templates that NinjaTrader has."""

    async def send(self, intent: Intent, *, deadline: datetime) -> Outcome:
        """Make the one call that the intent stands for, once; it waits for the request budget until the deadline, no longer."""


class Tone(StrEnum):
    """How urgent a notice is; the outbox delivers alarms first."""

    ROUTINE = "routine"
    ALARM = "alarm"


class EventName(StrEnum):
    """What happened, in the words of the policy file's ``[[notify]] events`` and of the journal."""

    OFFERED = "offered"
    REQUOTED = "requoted"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"
    NEVER_ARRIVED = "never arrived"
    NOT_CLOSED = "not closed"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOID = "void"
    SEEN = "seen"
    WORKING = "working"
    PART_FILLED = "part filled"
    FILLED = "filled"
    ORDER_CANCELLED = "order cancelled"
    HALTED = "halted"
    POLICY_CHANGED = "policy changed"
    STARTED = "started"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only log.

    Attributes:
        ticket: id of the ticket it belongs to; ``None`` for a denial before there was one.
        actor: Discord id of the person, ``None`` for the desk itself.
        data: plain JSON values; never a secret.
    """

    at: datetime
    name: EventName
    ticket: str | None = None
    actor: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """News for one channel, to be stored with the change that it tells.

    Attributes:
        channel: Discord id of the channel.
        text: what the channel will read; mentions and Markdown in foreign words are already made harmless.
        silent: without a notification sound.
    """

    channel: int
    text: str
    silent: bool = False
    tone: Tone = Tone.ROUTINE


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox that is due.

    A card row (``notice is None``) says "show this ticket as it stands when you get to it": several changes coalesce into one
    row, whose ``sequence`` tells a newer change from the one that was shown.

    Attributes:
        since: when the oldest change that was not shown yet happened.
        attempts: deliveries tried before.
    """

    id: int
    ticket: str | None
    notice: Notice | None
    since: datetime
    sequence: int
    attempts: int


class Journal(Protocol):
    """What was asked, decided, sent and answered. Every method raises ``JournalError`` when the disk or database fails.

    Each changing method is one transaction, committed to disk when it returns.
    """

    async def open(self, ticket: Ticket, event: Event) -> None:
        """Store a new ticket with its first event."""

    async def advance(
        self, old: Ticket, new: Ticket, events: Sequence[Event], notices: Sequence[Notice] = (), *, show: bool = True
    ) -> bool:
        """Store a ticket's change if its version is still ``old.version``; ``False``, and nothing at all, if it isn't.

        Events, notices and (with ``show``) the card's row in the outbox are written in the same transaction. The message id
        is not among what is compared or written here.
        """

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        """Remember which message shows the ticket."""

    async def record(self, event: Event, notices: Sequence[Notice] = ()) -> None:
        """Store an event that changes no ticket."""

    async def ticket(self, ticket_id: str) -> Ticket | None:
        """One ticket."""

    async def live(self) -> Sequence[Ticket]:
        """Tickets that are offered, sending, unknown, or accepted with an order not yet in a final state."""

    async def recent(self, since: datetime) -> Sequence[Ticket]:
        """Tickets that are ``live`` but not merely offered, and those sent at or after the moment."""

    async def events(self, ticket_id: str) -> Sequence[Event]:
        """A ticket's log, oldest first."""

    async def due(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Outbox rows to deliver now: alarms first, then oldest first."""

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Mark a row as delivered; a card row stays due when a newer change has come since."""

    async def postpone(self, delivery: Delivery, until: datetime) -> None:
        """Count a failed attempt and put the row off."""


class Messenger(Protocol):
    """Discord, as far as news go. Raises ``DeliveryDelayed`` or ``DeliveryRefused``."""

    @property
    def attached(self) -> bool:
        """Whether the bot is logged in; until then the outbox waits."""

    async def show(self, ticket: Ticket, late: float) -> int | None:
        """Draw the ticket as it stands: edit its message, or post one where it was asked when it has none.

        ``late`` is how many seconds ago the news happened. Returns the id of the message if it posted one.
        """

    async def tell(self, notice: Notice, delivery_id: int, late: float) -> None:
        """Post a notice; the id makes a repeat within Discord's short window harmless."""

    async def fall_back(self, ticket: Ticket, late: float) -> None:
        """Tell a ticket's end where it can still be read, when its own channel is gone: its requester's direct messages."""
