"""Bars: what a price did in each period, and the periods that a chart is offered in. How they are drawn isn't decided here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bot.errors import UsageError
from bot.trading.orders.instruments import Contract

FEWEST_BARS, MOST_BARS = 20, 300
# Futures trade 23 hours of a day and five days of a week. The four days more bridge a long weekend.
MINUTES_A_DAY = 23 * 60
LONG_WEEKEND = 4


class PeriodType(StrEnum):
    """Kinds of periods, in CrossTrade's words (POST Historical bars, mid); tick and range bars have no length in time."""

    MINUTE = "minute"
    DAY = "day"
    WEEK = "week"


_LENGTHS = {PeriodType.MINUTE: timedelta(minutes=1), PeriodType.DAY: timedelta(days=1), PeriodType.WEEK: timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Period:
    """The length of each bar: so many minutes, days or weeks.

    Attributes:
        name: as people pick it: ``5m``, ``1h``, ``1d``.
        count: minutes, days or weeks, whichever the type says.
        words: as people read it: ``5 min``, ``1 h``, ``1 day``.
    """

    name: str
    type: PeriodType
    count: int
    words: str

    @property
    def length(self) -> timedelta:
        """The length of a bar by the clock; markets close within days and weeks."""
        return _LENGTHS[self.type] * self.count

    @property
    def is_intraday(self) -> bool:
        """Tell whether there are several bars in a day."""
        return self.type is PeriodType.MINUTE

    def days_back(self, bars: int) -> int:
        """Calendar days in which that many bars should lie, nights, weekends and a long weekend between them counted."""
        if self.type is PeriodType.WEEK:
            return bars * self.count * 7 + LONG_WEEKEND
        trading_days = -(-bars * self.count // MINUTES_A_DAY) if self.is_intraday else bars * self.count
        # Beside weekends, a year has some ten holidays.
        return trading_days * 3 // 2 + LONG_WEEKEND


_PERIODS = (
    Period("1m", PeriodType.MINUTE, 1, "1 min"),
    Period("3m", PeriodType.MINUTE, 3, "3 min"),
    Period("5m", PeriodType.MINUTE, 5, "5 min"),
    Period("15m", PeriodType.MINUTE, 15, "15 min"),
    Period("30m", PeriodType.MINUTE, 30, "30 min"),
    Period("1h", PeriodType.MINUTE, 60, "1 h"),
    Period("4h", PeriodType.MINUTE, 240, "4 h"),
    Period("1d", PeriodType.DAY, 1, "1 day"),
    Period("1w", PeriodType.WEEK, 1, "1 week"),
)
PERIODS = {period.name: period for period in _PERIODS}


def parse_period(typed: str) -> Period:
    """Find the period that is meant.

    Raises:
        UsageError: it is none of those that are offered.
    """
    found = PERIODS.get(typed.strip().lower())
    if found is None:
        raise UsageError(f"The period must be one of {', '.join(PERIODS)}.")
    return found


@dataclass(frozen=True, slots=True)
class Bar:
    """One period in which there was a trade (POST Historical bars, mid).

    Attributes:
        at: UTC; the period's end, by which CrossTrade stamps bars (measured by others). Its ``epoch`` is in milliseconds.
        open, high, low, close: price units.
        volume: contracts traded, no sign; ``None`` when CrossTrade didn't tell.
    """

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int | None = None

    @property
    def is_up(self) -> bool:
        """Tell whether it didn't end below its start."""
        return self.close >= self.open


@dataclass(frozen=True, slots=True)
class Bars:
    """The newest bars of a contract, oldest first; a period without a trade has none. Empty only when CrossTrade said so."""

    contract: Contract
    period: Period
    rows: tuple[Bar, ...]
