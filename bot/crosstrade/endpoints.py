"""Every endpoint of CrossTrade's API for NinjaTrader 8, in one table: what it is called, where it is, and what uses it.

Only a table: the client's paths are built in ``requests`` and ``paths``, its calls in ``calls``. A test holds them to it, and to
the simulator's catalogue, the registered commands and ``docs/endpoints.md``. Sources: the vendor's page of each endpoint; what no
page names says so.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

_ACCOUNT = "accounts/{account}"
_ORDER = f"{_ACCOUNT}/orders/{{orderId}}"


class Trust(StrEnum):
    """Source from which a name or a path was read."""

    PAGE = "page"
    """On the endpoint's own page."""
    INDEX = "index"
    """In the vendor's index of tools only, which are said to bear the same names."""
    NOTES = "notes"
    """In looser texts of the vendor's only."""
    OTHERS = "others"
    """In the code of others."""
    INFERRED = "inferred"
    """Nowhere: it follows from its neighbours."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of them.

    Attributes:
        number: in the order of the vendor's sections.
        method, path: of REST; the path is under ``/v1/api``, with names in braces.
        rpc: name of the WebSocket's RPC, ``None`` where none was seen. Reads travel by REST whatever it is.
        rpc_from, path_from: where those were read.
        is_write: whether it changes the world.
        client: the client's method for a read; for a write, the command of the intent that becomes this call.
        commands: the slash commands that use it.
    """

    number: int
    name: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    rpc: str | None
    rpc_from: Trust
    client: str
    commands: tuple[str, ...]
    path_from: Trust = Trust.PAGE
    is_write: bool = False


_PAGE, _INDEX, _NOTES, _OTHERS, _INFERRED = Trust.PAGE, Trust.INDEX, Trust.NOTES, Trust.OTHERS, Trust.INFERRED


def _read(
    number: int,
    name: str,
    path: str,
    rpc: tuple[str | None, Trust],
    client: str,
    *commands: str,
    path_from: Trust = _PAGE,
    method: Literal["GET", "POST"] = "GET",
) -> Endpoint:
    return Endpoint(number, name, method, path, *rpc, client, commands, path_from)


def _write(
    number: int,
    name: str,
    path: str,
    rpc: tuple[str | None, Trust],
    client: str,
    *commands: str,
    path_from: Trust = _PAGE,
    method: Literal["POST", "PUT"] = "POST",
) -> Endpoint:
    return Endpoint(number, name, method, path, *rpc, client, commands or (client,), path_from, is_write=True)


ENDPOINTS: tuple[Endpoint, ...] = (
    _read(
        1, "List accounts", "accounts", ("ListAccounts", _INDEX), "accounts", "accounts", "pnl", "positions", "orders", "health"
    ),
    _read(2, "Accounts summary", "accounts/snapshot", ("GetAccountSummary", _INDEX), "snapshot", "accounts", "pnl"),
    _read(3, "Get account", _ACCOUNT, ("GetAccount", _INDEX), "account", "account"),
    _read(4, "List positions", f"{_ACCOUNT}/positions", ("ListPositions", _INDEX), "positions", "positions"),
    _read(5, "Get position", f"{_ACCOUNT}/position", ("GetPosition", _PAGE), "position", "positions"),
    _read(6, "All positions", "positions", ("GetAllPositions", _PAGE), "all_positions", "positions", "health"),
    _write(7, "Close position", f"{_ACCOUNT}/positions/close", ("ClosePosition", _PAGE), "close"),
    _write(8, "Flatten account", f"{_ACCOUNT}/positions/flatten", ("Flatten", _PAGE), "flatten"),
    _write(9, "Flatten everything", "positions/flatten", ("FlattenEverything", _PAGE), "flatten"),
    _write(10, "Reverse", f"{_ACCOUNT}/positions/reverse", ("Reverse", _PAGE), "reverse"),
    _write(11, "Reverse position", f"{_ACCOUNT}/positions/reverseposition", ("ReversePosition", _PAGE), "reverse"),
    _read(12, "List orders", f"{_ACCOUNT}/orders", ("ListOrders", _INDEX), "orders", "orders", "order"),
    _read(13, "All orders", "orders", ("GetAllOrders", _INDEX), "all_orders", "orders", path_from=_INFERRED),
    _read(14, "Get order", _ORDER, ("GetOrder", _INDEX), "order", "order"),
    _read(15, "Order status", f"{_ORDER}/status", ("GetOrderStatus", _INDEX), "order_status", "order", path_from=_OTHERS),
    _read(16, "Order lifecycle", f"{_ORDER}/lifecycle", ("GetOrderLifecycle", _INDEX), "lifecycle", "order"),
    _write(17, "Place order", f"{_ACCOUNT}/orders/place", ("PlaceOrder", _PAGE), "place"),
    _write(18, "Flat place order", f"{_ACCOUNT}/orders/flatplace", ("FlatPlace", _INDEX), "flatplace"),
    _write(19, "Cancel order", f"{_ORDER}/cancel", ("Cancel", _PAGE), "cancel"),
    _write(20, "Cancel orders", f"{_ACCOUNT}/orders/cancel", ("CancelOrders", _PAGE), "cancel"),
    _write(21, "Cancel all orders", "orders/cancelall", ("CancelAllOrders", _INDEX), "cancel", path_from=_NOTES),
    _write(22, "Change order", f"{_ORDER}/change", ("Change", _PAGE), "modify", method="PUT"),
    _write(23, "Replace order", f"{_ORDER}/replace", ("CancelReplace", _INDEX), "replace"),
    _write(24, "Cancel and bracket", f"{_ACCOUNT}/orders/cancel_and_bracket", ("CancelAndBracket", _INDEX), "bracket"),
    _read(
        25,
        "List strategies",
        f"{_ACCOUNT}/strategies",
        ("ListStrategies", _INFERRED),
        "strategies",
        "strategies",
        "flatten",
        path_from=_OTHERS,
    ),
    _write(
        26,
        "Close strategy",
        f"{_ACCOUNT}/strategies/{{strategyId}}/close",
        ("CloseStrategy", _PAGE),
        "flatten",
    ),
    _read(27, "List executions", f"{_ACCOUNT}/executions", ("ListExecutions", _INDEX), "executions", "executions", "order"),
    _read(28, "Get execution", f"{_ACCOUNT}/executions/{{executionId}}", (None, _INFERRED), "execution", "executions"),
    _read(
        29,
        "Executions by order",
        f"{_ORDER}/executions",
        ("GetExecutionsByOrderId", _INDEX),
        "executions_of",
        "order",
        path_from=_INFERRED,
    ),
    _read(30, "Quote", "market/quote", ("GetQuote", _NOTES), "quotes", "quote"),
    _read(31, "Quote of an account", f"{_ACCOUNT}/quote", ("GetQuote", _PAGE), "account_quotes", "quote"),
    _read(32, "Market info", "market/info", ("MarketInfo", _INFERRED), "session", "market", "quote", "chart"),
    _read(33, "Historical bars", "market/bars", ("GetBars", _NOTES), "bars", "chart", method="POST"),
    _read(34, "Watermarks", f"{_ACCOUNT}/watermarks", ("GetWatermarks", _PAGE), "watermarks", "account"),
)
# Beside the 34 that trade and tell: the names of templates, and CrossTrade's word on what it serves.
BESIDE: tuple[Endpoint, ...] = (
    _read(35, "Endpoint catalogue", "_endpoints", (None, _INFERRED), "endpoints"),
    _read(36, "ATM template names", "atm-templates", (None, _INFERRED), "atm_templates", "strategies", path_from=_OTHERS),
)
