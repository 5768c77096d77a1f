"""What an option offers while somebody types, as Discord takes it. Where the names come from is the desk's to know."""

from collections.abc import Sequence

from discord import app_commands

MOST_CHOICES = 25
LONGEST_CHOICE = 100


def choices(names: Sequence[str], current: str) -> list[app_commands.Choice[str]]:
    """The names that hold what was typed so far."""
    typed = current.strip().strip("\"'").casefold()
    fitting = [name for name in names if typed in name.casefold() and len(name) <= LONGEST_CHOICE]
    return [app_commands.Choice(name=name, value=name) for name in fitting[:MOST_CHOICES]]


def choices_of_several(names: Sequence[str], current: str) -> list[app_commands.Choice[str]]:
    """Likewise for a list with commas: the last part is being typed, those before it stay as they are."""
    before, comma, last = current.rpartition(",")
    kept = f"{before}{comma} " if comma else ""
    room = LONGEST_CHOICE - len(kept)
    offered = [choice.value for choice in choices(names, last) if len(choice.value) <= room]
    return [app_commands.Choice(name=f"{kept}{value}", value=f"{kept}{value}") for value in offered]
