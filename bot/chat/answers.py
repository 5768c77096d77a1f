"""Answering one person, by whichever way is still open."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import discord

from bot.chat import wording
from bot.chat.rivals import first_answer
from bot.chat.translate import translated
from bot.desk.reports import Fills
from bot.desk.requests import Refused
from bot.errors import DeliveryError

log = logging.getLogger(__name__)

Made = TypeVar("Made")
# More lines than that take longer to draw than others should wait.
MANY = 200


def reference(interaction: discord.Interaction[Any]) -> str:
    """A short name for one interaction, for people to quote and for the log to find."""
    return f"{interaction.id:x}"[-7:]


async def answer(interaction: discord.Interaction[Any], text: str) -> None:
    """Tell the person alone and never fail at it; that Discord doesn't take it is logged, as nobody is left to tell."""
    try:
        with first_answer(interaction, "an answer"):
            if interaction.type is discord.InteractionType.autocomplete:
                await _no_choices(interaction)
            elif interaction.response.is_done():
                await interaction.followup.send(text, ephemeral=True)
            else:
                await interaction.response.send_message(text, ephemeral=True)
    except (DeliveryError, discord.InteractionResponded) as error:
        log.warning("interaction %s (%s) not answered: %s", interaction.id, reference(interaction), error)


async def say(interaction: discord.Interaction[Any], texts: Sequence[str]) -> None:
    """Tell the person alone, in as many messages as it takes, the first in the place of "thinking" where that is shown.

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    first, *rest = texts
    with first_answer(interaction, "an answer"):
        if interaction.response.is_done():
            await interaction.edit_original_response(content=first)
        else:
            await interaction.response.send_message(first, ephemeral=True)
        for text in rest:
            await interaction.followup.send(text, ephemeral=True)


async def show(interaction: discord.Interaction[Any], texts: Sequence[str], picture: discord.File) -> None:
    """Put a picture in the place of "thinking", with the first text beside it and the others below.

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    first, *rest = texts
    with translated("a picture"):
        await interaction.edit_original_response(content=first, attachments=[picture])
        for text in rest:
            await interaction.followup.send(text, ephemeral=True)


async def thinking(interaction: discord.Interaction[Any]) -> None:
    """Take Discord's three seconds off the clock; the answer is for the person alone.

    Raises:
        DeliveryError: Discord doesn't take it.
    """
    with first_answer(interaction, "the command"):
        # A press would show nothing without the second word; commands think in any case.
        await interaction.response.defer(ephemeral=True, thinking=True)


async def told(interaction: discord.Interaction[Any], made: Made | Refused, drawn: Callable[[Made], list[str]]) -> None:
    """Tell what the desk has read, or why it didn't."""
    if isinstance(made, Refused):
        await say(interaction, [wording.denied(made.denials)])
    elif isinstance(made, Fills) and len(made.earlier or ()) > MANY:
        # Drawing thousands of lines beside the loop: it must go on meanwhile.
        await say(interaction, await asyncio.to_thread(drawn, made))
    else:
        await say(interaction, drawn(made))


async def _no_choices(interaction: discord.Interaction[Any]) -> None:
    if not interaction.response.is_done():
        await interaction.response.autocomplete([])
