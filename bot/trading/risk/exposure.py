"""Contracts of a root that could come to be held, each side by itself: what is open, works and is on its way. Pure.

Counted is the whole root in one account, all its months together. Months don't net each other: what is open in another one counts
whichever side it is on, at the most that it could become. Every working order counts, both legs of a bracket too, as nobody
promises that one of them goes before the other fills.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.trading.market.facts import Facts, Order
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Bracket, Cancel, Change, OrderIntent, Replace
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import IN_FLIGHT, Ticket


@dataclass(slots=True)
class _Month:
    """One contract month: what is held, signed, and what could still be bought and sold there beside the order in question.

    Attributes:
        may_close: whether something is on its way that closes what is held before it buys or sells.
    """

    held: int = 0
    fills: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    may_close: bool = False

    def on(self, side: Side, more: int = 0) -> int:
        """The contracts that could be held on that side, if all of its orders fill and none of the other's do."""
        held = self.held * side.sign
        return max((max(held, 0) if self.may_close else held) + self.fills[side] + more, 0)

    @property
    def most(self) -> int:
        """The contracts that could be held on one of the sides."""
        return max(self.on(Side.BUY), self.on(Side.SELL))


@dataclass(frozen=True, slots=True)
class Exposure:
    """Contracts of the root that could be held on one side of the order's month, with the most of every other month.

    Attributes:
        worst: contracts, without a sign, if the order is sent.
        anyway: the same if it isn't; 0 for an order that closes first, which begins anew.
    """

    side: Side
    worst: int
    anyway: int

    def exceeds(self, most: int) -> bool:
        """Tell whether the order takes this side over a limit; who is over it already may still take away from it."""
        return self.worst > most and self.worst > self.anyway


def exposures(intent: OrderIntent, facts: Facts, tickets: Iterable[Ticket]) -> tuple[Exposure, Exposure]:
    """The exposures that could come of an order, one for each side of the market.

    A close in front of the new order is taken as done (CrossTrade places the order after it), yet working orders are
    counted as if they stayed: that a full close cancels them is inferred, not documented.
    """
    months = _months(intent, facts, tickets)
    own = months.pop(intent.contract, _Month())
    elsewhere = sum(month.most for month in months.values())
    new, old = _of_order(intent, facts)
    closes = intent.closes
    before = own if not closes else _Month()
    after = own if not closes else _Month(fills=own.fills)

    def on(side: Side) -> Exposure:
        worst = elsewhere + after.on(side, new if side is intent.terms.side else 0)
        anyway = 0 if closes else elsewhere + before.on(side, old if side is intent.terms.side else 0)
        return Exposure(side, worst, anyway)

    return on(Side.BUY), on(Side.SELL)


def worst_position(intent: OrderIntent, facts: Facts, tickets: Iterable[Ticket]) -> int:
    """The most contracts of the root that could be held on one side, all months together."""
    return max(each.worst for each in exposures(intent, facts, tickets))


def _of_order(intent: OrderIntent, facts: Facts) -> tuple[int, int]:
    """Contracts that the order could still fill, and those of the order that it changes or takes the place of."""
    size = intent.terms.quantity
    old = facts.order(intent.target_id or "")
    match intent:
        case Change():
            # It counts as it shall be; what has filled of it is in the position.
            filled = 0 if old is None else old.filled
            return max(size - filled, 0), max(intent.before.quantity - filled, 0)
        case Replace():
            return size, 0 if old is None else old.remaining
        case _:
            return size, 0


def _months(intent: OrderIntent, facts: Facts, tickets: Iterable[Ticket]) -> dict[Contract, _Month]:
    """Every month of the root without the order itself, and without the one that it changes or replaces."""
    root, its_target = intent.contract.root, intent.target_id
    months: defaultdict[Contract, _Month] = defaultdict(_Month)
    for position in facts.positions or ():
        if position.contract.root == root:
            months[position.contract].held += position.quantity
    listed: dict[str, Order] = {}
    for order in facts.orders or ():
        listed.update(dict.fromkeys(order.ids, order))
        if order.contract.root == root and its_target not in order.ids:
            months[order.contract].fills[order.side] += order.remaining
    for ticket in tickets:
        if _is_on_its_way(ticket, intent):
            _add(ticket, months, listed, its_target)
    return months


def _is_on_its_way(ticket: Ticket, intent: OrderIntent) -> bool:
    its = ticket.intent
    if isinstance(its, MassAction | Cancel | Bracket):
        return False
    is_there = its.account == intent.account and its.contract.root == intent.contract.root
    return is_there and (ticket.state in IN_FLIGHT or ticket.is_followed)


def _add(ticket: Ticket, months: Mapping[Contract, _Month], listed: Mapping[str, Order], its_target: str | None) -> None:
    """Count what a ticket on its way may still fill, as far as no listed order says so."""
    its, month = ticket.order, months[ticket.order.contract]
    if isinstance(its, Change):
        if its.order_id != its_target:
            month.fills[its.terms.side] += _growth(its, listed.get(its.order_id))
    elif not any(each in listed for each in ticket.order_ids):
        # An overfilled order has nothing left; less than nothing would hide another one.
        month.fills[its.terms.side] += max(ticket.terms.quantity - ticket.filled, 0)
        month.may_close |= its.closes and its.places


def _growth(change: Change, order: Order | None) -> int:
    """Contracts by which an order that is being changed may still grow."""
    if order is None:
        return max(change.terms.quantity - change.before.quantity, 0)
    return 0 if order.state.is_done else max(change.terms.quantity - max(order.quantity, order.filled), 0)
