"""``/quote``: prices, which belong to no account. It only reads."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.choices import choices_of_several
from bot.chat.client import DeskClient


class Market(commands.Cog):
    """Commands about the market."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="quote", description="Bid, ask and last, with their age; several instruments with commas")
    @app_commands.describe(instrument="Contracts or roots, such as ES 09-26 or ES, NQ; a root means its front month")
    @app_commands.guild_only()
    async def quote(self, interaction: discord.Interaction[Host], instrument: str) -> None:
        """Show quotes."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.quotes(admitted(interaction), instrument), sheets.quotes)

    @quote.autocomplete("instrument")
    async def _instruments(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices_of_several(self._desk.instruments_for(admitted(interaction), "quote", ""), current)
