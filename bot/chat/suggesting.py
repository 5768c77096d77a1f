"""Autocomplete of prices, sizes, orders, ATM strategies and their templates: from what is typed so far to choices.

What is worth offering, and to whom, is the desk's to know; here it is asked and drawn. A keystroke never fails: what can't be
suggested isn't.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import discord
from discord import app_commands

from bot.chat.access import admitted
from bot.chat.choices import LONGEST_CHOICE, MOST_CHOICES
from bot.chat.markdown import coded
from bot.errors import DeskError
from bot.trading.orders.terms import OrderType, Side
from bot.trading.planning.suggestions import SoFar, Suggestion

log = logging.getLogger(__name__)

Value = TypeVar("Value", int, str)
Texts = Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]
Numbers = Callable[[discord.Interaction[Any], Any], Coroutine[Any, Any, list[app_commands.Choice[int]]]]


def prices_of(command: str, name: str) -> Texts:
    """Autocomplete: shorthand worked out, for the option ``limit`` or ``stop``; the value is the number that is shown."""

    async def complete(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        suggest = interaction.client.desk.suggest
        return await _drawn(interaction, suggest.prices(admitted(interaction), _so_far(interaction, command), name, current))

    return complete


def sizes_of(command: str) -> Numbers:
    """Autocomplete: quantities that mean something."""

    async def complete(interaction: discord.Interaction[Any], current: Any) -> list[app_commands.Choice[int]]:
        # Of an integer that is being typed Discord sends the text.
        typed = str(current).strip()
        suggest = interaction.client.desk.suggest
        return await _drawn(interaction, suggest.sizes(admitted(interaction), _so_far(interaction, command), typed))

    return complete


def orders_of(command: str) -> Texts:
    """Autocomplete: the working orders of the account that was chosen before; the value is the order's id."""

    async def complete(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        suggest = interaction.client.desk.suggest
        return await _drawn(interaction, suggest.orders(admitted(interaction), _so_far(interaction, command), current))

    return complete


def running_in(command: str) -> Texts:
    """Autocomplete: the ATM strategies that run in the account that was chosen before; the value is the strategy's id."""

    async def complete(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        suggest = interaction.client.desk.suggest
        return await _drawn(interaction, suggest.running(admitted(interaction), _so_far(interaction, command), current))

    return complete


async def unknown_tickets(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    """Autocomplete: the tickets of unknown outcome that the member may resolve; the value is the ticket's id."""
    return await _drawn(interaction, interaction.client.desk.resolving.offered(admitted(interaction), current))


async def strategies(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    """Autocomplete: the ATM templates of NinjaTrader."""
    return await _drawn(interaction, interaction.client.desk.suggest.strategies(admitted(interaction), current))


async def _drawn(
    interaction: discord.Interaction[Any], suggesting: Awaitable[Sequence[Suggestion[Value]]]
) -> list[app_commands.Choice[Value]]:
    """Suggestions as Discord takes them; a value that it would cut is left out."""
    try:
        suggested = await suggesting
    except DeskError as error:
        log.warning("no suggestions: %s", error)
        return []
    fitting = [each for each in suggested if len(str(each.value)) <= LONGEST_CHOICE]
    drawn = [app_commands.Choice(name=coded(each.name, LONGEST_CHOICE), value=each.value) for each in fitting[:MOST_CHOICES]]
    interaction.client.recall.keep(interaction, drawn)
    return drawn


def _so_far(interaction: discord.Interaction[Any], command: str) -> SoFar:
    """The options as Discord sends them while somebody types: any may be missing, or be nothing that could be meant."""
    typed = {name: str(value).strip() for name, value in interaction.namespace}
    side, kind = typed.get("side", ""), typed.get("type", "").upper()
    return SoFar(
        command=command,
        account=typed.get("account", ""),
        instrument=typed.get("instrument", ""),
        order=typed.get("order", ""),
        side=Side(side) if side in set(Side) else None,
        type=OrderType(kind) if kind in set(OrderType) else OrderType.MARKET,
        limit=typed.get("limit", ""),
        stop=typed.get("stop", ""),
    )
