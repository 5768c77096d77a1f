"""CrossTrade's replies, read into the words of ``bot.trading``: accounts, positions, orders, executions, quotes, sessions.

Tolerant where nothing is lost (unknown keys, flat or nested bodies, unknown states) and strict where something would be: a row
that can't be read makes the whole list unreadable, so that nothing reads as "flat" or "no order" by accident; what of it can be
read travels with the error, for those who take care of the rest. Units are settled here, by endpoint: prices and money become
exact numbers, ``epoch`` becomes aware UTC, and times without a zone mark are read only where the page says that they are UTC.
Pages go by the names of the table in ``endpoints``.

Every function that reads a reply raises ``BrokerGarbled`` for one that can't be read, or is of another account or contract than
the one that was asked for; ``moment`` raises nothing.
"""

from bot.crosstrade.wire._accounts import (
    read_account,
    read_accounts,
    read_all_positions,
    read_others,
    read_position,
    read_positions,
    read_snapshot,
    read_strategies,
    read_watermarks,
)
from bot.crosstrade.wire._market import read_endpoints, read_quote, read_quotes, read_session, read_templates
from bot.crosstrade.wire._orders import (
    read_all_orders,
    read_execution,
    read_executions,
    read_lifecycle,
    read_order,
    read_orders,
    read_other_fills,
    read_other_orders,
    read_status,
)
from bot.crosstrade.wire._values import moment

__all__ = [
    "moment",
    "read_account",
    "read_accounts",
    "read_all_orders",
    "read_all_positions",
    "read_endpoints",
    "read_execution",
    "read_executions",
    "read_lifecycle",
    "read_order",
    "read_orders",
    "read_other_fills",
    "read_other_orders",
    "read_others",
    "read_position",
    "read_positions",
    "read_quote",
    "read_quotes",
    "read_session",
    "read_snapshot",
    "read_status",
    "read_strategies",
    "read_templates",
    "read_watermarks",
]
