"""Exports: whatever is done to one, the first line that differs is named; and a spreadsheet runs nothing of it."""

import csv
import itertools
import json
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.journal.chain import EMPTY, Head, LogLine, head_of, linked
from bot.journal.export import COLUMNS, Format, check, text_of, time_of

from .logs import first_difference, written

ROWS, LOGS, EACH = 12, 8, 125
FORMS = list(Format)


def export(form: Format, lines: list[LogLine]) -> bytes:
    return "".join(text_of(form, lines, head_of(lines))).encode("ascii")


def edit(chance: random.Random, text: bytes) -> bytes:
    """Another byte in the place of one."""
    place = chance.randrange(len(text))
    other = chance.choice([byte for byte in b"\n\r\"',0123456789abcdef}]=\x00\xe9" if byte != text[place]])
    return text[:place] + bytes([other]) + text[place + 1 :]


def lose(chance: random.Random, text: bytes) -> bytes:
    place = chance.randrange(len(text))
    return text[:place] + text[place + 1 :]


def gain(chance: random.Random, text: bytes) -> bytes:
    place = chance.randrange(len(text) + 1)
    return text[:place] + bytes([chance.randrange(256)]) + text[place:]


def exchange(chance: random.Random, text: bytes) -> bytes:
    one, other = sorted(chance.sample(range(len(text)), 2))
    return text[:one] + text[other : other + 1] + text[one + 1 : other] + text[one : one + 1] + text[other + 1 :]


def lines_of(text: bytes) -> list[bytes]:
    return text.split(b"\n")


def delete(chance: random.Random, text: bytes) -> bytes:
    lines = lines_of(text)[:-1]
    del lines[chance.randrange(len(lines))]
    return b"\n".join([*lines, b""])


def insert(chance: random.Random, text: bytes) -> bytes:
    lines = lines_of(text)[:-1]
    new = chance.choice([*lines, b"", b"x", edit(chance, chance.choice(lines))])
    lines.insert(chance.randrange(len(lines) + 1), new)
    return b"\n".join([*lines, b""])


def swap(chance: random.Random, text: bytes) -> bytes:
    lines = lines_of(text)[:-1]
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join([*lines, b""])


WAYS: dict[Callable[[random.Random, bytes], bytes], str] = {
    edit: "changed",
    lose: "",
    gain: "",
    exchange: "",
    delete: "removed",
    insert: "",
    swap: "moved",
}


def is_named(found: str, place: int, rows: int) -> bool:
    """Tell whether the line is named that differs first, the header being line 0."""
    if place == 0:
        return found == "the header line was changed"
    if place <= rows:
        return found.startswith(f"row {place} was ")
    return found.startswith(("the head line was ", f"row {rows + 1} was inserted"))


def damages(way: Callable[[random.Random, bytes], bytes], chance: random.Random, text: bytes) -> Iterator[tuple[int, bytes]]:
    """Damaged exports, each with the first line that differs; what changed nothing is none."""
    while True:
        damaged = way(chance, text)
        place = first_difference(lines_of(text), lines_of(damaged))
        if place is not None:
            yield place, damaged


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("form", FORMS)
def test_a_thousand_of_each_kind_of_damage_are_all_found_and_named(
    form: Format, way: Callable[[random.Random, bytes], bytes]
) -> None:
    wrong = []
    for seed in range(LOGS):
        chance = random.Random(seed)
        text = export(form, written(chance, ROWS))
        for place, damaged in itertools.islice(damages(way, chance, text), EACH):
            finding = check(damaged)
            found = str(finding and finding.wrong)
            if not is_named(found, place, ROWS) or (0 < place <= ROWS and not found.endswith(WAYS[way])):
                wrong.append((seed, place, found, damaged))
    assert wrong == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_every_byte_of_a_small_export_counts(form: Format, rows: int) -> None:
    lines = written(random.Random(3), rows)
    text = export(form, lines)
    finding = check(text)
    assert finding is not None
    assert (finding.wrong, finding.last.head, finding.last.at) == (None, head_of(lines), lines[-1].at if lines else None)
    for place in range(len(text)):
        for other in (text[place] ^ 1, text[place] ^ 0x20, 0x0A):
            damaged = text[:place] + bytes([other]) + text[place + 1 :]
            if damaged != text:
                line = text[:place].count(b"\n")
                finding = check(damaged)
                assert finding is not None, damaged
                assert is_named(str(finding.wrong), line, rows), (damaged, finding.wrong)
    for end in range(1, len(text)):
        finding = check(text[:end])
        assert finding is None or finding.wrong, text[:end]


Content = tuple[int, str, str | None, int | None, str]
VALUES = st.text(max_size=12) | st.sampled_from(["", "'", "'\"", "=1+1", "-2", "@x", "a\nb", "\udc80", "\x00", '","', "é", "'=1"])
ROW = st.tuples(st.integers(-(2**63), 2**63 - 1), VALUES, st.none() | VALUES, st.none() | st.integers(), VALUES)


@given(st.lists(ROW, max_size=6), st.sampled_from(FORMS))
def test_whatever_a_log_holds_comes_through_an_export_whole(contents: list[Content], form: Format) -> None:
    lines: list[LogLine] = []
    for content in contents:
        lines.append(linked(head_of(lines), *content))
    text = export(form, lines)
    assert text.count(b"\n") == len(lines) + 2
    finding = check(text)
    assert finding is not None
    assert (finding.wrong, finding.last.head) == (None, head_of(lines))


@given(st.lists(ROW, max_size=4))
def test_no_cell_is_run_by_a_spreadsheet(contents: list[Content]) -> None:
    lines = [LogLine(1, *content, "=cmd()") for content in contents]
    for row in csv.reader(export(Format.CSV, lines).decode().splitlines(), strict=True):
        assert len(row) == len(COLUMNS)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def test_other_programs_read_an_export_as_it_is_meant() -> None:
    lines = written(random.Random(5), 5)
    table = list(csv.DictReader(export(Format.CSV, lines).decode().splitlines()))
    objects = json.loads(export(Format.JSON, lines))
    for line, row, one in zip(lines, table, objects, strict=False):
        assert row == {
            "seq": str(line.seq),
            "at": str(line.at),
            "time": time_of(line.at),
            "name": line.name,
            "ticket": line.ticket or "",
            "actor": str(line.actor or ""),
            "data": line.data,
            "digest": line.digest,
        }
        assert {key: str(value) if value is not None else "" for key, value in one.items()} == row
    assert (table[-1]["seq"], objects[-1]["seq"]) == ("head", "head")
    assert table[-1]["digest"] == objects[-1]["digest"] == lines[-1].digest
    assert objects[0]["time"] == "2026-08-03T12:00:00.000000Z"


def test_a_time_that_is_none_is_left_out() -> None:
    assert time_of(1) == "1970-01-01T00:00:00.000001Z"
    assert time_of(2**63) is None
    assert time_of(None) is None


@pytest.mark.parametrize("text", [b"", b"\n\n", b"SQLite format 3\0", b'{"a":1}', b"seq,at\n1,2\n", b"[]", b"\xff\xfe\n"])
def test_what_is_no_export_is_told_from_one_that_was_changed(text: bytes) -> None:
    finding = check(text)
    assert finding is None or finding.wrong == "the header line was changed"


@pytest.mark.parametrize("form", FORMS)
def test_heads_kept_elsewhere_are_compared_as_far_as_the_export_goes(form: Format) -> None:
    lines = written(random.Random(6), 6)
    text = export(form, lines)
    good = [Head(line.seq, line.digest) for line in lines]
    for marks, wrong in (
        ([EMPTY, *good, Head(7, "0" * 64)], None),
        ([good[1], Head(4, "0" * 64)], "row 4 is not what the head that was kept of it says: one of the rows 3 to 4"),
    ):
        finding = check(text, marks)
        assert finding is not None
        assert str(finding.wrong).startswith(str(wrong))


@pytest.mark.parametrize("form", FORMS)
def test_a_head_line_of_another_time_is_found(form: Format) -> None:
    lines = written(random.Random(7), 3)
    later = LogLine(3, lines[-1].at + 1, lines[-1].name, None, None, "{}", lines[-1].digest)
    forged = lines_of(export(form, lines))[:-2] + lines_of(export(form, [*lines[:2], later]))[-2:]
    finding = check(b"\n".join(forged))
    assert finding is not None
    assert finding.wrong == "the head line was changed"


def test_a_row_may_be_as_long_as_it_likes() -> None:
    line = linked(EMPTY, 5, "offered", None, None, json.dumps({"text": '"' * 200_000}))
    for form in FORMS:
        finding = check(export(form, [line]))
        assert finding is not None
        assert finding.wrong is None


@pytest.mark.parametrize("data", ["5", "{", '{"rows":"x"}', "[" * 50_000, '{"rows":1.5}', "{}"])
def test_a_head_line_that_says_nothing_sensible_is_no_head_line(data: str) -> None:
    lines = written(random.Random(8), 1)
    *rest, head, end = lines_of(export(Format.JSON, lines))
    cells = json.loads(head[:-1])
    forged = json.dumps(cells | {"data": data}, separators=(",", ":")).encode() + b"]"
    finding = check(b"\n".join([*rest, forged, end]))
    assert finding is not None
    assert finding.wrong == "the head line was changed"
