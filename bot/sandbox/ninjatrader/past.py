"""Lists as they were some seconds ago, made again from what was written down of orders and fills."""

from dataclasses import replace
from datetime import datetime, timedelta

from .book import Account, Position
from .calls import Ask
from .faults import Kind
from .orders import Order, State
from .products import Contract

USUAL_LAG = 3.0


def moment(ask: Ask) -> datetime | None:
    """Give the moment whose list this request gets to see; None for that of now."""
    rule = ask.take(Kind.LAG)
    if rule is None:
        return None
    return ask.world.clock() - timedelta(seconds=USUAL_LAG if rule.seconds is None else rule.seconds)


def orders_at(orders: list[Order], at: datetime | None) -> list[Order]:
    """Give the orders that there were, each in the state of then."""
    return orders if at is None else [_order_at(order, at) for order in orders if order.created <= at]


def _order_at(order: Order, at: datetime) -> Order:
    state, filled, finished = State.INITIALIZED, 0, None
    for event in order.events:
        if event.time > at:
            break
        if event.source == "fill":
            filled += int(event.fields["quantity"])
        elif event.source == "order_update":
            state = State(event.event)
            finished = event.time if state.is_done else None
    return replace(order, state=state, filled=filled, finished=finished)


def positions_at(ask: Ask, account: Account, at: datetime | None) -> dict[Contract, Position]:
    """Give the positions that were open, at the average prices of now; what the lever `position` did is not undone."""
    if at is None:
        return account.open_positions()
    held = {contract: position.quantity for contract, position in account.positions.items()}
    for fill in ask.world.exchange.executions:
        if fill.account is account and fill.time > at:
            held[fill.contract] = held.get(fill.contract, 0) - fill.signed
    return {contract: _position(account, contract, quantity) for contract, quantity in held.items() if quantity}


def _position(account: Account, contract: Contract, quantity: int) -> Position:
    return replace(account.positions[contract], quantity=quantity)
