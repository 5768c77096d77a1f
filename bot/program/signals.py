"""Stopping when told to: SIGINT and SIGTERM end a command cleanly, on every system."""

import asyncio
import signal
from collections.abc import Coroutine


def stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set; discord.py would close cleanly on SIGINT only."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows' event loops have no signal handlers; this one runs between two bytecodes of the main thread.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


async def until_told(work: Coroutine[None, None, None]) -> None:
    """Run something until a signal says stop, or until it ends by itself."""
    await unless(stop_on_signals(), work)


async def unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run something until it ends by itself, or until the event is set."""
    told = asyncio.ensure_future(stop.wait())
    task = asyncio.ensure_future(work)
    await asyncio.wait({told, task}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    return None
