"""Tickets, events and whole journals for these tests."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from bot.desk.ports import Event, EventName
from bot.journal.codec import ticket_values
from bot.journal.links import SqliteReads, SqliteWrites
from bot.journal.postgres import PostgresLink
from bot.journal.schema import tickets
from bot.journal.store import SqlJournal
from bot.timings import USUAL, JournalTimings
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Reverse
from bot.trading.orders.terms import Side, Terms
from bot.trading.orders.tickets import Member, Origin, Preview, Ticket, TicketState, Visibility, move
from tests.clocks import HandClock

NOON = datetime(2026, 8, 3, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)

SHOWN = Preview(
    live=False,
    position=2,
    average_price=Decimal("5790.50"),
    after=1,
    bid=Decimal("5800.00"),
    ask=Decimal("5800.25"),
    last=Decimal("5800.25"),
    quoted_at=NOON,
    tick_size=Decimal("0.25"),
    tick_value=Decimal("12.50"),
    point_value=Decimal(50),
)


def ticket(id_: str = "t1", **changes: Any) -> Ticket:
    """A fresh offer, or one that differs in the given fields."""
    fresh = Ticket(
        id=id_,
        intent=Reverse("Sim101", Contract("ES", 2026, 9), Terms(Side.BUY, 1)),
        requester=Member(111_222_333_444_555_666, "Tina", frozenset({1100})),
        origin=Origin(10, 20),
        visibility=Visibility.CHANNEL,
        shown=SHOWN,
        created_at=NOON,
        expires_at=NOON + 30 * SECOND,
    )
    return replace(fresh, **changes)


def event(name: EventName = EventName.OFFERED, id_: str | None = "t1", at: datetime = NOON, **data: object) -> Event:
    """One line of the log."""
    return Event(at, name, id_, data=data)


def claimed(offer: Ticket, **changes: object) -> Ticket:
    """An offer as the press on Confirm leaves it."""
    return move(offer, TicketState.SENDING, confirmed_at=NOON + SECOND, sent_at=NOON + SECOND, **changes)


async def stored(journal: SqlJournal, id_: str = "t1", **changes: Any) -> Ticket:
    """A ticket that is in the journal already."""
    fresh = ticket(id_, **changes)
    await journal.open(fresh, event(id_=id_, at=fresh.created_at))
    return fresh


async def stored_all(journal: SqlJournal, many: Sequence[Ticket]) -> None:
    """Put many tickets there at once, as only tests need to."""
    rows = [ticket_values(each) for each in many]
    await journal._writes.run(lambda connection: connection.execute(insert(tickets), rows))


@asynccontextmanager
async def beside(file: Path, patience: float = USUAL.journal.patience) -> AsyncIterator[SqlJournal]:
    """A further journal on a file that another one has made and locked, as if the lock had failed."""
    timings = JournalTimings(patience=patience)
    reads, writes = SqliteReads(str(file), timings), SqliteWrites(str(file), timings)
    try:
        yield SqlJournal(reads, writes, HandClock())
    finally:
        await reads.close()
        await writes.close()


def ask(file: Path, statement: str, *values: object) -> Sequence[Any]:
    """Read or change a journal's file behind its back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()


def unfenced(journal: SqlJournal) -> SqlJournal:
    """The same journal, as if nothing kept it from writing; on SQLite nothing does."""
    if isinstance(journal._writes, PostgresLink):
        journal._writes._fence = None
    return journal


async def by_hand(journal: SqlJournal, statement: str) -> Any:
    """Do something that the journal itself never does; the first value that comes back."""
    return await journal._writes.run(partial(_by_hand, statement))


def _by_hand(statement: str, connection: Connection) -> Any:
    result = connection.exec_driver_sql(statement)
    return result.scalar() if result.returns_rows else None


RUINED = b"This is no database. " * 500


def ruin(file: Path) -> None:
    """Put something else in the journal's place."""
    file.write_bytes(RUINED)


def is_ruined(file: Path) -> bool:
    """Tell whether it is there still."""
    return file.read_bytes() == RUINED


def sqlite_url(file: Path) -> str:
    """The address of a journal in that file."""
    return f"sqlite+aiosqlite:///{file}"
