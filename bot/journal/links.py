"""Links to the database for pieces of work: one long-lived connection each, one piece at a time, whole or not at all.

A piece of work is a plain function of a SQLAlchemy ``Connection``; what it does stands in ``bot.journal.store``. A link lets no
foreign exception out, keeps no connection that has failed, and finishes what it has begun even when its caller is cancelled.
The link to PostgreSQL is in ``bot.journal.postgres``.

SQLite is not reached through aiosqlite, for which its addresses are named: there every statement takes three or four trips
between threads, which together take longer than the commit to disk, and a cancelled caller can leave a transaction half done.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from bot.errors import JournalError
from bot.journal.faults import FOREIGN, is_held, journal_error
from bot.timings import JournalTimings

T = TypeVar("T")
Work = Callable[[Connection], T]

MEMORY = ":memory:"
CLOSED = "The journal is closed: the bot is stopping."


# Of one connection: which one it is, and SQLite's count of what others have committed (PRAGMA data_version).
Stamp = tuple[int, int]


class JournalLink(Protocol):
    """One connection to the database."""

    async def run(self, work: Work[T]) -> T:
        """Do a piece of work in one transaction; raises ``JournalError``."""

    def stamp(self) -> Stamp | None:
        """A mark that stays the same as long as nobody commits anything; ``None`` where it takes a trip to find out."""

    async def close(self) -> None:
        """Let what was begun finish, then close; a second call does nothing."""


class SqliteWrites:
    """SQLite for writing: the whole transaction, from its lock to its commit on disk, goes in one trip to a thread of its own."""

    def __init__(self, file: str, timings: JournalTimings) -> None:
        self._in_memory = file == MEMORY
        self._engine = _engine(file, patience=timings.patience)
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, "journal")
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """Do a piece of work; one that waits its turn is dropped with its caller, one that has begun is not."""
        if self._closed:
            raise JournalError(CLOSED)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)
        except FOREIGN as error:
            raise journal_error(error) from error

    def stamp(self) -> None:
        """Nothing: its own commits don't count for SQLite."""

    async def close(self) -> None:
        """Close behind all work that was handed in."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
            self._thread.shutdown()

    def _transact(self, work: Work[T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        connection = self._connection
        try:
            # At once, as a lock asked for later could come too late for what was read before it.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            result = work(connection)
            connection.commit()
        except BaseException:
            # A database in memory lives in its connection and can't do without it.
            if self._in_memory:
                connection.rollback()
            else:
                self._drop()
            raise
        return result

    def _drop(self) -> None:
        if (connection := self._connection) is not None:
            self._connection = None
            _throw_away(connection)


class SqliteReads:
    """SQLite for reading, in the caller's own thread: an indexed read takes less time than a trip to another one.

    Beside a write-ahead log no read waits for a write, nor for its commit to disk. What may still hold it up, another program
    with the whole file to itself, is waited for without holding up anybody else.
    """

    def __init__(self, file: str, timings: JournalTimings) -> None:
        self._timings = timings
        self._engine = _engine(file, patience=0)
        self._connection: Connection | None = None
        self._connected = 0
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """Do a piece of work that changes nothing."""
        give_up = asyncio.get_running_loop().time() + self._timings.patience
        while True:
            if self._closed:
                raise JournalError(CLOSED)
            try:
                return self._read(work)
            except FOREIGN as error:
                if not is_held(error) or asyncio.get_running_loop().time() > give_up:
                    raise journal_error(error) from error
            await asyncio.sleep(self._timings.held_again)

    def stamp(self) -> Stamp | None:
        """A mark that stays the same as long as nobody else commits anything; ``None`` without a connection."""
        if self._connection is None:
            return None
        try:
            [(count,)] = self._connection.connection.cursor().execute("PRAGMA data_version")
        except sqlite3.Error:
            return None
        return self._connected, count

    async def close(self) -> None:
        """Close it."""
        self._closed = True
        self._drop()

    def _read(self, work: Work[T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                self._connected += 1
            result = work(self._connection)
            self._connection.commit()
        except BaseException:
            self._drop()
            raise
        return result

    def _drop(self) -> None:
        if (connection := self._connection) is not None:
            self._connection = None
            _throw_away(connection)


def _engine(file: str, *, patience: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=file),
        poolclass=NullPool,
        hide_parameters=True,
        # None: transactions are begun by hand; the driver would begin them late and not around a change of the tables.
        connect_args={"isolation_level": None, "timeout": patience},
    )
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(dbapi_connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _throw_away(connection: Connection) -> None:
    # Closing the file rolls back, even where a failed disk would refuse a ROLLBACK.
    connection.invalidate()
    connection.close()
