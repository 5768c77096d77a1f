"""Options of an interaction, held against the command as it is registered: names, types, choices, what is required.

Discord's apps send what they were offered when they loaded the command, which may be another version of it; discord.py checks
nothing of that. Ranges and all that a value means are the desk's to judge.
"""

from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands

_Option = Mapping[str, Any]
_SLASH = 1


def is_readable(data: Any) -> bool:
    """Tell whether it has a name, and options that can be looked at; each with a name and a value."""
    given = data.get("options", []) if isinstance(data, Mapping) and isinstance(data.get("name"), str) else None
    return isinstance(given, list) and all(_is_option(each) for each in given)


def misfit(interaction: discord.Interaction[Any], tree: app_commands.CommandTree[Any]) -> str | None:
    """Reason why an interaction can't be of the command as it is registered, for the log; ``None`` where it fits."""
    data: Any = interaction.data
    command = _command(data, interaction, tree) if is_readable(data) and data.get("type", _SLASH) == _SLASH else None
    if command is None:
        return "no such command"
    given: list[_Option] = data.get("options", [])
    known = {each.display_name: each for each in command.parameters}
    names = [each["name"] for each in given]
    if len(set(names)) < len(names) or not known.keys() >= set(names):
        return "options that it doesn't have"
    if interaction.type is discord.InteractionType.autocomplete:
        return _while_typing(given, known)
    return _sent(given, known)


def _sent(given: list[_Option], known: Mapping[str, app_commands.Parameter]) -> str | None:
    if wrong := _of_types(given, known):
        return wrong
    missing = known.keys() - {each["name"] for each in given}
    lacking = sorted(name for name in missing if known[name].required)
    return f"nothing for {', '.join(lacking)}" if lacking else None


def _of_types(given: list[_Option], known: Mapping[str, app_commands.Parameter]) -> str | None:
    wrong = [each["name"] for each in given if not _fits(each, known[each["name"]])]
    return f"another type or choice for {', '.join(wrong)}" if wrong else None


def _while_typing(given: list[_Option], known: Mapping[str, app_commands.Parameter]) -> str | None:
    focused = [each for each in given if each.get("focused")]
    if len(focused) != 1 or not known[focused[0]["name"]].autocomplete:
        return "nothing that is being typed into"
    value, kind = focused[0]["value"], known[focused[0]["name"]].type
    # Of a number that is being typed Discord sends the text.
    is_number = kind is not discord.AppCommandOptionType.string and isinstance(value, int | float)
    if not isinstance(value, str) and not is_number:
        return "something that nobody types"
    return _of_types([each for each in given if each is not focused[0]], known)


def _command(
    data: Mapping[str, Any], interaction: discord.Interaction[Any], tree: app_commands.CommandTree[Any]
) -> app_commands.Command[Any, ..., Any] | None:
    if str(data.get("guild_id")) != str(interaction.guild_id) or interaction.guild_id is None:
        return None
    command = tree.get_command(data["name"], guild=discord.Object(interaction.guild_id))
    return command if isinstance(command, app_commands.Command) else None


def _is_option(given: object) -> bool:
    return isinstance(given, Mapping) and isinstance(given.get("name"), str) and "value" in given


def _fits(given: _Option, option: app_commands.Parameter) -> bool:
    kind, value = option.type, given["value"]
    if given.get("type") != kind.value:
        return False
    wanted = {discord.AppCommandOptionType.string: str, discord.AppCommandOptionType.integer: int}.get(kind)
    # A yes is a number to Python.
    if wanted is None or not isinstance(value, wanted) or isinstance(value, bool):
        return False
    return not option.choices or value in [choice.value for choice in option.choices]
