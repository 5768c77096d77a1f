"""The calls on orders that exist: cancel, change, replace, bracket. One function for each."""

from dataclasses import replace
from typing import Any

from .book import Account
from .calls import Ask
from .cancels import cancel_order
from .orders import Order, OrderType, Ticket, TimeInForce
from .tickets import entry_treatment, leg_fates, read_action, read_price, read_quantity, read_ticket
from .wire import ApiError, invalid_request


def _living_order(ask: Ask) -> Order:
    account, order_id = ask.account(), ask.args.required("orderId")
    order = ask.world.exchange.find(order_id)
    if order is None or order.ticket.account is not account or order.state.is_done:
        raise ApiError(400, f"Order linked to '{order_id}' not found or already terminal.", bare=True)
    return order


async def cancel(ask: Ask) -> dict[str, Any]:
    """POST orders/{orderId}/cancel: success says requested."""
    order = _living_order(ask)
    cancel_order(ask, order)
    return {"orderId": ask.args.required("orderId"), "success": True}


def _cancel_all(ask: Ask, orders: list[Order], others: list[Account]) -> dict[str, Any]:
    for order in orders:
        cancel_order(ask, order)
    beside = [number for account in others for number in account.cancel_others()]
    return {"orderIds": [*(order.id for order in orders), *beside], "success": True}


async def cancel_orders(ask: Ask) -> dict[str, Any]:
    """POST accounts/{a}/orders/cancel: all of the account, or of one instrument."""
    account, contract = ask.account(), ask.optional_contract()
    return _cancel_all(ask, ask.world.exchange.live_orders(account, contract), [account] if contract is None else [])


async def cancel_all_orders(ask: Ask) -> dict[str, Any]:
    """POST orders/cancelall: every account; under an account's path, that account (reply inferred)."""
    accounts = ask.world.accounts if ask.args.text("account") is None else [ask.account()]
    return _cancel_all(ask, [order for account in accounts for order in ask.world.exchange.live_orders(account)], accounts)


async def change(ask: Ask) -> dict[str, Any]:
    """PUT orders/{orderId}/change: size and prices only; a strategyId must be the order's own."""
    order = _living_order(ask)
    quantity = read_quantity(ask)
    limit, stop = read_price(ask, "limitPrice"), read_price(ask, "stopPrice")
    strategy_id = ask.args.text("strategyId")
    if strategy_id is not None and (order.owner is None or order.owner.id != strategy_id):
        raise ApiError(400, f"Order linked to '{order.id}' not found or already terminal.", bare=True)
    ask.world.exchange.change(order, quantity=quantity, limit=limit, stop=stop)
    return {"orderId": ask.args.required("orderId"), "success": True}


async def cancel_replace(ask: Ask) -> dict[str, Any]:
    """POST orders/{orderId}/replace: cancel, then place anew; the id is the new one. A finished order: 400 (inferred)."""
    order = _living_order(ask)
    ticket = read_ticket(ask.without("orderId"))
    cancel_order(ask, order)
    await ask.world.exchange.wait_until(lambda: order.state.is_done, ask.world.timing.close_wait)
    new = ask.world.exchange.submit(ticket, entry_treatment(ask))
    return {"orderId": new.id, "success": True}


async def cancel_and_bracket(ask: Ask) -> dict[str, Any]:
    """POST orders/cancel_and_bracket; takeProfit, stopLoss and the reply are inferred.

    `action` is the side of the position to protect. The size never exceeds the position; a position that goes flat
    meanwhile aborts; without a position from the start the legs are placed all the same.
    """
    exchange, account, contract = ask.world.exchange, ask.account(), ask.contract()
    exit_action, asked = read_action(ask).opposite, read_quantity(ask)
    target, stop = read_price(ask, "takeProfit"), read_price(ask, "stopLoss")
    held = abs(account.quantity(contract))
    if (target is None and stop is None) or (asked is None and not held):
        raise invalid_request()
    for order in exchange.live_orders(account, contract):
        cancel_order(ask, order)
    await exchange.wait_until(lambda: not exchange.live_orders(account, contract), ask.world.timing.close_wait)
    now = abs(account.quantity(contract))
    if held and not now:
        raise ApiError(400, "Position closed while waiting, bracket aborted", bare=True)
    quantity = min(asked or now, now) if now else asked or 0
    oco_id = ask.world.new_id()
    treatment = entry_treatment(ask)
    core = Ticket(account, contract, exit_action, OrderType.MARKET, quantity, TimeInForce.GTC, oco_id=oco_id)
    legs = []
    if target is not None:
        legs.append(replace(core, order_type=OrderType.LIMIT, limit=target))
    if stop is not None:
        legs.append(replace(core, order_type=OrderType.STOP_MARKET, stop=stop))
    placed, fates = [exchange.submit(leg, treatment) for leg in legs], leg_fates(ask)
    for order in placed:
        exchange.befall(order, fates)
    return {"orderIds": [order.id for order in placed], "ocoId": oco_id, "success": True}
