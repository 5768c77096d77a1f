"""The buttons on the card of a sent order, and the price at which nothing is lost. Pure; nothing is asked here.

A button only asks: what comes of it is a ticket of its own, which goes the way of the slash command and has its rules.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from bot.trading.market.brackets import stop_price, target_price
from bot.trading.market.facts import Order, Position, terms_of
from bot.trading.orders.intents import Bracket, closing_side
from bot.trading.orders.protection import Part
from bot.trading.orders.terms import Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.reconciliation.protection import is_unprotected, protection_of

# Later than this nobody means the position by the card that opened it.
BUTTONS_LIVE = timedelta(hours=12)
# Where nothing tells where the stop of an ATM strategy was to lie: a price to look at and to type anew, from the last one.
PROPOSED_STOP = "0.25%"


class CardAction(StrEnum):
    """The request behind a button of a sent order's card; a word of its id."""

    CANCEL_ORDER = "cancel-order"
    CLOSE = "close"
    CLOSE_HALF = "close-half"
    BREAK_EVEN = "break-even"
    BRACKET = "bracket"

    @property
    def command(self) -> str:
        """The command whose grant it needs and whose ticket it makes."""
        return _COMMANDS[self]


_COMMANDS = {
    CardAction.CANCEL_ORDER: "cancel",
    CardAction.CLOSE: "close",
    CardAction.CLOSE_HALF: "close",
    CardAction.BREAK_EVEN: "modify",
    CardAction.BRACKET: "bracket",
}


def fitting(ticket: Ticket) -> tuple[CardAction, ...]:
    """The buttons that fit, by how the order stands as far as the desk has seen it."""
    # However long ago it was sent: what it protects is open and known to be so.
    return (*_if((CardAction.BRACKET, is_unprotected(ticket))), *_of_order(ticket))


def _of_order(ticket: Ticket) -> tuple[CardAction, ...]:
    if ticket.state is not TicketState.ACCEPTED or not ticket.intent.places:
        return ()
    opened = opened_by(ticket)
    if ticket.is_followed:
        known = ticket.order_id is not None
        return tuple(_if((CardAction.CANCEL_ORDER, known), (CardAction.CLOSE, bool(ticket.filled) and opened > 0)))
    if ticket.retired_at is not None or not ticket.filled:
        return ()
    return tuple(_if((CardAction.CLOSE, opened > 0), (CardAction.CLOSE_HALF, opened > 1), (CardAction.BREAK_EVEN, opened > 0)))


def _if(*each: tuple[CardAction, bool]) -> Iterable[CardAction]:
    return (verb for verb, fits in each if fits)


def opened_by(ticket: Ticket) -> int:
    """Contracts on the order's own side after what has filled of it, as planned; none where it only lessened a position."""
    sign = ticket.order.terms.side.sign
    return ticket.shown.after * sign - (ticket.order.terms.quantity - ticket.filled)


def is_on_its_side(ticket: Ticket, held: int) -> bool:
    """Tell whether a position can be what the ticket's order has opened."""
    return held * ticket.order.terms.side.sign > 0


def is_too_old(ticket: Ticket, now: datetime) -> bool:
    """Tell whether an order has been over for so long that its card offers nothing any more."""
    return not ticket.is_followed and ticket.ended_at is not None and now - ticket.ended_at >= BUTTONS_LIVE


def half(held: int) -> int:
    """Half of a position, rounded up as any share is."""
    return (abs(held) + 1) // 2


def stops_of(position: Position, orders: Iterable[Order]) -> Sequence[Order]:
    """The working stop orders that would close the position."""
    side = closing_side(position.quantity)
    return [
        order
        for order in orders
        if (order.contract, order.side) == (position.contract, side) and order.remaining and terms_of(order).type.has_stop
    ]


def break_even(position: Position, tick_size: Decimal) -> Decimal | None:
    """The position's average price, on the tick and on the side that doesn't lose; ``None`` when the average isn't known."""
    if position.average_price is None:
        return None
    rounding = ROUND_CEILING if position.quantity > 0 else ROUND_FLOOR
    ticks = (position.average_price / tick_size).to_integral_value(rounding)
    # With the decimals of the tick, as prices are written.
    return (ticks * tick_size).quantize(tick_size)


def moved_to(stop: Order, price: Decimal) -> Terms:
    """The stop order's terms at another stop price; a limit keeps its distance."""
    terms = terms_of(stop)
    distance = price - (terms.stop or price)
    return replace(terms, stop=price, limit=None if terms.limit is None else terms.limit + distance)


def protects_already(position: Position, stop: Order, price: Decimal) -> bool:
    """Tell whether the stop lies at that price or beyond it, on the side that wins."""
    if stop.stop is None:
        return False
    return stop.stop >= price if position.quantity > 0 else stop.stop <= price


def bracket_again(ticket: Ticket, position: Position) -> tuple[str, str]:
    """The target and the stop to ask for anew, as somebody would type them; empty for one that isn't to be there."""
    if isinstance(ticket.intent, Bracket):
        asked = {Part.TARGET: target_price(ticket.intent), Part.STOP: stop_price(ticket.intent)}
        target, stop = (_lay(ticket, part) or asked[part] if asked[part] is not None else None for part in asked)
        return _typed(target), _typed(stop)
    target, stop = _lay(ticket, Part.TARGET), _lay(ticket, Part.STOP)
    return _typed(target), _typed(stop or _mirrored(position, target, ticket.shown.tick_size)) or _proposed(position)


def _lay(ticket: Ticket, part: Part) -> Decimal | None:
    """The last known price of a leg, which somebody may have moved since it was asked for; ``None`` if none is known."""
    prices = [leg.price for leg in protection_of(ticket).of(part) if leg.price is not None]
    return prices[-1] if prices else None


def _mirrored(position: Position, target: Decimal | None, tick_size: Decimal | None) -> Decimal | None:
    """The price as far from the average price as the target, on the other side and on the tick."""
    if target is None or tick_size is None or position.average_price is None:
        return None
    rounding = ROUND_FLOOR if position.quantity > 0 else ROUND_CEILING
    ticks = ((2 * position.average_price - target) / tick_size).to_integral_value(rounding)
    return (ticks * tick_size).quantize(tick_size)


def _proposed(position: Position) -> str:
    return f"{'-' if position.quantity > 0 else '+'}{PROPOSED_STOP}"


def _typed(price: Decimal | None) -> str:
    return "" if price is None else f"{price:f}"
