"""The stops and targets that protect a ticket's position, as NinjaTrader shows them, and what of it is news. Pure.

Protected is what a working stop covers, whoever placed it: positions are netted, so all stops of a contract count against it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from bot.trading.market.brackets import legs, stop_price, target_price
from bot.trading.market.facts import Execution, Order
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.orders.intents import Bracket
from bot.trading.orders.protection import NOTHING_SEEN, End, Leg, Part, Protection, works
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket, side_word
from bot.trading.reconciliation.following import reason
from bot.trading.words import price, quoted


class News(StrEnum):
    """The news that a look at them may have to tell."""

    STOPPED_OUT = "stopped out"
    TARGET_HIT = "target hit"
    UNPROTECTED = "unprotected"
    PROTECTED = "protected"
    LEFT = "left"
    TURNED = "turned over"


_HITS = {Part.STOP: News.STOPPED_OUT, Part.TARGET: News.TARGET_HIT}


def protection_of(ticket: Ticket) -> Protection:
    """The protection of a ticket's position as last seen."""
    return ticket.protection or NOTHING_SEEN


def closing(ticket: Ticket) -> Side:
    """The side of the orders that protect the ticket's position."""
    side = ticket.order.terms.side
    if isinstance(ticket.intent, Bracket):
        return side
    return Side.SELL if side is Side.BUY else Side.BUY


def wanted(ticket: Ticket) -> frozenset[Part]:
    """The kinds of legs it is to have; what an ATM template says isn't known, but one without a stop protects nothing."""
    if isinstance(ticket.intent, Bracket):
        asked = {Part.STOP: stop_price(ticket.intent), Part.TARGET: target_price(ticket.intent)}
        return frozenset(part for part, price in asked.items() if price is not None)
    return frozenset({Part.STOP, *(leg.part for leg in protection_of(ticket).legs)})


def open_size(ticket: Ticket, held: int) -> int:
    """Contracts of a position on the side that the ticket's orders protect; below zero they are on the other."""
    return -held * closing(ticket).sign


def with_rows(ticket: Ticket, orders: Iterable[Order], strangers: Collection[str] = ()) -> Protection:
    """The protection with the listed orders read into it; a leg that isn't listed stays as it was.

    Args:
        ticket: guarded.
        orders: all of its account.
        strangers: ids of legs of other tickets.
    """
    before, contract = protection_of(ticket), ticket.order.contract
    rows = [order for order in orders if (order.contract, order.side) == (contract, closing(ticket))]
    known: list[Leg] = []
    for leg in before.legs:
        row = row_of(leg, rows, before.ids)
        known.append(leg if row is None else with_row(leg, row))
    seen = replace(before, legs=tuple(known), owner=before.owner or _owner(ticket, orders))
    taken = {*ticket.orders_before, *strangers, *seen.ids}
    fresh = [order for order in _candidates(ticket, seen, rows) if taken.isdisjoint(order.ids)]
    return replace(seen, legs=(*known, *(_leg(order) for order in fresh)))


def row_of(leg: Leg, rows: Sequence[Order], others: Collection[str] = ()) -> Order | None:
    """A leg's row: by its ids, or by its OCO group where it has got another id."""
    by_id = next((row for row in rows if not set(leg.ids).isdisjoint(row.ids)), None)
    if by_id is not None or leg.oco is None or leg.state.is_done:
        return by_id
    group = [row for row in rows if row.oco == leg.oco and _part(row) is leg.part and set(others).isdisjoint(row.ids)]
    return group[0] if len(group) == 1 else None


def _owner(ticket: Ticket, orders: Iterable[Order]) -> str | None:
    return next((order.owner for order in orders if order.owner and not set(ticket.order_ids).isdisjoint(order.ids)), None)


def _candidates(ticket: Ticket, seen: Protection, rows: Iterable[Order]) -> list[Order]:
    if isinstance(ticket.intent, Bracket):
        new = legs(ticket.intent, (row for row in rows if set(ticket.orders_before).isdisjoint(row.ids)))
        return [row for part, found in new.by_part.items() if not seen.of(part) for row in found]
    return [row for row in rows if row.owner is not None and row.owner == (seen.owner or row.owner) and _part(row) is not None]


def _part(order: Order) -> Part | None:
    if order.type is OrderType.MARKET:
        return None
    return Part.STOP if order.stop is not None else Part.TARGET if order.limit is not None else None


def _leg(order: Order) -> Leg:
    return with_row(Leg(_part(order) or Part.STOP, order.ids, OrderState.SUBMITTED, order.quantity), order)


def with_row(leg: Leg, row: Order) -> Leg:
    """A leg with its row read into it."""
    filled = max(leg.filled, row.filled or (row.quantity if row.state is OrderState.FILLED else 0))
    return replace(
        leg,
        ids=tuple(dict.fromkeys((*leg.ids, *row.ids))),
        state=_state(leg, row.state),
        quantity=row.quantity or leg.quantity,
        filled=filled,
        price=(row.stop if leg.part is Part.STOP else row.limit) or leg.price,
        fill_price=row.average_fill_price if row.filled >= leg.filled and row.average_fill_price is not None else leg.fill_price,
        oco=row.oco or leg.oco,
    )


def _state(leg: Leg, state: OrderState) -> OrderState:
    """The state of a leg, told coarsely, as each step of its way would be one more change to store."""
    if state is OrderState.OTHER:
        # It proves nothing.
        return leg.state
    if works(state):
        return OrderState.WORKING
    if state in {OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED}:
        return OrderState.CANCEL_PENDING
    return state if state.is_done else OrderState.SUBMITTED


def traced(leg: Leg, fills: Iterable[Execution], life: Lifecycle | None) -> Leg:
    """A leg that isn't listed any more, with its fills and what the add-on has stored read into it."""
    own = {fill.id: fill for fill in fills if fill.order_id in leg.ids}
    filled = sum(fill.quantity for fill in own.values())
    if filled > leg.filled:
        worth = sum((fill.price * fill.quantity for fill in own.values()), Decimal())
        leg = replace(leg, filled=filled, fill_price=worth / filled)
    if leg.filled >= leg.quantity:
        return replace(leg, state=OrderState.FILLED)
    if life is None or set(leg.ids).isdisjoint(life.ids):
        return leg
    ends = [state for event in life.events if (state := OrderState.read(event.what)).is_done]
    return replace(leg, state=ends[-1], why=reason(life)) if ends else leg


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover of a position by working orders.

    Attributes:
        bare: contracts without a stop.
        targetless: contracts without a target.
    """

    bare: int
    targetless: int


def cover(ticket: Ticket, orders: Iterable[Order], held: int) -> Cover:
    """Weigh all working orders of the contract that can close it against the position."""
    side, size = closing(ticket), max(open_size(ticket, held), 0)
    sums = {Part.STOP: 0, Part.TARGET: 0}
    for order in orders:
        part = _part(order)
        if (order.contract, order.side) == (ticket.order.contract, side) and part is not None and _counts(ticket, order):
            sums[part] += order.remaining
    return Cover(max(size - sums[Part.STOP], 0), max(size - sums[Part.TARGET], 0))


def _counts(ticket: Ticket, order: Order) -> bool:
    """Tell whether an order works; one in a state that isn't known does if it was seen to work before."""
    if order.state is not OrderState.OTHER:
        return works(order.state)
    return any(leg.works and not set(leg.ids).isdisjoint(order.ids) for leg in protection_of(ticket).legs)


def planned(ticket: Ticket) -> Cover:
    """The cover that was asked for: a bracket may be for a part of the position, or have one leg alone."""
    if not isinstance(ticket.intent, Bracket):
        return Cover(0, 0)
    size = max(open_size(ticket, ticket.shown.position), 0)
    rest, parts = max(size - ticket.order.terms.quantity, 0), wanted(ticket)
    return Cover(rest if Part.STOP in parts else size, rest if Part.TARGET in parts else size)


def is_worse(ticket: Ticket, now: Cover) -> bool:
    """Tell whether more is uncovered than was asked for and told."""
    told, plan, parts = protection_of(ticket), planned(ticket), wanted(ticket)
    stops = Part.STOP in parts and now.bare > max(told.bare, plan.bare)
    targets = Part.TARGET in parts and now.targetless > max(told.targetless, plan.targetless)
    return stops or targets


def is_unprotected(ticket: Ticket) -> bool:
    """Tell whether it was told that part of an open position has no stop, or has lost a target, that it was to have."""
    told = ticket.protection
    return told is not None and ticket.is_guarded and _lacks(ticket, Cover(told.bare, told.targetless))


def is_mended(ticket: Ticket, now: Cover) -> bool:
    """Tell whether what was told to be uncovered is covered again."""
    return is_unprotected(ticket) and not _lacks(ticket, now)


def _lacks(ticket: Ticket, now: Cover) -> bool:
    plan, parts = planned(ticket), wanted(ticket)
    return (Part.STOP in parts and now.bare > plan.bare) or (Part.TARGET in parts and now.targetless > plan.targetless)


def hit(before: Protection, now: Protection) -> News | None:
    """The news of a leg that has filled since; the stop first, as that is the worse news."""
    return next((news for part, news in _HITS.items() if now.filled(part) > before.filled(part)), None)


def turned_to(ticket: Ticket) -> int | None:
    """The position on the other side that a close, or a stop or target that filled whole, has left; signed.

    One that had filled in part before somebody turned the position round is none of these.
    """
    if ticket.protection is None or ticket.intent.is_mass:
        return ticket.turned_to
    seen = ticket.protection
    filled = any(leg.state is OrderState.FILLED for leg in seen.legs)
    if filled and seen.held is not None and open_size(ticket, seen.held) < 0:
        return seen.held
    return ticket.turned_to


def turned_words(ticket: Ticket) -> str:
    """Say what to do about a position that a stop or a target has turned over."""
    where = f"account:{ticket.order.account} instrument:{ticket.order.contract}"
    return f"More was closed than was open: now {side_word(turned_to(ticket) or 0)}. Use {quoted(f'/close {where}', 200)}."


def end_of(now: Protection) -> End:
    """The end of the protection of a position that is closed."""
    if now.filled(Part.STOP):
        return End.STOPPED_OUT
    return End.TARGET_HIT if now.filled(Part.TARGET) else End.CLOSED


def are_there(ticket: Ticket) -> bool:
    """Tell whether every leg that it is to have works."""
    now, parts = protection_of(ticket), wanted(ticket)
    return all(now.of(part) and all(leg.works for leg in now.of(part)) for part in parts)


def there_words(ticket: Ticket) -> str:
    """Say what works: ``target and stop are there``, or how each of them stands."""
    now, plan = protection_of(ticket), planned(ticket)
    if not are_there(ticket):
        return " · ".join(f"{leg.part} {_stand(leg)}" for leg in now.legs)
    parts = [part for part in (Part.TARGET, Part.STOP) if now.of(part)]
    there = f"{' and '.join(parts)} {'are' if len(parts) > 1 else 'is'} there"
    rest = f"; {plan.bare} of {side_word(ticket.shown.position)} unprotected, as asked" if plan.bare else ""
    return there + rest


def _stand(leg: Leg) -> str:
    if leg.state is OrderState.CANCEL_PENDING:
        return "being cancelled"
    return "sent, not seen working yet" if leg.state is OrderState.SUBMITTED else leg.state.value.lower()


def hit_words(ticket: Ticket, part: Part) -> str:
    """Say that a leg has filled: ``LONG 2 stopped out at 6745.25``."""
    now = protection_of(ticket)
    filled, size = now.filled(part), sum(leg.quantity for leg in now.of(part) if leg.filled)
    side = side_word(-closing(ticket).sign * filled)
    part_of = f" of {size}" if filled < size else ""
    at = "" if (average := now.fill_price(part)) is None else f" at {price(average, ticket.shown.tick_size)}"
    return f"{side}{part_of} {_HITS[part]}{at}"


def short_words(ticket: Ticket) -> str:
    """Say how much has no stop: ``2 of LONG 2 unprotected``."""
    told = protection_of(ticket)
    return f"{told.bare} of {side_word(told.held or 0)} unprotected"


def cause_words(ticket: Ticket) -> str:
    """Say why that is so, in NinjaTrader's words where it has any, and what works all the same."""
    told, said = protection_of(ticket), []
    for part in (Part.STOP, Part.TARGET):
        if part not in wanted(ticket):
            continue
        failed = [leg for leg in told.of(part) if leg.has_failed or leg.state is OrderState.CANCEL_PENDING]
        lacking = told.bare if part is Part.STOP else told.targetless
        if not lacking:
            said.append(f"The {part} works.")
        elif failed:
            said.append(_failed_words(failed[-1]))
        elif any(leg.works for leg in told.of(part)):
            said.append(f"The {part} works for less than the position.")
        else:
            said.append(f"No {part} was seen to work.")
    return " ".join(said)


def _failed_words(leg: Leg) -> str:
    match leg.state:
        case OrderState.REJECTED:
            return f"NinjaTrader rejected the {leg.part}: {leg.why}." if leg.why else f"NinjaTrader rejected the {leg.part}."
        case OrderState.CANCELLED:
            return f"The {leg.part} was cancelled, and the position is open."
        case OrderState.CANCEL_PENDING:
            return f"The {leg.part} is being cancelled, and the position is open."
        case _:
            return f"NinjaTrader doesn't list the {leg.part} any more."


def left_words(ticket: Ticket) -> str:
    """Say that orders which protected a position still work although it is closed."""
    left = [leg for leg in protection_of(ticket).legs if leg.works]
    named = " and ".join(f"the {leg.part} {quoted(leg.ids[0], 64)}" for leg in left)
    verb = "works" if len(left) == 1 else "work"
    return f"The position is closed, and {named} still {verb}: it opens a new position when it fills. /cancel takes it away."
