"""The orders of a bracket: found among those listed, as CrossTrade needn't name them, and what each comes to. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from bot.trading.market.facts import Order
from bot.trading.orders.intents import Bracket
from bot.trading.orders.protection import Part
from bot.trading.orders.terms import OrderType, Side
from bot.trading.orders.tickets import Preview


def stop_price(intent: Bracket) -> Decimal | None:
    """The price of its stop; ``None`` where a target alone was asked for."""
    return intent.terms.stop


def target_price(intent: Bracket) -> Decimal | None:
    """The price of its target; ``None`` where a stop alone was asked for."""
    return intent.target if intent.terms.type.has_stop else intent.terms.limit


def fills_at_once(intent: Bracket, bid: Decimal | None, ask: Decimal | None) -> str | None:
    """Say why its target would fill at once, if it would; a side without a price proves nothing."""
    target, sells = target_price(intent), intent.terms.side is Side.SELL
    market, where = (bid, "above the bid") if sells else (ask, "below the ask")
    if target is None or market is None or (target > market if sells else target < market):
        return None
    return f"The target must lie {where} of {market}; {target} would fill at once."


@dataclass(frozen=True, slots=True)
class Legs:
    """The listed orders that look like each order of a bracket.

    Attributes:
        by_part: one order each, where all is well; more where somebody else's have the very same terms. What wasn't asked for
            is not among the keys.
    """

    by_part: Mapping[Part, tuple[Order, ...]]

    @property
    def are_found(self) -> bool:
        """Tell whether each is, once, and all for one size."""
        is_each = all(len(found) == 1 for found in self.by_part.values())
        return is_each and len({order.quantity for order in self.orders}) == 1

    @property
    def orders(self) -> tuple[Order, ...]:
        """All of them, the stop first."""
        return tuple(order for found in self.by_part.values() for order in found)


def legs(intent: Bracket, orders: Iterable[Order]) -> Legs:
    """Find them; CrossTrade takes the position's size where that is smaller than what was asked for.

    Args:
        intent: the bracket.
        orders: those that were not listed before it was sent.
    """
    terms, stop, target = intent.terms, stop_price(intent), target_price(intent)
    shaped = [
        order
        for order in orders
        if (order.contract, order.side) == (intent.contract, terms.side) and order.quantity <= terms.quantity
    ]
    found: dict[Part, tuple[Order, ...]] = {}
    if stop is not None:
        found[Part.STOP] = tuple(order for order in shaped if order.type is OrderType.STOPMARKET and order.stop == stop)
    if target is not None:
        found[Part.TARGET] = tuple(order for order in shaped if order.type is OrderType.LIMIT and order.limit == target)
    return Legs(found)


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a position, counted from its average price, where one of the two fills at its price; a loss is negative.

    ``None`` is what can't be worked out, as a fact is missing.
    """

    target: Decimal | None
    stop: Decimal | None


def results(intent: Bracket, shown: Preview) -> Results:
    """Work out what is won at the target and lost at the stop, as far as the facts of the card go."""
    return Results(_result(intent, target_price(intent), shown), _result(intent, stop_price(intent), shown))


def _result(intent: Bracket, price: Decimal | None, shown: Preview) -> Decimal | None:
    average, tick_size, tick_value = shown.average_price, shown.tick_size, shown.tick_value
    if price is None or average is None or tick_size is None or tick_value is None:
        return None
    # Numbers that no market quotes must cost no more than this amount.
    with localcontext() as context:
        context.clear_traps()
        ticks = (average - price) / tick_size * intent.terms.side.sign
        result = ticks * tick_value * intent.terms.quantity
    return result if result.is_finite() else None
