"""One line, as typed or pasted, becomes a command with its values."""

import pytest

from bot.sandbox.discord.line import read_line

COMMANDS = {"turn": ["account", "instrument", "qty"], "turn now": ["qty"], "look": []}


@pytest.mark.parametrize(
    ("text", "command", "values"),
    [
        ("/turn account:One qty:2", "turn", {"account": "One", "qty": "2"}),
        ('/turn instrument:"ES 09-26" qty: 1', "turn", {"instrument": '"ES 09-26"', "qty": "1"}),
        ("/turn instrument:ES 09-26  account:a:b", "turn", {"instrument": "ES 09-26", "account": "a:b"}),
        ("/turn now qty:3", "turn now", {"qty": "3"}),
        ("/turn", "turn", {}),
        ("/look", "look", {}),
    ],
)
def test_a_line_is_read_as_discord_reads_it(text: str, command: str, values: dict[str, str]) -> None:
    line = read_line(text, COMMANDS)
    assert line is not None
    assert (line.command, line.values) == (command, values)


@pytest.mark.parametrize("text", ["turn", "/turned", "/turn hello", "/look around", "/turn hello qty:1", "", "/"])
def test_anything_else_is_an_ordinary_message(text: str) -> None:
    assert read_line(text, COMMANDS) is None
