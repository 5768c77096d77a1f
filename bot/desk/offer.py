"""From a request to a ticket: normalise, read, decide, store. Nothing is sent here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta

from bot.desk.drafts import Drafts
from bot.desk.ledger import Clock, Ledger
from bot.desk.look import Look, survey
from bot.desk.naming import Stop
from bot.desk.ports import EventName
from bot.desk.requests import Refused, TicketRequest
from bot.errors import JournalError, PriceError, UsageError
from bot.trading.facts import Facts
from bot.trading.intents import Intent
from bot.trading.limits import reasons
from bot.trading.plan import plan, refreshed
from bot.trading.policy import Denial, DenialCode, Policy, Visibility
from bot.trading.pricing import priced
from bot.trading.tickets import Member, Place, Ticket

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offers:
    """Makes tickets."""

    ledger: Ledger
    look: Look
    drafts: Drafts
    policy: Callable[[], Policy]
    clock: Clock
    new_id: Callable[[], str]

    async def make(self, member: Member, place: Place, request: TicketRequest) -> Ticket | Refused:
        """A stored ticket, or every reason why not; a denial is stored as well."""
        try:
            intent = await self.drafts.intent(member, request)
            return await self._ticket(member, place, intent)
        except Stop as stop:
            await self._record(member, place, request, stop.denials)
            return Refused(stop.denials)
        except JournalError as error:
            return Refused((Denial(DenialCode.DESK_DOWN, f"{error} Nothing was sent; tell whoever runs the desk."),))

    async def _ticket(self, member: Member, place: Place, intent: Intent) -> Ticket:
        facts, recent = await survey(self.look, self.ledger.journal, intent, self.policy, self.clock)
        intent, unpriced = _priced(refreshed(intent, facts), facts)
        policy, now = self.policy(), self.clock()
        if denials := (*reasons(intent, member.id, facts, policy, recent, now), *unpriced):
            raise Stop(*denials)
        self.drafts.naming.directory.held(intent.account, [p.contract for p in facts.positions or ()])
        shown = plan(intent, facts, policy, now)
        # Whoever approves must be able to read the card.
        visibility = Visibility.CHANNEL if shown.approver_roles else policy.ticket_visibility
        ticket = Ticket(
            id=self.new_id(),
            intent=intent,
            requester=member,
            place=place,
            visibility=visibility,
            shown=shown,
            created_at=now,
            expires_at=now + timedelta(seconds=policy.confirm_seconds),
        )
        await self.ledger.open(ticket)
        return ticket

    async def _record(self, member: Member, place: Place, request: TicketRequest, denials: tuple[Denial, ...]) -> None:
        data = {"command": request.command, "channel": place.channel, **_typed(request), "denials": [str(d) for d in denials]}
        try:
            await self.ledger.record(EventName.DENIED, actor=member.id, data=data)
        except JournalError:
            # The answer stands without its record: nothing was sent, and nothing will be.
            log.exception("denial not journaled")


def _priced(intent: Intent, facts: Facts) -> tuple[Intent, tuple[Denial, ...]]:
    """The intent with its shorthand worked out, once and for all; or as it was, with why that can't be done."""
    try:
        return priced(intent, facts), ()
    except PriceError as error:
        return intent, (Denial(DenialCode.BAD_PRICE, str(error)),)
    except UsageError as error:
        return intent, (Denial(DenialCode.BAD_REQUEST, str(error)),)


def _typed(request: TicketRequest) -> dict[str, object]:
    """What was typed, cut to a length that a log can bear; what was left out is left out."""
    typed = {field.name: getattr(request, field.name) for field in fields(request)}
    return {name: value if isinstance(value, int) else str(value)[:100] for name, value in typed.items() if value is not None}
