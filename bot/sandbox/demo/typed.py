"""Lines that a person types into the terminal, or that a pipe brings, while everything else goes on.

What they mean is not known here.
"""

import asyncio
import os
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Thread

LONGEST_LINE = 1000
# How often a program in the background looks whether the terminal is its own again.
BACKGROUND_SECONDS = 0.5


def source() -> int | None:
    """The descriptor to read from; ``None`` when nobody can type: stdin is closed, or neither a terminal nor a pipe."""
    if sys.stdin is None:
        return None
    # A closed file has no descriptor any more.
    with suppress(OSError, ValueError):
        descriptor = sys.stdin.fileno()
        if os.isatty(descriptor) or stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return descriptor
    return None


async def lines(descriptor: int) -> AsyncIterator[str]:
    """Each line as it comes, until there can be no more."""
    if hasattr(signal, "SIGTTIN"):
        # In the background, to read from the terminal would stop the whole program; ignored, the read fails instead.
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    found: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(line: str | None) -> None:
        loop.call_soon_threadsafe(found.put_nowait, line)

    # No event loop of Windows can wait for a terminal, and a thread that waits must not hold up the end.
    Thread(target=_read, args=(descriptor, put), name="typed", daemon=True).start()
    while (line := await found.get()) is not None:
        yield line


def _read(descriptor: int, put: Callable[[str | None], None]) -> None:
    rest = b""
    # The loop is closed when the program ends meanwhile.
    with suppress(RuntimeError):
        # Not by sys.stdin: a thread that is held in there can't be left behind.
        while (chunk := _chunk(descriptor)) != b"":
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                put(line.decode("utf-8", "replace").strip())
            rest = rest[-LONGEST_LINE:]
        if rest:
            put(rest.decode("utf-8", "replace").strip())
        put(None)


def _chunk(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, 4096)
        except OSError:
            if not os.isatty(descriptor):
                return b""
            time.sleep(BACKGROUND_SECONDS)
