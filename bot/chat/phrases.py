"""Words of a card about its order, what became of it and when; they are those of its command."""

from collections.abc import Iterator
from decimal import Decimal

from discord.utils import format_dt

from bot.chat import figures
from bot.chat.markdown import code
from bot.trading.market.brackets import results, stop_price, target_price
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.protection import End, Part
from bot.trading.orders.terms import OrderState, Terms
from bot.trading.orders.tickets import Ticket, TicketState, side_word
from bot.trading.reconciliation.protection import (
    cause_words,
    hit_words,
    is_unprotected,
    left_words,
    short_words,
    there_words,
    turned_to,
    turned_words,
)
from bot.trading.reconciliation.replacing import about_old

_SENT = {
    TicketState.ACCEPTED: "Submitted",
    TicketState.UNKNOWN: "Sent",
    TicketState.NEVER_ARRIVED: "Sent",
    TicketState.REJECTED: "Sent",
}


WHAT_TO_DO = "Press Bracket, or use /bracket or /close."
_ENDS = {
    End.STOPPED_OUT: (),
    End.TARGET_HIT: (),
    End.CLOSED: ("the position is closed; nothing of its stop and target is followed any longer",),
    End.REPLACED: ("a newer bracket has taken its place",),
}
_NOT_THERE = frozenset({OrderState.REJECTED, OrderState.GONE})


def order(ticket: Ticket) -> Iterator[str]:
    """The contract, and the order that is placed, closes, or is changed."""
    intent, terms = ticket.order, ticket.order.terms
    where = f"**{intent.contract}**"
    match intent:
        case Close():
            size = "all" if intent.is_whole else str(terms.quantity)
            yield f"{where} · CLOSE {size} of {side_word(ticket.shown.position)}{_share(ticket, intent)} · {_brief(terms)}"
        case Cancel():
            yield f"{where} · CANCEL {_brief(terms)}"
            yield from _prices(ticket, terms)
            yield f"order {code(intent.order_id, 64)}"
        case Change():
            yield f"{where} · MODIFY {_brief(terms)}"
            yield from _differences(ticket, intent.before, terms)
            yield f"order {code(intent.order_id, 64)}"
        case Replace():
            yield f"{where} · REPLACE by {_brief(terms)} {terms.tif}"
            yield from _prices(ticket, terms)
            yield f"in place of order {code(intent.order_id, 64)}: {_brief(intent.before)}"
            if told := about_old(ticket):
                yield told
        case Bracket():
            yield f"{where} · BRACKET {terms.side.upper()} {terms.quantity} {terms.tif}"
            yield from _bracket(ticket, intent)
        case Invert():
            yield f"{where} · INVERT · {_brief(terms)}"
        case VerifiedReverse():
            yield f"{where} · {_brief(terms)} {terms.tif} · verified"
            yield from _prices(ticket, terms)
        case _:
            yield f"{where} · {_brief(ticket.terms)} {terms.tif}"
            if ticket.order_terms is None:
                yield from _prices(ticket, terms)
            else:
                yield from _differences(ticket, terms, ticket.order_terms)


def _share(ticket: Ticket, intent: Close) -> str:
    """The percentage that was asked for, and that it isn't just that many contracts."""
    if intent.fraction is None:
        return ""
    rounded = intent.fraction * abs(ticket.shown.position) != intent.terms.quantity
    return f" ({(intent.fraction * 100).normalize():f} %{', rounded up' if rounded else ''})"


def conditions(intent: OrderIntent) -> Iterator[str]:
    """Conditions of the order on what is open, and the id that it is given."""
    if isinstance(intent, PlaceOrder | Replace) and intent.require:
        yield f"only while {' or '.join(sorted(intent.require))} there"
    if isinstance(intent, PlaceOrder) and intent.guard is not None:
        yield f"only while {intent.guard} there, as on this card"
    if isinstance(intent, PlaceOrder) and intent.max_positions is not None:
        yield f"opens only while the account has fewer than {intent.max_positions} positions"
    if (own := intent.client_order_id) is not None:
        yield f"-# its own id {code(own, 64)}"


def news(ticket: Ticket) -> str:
    """News of an accepted order so far."""
    match ticket.intent:
        case Close():
            return _close_news(ticket)
        case Cancel():
            return _cancel_news(ticket)
        case Bracket():
            return _bracket_news(ticket)
        case Change():
            return "change requested, not seen yet" if ticket.order_state is None else _change_news(ticket)
        case _:
            return _order_news(ticket)


def protection(ticket: Ticket) -> Iterator[str]:
    """State of the stops and targets that protect what the ticket is about."""
    now = ticket.protection
    if now is None or isinstance(ticket.intent, MassAction):
        return
    yield from (hit_words(ticket, part) for part in Part if now.filled(part))
    if turned_to(ticket) is not None:
        yield f"**{turned_words(ticket)}**"
    if now.end is not None:
        yield from _ENDS[now.end]
    elif is_unprotected(ticket):
        yield f"**{short_words(ticket)}**"
        yield cause_words(ticket)
        yield WHAT_TO_DO
    elif now.left:
        yield left_words(ticket)
    elif now.legs:
        yield there_words(ticket)


def times(ticket: Ticket) -> Iterator[str]:
    """Times at which it was sent and at which the desk saw its end; the end itself may lie a little before."""
    if ticket.state in _SENT and ticket.sent_at is not None:
        yield f"{_SENT[ticket.state]} {format_dt(ticket.sent_at, 'T')}"
    over = ticket.state is TicketState.ACCEPTED and not ticket.is_followed
    if over and ticket.order_state is not None and ticket.ended_at is not None:
        yield f"{_end_word(ticket, ticket.order_state)} {format_dt(ticket.ended_at, 'T')}"


def _end_word(ticket: Ticket, state: OrderState) -> str:
    if state is OrderState.GONE:
        return "Last looked for" if ticket.ended_by is None or ticket.order_ids else "Resolved"
    if isinstance(ticket.intent, Close):
        return "Seen closed" if state is OrderState.FILLED and ticket.turned_to is None else "Last looked at"
    if isinstance(ticket.intent, Bracket) and ticket.protection is not None and ticket.protection.end is not None:
        return "Seen replaced" if ticket.protection.end is End.REPLACED else "Seen closed"
    if isinstance(ticket.intent, MassAction):
        return "Seen done" if state is OrderState.FILLED else "Last looked at"
    if isinstance(ticket.intent, Bracket) and not state.is_done:
        return "Seen working"
    return f"Seen {state.value.lower()}" if state.is_done else "Seen changed"


def _bracket_news(ticket: Ticket) -> str:
    if ticket.protection is not None and ticket.protection.legs:
        return "sent, and followed until the position is closed" if ticket.is_guarded else "over"
    if ticket.order_state is None:
        return "submitted to NinjaTrader, not seen yet"
    return "not all of it was seen" if ticket.order_state in _NOT_THERE else "seen working then, not followed on"


def _close_news(ticket: Ticket) -> str:
    if ticket.turned_to is not None:
        return f"the position is on the other side, now {side_word(ticket.turned_to)}"
    match ticket.order_state:
        case OrderState.REJECTED:
            return "rejected by NinjaTrader; the position is as it was"
        case OrderState.FILLED:
            return f"closed {ticket.filled}"
        case OrderState.GONE:
            return "not seen closed; it is not looked for any longer"
        case _ if ticket.filled:
            return f"closed {ticket.filled}/{ticket.terms.quantity}"
        case _:
            return "submitted to NinjaTrader, not closed yet"


def _cancel_news(ticket: Ticket) -> str:
    match ticket.order_state:
        case OrderState.CANCELLED:
            return f"order cancelled, {ticket.filled} of {ticket.order.terms.quantity} filled{_at(ticket)}"
        case OrderState.FILLED:
            return f"the order filled before the cancel reached it: filled {ticket.filled}{_at(ticket)}"
        case OrderState.REJECTED:
            return "the order was rejected, so there was nothing to cancel"
        case OrderState.GONE:
            return f"the order is not listed any more, {ticket.filled} of {ticket.terms.quantity} filled{_at(ticket)}"
        case _:
            return "cancel requested, not confirmed yet"


def _change_news(ticket: Ticket) -> str:
    if ticket.order_state is OrderState.GONE:
        return f"the order is not listed any more, {ticket.filled} filled{_at(ticket)}"
    if ticket.order_state is not None and ticket.order_state.is_done:
        return f"the order is {ticket.order_state.value.lower()} by now, {ticket.filled} filled{_at(ticket)}"
    return "changed"


def _order_news(ticket: Ticket) -> str:
    quantity = ticket.terms.quantity
    match ticket.order_state:
        case OrderState.FILLED:
            return f"filled {ticket.filled or quantity}{_at(ticket, always=True)}"
        case OrderState.CANCELLED:
            return f"order cancelled, {ticket.filled} of {quantity} filled{_at(ticket)}"
        case OrderState.GONE:
            return f"the order is not listed any more, {ticket.filled} of {quantity} filled{_at(ticket)}"
        case _ if ticket.filled:
            return f"filled {ticket.filled}/{quantity}{_at(ticket)}"
        case OrderState.WORKING:
            return "working, not filled yet"
        case _:
            return "submitted to NinjaTrader, not filled yet"


def _at(ticket: Ticket, *, always: bool = False) -> str:
    if ticket.average_fill_price is None or not (ticket.filled or always):
        return ""
    return f" at {figures.price(ticket.average_fill_price, ticket.shown.tick_size)}"


def _brief(terms: Terms) -> str:
    return f"{terms.side.upper()} {terms.quantity} {terms.type}"


def _prices(ticket: Ticket, terms: Terms) -> Iterator[str]:
    for name, price in (("limit", terms.limit), ("stop", terms.stop)):
        if price is not None:
            yield f"{name} {figures.price(price, ticket.shown.tick_size)}{_as_typed(terms, name)}"


def _bracket(ticket: Ticket, intent: Bracket) -> Iterator[str]:
    made = results(intent, ticket.shown)
    for name, price, typed, result in (
        ("target", target_price(intent), intent.target_typed or intent.terms.shorthand("limit"), made.target),
        ("stop", stop_price(intent), intent.terms.shorthand("stop"), made.stop),
    ):
        if price is not None:
            yield f"{name} {figures.price(price, ticket.shown.tick_size)}{_result(result)}{_typed(typed)}"


def _result(result: Decimal | None) -> str:
    if result is None:
        return ""
    return f" · {'loses' if result < 0 else 'wins'} ${figures.amount(abs(result))}"


def _as_typed(terms: Terms, name: str) -> str:
    """The shorthand that a price came from; it is plain words that our own grammar has read."""
    return _typed(terms.shorthand(name))


def _typed(shorthand: str | None) -> str:
    return "" if shorthand is None else f" (typed {code(shorthand, 30)})"


def _differences(ticket: Ticket, before: Terms, after: Terms) -> Iterator[str]:
    tick = ticket.shown.tick_size
    if before.quantity != after.quantity:
        yield f"quantity {before.quantity} → {after.quantity}"
    for name, old, new in (("limit", before.limit, after.limit), ("stop", before.stop, after.stop)):
        if new is not None:
            # Told apart as they are read, which no number can refuse.
            was, now = "" if old is None else figures.price(old, tick), figures.price(new, tick)
            yield f"{name} {now if was in {now, ''} else f'{was} → {now}'}{_as_typed(after, name)}"
