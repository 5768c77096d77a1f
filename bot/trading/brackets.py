"""The two orders of a bracket: found among those listed, as CrossTrade needn't name them, and what each comes to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from bot.trading.facts import Order
from bot.trading.intents import Bracket
from bot.trading.orders import OrderState, OrderType
from bot.trading.tickets import Shown


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


@dataclass(frozen=True, slots=True)
class Results:
    """What the position makes, counted from its average price, where one of the two fills at its price; a loss is negative.

    ``None`` is what can't be worked out, as a fact is missing.
    """

    target: Decimal | None
    stop: Decimal | None


def results(intent: Bracket, shown: Shown) -> Results:
    """Work out what is won at the target and lost at the stop, as far as the facts of the card go."""
    return Results(_result(intent, intent.target, shown), _result(intent, intent.terms.stop, shown))


def _result(intent: Bracket, price: Decimal | None, shown: Shown) -> Decimal | None:
    average, tick_size, tick_value = shown.average_price, shown.tick_size, shown.tick_value
    if price is None or average is None or tick_size is None or tick_value is None:
        return None
    # Numbers that no market quotes must cost no more than this amount.
    with localcontext() as context:
        context.clear_traps()
        ticks = (average - price) / tick_size * intent.terms.side.sign
        result = ticks * tick_value * intent.terms.quantity
    return result if result.is_finite() else None
