"""``/orders`` and ``/order``: working orders, and the story of one. They only read."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.choices import choices
from bot.chat.client import DeskClient
from bot.chat.suggesting import orders_of


class Orders(commands.Cog):
    """Commands about orders."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="orders", description="Working orders, of one account or of all that you may see")
    @app_commands.describe(
        account="NinjaTrader account; all of yours if left out",
        instrument="Contract, such as ES 09-26, or a root for all its months; all instruments if left out",
    )
    @app_commands.guild_only()
    async def orders(
        self, interaction: discord.Interaction[Host], account: str | None = None, instrument: str | None = None
    ) -> None:
        """Show working orders."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.orders(admitted(interaction), account, instrument), sheets.orders)

    @app_commands.command(name="order", description="One order: its state, its fills, its story, and the desk's ticket of it")
    @app_commands.describe(account="NinjaTrader account, such as Sim101", order="Order id, as its card or /orders shows it")
    @app_commands.autocomplete(order=orders_of("order"))
    @app_commands.guild_only()
    async def order(self, interaction: discord.Interaction[Host], account: str, order: str) -> None:
        """Tell what is known of an order."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.order(admitted(interaction), account, order), sheets.order)

    @orders.autocomplete("account")
    async def _of_orders(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "orders"), current)

    @orders.autocomplete("instrument")
    async def _instruments(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        account = str(getattr(interaction.namespace, "account", None) or "")
        return choices(self._desk.instruments_for(admitted(interaction), "orders", account), current)

    @order.autocomplete("account")
    async def _of_order(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), "order"), current)
