"""The bot's journal as seen from outside while it works: a database of its own for each session, and a look at single tickets.

Nothing is ever written here.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Protocol

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from benchmarks.chaos.plan import Database

SERVER = "postgresql://postgres@127.0.0.1:5432"
_STATE = "SELECT state FROM tickets WHERE id = "


class Journal(Protocol):
    """One session's."""

    @property
    def url(self) -> str:
        """The value of DATABASE_URL."""

    async def state(self, ticket: str) -> str | None:
        """The state of a ticket, ``None`` where it can't be read."""

    async def cut(self) -> None:
        """Cut the bot's connections to the database, where there are any."""


class SqliteJournal:
    """A file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.url = f"sqlite+aiosqlite:///{file}"

    async def state(self, ticket: str) -> str | None:
        """The state of a ticket, ``None`` where it can't be read."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=0.1)) as database:
            row = database.execute(f"{_STATE}?", (ticket,)).fetchone()
            return None if row is None else str(row[0])
        return None

    async def cut(self) -> None:
        """Nothing to cut."""


class PostgresJournal:
    """A database of its own on the server."""

    def __init__(self, name: str, watching: asyncpg.Connection) -> None:
        self._name = name
        self._watching = watching
        # A connection does one thing at a time.
        self._turn = asyncio.Lock()
        self.url = f"{SERVER.replace('postgresql', 'postgresql+asyncpg')}/{name}"

    async def state(self, ticket: str) -> str | None:
        """The state of a ticket, ``None`` where it can't be read."""
        with suppress(asyncpg.PostgresError):
            async with self._turn:
                state = await self._watching.fetchval(f"{_STATE}$1", ticket)
            return None if state is None else str(state)
        return None

    async def cut(self) -> None:
        """Cut every connection but our own."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
        async with self._turn:
            await self._watching.fetch(others, self._name)


async def has_server() -> bool:
    """Tell whether there is a PostgreSQL to work with."""
    try:
        await (await asyncpg.connect(f"{SERVER}/postgres", timeout=3)).close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


@asynccontextmanager
async def journal(database: Database, folder: Path) -> AsyncIterator[Journal]:
    """An empty place for a journal, removed afterwards."""
    if database is Database.SQLITE:
        yield SqliteJournal(folder / "desk.db")
        return
    name = f"chaos_{secrets.token_hex(6)}"
    await _on_server(f"CREATE DATABASE {name}")
    try:
        watching = await asyncpg.connect(f"{SERVER}/{name}")
        try:
            yield PostgresJournal(name, watching)
        finally:
            await watching.close()
    finally:
        await _on_server(f"DROP DATABASE {name} WITH (FORCE)")


async def _on_server(statement: str) -> None:
    connection = await asyncpg.connect(f"{SERVER}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
