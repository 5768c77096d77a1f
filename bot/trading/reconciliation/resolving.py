"""A person's word on an unknown outcome: what it may say, which order it may name, and the ticket after it. Pure.

The evidence has found no proof, so somebody looked at NinjaTrader and says what became of the order. Nothing is ever sent for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from bot.trading.market.facts import Order
from bot.trading.orders.intents import Cancel, Change, Close
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Member, Ticket, TicketState, Told, move
from bot.trading.reconciliation.evidence import looks_like
from bot.trading.reconciliation.following import with_ids
from bot.trading.words import quoted

LONGEST_WHY = 300
_LONGEST_NAME = 40
NOT_LISTED = (
    "NinjaTrader lists no order {order} in {account}, so nothing was changed; give the id that /orders shows. Finished orders "
    "leave its list after some minutes; then leave order out, as there is nothing to follow."
)
UNNAMED = "Order {order} works there and looks like it; give its id as order, so that it is followed."


class Resolution(StrEnum):
    """A person's word on an order whose outcome is unknown."""

    ACCEPTED = "accepted"
    NEVER_ARRIVED = "never arrived"
    REJECTED = "rejected"


_STATES = {
    Resolution.ACCEPTED: TicketState.ACCEPTED,
    Resolution.NEVER_ARRIVED: TicketState.NEVER_ARRIVED,
    Resolution.REJECTED: TicketState.REJECTED,
}


def closed_to(ticket: Ticket) -> str | None:
    """The reason why a ticket can't be resolved any more, or yet; ``None`` when it is for a person to say."""
    match ticket.state:
        case TicketState.UNKNOWN:
            return None
        case TicketState.OFFERED | TicketState.SENDING:
            return f"Ticket {ticket.id} is {ticket.state} still; only an unknown outcome can be resolved. Nothing was changed."
        case _:
            return f"Ticket {ticket.id} is settled already: {settled_words(ticket)}. Nothing was changed."


def settled_words(ticket: Ticket) -> str:
    """The end of a ticket, in a few words."""
    order = f", order {quoted(ticket.order_id, 64)}" if ticket.order_id else ""
    return f"{ticket.state}{order}"


def objection(ticket: Ticket, resolution: Resolution, typed: str | None) -> str | None:
    """The reason why this can't be said of the ticket, with what to do, or ``None``; ``chosen`` looks at the order itself."""
    intent = ticket.intent
    if resolution is not Resolution.ACCEPTED:
        return None if typed is None else "An order id is only for outcome:accepted; leave order out."
    if isinstance(intent, MassAction):
        return None if typed is None else f"A {intent.command} of many has no order of its own; leave order out."
    if isinstance(intent, Cancel | Change):
        own = intent.order_id
        return (
            None if typed in {None, own} else f"This ticket is about order {quoted(own, 64)}; leave order out, or give that id."
        )
    return None


def needs_list(ticket: Ticket, resolution: Resolution, typed: str | None) -> bool:
    """Tell whether the account's orders must be looked at before this can be said."""
    intent = ticket.intent
    if resolution is not Resolution.ACCEPTED or isinstance(intent, MassAction):
        return False
    return typed is not None or intent.shows_in_order


def chosen(ticket: Ticket, typed: str | None, listed: Sequence[Order], taken: frozenset[str]) -> Order | str | None:
    """The order to follow from now on, or why this can't be said; ``None`` where there is none to follow.

    Args:
        ticket: about one order.
        typed: the order's id; left out, it is the one that was cancelled or changed, if that is listed still.
        listed: the account's orders.
        taken: ids of orders that belong to other tickets.
    """
    intent = ticket.order
    wanted = typed or intent.kept_id
    if wanted is None:
        # Nobody would follow an order that works and isn't named.
        works = next((order for order in listed if _may_be_it(ticket, order, taken) and not order.state.is_done), None)
        return None if works is None else UNNAMED.format(order=quoted(works.id, 64))
    order = next((each for each in listed if wanted in each.ids), None)
    if order is None:
        return None if typed is None else NOT_LISTED.format(order=quoted(typed, 64), account=quoted(intent.account, 60))
    return _misfit(ticket, order, taken) or order


def _may_be_it(ticket: Ticket, order: Order, taken: frozenset[str]) -> bool:
    is_new = taken.union(ticket.orders_before).isdisjoint(order.ids)
    return is_new and order.contract == ticket.order.contract and looks_like(order, ticket)


def _misfit(ticket: Ticket, order: Order, taken: frozenset[str]) -> str | None:
    """The reason why an order can't be the ticket's, or ``None``."""
    intent, shown = ticket.order, quoted(order.id, 64)
    if (order.contract, order.side) != (intent.contract, intent.terms.side):
        was, asked = f"{order.side.upper()} {order.contract}", f"{intent.terms.side.upper()} {intent.contract}"
        return f"Order {shown} is {was} and the ticket is {asked}; give the ticket's own order."
    if isinstance(intent, Cancel | Change):
        return None
    if not set(ticket.orders_before).isdisjoint(order.ids):
        return f"Order {shown} was there before this ticket was sent; give the ticket's own order."
    if not taken.isdisjoint(order.ids):
        return f"Order {shown} belongs to another ticket; give the ticket's own order."
    # As long as it works, another close beside it could turn the position over.
    works = isinstance(intent, Close) and not order.state.is_done
    return f"Order {shown} still works, so the close isn't over; wait for it, or cancel it first." if works else None


def resolved(ticket: Ticket, resolution: Resolution, by: Member, why: str, at: datetime, order: Order | None) -> Ticket:
    """The ticket as the person says; with an order it is followed like any other, and without one it is not."""
    said, who = f"resolved by {by.named}: {quoted(why, LONGEST_WHY)}", {"ended_by": by.name, "ended_by_id": by.id}
    new = move(ticket, _STATES[resolution], ended_at=at, **who, outcome=said, told=Told.WORD, absent_since=None)
    if order is not None:
        return with_ids(new, order.ids)
    # Of an accepted one of which nobody knows an order to look for, nothing more will be seen.
    return replace(new, order_state=OrderState.GONE) if resolution is Resolution.ACCEPTED else new


def is_word(ticket: Ticket) -> bool:
    """Tell whether what is told of its end is a person's word still, and not what was seen since."""
    return is_resolved(ticket) and ticket.told is Told.WORD


def is_resolved(ticket: Ticket) -> bool:
    """Tell whether a person has said how it ended."""
    return ticket.ended_by is not None and ticket.state in _STATES.values()
