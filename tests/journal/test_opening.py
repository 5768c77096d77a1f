"""The door: addresses, the lock, and the tables that are made behind it."""

import os
import stat
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.errors import DeskError, JournalError, JournalLocked, SettingsError
from bot.journal.chain import verify
from bot.journal.heads import KeptHead, keep_head
from bot.journal.log import head as head_of
from bot.journal.log import lines
from bot.journal.migrate import NEWEST, migrate
from bot.journal.opening import opened
from bot.journal.schema import metadata
from bot.journal.store import SqlJournal
from bot.journal.upgrade import FOLDER

from .conftest import SERVER
from .making import by_hand, claimed, event, ruin, sqlite_url, stored, unfenced

LATER = ("fills", "fill_spans", "chain_head", "switches", "leader")
TABLES = {"tickets", "events", "outbox", "alembic_version", *LATER}


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def refuse(url: str) -> DeskError:
    """What the door says to that address; nothing of its password is in it, nor in what leads to it."""
    with pytest.raises((JournalError, SettingsError)) as caught:
        async with opened(url):
            pass
    assert "s3cret" not in "".join(traceback.format_exception(caught.value, limit=0))
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "",
        "desk.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///",
        "sqlite+aiosqlite://desk.db",
        "sqlite+aiosqlite://host/desk.db",
        "sqlite:///desk.db",
        "mysql+aiomysql://user:s3cret@host/name",
        "postgresql+psycopg://user:s3cret@host/name",
        "postgresql+asyncpg://user:s3cret@host",
        "postgresql+asyncpg://user:s3cret@host:port/name",
    ],
)
async def test_an_address_that_is_none_of_ours_is_a_wrong_setting_with_an_example(url: str) -> None:
    error = await refuse(url)
    assert str(error) == (
        "DATABASE_URL: write it like sqlite+aiosqlite:///desk.db or postgresql+asyncpg://user:password@host/name."
    )


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:///desk.db?mode=memory", "postgresql+asyncpg://user:s3cret@127.0.0.1:1/name?mode=x"]
)
async def test_an_option_that_is_not_known_is_a_wrong_setting(url: str) -> None:
    assert str(await refuse(url)) == "DATABASE_URL: take the option mode out; it isn't known here."


async def test_a_path_that_cannot_hold_a_file_is_a_wrong_setting(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "desk.db"):
        assert str(await refuse(sqlite_url(path))) == f"DATABASE_URL: {path} must be a file, in a folder that exists."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes such names and fails later")
async def test_a_path_that_no_system_takes_is_a_wrong_setting(tmp_path: Path) -> None:
    for path in (tmp_path / ("x" * 1000), tmp_path / "a\0b"):
        assert str(await refuse(sqlite_url(path))) == "DATABASE_URL: its path is none that this system can use."


async def test_a_folder_where_the_lock_file_should_be_is_told(file: Path) -> None:
    file.with_name("desk.db.lock").mkdir()
    error = await refuse(sqlite_url(file))
    assert isinstance(error, JournalError)
    assert str(error).startswith("The journal")


async def test_a_server_that_does_not_answer_is_told() -> None:
    error = await refuse("postgresql+asyncpg://user:s3cret@127.0.0.1:1/name")
    assert str(error) == "The journal's database can't be reached: see that its server runs."


async def test_a_server_that_knows_no_such_user_or_database_means_a_wrong_setting(server: str) -> None:
    assert "refuses this user" in str(await refuse(server.replace("postgres@", "nobody:s3cret@")))
    error = await refuse(f"{SERVER}/nothing_of_that_name".replace("postgres@", "postgres:s3cret@"))
    assert str(error) == ("DATABASE_URL: the server has no database of that name; make one or write the right name into it.")
    assert isinstance(error, SettingsError)


async def test_a_journal_has_one_owner_at_a_time(url: str) -> None:
    async with opened(url) as journal:
        await stored(journal)
        with pytest.raises(JournalLocked, match="Another process"):
            async with opened(url):
                pass
        assert await journal.ticket("t1") is not None
    async with opened(url) as journal:
        assert await journal.ticket("t1") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own on Windows")
async def test_one_file_reached_by_two_names_has_one_owner_still(file: Path) -> None:
    alias = file.with_name("alias.db")
    async with opened(sqlite_url(file)):
        alias.symlink_to(file)
        with pytest.raises(JournalLocked):
            async with opened(sqlite_url(alias)):
                pass


async def test_a_start_that_fails_gives_the_lock_back(file: Path) -> None:
    ruin(file)
    for _ in range(2):
        error = await refuse(sqlite_url(file))
        assert type(error) is JournalError, "not JournalLocked"


async def test_a_journal_in_memory_works_like_any_other_and_is_forgotten() -> None:
    for _ in range(2):
        async with opened("sqlite+aiosqlite:///:memory:") as journal:
            offer = await stored(journal)
            assert await journal.advance(offer, claimed(offer), [event()])
            assert await journal.live() == [claimed(offer)]


async def test_an_empty_database_gets_every_table_just_as_the_code_describes_it(journal: SqlJournal) -> None:
    def work(connection: Connection) -> tuple[set[str], object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return tables(connection), compare_metadata(context, metadata)

    assert await journal._reads.run(work) == (TABLES, [])


def test_the_newest_change_of_the_tables_is_the_one_that_a_start_looks_for() -> None:
    assert ScriptDirectory(FOLDER).get_heads() == [NEWEST]


# As the first version wrote the intent of a ticket of these tests.
AS_FIRST_WRITTEN = """
    UPDATE tickets SET intent = '{"kind":"reverse","account":"Sim101","contract":["ES",2026,9],"side":"buy","quantity":1,
    "type":"MARKET","tif":"DAY","limit":null,"stop":null,"oco":null,"strategy":null}'
"""


async def test_a_journal_of_an_earlier_version_is_taken_over_with_its_tickets(url: str) -> None:
    async with opened(url) as journal:
        offer = await stored(unfenced(journal))
        await by_hand(journal, AS_FIRST_WRITTEN)
        await by_hand(journal, "DROP INDEX ix_tickets_guarded")
        for column in ("progress", "order_terms", "retired_at", "protection", "guarded", "told", "ended_by_id"):
            await by_hand(journal, f"ALTER TABLE tickets DROP COLUMN {column}")
        await by_hand(journal, "ALTER TABLE events DROP COLUMN digest")
        for table in LATER:
            await by_hand(journal, f"DROP TABLE {table}")
        await by_hand(journal, "UPDATE alembic_version SET version_num = '0001'")
    async with opened(url) as journal:
        assert await journal.ticket("t1") == offer
        assert await journal.advance(offer, claimed(offer), [event()])
        # What was written before there was a chain is in it.
        log, head = await journal._reads.run(lambda connection: (list(lines(connection)), head_of(connection)))
        assert [line.seq for line in log] == [1, 2]
        assert verify(log, head) is None
        # And it is append-only as before.
        with pytest.raises(JournalError, match="contradicts"):
            await by_hand(journal, "UPDATE events SET digest = ''")


async def test_a_database_that_is_up_to_date_is_left_alone(url: str) -> None:
    for _ in range(3):
        async with opened(url) as journal:
            await journal._writes.run(migrate)
            await journal.record(event())
    async with opened(url) as journal:
        assert len(await journal.events("t1")) == 3


async def test_a_change_of_the_tables_that_fails_leaves_nothing_behind(url: str, file: Path) -> None:
    async with opened(url) as journal:
        unfenced(journal)
        for table in ("tickets", "events", *LATER, "alembic_version"):
            cascade = "" if url.startswith("sqlite") else " CASCADE"
            await by_hand(journal, f"DROP TABLE {table}{cascade}")
        if not url.startswith("sqlite"):
            await by_hand(journal, "DROP FUNCTION events_append_only")
        # The last of the three tables is in the way, so the first two are made before it fails.
        with pytest.raises(JournalError, match="tables are not what"):
            await journal._writes.run(migrate)
        assert await journal._reads.run(tables) == {"outbox"}


async def test_a_database_of_a_newer_version_is_refused_in_one_sentence_and_left_as_it_is(url: str) -> None:
    async with opened(url) as journal:
        await stored(journal)
        await by_hand(journal, "UPDATE alembic_version SET version_num = '9999'")
    error = await refuse(url)
    assert str(error) == (
        "The journal was written by a newer version of the bot: start that version, or restore a backup made by this one."
    )


def modes_in(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


def set_modes(folder: Path, mode: int) -> None:
    for each in folder.iterdir():
        each.chmod(mode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("before", [None, 0o644])
async def test_nobody_else_can_read_a_journal_and_what_stands_beside_it(tmp_path: Path, before: int | None) -> None:
    file, heads = tmp_path / "desk.db", tmp_path / "desk.db.heads"
    if before is not None:
        async with opened(f"sqlite+aiosqlite:///{file}"):
            pass
        set_modes(tmp_path, before)
    usual = os.umask(0o022)
    try:
        async with opened(f"sqlite+aiosqlite:///{file}") as journal:
            await stored(journal)
            keep_head(heads, KeptHead(datetime(2026, 8, 3, tzinfo=UTC), await journal.head()))
            modes = modes_in(tmp_path)
    finally:
        os.umask(usual)
    assert modes == dict.fromkeys(("desk.db", "desk.db-wal", "desk.db-shm", "desk.db.lock", "desk.db.heads"), 0o600)
