"""From a request to a ticket: normalise, read, decide, store. Nothing is sent here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta

from bot.clock import Clock
from bot.desk.decide import Decider
from bot.desk.drafts import Drafts
from bot.desk.ledger import Ledger
from bot.desk.naming import Stop
from bot.desk.requests import Refused, TicketRequest
from bot.errors import NO_JOURNAL, JournalError
from bot.trading.intents import Intent
from bot.trading.policy import Denial, DenialCode, Visibility
from bot.trading.tickets import Member, Place, Ticket

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offers:
    """Makes tickets."""

    ledger: Ledger
    decider: Decider
    drafts: Drafts
    clock: Clock
    new_id: Callable[[], str]

    async def make(self, member: Member, place: Place, request: TicketRequest) -> Ticket | Refused:
        """A stored ticket, or every reason why not; a denial is stored as well."""
        try:
            intent = await self.drafts.intent(member, request)
            return await self._ticket(member, place, intent)
        except Stop as stop:
            typed = {"command": request.command, "channel": place.channel, **_typed(request)}
            await self.ledger.denied(member.id, stop.denials, **typed)
            return Refused(stop.denials)
        except JournalError as error:
            return Refused((Denial(DenialCode.DESK_DOWN, f"{error} Nothing was sent; tell whoever runs the desk. {NO_JOURNAL}"),))

    async def _ticket(self, member: Member, place: Place, intent: Intent) -> Ticket:
        decision = await self.decider.with_market(await self.decider.decide(intent, member.id))
        if decision.shown is None:
            raise Stop(*decision.denials)
        for account, contracts in decision.held.items():
            self.drafts.naming.directory.held(account, contracts)
        shown, policy, now = decision.shown, decision.policy, self.clock()
        # Whoever approves must be able to read the card.
        visibility = Visibility.CHANNEL if shown.approver_roles else policy.ticket_visibility
        ticket = Ticket(
            id=self.new_id(),
            intent=decision.intent,
            requester=member,
            place=place,
            visibility=visibility,
            shown=shown,
            created_at=now,
            expires_at=now + timedelta(seconds=policy.confirm_seconds),
            progress=decision.progress,
        )
        await self.ledger.open(ticket)
        return ticket


def _typed(request: TicketRequest) -> dict[str, object]:
    """What was typed, cut to a length that a log can bear; what was left out is left out."""
    typed = {field.name: getattr(request, field.name) for field in fields(request)}
    return {name: value if isinstance(value, int) else str(value)[:100] for name, value in typed.items() if value is not None}
