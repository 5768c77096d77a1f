"""A command as somebody types or pastes it in one line: `/card fruit:apple number:2`.

Like Discord's own box: a value runs up to the next option's name, quotes in it stay as they are.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood.

    Attributes:
        command: the command's name, with its subcommands.
        values: what was typed for each option.

    """

    command: str
    values: Mapping[str, str]


def read_line(text: str, commands: Mapping[str, Collection[str]]) -> Line | None:
    """Return what a line says, None if it isn't one of the commands.

    Args:
        text: the line.
        commands: option names of each command that may be meant, by the command's name.

    """
    fitting = [name for name in commands if re.match(rf"/{re.escape(name)}(?:\s|\Z)", text)]
    if not fitting:
        return None
    command = max(fitting, key=len)
    rest = text[len(command) + 1 :]
    names = "|".join(re.escape(name) for name in commands[command])
    if not names:
        return Line(command, {}) if not rest.strip() else None
    before, *pieces = re.split(rf"(?:\A|\s)\s*({names}):", rest)
    if before.strip():
        return None
    return Line(command, {name: value.strip() for name, value in zip(pieces[::2], pieces[1::2], strict=True)})
