"""The prices that a chart marks, in words: the last one, the average price, working orders. Where they go isn't decided here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.chat import figures
from bot.desk.reads.charts import Charted
from bot.trading.market.facts import Order, Position
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import side_word


class MarkKind(StrEnum):
    """Meaning of a marked price; each kind has a colour and a stroke of its own."""

    LAST = "last"
    AVERAGE = "average"
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Mark:
    """A price to mark, and what to write beside it."""

    kind: MarkKind
    price: Decimal
    text: str


def tick_of(charted: Charted) -> Decimal:
    """The step of prices: the quote's, else that of the most exact price among the bars."""
    if charted.quoted.quote is not None:
        return charted.quoted.quote.tick_size
    rows = charted.bars.rows if charted.bars else ()
    return figures.finest(price for bar in rows for price in (bar.open, bar.high, bar.low, bar.close))


def last_price(charted: Charted) -> Decimal | None:
    """The quote's last price, else the close of the newest bar."""
    quote = charted.quoted.quote
    if quote is not None and quote.last is not None:
        return quote.last
    return charted.bars.rows[-1].close if charted.bars and charted.bars.rows else None


def marks_of(charted: Charted) -> tuple[Mark, ...]:
    """All marks, the most important first: last price, average price, then orders by their distance; those alike make one."""
    tick, last = tick_of(charted), last_price(charted)
    orders = _orders(charted, tick)
    return (*_prices(charted, tick, last), *sorted(orders, key=lambda mark: abs(mark.price - (last or mark.price))))


def without_price(charted: Charted) -> tuple[Order, ...]:
    """The working orders that have no price to draw a line at."""
    return tuple(order for order in charted.working if order.stop is None and order.limit is None)


def holding(position: Position, tick: Decimal) -> str:
    """A position in words: ``LONG 2 @ 5790.25 · +1,250.00``, as far as it is known."""
    average = "" if position.average_price is None else f" @ {figures.price(position.average_price, tick)}"
    result = "" if position.unrealised is None else f" · {signed(position.unrealised)}"
    return f"{side_word(position.quantity)}{average}{result}"


def signed(amount: Decimal) -> str:
    """An amount of money with its sign."""
    return f"{'+' if amount > 0 else ''}{figures.amount(amount)}"


def order_words(order: Order, quantity: int, tick: Decimal) -> str:
    """An order in words, with what is left of it: ``BUY 1 LIMIT 5780.00``."""
    kind = "" if order.type is None else f" {order.type.value}"
    prices = "/".join(figures.price(value, tick) for value in (order.stop, order.limit) if value is not None)
    return f"{order.side.upper()} {quantity}{kind} {prices}".rstrip()


def _prices(charted: Charted, tick: Decimal, last: Decimal | None) -> Iterator[Mark]:
    if last is not None:
        yield Mark(MarkKind.LAST, last, figures.price(last, tick))
    position = charted.position
    if position is not None and position.average_price is not None:
        yield Mark(MarkKind.AVERAGE, position.average_price, holding(position, tick))


def _orders(charted: Charted, tick: Decimal) -> Iterator[Mark]:
    for alike in _alike(charted.working):
        first = alike[0]
        # A stop order rests at its stop; its limit counts only after that.
        price = first.limit if first.stop is None else first.stop
        if price is not None:
            words = order_words(first, sum(order.remaining for order in alike), tick)
            several = f" · {len(alike)} orders" if len(alike) > 1 else ""
            yield Mark(MarkKind.BUY if first.side is Side.BUY else MarkKind.SELL, price, f"{words}{several}")


def _alike(orders: Iterable[Order]) -> Iterable[Sequence[Order]]:
    groups: dict[tuple[object, ...], list[Order]] = {}
    for order in orders:
        groups.setdefault((order.side, order.type, order.stop, order.limit), []).append(order)
    return groups.values()
