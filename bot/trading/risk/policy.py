"""The policy: who may do what, and the rules of the desk, as frozen data with pure questions.

Reading the file is ``bot.policyfile``'s work; the limits that look at positions and prices are in ``bot.trading.risk.limits``.
Everything here fails closed: what no grant allows is not allowed, to administrators neither.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import translate
from functools import lru_cache, partial

from bot.trading.market.facts import Account
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import OrderType
from bot.trading.orders.tickets import Visibility
from bot.trading.words import ascii_lower, quoted

EVERYTHING = "*"
# So many names are remembered with what holds for them: anybody may type one.
MOST_NAMES = 4096
# A quote older than this, in seconds, counts as missing, whatever a file says: a limit can only make that shorter.
OLDEST_QUOTE = 10

# The names that a grant may use. A policy file may name a command before this version of the bot has it.
READING_COMMANDS = frozenset(
    {
        "positions",
        "orders",
        "order",
        "executions",
        "accounts",
        "account",
        "pnl",
        "quote",
        "market",
        "chart",
        "strategies",
        "health",
        "why",
    }
)
RUNNING_COMMANDS = frozenset({"halt", "resume", "resolve", "policy", "report", "help"})
# A grant of one that trades must say how much.
COMMANDS = TRADING_COMMANDS | READING_COMMANDS | RUNNING_COMMANDS
# Whoever may trade somewhere may stop trading there, without any grant of it.
HALT, RESUME = "halt", "resume"


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a name fits any of the patterns (``*``, ``?``), ASCII case aside; a bracket is a bracket.

    The name ``*``, which stands for all of them, and a pattern in place of a name fit only what fits all that they stand for.
    """
    folded = ascii_lower(name)
    return any(_compiled(pattern).match(folded) for pattern in patterns)


@lru_cache(maxsize=MOST_NAMES)
def _compiled(pattern: str) -> re.Pattern[str]:
    # To fnmatch ``Sim[1]`` would mean Sim1, which is another account, and ``?`` would fit the ``*`` that means all.
    return re.compile(translate(ascii_lower(pattern).replace("[", "[[]").replace("?", "[!*]")))


class ReverseMode(StrEnum):
    """The way of a reversal where nobody says so: by CrossTrade's own call, or read back until flat before the new order."""

    DIRECT = "direct"
    VERIFIED = "verified"


class DenialCode(StrEnum):
    """The code of a no before anything is sent. Each code has one sentence, written where the rule is."""

    NOT_HERE = "NOT_HERE"
    NO_GRANT = "NO_GRANT"
    ACCOUNT_NOT_GRANTED = "ACCOUNT_NOT_GRANTED"
    INSTRUMENT_NOT_GRANTED = "INSTRUMENT_NOT_GRANTED"
    ORDER_TYPE_NOT_GRANTED = "ORDER_TYPE_NOT_GRANTED"
    QUANTITY_OVER_GRANT = "QUANTITY_OVER_GRANT"
    BAD_REQUEST = "BAD_REQUEST"
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    UNKNOWN_STRATEGY = "UNKNOWN_STRATEGY"
    LIVE_NOT_NAMED = "LIVE_NOT_NAMED"
    ACCOUNT_DISCONNECTED = "ACCOUNT_DISCONNECTED"
    FACTS_MISSING = "FACTS_MISSING"
    NO_POSITION = "NO_POSITION"
    POSITION_NOT_AS_REQUIRED = "POSITION_NOT_AS_REQUIRED"
    NO_SUCH_ORDER = "NO_SUCH_ORDER"
    NO_SUCH_STRATEGY = "NO_SUCH_STRATEGY"
    ORDER_FINISHED = "ORDER_FINISHED"
    QUOTE_MISSING = "QUOTE_MISSING"
    QUOTE_STALE = "QUOTE_STALE"
    BAD_PRICE = "BAD_PRICE"
    PRICE_BAND = "PRICE_BAND"
    MAX_POSITION = "MAX_POSITION"
    ORDERS_PER_MINUTE = "ORDERS_PER_MINUTE"
    DUPLICATE = "DUPLICATE"
    DAILY_LOSS = "DAILY_LOSS"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    CLOSING = "CLOSING"
    FLATTENING = "FLATTENING"
    HALTED = "HALTED"
    REDUCING = "REDUCING"
    TOO_LATE = "TOO_LATE"
    ASKED_TOO_OFTEN = "ASKED_TOO_OFTEN"
    CARD_OVER = "CARD_OVER"
    NOT_ONE_STOP = "NOT_ONE_STOP"
    DESK_DOWN = "DESK_DOWN"


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason to say no: a code, the facts behind it as ``key=value``, and a sentence that says what to do."""

    code: DenialCode
    sentence: str
    details: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.details}" if self.details else str(self.code)


@dataclass(frozen=True, slots=True)
class Grant:
    """The permissions of one role."""

    role: int
    commands: frozenset[str]
    accounts: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    max_quantity: int | None = None
    order_types: frozenset[OrderType] = frozenset(OrderType)

    def has_command(self, command: str) -> bool:
        """Tell whether the grant names this command; one that trades lets its holder halt what they may trade."""
        if EVERYTHING in self.commands or command in self.commands:
            return True
        return command == HALT and not self.commands.isdisjoint(TRADING_COMMANDS)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit for everybody; a part that is ``None`` sets none.

    Attributes:
        price_band_ticks: how far limit and stop prices may lie from the last price, in ticks.
        daily_loss: loss of the day, in the account's currency, below which only reducing is allowed; on the figure itself
            everything still is.
        stale_seconds: a quote older than this counts as missing; more than ``OLDEST_QUOTE`` loosens nothing.
    """

    accounts: tuple[str, ...]
    instruments: tuple[str, ...]
    max_position: int | None = None
    orders_per_minute: int | None = None
    duplicate_seconds: int | None = None
    price_band_ticks: int | None = None
    daily_loss: Decimal | None = None
    stale_seconds: int = OLDEST_QUOTE

    def applies_to(self, account: str, root: str) -> bool:
        """Tell whether it holds for orders in that account and root."""
        return matches(account, self.accounts) and matches(root, self.instruments)


@dataclass(frozen=True, slots=True)
class Approval:
    """The two-person rule: from this quantity on, somebody else who holds the role approves."""

    accounts: tuple[str, ...]
    role: int
    min_quantity: int = 1


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Names accounts that may be traded although they are not a simulation, or takes that back. Ways out need no such line."""

    name: str
    live: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A channel and the news that the team reads there."""

    channel: int
    events: frozenset[str]
    accounts: tuple[str, ...] = (EVERYTHING,)
    silent: frozenset[str] = frozenset()

    def wants(self, event: str) -> bool:
        """Tell whether events of that name belong here."""
        return EVERYTHING in self.events or event in self.events

    def carries(self, event: str, account: str) -> bool:
        """Tell whether an event of that account belongs here."""
        return self.wants(event) and matches(account, self.accounts)

    def is_silent(self, event: str) -> bool:
        """Tell whether it is posted without a notification sound."""
        return EVERYTHING in self.silent or event in self.silent


@dataclass(frozen=True, slots=True)
class Applying:
    """The limits that hold for an order.

    Attributes:
        all: each of them, in the order of the file.
        strictest: each part as the strictest of them has it; what passes it passes all.
    """

    all: tuple[Limit, ...]
    strictest: Limit


Asked = tuple[frozenset[int], str, str | None, str | None, OrderType | None]


@dataclass(frozen=True, slots=True)
class _Known:
    """Answers of a policy's by name, each worked out once."""

    granted: "Callable[[Asked], int | Denial]"
    limits: Callable[[str, str], Applying]
    approvals: Callable[[str], tuple[Approval, ...]]
    live: Callable[[str], bool]

    @classmethod
    def of(cls, policy: "Policy") -> "_Known":
        """Those of one policy."""
        once = lru_cache(maxsize=MOST_NAMES)
        return cls(
            once(partial(_granted, policy)),
            once(partial(_applying, policy.limits)),
            once(partial(_approvals, policy.approvals)),
            once(partial(_names_live, policy.accounts)),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy file.

    Attributes:
        confirm_seconds: a ticket's life.
        reverse_mode: how ``/reverse`` goes where its ``mode`` is left out: ``direct`` or ``verified``.
        price_tolerance_ticks: how far the last price may move between card and press before the card is re-quoted.
        entries_fall_back: whether an entry that can't be put on the stream goes by REST.
        fresh: how old what a card or a press is decided on may be; zero reads everything anew.
        guard: whether ``/place`` goes out on condition that the position is still on the side that its card shows.
    """

    grants: tuple[Grant, ...]
    limits: tuple[Limit, ...] = ()
    approvals: tuple[Approval, ...] = ()
    accounts: tuple[AccountRule, ...] = ()
    routes: tuple[Route, ...] = ()
    confirm_seconds: int = 30
    ticket_visibility: Visibility = Visibility.CHANNEL
    price_tolerance_ticks: int = 20
    reverse_mode: ReverseMode = ReverseMode.DIRECT
    entries_fall_back: bool = False
    fresh: timedelta = timedelta(milliseconds=1500)
    guard: bool = True
    _known: _Known = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Begin with nothing worked out."""
        object.__setattr__(self, "_known", _Known.of(self))

    def grants_of(self, roles: frozenset[int]) -> tuple[Grant, ...]:
        """All grants that these roles bring."""
        return tuple(grant for grant in self.grants if grant.role in roles)

    def applying(self, account: str, root: str) -> Applying:
        """All limits that hold for an order there."""
        return self._known.limits(account, root)

    def limits_for(self, account: str, root: str) -> tuple[Limit, ...]:
        """All limits that hold for an order there."""
        return self.applying(account, root).all

    def stale_seconds(self, account: str, root: str) -> int:
        """The age, in seconds, from which a quote counts as missing: the strictest limit's, and ten at most."""
        return self.applying(account, root).strictest.stale_seconds

    def granted(self, asked: Asked) -> int | Denial:
        """The most contracts that grants allow for roles, command, account, root and order type; or why they allow none."""
        return self._known.granted(asked)

    def approver_roles(self, account: str, quantity: int) -> frozenset[int]:
        """Every role of which somebody must approve that order; empty when nobody must."""
        return frozenset(rule.role for rule in self._known.approvals(account) if quantity >= rule.min_quantity)

    def names_live(self, account: str) -> bool:
        """Tell whether the file names this account as one with real money; where lines disagree, ``live = false`` counts."""
        return self._known.live(account)

    def is_live(self, name: str, account: Account | None) -> bool:
        """Tell whether LIVE is said of an account, on cards, lists and alarms alike; one that was never read may be."""
        return account is None or not account.is_simulation or self.names_live(name)


@dataclass(frozen=True, slots=True)
class PermissionQuery:
    """A member's request, as far as grants look at it; parts not known yet are ``None``, the root ``*`` is all of them."""

    command: str
    account: str | None = None
    root: str | None = None
    quantity: int | None = None
    order_type: OrderType | None = None


def may(policy: Policy, roles: frozenset[int], request: PermissionQuery) -> Denial | None:
    """The one decision of who may do what, for commands, buttons, modals and autocomplete alike.

    One single grant must allow the whole of it; grants of several roles add up, their parts don't mix. Parts of the request
    that are ``None`` are not looked at, so the same question serves before and after the account is known.
    """
    most = policy.granted((roles, request.command, request.account, request.root, request.order_type))
    if isinstance(most, Denial):
        return most
    if request.quantity is None or request.quantity <= most:
        return None
    return Denial(
        DenialCode.QUANTITY_OVER_GRANT,
        f"Your roles allow at most {most} per order there; lower the quantity.",
        f"quantity={request.quantity} max_quantity={most}",
    )


def _granted(policy: Policy, asked: Asked) -> int | Denial:
    roles, command, account, root, order_type = asked
    held = [grant for grant in policy.grants_of(roles) if grant.has_command(command)]
    if not held:
        return Denial(
            DenialCode.NO_GRANT,
            f"Your roles don't allow /{command}; ask whoever runs the desk for a grant.",
            f"command={command}",
        )
    if account is not None:
        held = [grant for grant in held if matches(account, grant.accounts)]
        if not held:
            return Denial(
                DenialCode.ACCOUNT_NOT_GRANTED,
                f"Your roles don't allow /{command} on {quoted(account, 60)}; pick an account that is offered.",
                f"account={account}",
            )
    if root is not None:
        held = [grant for grant in held if matches(root, grant.instruments)]
        if not held:
            mend = f"Your roles don't allow {root} there; pick an instrument that is offered."
            if root == EVERYTHING:
                mend = "Your roles don't allow every instrument there; name one, with scope:instrument."
            return Denial(DenialCode.INSTRUMENT_NOT_GRANTED, mend, f"instrument={root}")
    if order_type is not None:
        held = [grant for grant in held if order_type in grant.order_types]
        if not held:
            return Denial(
                DenialCode.ORDER_TYPE_NOT_GRANTED,
                f"Your roles don't allow {order_type.lower()} orders there; pick another type.",
                f"order_type={order_type}",
            )
    return max(grant.max_quantity or 0 for grant in held)


def _approvals(rules: Iterable[Approval], account: str) -> tuple[Approval, ...]:
    return tuple(rule for rule in rules if matches(account, rule.accounts))


def _names_live(rules: Iterable[AccountRule], account: str) -> bool:
    return {rule.live for rule in rules if matches(account, (rule.name,))} == {True}


def _applying(limits: tuple[Limit, ...], account: str, root: str) -> Applying:
    found = tuple(limit for limit in limits if limit.applies_to(account, root))
    strictest = Limit(
        accounts=(account,),
        instruments=(root,),
        max_position=min((limit.max_position for limit in found if limit.max_position is not None), default=None),
        orders_per_minute=min((limit.orders_per_minute for limit in found if limit.orders_per_minute is not None), default=None),
        duplicate_seconds=max((limit.duplicate_seconds for limit in found if limit.duplicate_seconds is not None), default=None),
        price_band_ticks=min((limit.price_band_ticks for limit in found if limit.price_band_ticks is not None), default=None),
        daily_loss=min((limit.daily_loss for limit in found if limit.daily_loss is not None), default=None),
        stale_seconds=min((OLDEST_QUOTE, *(limit.stale_seconds for limit in found))),
    )
    return Applying(found, strictest)
