"""The door to the journal: read the address, lock, migrate, hand it out, close."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.clock import Clock, system_clock
from bot.errors import JournalError, SettingsError
from bot.journal.faults import SETTING, journal_error, setting_error
from bot.journal.lease import Lease, name_of_this_process
from bot.journal.links import MEMORY, JournalLink, SqliteReads, SqliteWrites
from bot.journal.lock import FileLock
from bot.journal.migrate import migrate
from bot.journal.private import make_private
from bot.journal.standby import Standby
from bot.journal.store import SqlJournal
from bot.journal.tls import TLS_OPTIONS, tls_of
from bot.timings import USUAL, JournalTimings

SQLITE, POSTGRESQL = "sqlite+aiosqlite", "postgresql+asyncpg"
_OPTIONS: dict[str, set[str]] = {SQLITE: set(), POSTGRESQL: {"host", *TLS_OPTIONS}}
_FORMS = f"write it like {SQLITE}:///desk.db or {POSTGRESQL}://user:password@host/name."


@asynccontextmanager
async def opened(url: str, clock: Clock | None = None, timings: JournalTimings = USUAL.journal) -> AsyncIterator[SqlJournal]:
    """The journal at that address, owned by this process alone and brought up to date. On PostgreSQL its owner leads meanwhile.

    Args:
        url: as ``DATABASE_URL`` has it.
        clock: the desk's; one of its own if left out.
        timings: how long is waited for what.

    Raises:
        SettingsError: the address can't be used.
        JournalLocked: another process owns the journal.
        JournalError: it can't be opened, or a newer version of the bot has written it.
    """
    async with AsyncExitStack() as stack:
        address, clock = read_address(url), clock or system_clock()
        lease = None if address.drivername == SQLITE else Lease(name_of_this_process(), timings.lease, clock.seconds)
        reads, writes = _sqlite(address, timings, stack) if lease is None else _postgresql(address, timings, lease)
        stack.push_async_callback(writes.close)
        stack.push_async_callback(reads.close)
        try:
            await (writes.run(migrate) if lease is None else _begin(lease, writes, timings.lease.migration))
        except JournalError as error:
            if (wrong := setting_error(error)) is not None:
                raise wrong from error
            raise
        if lease is not None:
            beating = asyncio.create_task(lease.keep(writes), name="heartbeat")
            stack.push_async_callback(_stop, beating)
        yield SqlJournal(reads, writes, clock, lease)


def standby(url: str, timings: JournalTimings = USUAL.journal) -> Standby | None:
    """The standby that waits for its turn where another process owns the journal; ``None`` on SQLite, where nobody can.

    Raises:
        SettingsError: the address can't be used.
    """
    address = read_address(url)
    return None if address.drivername == SQLITE else Standby(_to_postgresql(address, timings), timings.lease)


async def _begin(lease: Lease, writes: JournalLink, migration: float) -> None:
    """Take the lock, begin the term and bring the tables up to date; the very first term begins when there are any."""
    await writes.run(lambda connection: lease.begin(connection, migration))
    await writes.run(migrate)
    await writes.run(lease.begin)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def read_address(url: str) -> URL:
    """The address of a journal.

    Raises:
        SettingsError: the address can't be used.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # The cause is left out: it may repeat the password.
        raise SettingsError(SETTING, _FORMS) from None
    if address.drivername not in {SQLITE, POSTGRESQL} or not address.database:
        raise SettingsError(SETTING, _FORMS)
    if address.drivername == SQLITE and address.host:
        raise SettingsError(SETTING, _FORMS)
    if unknown := sorted(set(address.query) - _OPTIONS[address.drivername]):
        raise SettingsError(SETTING, f"take the option {unknown[0]} out; it isn't known here.")
    if "@" in (address.database or "") or "@" in (address.host or ""):
        raise SettingsError(SETTING, "write an @ in the password as %40, a / as %2F and a % as %25; it ends at the first @.")
    tls_of(address)
    return address


def _sqlite(address: URL, timings: JournalTimings, stack: AsyncExitStack) -> tuple[JournalLink, JournalLink]:
    name = address.database or ""
    if name == MEMORY:
        link = SqliteWrites(name, timings)
        return link, link
    lock = FileLock(file := journal_file(name))
    lock.take()
    stack.callback(lock.release)
    try:
        make_private(file)
    except OSError as error:
        raise journal_error(error) from error
    return SqliteReads(str(file), timings), SqliteWrites(str(file), timings)


def journal_file(name: str) -> Path:
    """The file of an SQLite journal.

    Raises:
        SettingsError: there can't be a file of that name.
    """
    try:
        file = Path(name).resolve()
        fits = file.parent.is_dir() and not file.is_dir()
    except (OSError, ValueError) as error:
        raise SettingsError(SETTING, "its path is none that this system can use.") from error
    if not fits:
        raise SettingsError(SETTING, f"{file} must be a file, in a folder that exists.")
    return file


def _postgresql(address: URL, timings: JournalTimings, lease: Lease) -> tuple[JournalLink, JournalLink]:
    return _to_postgresql(address, timings), _to_postgresql(address, timings, lease)


def _to_postgresql(address: URL, timings: JournalTimings, lease: Lease | None = None) -> JournalLink:
    """A link that reads, or one that writes by the lease."""
    from bot.journal.postgres import PostgresLink  # noqa: PLC0415 - nobody else should have to load it

    return PostgresLink(address, timings, writes=lease is not None, fence=lease)
