"""Answering one person, by whichever way is still open, and never failing at it."""

import logging
from typing import Any

import discord

from bot.chat.translate import translated
from bot.errors import DeliveryError

log = logging.getLogger(__name__)


def reference(interaction: discord.Interaction[Any]) -> str:
    """A short name for one interaction, for people to quote and for the log to find."""
    return f"{interaction.id:x}"[-7:]


async def answer(interaction: discord.Interaction[Any], text: str) -> None:
    """Tell the person alone; that Discord doesn't take it is logged, as nobody is left to tell."""
    try:
        with translated("an answer"):
            if interaction.type is discord.InteractionType.autocomplete:
                await _no_choices(interaction)
            elif interaction.response.is_done():
                await interaction.followup.send(text, ephemeral=True)
            else:
                await interaction.response.send_message(text, ephemeral=True)
    except (DeliveryError, discord.InteractionResponded) as error:
        log.warning("interaction %s (%s) not answered: %s", interaction.id, reference(interaction), error)


async def _no_choices(interaction: discord.Interaction[Any]) -> None:
    if not interaction.response.is_done():
        await interaction.response.autocomplete([])
