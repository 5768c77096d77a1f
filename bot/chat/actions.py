"""The buttons of a sent order's card. Each asks for a ticket of its own and sends nothing: the new card must be confirmed.

They are dynamic items like all buttons here (see ``bot.chat.buttons``). Which of them a card has is the rules' to say, what a
press asks for the desk's.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import discord

from bot.chat.access import GuardedButton
from bot.trading.orders.tickets import Member, Ticket
from bot.trading.planning.card_actions import CardAction, fitting

_TICKET = r"ticket:(?P<ticket>[A-Za-z0-9_-]{1,64}):then:"


class ActionButton(GuardedButton, template=r"(?!)"):
    """Base of these buttons. The gate lets every member of the guild through; the desk asks for the command's grant."""

    verb: ClassVar[CardAction]
    label: ClassVar[str]
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, ticket: str) -> None:
        custom_id = f"ticket:{ticket}:then:{self.verb.value}"
        super().__init__(discord.ui.Button(label=self.label, style=self.style, custom_id=custom_id))
        self.ticket = ticket

    async def press(self, interaction: discord.Interaction[Any], member: Member) -> str | None:
        """Offer what the button asks for; the answer stands in the place of "thinking"."""
        await interaction.client.offering.act(interaction, member, self.ticket, self.verb)
        return None


class CancelOrderButton(ActionButton, template=_TICKET + CardAction.CANCEL_ORDER.value):
    """Asks to cancel the order."""

    verb = CardAction.CANCEL_ORDER
    label = "Cancel order"


class CloseButton(ActionButton, template=_TICKET + CardAction.CLOSE.value):
    """Asks to close the position."""

    verb = CardAction.CLOSE
    label = "Close"
    style = discord.ButtonStyle.primary


class CloseHalfButton(ActionButton, template=_TICKET + CardAction.CLOSE_HALF.value):
    """Asks to close half of the position."""

    verb = CardAction.CLOSE_HALF
    label = "Close half"


class BreakEvenButton(ActionButton, template=_TICKET + CardAction.BREAK_EVEN.value):
    """Asks to move the stop to where nothing is lost."""

    verb = CardAction.BREAK_EVEN
    label = "Break-even"


class BracketButton(ActionButton, template=_TICKET + CardAction.BRACKET.value):
    """Asks for a bracket over a position that has lost its stop or its target."""

    verb = CardAction.BRACKET
    label = "Bracket"
    style = discord.ButtonStyle.primary


ACTION_ITEMS: tuple[type[ActionButton], ...] = (
    CancelOrderButton,
    CloseButton,
    CloseHalfButton,
    BreakEvenButton,
    BracketButton,
)
_BY_VERB: Mapping[CardAction, type[ActionButton]] = {item.verb: item for item in ACTION_ITEMS}


def actions(ticket: Ticket) -> Iterator[ActionButton]:
    """The buttons that fit the ticket's order as it stands."""
    yield from (_BY_VERB[verb](ticket.id) for verb in fitting(ticket))
