"""Closes that are under way: whoever sent them they count, and another one goes only when the last is proved over."""

from dataclasses import replace

import pytest

from bot.trading.market.facts import Order
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.intents import Close, closing_terms
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.rules.exiting import ACCOUNT, AGAIN, EVERYTHING, JOT, ONE, PACE, REST, TWO, Clearing, Trial, book, close
from tests.rules.strategies import ES, NQ


def test_what_closes_already_counts_whoever_sent_it_and_the_next_close_covers_the_rest() -> None:
    theirs = Order(("x",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 2)
    assert Trial(ACCOUNT).reads(book(ONE, {ES: 2}, theirs)) == []
    trial = Trial(ACCOUNT)
    assert trial.reads(book(ONE, {ES: 3}, theirs)) == [Close(ONE, ES, closing_terms(3, 1, None), 1)]
    for at in (1, 50, 5000):
        assert Trial(ACCOUNT).reads(book(ONE, {ES: 2}, theirs), at=at) == []


def test_what_closes_more_than_is_open_is_cancelled() -> None:
    theirs = Order(("x",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 3)
    assert Trial(ACCOUNT).reads(book(ONE, {ES: 2}, theirs)) == [CancelOrders(ONE, ES)]


def test_two_closes_that_were_rejected_alike_are_enough() -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2})
    refused: list[Order] = []
    for number in range(2):
        at = number * 3.0
        [call] = trial.reads(book(ONE, {ES: 2}, *refused), at=at)
        trial.sends(call)
        refused.append(Order((f"c{number}",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.REJECTED, 2))
        trial.reads(book(ONE, {ES: 2}, *refused), at=at + 1)
        assert [order.id for _, order in trial.exits.rejections(trial.books)] == [f"c{number}"]
        assert trial.exits.rejections(trial.books) == []
        assert not trial.gave_up()
        trial.exits.refused((ONE, ES), "locked")
    assert trial.exits.barred() == {(ONE, ES): "locked"}
    assert trial.reads(still, at=60) == []
    assert trial.gave_up()


def test_somebody_elses_rejected_close_is_none_of_a_call_that_did_nothing() -> None:
    trial = Trial(ACCOUNT)
    [call] = trial.reads(book(ONE, {ES: 2}))
    trial.sends(call, StepState.REJECTED)
    theirs = Order(("theirs",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.REJECTED, 2)
    trial.reads(book(ONE, {ES: 2}, theirs), at=0.5)
    assert trial.exits.rejections(trial.books) == []


def test_a_close_that_filled_is_not_made_anew_while_the_position_list_lags() -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2})
    trial.reads(still)
    trial.sends(FlattenAccount(ONE))
    own = Order(("close",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.FILLED, 2, 2)
    assert trial.reads(book(ONE, {ES: 2}, own), at=5) == []
    assert trial.reads(book(ONE, {ES: 2}, own), at=5 + PACE.settle - JOT) == []
    assert not trial.exits.is_settled(trial.books, trial.now)


def test_flat_with_a_close_on_its_way_is_not_settled() -> None:
    """An order that could not be cancelled has closed the position: the close that went out beside it may still come."""
    trial = Trial(ACCOUNT)
    works = book(ONE, {ES: 2}, REST)
    trial.reads(works)
    trial.sends(CancelOrders(ONE))
    trial.reads(works, at=PACE.recancel)
    trial.sends(CancelOrders(ONE))
    [beside] = trial.reads(works, at=PACE.beside)
    trial.sends(beside)
    gone = book(ONE, {}, replace(REST, state=OrderState.FILLED, filled=1))
    trial.reads(gone, at=6)
    assert not trial.exits.is_settled(trial.books, trial.now)
    trial.reads(gone, at=6 + PACE.settle)
    assert trial.exits.is_settled(trial.books, trial.now)


def test_what_somebody_else_may_be_closing_is_left_to_them() -> None:
    held = {ES: 2, NQ: 1}
    assert Trial(ACCOUNT).reads(book(ONE, held), held_up=frozenset({(ONE, ES)})) == [close(NQ, 1)]
    assert Trial(ACCOUNT).reads(book(ONE, {NQ: 1}), held_up=frozenset({(ONE, ES)})) == [close(NQ, 1)]
    assert Trial(ACCOUNT).reads(book(ONE, held), held_up=frozenset({(TWO, ES)})) == [FlattenAccount(ONE)]
    both = (book(ONE, {ES: 1}), book(TWO, {ES: 1}))
    assert Trial(EVERYTHING).reads(*both, held_up=frozenset({(ONE, NQ)})) == [close(ES, 1), FlattenAccount(TWO)]


@pytest.mark.parametrize("state", AGAIN)
@pytest.mark.parametrize("mass_action", [ACCOUNT, Flatten(Scope((ONE,), ES))], ids=["account", "contract"])
def test_a_position_is_closed_once_more_only_when_the_last_close_is_proved_over(mass_action: Clearing, state: StepState) -> None:
    trial = Trial(mass_action)
    still = book(ONE, {ES: 2})
    [first] = trial.reads(still)
    trial.sends(first, state)
    # Read at the interval of the desk, nothing of it is ever seen.
    at = PACE.poll
    while at < AGAIN[state] - JOT:
        assert trial.reads(still, at=at) == []
        at += PACE.poll
    assert trial.reads(still, at=AGAIN[state] - JOT) == []
    assert len(trial.reads(still, at=AGAIN[state])) == 1


@pytest.mark.parametrize(
    ("state", "clear"),
    [(StepState.ACCEPTED, PACE.poll), (StepState.UNKNOWN, PACE.between)],
)
def test_nothing_of_a_close_must_have_been_seen_for_some_time(state: StepState, clear: float) -> None:
    """However long ago it was sent: a closing order that was still seen a moment ago may just have filled."""
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2})
    its_order = Order(("close",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 2)
    trial.reads(still)
    trial.sends(FlattenAccount(ONE), state)
    assert trial.reads(still, at=1) == []
    late = PACE.grace + 20
    assert trial.reads(book(ONE, {ES: 2}, its_order), at=late) == []
    assert trial.reads(still, at=late + 1) == []
    assert trial.reads(still, at=late + 1 + clear - JOT) == []
    assert trial.reads(still, at=late + 1 + clear) == [FlattenAccount(ONE)]


@pytest.mark.parametrize("state", [StepState.ACCEPTED, StepState.UNKNOWN])
@pytest.mark.parametrize("part", ["positions", "orders"])
def test_a_reading_that_failed_proves_nothing_of_a_close(state: StepState, part: str) -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2})
    trial.reads(still)
    trial.sends(FlattenAccount(ONE), state)
    failed = replace(still, positions=None) if part == "positions" else replace(still, orders=None)
    for at in (10, 100, 1000):
        assert trial.reads(failed, at=at) == []
    assert trial.reads(still, at=1001) == []


def test_the_wait_counts_from_the_last_close_and_not_from_the_first() -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2})
    trial.reads(still)
    trial.sends(FlattenAccount(ONE))
    trial.reads(still, at=0.4)
    [again] = trial.reads(still, at=PACE.settle)
    trial.sends(again)
    trial.reads(still, at=PACE.settle + 0.4)
    assert trial.reads(still, at=PACE.settle * 2 - JOT) == []
    assert len(trial.reads(still, at=PACE.settle * 2)) == 1


def test_a_part_that_filled_is_not_closed_anew_while_the_rest_is_under_way() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 3}))
    trial.sends(FlattenAccount(ONE))
    part = Order(("close",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.PART_FILLED, 3, 1)
    for at in (1, 5, 50):
        assert trial.reads(book(ONE, {ES: 2}, part), at=at) == []


@pytest.mark.parametrize("state", [OrderState.SUBMITTED, OrderState.WORKING, OrderState.PART_FILLED])
def test_an_own_close_is_never_cancelled(state: OrderState) -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 2}))
    trial.sends(FlattenAccount(ONE))
    own = Order(("close",), ONE, ES, Side.SELL, OrderType.MARKET, state, 2)
    assert trial.reads(book(ONE, {ES: 2}, own), at=1) == []


NOT_OURS = {
    "a limit order": Order(("x",), ONE, ES, Side.SELL, OrderType.LIMIT, OrderState.WORKING, 2),
    "on the side that adds": Order(("x",), ONE, ES, Side.BUY, OrderType.MARKET, OrderState.WORKING, 2),
    "of unread type": Order(("x",), ONE, ES, Side.SELL, None, OrderState.WORKING, 2),
}


@pytest.mark.parametrize("stray", NOT_OURS.values(), ids=list(NOT_OURS))
def test_an_order_that_is_no_own_close_is_cancelled(stray: Order) -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 2}))
    trial.sends(FlattenAccount(ONE))
    assert trial.reads(book(ONE, {ES: 2}, stray), at=1) == [CancelOrders(ONE, ES)]


def test_a_market_order_that_is_left_where_nothing_is_open_any_more_is_cancelled() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 2}))
    trial.sends(FlattenAccount(ONE))
    own = Order(("close",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 2)
    assert trial.reads(book(ONE, {}, own), at=1) == [CancelOrders(ONE, ES)]
