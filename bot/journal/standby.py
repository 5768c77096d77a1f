"""Standing by on PostgreSQL: watching whoever leads, and ending the connection of one that doesn't beat any more.

What a lease is, and why nothing can be sent twice over this, is in ``lease``.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.clock import elapsed
from bot.errors import JournalError
from bot.journal import lock
from bot.journal.lease import SERVER_NOW, leads
from bot.journal.links import JournalLink
from bot.journal.schema import leader
from bot.timings import LeaseTimings

log = logging.getLogger(__name__)

_row = leader.c
_BEAT = select(_row.epoch, _row.beat_at, (SERVER_NOW - _row.beat_at).label("age"))


@dataclass(frozen=True, slots=True)
class Seen:
    """The leader as a look at the database shows it.

    Attributes:
        pid: the server's process that holds the lock for the leader; ``None`` when nobody does.
        name: of the leader.
        beat: its term and its last beat.
        age: seconds since that beat, by the server's clock; below zero when none is to be expected for some time.
    """

    pid: int | None
    name: str | None = None
    beat: tuple[int, int] | None = None
    age: float = 0.0


class Standby:
    """A process that waits for its turn.

    Args:
        link: to look by; it never holds the lock.
        timings: how long is waited for what.
        now: seconds of a clock that is never set back.
    """

    def __init__(self, link: JournalLink, timings: LeaseTimings, now: Callable[[], float] = elapsed) -> None:
        self._link = link
        self._timings = timings
        self._now = now
        self._seen: Seen | None = None
        self._since = now()

    async def turn(self) -> None:
        """Wait until nobody leads. Another one that stands by may be faster; then wait again."""
        told = ""
        while True:
            try:
                seen = await self._link.run(look)
                if seen.pid is None:
                    return
                await self._judge(seen, seen.pid)
                told = ""
            except JournalError as error:
                # A database that is away has no leader either, and comes back.
                if str(error) != told:
                    log.warning("standing by: %s", error)
                told = str(error)
            await asyncio.sleep(self._timings.look)

    def has_seen_more(self, beat: tuple[int, int] | None) -> bool:
        """Tell whether the leader was seen to beat later than the database says now: it lacks what was committed last."""
        seen = self._seen
        # While its tables are changed a leader has said that it won't beat for some time, which is no beat.
        return beat is not None and seen is not None and seen.beat is not None and seen.age >= 0 and seen.beat > beat

    async def close(self) -> None:
        """Stop looking."""
        await self._link.close()

    async def _judge(self, seen: Seen, pid: int) -> None:
        """End the leader's connection if it is there and hasn't beaten for a whole lease, by our clock and by the server's.

        By ours alone a server that was set back could count; by the server's alone one that was set forward.
        """
        lasts = self._timings.lasts
        if self._seen is None or (seen.pid, seen.beat) != (self._seen.pid, self._seen.beat):
            self._seen, self._since = seen, self._now()
        elif seen.beat is not None and self._now() - self._since >= lasts and seen.age >= lasts:
            log.warning("the bot that leads (%s) hasn't been heard of for %.0f s; ending its connection", seen.name, seen.age)
            await self._link.run(lambda connection: lock.end(connection, pid))


def look(connection: Connection) -> Seen:
    """The holder of the lock, and how the leader is."""
    pid = lock.holder(connection)
    name = leads(connection)
    if name is None:
        return Seen(pid)
    epoch, beat_at, age = connection.execute(_BEAT).one()
    return Seen(pid, name, (epoch, beat_at), age / 1_000_000)
