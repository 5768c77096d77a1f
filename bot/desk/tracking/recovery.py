"""Effects of time and restarts on tickets: offers expire, and at the start nothing is ever sent, only told."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from bot.desk.locks import TicketLocks
from bot.desk.outbox.recording import Recorder
from bot.desk.outbox.startup_report import StartupReport
from bot.desk.ports import EventName
from bot.desk.tracking.doubts import Doubts, JournalTrust, without_claim
from bot.timings import DeskTimings
from bot.trading.orders.tickets import Ticket, TicketState, move

log = logging.getLogger(__name__)
RESTARTED = "Nothing was sent: void, as the bot was restarted. Ask again with the command."
LACKING = "The journal's database may lack its last moments, so that this may have been sent."
GONE_BACK = "The journal's database has lost what became of it, as a server that takes over too early does."
STOPPED = "The bot stopped while the answer was on its way."
# News that wait longer than this for their next attempt there are none; nor are more than that counted.
EVER = timedelta(days=1)
MOST_NEWS = 1000


@dataclass(frozen=True, slots=True)
class Recovery:
    """Ends what must end without anybody pressing anything."""

    recorder: Recorder
    locks: TicketLocks
    clock: Clock
    timings: DeskTimings
    doubts: Doubts

    async def at_start(self, trust: JournalTrust) -> StartupReport:
        """Take over what the last run left: open offers expire, orders on their way become unknown.

        Args:
            trust: in the journal where it says that a ticket was never sent.
        """
        # Before anything is stored here that has news of its own.
        found = StartupReport(late_in=await self._waiting())
        live = await self.recorder.journal.live()
        doubted = await self.doubts.perhaps_sent([one for one in live if one.state is TicketState.OFFERED], trust)
        for ticket in live:
            if ticket.id in doubted:
                await self._doubt(ticket, LACKING)
            elif ticket.state is TicketState.OFFERED:
                await self._expire(ticket, RESTARTED)
                found.expired_in[ticket.origin.channel] += 1
            elif ticket.state is TicketState.SENDING:
                await self.lost(ticket)
            if ticket.id in doubted or ticket.state in {TicketState.SENDING, TicketState.UNKNOWN}:
                found.unknown_in[ticket.origin.channel] += 1
        return found

    async def _waiting(self) -> Counter[int]:
        """The number of news that wait for each channel: cards for the one where they were asked."""
        waiting: Counter[int] = Counter()
        for row in await self.recorder.journal.due(self.clock() + EVER, MOST_NEWS):
            ticket = None if row.ticket is None else await self.recorder.journal.ticket(row.ticket)
            if row.notice is not None:
                waiting[row.notice.channel] += 1
            # A card that is still to be confirmed is told as expired.
            elif ticket is not None and ticket.state is not TicketState.OFFERED:
                waiting[ticket.origin.channel] += 1
        return waiting

    async def expire(self, live: Sequence[Ticket]) -> float | None:
        """Expire offers whose time is over, except one that is being worked on: its press came in time.

        Gives the seconds until the next one may expire; ``None`` where there is none.
        """
        now = self.clock()
        waits = []
        for ticket in live:
            if self.locks.has_gone_back(ticket):
                await self._gone_back(ticket)
                continue
            if ticket.state is not TicketState.OFFERED:
                continue
            if not ticket.is_over(now):
                waits.append((ticket.expires_at - now).total_seconds())
            elif self.locks.holds(ticket.id):
                waits.append(self.timings.held_again.total_seconds())
            else:
                await self._expire(ticket, None)
        return min(waits, default=None)

    async def lose_all(self) -> None:
        """Give up every answer that is still on its way."""
        for ticket in await self.recorder.journal.live():
            if ticket.state is TicketState.SENDING:
                await self.lost(ticket)

    async def lost(self, ticket: Ticket, why: str = STOPPED, reason: str = "stopped") -> bool:
        """An order was on its way when the process ended: perhaps sent, so unknown; ``False`` where it has gone on since."""
        new = move(ticket, TicketState.UNKNOWN, ended_at=self.clock(), outcome=why)
        return await self.recorder.move(ticket, new, EventName.UNKNOWN, data={"why": reason})

    async def _gone_back(self, ticket: Ticket) -> None:
        """This process has sent it and said so, and the journal doesn't any more: people are told, and it is looked for."""
        is_sending = ticket.state is TicketState.SENDING
        told = self.lost(ticket, GONE_BACK, "gone back") if is_sending else self._doubt(ticket, GONE_BACK)
        # What was read before it was sent is no row that has gone back; the journal takes no change of that.
        if await told:
            log.error("ticket %s has gone back to %s: the journal has lost its claim or its end", ticket.id, ticket.state)

    async def _doubt(self, ticket: Ticket, why: str) -> bool:
        """Say of an open ticket that it may have been sent; evidence then tells whether it was. ``False`` where it isn't open."""
        new = without_claim(ticket, ended_at=self.clock(), outcome=why)
        return await self.recorder.move(ticket, new, EventName.UNKNOWN, data={"why": "the journal may be behind"})

    async def _expire(self, ticket: Ticket, why: str | None) -> None:
        new = move(ticket, TicketState.EXPIRED, ended_at=self.clock(), outcome=why)
        await self.recorder.move(ticket, new, EventName.EXPIRED, data={"restart": why is not None})
