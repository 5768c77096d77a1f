"""Getting out, step by step: what is cancelled and closed when, each rule by itself and at its very edge."""

from dataclasses import replace

import pytest

from bot.trading.exits.steps import MOST_TRIES, ExitAction
from bot.trading.market.facts import Facts, Order, OtherPosition
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything
from bot.trading.orders.intents import Close
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.rules.exiting import (
    ACCOUNT,
    ALL,
    EVERYTHING,
    JOT,
    ONE,
    PACE,
    REST,
    SHARE,
    THREE,
    TWO,
    UNREAD,
    Clearing,
    Trial,
    beside,
    book,
    close,
)
from tests.rules.strategies import ES, ES_DECEMBER, NQ

BEING_CANCELLED = [OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED]


OPENINGS: dict[str, tuple[Clearing, tuple[Facts, ...], list[ExitAction]]] = {
    "what works goes first": (ACCOUNT, (book(ONE, {ES: 2}, REST),), [CancelOrders(ONE)]),
    "then what is open": (ACCOUNT, (book(ONE, {ES: 2, NQ: -1}),), [FlattenAccount(ONE)]),
    "nothing at all": (ACCOUNT, (book(),), []),
    "orders alone": (ACCOUNT, (book(ONE, {}, REST),), [CancelOrders(ONE)]),
    "finished orders are nothing": (
        ACCOUNT,
        (book(ONE, {ES: 2}, replace(REST, state=OrderState.FILLED)),),
        [FlattenAccount(ONE)],
    ),
    "one contract": (Flatten(Scope((ONE,), ES)), (book(ONE, {ES: 2, NQ: 1}),), [close(ES, 2)]),
    "one contract beside an order in another": (
        Flatten(Scope((ONE,), ES)),
        (book(ONE, {ES: -2}, replace(REST, contract=NQ)),),
        [close(ES, -2)],
    ),
    "one contract with an order": (Flatten(Scope((ONE,), ES)), (book(ONE, {ES: 2}, REST),), [CancelOrders(ONE, ES)]),
    "everything with orders": (EVERYTHING, (book(ONE, {}, REST), book(TWO, {ES: 1}, REST)), [CancelEverything()]),
    "everything with orders in one account": (
        EVERYTHING,
        (book(ONE, {ES: 1}, REST), book(TWO, {ES: 1})),
        [CancelOrders(ONE), FlattenAccount(TWO)],
    ),
    "everything that is clear": (EVERYTHING, (book(ONE, {ES: 1}), book(TWO, {ES: 1})), [FlattenEverything()]),
    "everything, open in one account": (EVERYTHING, (book(ONE, {ES: 1}), book(TWO)), [FlattenAccount(ONE)]),
    "everything, one account unread": (EVERYTHING, (book(ONE, {ES: 1}), UNREAD), [FlattenAccount(ONE)]),
    "everything, one of three accounts unread": (
        Flatten(Scope((ONE, TWO, THREE), everything=True)),
        (book(ONE, {ES: 1}), book(TWO, {ES: 1}), UNREAD),
        [FlattenAccount(ONE), FlattenAccount(TWO)],
    ),
    "several accounts, but not everything": (
        Flatten(Scope((ONE, TWO), left_out=("Apex-1",))),
        (book(ONE, {ES: 1}), book(TWO, {ES: 1})),
        [FlattenAccount(ONE), FlattenAccount(TWO)],
    ),
    "several accounts with orders, but not everything": (
        Flatten(Scope((ONE, TWO), left_out=("Apex-1",))),
        (book(ONE, {}, REST), book(TWO, {}, REST)),
        [CancelOrders(ONE), CancelOrders(TWO)],
    ),
    "positions unread": (ACCOUNT, (replace(book(), positions=None),), []),
    "orders unread": (ACCOUNT, (replace(book(ONE, {ES: 2}), orders=None),), []),
    "long ones": (
        Flatten(Scope((ONE,)), Holding.LONG),
        (book(ONE, {ES: 2, NQ: -1}),),
        [FlattenAccount(ONE, None, Holding.LONG)],
    ),
    "short ones": (
        Flatten(Scope((ONE,)), Holding.SHORT),
        (book(ONE, {ES: 2, NQ: -1}),),
        [FlattenAccount(ONE, None, Holding.SHORT)],
    ),
    "long ones with their orders": (Flatten(Scope((ONE,)), Holding.LONG), (book(ONE, {ES: 2}, REST),), [CancelOrders(ONE)]),
    "long ones beside others' orders": (
        Flatten(Scope((ONE,)), Holding.LONG),
        (book(ONE, {ES: 2, NQ: -1}, replace(REST, contract=NQ)),),
        [close(ES, 2)],
    ),
    "long ones of everything": (
        Flatten(ALL, Holding.LONG),
        (book(ONE, {ES: 2}), book(TWO, {ES: 2})),
        [FlattenAccount(ONE, None, Holding.LONG), FlattenAccount(TWO, None, Holding.LONG)],
    ),
    "no long one": (Flatten(Scope((ONE,)), Holding.LONG), (book(ONE, {NQ: -1}, replace(REST, contract=NQ)),), []),
    "cancelling closes nothing": (CancelWorking(Scope((ONE,))), (book(ONE, {ES: 2}, REST),), [CancelOrders(ONE)]),
    "cancelling a contract": (CancelWorking(Scope((ONE,), ES)), (book(ONE, {ES: 2}, REST),), [CancelOrders(ONE, ES)]),
    "cancelling everything": (CancelWorking(ALL), (book(ONE, {}, REST), book(TWO, {}, REST)), [CancelEverything()]),
    "cancelling where nothing works": (CancelWorking(ALL), (book(ONE, {ES: 1}), book(TWO, {ES: 1})), []),
}


@pytest.mark.parametrize(("mass_action", "books", "calls"), OPENINGS.values(), ids=list(OPENINGS))
def test_the_first_step_follows_from_what_was_read(
    mass_action: Clearing, books: tuple[Facts, ...], calls: list[ExitAction]
) -> None:
    assert Trial(mass_action).reads(*books) == calls


def test_an_order_in_one_contract_holds_up_the_close_of_that_one_alone() -> None:
    trial = Trial(ACCOUNT)
    held = {ES: 2, NQ: 1}
    [cancel] = trial.reads(book(ONE, held, REST))
    trial.sends(cancel)
    assert trial.reads(book(ONE, held, REST), at=1) == [close(NQ, 1)]


def test_a_close_in_one_contract_holds_up_no_other_one() -> None:
    trial = Trial(ACCOUNT)
    held = {ES: 2, NQ: 1}
    trial.reads(book(ONE, held, REST))
    trial.sends(CancelOrders(ONE))
    trial.reads(book(ONE, held, REST), at=1)
    trial.sends(close(NQ, 1))
    assert trial.reads(book(ONE, held), at=1.5) == [close(ES, 2)]


def test_a_cancellation_in_one_account_is_none_in_another() -> None:
    trial = Trial(Flatten(Scope((ONE, TWO), left_out=("Apex-1",))))
    [cancel] = trial.reads(book(ONE, {}, REST), book(TWO))
    trial.sends(cancel)
    assert trial.reads(book(ONE, {}, REST), book(TWO, {}, REST), at=PACE.recancel - JOT) == [CancelOrders(TWO)]


def test_an_account_that_can_not_be_read_holds_up_no_other_one() -> None:
    trial = Trial(EVERYTHING)
    [strike] = trial.reads(book(ONE, {ES: 1}), book(TWO, {ES: 1}))
    trial.sends(strike)
    assert trial.reads(UNREAD, book(TWO, {ES: 1}), at=PACE.poll) == []
    assert trial.reads(UNREAD, book(TWO, {ES: 1}), at=PACE.settle) == [FlattenAccount(TWO)]


@pytest.mark.parametrize("state", [state for state in OrderState if not state.is_done])
def test_whatever_may_still_fill_holds_up_the_close_of_its_contract(state: OrderState) -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 2}, REST))
    trial.sends(CancelOrders(ONE))
    works = book(ONE, {ES: 2}, replace(REST, state=state))
    for at in (1, PACE.recancel, PACE.beside - JOT):
        actions = trial.reads(works, at=at)
        assert not any(isinstance(action, Close | FlattenAccount) for action in actions)
        for action in actions:
            trial.sends(action)
    # It may stay there for ever; that one contract alone, as one call for the account would touch whatever moves there.
    assert trial.reads(works, at=PACE.beside) == [close(ES, 2)]


def test_what_can_not_be_cancelled_is_asked_to_go_three_times_and_closed_beside() -> None:
    trial, at, cancels = Trial(ACCOUNT), 0.0, 0
    deaf = book(ONE, {ES: 2}, REST)
    closed: list[ExitAction] = []
    while at < 60:
        # Put back after each cancel, it has another id and is the same order all the same.
        deaf = book(ONE, {ES: 2}, replace(REST, ids=(f"rest{at}",)))
        for action in trial.reads(deaf, at=at):
            cancels += isinstance(action, CancelOrders)
            closed += [action] if isinstance(action, Close) else []
            trial.sends(action)
        at += PACE.poll
        assert closed or at < PACE.beside + 2 * PACE.poll
    assert cancels == MOST_TRIES
    assert len(closed) <= MOST_TRIES


def test_an_order_of_other_terms_is_asked_to_go_anew() -> None:
    trial = Trial(CancelWorking(Scope((ONE,))))
    for number in range(MOST_TRIES):
        assert trial.reads(book(ONE, {}, REST), at=number * PACE.recancel) == [CancelOrders(ONE)]
        trial.sends(CancelOrders(ONE))
    assert trial.reads(book(ONE, {}, REST), at=50) == []
    assert trial.reads(book(ONE, {}, replace(REST, quantity=2)), at=51) == [CancelOrders(ONE)]


def test_what_just_came_up_is_cancelled_before_anything_is_closed_beside_it() -> None:
    trial = Trial(ACCOUNT)
    late = PACE.beside + 20
    assert trial.reads(book(ONE, {ES: 2}, REST), at=late) == [CancelOrders(ONE)]
    trial.sends(CancelOrders(ONE))
    assert trial.reads(book(ONE, {ES: 2}, REST), at=late + PACE.again - JOT) == []
    assert trial.reads(book(ONE, {ES: 2}, REST), at=late + PACE.again) == [close(ES, 2)]


def test_it_may_still_be_closed_although_that_order_can_not_be_cancelled() -> None:
    trial = Trial(ACCOUNT)
    odd = book(ONE, {ES: 2}, REST)
    assert trial.reads(odd) == [CancelOrders(ONE)]
    trial.sends(CancelOrders(ONE), StepState.REJECTED)
    assert trial.reads(odd, at=PACE.again) == [CancelOrders(ONE)]
    trial.sends(CancelOrders(ONE), StepState.REJECTED)
    assert not trial.gave_up()
    assert trial.reads(odd, at=PACE.beside) == [close(ES, 2)]


def test_while_a_close_is_under_way_elsewhere_each_contract_is_cancelled_by_itself() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 2}))
    trial.sends(FlattenAccount(ONE))
    stray = replace(REST, contract=NQ)
    own = Order(("close",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 2)
    assert trial.reads(book(ONE, {ES: 2}, own, stray, replace(stray, contract=ES_DECEMBER)), at=1) == [
        CancelOrders(ONE, ES_DECEMBER),
        CancelOrders(ONE, NQ),
    ]


def test_once_that_close_is_over_one_call_does_for_the_account() -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {ES: 2}))
    trial.sends(FlattenAccount(ONE))
    trial.reads(book(), at=1)
    assert trial.reads(book(ONE, {}, replace(REST, contract=NQ)), at=5) == [CancelOrders(ONE)]


def test_everything_is_cancelled_at_once_only_as_the_first_strike() -> None:
    trial = Trial(EVERYTHING)
    orders = (book(ONE, {}, REST), book(TWO, {}, REST))
    [strike] = trial.reads(*orders)
    trial.sends(strike)
    assert trial.reads(*orders, at=PACE.recancel) == [CancelOrders(ONE), CancelOrders(TWO)]


def test_everything_is_not_cancelled_at_once_while_a_close_is_under_way() -> None:
    trial = Trial(EVERYTHING)
    [strike] = trial.reads(book(ONE, {ES: 1}), book(TWO, {ES: 1}))
    trial.sends(strike)
    stray = replace(REST, contract=NQ)
    orders = (book(ONE, {ES: 1}, stray), book(TWO, {ES: 1}, stray))
    assert trial.reads(*orders, at=1) == [CancelOrders(ONE, NQ), CancelOrders(TWO, NQ)]


def test_everything_is_closed_at_once_only_where_nothing_moves() -> None:
    stray = replace(REST, contract=NQ, state=OrderState.CANCEL_PENDING)
    # In a contract where nothing is open: it may fill in the moment before the call.
    trial = Trial(EVERYTHING)
    assert trial.reads(book(ONE, {ES: 1}, stray), book(TWO, {ES: 1})) == [CancelOrders(ONE), FlattenAccount(TWO)]
    trial.sends(CancelOrders(ONE))
    assert trial.reads(book(ONE, {ES: 1}, stray), book(TWO), at=1) == [close(ES, 1)]


@pytest.mark.parametrize(
    ("state", "wait"),
    [
        (StepState.ACCEPTED, PACE.recancel),
        (StepState.UNKNOWN, PACE.recancel),
        (StepState.REJECTED, PACE.again),
        (StepState.NOT_SENT, PACE.again),
    ],
)
def test_orders_that_still_work_are_cancelled_once_more_after_a_while(state: StepState, wait: float) -> None:
    trial = Trial(ACCOUNT)
    works = book(ONE, {}, REST)
    [first] = trial.reads(works)
    trial.sends(first, state)
    assert trial.reads(works, at=wait - JOT) == []
    assert trial.reads(works, at=wait) == [CancelOrders(ONE)]


@pytest.mark.parametrize("state", BEING_CANCELLED)
def test_what_is_being_cancelled_is_left_to_it(state: OrderState) -> None:
    trial = Trial(ACCOUNT)
    trial.reads(book(ONE, {}, REST))
    trial.sends(CancelOrders(ONE))
    going = replace(REST, state=state)
    assert trial.reads(book(ONE, {}, going), at=60) == []
    assert trial.reads(book(ONE, {}, going, REST), at=61) == [CancelOrders(ONE)]


def test_a_cancellation_has_nothing_to_close() -> None:
    trial = Trial(CancelWorking(Scope((ONE,))))
    trial.reads(book(ONE, {ES: 2}, REST))
    trial.sends(CancelOrders(ONE))
    assert not trial.gave_up()
    for number in range(MOST_TRIES):
        trial.reads(book(ONE, {ES: 2}, REST), at=10 + number)
        trial.sends(CancelOrders(ONE), StepState.REJECTED)
    assert trial.gave_up()


def test_orders_of_a_long_position_that_is_gone_are_cancelled_all_the_same() -> None:
    """Its stop has filled; the target that is left would open a short one."""
    trial = Trial(Flatten(Scope((ONE,)), Holding.LONG))
    [first] = trial.reads(book(ONE, {ES: 2}, REST))
    trial.sends(first, StepState.REJECTED)
    assert trial.reads(book(ONE, {}, REST), at=PACE.again) == [CancelOrders(ONE)]


def test_orders_of_what_has_turned_to_the_other_side_are_left_alone() -> None:
    trial = Trial(Flatten(Scope((ONE,)), Holding.LONG))
    [first] = trial.reads(book(ONE, {ES: 2}, REST))
    trial.sends(first)
    assert trial.reads(book(ONE, {ES: -1}, replace(REST, side=Side.BUY)), at=60) == []


def test_an_account_s_call_waits_for_a_close_that_it_would_cancel() -> None:
    """That call goes over all of the account's orders, a close of ours among them."""
    trial = Trial(ACCOUNT)
    closing = Order(("out",), ONE, ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 1)
    assert trial.reads(beside(book(ONE, {ES: 1}, closing), SHARE), at=0) == []
    assert trial.reads(beside(book(), SHARE), at=1) == [CancelOrders(ONE)]


def test_a_position_that_is_no_future_goes_before_orders_of_such() -> None:
    trial = Trial(ACCOUNT)
    held = replace(beside(book(), SHARE), positions=None, others=(OtherPosition(ONE, "AAPL", "Stock", 100),))
    trial.reads(held, at=0)
    assert trial.reads(held, at=1) == [FlattenAccount(ONE)]
    trial.exits.sending(FlattenAccount(ONE), trial.books, trial.now)
    trial.exits.sent(FlattenAccount(ONE), StepState.ACCEPTED, trial.books, trial.now)
    assert trial.reads(beside(book(), SHARE), at=40) == [CancelOrders(ONE)]
