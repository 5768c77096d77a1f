"""The command tree: the gate in front of every command and autocomplete, and one place that answers errors."""

import logging
from typing import Any

import discord
from discord import app_commands

from bot.chat import wording
from bot.chat.access import Host, remember
from bot.chat.answers import answer, reference
from bot.errors import DeskError
from bot.trading.policy import Denial, DenialCode, Request

log = logging.getLogger(__name__)


class GateBroken(app_commands.AppCommandError):
    """The gate itself failed, which counts as a no; discord.py would lose any other kind of exception raised there."""


class DeskTree(app_commands.CommandTree[Host]):
    """The tree with our gate and our answers."""

    async def interaction_check(self, interaction: discord.Interaction[Host], /) -> bool:
        """Ask the gate; a no is answered here, since the tree itself would stay silent."""
        try:
            admitted = interaction.client.access.admit(interaction, Request(_command_name(interaction)))
        except Exception as error:
            raise GateBroken from error
        if isinstance(admitted, Denial):
            await answer(interaction, wording.denied([admitted]))
            if interaction.type is discord.InteractionType.application_command and admitted.code is not DenialCode.NOT_HERE:
                name = _command_name(interaction)
                await interaction.client.desk.denied(interaction.user.id, interaction.channel_id, name, admitted)
            return False
        remember(interaction, admitted)
        return True

    async def on_error(self, interaction: discord.Interaction[Host], error: app_commands.AppCommandError, /) -> None:
        """Answer every error of every command, in one sentence, with a reference that is in the log."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error.__cause__ or error
        ref, name = reference(interaction), _command_name(interaction)
        if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            log.warning("/%s (%s): %s", name, ref, error)
            text = wording.COMMANDS_CHANGED
        elif isinstance(cause, DeskError):
            log.warning("/%s (%s): %s", name, ref, cause)
            text = wording.trouble(cause, ref)
        else:
            log.error("/%s (%s)", name, ref, exc_info=cause)
            text = wording.broken(ref)
        await answer(interaction, text)


def _command_name(interaction: discord.Interaction[Any]) -> str:
    """The command's name as Discord sent it; grants name commands, never subcommands."""
    data: Any = interaction.data or {}
    return str(data.get("name", ""))
