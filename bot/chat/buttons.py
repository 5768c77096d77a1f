"""The buttons of an open ticket's card, and the list of all that can be pressed.

Each one carries ticket, revision and verb in its id and so survives restarts.

All of them are dynamic items and stay so: in discord.py 2.7.1 a view that mixes dynamic and plain items can unregister the
button class for the whole process when it stops.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import discord

from bot.chat import answers
from bot.chat.access import GuardedButton
from bot.chat.actions import ACTION_ITEMS
from bot.chat.door import Acknowledge
from bot.desk.requests import Press
from bot.errors import DeliveryError
from bot.trading.orders.tickets import Member

log = logging.getLogger(__name__)
_TICKET = r"ticket:(?P<ticket>[A-Za-z0-9_-]{1,64}):(?P<revision>[0-9]{1,9}):"


class TicketButton(GuardedButton, template=r"(?!)"):
    """Base of the three buttons."""

    verb: ClassVar[str]
    label: ClassVar[str]
    style: ClassVar[discord.ButtonStyle]

    def __init__(self, ticket: str, revision: str | int) -> None:
        custom_id = f"ticket:{ticket}:{revision}:{self.verb}"
        super().__init__(discord.ui.Button(label=self.label, style=self.style, custom_id=custom_id))
        self.ticket = ticket
        self.revision = int(revision)

    def pressed_by(self, member: Member) -> Press:
        """This press, for the desk."""
        return Press(member, self.ticket, self.revision)


class ConfirmButton(TicketButton, template=_TICKET + "confirm"):
    """The requester's yes."""

    verb = "confirm"
    label = "Confirm"
    style = discord.ButtonStyle.success

    async def press(self, interaction: discord.Interaction[Any], member: Member) -> str | None:
        """Let the desk confirm."""
        answer: str | None = await interaction.client.desk.confirm(self.pressed_by(member), _acknowledging(interaction, self))
        return answer


class ApproveButton(TicketButton, template=_TICKET + "approve"):
    """The second person's yes."""

    verb = "approve"
    label = "Approve"
    style = discord.ButtonStyle.primary

    async def press(self, interaction: discord.Interaction[Any], member: Member) -> str | None:
        """Let the desk approve."""
        answer: str | None = await interaction.client.desk.approve(self.pressed_by(member), _acknowledging(interaction, self))
        return answer


class CancelButton(TicketButton, template=_TICKET + "cancel"):
    """No."""

    verb = "cancel"
    label = "Cancel"
    style = discord.ButtonStyle.secondary

    async def press(self, interaction: discord.Interaction[Any], member: Member) -> str | None:
        """Let the desk cancel."""
        answer: str | None = await interaction.client.desk.cancel(self.pressed_by(member), _acknowledging(interaction, self))
        return answer


# Everything that can be pressed; the client registers just these, and a test proves that there are no others.
DYNAMIC_ITEMS: tuple[type[GuardedButton], ...] = (ConfirmButton, ApproveButton, CancelButton, *ACTION_ITEMS)


def is_answered(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether discord.py will hand this press to one of our buttons; it drops, silently, what isn't such a button there."""
    data: Any = interaction.data
    if not isinstance(data, dict) or data.get("component_type") != discord.ComponentType.button.value:
        return False
    custom_id = str(data.get("custom_id", ""))
    known = any(item.__discord_ui_compiled_template__.fullmatch(custom_id) for item in DYNAMIC_ITEMS)
    return known and interaction.message is not None and custom_id in _ids(interaction.message.components)


def _ids(components: Iterable[Any]) -> Iterator[str | None]:
    for component in components:
        yield getattr(component, "custom_id", None)
        yield from _ids(getattr(component, "children", ()))


def _acknowledging(interaction: discord.Interaction[Any], button: TicketButton) -> Acknowledge:
    async def acknowledge() -> None:
        try:
            await answers.acknowledge(interaction, "the acknowledgement of a press")
        except DeliveryError as error:
            log.warning("press %s by %s not acknowledged: %s", button.custom_id, interaction.user.id, error)
            raise
        interaction.client.private.renew(button.ticket, interaction)

    return acknowledge
