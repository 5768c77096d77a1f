"""The count of what the request budget is spent on: of the last minute for people, since the start for a graph."""

from collections import Counter, deque
from collections.abc import Iterable

MINUTE = 60


class Counts:
    """Counts requests by purpose; times are seconds of a clock that nobody sets.

    Args:
        purposes: all that there are, in the order in which they are given; what has none counts as 0 since the start.
    """

    def __init__(self, purposes: Iterable[str]) -> None:
        self._ever = dict.fromkeys(purposes, 0)
        self._lately = Counter(self._ever)
        # The budget's rate and burst bound how many a minute holds.
        self._made: deque[tuple[float, str]] = deque()

    def note(self, purpose: str, now: float) -> None:
        """One request is made."""
        self._forget(now)
        self._ever[purpose] += 1
        self._lately[purpose] += 1
        self._made.append((now, purpose))

    def lately(self, now: float) -> dict[str, int]:
        """Requests of the last minute by purpose, without purposes that had none."""
        self._forget(now)
        return {purpose: count for purpose, count in self._lately.items() if count}

    @property
    def ever(self) -> dict[str, int]:
        """Requests since the start, of every purpose."""
        return dict(self._ever)

    def _forget(self, now: float) -> None:
        while self._made and self._made[0][0] <= now - MINUTE:
            _, purpose = self._made.popleft()
            self._lately[purpose] -= 1
