"""Periods of bars: which there are, how they are typed, and how far back to ask for so many."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.trading.market.bars import FEWEST_BARS, MOST_BARS, PERIODS, Bar, Period, PeriodType, parse_period

from .strategies import MODEST, NOW


@pytest.mark.parametrize(("typed", "words"), [("5m", "5 min"), (" 1H ", "1 h"), ("1d", "1 day"), ("1w", "1 week")])
def test_a_period_is_found_whatever_its_case(typed: str, words: str) -> None:
    assert parse_period(typed).words == words


@pytest.mark.parametrize("typed", ["", "2m", "5", "5 m", "day"])
def test_what_is_no_period_is_refused_with_those_that_are(typed: str) -> None:
    with pytest.raises(UsageError, match="1m, 3m, 5m, 15m, 30m, 1h, 4h, 1d, 1w"):
        parse_period(typed)


def test_a_period_knows_its_length() -> None:
    lengths = {name: period.length for name, period in PERIODS.items()}
    assert lengths["15m"] == timedelta(minutes=15)
    assert lengths["4h"] == timedelta(hours=4)
    assert lengths["1w"] == timedelta(days=7)
    assert [name for name, period in PERIODS.items() if not period.is_intraday] == ["1d", "1w"]


@pytest.mark.parametrize(
    ("name", "bars", "days"),
    [("1m", 20, 5), ("1m", 300, 5), ("5m", 80, 5), ("1h", 300, 25), ("4h", 300, 83), ("1d", 100, 154), ("1w", 10, 74)],
)
def test_bars_are_asked_for_as_far_back_as_they_should_lie(name: str, bars: int, days: int) -> None:
    assert PERIODS[name].days_back(bars) == days


@pytest.mark.parametrize(("type_", "days"), [(PeriodType.DAY, 34), (PeriodType.WEEK, 144)])
def test_a_bar_of_several_days_or_weeks_goes_back_as_many_times_as_far(type_: PeriodType, days: int) -> None:
    assert Period("2", type_, 2, "two of them").days_back(10) == days


def test_a_bar_is_up_unless_it_ends_below_its_start() -> None:
    bars = [Bar(NOW, Decimal(5), Decimal(9), Decimal(1), Decimal(end)) for end in (4, 5, 6)]
    assert [bar.is_up for bar in bars] == [False, True, True]


@MODEST
@given(st.sampled_from(list(PERIODS.values())), st.integers(FEWEST_BARS, MOST_BARS))
def test_so_many_days_hold_the_bars_and_three_closed_days(period: Period, bars: int) -> None:
    """Twenty-three hours a day, five days a week, asked for at the end of a long weekend."""
    days = period.days_back(bars)
    open_days = (days - 3) * 5 / 7
    if period.is_intraday:
        assert bars * period.count <= open_days * 23 * 60
    elif period.name == "1d":
        assert bars <= open_days
    else:
        assert bars * 7 <= days
    # NinjaTrader gave others about 8,000 bars in a call.
    assert period.name != "1m" or days * 23 * 60 < 8000
