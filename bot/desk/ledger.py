"""Every stored change of a ticket goes through here: the event, the notices for the team and the card, in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from bot.desk.news import notices_for, notices_of_switch
from bot.desk.ports import Event, EventName, Journal
from bot.errors import Halted
from bot.trading.intents import EXITS, OrderIntent
from bot.trading.policy import Policy
from bot.trading.switches import Switch, Switches, reasons
from bot.trading.tickets import Ticket, is_claim

Clock = Callable[[], datetime]


class Ledger:
    """The journal as the desk writes it; ``news`` is set whenever the outbox may have something to deliver."""

    def __init__(
        self,
        journal: Journal,
        policy: Callable[[], Policy],
        clock: Clock,
        observe: Callable[[EventName], None],
        brakes: Callable[[], Awaitable[Sequence[Switch]]],
    ) -> None:
        self.journal = journal
        self._brakes = brakes
        self._observe = observe
        self.news = asyncio.Event()
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
        if asked is not None and not isinstance(asked, EXITS):
            # What is found is looked for here, as late as can be; what is stored is asked in the transaction itself.
            found = Switches(tuple(await self._brakes()))
            if barred := reasons(asked, new.shown.position, found):
                raise Halted(barred[0].code, barred[0].sentence, barred[0].details)
        event = Event(self._clock(), name, new.id, actor, data or {})
        notices = notices_for(self._policy(), name, new)
        stored = await self.journal.advance(old, new, (event,), notices, show=show, sends=sends)
        if stored:
            self._observe(name)
            # The outbox would only find that it is too soon to show an order on its way, and hold that order up meanwhile.
            if name is not EventName.SENDING:
                self.news.set()
        return stored

    async def open(self, ticket: Ticket) -> None:
        """Store a new ticket."""
        data = {"revision": ticket.revision, "expires_at": ticket.expires_at.isoformat()}
        await self.journal.open(ticket, Event(self._clock(), EventName.OFFERED, ticket.id, ticket.requester.id, data))
        self._observe(EventName.OFFERED)

    async def record(self, name: EventName, *, actor: int | None = None, data: Mapping[str, object] | None = None) -> None:
        """Store an event that belongs to no ticket."""
        await self.journal.record(Event(self._clock(), name, None, actor, data or {}))
        self._observe(name)

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
        stored = await self.journal.switch(switch, self._about(name, switch), notices)
        if stored:
            self._observe(name)
            self.news.set()
        return stored

    async def told_of_switch(self, name: EventName, switch: Switch, still: Switch | None = None) -> None:
        """Store that a switch was found, or has gone, and tell of it.

        Raises:
            JournalError: the journal can't be written.
        """
        notices = notices_of_switch(self._policy(), name, switch, still=still)
        await self.journal.record(self._about(name, switch), notices)
        self._observe(name)
        self.news.set()

    def _about(self, name: EventName, switch: Switch) -> Event:
        data = {"account": switch.account, "instrument": switch.root, "state": switch.state, "source": switch.source}
        return Event(self._clock(), name, None, switch.actor, {**data, "name": switch.actor_name, "why": switch.why})
