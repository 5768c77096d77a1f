"""Tables fit a phone, lose nothing, and foreign text in them stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.markdown import coded
from bot.chat.tables import WIDTH, Section, grid, messages, pair, wrapped
from bot.chat.wording import MOST_MESSAGES

cells = st.text(max_size=60) | st.from_regex(r"-?[0-9]{1,3}(,[0-9]{3}){0,5}\.[0-9]{2}", fullmatch=True)
counts = st.integers(1, 5)
DISCORDS_LONGEST = 2000


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Heads, rows and totals of one number of columns."""
    rows = st.lists(cells, min_size=(columns := draw(counts)), max_size=columns)
    return draw(rows), draw(st.lists(rows, max_size=6)), draw(st.lists(rows, max_size=2))


def squeezed(text: str) -> str:
    """Without blanks."""
    return "".join(text.split())


@given(tables())
def test_no_line_is_wider_than_a_phone_and_no_cell_is_lost(table: tuple[list[str], list[list[str]], list[list[str]]]) -> None:
    heads, rows, totals = table
    lines = grid(heads, rows, totals)
    assert all(len(line) <= WIDTH for line in lines)
    assert not any("\n" in line or "`" in line for line in lines)
    drawn = squeezed("".join(lines))
    for row in (*rows, *totals):
        for cell in row:
            assert squeezed(coded(cell)) in drawn


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_no_line_is_wider_whichever_way_the_cells_just_fit(columns: int) -> None:
    for first in range(1, WIDTH + 3):
        for other in range(1, WIDTH + 3):
            lines = grid(("",) * (1 + columns), [("x" * first, *["9" * other] * columns)])
            assert max(map(len, lines)) <= WIDTH
            assert squeezed("".join(lines)) == "x" * first + "9" * other * columns
            lines += pair("x" * first, "9" * other)
            assert not any(len(line) > WIDTH or "x9" in line for line in lines)


@given(cells, cells)
def test_a_name_and_its_value_stay_whole(left: str, right: str) -> None:
    lines = pair(left, right)
    assert all(len(line) <= WIDTH for line in lines)
    assert squeezed("".join(lines)) == squeezed(coded(left)) + squeezed(coded(right))
    assert squeezed("".join(wrapped(left))) == squeezed(coded(left))


@given(st.lists(st.text("0123456789 -", min_size=1, max_size=WIDTH), max_size=400), st.lists(st.text(max_size=300), max_size=30))
def test_messages_are_taken_by_discord_and_hold_every_line_and_note(lines: list[str], notes: list[str]) -> None:
    told = messages([Section("**head**", tuple(lines), tuple(notes))], "-# foot")
    assert all(0 < len(text) <= DISCORDS_LONGEST for text in told)
    assert all(text.count("```") % 2 == 0 for text in told if "`" not in "".join(notes))
    whole = "\n".join(told)
    drawn = whole if "`" in "".join(notes) else "\n".join(whole.split("```")[1::2])
    assert all(line in drawn for line in lines)
    assert all(note in whole for note in notes)
    assert whole.endswith("-# foot")


def test_numbers_stand_right_below_each_other_and_totals_below_a_rule() -> None:
    assert grid(("account", "day"), [("Sim101", "-1,250.00"), ("Sim2", "3.00")], [("total", "-1,247.00")]) == [
        "account        day",
        "Sim101   -1,250.00",
        "Sim2          3.00",
        "-" * 18,
        "total    -1,247.00",
    ]


def test_a_row_that_does_not_fit_stands_on_two_lines() -> None:
    assert grid(("", "bid", "ask", "last"), [("NQ 09-26 or so", "21500.25", "21500.50", "21500.25")]) == [
        "       bid       ask      last",
        "NQ 09-26 or so",
        "  21500.25  21500.50  21500.25",
    ]


def test_cells_that_fit_nowhere_beside_others_get_lines_of_their_own() -> None:
    worth = "1,000,000,000,000.00"
    assert grid(("account", "realised", "day"), [("Sim101", worth, worth)]) == [
        "Sim101",
        f"realised{worth:>28}",
        f"day{worth:>33}",
    ]


def test_foreign_text_can_not_end_the_block_or_add_lines() -> None:
    [line] = grid(("x",), [("a```\n@everyone",)])[1:]
    assert "`" not in line
    [text] = messages([Section("", (line,))])
    assert text.count("```") == 2


def test_what_would_take_too_many_messages_says_how_many_are_left_out() -> None:
    sections = [Section(f"**{number}**", ("x" * WIDTH,) * 36) for number in range(100)]
    told = messages(sections, "-# foot")
    assert len(told) == MOST_MESSAGES
    assert told[0].startswith("**0**")
    assert "80 more messages of this are left out" in told[-1]
    assert told[-1].endswith("-# foot")
    assert all(len(text) <= DISCORDS_LONGEST for text in told)
    few = messages(sections[:MOST_MESSAGES])
    assert len(few) == MOST_MESSAGES
    assert "more messages" not in few[-1]
