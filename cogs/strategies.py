"""``/strategies``: the ATM strategies that run in an account. It only reads."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.client import DeskClient
from bot.chat.offering import accounts_of


class Strategies(commands.Cog):
    """Commands about ATM strategies."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="strategies", description="The ATM strategies that run in an account, and the templates there are")
    @app_commands.describe(account="NinjaTrader account, such as Sim101")
    @app_commands.autocomplete(account=accounts_of("strategies"))
    @app_commands.guild_only()
    async def strategies(self, interaction: discord.Interaction[Host], account: str) -> None:
        """Show strategies."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.strategies(admitted(interaction), account), sheets.strategies)
