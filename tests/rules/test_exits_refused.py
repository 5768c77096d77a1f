"""Calls that are refused: what is tried in their place, how often, and when nothing more can be tried."""

from dataclasses import replace

import pytest

from bot.trading.exits.steps import MOST_TRIES
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.intents import Close
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.progress import StepState
from tests.rules.exiting import (
    ACCOUNT,
    EVERYTHING,
    JOT,
    ONE,
    PACE,
    REST,
    SHARE,
    TWO,
    UNREAD,
    Clearing,
    Trial,
    beside,
    book,
    close,
)
from tests.rules.strategies import ES, NQ

# How long CrossTrade's own close may wait for flat, in seconds.
VENDOR_WAITS = 5.0


@pytest.mark.parametrize("state", [StepState.REJECTED, StepState.NOT_SENT])
def test_what_is_refused_for_everything_is_tried_account_by_account(state: StepState) -> None:
    trial = Trial(EVERYTHING)
    still = (book(ONE, {ES: 1}), book(TWO, {ES: 1}))
    [strike] = trial.reads(*still)
    trial.sends(strike, state)
    assert trial.reads(*still, at=PACE.again - JOT) == []
    names = [action.account for action in trial.reads(*still, at=PACE.again) if isinstance(action, Close | FlattenAccount)]
    assert names == [ONE, TWO]


def test_what_is_refused_for_an_account_is_tried_contract_by_contract() -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2, NQ: -1})
    trial.reads(still)
    trial.sends(FlattenAccount(ONE), StepState.REJECTED)
    assert trial.reads(still, at=PACE.again) == [close(ES, 2), close(NQ, -1)]


def test_calls_that_are_refused_again_and_again_end_it() -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2})
    at = 0.0
    # CrossTrade refuses a close while another one runs, which may take it some seconds.
    for refusals, wait in enumerate((0, PACE.again, 9 * PACE.again)):
        assert not trial.gave_up()
        assert refusals == 0 or trial.reads(still, at=at + wait - JOT) == []
        at += wait
        assert trial.reads(still, at=at)
        trial.sends(close(ES, 2), StepState.REJECTED)
    assert at >= 2 * VENDOR_WAITS
    assert trial.reads(still, at=60) == []
    assert trial.gave_up()


@pytest.mark.parametrize("only", [None, *Holding])
def test_a_position_whose_orders_can_not_be_cancelled_is_closed_all_the_same(only: Holding | None) -> None:
    trial = Trial(Flatten(Scope((ONE,)), only))
    held = -2 if only is Holding.SHORT else 2
    works = book(ONE, {ES: held}, REST)
    for at in (0, PACE.again):
        assert trial.reads(works, at=at) == [CancelOrders(ONE)]
        trial.sends(CancelOrders(ONE), StepState.REJECTED)
    assert trial.reads(works, at=PACE.beside) == [close(ES, held)]
    trial.sends(close(ES, held))
    assert not trial.gave_up()


def test_what_never_left_is_tried_for_as_long_as_there_is_time() -> None:
    trial = Trial(ACCOUNT)
    still = book(ONE, {ES: 2}, replace(REST, contract=NQ))
    for number in range(MOST_TRIES * 3):
        assert CancelOrders(ONE) in trial.reads(still, at=number * PACE.again)
        trial.sends(CancelOrders(ONE), StepState.NOT_SENT)
        assert not trial.gave_up()


def test_as_long_as_one_thing_may_still_work_it_is_not_given_up() -> None:
    trial = Trial(EVERYTHING)
    for number in range(MOST_TRIES):
        trial.reads(book(ONE, {}, REST), book(TWO, {ES: 1}), at=number * 9)
        trial.sends(CancelOrders(ONE), StepState.REJECTED)
    assert not trial.gave_up()
    trial.reads(book(ONE, {}, REST), book(TWO), at=20)
    assert trial.gave_up()
    trial.reads(book(), book(), at=21)
    assert not trial.gave_up()


def test_what_can_not_be_read_is_not_given_up() -> None:
    trial = Trial(ACCOUNT)
    for number in range(MOST_TRIES):
        trial.reads(book(ONE, {}, REST), at=number)
        trial.sends(CancelOrders(ONE), StepState.REJECTED)
    trial.reads(UNREAD, at=20)
    assert not trial.gave_up()


@pytest.mark.parametrize("mass_action", [ACCOUNT, CancelWorking(Scope((ONE,)))])
def test_orders_of_what_is_no_future_are_cancelled_three_times_and_then_given_up(mass_action: Clearing) -> None:
    trial = Trial(mass_action)
    made = []
    for at in range(0, 40, 4):
        actions = trial.reads(beside(book(), SHARE), at=at)
        made += actions
        for action in actions:
            trial.exits.sending(action, trial.books, trial.now)
            trial.exits.sent(action, StepState.REJECTED, trial.books, trial.now)
    assert made == [CancelOrders(ONE)] * MOST_TRIES
    assert trial.exits.gave_up(trial.books)
