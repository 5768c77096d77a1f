"""The command tree: the gate in front of every command and autocomplete, and one place that answers errors."""

import logging
from typing import Any

import discord
from discord import app_commands

from bot.chat import wording
from bot.chat.access import Host, remember
from bot.chat.answers import answer, reference
from bot.chat.rivals import first_answer
from bot.chat.typed import is_readable, misfit
from bot.errors import DeliveryError, DeskError
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery
from bot.trading.words import mended

log = logging.getLogger(__name__)
# Discord's own limit.
_LONGEST_NAME = 32


class GateBroken(app_commands.AppCommandError):
    """The gate itself failed, which counts as a no; discord.py would lose any other kind of exception raised there."""


class DeskTree(app_commands.CommandTree[Host]):
    """The tree with our gate and our answers."""

    async def interaction_check(self, interaction: discord.Interaction[Host], /) -> bool:
        """Ask the gate; a no is answered here, since the tree itself would stay silent."""
        try:
            admitted = interaction.client.access.admit(interaction, PermissionQuery(_command_name(interaction)))
        except Exception as error:
            raise GateBroken from error
        if isinstance(admitted, Denial):
            await answer(interaction, wording.denied([admitted]))
            if interaction.type is discord.InteractionType.application_command and admitted.code is not DenialCode.NOT_HERE:
                name = _command_name(interaction)
                await interaction.client.desk.denied(interaction.user.id, interaction.channel_id, name, admitted)
            return False
        remember(interaction, admitted)
        if interaction.type is discord.InteractionType.autocomplete:
            await self._suggest(interaction)
            return False
        return await self._is_of_the_command(interaction)

    async def _is_of_the_command(self, interaction: discord.Interaction[Host]) -> bool:
        """Tell whether the options are those of the command as it is registered; a no is answered, and nothing is done."""
        doubtful = interaction.client.recall.put_back(interaction) if is_readable(interaction.data) else []
        if (why := misfit(interaction, self)) is None and not doubtful:
            return True
        log.warning("/%s (%s) doesn't fit: %s", _command_name(interaction), reference(interaction), why or doubtful)
        await answer(interaction, wording.COMMANDS_CHANGED if why else wording.NOT_TOLD.format(options=", ".join(doubtful)))
        return False

    async def _suggest(self, interaction: discord.Interaction[Host]) -> None:
        """Answer a keystroke, whatever happens: with nothing where nothing can be offered."""
        data: Any = interaction.data
        try:
            if (why := misfit(interaction, self)) is not None:
                log.info("no suggestions for /%s (%s): %s", _command_name(interaction), reference(interaction), why)
                await answer(interaction, "")
                return
            typed = next(each["name"] for each in data["options"] if each.get("focused"))
            command: Any = interaction.command
            with first_answer(interaction, "suggestions"):
                # What discord.py itself calls here, whose errors it only logs, each with a traceback.
                await command._invoke_autocomplete(interaction, typed, interaction.namespace)  # noqa: SLF001
        except DeliveryError as error:
            log.info("suggestions (%s): %s", reference(interaction), error)
        except Exception as error:  # noqa: BLE001 - a keystroke never fails
            log.warning(
                "no suggestions for /%s (%s): %s", _command_name(interaction), reference(interaction), type(error).__name__
            )
            await answer(interaction, "")

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
    data: Any = interaction.data
    return mended(str(data.get("name", "") if isinstance(data, dict) else ""))[:_LONGEST_NAME]
