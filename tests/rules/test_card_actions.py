"""Which buttons a sent order's card has, and the price at which nothing is lost."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Order, Position, terms_of
from bot.trading.orders.intents import TRADING_COMMANDS, Cancel, Change, Close, FlatPlace, Intent, PlaceOrder, Reverse
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.planning.card_actions import (
    BUTTONS_LIVE,
    CardAction,
    break_even,
    fitting,
    half,
    is_on_its_side,
    is_too_old,
    moved_to,
    opened_by,
    protects_already,
    stops_of,
)

from .strategies import ES, ES_DECEMBER, MODEST, NOW, SHOWN, TICK, TICKET, on_tick, positions

V = CardAction
BUY = Terms(Side.BUY, 2)


def sent(intent: Intent | None = None, *, after: int = 2, **changes: Any) -> Ticket:
    """An accepted ticket."""
    intent = intent or PlaceOrder("Sim101", ES, BUY, "own1")
    ticket = replace(TICKET, intent=intent, shown=replace(SHOWN, position=0, after=after), state=TicketState.ACCEPTED)
    return replace(ticket, order_ids=("o1",), sent_at=NOW, ended_at=NOW, **changes)


ENTRIES: list[Intent] = [Reverse("Sim101", ES, BUY), PlaceOrder("Sim101", ES, BUY, "own1"), FlatPlace("Sim101", ES, BUY)]
OTHERS: list[Intent] = [
    Close("Sim101", ES, BUY),
    Cancel("Sim101", ES, BUY, "o1"),
    Change("Sim101", ES, BUY, "o1", replace(BUY, quantity=1)),
]


@pytest.mark.parametrize(
    ("state", "filled", "verbs"),
    [
        (None, 0, (V.CANCEL_ORDER,)),
        (OrderState.WORKING, 0, (V.CANCEL_ORDER,)),
        (OrderState.OTHER, 0, (V.CANCEL_ORDER,)),
        (OrderState.PART_FILLED, 1, (V.CANCEL_ORDER, V.CLOSE)),
        (OrderState.CANCEL_PENDING, 1, (V.CANCEL_ORDER, V.CLOSE)),
        (OrderState.FILLED, 2, (V.CLOSE, V.CLOSE_HALF, V.BREAK_EVEN)),
        (OrderState.CANCELLED, 1, (V.CLOSE, V.BREAK_EVEN)),
        (OrderState.CANCELLED, 0, ()),
        (OrderState.REJECTED, 0, ()),
        (OrderState.GONE, 0, ()),
    ],
)
def test_a_sent_order_has_the_buttons_that_fit_its_state(
    state: OrderState | None, filled: int, verbs: tuple[CardAction, ...]
) -> None:
    for intent in ENTRIES:
        assert fitting(sent(intent, order_state=state, filled=filled)) == verbs, intent


@pytest.mark.parametrize("intent", OTHERS, ids=lambda intent: intent.command)
def test_closes_cancels_and_changes_have_none(intent: Intent) -> None:
    for state in (None, *OrderState):
        assert fitting(sent(intent, order_state=state, filled=1)) == (), state


@pytest.mark.parametrize("state", sorted(set(TicketState) - {TicketState.ACCEPTED}))
def test_what_was_not_accepted_has_none(state: TicketState) -> None:
    assert fitting(replace(sent(order_state=OrderState.FILLED, filled=2), state=state)) == ()


def test_an_order_without_an_id_can_not_be_cancelled_by_it() -> None:
    assert fitting(replace(sent(), order_ids=())) == ()


def test_a_retired_card_has_none() -> None:
    assert fitting(sent(order_state=OrderState.FILLED, filled=2, retired_at=NOW)) == ()


@pytest.mark.parametrize(
    ("after", "verbs"), [(0, ()), (-1, ()), (1, (V.CLOSE, V.BREAK_EVEN)), (3, (V.CLOSE, V.CLOSE_HALF, V.BREAK_EVEN))]
)
def test_an_order_that_only_lessened_a_position_has_opened_nothing(after: int, verbs: tuple[CardAction, ...]) -> None:
    assert fitting(sent(after=after, order_state=OrderState.FILLED, filled=2)) == verbs
    assert opened_by(sent(after=after, filled=2)) == after


@pytest.mark.parametrize(("after", "verbs"), [(0, ()), (1, ()), (2, (V.CLOSE,))])
def test_of_an_order_that_fills_in_parts_only_what_it_opened_can_be_closed(after: int, verbs: tuple[CardAction, ...]) -> None:
    assert fitting(sent(after=after, order_state=OrderState.PART_FILLED, filled=1)) == (V.CANCEL_ORDER, *verbs)


def test_what_has_not_filled_is_not_open() -> None:
    assert opened_by(sent(after=2, filled=1)) == 1
    short = replace(BUY, side=Side.SELL)
    assert opened_by(sent(Reverse("Sim101", ES, short), after=-2, filled=2)) == 2


@pytest.mark.parametrize(("held", "own"), [(1, True), (0, False), (-1, False)])
def test_only_a_position_on_the_orders_side_can_be_its(held: int, own: bool) -> None:
    assert is_on_its_side(sent(), held) is own


def test_buttons_live_for_some_hours_after_the_end() -> None:
    over = sent(order_state=OrderState.FILLED, filled=2)
    assert not is_too_old(over, NOW + BUTTONS_LIVE - timedelta(seconds=1))
    assert is_too_old(over, NOW + BUTTONS_LIVE)
    assert not is_too_old(sent(order_state=OrderState.WORKING), NOW + 9 * BUTTONS_LIVE)
    assert not is_too_old(replace(over, ended_at=None), NOW + BUTTONS_LIVE)


def test_every_verb_stands_for_a_command_that_can_be_granted() -> None:
    assert {verb.command for verb in CardAction} <= TRADING_COMMANDS


@pytest.mark.parametrize(("held", "expected"), [(1, 1), (2, 1), (3, 2), (-3, 2), (-4, 2)])
def test_a_half_is_rounded_up_and_never_more_than_all(held: int, expected: int) -> None:
    assert half(held) == expected


@MODEST
@given(
    held=positions, average=st.decimals(min_value=1, max_value=9000, places=6), tick=st.sampled_from([TICK, Decimal("0.01"), 5])
)
def test_break_even_lies_on_the_tick_and_never_loses(held: int, average: Decimal, tick: Decimal) -> None:
    tick = Decimal(tick)
    price = break_even(Position("Sim101", ES, held, average), tick)
    assert price is not None
    assert price % tick == 0
    assert (price - average) * held >= 0
    assert abs(price - average) < tick


def test_without_an_average_there_is_no_break_even() -> None:
    assert break_even(Position("Sim101", ES, 1), TICK) is None


def stop(**changes: Any) -> Order:
    """A stop that protects a long position."""
    order = Order(("s1",), "Sim101", ES, Side.SELL, OrderType.STOPMARKET, OrderState.ACCEPTED, 2, stop=Decimal(5780))
    return replace(order, **changes)


LONG = Position("Sim101", ES, 2, Decimal(5790))


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"type": OrderType.STOPLIMIT, "limit": Decimal(5779)}, True),
        ({"type": None}, True),
        ({"state": OrderState.OTHER}, True),
        ({"side": Side.BUY}, False),
        ({"contract": ES_DECEMBER}, False),
        ({"type": OrderType.LIMIT, "stop": None, "limit": Decimal(5900)}, False),
        ({"state": OrderState.CANCELLED}, False),
        ({"filled": 2}, False),
    ],
)
def test_a_stop_protects_if_it_works_on_the_closing_side_of_that_contract(change: dict[str, Any], counts: bool) -> None:
    assert len(stops_of(LONG, [stop(**change)])) == counts


@pytest.mark.parametrize(
    ("held", "at", "protected"),
    [
        *((2, "5789.75", False), (2, "5790", True), (2, "5795", True), (1, "5789.75", False), (1, "5795", True)),
        *((-2, "5790.25", False), (-2, "5790", True), (-2, "5785", True)),
    ],
)
def test_a_stop_at_break_even_or_beyond_protects_already(held: int, at: str, protected: bool) -> None:
    assert protects_already(replace(LONG, quantity=held), stop(stop=Decimal(at)), Decimal(5790)) is protected


def test_a_stop_whose_price_is_not_told_is_not_taken_for_a_good_one() -> None:
    assert not protects_already(LONG, stop(stop=None), Decimal(5790))
    assert moved_to(stop(stop=None), Decimal(5790)).stop == Decimal(5790)


@MODEST
@given(old=on_tick, new=on_tick, distance=st.integers(0, 40))
def test_a_stop_limit_keeps_the_distance_of_its_limit(old: Decimal, new: Decimal, distance: int) -> None:
    order = stop(type=OrderType.STOPLIMIT, stop=old, limit=old - distance * TICK)
    terms = moved_to(order, new)
    assert (terms.stop, terms.limit) == (new, new - distance * TICK)
    assert replace(terms, stop=old, limit=order.limit) == terms_of(order)
    assert moved_to(stop(stop=old), new).limit is None
