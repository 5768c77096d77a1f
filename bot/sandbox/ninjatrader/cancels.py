"""Cancelling an order, and the faults that keep it alive: stuck, deaf, put back."""

from dataclasses import replace

from .calls import Ask
from .faults import Kind, Rule
from .orders import Order, State


def cancel_order(ask: Ask, order: Order) -> None:
    """Ask the exchange to cancel an order, unless a fault keeps that from it."""
    exchange = ask.world.exchange

    def fits(rule: Rule) -> bool:
        return rule.body is None or rule.body == order.ticket.order_type.value or order.answers_to(str(rule.body))

    if ask.take(Kind.DEAF, fits) is not None:
        return
    if ask.take(Kind.STUCK, fits) is not None:
        exchange.cancel(order, stays=True)
        return
    back = ask.take(Kind.COMES_BACK, fits)
    exchange.cancel(order)
    if back is not None:
        wait = ask.world.timing.step + (back.seconds or 0)
        exchange.scheduler.after(wait, lambda: _put_back(ask, order))


def _put_back(ask: Ask, order: Order) -> None:
    """Put an order that was cancelled on the book again, as a copier does that knows nothing of the cancel."""
    if order.state is State.CANCELLED and order.remaining:
        ask.world.exchange.rest(replace(order.ticket, own_id=None, quantity=order.remaining))
