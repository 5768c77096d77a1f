"""A host's clock in virtual time, which somebody can set, and the desk's own clock made of it."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.clock import SteadyClock

BEGINNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class HostClock:
    """The clock of a machine: goes on with the loop's time and by what it was set.

    Args:
        loop: whose time it goes on with.
        beginning: what it says now.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, beginning: datetime = BEGINNING) -> None:
        self._loop = loop
        self._zero = self._at = loop.time()
        self._beginning = self._true = beginning
        self._set_by = timedelta()

    def __call__(self) -> datetime:
        """The time that it shows, aware UTC."""
        return self.true() + self._set_by

    def true(self) -> datetime:
        """The time that it would show if nobody had set it."""
        # Time stands still between two jumps of the loop, and everybody asks for it meanwhile.
        if (now := self._loop.time()) != self._at:
            self._at, self._true = now, self._beginning + timedelta(seconds=now - self._zero)
        return self._true

    def step(self, seconds: float) -> None:
        """Set it, ahead or below zero back."""
        self._set_by += timedelta(seconds=seconds)

    def steady(self) -> SteadyClock:
        """A desk's clock that begins now on this machine."""
        return SteadyClock(self._loop.time, self, "virtual")
