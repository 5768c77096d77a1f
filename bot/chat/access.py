"""The gate: the one place where it is decided whether an interaction gets in, for tree, autocomplete, buttons and forms.

Who may do what is the desk's decision; here it is only asked, and everything unclear is a no. Drawing and doing live
elsewhere.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, final

import discord
from discord.ext import commands

from bot.chat import wording
from bot.chat.answers import answer, reference
from bot.chat.door import DeskDoor
from bot.chat.people import roles_of
from bot.chat.private import PrivateCards
from bot.chat.recall import Recall
from bot.errors import DeskError
from bot.trading.orders.tickets import Member, Origin
from bot.trading.planning.card_actions import CardAction
from bot.trading.risk.policy import Denial, PermissionQuery

log = logging.getLogger(__name__)
_ADMITTED = "admitted"


@dataclass(frozen=True, slots=True)
class Access:
    """Decides who gets in.

    Attributes:
        guilds: the only guilds that may command the desk.
    """

    desk: DeskDoor
    guilds: frozenset[int]

    def admit(self, interaction: discord.Interaction[Any], request: PermissionQuery | None) -> Member | Denial:
        """The member behind an interaction, or why not.

        Args:
            interaction: of any kind.
            request: what the desk's policy is asked; ``None`` where the desk itself decides on the press, as it knows who
                asked and who may approve.
        """
        user, guild_id = interaction.user, interaction.guild_id
        # discord.py hands on what is empty as it is, whatever its type.
        if not isinstance(guild_id, int) or guild_id not in self.guilds or not isinstance(user, discord.Member):
            return wording.NOT_HERE
        guild = interaction.client.get_guild(user.guild.id)
        if guild is None or guild.unavailable:
            # Without the guild's roles every member would look like one without any.
            return wording.STARTING
        member = Member(user.id, user.display_name, roles_of(user))
        denial = None if request is None else self.desk.may(member, request)
        if denial is not None:
            log.info("denied %s to member %s: %s", "a press" if request is None else request.command, member.id, denial)
        return member if denial is None else denial


class Acts(Protocol):
    """The one way from a request to its card; buttons of sent orders need it."""

    async def act(self, interaction: discord.Interaction[Any], member: Member, ticket_id: str, verb: CardAction) -> None:
        """Offer what a member asks for by such a button, or tell every reason why not."""


class Host(commands.Bot):
    """A bot that stands behind the gate; what every cog and button finds as ``interaction.client``."""

    desk: DeskDoor
    access: Access
    private: PrivateCards
    offering: Acts
    recall: Recall


class GuardedButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"(?!)"):
    """Base of every button: it passes the gate, or does nothing. Subclasses write ``press`` and nothing around it.

    discord.py logs what a dynamic item raises, or swallows it, and tells nobody; so the callback here is final and answers.
    """

    request: ClassVar[PermissionQuery | None] = None

    def __init__(self, button: discord.ui.Button[Any]) -> None:
        # The library checks the beginning only, but dispatches on the whole: a longer id would never be answered.
        if not self.template.fullmatch(button.custom_id or ""):
            raise ValueError(f"{button.custom_id!r} would never be answered")
        super().__init__(button)

    def __init_subclass__(cls, *, template: str) -> None:
        super().__init_subclass__(template=template)
        if forbidden := {"callback", "interaction_check"} & vars(cls).keys():
            raise TypeError(f"{cls.__name__} must not define {', '.join(sorted(forbidden))}: that is where the gate stands")

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: Any,
        /,
    ) -> Self:
        """Only read what the id says; deciding happens behind the gate."""
        return cls(**match.groupdict())

    @final
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Admit, press, answer; whatever happens is told."""
        try:
            admitted = interaction.client.access.admit(interaction, self.request)
            text = wording.denied([admitted]) if isinstance(admitted, Denial) else await self.press(interaction, admitted)
        except DeskError as error:
            log.warning("press %s (%s): %s", self.custom_id, reference(interaction), error)
            text = wording.trouble(error, reference(interaction))
        except Exception:
            log.exception("press %s (%s)", self.custom_id, reference(interaction))
            text = wording.broken(reference(interaction))
        if text is not None:
            await answer(interaction, text)

    async def press(self, interaction: discord.Interaction[Any], member: Member) -> str | None:
        """Do what the button is for; returns a sentence for the presser alone, or ``None``."""
        raise NotImplementedError


def remember(interaction: discord.Interaction[Any], member: Member) -> None:
    """Keep whom the gate has let in, for the command behind it."""
    interaction.extras[_ADMITTED] = member


def admitted(interaction: discord.Interaction[Any]) -> Member:
    """Whom the gate has let in.

    Raises:
        RuntimeError: nobody; a command was reached past the gate, which is a fault in this program.
    """
    member = interaction.extras.get(_ADMITTED)
    if not isinstance(member, Member):
        raise RuntimeError("a command was reached past the gate")  # noqa: TRY004 - not about a type
    return member


def place_of(interaction: discord.Interaction[Any]) -> Origin:
    """The place of the request; the gate has seen to it that this is one of our guilds."""
    if interaction.guild_id is None or interaction.channel_id is None:
        raise RuntimeError("a command without a place passed the gate")
    return Origin(interaction.guild_id, interaction.channel_id)


def guilds(ids: Collection[int]) -> tuple[discord.Object, ...]:
    """Guild ids as discord.py takes them."""
    return tuple(discord.Object(guild, type=discord.Guild) for guild in ids)
