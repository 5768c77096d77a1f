"""What a card says of its order, and of what became of it, in the words of its command."""

from collections.abc import Iterator

from bot.chat import figures
from bot.trading.intents import Cancel, Change, Close
from bot.trading.orders import OrderState, Terms
from bot.trading.tickets import Ticket, side_word
from bot.trading.words import code


def order(ticket: Ticket) -> Iterator[str]:
    """The contract, and the order that is placed, closes, or is changed."""
    intent, terms = ticket.intent, ticket.intent.terms
    where = f"**{intent.contract}**"
    match intent:
        case Close():
            size = "all" if intent.is_whole else str(terms.quantity)
            yield f"{where} · CLOSE {size} of {side_word(ticket.shown.position)} · {_brief(terms)}"
        case Cancel():
            yield f"{where} · CANCEL {_brief(terms)}"
            yield from _prices(ticket, terms)
            yield f"order {code(intent.order_id, 64)}"
        case Change():
            yield f"{where} · MODIFY {_brief(terms)}"
            yield from _differences(ticket, intent)
            yield f"order {code(intent.order_id, 64)}"
        case _:
            yield f"{where} · {_brief(terms)} {terms.tif}"
            yield from _prices(ticket, terms)


def news(ticket: Ticket) -> str:
    """What became of an accepted order so far."""
    match ticket.intent:
        case Close():
            return (
                f"closed {ticket.filled}"
                if ticket.order_state is OrderState.FILLED
                else "submitted to NinjaTrader, not closed yet"
            )
        case Cancel():
            return _cancel_news(ticket)
        case Change():
            return "change requested, not seen yet" if ticket.order_state is None else _change_news(ticket)
        case _:
            return _order_news(ticket)


def _cancel_news(ticket: Ticket) -> str:
    match ticket.order_state:
        case OrderState.CANCELLED:
            return f"order cancelled, {ticket.filled} of {ticket.intent.terms.quantity} filled{_at(ticket)}"
        case OrderState.FILLED:
            return f"the order filled before the cancel reached it: filled {ticket.filled}{_at(ticket)}"
        case _:
            return "cancel requested, not confirmed yet"


def _change_news(ticket: Ticket) -> str:
    if ticket.order_state is not None and ticket.order_state.is_done:
        return f"the order is {ticket.order_state.value.lower()} by now, {ticket.filled} filled{_at(ticket)}"
    return "changed"


def _order_news(ticket: Ticket) -> str:
    quantity = ticket.intent.terms.quantity
    match ticket.order_state:
        case OrderState.FILLED:
            return f"filled {ticket.filled or quantity}{_at(ticket, always=True)}"
        case OrderState.CANCELLED:
            return f"order cancelled, {ticket.filled} of {quantity} filled{_at(ticket)}"
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


def _as_typed(terms: Terms, name: str) -> str:
    """The shorthand that a price came from; it is plain words that our own grammar has read."""
    shorthand = terms.shorthand(name)
    return "" if shorthand is None else f" (typed {code(shorthand, 30)})"


def _differences(ticket: Ticket, intent: Change) -> Iterator[str]:
    tick, before, after = ticket.shown.tick_size, intent.before, intent.terms
    if before.quantity != after.quantity:
        yield f"quantity {before.quantity} → {after.quantity}"
    for name, old, new in (("limit", before.limit, after.limit), ("stop", before.stop, after.stop)):
        if new is not None:
            change = "" if old in {new, None} else f"{figures.price(old, tick)} → "
            yield f"{name} {change}{figures.price(new, tick)}{_as_typed(after, name)}"
