"""A journal that has lost what was stored last: an order that is in the market is never told as expired or forgotten."""

import asyncio

import pytest
from sqlalchemy import Connection, text

from bot.desk.desk import Desk
from bot.desk.execution.send import FORGOTTEN
from bot.desk.ports import EventName, Tone
from bot.desk.requests import CloseRequest, FlattenRequest, PlaceRequest, ReverseRequest, TicketRequest
from bot.desk.tracking.doubts import JournalTrust
from bot.desk.tracking.recovery import GONE_BACK, LACKING
from bot.journal.store import SqlJournal
from bot.trading.orders.intents import PlaceOrder, VerifiedReverse
from bot.trading.orders.outcomes import Rejected
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState, move
from tests.desk.conftest import ASK, HERE, NEWS_CHANNEL, Room
from tests.desk.fakes import eventually

VERIFIED = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, mode="verified")
PLACED = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
CLOSE = CloseRequest("Sim101", "ES 09-26")
FLATTEN = FlattenRequest("instrument", "Sim101", "ES 09-26")


async def taken_over(room: Room, trust: JournalTrust) -> Desk:
    """Another process takes the journal over, as it is."""
    await room.desk.abandon()
    desk = room.again()
    await desk.start(trust)
    return desk


async def in_the_market(room: Room, asked: TicketRequest) -> Ticket:
    """An open ticket whose order has been sent, all the same: the journal has lost that it was claimed."""
    ticket = await room.ticket(asked)
    intent = ticket.intent
    if isinstance(intent, VerifiedReverse):
        intent = PlaceOrder(intent.account, intent.contract, intent.terms, intent.client_order_id)
    room.broker.book(intent, OrderState.WORKING)
    await room.passes(2)
    return ticket


async def goes_back(room: Room, ticket: Ticket, changes: int = 0, state: str = "offered") -> None:
    """The database is another one, which has not heard of what this ticket has come to."""
    assert isinstance(room.journal, SqlJournal)
    statement = "UPDATE tickets SET state = :state, version = :version, order_ids = '[]', ended_at = NULL WHERE id = :id"

    def work(connection: Connection) -> None:
        connection.execute(text(statement), {"id": ticket.id, "version": ticket.version + changes, "state": state})

    await room.journal._writes.run(work)


async def found(room: Room, ticket: Ticket) -> Ticket:
    """Wait until its order was found; the ticket then."""
    async with asyncio.timeout(60):
        while (stored := await room.now(ticket.id)).state is not TicketState.ACCEPTED:
            await asyncio.sleep(0.1)
    return stored


@pytest.mark.parametrize("trust", [JournalTrust.LOOKS, JournalTrust.NONE])
@pytest.mark.parametrize("asked", [ASK, PLACED, VERIFIED])
async def test_what_the_market_has_is_not_told_as_expired(running: Room, asked: TicketRequest, trust: JournalTrust) -> None:
    ticket = await in_the_market(running, asked)
    desk = await taken_over(running, trust)
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert TicketState.EXPIRED not in running.messenger.states(ticket.id)
    assert stored.order_ids[0] in running.broker.book_orders[-1].ids
    assert running.broker.sent == []
    assert any("unknown" in notice.text for notice in running.messenger.told if notice.tone is Tone.ALARM)
    await desk.close()


@pytest.mark.parametrize("asked", [ASK, PLACED, VERIFIED, CLOSE, FLATTEN])
async def test_what_the_market_doesnt_have_expires_where_nothing_is_known_to_lack(running: Room, asked: TicketRequest) -> None:
    ticket = await running.ticket(asked)
    desk = await taken_over(running, JournalTrust.LOOKS)
    assert (await running.now(ticket.id)).state is TicketState.EXPIRED
    await desk.close()


@pytest.mark.parametrize("asked", [ASK, PLACED, VERIFIED])
async def test_where_a_claim_may_be_lacking_nothing_is_said_before_it_was_looked_for_twice(
    running: Room, asked: TicketRequest
) -> None:
    ticket = await running.ticket(asked)
    desk = await taken_over(running, JournalTrust.NONE)
    stored = await running.now(ticket.id)
    assert (stored.state, stored.outcome) == (TicketState.UNKNOWN, LACKING)
    stored = await running.until(ticket, TicketState.NEVER_ARRIVED, 90)
    assert "never left" not in (stored.outcome or "")
    await desk.close()


async def test_a_flatten_whose_claim_may_be_lacking_is_told_as_what_is_read(running: Room) -> None:
    ticket = await running.ticket(FLATTEN)
    running.broker.book_positions.clear()
    desk = await taken_over(running, JournalTrust.NONE)
    await running.until(ticket, TicketState.ACCEPTED)
    await desk.close()


async def test_where_it_cant_be_looked_for_it_may_have_been_sent(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.failing |= {"orders"}
    desk = await taken_over(running, JournalTrust.LOOKS)
    assert (await running.now(ticket.id)).state is TicketState.UNKNOWN
    await desk.close()


async def test_a_row_that_goes_back_behind_the_leaders_back_is_told_and_looked_for(running: Room) -> None:
    ticket = await running.ticket()
    await running.confirm(ticket)
    await running.until(ticket, TicketState.ACCEPTED)
    await goes_back(running, ticket)
    running.desk._loops.changed()
    await running.until(ticket, TicketState.UNKNOWN)
    stored = await found(running, ticket)
    assert stored.order_ids == (running.broker.book_orders[-1].ids[0],)
    assert TicketState.EXPIRED not in running.messenger.states(ticket.id)
    assert len(running.broker.sent) == 1


async def test_an_end_is_stored_although_the_claim_in_front_of_it_is_lost(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.gate = asyncio.Event()
    press = asyncio.ensure_future(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    await goes_back(running, ticket)
    running.broker.gate.set()
    await press
    stored = await running.now(ticket.id)
    assert (stored.state, stored.confirmed_at is not None) == (TicketState.ACCEPTED, True)
    assert stored.order_id == running.broker.book_orders[-1].id
    events = [str(event.data.get("why")) for event in await running.journal.events(ticket.id)]
    assert "gone back" in events
    assert any(GONE_BACK in notice.text for notice in running.messenger.told)


@pytest.mark.parametrize("asked", [ASK, FLATTEN, VERIFIED], ids=["order", "flatten", "verified"])
async def test_an_end_that_the_journal_cant_take_is_told_to_people(running: Room, asked: TicketRequest) -> None:
    ticket = await running.ticket(asked)
    running.broker.gate = asyncio.Event()
    press = asyncio.ensure_future(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    # Another machine has had the database for a moment, and has told it as it saw it there.
    await goes_back(running, ticket, changes=9)
    open_again = await running.now(ticket.id)
    await running.desk._recovery._expire(open_again, None)
    running.broker.gate.set()
    await press
    await eventually(lambda: len([n for n in running.messenger.told if "journal is behind" in n.text]) == 2)
    told = [notice for notice in running.messenger.told if "journal is behind" in notice.text]
    assert {notice.channel for notice in told} == {HERE.channel, NEWS_CHANNEL}
    came_back = running.broker.book_orders[-1].id if asked is ASK else GONE_BACK
    assert all(came_back in notice.text and notice.tone is Tone.ALARM for notice in told)
    assert len(running.broker.sent) == 1


async def forgets(room: Room, ticket: Ticket) -> None:
    """The database is another one, which has never heard of this ticket."""
    assert isinstance(room.journal, SqlJournal)

    def work(connection: Connection) -> None:
        connection.execute(text("DELETE FROM outbox WHERE ticket = :id"), {"id": ticket.id})
        connection.execute(text("DELETE FROM tickets WHERE id = :id"), {"id": ticket.id})

    await room.journal._writes.run(work)


async def forgotten_on_its_way(room: Room, asked: TicketRequest) -> Ticket:
    """A ticket of which the journal loses everything while its first call is on its way; as it is when the press is over."""
    ticket = await room.ticket(asked)
    room.broker.gate = asyncio.Event()
    press = asyncio.ensure_future(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    await room.passes(room.timings.sending_shown_after.total_seconds() + 1)
    assert room.messenger.states(ticket.id)[-1:] == [TicketState.SENDING]
    await forgets(room, ticket)
    room.messenger.told.clear()
    room.broker.gate.set()
    await press
    return await room.now(ticket.id)


def told_in(room: Room, words: str) -> set[int]:
    """The channels in which something was told."""
    return {notice.channel for notice in room.messenger.told if words in notice.text}


async def test_the_end_of_an_order_that_the_journal_has_forgotten_is_told_and_shown_on_its_card(running: Room) -> None:
    ticket = await forgotten_on_its_way(running, ASK)
    order = running.broker.book_orders[-1].id
    assert (ticket.state, ticket.order_id, ticket.message) == (TicketState.ACCEPTED, order, 7000)
    await running.until(ticket, TicketState.ACCEPTED)
    assert running.messenger.shown[ticket.id][-1].order_id == order
    await eventually(lambda: told_in(running, order) == {NEWS_CHANNEL})
    assert len(running.broker.sent) == 1
    events = await running.journal.events(ticket.id)
    assert [event.name for event in events if event.data.get("why") == FORGOTTEN] == [EventName.SENDING]


async def test_the_refusal_of_an_order_that_the_journal_has_forgotten_is_told_and_shown_on_its_card(running: Room) -> None:
    running.broker.outcomes.append(Rejected("no such instrument", 400))
    ticket = await forgotten_on_its_way(running, PLACED)
    assert "no such instrument" in (ticket.outcome or "")
    await running.until(ticket, TicketState.REJECTED)
    await eventually(lambda: told_in(running, "no such instrument") == {NEWS_CHANNEL})


async def test_a_lost_answer_of_an_order_that_the_journal_has_forgotten_is_looked_for(running: Room) -> None:
    running.broker.losing.add(PlaceOrder)
    ticket = await forgotten_on_its_way(running, PLACED)
    assert (await found(running, ticket)).order_ids[0] in running.broker.book_orders[-1].ids
    assert len(running.broker.sent) == 1


async def test_that_nothing_was_sent_is_stored_although_the_journal_has_forgotten_the_ticket(running: Room) -> None:
    ticket = await running.ticket()
    running.disk.failing.add("advance")
    await running.confirm(ticket)
    await forgets(running, ticket)
    running.disk.failing.clear()
    await eventually(lambda: told_in(running, "Not sent") == {NEWS_CHANNEL})
    assert (await running.now(ticket.id)).state is TicketState.NOT_SENT
    assert running.messenger.states(ticket.id)[-1] is TicketState.NOT_SENT
    assert [event.name for event in await running.journal.events(ticket.id)][-2:] == [EventName.OFFERED, EventName.NOT_SENT]
    assert running.broker.sent == []


@pytest.mark.parametrize(
    ("asked", "end"), [(FLATTEN, TicketState.ACCEPTED), (VERIFIED, TicketState.NEVER_ARRIVED)], ids=["flatten", "verified"]
)
async def test_what_takes_several_calls_stops_where_the_journal_has_forgotten_it_and_is_told_as_it_is_read(
    running: Room, asked: TicketRequest, end: TicketState
) -> None:
    ticket = await forgotten_on_its_way(running, asked)
    assert (ticket.state, ticket.outcome) == (TicketState.UNKNOWN, GONE_BACK)
    assert [step.state for step in ticket.progress.steps] == [StepState.ACCEPTED]
    await running.until(ticket, TicketState.UNKNOWN)
    await eventually(lambda: told_in(running, GONE_BACK) == {NEWS_CHANNEL})
    await running.until(ticket, end, 90)
    assert len(running.broker.sent) == 1


async def test_an_end_that_was_found_by_then_is_told_once(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.gate = asyncio.Event()
    running.broker.outcomes.append(Rejected("no", 400))
    press = asyncio.ensure_future(running.confirm(ticket))
    await eventually(lambda: bool(running.broker.sent))
    await running.desk._recovery.lost(await running.now(ticket.id))
    unknown = await running.now(ticket.id)
    rejected = move(unknown, TicketState.REJECTED, ended_at=running.clock(), outcome="NinjaTrader rejected the order.")
    await running.desk._recorder.move(unknown, rejected, EventName.REJECTED)
    running.broker.gate.set()
    await press
    await running.passes(60)
    assert (await running.now(ticket.id)).outcome == rejected.outcome
    assert not [notice for notice in running.messenger.told if "journal is behind" in notice.text]


async def test_what_was_on_its_way_when_the_database_lost_its_end_is_looked_for(running: Room) -> None:
    ticket = await running.ticket()
    await running.confirm(ticket)
    await running.until(ticket, TicketState.ACCEPTED)
    await goes_back(running, ticket, state="sending")
    running.desk._loops.changed()
    await eventually(lambda: any(GONE_BACK in notice.text for notice in running.messenger.told))
    stored = await found(running, ticket)
    assert stored.order_ids == (running.broker.book_orders[-1].ids[0],)
    assert len(running.broker.sent) == 1


async def test_a_row_that_was_read_before_its_order_left_has_not_gone_back(running: Room) -> None:
    ticket = await running.ticket()
    await running.confirm(ticket)
    await running.until(ticket, TicketState.ACCEPTED)
    await running.desk._recovery.expire([ticket])
    assert (await running.now(ticket.id)).state is TicketState.ACCEPTED
    assert TicketState.UNKNOWN not in running.messenger.states(ticket.id)
