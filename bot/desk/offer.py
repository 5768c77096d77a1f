"""From a request to a ticket: normalise, read, decide, store. Nothing is sent here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.desk.ledger import Clock, Ledger
from bot.desk.look import Look, survey
from bot.desk.naming import Naming, Stop, instrument, unreadable
from bot.desk.ports import EventName
from bot.desk.requests import Refused, ReverseRequest
from bot.errors import BrokerError, InstrumentError, JournalError, UsageError
from bot.trading.instruments import Contract, Root
from bot.trading.limits import reasons
from bot.trading.orders import Terms, check_terms, parse_label, parse_price
from bot.trading.plan import plan
from bot.trading.policy import Denial, DenialCode, Policy, Request, Visibility
from bot.trading.tickets import Member, Place, Reverse, Ticket

log = logging.getLogger(__name__)
COMMAND = "reverse"


@dataclass(frozen=True, slots=True)
class Offers:
    """Makes tickets."""

    ledger: Ledger
    look: Look
    naming: Naming
    policy: Callable[[], Policy]
    clock: Clock
    new_id: Callable[[], str]

    async def make(self, member: Member, place: Place, request: ReverseRequest) -> Ticket | Refused:
        """A stored ticket, or every reason why not; a denial is stored as well."""
        try:
            intent = await self._intent(member, request)
            return await self._ticket(member, place, intent)
        except Stop as stop:
            await self._record(member, place, request, stop.denials)
            return Refused(stop.denials)
        except JournalError as error:
            return Refused((Denial(DenialCode.DESK_DOWN, f"{error} Nothing was sent; tell whoever runs the desk."),))

    async def _intent(self, member: Member, request: ReverseRequest) -> Reverse:
        terms = _terms(request)
        named = instrument(request.instrument, self.clock())
        root = named.root if isinstance(named, Contract) else named.name
        account = await self.naming.account(member, COMMAND, request.account)
        self.naming.ask(member, Request(COMMAND, account, root, terms.quantity, terms.type))
        contract = named if isinstance(named, Contract) else await self._month(account, named)
        return Reverse(account, contract, terms)

    async def _month(self, account: str, root: Root) -> Contract:
        try:
            return await self.look.month_of(account, root)
        except InstrumentError as error:
            raise Stop(Denial(DenialCode.UNKNOWN_INSTRUMENT, str(error), f"instrument={root}")) from error
        except BrokerError as error:
            raise Stop(unreadable(f"the month of {root}", error)) from error

    async def _ticket(self, member: Member, place: Place, intent: Reverse) -> Ticket:
        facts, recent = await survey(self.look, self.ledger.journal, intent, self.policy, self.clock)
        policy, now = self.policy(), self.clock()
        if denials := reasons(intent, member.id, facts, policy, recent, now):
            raise Stop(*denials)
        self.naming.directory.held(intent.account, [p.contract for p in facts.positions or ()])
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

    async def _record(self, member: Member, place: Place, request: ReverseRequest, denials: tuple[Denial, ...]) -> None:
        data = {
            "command": COMMAND,
            "account": request.account[:100],
            "instrument": request.instrument[:100],
            "side": request.side.value,
            "quantity": request.quantity,
            "channel": place.channel,
            "denials": [str(denial) for denial in denials],
        }
        try:
            await self.ledger.record(EventName.DENIED, actor=member.id, data=data)
        except JournalError:
            # The answer stands without its record: nothing was sent, and nothing will be.
            log.exception("denial not journaled")


def _terms(request: ReverseRequest) -> Terms:
    try:
        terms = Terms(
            side=request.side,
            quantity=request.quantity,
            type=request.type,
            tif=request.tif,
            limit=parse_price("limit", request.limit),
            stop=parse_price("stop", request.stop),
            oco=parse_label("OCO id", request.oco),
            strategy=parse_label("strategy", request.strategy),
        )
        check_terms(terms)
    except UsageError as error:
        raise Stop(Denial(DenialCode.BAD_REQUEST, str(error))) from error
    return terms
