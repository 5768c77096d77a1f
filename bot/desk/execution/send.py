"""Sending a claimed ticket once, and storing what came of it, however long the journal takes to be writable again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace

from bot.clock import Clock
from bot.desk.execution.apply_outcome import settled
from bot.desk.execution.flatten import MassActions
from bot.desk.execution.steps import End, Forgotten, Overtaken, StepRunner
from bot.desk.execution.verified_reversal import VerifiedReversals
from bot.desk.locks import TicketLocks
from bot.desk.outbox.notices import notices_of_unstored
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker, Event, EventName, Messenger
from bot.desk.tracking.recovery import GONE_BACK
from bot.errors import DeliveryError, JournalError
from bot.timings import DeskTimings
from bot.trading.exits.leftover import outcome_of
from bot.trading.orders.intents import OrderIntent, VerifiedReverse
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.tickets import TRANSITIONS, Ticket, TicketState, move

log = logging.getLogger(__name__)
# For the log, of a ticket that is stored again.
FORGOTTEN = "the journal had lost it"


@dataclass(slots=True)
class Sender:
    """Owns every order that is on its way; ``wait`` lets a stopping bot see them to their end."""

    recorder: Recorder
    broker: Broker
    messenger: Messenger
    locks: TicketLocks
    clock: Clock
    timings: DeskTimings
    mass_actions: MassActions
    reversals: VerifiedReversals
    on_unknown: Callable[[], None] = lambda: None
    # In the order in which they began, as a stopping bot gives them up.
    _tasks: dict["asyncio.Task[None]", None] = field(default_factory=dict)

    async def send(self, ticket: Ticket) -> None:
        """Send a ticket that has just been stored as ``sending``; outlives the press that asked for it."""
        sending = self._own(self._send(ticket), f"send {ticket.id}")
        await asyncio.wait({sending})
        # Where a stopping bot has given it up, its card says so; the press itself has its answer all the same.
        if not sending.cancelled():
            sending.result()

    async def not_sent(self, ticket: Ticket, why: str) -> None:
        """Tell that a ticket was not sent because it could not be journaled, and store that when it can be."""
        ended = move(ticket, TicketState.NOT_SENT, ended_at=self.clock(), outcome=why)
        # Until that is stored the row says "offered", or "sending" if the commit went through after all: nobody may press on it.
        self.locks.ended(ticket.id)
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
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    async def _send(self, ticket: Ticket) -> None:
        with self.locks.flying(ticket.id):
            await self._take(ticket)

    async def _take(self, ticket: Ticket) -> None:
        match ticket.intent:
            case Flatten() | CancelWorking() | FlattenStrategy() as mass_action:
                await self._take_through(ticket, lambda runner: self.mass_actions.run(runner, mass_action))
            case VerifiedReverse() as reversal:
                await self._take_through(ticket, lambda runner: self.reversals.run(runner, reversal))
            case intent:
                await self._send_once(ticket, intent)

    async def _send_once(self, ticket: Ticket, intent: OrderIntent) -> None:
        # A press that came in time isn't late because looking took a while.
        deadline = max(ticket.expires_at, self.clock() + self.timings.budget_wait)
        try:
            outcome = await self.broker.send(intent, deadline=deadline)
        except Exception:
            # The client promises to raise nothing. Should it ever, the order may have left.
            log.exception("ticket %s", ticket.id)
            outcome = Unknown("a fault in the bot while sending")
        name, ended = settled(ticket, outcome, self.clock)
        await self._persist(ticket, ended, name)
        if name is EventName.UNKNOWN:
            self.on_unknown()

    async def _take_through(self, ticket: Ticket, run: Callable[[StepRunner], Awaitable[End]]) -> None:
        runner = StepRunner(ticket, self.recorder, self.broker, self.clock, self.timings)
        try:
            name, ended = await run(runner)
        except Forgotten:
            now, so_far = self.clock(), replace(runner.ticket, progress=runner.progress)
            name, ended = EventName.UNKNOWN, move(so_far, TicketState.UNKNOWN, ended_at=now, outcome=GONE_BACK)
        except Overtaken:
            log.warning("ticket %s: stopped in the middle", ticket.id)
            return
        except Exception:
            # Whatever it was, something may have been sent; it is read what became of it.
            log.exception("ticket %s", ticket.id)
            lost = Unknown("a fault in the bot in the middle of it")
            name, ended = settled(replace(runner.ticket, progress=runner.progress), lost, self.clock)
        await self._persist(runner.ticket, ended, name)
        if name is EventName.UNKNOWN:
            self.on_unknown()

    async def _persist(self, old: Ticket, new: Ticket, name: EventName) -> None:
        """Store an end that is a fact already, for as long as it takes; a restart before that finds ``sending``: unknown."""
        is_stored_again = False
        while True:
            try:
                if await self.recorder.move(old, new, name, data=_what_came_back(new)):
                    self.locks.stored(old.id)
                    return
                current = await self.recorder.journal.ticket(old.id)
                if current is None and not is_stored_again:
                    is_stored_again = True
                    await self._store_again(old)
                    continue
                if current is not None and current.state is TicketState.OFFERED:
                    await self._claim_again(current, new)
                    continue
                if current is None or new.state not in TRANSITIONS[current.state]:
                    await self._tell_unstored(new, name, current)
                    return
                old, new = (
                    current,
                    move(
                        current,
                        new.state,
                        ended_at=new.ended_at,
                        outcome=new.outcome,
                        told=new.told,
                        order_ids=new.order_ids,
                        order_state=new.order_state,
                        progress=new.progress,
                    ),
                )
            except JournalError as error:
                log.error("ticket %s: %s not journaled yet: %s", old.id, new.state, error)  # noqa: TRY400
                await asyncio.sleep(self.timings.store_again.total_seconds())

    async def _store_again(self, old: Ticket) -> None:
        """Put a ticket back into a journal whose database has lost all of it, so that its end is stored, told and drawn."""
        log.error("ticket %s is stored again, as the journal has lost it", old.id)
        name = EventName.OFFERED if old.state is TicketState.OFFERED else EventName.SENDING
        await self.recorder.journal.open(old, Event(self.clock(), name, old.id, None, {"why": FORGOTTEN}))

    async def _claim_again(self, current: Ticket, sent: Ticket) -> None:
        """Store that an open ticket was sent: its claim was stored before, and the journal's database has lost that."""
        known = {name: getattr(sent, name) for name in ("sent_at", "confirmed_at", "approvals", "orders_before")}
        again = move(current, TicketState.UNKNOWN, ended_at=self.clock(), outcome=GONE_BACK, intent=sent.intent, **known)
        await self.recorder.move(current, again, EventName.UNKNOWN, data={"why": "gone back"})

    async def _tell_unstored(self, ticket: Ticket, name: EventName, current: Ticket | None) -> None:
        """Tell people of an end that the journal can't take: it has lost the ticket, or somebody else has ended it."""
        says = "doesn't know it any more" if current is None else f"says {current.state}"
        log.error("ticket %s: %s can't be stored, as the journal %s", ticket.id, ticket.state, says)
        if current is not None and current.state in {TicketState.UNKNOWN, ticket.state}:
            # It is looked for, or known already.
            return
        data = {"ticket": ticket.id, "ended": name, "journal": says, **_what_came_back(ticket)}
        notices = notices_of_unstored(self.recorder.policy, ticket, name, says)
        await self.recorder.record(EventName.UNKNOWN, data=data, notices=notices)


def _what_came_back(ticket: Ticket) -> dict[str, object]:
    """Data for the log: what is told of the end now, as later news take its place on the card."""
    return {"outcome": outcome_of(ticket), "order_ids": list(ticket.order_ids)}
