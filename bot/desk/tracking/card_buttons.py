"""Taking the buttons off cards that can't mean anything any more: what they opened is closed, or it is long ago.

A press that comes before that, or on a card out of reach, is answered by ``bot.desk.tickets.card_actions`` all the same. Nothing
is read for it: the watchdog's polls tell what is held.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.desk.health.alarms import Held
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import EventName
from bot.timings import DeskTimings
from bot.trading.market.facts import net
from bot.trading.orders.tickets import Ticket, TicketState, move
from bot.trading.planning.card_actions import fitting, is_on_its_side, is_too_old

# How old an order may be that has filled while nobody looked: before the start, and between two looks.
LOOKS_BACK = timedelta(days=14)
OVERLAP = timedelta(minutes=1)


@dataclass(slots=True)
class Retirer:
    """Looks through such cards after each poll of the watchdog.

    Attributes:
        held: the positions of each account as last read, and when that was asked for.
        called: rung when a poll is over.
    """

    recorder: Recorder
    held: Callable[[], Mapping[str, Held]]
    clock: Clock
    timings: DeskTimings
    called: asyncio.Event = field(default_factory=asyncio.Event)
    _round: datetime | None = None
    _watched: set[str] = field(default_factory=set)

    async def look(self) -> float | None:
        """Retire what is to be retired; gives the seconds until some card may be too old.

        ``None`` where no card has buttons or may get some, before something changes.

        Raises:
            JournalError: the journal can't be read or written.
        """
        now = self.clock()
        tickets = await self._tickets(now - LOOKS_BACK if self._round is None else self._round - OVERLAP)
        self._round = now
        held = self.held()
        for ticket in tickets:
            # The button of a bracket, and the one that is left for a position without a stop, go with what they are for.
            if not ticket.intent.places or ticket.retired_at is not None:
                continue
            if is_too_old(ticket, now):
                await self._retire(ticket, "old")
            elif not ticket.is_followed and self._is_closed(ticket, held.get(ticket.order.account)):
                await self._retire(ticket, "closed")
        return self.timings.retire_every.total_seconds() if self._watched else None

    async def _tickets(self, since: datetime) -> list[Ticket]:
        """Those that have buttons, or may get some: their orders are followed still."""
        journal = self.recorder.journal
        found = {ticket.id: ticket for ticket in await journal.recent(since)}
        tickets = [*found.values(), *await journal.tickets(sorted(self._watched - found.keys()))]
        self._watched = {ticket.id for ticket in tickets if ticket.is_followed or fitting(ticket)}
        return [ticket for ticket in tickets if fitting(ticket)]

    def _is_closed(self, ticket: Ticket, held: Held | None) -> bool:
        """Tell whether a list that must show the fill by then shows nothing on the side of the order."""
        if held is None or ticket.ended_at is None:
            return False
        if held.at < ticket.ended_at + self.timings.position_shown_within:
            return False
        return not is_on_its_side(ticket, net(held.positions, ticket.order.contract))

    async def _retire(self, ticket: Ticket, why: str) -> None:
        new = move(ticket, TicketState.ACCEPTED, retired_at=self.clock())
        await self.recorder.move(ticket, new, EventName.SEEN, data={"buttons": why})
