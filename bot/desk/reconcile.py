"""Looking for evidence of orders whose answer was lost, and following accepted ones to their end. Nothing is ever sent here."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.desk.haste import Haste
from bot.desk.interrupted import GRACE, Interrupted
from bot.desk.ledger import Clock, Ledger
from bot.desk.ports import Broker, EventName
from bot.errors import BrokerError
from bot.trading.evidence import Absent, Found, FoundClosed, FoundFills, Unclear, Verdict, weigh
from bot.trading.facts import Execution, Order
from bot.trading.intents import Cancel, Change, Close, kept
from bot.trading.orders import OrderState
from bot.trading.tickets import Ticket, TicketState, move, side_word

log = logging.getLogger(__name__)

FOUND = "The answer was lost; the order was found in NinjaTrader."
CLOSED = "The answer was lost; the position shows that it was closed."
# "Absent" must be read twice, this far apart.
BETWEEN = timedelta(seconds=8)
# A close at market that isn't done by then deserves a look.
CLOSE_TAKES = timedelta(seconds=15)
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
                new = _with_order(move(ticket, TicketState.ACCEPTED, ended_at=now, outcome=FOUND), order)
                # Where the order stands is told by its follower, so that a fill is told once and as a fill.
                new = replace(new, order_state=None, filled=0, average_fill_price=None)
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


@dataclass(slots=True)
class Follower:
    """Follows accepted orders by polling one list per account, slower as they age and sooner when there are news of it."""

    ledger: Ledger
    broker: Broker
    clock: Clock
    haste: Haste
    _next: dict[str, datetime] = field(default_factory=dict)

    async def look(self, live: Iterable[Ticket]) -> None:
        """Look at every followed order whose account is due."""
        by_account: defaultdict[str, list[Ticket]] = defaultdict(list)
        for ticket in live:
            if ticket.is_followed:
                by_account[ticket.intent.account].append(ticket)
        for account, tickets in by_account.items():
            now = self.clock()
            if now >= self._next.get(account, now) or self.haste.takes(account):
                self._next[account] = now + _pause(tickets, now)
                self.haste.looked(account)
                try:
                    await self._follow(account, tickets)
                except BrokerError as error:
                    log.info("orders of %s not read: %s", account, error)

    async def _follow(self, account: str, tickets: Sequence[Ticket]) -> None:
        by_orders = [ticket for ticket in tickets if not isinstance(ticket.intent, Close)]
        if closes := [ticket for ticket in tickets if isinstance(ticket.intent, Close)]:
            await self._follow_closes(account, closes)
        if by_orders:
            await self._follow_orders(account, by_orders)

    async def _follow_closes(self, account: str, tickets: Sequence[Ticket]) -> None:
        """A close has no order id: it is over when the position is what it was to leave, or less."""
        positions = await self.broker.positions(account)
        for ticket in tickets:
            held = sum(p.quantity for p in positions if p.contract == ticket.order.contract)
            if held == ticket.shown.after or abs(held) < abs(ticket.shown.after) or held * ticket.shown.position < 0:
                size = ticket.order.terms.quantity
                await self._told(ticket, replace(ticket, order_state=OrderState.FILLED, filled=size))
            elif ticket.outcome is None and ticket.sent_at is not None and self.clock() - ticket.sent_at >= CLOSE_TAKES:
                still = f"Still {side_word(held)} after {CLOSE_TAKES.seconds} s; look at NinjaTrader."
                new = move(ticket, TicketState.ACCEPTED, outcome=still)
                await self.ledger.move(ticket, new, EventName.NOT_CLOSED, data={"position": held})

    async def _follow_orders(self, account: str, tickets: Sequence[Ticket]) -> None:
        orders = await self.broker.orders(account, active_only=False)
        gone = []
        for ticket in tickets:
            order = next((o for o in orders if not set(o.ids).isdisjoint(ticket.order_ids)), None)
            if order is None:
                gone.append(ticket)
            elif _tells(ticket, order):
                await self._told(ticket, _with_order(ticket, order))
        if gone:
            fills = await self.broker.executions(account)
            for ticket in gone:
                await self._told(ticket, _with_fills(ticket, fills))

    async def _told(self, ticket: Ticket, seen: Ticket) -> None:
        """Store what changed, if anything did."""
        if seen == ticket:
            return
        new = move(
            ticket,
            TicketState.ACCEPTED,
            order_ids=seen.order_ids,
            order_state=seen.order_state,
            filled=seen.filled,
            average_fill_price=seen.average_fill_price,
        )
        name = _name(ticket, new)
        data = {"order_state": new.order_state and new.order_state.value, "filled": new.filled}
        await self.ledger.move(ticket, new, name, data=data)


def _tells(ticket: Ticket, order: Order) -> bool:
    """Tell whether a row says anything of the ticket: a change shows only once the order has the new terms, or is over."""
    if not isinstance(ticket.intent, Change):
        return True
    terms = ticket.order.terms
    return order.state.is_done or (order.quantity, order.limit, order.stop) == (terms.quantity, terms.limit, terms.stop)


def _pause(tickets: Sequence[Ticket], now: datetime) -> timedelta:
    """Young orders are looked at every second, older ones less often: the request budget is shared with orders."""
    age = min((now - ticket.sent_at).total_seconds() for ticket in tickets if ticket.sent_at is not None)
    if age < 30:
        return timedelta(seconds=1)
    return timedelta(seconds=3 if age < 600 else 4)


def _with_order(ticket: Ticket, order: Order) -> Ticket:
    """The ticket with an order row read into it; an order's id may change in its life, and all are kept."""
    ids = tuple(dict.fromkeys((*ticket.order_ids, *order.ids)))
    # Rows may lag behind each other: what has once filled stays filled.
    return replace(
        ticket,
        order_ids=ids,
        order_state=order.state,
        filled=max(ticket.filled, order.filled),
        average_fill_price=order.average_fill_price if order.filled else ticket.average_fill_price,
    )


def _with_fills(ticket: Ticket, executions: Sequence[Execution]) -> Ticket:
    """The ticket with its fills read into it, for an order that is no longer listed."""
    fills = [fill for fill in executions if fill.order_id in ticket.order_ids]
    filled = sum(fill.quantity for fill in fills)
    if filled <= ticket.filled:
        return ticket
    average = sum((fill.price * fill.quantity for fill in fills), Decimal()) / filled
    whole = filled >= ticket.order.terms.quantity
    state = OrderState.FILLED if whole else OrderState.PART_FILLED
    return replace(ticket, order_state=state, filled=filled, average_fill_price=average)


def _name(old: Ticket, new: Ticket) -> EventName:
    cancels = isinstance(new.intent, Cancel) and new.order_state is OrderState.CANCELLED
    if kept(new.intent) is not None and not cancels:
        # What else becomes of that order is for its own ticket to tell.
        return EventName.SEEN
    return _name_of_state(old, new)


def _name_of_state(old: Ticket, new: Ticket) -> EventName:
    match new.order_state:
        case OrderState.FILLED:
            return EventName.FILLED
        case OrderState.REJECTED:
            return EventName.REJECTED
        case OrderState.CANCELLED:
            return EventName.ORDER_CANCELLED
        case _ if new.filled > old.filled:
            return EventName.PART_FILLED
        case OrderState.WORKING if old.order_state is not OrderState.WORKING:
            return EventName.WORKING
        case _:
            return EventName.SEEN
