"""The end of a ticket that follows from the outcome of its call. Nothing is stored here."""

from bot.clock import Clock
from bot.desk.ports import EventName
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected
from bot.trading.orders.tickets import Ticket, TicketState, move
from bot.trading.words import quoted


def settled(ticket: Ticket, outcome: Outcome, clock: Clock) -> tuple[EventName, Ticket]:
    """The ticket after its outcome, and the name of what happened."""
    now = clock()
    match outcome:
        case Accepted() as accepted:
            return EventName.ACCEPTED, move(ticket, TicketState.ACCEPTED, ended_at=now, order_ids=_ids(ticket, accepted))
        case Rejected(text):
            return EventName.REJECTED, move(ticket, TicketState.REJECTED, ended_at=now, outcome=quoted(text))
        case NotSent(why):
            return EventName.NOT_SENT, move(ticket, TicketState.NOT_SENT, ended_at=now, outcome=quoted(why))
        case unknown:
            return EventName.UNKNOWN, move(ticket, TicketState.UNKNOWN, ended_at=now, outcome=quoted(unknown.why))


def _ids(ticket: Ticket, accepted: Accepted) -> tuple[str, ...]:
    """Every id under which the order may be listed; CrossTrade's first."""
    # Both orders of a bracket come as a list; the stop, whose terms the ticket has, is looked for by its shape.
    found = (accepted.order_id, ticket.intent.client_order_id, None if accepted.order_id is None else ticket.intent.kept_id)
    return tuple(dict.fromkeys(each for each in found if each is not None))
