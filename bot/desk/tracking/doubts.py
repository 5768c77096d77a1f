"""Open tickets of a run before, in a journal that may lack what that run stored last: whether something of them was sent.

PostgreSQL tells a commit once the server itself has it. One that was copied to another server later than that, and not before, is
not there when that other one takes over; then a ticket says ``offered`` whose order is in the market. Nothing is ever sent here.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.clock import Clock
from bot.desk.tracking.reconcile import Reconciler
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.orders.tickets import Ticket, TicketState, move
from bot.trading.reconciliation.verdicts import PROOFS

log = logging.getLogger(__name__)


class JournalTrust(StrEnum):
    """Trust in the journal at a start when it says that an open ticket was never sent."""

    FULL = "full"
    # On a server that may have taken over from another one: unless NinjaTrader shows otherwise.
    LOOKS = "looks"
    # It was seen to have more than it has now: not at all.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Doubts:
    """Finds the tickets that may have been sent."""

    reconciler: Reconciler
    clock: Clock
    timings: DeskTimings

    async def perhaps_sent(self, offered: Sequence[Ticket], trust: JournalTrust) -> frozenset[str]:
        """The ids of those open tickets that may have been sent, whatever the journal says.

        Args:
            offered: open tickets of a run before.
            trust: in the journal.
        """
        if trust is JournalTrust.NONE:
            return frozenset(ticket.id for ticket in offered)
        if trust is JournalTrust.FULL or not offered:
            return frozenset()
        since = self.clock() - self.timings.afterwards
        asked = [ticket for ticket in offered if ticket.intent.places and ticket.expires_at > since]
        by_account: defaultdict[str, list[Ticket]] = defaultdict(list)
        for ticket in asked:
            by_account[ticket.order.account].append(ticket)
        found = await asyncio.gather(*(self._shown(account, tickets) for account, tickets in by_account.items()))
        return frozenset(ticket_id for shown in found for ticket_id in shown)

    async def _shown(self, account: str, tickets: Sequence[Ticket]) -> list[str]:
        """The ids of those whose order NinjaTrader shows, by one reading of their account; of all where it can't be read."""
        shown = [ticket.id for ticket in tickets]
        try:
            async with asyncio.timeout(self.timings.at_once_within.total_seconds()):
                books = await self.reconciler.read(account)
                return [one.id for one in tickets if isinstance(await self.reconciler.weigh(without_claim(one), books), PROOFS)]
        except (BrokerError, TimeoutError) as error:
            log.warning("tickets %s may have been sent, as they can't be looked for: %s", ", ".join(shown), error)
            return shown


def without_claim(ticket: Ticket, **changes: object) -> Ticket:
    """An open ticket as one that may have been sent at any moment of its life, by whoever may have pressed; one version on."""
    claim = {"sent_at": ticket.created_at, "confirmed_at": None, "orders_before": ()}
    return move(ticket, TicketState.UNKNOWN, **claim, **changes)
