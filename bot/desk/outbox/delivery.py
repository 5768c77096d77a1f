"""Delivering news: from the journal's outbox to Discord, at least once, in order of urgency, never faster than fits.

A card row means "show this ticket as it stands"; several changes become one edit. Discord being down delays news and loses
none: a row leaves the outbox only when it was shown, or told in the next best place. Each card and each channel is a lane of
its own, which asks for the most urgent of what is due there each time: an alarm waits for one message at most.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.desk.locks import TicketLocks
from bot.desk.outbox.notices import detours, last_resort
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Delivery, Messenger, Notice
from bot.errors import DeliveryDelayed, DeliveryRefused, JournalError
from bot.timings import DeskTimings
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import Policy

log = logging.getLogger(__name__)

MOST_LANES = 50
# Past any pause; doubled without end it would be longer than a span of time can be.
MOST_DOUBLINGS = 20


@dataclass(slots=True)
class Outbox:
    """Delivers what is due, different channels side by side."""

    recorder: Recorder
    messenger: Messenger
    policy: Callable[[], Policy]
    locks: TicketLocks
    clock: Clock
    timings: DeskTimings
    _shown: dict[str, tuple[datetime, TicketState]] = field(default_factory=dict)
    _lanes: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _flushing: bool = False
    _first_at: datetime | None = None

    async def deliver_due(self) -> float | None:
        """Start delivering what is due, one row of each lane; gives the seconds until more may be due.

        ``None`` where nothing waits.

        Raises:
            JournalError: the outbox can't be read.
        """
        if not self.messenger.attached:
            return self.timings.outbox_tick.total_seconds()
        self._first_at = self._first_at or self.clock()
        for row in await self.recorder.journal.foremost(self.clock(), MOST_LANES):
            name = f"ticket {row.ticket}" if row.notice is None else f"channel {row.notice.channel}"
            if name not in self._lanes:
                self._lanes[name] = asyncio.create_task(self._lane(name, row), name=f"outbox {name}")
        if self._lanes:
            return self.timings.outbox_tick.total_seconds()
        due_at = await self.recorder.journal.next_due()
        return None if due_at is None else max((due_at - self.clock()).total_seconds(), 0.0)

    async def flush(self, seconds: float) -> None:
        """Deliver what can be delivered within that time; the rest stays stored."""
        self._flushing = True
        with contextlib.suppress(TimeoutError, JournalError):
            async with asyncio.timeout(seconds):
                while await self.recorder.journal.due(self.clock(), 1):
                    await self.deliver_due()
                    await asyncio.sleep(self.timings.flush_tick.total_seconds())

    async def close(self) -> None:
        """Stop; what was under way stays stored as due."""
        lanes = list(self._lanes.values())
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    async def _lane(self, name: str, row: Delivery) -> None:
        try:
            await (self._card(row) if row.notice is None else self._notice(row, row.notice))
        except JournalError as error:
            log.error("outbox, %s: %s", name, error)  # noqa: TRY400 - the next round tries again
        except Exception:
            log.exception("outbox, %s", name)
            with contextlib.suppress(JournalError):
                await self.recorder.journal.postpone(row, self.clock() + self.timings.delivery_pause)
        finally:
            del self._lanes[name]

    async def _notice(self, row: Delivery, notice: Notice) -> None:
        await self._try(row, lambda: self._tell(notice, row))

    async def _tell(self, notice: Notice, row: Delivery) -> None:
        try:
            await self.messenger.tell(notice, row.id, self._late(row), self._perhaps_since(row))
        except DeliveryRefused as error:
            if row.ticket is not None:
                # Its card tells it, too, and in a place of its own.
                raise
            log.warning("channel %s can't be told (%s); telling another one", notice.channel, error)
            await self._tell_elsewhere(notice, row, error)

    async def _tell_elsewhere(self, notice: Notice, row: Delivery, refused: DeliveryRefused) -> None:
        for other in detours(self.policy(), notice):
            try:
                return await self.messenger.tell(other, row.id, self._late(row), self._perhaps_since(row))
            except DeliveryRefused as error:
                log.warning("channel %s can't be told either (%s)", other.channel, error)
        raise refused

    async def _card(self, row: Delivery) -> None:
        ticket = await self.recorder.journal.ticket(row.ticket or "")
        if ticket is not None and not self._is_too_soon(ticket):
            await self._try(row, lambda: self._show(ticket, row))

    async def _show(self, ticket: Ticket, row: Delivery) -> None:
        late = self._late(row)
        try:
            posted = await self.messenger.show(ticket, late)
        except DeliveryRefused as error:
            log.warning("ticket %s can't be shown in its channel (%s); telling its requester", ticket.id, error)
            await self._show_elsewhere(ticket, row)
        else:
            if posted is not None:
                await self.recorder.journal.posted(ticket.id, ticket.origin.channel, posted)
        self._shown[ticket.id] = (self.clock(), ticket.state)

    async def _show_elsewhere(self, ticket: Ticket, row: Delivery) -> None:
        try:
            await self.messenger.fall_back(ticket, self._late(row))
        except DeliveryRefused:
            notice = last_resort(self.policy(), ticket)
            if notice is None:
                raise
            _, told = self._shown.get(ticket.id, (None, None))
            # What becomes of an order is worth another channel's attention, each of its fills is not.
            if told is not ticket.state:
                await self.messenger.tell(notice, row.id, self._late(row), self._perhaps_since(row))

    async def _try(self, row: Delivery, deliver: Callable[[], Awaitable[None]]) -> None:
        now = self.clock()
        try:
            async with asyncio.timeout(self.timings.delivery_within.total_seconds()):
                await deliver()
        except (DeliveryDelayed, TimeoutError) as error:
            asked = error.retry_after if isinstance(error, DeliveryDelayed) else None
            doubled = self.timings.delivery_again * 2 ** min(row.attempts, MOST_DOUBLINGS)
            pause = min(timedelta(seconds=asked) if asked else doubled, self.timings.delivery_pause)
            log.info("outbox row %s put off by %s: %s", row.id, pause, error)
            await self.recorder.journal.postpone(row, now + pause)
        except DeliveryRefused as error:
            # Neither the place nor the next best one takes it. The journal keeps what happened.
            log.error("outbox row %s can't be told anywhere: %s", row.id, error)  # noqa: TRY400
            await self.recorder.journal.delivered(row, self.clock())
        else:
            await self.recorder.journal.delivered(row, self.clock())
            # There may be more for the same place.
            self.recorder.news.set()

    def _perhaps_since(self, row: Delivery) -> datetime | None:
        """The moment since which the row may have been told by a delivery of unknown end: one cut off, or of another run."""
        is_of_this_run = self._first_at is not None and row.since >= self._first_at
        return None if is_of_this_run and row.attempts == 0 else row.since

    def _is_too_soon(self, ticket: Ticket) -> bool:
        """Tell whether this card's row should be left for a later round."""
        if self._flushing:
            return False
        now = self.clock()
        if ticket.id in self.locks.being_posted:
            return True
        if (
            ticket.state is TicketState.SENDING
            and ticket.sent_at is not None
            and now < ticket.sent_at + self.timings.sending_shown_after
        ):
            return True
        at, state = self._shown.get(ticket.id, (None, None))
        # A new state is news; only its details are held back.
        return at is not None and state is ticket.state and now < at + self.timings.edits_apart

    def _late(self, row: Delivery) -> float:
        return max((self.clock() - row.since).total_seconds(), 0.0)
