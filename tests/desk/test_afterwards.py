"""What follows a send without anybody pressing: evidence, fills, expiry, restarts, and news that arrive late but arrive."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.timings import USUAL
from bot.trading.market.facts import Execution
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket, TicketState
from tests.desk.conftest import ASK, SECOND, Room, timed
from tests.desk.fakes import ES, eventually


async def lost(room: Room) -> Ticket:
    """A ticket whose answer was lost."""
    room.broker.outcomes.append(Unknown("the connection was reset"))
    ticket = await room.ticket()
    await room.confirm(ticket)
    return await room.until(ticket, TicketState.UNKNOWN)


async def look_again(room: Room, seconds: float) -> None:
    """Let time pass and give the evidence loop a round."""
    room.clock.pass_by(seconds)
    reads = room.broker.reads
    await eventually(lambda: room.broker.reads >= reads + 3)
    await room.passes(0.3)


async def test_an_order_that_is_there_is_adopted_with_its_id(running: Room) -> None:
    running.broker.outcomes.append(Unknown("reset"))
    ticket = await running.ticket()
    running.broker.book_orders.clear()
    booked = running.broker.book
    running.broker.gate = asyncio.Event()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    order = booked(ticket.intent)
    running.broker.gate.set()
    await press
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert stored.order_id == order.id
    assert len(running.broker.sent) == 1


async def test_an_order_that_was_there_before_is_not_taken_for_ours(running: Room) -> None:
    terms = (await running.ticket()).order.terms
    running.broker.rest(terms.side, terms.quantity)
    running.broker.book((await running.ticket()).intent, OrderState.FILLED, 1)
    ticket = await lost(running)
    await look_again(running, 6)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN


async def test_absent_twice_after_the_grace_time_is_never_arrived(running: Room) -> None:
    ticket = await lost(running)
    await look_again(running, USUAL.desk.grace.total_seconds() - 5)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    await look_again(running, 6)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    await look_again(running, USUAL.desk.absent_again.total_seconds() + 1)
    stored = await running.until(ticket, TicketState.NEVER_ARRIVED)
    assert stored.order_id is None
    assert len(running.broker.sent) == 1


async def test_a_failed_read_is_no_evidence_of_absence(running: Room) -> None:
    ticket = await lost(running)
    running.broker.failing |= {"orders"}
    for _ in range(4):
        running.clock.pass_by(60)
        await running.passes(0.3)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN


@pytest.mark.parametrize("read", ["executions", "positions"])
async def test_an_order_that_is_listed_is_proved_although_another_read_fails(running: Room, read: str) -> None:
    ticket = await lost(running)
    running.broker.failing |= {read}
    for _ in range(3):
        running.clock.pass_by(60)
        await running.passes(0.3)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    order = running.broker.book(ticket.intent)
    await look_again(running, 6)
    assert (await running.until(ticket, TicketState.ACCEPTED)).order_id == order.id


async def test_absence_once_and_then_something_unclear_starts_over(running: Room) -> None:
    ticket = await lost(running)
    await look_again(running, USUAL.desk.grace.total_seconds() + 1)
    assert (await running.now(ticket.id)).absent_since is not None
    running.broker.book_positions["Sim101", ES] = 7
    await look_again(running, 6)
    stored = await running.now(ticket.id)
    assert (stored.state, stored.absent_since) == (TicketState.UNKNOWN, None)


async def test_an_order_that_turns_up_after_all_is_told(running: Room) -> None:
    ticket = await lost(running)
    await look_again(running, USUAL.desk.grace.total_seconds() + 1)
    await look_again(running, USUAL.desk.absent_again.total_seconds() + 1)
    await running.until(ticket, TicketState.NEVER_ARRIVED)
    order = running.broker.book(ticket.intent, OrderState.FILLED, 1)
    await look_again(running, USUAL.desk.afterwards.total_seconds() / 2)
    assert (await running.until(ticket, TicketState.ACCEPTED)).order_id == order.id


async def test_what_never_arrived_is_looked_for_no_longer_than_said(running: Room) -> None:
    ticket = await lost(running)
    await look_again(running, USUAL.desk.grace.total_seconds() + 1)
    await look_again(running, USUAL.desk.absent_again.total_seconds() + 1)
    await running.until(ticket, TicketState.NEVER_ARRIVED)
    # A first look after the time would find this order; none may come.
    running.clock.pass_by(USUAL.desk.afterwards.total_seconds() + 1)
    running.broker.book(ticket.intent, OrderState.FILLED, 1)
    for _ in range(4):
        running.clock.pass_by(6)
        await running.passes(0.3)
    assert (await running.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_an_order_that_ninjatrader_rejected_is_told_as_rejected(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    running.broker.outcomes.append(Unknown("reset"))
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    running.broker.book(ticket.intent, OrderState.REJECTED)
    running.broker.gate.set()
    await press
    await running.until(ticket, TicketState.REJECTED)


async def test_fills_alone_prove_an_order_that_the_list_has_dropped(running: Room) -> None:
    ticket = await lost(running)
    running.broker.book_executions.append(Execution("e1", "gone1", "Sim101", ES, Side.BUY, 1, Decimal(5801), running.clock()))
    await look_again(running, 6)
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert stored.order_id == "gone1"
    await eventually(lambda: running.messenger.shown[ticket.id][-1].filled == 1)


async def accepted(room: Room, quantity: int = 1) -> Ticket:
    """A ticket whose order works."""
    ticket = await room.ticket(replace(ASK, quantity=quantity, type=OrderType.LIMIT, limit="5700"))
    await room.confirm(ticket)
    return await room.until(ticket, TicketState.ACCEPTED)


async def test_fills_are_followed_to_the_end_in_the_same_message(running: Room) -> None:
    ticket = await accepted(running, 3)
    running.broker.change("order1", OrderState.PART_FILLED, 1)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].filled == 1)
    running.broker.change("order1", OrderState.FILLED, 3)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.FILLED)
    stored = await running.now(ticket.id)
    assert (stored.filled, stored.average_fill_price) == (3, Decimal(5800))
    assert all(shown.message in {None, 7000} for shown in running.messenger.shown[ticket.id])
    await running.all_told()
    texts = [notice.text.splitlines()[0] for notice in running.messenger.told]
    assert "Part filled 1/3 at 5800" in texts
    assert "Filled 3 at 5800" in texts


async def test_an_accepted_order_that_is_rejected_later_is_told(running: Room) -> None:
    ticket = await accepted(running)
    running.broker.change("order1", OrderState.REJECTED)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.REJECTED)
    await running.all_told()
    assert any("Rejected by NinjaTrader" in notice.text for notice in running.messenger.told)


async def test_a_cancelled_order_may_have_fills(running: Room) -> None:
    ticket = await accepted(running, 2)
    running.broker.change("order1", OrderState.CANCELLED, 1)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.CANCELLED)
    await running.all_told()
    assert any("1 of 2 filled" in notice.text for notice in running.messenger.told)


async def test_a_pruned_order_is_followed_by_its_fills(running: Room) -> None:
    ticket = await accepted(running, 2)
    running.broker.book_orders.clear()
    for number in (1, 2):
        running.broker.book_executions.append(
            Execution(f"e{number}", "order1", "Sim101", ES, Side.BUY, 1, Decimal(5700 + number), running.clock())
        )
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.FILLED)
    assert (await running.now(ticket.id)).average_fill_price == Decimal("5701.5")


async def test_an_order_may_get_another_id_and_both_are_kept(running: Room) -> None:
    ticket = await accepted(running)
    order = running.broker.book_orders[0]
    running.broker.book_orders[0] = replace(order, ids=("676173541025", "order1"))
    await eventually(lambda: "676173541025" in running.messenger.shown[ticket.id][-1].order_ids)
    running.broker.book_orders[0] = replace(order, ids=("676173541025",), state=OrderState.FILLED, filled=1)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.FILLED)
    assert (await running.now(ticket.id)).order_id == "order1"


async def test_orders_that_can_not_be_read_are_asked_for_again(running: Room) -> None:
    ticket = await accepted(running)
    running.broker.failing.add("orders")
    running.broker.change("order1", OrderState.FILLED, 1)
    running.clock.pass_by(2)
    await running.passes(0.4)
    assert (await running.now(ticket.id)).filled == 0
    running.broker.failing.clear()
    running.clock.pass_by(40)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].filled == 1)


async def test_i13_a_ticket_expires_by_time_and_is_redrawn(running: Room) -> None:
    ticket = await running.ticket()
    running.clock.pass_by(30)
    await running.until(ticket, TicketState.EXPIRED)
    assert await running.confirm(ticket) == "This ticket is expired already; nothing more is sent for it."
    assert running.broker.sent == []


async def test_a_press_after_the_end_is_late_even_before_the_clock_loop_saw_it(room: Room) -> None:
    ticket = await room.ticket()
    room.clock.pass_by(30)
    assert await room.confirm(ticket) == "This ticket is expired already; nothing more is sent for it."
    assert room.broker.sent == []


async def test_a_start_expires_open_tickets_and_sends_nothing(room: Room) -> None:
    ticket = await room.ticket()
    desk = room.again()
    found = await desk.start()
    try:
        assert (found.expired, found.unknown) == (1, 0)
        await room.until(ticket, TicketState.EXPIRED)
        assert "restarted" in ((await room.now(ticket.id)).outcome or "")
        assert room.broker.sent == []
    finally:
        await desk.close()


async def test_a_start_finds_an_order_that_was_on_its_way_and_seeks_evidence(room: Room) -> None:
    room.broker.gate = asyncio.Event()
    ticket = await room.ticket()
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    order = room.broker.book(ticket.intent)
    desk = room.again()
    found = await desk.start()
    try:
        assert (found.expired, found.unknown) == (0, 1)
        stored = await room.until(ticket, TicketState.ACCEPTED)
        assert stored.order_id == order.id
        assert len(room.broker.sent) == 1
    finally:
        room.broker.gate.set()
        await desk.close()
        await press


async def test_a_stop_sees_an_order_on_its_way_to_its_end(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    closing = asyncio.create_task(running.desk.close())
    await asyncio.sleep(0.05)
    running.broker.gate.set()
    await asyncio.gather(press, closing)
    assert (await running.now(ticket.id)).state is TicketState.ACCEPTED
    assert TicketState.ACCEPTED in running.messenger.states(ticket.id)


@timed(sends_get=timedelta(seconds=0.05))
async def test_a_stop_that_can_not_wait_longer_stores_unknown(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    await running.desk.close()
    await asyncio.gather(press, return_exceptions=True)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    assert TicketState.UNKNOWN in running.messenger.states(ticket.id)


async def test_a_second_member_sees_the_position_of_the_first(running: Room) -> None:
    await accepted(running)
    running.broker.book_positions["Sim101", ES] = 1
    second = await running.ticket(member=SECOND)
    assert second.shown.position == 1
    assert any("doesn't oppose" in warning for warning in second.shown.warnings)
