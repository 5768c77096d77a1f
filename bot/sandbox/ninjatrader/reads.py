"""The calls that only read: accounts, positions, orders, executions, market. One function for each."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from .book import Account, Execution, account_row, other_rows, position_row, side_word
from .calls import Ask
from .faults import Kind
from .orders import Order
from .past import moment, orders_at, positions_at
from .products import Contract
from .wire import ApiError, dotnet_offset, epoch_ms, invalid_request

LOOKBACK_DEFAULT, LOOKBACK_MAX = 320, 900
LIFECYCLE_DEFAULT, LIFECYCLE_MAX = 200, 2000


async def list_accounts(ask: Ask) -> dict[str, Any]:
    """GET accounts; the items are taken to be GetAccount's (inferred)."""
    market = ask.world.market
    return {"accounts": [account_row(account, market) for account in _shown(ask)], "success": True}


def _shown(ask: Ask) -> list[Account]:
    """The accounts that lists of all of them show."""
    connected = [account for account in ask.world.accounts if account.is_connected]
    return connected if len(connected) < len(ask.world.accounts) and ask.take(Kind.UNLISTED) else list(ask.world.accounts)


async def get_account(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}."""
    return {**account_row(ask.account(), ask.world.market), "success": True}


async def snapshot(ask: Ask) -> dict[str, Any]:
    """GET accounts/snapshot: every account with its open positions; no `success` in the sample."""
    world, now = ask.world, ask.world.clock()
    accounts: list[dict[str, Any]] = []
    for account in _shown(ask):
        held = account.open_positions()
        row = account_row(account, world.market)
        extra: dict[str, Any] = {"type": "NinjaTrader.Cbi.Account", "isAccountFlat": not held and not account.others}
        positions = [position_row(account, contract, one, world.market) for contract, one in held.items()]
        accounts.append({"account": {**row, **extra}, "positions": positions + other_rows(account)})
    return {"type": "snapshot", "timestamp": dotnet_offset(now), "epoch": epoch_ms(now), "accounts": accounts}


async def list_positions(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/positions; empty when flat (inferred)."""
    account, market = ask.account(), ask.world.market
    held_then = positions_at(ask, account, moment(ask))
    rows = [position_row(account, contract, held, market) for contract, held in held_then.items()]
    return {"positions": rows + other_rows(account), "success": True}


async def get_position(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/position; flat: 400, or a Flat object by switch (both inferred)."""
    account, contract = ask.account(), ask.contract()
    held = account.positions.get(contract)
    if held is not None and held.quantity:
        return {**position_row(account, contract, held, ask.world.market), "success": True}
    if not ask.take(Kind.FLAT_OBJECT):
        raise invalid_request()
    return {
        "type": "NinjaTrader.Cbi.Position",
        "account": account.name,
        "instrument": contract.name,
        "instrumentType": "Future",
        "marketPosition": "Flat",
        "quantity": 0,
        "averagePrice": Decimal(0),
        "marketPrice": ask.world.market.ticker(contract).last,
        "unrealizedProfitLoss": Decimal(0),
        "success": True,
    }


async def all_positions(ask: Ask) -> dict[str, Any]:
    """GET positions: every account's; here rows have a `tag`."""
    flat_too, at = ask.args.flag("includeFlat", default=False), moment(ask)
    rows = [
        {**position_row(account, contract, held, ask.world.market), "tag": None}
        for account in _shown(ask)
        for contract, held in (account.positions if at is None else positions_at(ask, account, at)).items()
        if flat_too or held.quantity
    ]
    rows += [{**row, "tag": None} for account in _shown(ask) for row in other_rows(account)]
    return {"positions": rows, "count": len(rows), "success": True}


def _listed(ask: Ask, orders: list[Order], accounts: list[Account]) -> dict[str, Any]:
    active_only = ask.args.flag("activeOnly", default=False)
    oldest = _oldest(ask)
    listed = [
        one for one in orders_at(orders, moment(ask)) if one.finished is None or (not active_only and one.finished > oldest)
    ]
    beside = [row for account in accounts for row in account.other_orders.values()]
    return {"orders": [*_rows(ask, listed), *beside], "success": True}


def _oldest(ask: Ask) -> datetime:
    """Give the time since when an order must have lived to be listed still."""
    rule = ask.take(Kind.PRUNED)
    return ask.world.clock() - timedelta(seconds=ask.world.timing.prune if rule is None else rule.seconds or 0)


def _rows(ask: Ask, orders: list[Order]) -> list[dict[str, Any]]:
    null_order_id, word = ask.take(Kind.NULL_ORDER_ID), ask.take(Kind.STATE_WORD)
    nameless, coarse = ask.take(Kind.NAMELESS), ask.take(Kind.COARSE)
    rows = []
    for order in orders:
        row = order.row()
        if null_order_id is not None:
            row["orderId"] = None
        if nameless is not None:
            del row["name"]
        if coarse is not None:
            row["epoch"] -= row["epoch"] % round((coarse.seconds or 1) * 1000)
        if word is not None and not order.state.is_done:
            row["orderState"] = word.body
        rows.append(row)
    return rows


async def list_orders(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/orders; finished orders stay for some minutes unless activeOnly."""
    account = ask.account()
    return _listed(ask, [order for order in ask.world.exchange.orders if order.ticket.account is account], [account])


async def all_orders(ask: Ask) -> dict[str, Any]:
    """GET orders: every account's (path inferred)."""
    return _listed(ask, ask.world.exchange.orders, ask.world.accounts)


def _order(ask: Ask) -> Order:
    account, order_id = ask.account(), ask.args.required("orderId")
    order = ask.world.exchange.find(order_id)
    is_pruned = order is not None and order.finished is not None and order.finished <= _oldest(ask)
    if order is None or order.ticket.account is not account or is_pruned:
        raise ApiError(404, "order_not_found", detail=f"Order {order_id} not found")
    return order


async def get_order(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/orders/{orderId}; 404 when no order answers to the id, or it has left the list (both inferred)."""
    (row,) = _rows(ask, [_order(ask)])
    return {**row, "success": True}


async def order_status(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/orders/{orderId}/status."""
    order = _order(ask)
    (row,) = _rows(ask, [order])
    return {"orderId": order.id, "status": row["orderState"], "success": True}


async def order_lifecycle(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/orders/{orderId}/lifecycle: the account is ignored; an unknown id has no events (inferred)."""
    ask.args.required("account")
    order_id = ask.args.required("orderId")
    fills = ask.args.flag("includeFills", default=True)
    ask.args.flag("includeRaw", default=False)
    limit = min(max(ask.args.integer("limit") or LIFECYCLE_DEFAULT, 1), LIFECYCLE_MAX)
    exchange = ask.world.exchange
    order = next((one for one in exchange.orders if order_id in (*one.ids, one.ticket.own_id, one.shown_id)), None)
    events = [] if order is None else order.lifecycle(fills=fills, limit=limit)
    return {
        "success": True,
        "orderId": order_id if order is None else order.id,
        "originalOrderId": None if order is None else order.ticket.own_id or next(reversed(order.earlier_ids), order.shown_id),
        "account": None if order is None else order.ticket.account.name,
        "count": len(events),
        "events": events,
    }


def _executions(executions: list[Execution]) -> dict[str, Any]:
    return {"executions": [execution.row() for execution in executions], "success": True}


async def list_executions(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/executions: the last `lookbackTime` seconds, 320 by default, 900 at most."""
    account = ask.account()
    asked = ask.args.integer("lookbackTime")
    seconds = LOOKBACK_DEFAULT if asked is None else min(max(asked, 0), LOOKBACK_MAX)
    oldest = ask.world.clock() - timedelta(seconds=seconds)
    found = [one for one in ask.world.exchange.executions if one.account is account and one.time >= oldest]
    reply = _executions(found)
    beside = [row for row in account.other_fills if row["epoch"] >= epoch_ms(oldest)]
    return reply | {"executions": [*reply["executions"], *beside]}


async def get_execution(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/executions/{executionId}."""
    account, execution_id = ask.account(), ask.args.required("executionId")
    for execution in ask.world.exchange.executions:
        if execution.id == execution_id and execution.account is account:
            return {**execution.row(), "success": True}
    raise ApiError(404, "execution_not_found", detail=f"Execution {execution_id} not found")


async def executions_by_order(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/orders/{orderId}/executions (path inferred)."""
    order = _order(ask)
    return _executions([one for one in ask.world.exchange.executions if one.order_id in order.ids])


def _quoted(ask: Ask) -> list[Contract]:
    spellings = [part for part in ask.args.required("instrument").split(",") if part.strip()]
    if not spellings:
        raise invalid_request()
    for spelling in filter(ask.world.is_no_month, spellings):
        raise ApiError(400, f"Market data unavailable for '{spelling}'", bare=True)
    return [ask.world.contract(spelling) for spelling in spellings]


async def quote(ask: Ask) -> object:
    """GET market/quote: one instrument gives an object, a comma list gives an array; no `success`."""
    if ask.args.text("account") is not None:
        return await legacy_quote(ask)
    now = ask.world.clock()
    quotes = [ask.world.market.quote(contract, now) for contract in _quoted(ask)]
    return quotes[0] if len(quotes) == 1 else quotes


async def legacy_quote(ask: Ask) -> object:
    """GET accounts/{a}/quote, deprecated: the older form, with `success`."""
    ask.account()
    now = ask.world.clock()
    quotes = [ask.world.market.legacy_quote(contract, now) for contract in _quoted(ask)]
    return quotes[0] if len(quotes) == 1 else quotes


async def market_info(ask: Ask) -> dict[str, Any]:
    """GET market/info; without an instrument it speaks of the ES front month. A bare root is one only as `root`."""
    named = ask.args.text("instrument")
    spelling = named or ask.args.text("root") or "ES"
    now = ask.world.clock()
    if named is not None and ask.world.is_no_month(named):
        return ask.world.market.hours.share_info(named, now)
    return ask.world.market.hours.info(ask.world.contract(spelling).name, now)


async def atm_templates(ask: Ask) -> dict[str, Any]:
    """GET atm-templates."""
    return {"success": True, "templates": [template.name for template in ask.world.templates]}


async def list_strategies(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/strategies: the running ones."""
    account, market = ask.account(), ask.world.market
    rows = []
    for strategy in ask.world.strategies.running():
        entry = strategy.entry
        if entry.ticket.account is not account:
            continue
        contract = entry.ticket.contract
        signed = strategy.open_quantity
        profit = (market.ticker(contract).last - entry.average) * signed * contract.product.point_value
        rows.append(
            {
                "id": strategy.owner.id,
                "account": account.name,
                "strategyName": strategy.owner.template,
                "displayName": strategy.owner.name,
                "position": side_word(signed),
                "quantity": abs(signed),
                "averagePrice": entry.average,
                "unrealizedPnl": profit,
            }
        )
    return {"strategies": rows, "success": True}


async def watermarks(ask: Ask) -> dict[str, Any]:
    """GET accounts/{a}/watermarks, from the cloud's own memory: both objects empty before the first P&L."""
    account, market = ask.account(), ask.world.market
    marks = account.marks
    if marks is None:
        return {"success": True, "data": {"account": account.name, "watermarks": {}, "stats": {}}}
    highs = {"pnlhigh": marks.pnl, "netliqhigh": marks.netliq, "unrealhigh": marks.unrealised}
    unrealised = account.unrealised(market)
    stats = {
        "pnl": account.realised,
        "total": account.realised + unrealised,
        "unrealized": unrealised,
        "poscount": len(account.open_positions()),
        "netliq": account.cash + unrealised,
        **highs,
    }
    return {"success": True, "data": {"account": account.name, "watermarks": highs, "stats": stats}}
