"""The scales of a chart: which prices it spans, and which prices and times are written beside it. Pure arithmetic."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor

from bot.chat.charts.marks import Mark
from bot.trading.market.bars import Bar, Period

# Marks may take this share of the height at most; what lies further out is named at the edge.
MOST_FOR_MARKS = Decimal("0.5")
# Prices that stand still are shown in a span of so many ticks.
LEAST_TICKS = 8
PADDING = Decimal("0.04")
MOST_PRICES = 6
MOST_TIMES = 6
# Fewer bars than these are drawn as wide as if there were so many.
LEAST_BARS = 20
# Multiples of a tick, and of ten and a hundred ticks, that give round prices: of 0.25 these are 0.5, 1, 2.5, 5, 10, 25.
_ROUND = (1, 2, 4)
_BREAK = timedelta(minutes=45)
_BREAK_PERIODS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """The prices at the lower and the upper edge."""

    low: Decimal
    high: Decimal

    def at(self, price: Decimal) -> float:
        """Place of a price: 0 at the lower edge, 1 at the upper; beyond them outside."""
        return float((price - self.low) / (self.high - self.low))

    def holds(self, price: Decimal) -> bool:
        """Tell whether a price lies within."""
        return self.low <= price <= self.high


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A time written below a bar; the second line only where it differs from that of the tick before."""

    index: int
    upper: str
    lower: str


def scale_of(bars: Sequence[Bar], marks: Sequence[Mark], tick: Decimal) -> Scale:
    """Span the bars, and the marks that don't squash them, the first ones first."""
    low = min(min(bar.low, bar.open, bar.close) for bar in bars)
    high = max(max(bar.high, bar.open, bar.close) for bar in bars)
    missing = max(LEAST_TICKS * tick - (high - low), Decimal())
    low, high = low - missing / 2, high + missing / 2
    most = (high - low) / (1 - MOST_FOR_MARKS)
    for mark in marks:
        wider = min(low, mark.price), max(high, mark.price)
        if wider[1] - wider[0] <= most:
            low, high = wider
    padding = (high - low) * PADDING
    return Scale(low - padding, high + padding)


def round_prices(scale: Scale, tick: Decimal) -> tuple[Decimal, ...]:
    """A few round prices within the scale, each a multiple of the tick."""
    step = _step(scale.high - scale.low, tick)
    return tuple(step * number for number in range(ceil(scale.low / step), floor(scale.high / step) + 1))


def times_of(bars: Sequence[Bar], period: Period) -> tuple[TimeTick, ...]:
    """A few times in UTC, each below the first bar of a new hour, day, month or the like."""
    moments = [bar.at.astimezone(UTC) for bar in bars]
    buckets = [*(_OF_MINUTES if period.is_intraday else ()), *_OF_DAYS]
    for bucket in buckets:
        of_bars = [bucket(at) for at in moments]
        changes = [index for index, (one, after) in enumerate(pairwise(of_bars), start=1) if one != after]
        if len(changes) <= MOST_TIMES:
            break
    intraday = period.is_intraday and bucket not in _OF_DAYS
    return tuple(_labelled(_apart(changes or [len(bars) - 1], len(bars)), moments, intraday=intraday))


def breaks_of(bars: Sequence[Bar], period: Period) -> tuple[int, ...]:
    """The bars before which the market was closed or silent for long; bars stand side by side whatever lies between."""
    longest = max(period.length * _BREAK_PERIODS, _BREAK)
    return tuple(index for index, (one, after) in enumerate(pairwise(bars), start=1) if after.at - one.at > longest)


def _step(span: Decimal, tick: Decimal) -> Decimal:
    unit = tick
    while True:
        for multiple in _ROUND:
            if span / (unit * multiple) <= MOST_PRICES:
                return unit * multiple
        unit *= 10


def _apart(indexes: Sequence[int], bars: int) -> Iterator[int]:
    """Ticks that leave room for what is written below them; where bars are missing, two hours may lie side by side."""
    free_from = 0
    for index in indexes:
        if index >= free_from:
            yield index
            free_from = index + ceil(max(bars, LEAST_BARS) / (MOST_TIMES + 1))


def _labelled(indexes: Iterable[int], moments: Sequence[datetime], *, intraday: bool) -> Iterator[TimeTick]:
    before = ""
    for index in indexes:
        at = moments[index]
        day = f"{at:%b} {at.day}"
        upper, lower = (f"{at:%H:%M}", day) if intraday else (day, f"{at.year}")
        yield TimeTick(index, upper, "" if lower == before else lower)
        before = lower


def _of_minutes(count: int) -> Callable[[datetime], object]:
    return lambda at: int(at.timestamp()) // (count * 60)


_OF_DAYS: tuple[Callable[[datetime], object], ...] = (
    lambda at: at.date(),
    lambda at: at.isocalendar()[:2],
    lambda at: (at.year, at.month),
    lambda at: (at.year, (at.month - 1) // 3),
    lambda at: (at.year, at.month > 6),
    lambda at: at.year,
)
_OF_MINUTES = tuple(map(_of_minutes, (1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)))
