"""Looking for evidence of orders whose answer was lost. Nothing is ever sent here."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.desk.interrupted import GRACE, Interrupted
from bot.desk.ledger import Clock, Ledger
from bot.desk.ports import Broker, EventName
from bot.errors import BrokerError
from bot.trading.evidence import Absent, Found, FoundClosed, FoundFills, Unclear, Verdict, weigh
from bot.trading.facts import Order
from bot.trading.following import with_ids
from bot.trading.intents import kept
from bot.trading.orders import OrderState
from bot.trading.tickets import Ticket, TicketState, move

log = logging.getLogger(__name__)

FOUND = "The answer was lost; the order was found in NinjaTrader."
CLOSED = "The answer was lost; the position shows that it was closed."
EVIDENCE = frozenset({FOUND, CLOSED})
# "Absent" must be read twice, this far apart.
BETWEEN = timedelta(seconds=8)
# An order that was called "never arrived" and turns up within this time is still told.
AFTERWARDS = timedelta(minutes=10)


@dataclass(slots=True)
class Reconciler:
    """Settles unknown tickets by what NinjaTrader shows."""

    ledger: Ledger
    broker: Broker
    clock: Clock
    interrupted: Interrupted

    async def look(self, live: Sequence[Ticket]) -> None:
        """Look once for evidence of every unknown ticket; a failed read leaves it as it is."""
        for ticket in filter(self._is_open_question, live):
            try:
                if await self.interrupted.look(ticket):
                    continue
                verdict = await self._weigh(ticket, live)
            except BrokerError as error:
                log.info("ticket %s: no evidence read yet: %s", ticket.id, error)
                continue
            await self._settle(ticket, verdict)

    def _is_open_question(self, ticket: Ticket) -> bool:
        """Tell whether evidence may still change what is said of a ticket; each look costs three requests."""
        if ticket.state is not TicketState.NEVER_ARRIVED:
            return ticket.state is TicketState.UNKNOWN
        return ticket.ended_at is not None and self.clock() - ticket.ended_at <= AFTERWARDS

    async def _weigh(self, ticket: Ticket, live: Sequence[Ticket]) -> Verdict:
        account = ticket.order.account
        orders, executions, positions = await asyncio.gather(
            self.broker.orders(account, active_only=False),
            self.broker.executions(account),
            self.broker.positions(account),
            return_exceptions=True,
        )
        if isinstance(orders, BaseException):
            raise orders
        taken = frozenset(order_id for other in live if other.id != ticket.id for order_id in other.order_ids)
        fills = () if isinstance(executions, BaseException) else executions
        held = () if isinstance(positions, BaseException) else positions
        verdict = weigh(ticket, orders, fills, held, taken)
        if isinstance(verdict, Found | FoundFills):
            return verdict
        # An order that is listed is there, whatever else could not be read; that one is not there takes all three.
        for read in (executions, positions):
            if isinstance(read, BaseException):
                raise read
        return verdict

    async def _settle(self, ticket: Ticket, verdict: Verdict) -> None:
        now = self.clock()
        match verdict:
            case Found(order) if _is_rejected(ticket, order):
                text = "NinjaTrader rejected the order."
                new = move(ticket, TicketState.REJECTED, ended_at=now, order_ids=order.ids, order_state=order.state, outcome=text)
                await self.ledger.move(ticket, new, EventName.REJECTED, data={"evidence": "orders"})
            case Found(order):
                # Where the order stands is told by its follower, so that a fill is told once and as a fill.
                new = with_ids(move(ticket, TicketState.ACCEPTED, ended_at=now, outcome=FOUND), order.ids)
                await self.ledger.move(ticket, new, EventName.ACCEPTED, data={"evidence": "orders"})
            case FoundFills(order_id, _):
                new = move(ticket, TicketState.ACCEPTED, ended_at=now, order_ids=(order_id,), outcome=FOUND)
                await self.ledger.move(ticket, new, EventName.ACCEPTED, data={"evidence": "executions"})
            case FoundClosed():
                new = move(ticket, TicketState.ACCEPTED, ended_at=now, outcome=CLOSED)
                await self.ledger.move(ticket, new, EventName.ACCEPTED, data={"evidence": "positions"})
            case Absent(note) if ticket.state is TicketState.UNKNOWN:
                await self._absent(ticket, note, now)
            case Unclear(why) if ticket.state is TicketState.UNKNOWN and ticket.absent_since is not None:
                new = move(ticket, TicketState.UNKNOWN, absent_since=None)
                await self.ledger.move(ticket, new, EventName.SEEN, data={"unclear": why}, show=False)
            case _:
                log.debug("ticket %s: %s", ticket.id, verdict)

    async def _absent(self, ticket: Ticket, note: str | None, now: datetime) -> None:
        if ticket.last_sent_at is None or now - ticket.last_sent_at < GRACE:
            return
        if ticket.absent_since is None:
            new = move(ticket, TicketState.UNKNOWN, absent_since=now)
            await self.ledger.move(ticket, new, EventName.SEEN, data={"absent": "once"}, show=False)
        elif now - ticket.absent_since >= BETWEEN:
            text = f"Looked for twice, {note}." if note else "Looked for twice: neither order, fill nor change of position."
            new = move(ticket, TicketState.NEVER_ARRIVED, ended_at=now, outcome=text)
            await self.ledger.move(ticket, new, EventName.NEVER_ARRIVED, data={"absent": "twice"})


def _is_rejected(ticket: Ticket, order: Order) -> bool:
    """Tell whether what was sent is the order that NinjaTrader rejected."""
    rejected = order.state is OrderState.REJECTED and ticket.state is TicketState.UNKNOWN
    return rejected and kept(ticket.intent) is None
