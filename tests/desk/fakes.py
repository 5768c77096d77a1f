"""Hand-written stand-ins at the desk's ports. They keep state and can be told to fail; nothing here is patched."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.clock import UNSET, SteadyClock
from bot.desk.ports import Event, Notice
from bot.errors import BrokerError, BrokerUnreachable, DeliveryRefused, JournalError
from bot.journal.store import SqlJournal
from bot.sandbox.virtual import VirtualLoop
from bot.trading.health.vitals import ChatVitals, Reach, Vitals
from bot.trading.market.bars import Bar, Bars, Period
from bot.trading.market.facts import Account, Day, Execution, Order, Others, Position, Quote
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.broker_calls import (
    CancelEverything,
    CancelOrders,
    CloseStrategy,
    FlattenAccount,
    FlattenEverything,
    MassCall,
)
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Action,
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
from bot.trading.orders.mass_actions import FlattenStrategy, Holding, MassAction
from bot.trading.orders.outcomes import Accepted, Outcome, Unknown
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from tests.clocks import NOON
from tests.desk.fake_reads import Shown, ShowsBook

# All that tests give to anybody.
EVERY_ROLE = frozenset(range(1100, 1210))

ES = Contract("ES", 2026, 9)


class Clock(SteadyClock):
    """The time of the test's own loop; it passes when somebody waits, or at once.

    Attributes:
        ahead: how far the host's clock was set.
    """

    def __init__(self, ahead: timedelta = UNSET) -> None:
        self.ahead = ahead
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._first = self._loop.time()
        super().__init__(self._loop.time, self._host, "machine")

    @property
    def now(self) -> datetime:
        """The desk's time."""
        return self()

    def pass_by(self, seconds: float) -> None:
        """Let time pass at once."""
        self._loop.advance(seconds)

    def plan(self, seconds: float, do: Callable[[], object]) -> None:
        """Let something happen that many seconds from now."""
        self._loop.call_later(seconds, do)

    def _host(self) -> datetime:
        return NOON + timedelta(seconds=self._loop.time() - self._first) + self.ahead


@dataclass
class FakeBroker(ShowsBook):
    """A broker with a book of its own.

    Attributes:
        sent: every write that reached it, in order.
        outcomes: what the next writes answer; when empty, an order is booked and accepted.
        times: when each of them did.
        gate: when set to an event, a write waits for it before it answers; with ``gated`` those of these kinds alone.
        refusing: what every write of a kind answers, without anything being done.
        losing: kinds of writes that are done, and their answers lost.
        dawdling: kinds of writes that are taken, and done only when ``let_go`` is called.
        deaf: whether orders ignore what would cancel them.
        shut: whether closes become market orders that work until the market opens; they join no close that works already.
        locked: the broker's words by which closes are rejected a second after they were taken.
        failing: names of reads that fail just now; of one account alone as ``positions Sim101``.
        replaced: the state to which an order goes that is replaced.
        front: the front month that a root means; September where it is not set.
        called: names of all reads, in order.
        hanging: names of reads that never answer.
        takes: seconds that reads take, by name; of one account alone as ``positions Sim101``.
        asked: every read with its moment, in order.
        ages: how long ago what is known of an account was asked for; just now, where it isn't said.
        asked_before: how long before a round what it is given was asked for; ``None`` where nobody can say.
        voided: accounts of which nothing that was read before counts any more, in order; ``None`` for all of them.
        known: what it says of its own links.
    """

    clock: Clock
    book_accounts: dict[str, Account] = field(default_factory=dict)
    book_positions: dict[tuple[str, Contract], int] = field(default_factory=dict)
    book_orders: list[Order] = field(default_factory=list)
    book_executions: list[Execution] = field(default_factory=list)
    book_bars: list[Bar] = field(default_factory=list)
    sent: list[Action] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    gate: asyncio.Event | None = None
    gated: set[type[Action]] = field(default_factory=set)
    refusing: dict[type[Action], Outcome] = field(default_factory=dict)
    losing: set[type[Action]] = field(default_factory=set)
    dawdling: set[type[Action]] = field(default_factory=set)
    under_way: list[Action] = field(default_factory=list)
    deaf: bool = False
    shut: bool = False
    locked: str | None = None
    reading: asyncio.Event | None = None
    failing: set[str] = field(default_factory=set)
    days: dict[str, Day] = field(default_factory=dict)
    voided: list[str | None] = field(default_factory=list)
    ages: dict[str, timedelta | None] = field(default_factory=dict)
    asked_before: timedelta | None = timedelta(0)
    book_others: dict[str, Others] = field(default_factory=dict)
    last: Decimal = Decimal(5800)
    quote_age: float = 0.0
    front: Contract | None = None
    quote_changes: dict[str, object] = field(default_factory=dict)
    reads: int = 0
    surprise: Exception | None = None
    broken_reads: bool = False
    ids: tuple[str, ...] = ()
    called: list[str] = field(default_factory=list)
    shown: Shown = field(default_factory=Shown)
    averages: Decimal | None = Decimal(5790)
    replaced: OrderState = OrderState.CANCELLED
    hanging: set[str] = field(default_factory=set)
    takes: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[datetime, str]] = field(default_factory=list)
    known: Vitals = field(default_factory=lambda: Vitals(Reach.GOOD, "CrossTrade answers.", budget=20))

    def __post_init__(self) -> None:
        for name, provider in (("Sim101", "Simulator"), ("Sim102", "Simulator"), ("Apex-001", "Rithmic")):
            self.book_accounts[name] = Account(name, provider, connected=True, realised=Decimal(0), unrealised=Decimal(0))
        self.book_positions["Sim101", ES] = -2
        self.book_positions["Apex-001", ES] = -2

    async def _read(self, what: str, account: str = "") -> None:
        self.reads += 1
        self.called.append(what)
        self.asked.append((self.clock(), what))
        if what in self.hanging:
            await asyncio.Event().wait()
        if self.reading is not None:
            await self.reading.wait()
        await asyncio.sleep(self.takes.get(f"{what} {account}", self.takes.get(what, 0)))
        await asyncio.sleep(0)
        if self.broken_reads:
            raise ZeroDivisionError
        if not self.failing.isdisjoint({what, f"{what} {account}"}):
            raise BrokerUnreachable(f"no answer for {what}")

    async def accounts(self) -> Sequence[Account]:
        await self._read("accounts")
        return list(self.book_accounts.values())

    async def account(self, name: str) -> Account:
        await self._read("account", name)
        return self.book_accounts[name]

    async def positions(self, account: str) -> Sequence[Position]:
        await self._read("positions", account)
        return [Position(a, c, q, self.averages) for (a, c), q in self.book_positions.items() if a == account and q]

    async def orders(self, account: str, *, active_only: bool) -> Sequence[Order]:
        await self._read("orders", account)
        return [o for o in self.book_orders if o.account == account and not (active_only and o.state.is_done)]

    async def order(self, account: str, order_id: str) -> Order | None:
        return await self._show("order", next((o for o in self.book_orders if o.account == account and order_id in o.ids), None))

    async def executions(self, account: str) -> Sequence[Execution]:
        await self._read("executions")
        return [e for e in self.book_executions if e.account == account]

    async def quote(self, contract: Contract) -> Quote:
        await self._read("quote")
        tick = Decimal("0.25")
        quote = Quote(
            contract,
            tick,
            Decimal(50),
            self.last - tick,
            self.last,
            self.last,
            self.clock() - timedelta(seconds=self.quote_age),
            market_open=True,
        )
        return replace(quote, **self.quote_changes)  # type: ignore[arg-type]  # a test names the fields

    async def bars(self, contract: Contract, period: Period, most: int) -> Bars:
        await self._read("bars")
        return Bars(contract, period, tuple(self.book_bars[-most:]))

    def vitals(self) -> Vitals:
        return self.known

    def others(self, account: str) -> Others:
        return self.book_others.get(account, Others())

    def day(self, account: str) -> Day | None:
        return self.days.get(account)

    def changed(self, account: str | None) -> None:
        self.voided.append(account)

    def at_hand(self, account: str, contract: Contract) -> None:
        # Each of its facts is read.
        return None

    def age(self, account: str) -> timedelta | None:
        return self.ages.get(account, timedelta(0))

    def asked_at(self, positions: Sequence[Position], account: str | None) -> datetime | None:
        return None if self.asked_before is None else self.clock() - self.asked_before

    async def send(self, action: Action, *, deadline: datetime) -> Outcome:
        self.sent.append(action)
        self.times.append(self.clock())
        if self.surprise is not None:
            raise self.surprise
        if self.gate is not None and (not self.gated or type(action) in self.gated):
            await self.gate.wait()
        if self.outcomes:
            return self.outcomes.pop(0)
        kind = type(action)
        if kind in self.refusing:
            return self.refusing[kind]
        if kind in self.dawdling:
            self.under_way.append(action)
            return Accepted(None)
        order_id = self.carry_out(action)
        return Unknown("the connection was reset") if kind in self.losing else Accepted(order_id)

    def let_go(self) -> None:
        """Do what was taken and not done yet."""
        for action in self.under_way:
            self.carry_out(action)
        self.under_way.clear()

    def carry_out(self, action: Action) -> str | None:
        """Do what was asked, as NinjaTrader would; the id that CrossTrade answers."""
        match action:
            case Close():
                where = (action.account, action.contract)
                if action.is_whole:
                    self._cancel(*where)
                self._close(*where, action.terms.quantity * action.terms.side.sign)
                return None
            case Cancel():
                self.change(action.order_id, OrderState.CANCELLED)
                return action.order_id
            case Change():
                self._amend(action)
                return action.order_id
            case Replace():
                self.change(action.order_id, self.replaced, action.terms.quantity if self.replaced is OrderState.FILLED else 0)
                return self.book(action).id
            case Invert():
                self.book_positions[action.account, action.contract] *= -1
                return self.book(action, OrderState.FILLED, action.terms.quantity).id
            case Bracket():
                self._bracket(action)
                return None
            case Reverse() | PlaceOrder() | FlatPlace():
                return self.book(action).id
            case VerifiedReverse() | FlattenStrategy():
                raise TypeError(f"{type(action).__name__} is no call of the desk's")
            case _:
                self._mass_action(action)
                return None

    def _bracket(self, action: Bracket) -> None:
        self._cancel(action.account, action.contract)
        if action.target is not None:
            limit = Terms(action.terms.side, action.terms.quantity, OrderType.LIMIT, limit=action.target)
            self.book(replace(action, terms=limit))
        self.book(action)

    def _mass_action(self, action: MassCall) -> None:
        match action:
            case CloseStrategy():
                self._end_strategy(action)
            case CancelOrders(account, contract):
                self._cancel(account, contract)
            case CancelEverything():
                for name in self.book_accounts:
                    self._cancel(name, None)
            case FlattenAccount(account, contract, only):
                self._flatten(account, contract, only)
            case FlattenEverything():
                for name in self.book_accounts:
                    self._flatten(name, None, None)

    def _close(self, account: str, contract: Contract, signed: int) -> None:
        """Close by a market order, which leaves a row only where it doesn't fill at once."""
        if not self.shut and self.locked is None:
            self.book_positions[account, contract] += signed
            return
        order_id, side = f"close{len(self.book_orders) + 1}", Side.BUY if signed > 0 else Side.SELL
        self.book_orders.append(Order((order_id,), account, contract, side, OrderType.MARKET, OrderState.WORKING, abs(signed)))
        if self.locked is not None:
            note = OrderEvent("Rejected", "order_update", self.clock(), note=self.locked)
            self.shown.lives[order_id] = Lifecycle(account, (order_id,), (note,))
            self.clock.plan(1, lambda: self.change(order_id, OrderState.REJECTED))

    def open_market(self) -> None:
        """Let the market orders fill that have waited for it."""
        self.shut = False
        for order in self.book_orders:
            if order.type is OrderType.MARKET and order.remaining:
                self.book_positions[order.account, order.contract] += order.remaining * order.side.sign
                self.change(order.id, OrderState.FILLED, order.quantity)

    def _cancel(self, account: str, contract: Contract | None) -> None:
        for order in () if self.deaf else tuple(self.book_orders):
            if order.account == account and contract in {None, order.contract} and not order.state.is_done:
                self.change(order.id, OrderState.CANCELLED, order.filled)

    def _flatten(self, account: str, contract: Contract | None, only: Holding | None) -> None:
        if only is None:
            self._cancel(account, contract)
        for (name, there), quantity in list(self.book_positions.items()):
            if name == account and contract in {None, there} and (only is None or only.is_of(quantity)):
                self._cancel(account, there)
                self._close(name, there, -quantity)

    def _end_strategy(self, action: CloseStrategy) -> None:
        for order in [order for order in self.book_orders if order.owner == action.strategy_id and not order.state.is_done]:
            self.change(order.id, OrderState.CANCELLED, order.filled)
        ended = [one for one in self.shown.strategies if (one.account, one.id) == (action.account, action.strategy_id)]
        for strategy in ended:
            if self.locked is not None:
                self._close(action.account, strategy.contract or ES, -(strategy.quantity or 0))
                self.book_orders[-1] = replace(self.book_orders[-1], owner=action.strategy_id)
                continue
            self.shown.strategies.remove(strategy)
            if strategy.quantity:
                self.book_positions[action.account, strategy.contract or ES] -= strategy.quantity

    def _amend(self, intent: Change) -> None:
        terms = intent.terms
        for index, order in enumerate(self.book_orders):
            if intent.order_id in order.ids:
                self.book_orders[index] = replace(order, quantity=terms.quantity, limit=terms.limit, stop=terms.stop)

    def book(self, intent: Intent, state: OrderState = OrderState.WORKING, filled: int = 0) -> Order:
        """Put an order into the book as NinjaTrader would, without answering anybody."""
        if isinstance(intent, MassAction):
            raise TypeError("a mass action places no order")
        terms = intent.terms
        order = Order(
            ids=self.ids or (f"order{len(self.book_orders) + 1}",),
            account=intent.account,
            contract=intent.contract,
            side=terms.side,
            type=terms.type,
            state=state,
            quantity=terms.quantity,
            filled=filled,
            average_fill_price=self.last if filled else None,
            limit=terms.limit,
            stop=terms.stop,
            at=self.clock(),
        )
        self.book_orders.append(order)
        return order

    def change(self, order_id: str, state: OrderState, filled: int = 0) -> None:
        """Move an order on, and the position with its last fill."""
        for index, order in enumerate(self.book_orders):
            if order_id in order.ids:
                self.book_orders[index] = replace(
                    order, state=state, filled=filled, average_fill_price=self.last if filled else None
                )

    def rest(self, side: Side, quantity: int, account: str = "Sim101", contract: Contract = ES) -> Order:
        """A resting limit order of somebody's."""
        order_id = f"rest{len(self.book_orders) + 1}"
        order = Order((order_id,), account, contract, side, OrderType.LIMIT, OrderState.WORKING, quantity)
        self.book_orders.append(order)
        return order

    def forget_working(self) -> None:
        """Lose what works, which otherwise closes for ever where it is a market order against what is held."""
        self.book_orders.clear()

    def forget(self) -> None:
        """Lose all finished orders, as NinjaTrader prunes its list."""
        self.book_orders = [o for o in self.book_orders if not o.state.is_done]


@dataclass
class FakeMessenger:
    """A channel that remembers what it was shown.

    Attributes:
        failures: errors that the next deliveries raise, one each.
        gone: channels for notices that don't exist any more.
        unreachable: whether the channel of every ticket is gone, and direct messages are shut.
        unreached: tickets of which nobody could be told for that.
        sought: notices that were looked for before they were told, with since when.
        people: what Discord says of members' roles by now, where it isn't every role there is.
        people_asked: whose were asked for.
    """

    gone: set[int] = field(default_factory=set)
    unreachable: bool = False
    unreached: list[Ticket] = field(default_factory=list)
    hold_told: asyncio.Event | None = None
    sought: list[tuple[str, datetime]] = field(default_factory=list)
    shown: dict[str, list[Ticket]] = field(default_factory=dict)
    told: list[Notice] = field(default_factory=list)
    fallen_back: list[Ticket] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    next_message: int = 9000
    hold: asyncio.Event | None = None
    waiting: int = 0
    attached: bool = True
    known: ChatVitals = field(default_factory=lambda: ChatVitals(up=True, latency=0.05))
    people: dict[int, frozenset[int] | Exception | None] = field(default_factory=dict)
    people_asked: list[int] = field(default_factory=list)

    async def roles(self, guild: int, member: int) -> frozenset[int] | None:
        self.people_asked.append(member)
        found = self.people.get(member, EVERY_ROLE)
        if isinstance(found, Exception):
            raise found
        return found

    def vitals(self) -> ChatVitals:
        return self.known

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def show(self, ticket: Ticket, late: float) -> int | None:
        self._fail()
        if self.unreachable:
            raise DeliveryRefused("unknown channel")
        if self.hold is not None:
            self.waiting += 1
            await self.hold.wait()
        self.shown.setdefault(ticket.id, []).append(ticket)
        self.lateness.append(late)
        if ticket.message is None:
            self.next_message += 1
            return self.next_message
        return None

    async def tell(self, notice: Notice, delivery_id: int, late: float, perhaps_since: datetime | None = None) -> None:
        self._fail()
        if notice.channel in self.gone:
            raise DeliveryRefused("unknown channel")
        if self.hold_told is not None:
            self.waiting += 1
            await self.hold_told.wait()
        if perhaps_since is not None:
            self.sought.append((notice.text, perhaps_since))
        self.told.append(notice)

    async def fall_back(self, ticket: Ticket, late: float) -> None:
        self._fail()
        if self.unreachable:
            self.unreached.append(ticket)
            raise DeliveryRefused("no direct messages")
        self.fallen_back.append(ticket)

    def states(self, ticket_id: str) -> list[TicketState]:
        """The states that a ticket's card has shown."""
        return [ticket.state for ticket in self.shown.get(ticket_id, [])]


class FlakyJournal:
    """The real journal behind a disk that can be full.

    Attributes:
        failing: methods that raise just now.
        after: methods that do their work and raise all the same, as when the word of a commit is lost.
        faulty: methods that raise what nobody expects.
        answers_after: seconds from a method's work to its answer.
        recorded: the events that belong to no ticket.
        refused: how many calls have failed.
    """

    def __init__(self, real: SqlJournal) -> None:
        self.real = real
        self.failing: set[str] = set()
        self.after: set[str] = set()
        self.faulty: set[str] = set()
        self.answers_after: dict[str, float] = {}
        self.recorded: list[Event] = []
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        async def flaky(*given: Any, **named: Any) -> Any:
            if name in self.failing:
                self.refused += 1
                raise JournalError("The journal can't be written: the disk is full.")
            if name in self.faulty:
                raise ZeroDivisionError
            result = await method(*given, **named)
            await asyncio.sleep(self.answers_after.get(name, 0))
            if name == "record":
                self.recorded.append(given[0])
            if name in self.after:
                self.after.discard(name)
                raise JournalError("The journal didn't answer.")
            return result

        return flaky


async def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


__all__ = ["ES", "NOON", "BrokerError", "Clock", "FakeBroker", "FakeMessenger", "FlakyJournal", "JournalError", "eventually"]
