"""Tables that fit a phone: monospace lines of at most 36 columns in which nothing is left out, put together to messages.

Pure; what stands in them is in ``bot.chat.sheets``. What doesn't fit beside each other is put below each other.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.chat.markdown import coded
from bot.chat.wording import LONGEST_ANSWER, bounded, pages

WIDTH = 36
RULE = "-" * WIDTH
LONGEST_CELL = 1000
# Leaves room for a heading and the marks around the block.
LONGEST_BLOCK = LONGEST_ANSWER - 500


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an answer.

    Attributes:
        heading: a line of Markdown.
        lines: what stands below it in monospace.
        notes: lines of Markdown below that; each must fit a message.
    """

    heading: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def messages(sections: Sequence[Section], *foot: str) -> list[str]:
    """Everything as messages that Discord takes, in order; what is beyond the most of them is said to be left out."""
    return bounded([part for section in sections for part in _parts(section)], *foot)


def _parts(section: Section) -> Iterator[str]:
    head = section.heading
    for page in pages(section.lines, LONGEST_BLOCK):
        yield "\n".join([*([head] if head else []), "```", page, "```"])
        head = ""
    if head:
        yield head
    yield from section.notes


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], totals: Sequence[Sequence[str]] = ()) -> list[str]:
    """A table: the first column to the left, numbers to the right, totals below a rule.

    Where the columns don't fit beside each other, the first cell gets a line of its own above the others; where these still
    don't fit, every cell does.
    """
    every = [[coded(cell, LONGEST_CELL) for cell in row] for row in (heads, *rows, *totals)]
    drawn = _beside(every) or _stacked(every) or [_listed(every[0], row) for row in every]
    first_total = 1 + len(rows)
    lines = [*drawn[:first_total], *([[RULE[: _widest(drawn)]]] if totals else []), *drawn[first_total:]]
    return [line for group in lines for line in group if line]


def pair(left: str, right: str) -> list[str]:
    """A name and its value, which stands to the right; on lines of their own where one doesn't hold both."""
    left, right = coded(left, LONGEST_CELL), coded(right, LONGEST_CELL)
    if len(left) + 1 + len(right) <= WIDTH:
        return [f"{left}{right:>{WIDTH - len(left)}}"]
    return [*wrapped(left), *(f"{line:>{WIDTH}}" for line in wrapped(right))]


def side_by_side(left: str, text: str) -> list[str]:
    """A text beside a short beginning, and below it on where it doesn't fit one line."""
    lines = textwrap.wrap(coded(text, LONGEST_CELL), WIDTH - len(left), break_on_hyphens=False)
    return [f"{left if number == 0 else ' ' * len(left)}{line}" for number, line in enumerate(lines or [""])]


def wrapped(text: str) -> list[str]:
    """A text on as many lines as it takes."""
    return textwrap.wrap(coded(text, LONGEST_CELL), WIDTH, break_on_hyphens=False)


def _beside(every: list[list[str]]) -> list[list[str]] | None:
    widths = _widths(every)
    gap = next((gap for gap in (2, 1) if sum(widths) + gap * (len(widths) - 1) <= WIDTH), None)
    if gap is None:
        return None
    return [[_row(row, widths, gap)] for row in every]


def _stacked(every: list[list[str]]) -> list[list[str]] | None:
    below = _beside([["", *row[1:]] for row in every])
    return below and [[*wrapped(row[0]), *lines] for row, lines in zip(every, below, strict=True)]


def _listed(heads: list[str], row: list[str]) -> list[str]:
    if row is heads:
        return []
    return [*wrapped(row[0]), *(line for pairs in zip(heads[1:], row[1:], strict=True) if pairs[1] for line in pair(*pairs))]


def _row(row: list[str], widths: list[int], gap: int) -> str:
    cells = [f"{row[0]:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))]
    return (" " * gap).join(cells).rstrip()


def _widths(every: list[list[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*every, strict=True)]


def _widest(drawn: list[list[str]]) -> int:
    return max(len(line) for group in drawn for line in group)
