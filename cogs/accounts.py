"""``/positions``, ``/accounts``, ``/account``, ``/pnl`` and ``/executions``: what accounts hold. They only read."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.choices import choices, choices_of_fills
from bot.chat.client import DeskClient
from bot.chat.offering import instruments_of
from bot.desk.reads.fills import MOST_HOURS


class Accounts(commands.Cog):
    """Commands about accounts and what is in them."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="positions", description="Open positions, of one account or of all that you may see")
    @app_commands.describe(
        account="NinjaTrader account; all of yours if left out",
        instrument="Contract, such as ES 09-26, or a root for all its months; all instruments if left out",
    )
    @app_commands.autocomplete(instrument=instruments_of("positions"))
    @app_commands.guild_only()
    async def positions(
        self, interaction: discord.Interaction[Host], account: str | None = None, instrument: str | None = None
    ) -> None:
        """Show open positions."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.positions(admitted(interaction), account, instrument), sheets.positions)

    @app_commands.command(name="accounts", description="The accounts that you may see")
    @app_commands.guild_only()
    async def accounts(self, interaction: discord.Interaction[Host]) -> None:
        """List accounts."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.accounts(admitted(interaction)), sheets.accounts)

    @app_commands.command(name="account", description="One account: cash, margins, the day's profit and loss, and its watermarks")
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

    @app_commands.command(name="executions", description="The fills of an account, also those that CrossTrade has forgotten")
    @app_commands.describe(
        account="NinjaTrader account, such as Sim101",
        hours="How far back, in hours; 24 if left out",
        execution="One fill alone, by its id",
    )
    @app_commands.guild_only()
    async def executions(
        self,
        interaction: discord.Interaction[Host],
        account: str,
        # Discord's apps hold to the range; discord.py doesn't check what arrives, so the desk does.
        hours: app_commands.Range[int, 1, MOST_HOURS] | None = None,
        execution: str | None = None,
    ) -> None:
        """Show fills."""
        await thinking(interaction)
        member, reads = admitted(interaction), self._desk.reads
        if execution is not None:
            await told(interaction, await reads.execution(member, account, execution), sheets.execution)
        else:
            await told(interaction, await reads.executions(member, account, hours), sheets.executions)

    @positions.autocomplete("account")
    async def _of_positions(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "positions"), current)

    @account.autocomplete("account")
    async def _of_account(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "account"), current)

    @executions.autocomplete("account")
    async def _of_executions(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "executions"), current)

    @executions.autocomplete("execution")
    async def _fills(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        account = str(getattr(interaction.namespace, "account", None) or "")
        shown = choices_of_fills(await self._desk.reads.recent_fills(admitted(interaction), account), current)
        interaction.client.recall.keep(interaction, shown)
        return shown
