"""Where what became of each intent shows."""

from decimal import Decimal

import pytest

from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Scope
from bot.trading.orders.terms import Side, Terms
from tests.rules.strategies import ES

TERMS = Terms(Side.SELL, 1)
WHERE = ("Sim101", ES, TERMS)
SHOWS: list[tuple[Intent, str]] = [
    (Reverse(*WHERE), "order"),
    (VerifiedReverse(*WHERE, "own"), "order"),
    (Invert(*WHERE), "order"),
    (PlaceOrder(*WHERE, "own"), "order"),
    (FlatPlace(*WHERE), "order"),
    (Cancel(*WHERE, "o1"), "order"),
    (Change(*WHERE, "o1", TERMS), "order"),
    (Replace(*WHERE, "o1", TERMS), "order"),
    (Close(*WHERE), "position"),
    # A bracket shows in two orders, and a mass action in lists.
    (Bracket(*WHERE, Decimal(5900)), ""),
    (Flatten(Scope(("Sim101",))), ""),
    (CancelWorking(Scope(("Sim101",))), ""),
]


@pytest.mark.parametrize(("intent", "where"), SHOWS, ids=[type(intent).__name__ for intent, _ in SHOWS])
def test_what_became_of_it_shows_in_one_order_or_in_the_position(intent: Intent, where: str) -> None:
    assert (intent.shows_in_order, intent.shows_in_position) == (where == "order", where == "position")
