"""Time, in two kinds: one that nobody sets, by which everything here waits and measures, and the host's, which people read.

Somebody may set the host's clock while the bot runs: NTP after a boot, a person, a hypervisor. So the desk's own time begins as
the host's and goes on by a count that nothing sets back and that goes on while the machine sleeps. All stamps of a run are in
that time, and so comparable with each other; ``Clock.shown`` makes of them what the host's clock would say, for people.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

# NTP moves a clock by less than this without setting it, and stamps of others are never more exact.
STEP = timedelta(seconds=2)
UNSET = timedelta(0)
# Before any moment that there is.
EVER_DUE = datetime.min.replace(tzinfo=UTC)
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Clock of everything that waits, measures or stamps. Calling it gives the desk's time, aware UTC."""

    def __call__(self) -> datetime:
        """The desk's time: never set, aware UTC."""

    def seconds(self) -> float:
        """Seconds of the count that nothing sets back and that goes on while the machine sleeps."""

    def host(self) -> datetime:
        """The host's clock as it stands just now, aware UTC."""

    @property
    def boot(self) -> str | None:
        """Start of the machine that the count goes on from, so that runs of it can be compared; ``None`` where nobody says."""

    @property
    def set_by(self) -> timedelta:
        """Lead of the host's clock over the desk's time by having been set; exactly zero while it was not."""

    @property
    def theirs(self) -> timedelta:
        """Lead of the clocks of those who stamp prices and fills over the desk's time."""

    def measured(self, theirs: timedelta | None) -> None:
        """Take what was measured of ``theirs``; ``None`` says that their clocks are like the host's."""

    def shown(self, at: datetime) -> datetime:
        """A moment of the desk's time as the host's clock has it now."""

    def own(self, at: datetime) -> datetime:
        """A moment that others have stamped in the desk's time."""

    def stamped(self, at: datetime) -> datetime:
        """A moment of the desk's time as others would stamp it."""


class SteadyClock:
    """A ``Clock`` made of a count and a host's clock.

    Args:
        seconds: the count.
        host: the host's clock, aware UTC.
        boot: which start of the machine the count goes on from.
    """

    def __init__(self, seconds: Callable[[], float], host: Callable[[], datetime], boot: str | None = None) -> None:
        self.seconds = seconds
        self.host = host
        self.boot = boot
        self._zero, self._began = seconds(), host()
        self._set_by = UNSET
        self._theirs: timedelta | None = None

    def __call__(self) -> datetime:
        """The desk's time."""
        return self._began + timedelta(seconds=self.seconds() - self._zero)

    @property
    def set_by(self) -> timedelta:
        """Lead of the host's clock by having been set since this one began; what is less than ``STEP`` is none of it."""
        ahead = self.host() - self()
        if abs(ahead - self._set_by) > STEP:
            self._set_by = ahead if abs(ahead) > STEP else UNSET
        return self._set_by

    @property
    def theirs(self) -> timedelta:
        """Lead of the clocks of those who stamp prices and fills: as measured, else as the host's is."""
        return self.set_by if self._theirs is None else self._theirs

    def measured(self, theirs: timedelta | None) -> None:
        """Take what was measured of it, which no setting of the host's clock changes."""
        self._theirs = theirs

    def shown(self, at: datetime) -> datetime:
        """A moment of the desk's time as the host's clock has it now."""
        return at + self.set_by

    def own(self, at: datetime) -> datetime:
        """A moment that others have stamped in the desk's time."""
        return at - self.theirs

    def stamped(self, at: datetime) -> datetime:
        """A moment of the desk's time as others would stamp it."""
        return at + self.theirs


def system_clock() -> SteadyClock:
    """The clock of this machine, beginning now."""
    return SteadyClock(elapsed, utc_now, this_boot())


def this_boot() -> str | None:
    """The name that Linux gives to each start of the machine; ``None`` elsewhere."""
    try:
        return _BOOT.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def utc_now() -> datetime:
    """The host's clock, aware UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds of a count that nothing sets back and that goes on while the machine sleeps, where the system has one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        # The other one stands still during sleep.
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()
