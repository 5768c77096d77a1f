"""Hand-written stand-ins at the desk's ports. They keep state and can be told to fail; nothing here is patched."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.desk.ports import Event, Notice
from bot.errors import BrokerError, BrokerUnreachable, JournalError
from bot.journal.store import SqlJournal
from bot.trading.facts import Account, Execution, Order, Position, Quote
from bot.trading.instruments import Contract, Root
from bot.trading.intents import Cancel, Change, Close, Intent
from bot.trading.orders import OrderState, OrderType, Side
from bot.trading.outcomes import Accepted, Outcome
from bot.trading.tickets import Ticket, TicketState

ES = Contract("ES", 2026, 9)
NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeBroker:
    """A broker with a book of its own.

    Attributes:
        sent: every write that reached it, in order.
        outcomes: what the next writes answer; when empty, an order is booked and accepted.
        gate: when set to an event, a write waits for it before it answers.
        failing: names of reads that fail just now.
    """

    clock: Clock
    book_accounts: dict[str, Account] = field(default_factory=dict)
    book_positions: dict[tuple[str, Contract], int] = field(default_factory=dict)
    book_orders: list[Order] = field(default_factory=list)
    book_executions: list[Execution] = field(default_factory=list)
    book_templates: list[str] = field(default_factory=lambda: ["Scalp", "Two legs"])
    sent: list[Intent] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    gate: asyncio.Event | None = None
    reading: asyncio.Event | None = None
    failing: set[str] = field(default_factory=set)
    last: Decimal = Decimal(5800)
    quote_age: float = 0.0
    quote_changes: dict[str, object] = field(default_factory=dict)
    reads: int = 0
    surprise: Exception | None = None

    def __post_init__(self) -> None:
        for name, provider in (("Sim101", "Simulator"), ("Sim102", "Simulator"), ("Apex-001", "Rithmic")):
            self.book_accounts[name] = Account(name, provider, connected=True, realised=Decimal(0), unrealised=Decimal(0))
        self.book_positions["Sim101", ES] = -2
        self.book_positions["Apex-001", ES] = -2

    async def _read(self, what: str) -> None:
        self.reads += 1
        if self.reading is not None:
            await self.reading.wait()
        await asyncio.sleep(0)
        if what in self.failing:
            raise BrokerUnreachable(f"no answer for {what}")

    async def accounts(self) -> Sequence[Account]:
        await self._read("accounts")
        return list(self.book_accounts.values())

    async def account(self, name: str) -> Account:
        await self._read("account")
        return self.book_accounts[name]

    async def positions(self, account: str) -> Sequence[Position]:
        await self._read("positions")
        return [Position(a, c, q, Decimal(5790)) for (a, c), q in self.book_positions.items() if a == account and q]

    async def orders(self, account: str, *, active_only: bool) -> Sequence[Order]:
        await self._read("orders")
        return [o for o in self.book_orders if o.account == account and not (active_only and o.state.is_done)]

    async def order(self, account: str, order_id: str) -> Order | None:
        await self._read("order")
        return next((o for o in self.book_orders if o.account == account and order_id in o.ids), None)

    async def executions(self, account: str) -> Sequence[Execution]:
        await self._read("executions")
        return [e for e in self.book_executions if e.account == account]

    async def quote(self, instrument: Contract | Root) -> Quote:
        await self._read("quote")
        contract = instrument if isinstance(instrument, Contract) else Contract(instrument.name, 2026, 9)
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

    async def atm_templates(self) -> Sequence[str]:
        await self._read("templates")
        return list(self.book_templates)

    async def send(self, intent: Intent, *, deadline: datetime) -> Outcome:
        self.sent.append(intent)
        if self.surprise is not None:
            raise self.surprise
        if self.gate is not None:
            await self.gate.wait()
        if self.outcomes:
            return self.outcomes.pop(0)
        return Accepted(self.carry_out(intent))

    def carry_out(self, intent: Intent) -> str | None:
        """Do what was asked, as NinjaTrader would; the id that CrossTrade answers."""
        match intent:
            case Close():
                where = (intent.account, intent.contract)
                self.book_positions[where] += intent.terms.quantity * intent.terms.side.sign
                return None
            case Cancel():
                self.change(intent.order_id, OrderState.CANCELLED)
                return intent.order_id
            case Change():
                self._amend(intent)
                return intent.order_id
            case _:
                return self.book(intent).id

    def _amend(self, intent: Change) -> None:
        terms = intent.terms
        for index, order in enumerate(self.book_orders):
            if intent.order_id in order.ids:
                self.book_orders[index] = replace(order, quantity=terms.quantity, limit=terms.limit, stop=terms.stop)

    def book(self, intent: Intent, state: OrderState = OrderState.WORKING, filled: int = 0) -> Order:
        """Put an order into the book as NinjaTrader would, without answering anybody."""
        terms = intent.terms
        order = Order(
            ids=(f"order{len(self.book_orders) + 1}",),
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

    def rest(self, side: Side, quantity: int, account: str = "Sim101") -> Order:
        """A resting limit order of somebody's."""
        order = Order((f"rest{len(self.book_orders) + 1}",), account, ES, side, OrderType.LIMIT, OrderState.WORKING, quantity)
        self.book_orders.append(order)
        return order

    def forget(self) -> None:
        """Lose all finished orders, as NinjaTrader prunes its list."""
        self.book_orders = [o for o in self.book_orders if not o.state.is_done]


@dataclass
class FakeMessenger:
    """A channel that remembers what it was shown.

    Attributes:
        failures: errors that the next deliveries raise, one each.
    """

    shown: dict[str, list[Ticket]] = field(default_factory=dict)
    told: list[Notice] = field(default_factory=list)
    fallen_back: list[Ticket] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    next_message: int = 9000
    hold: asyncio.Event | None = None
    waiting: int = 0
    attached: bool = True

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def show(self, ticket: Ticket, late: float) -> int | None:
        self._fail()
        if self.hold is not None:
            self.waiting += 1
            await self.hold.wait()
        self.shown.setdefault(ticket.id, []).append(ticket)
        self.lateness.append(late)
        if ticket.message is None:
            self.next_message += 1
            return self.next_message
        return None

    async def tell(self, notice: Notice, delivery_id: int, late: float) -> None:
        self._fail()
        self.told.append(notice)

    async def fall_back(self, ticket: Ticket, late: float) -> None:
        self._fail()
        self.fallen_back.append(ticket)

    def states(self, ticket_id: str) -> list[TicketState]:
        """The states that a ticket's card has shown."""
        return [ticket.state for ticket in self.shown.get(ticket_id, [])]


class FlakyJournal:
    """The real journal behind a disk that can be full.

    Attributes:
        failing: methods that raise just now.
        after: methods that do their work and raise all the same, as when the word of a commit is lost.
        recorded: the events that belong to no ticket.
    """

    def __init__(self, real: SqlJournal) -> None:
        self.real = real
        self.failing: set[str] = set()
        self.after: set[str] = set()
        self.recorded: list[Event] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        async def flaky(*given: Any, **named: Any) -> Any:
            if name in self.failing:
                raise JournalError("The journal can't be written: the disk is full.")
            result = await method(*given, **named)
            if name == "record":
                self.recorded.append(given[0])
            if name in self.after:
                self.after.discard(name)
                raise JournalError("The journal didn't answer.")
            return result

        return flaky


async def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


__all__ = ["ES", "NOON", "BrokerError", "Clock", "FakeBroker", "FakeMessenger", "FlakyJournal", "JournalError", "eventually"]
