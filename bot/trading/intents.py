"""What a ticket is about: one call of CrossTrade's API that changes the world, in our words.

Every intent has an account, a contract and ``terms``: of the new order, of the order that closes, or of the order that is
cancelled or changed. So limits, evidence and cards speak of all of them alike; what differs is asked of the few words below.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar

from bot.trading.instruments import Contract
from bot.trading.orders import Side, Terms


@dataclass(frozen=True, slots=True)
class Reverse:
    """``/reverse``: close the open position, then place ``terms`` (POST Reverse Position)."""

    command: ClassVar[str] = "reverse"
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """``/place``: place ``terms`` beside whatever is open (POST Place Order).

    Attributes:
        order_id: the desk's own id, fresh for each ticket; a label to look the order up by, no lock against doubles.
        require: positions in which it may be placed, of ``flat``, ``long`` and ``short``; CrossTrade checks it, and so do we.
            Empty sets no condition.
    """

    command: ClassVar[str] = "place"
    account: str
    contract: Contract
    terms: Terms
    order_id: str
    require: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FlatPlace:
    """``/flatplace``: close whatever is open there, if anything is, then place ``terms`` (POST Flat Place Order)."""

    command: ClassVar[str] = "flatplace"
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class Close:
    """``/close``: close a position whole or in part (POST Close Position).

    Attributes:
        terms: the market order that closes it, as the position stood when it was read.
        quantity: contracts to close; ``None`` for a share or for all.
        fraction: share to close, above 0 and up to 1, rounded up to whole contracts as CrossTrade does; ``None`` likewise.
    """

    command: ClassVar[str] = "close"
    account: str
    contract: Contract
    terms: Terms
    quantity: int | None = None
    fraction: Decimal | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether the whole position is closed; CrossTrade then lets NinjaTrader flatten it."""
        return self.quantity is None and self.fraction is None


@dataclass(frozen=True, slots=True)
class Cancel:
    """``/cancel``: cancel one working order (POST Cancel Order); ``terms`` are that order's."""

    command: ClassVar[str] = "cancel"
    account: str
    contract: Contract
    terms: Terms
    order_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """``/modify``: change quantity or prices of one working order (PUT Change Order).

    Attributes:
        before: the order's terms as it was listed.
        terms: what they shall be.
    """

    command: ClassVar[str] = "modify"
    account: str
    contract: Contract
    terms: Terms
    order_id: str
    before: Terms


Intent = Reverse | PlaceOrder | FlatPlace | Close | Cancel | Change
# They can only lessen what is at risk: no limit may stand in their way.
EXITS = (Close, Cancel)
# They close what is open in front of whatever else they do.
CLOSING = (Reverse, FlatPlace, Close)
# They place a new order.
PLACING = (Reverse, PlaceOrder, FlatPlace)


def closing_side(position: int) -> Side:
    """The side of the order that closes a position."""
    return Side.SELL if position > 0 else Side.BUY


def closing_terms(position: int, quantity: int | None, fraction: Decimal | None) -> Terms:
    """The market order that closes that much of a position; a share is rounded up, as CrossTrade does."""
    size = abs(position)
    if quantity is not None:
        size = quantity
    elif fraction is not None:
        size = int((fraction * size).to_integral_value(ROUND_CEILING))
    return Terms(closing_side(position), size)


def target(intent: Intent) -> str | None:
    """The id of the order that is cancelled or changed."""
    return intent.order_id if isinstance(intent, Cancel | Change) else None


def places(intent: Intent) -> bool:
    """Tell whether a new order comes of it, whose life its card then tells."""
    return isinstance(intent, PLACING)


def shows_in_order(intent: Intent) -> bool:
    """Tell whether what became of it shows in one order: the one that is placed, cancelled or changed."""
    return places(intent) or target(intent) is not None


def shows_in_position(intent: Intent) -> bool:
    """Tell whether what became of it shows in the position alone: CrossTrade names no order for a close."""
    return isinstance(intent, Close)
