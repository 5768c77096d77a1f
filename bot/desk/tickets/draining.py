"""Requests and presses that the desk still owes an answer: a stop takes no more of them and waits until these have theirs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Draining:
    """Counts those that are being worked on."""

    def __init__(self) -> None:
        self._open = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Hold while one is being worked on."""
        self._open += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._empty.set()

    async def drained(self) -> None:
        """Wait until each of them has its answer."""
        await self._empty.wait()
