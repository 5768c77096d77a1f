"""Accounts, positions, executions: who holds what, at which average, and what it has earned. No orders, no matching."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from .market import Market
from .products import Contract
from .wire import dotnet_local, epoch_ms

ZERO = Decimal(0)
CONNECTED = "Connected"


@dataclass(frozen=True, slots=True)
class Holding:
    """A position to start with: `quantity` is signed; without `average` it is the price at the start."""

    instrument: str
    quantity: int
    average: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Resting:
    """A working order to start with: `quantity` is signed, above zero buys.

    It lies `ticks` from the price at the start, above it or below zero below: a limit where a limit order can wait, else a stop.
    """

    instrument: str
    quantity: int
    ticks: int
    oco_id: str = ""


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account to start with; provider "Simulator" is a simulation, anything else is a live broker."""

    name: str
    provider: str = "Simulator"
    cash: Decimal = Decimal(100_000)
    holdings: tuple[Holding, ...] = ()
    orders: tuple[Resting, ...] = ()


DEFAULT_ACCOUNTS = (
    AccountSpec("Sim101", holdings=(Holding("ES 09-26", -2), Holding("MES 12-25", 1))),
    AccountSpec("Sim102"),
    AccountSpec("Apex-001", provider="Rithmic", cash=Decimal(50_000), holdings=(Holding("MNQ", 1),)),
)


@dataclass(slots=True)
class Position:
    """Net contracts, signed (long above zero), and their average price."""

    quantity: int = 0
    average: Decimal = ZERO

    def apply(self, signed: int, price: Decimal, point_value: Decimal) -> Decimal:
        """Book a fill and return the profit it realised, in dollars."""
        held = self.quantity
        self.quantity = held + signed
        if held == 0 or (held > 0) == (signed > 0):
            self.average = (self.average * abs(held) + price * abs(signed)) / abs(self.quantity)
            return ZERO
        closed = min(abs(held), abs(signed))
        earned = (price - self.average) * closed * (1 if held > 0 else -1) * point_value
        if self.quantity == 0:
            self.average = ZERO
        elif (self.quantity > 0) != (held > 0):
            self.average = price
        return earned


@dataclass(slots=True)
class Marks:
    """An account's highest values since the start, as the cloud's monitor keeps them."""

    pnl: Decimal
    netliq: Decimal
    unrealised: Decimal


@dataclass(slots=True)
class Account:
    """One account's books; amounts in dollars."""

    number: int
    name: str
    provider: str
    cash: Decimal
    positions: dict[Contract, Position] = field(default_factory=dict)
    realised: Decimal = ZERO
    marks: Marks | None = None
    connection: str = CONNECTED
    others: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Holdings in no contract of ours, by their names: type and signed quantity."""

    other_orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Working orders of no contract of ours, as rows of the list, by their id."""
    stuck_others: set[str] = field(default_factory=set)
    """Those of them that no call cancels."""
    other_fills: list[dict[str, Any]] = field(default_factory=list)
    """Fills of no contract of ours, as rows of the list."""

    def cancel_others(self) -> list[str]:
        """Cancel the working orders of no contract of ours, but for those that are stuck; their ids."""
        gone = [number for number in self.other_orders if number not in self.stuck_others]
        for number in gone:
            del self.other_orders[number]
        return gone

    @property
    def is_connected(self) -> bool:
        """True while NT8 has a link to the account's broker."""
        return self.connection == CONNECTED

    @property
    def is_simulation(self) -> bool:
        """True for NT8's own simulator."""
        return self.provider == "Simulator"

    def quantity(self, contract: Contract) -> int:
        """Give the signed net position, 0 when flat."""
        position = self.positions.get(contract)
        return 0 if position is None else position.quantity

    def open_positions(self) -> dict[Contract, Position]:
        """Give the positions that are not flat."""
        return {contract: position for contract, position in self.positions.items() if position.quantity}

    def apply(self, contract: Contract, signed: int, price: Decimal) -> None:
        """Book a fill: position, realised profit and cash."""
        position = self.positions.setdefault(contract, Position())
        earned = position.apply(signed, price, contract.product.point_value)
        self.realised += earned
        self.cash += earned

    def unrealised(self, market: Market) -> Decimal:
        """Give the open profit at the last prices."""
        return sum((open_profit(contract, held, market) for contract, held in self.open_positions().items()), ZERO)

    def mark(self, market: Market) -> None:
        """Raise the high-water marks where they are passed."""
        unrealised = self.unrealised(market)
        pnl, netliq = self.realised + unrealised, self.cash + unrealised
        marks = self.marks or Marks(pnl, netliq, unrealised)
        self.marks = Marks(max(marks.pnl, pnl), max(marks.netliq, netliq), max(marks.unrealised, unrealised))


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill. `signed` is what was bought (above zero) or sold, `held` the signed position after it."""

    id: str
    order_id: str
    account: Account
    contract: Contract
    name: str
    signed: int
    price: Decimal
    held: int
    time: datetime

    def row(self) -> dict[str, Any]:
        """Give the documented item: `epoch` in milliseconds, `time` local to the PC; the tail is inferred."""
        return {
            "id": self.id,
            "type": "NinjaTrader.Cbi.Execution",
            "time": dotnet_local(self.time),
            "epoch": epoch_ms(self.time),
            "name": self.name,
            "orderId": self.order_id,
            "account": self.account.name,
            "serverName": "NinjaTrader" if self.account.is_simulation else self.account.provider,
            "instrument": self.contract.name,
            "instrumentType": "Future",
            "position": abs(self.held),
            "marketPosition": "Long" if self.signed > 0 else "Short",
            "positionStrategy": 0,
            "price": self.price,
            "quantity": abs(self.signed),
            "commission": ZERO,
            "rate": Decimal(1),
        }


def open_profit(contract: Contract, position: Position, market: Market) -> Decimal:
    """Give a position's profit at the last price, in dollars."""
    last = market.ticker(contract).last
    return (last - position.average) * position.quantity * contract.product.point_value


def side_word(quantity: int) -> str:
    """Give NT8's marketPosition for a signed quantity."""
    return "Long" if quantity > 0 else "Short" if quantity < 0 else "Flat"


def other_rows(account: Account) -> list[dict[str, Any]]:
    """Give positions that are no futures, or in what nobody can read, as rows of the list."""
    return [
        {
            "type": "NinjaTrader.Cbi.Position",
            "account": account.name,
            "instrument": name,
            "instrumentType": kind,
            "marketPosition": side_word(quantity),
            "quantity": abs(quantity),
            "averagePrice": Decimal(100),
            "marketPrice": Decimal(100),
            "unrealizedProfitLoss": ZERO,
        }
        for name, (kind, quantity) in account.others.items()
    ]


def position_row(account: Account, contract: Contract, position: Position, market: Market) -> dict[str, Any]:
    """Give the documented position object: quantity unsigned, direction only in `marketPosition`."""
    return {
        "type": "NinjaTrader.Cbi.Position",
        "account": account.name,
        "instrument": contract.name,
        "instrumentType": "Future",
        "marketPosition": side_word(position.quantity),
        "quantity": abs(position.quantity),
        "averagePrice": position.average,
        "marketPrice": market.ticker(contract).last,
        "unrealizedProfitLoss": open_profit(contract, position, market),
    }


_ZERO_ITEMS = (
    "buyingPower", "cashValue", "commission", "dailyLossLimit", "dailyProfitTrigger", "excessInitialMargin",
    "excessIntradayMargin", "excessMaintenanceMargin", "excessPositionMargin", "fee", "grossRealizedProfitLoss",
    "initialMargin", "intradayMargin", "longOptionValue", "longStockValue", "lookAheadMaintenanceMargin",
    "maintenanceMargin", "netLiquidation", "netLiquidationByCurrency", "positionMargin", "realizedProfitLoss",
    "shortOptionValue", "shortStockValue", "sodCashValue", "sodLiquidatingValue", "totalCashBalance",
    "trailingMaxDrawdown", "unrealizedProfitLoss", "weeklyLossLimit", "weeklyProfitLoss", "weeklyProfitTrigger",
)  # fmt: skip


def _account_item(account: Account, market: Market) -> dict[str, Any]:
    unrealised = account.unrealised(market)
    netliq = account.cash + unrealised
    margin = sum((abs(held.quantity) * contract.product.margin for contract, held in account.open_positions().items()), ZERO)
    # As the wire has it, as there are many of these.
    needed, left, realised = float(margin), float(netliq - margin), float(account.realised)
    return dict.fromkeys(_ZERO_ITEMS, 0.0) | {
        "buyingPower": max(left, 0.0),
        "cashValue": float(account.cash),
        "excessInitialMargin": left,
        "excessIntradayMargin": left,
        "excessMaintenanceMargin": left,
        "excessPositionMargin": left,
        "grossRealizedProfitLoss": realised,
        "initialMargin": needed,
        "maintenanceMargin": needed,
        "netLiquidation": float(netliq),
        "realizedProfitLoss": realised,
        "unrealizedProfitLoss": float(unrealised),
    }


def account_row(account: Account, market: Market) -> dict[str, Any]:
    """Give the documented account object, without `success`."""
    return {
        "id": account.number,
        "name": account.name,
        "displayName": account.name,
        "primaryUser": None,
        "provider": account.provider,
        "denomination": "UsDollar",
        "status": "Enabled",
        "dailyLossLimit": ZERO,
        "minCashValue": ZERO,
        "maxOrderSize": 0,
        "maxPositionSize": 0,
        "connection": "NinjaTrader.Cbi.Connection",
        "connectionStatus": account.connection,
        "lastTransactionSum": ZERO,
        "item": _account_item(account, market),
    }
