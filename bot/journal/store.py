"""The journal itself: each method is one transaction. What goes to which row is in ``codec``, how it gets there in ``links``."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from bot.clock import Clock
from bot.desk.ports import Delivery, Event, EventName, KeptFills, Notice, Tone
from bot.errors import Halted
from bot.journal import fills as filled
from bot.journal import log, outbox
from bot.journal import rebase as rebasing
from bot.journal import switches as switching
from bot.journal.cache import StandingAnswers, TicketCache
from bot.journal.chain import Head
from bot.journal.codec import Values, events_of, ticket_values, tickets_of
from bot.journal.lease import Lease
from bot.journal.links import JournalLink
from bot.journal.schema import events, tickets
from bot.trading.market.facts import Execution
from bot.trading.market.spans import Span
from bot.trading.orders.intents import OrderIntent
from bot.trading.orders.terms import DONE_STATES, OrderState
from bot.trading.orders.tickets import IN_FLIGHT, Ticket, TicketState, is_claim
from bot.trading.risk.halts import Switch, Switches
from bot.trading.risk.policy import Denial

_row = tickets.c


def _one_of(column: Column[str], words: Iterable[str]) -> ColumnElement[bool]:
    # The words are ours, and constants in the statement save the driver as many parameters at each press of Confirm.
    return column.in_([literal_column(f"'{word}'") for word in sorted(words)])


# Spelled out state by state, so that the index answers and old tickets cost nothing; a test compares it with the rules.
_ACCEPTED = _one_of(_row.state, {TicketState.ACCEPTED})
_UNSETTLED = or_(
    _one_of(_row.state, IN_FLIGHT),
    and_(_ACCEPTED, _row.order_state.is_(None)),
    and_(_ACCEPTED, _one_of(_row.order_state, set(OrderState).difference(DONE_STATES))),
    _row.guarded.is_(True),
)

_OPEN = insert(tickets)
_CLAIM = update(tickets).where(_row.id == bindparam("key"), _row.version == bindparam("seen"))
_POSTED = (
    update(tickets)
    .where(_row.id == bindparam("key"))
    .values(message=bindparam("its_message"), message_channel=bindparam("its_channel"))
)
_KEYS = select(_row.id, _row.version, _row.message)
_TICKET = _KEYS.where(_row.id == bindparam("key"))
_SOME = _KEYS.where(_row.id.in_(bindparam("keys", expanding=True))).order_by(_row.created_at, _row.id)
_LIVE = _KEYS.where(or_(_one_of(_row.state, {TicketState.OFFERED}), _UNSETTLED)).order_by(_row.created_at, _row.id)
_RECENT = (
    _KEYS.add_columns(_UNSETTLED.label("unsettled"))
    .where(or_(_row.sent_at >= bindparam("since"), _UNSETTLED))
    .order_by(_row.created_at, _row.id)
)
_WHOLE = select(tickets).where(_row.id.in_(bindparam("keys", expanding=True)))
# No database takes any number of parameters at once.
_AT_ONCE = 200
_EVENTS = select(events).where(events.c.ticket == bindparam("key")).order_by(events.c.seq)

# No index leads to a member's lines; the last ones hold whatever somebody asks about who has just been told no.
LOOKS_BACK = 20_000
_NEWEST = (
    select(events)
    .where(
        events.c.seq > select(func.max(events.c.seq) - LOOKS_BACK).scalar_subquery(),
        events.c.actor == bindparam("by"),
        events.c.name.in_(bindparam("names", expanding=True)),
    )
    .order_by(events.c.seq.desc())
    .limit(bindparam("most"))
)


class SqlJournal:
    """The desk's ``Journal`` on SQLite or PostgreSQL.

    Args:
        reads, writes: may be one and the same.
        clock: the desk's; lines of the log, which outlive it, are stamped as the host's clock has their moment.
        lease: what this process leads by, where others may stand by.
    """

    def __init__(self, reads: JournalLink, writes: JournalLink, clock: Clock, lease: Lease | None = None) -> None:
        self.lease = lease
        self._reads = reads
        self._writes = writes
        self._clock = clock
        self._cache = TicketCache()
        self._standing = StandingAnswers(reads)

    async def open(self, ticket: Ticket, event: Event) -> None:
        """Store a new ticket with its first event."""
        values = ticket_values(ticket)
        message = {"message": ticket.message, "message_channel": None if ticket.message is None else ticket.origin.channel}

        def work(connection: Connection) -> None:
            connection.execute(_OPEN, {**values, **message})
            log.append(connection, self._stamped(event))

        await self._writes.run(work)
        self._cache.put(ticket)

    async def advance(
        self,
        old: Ticket,
        new: Ticket,
        events: Sequence[Event],
        notices: Sequence[Notice] = (),
        *,
        show: bool = True,
        tone: Tone = Tone.ROUTINE,
        sends: OrderIntent | None = None,
    ) -> bool:
        """Store a ticket's change if nobody else has changed it since ``old`` was read; this is how a ticket is claimed."""
        if (new.id, new.version) != (old.id, old.version + 1):
            raise ValueError(f"{old.id} v{old.version} can't become {new.id} v{new.version}")
        # Here, as no claim may go past it, whoever makes it.
        asked = sends if sends is not None else new.intent if is_claim(old, new) else None
        values = {**ticket_values(new), "key": old.id, "seen": old.version}
        at = events[0].at if events else self._clock()

        def work(connection: Connection) -> bool | Denial:
            if connection.execute(_CLAIM, values).rowcount == 0:
                connection.rollback()
                return False
            if asked is not None and (barred := switching.barring(connection, asked, new.shown.position)):
                connection.rollback()
                return barred[0]
            log.append(connection, self._stamped(*events))
            outbox.tell(connection, notices, at, new.id)
            if show:
                outbox.show(connection, new.id, at, tone)
            return True

        stored = await self._writes.run(work)
        if isinstance(stored, Denial):
            raise Halted(stored.code, stored.sentence, stored.details)
        if stored:
            self._cache.put(new)
        return stored

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        """Remember which message shows the ticket; its version stays, as nobody races for this."""
        values = {"key": ticket_id, "its_message": message, "its_channel": channel}
        await self._writes.run(lambda connection: connection.execute(_POSTED, values))
        self._cache.posted(ticket_id, message)

    async def record(self, event: Event, notices: Sequence[Notice] = ()) -> None:
        """Store an event that changes no ticket."""

        def work(connection: Connection) -> None:
            log.append(connection, self._stamped(event))
            outbox.tell(connection, notices, event.at)

        await self._writes.run(work)

    async def switches(self) -> Switches:
        """All switches that are not active."""
        return await self._reads.run(switching.read)

    async def switch(self, switch: Switch, event: Event, notices: Sequence[Notice] = ()) -> bool:
        """Set a switch if that is stricter than what stands in its scope, or lift one that stands."""

        def work(connection: Connection) -> bool:
            if not switching.put(connection, switch):
                connection.rollback()
                return False
            log.append(connection, self._stamped(event))
            outbox.tell(connection, notices, event.at)
            return True

        return await self._writes.run(work)

    async def last(self, names: Collection[EventName]) -> Event | None:
        """The newest event of one of these names."""
        return await self._reads.run(lambda connection: log.last(connection, names))

    async def ticket(self, ticket_id: str) -> Ticket | None:
        """One ticket."""
        found = await self._standing.found(ticket_id, lambda: self._tickets(_TICKET, {"key": ticket_id}))
        return found[0] if found else None

    async def tickets(self, ids: Collection[str]) -> Sequence[Ticket]:
        """Those of these tickets that there are, in the order in which they were asked."""
        wanted = list(ids)
        chunks = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
        return [ticket for chunk in chunks for ticket in await self._tickets(_SOME, {"keys": chunk})]

    async def rebase(self, by: timedelta, now: datetime) -> None:
        """Put into this run's time what runs before have left."""
        await self._writes.run(lambda connection: rebasing.rebase(connection, _UNSETTLED, by, now))
        self._cache.clear()

    async def live(self) -> Sequence[Ticket]:
        """Tickets of which something may still become, in the order in which they were asked."""
        return await self._standing.found(_LIVE, lambda: self._tickets(_LIVE, {}))

    async def recent(self, since: datetime) -> Sequence[Ticket]:
        """Tickets that may have something in the market, and those sent at or after the moment."""

        async def read() -> tuple[datetime, list[tuple[Ticket, bool]]]:
            rows = await self._reads.run(lambda connection: connection.execute(_RECENT, {"since": since}).all())
            unsettled = {row.id for row in rows if row.unsettled}
            return since, [(ticket, ticket.id in unsettled) for ticket in await self._whole([row[:3] for row in rows])]

        reaches_back, found = await self._standing.found(_RECENT, read)
        if reaches_back > since:
            reaches_back, found = await self._standing.anew(_RECENT, read)
        return [ticket for ticket, unsettled in found if unsettled or (ticket.sent_at is not None and ticket.sent_at >= since)]

    async def events(self, ticket_id: str) -> Sequence[Event]:
        """A ticket's log, oldest first."""
        return await self._reads.run(lambda connection: events_of(connection.execute(_EVENTS, {"key": ticket_id})))

    async def head(self) -> Head:
        """The last line of the log."""
        return await self._reads.run(log.head)

    async def newest(self, actor: int, names: Collection[EventName], most: int) -> Sequence[Event]:
        """The newest events of these names that a member has caused, newest first, among the last lines of the log."""
        values = {"by": actor, "names": sorted(names), "most": most}
        return await self._reads.run(lambda connection: events_of(connection.execute(_NEWEST, values)))

    async def keep_fills(self, account: str, fills: Sequence[Execution], covered: Span) -> None:
        """Keep fills that were read, each once, and that in this span they are all there were."""
        await self._writes.run(lambda connection: filled.keep(connection, account, fills, covered))

    async def kept_fills(self, account: str, since: datetime, orders: Collection[str] | None = None) -> KeptFills:
        """The fills of an account at or after the moment, perhaps of some orders only, and what of that time was covered."""
        found, moment, behind = list[Execution](), since, ""
        while True:
            read = await self._reads.run(partial(filled.page, account=account, since=moment, behind=behind, orders=orders))
            found += read
            if len(read) < filled.PAGE:
                break
            moment, behind = read[-1].at, read[-1].id
            # A week of them takes a while, and others have their turn.
            await asyncio.sleep(0)
        spans = await self._reads.run(partial(filled.covered, account=account, since=since))
        return KeptFills(tuple(found), spans)

    async def due(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Outbox rows that wait: alarms first, then oldest first."""
        return await self._reads.run(lambda connection: outbox.due(connection, now, limit))

    async def foremost(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """The first outbox row of each card and of each channel, of those that wait."""
        return await self._reads.run(lambda connection: outbox.foremost(connection, now, limit))

    async def next_due(self) -> datetime | None:
        """The time at which the next row is due, of those that wait; ``None`` if none waits."""
        return await self._reads.run(outbox.next_due)

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Mark a row as delivered; a card row stays due when a newer change has come since."""
        await self._writes.run(lambda connection: outbox.delivered(connection, delivery, now))

    async def postpone(self, delivery: Delivery, until: datetime) -> None:
        """Count a failed attempt and put the row off."""
        await self._writes.run(lambda connection: outbox.postpone(connection, delivery, until))

    def _stamped(self, *events: Event) -> Sequence[Event]:
        return [replace(event, at=self._clock.shown(event.at)) for event in events]

    async def _tickets(self, which: Select[str, int, int | None], values: Values) -> list[Ticket]:
        """The tickets whose keys the statement finds, read whole only where this process hasn't seen them as they stand."""
        return await self._whole(await self._reads.run(lambda connection: connection.execute(which, values).all()))

    async def _whole(self, keys: Sequence[Sequence[Any]]) -> list[Ticket]:
        found: dict[str, Ticket | None] = {id_: self._cache.find(id_, version, message) for id_, version, message in keys}
        unseen = [id_ for id_, ticket in found.items() if ticket is None]
        for start in range(0, len(unseen), _AT_ONCE):
            for ticket in await self._reads.run(partial(_whole_rows, unseen[start : start + _AT_ONCE])):
                self._cache.put(ticket)
                found[ticket.id] = ticket
        return [ticket for ticket in found.values() if ticket is not None]


def _whole_rows(ids: Sequence[str], connection: Connection) -> list[Ticket]:
    return tickets_of(connection.execute(_WHOLE, {"keys": ids}))
