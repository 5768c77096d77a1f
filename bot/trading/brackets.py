"""The two orders of a bracket, found among those that are listed: CrossTrade needn't name them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.trading.facts import Order
from bot.trading.intents import Bracket
from bot.trading.orders import OrderState, OrderType


@dataclass(frozen=True, slots=True)
class Legs:
    """What looks like each of the two.

    Attributes:
        stops, targets: one each, where all is well; more where somebody else's have the very same terms.
    """

    stops: tuple[Order, ...]
    targets: tuple[Order, ...]

    @property
    def are_there(self) -> bool:
        """Tell whether both are."""
        return bool(self.stops) and bool(self.targets)

    @property
    def rejected(self) -> str | None:
        """Which of them NinjaTrader has rejected."""
        if any(order.state is OrderState.REJECTED for order in self.stops):
            return "stop"
        return "target" if any(order.state is OrderState.REJECTED for order in self.targets) else None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of both, the stop's first."""
        return tuple(order_id for order in (*self.stops, *self.targets) for order_id in order.ids)


def legs(intent: Bracket, orders: Iterable[Order]) -> Legs:
    """Find them.

    Args:
        intent: the bracket.
        orders: those that were not listed before it was sent.
    """
    terms = intent.terms
    shaped = [
        order for order in orders if (order.contract, order.side, order.quantity) == (intent.contract, terms.side, terms.quantity)
    ]
    return Legs(
        tuple(order for order in shaped if order.type is OrderType.STOPMARKET and order.stop == terms.stop),
        tuple(order for order in shaped if order.type is OrderType.LIMIT and order.limit == intent.target),
    )
