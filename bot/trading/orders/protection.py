"""The stops and targets that protect a position, as they were last seen and told: data. Rules are in ``reconciliation``."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum

from bot.trading.orders.terms import OrderState

# Confirmed by the broker or beyond. Stops rest at Accepted; under a change the old terms hold until the new ones are taken.
_WORKS = frozenset(
    {
        OrderState.ACCEPTED,
        OrderState.TRIGGER_PENDING,
        OrderState.WORKING,
        OrderState.SUSPENDED,
        OrderState.CHANGE_PENDING,
        OrderState.CHANGE_SUBMITTED,
        OrderState.PART_FILLED,
    }
)
_ENDS_UNFILLED = frozenset({OrderState.REJECTED, OrderState.CANCELLED, OrderState.GONE})


def works(state: OrderState) -> bool:
    """Tell whether an order in that state can be counted on; one that is just being sent or cancelled can't."""
    return state in _WORKS


class Part(StrEnum):
    """The purpose of a leg."""

    STOP = "stop"
    TARGET = "target"


class End(StrEnum):
    """The reason why a position's stops and targets are not followed any longer."""

    STOPPED_OUT = "stopped out"
    TARGET_HIT = "target hit"
    CLOSED = "closed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Leg:
    """One stop or target.

    Attributes:
        ids: every id under which it was seen.
        state: SUBMITTED until it was seen to work, WORKING while it works, and then its end.
        quantity, filled: contracts, no sign.
        price: where it lies, in price units.
        fill_price: average price of its fills.
        why: NinjaTrader's words for its rejection, made harmless.
    """

    part: Part
    ids: tuple[str, ...]
    state: OrderState
    quantity: int
    filled: int = 0
    price: Decimal | None = None
    fill_price: Decimal | None = None
    oco: str | None = None
    why: str | None = None

    @property
    def works(self) -> bool:
        """Tell whether it can still fill and is counted on."""
        return works(self.state)

    @property
    def has_failed(self) -> bool:
        """Tell whether it ended otherwise than by filling whole."""
        return self.state in _ENDS_UNFILLED


@dataclass(frozen=True, slots=True)
class Protection:
    """The protection of a ticket's position, as far as it was seen and told.

    Attributes:
        legs: its stops and targets.
        owner: id of the ATM strategy that they belong to.
        held: the position as last read, signed; ``None`` before the first reading.
        bare: contracts for which no stop works, as last told.
        targetless: contracts for which no target works, as last told.
        left: whether it was told that legs still work although the position is closed.
        end: ``None`` while they are followed.
    """

    legs: tuple[Leg, ...] = ()
    owner: str | None = None
    held: int | None = None
    bare: int = 0
    targetless: int = 0
    left: bool = False
    end: End | None = None

    def of(self, part: Part) -> tuple[Leg, ...]:
        """The legs of one kind."""
        return tuple(leg for leg in self.legs if leg.part is part)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all legs."""
        return tuple(order_id for leg in self.legs for order_id in leg.ids)

    def filled(self, part: Part) -> int:
        """Contracts closed by the legs of one kind."""
        return sum(leg.filled for leg in self.of(part))

    def fill_price(self, part: Part) -> Decimal | None:
        """The average price at which the legs of one kind have filled; ``None`` where that wasn't told."""
        told = [(leg.filled, leg.fill_price) for leg in self.of(part) if leg.filled and leg.fill_price is not None]
        size = sum(filled for filled, _ in told)
        # Numbers that no market quotes must cost no more than this price.
        with localcontext() as context:
            context.clear_traps()
            return sum((price * filled for filled, price in told), Decimal()) / size if size else None


NOTHING_SEEN = Protection()
