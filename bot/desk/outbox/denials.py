"""The limit on denials that are kept: somebody who is told no a thousand times fills neither the log nor its disk."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from bot.clock import Clock

MOST_OF_ONE, MOST_OF_ALL = 20, 200
UNKEPT = "More denials of this member, or of all, within a minute are told to whoever asks and not kept."


class Kept(Enum):
    """The answer to whether a denial is kept."""

    YES = auto()
    # The last one that is, until some time has passed.
    LAST = auto()
    NO = auto()


@dataclass(slots=True)
class Denials:
    """Counts denials."""

    clock: Clock
    within: timedelta
    _kept: deque[tuple[datetime, int]] = field(default_factory=deque)

    def count(self, member: int) -> Kept:
        """Count one of a member's, and say whether it is kept."""
        now = self.clock()
        while self._kept and self._kept[0][0] <= now - self.within:
            self._kept.popleft()
        own = sum(whose == member for _, whose in self._kept)
        if own >= MOST_OF_ONE or len(self._kept) >= MOST_OF_ALL:
            return Kept.NO
        self._kept.append((now, member))
        return Kept.LAST if own + 1 == MOST_OF_ONE or len(self._kept) == MOST_OF_ALL else Kept.YES
