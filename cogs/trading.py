"""``/place``, ``/flatplace``, ``/modify``, ``/replace`` and ``/cancel``: orders. Each offers a ticket and does nothing else."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.access import Host
from bot.chat.client import DeskClient
from bot.chat.offering import ORDER_OPTIONS, Offering, accounts_of, instruments_of
from bot.chat.suggesting import orders_of, prices_of, sizes_of, strategies
from bot.desk.requests import CancelRequest, FlatPlaceRequest, ModifyRequest, PlaceRequest, ReplaceRequest
from bot.trading.orders.terms import LARGEST_QUANTITY, OrderType, Side, TimeInForce


class Trading(commands.Cog):
    """Commands that make and change orders."""

    def __init__(self, client: DeskClient) -> None:
        self._offering = Offering(client.desk, client.messenger)

    @app_commands.command(name="place", description="Place an order; shows a ticket first")
    @app_commands.describe(
        **ORDER_OPTIONS,
        side="Side of the order",
        require="Place only if the position is flat, long or short; several with commas",
        max_positions="Open a new position only while the account has fewer open than this",
    )
    @app_commands.rename(order_type="type")
    @app_commands.autocomplete(account=accounts_of("place"), instrument=instruments_of("place"))
    @app_commands.autocomplete(limit=prices_of("place", "limit"), stop=prices_of("place", "stop"), strategy=strategies)
    @app_commands.autocomplete(qty=sizes_of("place"))
    @app_commands.guild_only()
    async def place(
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
        require: str | None = None,
        max_positions: app_commands.Range[int, 1, LARGEST_QUANTITY] | None = None,
    ) -> None:
        """Offer a ticket for confirmation."""
        request = PlaceRequest(
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
            require=require,
            max_positions=max_positions,
        )
        await self._offering.offer(interaction, request)

    @app_commands.command(
        name="flatplace", description="Close what is open, if anything, then place an order; shows a ticket first"
    )
    @app_commands.describe(**ORDER_OPTIONS, side="Side of the new order")
    @app_commands.rename(order_type="type")
    @app_commands.autocomplete(account=accounts_of("flatplace"), instrument=instruments_of("flatplace"))
    @app_commands.autocomplete(limit=prices_of("flatplace", "limit"), stop=prices_of("flatplace", "stop"), strategy=strategies)
    @app_commands.autocomplete(qty=sizes_of("flatplace"))
    @app_commands.guild_only()
    async def flatplace(
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
    ) -> None:
        """Offer a ticket for confirmation."""
        request = FlatPlaceRequest(
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
        )
        await self._offering.offer(interaction, request)

    @app_commands.command(name="modify", description="Change quantity or prices of a working order; shows a ticket first")
    @app_commands.describe(
        account=ORDER_OPTIONS["account"],
        order="Order id, as its card or /orders shows it",
        qty="New quantity, with what has filled of it; as it is if left out",
        limit="New limit price: 5790.25, +2t from where it is, bid-2t; as it is if left out",
        stop="New stop price: 5780, -4t from where it is, be; as it is if left out",
    )
    @app_commands.autocomplete(account=accounts_of("modify"), order=orders_of("modify"))
    @app_commands.autocomplete(limit=prices_of("modify", "limit"), stop=prices_of("modify", "stop"))
    @app_commands.autocomplete(qty=sizes_of("modify"))
    @app_commands.guild_only()
    async def modify(
        self,
        interaction: discord.Interaction[Host],
        *,
        account: str,
        order: str,
        qty: app_commands.Range[int, 1, LARGEST_QUANTITY] | None = None,
        limit: str | None = None,
        stop: str | None = None,
    ) -> None:
        """Offer a ticket for confirmation."""
        await self._offering.offer(interaction, ModifyRequest(account, order, qty, limit, stop))

    @app_commands.command(name="replace", description="Cancel a working order and place a new one; shows a ticket first")
    @app_commands.describe(
        account=ORDER_OPTIONS["account"],
        order="Order id of the old order, as its card or /orders shows it",
        qty="Contracts of the new order",
        order_type="Type of the new order; the old one's if left out",
        limit="Limit price; the old one's if left out",
        stop="Stop price; the old one's if left out",
        tif="How long the order works; as the old one if left out",
        oco=ORDER_OPTIONS["oco"],
        strategy=ORDER_OPTIONS["strategy"],
        require="Place only if the position is flat, long or short; several with commas",
    )
    @app_commands.rename(order_type="type")
    @app_commands.autocomplete(account=accounts_of("replace"), order=orders_of("replace"), strategy=strategies)
    @app_commands.autocomplete(limit=prices_of("replace", "limit"), stop=prices_of("replace", "stop"))
    @app_commands.autocomplete(qty=sizes_of("replace"))
    @app_commands.guild_only()
    async def replace(
        self,
        interaction: discord.Interaction[Host],
        *,
        account: str,
        order: str,
        qty: app_commands.Range[int, 1, LARGEST_QUANTITY],
        order_type: Literal["market", "limit", "stopmarket", "stoplimit"] | None = None,
        limit: str | None = None,
        stop: str | None = None,
        tif: Literal["day", "gtc"] | None = None,
        oco: str | None = None,
        strategy: str | None = None,
        require: str | None = None,
    ) -> None:
        """Offer a ticket for confirmation."""
        request = ReplaceRequest(
            account=account,
            order=order,
            quantity=qty,
            type=None if order_type is None else OrderType(order_type.upper()),
            tif=None if tif is None else TimeInForce(tif.upper()),
            limit=limit,
            stop=stop,
            oco=oco,
            strategy=strategy,
            require=require,
        )
        await self._offering.offer(interaction, request)

    @app_commands.command(name="cancel", description="Cancel one working order, or all of an instrument, an account, everything")
    @app_commands.describe(
        scope="What to cancel",
        account="NinjaTrader account, for all but everything",
        instrument="Contract, for an instrument",
        order="Order id, as its card or /orders shows it, for one order",
    )
    @app_commands.autocomplete(account=accounts_of("cancel"), instrument=instruments_of("cancel"), order=orders_of("cancel"))
    @app_commands.guild_only()
    async def cancel(
        self,
        interaction: discord.Interaction[Host],
        *,
        scope: Literal["order", "instrument", "account", "everything"],
        account: str | None = None,
        instrument: str | None = None,
        order: str | None = None,
    ) -> None:
        """Offer a ticket for confirmation; what is missing for the scope is asked for by the desk."""
        await self._offering.offer(interaction, CancelRequest(account or "", order or "", scope, instrument or ""))
