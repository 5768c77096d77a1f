"""The desk's loops: each does its work, says when it has to look again, and sleeps until then or until something changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.errors import JournalError

log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[float | None]]
"""Does what is due; gives the seconds until the next look is, ``None`` for not before something changes."""


class Loops:
    """Tasks of the desk's own, from its start to its end.

    Args:
        again: until a loop goes on after a fault.
    """

    def __init__(self, again: timedelta) -> None:
        self._again = again.total_seconds()
        self._tasks: list[asyncio.Task[None]] = []
        self._hearing: list[asyncio.Event] = []

    def begin(self, name: str, look: Look, *, hears: bool = False, bell: asyncio.Event | None = None) -> None:
        """Begin a loop.

        Args:
            name: for the log.
            look: one round.
            hears: whether ``changed`` wakes it.
            bell: wakes it when it is set; one of its own if left out.
        """
        bell = asyncio.Event() if bell is None else bell
        if hears:
            self._hearing.append(bell)
        self._tasks.append(asyncio.create_task(_forever(name, look, bell, self._again), name=name))

    def changed(self) -> None:
        """Something that loops look at has changed."""
        for bell in self._hearing:
            bell.set()

    async def end(self) -> None:
        """Stop all of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _forever(name: str, look: Look, bell: asyncio.Event, again: float) -> None:
    """A fault in one round is logged, and the next round tries again."""
    while True:
        bell.clear()
        pause: float | None = again
        try:
            pause = await look()
        except JournalError as error:
            log.error("%s: %s", name, error)  # noqa: TRY400 - the sentence says it; this repeats while the disk is full
            await asyncio.sleep(again)
        except Exception:
            log.exception("%s", name)
            await asyncio.sleep(again)
        await heard(bell, pause)


async def heard(bell: asyncio.Event, seconds: float | None) -> None:
    """Wait until a bell is rung, if by nobody else then by a timer after so many seconds."""
    # Cheaper than a timeout, which would cancel the wait; most waits end so.
    timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, bell.set)
    try:
        await bell.wait()
    finally:
        if timer is not None:
            timer.cancel()
