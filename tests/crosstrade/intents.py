"""Intents and times that the tests share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Reverse
from bot.trading.orders.terms import Side, Terms

ES = Contract("ES", 2026, 9)


def reverse(account: str = "Sim101", contract: Contract = ES, side: Side = Side.BUY, quantity: int = 1, **more: Any) -> Reverse:
    """Make the intent of ``/reverse``."""
    return Reverse(account, contract, Terms(side, quantity, **more))


def soon(seconds: float = 5.0) -> datetime:
    """Give a deadline."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
