"""Pushed prices: fresh when they are known to have changed just now, and otherwise nobody's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.crosstrade.board import DAY_HOLDS, LEARNT_HOLDS, MOST, TICK_HOLDS, Board
from bot.crosstrade.pushes import Tick
from bot.trading.market.facts import Day, Quote
from bot.trading.orders.instruments import Contract

from .intents import ES

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
READ = Quote(
    ES, Decimal("0.25"), Decimal(50), Decimal(5799), Decimal(5801), Decimal(5800), NOON - timedelta(seconds=3), market_open=True
)


def later(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def tick(last: str = "5800.00", volume: int = 1000, contract: Contract = ES) -> Tick:
    """A row."""
    price = Decimal(last)
    return Tick(contract, price, price - Decimal("0.25"), price + Decimal("0.25"), Decimal(volume))


def board(*rows: tuple[float, Tick], read: Quote | None = READ) -> Board:
    """A board that has read a quote at noon and got these rows at these seconds."""
    made = Board()
    if read is not None:
        made.learn(read, NOON)
    for seconds, one in rows:
        made.take(one, later(seconds))
    return made


def test_a_row_that_changed_is_a_quote_of_that_moment_with_what_was_learnt() -> None:
    shown = board((0, tick()), (1, tick("5800.50"))).quote(ES, later(1.5))
    assert shown == Quote(
        ES, Decimal("0.25"), Decimal(50), Decimal("5800.25"), Decimal("5800.75"), Decimal("5800.50"), later(1), market_open=True
    )


@pytest.mark.parametrize("change", ["last", "bid", "ask", "volume"])
def test_any_change_counts(change: str) -> None:
    changed = replace(tick(), **{change: Decimal(5790)})  # type: ignore[arg-type]  # a row's own prices
    shown = board((0, tick()), (1, changed)).quote(ES, later(1))
    assert shown is not None
    assert shown.at == later(1)


def test_repeats_keep_the_time_of_the_change_until_it_is_too_old() -> None:
    made = board((0, tick()), (1, tick("5801")), (2, tick("5801")), (3, tick("5801")))
    shown = made.quote(ES, later(1) + TICK_HOLDS)
    assert shown is not None
    assert shown.at == later(1)
    assert made.quote(ES, later(1) + TICK_HOLDS + TICK) is None


def test_how_old_the_first_row_is_nobody_knows() -> None:
    assert board((1, tick())).quote(ES, later(1)) is None


def test_nor_of_the_first_after_a_silence() -> None:
    rows = [(0, tick()), (1, tick("5801")), (3.1, tick("5802"))]
    assert board(*rows).quote(ES, later(3.1)) is None
    shown = board(*rows, (4, tick("5803"))).quote(ES, later(4))
    assert shown is not None
    assert shown.last == 5803


def test_a_contract_that_was_never_read_has_no_quote() -> None:
    rows = [(0, tick()), (1, tick("5801"))]
    assert board(*rows, read=None).quote(ES, later(1)) is None
    assert board().quote(ES, NOON) is None


def test_a_closed_market_is_asked_about_as_a_row_can_not_say_that_it_opened() -> None:
    assert board((0, tick()), (1, tick("5801")), read=replace(READ, market_open=False)).quote(ES, later(1)) is None
    shown = board((0, tick()), (1, tick("5801")), read=replace(READ, market_open=None)).quote(ES, later(1))
    assert shown is not None
    assert shown.market_open is None


def test_that_the_market_is_open_is_believed_for_a_minute_only() -> None:
    made = board()
    for second in range(70):
        made.take(tick(volume=second), later(second))
    whole = LEARNT_HOLDS.total_seconds()
    made.take(tick(volume=100), later(69.5))
    assert made.quote(ES, later(69.5)) is None
    made.learn(READ, later(69.6))
    made.take(tick(volume=101), later(70))
    assert made.quote(ES, later(70)) is not None
    assert whole == 60


def test_an_older_price_is_not_shown_after_a_newer_one() -> None:
    made = board((0, tick()), (1, tick("5801")))
    made.learn(READ, later(1.5))
    assert made.quote(ES, later(1.5)) is None
    made.take(tick("5802"), later(2))
    assert made.quote(ES, later(2)) is not None


@pytest.mark.parametrize("gone", ["last", "bid", "ask"])
def test_a_row_without_a_price_is_no_quote(gone: str) -> None:
    empty = replace(tick("5801"), **{gone: None})  # type: ignore[arg-type]  # a row's own prices
    assert board((0, tick()), (1, empty)).quote(ES, later(1)) is None


def test_after_a_disconnect_nothing_is_used() -> None:
    made = board((0, tick()), (1, tick("5801")))
    made.take_days({"Sim101": Day(Decimal(1), Decimal(2), later(1))}, later(1))
    made.clear()
    assert made.quote(ES, later(1)) is None
    assert made.day("Sim101", later(1)) is None
    made.take(tick("5802"), later(1.5))
    assert made.quote(ES, later(1.5)) is None
    made.take(tick("5803"), later(2))
    assert made.quote(ES, later(2)) is not None


def test_a_clock_that_is_put_back_makes_nothing_fresh() -> None:
    made = board((0, tick()), (1, tick("5801")))
    assert made.quote(ES, later(-1000)) is None


def test_results_are_found_in_any_case_while_they_are_fresh() -> None:
    made = Board()
    made.take_days({"Sim101": Day(Decimal(1), Decimal(2), NOON)}, NOON)
    made.take_days({"Sim102": Day(Decimal(3), Decimal(4), later(4))}, later(4))
    day = made.day("sIM101", NOON + DAY_HOLDS)
    assert day is not None
    assert day.realised == 1
    assert made.day("Sim101", NOON + DAY_HOLDS + TICK) is None
    assert made.day("Sim102", NOON + DAY_HOLDS + TICK) is not None
    made.take_days({}, later(60))
    assert made._days == {}


def test_memory_has_bounds() -> None:
    made = board()
    for year in range(2027, 2027 + 2 * MOST):
        contract = Contract("ES", year, 9)
        made.learn(replace(READ, contract=contract), NOON)
        made.take(tick(contract=contract), NOON)
    assert len(made._learnt) == len(made._rows) == MOST
