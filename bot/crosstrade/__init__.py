"""The CrossTrade API for NinjaTrader 8, over REST and WebSocket; only ``bot.trading`` and the ground are known here."""

from bot.crosstrade.client import CrossTrade
from bot.crosstrade.link import Link
from bot.transport import Transport

__all__ = ["CrossTrade", "Link", "Transport"]
