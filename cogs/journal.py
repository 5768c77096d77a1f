"""``/resolve`` and ``/why``: a person's word on an unknown outcome, and what happened to an order. Neither sends anything."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import sheets
from bot.chat.access import Host, admitted
from bot.chat.answers import thinking, told
from bot.chat.client import DeskClient
from bot.chat.suggesting import unknown_tickets
from bot.desk.requests import ResolveRequest
from bot.trading.reconciliation.resolving import LONGEST_WHY


class JournalCommands(commands.Cog):
    """Commands about what the journal holds."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="resolve", description="Say what became of an order whose outcome is unknown; sends nothing")
    @app_commands.describe(
        ticket="The ticket whose outcome is unknown",
        outcome="What you have found out in NinjaTrader",
        why="How you know it; everybody reads it on the card",
        order="Id of the order, if it was accepted; it is then followed on the card",
    )
    @app_commands.autocomplete(ticket=unknown_tickets)
    @app_commands.guild_only()
    async def resolve(
        self,
        interaction: discord.Interaction[Host],
        ticket: str,
        outcome: Literal["accepted", "never arrived", "rejected"],
        # Discord's apps hold to the range; discord.py doesn't check what arrives, so the desk does.
        why: app_commands.Range[str, 1, LONGEST_WHY],
        order: str | None = None,
    ) -> None:
        """Settle an unknown outcome by a person's word."""
        await thinking(interaction)
        request = ResolveRequest(ticket, outcome, why, order)
        await told(interaction, await self._desk.resolving.resolve(admitted(interaction), request), lambda text: [text])

    @app_commands.command(
        name="why", description="What happened to an order or a denial, step by step; your newest one if left out"
    )
    @app_commands.describe(id="Id of a ticket or of an order, as cards show them")
    @app_commands.guild_only()
    async def why(self, interaction: discord.Interaction[Host], id: str | None = None) -> None:  # noqa: A002 - the option's name
        """Explain a ticket or a denial."""
        await thinking(interaction)
        await told(interaction, await self._desk.reads.why(admitted(interaction), id), sheets.why)
