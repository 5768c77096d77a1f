"""Keeping known what open cards will be decided on, so that a press meets facts that are young enough and waits for no read.

As far as the budget allows: these requests go behind those that somebody waits for, and are left out while few are left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from bot.desk.allaccounts import FEW, AllAccounts
from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.intents import SWEEPS
from bot.trading.policy import Policy
from bot.trading.tickets import Ticket, TicketState

# So many requests stay for those who press: ten that nobody but a press may use, and one look at a few accounts.
LEAST_LEFT = 13


@dataclass(slots=True)
class Keeping:
    """Reads the lists of accounts that have open cards anew, shortly before they would be too old."""

    broker: Broker
    policy: Callable[[], Policy]
    clock: Clock
    timings: DeskTimings
    # Seconds that the last reads took: they are begun so much earlier.
    _took: float = 0.0

    async def look(self, live: Iterable[Ticket]) -> float | None:
        """Read what is due, if anything is; gives the seconds until the next is, ``None`` where no card is open."""
        fresh = self.policy().fresh
        open_now = (
            {each.order.account: each for each in live if _waits_for_a_press(each)} if fresh >= self.timings.kept_shortest else {}
        )
        if not open_now:
            return None
        lead = min(self.timings.kept_before + timedelta(seconds=2 * self._took), fresh / 2)
        until = {account: self._until(account, fresh - lead) for account in open_now}
        due = sorted(account for account, left in until.items() if left <= timedelta(0))
        if due and self.broker.vitals().budget >= LEAST_LEFT:
            await self._read(due)
            return lead.total_seconds()
        waits = min((left for left in until.values() if left > timedelta(0)), default=lead)
        return max(waits, self.timings.looks_shortest).total_seconds() if not due else lead.total_seconds()

    def _until(self, account: str, oldest: timedelta) -> timedelta:
        age = self.broker.age(account)
        return timedelta(0) if age is None else oldest - age

    async def _read(self, accounts: list[str]) -> None:
        """Each account's own lists for a few; for more the lists over all, which tell of each."""
        began = self.clock.seconds()
        if len(accounts) > FEW:
            await AllAccounts(self.broker).refresh(self.timings.at_once_within)
        else:
            await asyncio.gather(*(self._tried(reading) for name in accounts for reading in self._lists(name)))
        self._took = self.clock.seconds() - began

    def _lists(self, account: str) -> Iterable[Awaitable[object]]:
        # Orders first: what fills in between is counted twice rather than not at all.
        return self.broker.orders(account, active_only=False), self.broker.positions(account)

    async def _tried(self, reading: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(self.timings.at_once_within.total_seconds()):
                await reading
        except (BrokerError, TimeoutError):
            # What can't be read is read at the press, which says why it can't.
            return


def _waits_for_a_press(ticket: Ticket) -> bool:
    return ticket.state is TicketState.OFFERED and not isinstance(ticket.intent, SWEEPS)
