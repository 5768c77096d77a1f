"""What reading commands give back: rows as CrossTrade told them, when they were read, and what could not be read.

A part that could not be read is ``None`` beside the reason, never an empty list. How it is drawn isn't decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.desk.ports import Event
from bot.trading.facts import Account, Execution, Order, Quote
from bot.trading.instruments import Contract, Root
from bot.trading.tickets import Ticket

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row_co]):
    """One list of one account.

    Attributes:
        live: whether it may be real money; an account of which nothing is known may.
        rows: ``None`` when they could not be read; empty only when CrossTrade said so.
        why: why they could not be read, ready to show.
        at: when they were read.
    """

    account: str
    live: bool
    rows: tuple[Row_co, ...] | None
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """An account with its money.

    Attributes:
        account: parts that CrossTrade didn't tell are ``None``.
        why: why not all of it could be read, ready to show; empty when nothing failed.
    """

    account: Account
    live: bool
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Quoted:
    """The quote of one instrument, or why there is none; ``at`` is the time of the reading."""

    asked: Contract | Root
    quote: Quote | None
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderStory:
    """What is known of one order, from CrossTrade and from the journal.

    Attributes:
        typed: the id that was asked for.
        order: the order as listed now; ``None`` with an empty ``order_why`` when CrossTrade has none with that id.
        fills: its fills of the last 15 minutes, or ``None`` when they could not be read.
        ticket: the desk's ticket of it; ``None`` with an empty ``ticket_why`` when the journal knows none.
        events: the ticket's log, oldest first.
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
