"""The hash chain of the log: each line carries the digest of itself and of the line before. Pure.

So a line that was changed, taken out, put in or moved is found, and everything before it is known to be as it was written. What
it can't find is a log that somebody has written anew from some line to its end: for that the head is told to people, and kept
elsewhere, from time to time.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

# What stands before the first line.
START = "0" * 64


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log, as the database holds it.

    Attributes:
        seq: its number; they follow one another without a gap.
        at: microseconds since 1970, UTC.
        data: JSON, as written.
        digest: SHA-256 in hexadecimal, over the digest before and all the rest.
    """

    seq: int
    at: int
    name: str
    ticket: str | None
    actor: int | None
    data: str
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last line at some moment: its number and its digest."""

    seq: int
    digest: str


EMPTY = Head(0, START)


class Fault(StrEnum):
    """The fault at a place in the log."""

    CHANGED = "was changed"
    REMOVED = "was removed"
    INSERTED = "was inserted"
    MOVED = "was moved"
    REWRITTEN = "is not what the head that was kept of it says"


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first place where the log is not as it was written; rows are counted from one.

    Attributes:
        seq: the row; of what was rewritten, the last row for which no earlier head stands in.
        since: of what was rewritten, the first row that may be another.
    """

    seq: int
    fault: Fault
    since: int | None = None

    def __str__(self) -> str:
        if self.since is None:
            return f"row {self.seq} {self.fault}"
        what = f"row {self.seq}" if self.since == self.seq else f"one of the rows {self.since} to {self.seq}"
        return f"row {self.seq} {self.fault}: {what} and all behind it were written anew, or that head was"


def digest(previous: str, seq: int, at: int, name: str, ticket: str | None, actor: int | None, data: str) -> str:
    """The digest of a line behind the line with the digest ``previous``."""
    written = json.dumps([previous, seq, at, name, ticket, actor, data], separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def linked(head: Head, at: int, name: str, ticket: str | None, actor: int | None, data: str) -> LogLine:
    """The line that follows a head."""
    seq = head.seq + 1
    return LogLine(seq, at, name, ticket, actor, data, digest(head.digest, seq, at, name, ticket, actor, data))


def head_of(lines: Sequence[LogLine]) -> Head:
    """The last of some lines."""
    return Head(lines[-1].seq, lines[-1].digest) if lines else EMPTY


def verify(lines: Iterable[LogLine], head: Head | None, marks: Iterable[Head] = ()) -> ChainBreak | None:
    """The first place that isn't as it was written, or ``None``.

    Args:
        lines: the whole log, in the order in which it stands there.
        head: the last line as the log's own keeper has it; tells lines that were cut off or put behind. ``None`` where
            nobody has kept it.
        marks: heads of earlier times, kept elsewhere.
    """
    kept = _by_number(marks if head is None else (*marks, head))
    rest, last, sure = iter(lines), EMPTY, 0
    for line in rest:
        if head is not None and last.seq >= head.seq:
            return ChainBreak(last.seq + 1, Fault.INSERTED)
        if not _follows(line, last):
            return ChainBreak(last.seq + 1, _fault(line, last, rest))
        last = Head(line.seq, line.digest)
        if heads := kept.pop(line.seq, None):
            if heads != {line.digest}:
                return ChainBreak(line.seq, Fault.REWRITTEN, sure + 1)
            sure = line.seq
    return ChainBreak(last.seq + 1, Fault.REMOVED) if kept else None


def _by_number(heads: Iterable[Head]) -> dict[int, set[str]]:
    """The digests that each row was said to have, by its number; heads of an empty log are left out."""
    kept: dict[int, set[str]] = {}
    for head in heads:
        if head != EMPTY:
            kept.setdefault(head.seq, set()).add(head.digest)
    return kept


def _follows(line: LogLine, last: Head) -> bool:
    return line.seq == last.seq + 1 and _fits(line, last.digest, line.seq)


def _fits(line: LogLine, previous: str, seq: int) -> bool:
    """Tell whether a line was written with that number behind that digest, whatever number it has now."""
    return line.digest == digest(previous, seq, line.at, line.name, line.ticket, line.actor, line.data)


def _fault(line: LogLine, last: Head, rest: Iterator[LogLine]) -> Fault:
    """The fault where a line doesn't follow. The place is sure; this is the story that explains it best."""
    place = last.seq + 1
    if line.seq != place and _fits(line, last.digest, place):
        return Fault.CHANGED
    if line.seq < place:
        return Fault.INSERTED
    if line.seq > place:
        numbers = {later.seq for later in rest}
        return Fault.REMOVED if place not in numbers else Fault.INSERTED if line.seq in numbers else Fault.MOVED
    if (near := next(rest, None)) is None:
        return Fault.CHANGED
    # From here on the rows bear the numbers of their places, so that only what they were once linked to can tell.
    if _fits(line, near.digest, place + 1):
        return Fault.MOVED
    if _fits(near, last.digest, place):
        return Fault.INSERTED
    if _fits(near, line.digest, place + 2):
        return Fault.REMOVED
    elsewhere = any(_fits(line, later.digest, later.seq + 1) for later in itertools.chain((near,), rest))
    return Fault.MOVED if elsewhere else Fault.CHANGED
