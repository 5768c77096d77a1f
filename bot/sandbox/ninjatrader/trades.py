"""The calls that close and place: positions/*, orders/place and flatplace, strategies/close. One function for each."""

import math
from dataclasses import replace
from typing import Any

from .book import Account, other_rows, position_row
from .calls import Ask
from .cancels import cancel_order
from .faults import Kind
from .orders import Action, Order, OrderType, Ticket, TimeInForce, Treatment
from .products import Contract
from .tickets import check_conditions, close_treatment, entry_treatment, read_quantity, read_ticket
from .wire import ApiError, invalid_request

CLOSE_NAME = "Close"


def _market_order(account: Account, contract: Contract, signed: int, name: str) -> Ticket:
    action = Action.BUY if signed > 0 else Action.SELL
    return Ticket(account, contract, action, OrderType.MARKET, abs(signed), TimeInForce.DAY, name=name)


def _no_position(account: Account, contract: Contract) -> ApiError:
    sentence = f"No position found for instrument '{contract.name}' in account '{account.name.lower()}'"
    return ApiError(400, sentence, bare=True)


def _running_close(ask: Ask, account: Account, contract: Contract) -> Order | None:
    live = ask.world.exchange.live_orders(account, contract)
    return next((order for order in live if order.ticket.name == CLOSE_NAME), None)


def _close_out(ask: Ask, account: Account, contract: Contract, treatment: Treatment) -> list[Order]:
    """Flatten as NT8 does: cancel the instrument's orders, close at market; a close already running is joined.

    Returns the orders that it cancels.
    """
    exchange = ask.world.exchange
    blind = ask.take(Kind.BLIND_CLOSE) is not None
    running = None if blind else _running_close(ask, account, contract)
    cancelled = [] if blind else [order for order in exchange.live_orders(account, contract) if order is not running]
    for order in cancelled:
        cancel_order(ask, order)
    held = account.quantity(contract)
    if held and running is None:
        exchange.submit(_market_order(account, contract, -held, CLOSE_NAME), treatment)
    return cancelled


async def _cleared(ask: Ask, account: Account, contract: Contract) -> bool:
    exchange = ask.world.exchange

    def is_clear() -> bool:
        return not account.quantity(contract) and not exchange.live_orders(account, contract)

    return await exchange.wait_until(is_clear, ask.world.timing.close_wait)


def _placed(ask: Ask, ticket: Ticket) -> dict[str, Any]:
    order = ask.world.exchange.submit(ticket, entry_treatment(ask))
    return {"orderId": ticket.own_id or order.id, "success": True}


async def place_order(ask: Ask) -> dict[str, Any]:
    """POST orders/place: 200 says submitted, not filled, not even accepted."""
    ticket = read_ticket(ask)
    check_conditions(ask, ticket.account, ticket.contract)
    return _placed(ask, ticket)


async def flat_place(ask: Ask) -> dict[str, Any]:
    """POST orders/flatplace: close what there is, then place, whether or not there was anything."""
    ticket = read_ticket(ask)
    _close_out(ask, ticket.account, ticket.contract, close_treatment(ask))
    await _cleared(ask, ticket.account, ticket.contract)
    return _placed(ask, ticket)


async def reverse_position(ask: Ask) -> dict[str, Any]:
    """POST positions/reverseposition: close, wait about 5 s for flat, place ANYWAY. Without a position: 400, nothing."""
    ticket = read_ticket(ask)
    if not ticket.account.quantity(ticket.contract):
        raise _no_position(ticket.account, ticket.contract)
    _close_out(ask, ticket.account, ticket.contract, close_treatment(ask))
    await _cleared(ask, ticket.account, ticket.contract)
    return _placed(ask, ticket)


async def reverse(ask: Ask) -> dict[str, Any]:
    """POST positions/reverse: the same size on the other side."""
    account, contract = ask.account(), ask.contract()
    held = account.quantity(contract)
    if not held:
        raise _no_position(account, contract)
    _close_out(ask, account, contract, close_treatment(ask))
    await _cleared(ask, account, contract)
    return _placed(ask, _market_order(account, contract, -held, "Reverse"))


def _closing_treatment(ask: Ask, account: Account) -> Treatment:
    return replace(entry_treatment(ask, closes=True, account=account.name), fill_after=close_treatment(ask).fill_after)


def _close_size(ask: Ask, held: int) -> int | None:
    """Give the size of a partial close, None for all: `percent` is a fraction 0..1, rounded up as binary (inferred)."""
    size, percent = read_quantity(ask), ask.args.number("percent")
    if size is None and percent is not None:
        if not 0 < percent <= 1:
            raise invalid_request()
        size = math.ceil(abs(held) * float(percent))
    return None if size is None or size >= abs(held) else size


async def close_position(ask: Ask) -> dict[str, Any]:
    """POST positions/close: the reply shows the position as it was; a partial close leaves other orders alone."""
    account, contract = ask.account(), ask.contract()
    held = account.positions.get(contract)
    if held is None or not held.quantity:
        raise ApiError(400, f"No positions found for instrument '{contract.name}'", bare=True)
    size = _close_size(ask, held.quantity)
    newest, unsure = ask.take(Kind.CLOSE_FIELDS) is not None, ask.take(Kind.CLOSE_UNSURE)
    if newest and _running_close(ask, account, contract):
        raise ApiError(409, "close_in_progress")
    if unsure is not None and not unsure.effect:
        raise ApiError(409, "close_needs_reconciliation")
    before = position_row(account, contract, held, ask.world.market)
    if size is None:
        _close_out(ask, account, contract, _closing_treatment(ask, account))
    else:
        signed = -size if held.quantity > 0 else size
        ask.world.exchange.submit(_market_order(account, contract, signed, "Partial close"), _closing_treatment(ask, account))
    if unsure is not None:
        raise ApiError(409, "close_needs_reconciliation", done=True)
    reply = {"closedPositions": [before], "success": True}
    return reply | (await _close_fields(ask, account, contract, size or before["quantity"]) if newest else {})


async def _close_fields(ask: Ask, account: Account, contract: Contract, size: int) -> dict[str, Any]:
    goal = abs(account.quantity(contract)) - size
    verified = await ask.world.exchange.wait_until(lambda: abs(account.quantity(contract)) <= goal, ask.world.timing.close_wait)
    left = max(abs(account.quantity(contract)) - goal, 0)
    return {"pending": not verified, "verified": verified, "remainingQuantity": left}


def _flatten(ask: Ask, accounts: list[Account], contract: Contract | None, side: str | None) -> dict[str, Any]:
    """Close all that match and cancel their orders; without a `side`, also orders where there is no position."""
    resting_stays = ask.take(Kind.RESTING_STAYS) is not None
    closed: list[dict[str, Any]] = []
    cancelled: list[Order] = []
    for account in accounts:
        touched = {order.ticket.contract for order in ask.world.exchange.live_orders(account)}
        for one in sorted(touched | set(account.open_positions()), key=lambda each: each.name):
            held = account.positions.get(one)
            is_open = held is not None and held.quantity != 0
            if contract not in (None, one) or (side and (held is None or held.quantity * _SIGNS[side] <= 0)):
                continue
            if resting_stays and not is_open:
                continue
            if held is not None and is_open:
                closed.append(position_row(account, one, held, ask.world.market))
            cancelled += _close_out(ask, account, one, _closing_treatment(ask, account))
        if contract is None and side is None:
            closed += other_rows(account)
            account.others.clear()
            if not resting_stays:
                account.cancel_others()
    reply: dict[str, Any] = {"orderIds": [order.id for order in cancelled], "closedPositions": closed, "success": True}
    return reply if closed or cancelled else reply | {"warning": "Nothing to flatten"}


_SIGNS = {"long": 1, "short": -1}


async def flatten(ask: Ask) -> dict[str, Any]:
    """POST accounts/{a}/positions/flatten. As an RPC with a side, or without an account, it is FlattenEverything with filters."""
    if ask.is_rpc and (ask.args.text("account") is None or ask.args.text("marketPosition") is not None):
        return await _flatten_filtered(ask)
    reply = _flatten(ask, [ask.account()], ask.optional_contract(), None)
    del reply["orderIds"]
    return reply


async def flatten_everything(ask: Ask) -> dict[str, Any]:
    """POST positions/flatten: every account; filters over REST only, the RPC of this name has none."""
    if ask.is_rpc:
        return _flatten(ask, ask.world.accounts, None, None)
    return await _flatten_filtered(ask)


async def _flatten_filtered(ask: Ask) -> dict[str, Any]:
    accounts = ask.world.accounts if ask.args.text("account") is None else [ask.account()]
    side = (ask.args.text("marketPosition") or "").casefold() or None
    if side is not None and side not in _SIGNS:
        raise invalid_request()
    return _flatten(ask, accounts, ask.optional_contract(), side)


async def close_strategy(ask: Ask) -> dict[str, Any]:
    """POST strategies/{strategyId}/close: its orders are cancelled, its contracts closed at market."""
    account, strategy_id = ask.account(), ask.args.required("strategyId")
    for strategy in ask.world.strategies.running():
        if strategy.owner.id == strategy_id and strategy.entry.ticket.account is account:
            for order in strategy.orders:
                cancel_order(ask, order)
            if strategy.open_quantity:
                contract = strategy.entry.ticket.contract
                ticket = _market_order(account, contract, -strategy.open_quantity, "Close strategy")
                strategy.closing = ask.world.exchange.submit(ticket, _closing_treatment(ask, account), owner=strategy.owner)
            return {"strategyId": strategy_id, "success": True}
    raise ApiError(400, f"Strategy '{strategy_id}' not found or already terminal.", bare=True)
