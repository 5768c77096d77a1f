"""Marks that tell orders of one shape apart: NinjaTrader's names for them, OCO group, the ATM strategy that owns them. Pure.

Marks choose between orders that are there; what lacks a mark is never taken for absent, as rows needn't carry any of them. An
OCO id and a template that we have sent are ours. An order that NinjaTrader calls a close, a stop or a target is no new order of
ours, and where we have sent neither, nor is one of a group or of a strategy. Names are NinjaTrader's own (seen in the code of
others; ``Close`` inferred); ``Entry`` and ``Exit`` tell nothing, as what is placed by hand bears them, too.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.trading.market.facts import Order
from bot.trading.orders.terms import Terms

_LEADS_OUT = re.compile(
    r"(partial )?close( position| strategy)?|flatten|exit on session close|(stop|target) ?\d+|stop loss|profit target",
    re.IGNORECASE,
)
_CLOSES = re.compile(r"(partial )?close( position)?|flatten", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sorted:
    """Orders of one shape, sorted by their marks.

    Attributes:
        likely: those that may be the one looked for: those that bear our marks if any does, else those that bear no other's.
        others: the rest.
        are_ours: whether ``likely`` bear our own OCO id or template.
    """

    likely: tuple[Order, ...]
    others: tuple[Order, ...]
    are_ours: bool


def sort(orders: Iterable[Order], terms: Terms) -> Sorted:
    """Sort orders that have the shape of a new order by whether they bear its marks, another's, or none."""
    found = tuple(orders)
    ours = tuple(order for order in found if _bears_ours(order, terms))
    likely = ours or tuple(order for order in found if not _bears_anothers(order, terms))
    return Sorted(likely, tuple(order for order in found if order not in likely), bool(ours))


def is_called_close(order: Order) -> bool:
    """Tell whether NinjaTrader calls it what closes a position at market."""
    return order.name is not None and _CLOSES.fullmatch(order.name.strip()) is not None


def _bears_ours(order: Order, terms: Terms) -> bool:
    if _leads_out(order):
        return False
    by_group = terms.oco is not None and order.oco == terms.oco
    return by_group or (terms.strategy is not None and order.template == terms.strategy)


def _bears_anothers(order: Order, terms: Terms) -> bool:
    if terms.strategy is not None:
        # What a strategy gives to its entry is NinjaTrader's to say.
        return _leads_out(order)
    is_grouped = terms.oco is None and order.oco is not None
    return _leads_out(order) or is_grouped or order.owner is not None or order.template is not None


def _leads_out(order: Order) -> bool:
    return order.name is not None and _LEADS_OUT.fullmatch(order.name.strip()) is not None
