"""Closing one ATM strategy: what is its own, what to warn of, the one call, and what stands in its way."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.trading.exits import rules
from bot.trading.exits.leftover import left_of, order_words, working_in
from bot.trading.exits.strategies import StrategyExit, seen, to_close, warning
from bot.trading.exits.timings import USUAL_PACE
from bot.trading.market.facts import Facts, Order, Position, Strategy
from bot.trading.orders.broker_calls import CloseStrategy
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close, FlatPlace, Intent, Invert, PlaceOrder, Reverse, VerifiedReverse
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Scope, target_of
from bot.trading.orders.progress import ExitRow, StepState
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import DenialCode, Policy
from bot.trading.risk.underway import stands_in_the_way
from tests.rules.strategies import ES, NOTHING_SENT, NOW, NQ, TICKET
from tests.rules.test_mass_actions import book

ONE = "Sim101"
POLICY = Policy(grants=())
TERMS = Terms(Side.SELL, 1)
RUNNING = Strategy("334", ONE, "Scalp", "Scalp - 334", None, 2)
STOP = Order(("s1",), ONE, ES, Side.SELL, OrderType.STOPMARKET, OrderState.ACCEPTED, 2, owner="334")
TARGET = replace(STOP, ids=("t1",), type=OrderType.LIMIT, state=OrderState.WORKING)
OTHERS = replace(TARGET, ids=("x1",), owner="335")
NOBODYS = replace(TARGET, ids=("x2",), owner=None)
CLOSE = FlattenStrategy(Scope((ONE,), ES), "334", "Scalp - 334")


def facts(held: int = 2, *orders: Order, running: tuple[Strategy, ...] | None = (RUNNING,), **parts: Any) -> Facts:
    """An account with a strategy, as read."""
    return replace(book(ONE, {ES: held}, *orders), running=running, **parts)


@pytest.mark.parametrize("name", [(), (ONE, "Sim102")])
def test_a_strategy_is_in_one_account_and_has_a_name(name: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="named"):
        FlattenStrategy(Scope(name or (ONE,)), "" if not name else "334")


@pytest.mark.parametrize(
    ("mass_action", "words"),
    [
        (CLOSE, "Scalp - 334 in Sim101 ES 09-26"),
        (replace(CLOSE, name="Scalp"), "Scalp 334 in Sim101 ES 09-26"),
        (FlattenStrategy(Scope((ONE,)), "334"), "strategy 334 in Sim101"),
        (Flatten(Scope((ONE,))), "Sim101"),
        (Flatten(Scope((ONE, "Sim102"), everything=True)), "everything"),
    ],
)
def test_people_read_what_it_goes_over(mass_action: Flatten | FlattenStrategy, words: str) -> None:
    assert target_of(mass_action) == words


@pytest.mark.parametrize(
    ("row", "orders", "contract"),
    [
        (replace(RUNNING, contract=NQ), (STOP,), NQ),
        (RUNNING, (STOP, TARGET, OTHERS), ES),
        (RUNNING, (OTHERS, NOBODYS), None),
        (RUNNING, (STOP, replace(TARGET, contract=NQ)), None),
    ],
)
def test_its_contract_is_that_of_its_row_or_else_of_its_orders(
    row: Strategy, orders: tuple[Order, ...], contract: Contract | None
) -> None:
    assert to_close(ONE, "334", (replace(row, id="9"), row), orders) == replace(CLOSE, scope=Scope((ONE,), contract))


def test_a_strategy_that_does_not_run_can_not_be_closed() -> None:
    assert to_close(ONE, "334", (replace(RUNNING, id="335"),), (STOP,)) is None


def test_only_what_is_its_own_is_seen() -> None:
    its = seen(CLOSE, facts(5, STOP, TARGET, OTHERS, NOBODYS))
    assert its.positions == (Position(ONE, ES, 2),)
    assert its.orders == (STOP, TARGET)


def test_a_market_order_there_may_be_the_one_that_closes_it() -> None:
    """So that it isn't called closed while that one is on its way."""
    market = replace(NOBODYS, type=OrderType.MARKET)
    assert seen(CLOSE, facts(2, market, replace(market, contract=NQ))).orders == (market,)


@pytest.mark.parametrize(
    ("running", "positions"),
    [
        (None, None),
        ((), ()),
        ((replace(RUNNING, id="335"),), ()),
        ((replace(RUNNING, quantity=0),), ()),
        ((replace(RUNNING, quantity=None),), None),
        ((replace(RUNNING, quantity=-3, contract=NQ),), (Position(ONE, NQ, -3),)),
    ],
)
def test_what_it_holds_is_what_its_row_says(running: tuple[Strategy, ...] | None, positions: tuple[Position, ...] | None) -> None:
    assert seen(CLOSE, facts(running=running)).positions == positions


def test_where_its_contract_is_not_known_what_it_holds_is_not() -> None:
    anywhere = replace(CLOSE, scope=Scope((ONE,)))
    assert seen(anywhere, facts()).positions is None
    assert seen(anywhere, facts(running=())).positions == ()


def test_what_it_holds_is_told_with_what_was_paid_and_its_result() -> None:
    row = replace(RUNNING, average_price=Decimal("5790.50"), unrealised=Decimal("487.50"))
    assert seen(CLOSE, facts(running=(row,))).positions == (Position(ONE, ES, 2, Decimal("5790.50"), Decimal("487.50")),)


def test_orders_that_could_not_be_read_stay_unread() -> None:
    assert seen(CLOSE, facts(orders=None)).orders is None


@pytest.mark.parametrize(
    ("account", "strategy", "after"),
    [(2, 2, None), (5, 2, None), (-2, -2, None), (1, 2, "SHORT 1"), (0, 2, "SHORT 2"), (-1, 2, "SHORT 3"), (-1, -3, "LONG 2")],
)
def test_whoever_would_be_left_with_more_than_a_smaller_position_is_warned(
    account: int, strategy: int, after: str | None
) -> None:
    told = warning(CLOSE, facts(account, running=(replace(RUNNING, quantity=strategy),)))
    assert told is None if after is None else told is not None and told.endswith(f"leaves it {after}")


@pytest.mark.parametrize(
    "unknown", [facts(0, running=None), facts(0, positions=None), facts(0, running=(replace(RUNNING, quantity=0),))]
)
def test_nobody_is_warned_of_what_is_not_known(unknown: Facts) -> None:
    assert warning(CLOSE, unknown) is None


def test_it_is_closed_by_one_call_that_is_never_made_again() -> None:
    exit_, books = StrategyExit(CLOSE, USUAL_PACE), {ONE: facts()}
    exit_.read(books, NOW)
    assert not exit_.gave_up(books)
    [action] = exit_.next_actions(books, NOW)
    assert action == CloseStrategy(ONE, "334")
    exit_.sent(action, StepState.UNKNOWN, books, NOW)
    assert exit_.next_actions(books, NOW + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("state", "seconds", "over"),
    [
        (StepState.ACCEPTED, USUAL_PACE.grace - 1, False),
        (StepState.ACCEPTED, USUAL_PACE.grace, True),
        (StepState.UNKNOWN, USUAL_PACE.grace - 1, False),
        (StepState.UNKNOWN, USUAL_PACE.grace, True),
        (StepState.REJECTED, 0, True),
        (StepState.NOT_SENT, 0, True),
    ],
)
def test_it_waits_as_long_as_something_may_still_come(state: StepState, seconds: float, over: bool) -> None:
    exit_, books = StrategyExit(CLOSE, USUAL_PACE), {ONE: facts()}
    exit_.read(books, NOW)
    exit_.sent(CloseStrategy(ONE, "334"), state, books, NOW)
    exit_.read(books, NOW + timedelta(seconds=seconds))
    assert exit_.gave_up(books) is over


# As a mass action among others.


def under_way(state: TicketState, intent: Intent, **changes: Any) -> Ticket:
    """Another ticket."""
    return replace(TICKET, id="other", state=state, intent=intent, sent_at=NOW, **changes)


def codes(mass_action: Flatten | FlattenStrategy, *others: Ticket, its: Facts | None = None) -> list[DenialCode]:
    """Why not."""
    books = {ONE: seen(CLOSE, facts(2, STOP)) if its is None else its}
    return [denial.code for denial in rules.reasons(mass_action, books, OwnOrders(others))]


def test_its_line_tells_what_is_its_own_and_how_far_it_is() -> None:
    made = rules.lines(CLOSE, {ONE: seen(CLOSE, facts(5, STOP, TARGET, NOBODYS))}, POLICY)
    assert made == (ExitRow(ONE, False, ES, 2, 2),)
    [closed] = rules.followed(CLOSE, made, ONE, seen(CLOSE, facts(3, NOBODYS, running=())))
    assert (closed.now, closed.orders_now, closed.is_done) == (0, 0, True)
    [left] = rules.followed(CLOSE, made, ONE, seen(CLOSE, facts(5, STOP)))
    assert left_of((left,)) == [
        f"“Sim101” ES 09-26: still LONG 2, {order_words(working_in(seen(CLOSE, facts(5, STOP)), ES)[0])} still works"
    ]
    [unread] = rules.followed(CLOSE, made, ONE, seen(CLOSE, facts(running=None)))
    assert not unread.is_done


def test_of_one_in_an_unknown_contract_nothing_is_called_closed_before_it_is_gone() -> None:
    anywhere = replace(CLOSE, scope=Scope((ONE,)))
    made = rules.lines(anywhere, {ONE: seen(anywhere, facts())}, POLICY)
    assert [(line.contract, line.before) for line in made] == [(None, None)]
    assert not any(line.is_done for line in rules.followed(anywhere, made, ONE, seen(anywhere, facts())))
    assert all(line.is_done for line in rules.followed(anywhere, made, ONE, seen(anywhere, facts(running=()))))


def test_one_that_has_ended_is_told_as_such() -> None:
    assert codes(CLOSE, its=seen(CLOSE, facts(running=()))) == [DenialCode.NO_SUCH_STRATEGY]
    assert codes(CLOSE) == []


CLOSERS: list[Intent] = [
    Close(ONE, ES, TERMS),
    Reverse(ONE, ES, TERMS),
    VerifiedReverse(ONE, ES, TERMS, "v"),
    Invert(ONE, ES, TERMS),
    FlatPlace(ONE, ES, TERMS),
]


@pytest.mark.parametrize("state", [TicketState.SENDING, TicketState.UNKNOWN])
def test_it_does_not_begin_while_another_close_may_be_on_its_way(state: TicketState) -> None:
    """Its one call takes no heed of others, and together they could turn the position over."""
    for other in CLOSERS:
        assert codes(CLOSE, under_way(state, other)) == [DenialCode.OUTCOME_UNKNOWN]
    for flatten in (Flatten(Scope((ONE,))), replace(CLOSE, strategy_id="335")):
        expected = DenialCode.FLATTENING if state is TicketState.SENDING else DenialCode.OUTCOME_UNKNOWN
        assert codes(CLOSE, under_way(state, flatten)) == [expected]


def test_it_begins_beside_what_closes_nothing_there() -> None:
    beside: list[Intent] = [
        PlaceOrder(ONE, ES, TERMS, "p"),
        CancelWorking(Scope((ONE,))),
        Close(ONE, NQ, TERMS),
        Flatten(Scope(("Sim102",))),
    ]
    for other in beside:
        assert codes(CLOSE, under_way(TicketState.SENDING, other)) == []
    seen_done = under_way(TicketState.ACCEPTED, Close(ONE, ES, TERMS), order_state=OrderState.FILLED)
    assert codes(CLOSE, seen_done) == []
    assert codes(CLOSE, replace(seen_done, order_state=None)) == [DenialCode.OUTCOME_UNKNOWN]


def test_a_flatten_begins_beside_it_and_waits_by_itself() -> None:
    flatten, other = Flatten(Scope((ONE,))), under_way(TicketState.SENDING, CLOSE)
    assert codes(flatten, other) == []
    mine = replace(TICKET, id="mine", intent=flatten)
    assert rules.closing_elsewhere(mine, OwnOrders((other,))) == [other]
    assert rules.in_flight_elsewhere(mine, OwnOrders((other,))) == [other]


def test_while_it_runs_nothing_opens_and_nothing_else_closes_there() -> None:
    for order in (*CLOSERS, PlaceOrder(ONE, ES, TERMS, "p")):
        assert not isinstance(order, Flatten | FlattenStrategy | CancelWorking)
        assert stands_in_the_way(CLOSE, order)
    assert not stands_in_the_way(CLOSE, Close(ONE, NQ, TERMS))


def test_its_card_says_what_will_be_done_and_its_end_in_its_own_words() -> None:
    assert rules.steps(CLOSE, ()) == (
        "have CrossTrade close what it holds at market, and cancel its orders",
        "read back until the strategy is closed",
    )
    assert rules.undone_words(CLOSE) == "STRATEGY NOT CLOSED"
    assert rules.plan(CLOSE, (), "beware").warnings == ("beware",)
    assert rules.reasons(CLOSE, {ONE: seen(CLOSE, facts(2, STOP))}, NOTHING_SENT) == ()
