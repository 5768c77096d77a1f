"""The desk as the chat layer sees it: the one door to everything that has consequences.

``bot.desk.desk.Desk`` fills it; tests fill it by hand. Nothing is decided here.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bot.desk.requests import Press, Refused, ReverseRequest
from bot.trading.policy import Denial, Policy, Request
from bot.trading.tickets import Member, Place, Ticket

Acknowledge = Callable[[], Awaitable[None]]


class Desk(Protocol):
    """What cogs and buttons may ask for. Errors are ``bot.errors.DeskError`` with a sentence for people."""

    @property
    def policy(self) -> Policy:
        """The running policy."""

    def may(self, member: Member, request: Request) -> Denial | None:
        """The one decision of who may do what; ``None`` means yes."""

    async def denied(self, member: int, channel: int | None, command: str, denial: Denial) -> None:
        """Record that the gate turned somebody away."""

    async def offer(self, member: Member, place: Place, request: ReverseRequest) -> Ticket | Refused:
        """Make a ticket of a request, or say every reason why not."""

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        """Remember the message that shows a ticket."""

    async def shown_privately(self, ticket_id: str) -> None:
        """Note that the card is shown to its requester alone."""

    async def not_posted(self, ticket_id: str, why: str, *, perhaps: bool = False) -> None:
        """End a ticket whose card could not be shown."""

    async def confirm(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Confirm; returns a sentence for the presser alone, or ``None`` when the card says it all."""

    async def approve(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Approve, likewise."""

    async def cancel(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Cancel, likewise."""

    def accounts_for(self, member: Member, command: str) -> Sequence[str]:
        """Accounts to offer in autocomplete, from memory."""

    def instruments_for(self, member: Member, command: str, account: str) -> Sequence[str]:
        """Contracts to offer in autocomplete, from memory."""
