"""Following stops and targets until the position that they protect is closed, and telling what becomes of them. Sends nothing.

What a row means is in ``bot.trading.reconciliation.protection``; here is decided what to ask beyond the orders that are read
anyway, and when what was seen has lasted long enough to be told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.desk.outbox.recording import Recorder
from bot.desk.ports import EventName
from bot.desk.tracking.paced import Asking
from bot.timings import DeskTimings
from bot.trading.market.facts import Order, Position
from bot.trading.orders.intents import Bracket
from bot.trading.orders.protection import End, Leg, Part, Protection
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket, TicketState, move
from bot.trading.reconciliation.following import reason
from bot.trading.reconciliation.protection import (
    News,
    are_there,
    closing,
    cover,
    end_of,
    hit,
    is_mended,
    is_unprotected,
    is_worse,
    open_size,
    protection_of,
    row_of,
    traced,
    turned_to,
    with_row,
    with_rows,
)

_EVENTS = {
    News.STOPPED_OUT: EventName.STOPPED_OUT,
    News.TARGET_HIT: EventName.TARGET_HIT,
    News.UNPROTECTED: EventName.UNPROTECTED,
    News.PROTECTED: EventName.PROTECTED,
    News.LEFT: EventName.NOT_CANCELLED,
    News.TURNED: EventName.NOT_CLOSED,
}


@dataclass(slots=True)
class _Watch:
    """The moments since which something has been so that will be told if it lasts."""

    lacking: datetime | None = None
    flat: datetime | None = None
    missing: dict[str, datetime] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        return self.lacking is not None or self.flat is not None or bool(self.missing)


@dataclass(frozen=True, slots=True)
class _Reading:
    """An account's positions, and what its orders were at that moment; ``positions`` is ``None`` where they can't be read."""

    at: datetime
    rows: tuple[object, ...]
    positions: Sequence[Position] | None


@dataclass(slots=True)
class Guard:
    """Looks after the stops and targets of tickets."""

    recorder: Recorder
    asking: Asking
    _watches: dict[str, _Watch] = field(default_factory=dict)
    _last: dict[str, _Reading] = field(default_factory=dict)

    @property
    def _timings(self) -> DeskTimings:
        return self.asking.timings

    def waits(self, tickets: Iterable[Ticket]) -> bool:
        """Tell whether something of theirs will have to be told soon unless it changes."""
        return any(ticket.id in self._watches and self._watches[ticket.id].waits for ticket in tickets)

    def forget(self, waiting: Mapping[str, Sequence[Ticket]]) -> None:
        """Keep what belongs to these tickets, by account, and nothing else."""
        kept = {ticket.id for tickets in waiting.values() for ticket in tickets}
        self._watches = {key: watch for key, watch in self._watches.items() if key in kept}
        self._last = {account: last for account, last in self._last.items() if account in waiting}

    def unread(self, tickets: Iterable[Ticket]) -> None:
        """The account could not be read: what was missing in its lists before proves nothing any more."""
        for ticket in tickets:
            self._watches.pop(ticket.id, None)

    async def look(self, account: str, tickets: Sequence[Ticket], orders: Sequence[Order]) -> None:
        """Take in an account's orders.

        Args:
            account: whose.
            tickets: all of the account that are guarded.
            orders: all of the account, finished ones too.
        """
        seen = [replace(ticket, protection=with_rows(ticket, orders, _legs_of_others(ticket, tickets))) for ticket in tickets]
        positions = await self._positions(account, tickets, orders)
        for old, new in zip(tickets, seen, strict=True):
            if any(_is_replaced_by(new, other) for other in seen):
                await self._store(old, replace(protection_of(new), end=End.REPLACED), None)
            else:
                await self._see(old, new, orders, positions, is_teller=_teller(new, seen) is new)

    async def _positions(self, account: str, tickets: Sequence[Ticket], orders: Sequence[Order]) -> Sequence[Position] | None:
        now, contracts = self.asking.clock(), {ticket.order.contract for ticket in tickets}
        mine = tuple((order.ids, order.state, order.filled, order.quantity) for order in orders if order.contract in contracts)
        rows = (*(ticket.id for ticket in tickets), *mine)
        last = self._last.get(account)
        if last is not None and last.rows == rows and now - last.at < self._timings.positions_every and not self.waits(tickets):
            return last.positions
        positions = await self.asking.tried(self.asking.broker.positions(account))
        self._last[account] = _Reading(now, rows, positions)
        return positions

    async def _see(
        self,
        old: Ticket,
        seen: Ticket,
        orders: Sequence[Order],
        positions: Sequence[Position] | None,
        *,
        is_teller: bool,
    ) -> None:
        held = _held(old, positions)
        watch = self._watches.setdefault(old.id, _Watch())
        now, found = await self._sought(seen, orders, watch, is_open=open_size(old, held) > 0)
        now = replace(await self._with_reasons(old, now), held=held)
        seen = replace(seen, protection=now)
        if (fill := hit(protection_of(old), now)) is not None:
            watch.flat = None
            is_over = positions is not None and open_size(old, held) <= 0 and not _works(now)
            ended = replace(now, end=end_of(now) if is_over else None)
            if _is_turned_since(old, now):
                # Stored by itself: after a crash between the two the alarm is still to be told.
                old = await self._store(old, replace(now, held=protection_of(old).held), fill)
                await self._store(old, ended, News.TURNED)
            else:
                await self._store(old, ended, fill)
        elif open_size(old, held) > 0:
            watch.flat = None
            await self._weigh(old, seen, (*orders, *found), watch, is_teller=is_teller)
        elif positions is not None:
            watch.lacking = None
            await self._wind_up(old, now, watch)
        else:
            await self._store(old, now, None)

    async def _weigh(self, old: Ticket, seen: Ticket, orders: Sequence[Order], watch: _Watch, *, is_teller: bool) -> None:
        """An open position: tell it once it has lacked a stop or a target for a while, at once when one was rejected."""
        now = protection_of(seen)
        cover_now = cover(old, orders, now.held or 0)
        told = replace(now, bare=cover_now.bare, targetless=cover_now.targetless)
        if is_worse(seen, cover_now) and is_teller:
            watch.lacking = watch.lacking or self.asking.clock()
            rejected = any(leg.state is OrderState.REJECTED for leg in now.legs) and not any(leg.filled for leg in now.legs)
            if rejected or self._lasts(watch.lacking, self._timings.protected_within):
                watch.lacking = None
                await self._store(old, told, News.UNPROTECTED)
                return
        else:
            watch.lacking = None
        if is_mended(seen, cover_now):
            await self._store(old, told, News.PROTECTED)
        elif is_unprotected(seen) and not is_worse(seen, cover_now):
            await self._store(old, told, None)
        else:
            await self._store(old, now, None)

    async def _wind_up(self, old: Ticket, now: Protection, watch: _Watch) -> None:
        """A position that isn't shown: it is closed once that has lasted, or a leg has filled; legs that work on are told."""
        watch.flat = watch.flat or self.asking.clock()
        has_lasted = self._lasts(watch.flat, self._timings.position_shown_within)
        if _works(now):
            is_news = has_lasted and not now.left
            if now.left or is_news:
                watch.flat = None
            await self._store(old, replace(now, left=now.left or is_news), News.LEFT if is_news else None)
        elif any(leg.filled for leg in now.legs):
            await self._store(old, replace(now, end=end_of(now)), News.TURNED if _is_turned_since(old, now) else None)
        elif has_lasted and await self._is_connected(old.order.account):
            await self._store(old, replace(now, end=end_of(now)), None)
        else:
            await self._store(old, now, None)
            watch.flat = self.asking.clock() if has_lasted else watch.flat

    async def _is_connected(self, account: str) -> bool:
        """An account whose broker is away may be left out of the lists."""
        read = await self.asking.tried(self.asking.broker.account(account))
        return read is not None and read.connected is not False

    def _lasts(self, since: datetime, least: timedelta) -> bool:
        return self.asking.clock() - since >= least

    async def _sought(
        self, ticket: Ticket, orders: Sequence[Order], watch: _Watch, *, is_open: bool
    ) -> tuple[Protection, list[Order]]:
        """Look for legs that aren't listed any more; gives the rows of those that live all the same."""
        now, legs, found = protection_of(ticket), list[Leg](), list[Order]()
        for leg in now.legs:
            if leg.state.is_done or row_of(leg, orders) is not None:
                watch.missing.pop(leg.ids[0], None)
                legs.append(leg)
                continue
            since = watch.missing.setdefault(leg.ids[0], self.asking.clock())
            seen, row = leg, None
            # Of a position that is closed the fill is looked for at once.
            if not is_open or self._lasts(since, self._timings.listed_within):
                seen, row = await self._trace(ticket, leg)
                found += [row] if row is not None else []
            is_gone = row is None and not seen.state.is_done and self._lasts(since, self._timings.protected_within)
            legs.append(replace(seen, state=OrderState.GONE) if is_gone else seen)
        return replace(now, legs=tuple(legs)), found

    async def _trace(self, ticket: Ticket, leg: Leg) -> tuple[Leg, Order | None]:
        """A leg by its id, by its fills, or by what the add-on has stored; with its row, where it lives."""
        account, broker, asking = ticket.order.account, self.asking.broker, self.asking
        row = await asking.tried(broker.order(account, leg.ids[0]))
        if row is not None and (row.contract, row.side) == (ticket.order.contract, closing(ticket)):
            return with_row(leg, row), None if row.state.is_done else row
        fills = await asking.tried(broker.executions(account)) or ()
        leg = traced(leg, fills, None)
        return (leg if leg.state.is_done else traced(leg, fills, await asking.story(account, leg.ids[0]))), None

    async def _with_reasons(self, old: Ticket, now: Protection) -> Protection:
        """The protection with NinjaTrader's words for the first leg that is newly rejected, a stop before a target.

        One of them is asked about alone: the poll budget is every account's, and another's alarm waits for it.
        """
        known = {leg.ids[0] for leg in protection_of(old).legs if leg.state is OrderState.REJECTED}
        fresh = [leg for leg in now.legs if leg.state is OrderState.REJECTED and leg.why is None and known.isdisjoint(leg.ids)]
        first = min(fresh, key=lambda leg: leg.part is not Part.STOP, default=None)
        if first is None:
            return now
        told = replace(first, why=reason(await self.asking.story(old.order.account, first.ids[0])))
        return replace(now, legs=tuple(told if leg is first else leg for leg in now.legs))

    async def _store(self, old: Ticket, now: Protection, news: News | None) -> Ticket:
        """Store what was seen, if anything is new; gives the ticket as it stands then."""
        if news is None and now == old.protection:
            return old
        at = self.asking.clock()
        new = move(old, TicketState.ACCEPTED, protection=now)
        if isinstance(old.intent, Bracket):
            new = replace(new, order_ids=now.ids or old.order_ids)
            if now.end is not None:
                state = OrderState.CANCELLED if now.end in {End.CLOSED, End.REPLACED} else OrderState.FILLED
                new = replace(new, order_state=state, ended_at=at)
            elif old.order_state is None and are_there(new):
                new = replace(new, order_state=OrderState.ACCEPTED, ended_at=at)
        elif now.end not in {None, End.REPLACED} and old.intent.places:
            new = replace(new, retired_at=old.retired_at or at)
        data = {"legs": [f"{leg.part} {leg.state.value} {leg.filled}/{leg.quantity}" for leg in now.legs], "held": now.held}
        await self.recorder.move(old, new, EventName.SEEN if news is None else _EVENTS[news], data={**data, "bare": now.bare})
        return new


def _is_turned_since(old: Ticket, now: Protection) -> bool:
    """Tell whether what has filled is seen only now to have turned the position over; lists lag behind fills."""
    return turned_to(replace(old, protection=now)) is not None and turned_to(old) is None


def _works(now: Protection) -> bool:
    return any(leg.works for leg in now.legs)


def _held(ticket: Ticket, positions: Sequence[Position] | None) -> int:
    """The position as just read, else as last known."""
    if positions is not None:
        return sum(each.quantity for each in positions if each.contract == ticket.order.contract)
    known = protection_of(ticket).held
    return ticket.shown.after if known is None else known


def _legs_of_others(ticket: Ticket, tickets: Iterable[Ticket]) -> frozenset[str]:
    return frozenset(order_id for other in tickets if other is not ticket for order_id in protection_of(other).ids)


def _is_replaced_by(ticket: Ticket, other: Ticket) -> bool:
    """A bracket cancels all that works there, so that what came before it protects nothing any more."""
    if not isinstance(other.intent, Bracket) or ticket is other or other.order.contract != ticket.order.contract:
        return False
    return ticket.sent_at is not None and other.sent_at is not None and ticket.sent_at < other.sent_at


def _teller(ticket: Ticket, tickets: Iterable[Ticket]) -> Ticket:
    """The one of the tickets that protect a position that tells of its missing stop: one that lost a leg, else the newest."""
    same = [other for other in tickets if (other.order.contract, closing(other)) == (ticket.order.contract, closing(ticket))]
    return max(same, key=lambda other: (not are_there(other), other.sent_at or other.created_at))
