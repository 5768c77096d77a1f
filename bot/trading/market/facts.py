"""Facts that the desk has read from CrossTrade, in our words: accounts, positions, orders, executions, quotes.

The units are settled here once: prices and money in the account's currency are ``Decimal``, times are aware UTC, a
position's quantity is signed. What was not read or not sent by CrossTrade is ``None``, which the rules treat as missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.trading.market.funds import Funds
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms

# NinjaTrader's own simulated connections; whatever else provides an account may be real money.
SIMULATED_PROVIDERS = frozenset({"simulator", "playback"})

# An account's profit and loss of the day goes back to zero then (seen in a public log of a real installation).
SINCE = "since 18:00 New York"


@dataclass(frozen=True, slots=True)
class Account:
    """An account in NinjaTrader.

    Attributes:
        name: NT8 account name in its canonical case (not the display name).
        provider: who provides it; "Simulator" for NinjaTrader's own simulation.
        connected: whether NinjaTrader says that its connection is up.
        realised, unrealised: profit and loss of the day (that it is the day's is inferred) and of what is open, in the account's
            currency; negative is a loss.
        cash: what it holds in cash, in the account's currency.
        funds: margins and the like; ``None`` when nothing of them was told.
    """

    name: str
    provider: str | None = None
    connected: bool | None = None
    realised: Decimal | None = None
    unrealised: Decimal | None = None
    cash: Decimal | None = None
    funds: Funds | None = None

    @property
    def is_simulation(self) -> bool:
        """Tell whether the broker's side says that this is not real money; an unknown provider is real money."""
        return self.provider is not None and self.provider.casefold() in SIMULATED_PROVIDERS

    @property
    def day_result(self) -> Decimal | None:
        """Realised plus unrealised in the account's currency, negative for a loss; ``None`` when either is missing."""
        return None if self.realised is None or self.unrealised is None else self.realised + self.unrealised


@dataclass(frozen=True, slots=True)
class Day:
    """An account's profit and loss of the day as it stood at a moment (WebSocket page; item keys inferred).

    Attributes:
        realised, unrealised: in the account's currency; negative is a loss.
        at: UTC; when CrossTrade pushed it, by the frame's ``epoch`` in milliseconds, or that of receipt where none was told.
    """

    realised: Decimal
    unrealised: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """An open position (GET List positions, mid).

    Attributes:
        quantity: contracts, signed, long positive; on the wire it has no sign.
        average_price: price at which it was opened, in price units.
        unrealised: its open result, in the account's currency; negative is a loss.
    """

    account: str
    contract: Contract
    quantity: int
    average_price: Decimal | None = None
    unrealised: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OtherPosition:
    """An open position in something that is no future, such as a share; the desk trades none, and CrossTrade's flatten closes it.

    Attributes:
        instrument, kind: in NinjaTrader's words.
        quantity: signed, long positive; ``None`` where it can't be read.
    """

    account: str
    instrument: str
    kind: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """An order of something that is no future; the desk can't trade it, and CrossTrade's call over the account cancels it.

    Attributes:
        instrument, kind: in NinjaTrader's words.
        side: in NinjaTrader's word; ``None`` where it isn't told.
        quantity: of the whole order, no sign; ``None`` where it can't be read.
        state: a state that isn't known may still work.
        id: the one to show; ``None`` where it can't be read.
    """

    account: str
    instrument: str
    kind: str
    side: str | None
    quantity: int | None
    state: OrderState
    id: str | None


@dataclass(frozen=True, slots=True)
class OtherFill:
    """A fill of something that is no future; the desk shows it while CrossTrade tells it, and keeps no record.

    Attributes:
        instrument, kind: in NinjaTrader's words.
        side: of the fill; ``None`` where it isn't told.
        quantity: no sign; ``None`` where it can't be read.
        price: per share or unit; ``None`` where it can't be read.
    """

    account: str
    instrument: str
    kind: str
    side: Side | None
    quantity: int | None
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Others:
    """Positions, orders and fills of an account that are no futures, each by the newest list that told of it.

    Attributes:
        orders: those that may still fill.
    """

    positions: tuple[OtherPosition, ...] = ()
    orders: tuple[OtherOrder, ...] = ()
    fills: tuple[OtherFill, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """An order as NinjaTrader has it (GET Get order, old; the later fields seen in the code of others).

    Attributes:
        ids: every id that the row carries, the one to show first; an order's id may change in its life.
        type: ``None`` for one that CrossTrade can't place, and where none was told.
        quantity: contracts of the whole order, no sign.
        filled: contracts, no sign; above 0 also in an order that was cancelled after a part.
        average_fill_price, limit, stop: price units; ``None`` for none, which is 0 on the wire.
        at: UTC, by the row's ``epoch`` (milliseconds, inferred); of what in the order's life is not documented.
        owner: id of the ATM strategy that it belongs to, where it belongs to one and NinjaTrader says so.
        template: name of that strategy's template, likewise.
        name: what NinjaTrader calls it, such as ``Close`` or ``Stop1``; ``None`` for none.
    """

    ids: tuple[str, ...]
    account: str
    contract: Contract
    side: Side
    type: OrderType | None
    state: OrderState
    quantity: int
    filled: int = 0
    average_fill_price: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    oco: str | None = None
    at: datetime | None = None
    owner: str | None = None
    template: str | None = None
    name: str | None = None

    @property
    def id(self) -> str:
        """The id to show."""
        return self.ids[0]

    @property
    def remaining(self) -> int:
        """The contracts that may still fill, without a sign; NinjaTrader doesn't send it."""
        return 0 if self.state.is_done else max(self.quantity - self.filled, 0)


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill (GET List executions, old).

    Attributes:
        order_id: as NinjaTrader has it, which may not be the one that the order was placed with.
        side: of the fill (inferred from its ``marketPosition``).
        quantity: contracts, at least 1, no sign.
        price: price units.
        at: UTC, by the fill's ``epoch`` in milliseconds; its ``time`` is local.
    """

    id: str
    order_id: str | None
    account: str
    contract: Contract
    side: Side
    quantity: int
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of a contract (GET Quote, mid; the older GET Quote of an account; or ``marketData`` of the WebSocket page).

    Attributes:
        tick_size: smallest price step, in price units.
        point_value: money per whole point and contract, in the contract's currency (inferred).
        bid, ask, last: price units; ``None`` for none, which is 0 on the wire (inferred).
        at: UTC; the time of the quote, not of the reading, by its ``epoch`` in seconds. Of a pushed quote that of receipt, as
            the push tells none; ``None`` for the older quote, which has none that can be read.
        market_open: as CrossTrade says; ``None`` where it doesn't, as in the older quote.
        ahead: how far its stamp lies ahead of now, where that is more than clocks may differ; then ``at`` is ``None``.
    """

    contract: Contract
    tick_size: Decimal
    point_value: Decimal
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime | None
    market_open: bool | None = None
    ahead: timedelta | None = None

    @property
    def tick_value(self) -> Decimal:
        """Money per tick and contract, in the contract's currency."""
        return self.tick_size * self.point_value

    def age(self, now: datetime) -> float | None:
        """Seconds since the quote; never negative, so that a clock slightly ahead isn't an error."""
        return None if self.at is None else max((now - self.at).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Strategy:
    """An ATM strategy that runs in NinjaTrader (GET List strategies; seen in the code of others, unverified).

    Attributes:
        id: what closing it takes.
        name: of the template or the strategy.
        label: NinjaTrader's display name.
        contract: seldom told.
        quantity: contracts that it holds, signed, long positive; ``None`` when that was not told.
        average_price: price at which they were opened, in price units.
        unrealised: its open result, in the account's currency; negative is a loss.
    """

    id: str
    account: str
    name: str | None = None
    label: str | None = None
    contract: Contract | None = None
    quantity: int | None = None
    average_price: Decimal | None = None
    unrealised: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was read for one decision; a part that could not be read is ``None`` and named in ``missing``.

    Attributes:
        positions: every position of the account. An empty tuple was read as such; ``None`` is unknown.
        orders: the working orders of the account.
        missing: what could not be read, with the reason in plain words.
        front: the front month of the contract's root, as last heard of NinjaTrader; ``None`` while that isn't known.
        guessed: the root's front month by the calendar, where NinjaTrader was asked and didn't tell it.
        others: what is held that is no future; a flatten of the account closes it, one of a side may leave it.
        other_orders: working orders of what is no future, where a mass action is to cancel them.
        running: the ATM strategies that run in the account; ``None`` where they weren't asked for, or could not be read.
        unchecked: names of ATM templates of which nobody could read whether NinjaTrader has them.
    """

    account: Account | None
    positions: tuple[Position, ...] | None
    orders: tuple[Order, ...] | None
    quote: Quote | None
    missing: tuple[str, ...] = field(default=())
    front: Contract | None = None
    running: tuple[Strategy, ...] | None = None
    unchecked: frozenset[str] = frozenset()
    guessed: Contract | None = None
    others: tuple[OtherPosition, ...] = ()
    other_orders: tuple[OtherOrder, ...] = ()

    def position(self, contract: Contract) -> Position | None:
        """The open position in that contract, if the list was read and holds one."""
        return next((p for p in self.positions or () if p.contract == contract and p.quantity), None)

    def working(self, contract: Contract) -> tuple[Order, ...]:
        """The orders of that contract that may still fill, as far as the list was read."""
        return tuple(order for order in self.orders or () if order.contract == contract and order.remaining)

    def order(self, order_id: str) -> Order | None:
        """The order that carries that id, finished or not, if the list was read and holds one."""
        return next((order for order in self.orders or () if order_id in order.ids), None)


def net(positions: Iterable[Position], contract: Contract) -> int:
    """The signed position in a contract, over all rows that are about it."""
    return sum(each.quantity for each in positions if each.contract == contract)


def terms_of(order: Order) -> Terms:
    """The terms of an order as listed; a type that couldn't be read goes by the prices that the order has."""
    by_prices = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOPMARKET,
        (True, True): OrderType.STOPLIMIT,
    }
    kind = order.type or by_prices[order.limit is not None, order.stop is not None]
    return Terms(
        order.side,
        order.quantity,
        kind,
        limit=order.limit if kind.has_limit else None,
        stop=order.stop if kind.has_stop else None,
        oco=order.oco,
    )
