"""The log as a text to hand on, CSV or JSON: written so that it can be checked byte by byte, and that check. Pure.

A text is one header line, a line for each row, and the head line. Each has just one spelling, all of it ASCII, so that a line
which isn't spelled as it would be written has been changed, even where what it says is the same.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.journal.chain import EMPTY, ChainBreak, Fault, Head, LogLine, head_of, verify

COLUMNS = ("seq", "at", "time", "name", "ticket", "actor", "data", "digest")
HEAD = "head"
HEADER_LINE, HEAD_LINE = "the header line", "the head line"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a spreadsheet may take for a formula, and the mark itself that keeps it from doing so.
_FORMULA = tuple("=+-@'")

_CELL = re.compile(r'"([^"]*(?:""[^"]*)*)"')

Cell = int | str | None


class Format(StrEnum):
    """The format of an export."""

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Last:
    """The head line: the last row, and when it was written; ``None`` of an empty log."""

    head: Head
    at: int | None

    @property
    def check(self) -> str:
        """The checksum of the head line, by which a slip in it is told from rows that are missing."""
        return hashlib.sha256(json.dumps([self.head.seq, self.head.digest, self.at]).encode()).hexdigest()[:16]


NOTHING = Last(EMPTY, None)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of the check of a text.

    Attributes:
        last: the head line, where there is a good one.
        wrong: the first thing that isn't as it was written, in words.
    """

    last: Last = NOTHING
    wrong: str | None = None


def time_of(at: int | None) -> str | None:
    """Microseconds since 1970 as people read them; of what is no time, nothing."""
    if at is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return None


def text_of(form: Format, lines: Iterable[LogLine], head: Head) -> Iterator[str]:
    """The whole export, a line at a time."""
    spelling = _SPELLINGS[form]
    yield spelling.header + "\n"
    at = None
    for line in lines:
        at = line.at
        yield spelling.row(line) + "\n"
    yield spelling.head(Last(head, at)) + "\n"


def check(text: bytes, marks: Iterable[Head] = ()) -> Finding | None:
    """Check an export; ``None`` if it is none.

    Args:
        text: all of it.
        marks: heads that were kept elsewhere; those of later than the export say nothing about it.
    """
    # Not one byte may be lost or made up on the way; what is no ASCII was never written.
    texts = text.decode("latin-1").split("\n")
    if (form := _form(texts)) is None:
        return None
    spelling = _SPELLINGS[form]
    is_whole = texts[-1] == ""
    header, *body = texts[:-1] if is_whole else texts
    if header != spelling.header:
        return Finding(wrong=f"{HEADER_LINE} was changed")
    place = next((index for index in reversed(range(len(body))) if spelling.read_head(body[index])), None)
    if place is None or not is_whole:
        return Finding(wrong=_without_head(spelling, body))
    return _with_head(spelling, body, place, marks)


def _form(texts: Sequence[str]) -> Format | None:
    """The format by the header line; where that is just what was changed, another line will do. ``None`` if it is no export."""
    for form, spelling in _SPELLINGS.items():
        if texts[0] == spelling.header:
            return form
    looks = any(text.startswith('"') or '"seq"' in text or f'"{HEAD}"' in text for text in texts[:3])
    return Format.CSV if looks else None


class _Spelling(ABC):
    """The spelling of the lines, which CSV and JSON do each in its own way."""

    header = ""
    # What stands behind a row, and behind the head line.
    behind_row, behind_head = "", ""

    @abstractmethod
    def spell(self, cells: Sequence[Cell]) -> str:
        """Cells as a line."""

    @abstractmethod
    def read(self, text: str) -> Sequence[Cell] | None:
        """A line as cells, or ``None``; whether it is spelled as it should be is somebody else's question."""

    def row(self, line: LogLine) -> str:
        """A row of the log as a line."""
        cells = (line.seq, line.at, time_of(line.at), line.name, line.ticket, line.actor, line.data, line.digest)
        return self.spell(cells) + self.behind_row

    def head(self, last: Last) -> str:
        """The head line."""
        data = json.dumps({"rows": last.head.seq, "check": last.check}, separators=(",", ":"))
        return self.spell((HEAD, last.at, time_of(last.at), None, None, None, data, last.head.digest)) + self.behind_head

    def read_row(self, text: str) -> LogLine | None:
        """The row, if the line is spelled just as one is written."""
        match self.read(text):
            case [int(seq), int(at), _, str(name), str() | None as ticket, int() | None as actor, str(data), str(digest)]:
                line = LogLine(seq, at, name, ticket, actor, data, digest)
                return line if self.row(line) == text else None
        return None

    def read_head(self, text: str) -> Last | None:
        """The head line, if the line is spelled just as one is written."""
        match self.read(text):
            case [str(word), int() | None as at, _, None, None, None, str(data), str(digest)] if word == HEAD:
                last = Last(Head(_rows_in(data), digest), at)
                return last if self.head(last) == text else None
        return None

    def lines(self, texts: Sequence[str]) -> Iterator[LogLine]:
        """The rows; for a line that is none, one that fits nowhere and bears the number of its place."""
        for place, text in enumerate(texts, start=1):
            yield self.read_row(text) or LogLine(place, 0, "", None, None, "", "")

    def begins_like(self, place: int | str, text: str) -> bool:
        """Tell whether a line begins as the row of that place does, or as the head line."""
        number = self.spell([place, *[None] * (len(COLUMNS) - 1)]).partition(",")[0]
        return text.startswith(f"{number},")


def _rows_in(data: str) -> int:
    try:
        rows = json.loads(data)["rows"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return -1
    return rows if isinstance(rows, int) else -1


class _Json(_Spelling):
    """One array with a line for each object."""

    header = "["
    behind_row, behind_head = ",", "]"

    def spell(self, cells: Sequence[Cell]) -> str:
        return json.dumps(dict(zip(COLUMNS, cells, strict=True)), separators=(",", ":"))

    def read(self, text: str) -> Sequence[Cell] | None:
        try:
            found = json.loads(text[:-1])
        except (ValueError, RecursionError):
            return None
        return tuple(found.values()) if isinstance(found, dict) else None


class _Csv(_Spelling):
    """Every cell in quotes, one row a line, and nothing that a spreadsheet would run."""

    header = ",".join(f'"{column}"' for column in COLUMNS)

    def spell(self, cells: Sequence[Cell]) -> str:
        return ",".join('"' + _shielded(cell).replace('"', '""') + '"' for cell in cells)

    def read(self, text: str) -> Sequence[Cell] | None:
        cells = [cell.replace('""', '"') for cell in _CELL.findall(text)]
        if len(cells) != len(COLUMNS):
            return None
        try:
            seq, at, time, name, ticket, actor, data, digest = map(_bare, cells)
            return (seq if seq == HEAD else _number(seq), _number(at), time, name, ticket, _number(actor), data, digest)
        except ValueError:
            return None


def _shielded(cell: Cell) -> str:
    """A cell's text. Nothing is nothing; an empty text, and whatever a spreadsheet would run or tear apart, gets a mark."""
    if cell is None:
        return ""
    text = str(cell)
    if not text.isascii() or not text.isprintable():
        return f"'{json.dumps(text)}"
    return f"'{text}" if not text or text.startswith(_FORMULA) else text


def _bare(cell: str) -> str | None:
    """The value that a cell's text stands for."""
    if not cell.startswith("'"):
        return cell or None
    return str(json.loads(cell[1:])) if cell.startswith("'\"") else cell[1:]


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


_SPELLINGS: dict[Format, _Spelling] = {Format.CSV: _Csv(), Format.JSON: _Json()}


def _with_head(spelling: _Spelling, body: list[str], place: int, marks: Iterable[Head]) -> Finding:
    """Check the rows against the head line, which stands at that place among them."""
    last = spelling.read_head(body.pop(place)) or NOTHING
    rows = list(spelling.lines(body))
    broken = verify(rows, last.head, (mark for mark in marks if mark.seq <= last.head.seq))
    if broken is None and place < len(rows):
        broken = ChainBreak(place + 1, Fault.MOVED)
    if broken is None and last.at != (rows[-1].at if rows else None):
        return Finding(last, f"{HEAD_LINE} was changed")
    return Finding(last, None if broken is None else str(broken))


def _without_head(spelling: _Spelling, body: Sequence[str]) -> str:
    """The fault where no line is a good head line, or the end is cut off: a bad row, or the head line itself."""
    rows = list(spelling.lines(body))
    broken = verify(rows, None)
    if broken is None:
        return f"{HEAD_LINE} was removed"
    place, rest = broken.seq, body[broken.seq - 1 :]
    # The head line repeats the digest of the last row, and no other line that comes behind it does.
    repeated = head_of(rows[: place - 1]).digest
    if spelling.begins_like(HEAD, rest[0]) or any(repeated in text for text in rest):
        return f"{HEAD_LINE} was changed"
    is_row = spelling.begins_like(place, rest[0]) or any(map(spelling.read_row, rest)) or spelling.begins_like(HEAD, rest[-1])
    return str(broken) if is_row else f"{HEAD_LINE} was changed"
