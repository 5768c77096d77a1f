"""A failing session made smaller: what can be left out with the same promise still broken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.simulation.plan import Session

Fails = Callable[[Session], bool]


@dataclass(slots=True)
class _Attempts:
    fails: Fails
    left: int

    def fail(self, session: Session) -> bool:
        """Tell whether it fails too, as long as there are attempts left."""
        if self.left <= 0:
            return False
        self.left -= 1
        return self.fails(session)


def smaller(session: Session, fails: Fails, attempts: int) -> Session:
    """The smallest that was found.

    Args:
        session: fails.
        fails: plays one and tells whether it fails in the same way.
        attempts: how many are played at most.
    """
    tries = _Attempts(fails, attempts)
    runs, strikes = tuple(run.number for run in session.runs), tuple(strike.number for strike in session.strikes)
    # First what is far away: mostly an episode fails by itself, or for what happened just before.
    runs = _without(runs, lambda kept: tries.fail(session.only(kept, strikes)))
    strikes = _without(strikes, lambda kept: tries.fail(session.only(runs, kept)))
    runs = _without(runs, lambda kept: tries.fail(session.only(kept, strikes)))
    return session.only(runs, strikes)


def _without(items: tuple[int, ...], still: Callable[[Sequence[int]], bool]) -> tuple[int, ...]:
    """Take out pieces, large ones first, as long as it still fails."""
    size = len(items)
    while size >= 1 and items:
        at = 0
        while at < len(items):
            kept = items[:at] + items[at + size :]
            if still(kept):
                items = kept
            else:
                at += size
        size //= 2
    return items
