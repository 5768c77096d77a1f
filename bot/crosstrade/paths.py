"""Paths of the reads that only show something. Those of the reads that decisions need stand with the bodies in ``requests``.

Each is encoded, with its query, and was read on its endpoint's own page unless it says so. Each that takes an account or an id
raises ``ValueError`` for a name that no encoding keeps as one part of a path.
"""

from collections.abc import Sequence
from urllib.parse import quote

from bot.crosstrade.requests import API, account_path, order_path, segment
from bot.trading.orders.instruments import Contract, Root

# Lines of an order's lifecycle to ask for: CrossTrade's own default. With more, or fewer, fills may be left out of it.
LIFECYCLE_LINES = 200


def snapshot_path() -> str:
    """GET Accounts summary."""
    return f"{API}/accounts/snapshot"


def position_path(account: str, contract: Contract) -> str:
    """GET Get position; the path is singular."""
    return f"{account_path(account)}/position?{_instruments((contract,))}"


def all_positions_path() -> str:
    """GET All positions; flat ones are left out by default, and said to be."""
    return f"{API}/positions?includeFlat=false"


def all_orders_path(*, active_only: bool) -> str:
    """GET All orders; the path is inferred, and one official text says that there is none."""
    return f"{API}/orders?activeOnly={'true' if active_only else 'false'}"


def status_path(account: str, order_id: str) -> str:
    """GET Order status (path seen in the code of others)."""
    return f"{order_path(account, order_id)}/status"


def lifecycle_path(account: str, order_id: str) -> str:
    """GET Order lifecycle, with its fills; ``limit`` counts lines (default 200, 2000 at most)."""
    return f"{order_path(account, order_id)}/lifecycle?includeFills=true&includeRaw=false&limit={LIFECYCLE_LINES}"


def executions_of_path(account: str, order_id: str) -> str:
    """GET Executions by order; the path is inferred, no page names it."""
    return f"{order_path(account, order_id)}/executions"


def execution_path(account: str, execution_id: str) -> str:
    """GET Get execution; ``execution_id`` is part of the path, whatever the page calls it."""
    return f"{account_path(account)}/executions/{segment(execution_id)}"


def strategies_path(account: str) -> str:
    """GET List strategies (path seen in the code of others)."""
    return f"{account_path(account)}/strategies"


def quotes_path(instruments: Sequence[Contract]) -> str:
    """GET Quote, which is the market service's, for one or several instruments, separated by commas."""
    return f"{API}/market/quote?{_instruments(instruments)}"


def account_quotes_path(account: str, instruments: Sequence[Contract]) -> str:
    """GET Quote of an account, which the market service's has replaced; for one or several instruments, separated by commas."""
    return f"{account_path(account)}/quote?{_instruments(instruments)}"


def session_path(instrument: Contract | Root) -> str:
    """GET Market info; without an instrument it would speak of ES.

    A root is named as ``root``: as an instrument it may be a share (seen on others' installations).
    """
    named = f"root={quote(instrument.name, safe='')}" if isinstance(instrument, Root) else _instruments((instrument,))
    return f"{API}/market/info?{named}"


def watermarks_path(account: str) -> str:
    """GET Watermarks."""
    return f"{account_path(account)}/watermarks"


def templates_path() -> str:
    """GET ATM template names, which belong to no account (path seen in the code of others)."""
    return f"{API}/atm-templates"


def endpoints_path() -> str:
    """GET Endpoint catalogue."""
    return f"{API}/_endpoints"


def _instruments(instruments: Sequence[Contract]) -> str:
    return f"instrument={quote(','.join(map(str, instruments)), safe=',')}"
