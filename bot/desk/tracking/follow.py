"""Following accepted orders to their end, by polling within a poll budget. Nothing is ever sent here.

What a row means is in ``bot.trading.reconciliation.following``; here is decided when to ask what, and what of it is stored and
told. Whoever hears that something has happened in an account says so by ``soon``; nothing depends on it.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.clock import Clock
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker, EventName
from bot.desk.tracking.aside import Aside
from bot.desk.tracking.paced import Asking
from bot.desk.tracking.poll_budget import PollBudget
from bot.desk.tracking.protection import Guard
from bot.errors import BrokerError
from bot.timings import DeskTimings
from bot.trading.market.facts import Order, net, terms_of
from bot.trading.orders.intents import Cancel, Change
from bot.trading.orders.terms import OrderState, words_of
from bot.trading.orders.tickets import Ticket, TicketState, Told, move, side_word
from bot.trading.reconciliation.closes import close_orders, turned_words, waiting_words
from bot.trading.reconciliation.following import (
    find,
    reason,
    shows_change,
    with_fills,
    with_ids,
    with_life,
    with_order,
    with_position,
)
from bot.trading.reconciliation.replacing import is_news, is_waited_for, with_old

log = logging.getLogger(__name__)
Read = TypeVar("Read")

# Ids of orders whose end was told, so that a late ticket about the same order doesn't tell it again.
ENDS_KEPT = 500
_ENDS: Mapping[OrderState | None, EventName] = {
    OrderState.FILLED: EventName.FILLED,
    OrderState.CANCELLED: EventName.ORDER_CANCELLED,
    OrderState.REJECTED: EventName.REJECTED,
    OrderState.GONE: EventName.LOST_SIGHT,
}
GAVE_UP = "NinjaTrader doesn't list the order any more and tells no end of it; look there for what became of it."


@dataclass(slots=True)
class _Absence:
    """The moment since which a ticket's order is not listed, and that at which its traces were last sought."""

    since: datetime
    sought: datetime | None = None


@dataclass(slots=True)
class Follower:
    """Looks at accounts in turn: those where something is likely to have happened, and every other time whoever waits longest."""

    recorder: Recorder
    broker: Broker
    clock: Clock
    timings: DeskTimings
    pace: PollBudget
    guard: Guard = field(init=False)
    _asking: Asking = field(init=False)
    _looked: dict[str, datetime] = field(default_factory=dict)
    _soon: dict[str, datetime] = field(default_factory=dict)
    _absent: dict[str, _Absence] = field(default_factory=dict)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: deque[str] = field(default_factory=lambda: deque(maxlen=ENDS_KEPT))
    _aside: Aside = field(init=False)
    _turns: int = 0
    _tells: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with nothing under way, and share one poll budget with the guard of stops and targets."""
        self._aside = Aside(self.timings.look_within, self.called)
        self._asking = Asking(self.broker, self.clock, self.timings, self.pace)
        self.guard = Guard(self.recorder, self._asking)

    def soon(self, account: str | None) -> None:
        """Look at an account, or at all of them, as soon as the poll budget allows; cheap, however often it is called.

        One that is named tells of itself from now on; where all are meant, as after a reconnect, none is known to.
        """
        if account is None:
            self._tells.clear()
        else:
            self._tells.add(account)
        for name in tuple(self._looked) if account is None else (account,):
            self._soon.setdefault(name, self.clock())
        self.called.set()

    async def look(self, live: Iterable[Ticket]) -> None:
        """Look at every account that has followed orders and is due, as far as the poll budget allows."""
        waiting = _followed(live)
        self._forget(waiting)
        while (account := self._next(waiting)) is not None:
            tickets = waiting.pop(account)
            self._looked[account] = self.clock()
            self._soon.pop(account, None)
            await self._aside.run(account, self._look_at(account, tickets))

    async def close(self) -> None:
        """Stop looking."""
        await self._aside.close()

    async def _look_at(self, account: str, tickets: Sequence[Ticket]) -> None:
        try:
            await self._follow(account, tickets)
        except BrokerError as error:
            log.info("%s not read: %s", account, error)
            # While NinjaTrader can't be read, or has just come back, that an order isn't listed means nothing.
            for ticket in tickets:
                self._absent.pop(ticket.id, None)
            self.guard.unread(tickets)

    def until_next(self, live: Iterable[Ticket]) -> float | None:
        """Seconds until the next account is due and the poll budget allows it; ``None`` where no order is followed."""
        now = self.clock()
        # The end of a look that is under way rings by itself.
        waiting = {account: tickets for account, tickets in _followed(live).items() if account not in self._aside}
        if not waiting:
            return None
        due = min(self._due(account, tickets, now) for account, tickets in waiting.items())
        return max(max(due, self.pace.free_at(now)) - now, self.timings.looks_shortest).total_seconds()

    def _forget(self, waiting: Mapping[str, Sequence[Ticket]]) -> None:
        followed = {ticket.id for tickets in waiting.values() for ticket in tickets}
        for kept, still in ((self._absent, followed), (self._looked, waiting), (self._soon, waiting)):
            for gone in kept.keys() - still:
                del kept[gone]
        self.guard.forget(waiting)

    def _next(self, waiting: Mapping[str, Sequence[Ticket]]) -> str | None:
        now = self.clock()
        due = {account: self._due(account, tickets, now) for account, tickets in waiting.items()}
        ready = [account for account, at in due.items() if at <= now and account not in self._aside]
        if not ready or not self.pace.is_free(now):
            return None
        hurried = [account for account in ready if account in self._soon or self._is_young(waiting[account], now)]
        self._turns += 1
        return min(hurried if hurried and self._turns % 2 else ready, key=lambda account: due[account])

    def _is_young(self, tickets: Sequence[Ticket], now: datetime) -> bool:
        return self.guard.waits(tickets) or any(now - (each.sent_at or now) < self.timings.young_for for each in tickets)

    def _due(self, account: str, tickets: Sequence[Ticket], now: datetime) -> datetime:
        looked = self._looked.get(account)
        timings, sent = self.timings, [ticket.sent_at or now for ticket in tickets]
        if looked is None:
            first = min(sent) + timings.first_look
            return min(first, self._soon.get(account, first))
        if self._is_young(tickets, now):
            every = timings.young_every
        else:
            every = timings.told_every if account in self._tells else timings.old_every
        # An order that was sent since then is looked at as the first one was.
        early = [at + timings.first_look for at in sent if at > looked]
        if account in self._soon:
            early.append(self._soon[account])
        return min([looked + every, *(max(at, looked + timings.looks_apart) for at in early)])

    async def _asked(self, reading: Awaitable[Read]) -> Read:
        return await self._asking.asked(reading)

    async def _tried(self, reading: Awaitable[Read]) -> Read | None:
        return await self._asking.tried(reading)

    async def _follow(self, account: str, tickets: Sequence[Ticket]) -> None:
        if closes := [ticket for ticket in tickets if ticket.intent.shows_in_position]:
            await self._follow_closes(account, closes)
        of_orders = [ticket for ticket in tickets if ticket.is_followed and ticket.intent.shows_in_order]
        guarded = [ticket for ticket in tickets if ticket.is_guarded]
        if of_orders or guarded:
            orders = await self._asked(self.broker.orders(account, active_only=False))
            await self._follow_orders(account, of_orders, orders)
            if guarded:
                await self.guard.look(account, guarded, orders)

    async def _follow_closes(self, account: str, tickets: Sequence[Ticket]) -> None:
        positions = await self._asked(self.broker.positions(account))
        held = {ticket.id: net(positions, ticket.order.contract) for ticket in tickets}
        seen = {ticket.id: with_position(ticket, held[ticket.id]) for ticket in tickets}
        is_open = any(each.is_followed for each in seen.values())
        # What isn't done may have been rejected, or wait at NinjaTrader for its market.
        orders = (await self._tried(self.broker.orders(account, active_only=False)) if is_open else None) or ()
        for ticket in tickets:
            await self._tell_close(ticket, seen[ticket.id], held[ticket.id], orders)

    async def _tell_close(self, ticket: Ticket, seen: Ticket, held: int, orders: Sequence[Order]) -> None:
        age, found = self._age(ticket), close_orders(ticket, orders)
        working = next((order for order in found if order.remaining), None)
        rejected = next((order for order in found if order.state is OrderState.REJECTED), None)
        if seen.turned_to is not None:
            await self._tell(ticket, replace(seen, outcome=turned_words(seen), told=None), EventName.NOT_CLOSED)
        elif not seen.is_followed:
            await self._tell(ticket, seen, _name_of_state(ticket, seen))
        elif rejected is not None and working is None:
            refused = replace(with_ids(seen, rejected.ids), order_state=OrderState.REJECTED, outcome=None, told=None)
            await self._tell(ticket, refused, EventName.REJECTED)
        elif age >= self.timings.close_ends and working is None:
            await self._tell(ticket, replace(seen, order_state=OrderState.GONE), EventName.SEEN)
        elif age >= self.timings.overdue and not _is_overdue(ticket):
            still = f"Still {side_word(held)} after {self.timings.overdue.seconds} s; look at NinjaTrader."
            told = still if working is None else f"{still} {waiting_words(ticket, working)}"
            await self._tell(ticket, replace(seen, outcome=told, told=Told.OVERDUE), EventName.NOT_CLOSED)
        else:
            await self._tell(ticket, seen, _name_of_state(ticket, seen))

    async def _follow_orders(self, account: str, tickets: Sequence[Ticket], orders: Sequence[Order]) -> None:
        missing = []
        for ticket in tickets:
            taken = frozenset(order_id for other in tickets if other is not ticket for order_id in other.order_ids)
            order = find(ticket, orders, taken)
            if order is None:
                missing.append(ticket)
            else:
                self._absent.pop(ticket.id, None)
                await self._see(ticket, order, tickets, orders)
        if sought := [ticket for ticket in missing if self._is_to_be_sought(ticket)]:
            await self._seek(account, sought, tickets)

    async def _see(self, ticket: Ticket, order: Order, tickets: Sequence[Ticket], orders: Sequence[Order]) -> None:
        """Take in a row; a change shows only once the order has the new terms, or is over."""
        now = self._with_old(ticket, order, orders)
        if is_news(ticket, now):
            # An alarm of its own; what else is new comes with the next look.
            await self._tell(ticket, now, EventName.NOT_CANCELLED)
            return
        if order.state.is_done and is_waited_for(now):
            return
        intent = ticket.intent
        waits = isinstance(intent, Change) and not (order.state.is_done or shows_change(intent, order))
        seen = with_ids(now, order.ids) if waits else with_order(now, order)
        is_late = not intent.places and self._age(ticket) >= self.timings.overdue
        if is_late and seen.is_followed and not _is_overdue(ticket):
            name = EventName.NOT_CHANGED if waits else EventName.NOT_CANCELLED
            words = _overdue(order, self.timings.overdue, changes=waits)
            await self._tell(ticket, replace(seen, outcome=words, told=Told.OVERDUE), name)
        else:
            await self._tell(ticket, seen, self._name(ticket, seen, tickets))

    def _with_old(self, ticket: Ticket, order: Order, orders: Sequence[Order]) -> Ticket:
        """A replacement with its old order read into it; where the new one is over, that one may hide for a list's lag alone."""
        patience = self.timings.listed_within if order.state.is_done else self.timings.overdue
        return with_old(ticket, orders, late=self._age(ticket) >= patience)

    def _is_to_be_sought(self, ticket: Ticket) -> bool:
        now = self.clock()
        absence = self._absent.setdefault(ticket.id, _Absence(now))
        if now - absence.since < self.timings.listed_within:
            return False
        return absence.sought is None or now - absence.sought >= self.timings.seek_every

    async def _seek(self, account: str, missing: Sequence[Ticket], tickets: Sequence[Ticket]) -> None:
        """Look for the traces of orders that aren't listed: their fills, the order by its id, what the add-on has stored."""
        fills = await self._tried(self.broker.executions(account)) or ()
        is_traced = False
        for ticket in missing:
            seen, absence = with_fills(ticket, fills), self._absent[ticket.id]
            # One a look, so that many of them don't use up the poll budget of all accounts.
            if seen.is_followed and not is_traced:
                is_traced, absence.sought = True, self.clock()
                seen = await self._traced(seen)
                if seen.is_followed and self.clock() - absence.since >= self.timings.give_up:
                    seen = replace(seen, order_state=OrderState.GONE, outcome=GAVE_UP, told=None)
            await self._tell(ticket, seen, self._name(ticket, seen, tickets))

    async def _traced(self, ticket: Ticket) -> Ticket:
        """The ticket with what can be read of its order by its id."""
        account, order_id = ticket.order.account, ticket.order_id
        if order_id is None:
            return ticket
        order = await self._tried(self.broker.order(account, order_id))
        # CrossTrade resolves ids of before; the row itself may carry the new one only.
        if order is not None and find(ticket, [replace(order, ids=(*order.ids, order_id))]) is not None:
            return with_order(ticket, order)
        life = await self._tried(self.broker.lifecycle(account, order_id))
        return ticket if life is None else with_life(ticket, life)

    async def _why(self, ticket: Ticket) -> str | None:
        """The reason why the order was rejected, if the add-on knows and says so soon; rows have no reason."""
        if ticket.order_id is None:
            return None
        return reason(await self._asking.story(ticket.order.account, ticket.order_id))

    async def _tell(self, ticket: Ticket, seen: Ticket, name: EventName) -> None:
        """Store what was seen, if anything is new."""
        if seen == ticket:
            return
        if name is EventName.REJECTED and (why := await self._why(seen)):
            seen = replace(seen, outcome=why, told=None)
        elif name is not EventName.REJECTED and _is_overdue(ticket) and _is_overdue(seen) and not _is_open(seen):
            # That it took too long is no news any more.
            seen = replace(seen, outcome=None, told=None)
        new = move(
            ticket,
            TicketState.ACCEPTED,
            ended_at=ticket.ended_at if seen.is_followed else self.clock(),
            outcome=seen.outcome,
            told=seen.told,
            order_ids=seen.order_ids,
            order_state=seen.order_state,
            filled=seen.filled,
            average_fill_price=seen.average_fill_price,
            order_terms=seen.order_terms,
            progress=seen.progress,
        )
        data = {"order_state": new.order_state and new.order_state.value, "filled": new.filled, **_changed(ticket, new)}
        if await self.recorder.move(ticket, new, name, data=data) and not new.is_followed and new.intent.places:
            self._ended.extend(new.order_ids)

    def _name(self, old: Ticket, new: Ticket, tickets: Sequence[Ticket]) -> EventName:
        if new.intent.places:
            return _name_of_state(old, new)
        # What becomes of the order is for its own ticket to tell. Of nobody's, it is told here that it is over as was asked.
        others = {order_id for other in tickets if other.intent.places for order_id in other.order_ids}
        is_told = not others.union(self._ended).isdisjoint(new.order_ids)
        cancelled = isinstance(new.intent, Cancel) and new.order_state is OrderState.CANCELLED
        tells = (cancelled or new.order_state is OrderState.GONE) and not is_told
        return _name_of_state(old, new) if tells else EventName.SEEN

    def _age(self, ticket: Ticket) -> timedelta:
        now = self.clock()
        return now - (ticket.sent_at or now)


def _followed(live: Iterable[Ticket]) -> dict[str, list[Ticket]]:
    """The tickets whose orders are followed, by account; those of several calls are looked at by their own."""
    waiting: defaultdict[str, list[Ticket]] = defaultdict(list)
    for ticket in live:
        if (ticket.is_followed or ticket.is_guarded) and not ticket.intent.is_mass:
            waiting[ticket.order.account].append(ticket)
    return waiting


def _is_overdue(ticket: Ticket) -> bool:
    """Tell whether it was said already that it takes too long."""
    return ticket.told is Told.OVERDUE


def _is_open(ticket: Ticket) -> bool:
    """Tell whether it isn't known yet, or never will be, what became of it."""
    return ticket.is_followed or ticket.order_state is OrderState.GONE


def _overdue(order: Order, after: timedelta, *, changes: bool) -> str:
    state = "in a state that isn't known" if order.state is OrderState.OTHER else order.state.value.lower()
    stands = words_of(terms_of(order)) if changes else state
    return f"Not {'changed' if changes else 'cancelled'} after {after.seconds} s: the order is {stands}; look at NinjaTrader."


def _changed(old: Ticket, new: Ticket) -> dict[str, object]:
    """Data for the log: what the order is now where it isn't what it was."""
    return {} if old.order_terms == new.order_terms else {"order": words_of(new.terms)}


def _name_of_state(old: Ticket, new: Ticket) -> EventName:
    if new.order_state in _ENDS:
        return _ENDS[new.order_state]
    if new.filled > old.filled:
        return EventName.PART_FILLED
    is_news = new.order_state is OrderState.WORKING is not old.order_state
    return EventName.WORKING if is_news else EventName.SEEN
