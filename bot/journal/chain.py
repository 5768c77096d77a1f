"""The hash chain of the log: each line carries the digest of itself and of the line before. Pure.

So a line that was changed, taken out, put in or moved is found, and everything before it is known to be as it was written. What
it can't find is a log that somebody has written anew from some line to its end: for that the head is told to people, and kept
elsewhere, from time to time.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

# What stands before the first line.
START = "0" * 64


@dataclass(frozen=True, slots=True)
class Line:
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
    """What is wrong with a line."""

    CHANGED = "was changed"
    REMOVED = "was removed"
    INSERTED = "was inserted"
    MOVED = "was moved"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line that is not as it was written."""

    seq: int
    fault: Fault

    def __str__(self) -> str:
        return f"row {self.seq} {self.fault}"


def digest(previous: str, seq: int, at: int, name: str, ticket: str | None, actor: int | None, data: str) -> str:
    """The digest of a line behind the line with the digest ``previous``."""
    written = json.dumps([previous, seq, at, name, ticket, actor, data], separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def linked(head: Head, at: int, name: str, ticket: str | None, actor: int | None, data: str) -> Line:
    """The line that follows a head."""
    seq = head.seq + 1
    return Line(seq, at, name, ticket, actor, data, digest(head.digest, seq, at, name, ticket, actor, data))


def verify(lines: Iterable[Line], head: Head, marks: Iterable[Head] = ()) -> Broken | None:
    """The first line that isn't as it was written, or ``None``.

    Args:
        lines: the whole log, in the order in which it stands there.
        head: the last line as the log's own keeper has it; tells lines that were cut off or put behind.
        marks: heads of earlier times, kept elsewhere.
    """
    kept = {mark.seq: mark.digest for mark in marks}
    rest, last = iter(lines), EMPTY
    for line in rest:
        if line.seq != last.seq + 1:
            return _out_of_place(line, last, rest)
        if line.seq > head.seq:
            return Broken(line.seq, Fault.INSERTED)
        if line.digest != _of(line, last) or kept.get(line.seq, line.digest) != line.digest:
            return Broken(line.seq, Fault.CHANGED)
        last = Head(line.seq, line.digest)
    if last.seq < max([head.seq, *kept]):
        return Broken(last.seq + 1, Fault.REMOVED)
    return None if last == head else Broken(last.seq, Fault.CHANGED)


def _of(line: Line, last: Head) -> str:
    return digest(last.digest, line.seq, line.at, line.name, line.ticket, line.actor, line.data)


def _out_of_place(line: Line, last: Head, rest: Iterator[Line]) -> Broken:
    """What to say where a number doesn't follow: one that was there already was put in; one that comes later was moved."""
    if line.seq <= last.seq:
        return Broken(line.seq, Fault.INSERTED)
    missing = last.seq + 1
    return Broken(missing, Fault.MOVED if any(later.seq == missing for later in rest) else Fault.REMOVED)
