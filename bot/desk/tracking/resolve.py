"""``/resolve``: a person's word on an order whose outcome is unknown. Nothing is ever sent here.

Evidence may settle the same ticket at the same moment; the journal lets one of them change the row, and the person is told.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta

from bot.clock import Clock
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker, EventName
from bot.desk.requests import Refused, ResolveRequest
from bot.errors import BrokerError, UsageError
from bot.trading.market.facts import Order
from bot.trading.orders.mass_actions import MassAction, target_of
from bot.trading.orders.terms import parse_label
from bot.trading.orders.tickets import Member, Ticket, TicketState
from bot.trading.planning.suggestions import Suggestion
from bot.trading.reconciliation.resolving import (
    LONGEST_WHY,
    Resolution,
    chosen,
    closed_to,
    needs_list,
    objection,
    resolved,
    settled_words,
)
from bot.trading.risk.policy import Denial, PermissionQuery, Policy, may
from bot.trading.words import quoted

log = logging.getLogger(__name__)

COMMAND = "resolve"
# Of which tickets the orders are known, and so can't be this one's.
LOOKS_BACK = timedelta(days=1)
LONGEST_ID = 64
NO_TICKET = "There is no ticket {ticket}; the option offers those whose outcome is unknown."
WHY = "Say in why how you know it, in up to {most} characters."
UNREAD = "The orders of {account} could not be read ({why}), so nothing was changed; try again shortly."
OVERTAKEN = "Meanwhile ticket {ticket} was settled without you: {how}. What you said was not stored."
OUTCOMES = "Choose for outcome one of accepted, never arrived and rejected."
FOLLOWED = "Ticket {ticket} is now accepted; its order {order} is followed on its card."
DONE = "Ticket {ticket} is now {outcome}; its card says so. Nothing was sent."


@dataclass(frozen=True, slots=True)
class _Word:
    """The person's word, checked."""

    outcome: Resolution
    why: str
    order: Order | None


@dataclass(frozen=True, slots=True)
class Resolving:
    """Takes a person's word."""

    recorder: Recorder
    broker: Broker
    policy: Callable[[], Policy]
    clock: Clock

    async def resolve(self, member: Member, request: ResolveRequest) -> str | Refused:
        """Settle an unknown ticket as the member says; a sentence for the member alone, or every reason why not.

        Raises:
            JournalError: the journal can't be read or written; nothing was changed.
        """
        typed = request.ticket.strip()
        ticket = await self._ticket(typed)
        if ticket is None:
            return NO_TICKET.format(ticket=quoted(typed, LONGEST_ID))
        if (denial := self._denial(member, ticket)) is not None:
            await self.recorder.denied(member.id, (denial,), command=COMMAND, resolves=ticket.id)
            return Refused((denial,))
        return closed_to(ticket) or await self._resolve(member, ticket, request)

    async def offered(self, member: Member, typed: str) -> list[Suggestion[str]]:
        """The tickets that the member may resolve, in words; oldest first."""
        text = typed.strip().casefold()
        found = [each for each in await self.recorder.journal.live() if each.state is TicketState.UNKNOWN]
        shown = [Suggestion(each.id, _label(each)) for each in found if self._denial(member, each) is None]
        return [each for each in shown if text in each.name.casefold()]

    async def _ticket(self, typed: str) -> Ticket | None:
        """The ticket of that id, in whatever letters it was read aloud."""
        return await self.recorder.journal.ticket(typed) or await self.recorder.journal.ticket(typed.upper())

    def _denial(self, member: Member, ticket: Ticket) -> Denial | None:
        policy = self.policy()
        asked = (PermissionQuery(COMMAND, account) for account in ticket.intent.accounts)
        return next((denial for each in asked if (denial := may(policy, member.roles, each))), None)

    async def _resolve(self, member: Member, ticket: Ticket, request: ResolveRequest) -> str:
        why = " ".join(request.why.split())
        if not why or len(why) > LONGEST_WHY:
            return WHY.format(most=LONGEST_WHY)
        try:
            typed = parse_label("order id", request.order)
        except UsageError as error:
            return str(error)
        if request.outcome not in set(Resolution):
            return OUTCOMES
        outcome = Resolution(request.outcome)
        if (no := objection(ticket, outcome, typed)) is not None:
            return no
        order = await self._order(ticket, typed) if needs_list(ticket, outcome, typed) else None
        return order if isinstance(order, str) else await self._store(member, ticket, _Word(outcome, why, order))

    async def _store(self, member: Member, ticket: Ticket, word: _Word) -> str:
        """Store what was said, unless somebody or the evidence was faster."""
        while True:
            new = resolved(ticket, word.outcome, member, word.why, self.clock(), word.order)
            data = {"outcome": word.outcome.value, "why": word.why, "by": member.name, "order_ids": list(new.order_ids)}
            if await self.recorder.move(ticket, new, EventName.RESOLVED, actor=member.id, data=data):
                break
            current = await self.recorder.journal.ticket(ticket.id)
            if current is None or current.state is not TicketState.UNKNOWN:
                return OVERTAKEN.format(ticket=ticket.id, how=settled_words(current or ticket))
            # A reading of the evidence that settled nothing.
            ticket = current
        if word.order is not None:
            return FOLLOWED.format(ticket=ticket.id, order=quoted(word.order.id, LONGEST_ID))
        return DONE.format(ticket=ticket.id, outcome=word.outcome.value)

    async def _order(self, ticket: Ticket, typed: str | None) -> Order | str | None:
        """The order to follow as it is listed, read once, or why this can't be stored; ``None`` where there is none to follow."""
        account = ticket.order.account
        try:
            listed = await self.broker.orders(account, active_only=False)
        except BrokerError as error:
            return UNREAD.format(account=quoted(account), why=quoted(str(error)))
        others = await self.recorder.journal.recent(self.clock() - LOOKS_BACK)
        taken = frozenset(each for other in others if other.id != ticket.id for each in other.order_ids)
        return chosen(ticket, typed, listed, taken)


def _label(ticket: Ticket) -> str:
    """An unknown ticket in one line: ``BUY 1 ES 09-26 in Sim101, 12:01 by Tina (K7M2…)``."""
    intent = ticket.intent
    if isinstance(intent, MassAction):
        what = f"{intent.command} {target_of(intent)}"
    else:
        terms = intent.terms
        what = f"{intent.command} {terms.side.upper()} {terms.quantity} {intent.contract} in {intent.account}"
    at = "" if ticket.sent_at is None else f", {ticket.sent_at.astimezone(UTC):%m-%d %H:%M} UTC"
    return f"{what[:48]}{at} by {ticket.requester.name[:16]} ({ticket.id})"
