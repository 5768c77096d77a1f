"""The fate of an order whose answer was lost, judged from what NinjaTrader shows. Pure.

Most calls take no id of ours, so an order is recognised by what it is: account, contract, side, quantity, type and prices,
among those that were not listed before sending and belong to no other ticket. A placed order is looked for by our own id
first; NinjaTrader may have put another one in its place. A close shows in the position, a cancellation and a change in the
order that they are about. Where an id is known and the list doesn't have it, what the add-on has written down of it tells how
it ended; that it has written down nothing proves nothing. Only reads that succeeded come in here. Where two stories fit, the
verdict is *unclear*: a person may know more, a guess would not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from bot.trading.market.brackets import legs
from bot.trading.market.facts import Execution, Order, Position, net
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.market.marks import is_called_close, sort
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    OrderIntent,
    Replace,
    closing_side,
)
from bot.trading.orders.terms import DONE_STATES, OrderState, OrderType, Terms
from bot.trading.orders.tickets import IN_FLIGHT, Ticket, side_word
from bot.trading.reconciliation.verdicts import (
    Absent,
    Found,
    FoundClosed,
    FoundFills,
    FoundLife,
    FoundTogether,
    FoundTurned,
    Unclear,
    Verdict,
)
from bot.trading.words import ascii_lower

# Executions carry NinjaTrader's clock, which may differ from ours by this much.
CLOCK_DIFFERENCE = timedelta(seconds=90)
ANOTHERS = "an order of its shape is there, but its name, its OCO group or its strategy is another's"
RIVALLED = "another ticket's order of the very same terms is on its way or unknown, too"
SAME_SHAPE = "two orders look like it and nothing tells which is its close"
_BEING_CANCELLED = frozenset({OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED})


def id_to_ask_for(intent: OrderIntent, orders: Iterable[Order]) -> str | None:
    """The id that is known of the order in question where the list doesn't have it: ours, or that of the order it is about."""
    known = intent.target_id or intent.client_order_id
    return None if any(known in order.ids for order in orders) else known


def weigh(
    ticket: Ticket,
    orders: Sequence[Order],
    executions: Sequence[Execution],
    positions: Sequence[Position],
    taken: frozenset[str],
    life: Lifecycle | None = None,
    *,
    is_rivalled: bool = False,
) -> Verdict:
    """Weigh the evidence for one unknown ticket.

    Args:
        ticket: sent, answer lost.
        orders: all orders of the account, finished ones included.
        executions: the fills of the last minutes.
        positions: all positions of the account.
        taken: ids of orders that belong to other tickets.
        life: what the add-on has written down under the id to ask for, if it was asked.
        is_rivalled: whether what is found may be another ticket's order, as ``has_rival`` tells.
    """
    intent = ticket.order
    position = net(positions, intent.contract)
    new = [o for o in orders if o.contract == intent.contract and not _is_old(o.ids, ticket, taken) and not _is_older(o, ticket)]
    twins = [o for o in new if looks_like(o, ticket)]
    match intent:
        case Cancel() | Change():
            return _weigh_target(intent, orders, life)
        case Close():
            return _weigh_close(ticket, orders, executions, twins, position, taken)
        case Bracket():
            return _weigh_bracket(intent, new)
        case _:
            if found := _by_own_id(intent, orders, life):
                return found
            verdict = _weigh_entry(ticket, orders, executions, twins, position, taken, life)
            return Unclear(RIVALLED) if is_rivalled and isinstance(verdict, Found | FoundFills | FoundTogether) else verdict


def _by_own_id(intent: OrderIntent, orders: Sequence[Order], life: Lifecycle | None) -> Found | FoundLife | None:
    """The order by our own id, or by one that the add-on names beside it; NinjaTrader may have put another one in its place."""
    wanted = intent.client_order_id
    if wanted is None:
        return None
    known = _known_life(intent, life)
    ids = {wanted, *(known.ids if known else ())}
    return next((Found(order) for order in orders if not ids.isdisjoint(order.ids)), known)


def _known_life(intent: OrderIntent, life: Lifecycle | None) -> FoundLife | None:
    """The life that was written down, if it is of this account's order and tells that NinjaTrader had it.

    The add-on doesn't look at the account that is asked for, and also writes down what never got as far as NinjaTrader.
    """
    if life is None or life.account is None or ascii_lower(life.account) != ascii_lower(intent.account):
        return None
    states = [state for event in life.events if (state := OrderState.read(event.what)) is not OrderState.OTHER]
    is_its = (intent.target_id or intent.client_order_id) in life.ids
    return FoundLife(life.ids, states[-1]) if is_its and states else None


def _weigh_entry(
    ticket: Ticket,
    orders: Sequence[Order],
    executions: Sequence[Execution],
    twins: list[Order],
    position: int,
    taken: frozenset[str],
    life: Lifecycle | None,
) -> Verdict:
    if _close_looks_alike(ticket):
        return _weigh_with_close(ticket, twins, _whole_fills(ticket, executions, taken | _listed(orders)), position)
    found = _one_of(twins, ticket.order.terms) or _by_fills(ticket, executions, taken | _listed(orders))
    return found or _by_old_order(ticket, orders, position, life) or _nothing_there(ticket, position)


def _listed(orders: Sequence[Order]) -> frozenset[str]:
    return frozenset(order_id for order in orders for order_id in order.ids)


def _one_of(twins: Sequence[Order], terms: Terms) -> Found | Unclear | None:
    likely = sort(twins, terms).likely
    if len(likely) == 1:
        return Found(likely[0])
    if likely:
        return Unclear(f"{len(likely)} orders look like it")
    return Unclear(ANOTHERS) if twins else None


def _weigh_target(intent: Cancel | Change, orders: Sequence[Order], life: Lifecycle | None) -> Verdict:
    """The verdict by the order that was to be cancelled or changed; CrossTrade lists finished orders for some minutes."""
    order = next((o for o in orders if intent.order_id in o.ids), None)
    if order is None:
        return _weigh_unlisted(intent, _known_life(intent, life))
    if isinstance(intent, Change):
        terms = intent.terms
        done = (order.quantity, order.limit, order.stop) == (terms.quantity, terms.limit, terms.stop)
        return Found(order) if done else _not_done(order, {OrderState.CHANGE_PENDING, OrderState.CHANGE_SUBMITTED})
    if order.state in DONE_STATES:
        return Found(order)
    return _not_done(order, _BEING_CANCELLED)


def _weigh_unlisted(intent: Cancel | Change, known: FoundLife | None) -> Verdict:
    if known is None or not known.state.is_done:
        return Unclear("the order is not listed any more")
    # Of an order that is over, nobody can tell any more whether it had been changed before.
    return known if isinstance(intent, Cancel) else Unclear(f"the order is {known.state.value.lower()} and not listed any more")


def _not_done(order: Order, under_way: AbstractSet[OrderState]) -> Verdict:
    if order.state in under_way | {OrderState.OTHER}:
        return Unclear(f"the order is {order.state.value}")
    return Absent(f"the order is {order.state.value.lower()} as it was")


def _weigh_bracket(intent: Bracket, new: list[Order]) -> Verdict:
    """All of its orders are new, or none is; one of two may be all that was placed. Its two share one OCO group."""
    found = legs(intent, new)
    if found.are_found and len({order.oco for order in found.orders if order.oco is not None}) < 2:
        return Found(found.orders[0])
    groups = sorted({order.oco for order in found.orders if order.oco is not None}) if len(found.by_part) == 2 else []
    whole = [one for group in groups if (one := legs(intent, [each for each in new if each.oco == group])).are_found]
    if len(whole) == 1:
        return Found(whole[0].orders[0])
    if found.orders:
        first, *more = ((len(orders), part) for part, orders in found.by_part.items())
        rest = "".join(f" and {count} like its {part}" for count, part in more)
        return Unclear(f"{first[0]} orders look like its {first[1]}{rest}")
    return Absent("what worked there may have been cancelled")


def _by_old_order(ticket: Ticket, orders: Sequence[Order], position: int, life: Lifecycle | None) -> Verdict | None:
    """The verdict by the order to replace, with no new order seen and the position as it was; it tells how far it came."""
    intent = ticket.order
    if not isinstance(intent, Replace) or position != ticket.shown.position:
        return None
    old = next((order.state for order in orders if intent.order_id in order.ids), None)
    if old is None and (known := _known_life(intent, life)) is not None:
        old = known.state
    if old is None:
        # It was listed when this was sent. A list that has dropped it may have dropped the new one too.
        return Unclear("the old order is not listed any more, and nothing tells what became of it")
    if old is OrderState.CANCELLED:
        return Absent("the old order is gone, the new one never arrived")
    return Unclear(f"the old order is {old.value}") if old in _BEING_CANCELLED else None


def _weigh_close(
    ticket: Ticket,
    orders: Sequence[Order],
    executions: Sequence[Execution],
    twins: list[Order],
    position: int,
    taken: frozenset[str],
) -> Verdict:
    before, after = ticket.shown.position, ticket.shown.after
    if position == after:
        return FoundClosed()
    if any(not twin.state.is_done for twin in twins):
        return Unclear("an order that may be the close is still working")
    if position * before < 0:
        return FoundTurned(position)
    if position != before:
        return _changed(before, position)
    # The position may have been opened again behind it.
    if any(twin.state is OrderState.FILLED for twin in twins) or _whole_fills(ticket, executions, taken | _listed(orders)):
        return Unclear("an order that may be the close has filled, and the position is as it was before")
    if [twin.state for twin in twins] == [OrderState.REJECTED]:
        # It did arrive, and NinjaTrader said no.
        return Found(twins[0])
    rejected = any(twin.state is OrderState.REJECTED for twin in twins)
    return Absent("an order like it was rejected by NinjaTrader and the position is as it was" if rejected else None)


def _weigh_with_close(ticket: Ticket, twins: Sequence[Order], fills: Sequence[str], position: int) -> Verdict:
    """The close in front of the new order has its very shape, so one such order alone may be either of them.

    Args:
        ticket: of a reversal at market by the size that is open.
        twins: new orders of that shape.
        fills: the ids of orders that are listed no more and have filled whole in it.
        position: as it is now.
    """
    marked = sort(twins, ticket.order.terms)
    if marked.are_ours:
        return _one_of(twins, ticket.order.terms) or _nothing_there(ticket, position)
    if closes := [order for order in marked.others if is_called_close(order)]:
        return _beside_close(ticket, marked.likely, closes, fills, position)
    verdict = _unnamed(ticket, marked.likely, fills, position)
    # What bears another's marks is left out of a choice, and never makes anything absent.
    return Unclear(ANOTHERS) if marked.others and isinstance(verdict, Absent) else verdict


def _beside_close(
    ticket: Ticket, likely: Sequence[Order], closes: Sequence[Order], fills: Sequence[str], position: int
) -> Verdict:
    """NinjaTrader's name tells which is the close; the new order comes behind it, or was placed by somebody else."""
    if len(likely) > 1:
        return Unclear(f"{len(likely)} orders look like it")
    if likely and _is_first(likely[0], closes):
        return _together(ticket, (*likely, *closes), (), position) or Unclear("an order that looks like it came before its close")
    if likely:
        return Found(likely[0])
    if found := _one_of_fills(ticket, fills):
        return found
    if any(not order.state.is_done for order in closes):
        return Unclear("its close is still working")
    if any(order.state is OrderState.FILLED for order in closes):
        return _nothing_there(ticket, position)
    before = ticket.shown.position
    return Absent("its close was not done") if position == before else _changed(before, position)


def _unnamed(ticket: Ticket, twins: Sequence[Order], fills: Sequence[str], position: int) -> Verdict:
    """Verdict without a name: the later one is the new order if the earlier has closed; without times both must have filled."""
    if len(twins) > 2:
        return Unclear(f"{len(twins)} orders look like it")
    if len(twins) == 2:
        return _later(*twins) or _together(ticket, twins, (), position) or Unclear(SAME_SHAPE)
    if together := _together(ticket, twins, fills, position):
        return together
    if twins and position == ticket.shown.after:
        return Found(twins[0])
    if twins and not twins[0].state.is_done:
        return Unclear("its close may still be working")
    if twins and twins[0].state is OrderState.REJECTED:
        return Unclear("a rejected order of its shape may be the close or the entry")
    return _nothing_there(ticket, position)


def _is_first(order: Order, others: Sequence[Order]) -> bool:
    return all(order.at is not None and each.at is not None and order.at < each.at for each in others)


def _later(one: Order, other: Order) -> Found | None:
    if one.at is None or other.at is None or one.at == other.at:
        return None
    first, last = (one, other) if one.at < other.at else (other, one)
    return Found(last) if first.state is OrderState.FILLED else None


def _together(ticket: Ticket, orders: Sequence[Order], fills: Sequence[str], position: int) -> FoundTogether | None:
    """Two that have filled, with the position as it was planned, are the close and the new order, whichever is which."""
    if position != ticket.shown.after or any(order.state is not OrderState.FILLED for order in orders):
        return None
    ids = sorted([*(order.ids for order in orders), *((order_id,) for order_id in fills)])
    return FoundTogether((ids[0], ids[1])) if len(ids) == 2 else None


def _nothing_there(ticket: Ticket, position: int) -> Verdict:
    before = ticket.shown.position
    if position == before:
        return Absent()
    if position == 0 and ticket.order.closes:
        return Absent(f"the position of {side_word(before)} was closed, the new order never arrived")
    return _changed(before, position)


def _changed(before: int, position: int) -> Unclear:
    return Unclear(f"the position went from {side_word(before)} to {side_word(position)} without an order to show for it")


def _is_old(ids: Iterable[str], ticket: Ticket, taken: frozenset[str]) -> bool:
    return not taken.union(ticket.orders_before).isdisjoint(ids)


def _is_older(order: Order, ticket: Ticket) -> bool:
    """Tell whether an order was there before a ticket of which nobody knows what was listed when it left, if it did."""
    since = ticket.sent_at
    return ticket.lacks_its_claim and order.at is not None and since is not None and order.at < since - CLOCK_DIFFERENCE


def has_rival(ticket: Ticket, others: Iterable[Ticket]) -> bool:
    """Tell whether another ticket has an order of the very same terms on its way, or unknown: what is found may be its."""
    intent = ticket.order
    return intent.places and any(
        other.intent.places
        and (other.order.account, other.order.contract) == (intent.account, intent.contract)
        and _shape(other.order.terms) == _shape(intent.terms)
        for other in others
        if other.id != ticket.id and other.state in IN_FLIGHT
    )


def _shape(terms: Terms) -> tuple[object, ...]:
    return terms.side, terms.quantity, terms.type, terms.limit, terms.stop, terms.oco


def looks_like(order: Order, ticket: Ticket) -> bool:
    """Tell whether an order has the side, the size, the type and the prices of the ticket's."""
    terms = ticket.order.terms
    return (
        order.side is terms.side
        and order.quantity == terms.quantity
        and order.type in {terms.type, None}
        and (not terms.type.has_limit or order.limit == terms.limit)
        and (not terms.type.has_stop or order.stop == terms.stop)
    )


def _close_looks_alike(ticket: Ticket) -> bool:
    return ticket.order.terms.type is OrderType.MARKET and _close_fills_alike(ticket)


def _close_fills_alike(ticket: Ticket) -> bool:
    terms, position = ticket.order.terms, ticket.shown.position
    return ticket.order.closes and closing_side(position) is terms.side and abs(position) == terms.quantity


def _by_fills(ticket: Ticket, executions: Sequence[Execution], judged: frozenset[str]) -> FoundFills | Unclear | None:
    """Fills of one order id that add up to just our quantity on our side; for orders that the list has dropped.

    ``judged`` are ids that are known not to be ours: listed orders have been judged by their own shape. A close of our size
    leaves the same fills as our order, whatever its type, so fills prove nothing then.
    """
    if _close_fills_alike(ticket):
        return None
    return _one_of_fills(ticket, _whole_fills(ticket, executions, judged))


def _one_of_fills(ticket: Ticket, whole: Sequence[str]) -> FoundFills | Unclear | None:
    if len(whole) > 1:
        return Unclear(f"the fills of {len(whole)} orders look like it")
    return FoundFills(whole[0], ticket.order.terms.quantity) if whole else None


def _whole_fills(ticket: Ticket, executions: Sequence[Execution], judged: frozenset[str]) -> list[str]:
    """The ids of orders, not judged yet, of which just our quantity has filled on our side since it was sent."""
    if ticket.sent_at is None:
        return []
    sums: Counter[str] = Counter()
    for fill in executions:
        ours = fill.contract == ticket.order.contract and fill.side is ticket.order.terms.side
        late_enough = fill.at >= ticket.sent_at - CLOCK_DIFFERENCE
        if ours and late_enough and fill.order_id and not _is_old((fill.order_id,), ticket, judged):
            sums[fill.order_id] += fill.quantity
    return [order_id for order_id, quantity in sums.items() if quantity == ticket.order.terms.quantity]
