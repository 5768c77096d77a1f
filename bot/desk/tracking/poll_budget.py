"""The budget of requests that nobody waits for: so many a second in the long run, whoever makes them and for what account.

CrossTrade's whole budget is three a second (rate limits page, official); the rest of it is for people. The order in which
requests leave, and that trading goes first, is the broker's own work.
"""

from datetime import datetime, timedelta

AT_ONCE = 2


class PollBudget:
    """A meter that may be overdrawn: whoever has begun goes on, and all wait the longer afterwards.

    Args:
        every: between two requests in the long run.
        at_once: requests that may be made one right after the other.
    """

    def __init__(self, every: timedelta, at_once: int = AT_ONCE) -> None:
        self._every = every
        self._slack = every * (at_once - 1)
        self._paid_until: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        """Tell whether a request may be made."""
        return self._paid_until is None or now >= self._paid_until - self._slack

    def free_at(self, now: datetime) -> datetime:
        """The moment at which the next request may be made."""
        return now if self._paid_until is None else max(now, self._paid_until - self._slack)

    def spend(self, now: datetime) -> None:
        """Note a request, made or about to be."""
        self._paid_until = max(now, self._paid_until or now) + self._every
