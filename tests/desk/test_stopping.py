"""Told to stop: nothing is claimed any more, whoever is inside is answered, and ``stopped`` is the last line of the run."""

import asyncio

import pytest

from bot.desk.locks import STOPPING
from bot.desk.outbox.recording import SHUT
from bot.desk.ports import EventName
from bot.desk.requests import CloseRequest, FlattenRequest, Refused, SwitchRequest, TicketRequest
from bot.errors import JournalError
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import DenialCode
from tests.desk.conftest import ASK, HERE, TRADER, Room
from tests.desk.fakes import eventually

CLOSE = CloseRequest("Sim101", "ES 09-26")
FLATTEN = FlattenRequest("instrument", "Sim101", "ES 09-26")
READS = frozenset({"account", "positions", "orders", "quote"})


async def last(room: Room) -> EventName:
    """The newest of what a stop must lie behind."""
    event = await room.journal.last(frozenset(EventName))
    assert event is not None
    return event.name


@pytest.mark.parametrize("asked", [ASK, CLOSE, FLATTEN])
async def test_a_press_that_is_being_decided_is_answered_and_sends_nothing(running: Room, asked: TicketRequest) -> None:
    ticket = await running.ticket(asked)
    running.broker.hanging |= READS
    press = asyncio.ensure_future(running.confirm(ticket))
    await running.passes(0.1)
    began = running.clock.seconds()
    await running.desk.close()
    assert running.clock.seconds() - began < 1
    assert press.done()
    assert await press is None
    stored = await running.now(ticket.id)
    assert stored.state is TicketState.DENIED
    assert STOPPING in (stored.outcome or "")
    assert running.messenger.states(ticket.id)[-1] is TicketState.DENIED
    assert running.broker.sent == []
    assert await last(running) is EventName.STOPPED


async def test_a_press_that_waits_for_another_ones_turn_is_answered_too(running: Room) -> None:
    first, second = await running.ticket(), await running.ticket()
    running.broker.hanging |= READS
    presses = [asyncio.ensure_future(running.confirm(ticket)) for ticket in (first, second)]
    await running.passes(0.1)
    await running.desk.close()
    assert await asyncio.gather(*presses) == [None, None]
    assert [(await running.now(ticket.id)).state for ticket in (first, second)] == [TicketState.DENIED] * 2


async def test_what_is_decided_at_that_very_moment_is_not_claimed(running: Room) -> None:
    ticket = await running.ticket()
    # It is decided, and another one's claim is just being stored; the word to stop comes then.
    async with running.desk._locks.claiming:
        press = asyncio.ensure_future(running.confirm(ticket))
        await running.passes(0.1)
        closing = asyncio.ensure_future(running.desk.close())
        await running.passes(0.1)
    await closing
    assert await press is None
    assert (await running.now(ticket.id)).state is TicketState.DENIED
    assert running.broker.sent == []


async def test_a_request_that_is_being_read_for_is_answered_and_makes_no_ticket(running: Room) -> None:
    running.broker.hanging |= READS
    asking = asyncio.ensure_future(running.desk.offer(TRADER, HERE, ASK))
    await running.passes(0.1)
    await running.desk.close()
    made = await asking
    assert isinstance(made, Refused)
    assert [denial.code for denial in made.denials] == [DenialCode.DESK_DOWN]
    assert await running.journal.live() == []
    assert await last(running) is EventName.STOPPED


async def test_a_press_whose_order_is_given_up_has_its_answer_all_the_same(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.gate = asyncio.Event()
    press = asyncio.ensure_future(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    await running.desk.close()
    assert await press is None
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    assert await last(running) is EventName.STOPPED


async def test_behind_the_last_line_nothing_is_stored(running: Room) -> None:
    ticket = await running.ticket()
    await running.desk.close()
    assert await running.confirm(ticket) == STOPPING
    with pytest.raises(JournalError, match=SHUT):
        await running.desk.record(EventName.AUDIT_HEAD, data={})
    refused = await running.desk.halt(TRADER, HERE, SwitchRequest("halt", "desk"))
    assert isinstance(refused, Refused)
    assert SHUT in refused.denials[0].sentence
    assert await last(running) is EventName.STOPPED
