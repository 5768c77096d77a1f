"""Charts to test with: bars that walk, and everything around them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.desk.reads.charts import Charted
from bot.desk.reads.reports import Listed, Quoted
from bot.trading.market.bars import PERIODS, Bar, Bars, Period
from bot.trading.market.facts import Order, Position, Quote
from bot.trading.orders.terms import OrderState, OrderType, Side

from .samples import ES, NOW

FIVE = PERIODS["5m"]
TICK = Decimal("0.25")
QUOTE = Quote(ES, TICK, Decimal(50), Decimal(5800), Decimal("5800.25"), Decimal(5800), NOW - timedelta(seconds=3))
LONG = Position("Sim101", ES, 2, Decimal("5795.25"), Decimal(475))


def bar(at: datetime, opened: str, high: str, low: str, close: str, volume: int | None = 100) -> Bar:
    """One bar."""
    return Bar(at, Decimal(opened), Decimal(high), Decimal(low), Decimal(close), volume)


def walk(count: int = 40, period: Period = FIVE, *, still: bool = False) -> tuple[Bar, ...]:
    """Bars that go up ten times and down ten times, by two points each, from 5800 to 5820, and end at 5800 just now."""
    moves = [Decimal(0 if still else 2 if index // 10 % 2 == 0 else -2) for index in range(count)]
    closes = [Decimal(5800)]
    for move in reversed(moves[1:]):
        closes.insert(0, closes[0] - move)
    rim = Decimal(0) if still else TICK
    return tuple(
        Bar(
            NOW - period.length * (count - 1 - index),
            close - move,
            max(close, close - move) + rim,
            min(close, close - move) - rim,
            close,
            100 + index,
        )
        for index, (close, move) in enumerate(zip(closes, moves, strict=True))
    )


def order(side: Side, price: str | None, *, stop: str | None = None, quantity: int = 1, name: str = "o1") -> Order:
    """A working order: limit, stop, both, or market where there is no price."""
    kinds = {(True, False): OrderType.LIMIT, (False, True): OrderType.STOPMARKET, (True, True): OrderType.STOPLIMIT}
    return Order(
        (name,),
        "Sim101",
        ES,
        side,
        kinds.get((price is not None, stop is not None), OrderType.MARKET),
        OrderState.WORKING,
        quantity,
        limit=None if price is None else Decimal(price),
        stop=None if stop is None else Decimal(stop),
    )


def charted(
    rows: Sequence[Bar] | None = None,
    *,
    period: Period = FIVE,
    positions: Sequence[Position] | None = (),
    orders: Sequence[Order] | None = (),
    quote: Quote | None = QUOTE,
    account: str | None = "Sim101",
    live: bool = False,
) -> Charted:
    """What was read for a chart; ``None`` for what could not be."""
    held: Listed[Position] = Listed(account or "", live, None if positions is None else tuple(positions), "`no list`", NOW)
    working: Listed[Order] = Listed(account or "", live, None if orders is None else tuple(orders), "`no list`", NOW)
    return Charted(
        asked=ES,
        period=period,
        bars=Bars(ES, period, tuple(walk(period=period) if rows is None else rows)),
        bars_why="",
        quoted=Quoted(ES, quote, "" if quote else "`no quote`", NOW),
        positions=None if account is None else held,
        orders=None if account is None else working,
        at=NOW,
    )


def unread(made: Charted) -> Charted:
    """The same without bars, which could not be read."""
    return replace(made, bars=None, bars_why="`no bars`")
