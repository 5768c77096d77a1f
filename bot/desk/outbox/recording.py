"""Every stored change of a ticket goes through here: the event, the notices for the team and the card, in one transaction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from bot.clock import Clock
from bot.desk.outbox.denials import UNKEPT, Denials, Kept
from bot.desk.outbox.notices import notices_for, notices_of_switch, tone_of
from bot.desk.ports import Event, EventName, Journal, Notice
from bot.errors import Halted, JournalError
from bot.timings import DeskTimings
from bot.trading.health.chain import Commit
from bot.trading.orders.intents import OrderIntent
from bot.trading.orders.tickets import Ticket, is_claim
from bot.trading.risk.halts import Switch, Switches, reasons
from bot.trading.risk.policy import Denial, Policy

log = logging.getLogger(__name__)
SHUT = "The bot has stopped, so nothing more is stored."


class Recorder:
    """The journal as the desk writes it; ``news`` is set whenever the outbox may have something to deliver.

    Attributes:
        commit: how the last write went; ``None`` before the first.
    """

    def __init__(
        self,
        journal: Journal,
        policy: Callable[[], Policy],
        clock: Clock,
        observe: Callable[[EventName, Ticket | None], None],
        found_halts: Callable[[], Awaitable[Sequence[Switch]]],
        timings: DeskTimings,
    ) -> None:
        self._timings = timings
        self.journal = journal
        self._found_halts = found_halts
        self.commit: Commit | None = None
        self._observe = observe
        self.news = asyncio.Event()
        self._policy = policy
        self._clock = clock
        self._denials = Denials(clock, timings.denials_within)
        self._is_shut = False

    @property
    def policy(self) -> Policy:
        """The running policy."""
        return self._policy()

    async def shut(self, name: EventName) -> None:
        """Store the very last event of a run; behind it nothing is taken any more.

        Raises:
            JournalError: the journal can't be written.
        """
        self._is_shut = True
        await self.journal.record(Event(self._clock(), name, None, None, {}), ())
        self._observe(name, None)

    async def move(
        self,
        old: Ticket,
        new: Ticket,
        name: EventName,
        *,
        actor: int | None = None,
        data: Mapping[str, object] | None = None,
        show: bool = True,
        sends: OrderIntent | None = None,
    ) -> bool:
        """Store a change; ``False`` means that somebody else changed the ticket first and nothing was stored.

        Args:
            old: the ticket as it was read.
            new: as it shall be.
            name: of the event.
            actor: Discord id of who does it.
            data: of the event.
            show: whether the card is drawn anew.
            sends: the next of several calls, where the change lets one out.

        Raises:
            Halted: a switch bars what would be sent; nothing was stored.
            JournalError: the journal can't be written.
        """
        asked = sends if sends is not None else new.intent if is_claim(old, new) else None
        if asked is not None and not asked.is_exit:
            # What is found is looked for here, as late as can be; what is stored is asked in the transaction itself.
            found = Switches(tuple(await self._found_halts()))
            if barred := reasons(asked, new.shown.position, found):
                raise Halted(barred[0].code, barred[0].sentence, barred[0].details)
        event = Event(self._clock(), name, new.id, actor, data or {})
        notices = notices_for(self._policy(), name, new)
        with self._timed():
            stored = await self.journal.advance(old, new, (event,), notices, show=show, tone=tone_of(name), sends=sends)
        if stored:
            self._observe(name, new)
            if name is EventName.SENDING:
                # The answer usually comes before; and drawing the card now would hold the order itself up.
                asyncio.get_running_loop().call_later(self._timings.sending_shown_after.total_seconds(), self.news.set)
            else:
                self.news.set()
        return stored

    async def open(self, ticket: Ticket) -> None:
        """Store a new ticket."""
        data = {"revision": ticket.revision, "expires_at": ticket.expires_at.isoformat()}
        with self._timed():
            await self.journal.open(ticket, Event(self._clock(), EventName.OFFERED, ticket.id, ticket.requester.id, data))
        self._observe(EventName.OFFERED, ticket)

    async def record(
        self,
        name: EventName,
        *,
        actor: int | None = None,
        data: Mapping[str, object] | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        """Store an event that belongs to no ticket, with what the team is told of it."""
        await self.keep(Event(self._clock(), name, None, actor, data or {}), notices)

    async def denied(self, member: int, denials: Iterable[Denial], **asked: object) -> None:
        """Store that somebody was told no before anything was sent.

        The no stands also where that can't be stored, so it is only logged then; of very many some are kept.

        Args:
            member: Discord id.
            denials: why.
            asked: what it was about; plain JSON values.
        """
        kept = self._denials.count(member)
        if kept is Kept.NO:
            return
        data: dict[str, object] = {**asked, "denials": [str(each) for each in denials]}
        try:
            await self.record(EventName.DENIED, actor=member, data=data if kept is Kept.YES else {**data, "note": UNKEPT})
        except JournalError:
            log.exception("denial not journaled")

    async def keep(self, event: Event, notices: Sequence[Notice] = ()) -> None:
        """Store such an event as it is, with its news.

        Raises:
            JournalError: the journal can't be written.
        """
        with self._timed():
            await self.journal.record(event, notices)
        self._observe(event.name, None)
        if notices:
            self.news.set()

    async def switch(self, name: EventName, switch: Switch, channel: int, still: Switch | None = None) -> bool:
        """Set or lift a switch and tell of it, there and wherever the policy says; ``False`` when it changes nothing.

        Args:
            name: of the event.
            switch: as it shall be.
            channel: where it was asked.
            still: another one, that goes on to hold there.

        Raises:
            JournalError: the journal can't be written.
        """
        notices = notices_of_switch(self._policy(), name, switch, channel, still)
        with self._timed():
            stored = await self.journal.switch(switch, self._about(name, switch), notices)
        if stored:
            self._observe(name, None)
            self.news.set()
        return stored

    async def told_of_switch(self, name: EventName, switch: Switch, still: Switch | None = None) -> None:
        """Store that a switch was found, or has gone, and tell of it.

        Raises:
            JournalError: the journal can't be written.
        """
        notices = notices_of_switch(self._policy(), name, switch, still=still)
        await self.keep(self._about(name, switch), notices)

    def _about(self, name: EventName, switch: Switch) -> Event:
        data = {"account": switch.account, "instrument": switch.root, "state": switch.state, "source": switch.source}
        return Event(self._clock(), name, None, switch.actor, {**data, "name": switch.actor_name, "why": switch.why})

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Remember how long a write takes, or since when none succeeds."""
        if self._is_shut:
            raise JournalError(SHUT)
        began = self._clock.seconds()
        try:
            yield
        except JournalError as error:
            failing_since = self.commit.at if self.commit is not None and self.commit.failed else self._clock()
            self.commit = Commit(failing_since, self._clock.seconds() - began, str(error))
            raise
        self.commit = Commit(self._clock(), self._clock.seconds() - began)
