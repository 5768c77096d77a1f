"""The verdicts on an order whose answer was lost, as the evidence gives them. Plain data."""

from dataclasses import dataclass

from bot.trading.market.facts import Order
from bot.trading.orders.terms import OrderState


@dataclass(frozen=True, slots=True)
class Found:
    """The order is there."""

    order: Order


@dataclass(frozen=True, slots=True)
class FoundFills:
    """The order itself is no longer listed, but its fills are."""

    order_id: str
    filled: int


@dataclass(frozen=True, slots=True)
class FoundLife:
    """The order is listed no more, but the add-on has written down that NinjaTrader had it, and how it last stood."""

    ids: tuple[str, ...]
    state: OrderState


@dataclass(frozen=True, slots=True)
class FoundTogether:
    """Two orders that together are what was asked for: one has closed, the other is the new one, and nothing tells which.

    Attributes:
        ids: of each of them.
    """

    ids: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class FoundClosed:
    """A close was done: the position is what it was to leave."""


@dataclass(frozen=True, slots=True)
class FoundTurned:
    """The position is on the other side of where it was: whatever of it the close has done, it is no close that went well."""

    position: int


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing of it is there; ``note`` says what is to be known besides."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """The reads prove nothing."""

    why: str


Verdict = Found | FoundFills | FoundLife | FoundTogether | FoundClosed | FoundTurned | Absent | Unclear
# Something that is there proves itself, whatever else could not be read.
PROOFS = (Found, FoundFills, FoundLife)
