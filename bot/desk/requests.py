"""What the chat layer hands to the desk, and what it gets back: plain data, as typed by a person."""

from dataclasses import dataclass

from bot.trading.orders import OrderType, Side, TimeInForce
from bot.trading.policy import Denial
from bot.trading.tickets import Member


@dataclass(frozen=True, slots=True)
class ReverseRequest:
    """The options of ``/reverse`` as they were typed; nothing has been checked yet.

    Attributes:
        instrument: any spelling, quotes included.
        limit, stop: prices as strings, so that no binary fraction ever stands in between.
    """

    account: str
    instrument: str
    side: Side
    quantity: int
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.DAY
    limit: str | None = None
    stop: str | None = None
    oco: str | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """A press of one of a card's buttons; ``revision`` is that of the card that was pressed."""

    member: Member
    ticket: str
    revision: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The desk's no before there was a ticket, with every reason; the first is the one to tell first."""

    denials: tuple[Denial, ...]
