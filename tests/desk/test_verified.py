"""The verified reversal: close, read back until flat, only then place; and what is told when that doesn't come about."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import FlattenRequest, ReverseRequest
from bot.trading.exits.timings import USUAL_PACE
from bot.trading.market.facts import Order
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.intents import Close, PlaceOrder, VerifiedReverse
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from tests.desk.conftest import APPROVER, SECOND, Room
from tests.desk.fakes import ES, eventually

ASK = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, mode="verified")


async def reversed_(room: Room, request: ReverseRequest = ASK) -> Ticket:
    """Ask and confirm; the ticket as it ended."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    return await room.now(ticket.id)


async def test_the_new_order_has_an_id_of_the_desks_and_is_placed_only_if_flat(room: Room) -> None:
    ended = await reversed_(room)
    assert isinstance(ended.intent, VerifiedReverse)
    close, entry = room.broker.sent
    assert close == Close("Sim101", ES, Terms(Side.BUY, 2))
    assert entry == PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), ended.intent.client_order_id, frozenset({"flat"}))
    assert (ended.state, ended.order_ids) == (TicketState.ACCEPTED, ("order1", ended.intent.client_order_id))
    assert [(leg.words, leg.state) for leg in ended.progress.steps] == [
        ("close SHORT 2", StepState.ACCEPTED),
        ("place buy 1", StepState.ACCEPTED),
    ]


async def test_its_order_is_followed_to_the_end(running: Room) -> None:
    ended = await reversed_(running)
    await running.until(ended, TicketState.ACCEPTED)
    running.broker.change("order1", OrderState.FILLED, 1)
    await eventually(lambda: running.messenger.shown[ended.id][-1].filled == 1)
    await running.all_told()
    assert any("Filled 1" in notice.text for notice in running.messenger.told)


async def test_it_takes_all_that_a_new_order_takes(room: Room) -> None:
    ended = await reversed_(room, replace(ASK, type=OrderType.LIMIT, limit="5795.25", oco="g", strategy="Two legs"))
    terms = Terms(Side.BUY, 1, OrderType.LIMIT, limit=Decimal("5795.25"), oco="g", strategy="Two legs")
    assert ended.order.terms == terms
    assert isinstance(room.broker.sent[1], PlaceOrder)
    assert room.broker.sent[1].terms == terms


async def test_each_ticket_has_an_id_of_its_own(room: Room) -> None:
    ids = set()
    for _ in range(3):
        ticket = await room.ticket(ASK)
        assert isinstance(ticket.intent, VerifiedReverse)
        ids.add(ticket.intent.client_order_id)
    assert len(ids) == 3


async def test_a_slow_close_is_waited_for(room: Room) -> None:
    room.broker.dawdling.add(Close)
    room.clock.plan(USUAL_PACE.flat_within - 1, room.broker.let_go)
    ended = await reversed_(room)
    assert ended.state is TicketState.ACCEPTED
    assert (room.broker.times[1] - room.broker.times[0]).total_seconds() >= USUAL_PACE.flat_within - 1


async def test_what_does_not_get_flat_is_never_followed_by_the_new_order(running: Room) -> None:
    running.broker.dawdling.add(Close)
    running.clock.plan(USUAL_PACE.flat_within + 1, running.broker.let_go)
    ended = await reversed_(running)
    assert [type(action) for action in running.broker.sent] == [Close]
    assert ended.state is TicketState.NOT_SENT
    assert ended.outcome == (
        "After the close it was not read as flat: still SHORT 2. The new order was not sent. Look at NinjaTrader."
    )
    assert (running.clock() - running.broker.times[0]).total_seconds() >= USUAL_PACE.flat_within
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    [notice] = running.messenger.told
    assert notice.text.startswith("Not closed")
    assert "The new order was not sent" in notice.text
    assert [event.name for event in await running.journal.events(ended.id)][-1] is EventName.NOT_CLOSED


async def test_what_has_turned_over_is_not_flat(room: Room) -> None:
    room.broker.dawdling.add(Close)
    room.clock.plan(1, lambda: room.broker.book_positions.update({("Sim101", ES): 2}))
    ended = await reversed_(room)
    assert len(room.broker.sent) == 1
    assert "now LONG 2" in (ended.outcome or "")


async def test_an_order_that_still_works_there_may_fill_and_so_it_is_not_flat(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)
    room.clock.plan(1, room.broker.let_go)
    resting: list[Order] = []
    room.clock.plan(1, lambda: resting.append(room.broker.rest(Side.BUY, 3)))
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert len(room.broker.sent) == 1
    assert "not read as flat: 1 still working" in (ended.outcome or "")


async def test_a_stop_that_the_close_leaves_behind_is_cancelled_once_and_then_it_goes_on(room: Room) -> None:
    stop = room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)
    room.clock.plan(1, lambda: room.broker.book_positions.update({("Sim101", ES): 0}))
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.ACCEPTED
    assert [type(action) for action in room.broker.sent] == [Close, CancelOrders, PlaceOrder]
    assert room.broker.sent[1] == CancelOrders("Sim101", ES)
    assert room.broker.book_orders[0].ids == stop.ids
    assert room.broker.book_orders[0].state is OrderState.CANCELLED
    assert [leg.words for leg in ended.progress.steps] == ["close SHORT 2", "cancel the orders of ES 09-26", "place buy 1"]


async def test_a_stop_is_left_to_the_position_while_that_is_open(room: Room) -> None:
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)
    await room.confirm(ticket)
    assert [type(action) for action in room.broker.sent] == [Close]
    assert "still SHORT 2" in ((await room.now(ticket.id)).outcome or "")


async def test_an_order_that_can_not_be_cancelled_holds_the_new_one_back(room: Room) -> None:
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)
    room.broker.refusing[CancelOrders] = Rejected("busy")
    room.clock.plan(1, lambda: room.broker.book_positions.update({("Sim101", ES): 0}))
    await room.confirm(ticket)
    assert [type(action) for action in room.broker.sent] == [Close, CancelOrders]
    assert "not read as flat: 1 still working" in ((await room.now(ticket.id)).outcome or "")


async def test_without_a_journal_nothing_is_cancelled_either(room: Room) -> None:
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)

    def later() -> None:
        room.broker.book_positions["Sim101", ES] = 0
        room.disk.failing.add("advance")

    room.clock.plan(1, later)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: room.disk.refused > 0)
    room.disk.failing.clear()
    await press
    assert [type(action) for action in room.broker.sent] == [Close]
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.NOT_SENT
    assert "not read as flat: 1 still working. The journal can't be written: the disk is full." in (ended.outcome or "")


async def test_a_close_whose_answer_was_lost_is_waited_for_longer(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.outcomes.append(Unknown("the connection was reset"))
    room.clock.plan(USUAL_PACE.grace - 1, lambda: room.broker.book_positions.update({("Sim101", ES): 0}))
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED
    assert [type(action) for action in room.broker.sent] == [Close, PlaceOrder]


async def test_it_goes_on_once_that_order_is_gone(room: Room) -> None:
    room.broker.dawdling.add(Close)
    room.clock.plan(1, room.broker.let_go)
    room.clock.plan(1, lambda: room.broker.rest(Side.BUY, 3))
    room.clock.plan(5, lambda: room.broker.change("rest1", OrderState.CANCELLED))
    assert (await reversed_(room)).state is TicketState.ACCEPTED


@pytest.mark.parametrize("read", ["positions", "orders"])
async def test_what_can_not_be_read_is_not_flat(room: Room, read: str) -> None:
    ticket = await room.ticket(ASK)
    room.broker.gate = asyncio.Event()
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    room.broker.failing.add(read)
    room.broker.gate.set()
    await press
    ended = await room.now(ticket.id)
    assert len(room.broker.sent) == 1
    assert "NinjaTrader could not be read" in (ended.outcome or "")


async def test_a_reading_that_fails_in_between_is_tried_again(room: Room) -> None:
    room.broker.dawdling.add(Close)
    room.clock.plan(0.4, lambda: room.broker.failing.add("orders"))
    room.clock.plan(4, room.broker.failing.clear)
    room.clock.plan(2, room.broker.let_go)
    assert (await reversed_(room)).state is TicketState.ACCEPTED


async def test_a_close_whose_answer_was_lost_is_read_back_all_the_same(room: Room) -> None:
    room.broker.losing.add(Close)
    ended = await reversed_(room)
    assert ended.state is TicketState.ACCEPTED
    assert [leg.state for leg in ended.progress.steps] == [StepState.UNKNOWN, StepState.ACCEPTED]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Rejected("No positions found", 400), TicketState.REJECTED), (NotSent("no connection"), TicketState.NOT_SENT)],
)
async def test_a_close_that_was_refused_ends_it_as_if_it_were_one_call(
    running: Room, outcome: Outcome, state: TicketState
) -> None:
    running.broker.outcomes.append(outcome)
    ended = await reversed_(running)
    assert len(running.broker.sent) == 1
    assert ended.state is state
    assert ended.outcome in {"“No positions found”", "“no connection”"}
    assert [leg.text for leg in ended.progress.steps] == [ended.outcome]
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert running.messenger.told[0].text.startswith(f"{state.capitalize()}")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Rejected("Insufficient margin", 400), TicketState.REJECTED), (NotSent("no connection"), TicketState.NOT_SENT)],
)
async def test_an_order_that_was_refused_leaves_the_position_closed_and_that_is_said(
    running: Room, outcome: Outcome, state: TicketState
) -> None:
    running.broker.refusing[PlaceOrder] = outcome
    ended = await reversed_(running)
    assert ended.state is state
    assert (ended.outcome or "").startswith("The position was closed; the new order was not placed: “")
    assert running.broker.book_positions["Sim101", ES] == 0
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert running.messenger.told[0].text.startswith(f"Close sent, new order {state}")


async def test_an_order_whose_answer_was_lost_is_found_by_its_id(running: Room) -> None:
    running.broker.losing.add(PlaceOrder)
    ticket = await running.ticket(ASK)
    assert isinstance(ticket.intent, VerifiedReverse)
    running.broker.ids = ("nt7", ticket.intent.client_order_id)
    await running.confirm(ticket)
    ended = await running.until(ticket, TicketState.ACCEPTED)
    assert TicketState.UNKNOWN in running.messenger.states(ended.id)
    assert (await running.now(ended.id)).order_id == "nt7"
    assert len(running.broker.sent) == 2


async def test_a_flatten_that_begins_meanwhile_lets_the_new_order_not_through(room: Room) -> None:
    reversal = await room.ticket(ASK)
    room.broker.gate, room.broker.gated = asyncio.Event(), {Close}
    first = asyncio.create_task(room.confirm(reversal))
    await eventually(lambda: bool(room.broker.sent))
    flatten = await room.ticket(FlattenRequest("account", "Sim101"), SECOND)
    # The flatten waits for the reversal, whose close it must not double.
    second = asyncio.create_task(room.confirm(flatten, SECOND))
    await eventually(lambda: (room.clock() - room.broker.times[0]).total_seconds() > 2)
    room.broker.gate.set()
    await asyncio.gather(first, second)
    assert [type(action) for action in room.broker.sent] == [Close]
    ended = await room.now(reversal.id)
    assert ended.state is TicketState.NOT_SENT
    assert ended.outcome == (
        f"The position was closed. “Tom” (member 2) is flattening there (ticket {flatten.id}). The new order was not sent."
    )
    assert (await room.now(flatten.id)).order_state is OrderState.FILLED


async def test_a_flatten_elsewhere_is_nothing_to_it(room: Room) -> None:
    room.broker.rest(Side.BUY, 1, "Apex-001")
    room.broker.gate, room.broker.gated = asyncio.Event(), {CancelOrders, FlattenAccount}
    flatten = await room.ticket(FlattenRequest("account", "Apex-001"), SECOND)
    press = asyncio.create_task(room.confirm(flatten, SECOND))
    await eventually(lambda: bool(room.broker.sent))
    assert (await reversed_(room)).state is TicketState.ACCEPTED
    room.broker.gate.set()
    await press


async def test_whether_something_is_being_flattened_must_be_known(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)
    room.clock.plan(1, lambda: room.disk.failing.add("recent"))
    room.clock.plan(1, room.broker.let_go)
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert [type(action) for action in room.broker.sent] == [Close]
    assert ended.state is TicketState.NOT_SENT
    assert "The position was closed. The journal can't be written" in (ended.outcome or "")


async def test_nobody_else_enters_meanwhile(room: Room) -> None:
    reversal = await room.ticket(ASK)
    room.broker.gate = asyncio.Event()
    press = asyncio.create_task(room.confirm(reversal))
    await eventually(lambda: bool(room.broker.sent))
    assert await room.refused(ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1), SECOND) == ["OUTCOME_UNKNOWN"]
    room.broker.gate.set()
    await press


async def test_a_position_that_changed_since_the_card_is_shown_again(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.book_positions["Sim101", ES] = -1
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.state, again.revision, room.broker.sent) == (TicketState.OFFERED, 2, [])


async def test_it_needs_the_second_person_as_any_entry_does(room: Room) -> None:
    ticket = await room.ticket(replace(ASK, account="Apex-001"))
    await room.confirm(ticket)
    assert room.broker.sent == []
    await room.approve(ticket, APPROVER)
    assert [type(action) for action in room.broker.sent] == [Close, PlaceOrder]


async def test_the_answer_to_a_close_may_be_anything_that_says_yes(room: Room) -> None:
    room.broker.outcomes.append(Accepted("x", ("y",)))
    room.clock.plan(0.4, lambda: room.broker.carry_out(Close("Sim101", ES, Terms(Side.BUY, 2))))
    ended = await reversed_(room)
    assert ended.order_ids[0] == "order1"


async def test_lost_in_the_close_and_never_flat_it_says_so(room: Room) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    ended = await reversed_(room)
    assert len(room.broker.sent) == 1
    assert (ended.state, ended.progress.steps[0].state) == (TicketState.NOT_SENT, StepState.UNKNOWN)


async def test_a_close_that_the_broker_rejects_ends_it_at_once_in_the_brokers_words(running: Room) -> None:
    running.broker.locked = "Account is locked"
    ended = await reversed_(running)
    assert [type(action) for action in running.broker.sent] == [Close]
    assert ended.state is TicketState.NOT_SENT
    assert "still SHORT 2; NinjaTrader rejected the close: “Account is locked”" in (ended.outcome or "")
    assert ended.progress.steps[0].text == "NinjaTrader rejected its order: “Account is locked”"
    assert (running.clock() - running.broker.times[0]).total_seconds() < 3


async def test_flat_by_another_order_is_not_the_end_of_the_close(room: Room) -> None:
    """The stop closed it; the close that is not listed yet will still fill, and the new order would come on top of it."""
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(ASK)
    room.broker.dawdling.add(Close)

    def stopped() -> None:
        room.broker.book_positions["Sim101", ES] = 0
        room.broker.change("rest1", OrderState.FILLED, 2)

    room.clock.plan(1, stopped)
    room.clock.plan(4, room.broker.let_go)
    await room.confirm(ticket)
    assert [type(action) for action in room.broker.sent] == [Close]
    assert "now LONG 2" in ((await room.now(ticket.id)).outcome or "")
