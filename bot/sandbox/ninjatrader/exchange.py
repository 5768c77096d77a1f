"""Order life and matching: from Initialized to its end, against the moving price. No wire forms, no arguments."""

import asyncio
import itertools
from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal

from .book import Account, Execution
from .market import Market, Ticker
from .orders import LIMITS, STOPS, Action, Befalls, Fate, Order, Owner, State, Ticket, Treatment
from .products import Contract
from .timing import Timing

NORMAL = Treatment()


class Scheduler:
    """Things to do later, all of which can be called off."""

    def __init__(self) -> None:
        """Start with nothing to do."""
        self._handles: set[asyncio.TimerHandle] = set()
        self.stopped = False

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something in `seconds`, unless stopped before."""

        def run() -> None:
            self._handles.discard(handle)
            action()

        if not self.stopped:
            handle = asyncio.get_running_loop().call_later(seconds, run)
            self._handles.add(handle)

    def stop(self) -> None:
        """Call everything off, for good."""
        self.stopped = True
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()


class Exchange:
    """All orders ever, all executions ever, and what happens to them."""

    def __init__(
        self,
        market: Market,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        timing: Timing,
        templates: Collection[str],
    ) -> None:
        """Start with empty books."""
        self.orders: list[Order] = []
        self.executions: list[Execution] = []
        self.timing = timing
        self.templates = templates
        self.scheduler = Scheduler()
        self.listeners: list[Callable[[Order, Execution | None], None]] = []
        self._market = market
        self._clock = clock
        self._new_id = new_id
        self._used_ids: set[str] = set()
        self._resolved_ocos: set[str] = set()
        self._changed = asyncio.Event()
        self._broker_ids = itertools.count(676_173_541_025)

    def live_orders(self, account: Account, contract: Contract | None = None) -> list[Order]:
        """Give the orders that are not done, of one contract or of all."""
        return [
            order
            for order in self.orders
            if order.ticket.account is account and not order.state.is_done and contract in (None, order.ticket.contract)
        ]

    def find(self, order_id: str) -> Order | None:
        """Find an order by any id it answers to; a re-used id finds the order that had it first."""
        return next((order for order in self.orders if order.answers_to(order_id)), None)

    async def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a state of the books; False when it did not come in time."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def submit(self, ticket: Ticket, treatment: Treatment = NORMAL, *, owner: Owner | None = None) -> Order:
        """Place an order. It is Submitted when this returns; everything else, rejection too, comes later."""
        order = self._entered(ticket, treatment, owner)
        self._move(order, State.SUBMITTED)
        reason = self._reason_to_reject(order)
        if ticket.own_id is not None:
            self._used_ids.add(ticket.own_id)
        if reason is not None or treatment.reject_after is not None:
            wait = self.timing.reject if treatment.reject_after is None else treatment.reject_after
            self.scheduler.after(wait, lambda: self._reject(order, reason or treatment.reject_text))
        else:
            self.scheduler.after(self.timing.step, lambda: self._accept(order))
        return order

    def rest(self, ticket: Ticket) -> Order:
        """Put an order on the book that has been there for a while: it rests, and fills when its price comes."""
        order = self._entered(ticket, NORMAL, None)
        for state in (State.SUBMITTED, State.ACCEPTED, *(() if ticket.order_type in STOPS else (State.WORKING,))):
            self._move(order, state)
        order.ready = True
        return order

    def _entered(self, ticket: Ticket, treatment: Treatment, owner: Owner | None) -> Order:
        order = self._new_order(ticket, treatment, owner)
        self.orders.append(order)
        order.record(self._clock(), "api_received", "PlaceOrder", orderAction=ticket.action.value)
        order.record(self._clock(), "order_update", State.INITIALIZED.value, filled=0, quantity=order.quantity)
        return order

    def _new_order(self, ticket: Ticket, treatment: Treatment, owner: Owner | None) -> Order:
        own_id = ticket.own_id
        if own_id is None or (treatment.own_id_lost and ticket.strategy is None):
            own_id = self._new_id()
        return Order(
            id=self._new_id(),
            ticket=ticket,
            shown_id=own_id,
            created=self._clock(),
            quantity=ticket.quantity,
            limit=ticket.limit,
            stop=ticket.stop,
            treatment=treatment,
            owner=owner,
        )

    def _reason_to_reject(self, order: Order) -> str | None:
        ticket, tick = order.ticket, order.ticket.contract.product.tick
        quote = self._market.ticker(ticket.contract)
        if not ticket.account.is_connected:
            return "The account's connection is down."
        if ticket.own_id in self._used_ids:
            return "The order id was used before."
        if ticket.oco_id and ticket.oco_id in self._resolved_ocos:
            return "The OCO id was used before."
        if ticket.strategy is not None and ticket.strategy not in self.templates:
            return "There is no such ATM strategy template."
        if any(price % tick for price in (ticket.limit, ticket.stop)):
            return "The price is not on the tick."
        if ticket.order_type in STOPS and _is_triggered(order, quote):
            return "A stop order cannot be placed on the wrong side of the market."
        return None

    def _move(self, order: Order, state: State) -> None:
        order.move(state, self._clock())
        self._tell(order, None)

    def _tell(self, order: Order, execution: Execution | None) -> None:
        for listener in self.listeners:
            listener(order, execution)
        self._changed.set()
        self._changed = asyncio.Event()

    def _reject(self, order: Order, reason: str) -> None:
        if not order.state.is_done:
            order.record(self._clock(), "error", "Rejected", message=reason)
            self._move(order, State.REJECTED)

    def _accept(self, order: Order) -> None:
        if order.state is not State.SUBMITTED:
            return
        if order.treatment.id_changes:
            order.rename(str(next(self._broker_ids)))
        self._move(order, State.ACCEPTED)
        if order.ticket.order_type in STOPS:
            self._let_fill(order, self._fill_delay(order))
        else:
            self.scheduler.after(self.timing.step, lambda: self._work(order))

    def _work(self, order: Order) -> None:
        if order.state is State.ACCEPTED:
            self._move(order, State.WORKING)
            self._let_fill(order, self._fill_delay(order))

    def _fill_delay(self, order: Order) -> float:
        return self.timing.fill if order.treatment.fill_after is None else order.treatment.fill_after

    def _let_fill(self, order: Order, seconds: float) -> None:
        def ready() -> None:
            order.ready = True
            self._match(order)

        self.scheduler.after(seconds, ready)

    def match_all(self) -> None:
        """Try every live order against the prices of now."""
        for order in tuple(self.orders):
            self._match(order)

    def _match(self, order: Order) -> None:
        if not order.ready or order.state.is_done or not self._market.hours.is_open(self._clock()):
            return
        quote = self._market.ticker(order.ticket.contract)
        kind = order.ticket.order_type
        if kind in STOPS and not order.triggered:
            if not _is_triggered(order, quote):
                return
            order.triggered = True
            if order.state is State.ACCEPTED:
                self._move(order, State.WORKING)
        buys = order.ticket.action is Action.BUY
        price = quote.ask if buys else quote.bid
        if kind in LIMITS and (price > order.limit if buys else price < order.limit):
            return
        self._fill(order, price)

    def _fill(self, order: Order, price: Decimal) -> None:
        ticket = order.ticket
        size = min(order.remaining, order.treatment.chunk or order.remaining)
        signed = size * ticket.action.sign
        order.average = (order.average * order.filled + price * size) / (order.filled + size)
        order.filled += size
        ticket.account.apply(ticket.contract, signed, price)
        held = ticket.account.quantity(ticket.contract)
        now = self._clock()
        execution = Execution(
            self._new_id(), order.id, ticket.account, ticket.contract, ticket.name or "Entry", signed, price, held, now
        )
        self.executions.append(execution)
        order.record(now, "fill", "Execution", executionId=execution.id, price=float(price), quantity=size)
        if order.remaining:
            order.ready = False
            if order.state is not State.CANCEL_PENDING:
                order.move(State.PART_FILLED, now)
            every = order.treatment.chunk_every
            self._let_fill(order, self.timing.fill if every is None else every)
        else:
            order.move(State.FILLED, now)
        self._tell(order, execution)
        self._resolve_oco(order)

    def cancel(self, order: Order, *, stays: bool = False) -> None:
        """Ask for a cancel; until it is confirmed, which never happens where it `stays`, the order can still fill."""
        if order.state.is_done or order.state is State.CANCEL_PENDING:
            return
        self._move(order, State.CANCEL_PENDING)
        if stays:
            return
        self.scheduler.after(self.timing.step, lambda: self._cancelled(order))

    def _cancelled(self, order: Order) -> None:
        if not order.state.is_done:
            self._move(order, State.CANCELLED)
            self._resolve_oco(order)

    def change(self, order: Order, *, quantity: int | None, limit: Decimal | None, stop: Decimal | None) -> None:
        """Change size or prices; a resting order is ChangePending for a step and can fill meanwhile."""
        before = order.state

        def changed() -> None:
            if order.state.is_done:
                return
            order.quantity = max(order.quantity if quantity is None else quantity, order.filled)
            order.limit = order.limit if limit is None else limit
            order.stop = order.stop if stop is None else stop
            if not order.remaining:
                self._move(order, State.FILLED)
                self._resolve_oco(order)
            elif order.state is State.CHANGE_PENDING:
                self._move(order, before)

        if order.is_resting:
            self._move(order, State.CHANGE_PENDING)
            self.scheduler.after(self.timing.step, changed)
        else:
            changed()

    def befall(self, order: Order, fates: Collection[Fate]) -> None:
        """Let something become of a stop or a target some time after it was placed, in whatever state it is then."""
        for fate in fates:
            if fate.befalls is Befalls.REJECTED and fate.is_of(order.ticket.order_type):
                self.scheduler.after(fate.seconds, lambda: self._reject(order, "Order rejected by the broker."))
            elif fate.befalls is Befalls.CANCELLED and fate.is_of(order.ticket.order_type):
                self.scheduler.after(fate.seconds, lambda: self.cancel(order))

    def _resolve_oco(self, order: Order) -> None:
        oco_id, account = order.ticket.oco_id, order.ticket.account
        if not oco_id or not order.state.is_done:
            return
        self._resolved_ocos.add(oco_id)
        for other in self.live_orders(account):
            if other.ticket.oco_id == oco_id and other is not order:
                self.cancel(other)


def _is_triggered(order: Order, quote: Ticker) -> bool:
    return quote.last >= order.stop if order.ticket.action is Action.BUY else quote.last <= order.stop
