"""A live journal that somebody has laid hands on, behind the triggers that should have kept them off."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.desk.ports import Event, EventName
from bot.errors import JournalError, ServiceUnreachable, SettingsError
from bot.journal import log
from bot.journal.auditing import NO_HEAD, audited, exported, verified
from bot.journal.export import Finding, Format, check
from bot.journal.opening import opened, read_address
from bot.trading.orders.tickets import TicketState, move

from .conftest import SERVER
from .logs import first_difference, some_events
from .making import NOON, by_hand, claimed, event, ruin, sqlite_url, stored

ROWS = 9
COLUMNS = ("at", "name", "ticket", "actor", "data", "digest")
T = TypeVar("T")
Way = Callable[["Forger"], None]


class Forger:
    """Has a connection of their own, and no triggers in the way."""

    def __init__(self, connection: Connection, chance: random.Random) -> None:
        self.connection = connection
        self.chance = chance
        self.on_server = connection.dialect.name == "postgresql"
        if self.on_server:
            self.do("ALTER TABLE events DISABLE TRIGGER events_append_only")
        else:
            self.do("DROP TRIGGER events_no_UPDATE")
            self.do("DROP TRIGGER events_no_DELETE")

    def do(self, statement: str, *values: object) -> Any:
        """Run a statement."""
        for number in range(len(values) if self.on_server else 0):
            statement = statement.replace("?", f"${number + 1}", 1)
        return self.connection.exec_driver_sql(statement, values)

    def rows(self) -> list[tuple[Any, ...]]:
        """The log, however it stands."""
        found = self.do(f"SELECT seq, {', '.join(COLUMNS)} FROM events ORDER BY seq")  # noqa: S608  our own names
        return [tuple(row) for row in found]

    def some(self) -> int:
        """A row's number."""
        return self.chance.randint(1, ROWS)

    def shift(self, first: int, by: int) -> None:
        """Number all rows from one on anew."""
        self.do("UPDATE events SET seq = -seq WHERE seq >= ?", first)
        self.do("UPDATE events SET seq = ? - seq WHERE seq < 0", by)

    def put(self, seq: int, row: Sequence[Any]) -> None:
        """Insert a row."""
        self.do("INSERT INTO events (seq, at, name, ticket, actor, data, digest) VALUES (?, ?, ?, ?, ?, ?, ?)", seq, *row[1:])


def edited(forger: Forger, value: Any) -> Any:
    """Another value that differs in one byte, or in one bit."""
    if isinstance(value, int):
        return value ^ (1 << forger.chance.randrange(60))
    if value is None:
        return None
    text = value.encode()
    place = forger.chance.randrange(len(text))
    # PostgreSQL takes only what is text; SQLite takes anything.
    other = forger.chance.choice([byte for byte in range(1, 128 if forger.on_server else 256) if byte != text[place]])
    changed = text[:place] + bytes([other]) + text[place + 1 :]
    return changed.decode() if forger.on_server else changed


def edit(forger: Forger) -> None:
    """Another byte somewhere in a row."""
    place = forger.some()
    row = forger.rows()[place - 1]
    column = forger.chance.choice([name for name, value in zip(COLUMNS, row[1:], strict=True) if value is not None])
    value = edited(forger, row[1 + COLUMNS.index(column)])
    new = "?" if forger.on_server or isinstance(value, int) else "CAST(? AS TEXT)"
    forger.do(f"UPDATE events SET {column} = {new} WHERE seq = {place}", value)  # noqa: S608


def fill(forger: Forger) -> None:
    """Nothing becomes something, or something nothing; or a number is another."""
    place = forger.some()
    column, value = forger.chance.choice([("ticket", ""), ("ticket", None), ("actor", 5), ("actor", None), ("seq", place + 100)])
    forger.do(f"UPDATE events SET {column} = ? WHERE seq = {place}", value)  # noqa: S608


def delete(forger: Forger) -> None:
    """A row, or a few; the numbers behind may be closed up."""
    first, many = forger.some(), forger.chance.choice([1, 1, 1, 2, 20])
    forger.do("DELETE FROM events WHERE seq >= ? AND seq < ?", first, first + many)
    if forger.chance.random() < 0.5:
        forger.shift(first + many, -many)


def insert(forger: Forger) -> None:
    """A copy of a row, or an empty one: behind all, before all, or in the midst with the numbers behind moved along."""
    copy = list(forger.rows()[forger.some() - 1])
    if forger.chance.random() < 0.3:
        copy[-1] = ""
    place = forger.chance.choice([-5, 0, ROWS + 1, ROWS + 7, forger.some()])
    if 1 <= place <= ROWS:
        forger.shift(place, 1)
    forger.put(place, copy)


def swap(forger: Forger) -> None:
    """Two rows, whole or in one column."""
    one, other = forger.chance.sample(range(1, ROWS + 1), 2)
    if forger.chance.random() < 0.5:
        for old, new in ((one, -1), (other, one), (-1, other)):
            forger.do("UPDATE events SET seq = ? WHERE seq = ?", new, old)
        return
    column, rows = forger.chance.choice(COLUMNS), forger.rows()
    place = 1 + COLUMNS.index(column)
    for seq, value in ((one, rows[other - 1][place]), (other, rows[one - 1][place])):
        forger.do(f"UPDATE events SET {column} = ? WHERE seq = ?", value, seq)  # noqa: S608


async def behind(url: str, work: Callable[[Connection], T]) -> T:
    """Do something with a journal in one transaction that isn't kept."""
    address = read_address(url)
    if url.startswith("sqlite"):

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(str(address.database), isolation_level=None)
            connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
            return connection

        with create_engine("sqlite://", creator=connect, poolclass=NullPool).connect() as connection:
            connection.exec_driver_sql("BEGIN")
            return work(connection)
    async with create_async_engine(address, poolclass=NullPool).connect() as served:
        return await served.run_sync(work)


def damage(way: Way, seed: int, times: int, connection: Connection) -> list[str]:
    """Lay hands on the log many times, each time as it was; what wasn't found, or not named rightly."""
    chance = random.Random(seed)
    forger = Forger(connection, chance)
    before, missed, done = forger.rows(), [], 0
    while done < times:
        with connection.begin_nested() as attempt:
            way(forger)
            place = first_difference(before, forger.rows())
            found = verified(connection, ())
            attempt.rollback()
        if place is None:
            continue
        done += 1
        if not (found.wrong or "").startswith(f"row {place + 1} was "):
            missed.append(f"row {place + 1}: {found.wrong}")
    return missed


@pytest.fixture
async def kept(url: str) -> str:
    """The address of a journal with some rows."""
    async with opened(url) as journal:
        for event in some_events(random.Random(4), ROWS):
            await journal.record(event)
    return url


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("way", [edit, fill, delete, insert, swap], ids=lambda way: way.__name__)
async def test_a_thousand_damages_are_all_found_and_named(kept: str, way: Way, seed: int) -> None:
    # A thousand of all kinds together on each database; of an export, where they cost less, as many of each kind.
    assert await behind(kept, partial(damage, way, seed, 50)) == []


HEADS = {
    "UPDATE chain_head SET seq = seq + 1": f"row {ROWS + 1} was removed",
    "UPDATE chain_head SET seq = seq - 1": f"row {ROWS - 1} is not what the head that was kept of it says",
    "UPDATE chain_head SET seq = 0": "row 1 was inserted",
    "UPDATE chain_head SET digest = ''": f"row {ROWS} is not what the head that was kept of it says",
    "UPDATE chain_head SET digest = (SELECT digest FROM events WHERE seq = 3)": f"row {ROWS} is not what",
    "DELETE FROM chain_head": NO_HEAD,
    "INSERT INTO chain_head SELECT 2, seq, digest FROM chain_head": NO_HEAD,
}


@pytest.mark.parametrize("statement", HEADS)
async def test_the_head_alone_is_not_touched_unnoticed(kept: str, statement: str) -> None:
    def work(connection: Connection) -> str:
        connection.exec_driver_sql(statement)
        return str(verified(connection, ()).wrong)

    assert (await behind(kept, work)).startswith(HEADS[statement])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = CAST(data AS BLOB) WHERE seq = 4",
        "UPDATE events SET name = CAST(name AS BLOB) WHERE seq = 4",
        "UPDATE events SET at = 'noon' WHERE seq = 4",
        "UPDATE events SET at = at + 0.5 WHERE seq = 4",
        "UPDATE events SET at = 9223372036854775807 WHERE seq = 4",
        "UPDATE events SET actor = 'me' WHERE seq = 4",
        "UPDATE events SET digest = 5 WHERE seq = 4",
        "UPDATE events SET seq = -9223372036854775808 WHERE seq = 1",
        "UPDATE events SET seq = 9223372036854775807 WHERE seq = 9",
        "UPDATE chain_head SET seq = 'nine'",
        "UPDATE chain_head SET digest = x'00'",
    ],
)
async def test_what_only_sqlite_takes_is_found_too(file: Path, statement: str) -> None:
    async with opened(sqlite_url(file)) as journal:
        for event in some_events(random.Random(4), ROWS):
            await journal.record(event)

    def work(connection: Connection) -> Finding:
        Forger(connection, random.Random(0)).do(statement)
        written: list[str] = []
        found = exported(connection, Format.CSV, written.append)
        again = check("".join(written).encode("ascii"))
        assert again is not None
        assert again.wrong is not None
        return found

    place = {"= 1": 1, "= 9": 9}.get(statement[-3:], 4)
    assert str((await behind(sqlite_url(file), work)).wrong).startswith(f"row {place} was" if "events" in statement else NO_HEAD)


async def test_more_rows_than_are_read_at_once_are_all_read(file: Path) -> None:
    events = some_events(random.Random(4), 2001)
    async with opened(sqlite_url(file)) as journal:
        await journal._writes.run(lambda connection: log.append(connection, events))
        found = await audited(sqlite_url(file), partial(verified, marks=()))
        assert (found.wrong, found.last.head.seq) == (None, 2001)
        await by_hand(journal, "DROP TRIGGER events_no_DELETE")
        await by_hand(journal, "DELETE FROM events WHERE seq = 1001")
        found = await audited(sqlite_url(file), partial(verified, marks=()))
        assert found.wrong == "row 1001 was removed"


async def test_every_way_of_writing_leaves_a_chain_that_holds(url: str) -> None:
    async with opened(url) as journal:

        async def sound(rows: int) -> None:
            found = await audited(url, partial(verified, marks=[await journal.head()]))
            assert (found.wrong, found.last.head) == (None, await journal.head())
            assert found.last.head.seq == rows

        await sound(0)
        offer = await stored(journal)
        await sound(1)
        assert await journal.advance(offer, claimed(offer), [event(EventName.CONFIRMED), event(EventName.SENDING)])
        await sound(3)
        assert not await journal.advance(offer, claimed(offer), [event(EventName.SENDING)])
        await sound(3)
        assert await journal.advance(claimed(offer), move(claimed(offer), TicketState.UNKNOWN), [])
        await sound(3)
        odd = Event(NOON, EventName.DENIED, "a\0b\ud800é😀", 2**63 - 1, {"why": "\0\ud800 é 😀", "at": NOON, "x": float("nan")})
        await journal.record(odd)
        await journal.record(replace(odd, at=NOON - timedelta(days=99_999), ticket="", actor=None))
        await sound(5)
        await asyncio.gather(*[journal.record(event(row=row)) for row in range(20)])
        await sound(25)
        with pytest.raises(JournalError):
            await journal.record(Event(NOON, EventName.DENIED, actor=2**70))
        await sound(25)
    async with opened(url) as journal:
        await journal.record(event())
        await sound(26)


async def test_a_journal_whose_head_is_lost_takes_no_rows(url: str) -> None:
    async with opened(url) as journal:
        await journal.record(event())
        await by_hand(journal, "DELETE FROM chain_head")
        with pytest.raises(JournalError):
            await journal.record(event())
        found = await audited(url, partial(verified, marks=()))
        assert found.wrong == NO_HEAD


async def test_an_auditor_sees_one_moment_and_holds_nobody_up(url: str) -> None:
    async with opened(url) as journal:
        for event_ in some_events(random.Random(4), 5):
            await journal.record(event_)
        loop = asyncio.get_running_loop()

        def work(connection: Connection) -> Finding:
            before = log.only_head(connection)
            writing = asyncio.run_coroutine_threadsafe(journal.record(event()), loop) if url.startswith("sqlite") else None
            if writing is not None:
                writing.result(5)
            assert log.only_head(connection) == before
            return verified(connection, ())

        found = await audited(url, work)
        assert (found.wrong, found.last.head.seq) == (None, 5)


async def test_an_auditor_can_change_nothing(kept: str) -> None:
    def work(connection: Connection) -> Finding:
        connection.exec_driver_sql("DELETE FROM chain_head")
        raise AssertionError("that was let through")

    with pytest.raises(JournalError, match="read-only"):
        await audited(kept, work)
    found = await audited(kept, partial(verified, marks=()))
    assert found.wrong is None


async def test_a_journal_of_another_version_or_none_at_all_gets_a_sentence(url: str) -> None:
    work = partial(verified, marks=())
    async with opened(url) as journal:
        for version, sentence in (("9999", "newer version"), ("0005", "older version of the bot: run this version once")):
            await by_hand(journal, f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608
            with pytest.raises(JournalError, match=sentence):
                await audited(url, work)
        await by_hand(journal, "DELETE FROM alembic_version")
        with pytest.raises(JournalError, match="There is no journal in that database yet"):
            await audited(url, work)


async def test_an_address_where_nothing_can_be_read_gets_a_sentence(file: Path, server: str) -> None:
    work = partial(verified, marks=())
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: there is no journal at .*desk\.db"):
        await audited(sqlite_url(file), work)
    # An auditor has made no journal there.
    with file.open("x"):
        pass
    with pytest.raises(JournalError, match="There is no journal in that database yet"):
        await audited(sqlite_url(file), work)
    ruin(file)
    with pytest.raises(JournalError, match="not a journal"):
        await audited(sqlite_url(file), work)
    with pytest.raises(ServiceUnreachable, match="see that its server runs"):
        await audited("postgresql+asyncpg://user:s3cret@127.0.0.1:1/name", work)
    with pytest.raises(SettingsError, match="no database of that name"):
        await audited(f"{SERVER}/nothing_of_that_name", work)
