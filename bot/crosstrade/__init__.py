"""The CrossTrade API for NinjaTrader 8, over REST and WebSocket; only ``bot.trading`` and the ground are known here."""

from bot.crosstrade.client import CrossTrade, Transport
from bot.crosstrade.link import Link

__all__ = ["CrossTrade", "Link", "Transport"]
