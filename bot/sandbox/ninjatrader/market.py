"""Prices: a seeded random walk on each contract's tick, and the quote forms. No orders, no trading hours of its own."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from .hours import Hours
from .products import Contract
from .wire import NT8_ZONE

NO_FEED: Mapping[str, Any] = {"status": "None", "connectedFeeds": []}
"""Inferred: only the form with a live feed is documented."""
_PRICE_KEYS = ("bid", "ask", "last", "open", "high", "low", "close", "volume")


@dataclass(slots=True)
class Ticker:
    """One contract's prices now, all on the tick; `close` is the prior session's.

    `age` (seconds) makes quotes look that old; without `has_feed` they show zeros, as NT8 without data does (inferred).
    """

    contract: Contract
    last: Decimal
    bid: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    frozen: bool = False
    age: float = 0.0
    has_feed: bool = True

    @property
    def ask(self) -> Decimal:
        """One tick above the bid, always."""
        return self.bid + self.contract.product.tick

    def trade(self, price: Decimal, *, at_bid: bool, size: int) -> None:
        """Print a trade; the book moves with it."""
        self.last = price
        self.bid = price if at_bid else price - self.contract.product.tick
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.volume += size


class Market:
    """All tickers, made when first asked for. The same seed gives the same walk for each contract."""

    def __init__(self, seed: int, hours: Hours) -> None:
        """Start with no ticker and nothing frozen."""
        self.hours = hours
        self.frozen = False
        self._seed = seed
        self._tickers: dict[Contract, Ticker] = {}
        self._dice: dict[Contract, random.Random] = {}

    def ticker(self, contract: Contract) -> Ticker:
        """Give the contract's ticker, making it at its first use."""
        if contract not in self._tickers:
            self._tickers[contract] = self._new_ticker(contract)
        return self._tickers[contract]

    def _new_ticker(self, contract: Contract) -> Ticker:
        dice = self._dice[contract] = random.Random(f"{self._seed} {contract.name}")
        product = contract.product
        opening = product.tick * _opening_ticks(contract, self._seed)
        prior = opening + product.tick * dice.randint(-40, 40)
        return Ticker(contract, opening, opening - product.tick, opening, opening, opening, prior, dice.randint(20_000, 200_000))

    def step(self) -> None:
        """Move every price that is not frozen by at most two ticks."""
        if self.frozen:
            return
        for contract, ticker in self._tickers.items():
            dice = self._dice[contract]
            move = dice.choice((-2, -1, -1, 0, 0, 0, 1, 1, 2))
            price = max(ticker.last + move * contract.product.tick, 10 * contract.product.tick)
            at_bid, size = dice.random() < 0.5, dice.randint(1, 25)
            if not ticker.frozen:
                ticker.trade(price, at_bid=at_bid, size=size)

    def set_price(self, contract: Contract, price: Decimal) -> None:
        """Put the last price somewhere, rounded to the tick; the bid is there too, the ask one tick above."""
        tick = contract.product.tick
        self.ticker(contract).trade(round(price / tick) * tick, at_bid=True, size=1)

    def quote(self, contract: Contract, now: datetime) -> dict[str, Any]:
        """Answer market/quote for one contract: `epoch` in SECONDS, `quoteTime` in the PC's own zone."""
        now -= timedelta(seconds=self.ticker(contract).age)
        utc = now.astimezone(UTC)
        return {
            **self._head(contract),
            "tickValue": contract.product.tick_value,
            "exchange": contract.product.exchange,
            "expiration": contract.first_day.isoformat(),
            **self._prices(contract),
            "quoteTime": f"{now.astimezone(NT8_ZONE):%m/%d/%Y %I:%M:%S %p}",
            "quoteTimeUtc": f"{utc:%Y-%m-%d %H:%M:%S}",
            "epoch": int(now.timestamp()),
            "dataSource": {"status": "Live", "connectedFeeds": ["Live"]} if self.ticker(contract).has_feed else dict(NO_FEED),
            "isMarketOpen": self.hours.is_open(now),
        }

    def legacy_quote(self, contract: Contract, now: datetime) -> dict[str, Any]:
        """Answer the account's old quote: the same core, times in the PC's culture."""
        local = (now - timedelta(seconds=self.ticker(contract).age)).astimezone(NT8_ZONE)
        day = contract.first_day
        return {
            **self._head(contract),
            "exchange": contract.product.exchange,
            "expiration": f"{day.month}/{day.day}/{day.year} 12:00:00 AM",
            **self._prices(contract),
            "quoteTime": f"{local.month}/{local.day}/{local.year} {local.hour % 12 or 12}:{local:%M:%S %p}",
            "success": True,
        }

    def _head(self, contract: Contract) -> dict[str, Any]:
        product = contract.product
        return {
            "description": product.description,
            "type": "Future",
            "tickSize": product.tick,
            "pointValue": product.point_value,
        }

    def _prices(self, contract: Contract) -> dict[str, Any]:
        ticker = self.ticker(contract)
        head = {"tradingHours": contract.product.hours, "instrument": contract.name}
        return head | {key: getattr(ticker, key) if ticker.has_feed else Decimal(0) for key in _PRICE_KEYS}


def _opening_ticks(contract: Contract, seed: int) -> int:
    """Give the first price in ticks: a micro opens where its big brother does, later months a little higher."""
    product = contract.product
    ticks = int(product.price / product.tick)
    months = (contract.year - 2026) * 12 + contract.month
    family = random.Random(f"{seed} {product.root.removeprefix('M')}")
    return (ticks + family.randint(-ticks // 200, ticks // 200)) * (1000 + 2 * months) // 1000
