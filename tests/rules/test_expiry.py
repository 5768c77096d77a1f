"""When contracts end and roll, against days that the exchange has published, and what is said of it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.expiry import (
    DAY,
    FRIDAY,
    SATURDAY,
    RuleDay,
    _business_day,
    expiry,
    first_notice,
    following,
    roll,
    warnings_about,
)
from bot.trading.orders.instruments import QUARTERLY_MONTHS, QUARTERLY_ROOTS, Contract, parse_dated
from tests.rules.strategies import MODEST, contracts

ES, NEXT = parse_dated("ES 09-26"), parse_dated("ES 12-26")
UNRULED = parse_dated("ZB 09-26")


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        # Third Fridays.
        *(("ES 03-25", "2025-03-21"), ("NQ 06-25", "2025-06-20"), ("RTY 09-25", "2025-09-19"), ("MYM 12-25", "2025-12-19")),
        *(("ES 09-26", "2026-09-18"), ("M2K 12-26", "2026-12-18")),
        # Three business days before the 25th of the month before; the 25th on a weekend, at Christmas, after Thanksgiving.
        *(("CL 12-24", "2024-11-20"), ("CL 07-24", "2024-06-20"), ("CL 02-25", "2025-01-21"), ("CL 03-24", "2024-02-20")),
        *(("CL 01-25", "2024-12-19"), ("CL 01-24", "2023-12-19"), ("CL 12-22", "2022-11-21"), ("CL 03-25", "2025-02-20")),
        *(("MCL 02-25", "2025-01-17"), ("MCL 12-24", "2024-11-19")),
        # Third last business days.
        *(("GC 02-09", "2009-02-25"), ("GC 04-09", "2009-04-28"), ("GC 06-09", "2009-06-26"), ("GC 08-09", "2009-08-27")),
        *(("GC 10-09", "2009-10-28"), ("GC 12-09", "2009-12-29"), ("GC 12-24", "2024-12-27"), ("MGC 12-24", "2024-12-27")),
    ],
)
def test_a_contract_ends_on_the_day_that_the_exchange_published(name: str, ends: str) -> None:
    end = expiry(parse_dated(name))
    assert end is not None
    assert end.on == date.fromisoformat(ends)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ES 09-26", "on 2026-09-18"),
        # Juneteenth is kept on the third Friday of June 2026, and on the day before it, a Saturday, in 2027.
        ("ES 06-26", "about 2026-06-18"),
        ("ES 06-27", "about 2027-06-17"),
        # Good Friday.
        ("ES 03-08", "about 2008-03-20"),
        ("CL 12-26", "about 2026-11-20"),
        ("GC 12-26", "about 2026-12-29"),
    ],
)
def test_a_day_that_a_holiday_may_move_is_told_as_about(name: str, told: str) -> None:
    assert str(expiry(parse_dated(name))) == told


@pytest.mark.parametrize(
    ("day", "is_kept"),
    [
        *(("2023-01-02", True), ("2022-12-30", False), ("2025-01-20", True), ("2025-02-17", True), ("2025-04-18", True)),
        *(("2026-01-01", True), ("2026-01-02", False)),
        # Good Fridays of the two years in which Easter is a week before its rule, and of one in which it is as late as can be.
        ("2038-04-23", True),
        *(("2049-04-16", True), ("2076-04-17", True), ("2025-05-26", True), ("2021-07-05", True), ("2020-07-03", True)),
        *(("2025-09-01", True), ("2025-11-27", True), ("2025-11-28", False), ("2025-12-25", True), ("2022-12-26", True)),
    ],
)
def test_holidays_are_those_of_the_exchange_calendar(day: str, is_kept: bool) -> None:
    on = date.fromisoformat(day)
    assert (_business_day(on) == on) is not is_kept


def test_gold_gives_notice_from_the_last_business_day_of_the_month_before() -> None:
    for name, day in (("GC 12-24", "2024-11-29"), ("MGC 02-25", "2025-01-31"), ("GC 12-26", "2026-11-30")):
        assert first_notice(parse_dated(name)) == RuleDay(date.fromisoformat(day))
    assert first_notice(ES) is None
    assert first_notice(parse_dated("CL 12-26")) is None


@MODEST
@given(contract=contracts)
def test_days_lie_where_they_must(contract: Contract) -> None:
    end, first = expiry(contract), date(contract.year, contract.month, 1)
    if contract.root in QUARTERLY_ROOTS:
        assert end is not None
        rolls = roll(contract)
        assert rolls is not None
        third_friday = rolls + timedelta(days=8)
        assert third_friday.weekday() == FRIDAY
        assert 15 <= third_friday.day <= 21
        assert timedelta() <= third_friday - end.on <= DAY
        assert end.sure is (end.on == third_friday)
    else:
        assert roll(contract) is None
    if contract.root == "CL":
        assert end is not None
        assert 15 <= end.on.day <= 22
        assert end.on < first
    if contract.root == "GC":
        assert end is not None
        assert (end.on.year, end.on.month) == (contract.year, contract.month)
        assert end.on.day >= 24
    if end is not None:
        assert end.on.weekday() < SATURDAY


@MODEST
@given(root=st.sampled_from(sorted(QUARTERLY_ROOTS)), year=st.integers(2000, 2098), month=st.sampled_from(QUARTERLY_MONTHS))
def test_the_next_month_of_an_index_future_is_the_next_quarter(root: str, year: int, month: int) -> None:
    now, after = Contract(root, year, month), following(Contract(root, year, month))
    assert (after.year * 12 + after.month) - (now.year * 12 + now.month) == 3
    assert after.month in QUARTERLY_MONTHS
    assert after.root == root


ROLLED = "ES 09-26 is past its usual roll date, 2026-09-10: "


@pytest.mark.parametrize(
    ("today", "front", "said"),
    [
        ("2026-08-18", ES, []),
        ("2026-08-18", None, []),
        ("2026-09-09", ES, []),
        ("2026-09-10", ES, [ROLLED + "the next month is ES 12-26"]),
        ("2026-09-10", None, [ROLLED + "the next month is ES 12-26"]),
        ("2026-09-10", NEXT, [ROLLED + "the front month is ES 12-26"]),
        ("2026-09-11", NEXT, ["ES 09-26 expires on 2026-09-18, in 7 days", ROLLED + "the front month is ES 12-26"]),
        ("2026-09-17", NEXT, ["ES 09-26 expires on 2026-09-18, tomorrow", ROLLED + "the front month is ES 12-26"]),
        ("2026-09-18", NEXT, ["ES 09-26 expires on 2026-09-18, today", ROLLED + "the front month is ES 12-26"]),
        ("2026-09-19", None, ["ES 09-26 is past by the calendar: it expired on 2026-09-18; the broker may refuse it"]),
        (
            "2026-11-25",
            NEXT,
            [
                "ES 09-26 is past by the calendar: it expired on 2026-09-18; the broker may refuse it",
                "ES 09-26 is not the front month: NinjaTrader's is ES 12-26",
            ],
        ),
    ],
)
def test_an_index_future_is_warned_about_with_its_days_and_the_next_month(
    today: str, front: Contract | None, said: list[str]
) -> None:
    assert list(warnings_about(ES, date.fromisoformat(today), front, leaving=False)) == said
    # Who gets out needs to know its end, and no other month.
    ends = [each for each in said if "expire" in each]
    assert list(warnings_about(ES, date.fromisoformat(today), front, leaving=True)) == ends


@pytest.mark.parametrize(
    ("name", "today", "said"),
    [
        ("ES 12-26", "2026-08-18", ["ES 12-26 is not the front month: NinjaTrader's is ES 09-26"]),
        ("CL 10-26", "2026-09-14", []),
        ("CL 10-26", "2026-09-15", ["CL 10-26 expires about 2026-09-22, in 7 days"]),
        ("CL 10-26", "2026-09-23", ["CL 10-26 is past by the calendar: it expired about 2026-09-22; the broker may refuse it"]),
        ("GC 12-26", "2026-11-22", []),
        ("GC 12-26", "2026-11-23", ["delivery notices for GC 12-26 begin about 2026-11-30"]),
        ("GC 12-26", "2026-11-25", ["delivery notices for GC 12-26 begin about 2026-11-30"]),
        ("GC 12-26", "2026-11-30", ["delivery notices for GC 12-26 began about 2026-11-30"]),
        (
            "GC 12-26",
            "2026-12-28",
            ["GC 12-26 expires about 2026-12-29, tomorrow", "delivery notices for GC 12-26 began about 2026-11-30"],
        ),
        ("GC 12-26", "2026-12-30", ["GC 12-26 is past by the calendar: it expired about 2026-12-29; the broker may refuse it"]),
        # Of what has no rule here, the calendar alone is told.
        ("ZB 09-26", "2026-09-30", []),
        ("ZB 09-26", "2026-10-01", ["ZB 09-26 is past by the calendar; the broker may refuse it"]),
    ],
)
def test_each_product_is_warned_about_by_its_own_rule(name: str, today: str, said: list[str]) -> None:
    contract = parse_dated(name)
    front = ES if contract.root == "ES" else None
    assert list(warnings_about(contract, date.fromisoformat(today), front, leaving=False)) == said


def test_a_root_without_a_rule_goes_by_ninjatraders_front_month() -> None:
    front = parse_dated("ZB 12-26")
    said = "ZB 09-26 is not the front month: NinjaTrader's is ZB 12-26"
    assert list(warnings_about(UNRULED, date(2026, 9, 1), front, leaving=False)) == [said]
    assert list(warnings_about(UNRULED, date(2026, 9, 1), front, leaving=True)) == []
    assert expiry(UNRULED) is None


@MODEST
@given(contract=contracts, front=st.none() | contracts, days=st.integers(-400, 400), leaving=st.booleans())
def test_warnings_are_few_and_short_enough_for_a_card(
    contract: Contract, front: Contract | None, days: int, leaving: bool
) -> None:
    today = date(contract.year, contract.month, 15) + timedelta(days=days)
    said = warnings_about(contract, today, front, leaving=leaving)
    assert len(said) <= 3
    assert all(len(each) < 120 and str(contract) in each for each in said)
