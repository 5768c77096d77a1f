"""A trading floor in one process: the desk over its real journal, the real client, the simulated NinjaTrader.

Only time is short: the desk's patience and the simulator's delays are both about a hundredth of what they are for real.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.crosstrade import CrossTrade
from bot.desk.desk import Desk
from bot.desk.requests import Press, Refused, TicketRequest
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.program.lanes import lanes_of
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind, Simulator, Timing, running
from bot.sandbox.ninjatrader.book import Execution
from bot.sandbox.ninjatrader.orders import Action, OrderType, Ticket, TimeInForce
from bot.sandbox.virtual import HostClock
from bot.timings import USUAL, CrossTradeTimings
from bot.trading.exits.timings import ExitTimings
from bot.trading.orders.tickets import Member, Origin
from bot.trading.orders.tickets import Ticket as DeskTicket
from bot.trading.risk.policy import AccountRule, Grant, Policy
from tests.desk.fakes import FakeMessenger
from tests.journals import new_journal

ROLE = 1
TRADER = Member(1, "Tess", frozenset({ROLE}))
HERE = Origin(1, 2)
POLICY = Policy(grants=(Grant(ROLE, frozenset({"*"}), ("*",), ("*",), 100),), accounts=(AccountRule("*", live=True),))
# Seconds that the client waits for the answer to a write, and a longer time that one may take.
PATIENCE, LATE = 0.3, 0.4
FAST = Timing(step=0.008, fill=0.004, reject=0.02, close_wait=0.2, tick=0.01, quotes=1.0)
QUICK = ExitTimings(
    poll=0.01,
    hurry=0.3,
    poll_later=0.05,
    again=0.02,
    look=0.2,
    behind=0.003,
    look_back=2.0,
    unseen=0.5,
    call=0.1,
    recancel=0.05,
    beside=0.4,
    settle=0.08,
    grace=0.7,
    between=0.1,
    tidy=0.08,
    flat_within=1.0,
    whole=8.0,
)
CONTRACTS = ("ES 12-26", "NQ 12-26", "CL 01-27", "GC 02-27")
# Our own closing orders at the simulator, by the names that it gives them.
CLOSES = frozenset({"Close", "Partial close"})
WRITES = ("Flatten", "FlattenEverything", "ClosePosition", "CancelOrders", "CancelAllOrders")
READS = ("ListOrders", "ListPositions")


@dataclass(slots=True)
class Floor:
    """A desk and the world that it works."""

    desk: Desk
    simulator: Simulator
    journal: SqlJournal
    messenger: FakeMessenger
    client: CrossTrade
    host: HostClock

    async def ask(self, request: TicketRequest, member: Member = TRADER) -> DeskTicket:
        """Ask for a ticket."""
        made = await self.desk.offer(member, HERE, request)
        assert isinstance(made, DeskTicket), made
        await self.desk.posted(made.id, HERE.channel, 7000)
        return made

    async def refused(self, request: TicketRequest) -> list[str]:
        """Ask for something that is denied; the codes."""
        made = await self.desk.offer(TRADER, HERE, request)
        assert isinstance(made, Refused), made
        return [denial.code.value for denial in made.denials]

    async def confirm(self, ticket: DeskTicket) -> DeskTicket:
        """Press Confirm and give the ticket as it stands when everything has been sent."""

        async def acknowledge() -> None:
            pass

        said = await self.desk.confirm(Press(TRADER, ticket.id, ticket.revision), acknowledge)
        assert said is None, said
        return await self.now(ticket.id)

    async def offered(self, request: TicketRequest) -> DeskTicket | None:
        """Ask for a ticket; none where it is denied."""
        made = await self.desk.offer(TRADER, HERE, request)
        if not isinstance(made, DeskTicket):
            return None
        await self.desk.posted(made.id, HERE.channel, 7000)
        return made

    async def pressed(self, ticket: DeskTicket) -> DeskTicket:
        """Press Confirm, whatever comes of it, and give the ticket as it stands then."""

        async def acknowledge() -> None:
            pass

        await self.desk.confirm(Press(TRADER, ticket.id, ticket.revision), acknowledge)
        return await self.now(ticket.id)

    async def now(self, ticket_id: str) -> DeskTicket:
        """A ticket as stored."""
        ticket = await self.journal.ticket(ticket_id)
        assert ticket is not None
        return ticket

    def held(self) -> dict[tuple[str, str], int]:
        """Every open position, signed."""
        return {
            (account.name, contract.name): position.quantity
            for account in self.simulator.world.accounts
            for contract, position in account.open_positions().items()
        }

    def working(self) -> dict[tuple[str, str], int]:
        """How many orders work, by account and contract."""
        found: dict[tuple[str, str], int] = {}
        for order in self.simulator.world.exchange.orders:
            if not order.state.is_done:
                where = (order.ticket.account.name, order.ticket.contract.name)
                found[where] = found.get(where, 0) + 1
        return found

    def held_since(self, where: tuple[str, str], moment: datetime) -> list[int]:
        """What was held there before each fill since then."""
        fills = self.simulator.world.exchange.executions
        return [
            fill.held - fill.signed for fill in fills if (fill.account.name, fill.contract.name) == where and fill.time >= moment
        ]

    def closes_since(self, where: tuple[str, str], moment: datetime) -> list[str]:
        """The closing orders that have come up there since then."""
        return [
            order.id
            for order in self.simulator.world.exchange.orders
            if (order.ticket.account.name, order.ticket.contract.name) == where
            and order.ticket.name in CLOSES
            and order.created >= moment
        ]

    def turned_over(self) -> list[str]:
        """Fills of closing orders that took a position beyond zero."""
        return [_words(fill) for fill in self._closing_fills() if fill.held * (fill.held - fill.signed) < 0]

    def made_worse(self) -> list[str]:
        """Fills of closing orders that made a position larger, or opposite where nothing else filled while they were at work."""
        exchange = self.simulator.world.exchange
        orders = {order.id: order for order in exchange.orders}
        found = []
        for fill in self._closing_fills():
            before, created = fill.held - fill.signed, orders[fill.order_id].created
            if abs(fill.held) <= abs(before) and fill.held * before >= 0:
                continue
            beside = (
                other for other in exchange.executions if _market(other) == _market(fill) and created <= other.time <= fill.time
            )
            if all(orders[other.order_id].ticket.name in CLOSES for other in beside):
                found.append(_words(fill))
        return found

    def _closing_fills(self) -> list[Execution]:
        exchange = self.simulator.world.exchange
        names = {order.id: order.ticket.name for order in exchange.orders}
        return [fill for fill in exchange.executions if names[fill.order_id] in CLOSES]

    def rest(
        self, account: str, contract: str, action: Action, kind: OrderType, ticks: int, quantity: int, oco: str = ""
    ) -> None:
        """Place somebody's resting order so many ticks away from the last price, on the side where it rests."""
        world = self.simulator.world
        there = world.contract(contract)
        last, tick = world.market.ticker(there).last, there.product.tick
        away = last + ticks * tick * (-1 if (action is Action.BUY) == (kind is OrderType.LIMIT) else 1)
        limit, stop = (away, Decimal(0)) if kind is OrderType.LIMIT else (Decimal(0), away)
        ticket = Ticket(
            world.account(account),
            there,
            action,
            kind,
            quantity,
            TimeInForce.GTC,
            limit=limit,
            stop=stop,
            oco_id=oco,
            name="Rest",
        )
        world.exchange.submit(ticket)


def _market(fill: Execution) -> tuple[str, str]:
    return fill.account.name, fill.contract.name


def _words(fill: Execution) -> str:
    return f"{fill.account.name} {fill.contract.name}: {fill.held - fill.signed} -> {fill.held}"


@asynccontextmanager
async def open_floor(
    accounts: tuple[AccountSpec, ...], *, transport: str = "rest", seed: int = 8, pace: ExitTimings = QUICK, timing: Timing = FAST
) -> AsyncIterator[Floor]:
    """Open a floor; its desk's loops don't run."""
    host = HostClock(asyncio.get_running_loop())
    numbers, clock = itertools.count(1), host.steady()
    simulator = Simulator(token="t", accounts=accounts, timing=timing, rate_limited=False, seed=seed, clock=host.true)

    def new_id() -> str:
        return f"t{next(numbers)}"

    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(simulator))
        journal = await stack.enter_async_context(opened(new_journal(), clock))
        client = CrossTrade(
            url,
            "t",
            clock=clock,
            new_id=new_id,
            transport=transport,
            rate=5000,
            burst=5000,
            timings=CrossTradeTimings(read=20.0, write=PATIENCE, backoff=(0.01,)),
        )
        await stack.enter_async_context(client)
        if transport == "websocket" and client.stream is not None:
            await client.stream.opened()
        messenger = FakeMessenger()
        # Half of the floors read everything anew, half decide on what is known, as the usual policy does.
        policy = replace(POLICY, fresh=timedelta(0)) if seed % 2 else POLICY
        timings = replace(USUAL.desk, exits=pace)
        lanes = lanes_of(client, lambda: policy.fresh, timings)
        desk = Desk(client, journal, messenger, lambda: policy, clock, new_id, lanes=lanes, timings=timings)
        yield Floor(desk, simulator, journal, messenger, client, host)
        await desk.close()


def random_accounts(dice: random.Random) -> tuple[AccountSpec, ...]:
    """Some accounts with positions in some contracts."""
    return tuple(
        AccountSpec(
            f"Sim{number}",
            holdings=tuple(
                Holding(name, dice.choice([-5, -3, -2, -1, 1, 2, 4]))
                for name in dice.sample(CONTRACTS, dice.randint(0, len(CONTRACTS)))
            ),
        )
        for number in range(1, dice.randint(2, 4))
    )


def throw_orders(floor: Floor, dice: random.Random) -> None:
    """Working orders around the market, many of which will fill within moments."""
    for account in floor.simulator.world.accounts:
        for name in CONTRACTS:
            for number in range(dice.choice([0, 0, 1, 2, 3])):
                oco = f"{account.name} {name}" if dice.random() < 0.3 else ""
                floor.rest(
                    account.name,
                    name,
                    dice.choice(list(Action)),
                    dice.choice([OrderType.LIMIT, OrderType.STOP_MARKET]),
                    dice.randint(1, 10),
                    dice.randint(1, 4),
                    f"{oco} {number}" if oco else "",
                )


def spoil(floor: Floor, dice: random.Random) -> None:
    """Let a part of the calls fail, answers get lost, closes be slow or rejected, and fills come in pieces."""
    faults = floor.simulator.faults
    for call in WRITES:
        faults.add(dice.choice([Kind.DROP, Kind.RESET, Kind.TIMEOUT]), call, effect=True, probability=0.15)
        faults.add(dice.choice([Kind.DROP, Kind.RESET, Kind.TIMEOUT]), call, effect=False, probability=0.1)
        faults.add(Kind.ANSWER, call, status=400, body={"success": False, "error": "busy"}, probability=0.1)
        faults.add(Kind.RATE_LIMIT, call, seconds=0, probability=0.05)
        faults.add(Kind.GARBAGE, call, probability=0.05)
        faults.add(Kind.SLOW_CLOSE, call, seconds=0.15, probability=0.4)
        faults.add(Kind.PARTIAL, call, quantity=1, seconds=0.01, probability=0.3)
        faults.add(Kind.REJECT, call, seconds=0.01, probability=0.1)
    for call in ("Flatten", "FlattenEverything", "ClosePosition"):
        faults.add(Kind.BLIND_CLOSE, call)
        # Done all the same, after the client has given up waiting.
        faults.add(Kind.DELAY, call, seconds=LATE, probability=0.15)
    for call in READS:
        faults.add(Kind.TIMEOUT, call, probability=0.1)
        faults.add(Kind.GARBAGE, call, probability=0.03)
