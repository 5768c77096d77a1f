"""Tickets from requests: normalise, read, decide, store. Nothing is sent here."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from bot.clock import Clock
from bot.desk.locks import STOPPING, TicketLocks
from bot.desk.lookup.look import FactsReader
from bot.desk.lookup.names import Naming, RequestRefused
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker
from bot.desk.reads.shares import Tally
from bot.desk.requests import WAYS_OUT, Refused, TicketRequest
from bot.desk.tickets.decision import Decider, Decision
from bot.desk.tickets.drafts import Drafts
from bot.errors import NO_JOURNAL, JournalError
from bot.timings import DeskTimings
from bot.trading.orders.tickets import Member, Origin, Ticket, TicketState, Visibility
from bot.trading.risk.policy import Denial, DenialCode

log = logging.getLogger(__name__)
MOST_OPEN, MOST_OPEN_WAYS_OUT = 20, 60
TOO_MANY_OPEN = "You have {most} open cards; confirm or cancel some, or let them expire, then ask again."
CROWDED = "Your requests before this one are still being read, so this one was dropped; ask again once they have their cards."


@dataclass(frozen=True, slots=True)
class Makings:
    """The means of making cards, by brokers whose reads go early or late."""

    drafts: Drafts
    decider: Decider

    def asking(self, broker: Broker, look: FactsReader, naming: Naming) -> "Makings":
        """The same by another broker."""
        scopes = replace(self.drafts.scopes, broker=broker, look=look, naming=naming)
        drafts = replace(self.drafts, look=look, naming=naming, scopes=scopes)
        return Makings(drafts, replace(self.decider, look=look))


@dataclass(frozen=True, slots=True)
class Offers:
    """Makes tickets.

    Attributes:
        usual, first: with reads that go before those of people who look, and before nearly everything.
        hurrying: who has asked for ways out lately; those beyond a share go the usual way, so that they hold up no news.
    """

    recorder: Recorder
    usual: Makings
    first: Makings
    locks: TicketLocks
    hurrying: Tally
    clock: Clock
    timings: DeskTimings
    new_id: Callable[[], str]

    async def make(self, member: Member, origin: Origin, request: TicketRequest) -> Ticket | Refused:
        """A stored ticket, or every reason why not; a denial is stored as well."""
        if isinstance(request, WAYS_OUT):
            hurries = self.hurrying.ask(member.id) is None
            return await self._make(self.first if hurries else self.usual, member, origin, request)
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(self.timings.card_wait.total_seconds()):
                    await turn.enter_async_context(self.locks.asking(member.id))
            except TimeoutError:
                return Refused((Denial(DenialCode.ASKED_TOO_OFTEN, CROWDED),))
            return await self._make(self.usual, member, origin, request)

    async def _make(self, by: Makings, member: Member, origin: Origin, request: TicketRequest) -> Ticket | Refused:
        try:
            await self._has_room(member, request)
            async with self.locks.unless_stopping(None):
                intent = await by.drafts.intent(member, request)
                decision = await by.decider.with_market(await by.decider.decide(intent, member.id))
            return await self._ticket(by, member, origin, decision)
        except TimeoutError:
            return Refused((Denial(DenialCode.DESK_DOWN, STOPPING),))
        except RequestRefused as stop:
            typed = {"command": request.command, "channel": origin.channel, **_typed(request)}
            await self.recorder.denied(member.id, stop.denials, **typed)
            return Refused(stop.denials)
        except JournalError as error:
            return Refused((Denial(DenialCode.DESK_DOWN, f"{error} Nothing was sent; tell whoever runs the desk. {NO_JOURNAL}"),))

    async def _has_room(self, member: Member, request: TicketRequest) -> None:
        """See that a member's open cards don't become too many; ways out have three times the room."""
        most = MOST_OPEN_WAYS_OUT if isinstance(request, WAYS_OUT) else MOST_OPEN
        # The journal is asked only where there may be too many: no other card is to wait for it.
        if self.locks.cards_of(member.id, self.clock()) < most:
            return
        live = await self.recorder.journal.live()
        if sum(ticket.requester.id == member.id and ticket.state is TicketState.OFFERED for ticket in live) >= most:
            sentence = TOO_MANY_OPEN.format(most=most)
            raise RequestRefused(Denial(DenialCode.ASKED_TOO_OFTEN, sentence, f"open={most}"))

    async def _ticket(self, by: Makings, member: Member, origin: Origin, decision: Decision) -> Ticket:
        if decision.shown is None:
            raise RequestRefused(*decision.denials)
        for account, contracts in decision.held.items():
            by.drafts.naming.directory.held(account, contracts)
        shown, policy, now = decision.shown, decision.policy, self.clock()
        # Whoever approves must be able to read the card.
        visibility = Visibility.CHANNEL if shown.approver_roles else policy.ticket_visibility
        ticket = Ticket(
            id=self.new_id(),
            intent=decision.intent,
            requester=member,
            origin=origin,
            visibility=visibility,
            shown=shown,
            created_at=now,
            expires_at=now + timedelta(seconds=policy.confirm_seconds),
            progress=decision.progress,
        )
        await self.recorder.open(ticket)
        self.locks.carded(ticket)
        return ticket


def _typed(request: TicketRequest) -> dict[str, object]:
    """The options as typed, cut to a length that a log can bear; what was left out is left out."""
    typed = {field.name: getattr(request, field.name) for field in fields(request)}
    return {name: value if isinstance(value, int) else str(value)[:100] for name, value in typed.items() if value is not None}
