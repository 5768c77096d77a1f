"""Taking the buttons off cards that can't mean anything any more: what they opened is closed, or it is long ago.

A press that comes before that, or on a card out of reach, is answered by ``bot.desk.actions`` all the same.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.desk.ledger import Ledger
from bot.desk.pace import Pace
from bot.desk.ports import Broker, EventName
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.facts import Position
from bot.trading.intents import places
from bot.trading.tickets import Ticket, TicketState, move
from bot.trading.verbs import fitting, is_on_its_side, is_too_old

log = logging.getLogger(__name__)
# How old an order may be that has filled while nobody looked: before the start, and between two rounds.
LOOKS_BACK = timedelta(days=14)
OVERLAP = timedelta(minutes=1)


@dataclass(slots=True)
class Retirer:
    """Looks now and then at the positions of accounts that have such cards."""

    ledger: Ledger
    broker: Broker
    clock: Clock
    timings: DeskTimings
    pace: Pace
    called: asyncio.Event = field(default_factory=asyncio.Event)
    _round: datetime | None = None
    _due: datetime | None = None
    _watched: set[str] = field(default_factory=set)
    _seen: dict[str, tuple[datetime, Sequence[Position]]] = field(default_factory=dict)
    _looked: dict[str, datetime] = field(default_factory=dict)
    # Since when a position may have gone, and when one that a list may not show yet is looked at again.
    _moved: datetime | None = None
    _again: dict[str, datetime] = field(default_factory=dict)

    def soon(self) -> None:
        """Look without waiting for the next round: something has filled or closed, so a position may be gone."""
        self._moved = self.clock()
        if self._round is not None:
            self._hasten(self._round + self.timings.retire_soonest)
            self.called.set()

    def saw(self, account: str, positions: Sequence[Position]) -> None:
        """Take positions that somebody else has just read."""
        self._seen[account] = self.clock(), positions

    async def look(self) -> float | None:
        """Retire what is to be retired, if it is time to look; gives the seconds until it is again.

        ``None`` where no card has buttons or may get some, before something changes.

        Raises:
            JournalError: the journal can't be read or written.
        """
        now = self.clock()
        if self._due is not None and now < self._due:
            return (self._due - now).total_seconds()
        tickets = await self._tickets(now - LOOKS_BACK if self._round is None else self._round - OVERLAP)
        self._round, self._due = now, now + self.timings.retire_every
        by_account: defaultdict[str, list[Ticket]] = defaultdict(list)
        for ticket in tickets:
            if not places(ticket.intent):
                # The button of a bracket goes with what it was for, which its guard sees.
                continue
            if is_too_old(ticket, now):
                await self._retire(ticket, "old")
            elif not ticket.is_followed:
                by_account[ticket.order.account].append(ticket)
        for account in sorted(filter(self._is_due, by_account), key=lambda name: self._looked.get(name, now - LOOKS_BACK)):
            if self._is_fresh(account) or self._may_ask(account):
                await self._look_at(account, by_account[account])
            elif self._hurries(account):
                self._hasten(max(self.pace.free_at(self.clock()), now + self.timings.request_every))
            # Else in the next round, as orders are followed first: whoever presses a button that means nothing is answered.
        return max((self._due - self.clock()).total_seconds(), 0.0) if self._watched else None

    async def _tickets(self, since: datetime) -> list[Ticket]:
        """Those that have buttons, or may get some: their orders are followed still."""
        journal = self.ledger.journal
        found = {ticket.id: ticket for ticket in await journal.recent(since)}
        tickets = [*found.values(), *await journal.tickets(sorted(self._watched - found.keys()))]
        self._watched = {ticket.id for ticket in tickets if ticket.is_followed or fitting(ticket)}
        return [ticket for ticket in tickets if fitting(ticket)]

    async def _look_at(self, account: str, tickets: Sequence[Ticket]) -> None:
        """A failed read is no evidence of a flat position."""
        self._looked[account] = now = self.clock()
        self._again.pop(account, None)
        try:
            positions = await self._positions(account)
        except BrokerError as error:
            log.info("positions of %s not read: %s", account, error)
            return
        for ticket in tickets:
            held = sum(p.quantity for p in positions if p.contract == ticket.order.contract)
            if ticket.ended_at is None or is_on_its_side(ticket, held):
                continue
            shown_at = ticket.ended_at + self.timings.position_shown_within
            if now >= shown_at:
                await self._retire(ticket, "closed")
            else:
                self._again[account] = min(shown_at, self._again.get(account, shown_at))
                self._hasten(shown_at)

    def _is_due(self, account: str) -> bool:
        """Tell whether an account is looked at in this round: not where another one has just done so and nothing has moved."""
        now, looked = self.clock(), self._looked.get(account)
        if looked is None or now - looked >= self.timings.retire_every or now >= self._again.get(account, now + OVERLAP):
            return True
        return self._has_moved(looked)

    def _may_ask(self, account: str) -> bool:
        """Tell whether a request may be made: while following asks for none; else where something moved, or after two rounds."""
        now = self.clock()
        return self.pace.is_idle(now) or (self._hurries(account) and self.pace.is_free(now))

    def _hurries(self, account: str) -> bool:
        looked = self._looked.get(account)
        return looked is None or self._has_moved(looked) or self.clock() - looked >= 2 * self.timings.retire_every

    def _has_moved(self, looked: datetime) -> bool:
        return self._moved is not None and looked <= self._moved

    def _is_fresh(self, account: str) -> bool:
        return account in self._seen and self.clock() - self._seen[account][0] <= self.timings.positions_fresh

    async def _positions(self, account: str) -> Sequence[Position]:
        if self._is_fresh(account):
            return self._seen[account][1]
        self.pace.spend(self.clock())
        return await self.broker.positions(account)

    def _hasten(self, due: datetime) -> None:
        self._due = due if self._due is None else min(self._due, due)

    async def _retire(self, ticket: Ticket, why: str) -> None:
        new = move(ticket, TicketState.ACCEPTED, retired_at=self.clock())
        await self.ledger.move(ticket, new, EventName.SEEN, data={"buttons": why})
