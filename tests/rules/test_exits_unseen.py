"""Getting out unseen: what goes where the lists can't be read, and that it goes once."""

from dataclasses import replace

import pytest

from bot.trading.exits.steps import ExitAction
from bot.trading.market.facts import Facts
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.progress import StepState
from tests.rules.exiting import ACCOUNT, ALL, EVERYTHING, ONE, PACE, REST, TWO, UNREAD, Clearing, Trial, book
from tests.rules.strategies import ES


def unread(part: str) -> Facts:
    whole = book(ONE, {ES: 2}, REST)
    return UNREAD if part == "both" else replace(whole, positions=None) if part == "positions" else replace(whole, orders=None)


@pytest.mark.parametrize("part", ["positions", "orders", "both"])
@pytest.mark.parametrize(
    ("mass_action", "call"),
    [
        (ACCOUNT, FlattenAccount(ONE)),
        (Flatten(Scope((ONE,), ES)), FlattenAccount(ONE, ES)),
        (Flatten(Scope((ONE,)), Holding.LONG), FlattenAccount(ONE, None, Holding.LONG)),
    ],
    ids=["account", "contract", "one side"],
)
def test_after_two_looks_that_could_not_read_the_one_call_goes_out_once_and_nothing_in_front_of_it(
    mass_action: Clearing, call: ExitAction, part: str
) -> None:
    trial = Trial(mass_action)
    assert trial.reads(unread(part)) == []
    assert trial.reads(unread(part), at=PACE.poll) == [call]
    trial.sends(call)
    assert all(trial.reads(unread(part), at=at) == [] for at in (1, 5, 50))
    assert trial.exits.went_unseen() == {ONE}


@pytest.mark.parametrize(
    ("mass_action", "call"),
    [
        (CancelWorking(Scope((ONE,))), CancelOrders(ONE)),
        (CancelWorking(Scope((ONE,), ES)), CancelOrders(ONE, ES)),
    ],
)
def test_orders_that_can_not_be_read_are_cancelled_unseen(mass_action: Clearing, call: ExitAction) -> None:
    trial = Trial(mass_action)
    assert trial.reads(unread("orders")) == []
    assert trial.reads(unread("orders"), at=PACE.poll) == [call]
    trial.sends(call)
    assert trial.reads(unread("orders"), at=50) == []
    assert trial.reads(book(ONE, {ES: 2}, REST), at=51) == [call]


@pytest.mark.parametrize(("mass_action", "call"), [(EVERYTHING, FlattenEverything()), (CancelWorking(ALL), CancelEverything())])
def test_where_nothing_at_all_can_be_read_everything_goes_with_one_call(mass_action: Clearing, call: ExitAction) -> None:
    trial = Trial(mass_action)
    trial.reads(UNREAD, UNREAD)
    assert trial.reads(UNREAD, UNREAD, at=1) == [call]
    trial.sends(call)
    assert trial.reads(UNREAD, UNREAD, at=50) == []


def test_of_one_side_nothing_goes_over_everything_unseen_as_that_would_close_the_other_too() -> None:
    trial = Trial(Flatten(ALL, Holding.LONG))
    trial.reads(UNREAD, UNREAD)
    assert trial.reads(UNREAD, UNREAD, at=1) == [FlattenAccount(name, None, Holding.LONG) for name in (ONE, TWO)]


def test_one_account_that_can_not_be_read_keeps_nobody_from_the_others() -> None:
    trial = Trial(EVERYTHING)
    assert trial.reads(book(ONE, {ES: 1}), UNREAD) == [FlattenAccount(ONE)]
    trial.sends(FlattenAccount(ONE))
    assert trial.reads(book(), UNREAD, at=1) == [FlattenAccount(TWO)]


def test_one_look_that_could_not_read_is_enough_once_the_time_is_over() -> None:
    trial = Trial(ACCOUNT)
    assert trial.reads(UNREAD, at=PACE.unseen) == [FlattenAccount(ONE)]


def test_nothing_goes_out_unseen_beside_a_close_of_somebody_else_or_of_our_own() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(UNREAD)
    assert trial.reads(UNREAD, at=1, held_up=frozenset({(ONE, None)})) == []
    [own] = trial.reads(book(ONE, {ES: 1}), at=2)
    trial.sends(own)
    assert [trial.reads(UNREAD, at=at) for at in (3, 4, 50)] == [[], [], []]


def test_an_unseen_call_that_was_refused_is_not_made_again_beside_a_close_that_was_sent_since() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(UNREAD)
    [blind] = trial.reads(UNREAD, at=1)
    trial.sends(blind, StepState.REJECTED)
    [own] = trial.reads(book(ONE, {ES: 1}), at=3)
    decided_on = trial.books
    trial.exits.sending(own, decided_on, trial.now)
    assert [trial.reads(UNREAD, at=at) for at in (4, 6, 50)] == [[], [], []]
    trial.exits.sent(own, StepState.NOT_SENT, decided_on, trial.now)
    assert trial.reads(UNREAD, at=52) == [FlattenAccount(ONE)]


def test_a_call_that_went_out_unseen_counts_until_it_may_be_seen() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(UNREAD)
    [blind] = trial.reads(UNREAD, at=1)
    trial.sends(blind)
    still = book(ONE, {ES: 2})
    assert trial.reads(still, at=2) == []
    assert trial.reads(still, at=PACE.settle) == []
    assert trial.reads(still, at=PACE.settle + 1) == [FlattenAccount(ONE)]
