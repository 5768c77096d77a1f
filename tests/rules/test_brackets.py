"""The two orders of a bracket are found by what they are."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.trading.brackets import legs
from bot.trading.facts import Order
from bot.trading.intents import Bracket
from bot.trading.orders import OrderState, OrderType, Side, Terms
from tests.rules.strategies import ES, NQ, ORDER

BRACKET = Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal("5790.00")), Decimal("5820.00"))
STOP = replace(ORDER, ids=("s1", "s2"), type=OrderType.STOPMARKET, stop=Decimal("5790.00"), quantity=2)
TARGET = replace(ORDER, ids=("t1",), type=OrderType.LIMIT, limit=Decimal("5820.00"), quantity=2)


def test_both_are_there_and_the_stop_is_named_first() -> None:
    found = legs(BRACKET, (TARGET, STOP))
    assert (found.stops, found.targets, found.are_there) == ((STOP,), (TARGET,), True)
    assert found.ids == ("s1", "s2", "t1")
    assert found.rejected is None


@pytest.mark.parametrize("orders", [(), (STOP,), (TARGET,), (STOP, STOP)])
def test_one_of_them_alone_is_not_both(orders: tuple[Order, ...]) -> None:
    assert not legs(BRACKET, orders).are_there


@pytest.mark.parametrize(
    "other",
    [
        replace(STOP, contract=NQ),
        replace(STOP, side=Side.BUY),
        replace(STOP, quantity=1),
        replace(STOP, stop=Decimal("5790.25")),
        replace(STOP, type=OrderType.STOPLIMIT),
        replace(TARGET, limit=Decimal("5820.25")),
        replace(TARGET, type=OrderType.MARKET),
    ],
)
def test_what_is_not_of_its_shape_is_none_of_it(other: Order) -> None:
    assert legs(BRACKET, (other,)).ids == ()


@pytest.mark.parametrize(
    ("stop", "target", "rejected"),
    [
        (OrderState.WORKING, OrderState.WORKING, None),
        (OrderState.FILLED, OrderState.CANCELLED, None),
        (OrderState.REJECTED, OrderState.WORKING, "stop"),
        (OrderState.WORKING, OrderState.REJECTED, "target"),
        # Without its stop a position is in more danger than without its target.
        (OrderState.REJECTED, OrderState.REJECTED, "stop"),
    ],
)
def test_which_of_them_was_rejected_is_said(stop: OrderState, target: OrderState, rejected: str | None) -> None:
    assert legs(BRACKET, (replace(TARGET, state=target), replace(STOP, state=stop))).rejected == rejected
