"""Messages of the reading commands, from what the desk has read. Which member may see what was decided before.

Each function gives the messages of one answer. A part that could not be read is said so, and never looks empty.
"""

from bot.chat.sheets._accounts import account, accounts, pnl
from bot.chat.sheets._fills import execution, executions
from bot.chat.sheets._health import health
from bot.chat.sheets._lists import orders, positions, strategies
from bot.chat.sheets._market import market, quotes
from bot.chat.sheets._story import order
from bot.chat.sheets._why import why

__all__ = [
    "account",
    "accounts",
    "execution",
    "executions",
    "health",
    "market",
    "order",
    "orders",
    "pnl",
    "positions",
    "quotes",
    "strategies",
    "why",
]
