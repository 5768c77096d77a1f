"""A replacement: two orders stand against one position until the old one is seen gone. Pure.

CrossTrade cancels the old order and places the new one by one call, and its yes says of neither that it is done.
"""

from collections.abc import Iterable
from dataclasses import replace

from bot.trading.market.facts import Order
from bot.trading.orders.intents import Replace
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.words import quoted

BEING_CANCELLED = frozenset({OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED})
CANCEL_ONE = "/cancel one of them, or do it in NinjaTrader"
_MAY_HAVE_LEFT = frozenset({TicketState.ACCEPTED, TicketState.UNKNOWN})
_GONE = frozenset({OrderState.CANCELLED, OrderState.REJECTED})
BOTH = "if both fill, the position is turned over or doubled"


def is_in_the_way(state: OrderState | None) -> bool:
    """Tell whether the old order may still fill, or has filled, beside the new one."""
    return state is not None and state not in _GONE


def with_old(ticket: Ticket, orders: Iterable[Order], *, late: bool) -> Ticket:
    """The ticket with its old order's row read into it; a list without it proves nothing.

    Args:
        ticket: accepted.
        orders: of its account, finished ones too.
        late: whether a cancellation should have been seen by now.
    """
    intent = ticket.intent
    if not isinstance(intent, Replace):
        return ticket
    row = next((order for order in orders if intent.order_id in order.ids), None)
    state = ticket.progress.old if row is None or row.state is OrderState.OTHER else row.state
    tells = is_in_the_way(state) and (late or state is OrderState.FILLED)
    return replace(ticket, progress=replace(ticket.progress, old=state, old_told=ticket.progress.old_told or tells))


def is_waited_for(ticket: Ticket) -> bool:
    """Tell whether the old order may still go, and nobody was told yet that it hasn't."""
    return is_in_the_way(ticket.progress.old) and not ticket.progress.old_told


def is_news(before: Ticket, after: Ticket) -> bool:
    """Tell whether it is to be told now that the old order is in the way."""
    return after.progress.old_told and not before.progress.old_told


def about_old(ticket: Ticket) -> str | None:
    """The words about the old order, with what to do, and nothing that wasn't seen; ``None`` where there is nothing to say."""
    intent, old = ticket.intent, ticket.progress.old
    if not isinstance(intent, Replace) or ticket.state not in _MAY_HAVE_LEFT:
        return None
    name = f"order {quoted(intent.order_id, 64)}"
    match old:
        case OrderState.CANCELLED | OrderState.REJECTED:
            return f"{name} is {old.value.lower()}"
        case OrderState.FILLED:
            return f"{name} has filled: this order stands beside it and may open a position; cancel it if you don't want that"
        case None:
            return f"{name} is not seen cancelled yet; {BOTH}"
        case state:
            return f"{name} was last seen {state.value}, not cancelled: {BOTH}; {CANCEL_ONE}"
