"""What goes wrong with disks and databases becomes one plain sentence, and is over when it is over."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import ENOSPC, EROFS
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError

from bot.errors import JournalError, JournalLocked
from bot.journal.faults import FOREIGN, journal_error
from bot.journal.opening import opened

from .conftest import on_server
from .making import ask, beside, by_hand, claimed, event, is_ruined, ruin, sqlite_url, stored

PAGE = 4096
MEMORY = "sqlite+aiosqlite:///:memory:"


def scratch(file: Path) -> None:
    """Destroy all of a database but its first page."""
    with file.open("r+b") as raw:
        for page in range(1, file.stat().st_size // PAGE):
            raw.seek(page * PAGE)
            raw.write(b"\xff" * PAGE)


@contextmanager
def held(file: Path, *statements: str) -> Iterator[sqlite3.Connection]:
    """Another program that works with the file."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        yield connection


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("max_page_count = 1", "The journal's disk is full: free some space."),
        ("query_only = ON", "The journal can't be written: its file, folder or disk is read-only."),
    ],
)
async def test_a_failing_write_is_told_takes_nothing_in_and_the_next_one_works(file: Path, trouble: str, sentence: str) -> None:
    async with opened(sqlite_url(file)) as journal:
        offer = await stored(journal)
        await by_hand(journal, f"PRAGMA {trouble}")
        big = claimed(offer, outcome="x" * 100_000)
        with pytest.raises(JournalError) as caught:
            await journal.advance(offer, big, [event()])
        assert str(caught.value) == sentence
        assert isinstance(caught.value.__cause__, SQLAlchemyError)
        assert await journal.ticket("t1") == offer
        assert await journal.advance(offer, big, [event()])


async def test_a_journal_in_memory_survives_its_errors(file: Path) -> None:
    async with opened(MEMORY) as journal:
        offer = await stored(journal)
        with pytest.raises(JournalError, match="contradicts"):
            await stored(journal)
        assert await journal.ticket("t1") == offer


async def test_a_file_that_another_program_holds_is_told_after_some_patience(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal, beside(file, patience=0.05) as hasty:
        offer = await stored(journal)
        with held(file, "BEGIN IMMEDIATE"):
            assert await hasty.ticket("t1") == offer, "reading needs no lock"
            with pytest.raises(JournalError, match="held by another program"):
                await hasty.advance(offer, claimed(offer), ())
        assert await hasty.advance(offer, claimed(offer), ())


async def test_a_read_waits_for_a_program_that_has_the_file_to_itself(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        offer = await stored(journal)
    alone = ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "UPDATE outbox SET attempts = 0", "COMMIT")
    async with beside(file, patience=0.05) as hasty, beside(file) as patient:
        with held(file, *alone):
            with pytest.raises(JournalError, match="held by another program"):
                await hasty.ticket("t1")
            waiting = asyncio.create_task(patient.ticket("t1"))
            await asyncio.sleep(0)
            assert not waiting.done()
        assert await waiting == offer


async def test_a_read_that_waits_ends_when_the_journal_is_closed(file: Path) -> None:
    async with opened(sqlite_url(file)):
        pass
    async with beside(file) as patient:
        with held(file, "PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "UPDATE outbox SET attempts = 0"):
            waiting = asyncio.create_task(patient.ticket("t1"))
            await asyncio.sleep(0)
            await patient._reads.close()
            with pytest.raises(JournalError, match="closed"):
                await waiting


async def test_a_file_that_is_no_journal_is_told(file: Path) -> None:
    ruin(file)
    with pytest.raises(JournalError, match="damaged"):
        async with opened(sqlite_url(file)):
            pass
    assert is_ruined(file), "and left as it is"


async def test_a_file_that_is_damaged_while_it_is_used_is_told(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        await stored(journal)
    scratch(file)
    # Waiting would mend nothing here, so nobody waits.
    async with asyncio.timeout(2), beside(file) as journal:
        for attempt in (journal.ticket("t1"), journal.record(event())):
            with pytest.raises(JournalError, match="damaged"):
                await attempt


async def test_tables_of_something_else_are_told(file: Path) -> None:
    ask(file, "CREATE TABLE tickets (id TEXT)")
    with pytest.raises(JournalError, match="tables are not what"):
        async with opened(sqlite_url(file)):
            pass


async def test_a_file_whose_folder_went_away_is_told(file: Path) -> None:
    async with beside(file.parent / "gone" / "desk.db") as journal:
        for attempt in (journal.ticket("t1"), journal.record(event())):
            with pytest.raises(JournalError, match="can't be opened"):
                await attempt


class DriverError(Exception):
    """As asyncpg's: they carry the server's code."""

    def __init__(self, code: str) -> None:
        super().__init__("words of the server, perhaps with a password")
        self.sqlstate = code


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(ENOSPC, "full"), "disk is full"),
        (OSError(EROFS, "read-only"), "is read-only"),
        (FileNotFoundError(2, "no such file", "desk.db.lock"), "can't be opened"),
        (ConnectionRefusedError(111, "refused"), "can't be reached"),
        (TimeoutError(), "can't be reached"),
        (OverflowError("too large"), r"failed \(OverflowError\): see the log"),
        (SQLAlchemyError("something"), r"failed \(SQLAlchemyError\): see the log"),
        (DBAPIError("SELECT 1", {}, DriverError("53100")), "disk is full"),
        (DBAPIError("SELECT 1", {}, DriverError("25006")), "is read-only"),
        (DBAPIError("SELECT 1", {}, DriverError("40P01")), "held by another program"),
        (DBAPIError("SELECT 1", {}, DriverError("57P01")), "can't be reached"),
        (DBAPIError("SELECT 1", {}, DriverError("42501")), "must use the one user"),
        (DBAPIError("SELECT 1", {}, DriverError("XX001")), "damaged"),
        (DBAPIError("SELECT 1", {}, RuntimeError("protocol"), connection_invalidated=True), "can't be reached"),
        (InterfaceError("SELECT 1", {}, RuntimeError("closed")), "can't be reached"),
        (DBAPIError("SELECT 1", {}, DriverError("0A000")), r"failed \(0A000\): see the log"),
    ],
    ids=repr,
)
def test_each_trouble_has_its_sentence_and_no_foreign_words(error: Exception, sentence: str) -> None:
    told = journal_error(error)
    assert isinstance(error, FOREIGN)
    assert type(told) is JournalError
    with pytest.raises(JournalError, match=rf"^The journal.*{sentence}.*\.$"):
        raise told
    assert "password" not in str(told)


async def cut_off(database: str) -> None:
    """End all connections to the database, as a restart of the server would."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    await on_server(database, f"SELECT pg_terminate_backend(pid) {others}")


async def test_a_server_that_was_away_is_told_once_and_then_used_again(server: str, server_database: str) -> None:
    async with opened(server) as journal:
        offer = await stored(journal)
        assert await journal.live() == [offer]
        await cut_off(server_database)
        with pytest.raises(JournalError, match="can't be reached"):
            await journal.live()
        # A heartbeat may have met it first; then there is a new connection already.
        await asyncio.gather(journal.record(event()), return_exceptions=True)
        assert await journal.live() == [offer]
        assert await journal.advance(offer, claimed(offer), ())
        with pytest.raises(JournalLocked):
            async with opened(server):
                pass


async def test_who_loses_the_lock_with_the_connection_to_another_cannot_write_ever_again(
    server: str, server_database: str
) -> None:
    async with opened(server) as journal:
        offer = await stored(journal)
        await cut_off(server_database)
        async with opened(server) as other:
            with pytest.raises(JournalError):
                await journal.record(event())
            with pytest.raises(JournalLocked):
                await journal.advance(offer, claimed(offer), ())
            assert await other.ticket("t1") == offer
        with pytest.raises(JournalLocked, match="leads this desk now"):
            await journal.advance(offer, claimed(offer), ())
        assert await journal.ticket("t1") == offer
