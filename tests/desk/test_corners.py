"""Corners of the desk: what is rare must be right as well."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.desk.requests import Refused
from bot.desk.tickets.confirm import UNACKNOWLEDGED
from bot.timings import USUAL
from bot.trading.market.facts import Execution
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import TicketState, Visibility
from bot.trading.risk.policy import DenialCode, Grant, PermissionQuery
from tests.desk.conftest import ASK, HERE, STRANGER, TRADER, TRADER_ROLE, Room, timed
from tests.desk.fakes import ES, eventually
from tests.desk.test_afterwards import accepted, look_again, lost


async def test_the_desk_tells_its_policy_and_what_it_allows(room: Room) -> None:
    assert room.desk.policy is room.policies[-1]
    assert room.desk.may(TRADER, PermissionQuery("reverse")) is None
    assert room.desk.may(STRANGER, PermissionQuery("reverse")) is not None


@timed(acknowledged_within=timedelta(seconds=0.05))
async def test_a_press_whose_acknowledgement_hangs_sends_nothing(room: Room) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    ticket = await room.ticket()
    assert await room.confirm(ticket, acknowledge=hangs) == UNACKNOWLEDGED
    assert room.broker.sent == []
    assert (await room.now(ticket.id)).state is TicketState.OFFERED


async def test_a_private_card_is_drawn_by_the_outbox_once_it_is_shown(running: Room) -> None:
    running.rule(ticket_visibility=Visibility.PRIVATE)
    ticket = await running.desk.offer(TRADER, HERE, ASK)
    await running.desk.shown_privately(ticket.id)  # type: ignore[union-attr]  # it was offered
    offered = await running.now(ticket.id)  # type: ignore[union-attr]  # it was offered
    await running.confirm(offered)
    stored = await running.until(offered, TicketState.ACCEPTED)
    await eventually(lambda: bool(running.messenger.shown[stored.id]))
    await eventually_message(running, stored.id)


async def eventually_message(room: Room, ticket_id: str) -> None:
    """Wait until the posted result's message is remembered."""
    async with asyncio.timeout(5):
        while (await room.now(ticket_id)).message is None:
            await asyncio.sleep(0.01)


async def test_a_link_that_is_down_at_the_start_comes_back_by_itself(room: Room) -> None:
    room.broker.failing |= {"accounts"}
    await room.desk.start()
    await eventually(lambda: room.broker.reads > 0)
    assert list(room.desk.accounts_for(TRADER, "reverse")) == []
    room.broker.failing.clear()
    assert (await room.ticket()).state is TicketState.OFFERED


async def test_what_autocomplete_can_not_read_it_leaves_out(room: Room) -> None:
    room.broker.failing |= {"all_positions", "session"}
    await room.desk.start()
    await eventually(lambda: bool(room.desk.accounts_for(TRADER, "reverse")))
    await room.passes(0.1)
    assert list(room.desk.instruments_for(TRADER, "reverse", "Sim101")) == []


async def test_autocomplete_offers_front_months_of_granted_roots_only(room: Room) -> None:
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"reverse"}), ("Sim*",), ("NQ",), 5),))
    await room.desk.start()
    await eventually(lambda: bool(room.desk.instruments_for(TRADER, "reverse", "Sim101")))
    assert list(room.desk.instruments_for(TRADER, "reverse", "Sim101")) == ["NQ 09-26"]


async def test_an_answer_that_takes_its_time_is_shown_as_sending(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    await running.passes(0.3)
    assert running.messenger.states(ticket.id) == []
    running.clock.pass_by(1)
    await running.until(ticket, TicketState.SENDING)
    running.broker.gate.set()
    await press
    await running.until(ticket, TicketState.ACCEPTED)


async def test_a_card_that_is_just_being_posted_is_not_drawn_a_second_time(running: Room) -> None:
    made = await running.desk.offer(TRADER, HERE, ASK)
    ticket = await running.now(made.id)  # type: ignore[union-attr]  # it was offered
    await running.cancel(ticket)
    await running.passes(0.3)
    assert running.messenger.states(ticket.id) == []
    await running.desk.posted(ticket.id, HERE.channel, 7000)
    await running.until(ticket, TicketState.CANCELLED)
    assert [shown.message for shown in running.messenger.shown[ticket.id]] == [7000]


async def test_a_desk_that_another_process_has_taken_over_stops_at_once_and_writes_and_tells_nothing(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.gate = asyncio.Event()
    pressing = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: len(running.broker.sent) == 1)
    before = len(await running.journal.events(ticket.id))
    await running.all_told()
    told = len(running.messenger.told)
    await running.desk.abandon()
    # What was on its way is for whoever leads now to find out.
    assert (await running.now(ticket.id)).state is TicketState.SENDING
    assert len(await running.journal.events(ticket.id)) == before
    await running.all_told()
    assert len(running.messenger.told) == told
    # The next one's card says it.
    assert await pressing is None
    refused = await running.desk.offer(TRADER, HERE, ASK)
    assert isinstance(refused, Refused)
    assert [denial.code for denial in refused.denials] == [DenialCode.DESK_DOWN]


@timed(news_get=timedelta(seconds=0.05))
async def test_a_stop_during_a_delivery_leaves_it_stored(running: Room) -> None:
    ticket = await running.ticket()
    running.messenger.hold = asyncio.Event()
    await running.cancel(ticket)
    await eventually(lambda: running.messenger.waiting > 0)
    await running.desk.close()
    assert [row.ticket for row in await running.journal.due(running.clock(), 10) if row.notice is None] == [ticket.id]


async def test_something_unclear_is_left_unknown(running: Room) -> None:
    ticket = await lost(running)
    running.broker.book_positions["Sim101", ES] = 7
    await look_again(running, USUAL.desk.grace.total_seconds() + USUAL.desk.absent_again.total_seconds())
    await look_again(running, USUAL.desk.absent_again.total_seconds())
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    await running.all_told()
    told = [notice.text for notice in running.messenger.told]
    assert sum("Outcome unknown" in text for text in told) == 1


async def test_a_close_without_its_entry_is_said(running: Room) -> None:
    ticket = await lost(running)
    running.broker.book_positions["Sim101", ES] = 0
    await look_again(running, USUAL.desk.grace.total_seconds() + 1)
    # Absent once is not enough, and a second look right after is none.
    await look_again(running, 6)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    await look_again(running, USUAL.desk.absent_again.total_seconds())
    stored = await running.until(ticket, TicketState.NEVER_ARRIVED)
    assert "was closed" in (stored.outcome or "")
    await look_again(running, 6)
    assert (await running.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_fills_that_are_not_all_there_yet_are_a_part(running: Room) -> None:
    ticket = await accepted(running, 2)
    running.broker.book_orders.clear()
    reads = running.broker.reads
    await eventually(lambda: running.broker.reads > reads + 2)
    assert (await running.now(ticket.id)).filled == 0
    fill = Execution("e1", "order1", "Sim101", ES, Side.BUY, 1, Decimal(5700), running.clock() + timedelta(seconds=1))
    running.broker.book_executions.append(fill)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.PART_FILLED)
    assert (await running.now(ticket.id)).filled == 1


async def test_an_order_that_changes_without_filling_is_shown_on_the_card_alone(running: Room) -> None:
    ticket = await accepted(running)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.WORKING)
    await running.all_told()
    told = len(running.messenger.told)
    running.broker.change("order1", OrderState.CHANGE_PENDING)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.CHANGE_PENDING)
    await running.all_told()
    assert len(running.messenger.told) == told


async def test_an_accepted_order_is_followed_on_after_a_restart(room: Room) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    unknown = await room.ticket()
    await room.confirm(unknown)
    desk = room.again()
    found = await desk.start()
    try:
        assert (found.expired, found.unknown) == (0, 1)
        order = room.broker.book(unknown.intent)
        room.clock.pass_by(6)
        await room.until(unknown, TicketState.ACCEPTED)
    finally:
        await desk.close()
    third = room.again()
    assert (await third.start()).unknown == 0
    try:
        room.broker.change(order.id, OrderState.FILLED, 1)
        await eventually(lambda: room.messenger.shown[unknown.id][-1].filled == 1)
    finally:
        await third.close()


@pytest.mark.parametrize("account", ["sim101", None])
async def test_news_bring_the_next_look_for_evidence_forward_but_not_without_end(room: Room, account: str | None) -> None:
    await room.look_around()
    desk, now = room.desk, room.clock()
    desk._evidence_at, desk._next_evidence = now, now + USUAL.desk.evidence_every
    desk.news(account)
    assert desk._next_evidence == now + USUAL.desk.evidence_soonest
    desk._next_evidence = now
    desk.news(account)
    assert desk._next_evidence == now
