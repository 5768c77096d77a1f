"""Keeping known what open cards will be decided on, so that a press meets facts that are young enough and waits for no read.

As far as the budget allows: these requests go behind those that somebody waits for, and are left out while few are left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.desk.lookup.all_accounts import FEW, AllAccounts
from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.orders.instruments import Contract
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import Policy

# So many requests stay for those who press: ten that nobody but a press may use, and one look at a few accounts.
LEAST_LEFT = 13


@dataclass(slots=True)
class Keeping:
    """Reads the lists of accounts that have open cards anew, shortly before they would be too old.

    Attributes:
        broker: reads what isn't young enough for some time.
        links: tells which accounts are connected, which is believed for longer than that.
    """

    broker: Broker
    links: Broker
    policy: Callable[[], Policy]
    clock: Clock
    timings: DeskTimings
    # Seconds that the last reads took: they are begun so much earlier.
    _took: float = 0.0

    async def look(self, live: Iterable[Ticket]) -> float | None:
        """Read what is due, if anything is; gives the seconds until the next is, ``None`` where no card is open."""
        fresh = self.policy().fresh
        pressable = {(each.order.account, each.order.contract) for each in live if _waits_for_a_press(each)}
        if not pressable or fresh < self.timings.kept_shortest:
            return None
        lead = min(self.timings.kept_before + timedelta(seconds=2 * self._took), fresh / 2)
        left = {account: self._left(account, fresh - lead) for account, _ in pressable}
        due = {(account, contract) for account, contract in pressable if left[account] <= timedelta(0)}
        if not due:
            return max(min(left.values()), self.timings.looks_shortest).total_seconds()
        if self.broker.vitals().budget >= LEAST_LEFT:
            await self._read(due)
        return lead.total_seconds()

    @property
    def _within(self) -> float:
        """Seconds for what nobody waits for."""
        return self.timings.at_once_within.total_seconds()

    def _left(self, account: str, oldest: timedelta) -> timedelta:
        """The time for which what is known of an account will do; zero or less when it must be read."""
        age = self.broker.age(account)
        return timedelta(0) if age is None else oldest - age

    async def _read(self, due: set[tuple[str, Contract]]) -> None:
        """Each account's own lists for a few; for more the lists over all, which tell of each."""
        began = self.clock.seconds()
        accounts = sorted({account for account, _ in due})
        if is_crowd := len(accounts) > FEW:
            await AllAccounts(self.broker).refresh(self._within)
        reads = [*(self.broker.quote(contract) for contract in sorted({contract for _, contract in due})), self.links.accounts()]
        if not is_crowd:
            reads += [reading for account in accounts for reading in self._lists(account)]
        await asyncio.gather(*map(self._tried, reads))
        self._took = self.clock.seconds() - began

    def _lists(self, account: str) -> Iterable[Coroutine[Any, Any, object]]:
        # Orders first: what fills in between is counted twice rather than not at all.
        return self.broker.orders(account, active_only=False), self.broker.positions(account)

    async def _tried(self, reading: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(self._within):
                await reading
        except (BrokerError, TimeoutError):
            # What can't be read is read at the press, which says why it can't.
            return


def _waits_for_a_press(ticket: Ticket) -> bool:
    return ticket.state is TicketState.OFFERED and not ticket.intent.is_mass
