"""``/quote`` and ``/market``: prices, and when they move. They belong to no account, and only read."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.choices import choices_of_several
from bot.chat.client import DeskClient
from bot.chat.offering import accounts_of


class Market(commands.Cog):
    """Commands about the market."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="quote", description="Bid, ask and last, with their age; several instruments with commas")
    @app_commands.describe(
        instrument="Contracts or roots, such as ES 09-26 or ES, NQ; a root means its front month",
        account="NinjaTrader account whose own feed to ask; the market's if left out",
    )
    @app_commands.autocomplete(account=accounts_of("quote"))
    @app_commands.guild_only()
    async def quote(self, interaction: discord.Interaction[Host], instrument: str, account: str | None = None) -> None:
        """Show quotes."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.quotes(admitted(interaction), instrument, account), sheets.quotes)

    @app_commands.command(name="market", description="Whether a market is open, and when that changes; several with commas")
    @app_commands.describe(instrument="Contracts or roots, such as ES 09-26 or ES, CL; ES if left out")
    @app_commands.guild_only()
    async def market(self, interaction: discord.Interaction[Host], instrument: str | None = None) -> None:
        """Show sessions."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.market(admitted(interaction), instrument), sheets.market)

    @quote.autocomplete("instrument")
    async def _quoted(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices_of_several(self._desk.instruments_for(admitted(interaction), "quote", ""), current)

    @market.autocomplete("instrument")
    async def _traded(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices_of_several(self._desk.instruments_for(admitted(interaction), "market", ""), current)
