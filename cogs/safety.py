"""``/halt`` and ``/resume``: the kill switch. No ticket stands in between, as stopping must take no second press."""

import asyncio
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.access import Host, admitted, place_of
from bot.chat.answers import thinking, told
from bot.chat.client import DeskClient
from bot.chat.notices import drawn
from bot.chat.offering import accounts_of, instruments_of
from bot.chat.wording import bounded
from bot.desk.requests import SwitchRequest
from bot.trading.risk.halts import LONGEST_WHY
from bot.trading.risk.policy import HALT, RESUME

_ACCOUNT = "NinjaTrader account; for an instrument leave it out to mean every account"
_INSTRUMENT = "Contract or root, for an instrument; all of its months are meant"


class SafetyCommands(commands.Cog):
    """Commands that stop the desk and let it go on."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk

    @app_commands.command(name="halt", description="Stop new orders at once; exits and cancellations still go")
    @app_commands.describe(
        scope="What to halt",
        account=_ACCOUNT,
        instrument=_INSTRUMENT,
        reason="Why, for everybody to read",
        state="halted: exits alone go (if left out); reducing: also changes that can't make a position larger",
    )
    @app_commands.autocomplete(account=accounts_of(HALT), instrument=instruments_of(HALT))
    @app_commands.guild_only()
    async def halt(
        self,
        interaction: discord.Interaction[Host],
        *,
        scope: Literal["desk", "account", "instrument"],
        account: str | None = None,
        instrument: str | None = None,
        reason: app_commands.Range[str, 1, LONGEST_WHY] | None = None,
        state: Literal["halted", "reducing"] = "halted",
    ) -> None:
        """Halt at once and tell the channel."""
        await self._switch(interaction, SwitchRequest(HALT, scope, account or "", instrument or "", reason or "", state))

    @app_commands.command(name="resume", description="Let new orders go again where they were halted")
    @app_commands.describe(
        scope="What was halted",
        account=_ACCOUNT,
        instrument=_INSTRUMENT,
        reason="Why, for everybody to read",
    )
    @app_commands.autocomplete(account=accounts_of(RESUME), instrument=instruments_of(RESUME))
    @app_commands.guild_only()
    async def resume(
        self,
        interaction: discord.Interaction[Host],
        *,
        scope: Literal["desk", "account", "instrument"],
        account: str | None = None,
        instrument: str | None = None,
        reason: app_commands.Range[str, 1, LONGEST_WHY] | None = None,
    ) -> None:
        """Lift one switch and tell the channel."""
        await self._switch(interaction, SwitchRequest(RESUME, scope, account or "", instrument or "", reason or ""))

    async def _switch(self, interaction: discord.Interaction[Host], request: SwitchRequest) -> None:
        member, place = admitted(interaction), place_of(interaction)
        door = self._desk.halt if request.command == HALT else self._desk.resume
        # Begun before Discord is answered, and seen to its end whether or not Discord takes the answer.
        switching = asyncio.create_task(door(member, place, request), name=request.command)
        try:
            await thinking(interaction)
        finally:
            made = await switching
        await told(interaction, made, lambda text: bounded(drawn(text).split("\n")))
