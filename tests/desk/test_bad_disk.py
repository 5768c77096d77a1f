"""A journal that can't be written: no order leaves that could not be stored, and what has happened is stored when it can be."""

import asyncio
from dataclasses import replace

import pytest

from bot.desk.requests import FlattenRequest
from bot.desk.tickets.confirm import BUSY, UNREADABLE
from bot.errors import DeliveryDelayed
from bot.trading.orders.intents import Close
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Denial, DenialCode
from tests.desk.conftest import ASK, Room
from tests.desk.fakes import ES, eventually


async def test_no_order_leaves_that_could_not_be_journaled(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.failing.add("advance")
    assert await running.confirm(ticket) is None
    assert running.broker.sent == []
    assert running.messenger.states(ticket.id) == [TicketState.NOT_SENT]
    assert "disk is full" in (running.messenger.shown[ticket.id][0].outcome or "")


async def test_nobody_presses_on_a_ticket_whose_end_is_not_stored_yet(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.failing.add("advance")
    await running.confirm(ticket)
    assert await running.confirm(ticket) == BUSY
    assert await running.cancel(ticket) == BUSY
    running.clock.pass_by(60)
    running.disk.failing.clear()
    await running.until(ticket, TicketState.NOT_SENT)
    await eventually(lambda: len(running.messenger.shown[ticket.id]) >= 2)
    assert (await running.now(ticket.id)).state is TicketState.NOT_SENT
    assert running.broker.sent == []


async def test_a_close_of_somebody_elses_that_is_rejected_is_not_told_as_one_that_could_not_be_journaled(running: Room) -> None:
    ticket = await running.ticket(FlattenRequest("instrument", "Sim101", "ES 09-26"))
    running.broker.takes["orders"] = 1.0
    # The claim is stored by then, and the first look is under way.
    running.clock.plan(1.5, lambda: running.disk.failing.add("advance"))
    theirs = Close("Sim101", ES, Terms(Side.BUY, 2))
    running.clock.plan(2.1, lambda: running.broker.book(theirs, OrderState.REJECTED))
    running.clock.plan(8, running.disk.failing.clear)
    await running.confirm(ticket)
    ended = await running.until(ticket, TicketState.NOT_SENT)
    assert (ended.progress.steps, running.broker.sent) == ((), [])
    assert "disk is full" in (ended.outcome or "")


async def test_a_commit_whose_word_was_lost_sends_nothing_and_ends_as_not_sent(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.after.add("advance")
    await running.confirm(ticket)
    await eventually(lambda: len(running.messenger.shown[ticket.id]) >= 2)
    assert (await running.now(ticket.id)).state is TicketState.NOT_SENT
    assert running.broker.sent == []


async def test_a_card_that_can_not_be_redrawn_either_still_sends_nothing(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.failing.add("advance")
    running.messenger.failures.append(DeliveryDelayed("503"))
    await running.confirm(ticket)
    assert running.broker.sent == []
    running.disk.failing.clear()
    await running.until(ticket, TicketState.NOT_SENT)


async def test_an_answer_that_could_not_be_stored_is_stored_when_the_disk_works_again(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    running.disk.failing.add("advance")
    running.broker.gate.set()
    await asyncio.sleep(0.05)
    assert (await running.now(ticket.id)).state is TicketState.SENDING
    running.disk.failing.clear()
    await press
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert stored.order_id == "order1"
    assert len(running.broker.sent) == 1


async def test_an_answer_whose_store_was_done_after_all_is_told_once(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    running.disk.after.add("advance")
    running.broker.gate.set()
    await press
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert stored.order_id == "order1"


async def test_an_end_that_somebody_else_has_stored_differently_is_left_alone(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket()
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    sending = await running.now(ticket.id)
    gone = replace(sending, state=TicketState.REJECTED, version=sending.version + 1)
    assert await running.journal.advance(sending, gone, ())
    running.broker.gate.set()
    await press
    assert (await running.now(ticket.id)).state is TicketState.REJECTED


async def test_a_request_while_the_journal_is_broken_is_denied(running: Room) -> None:
    running.disk.failing |= {"open"}
    assert await running.refused() == ["DESK_DOWN"]


async def test_a_denial_that_can_not_be_recorded_is_answered_all_the_same(running: Room) -> None:
    running.disk.failing |= {"record"}
    assert await running.refused(replace(ASK, account="Sim102")) == ["NO_POSITION"]


async def test_who_was_turned_away_at_the_gate_is_recorded_where_it_can_be(running: Room) -> None:
    denial = Denial(DenialCode.NO_GRANT, "No.")
    await running.desk.denied(4, 20, "reverse", denial)
    running.disk.failing |= {"record"}
    await running.desk.denied(4, 20, "reverse", denial)


async def test_a_journal_that_can_not_be_read_answers_presses(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.failing |= {"ticket"}
    assert await running.confirm(ticket) == UNREADABLE
    running.disk.failing = {"recent"}
    assert await running.confirm(ticket) == UNREADABLE
    assert running.broker.sent == []


@pytest.mark.parametrize("what", ["failing", "faulty"])
async def test_loops_survive_a_journal_that_is_away_or_at_fault_for_a_while(running: Room, what: str) -> None:
    ticket = await running.ticket()
    broken: set[str] = getattr(running.disk, what)
    broken |= {"live", "due", "delivered", "postpone"}
    meanwhile = await running.ticket()
    await running.passes(40)
    assert running.messenger.shown == {}
    broken.clear()
    for each in (ticket, meanwhile):
        await running.until(each, TicketState.EXPIRED)


async def test_a_delivery_that_could_not_be_marked_is_made_again(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.failing |= {"delivered"}
    await running.cancel(ticket)
    await eventually(lambda: TicketState.CANCELLED in running.messenger.states(ticket.id))
    shown = len(running.messenger.shown[ticket.id])
    running.disk.failing.clear()
    running.clock.pass_by(5)
    await eventually(lambda: len(running.messenger.shown[ticket.id]) > shown)


async def test_a_fault_in_a_delivery_puts_it_off_and_stops_no_other(running: Room) -> None:
    ticket, other = await running.ticket(), await running.ticket(replace(ASK, quantity=2))
    running.rule(routes=())
    running.messenger.failures.append(ZeroDivisionError())
    await running.cancel(ticket)
    await eventually(lambda: not running.messenger.failures)
    await running.cancel(other)
    await running.until(other, TicketState.CANCELLED)
    assert running.messenger.states(ticket.id) == []
    running.clock.pass_by(61)
    await running.until(ticket, TicketState.CANCELLED)


async def test_a_fault_while_sending_is_unknown_never_failed(running: Room) -> None:
    running.broker.surprise = ZeroDivisionError()
    ticket = await running.ticket()
    await running.confirm(ticket)
    await running.until(ticket, TicketState.UNKNOWN)


async def test_a_ticket_that_vanished_is_answered_and_not_drawn(running: Room) -> None:
    await running.desk.not_posted("nobody", "it never was")
    assert running.messenger.shown == {}
