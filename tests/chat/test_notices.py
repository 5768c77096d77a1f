"""A notice as a channel reads it."""

import pytest

from bot.chat.notices import drawn


@pytest.mark.parametrize(
    ("text", "late", "told"),
    [
        ("Filled 1 at 5800\n“Sim101” (SIM)", 0.0, "**Filled 1 at 5800**\n`Sim101` (SIM)"),
        ("Link down · Journal: not for 15 s\nLook · there", 0.0, "**Link down** · Journal: not for 15 s\nLook · there"),
        ("Behind: “sent”, and it says gone", 0.0, "**Behind: `sent`, and it says gone**"),
        ("Filled 1", 300.0, "**Filled 1**\n-# 5 min late"),
        # What an older version has stored.
        ("**Halted** · The desk\nby Ann (<@7>)", 0.0, "**Halted** · The desk\nby Ann (<@7>)"),
    ],
)
def test_the_headline_is_bold_and_marks_are_drawn(text: str, late: float, told: str) -> None:
    assert drawn(text, late) == told
