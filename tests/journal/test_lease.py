"""Who leads on PostgreSQL: terms, the fence around them, and who takes over from a leader that isn't heard of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.engine import make_url

from bot.errors import JournalError, JournalLocked
from bot.journal.lease import Lease, leads
from bot.journal.links import T, Work
from bot.journal.lock import holder
from bot.journal.opening import opened, standby
from bot.journal.postgres import PostgresLink
from bot.journal.schema import leader, tickets
from bot.journal.standby import Standby, look
from bot.journal.store import SqlJournal
from bot.timings import USUAL
from bot.trading.orders.tickets import Ticket, TicketState
from tests.clocks import HandClock

from .conftest import on_server
from .making import by_hand, claimed, event, stored

LEASE = USUAL.journal.lease


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Eye(PostgresLink):
    """A link that counts what came back over it."""

    looks = 0

    async def run(self, work: Work[T]) -> T:
        result = await super().run(work)
        self.looks += 1
        return result


@dataclass
class Leader:
    """A process that leads and beats only when it writes, as one that was paused."""

    journal: SqlJournal
    lease: Lease
    writes: PostgresLink
    clock: Clock


@pytest.fixture
async def tables(server: str) -> str:
    """A database in which somebody has led before."""
    async with opened(server):
        pass
    return server


@asynccontextmanager
async def leading(url: str, name: str = "first") -> AsyncIterator[Leader]:
    """Lead without a heartbeat."""
    clock = Clock()
    lease = Lease(name, LEASE, clock)
    reads = PostgresLink(make_url(url), USUAL.journal, writes=False)
    writes = PostgresLink(make_url(url), USUAL.journal, writes=True, fence=lease)
    try:
        await writes.run(lease.begin)
        yield Leader(SqlJournal(reads, writes, HandClock(), lease), lease, writes, clock)
    finally:
        await writes.close()
        await reads.close()


async def age(journal: SqlJournal, seconds: float) -> None:
    """Let the last beat be so old by the server's clock."""
    change = update(leader).values(beat_at=leader.c.beat_at - round(seconds * 1_000_000))
    address = journal._reads._engine.url  # type: ignore[attr-defined]  # the link's own engine knows it
    link = PostgresLink(address, USUAL.journal, writes=True)
    await link.run(lambda connection: connection.execute(change))
    await link.close()


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[tuple[Standby, Clock]]:
    """Stand by."""
    clock = Clock()
    standing = Standby(Eye(make_url(url), USUAL.journal, writes=False), LEASE, clock)
    try:
        yield standing, clock
    finally:
        await standing.close()


async def end_of(url: str, pid: int | None) -> None:
    """Wait until the server's process has gone."""
    link = PostgresLink(make_url(url), USUAL.journal, writes=False)
    try:
        async with asyncio.timeout(5):
            while await link.run(holder) == pid:
                await asyncio.sleep(0.01)
    finally:
        await link.close()


async def looked(standing: Standby, times: int) -> None:
    """Wait until it has looked that often again."""
    link = standing._link
    assert isinstance(link, Eye)
    before = link.looks
    async with asyncio.timeout(10):
        while link.looks < before + times:
            await asyncio.sleep(0.01)


async def test_each_leader_begins_a_term_of_its_own_and_says_who_it_is(tables: str) -> None:
    for name, epoch in (("one", 2), ("two", 3)):
        async with leading(tables, name) as led:
            assert led.lease.epoch == epoch
            assert await led.journal._reads.run(leads) == name
    assert led.lease.before == "one"
    async with opened(tables) as journal:
        assert journal.lease is not None
        assert (journal.lease.epoch, journal.lease.before) == (4, "two")
        with pytest.raises(JournalLocked) as caught:
            async with leading(tables):
                pass
        assert caught.value.leader == journal.lease.name
        assert journal.lease.name in str(caught.value)


async def test_the_first_one_of_all_leads_too_and_a_file_has_no_terms(server: str, file: object) -> None:
    async with opened(server) as journal:
        assert journal.lease is not None
        assert (journal.lease.epoch, journal.lease.before, journal.lease.why_not()) == (1, None, None)
    async with opened(f"sqlite+aiosqlite:///{file}") as journal:
        assert journal.lease is None
    assert standby(f"sqlite+aiosqlite:///{file}") is None


async def test_a_leader_writes_nothing_once_there_is_a_newer_term_whoever_holds_the_lock(tables: str) -> None:
    async with leading(tables) as led:
        offer = await stored(led.journal)
        await by_hand(led.journal, "UPDATE leader SET epoch = epoch + 1")
        for _ in range(2):
            with pytest.raises(JournalLocked, match=r"^Another bot leads this desk now"):
                await led.journal.advance(offer, claimed(offer), [event()])
        assert await led.journal.ticket("t1") == offer
        assert led.lease.lost.is_set()
        assert str(led.lease.why_not()).startswith("Another bot leads")
        # The lock is free for whoever leads now.
        assert await led.journal._reads.run(holder) is None


async def test_nothing_may_be_sent_some_time_before_somebody_may_take_over_and_again_after_the_next_write(tables: str) -> None:
    async with leading(tables) as led:
        led.clock.now += LEASE.lasts - LEASE.margin - 0.01
        assert led.lease.why_not() is None
        led.clock.now += 0.01
        assert str(led.lease.why_not()).startswith("The journal's database hasn't been reached")
        await stored(led.journal)
        assert led.lease.why_not() is None


async def test_a_write_counts_from_when_it_was_begun_and_only_if_it_was_committed(tables: str) -> None:
    async with leading(tables) as led:
        offer = await stored(led.journal)
        assert await led.journal.advance(offer, claimed(offer), ())
        led.clock.now += LEASE.lasts
        # Somebody else has changed the ticket: this finds nothing to do, and rolls its beat back.
        assert not await led.journal.advance(offer, claimed(offer), ())
        assert led.lease.why_not() is not None

        def slow(_connection: Connection) -> None:
            led.clock.now += LEASE.lasts

        await led.writes.run(slow)
        assert led.lease.why_not() is not None


async def test_a_leader_whose_connection_broke_goes_on_in_the_same_term(tables: str) -> None:
    async with leading(tables) as led:
        pid = await led.journal._reads.run(holder)
        await on_server(tables.rpartition("/")[2], f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(JournalError, match="can't be reached"):
            await stored(led.journal)
        await stored(led.journal)
        assert (led.lease.epoch, led.lease.lost.is_set()) == (2, False)


async def test_a_connection_that_only_the_server_still_believes_in_is_ended(tables: str) -> None:
    async with leading(tables) as led:
        pid = await led.journal._reads.run(holder)
        # As after a break in the network: the server has not noticed.
        lost, led.writes._connection = led.writes._connection, None
        with pytest.raises(JournalError, match="wait some seconds"):
            await stored(led.journal)
        await end_of(tables, pid)
        await stored(led.journal)
        assert not led.lease.lost.is_set()
        assert lost is not None
        await lost.invalidate()
        await lost.close()


async def test_who_stands_by_takes_over_from_a_leader_that_is_silent_and_what_that_had_begun_is_undone(tables: str) -> None:
    async with leading(tables) as led, watching(tables) as (standing, clock):
        offer = await stored(led.journal)
        begun, go_on = asyncio.Event(), asyncio.Event()
        pressing = asyncio.create_task(_half_a_claim(led, offer, begun, go_on))
        await begun.wait()
        await age(led.journal, 0)
        waiting = asyncio.create_task(standing.turn())
        await looked(standing, 1)
        clock.now += LEASE.lasts
        await looked(standing, 2)
        assert not waiting.done(), "by the server's clock it was heard of just now"
        await age(led.journal, LEASE.lasts)
        # The beat reads otherwise now, as if it had beaten: it gets a whole lease from here.
        await looked(standing, 2)
        assert not waiting.done()
        clock.now += LEASE.lasts
        async with asyncio.timeout(10):
            await waiting
        async with leading(tables, "second") as now:
            go_on.set()
            with pytest.raises(JournalError):
                await pressing
            assert await now.journal.ticket("t1") == offer, "half a claim was undone"
            with pytest.raises(JournalLocked):
                await led.journal.advance(offer, claimed(offer), ())
            assert led.lease.lost.is_set()
            assert await now.journal.advance(offer, claimed(offer), ())
        assert now.lease.before == "first"


async def _half_a_claim(led: Leader, offer: Ticket, begun: asyncio.Event, go_on: asyncio.Event) -> None:
    """A claim that is paused before its commit."""
    connection = led.writes._connection
    assert connection is not None
    await connection.execute(update(tickets).where(tickets.c.id == offer.id).values(state=TicketState.SENDING))
    begun.set()
    await go_on.wait()
    await led.journal.advance(offer, claimed(offer), ())


async def test_who_stands_by_leaves_a_leader_alone_that_beats(tables: str) -> None:
    async with leading(tables) as led, watching(tables) as (standing, clock):
        waiting = asyncio.create_task(standing.turn())
        for _ in range(3):
            await age(led.journal, 0)
            await led.journal.record(event())
            await age(led.journal, 2 * LEASE.lasts)
            await looked(standing, 1)
            clock.now += LEASE.lasts
        await led.journal.record(event())
        assert not waiting.done()
        waiting.cancel()


async def test_a_leader_that_changes_the_tables_has_a_minute(tables: str) -> None:
    async with opened(tables) as journal, watching(tables) as (standing, clock):
        await by_hand(journal, "SELECT pg_advisory_unlock_all()")
        lease = Lease("changes the tables", LEASE)
        writes = PostgresLink(make_url(tables), USUAL.journal, writes=True, fence=lease)
        await writes.run(lambda connection: lease.begin(connection, 60.0))
        seen = await journal._reads.run(look)
        assert -60 <= seen.age < -50
        waiting = asyncio.create_task(standing.turn())
        await looked(standing, 1)
        clock.now += 2 * LEASE.lasts
        await looked(standing, 1)
        assert not waiting.done()
        await writes.close()
        async with asyncio.timeout(10):
            await waiting


async def test_who_stands_by_waits_for_a_database_that_is_away(tables: str, server_database: str) -> None:
    async with opened(tables) as journal, watching(tables) as (standing, _clock):
        waiting = asyncio.create_task(standing.turn())
        await looked(standing, 1)
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%age%'"
        await on_server(server_database, f"SELECT pg_terminate_backend(pid) {others}")
        await looked(standing, 1)
        assert not waiting.done()
        assert journal.lease is not None
        waiting.cancel()


async def test_a_leader_beats_by_itself_until_it_is_deposed(tables: str) -> None:
    def beat(connection: Connection) -> int:
        return int(connection.execute(select(leader.c.beat_at)).scalar_one())

    async with opened(tables) as journal:
        assert journal.lease is not None
        first = await journal._reads.run(beat)
        async with asyncio.timeout(10):
            while await journal._reads.run(beat) == first:
                await asyncio.sleep(0.05)
        await by_hand(journal, "UPDATE leader SET epoch = epoch + 1")
        async with asyncio.timeout(10):
            await journal.lease.lost.wait()


@pytest.mark.parametrize("change", ["UPDATE leader SET beat_at = beat_at - 1", "UPDATE leader SET epoch = epoch - 1"])
async def test_who_stood_by_sees_that_the_database_lacks_what_was_committed_last(tables: str, change: str) -> None:
    async with watching(tables) as (standing, _clock):
        async with leading(tables) as led:
            await stored(led.journal)
            turn = asyncio.create_task(standing.turn())
            await looked(standing, 2)
        await asyncio.wait_for(turn, 10)
        link = PostgresLink(make_url(tables), USUAL.journal, writes=True)
        beat = await link.run(lambda connection: tuple(connection.execute(select(leader.c.epoch, leader.c.beat_at)).one()))
        assert not standing.has_seen_more(beat)
        # Another server has taken over, which had not been told of it.
        await link.run(lambda connection: connection.execute(text(change)))
        await link.close()
        async with leading(tables, "second") as led:
            assert standing.has_seen_more(led.lease.before_beat)
