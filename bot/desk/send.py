"""Sending a claimed ticket once, and storing what came of it, however long the journal takes to be writable again."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta

from bot.desk.hands import Hands
from bot.desk.ledger import Clock, Ledger
from bot.desk.ports import Broker, EventName, Messenger
from bot.errors import DeliveryError, JournalError
from bot.trading.intents import Cancel, Change, PlaceOrder
from bot.trading.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from bot.trading.tickets import TRANSITIONS, Ticket, TicketState, move
from bot.trading.words import code

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
BUDGET_GETS = timedelta(seconds=5)


@dataclass(slots=True)
class Sender:
    """Owns every order that is on its way; ``wait`` lets a stopping bot see them to their end."""

    ledger: Ledger
    broker: Broker
    messenger: Messenger
    hands: Hands
    clock: Clock
    on_unknown: Callable[[], None] = lambda: None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def send(self, ticket: Ticket) -> None:
        """Send a ticket that has just been stored as ``sending``; outlives the press that asked for it."""
        await asyncio.shield(self._own(self._send(ticket), f"send {ticket.id}"))

    async def not_sent(self, ticket: Ticket, why: str) -> None:
        """Tell that a ticket was not sent because it could not be journaled, and store that when it can be."""
        ended = move(ticket, TicketState.NOT_SENT, ended_at=self.clock(), outcome=why)
        # Until that is stored the row says "offered", or "sending" if the commit went through after all: nobody may press on it.
        self.hands.ended(ticket.id)
        try:
            # Past the outbox for once: the outbox is what can't be written.
            await self.messenger.show(ended, 0.0)
        except DeliveryError as error:
            log.warning("ticket %s: not shown as not sent: %s", ticket.id, error)
        self._own(self._persist(ticket, ended, EventName.NOT_SENT), f"persist {ticket.id}")

    async def wait(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def abandon(self) -> None:
        """Stop waiting for answers; what is still on its way is unknown."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _own(self, work: Coroutine[None, None, None], name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _send(self, ticket: Ticket) -> None:
        # A press that came in time isn't late because looking took a while.
        deadline = max(ticket.expires_at, self.clock() + BUDGET_GETS)
        try:
            outcome = await self.broker.send(ticket.intent, deadline=deadline)
        except Exception:
            # The client promises to raise nothing. Should it ever, the order may have left.
            log.exception("ticket %s", ticket.id)
            outcome = Unknown("a fault in the bot while sending")
        name, ended = settled(ticket, outcome, self.clock)
        await self._persist(ticket, ended, name)
        if name is EventName.UNKNOWN:
            self.on_unknown()

    async def _persist(self, old: Ticket, new: Ticket, name: EventName) -> None:
        """Store an end that is a fact already, for as long as it takes; a restart before that finds ``sending``: unknown."""
        while True:
            try:
                if await self.ledger.move(old, new, name):
                    self.hands.stored(old.id)
                    return
                current = await self.ledger.journal.ticket(old.id)
                if current is None or new.state not in TRANSITIONS[current.state]:
                    log.error("ticket %s: %s could not be stored, it is %s", old.id, new.state, current and current.state)
                    return
                old, new = current, move(current, new.state, ended_at=new.ended_at, outcome=new.outcome, order_ids=new.order_ids)
            except JournalError as error:
                log.error("ticket %s: %s not journaled yet: %s", old.id, new.state, error)  # noqa: TRY400
                await asyncio.sleep(RETRY_SECONDS)


def settled(ticket: Ticket, outcome: Outcome, clock: Clock) -> tuple[EventName, Ticket]:
    """The ticket after its outcome, and the name of what happened."""
    now = clock()
    match outcome:
        case Accepted(order_id):
            return EventName.ACCEPTED, move(ticket, TicketState.ACCEPTED, ended_at=now, order_ids=_ids(ticket, order_id))
        case Rejected(text):
            return EventName.REJECTED, move(ticket, TicketState.REJECTED, ended_at=now, outcome=code(text))
        case NotSent(why):
            return EventName.NOT_SENT, move(ticket, TicketState.NOT_SENT, ended_at=now, outcome=code(why))
        case unknown:
            return EventName.UNKNOWN, move(ticket, TicketState.UNKNOWN, ended_at=now, outcome=code(unknown.why))


def _ids(ticket: Ticket, order_id: str | None) -> tuple[str, ...]:
    """Every id under which the order may be listed; CrossTrade's first."""
    own = ticket.intent.order_id if isinstance(ticket.intent, PlaceOrder | Cancel | Change) else None
    return tuple(dict.fromkeys(each for each in (order_id, own) if each is not None))
