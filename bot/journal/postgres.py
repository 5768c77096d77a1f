"""The link to PostgreSQL; see ``bot.journal.links`` for what a link is.

Loaded only where there is one, as SQLAlchemy's asyncio brings its whole ORM along, which takes a tenth of the start.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import JournalError
from bot.journal.faults import FOREIGN, journal_error
from bot.journal.links import CLOSED, T, Work
from bot.journal.tls import tls_of, without_tls
from bot.timings import JournalTimings


class Fence(Protocol):
    """The fence that keeps a process that doesn't lead from writing; see ``bot.journal.lease``."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock of ``renewed``."""

    def claim(self, connection: Connection) -> None:
        """Run on each new connection before any work; raises when the connection may not be used."""

    def fence(self, connection: Connection) -> None:
        """Run first in each transaction; raises when it may not go on."""

    def renewed(self, at: float) -> None:
        """A transaction that was begun at that moment is committed."""


class PostgresLink:
    """PostgreSQL by asyncpg.

    Args:
        timings: how long is waited for what.
        fence: of a link that writes.
    """

    def __init__(self, url: URL, timings: JournalTimings, *, writes: bool, fence: Fence | None = None) -> None:
        # "on" also where the server's own configuration trades safety for speed.
        settings = {"synchronous_commit": "on"}
        options = {"server_settings": settings, "timeout": timings.patience, "command_timeout": timings.command, **tls_of(url)}
        engine = create_async_engine(without_tls(url), poolclass=NullPool, hide_parameters=True, connect_args=options)
        self._engine = engine if writes else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._fence = fence
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._begun: set[asyncio.Task[object]] = set()
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """Do a piece of work; it goes on when its caller is cancelled."""
        if self._closed:
            raise JournalError(CLOSED)
        task = asyncio.ensure_future(self._transact(work))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return await asyncio.shield(task)

    def stamp(self) -> None:
        """Nothing: another machine may write, and asking takes as long as reading."""

    async def close(self) -> None:
        """Close behind all work that was handed in."""
        self._closed = True
        await asyncio.gather(*self._begun, return_exceptions=True)
        await self._drop()

    async def _transact(self, work: Work[T]) -> T:
        async with self._turn:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                return await self._committed(self._connection, work)
            except FOREIGN as error:
                await self._drop()
                raise journal_error(error) from error
            except BaseException:
                await self._drop()
                raise

    async def _committed(self, connection: AsyncConnection, work: Work[T]) -> T:
        if self._fence is None:
            result = await connection.run_sync(work)
            await connection.commit()
            return result
        began = self._fence.now()
        await connection.run_sync(self._fence.fence)
        result = await connection.run_sync(work)
        # Work that found nothing to do has rolled back, and the beat with it.
        if connection.in_transaction():
            await connection.commit()
            self._fence.renewed(began)
        return result

    async def _connect(self) -> AsyncConnection:
        connection = await self._engine.connect()
        try:
            if self._fence is not None:
                await connection.run_sync(self._fence.claim)
                await connection.commit()
        except BaseException:
            await _throw_away_too(connection)
            raise
        return connection

    async def _drop(self) -> None:
        if (connection := self._connection) is not None:
            self._connection = None
            await _throw_away_too(connection)


async def _throw_away_too(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()
