"""``/reverse``, ``/close``, ``/flatten`` and ``/bracket``: open positions. Each command offers a ticket and does nothing else."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.access import Host
from bot.chat.client import DeskClient
from bot.chat.offering import ORDER_OPTIONS, Offering, accounts_of, instruments_of
from bot.chat.suggesting import prices_of, running_in, sizes_of, strategies
from bot.desk.requests import BracketRequest, CloseRequest, FlattenRequest, ReverseRequest
from bot.trading.orders.terms import LARGEST_QUANTITY, OrderType, Side, TimeInForce


class Positions(commands.Cog):
    """Commands that change positions."""

    def __init__(self, client: DeskClient) -> None:
        self._offering = Offering(client.desk, client.messenger)

    @app_commands.command(name="reverse", description="Close the position and open a new one; shows a ticket first")
    @app_commands.describe(
        **ORDER_OPTIONS,
        side="Side of the new order, after the position is closed",
        mode="direct: CrossTrade's way; verified: the new order only once it is flat; invert: the whole position",
    )
    @app_commands.rename(order_type="type")
    @app_commands.autocomplete(account=accounts_of("reverse"), instrument=instruments_of("reverse"))
    @app_commands.autocomplete(limit=prices_of("reverse", "limit"), stop=prices_of("reverse", "stop"), strategy=strategies)
    @app_commands.autocomplete(qty=sizes_of("reverse"))
    @app_commands.guild_only()
    async def reverse(
        self,
        interaction: discord.Interaction[Host],
        *,
        account: str,
        instrument: str,
        side: Literal["buy", "sell"],
        # Discord's apps hold to the range; discord.py doesn't check what arrives, so the desk does.
        qty: app_commands.Range[int, 1, LARGEST_QUANTITY],
        order_type: Literal["market", "limit", "stopmarket", "stoplimit"] = "market",
        limit: str | None = None,
        stop: str | None = None,
        tif: Literal["day", "gtc"] = "day",
        oco: str | None = None,
        strategy: str | None = None,
        mode: Literal["direct", "verified", "invert"] | None = None,
    ) -> None:
        """Offer a ticket for confirmation."""
        request = ReverseRequest(
            account=account,
            instrument=instrument,
            side=Side(side),
            quantity=qty,
            type=OrderType(order_type.upper()),
            tif=TimeInForce(tif.upper()),
            limit=limit,
            stop=stop,
            oco=oco,
            strategy=strategy,
            mode=mode,
        )
        await self._offering.offer(interaction, request)

    @app_commands.command(name="close", description="Close a position, whole or in part; shows a ticket first")
    @app_commands.describe(
        account=ORDER_OPTIONS["account"],
        instrument=ORDER_OPTIONS["instrument"],
        qty="Contracts to close; all if left out",
        percent="Share to close, such as 50; rounded up to whole contracts",
    )
    @app_commands.autocomplete(account=accounts_of("close"), instrument=instruments_of("close"))
    @app_commands.autocomplete(qty=sizes_of("close"))
    @app_commands.guild_only()
    async def close(
        self,
        interaction: discord.Interaction[Host],
        *,
        account: str,
        instrument: str,
        qty: app_commands.Range[int, 1, LARGEST_QUANTITY] | None = None,
        percent: str | None = None,
    ) -> None:
        """Offer a ticket for confirmation."""
        await self._offering.offer(interaction, CloseRequest(account, instrument, qty, percent))

    @app_commands.command(name="flatten", description="Cancel what works, close what is open, read back until it is so")
    @app_commands.describe(
        scope="What to flatten",
        account="NinjaTrader account, for all but everything",
        instrument="Contract, for an instrument",
        only="Only positions of that side",
        strategy="Running ATM strategy, for a strategy; /strategies shows them",
    )
    @app_commands.autocomplete(account=accounts_of("flatten"), instrument=instruments_of("flatten"))
    @app_commands.autocomplete(strategy=running_in("flatten"))
    @app_commands.guild_only()
    async def flatten(
        self,
        interaction: discord.Interaction[Host],
        *,
        scope: Literal["strategy", "instrument", "account", "everything"],
        account: str | None = None,
        instrument: str | None = None,
        only: Literal["long", "short"] | None = None,
        strategy: str | None = None,
    ) -> None:
        """Offer a ticket for confirmation; what is missing for the scope is asked for by the desk."""
        request = FlattenRequest(scope, account or "", instrument or "", only or "", strategy or "")
        await self._offering.offer(interaction, request)

    @app_commands.command(name="bracket", description="Cancel what works there, then protect the position: stop, target or both")
    @app_commands.describe(
        account=ORDER_OPTIONS["account"],
        instrument=ORDER_OPTIONS["instrument"],
        qty="Contracts to protect",
        target="Limit price that takes the profit: 5820, ask+20t, be+0.25%; left out for a stop alone",
        stop="Stop price that ends the loss: 5780, bid-20t, be; left out for a target alone",
    )
    @app_commands.autocomplete(account=accounts_of("bracket"), instrument=instruments_of("bracket"))
    @app_commands.autocomplete(target=prices_of("bracket", "target"), stop=prices_of("bracket", "stop"))
    @app_commands.autocomplete(qty=sizes_of("bracket"))
    @app_commands.guild_only()
    async def bracket(
        self,
        interaction: discord.Interaction[Host],
        *,
        account: str,
        instrument: str,
        qty: app_commands.Range[int, 1, LARGEST_QUANTITY],
        target: str | None = None,
        stop: str | None = None,
    ) -> None:
        """Offer a ticket for confirmation."""
        await self._offering.offer(interaction, BracketRequest(account, instrument, qty, target or "", stop or ""))
