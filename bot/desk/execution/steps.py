"""The runner of a ticket of several calls: each is journaled before its first byte leaves, and sent once.

Which calls these are is for whoever uses the runner to know: ``verified_reversal`` and ``flatten``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.clock import Clock
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker, EventName
from bot.errors import JournalError
from bot.timings import DeskTimings
from bot.trading.orders.intents import Action, OrderIntent
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from bot.trading.orders.progress import ExitRow, Step, StepState
from bot.trading.orders.tickets import IN_FLIGHT, Ticket, TicketState, move
from bot.trading.risk.underway import stands_in_the_way
from bot.trading.words import quoted

log = logging.getLogger(__name__)

Pause = Callable[[float], Awaitable[None]]
End = tuple[EventName, Ticket]
# How nobody but another machine, which doesn't know of the claim, ends a ticket under way.
_NOTHING_SENT = frozenset({TicketState.CANCELLED, TicketState.DENIED, TicketState.EXPIRED, TicketState.VOID})


class Overtaken(Exception):
    """Somebody else has changed the ticket: the bot is stopping, and nothing more may be sent."""


class Forgotten(Overtaken):
    """The journal's database has lost that anything was sent, or the whole ticket, so that nothing more may be."""


class StepRunner:
    """One ticket under way.

    Attributes:
        ticket: as it was last stored.
        progress: as it is; what could not be stored yet goes with the next change.
    """

    def __init__(self, ticket: Ticket, recorder: Recorder, broker: Broker, clock: Clock, timings: DeskTimings) -> None:
        self.ticket = ticket
        self.progress = ticket.progress
        self._recorder = recorder
        self._broker = broker
        self.clock = clock
        self._timings = timings
        self._turn = asyncio.Lock()

    async def send(self, action: Action, step: Step) -> Outcome:
        """Journal a call, make it once, journal its end.

        Raises:
            Halted: a switch bars it, so it was not made.
            JournalError: it could not be journaled, so it was not made.
            Overtaken: nothing may be sent any more.
        """
        return await self.make(await self.begin(action, step), action)

    async def begin(self, action: Action, step: Step) -> int:
        """Journal a call that is about to be made; its number, for ``make``.

        Args:
            action: the call.
            step: what is kept of it.

        Raises:
            Halted: a switch bars it, so it must not be made.
            JournalError: it could not be journaled, so it must not be made.
            Overtaken: nothing may be sent any more.
        """
        return await self._begin(step, action if isinstance(action, OrderIntent) else None)

    async def make(self, index: int, action: Action) -> Outcome:
        """Make a call that was journaled, once, and journal its end.

        Raises:
            Overtaken: nothing may be sent any more.
        """
        try:
            outcome = await self._broker.send(action, deadline=self.clock() + self._timings.budget_wait)
        except Exception:
            # The client promises to raise nothing. Should it ever, the call may have left.
            log.exception("ticket %s: %s", self.ticket.id, self.progress.steps[index].words)
            outcome = Unknown("a fault in the bot while sending")
        await self._end(index, step_state(outcome), _words(outcome))
        return outcome

    async def rejected(self, index: int, words: str | None) -> None:
        """Store that NinjaTrader has rejected what a call had placed, in the broker's words if they are known.

        Raises:
            Overtaken: nothing may be sent any more.
        """
        text = "NinjaTrader rejected its order" + (f": {words}" if words else "")
        await self._end(index, StepState.REJECTED, text)

    async def flattened_by(self) -> Ticket | None:
        """The flatten of somebody else that lets nothing in where this ticket would place something.

        Raises:
            JournalError: the journal can't be read.
        """
        intent = self.ticket.order
        recent = await self._recorder.journal.recent(self.clock())
        return next((each for each in recent if each.intent.is_mass and each.intent.closes and _bars(each, intent)), None)

    async def show(self, lines: tuple[ExitRow, ...], done_at: datetime | None = None) -> None:
        """Show how far it has come, if that has changed; a journal that can't be written holds up nothing.

        Raises:
            Overtaken: nothing may be sent any more.
        """
        async with self._turn:
            progress = replace(self.progress, rows=lines, done_at=done_at)
            if progress == self.progress:
                return
            self.progress = progress
            try:
                await self._store(EventName.STEP, {"lines": len(lines)})
            except JournalError as error:
                log.warning("ticket %s: progress not journaled: %s", self.ticket.id, error)

    async def _begin(self, step: Step, sends: OrderIntent | None) -> int:
        async with self._turn:
            before = self.progress
            self.progress = before.began(step)
            try:
                await self._store(EventName.STEP, {"leg": len(before.steps), "what": step.words, "state": step.state}, sends)
            except BaseException:
                self.progress = before
                raise
            return len(before.steps)

    async def _end(self, index: int, state: StepState, text: str | None) -> None:
        async with self._turn:
            self.progress = self.progress.ended(index, state, text, self.clock())
            try:
                what = self.progress.steps[index].words
                await self._store(EventName.STEP, {"leg": index, "what": what, "state": state, "text": text})
            except JournalError as error:
                # A fact all the same; it is stored with the next change, and a restart finds "sending": unknown.
                log.warning("ticket %s: the end of a call not journaled: %s", self.ticket.id, error)

    async def _store(self, name: EventName, data: dict[str, object], sends: OrderIntent | None = None) -> None:
        new = move(self.ticket, TicketState.SENDING, progress=self.progress)
        while not await self._recorder.move(self.ticket, new, name, data=data, sends=sends):
            current = await self._recorder.journal.ticket(self.ticket.id)
            if current is None or current.state in _NOTHING_SENT:
                raise Forgotten
            if current.state is not TicketState.SENDING:
                raise Overtaken
            # A change of our own went through although no word of it came.
            self.ticket = current
            new = move(current, TicketState.SENDING, progress=self.progress)
        self.ticket = new


def _bars(flatten: Ticket, intent: OrderIntent) -> bool:
    return flatten.state in IN_FLIGHT and stands_in_the_way(flatten.intent, intent)


def step_state(outcome: Outcome) -> StepState:
    """The state of a step after the outcome of its call."""
    match outcome:
        case Accepted():
            return StepState.ACCEPTED
        case Rejected():
            return StepState.REJECTED
        case NotSent():
            return StepState.NOT_SENT
        case _:
            return StepState.UNKNOWN


def _words(outcome: Outcome) -> str | None:
    match outcome:
        case Rejected(text) | NotSent(text) | Unknown(text):
            return quoted(text)
        case _:
            return None
