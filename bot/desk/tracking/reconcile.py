"""Looking for evidence of orders whose answer was lost. Nothing is ever sent here."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.clock import Clock
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker, EventName
from bot.desk.reads.fills import READS_BACK
from bot.desk.tracking.aside import Aside
from bot.desk.tracking.interrupted import Interrupted
from bot.errors import BrokerError, BrokerGarbled, BrokerRefused
from bot.timings import DeskTimings
from bot.trading.market.facts import Execution, Order, Position
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.market.spans import Span, gaps
from bot.trading.orders.intents import Cancel, Change
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket, TicketState, Told, move
from bot.trading.reconciliation.closes import turned_words, with_turned
from bot.trading.reconciliation.evidence import CLOCK_DIFFERENCE, has_rival, id_to_ask_for, weigh
from bot.trading.reconciliation.following import with_ids
from bot.trading.reconciliation.verdicts import (
    PROOFS,
    Absent,
    Found,
    FoundClosed,
    FoundFills,
    FoundLife,
    FoundTogether,
    FoundTurned,
    Unclear,
    Verdict,
)
from bot.trading.words import quoted

Read = TypeVar("Read")
log = logging.getLogger(__name__)

FOUND = "The answer was lost; the order was found in NinjaTrader."
CLOSED = "The answer was lost; the position shows that it was closed."
# Evidence has settled it, whatever a person has said before.
_BY_NOBODY: Mapping[str, None] = {"ended_by": None, "ended_by_id": None}
# How far back tickets are looked at, for questions that are open and for orders that are known.
LOOKS_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Books:
    """The results of an account's three reads, each or why it failed; ``at`` is when they began."""

    at: datetime
    orders: Sequence[Order] | BaseException
    executions: Sequence[Execution] | BaseException
    positions: Sequence[Position] | BaseException


@dataclass(slots=True)
class Reconciler:
    """Settles unknown tickets by what NinjaTrader shows."""

    recorder: Recorder
    broker: Broker
    clock: Clock
    timings: DeskTimings
    interrupted: Interrupted
    # A ticket with its moments as others have stamped them.
    as_others: Callable[[Ticket], Ticket]
    # What a run before has sent is waited for from here on: only a clock that can be set knows how long ago that was.
    began: datetime
    # Read as absent by this process, and every reading since: what has just come back may not list everything yet.
    _absent: set[str] = field(default_factory=set)
    _aside: Aside = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing under way."""
        self._aside = Aside(self.timings.look_within, asyncio.Event())

    async def look(self, live: Sequence[Ticket]) -> bool:
        """Look once for evidence of every unknown ticket, and tell whether there was any; a failed read leaves it as it is.

        Those of one account share what is read of it. An account whose reads take long is looked at beside the others.
        """
        self._absent &= {ticket.id for ticket in live}
        asked = [ticket for ticket in live if self._is_open_question(ticket)]
        by_account: defaultdict[str, list[Ticket]] = defaultdict(list)
        for ticket in asked:
            # What is about many things has reads of its own.
            by_account[ticket.id if isinstance(ticket.intent, MassAction) else ticket.order.account].append(ticket)
        for name, tickets in by_account.items():
            if name not in self._aside:
                await self._aside.run(name, self._look_at(tickets))
        return bool(asked)

    async def close(self) -> None:
        """Stop looking."""
        await self._aside.close()

    async def _look_at(self, tickets: Sequence[Ticket]) -> None:
        books: Books | None = None
        for ticket in tickets:
            try:
                if await self.interrupted.look(ticket):
                    continue
                if books is None or self.clock() - books.at > self.timings.look_within:
                    books = await self.read(ticket.order.account)
                verdict = await self.weigh(ticket, books)
            except BrokerError as error:
                log.info("ticket %s: no evidence read yet: %s", ticket.id, error)
                self._absent.discard(ticket.id)
                continue
            await self._settle(ticket, verdict)

    def _is_open_question(self, ticket: Ticket) -> bool:
        """Tell whether evidence may still change what is said of a ticket; each look costs three requests and more."""
        if ticket.state is not TicketState.NEVER_ARRIVED:
            return ticket.state is TicketState.UNKNOWN
        # A close, a cancellation or a change that shows later may be another one's.
        return ticket.intent.places and ticket.ended_at is not None and self.clock() - ticket.ended_at <= self.timings.afterwards

    async def read(self, account: str) -> "Books":
        """The lists of an account; what can't be read is in there as its error."""
        at = self.clock()
        orders, executions, positions = await asyncio.gather(
            self.broker.orders(account, active_only=False),
            self.broker.executions(account),
            self.broker.positions(account),
            return_exceptions=True,
        )
        return Books(at, orders, executions, positions)

    async def weigh(self, ticket: Ticket, books: "Books") -> Verdict:
        """Weigh what there is of a ticket.

        Raises:
            BrokerError: what it takes can't be read.
        """
        if isinstance(books.orders, BaseException):
            raise books.orders
        orders, life = await self._by_id(ticket, books.orders)
        fills, are_all = await self._fills(ticket, () if isinstance(books.executions, BaseException) else books.executions)
        held = () if isinstance(books.positions, BaseException) else books.positions
        # Read behind the lists: whoever had an order in them is among these.
        others = await self.recorder.journal.recent(self.clock() - LOOKS_BACK)
        taken = frozenset(order_id for other in others if other.id != ticket.id for order_id in other.order_ids)
        is_rivalled = has_rival(ticket, others)
        verdict = weigh(self.as_others(ticket), orders, fills, held, taken, life, is_rivalled=is_rivalled)
        if isinstance(verdict, PROOFS):
            return verdict
        # An order that is listed is there, whatever else could not be read; that one is not there takes all three.
        for read in (books.executions, books.positions):
            if isinstance(read, BaseException):
                raise read
        return await self._doubted(ticket, verdict, are_all=are_all)

    async def _by_id(self, ticket: Ticket, orders: Sequence[Order]) -> tuple[Sequence[Order], Lifecycle | None]:
        """The orders with the one that is known by its id and isn't listed, or what the add-on has written down of it.

        Not asked for as long as not being listed means nothing.
        """
        order_id, account = id_to_ask_for(ticket.order, orders), ticket.order.account
        if order_id is None or ticket.state is not TicketState.UNKNOWN or not self._is_late(ticket):
            return orders, None
        order = await _told(self.broker.order(account, order_id))
        if order is not None:
            # CrossTrade resolves ids of before; the row itself may carry the new one only.
            return (*orders, replace(order, ids=tuple(dict.fromkeys((*order.ids, order_id))))), None
        return orders, await _told(self.broker.lifecycle(account, order_id))

    async def _fills(self, ticket: Ticket, read: Sequence[Execution]) -> tuple[Sequence[Execution], bool]:
        """The fills since it was sent, and whether these are all: CrossTrade forgets them, and the desk may have missed some."""
        sent_at = self.as_others(ticket).sent_at
        if sent_at is None or ticket.sent_at is None or self.clock() - ticket.sent_at <= READS_BACK:
            return read, True
        own = await self.recorder.journal.kept_fills(ticket.order.account, sent_at - CLOCK_DIFFERENCE)
        once = {(fill.id, fill.at): fill for fill in (*own.fills, *read)}
        told_since = self.clock.stamped(self.clock()) - READS_BACK
        return tuple(once.values()), not gaps(Span(sent_at, told_since), own.covered)

    async def _doubted(self, ticket: Ticket, verdict: Verdict, *, are_all: bool) -> Verdict:
        """The verdict; one that rests on something not being there holds only with the account's link up, and all fills read."""
        if isinstance(verdict, Unclear):
            return verdict
        if (await self.broker.account(ticket.order.account)).connected is False:
            return Unclear("NinjaTrader says that the account is not connected")
        if isinstance(verdict, Absent) and not are_all and not isinstance(ticket.intent, Cancel | Change):
            return Unclear("its fills were not read for some time since it was sent, and CrossTrade tells them no more")
        return verdict

    def _is_late(self, ticket: Ticket) -> bool:
        return ticket.last_sent_at is not None and self.clock() - max(ticket.last_sent_at, self.began) >= self.timings.grace

    async def _settle(self, ticket: Ticket, verdict: Verdict) -> None:
        now = self.clock()
        match verdict:
            case Found(order):
                await self._found(ticket, order.ids, order.state, "orders")
            case FoundLife(ids, state):
                await self._found(ticket, ids, state, "lifecycle")
            case FoundFills(order_id, _):
                await self._found(ticket, (order_id,), None, "executions")
            case FoundTogether(ids):
                await self._found_together(ticket, ids)
            case FoundClosed():
                new = move(ticket, TicketState.ACCEPTED, ended_at=now, outcome=CLOSED, told=Told.EVIDENCE)
                await self.recorder.move(ticket, new, EventName.ACCEPTED, data={"evidence": "positions"})
            case FoundTurned(position):
                turned = with_turned(ticket, position)
                changes = {"progress": turned.progress, "outcome": turned_words(turned), "order_state": OrderState.FILLED}
                new = move(ticket, TicketState.ACCEPTED, ended_at=now, **changes)
                await self.recorder.move(ticket, new, EventName.NOT_CLOSED, data={"evidence": "positions", "position": position})
            case Absent(note) if ticket.state is TicketState.UNKNOWN:
                await self._is_absent(ticket, note, now)
            case Unclear(why) if ticket.state is TicketState.UNKNOWN and ticket.absent_since is not None:
                self._absent.discard(ticket.id)
                new = move(ticket, TicketState.UNKNOWN, absent_since=None)
                await self.recorder.move(ticket, new, EventName.SEEN, data={"unclear": why}, show=False)
            case _:
                log.debug("ticket %s: %s", ticket.id, verdict)

    async def _found(self, ticket: Ticket, ids: Sequence[str], state: OrderState | None, where: str) -> None:
        now = self.clock()
        if _is_rejected(ticket, state):
            text = "NinjaTrader rejected the order."
            new = move(ticket, TicketState.REJECTED, ended_at=now, order_ids=tuple(ids), order_state=state, outcome=text)
            await self.recorder.move(ticket, new, EventName.REJECTED, data={"evidence": where, "order_ids": list(ids)})
        else:
            # Where the order stands is told by its follower, so that a fill is told once and as a fill.
            changes = {"ended_at": now, "ended_by": None, "outcome": FOUND, "told": Told.EVIDENCE}
            new = with_ids(move(ticket, TicketState.ACCEPTED, **changes), ids)
            await self.recorder.move(ticket, new, EventName.ACCEPTED, data={"evidence": where, "order_ids": list(new.order_ids)})

    async def _found_together(self, ticket: Ticket, ids: tuple[tuple[str, ...], ...]) -> None:
        shown = " and ".join(quoted(each[0], 64) for each in ids)
        text = f"The answer was lost; orders {shown} show that it was done. Which of them closed and which is new can't be told."
        done = move(ticket, TicketState.ACCEPTED, ended_at=self.clock(), **_BY_NOBODY, outcome=text, told=Told.EVIDENCE)
        new = with_ids(done, (each for one in ids for each in one))
        await self.recorder.move(ticket, new, EventName.ACCEPTED, data={"evidence": "together", "order_ids": list(new.order_ids)})

    async def _is_absent(self, ticket: Ticket, note: str | None, now: datetime) -> None:
        if not self._is_late(ticket):
            return
        if ticket.absent_since is None or ticket.id not in self._absent:
            self._absent.add(ticket.id)
            new = move(ticket, TicketState.UNKNOWN, absent_since=now)
            await self.recorder.move(ticket, new, EventName.SEEN, data={"absent": "once"}, show=False)
        elif now - ticket.absent_since >= self.timings.absent_again:
            text = f"Looked for twice, {note}." if note else "Looked for twice: neither order, fill nor change of position."
            new = move(ticket, TicketState.NEVER_ARRIVED, ended_at=now, outcome=text)
            await self.recorder.move(ticket, new, EventName.NEVER_ARRIVED, data={"absent": "twice"})


def _is_rejected(ticket: Ticket, state: OrderState | None) -> bool:
    """Tell whether what was sent is the order that NinjaTrader rejected."""
    rejected = state is OrderState.REJECTED and ticket.state is TicketState.UNKNOWN
    return rejected and ticket.intent.kept_id is None


async def _told(asking: Awaitable[Read]) -> Read | None:
    """CrossTrade's answer about an id; that it has no such call, or gives no readable answer, proves nothing: the list decides.

    Raises:
        BrokerUnreachable: nobody answers, so that nothing can be concluded now.
    """
    try:
        return await asking
    except (BrokerRefused, BrokerGarbled) as error:
        log.debug("not told: %s", error)
        return None
