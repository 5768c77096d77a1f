"""People behind a press by now: the others who have signed, asked of Discord again before the later press sends.

A press brings the roles of whoever presses. Those of the others are as of their own press, minutes ago; where two people are
needed both must still be there, with the role. Ways out need one person, so that nobody is ever held up by this.
"""

import asyncio
from dataclasses import dataclass, replace

from bot.desk.ports import Messenger
from bot.desk.requests import Press
from bot.errors import DeliveryError
from bot.trading.orders.tickets import Approved, Member, Ticket
from bot.trading.risk.policy import Denial, DenialCode

GONE = "{name} is not in this server any more, so nothing was sent; ask again with the command."
ROLE_LOST = "{name} has approved it and has the role no more, so nothing was sent; ask again, and let somebody else approve."
UNASKED = "Discord can't say whether {name} still has the role, so nothing was sent; press again in a moment."


class Unasked(Exception):
    """Discord didn't answer; the text is for whoever presses."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The result of asking.

    Attributes:
        roles: the requester's, by now.
        denial: why their signatures send nothing.
    """

    roles: frozenset[int]
    denial: Denial | None = None


@dataclass(frozen=True, slots=True)
class Members:
    """Asks for the others: one request each."""

    messenger: Messenger

    async def standing(self, press: Press, signed: Ticket) -> Standing:
        """The worth of a ticket's signatures now.

        Args:
            press: the later one; whoever pressed is known by it.
            signed: the ticket with every signature.

        Raises:
            Unasked: nobody can say; what needs two people isn't sent then.
        """
        asked, approvals = signed.requester, signed.approvals
        others = {each.id: each for each in (asked, *(Member(one.member, one.name) for one in approvals))}
        others.pop(press.member.id, None)
        found = dict(zip(others, await asyncio.gather(*(self._roles(signed, each) for each in others.values())), strict=True))
        roles = {press.member.id: press.member.roles, **found}
        for each in others.values():
            if roles[each.id] is None:
                return Standing(frozenset(), Denial(DenialCode.NO_GRANT, GONE.format(name=each.named)))
        lost = [each for each in approvals if not each.roles <= (roles[each.member] or frozenset())]
        if _still_missing(signed, lost):
            return Standing(frozenset(), Denial(DenialCode.NO_GRANT, ROLE_LOST.format(name=lost[0].named)))
        return Standing(roles[asked.id] or frozenset())

    async def _roles(self, ticket: Ticket, member: Member) -> frozenset[int] | None:
        try:
            return await self.messenger.roles(ticket.origin.guild, member.id)
        except DeliveryError as error:
            raise Unasked(UNASKED.format(name=member.named)) from error


def _still_missing(signed: Ticket, lost: list[Approved]) -> bool:
    """Tell whether a role is approved by nobody any more."""
    kept = tuple(each for each in signed.approvals if each not in lost)
    return bool(lost) and bool(replace(signed, approvals=kept).missing_roles)
