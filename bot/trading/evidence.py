"""What became of an order whose answer was lost, judged from what NinjaTrader shows. Pure.

``reverseposition`` takes no id of ours, so an order is recognised by what it is: account, contract, side, quantity, type and
prices, among those that were not listed before sending and belong to no other ticket. Only reads that succeeded come in
here. Where two stories fit, the verdict is *unclear*: a person may know more, a guess would not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.trading.facts import Execution, Order, Position
from bot.trading.orders import OrderState, OrderType
from bot.trading.tickets import Ticket, closing_side, side_word

# Executions carry NinjaTrader's clock, which may differ from ours by this much.
CLOCK_DIFFERENCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Found:
    """The order is there."""

    order: Order


@dataclass(frozen=True, slots=True)
class FoundFills:
    """The order itself is no longer listed, but its fills are."""

    order_id: str
    filled: int


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing of it is there; ``note`` says what is to be known besides."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """The reads prove nothing."""

    why: str


Verdict = Found | FoundFills | Absent | Unclear


def weigh(
    ticket: Ticket,
    orders: Sequence[Order],
    executions: Sequence[Execution],
    positions: Sequence[Position],
    taken: frozenset[str],
) -> Verdict:
    """Weigh the evidence for one unknown ticket.

    Args:
        ticket: sent, answer lost.
        orders: all orders of the account, finished ones included.
        executions: the fills of the last minutes.
        positions: all positions of the account.
        taken: ids of orders that belong to other tickets.
    """
    contract = ticket.intent.contract
    position = sum(p.quantity for p in positions if p.contract == contract)
    new = [o for o in orders if o.contract == contract and not _is_old(o.ids, ticket, taken)]
    twins = [o for o in new if _looks_like(o, ticket)]
    if _close_looks_alike(ticket):
        return _weigh_with_close(ticket, twins, position)
    if len(twins) == 1:
        return Found(twins[0])
    if twins:
        return Unclear(f"{len(twins)} orders look like it")
    if fills := _fills(ticket, executions, taken):
        return fills
    return _nothing_there(ticket, position)


def _weigh_with_close(ticket: Ticket, twins: list[Order], position: int) -> Verdict:
    """The close in front of the new order has its very shape, so one such order alone may be either of them."""
    if len(twins) == 2:
        return Found(max(twins, key=_age_key))
    if len(twins) > 2:
        return Unclear(f"{len(twins)} orders look like it")
    if twins and position == ticket.shown.after:
        return Found(twins[0])
    if twins and not twins[0].state.is_done:
        return Unclear("its close may still be working")
    if twins and twins[0].state is OrderState.REJECTED:
        return Unclear("a rejected order of its shape may be the close or the entry")
    return _nothing_there(ticket, position)


def _nothing_there(ticket: Ticket, position: int) -> Verdict:
    before = ticket.shown.position
    if position == before:
        return Absent()
    if position == 0:
        return Absent(f"the position of {side_word(before)} was closed, the new order never arrived")
    return Unclear(f"the position went from {side_word(before)} to {side_word(position)} without an order to show for it")


def _is_old(ids: Iterable[str], ticket: Ticket, taken: frozenset[str]) -> bool:
    return not taken.union(ticket.orders_before).isdisjoint(ids)


def _looks_like(order: Order, ticket: Ticket) -> bool:
    terms = ticket.intent.terms
    return (
        order.side is terms.side
        and order.quantity == terms.quantity
        and order.type in {terms.type, None}
        and (not terms.type.has_limit or order.limit == terms.limit)
        and (not terms.type.has_stop or order.stop == terms.stop)
    )


def _close_looks_alike(ticket: Ticket) -> bool:
    terms, position = ticket.intent.terms, ticket.shown.position
    return terms.type is OrderType.MARKET and closing_side(position) is terms.side and abs(position) == terms.quantity


def _age_key(order: Order) -> float:
    return 0.0 if order.at is None else order.at.timestamp()


def _fills(ticket: Ticket, executions: Sequence[Execution], taken: frozenset[str]) -> FoundFills | None:
    """Fills of one order id that add up to just our quantity on our side; for orders that the list has dropped."""
    if ticket.sent_at is None:
        return None
    sums: dict[str, int] = {}
    for fill in executions:
        ours = fill.contract == ticket.intent.contract and fill.side is ticket.intent.terms.side
        late_enough = fill.at >= ticket.sent_at - CLOCK_DIFFERENCE
        if ours and late_enough and fill.order_id and not _is_old((fill.order_id,), ticket, taken):
            sums[fill.order_id] = sums.get(fill.order_id, 0) + fill.quantity
    whole = [order_id for order_id, quantity in sums.items() if quantity == ticket.intent.terms.quantity]
    return FoundFills(whole[0], ticket.intent.terms.quantity) if len(whole) == 1 else None
