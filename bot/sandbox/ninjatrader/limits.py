"""The cloud's budgets: token buckets per bearer token."""

import math
from collections.abc import Callable


class TokenBucket:
    """`capacity` at once, refilled at `rate` a second."""

    def __init__(self, capacity: float, rate: float, monotonic: Callable[[], float]) -> None:
        """Start full."""
        self._capacity = capacity
        self._rate = rate
        self._monotonic = monotonic
        self._level = capacity
        self._filled_at = monotonic()

    def take(self, others: float = 0) -> int:
        """Spend one; 0 when there was one, else the whole seconds until there is (at least 1).

        `others` is what somebody else has spent a second since the last time.
        """
        now = self._monotonic()
        self._level = max(min(self._capacity, self._level + (now - self._filled_at) * (self._rate - others)), 0)
        self._filled_at = now
        if self._level >= 1:
            self._level -= 1
            return 0
        return max(1, math.ceil((1 - self._level) / self._rate))
