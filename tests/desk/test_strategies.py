"""/flatten of one ATM strategy: from the request to what NinjaTrader has, with lost answers, refusals and a process that ends."""

import asyncio
from dataclasses import replace

import pytest

from bot.desk.requests import FlattenRequest, PlaceRequest
from bot.trading.exits.leftover import outcome_of
from bot.trading.market.facts import Strategy
from bot.trading.orders.broker_calls import CloseStrategy
from bot.trading.orders.intents import Close
from bot.trading.orders.mass_actions import FlattenStrategy, Scope
from bot.trading.orders.outcomes import NotSent, Rejected, Unknown
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.planning.suggestions import SoFar, Suggestion
from bot.trading.risk.policy import Grant
from tests.desk.conftest import TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, eventually
from tests.desk.test_interrupted import crash, shows

ASK = FlattenRequest("strategy", "sim101", strategy="334")
CALL = CloseStrategy("Sim101", "334")


@pytest.fixture(autouse=True)
def running(room: Room) -> Strategy:
    """A strategy that holds LONG 2 of the account's LONG 3, with a stop and a target of its own."""
    room.broker.book_positions["Sim101", ES] = 3
    strategy = Strategy("334", "Sim101", "Scalp", "Scalp - 334", None, 2)
    room.broker.shown.strategies = [strategy, Strategy("335", "Sim102", "Swing", None, ES, -1)]
    for _ in range(2):
        room.broker.rest(Side.SELL, 2)
        room.broker.book_orders[-1] = replace(room.broker.book_orders[-1], owner="334")
    room.broker.rest(Side.BUY, 1)
    return strategy


async def done(room: Room) -> Ticket:
    """Ask and confirm; the ticket as it ended."""
    ticket = await room.ticket(ASK)
    await room.confirm(ticket)
    return await room.now(ticket.id)


def untouched(room: Room) -> bool:
    """Tell whether the account has just what wasn't the strategy's."""
    works = [order.side for order in room.broker.book_orders if not order.state.is_done]
    return room.broker.book_positions["Sim101", ES] == 1 and works == [Side.BUY]


async def test_a_strategy_is_closed_and_nothing_beside_it(room: Room) -> None:
    ticket = await room.ticket(ASK)
    assert ticket.intent == FlattenStrategy(Scope(("Sim101",), ES), "334", "Scalp - 334")
    [line] = ticket.progress.rows
    assert (line.before, line.orders_before) == (2, 2)
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert (ended.state, ended.order_state, ended.outcome) == (TicketState.ACCEPTED, OrderState.FILLED, None)
    assert all(line.is_done for line in ended.progress.rows)
    assert [leg.words for leg in ended.progress.steps] == ["close strategy “334” in “Sim101”"]
    assert room.broker.sent == [CALL]
    assert untouched(room)


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_lost_answer_is_read_back_and_never_sent_again(room: Room, carried_out: bool) -> None:
    if carried_out:
        room.broker.losing = {CloseStrategy}
    else:
        room.broker.outcomes = [Unknown("the connection was reset")]
    ended = await done(room)
    assert room.broker.sent == [CALL]
    assert ended.state is TicketState.ACCEPTED
    if carried_out:
        assert (ended.order_state, ended.outcome) == (OrderState.FILLED, None)
        assert untouched(room)
    else:
        assert ended.order_state is OrderState.CANCELLED
        assert (outcome_of(ended) or "").startswith("“Sim101” ES 09-26: still LONG 2, SELL 2 LIMIT (order “rest1”) still works, ")


async def test_a_close_that_takes_its_time_is_waited_for(room: Room) -> None:
    room.broker.dawdling = {CloseStrategy}
    room.clock.plan(12, room.broker.let_go)
    ended = await done(room)
    assert (ended.order_state, room.broker.sent) == (OrderState.FILLED, [CALL])
    assert ended.progress.done_at is not None
    assert ended.sent_at is not None
    assert 12 <= (ended.progress.done_at - ended.sent_at).total_seconds() < 15


@pytest.mark.parametrize("silent", ["strategies", "orders"])
async def test_a_list_that_never_answers_holds_up_no_press_on_a_strategy(room: Room, silent: str) -> None:
    ticket = await room.ticket(ASK)
    room.broker.hanging.add(silent)
    press, pressed = asyncio.ensure_future(room.confirm(ticket)), room.clock.seconds()
    await eventually(lambda: room.broker.sent == [CALL], 30)
    assert room.clock.seconds() - pressed <= 5
    room.broker.hanging.clear()
    await press


@pytest.mark.parametrize(
    ("outcome", "state"), [(Rejected("no such strategy"), TicketState.REJECTED), (NotSent("no connection"), TicketState.NOT_SENT)]
)
async def test_what_was_refused_or_did_not_leave_is_told_and_not_tried_again(
    room: Room, outcome: Rejected | NotSent, state: TicketState
) -> None:
    room.broker.refusing = {CloseStrategy: outcome}
    ended = await done(room)
    assert (ended.state, room.broker.sent) == (state, [CALL])
    assert "no " in (outcome_of(ended) or "")


@pytest.mark.parametrize("is_contract_known", [True, False])
async def test_a_close_that_ninjatrader_rejects_is_told_in_its_words(room: Room, is_contract_known: bool) -> None:
    """Of a strategy whose contract nobody tells, too; its call is made once."""
    if not is_contract_known:
        room.broker.book_orders = [replace(order, owner=None) for order in room.broker.book_orders]
    room.broker.locked = "Account is locked"
    ended = await done(room)
    assert (ended.state, ended.order_state, room.broker.sent) == (TicketState.ACCEPTED, OrderState.CANCELLED, [CALL])
    told = "NinjaTrader rejected the close of ES 09-26 in “Sim101” (“Account is locked”), so nothing more was sent there."
    assert told in (outcome_of(ended) or "")
    [leg] = ended.progress.steps
    assert (leg.state, leg.text) == (StepState.REJECTED, "NinjaTrader rejected its order: “Account is locked”")


async def test_an_order_that_was_rejected_before_is_not_taken_for_the_one_that_closes_it(room: Room) -> None:
    room.broker.book(Close("Sim101", ES, Terms(Side.SELL, 2)), OrderState.REJECTED)
    room.broker.dawdling = {CloseStrategy}
    room.clock.plan(5, room.broker.let_go)
    ended = await done(room)
    assert (ended.order_state, ended.outcome) == (OrderState.FILLED, None)


async def test_one_that_ended_by_itself_before_the_press_is_denied_and_nothing_is_sent(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.carry_out(CALL)
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.DENIED
    assert "NO_SUCH_STRATEGY" in (outcome_of(ended) or "")
    assert room.broker.sent == []


async def test_one_that_ends_just_as_it_is_sent_for_is_closed_all_the_same(room: Room) -> None:
    """CrossTrade refuses what is over already; what was wanted is so."""
    room.broker.refusing = {CloseStrategy: Rejected("not found or already terminal")}
    room.clock.plan(0.1, lambda: room.broker.carry_out(CALL))
    ended = await done(room)
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.FILLED)


@pytest.mark.parametrize("strategy", ["335", "Scalp", "999"])
async def test_an_id_that_does_not_run_in_that_account_gets_one_clear_sentence(room: Room, strategy: str) -> None:
    assert await room.refused(replace(ASK, strategy=strategy)) == ["NO_SUCH_STRATEGY"]


@pytest.mark.parametrize("read", ["strategies", "orders"])
async def test_what_can_not_be_read_of_it_keeps_nobody_from_closing_it(room: Room, read: str) -> None:
    """CrossTrade's list of strategies is on no page of the vendor's, unlike the call that closes one."""
    room.broker.failing = {read}
    ticket = await room.ticket(ASK)
    told = any("nobody can check that this one does" in warning for warning in ticket.shown.warnings)
    assert told is (read == "strategies")
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert room.broker.sent == [CALL]
    # What it came to is never told unread.
    assert (ended.state, ended.order_state is OrderState.FILLED) != (TicketState.ACCEPTED, True)


async def test_one_of_which_nothing_tells_is_closed_although_the_account_looks_flat(room: Room) -> None:
    """What it holds may be made up for by somebody else's contracts."""
    room.broker.book_positions["Sim101", ES] = 0
    room.broker.book_orders.clear()
    room.broker.failing = {"strategies"}
    ticket = await room.ticket(ASK)
    await room.confirm(ticket)
    assert room.broker.sent == [CALL]


async def test_at_the_press_it_goes_even_if_the_list_can_not_be_read(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.failing = {"strategies"}
    room.clock.plan(0.3, room.broker.failing.clear)
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).order_state is OrderState.FILLED
    assert room.broker.sent == [CALL]


async def test_whoever_may_trade_another_instrument_alone_can_not_close_it(room: Room) -> None:
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), ("NQ",), 5),))
    assert await room.refused(ASK) == ["INSTRUMENT_NOT_GRANTED"]
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), ("ES",), 5),))
    assert (await room.ticket(ASK)).intent == FlattenStrategy(Scope(("Sim101",), ES), "334", "Scalp - 334")


async def test_one_in_a_contract_that_nobody_tells_takes_a_grant_for_all_of_them(room: Room) -> None:
    room.broker.book_orders = [replace(order, owner=None) for order in room.broker.book_orders]
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), ("ES",), 5),))
    assert await room.refused(ASK) == ["INSTRUMENT_NOT_GRANTED"]
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), ("*",), 5),))
    ended = await done(room)
    assert (ended.order_state, room.broker.sent) == (OrderState.FILLED, [CALL])


async def test_what_the_account_is_left_with_is_said_before_it_is_sent(room: Room) -> None:
    room.broker.book_positions["Sim101", ES] = 1
    ticket = await room.ticket(ASK)
    [told] = ticket.shown.warnings
    assert told == "the account as a whole is LONG 1 there; closing the strategy's LONG 2 leaves it SHORT 1"


async def test_nothing_new_is_taken_there_while_it_is_being_closed(room: Room) -> None:
    room.broker.gate = asyncio.Event()
    ticket = await room.ticket(ASK)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    assert await room.refused(PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)) == ["FLATTENING"]
    assert await room.refused(ASK) == ["FLATTENING"]
    room.broker.gate.set()
    await press
    room.broker.gate = None
    assert (await room.ticket(PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1))).state is TicketState.OFFERED


async def test_what_a_killed_process_had_sent_is_told_once_it_is_read_and_nothing_more_is_sent(room: Room) -> None:
    async with crash(room, ASK, CloseStrategy) as (ticket, _desk):
        room.broker.carry_out(CALL)
        await eventually(lambda: shows(room, ticket, "Read since: the strategy is closed."))
        assert (await room.now(ticket.id)).order_state is OrderState.FILLED
        assert room.broker.sent == [CALL]


async def test_what_runs_is_offered_by_name_to_those_who_may(room: Room) -> None:
    await room.look_around()
    suggest = room.desk.suggest
    so_far = SoFar("flatten", "Sim101")
    assert await suggest.running(TRADER, so_far, "scal") == [Suggestion("334", "Scalp - 334: LONG 2")]
    assert await suggest.running(TRADER, so_far, "334") == [Suggestion("334", "Scalp - 334: LONG 2")]
    assert await suggest.running(TRADER, so_far, "swing") == []
    assert await suggest.running(TRADER, replace(so_far, account="Sim999"), "") == ()
    room.broker.shown.strategies = [Strategy("7", "Sim102")]
    assert await suggest.running(TRADER, replace(so_far, account="Sim102"), "") == [Suggestion("7", "7")]
    room.rule(grants=())
    assert await suggest.running(TRADER, so_far, "") == ()


async def test_what_can_not_be_read_offers_nothing(room: Room) -> None:
    await room.look_around()
    room.broker.failing = {"strategies"}
    assert await room.desk.suggest.running(TRADER, SoFar("flatten", "Sim101"), "") == []
