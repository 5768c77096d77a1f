"""A clock for tests that need no loop of their own: it stands still until it is moved."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
UNSET = timedelta(0)


class HandClock:
    """Fills ``bot.clock.Clock``.

    Attributes:
        now: the desk's time.
        set_by: how far the host's clock is ahead of it.
    """

    boot = None

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.set_by = UNSET

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def host(self) -> datetime:
        return self.now + self.set_by

    @property
    def theirs(self) -> timedelta:
        return self.set_by

    def measured(self, theirs: timedelta | None) -> None:
        """Other parties' dates are of today, this clock isn't."""

    def shown(self, at: datetime) -> datetime:
        return at + self.set_by

    def own(self, at: datetime) -> datetime:
        return at - self.theirs

    def stamped(self, at: datetime) -> datetime:
        return at + self.theirs
