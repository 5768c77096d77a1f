"""``/positions``, ``/accounts``, ``/account``, ``/pnl`` and ``/executions``: what accounts hold. They only read."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.choices import choices
from bot.chat.client import DeskClient


class Accounts(commands.Cog):
    """Commands about accounts and what is in them."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="positions", description="Open positions, of one account or of all that you may see")
    @app_commands.describe(account="NinjaTrader account; all of yours if left out")
    @app_commands.guild_only()
    async def positions(self, interaction: discord.Interaction[Host], account: str | None = None) -> None:
        """Show open positions."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.positions(admitted(interaction), account), sheets.positions)

    @app_commands.command(name="accounts", description="The accounts that you may see")
    @app_commands.guild_only()
    async def accounts(self, interaction: discord.Interaction[Host]) -> None:
        """List accounts."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.accounts(admitted(interaction)), sheets.accounts)

    @app_commands.command(name="account", description="One account: cash, and the day's profit and loss")
    @app_commands.describe(account="NinjaTrader account, such as Sim101")
    @app_commands.guild_only()
    async def account(self, interaction: discord.Interaction[Host], account: str) -> None:
        """Show an account's money."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.account(admitted(interaction), account), sheets.account)

    @app_commands.command(name="pnl", description="The day's profit and loss, by account and in all")
    @app_commands.guild_only()
    async def pnl(self, interaction: discord.Interaction[Host]) -> None:
        """Show the day."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.pnl(admitted(interaction)), sheets.pnl)

    @app_commands.command(name="executions", description="The fills of an account in the last 15 minutes")
    @app_commands.describe(account="NinjaTrader account, such as Sim101")
    @app_commands.guild_only()
    async def executions(self, interaction: discord.Interaction[Host], account: str) -> None:
        """Show fills."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.executions(admitted(interaction), account), sheets.executions)

    @positions.autocomplete("account")
    async def _of_positions(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "positions"), current)

    @account.autocomplete("account")
    async def _of_account(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "account"), current)

    @executions.autocomplete("account")
    async def _of_executions(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "executions"), current)
