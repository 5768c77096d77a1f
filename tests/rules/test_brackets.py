"""The two orders of a bracket are found by what they are."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.trading.market.brackets import Results, legs, results
from bot.trading.market.facts import Order
from bot.trading.orders.intents import Bracket
from bot.trading.orders.protection import Part
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.orders.tickets import Preview
from tests.rules.strategies import ES, NQ, ORDER, SHOWN

BRACKET = Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal("5790.00")), Decimal("5820.00"))
STOP = replace(ORDER, ids=("s1", "s2"), type=OrderType.STOPMARKET, stop=Decimal("5790.00"), quantity=2)
TARGET = replace(ORDER, ids=("t1",), type=OrderType.LIMIT, limit=Decimal("5820.00"), quantity=2)


STOP_ALONE = replace(BRACKET, target=None)
TARGET_ALONE = replace(BRACKET, terms=Terms(Side.SELL, 2, OrderType.LIMIT, limit=Decimal("5820.00")), target=None)


def test_both_are_found_and_the_stop_comes_first() -> None:
    found = legs(BRACKET, (TARGET, STOP))
    assert (found.by_part, found.are_found) == ({Part.STOP: (STOP,), Part.TARGET: (TARGET,)}, True)
    assert found.orders == (STOP, TARGET)


@pytest.mark.parametrize(("bracket", "order"), [(STOP_ALONE, STOP), (TARGET_ALONE, TARGET)])
def test_one_alone_is_all_that_was_asked_for(bracket: Bracket, order: Order) -> None:
    found = legs(bracket, (TARGET, STOP))
    assert (found.orders, found.are_found) == ((order,), True)


@pytest.mark.parametrize("orders", [(), (STOP,), (TARGET,), (STOP, STOP)])
def test_one_of_them_alone_is_not_both(orders: tuple[Order, ...]) -> None:
    assert not legs(BRACKET, orders).are_found


def test_where_the_position_was_smaller_they_have_its_size() -> None:
    assert legs(BRACKET, (replace(STOP, quantity=1), replace(TARGET, quantity=1))).are_found


@pytest.mark.parametrize(
    "other",
    [
        replace(STOP, contract=NQ),
        replace(STOP, side=Side.BUY),
        replace(STOP, quantity=3),
        replace(STOP, stop=Decimal("5790.25")),
        replace(STOP, type=OrderType.STOPLIMIT),
        replace(TARGET, limit=Decimal("5820.25")),
        replace(TARGET, type=OrderType.MARKET),
    ],
)
def test_what_is_not_of_its_shape_is_none_of_it(other: Order) -> None:
    assert legs(BRACKET, (other,)).orders == ()


HELD = replace(SHOWN, average_price=Decimal("5800.50"), tick_size=Decimal("0.25"), tick_value=Decimal("12.50"))
SHORT = replace(BRACKET, terms=replace(BRACKET.terms, side=Side.BUY, stop=Decimal("5811.00")), target=Decimal("5790.00"))


@pytest.mark.parametrize(
    ("intent", "average", "target", "stop"),
    [
        (BRACKET, "5800.50", "1950", "-1050"),
        (SHORT, "5800.50", "1050", "-1050"),
        (replace(BRACKET, terms=replace(BRACKET.terms, quantity=1)), "5800.50", "975", "-525"),
        # A stop that was drawn behind the average price wins too, and a target before it loses.
        (BRACKET, "5780.00", "4000", "1000"),
        (BRACKET, "5830.00", "-1000", "-4000"),
        # An average of several fills lies between the ticks.
        (BRACKET, "5800.125", "1987.50", "-1012.50"),
    ],
)
def test_what_each_of_them_comes_to_is_counted_from_the_average_price(
    intent: Bracket, average: str, target: str, stop: str
) -> None:
    assert results(intent, replace(HELD, average_price=Decimal(average))) == Results(Decimal(target), Decimal(stop))


@pytest.mark.parametrize(
    "facts", [replace(HELD, average_price=None), replace(HELD, tick_size=None), replace(HELD, tick_value=None)]
)
def test_without_a_fact_it_comes_to_nothing_that_could_be_said(facts: Preview) -> None:
    assert results(BRACKET, facts) == Results(None, None)


def test_shorthand_that_is_not_worked_out_yet_costs_only_its_own_amount() -> None:
    assert results(replace(BRACKET, target=None), HELD) == Results(None, Decimal(-1050))
    assert results(replace(BRACKET, terms=replace(BRACKET.terms, stop=None)), HELD) == Results(Decimal(1950), None)


@pytest.mark.parametrize("odd", ["NaN", "sNaN", "Infinity", "1E+999999"])
def test_numbers_that_no_market_quotes_come_to_nothing(odd: str) -> None:
    assert results(BRACKET, replace(HELD, average_price=Decimal(odd), tick_value=Decimal("1E+999999"))) == Results(None, None)
    assert results(BRACKET, replace(HELD, tick_size=Decimal(0))) == Results(None, None)
