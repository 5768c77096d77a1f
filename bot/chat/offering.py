"""From a trading command, or a button that stands for one, to its card: the one way that all of them go.

Deciding is the desk's work, drawing that of ``cards``.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord import app_commands

from bot.chat import wording
from bot.chat.access import Host, admitted, place_of
from bot.chat.answers import answer, keep_trying, redraw, thinking
from bot.chat.choices import choices
from bot.chat.door import DeskDoor
from bot.chat.messenger import DiscordMessenger
from bot.desk.requests import Refused, TicketRequest
from bot.errors import DeliveryDelayed, DeliveryError
from bot.trading.orders.tickets import Member, Ticket, TicketState, Visibility, move
from bot.trading.planning.card_actions import CardAction

log = logging.getLogger(__name__)

Complete = Callable[[discord.Interaction[Any], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]
# What the options of a new order say of themselves.
ORDER_OPTIONS = {
    "account": "NinjaTrader account, such as Sim101",
    "instrument": "Contract, such as ES 09-26; a root such as ES means its current month",
    "qty": "Contracts of the new order",
    "order_type": "Type of the new order; market if left out",
    "limit": "Limit price, for limit and stoplimit: 5790.25, bid-2t, +10t, mid, be",
    "stop": "Stop price, for stopmarket and stoplimit: 5780, ask+8t, -0.25%, be",
    "tif": "How long the order works; day if left out",
    "oco": "Name of an OCO group",
    "strategy": "Name of an ATM template in NinjaTrader",
}


class Offering:
    """Makes tickets of requests and shows them."""

    def __init__(self, desk: DeskDoor, messenger: DiscordMessenger) -> None:
        self._desk = desk
        self._messenger = messenger

    async def offer(self, interaction: discord.Interaction[Host], request: TicketRequest) -> None:
        """Answer a command with a ticket to confirm, or with every reason why not.

        Raises:
            DeliveryError: Discord didn't take the first answer.
        """
        await thinking(interaction)
        await self._make(interaction, admitted(interaction), request)

    async def act(self, interaction: discord.Interaction[Host], member: Member, ticket_id: str, verb: CardAction) -> None:
        """Answer a press on a sent order's card in the same way.

        Raises:
            DeliveryError: Discord didn't take the first answer.
        """
        await thinking(interaction)
        request = await self._desk.request(member, ticket_id, verb)
        if isinstance(request, Refused):
            await answer(interaction, wording.denied(request.denials))
        else:
            await self._make(interaction, member, request)

    async def _make(self, interaction: discord.Interaction[Host], member: Member, request: TicketRequest) -> None:
        offered = await self._desk.offer(member, place_of(interaction), request)
        if isinstance(offered, Refused):
            await answer(interaction, wording.denied(offered.denials))
        elif offered.visibility is Visibility.PRIVATE:
            await self._show_privately(interaction, offered)
        else:
            await self._post(interaction, offered)

    async def _post(self, interaction: discord.Interaction[Host], ticket: Ticket) -> None:
        try:
            # All tries carry one nonce, so that Discord makes one message of them.
            within = self._messenger.timings.card_tried
            message = await keep_trying(interaction, "the ticket", lambda _: self._messenger.post(ticket), within)
        except DeliveryError as error:
            log.warning("ticket %s not posted: %s", ticket.id, error)
            await self._desk.not_posted(ticket.id, str(error), perhaps=isinstance(error, DeliveryDelayed))
            if not await answer(interaction, wording.NOT_POSTABLE.format(why=error)):
                await self._tell_directly(ticket)
            return
        await self._desk.posted(ticket.id, ticket.origin.channel, message.id)
        await answer(interaction, wording.ALREADY_POSTED.format(link=message.jump_url))

    async def _show_privately(self, interaction: discord.Interaction[Host], ticket: Ticket) -> None:
        self._messenger.private.keep(ticket.id, interaction)
        try:
            await redraw(interaction, self._messenger.card(ticket))
        except DeliveryError as error:
            log.warning("private ticket %s not shown: %s", ticket.id, error)
            # Its answer may be lost and the card stand there all the same.
            await self._desk.not_posted(ticket.id, str(error), perhaps=isinstance(error, DeliveryDelayed))
            if not await answer(interaction, wording.NOT_SHOWN.format(why=error)):
                await self._tell_directly(ticket)
            return
        await self._desk.shown_privately(ticket.id)

    async def _tell_directly(self, ticket: Ticket) -> None:
        """Tell its requester in the next best place that nothing came of it."""
        try:
            await self._messenger.fall_back(move(ticket, TicketState.VOID, outcome=wording.UNSEEN), 0.0)
        except DeliveryError as error:
            log.warning("nobody could be told that ticket %s is void: %s", ticket.id, error)


def accounts_of(command: str) -> Complete:
    """Autocomplete: the accounts in which the member may use the command."""

    async def complete(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        return choices(interaction.client.desk.accounts_for(admitted(interaction), command), current)

    return complete


def instruments_of(command: str) -> Complete:
    """Autocomplete: the contracts that the member may use with the command, in the account that was chosen before."""

    async def complete(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        account = str(getattr(interaction.namespace, "account", None) or "")
        return choices(interaction.client.desk.instruments_for(admitted(interaction), command, account), current)

    return complete
