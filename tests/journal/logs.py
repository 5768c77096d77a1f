"""Logs to tamper with, and what the first difference between two of them is."""

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest

from bot.desk.ports import Event, EventName
from bot.journal.chain import EMPTY, LogLine, head_of, linked

from .making import NOON, SECOND

NAMES = list(EventName)


def written(chance: random.Random, rows: int) -> list[LogLine]:
    """A log as the desk would write it."""
    lines, last = [], EMPTY
    for row in range(rows):
        at = 1_785_758_400_000_000 + row * 1_000_003
        ticket = chance.choice([None, f"T{row}"])
        actor = chance.choice([None, 111_222_333_444_555_666 + row])
        data = chance.choice(["{}", '{"text":"na\\u00efve \\"quoted\\", =1+1"}', f'{{"row":{row}}}'])
        lines.append(linked(last, at, chance.choice(NAMES), ticket, actor, data))
        last = head_of(lines)
    return lines


def some_events(chance: random.Random, rows: int) -> list[Event]:
    """Events of every sort."""
    return [
        Event(
            NOON + row * SECOND + timedelta(microseconds=chance.randrange(1_000_000)),
            chance.choice(NAMES),
            chance.choice([None, f"T{row}"]),
            chance.choice([None, row + 5]),
            {"row": row, "text": chance.choice(["", "naïve", "=1+1", 'a "quote"'])},
        )
        for row in range(rows)
    ]


def first_difference(one: Sequence[object], other: Sequence[object]) -> int | None:
    """Where two sequences differ first, counted from nought."""
    absent = object()
    pairs = zip_longest(one, other, fillvalue=absent)
    return next((place for place, (mine, its) in enumerate(pairs) if mine != its), None)
