"""Work for one account each, waited for only a while: an account that doesn't answer holds up no other one's news."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial

log = logging.getLogger(__name__)


class Aside:
    """The work under way, by account.

    Args:
        within: how long it is waited for; after that it goes on by itself.
        woken: set when something ends that went on by itself.
    """

    def __init__(self, within: timedelta, woken: asyncio.Event) -> None:
        self._within = within.total_seconds()
        self._woken = woken
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, account: str) -> bool:
        """Tell whether something is under way there."""
        return account in self._tasks

    async def run(self, account: str, work: Coroutine[None, None, None]) -> None:
        """Do it, at least as far as it comes in that time; what it raises by then is raised here."""
        task = self._tasks[account] = asyncio.create_task(work, name=f"look at {account}")
        done, _ = await asyncio.wait({task}, timeout=self._within)
        if done:
            # Not by a callback: whoever asks next must find it ended.
            del self._tasks[account]
            task.result()
        else:
            task.add_done_callback(partial(self._note_end, account))

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _note_end(self, account: str, task: "asyncio.Task[None]") -> None:
        del self._tasks[account]
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %s", task.get_name(), error)
