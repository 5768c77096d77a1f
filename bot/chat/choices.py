"""Choices that an option offers while somebody types, as Discord takes them. Where the names come from is the desk's to know."""

from collections.abc import Sequence
from datetime import UTC

from discord import app_commands

from bot.chat.figures import clock_time, number
from bot.trading.market.facts import Execution

MOST_CHOICES = 25
LONGEST_CHOICE = 100


def choices(names: Sequence[str], current: str) -> list[app_commands.Choice[str]]:
    """The names that hold what was typed so far."""
    typed = current.strip().strip("\"'").casefold()
    fitting = [name for name in names if typed in name.casefold() and len(name) <= LONGEST_CHOICE]
    return [app_commands.Choice(name=name, value=name) for name in fitting[:MOST_CHOICES]]


def choices_of_several(names: Sequence[str], current: str) -> list[app_commands.Choice[str]]:
    """Choices for a list with commas: the last part is being typed, those before it stay as they are."""
    before, comma, last = current.rpartition(",")
    kept = f"{before}{comma} " if comma else ""
    room = LONGEST_CHOICE - len(kept)
    offered = [choice.value for choice in choices(names, last) if len(choice.value) <= room]
    return [app_commands.Choice(name=f"{kept}{value}", value=f"{kept}{value}") for value in offered]


def choices_of_fills(fills: Sequence[Execution], current: str) -> list[app_commands.Choice[str]]:
    """Fills by what they are; what is chosen is their id."""
    typed = current.strip().casefold()
    labels = {fill.id: _label(fill) for fill in fills if len(fill.id) <= LONGEST_CHOICE}
    fitting = [(label, id_) for id_, label in labels.items() if typed in label.casefold() or typed in id_.casefold()]
    return [app_commands.Choice(name=label, value=id_) for label, id_ in fitting[:MOST_CHOICES]]


def _label(fill: Execution) -> str:
    when = f"{fill.at.astimezone(UTC):%m-%d} {clock_time(fill.at)}"
    return f"{when} {fill.side.upper()} {fill.quantity} {fill.contract} at {number(fill.price)}"
