"""Every stored change of a ticket goes through here: the event, the notices for the team and the card, in one transaction."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from bot.desk.news import notices_for
from bot.desk.ports import Event, EventName, Journal, Notice
from bot.errors import JournalError
from bot.trading.health import Commit
from bot.trading.policy import Policy
from bot.trading.tickets import Ticket

Clock = Callable[[], datetime]


class Ledger:
    """The journal as the desk writes it; ``news`` is set whenever the outbox may have something to deliver.

    Attributes:
        commit: how the last write went; ``None`` before the first.
    """

    def __init__(
        self,
        journal: Journal,
        policy: Callable[[], Policy],
        clock: Clock,
        observe: Callable[[EventName], None] = lambda _name: None,
    ) -> None:
        self.journal = journal
        self._observe = observe
        self.news = asyncio.Event()
        self.commit: Commit | None = None
        self._policy = policy
        self._clock = clock

    async def move(
        self,
        old: Ticket,
        new: Ticket,
        name: EventName,
        *,
        actor: int | None = None,
        data: Mapping[str, object] | None = None,
        show: bool = True,
    ) -> bool:
        """Store a change; ``False`` means that somebody else changed the ticket first and nothing was stored.

        Raises:
            JournalError: the journal can't be written.
        """
        event = Event(self._clock(), name, new.id, actor, data or {})
        with self._timed():
            stored = await self.journal.advance(old, new, (event,), notices_for(self._policy(), name, new), show=show)
        if stored:
            self._observe(name)
            # The outbox would only find that it is too soon to show an order on its way, and hold that order up meanwhile.
            if name is not EventName.SENDING:
                self.news.set()
        return stored

    async def open(self, ticket: Ticket) -> None:
        """Store a new ticket."""
        data = {"revision": ticket.revision, "expires_at": ticket.expires_at.isoformat()}
        with self._timed():
            await self.journal.open(ticket, Event(self._clock(), EventName.OFFERED, ticket.id, ticket.requester.id, data))
        self._observe(EventName.OFFERED)

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

    async def keep(self, event: Event, notices: Sequence[Notice] = ()) -> None:
        """Store such an event as it is, with its news.

        Raises:
            JournalError: the journal can't be written.
        """
        with self._timed():
            await self.journal.record(event, notices)
        self._observe(event.name)
        if notices:
            self.news.set()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Remember how long a write takes, or since when none succeeds."""
        began = time.monotonic()
        try:
            yield
        except JournalError as error:
            failing_since = self.commit.at if self.commit is not None and self.commit.failed else self._clock()
            self.commit = Commit(failing_since, time.monotonic() - began, str(error))
            raise
        self.commit = Commit(self._clock(), time.monotonic() - began)
