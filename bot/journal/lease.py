"""The lease of the process that leads, of several on one PostgreSQL database: a term, its heartbeat and its fence.

The advisory lock says who writes. It can't say that its holder is well: a process that is paused, or a machine that was cut off,
keeps it. So the leader beats, and who stands by takes over from one that hasn't for a whole lease (``standby``). What keeps
the old one from doing harm when it wakes up:

- its connection was ended, and with it what it had begun to write; the lock is free only after that;
- each of its transactions begins with a beat of its own term, which finds nothing once there is a newer one;
- a new connection isn't taken back into an old term;
- by its own clock it knows when it may have been given up, and sends and tells nothing from some time before that on.
"""

import asyncio
import logging
import os
import platform
from collections.abc import Callable

from sqlalchemy import ColumnElement, Connection, func, insert, literal_column, select, update

from bot.clock import elapsed
from bot.errors import JournalError, JournalLocked
from bot.journal import lock
from bot.journal.links import JournalLink
from bot.journal.schema import leader
from bot.timings import LeaseTimings

log = logging.getLogger(__name__)

DEPOSED = "Another bot leads this desk now, so nothing was sent; look at the card again."
SILENT = "The journal's database hasn't been reached for some seconds, so another bot may lead now, and nothing was sent."
_STANDING_BY = "Another process leads on this database: {who}."
_NOT_YET = "The journal's database still holds the connection before this one: wait some seconds."

_row = leader.c
_SECOND = 1_000_000
SERVER_NOW: ColumnElement[int] = literal_column(f"(extract(epoch FROM clock_timestamp()) * {_SECOND})::bigint")
_LEADER = select(_row.holder, _row.epoch, _row.beat_at)
_TABLE = select(func.to_regclass(leader.name).is_not(None))


def name_of_this_process() -> str:
    """The name by which people tell this process from others."""
    return f"{platform.node() or 'a machine without a name'}, process {os.getpid()}"


def leads(connection: Connection) -> str | None:
    """The name of who led last, by the database; ``None`` before there was anybody."""
    if not connection.scalar(_TABLE):
        return None
    found = connection.execute(_LEADER).one_or_none()
    return None if found is None else found.holder


class Lease:
    """This process's term as the leader; it begins once, and when it is lost it is lost for good.

    Args:
        name: of this process, for people.
        timings: how long is waited for what.
        now: seconds of a clock that is never set back.

    Attributes:
        name: of this process, for people.
        epoch: the number of the term; 0 before it has begun.
        before: who led before.
        before_beat: the last term and beat of whoever did, as the database has them.
        lost: set when another process has begun a newer term.
    """

    def __init__(self, name: str, timings: LeaseTimings, now: Callable[[], float] = elapsed) -> None:
        self.now = now
        self._timings = timings
        self.epoch = 0
        self.before: str | None = None
        self.before_beat: tuple[int, int] | None = None
        self.lost = asyncio.Event()
        self.name = name
        self._renewed = now()
        self._pid: int | None = None

    def why_not(self) -> str | None:
        """The reason why nothing may be sent or told just now; ``None`` when it may."""
        if self.lost.is_set():
            return DEPOSED
        return SILENT if self.now() >= self._renewed + self._timings.lasts - self._timings.margin else None

    def claim(self, connection: Connection) -> None:
        """Take the lock for a new connection.

        Raises:
            JournalLocked: another process leads.
            JournalError: the lock is still held by a connection that this process has lost.
        """
        if self.lost.is_set():
            raise JournalLocked(DEPOSED)
        if lock.take(connection):
            self._pid = connection.scalar(select(func.pg_backend_pid()))
            return
        if not self.epoch:
            who = leads(connection) or "it is just starting"
            raise JournalLocked(_STANDING_BY.format(who=who), who)
        # A newer term says so itself. Without one it is a connection of ours that the server hasn't missed yet, as after a
        # break in the network, or somebody who has only just begun to take over.
        self.fence(connection)
        if self._pid is not None:
            lock.end(connection, self._pid)
        raise JournalError(_NOT_YET)

    def begin(self, connection: Connection, seconds: float = 0.0) -> None:
        """Begin the term, if there are tables to say so in.

        Args:
            connection: holds the lock.
            seconds: how long no further beat is to be expected.
        """
        if self.epoch or not connection.scalar(_TABLE):
            return
        last = connection.execute(_LEADER).one_or_none()
        values = {"holder": self.name, "beat_at": SERVER_NOW + round(seconds * _SECOND)}
        if last is None:
            connection.execute(insert(leader).values(id=1, epoch=1, **values))
            self.epoch = 1
        else:
            self.before, self.epoch, self.before_beat = last.holder, last.epoch + 1, (last.epoch, last.beat_at)
            connection.execute(update(leader).values(epoch=self.epoch, **values))

    def fence(self, connection: Connection) -> None:
        """Beat, as the first thing in a transaction, so that it is committed by whoever leads or not at all.

        Raises:
            JournalLocked: the term is over.
        """
        if not self.epoch:
            return
        if connection.execute(update(leader).where(_row.epoch == self.epoch).values(beat_at=SERVER_NOW)).rowcount == 0:
            self.lost.set()
            raise JournalLocked(DEPOSED)

    def renewed(self, at: float) -> None:
        """A beat that was begun at this moment is committed."""
        self._renewed = max(self._renewed, at)

    async def keep(self, link: JournalLink) -> None:
        """Beat until the term is lost."""
        told = ""
        while not self.lost.is_set():
            try:
                await link.run(_nothing)
            except JournalError as error:
                if str(error) != told:
                    log.warning("no heartbeat: %s", error)
                told = str(error)
                await asyncio.sleep(self._timings.beat_again)
            else:
                told = ""
                await asyncio.sleep(self._timings.beat)


def _nothing(_connection: Connection) -> None:
    """The work that comes with a beat: none."""
