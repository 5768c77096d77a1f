"""A close that was taken: its order, where one is listed, and a position that it has turned over. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from bot.trading.market.facts import Order
from bot.trading.orders.progress import ExitRow
from bot.trading.orders.tickets import Ticket, side_word
from bot.trading.risk.closing import is_closing
from bot.trading.words import quoted


def close_orders(ticket: Ticket, orders: Iterable[Order]) -> list[Order]:
    """The orders that can be the close's own: of its side and size, and not listed before it was sent."""
    intent, before = ticket.order, set(ticket.orders_before)
    fitting = (order for order in orders if order.contract == intent.contract and order.quantity == intent.terms.quantity)
    return [order for order in fitting if is_closing(order, ticket.shown.position) and before.isdisjoint(order.ids)]


def with_turned(ticket: Ticket, held: int) -> Ticket:
    """The ticket of a close after which the position is on the other side."""
    line = ExitRow(ticket.order.account, ticket.shown.live, ticket.order.contract, ticket.shown.position, None, now=held)
    return replace(ticket, progress=replace(ticket.progress, rows=(line,)))


def turned_words(ticket: Ticket) -> str:
    """The words for a position that is on the other side, with what to do about it."""
    where = f"account:{ticket.order.account} instrument:{ticket.order.contract}"
    return f"The position is on the other side: now {side_word(ticket.turned_to or 0)}. Use {quoted(f'/close {where}', 200)}."


def waiting_words(ticket: Ticket, order: Order) -> str:
    """The words for a close that waits at NinjaTrader, with how to take it back."""
    take_back = quoted(f"/cancel scope:order account:{ticket.order.account} order:{order.id}", 200)
    return (
        f"Its order {quoted(order.id, 64)} is {order.state.value.lower()}; it closes when the market takes it. Use {take_back}."
    )
