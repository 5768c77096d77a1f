"""Numbers as cards and tables show them: prices, money, ages, times, LIVE and SIM. Which ones are shown isn't decided here."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.trading.words import money, number, price

__all__ = ["age", "amount", "clock_time", "finest", "lasting", "mark", "number", "price", "took"]


def mark(*, live: bool) -> str:
    """LIVE for what may be real money, else SIM, in a word and a colour."""
    return "🟥 **LIVE**" if live else "🟦 **SIM**"


def finest(values: Iterable[Decimal | None]) -> Decimal:
    """The step of the most exact of some prices, for those without a tick to go by, so that their points line up too."""
    exponents = [value.normalize().as_tuple().exponent for value in values if value is not None and value.is_finite()]
    return Decimal(1).scaleb(min([0, *(each for each in exponents if isinstance(each, int))]))


def amount(value: Decimal) -> str:
    """An amount of money."""
    return money(value) if value.is_finite() and value.adjusted() <= 15 else number(value)


def clock_time(at: datetime) -> str:
    """A time of day in UTC, which code blocks can't translate to each reader's own: ``12:00:05``."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def lasting(seconds: float) -> str:
    """Duration to the minute: ``2 d 3 h``, ``3 h 12 min``, ``under a minute``."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "under a minute"
    hours, days = minutes // 60, minutes // 1440
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if not days else f"{days} d {hours % 24} h"


def age(seconds: float) -> str:
    """Age, short: ``3 s``, ``4 min``, ``2 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def took(span: timedelta) -> str:
    """Time that a step took, as exact as somebody may want to know: ``85 ms``, ``3.21 s``, ``4 min 2 s``."""
    seconds = span.total_seconds()
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.2f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s" if seconds < 7200 else lasting(seconds)
