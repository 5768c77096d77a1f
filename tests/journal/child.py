"""Programs that these tests run as processes of their own: ``python -m tests.journal.child NAME FILE [ARGUMENT]``."""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.desk.ports import EventName, Notice
from bot.errors import JournalError
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.trading.orders.tickets import Ticket, TicketState, move

if sys.platform != "win32":
    import resource

from .making import beside, claimed, event, sqlite_url, stored


async def _change(journal: SqlJournal, before: Ticket, after: Ticket) -> Ticket:
    if not await journal.advance(before, after, [event(EventName.WORKING, before.id)], [Notice(1, f"v{after.version}")]):
        raise AssertionError("nobody else is here")
    return after


async def stream(file: Path, _: str) -> None:
    """Change tickets without end, three at a time; each line is one that is said to be on disk."""

    async def one(journal: SqlJournal, names: "itertools.count[int]") -> None:
        for name in names:
            standing = await stored(journal, f"t{name}")
            standing = await _change(journal, standing, claimed(standing))
            for state in [TicketState.UNKNOWN] * 20:
                standing = await _change(journal, standing, move(standing, state))
                sys.stdout.write(f"{standing.id} {standing.version}\n")
                sys.stdout.flush()

    async with opened(sqlite_url(file)) as journal, asyncio.TaskGroup() as group:
        names = itertools.count()
        for _worker in range(3):
            group.create_task(one(journal, names))


async def hold(file: Path, _: str) -> None:
    """Own the journal until standard input ends."""
    async with opened(sqlite_url(file)):
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


async def race(file: Path, name: str) -> None:
    """Claim every offer that can still be had, once somebody says go; each line is one that was won."""
    async with beside(file) as journal:
        offers = await journal.live()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        for offer in offers:
            if await journal.advance(offer, claimed(offer, ended_by=name), [event(EventName.SENDING, offer.id)]):
                sys.stdout.write(f"{offer.id}\n")


async def fill(file: Path, _: str) -> None:
    """Meet the end of the disk in the midst of it, and go on once there is room again."""
    async with opened(sqlite_url(file)) as journal:
        standing = await stored(journal, state=TicketState.UNKNOWN)
        room = file.with_name("desk.db-wal").stat().st_size + 100_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            while True:
                standing = await _change(journal, standing, move(standing, TicketState.UNKNOWN))
        except JournalError as error:
            sys.stdout.write(f"{error}\n")
        if await journal.ticket("t1") != standing:
            raise AssertionError("half a change was stored")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        standing = await _change(journal, standing, move(standing, TicketState.UNKNOWN))
        sys.stdout.write(f"{standing.version}\n")


PROGRAMS: dict[str, Callable[[Path, str], Awaitable[None]]] = {"stream": stream, "hold": hold, "race": race, "fill": fill}


async def main() -> None:
    """Run the one that is asked for."""
    await PROGRAMS[sys.argv[1]](Path(sys.argv[2]), " ".join(sys.argv[3:]))


if __name__ == "__main__":
    asyncio.run(main())
