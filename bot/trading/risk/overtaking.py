"""Orders overtaken by a way out: confirmed before it, and leaving only after it. Pure."""

from collections.abc import Iterable
from datetime import datetime

from bot.trading.orders.intents import Intent, OrderIntent
from bot.trading.orders.mass_actions import MassAction, target_of
from bot.trading.orders.tickets import IN_FLIGHT, Ticket
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import Denial, DenialCode
from bot.trading.risk.underway import stands_in_the_way
from bot.trading.words import quoted


def flattened_since(intent: OrderIntent, recent: OwnOrders, confirmed_at: datetime) -> Iterable[Denial]:
    """A flatten that was let out after this order was confirmed bars it, even where it is done: its card is of before."""
    if intent.is_exit:
        return
    for ticket in recent.tickets:
        is_later = ticket.sent_at is not None and ticket.sent_at >= confirmed_at
        # One that is still in flight bars it anyway.
        if not is_later or ticket.state in IN_FLIGHT or not (isinstance(ticket.intent, MassAction) and ticket.intent.closes):
            continue
        if stands_in_the_way(ticket.intent, intent):
            yield Denial(
                DenialCode.FLATTENING,
                f"{ticket.requester.named} flattened {quoted(target_of(ticket.intent))} (ticket {ticket.id}) after "
                "this was confirmed, so it isn't sent; ask again if it is still wanted.",
                f"ticket={ticket.id} state={ticket.state}",
            )


def bears_on(claimed: Ticket, intent: Intent, member: int) -> bool:
    """Tell whether an order that was claimed after another one was looked at may change what was decided about that."""
    if isinstance(intent, MassAction):
        return isinstance(claimed.intent, MassAction) and claimed.intent.closes and claimed.intent.scope.meets(intent.scope)
    if intent.is_exit:
        return stands_in_the_way(claimed.intent, intent)
    return claimed.requester.id == member or intent.account in claimed.intent.accounts
