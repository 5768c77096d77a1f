"""Getting out, step by step: what is closed when, that nothing is closed twice, and that no way out is cancelled by ourselves.

First the rules one by one, each at its very edge. Then any story that hypothesis can think of: whatever fills, fails, gets lost
or comes late, the three rules hold; and where a broker keeps its promises no position is ever turned over.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.trading.exits.steps import MOST_TRIES, USUAL_PACE, ExitAction, Exits, Held, Market
from bot.trading.market.facts import Facts, Order, OtherOrder, OtherPosition, Position
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close, closing_terms
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.rules.strategies import ES, ES_DECEMBER, NOW, NQ

ONE, TWO, THREE = "Sim101", "Sim102", "Sim103"
ALL = Scope((ONE, TWO), everything=True)
ACCOUNT = Flatten(Scope((ONE,)))
EVERYTHING = Flatten(ALL)
PACE = USUAL_PACE
JOT = 0.001
# How long CrossTrade's own close may wait for flat, in seconds.
VENDOR_WAITS = 5.0
BEING_CANCELLED = [OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED]
REST = Order(("rest",), ONE, ES, Side.SELL, OrderType.LIMIT, OrderState.WORKING, 1)


def book(name: str = ONE, held: Mapping[Contract, int] | None = None, *orders: Order) -> Facts:
    """An account as read."""
    positions = tuple(Position(name, contract, quantity) for contract, quantity in (held or {}).items())
    return Facts(None, positions, tuple(replace(order, account=name) for order in orders), None)


UNREAD = Facts(None, None, None, None)
SHARE = OtherOrder(ONE, "AAPL", "Stock", "Buy", 100, OrderState.WORKING, "share1")


Clearing = Flatten | CancelWorking


@dataclass
class Trial:
    """A sweep under way, and the time."""

    sweep: Clearing
    seconds: float = 0.0
    exits: Exits = field(init=False)
    books: dict[str, Facts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.exits = Exits(self.sweep, PACE, NOW)

    @property
    def now(self) -> datetime:
        """The time of the newest reading."""
        return NOW + timedelta(seconds=self.seconds)

    def reads(self, *books: Facts, at: float | None = None, held_up: frozenset[Held] = frozenset()) -> list[ExitAction]:
        """The calls that follow from a reading, one book for each account."""
        self.seconds = self.seconds if at is None else at
        self.books = dict(zip(self.sweep.scope.accounts, books, strict=True))
        self.exits.read(self.books, self.now)
        return self.exits.next_actions(self.books, self.now, held_up)

    def sends(self, action: ExitAction, state: StepState = StepState.ACCEPTED) -> None:
        """A call and its end."""
        self.exits.sending(action, self.books, self.now)
        self.exits.sent(action, state, self.books, self.now)

    def gave_up(self) -> bool:
        """Whether nothing more can be tried."""
        return self.exits.gave_up(self.books)


def close(contract: Contract, quantity: int, name: str = ONE) -> Close:
    return Close(name, contract, closing_terms(quantity, None, None))


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


@pytest.mark.parametrize(("sweep", "books", "calls"), OPENINGS.values(), ids=list(OPENINGS))
def test_the_first_step_follows_from_what_was_read(sweep: Clearing, books: tuple[Facts, ...], calls: list[ExitAction]) -> None:
    assert Trial(sweep).reads(*books) == calls


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


def unread(part: str) -> Facts:
    whole = book(ONE, {ES: 2}, REST)
    return UNREAD if part == "both" else replace(whole, positions=None) if part == "positions" else replace(whole, orders=None)


@pytest.mark.parametrize("part", ["positions", "orders", "both"])
@pytest.mark.parametrize(
    ("sweep", "call"),
    [
        (ACCOUNT, FlattenAccount(ONE)),
        (Flatten(Scope((ONE,), ES)), FlattenAccount(ONE, ES)),
        (Flatten(Scope((ONE,)), Holding.LONG), FlattenAccount(ONE, None, Holding.LONG)),
    ],
    ids=["account", "contract", "one side"],
)
def test_after_two_looks_that_could_not_read_the_one_call_goes_out_once_and_nothing_in_front_of_it(
    sweep: Clearing, call: ExitAction, part: str
) -> None:
    trial = Trial(sweep)
    assert trial.reads(unread(part)) == []
    assert trial.reads(unread(part), at=PACE.poll) == [call]
    trial.sends(call)
    assert all(trial.reads(unread(part), at=at) == [] for at in (1, 5, 50))
    assert trial.exits.went_unseen() == {ONE}


@pytest.mark.parametrize(
    ("sweep", "call"),
    [
        (CancelWorking(Scope((ONE,))), CancelOrders(ONE)),
        (CancelWorking(Scope((ONE,), ES)), CancelOrders(ONE, ES)),
    ],
)
def test_orders_that_can_not_be_read_are_cancelled_unseen(sweep: Clearing, call: ExitAction) -> None:
    trial = Trial(sweep)
    assert trial.reads(unread("orders")) == []
    assert trial.reads(unread("orders"), at=PACE.poll) == [call]
    trial.sends(call)
    assert trial.reads(unread("orders"), at=50) == []
    assert trial.reads(book(ONE, {ES: 2}, REST), at=51) == [call]


@pytest.mark.parametrize(("sweep", "call"), [(EVERYTHING, FlattenEverything()), (CancelWorking(ALL), CancelEverything())])
def test_where_nothing_at_all_can_be_read_everything_goes_with_one_call(sweep: Clearing, call: ExitAction) -> None:
    trial = Trial(sweep)
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


# After that many seconds a close of that end may be followed by another one, if nothing of it has been seen at all.
AGAIN = {
    StepState.ACCEPTED: PACE.settle,
    StepState.UNKNOWN: PACE.grace,
    StepState.REJECTED: PACE.again,
    StepState.NOT_SENT: PACE.again,
}


@pytest.mark.parametrize("state", AGAIN)
@pytest.mark.parametrize("sweep", [ACCOUNT, Flatten(Scope((ONE,), ES))], ids=["account", "contract"])
def test_a_position_is_closed_once_more_only_when_the_last_close_is_proved_over(sweep: Clearing, state: StepState) -> None:
    trial = Trial(sweep)
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


# Any story.

CONTRACTS = (ES, NQ)
NAMES = (ONE, TWO, THREE)
SWEEPS: list[Clearing] = [
    Flatten(Scope((ONE,))),
    Flatten(Scope((ONE,), ES)),
    Flatten(Scope((ONE, TWO), left_out=(THREE,))),
    Flatten(Scope(NAMES, everything=True)),
    Flatten(Scope((ONE,)), Holding.LONG),
    Flatten(Scope(NAMES, everything=True), Holding.SHORT),
    CancelWorking(Scope(NAMES, everything=True)),
    CancelWorking(Scope((ONE,), NQ)),
]
STEPS = st.sampled_from([PACE.poll, PACE.poll, 1.0, 2.0, 3.0, 8.0, 30.0])
order_states = st.sampled_from(
    [
        OrderState.WORKING,
        OrderState.WORKING,
        OrderState.SUBMITTED,
        OrderState.CANCEL_PENDING,
        OrderState.OTHER,
        OrderState.CANCELLED,
    ]
)
any_order = st.builds(
    Order,
    st.just(("x",)),
    st.just(ONE),
    st.sampled_from(CONTRACTS),
    st.sampled_from(Side),
    st.sampled_from([OrderType.LIMIT, OrderType.MARKET, None]),
    order_states,
    st.integers(1, 3),
)
any_holding = st.dictionaries(st.sampled_from(CONTRACTS), st.integers(-3, 3))


@st.composite
def any_book(draw: st.DrawFn, name: str) -> Facts:
    read = book(name, draw(any_holding), *draw(st.lists(any_order, max_size=2)))
    lost = draw(st.sampled_from([None, None, None, "positions", "orders"]))
    if lost is None:
        return read
    return replace(read, positions=None) if lost == "positions" else replace(read, orders=None)


def closes_of(action: ExitAction, trial: Trial) -> list[Market]:
    """What a call closes, by the newest reading; written out once more."""
    match action:
        case Close():
            return [(action.account, action.contract)]
        case FlattenAccount():
            reach, only = {action.account}, action.only
        case FlattenEverything():
            reach, only = set(trial.books), None
        case _:
            return []
    return [
        (name, p.contract)
        for name in reach
        for p in trial.books[name].positions or ()
        # What goes out unseen is not about a position that was read.
        if trial.books[name].orders is not None
        if p.quantity and (only is None or (p.quantity > 0) == (only is Holding.LONG))
    ]


def cancels(action: ExitAction, market: Market) -> bool:
    if isinstance(action, CancelOrders):
        return action.account == market[0] and action.contract in {None, market[1]}
    return isinstance(action, CancelEverything)


def held_there(trial: "Trial", market: Market) -> int:
    """What is open there, signed."""
    position = trial.books[market[0]].position(market[1])
    return position.quantity if position else 0


@dataclass
class Closed:
    """What is known of the last close of a contract, kept apart from the code that is tested."""

    state: StepState
    at: float
    held: int
    clear_since: float | None = None

    def may_be(self, order: Order) -> bool:
        """Whether an order that works may be this close; one whose type isn't told may be any."""
        return order.type in {None, OrderType.MARKET} and order.side.sign * self.held < 0

    def is_proved_over(self, now: float) -> bool:
        if self.state in {StepState.REJECTED, StepState.NOT_SENT}:
            return now - self.at >= PACE.again - JOT / 10
        if self.clear_since is None:
            return False
        since, clear = now - self.at + JOT / 10, now - self.clear_since + JOT / 10
        if self.state is StepState.UNKNOWN:
            return since >= PACE.grace and clear >= PACE.between
        return since >= PACE.settle and clear >= PACE.poll


def works_in(facts: Facts, contract: Contract) -> list[Order]:
    """What may still fill there."""
    return [o for o in facts.orders or () if not o.state.is_done and o.quantity > o.filled and o.contract == contract]


def is_close(order: Order, held: int) -> bool:
    """Whether it closes what is held, as soon as the market lets it."""
    return order.type is OrderType.MARKET and order.side.sign * held < 0


def check(
    action: ExitAction, trial: Trial, closed: dict[Market, Closed], held_up: frozenset[Market], sent: list[ExitAction]
) -> None:
    """All that may be asked of one call."""
    sweep = trial.sweep
    # An order of a close that is listed as over proves it over.
    done = [(name, o) for name, facts in trial.books.items() for o in facts.orders or () if o.state.is_done]
    seen_over = {(name, order.contract) for name, order in done if order.type is OrderType.MARKET}
    late = trial.seconds >= PACE.beside - JOT and any(isinstance(each, CancelOrders | CancelEverything) for each in sent)
    assert not isinstance(action, CloseStrategy)
    if isinstance(action, CancelEverything | FlattenEverything):
        assert sweep.scope.everything
        assert type(action) not in map(type, sent)
    else:
        assert action.account in sweep.scope.accounts
        assert sweep.scope.contract in {None, action.contract}
    if isinstance(action, CancelEverything):
        assert sent == []
    if isinstance(action, FlattenEverything | FlattenAccount):
        reach = [action.account] if isinstance(action, FlattenAccount) else list(trial.books)
        is_read = [trial.books[name].positions is not None and trial.books[name].orders is not None for name in reach]
        # Unseen, where nothing of it could be read, and once.
        assert all(is_read) or not any(is_read)
        assert not (all(is_read) and any(works_in(trial.books[name], contract) for name in reach for contract in CONTRACTS))
        assert not any(name in reach for name, _ in held_up)
    for market in closes_of(action, trial):
        name, contract = market
        facts = trial.books[name]
        assert isinstance(sweep, Flatten)
        assert facts.orders is not None
        position = facts.position(contract)
        assert position is not None
        closing = [order for order in works_in(facts, contract) if is_close(order, position.quantity)]
        assert late or works_in(facts, contract) == closing, "closed beside something that may fill"
        assert market in seen_over or market not in closed or closed[market].is_proved_over(trial.seconds), "closed twice"
        assert market not in held_up
        assert sweep.only is None or sweep.only.is_of(position.quantity)
        if isinstance(action, Close):
            left = abs(position.quantity) - sum(order.quantity - order.filled for order in closing)
            assert action.terms == closing_terms(position.quantity, left, None)
            assert action.is_whole is (not closing)
    for market, last in closed.items():
        # One that was refused, or never left, is under way nowhere.
        did_nothing = last.state in {StepState.REJECTED, StepState.NOT_SENT}
        if cancels(action, market) and not did_nothing and not last.is_proved_over(trial.seconds):
            # Only what may fill beside it is worth that.
            position = trial.books[market[0]].position(market[1])
            works = works_in(trial.books[market[0]], market[1])
            held = position.quantity if position else 0
            beside = [order for order in works if not is_close(order, held)]
            too_many = sum(order.quantity - order.filled for order in works if is_close(order, held)) > abs(held)
            # One that is listed as over is under way no more.
            over = any(last.may_be(o) and o.state.is_done for o in trial.books[market[0]].orders or () if o.contract == market[1])
            assert beside or too_many or not held or over, "a close under way would be cancelled"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), sweep=st.sampled_from(SWEEPS))
def test_whatever_happens_nothing_is_closed_beside_what_may_fill_nor_twice_nor_cancelled_by_ourselves(
    data: st.DataObject, sweep: Clearing
) -> None:
    trial = Trial(sweep)
    closed: dict[Market, Closed] = {}
    sent: list[ExitAction] = []
    for _ in range(data.draw(st.integers(1, 8))):
        books = [data.draw(any_book(name)) for name in sweep.scope.accounts]
        held_up = data.draw(st.just(frozenset[Market]()) | st.just(frozenset({(ONE, ES)})))
        now = trial.seconds + data.draw(STEPS)
        for (name, contract), last in closed.items():
            facts = dict(zip(sweep.scope.accounts, books, strict=True))[name]
            if facts.positions is not None and facts.orders is not None:
                works = any(last.may_be(order) for order in works_in(facts, contract))
                last.clear_since = None if works else last.clear_since or now
        actions = trial.reads(*books, at=now, held_up=held_up)
        before = list(sent)
        assert len(actions) == len(set(map(repr, actions)))
        for action in actions:
            check(action, trial, closed, held_up, before)
        for action in actions:
            state = data.draw(st.sampled_from(list(AGAIN)))
            trial.sends(action, state)
            sent.append(action)
            closed |= {market: Closed(state, trial.seconds, held_there(trial, market)) for market in closes_of(action, trial)}
        markets = [market for action in actions for market in closes_of(action, trial)]
        assert len(markets) == len(set(markets)), "closed twice in one step"


# A broker that keeps its promises.


@dataclass
class Coming:
    """A market order on its way: when it arrives at NinjaTrader, is listed, and fills."""

    market: Market
    quantity: int
    arrives: float
    listed: float
    fills: float


@dataclass
class Street:
    """Positions, working orders, and closes that take their time."""

    held: dict[Market, int]
    orders: dict[str, Order]
    coming: list[Coming] = field(default_factory=list)
    cancelling: dict[str, float] = field(default_factory=dict)
    turned: list[Market] = field(default_factory=list)

    def go_on(self, now: float) -> None:
        """Let happen what is due."""
        for order_id in [each for each, at in self.cancelling.items() if at <= now]:
            self.orders.pop(order_id, None)
            del self.cancelling[order_id]
        for close_ in sorted(self.coming, key=lambda each: each.fills):
            if close_.fills <= now:
                before = self.held.get(close_.market, 0)
                self.held[close_.market] = before + close_.quantity
                if self.held[close_.market] * before < 0 or not before:
                    self.turned.append(close_.market)
                self.coming.remove(close_)

    def read(self, name: str, now: float) -> Facts:
        own = [
            Order(
                ("close",),
                name,
                each.market[1],
                Side.BUY if each.quantity > 0 else Side.SELL,
                OrderType.MARKET,
                OrderState.WORKING,
                abs(each.quantity),
            )
            for each in self.coming
            if each.market[0] == name and each.listed <= now
        ]
        theirs = [order for order in self.orders.values() if order.account == name]
        held = {contract: quantity for (account, contract), quantity in self.held.items() if account == name and quantity}
        return book(name, held, *theirs, *own)


@st.composite
def delays(draw: st.DrawFn, longest: float) -> tuple[float, float]:
    """When a close that arrives is listed, and when it fills after that."""
    listed = draw(st.sampled_from([0.0, 0.1, longest / 2, longest - 0.1]))
    return listed, listed + draw(st.sampled_from([0.0, 0.3, 2.0, 12.0, 40.0]))


def take(street: Street, action: ExitAction, trial: Trial, data: st.DataObject) -> StepState:
    """Let the street act on a call, in one of the ways in which that may go."""
    state = data.draw(st.sampled_from(list(AGAIN)))
    done = state is StepState.ACCEPTED or (state is StepState.UNKNOWN and data.draw(st.booleans()))
    if not done:
        return state
    now = trial.seconds
    if isinstance(action, CancelOrders | CancelEverything):
        for order_id, order in street.orders.items():
            if cancels(action, (order.account, order.contract)):
                street.cancelling[order_id] = now + data.draw(st.sampled_from([0.0, 0.5, 5.0]))
        # It reaches what is listed, an own close too.
        street.coming = [each for each in street.coming if each.listed > now or not cancels(action, each.market)]
        return state
    for market in closes_of(action, trial):
        listed, fills = data.draw(delays(PACE.settle if state is StepState.ACCEPTED else PACE.grace))
        street.coming.append(Coming(market, -street.held[market], now, now + listed, now + fills))
    return state


@settings(max_examples=60, deadline=None)
@given(data=st.data(), only=st.sampled_from([None, *Holding]))
def test_where_a_close_shows_up_within_its_time_no_position_is_ever_turned_over_and_all_get_flat(
    data: st.DataObject, only: Holding | None
) -> None:
    held = {(name, contract): data.draw(st.integers(-3, 3)) for name in NAMES for contract in CONTRACTS}
    orders = {
        f"o{number}": replace(order, ids=(f"o{number}",), account=name, type=OrderType.LIMIT, state=OrderState.WORKING)
        for number, (name, order) in enumerate(data.draw(st.lists(st.tuples(st.sampled_from(NAMES), any_order), max_size=4)))
    }
    street, trial = Street({m: q for m, q in held.items() if q}, orders), Trial(Flatten(Scope(NAMES, everything=True), only))
    tries: Counter[Market] = Counter()
    for _ in range(400):
        street.go_on(trial.seconds)
        actions = trial.reads(*(street.read(name, trial.seconds) for name in NAMES))
        tries.update(market for action in actions for market in closes_of(action, trial))
        for action in actions:
            trial.sends(action, take(street, action, trial, data) if len(street.coming) < 12 else StepState.NOT_SENT)
        wanted = [q for q in street.held.values() if q and (only is None or only.is_of(q))]
        if not wanted and not street.coming:
            break
        trial.seconds += data.draw(STEPS) if actions else PACE.poll * 5
        if trial.gave_up():
            break
    assert street.turned == []
    left = [market for market, q in street.held.items() if q and (only is None or only.is_of(q))]
    assert trial.gave_up() or all(tries[market] >= MOST_TRIES for market in left)


# What is no future.


def beside(facts: Facts, *orders: OtherOrder) -> Facts:
    """An account in which orders of what is no future work."""
    return replace(facts, other_orders=orders)


@pytest.mark.parametrize("sweep", [ACCOUNT, CancelWorking(Scope((ONE,)))])
def test_orders_of_what_is_no_future_are_cancelled_three_times_and_then_given_up(sweep: Clearing) -> None:
    trial = Trial(sweep)
    made = []
    for at in range(0, 40, 4):
        actions = trial.reads(beside(book(), SHARE), at=at)
        made += actions
        for action in actions:
            trial.exits.sending(action, trial.books, trial.now)
            trial.exits.sent(action, StepState.REJECTED, trial.books, trial.now)
    assert made == [CancelOrders(ONE)] * MOST_TRIES
    assert trial.exits.gave_up(trial.books)


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
