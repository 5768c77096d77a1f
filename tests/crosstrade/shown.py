"""Replies of the reads that only show something, as the vendor's pages have them."""

from typing import Any

from .test_wire import ACCOUNT, FILL, ORDER, QUOTE, ROW

SNAPSHOT: dict[str, Any] = {
    "type": "snapshot",
    "timestamp": "2025-03-10T07:53:13.0908809-07:00",
    "epoch": 1741618393090,
    "accounts": [{"account": ACCOUNT | {"type": "NinjaTrader.Cbi.Account", "isAccountFlat": False}, "positions": [ROW]}],
}
LIFECYCLE: dict[str, Any] = {
    "success": True,
    "orderId": "cb1f",
    "originalOrderId": "own-1",
    "account": "Sim101",
    "count": 2,
    "events": [
        {"timestamp": "2026-03-18T20:51:54.0000000Z", "epoch": 1773867114250.5, "source": "api_received", "event": "PlaceOrder"},
        {"epoch": 1773867115000, "source": "order_update", "event": "PartFilled", "filled": 1, "quantity": 3, "price": 5800.25},
    ],
}
SESSION: dict[str, Any] = {
    "success": True,
    "timestamp": "2026-03-18T20:46:29.0248281Z",
    "instrument": "ES 09-26",
    "timeZone": "Central Standard Time",
    "status": {"isOpen": True, "state": "Open"},
    "session": {
        "label": "Current Session",
        "utcStart": "2026-03-17T22:00:00.0000000Z",
        "utcEnd": "2026-03-18T21:00:00.0000000Z",
        "localStart": "2026-03-17 17:00:00",
        "localEnd": "2026-03-18 16:00:00",
        "countdown": "00:13:30",
        "action": "Until Close",
        "secondsRemaining": 810.9751719,
    },
    "upcoming": {"utcStart": "2026-03-18T22:00:00.0000000Z", "utcEnd": "2026-03-19T21:00:00.0000000Z"},
}
STRATEGY: dict[str, Any] = {
    "id": "334081723",
    "account": "Sim101",
    "strategyName": "Scalp",
    "displayName": "Scalp - 334081723",
    "position": "Short",
    "quantity": 2,
    "averagePrice": 5800.25,
    "unrealizedPnl": -12.5,
}
WATERMARKS: dict[str, Any] = {
    "success": True,
    "data": {
        "account": "Sim101",
        "watermarks": {"pnlhigh": 250.5, "netliqhigh": 100500, "unrealhigh": 0},
        "stats": {"pnl": 1.0, "total": 2.0, "poscount": 1},
    },
}
LEGACY = {name: value for name, value in QUOTE.items() if name not in {"epoch", "isMarketOpen", "tickValue"}} | {
    "quoteTime": "9/25/2025 9:51:03 AM",
    "success": True,
}
# Name of the read, the path that it must ask, and a good reply.
SHOWN: dict[str, tuple[str, Any]] = {
    "snapshot": ("/v1/api/accounts/snapshot", SNAPSHOT),
    "position": ("/v1/api/accounts/Sim101/position?instrument=ES%2009-26", ROW | {"success": True}),
    "all_positions": ("/v1/api/positions?includeFlat=false", {"positions": [ROW], "count": 1, "success": True}),
    "all_orders": ("/v1/api/orders?activeOnly=true", {"orders": [ORDER], "success": True}),
    "order_status": ("/v1/api/accounts/Sim101/orders/a%2Fb/status", {"status": "Working", "success": True}),
    "lifecycle": (
        "/v1/api/accounts/Sim101/orders/a%2Fb/lifecycle?includeFills=true&includeRaw=false&limit=200",
        LIFECYCLE,
    ),
    "executions_of": ("/v1/api/accounts/Sim101/orders/a%2Fb/executions", {"executions": [FILL], "success": True}),
    "execution": ("/v1/api/accounts/Sim101/executions/e%2F1", FILL | {"success": True}),
    "strategies": ("/v1/api/accounts/Sim101/strategies", {"strategies": [STRATEGY], "success": True}),
    "quotes": ("/v1/api/market/quote?instrument=ES%2009-26,NQ%2012-26", [QUOTE, QUOTE | {"instrument": "NQ 12-26"}]),
    "account_quotes": ("/v1/api/accounts/Sim101/quote?instrument=ES%2009-26", LEGACY),
    "session": ("/v1/api/market/info?instrument=ES%2009-26", SESSION),
    "watermarks": ("/v1/api/accounts/Sim101/watermarks", WATERMARKS),
    "atm_templates": ("/v1/api/atm-templates", {"success": True, "templates": ["Scalp", "MyAtmStrategy"]}),
    "endpoints": ("/v1/api/_endpoints", {"success": True, "endpoints": [{"method": "get", "path": "/v1/api/accounts"}]}),
}
