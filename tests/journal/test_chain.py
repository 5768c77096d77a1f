"""The chain: whatever is done to a log, the first place where it differs is named; and nothing else ever is."""

import hashlib
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.journal.chain import EMPTY, START, ChainBreak, Fault, Head, LogLine, digest, head_of, linked, verify

from .logs import first_difference, written

LOG = written(random.Random(1), 9)
HEAD = head_of(LOG)
Content = tuple[int, str, str | None, int | None, str]
TEXTS = st.text(max_size=20)
LINES = st.tuples(st.integers(), TEXTS, st.none() | TEXTS, st.none() | st.integers(), TEXTS)


def chained(contents: list[Content]) -> list[LogLine]:
    lines: list[LogLine] = []
    for content in contents:
        lines.append(linked(head_of(lines), *content))
    return lines


def rewritten(lines: list[LogLine], first: int) -> list[LogLine]:
    """What a forger leaves who changes a row and links all that is behind it anew."""
    forged = lines[: first - 1]
    for line in lines[first - 1 :]:
        data = '{"forged":1}' if line.seq == first else line.data
        forged.append(linked(head_of(forged), line.at, line.name, line.ticket, line.actor, data))
    return forged


def renumbered(lines: list[LogLine]) -> list[LogLine]:
    return [replace(line, seq=place) for place, line in enumerate(lines, start=1)]


def test_what_a_digest_is_made_of_never_changes() -> None:
    assert digest(START, 1, 5, "offered", None, 7, '{"a":"\\u00e9"}') == (
        hashlib.sha256(f'["{START}",1,5,"offered",null,7,"{{\\"a\\":\\"\\\\u00e9\\"}}"]'.encode()).hexdigest()
    )
    assert digest(START, 1, 5, "offered", None, 7, "{}") == "7ddebd08b9945457dfcfaad10f76afcb3e9d16d2a6562151f6a4d1507d8162dd"


@given(st.lists(LINES, max_size=12), st.data())
def test_a_log_as_it_was_written_is_never_complained_of(contents: list[Content], data: st.DataObject) -> None:
    lines = chained(contents)
    heads = [EMPTY, *[Head(line.seq, line.digest) for line in lines]]
    marks = data.draw(st.lists(st.sampled_from(heads)))
    assert verify(lines, head_of(lines), marks) is None
    assert verify(lines, None, marks) is None


@given(st.lists(LINES, min_size=1, max_size=12), st.data())
def test_a_change_of_anything_in_a_row_names_that_row(contents: list[Content], data: st.DataObject) -> None:
    lines = chained(contents)
    place = data.draw(st.integers(0, len(lines) - 1))
    old = lines[place]
    field = data.draw(st.sampled_from(["at", "name", "ticket", "actor", "data", "digest", "seq"]))
    values: dict[str, st.SearchStrategy[Any]] = {
        "at": st.integers(),
        "seq": st.integers(),
        "ticket": st.none() | TEXTS,
        "actor": st.none() | st.integers(),
    }
    new: Any = data.draw(values.get(field, TEXTS).filter(lambda value: value != getattr(old, field)))
    broken = verify([*lines[:place], replace(old, **{field: new}), *lines[place + 1 :]], head_of(lines))
    assert broken == ChainBreak(place + 1, Fault.CHANGED)
    assert str(broken) == f"row {place + 1} was changed"


@given(st.lists(LINES, min_size=1, max_size=12), st.data())
def test_whatever_is_done_with_whole_rows_the_first_difference_is_named(contents: list[Content], data: st.DataObject) -> None:
    lines = chained(contents)
    other = data.draw(st.lists(st.sampled_from(lines), max_size=14))
    if data.draw(st.booleans()):
        other = renumbered(other)
    place = first_difference(lines, other)
    broken = verify(other, head_of(lines))
    assert (None if broken is None else broken.seq) == (None if place is None else place + 1)


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ([1, 2, 4, 5, 6, 7, 8, 9], "row 3 was removed"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "row 9 was removed"),
        ([2, 3, 4, 5, 6, 7, 8, 9], "row 1 was removed"),
        ([1, 2, 6, 7, 8, 9], "row 3 was removed"),
        ([], "row 1 was removed"),
        ([1, 2, 4, 3, 5, 6, 7, 8, 9], "row 3 was moved"),
        ([1, 2, 7, 4, 5, 6, 3, 8, 9], "row 3 was moved"),
        ([1, 2, 5, 4, 3, 6, 7, 8, 9], "row 3 was moved"),
        ([1, 2, 3, 4, 5, 6, 7, 9, 8], "row 8 was moved"),
        ([2, 3, 4, 5, 6, 7, 8, 9, 1], "row 1 was moved"),
        ([1, 2, 7, 3, 4, 5, 6, 7, 8, 9], "row 3 was inserted"),
        ([1, 2, 2, 3, 4, 5, 6, 7, 8, 9], "row 3 was inserted"),
        ([1, 2, 1, 3, 4, 5, 6, 7, 8, 9], "row 3 was inserted"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 4], "row 10 was inserted"),
    ],
)
def test_rows_by_their_numbers_tell_what_was_done(places: list[int], found: str) -> None:
    assert str(verify([LOG[place - 1] for place in places], HEAD)) == found


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ([1, 2, 4, 5, 6, 7, 8, 9], "row 3 was removed"),
        ([1, 2, 4, 3, 5, 6, 7, 8, 9], "row 3 was moved"),
        ([1, 2, 7, 4, 5, 6, 3, 8, 9], "row 3 was moved"),
        ([1, 2, 5, 4, 3, 6, 7, 8, 9], "row 3 was moved"),
        ([1, 2, 7, 3, 4, 5, 6, 7, 8, 9], "row 3 was inserted"),
    ],
)
def test_rows_that_were_numbered_anew_tell_it_by_what_they_were_linked_to(places: list[int], found: str) -> None:
    lines = renumbered([LOG[place - 1] for place in places])
    assert str(verify(lines, HEAD)) == found


def test_rows_put_behind_the_last_one_are_found_even_if_they_are_linked() -> None:
    longer = [*LOG, linked(HEAD, 5, "offered", None, None, "{}")]
    assert str(verify(longer, HEAD)) == "row 10 was inserted"
    # Whoever moves the head along goes unnoticed until a head that was kept elsewhere says otherwise.
    assert verify(longer, head_of(longer)) is None


def test_a_row_of_which_only_the_number_is_another_was_changed() -> None:
    for number in (-5, 0, 2, 8, 50):
        lines = [*LOG[:2], replace(LOG[2], seq=number), *LOG[3:]]
        assert str(verify(lines, HEAD)) == "row 3 was changed"


def test_a_log_written_anew_from_some_row_on_is_found_by_its_head_or_by_a_head_kept_elsewhere() -> None:
    forged = rewritten(LOG, 4)
    marks = [Head(line.seq, line.digest) for line in (LOG[1], LOG[5])]
    assert verify(forged, head_of(forged)) is None, "this is what the heads are kept for"
    found = verify(forged, head_of(forged), marks)
    assert found == ChainBreak(6, Fault.REWRITTEN, 3)
    assert str(found) == (
        "row 6 is not what the head that was kept of it says: one of the rows 3 to 6 and all behind it were written anew, "
        "or that head was"
    )
    assert verify(forged, HEAD, marks[:1]) == ChainBreak(9, Fault.REWRITTEN, 3)
    assert verify(forged, HEAD) == ChainBreak(9, Fault.REWRITTEN, 1)
    assert "row 6 and all behind it" in str(
        verify(rewritten(LOG, 6), head_of(rewritten(LOG, 6)), [marks[1], Head(5, LOG[4].digest)])
    )


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (Head(8, LOG[7].digest), "row 9 was inserted"),
        (Head(0, START), "row 1 was inserted"),
        (Head(-3, START), "row 1 was inserted"),
        (Head(12, HEAD.digest), "row 10 was removed"),
        (Head(9, START), "row 9 is not what the head"),
    ],
)
def test_a_head_alone_that_was_changed_is_found(head: Head, found: str) -> None:
    assert str(verify(LOG, head)).startswith(found)


def test_heads_that_contradict_each_other_or_go_further_than_the_log_are_found() -> None:
    assert verify(LOG, HEAD, [Head(4, LOG[3].digest), Head(4, "0")]) == ChainBreak(4, Fault.REWRITTEN, 1)
    assert verify(LOG, HEAD, [Head(11, "0")]) == ChainBreak(10, Fault.REMOVED)
    assert verify([], EMPTY, [Head(1, "0")]) == ChainBreak(1, Fault.REMOVED)
    assert verify([], EMPTY, [EMPTY]) is None
