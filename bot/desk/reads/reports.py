"""Answers of reading commands: rows as CrossTrade told them, when they were read, and what could not be read.

A part that could not be read is ``None`` beside the reason, never an empty list. How it is drawn isn't decided here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.desk.ports import Event
from bot.trading.market.facts import Account, Execution, Order, OtherFill, OtherOrder, OtherPosition, Quote, Strategy
from bot.trading.market.funds import Watermarks
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.market.session import Session
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row_co]):
    """One list of one account.

    Attributes:
        live: whether it may be real money; an account of which nothing is known may.
        rows: ``None`` when they could not be read; empty only when CrossTrade said so.
        why: why they could not be read, ready to show.
        at: when they were read.
        about: the instrument to which they are narrowed, if they are.
        doubt: what else CrossTrade says against them, ready to show.
        others: of positions, those that are no futures.
        other_orders: of orders, those that are of no future.
    """

    account: str
    live: bool
    rows: tuple[Row_co, ...] | None
    why: str
    at: datetime
    about: str = ""
    doubt: str = ""
    others: tuple[OtherPosition, ...] = ()
    other_orders: tuple[OtherOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """An account with its money.

    Attributes:
        account: parts that CrossTrade didn't tell are ``None``.
        why: why not all of it could be read, ready to show; empty when nothing failed.
        open_count: how many positions are open in it; ``None`` when that was not told.
    """

    account: Account
    live: bool
    why: str
    at: datetime
    open_count: int | None = None


@dataclass(frozen=True, slots=True)
class AccountReport:
    """One account with its money, and how high it once stood; ``None`` beside the reason when that could not be read."""

    balance: Balance
    marks: Watermarks | None
    marks_why: str


@dataclass(frozen=True, slots=True)
class Fills:
    """An account's fills: those of the last 15 minutes as CrossTrade tells them, and earlier ones that the desk has kept.

    Attributes:
        rows: ``None`` when they could not be read.
        earlier: kept ones that are not among the rows, oldest first; ``None`` when the journal could not be read.
        unwatched: times since ``since`` in which nobody read the fills, so that some may be missing.
        since: how far back the earlier ones go.
        others: of the last 15 minutes, those of what is no future.
    """

    account: str
    live: bool
    rows: tuple[Execution, ...] | None
    why: str
    earlier: tuple[Execution, ...] | None
    earlier_why: str
    unwatched: tuple[Span, ...]
    since: datetime
    at: datetime
    others: tuple[OtherFill, ...] = ()


@dataclass(frozen=True, slots=True)
class OneFill:
    """One fill.

    Attributes:
        fill: ``None`` when neither CrossTrade nor the desk's record has it.
        why: why CrossTrade could not be read, ready to show.
        is_kept: whether it is from the desk's record.
    """

    account: str
    live: bool
    typed: str
    fill: Execution | None
    why: str
    at: datetime
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class StrategyReport:
    """The strategies that run in an account, and the names of the templates in NinjaTrader, ``None`` beside why not."""

    running: Listed[Strategy]
    templates: tuple[str, ...] | None
    templates_why: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """The quote of one instrument, or why there is none; ``at`` is the time of the reading.

    Attributes:
        account: whose own quote it is; ``None`` for the market's.
        guessed: whether the calendar alone says that this is the month which the root means.
    """

    asked: Contract | Root
    quote: Quote | None
    why: str
    at: datetime
    account: str | None = None
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Traded:
    """The session of a market, or why it could not be read; ``at`` is the time of the reading.

    Attributes:
        guessed: whether the calendar alone says that this is the month which the root means.
    """

    asked: Contract | Root
    session: Session | None
    why: str
    at: datetime
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class OrderStory:
    """Everything known of one order, from CrossTrade and from the journal.

    Attributes:
        typed: the id that was asked for.
        order: the order as listed now; ``None`` with an empty ``order_why`` when CrossTrade has none with that id.
        fills: its fills, with those that the desk has kept, or ``None`` when they could not be read.
        ticket: the desk's ticket of it; ``None`` with an empty ``ticket_why`` when the journal knows none.
        events: the ticket's log, oldest first.
        state: its state, where CrossTrade tells that of an order that it doesn't list.
        life: what CrossTrade wrote down of it; ``None`` beside why not.
        is_elsewhere: whether CrossTrade says that the id is of another account's order.
        fills_are_recent: whether CrossTrade told only those of the last 15 minutes.
    """

    account: str
    live: bool
    typed: str
    order: Order | None
    order_why: str
    fills: tuple[Execution, ...] | None
    fills_why: str
    ticket: Ticket | None
    events: tuple[Event, ...]
    ticket_why: str
    at: datetime
    state: OrderState | None = None
    life: Lifecycle | None = None
    life_why: str = ""
    is_elsewhere: bool = False
    fills_are_recent: bool = False


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One thing that happened to a ticket, in the words of the log.

    Attributes:
        took: the time since the step before; ``None`` for the first.
        event: its line in the log; ``None`` for a press, which the ticket itself has kept.
    """

    name: str
    at: datetime
    took: timedelta | None = None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A ticket with all that happened to it, or a denial before there was one.

    Attributes:
        denial: what somebody was denied at the request.
    """

    at: datetime
    ticket: Ticket | None = None
    steps: tuple[StoryStep, ...] = ()
    denial: Event | None = None
