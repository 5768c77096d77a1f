"""Spans of time, and what of one they leave open. Times are aware; a span holds its start and not its end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The time from one moment to another.

    Attributes:
        start, end: aware UTC; the end is not within it.
    """

    start: datetime
    end: datetime


def gaps(whole: Span, covered: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of a span that none of the others cover, in their order."""
    found, reached = [], whole.start
    for span in sorted(covered):
        if span.start > reached and reached < whole.end:
            found.append(Span(reached, min(span.start, whole.end)))
        reached = max(reached, span.end)
    return (*found, *([Span(reached, whole.end)] if reached < whole.end else []))
