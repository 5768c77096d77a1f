"""Who is inside: requests and presses that the desk still owes an answer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Door:
    """Counts who goes in and out."""

    def __init__(self) -> None:
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Hold while somebody is inside."""
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def is_empty(self) -> None:
        """Wait until everybody has gone out with an answer."""
        await self._empty.wait()
