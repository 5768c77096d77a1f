"""Reading the whole log in one piece, as an auditor does: beside a bot that runs, without its lock, and changing nothing."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from bot.errors import JournalError, ServiceUnreachable, SettingsError
from bot.journal import log
from bot.journal.chain import EMPTY, Head, LogLine, verify
from bot.journal.export import Finding, Format, Last, text_of
from bot.journal.faults import FOREIGN, SETTING, is_away, journal_error, setting_error
from bot.journal.links import Work
from bot.journal.migrate import demand_current, is_older
from bot.journal.opening import SQLITE, journal_file, read_address
from bot.journal.tls import tls_of, without_tls
from bot.timings import USUAL, JournalTimings

NO_HEAD = "the head beside the rows was changed or removed"


@dataclass(slots=True)
class _Passed:
    """Lines that pass by; keeps the time of the last one."""

    lines: Iterable[LogLine]
    at: int | None = None

    def __iter__(self) -> Iterator[LogLine]:
        for line in self.lines:
            self.at = line.at
            yield line


def verified(connection: Connection, marks: Iterable[Head]) -> Finding:
    """Check the log that is in the database, against its own head and those that were kept elsewhere."""
    head, passed = log.only_head(connection), _Passed(log.lines(connection))
    broken = verify(passed, head, marks)
    wrong = NO_HEAD if broken is None and head is None else str(broken or "")
    return Finding(Last(head or EMPTY, passed.at), wrong or None)


def exported(connection: Connection, form: Format, write: Callable[[str], object]) -> Finding:
    """Write the log out as it stands, and check it; of one that has lost its own head, the head line says that it has no rows."""
    found = verified(connection, ())
    for text in text_of(form, log.lines(connection), found.last.head):
        write(text)
    return found


async def audited(
    url: str, work: Work[Finding], timings: JournalTimings = USUAL.journal, older: Finding | None = None
) -> Finding:
    """Do a piece of work that sees the journal as it stands at one moment, and can't change it.

    Args:
        url: its address.
        work: what is done.
        timings: how long another program's lock is waited for.
        older: comes back for a journal of an older version, on which nothing is done; it is refused where this is left out.

    Raises:
        SettingsError: the address can't be used.
        JournalError: it can't be read, or another version of the bot has written it.
        ServiceUnreachable: its server doesn't answer.
    """
    address, look = read_address(url), partial(_looked_at, work=work, older=older)
    if address.drivername == SQLITE:
        return await audited_file(journal_file(address.database or ""), work, timings, older)
    try:
        return await _on_server(address, look, timings.patience)
    except FOREIGN as error:
        raise _told(error) from error


async def audited_file(file: Path, work: Work[Finding], timings: JournalTimings, older: Finding | None = None) -> Finding:
    """Do the same with the journal in a file; see ``audited``."""
    try:
        return await asyncio.to_thread(_in_file, file, partial(_looked_at, work=work, older=older), timings.patience)
    except FOREIGN as error:
        raise _told(error) from error


def _told(error: Exception) -> SettingsError | ServiceUnreachable | JournalError:
    told = journal_error(error)
    told.__cause__ = error
    return setting_error(told) or (ServiceUnreachable(str(told)) if is_away(told) else told)


def _in_file(file: Path, work: Work[Finding], patience: float) -> Finding:
    if not file.exists():
        raise SettingsError(SETTING, f"there is no journal at {file}; give the address that the bot runs with.")
    engine = create_engine("sqlite://", creator=lambda: _open(file, patience), poolclass=NullPool)
    with engine.connect() as connection:
        # From here to the end nothing is seen of what the bot writes meanwhile.
        connection.exec_driver_sql("BEGIN")
        return work(connection)


def _looked_at(connection: Connection, work: Work[Finding], older: Finding | None) -> Finding:
    if older is not None and is_older(connection):
        return older
    demand_current(connection)
    return work(connection)


def _open(file: Path, patience: float) -> sqlite3.Connection:
    # Nothing can be written through it, and the bot's write-ahead log is left to the bot.
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=patience)
    # A byte that is no text must be found, not stop the search.
    connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
    return connection


async def _on_server(address: URL, work: Work[Finding], patience: float) -> Finding:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - brings the whole ORM, which a file doesn't need

    options = {"timeout": patience, "server_settings": {"default_transaction_read_only": "on"}, **tls_of(address)}
    engine = create_async_engine(without_tls(address), poolclass=NullPool, hide_parameters=True, connect_args=options)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        return await connection.run_sync(work)
