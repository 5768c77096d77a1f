"""News from the broker: they bring a look forward, tell nothing themselves, and can't use up the request budget."""

import asyncio

import pytest

from bot.desk.desk import EVIDENCE_SOONEST
from bot.desk.haste import AT_ONCE, BETWEEN_LOOKS, Haste
from bot.trading.orders import OrderState
from bot.trading.outcomes import Unknown
from bot.trading.tickets import Ticket, TicketState
from tests.desk.conftest import Room
from tests.desk.fakes import Clock, eventually

MOMENT = BETWEEN_LOOKS.total_seconds()


async def followed(room: Room) -> Ticket:
    """A ticket whose order works and was just looked at; the clock stands, so that nothing but news leads to a look."""
    ticket = await room.ticket()
    await room.confirm(ticket)
    return await told(room, ticket, OrderState.WORKING)


async def told(room: Room, ticket: Ticket, state: OrderState) -> Ticket:
    """Wait until the journal has an order's state."""
    async with asyncio.timeout(5):
        while (stored := await room.now(ticket.id)).order_state is not state:
            await asyncio.sleep(0.005)
    return stored


async def rounds(room: Room) -> None:
    """Give the loops some rounds."""
    await asyncio.sleep(0.3)


@pytest.mark.parametrize("account", ["Sim101", "sim101", None, "4711"], ids=str)
async def test_a_fill_is_told_at_once_when_there_are_news(running: Room, account: str | None) -> None:
    await running.desk._refresh()
    ticket = await followed(running)
    running.broker.change(ticket.order_ids[0], OrderState.FILLED, 1)
    running.clock.pass_by(MOMENT)
    await rounds(running)
    assert (await running.now(ticket.id)).filled == 0
    # An account that goes by a number in an event may be any.
    running.desk.news(account)
    assert (await told(running, ticket, OrderState.FILLED)).filled == 1


async def test_news_of_another_account_lead_to_no_look_here(running: Room) -> None:
    await running.desk._refresh()
    ticket = await followed(running)
    running.broker.change(ticket.order_ids[0], OrderState.FILLED, 1)
    running.clock.pass_by(MOMENT)
    reads = running.broker.reads
    running.desk.news("Sim102")
    await rounds(running)
    assert running.broker.reads == reads
    assert (await running.now(ticket.id)).filled == 0


async def test_news_alone_change_nothing(running: Room) -> None:
    await running.desk._refresh()
    ticket = await followed(running)
    running.clock.pass_by(MOMENT)
    reads = running.broker.reads
    running.desk.news("Sim101")
    await eventually(lambda: running.broker.reads > reads)
    await rounds(running)
    assert await running.now(ticket.id) == ticket


async def test_news_that_come_while_the_account_is_being_read_lead_to_another_look(running: Room) -> None:
    await running.desk._refresh()
    ticket = await followed(running)
    running.clock.pass_by(MOMENT)
    running.broker.reading = asyncio.Event()
    reads = running.broker.reads
    running.desk.news("Sim101")
    await eventually(lambda: running.broker.reads > reads)
    running.desk.news("Sim101")
    running.broker.reading.set()
    running.clock.pass_by(MOMENT)
    await eventually(lambda: running.broker.reads > reads + 1)
    assert await running.now(ticket.id) == ticket


async def test_news_bring_the_look_for_an_unknown_outcome_forward(running: Room) -> None:
    running.broker.outcomes.append(Unknown("reset"))
    ticket = await running.ticket()
    await running.confirm(ticket)
    await running.until(ticket, TicketState.UNKNOWN)
    await rounds(running)
    order = running.broker.book(ticket.intent, OrderState.FILLED, 1)
    running.desk.news(None)
    running.clock.pass_by(EVIDENCE_SOONEST.total_seconds() - 0.1)
    await rounds(running)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    running.clock.pass_by(0.2)
    assert (await running.until(ticket, TicketState.ACCEPTED)).order_id == order.id


def test_looks_in_one_account_keep_a_moment_between_them() -> None:
    clock = Clock()
    haste = Haste(clock)
    assert not haste.takes("Sim101")
    haste.ask("Sim101")
    assert haste.takes("Sim101")
    haste.looked("Sim101")
    haste.ask("Sim101")
    clock.pass_by(MOMENT - 0.01)
    assert not haste.takes("Sim101")
    clock.pass_by(0.01)
    assert haste.takes("Sim101")
    haste.looked("Sim101")
    clock.pass_by(60)
    assert not haste.takes("Sim101")


def test_a_storm_of_news_leads_to_a_few_looks_at_once_and_then_to_one_a_second() -> None:
    clock = Clock()
    haste = Haste(clock)
    taken = []
    for tenth in range(200):
        for account in ("Sim101", "Sim102", "Sim103"):
            haste.ask(account)
            if haste.takes(account):
                haste.looked(account)
                taken.append(tenth / 10)
        clock.pass_by(0.1)
    assert len(taken) == AT_ONCE + 19
    assert sum(1 for at in taken if at < 1) == AT_ONCE


async def test_without_news_it_waits_as_long_as_it_may() -> None:
    haste = Haste(Clock())
    began = asyncio.get_running_loop().time()
    await haste.wait(0.05)
    assert asyncio.get_running_loop().time() - began >= 0.04
    haste.ask(None)
    await asyncio.wait_for(haste.wait(60), 5)
