"""A desk to drive through everything that may become of a ticket, each in an account of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.desk.desk import Desk
from bot.desk.requests import ResolveRequest, TicketRequest
from bot.journal.opening import opened
from bot.timings import USUAL
from bot.trading.market.facts import Account, Order, Strategy
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket
from bot.trading.risk.policy import AccountRule, Approval, Grant, Policy, Route
from tests.desk.conftest import APPROVER_ROLE, NEWS_CHANNEL, TRADER, TRADER_ROLE, Room, make_desk
from tests.desk.fakes import ES, Clock, FakeBroker, FakeMessenger, FlakyJournal, eventually
from tests.journal.upgrade.keeping import rows_of
from tests.journal.upgrade.meaning import meaning_of

POLICY = Policy(
    grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("Sim*", "Apex*"), ("*",), 5),),
    approvals=(Approval(("Apex*",), APPROVER_ROLE, 1),),
    accounts=(AccountRule("Apex*", live=True),),
    routes=(Route(NEWS_CHANNEL, frozenset({"*"})),),
)
# What the simulated accounts hold at first.
HELD = -2
Asking = Callable[[str], TicketRequest]


@dataclass
class Stage:
    """One desk, its loops not running, and what was done on it.

    Attributes:
        fates: what was done with each ticket, by its id.
        account: that of the ticket whose turn it is.
    """

    room: Room
    file: Path
    ask: Asking
    fates: dict[str, str] = field(default_factory=dict)
    account: str = ""
    holds: list[asyncio.Event] = field(default_factory=list)
    presses: list["asyncio.Task[Any]"] = field(default_factory=list)

    @property
    def broker(self) -> FakeBroker:
        """The broker."""
        return self.room.broker

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.room.desk

    def enter(self, number: int, *, live: bool = False, held: int = HELD, rests: bool = False) -> None:
        """Begin with an account of one's own, in which something is open, perhaps beside an order that works."""
        self.account = f"{'Apex' if live else 'Sim'}{number:03}"
        provider = "Rithmic" if live else "Simulator"
        account = Account(self.account, provider, connected=True, realised=Decimal(0), unrealised=Decimal(0))
        self.broker.book_accounts[self.account] = account
        self.broker.book_positions[self.account, ES] = held
        self.broker.shown.strategies.append(Strategy("334", self.account, "Scalp", "Scalp - 334", ES, held))
        if rests:
            self.rest()

    def rest(self) -> str:
        """An order of somebody's that works; its id."""
        order_id, limit = self.resting, Decimal(5790)
        order = Order((order_id,), self.account, ES, Side.BUY, OrderType.LIMIT, OrderState.WORKING, 1, limit=limit)
        self.broker.book_orders.append(order)
        return order_id

    @property
    def resting(self) -> str:
        """The id of that order."""
        return f"rest-{self.account}"

    async def asked(self) -> Ticket:
        """The ticket."""
        return await self.room.ticket(self.ask(self.account))

    async def sent(self, *, refuses: bool = False) -> Ticket:
        """The ticket, asked for and confirmed."""
        ticket = await self.asked()
        said = await self.room.confirm(ticket)
        assert refuses or said is None, said
        return await self.room.now(ticket.id)

    async def held(self, call: type[Any] | None = None) -> Ticket:
        """The ticket as it is while its call is on its way, or that call of several."""
        gate = asyncio.Event()
        self.holds.append(gate)
        self.broker.gate, self.broker.gated = gate, set() if call is None else {call}
        ticket, before = await self.asked(), len(self.broker.sent)
        self.presses.append(asyncio.create_task(self.room.confirm(ticket)))
        await eventually(lambda: any(call is None or type(each) is call for each in self.broker.sent[before:]))
        self.broker.gate, self.broker.gated = None, set()
        return await self.room.now(ticket.id)

    async def follow(self, ticket: Ticket, seconds: float = 3, times: int = 1) -> Ticket:
        """Let the desk look at what became of a ticket's order, that much later."""
        for _ in range(times):
            self.room.clock.pass_by(seconds)
            now = await self.room.now(ticket.id)
            await self.desk._follower.look([now])
            await asyncio.sleep(USUAL.desk.look_within.total_seconds() + 0.1)
        return await self.room.now(ticket.id)

    async def seek(self, ticket: Ticket, seconds: float = 0) -> Ticket:
        """Let the desk look for evidence of a ticket, that much later."""
        self.room.clock.pass_by(seconds)
        await self.desk._reconciler.look([await self.room.now(ticket.id)])
        return await self.room.now(ticket.id)

    async def resolve(self, ticket: Ticket, outcome: str, order: str | None = None) -> Ticket:
        """Let a person say what became of it."""
        said = await self.desk.resolving.resolve(TRADER, ResolveRequest(ticket.id, outcome, "NinjaTrader's log says so", order))
        assert isinstance(said, str), said
        return await self.room.now(ticket.id)

    async def kept(self, **more: object) -> dict[str, Any]:
        """The journal as it is, and what each ticket in it means."""
        revision, rows = rows_of(self.file)
        now = self.room.clock()
        meanings = {}
        for ticket_id in (row[0] for row in rows["tickets"][1:]):
            ticket, events = await self.room.now(ticket_id), await self.room.journal.events(ticket_id)
            meanings[ticket_id] = {"fate": self.fates.get(ticket_id, "")} | meaning_of(ticket, events, now)
        return {"revision": revision, "at": now.isoformat(), **more, "tickets": meanings, "rows": rows}


@asynccontextmanager
async def staged(file: Path, ask: Asking) -> AsyncIterator[Stage]:
    """A desk over a journal of its own."""
    clock = Clock()
    broker, messenger, policies = FakeBroker(clock), FakeMessenger(), [POLICY]
    broker.book_accounts.clear()
    broker.book_positions.clear()
    async with opened(f"sqlite+aiosqlite:///{file}", clock) as journal:
        disk = FlakyJournal(journal)
        halt_file: list[str] = []
        desk = make_desk(broker, disk, messenger, clock, policies, halt_file=halt_file)
        stage = Stage(Room(desk, broker, journal, messenger, clock, disk, policies, halt_file), file, ask)
        yield stage
        for press in stage.presses:
            press.cancel()
        await asyncio.gather(*stage.presses, return_exceptions=True)
        await desk.abandon()


def moved(order: Order, **changes: object) -> Order:
    """An order as NinjaTrader has it then."""
    return replace(order, **changes)  # type: ignore[arg-type]  # the scene names the fields


GRACE = (USUAL.desk.grace + timedelta(seconds=1)).total_seconds()
AGAIN = (USUAL.desk.absent_again + timedelta(seconds=1)).total_seconds()
OVERDUE = (USUAL.desk.overdue + timedelta(seconds=1)).total_seconds()
