"""``/reverse``: from the command to the card. What is decided and sent lives in the desk; what the card says in ``bot.chat``."""

import logging
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat import wording
from bot.chat.access import Host, admitted
from bot.chat.cards import card
from bot.chat.choices import choices
from bot.chat.client import DeskClient
from bot.chat.translate import translated
from bot.desk.requests import Refused, ReverseRequest
from bot.errors import DeliveryDelayed, DeliveryError
from bot.trading.orders import LARGEST_QUANTITY, OrderType, Side, TimeInForce
from bot.trading.policy import Visibility
from bot.trading.tickets import Place, Ticket

log = logging.getLogger(__name__)

COMMAND = "reverse"


class Positions(commands.Cog):
    """Commands that change positions."""

    def __init__(self, client: DeskClient) -> None:
        self._desk = client.desk
        self._messenger = client.messenger

    @app_commands.command(name=COMMAND, description="Close the position and open a new one; shows a ticket first")
    @app_commands.describe(
        account="NinjaTrader account, such as Sim101",
        instrument="Contract, such as ES 09-26; a root such as ES means its current month",
        side="Side of the new order, after the position is closed",
        qty="Contracts of the new order",
        order_type="Type of the new order; market if left out",
        limit="Limit price, for limit and stoplimit",
        stop="Stop price, for stopmarket and stoplimit",
        tif="How long the order works; day if left out",
        oco="Name of an OCO group",
        strategy="Name of an ATM template in NinjaTrader",
    )
    @app_commands.rename(order_type="type")
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
    ) -> None:
        """Offer a ticket for confirmation."""
        with translated("the command"):
            await interaction.response.defer(ephemeral=True)
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
        )
        offered = await self._desk.offer(admitted(interaction), _place(interaction), request)
        if isinstance(offered, Refused):
            await _tell(interaction, wording.denied(offered.denials))
        elif offered.visibility is Visibility.PRIVATE:
            await self._show_privately(interaction, offered)
        else:
            await self._post(interaction, offered)

    @reverse.autocomplete("account")
    async def _accounts(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        return choices(self._desk.accounts_for(admitted(interaction), COMMAND), current)

    @reverse.autocomplete("instrument")
    async def _instruments(self, interaction: discord.Interaction[Host], current: str) -> list[app_commands.Choice[str]]:
        account = str(getattr(interaction.namespace, "account", None) or "")
        return choices(self._desk.instruments_for(admitted(interaction), COMMAND, account), current)

    async def _post(self, interaction: discord.Interaction[Host], ticket: Ticket) -> None:
        try:
            message = await self._post_once_more(ticket)
        except DeliveryError as error:
            log.warning("ticket %s not posted: %s", ticket.id, error)
            await self._desk.not_posted(ticket.id, str(error), perhaps=isinstance(error, DeliveryDelayed))
            await _tell(interaction, wording.NOT_POSTABLE.format(why=error))
            return
        await self._desk.posted(ticket.id, ticket.place.channel, message.id)
        await _tell(interaction, wording.ALREADY_POSTED.format(link=message.jump_url))

    async def _post_once_more(self, ticket: Ticket) -> discord.Message:
        """Post, and once more if Discord may take it now; both carry one nonce, so that Discord makes one message of them."""
        try:
            return await self._messenger.post(ticket)
        except DeliveryDelayed as error:
            if error.retry_after is not None:
                raise
            log.info("ticket %s not posted yet: %s", ticket.id, error)
            return await self._messenger.post(ticket)

    async def _show_privately(self, interaction: discord.Interaction[Host], ticket: Ticket) -> None:
        self._messenger.private.keep(ticket.id, interaction)
        try:
            with translated("the private ticket"):
                await interaction.edit_original_response(view=card(ticket))
        except DeliveryError as error:
            await self._desk.not_posted(ticket.id, str(error))
            raise
        await self._desk.shown_privately(ticket.id)


async def _tell(interaction: discord.Interaction[Host], text: str) -> None:
    """Put a text in the place of "thinking"; the desk has done its part, so that this fails changes nothing."""
    try:
        with translated("an answer"):
            await interaction.edit_original_response(content=text)
    except DeliveryError as error:
        log.warning("interaction %s not answered: %s", interaction.id, error)


def _place(interaction: discord.Interaction[Host]) -> Place:
    """Where it was asked; the gate has seen to it that this is one of our guilds."""
    if interaction.guild_id is None or interaction.channel_id is None:
        raise RuntimeError("a command without a place passed the gate")
    return Place(interaction.guild_id, interaction.channel_id)
