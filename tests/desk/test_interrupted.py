"""Tickets of several calls that a crash cut short, at each of their steps: nothing more is sent, and what is left is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.desk.desk import Desk
from bot.desk.ports import EventName
from bot.desk.requests import CancelRequest, FlattenRequest, PlaceRequest, ReverseRequest, TicketRequest
from bot.timings import USUAL
from bot.trading.exits.leftover import outcome_of
from bot.trading.market.facts import OtherOrder, Others
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Action, Close, PlaceOrder, VerifiedReverse
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState, move
from tests.desk.conftest import SECOND, Room, timed
from tests.desk.fakes import ES, eventually

NQ = Contract("NQ", 2026, 9)

FLATTEN = FlattenRequest("account", "Sim101")
CANCEL = CancelRequest("Sim101", scope="account")
REVERSE = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, mode="verified")
CUT_SHORT = "The bot was stopped in the middle, and nothing more was sent."


@asynccontextmanager
async def crash(room: Room, request: TicketRequest, call: type[Action]) -> AsyncIterator[tuple[Ticket, Desk]]:
    """The process ends while a call is on its way; another one has started. At the end the first one's fate is settled.

    What the first process still hears when the second one runs is what a real one would never live to hear; it must do no harm.
    """
    room.broker.gate, room.broker.gated = asyncio.Event(), {call}
    ticket = await room.ticket(request)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: any(type(action) is call for action in room.broker.sent))
    sent = list(room.broker.sent)
    desk = room.again()
    found = await desk.start()
    assert (found.expired, found.unknown) == (0, 1)
    try:
        yield await room.until(ticket, TicketState.UNKNOWN), desk
        assert room.broker.sent == sent
    finally:
        room.broker.gate.set()
        await press
        await desk.close()
    assert room.broker.sent == sent


async def look(room: Room, desk: Desk, seconds: float) -> None:
    """Let time pass and look for evidence."""
    room.clock.pass_by(seconds)
    desk._seek_evidence()
    await desk._seek()


def shows(room: Room, ticket: Ticket, words: str) -> bool:
    """Tell whether the card says something."""
    return any(words in (outcome_of(shown) or "") for shown in room.messenger.shown.get(ticket.id, []))


async def test_a_flatten_that_ended_in_its_cancellation_says_what_is_left(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    async with crash(room, FLATTEN, CancelOrders) as (ticket, desk):
        await look(room, desk, USUAL.desk.grace.total_seconds() - 5)
        assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
        await look(room, desk, 6)
        await room.until(ticket, TicketState.ACCEPTED)
        stored = await room.now(ticket.id)
        assert (stored.state, stored.order_state) == (TicketState.ACCEPTED, OrderState.CANCELLED)
        assert outcome_of(stored) == (
            f"“Sim101” ES 09-26: still SHORT 2, BUY 1 LIMIT (order “rest1”) still works. {CUT_SHORT} "
            "Use “/flatten scope:instrument account:Sim101 instrument:ES 09-26” or "
            "“/cancel scope:order account:Sim101 order:rest1”. Look at NinjaTrader."
        )
        assert [event.name for event in await room.journal.events(ticket.id)][-1] is EventName.NOT_CLOSED
        await room.all_told()
        assert any("NOT FLAT" in notice.text for notice in room.messenger.told)


async def test_a_flatten_that_ended_in_its_close_is_flat_once_that_is_read(room: Room) -> None:
    async with crash(room, FLATTEN, FlattenAccount) as (ticket, _desk):
        room.broker.carry_out(FlattenAccount("Sim101"))
        await eventually(lambda: shows(room, ticket, "Read since: flat."))
        stored = await room.now(ticket.id)
        assert (stored.state, stored.order_state) == (TicketState.ACCEPTED, OrderState.FILLED)
        assert stored.outcome == f"{CUT_SHORT} Read since: flat."
        assert all(line.is_done for line in stored.progress.rows)
        assert [event.name for event in await room.journal.events(ticket.id)][-1] is EventName.FLATTENED


async def test_a_flatten_that_ended_long_after_it_began_is_judged_by_its_last_call(room: Room) -> None:
    """A close that has just left may still come, however long ago the first call was."""
    room.broker.rest(Side.BUY, 1)
    room.broker.deaf = True
    room.clock.plan(50, partial(room.broker.book_positions.update, {("Sim101", NQ): 3}))
    room.clock.plan(50, partial(room.broker.change, "rest1", OrderState.CANCELLED))
    async with crash(room, FLATTEN, FlattenAccount) as (ticket, desk):
        assert ticket.sent_at is not None
        assert (room.clock() - ticket.sent_at) > USUAL.desk.grace
        await look(room, desk, 6)
        assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
        room.broker.carry_out(FlattenAccount("Sim101"))
        await eventually(lambda: shows(room, ticket, "Read since: flat."))


async def test_another_flatten_waits_for_the_last_call_of_one_that_was_cut_short(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.deaf = True
    room.clock.plan(50, partial(room.broker.book_positions.update, {("Sim101", NQ): 3}))
    room.clock.plan(50, partial(room.broker.change, "rest1", OrderState.CANCELLED))
    room.broker.gate, room.broker.gated = asyncio.Event(), {FlattenAccount}
    first = await room.ticket(FLATTEN)
    press = asyncio.create_task(room.confirm(first))
    await eventually(lambda: FlattenAccount("Sim101") in room.broker.sent)
    began = room.clock()
    sending = await room.now(first.id)
    assert await room.journal.advance(sending, move(sending, TicketState.UNKNOWN), ())
    room.broker.gated = {Close}
    second = await room.ticket(FLATTEN, SECOND)
    await room.confirm(second, SECOND)
    ended = await room.now(second.id)
    assert ended.order_state is OrderState.FILLED
    assert (room.broker.times[-1] - began) >= USUAL.desk.grace
    room.broker.gate.set()
    await press


async def test_while_that_is_open_nothing_new_is_taken_there_and_afterwards_it_is(room: Room) -> None:
    place = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
    async with crash(room, FLATTEN, FlattenAccount) as (ticket, _desk):
        assert await room.refused(place) == ["FLATTENING"]
        room.broker.carry_out(FlattenAccount("Sim101"))
        await eventually(lambda: shows(room, ticket, "Read since: flat."))
        assert (await room.ticket(place)).state is TicketState.OFFERED


@pytest.mark.parametrize("read", ["positions", "orders"])
async def test_what_can_not_be_read_is_not_judged(room: Room, read: str) -> None:
    async with crash(room, FLATTEN, FlattenAccount) as (ticket, desk):
        room.broker.failing.add(read)
        for _ in range(3):
            await look(room, desk, USUAL.desk.grace.total_seconds())
        assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
        room.broker.failing.clear()
        await look(room, desk, 6)
        assert "still SHORT 2" in (outcome_of(await room.until(ticket, TicketState.ACCEPTED)) or "")


async def test_a_cancellation_of_many_says_when_nothing_works_any_more(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    async with crash(room, CANCEL, CancelOrders) as (ticket, _desk):
        room.broker.carry_out(CancelOrders("Sim101"))
        await eventually(lambda: shows(room, ticket, "Read since: nothing works."))
        assert [event.name for event in await room.journal.events(ticket.id)][-1] is EventName.ORDER_CANCELLED


async def test_a_cancellation_of_many_says_what_still_works(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    async with crash(room, CANCEL, CancelOrders) as (ticket, desk):
        await look(room, desk, USUAL.desk.grace.total_seconds())
        assert "BUY 1 LIMIT (order “rest1”) still works" in (outcome_of(await room.until(ticket, TicketState.ACCEPTED)) or "")


async def test_a_reversal_that_ended_in_its_close_says_that_its_order_never_left(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    async with crash(room, REVERSE, Close) as (ticket, desk):
        await look(room, desk, USUAL.desk.grace.total_seconds() - 5)
        assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
        await look(room, desk, 6)
        stored = await room.until(ticket, TicketState.NEVER_ARRIVED)
        assert stored.state is TicketState.NEVER_ARRIVED
        assert stored.outcome == f"{CUT_SHORT} The new order never left; the position is now SHORT 2, 1 order works there."


async def test_a_reversal_whose_close_was_done_says_so(room: Room) -> None:
    async with crash(room, REVERSE, Close) as (ticket, desk):
        room.broker.book_positions["Sim101", ES] = 0
        await look(room, desk, USUAL.desk.grace.total_seconds())
        assert "the position is now FLAT." in (outcome_of(await room.until(ticket, TicketState.NEVER_ARRIVED)) or "")


@pytest.mark.parametrize("read", ["positions", "orders"])
async def test_a_reversal_is_not_judged_by_what_can_not_be_read(room: Room, read: str) -> None:
    async with crash(room, REVERSE, Close) as (ticket, desk):
        room.broker.failing.add(read)
        await look(room, desk, USUAL.desk.grace.total_seconds() * 2)
        assert (await room.now(ticket.id)).state is TicketState.UNKNOWN


async def test_an_order_that_never_left_is_not_taken_for_one_of_somebody_else(room: Room) -> None:
    async with crash(room, REVERSE, Close) as (ticket, desk):
        room.broker.book_positions["Sim101", ES] = 0
        await look(room, desk, USUAL.desk.grace.total_seconds())
        await room.until(ticket, TicketState.NEVER_ARRIVED)
        room.broker.book(ticket.intent, OrderState.FILLED, 1)
        await look(room, desk, 6)
        await look(room, desk, 6)
        assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_a_reversal_that_ended_in_its_order_is_found_by_the_desks_own_id(room: Room) -> None:
    async with crash(room, REVERSE, PlaceOrder) as (ticket, _desk):
        assert isinstance(ticket.intent, VerifiedReverse)
        order = room.broker.book(ticket.intent)
        room.broker.book_orders[-1] = replace(order, ids=(order.id, ticket.intent.client_order_id))
        stored = await as_accepted(room, ticket)
        assert stored.order_id == order.id


async def as_accepted(room: Room, ticket: Ticket) -> Ticket:
    """Wait for a ticket to be accepted."""
    await eventually(lambda: TicketState.ACCEPTED in room.messenger.states(ticket.id))
    return await room.now(ticket.id)


async def test_a_reversal_whose_order_is_not_there_never_arrived(room: Room) -> None:
    async with crash(room, REVERSE, PlaceOrder) as (ticket, desk):
        await look(room, desk, USUAL.desk.grace.total_seconds() + 1)
        await look(room, desk, USUAL.desk.absent_again.total_seconds() + 1)
        stored = await room.until(ticket, TicketState.NEVER_ARRIVED)
        assert "the position of SHORT 2 was closed, the new order never arrived" in (outcome_of(stored) or "")
        # Its order was on its way, so that one that turns up is its.
        order = room.broker.book(ticket.intent)
        await look(room, desk, 6)
        assert (await room.until(ticket, TicketState.ACCEPTED)).order_id == order.id


@pytest.mark.parametrize("request_", [FLATTEN, REVERSE], ids=["flatten", "reverse"])
async def test_what_ended_before_its_first_call_sent_nothing(room: Room, request_: TicketRequest) -> None:
    ticket = await room.ticket(request_)
    claimed = move(ticket, TicketState.SENDING, sent_at=room.clock(), confirmed_at=room.clock())
    assert await room.journal.advance(ticket, claimed, ())
    desk = room.again()
    await desk.start()
    try:
        await look(room, desk, USUAL.desk.grace.total_seconds())
        ended = await room.until(ticket, TicketState.ACCEPTED if request_ is FLATTEN else TicketState.NEVER_ARRIVED)
        assert (ended.outcome or "").startswith(CUT_SHORT)
        assert room.broker.sent == []
        # Nobody's order of the same shape is taken for it.
        if request_ is REVERSE:
            room.broker.book(ticket.intent)
            await look(room, desk, 6)
            assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED
    finally:
        await desk.close()


@timed(sends_get=timedelta(seconds=0.05))
async def test_a_stop_in_the_middle_of_a_flatten_stores_it_as_unknown_with_what_was_done(running: Room) -> None:
    running.broker.rest(Side.BUY, 1)
    running.broker.gate, running.broker.gated = asyncio.Event(), {FlattenAccount}
    ticket = await running.ticket(FLATTEN)
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: FlattenAccount("Sim101") in running.broker.sent)
    await running.desk.close()
    await asyncio.gather(press, return_exceptions=True)
    stored = await running.now(ticket.id)
    assert stored.state is TicketState.UNKNOWN
    assert [leg.words for leg in stored.progress.steps] == ["cancel the orders in “Sim101”", "flatten “Sim101”"]
    assert TicketState.UNKNOWN in running.messenger.states(ticket.id)


async def test_a_stop_waits_for_a_flatten_that_is_about_to_end(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket(FLATTEN)
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    closing = asyncio.create_task(running.desk.close())
    await asyncio.sleep(0.05)
    running.broker.gate.set()
    await asyncio.gather(press, closing)
    assert (await running.now(ticket.id)).order_state is OrderState.FILLED


async def test_a_cancellation_cut_short_is_not_called_done_while_an_order_of_what_is_no_future_works(room: Room) -> None:
    share = OtherOrder("Sim101", "AAPL", "Stock", "Buy", 100, OrderState.WORKING, "share1")
    room.broker.book_others["Sim101"] = Others(orders=(share,))
    async with crash(room, CANCEL, CancelOrders) as (ticket, desk):
        await look(room, desk, 1)
        assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
        await look(room, desk, USUAL.desk.grace.total_seconds() + 1)
        ended = await room.now(ticket.id)
        assert ended.order_state is OrderState.CANCELLED
        assert "“AAPL” BUY 100 (order “share1”) still working, no future" in (ended.outcome or "")
