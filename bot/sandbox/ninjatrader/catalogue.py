"""The table of calls: name, method, path, handler. REST routes and RPC names both come from it."""

from typing import Any

from . import changes, history, reads, trades
from .calls import Ask, Call

_ACCOUNT = "accounts/{account}"
_ORDER = f"{_ACCOUNT}/orders/{{orderId}}"


async def _endpoints(_: Ask) -> dict[str, Any]:
    return {
        "success": True,
        "endpoints": [{"name": call.name, "method": call.method, "path": f"/v1/api/{call.path}"} for call in CALLS],
    }


CALLS: tuple[Call, ...] = (
    Call("ListAccounts", "GET", "accounts", reads.list_accounts),
    # Before GetAccount, or "snapshot" would be taken for an account's name.
    Call("GetAccountSummary", "GET", "accounts/snapshot", reads.snapshot),
    Call("GetAccount", "GET", _ACCOUNT, reads.get_account),
    Call("ListPositions", "GET", f"{_ACCOUNT}/positions", reads.list_positions),
    Call("GetPosition", "GET", f"{_ACCOUNT}/position", reads.get_position),
    Call("GetAllPositions", "GET", "positions", reads.all_positions),
    Call("ClosePosition", "POST", f"{_ACCOUNT}/positions/close", trades.close_position),
    Call("Flatten", "POST", f"{_ACCOUNT}/positions/flatten", trades.flatten),
    Call("FlattenEverything", "POST", "positions/flatten", trades.flatten_everything),
    Call("Reverse", "POST", f"{_ACCOUNT}/positions/reverse", trades.reverse),
    Call("ReversePosition", "POST", f"{_ACCOUNT}/positions/reverseposition", trades.reverse_position),
    Call("ListOrders", "GET", f"{_ACCOUNT}/orders", reads.list_orders),
    Call("GetAllOrders", "GET", "orders", reads.all_orders),
    Call("PlaceOrder", "POST", f"{_ACCOUNT}/orders/place", trades.place_order),
    Call("FlatPlace", "POST", f"{_ACCOUNT}/orders/flatplace", trades.flat_place),
    Call("CancelOrders", "POST", f"{_ACCOUNT}/orders/cancel", changes.cancel_orders),
    Call(
        "CancelAllOrders", "POST", "orders/cancelall", changes.cancel_all_orders,
        other_path=f"{_ACCOUNT}/orders/cancelall",
    ),
    Call("CancelAndBracket", "POST", f"{_ACCOUNT}/orders/cancel_and_bracket", changes.cancel_and_bracket, is_newer=True),
    Call("GetOrder", "GET", _ORDER, reads.get_order),
    Call("GetOrderStatus", "GET", f"{_ORDER}/status", reads.order_status),
    Call("GetOrderLifecycle", "GET", f"{_ORDER}/lifecycle", reads.order_lifecycle, is_newer=True),
    Call("GetExecutionsByOrderId", "GET", f"{_ORDER}/executions", reads.executions_by_order),
    Call("Cancel", "POST", f"{_ORDER}/cancel", changes.cancel, other_name="CancelOrder"),
    Call("Change", "PUT", f"{_ORDER}/change", changes.change),
    Call("CancelReplace", "POST", f"{_ORDER}/replace", changes.cancel_replace),
    Call("ListStrategies", "GET", f"{_ACCOUNT}/strategies", reads.list_strategies),
    Call("CloseStrategy", "POST", f"{_ACCOUNT}/strategies/{{strategyId}}/close", trades.close_strategy),
    Call("ListExecutions", "GET", f"{_ACCOUNT}/executions", reads.list_executions),
    Call("GetExecution", "GET", f"{_ACCOUNT}/executions/{{executionId}}", reads.get_execution),
    Call("GetQuote", "GET", "market/quote", reads.quote, is_newer=True),
    Call("GetAccountQuote", "GET", f"{_ACCOUNT}/quote", reads.legacy_quote),
    Call("MarketInfo", "GET", "market/info", reads.market_info, is_newer=True),
    Call("GetBars", "POST", "market/bars", history.bars, mutates=False, is_newer=True),
    Call("GetWatermarks", "GET", f"{_ACCOUNT}/watermarks", reads.watermarks, needs_addon=False),
    Call("ListAtmTemplates", "GET", "atm-templates", reads.atm_templates),
    Call("Endpoints", "GET", "_endpoints", _endpoints, needs_addon=False, has_rpc=False),
)  # fmt: skip

BY_NAME = {name: call for call in CALLS if call.has_rpc for name in (call.name, call.other_name) if name}
TRADING_NAMES = frozenset(call.name for call in CALLS if call.is_trading)
READING_NAMES = frozenset(call.name for call in CALLS if not call.is_trading)
