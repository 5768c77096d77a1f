"""The host's clock against another party's: each answer over HTTP has a ``Date``, so that none is asked for.

A date has whole seconds and is as old as its answer took to come, so one answer gives a span of possible differences, and several
give the narrow one that all of them leave. A difference of less than ``STEP`` is none.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.clock import STEP, UNSET, Clock

SECOND = timedelta(seconds=1)
MOST = 20
# The host's clock and theirs drift apart by little in that time.
HOLDS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Span:
    """Within what the desk's time may be ahead of theirs, by one answer."""

    least: timedelta
    most: timedelta
    at: datetime


class Dates:
    """Dates of one party's answers, and what they tell of its clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spans: deque[_Span] = deque(maxlen=MOST)
        # Of all spans; they change with an answer, and are asked for at each look at the links.
        self._least = self._most = UNSET

    def told(self, headers: Mapping[str, str], asked: datetime) -> None:
        """Take an answer's headers.

        Args:
            headers: one that was kept by a cache on the way tells nothing.
            asked: when the request left, in the desk's time.
        """
        date = _date(headers)
        if date is None:
            return
        now = self._clock()
        self._spans.append(_Span(asked - date - SECOND, now - date, now))
        self._narrow()
        # One who has set their clock meanwhile is believed anew.
        while len(self._spans) > 1 and (self._least > self._most or now - self._spans[0].at > HOLDS):
            self._spans.popleft()
            self._narrow()

    @property
    def ahead(self) -> timedelta | None:
        """Lead of the host's clock over theirs; zero for less than ``STEP``, ``None`` where no answer has told."""
        if not self._spans:
            return None
        set_by = self._clock.set_by
        least, most = self._least + set_by, self._most + set_by
        return UNSET if least <= STEP and most >= -STEP else (least + most) / 2

    @property
    def theirs(self) -> timedelta | None:
        """Lead of their clock over the desk's time; ``None`` where it is like the host's, or nothing is known."""
        return None if not self.ahead else -(self._least + self._most) / 2

    def _narrow(self) -> None:
        """Find what all spans leave."""
        self._least = max(span.least for span in self._spans)
        self._most = min(span.most for span in self._spans)


def _date(headers: Mapping[str, str]) -> datetime | None:
    if "Age" in headers:
        return None
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
