"""A desk with state and without a market: what it is asked, what it has let through, and what came of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.chat.messenger import DiscordMessenger
from bot.desk.health.watchdog import Health
from bot.desk.reads.charts import ChartRequest
from bot.desk.requests import (
    BracketRequest,
    CancelRequest,
    CloseRequest,
    EntryRequest,
    FlatPlaceRequest,
    FlattenRequest,
    ModifyRequest,
    PlaceRequest,
    Press,
    Refused,
    ReplaceRequest,
    ResolveRequest,
    SwitchRequest,
    TicketRequest,
)
from bot.trading.orders.instruments import parse_dated
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, MassAction, Scope
from bot.trading.orders.progress import ExitRow, Progress
from bot.trading.orders.terms import OrderType, Side, Terms, parse_requirement
from bot.trading.orders.tickets import NO_PROGRESS, Member, Origin, Ticket, TicketState, Visibility
from bot.trading.planning.card_actions import CardAction
from bot.trading.planning.suggestions import SoFar, Suggestion
from bot.trading.risk.halts import Switches
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery, Policy, may

from .samples import ES, POLICY, SHOWN, TICKET

Acknowledge = Callable[[], Awaitable[None]]


@dataclass
class FakeReads:
    """Fills ``bot.chat.door.Reads``: gives back what it was given, whoever asks.

    Attributes:
        answers: by the name of the reading.
        asked: the readings with what was typed.
    """

    behind: list[str]
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def _answer(self, name: str, *typed: str | None) -> Any:
        self.behind.append(name)
        self.asked.append((name, *(each for each in typed if each is not None)))
        return self.answers[name]

    async def positions(self, member: Member, account: str | None, typed: str | None = None) -> Any:
        return self._answer("positions", account, typed)

    async def orders(self, member: Member, account: str | None, typed: str | None) -> Any:
        return self._answer("orders", account, typed)

    async def order(self, member: Member, account: str, order_id: str) -> Any:
        return self._answer("order", account, order_id)

    async def accounts(self, member: Member) -> Any:
        return self._answer("accounts")

    async def account(self, member: Member, account: str) -> Any:
        return self._answer("account", account)

    async def pnl(self, member: Member) -> Any:
        return self._answer("pnl")

    async def executions(self, member: Member, account: str, hours: int | None = None) -> Any:
        return self._answer("executions", account, None if hours is None else str(hours))

    async def execution(self, member: Member, account: str, typed: str) -> Any:
        return self._answer("execution", account, typed)

    async def recent_fills(self, member: Member, account: str) -> Any:
        return self._answer("recent_fills", account)

    async def quotes(self, member: Member, typed: str, account: str | None = None) -> Any:
        return self._answer("quotes", typed, account)

    async def market(self, member: Member, typed: str | None) -> Any:
        return self._answer("market", typed)

    async def strategies(self, member: Member, account: str) -> Any:
        return self._answer("strategies", account)

    async def why(self, member: Member, typed: str | None) -> Any:
        return self._answer("why", typed)

    async def chart(self, member: Member, request: ChartRequest) -> Any:
        return self._answer("chart", request.instrument, request.account, request.period, str(request.count))


def _intent(request: TicketRequest) -> Intent:
    """What a desk would make of it, with an order of its own for those that are about one."""
    order = Terms(Side.BUY, 2, OrderType.LIMIT, limit=Decimal("5790.00"))
    match request:
        case FlattenRequest("strategy", account, strategy=strategy):
            return FlattenStrategy(Scope((account,), ES), strategy, "Scalp")
        case FlattenRequest(_, account, instrument, only):
            return Flatten(_scope(account, instrument), Holding(only) if only else None)
        case CancelRequest(account, _, scope, instrument) if scope != "order":
            return CancelWorking(_scope(account, instrument))
        case CancelRequest(account, order_id):
            return Cancel(account, ES, order, order_id)
        case ReplaceRequest(account, order_id, quantity):
            return Replace(account, ES, replace(order, quantity=quantity), order_id, order, parse_requirement(request.require))
        case BracketRequest(account, instrument, quantity, target, stop):
            terms = Terms(Side.SELL, quantity, OrderType.STOPMARKET, stop=Decimal(stop))
            return Bracket(account, parse_dated(instrument), terms, Decimal(target) if target else None)
        case ModifyRequest(account, order_id, quantity):
            return Change(account, ES, replace(order, quantity=quantity or 1), order_id, order)
        case CloseRequest(account, instrument, quantity):
            return Close(account, parse_dated(instrument), Terms(Side.BUY, quantity or 2), quantity)
        case _:
            return _entry(request)


def _entry(request: EntryRequest) -> Intent:
    terms = Terms(request.side, request.quantity, request.type, request.tif, oco=request.oco, strategy=request.strategy)
    where = (request.account, parse_dated(request.instrument), terms)
    match request:
        case PlaceRequest():
            return PlaceOrder(*where, "own1", parse_requirement(request.require))
        case FlatPlaceRequest():
            return FlatPlace(*where)
        case _ if request.mode == "verified":
            return VerifiedReverse(*where, "own1")
        case _ if request.mode == "invert":
            return Invert(*where)
        case _:
            return Reverse(*where)


def _scope(account: str, instrument: str) -> Scope:
    contract = parse_dated(instrument) if instrument else None
    return Scope((account,), contract) if account else Scope(("Sim101", "Sim102"), everything=True)


def _progress(intent: Intent) -> Progress:
    if not isinstance(intent, MassAction):
        return NO_PROGRESS
    return Progress(rows=tuple(ExitRow(name, False, ES, 2, 1) for name in intent.scope.accounts))


@dataclass
class FakeSuggest:
    """Fills ``bot.chat.door.Suggest``: gives back what it was given, whoever types.

    Attributes:
        answers: by the name of the option.
        asked: the option, the other options, and what was typed.
        fails: what it raises.
    """

    behind: list[str]
    answers: dict[str, list[Suggestion[Any]]] = field(default_factory=dict)
    asked: list[tuple[str, SoFar | None, str]] = field(default_factory=list)
    fails: Exception | None = None

    def _answer(self, name: str, so_far: SoFar | None, typed: str) -> list[Suggestion[Any]]:
        self.behind.append("suggest")
        self.asked.append((name, so_far, typed))
        if self.fails is not None:
            raise self.fails
        return self.answers.get(name, [])

    async def prices(self, member: Member, so_far: SoFar, name: str, typed: str) -> list[Suggestion[str]]:
        return self._answer(name, so_far, typed)

    async def sizes(self, member: Member, so_far: SoFar, typed: str) -> list[Suggestion[int]]:
        return self._answer("qty", so_far, typed)

    async def orders(self, member: Member, so_far: SoFar, typed: str) -> list[Suggestion[str]]:
        return self._answer("order", so_far, typed)

    async def running(self, member: Member, so_far: SoFar, typed: str) -> list[Suggestion[str]]:
        return self._answer("strategy", so_far, typed)

    async def strategies(self, member: Member, typed: str) -> list[Suggestion[str]]:
        return self._answer("strategy", None, typed)


@dataclass
class FakeHealth:
    """Fills ``bot.chat.door.Watches``.

    Attributes:
        told: what it reports.
    """

    behind: list[str]
    told: Health = field(default_factory=lambda: Health((), datetime(2026, 8, 3, 12, 0, tzinfo=UTC)))

    async def report(self, member: Member) -> Health:
        self.behind.append("health")
        return self.told


@dataclass
class FakeResolving:
    """Fills ``bot.chat.door.Resolving``: gives back what it was given.

    Attributes:
        answer: to a word.
        tickets: what is offered.
        said: who said what.
    """

    behind: list[str]
    answer: str | Refused = "Ticket t1 is now accepted."
    tickets: list[Suggestion[str]] = field(default_factory=list)
    said: list[tuple[Member, ResolveRequest]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)

    async def resolve(self, member: Member, request: ResolveRequest) -> str | Refused:
        self.behind.append("resolve")
        self.said.append((member, request))
        return self.answer

    async def offered(self, member: Member, typed: str) -> list[Suggestion[str]]:
        self.behind.append("suggest")
        self.typed.append(typed)
        return self.tickets


@dataclass
class FakeDesk:
    """Fills ``bot.chat.door.Desk``.

    Attributes:
        refuses: what ``offer`` answers instead of making a ticket.
        requested: what a press on a sent order's card asks for; without it such a card is over.
        fails: what every door raises.
        asked: the requests that ``may`` was asked about.
        behind: names of all doors that were reached past ``may``.
        orders: ids of tickets that were sent; an order twice would be here twice.
    """

    messenger: DiscordMessenger
    policy: Policy = POLICY
    denial: Denial | None = None
    refuses: Refused | None = None
    fails: Exception | None = None
    visibility: Visibility = Visibility.CHANNEL
    approver_roles: frozenset[int] = frozenset()
    asked: list[PermissionQuery] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    requests: list[TicketRequest] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    not_posted_why: dict[str, str] = field(default_factory=dict)
    presses: list[tuple[str, Press]] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    requested: TicketRequest | None = None
    pressed: list[tuple[Member, str, CardAction]] = field(default_factory=list)
    turned_away: list[tuple[int, str]] = field(default_factory=list)
    switches: Switches = field(default_factory=Switches)
    switched: list[tuple[Member, Origin, SwitchRequest]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reads = FakeReads(self.behind)
        self.suggest = FakeSuggest(self.behind)
        self.health = FakeHealth(self.behind)
        self.resolving = FakeResolving(self.behind)

    def may(self, member: Member, request: PermissionQuery) -> Denial | None:
        self.asked.append(request)
        self.members.append(member)
        return self.denial or may(self.policy, member.roles, request)

    async def denied(self, member: int, channel: int | None, command: str, denial: Denial) -> None:
        self.turned_away.append((member, command))

    async def offer(self, member: Member, place: Origin, request: TicketRequest) -> Ticket | Refused:
        self._pass("offer")
        self.requests.append(request)
        if self.refuses is not None:
            return self.refuses
        intent = _intent(request)
        made = replace(
            TICKET,
            id=f"t{len(self.tickets) + 1}",
            intent=intent,
            requester=member,
            origin=place,
            visibility=self.visibility,
            shown=replace(SHOWN, approver_roles=self.approver_roles),
            progress=_progress(intent),
        )
        self.tickets[made.id] = made
        return made

    async def halt(self, member: Member, place: Origin, request: SwitchRequest) -> str | Refused:
        return self._switch(member, place, request)

    async def resume(self, member: Member, place: Origin, request: SwitchRequest) -> str | Refused:
        return self._switch(member, place, request)

    def _switch(self, member: Member, place: Origin, request: SwitchRequest) -> str | Refused:
        self._pass(request.command)
        self.switched.append((member, place, request))
        return self.refuses or f"**{request.command}** of the {request.scope}"

    async def request(self, member: Member, ticket_id: str, verb: CardAction) -> TicketRequest | Refused:
        self._pass("request")
        self.pressed.append((member, ticket_id, verb))
        if (no := may(self.policy, member.roles, PermissionQuery(verb.command))) is not None:
            return Refused((no,))
        return self.requested or Refused((Denial(DenialCode.CARD_OVER, "This card is over."),))

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        self._pass("posted")
        assert channel == self.tickets[ticket_id].origin.channel
        self._change(ticket_id, message=message)

    async def shown_privately(self, ticket_id: str) -> None:
        self._pass("shown_privately")
        self.private.append(ticket_id)

    async def not_posted(self, ticket_id: str, why: str, *, perhaps: bool = False) -> None:
        self._pass("not_posted")
        self.not_posted_why[ticket_id] = why
        self._change(ticket_id, state=TicketState.VOID)

    async def confirm(self, press: Press, acknowledge: Acknowledge) -> str | None:
        return await self._press("confirm", press, acknowledge)

    async def approve(self, press: Press, acknowledge: Acknowledge) -> str | None:
        return await self._press("approve", press, acknowledge)

    async def cancel(self, press: Press, acknowledge: Acknowledge) -> str | None:
        return await self._press("cancel", press, acknowledge)

    def accounts_for(self, member: Member, command: str) -> Sequence[str]:
        self._pass("accounts_for")
        return [f"Sim{number}" for number in range(101, 140)]

    def instruments_for(self, member: Member, command: str, account: str) -> Sequence[str]:
        self._pass("instruments_for")
        return ["ES 09-26", "MES 09-26"] if account == "Sim101" else ["NQ 09-26"]

    async def _press(self, verb: str, press: Press, acknowledge: Acknowledge) -> str | None:
        self._pass(verb)
        self.presses.append((verb, press))
        await acknowledge()
        ticket = self.tickets.get(press.ticket)
        if ticket is None:
            return "I don't know this ticket any more."
        if ticket.state is not TicketState.OFFERED:
            return f"This ticket is {ticket.state} already."
        if press.member.id != ticket.requester.id:
            return f"Only {ticket.requester.name} can do that."
        if verb == "cancel":
            self._change(ticket.id, state=TicketState.CANCELLED, ended_by=press.member.name)
        else:
            self.orders.append(ticket.id)
            self._change(ticket.id, state=TicketState.ACCEPTED, order_ids=("order-1",))
        await self.redraw(ticket.id)
        return None

    async def redraw(self, ticket_id: str, late: float = 0.0) -> None:
        """Draw as the outbox would."""
        posted = await self.messenger.show(self.tickets[ticket_id], late)
        if posted is not None:
            self._change(ticket_id, message=posted)

    def _change(self, ticket_id: str, **changes: object) -> None:
        self.tickets[ticket_id] = replace(self.tickets[ticket_id], **changes)  # type: ignore[arg-type]  # a test's own names

    def _pass(self, door: str) -> None:
        if self.fails is not None:
            raise self.fails
        self.behind.append(door)
