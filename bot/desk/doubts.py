"""Open tickets of a run before, in a journal that may lack what that run stored last: whether something of them was sent.

PostgreSQL tells a commit once the server itself has it. One that was copied to another server later than that, and not before, is
not there when that other one takes over; then a ticket says ``offered`` whose order is in the market. Nothing is ever sent here.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.clock import Clock
from bot.desk.reconcile import Reconciler
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.intents import places
from bot.trading.tickets import Ticket, TicketState
from bot.trading.verdicts import PROOFS

log = logging.getLogger(__name__)


class Trust(StrEnum):
    """How far the journal is believed at a start when it says that an open ticket was never sent."""

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

    async def perhaps_sent(self, offered: Sequence[Ticket], trust: Trust) -> frozenset[str]:
        """The ids of those open tickets that may have been sent, whatever the journal says.

        Args:
            offered: open tickets of a run before.
            trust: in the journal.
        """
        if trust is Trust.NONE:
            return frozenset(ticket.id for ticket in offered)
        if trust is Trust.FULL or not offered:
            return frozenset()
        since = self.clock() - self.timings.afterwards
        asked = [ticket for ticket in offered if places(ticket.intent) and ticket.expires_at > since]
        found = await asyncio.gather(*map(self._shows, asked))
        return frozenset(ticket.id for ticket, is_there in zip(asked, found, strict=True) if is_there)

    async def _shows(self, ticket: Ticket) -> bool:
        """Whether NinjaTrader shows its order; where it can't be read nobody knows, and that may be so."""
        try:
            async with asyncio.timeout(self.timings.at_once_within.total_seconds()):
                return isinstance(await self.reconciler.weigh(without_claim(ticket)), PROOFS)
        except (BrokerError, TimeoutError) as error:
            log.warning("ticket %s may have been sent, as it can't be looked for: %s", ticket.id, error)
            return True


def without_claim(ticket: Ticket) -> Ticket:
    """An open ticket as one that may have been sent at any moment of its life, by whoever may have pressed."""
    return replace(ticket, state=TicketState.UNKNOWN, sent_at=ticket.created_at, confirmed_at=None, orders_before=())
