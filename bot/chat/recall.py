"""Suggestions that were shown, so that one whose text comes back in place of its value is understood.

Apps send a suggestion's value when it is chosen, and its text when somebody types it, or goes on before choosing.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import discord
from discord import app_commands

from bot.trading.planning.suggestions import is_cut, value_in

MOST = 5000


class Recall:
    """Suggestions that each member was offered lately, by command, option and text; texts that are their own values aren't kept.

    Args:
        clock: seconds of a count that nothing sets back.
        lives: seconds that a text is remembered.
        most: texts at most.
    """

    def __init__(self, clock: Callable[[], float], lives: float, most: int = MOST) -> None:
        self._clock = clock
        self._lives = lives
        self._most = most
        self._shown: OrderedDict[tuple[int, str, str, str], tuple[float, object]] = OrderedDict()

    def keep(self, interaction: discord.Interaction[Any], shown: Iterable[app_commands.Choice[Any]]) -> None:
        """Remember what a keystroke was shown; where one text has stood for two values, neither is meant."""
        data: Any = interaction.data
        member, command = interaction.user.id, data["name"]
        option = next(each["name"] for each in data["options"] if each.get("focused"))
        for each in shown:
            text = _plain(each.name)
            if text == str(each.value):
                continue
            key, now = (member, command, option, text), self._clock()
            since, before = self._shown.get(key, (now, each.value))
            is_clear = before == each.value or now - since > self._lives
            self._shown[key] = (now, each.value if is_clear else None)
            self._shown.move_to_end(key)
        while len(self._shown) > self._most:
            self._shown.popitem(last=False)

    def put_back(self, interaction: discord.Interaction[Any]) -> list[str]:
        """Put values in the place of their texts; gives the options whose text doesn't tell which value is meant.

        What was shown before a restart is forgotten; then the text itself is read.
        """
        data: Any = interaction.data
        doubtful = []
        for each in data.get("options", []):
            text = _plain(str(each["value"]))
            found = self._find(interaction.user.id, data["name"], each["name"], text) or _read(data["name"], each["name"], text)
            if found is None:
                continue
            if found[0] is None:
                doubtful.append(each["name"])
            else:
                each["value"] = found[0]
        return doubtful

    def _find(self, member: int, command: str, option: str, text: str) -> tuple[object] | None:
        found = self._shown.get((member, command, option, text))
        return None if found is None or self._clock() - found[0] > self._lives else (found[1],)


def _read(command: str, option: str, text: str) -> tuple[str | None] | None:
    """The value that a text tells by itself: ``None`` in the place of one that it doesn't tell whole."""
    value = value_in(option, text)
    return (value,) if value is not None or is_cut(command, option, text) else None


def _plain(text: str) -> str:
    """A text as it may come back: apps trim it."""
    return " ".join(text.split())
