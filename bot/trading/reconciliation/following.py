"""Orders that are followed: what NinjaTrader shows of one, read into its ticket. Pure; nothing is stored or told here.

An order is known by any id under which it was ever seen, as its id may change in its life, and else by its OCO group and side.
A state that we don't know proves nothing. What has once filled stays filled: lists lag behind each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.trading.market.facts import Execution, Order
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import Change
from bot.trading.orders.terms import OrderState, Terms
from bot.trading.orders.tickets import Ticket
from bot.trading.reconciliation.closes import with_turned
from bot.trading.words import ascii_lower, quoted

_UNDER_CHANGE = frozenset({OrderState.OTHER, OrderState.CHANGE_PENDING, OrderState.CHANGE_SUBMITTED})


def find(ticket: Ticket, orders: Iterable[Order], taken: frozenset[str] = frozenset()) -> Order | None:
    """The ticket's order among those that are listed.

    Args:
        ticket: accepted.
        orders: of its account.
        taken: ids of orders that belong to other tickets.
    """
    intent, ids = ticket.order, set(ticket.order_ids)
    fitting = [order for order in orders if (order.contract, order.side) == (intent.contract, intent.terms.side)]
    # NinjaTrader calls its ids not unique; the row that carries most of ours is it.
    known = max(fitting, key=lambda order: len(ids.intersection(order.ids)), default=None)
    if known is not None and not ids.isdisjoint(known.ids):
        return known
    strangers = taken.union(ticket.orders_before)
    group = [order for order in fitting if _is_of_group(ticket, order) and strangers.isdisjoint(order.ids)]
    return group[0] if len(group) == 1 else None


def _is_of_group(ticket: Ticket, order: Order) -> bool:
    terms = ticket.order.terms
    return ticket.intent.places and terms.oco is not None and order.oco == terms.oco and order.type in {terms.type, None}


def with_order(ticket: Ticket, order: Order) -> Ticket:
    """The ticket with an order row read into it."""
    state = ticket.order_state if order.state is OrderState.OTHER else order.state
    filled = order.filled or (order.quantity if state is OrderState.FILLED else 0)
    is_newer = filled >= ticket.filled and order.average_fill_price is not None
    return replace(
        with_ids(ticket, order.ids),
        order_state=state,
        filled=max(ticket.filled, filled),
        average_fill_price=order.average_fill_price if is_newer else ticket.average_fill_price,
        order_terms=_terms_now(ticket, order),
    )


def with_ids(ticket: Ticket, ids: Iterable[str]) -> Ticket:
    """The ticket with further ids of its order; the one that CrossTrade gave stays the one to show."""
    return replace(ticket, order_ids=tuple(dict.fromkeys((*ticket.order_ids, *ids))))


def with_fills(ticket: Ticket, executions: Iterable[Execution]) -> Ticket:
    """The ticket with its fills read into it, for an order that is no longer listed."""
    fills = {fill.id: fill for fill in executions if fill.order_id in ticket.order_ids}
    return _with_filled(ticket, [(fill.quantity, fill.price) for fill in fills.values()])


def with_life(ticket: Ticket, life: Lifecycle) -> Ticket:
    """The ticket with what the add-on has stored of its order; a life of another order changes nothing."""
    is_elsewhere = life.account is not None and ascii_lower(life.account) != ascii_lower(ticket.order.account)
    if is_elsewhere or set(ticket.order_ids).isdisjoint(life.ids):
        return ticket
    fills = [(event.quantity, event.price) for event in life.events if event.quantity and event.price and _is_a_fill(event)]
    seen = _with_filled(with_ids(ticket, life.ids), fills)
    filled = max((event.filled for event in life.events if event.filled is not None), default=0)
    ends = [state for event in life.events if (state := OrderState.read(event.what)).is_done]
    if ends and ends[-1] is OrderState.FILLED:
        filled = max(filled, ticket.terms.quantity)
    return replace(seen, filled=max(seen.filled, filled), order_state=ends[-1] if ends else seen.order_state)


def with_position(ticket: Ticket, held: int) -> Ticket:
    """The ticket of a close with the position read into it: it is over when no more is open than it was to leave.

    A position on the other side is no close that went well, whatever made it.
    """
    before, after, size = ticket.shown.position, ticket.shown.after, ticket.order.terms.quantity
    if held * before < 0:
        return replace(with_turned(ticket, held), order_state=OrderState.FILLED, filled=size)
    if held == after or abs(held) < abs(after):
        return replace(ticket, order_state=OrderState.FILLED, filled=size)
    closed = abs(before) - abs(held)
    return replace(ticket, order_state=OrderState.PART_FILLED, filled=closed) if closed > ticket.filled else ticket


def shows_change(intent: Change, order: Order) -> bool:
    """Tell whether an order that was to be changed has the new terms."""
    return (order.quantity, order.limit, order.stop) == (intent.terms.quantity, intent.terms.limit, intent.terms.stop)


def reason(life: Lifecycle | None) -> str | None:
    """The reason why the order was rejected, in the words of whoever did, ready to show; ``None`` when nobody said."""
    events = () if life is None else reversed(life.events)
    return next((quoted(event.note) for event in events if event.note and _is_a_no(event)), None)


def _is_a_fill(event: OrderEvent) -> bool:
    # The tail of a stored event isn't documented; an update may carry a quantity and a price that are the order's.
    return event.source == "fill" or "execution" in f"{event.source} {event.what}".casefold()


def _is_a_no(event: OrderEvent) -> bool:
    return OrderState.read(event.what) is OrderState.REJECTED or "error" in f"{event.source} {event.what}".casefold()


def _with_filled(ticket: Ticket, fills: Sequence[tuple[int, Decimal]]) -> Ticket:
    filled = sum(quantity for quantity, _ in fills)
    if filled <= ticket.filled:
        return ticket
    average = sum((price * quantity for quantity, price in fills), Decimal()) / filled
    state = OrderState.FILLED if filled >= ticket.terms.quantity else OrderState.PART_FILLED
    return replace(ticket, order_state=state, filled=filled, average_fill_price=average)


def _terms_now(ticket: Ticket, order: Order) -> Terms | None:
    """The order's terms where they are no longer those that were asked for; under a change it isn't clear which hold."""
    asked = ticket.order.terms
    if not ticket.intent.places or order.state in _UNDER_CHANGE:
        return ticket.order_terms
    limit = order.limit if asked.type.has_limit else None
    stop = order.stop if asked.type.has_stop else None
    now = replace(asked, quantity=order.quantity or asked.quantity, limit=limit or asked.limit, stop=stop or asked.stop)
    return None if now == asked else now
