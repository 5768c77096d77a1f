"""``/health``: how every link between Discord and the broker does, and what to do where one is down."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import say
from bot.chat.client import DeskClient


class HealthCommands(commands.Cog):
    """The command that looks at the bot's own links."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="health", description="How every link from here to the broker does, and what to do")
    @app_commands.guild_only()
    async def health(self, interaction: discord.Interaction[Host]) -> None:
        """Tell it at once, from what is known: the very link that is asked about may be down."""
        await say(interaction, sheets.health(await self._desk.health.report(admitted(interaction))))
