"""What time and restarts do to tickets: offers expire, and at the start nothing is ever sent, only told."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.desk.hands import Hands
from bot.desk.ledger import Clock, Ledger
from bot.desk.ports import EventName
from bot.trading.tickets import Ticket, TicketState, move

log = logging.getLogger(__name__)
RESTARTED = "Nothing was sent: void, as the bot was restarted. Ask again with the command."
STOPPED = "The bot stopped while the answer was on its way."


@dataclass(frozen=True, slots=True)
class Found:
    """What a start found in the journal."""

    expired: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Lapses:
    """Ends what must end without anybody pressing anything."""

    ledger: Ledger
    hands: Hands
    clock: Clock

    async def at_start(self) -> Found:
        """Take over what the last run left: open offers expire, orders on their way become unknown."""
        expired = unknown = 0
        for ticket in await self.ledger.journal.live():
            if ticket.state is TicketState.OFFERED:
                await self._expire(ticket, RESTARTED)
                expired += 1
            elif ticket.state is TicketState.SENDING:
                await self.lost(ticket)
            unknown += ticket.state in {TicketState.SENDING, TicketState.UNKNOWN}
        return Found(expired, unknown)

    async def expire(self, live: Sequence[Ticket]) -> None:
        """Expire offers whose time is over, except one that is being worked on: its press came in time."""
        now = self.clock()
        for ticket in live:
            if ticket.state is TicketState.OFFERED and ticket.is_over(now) and not self.hands.holds(ticket.id):
                await self._expire(ticket, None)

    async def lost(self, ticket: Ticket) -> None:
        """An order was on its way when the process ended: perhaps sent, so unknown."""
        new = move(ticket, TicketState.UNKNOWN, ended_at=self.clock(), outcome=STOPPED)
        await self.ledger.move(ticket, new, EventName.UNKNOWN, data={"why": "stopped"})

    async def _expire(self, ticket: Ticket, why: str | None) -> None:
        new = move(ticket, TicketState.EXPIRED, ended_at=self.clock(), outcome=why)
        await self.ledger.move(ticket, new, EventName.EXPIRED, data={"restart": why is not None})
