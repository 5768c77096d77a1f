"""The host's clock is set: people are told, nothing that the desk waits for comes earlier or later, and the next start knows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import CloseRequest, FlattenRequest, TicketRequest
from bot.trading.market.facts import Execution
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import Route
from tests.desk.conftest import NEWS_CHANNEL, Room
from tests.desk.fakes import ES, Clock, eventually
from tests.desk.test_afterwards import lost
from tests.desk.test_started import starts

HOUR = timedelta(hours=1)


async def test_a_clock_that_was_set_is_told_once_and_stored(room: Room) -> None:
    room.rule(routes=(Route(NEWS_CHANNEL, frozenset({EventName.CLOCK_SET}), ()),))
    room.clock.ahead = -HOUR
    await room.desk._clockwatch.look()
    await room.desk._clockwatch.look()
    room.clock.ahead = timedelta(seconds=-3510)
    await room.desk._clockwatch.look()
    await room.desk._outbox.flush(5)
    told = [notice.text for notice in room.messenger.told]
    assert ["set · 1 h back" in told[0], "set · 1 min 30 s ahead" in told[1], len(told)] == [True, True, 2]
    last = await room.journal.last({EventName.CLOCK_SET})
    assert last is not None
    assert last.data == {"seconds": 90.0, "in_all": -3510.0}


async def test_what_is_left_is_found_by_its_time_at_the_next_start(room: Room) -> None:
    ticket = await room.ticket()
    sending = replace(ticket, state=TicketState.SENDING, version=2, sent_at=room.clock())
    assert await room.journal.advance(ticket, sending, (), show=False)
    room.clock.ahead = HOUR
    await room.desk._clockwatch.look()
    # The next process begins with the host's clock as it is.
    room.clock = Clock(HOUR)
    await starts(room)
    await eventually(lambda: TicketState.UNKNOWN in room.messenger.states(ticket.id))
    assert (await room.now(ticket.id)).sent_at == ticket.created_at + HOUR


async def cut_short(room: Room) -> Ticket:
    """An order that was on its way when its run ended; the next one begins with the host's clock an hour ahead."""
    ticket = await room.ticket()
    sending = replace(ticket, state=TicketState.SENDING, version=2, sent_at=room.clock())
    assert await room.journal.advance(ticket, sending, (), show=False)
    room.clock = Clock(HOUR)
    return ticket


async def test_what_was_set_while_no_run_saw_it_is_found_by_the_count_of_the_machine(running: Room) -> None:
    ticket = await cut_short(running)
    await starts(running)
    await running.until(ticket, TicketState.NEVER_ARRIVED, 90)
    sent_at = (await running.now(ticket.id)).sent_at
    assert sent_at is not None
    assert abs(sent_at - ticket.created_at - HOUR) < timedelta(seconds=5)


async def test_a_fill_of_before_counts_though_the_clock_was_set_ahead_while_no_run_saw_it(running: Room) -> None:
    sold = Execution("e1", "gone1", "Sim101", ES, Side.BUY, 1, Decimal(5801), running.clock())
    ticket = await cut_short(running)
    running.broker.book_executions.append(sold)
    await starts(running)
    assert (await running.until(ticket, TicketState.ACCEPTED, 90)).order_id == "gone1"


async def test_of_another_start_of_the_machine_nothing_is_concluded(running: Room) -> None:
    ticket = await cut_short(running)
    running.clock.boot = "another"
    await starts(running)
    await eventually(lambda: TicketState.UNKNOWN in running.messenger.states(ticket.id))
    assert (await running.now(ticket.id)).sent_at == ticket.created_at


def sleeps(room: Room, seconds: float) -> None:
    """The machine was suspended: the count and the host's clock go on, timers don't."""
    awake = room.clock.seconds
    room.clock.seconds = lambda: awake() + seconds
    room.clock.ahead += timedelta(seconds=seconds)


async def test_a_card_that_ran_out_while_the_machine_slept_is_closed_as_soon_as_it_wakes(running: Room) -> None:
    ticket = await running.ticket()
    sleeps(running, 60)
    await running.until(ticket, TicketState.EXPIRED, running.timings.clock_every.total_seconds() + 0.5)


async def test_evidence_that_came_while_the_machine_slept_is_found_as_soon_as_it_wakes(running: Room) -> None:
    ticket = await lost(running)
    looks = running.broker.called.count("orders")
    await eventually(lambda: running.broker.called.count("orders") > looks)
    await running.passes(0.1)
    running.broker.book(ticket.order)
    sleeps(running, 60)
    await running.until(ticket, TicketState.ACCEPTED, running.timings.clock_every.total_seconds() + 0.5)


@pytest.mark.parametrize("request_", [FlattenRequest("instrument", "Sim101", "ESU3"), CloseRequest("Sim101", "ESU3")])
async def test_a_year_of_one_digit_is_read_by_the_calendar_that_people_see(room: Room, request_: TicketRequest) -> None:
    """A machine that begins with a clock years behind and is then set: whoever types ``ESU3`` means the coming one."""
    september = Contract("ES", 2033, 9)
    room.broker.book_positions["Sim101", september] = 2
    room.clock.ahead = timedelta(days=7 * 365)
    assert (await room.ticket(request_)).intent.touches("Sim101", september)
