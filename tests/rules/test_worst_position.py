"""The worst position: never less than what trying every way in which orders could fill comes to."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Facts, Order, Position
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import PlaceOrder, Reverse
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import IN_FLIGHT, Ticket, TicketState
from bot.trading.risk.exposure import exposures, worst_position
from bot.trading.risk.limits import OwnOrders
from tests.rules.strategies import ES, ES_DECEMBER, FACTS, INTENT, LONG_TWO, MODEST, NQ, ORDER, quantities, sent, sides

Holdings = dict[Contract, int]
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Scene:
    """What was read, what is on its way, and the order that is asked for."""

    intent: Reverse | PlaceOrder
    facts: Facts
    recent: OwnOrders

    @property
    def told(self) -> int:
        return worst_position(self.intent, self.facts, self.recent.tickets)


def brute_force(scene: Scene) -> dict[Side, int]:
    """The most contracts of the root that are held at once, all months together, over every way in which things could go.

    By the side that the order's own month is on. Each order fills or not (a part of one lies between the two), each reversal
    on its way closes its month first or not.
    """
    root, intent = scene.intent.contract.root, scene.intent
    held: Holdings = {p.contract: p.quantity for p in scene.facts.positions or () if p.contract.root == root}
    orders = [order for order in scene.facts.orders or () if order.contract.root == root]
    listed = {one for order in scene.facts.orders or () for one in order.ids}
    tickets = [
        ticket
        for ticket in scene.recent.tickets
        if (ticket.state in IN_FLIGHT or ticket.is_followed)
        and (ticket.order.account, ticket.order.contract.root) == (intent.account, root)
        and listed.isdisjoint(ticket.order_ids)
    ]
    fills = [
        (intent.contract, intent.terms.quantity * intent.terms.side.sign),
        *((order.contract, order.remaining * order.side.sign) for order in orders),
        *((t.order.contract, max(t.terms.quantity - t.filled, 0) * t.order.terms.side.sign) for t in tickets),
    ]
    closes_first = isinstance(intent, Reverse)
    worst = dict.fromkeys(Side, 0)
    for closed in subsets({ticket.order.contract for ticket in tickets}):
        start = {**held, **dict.fromkeys((*closed, *([intent.contract] if closes_first else [])), 0)}
        for done in subsets(fills):
            end = Counter(start)
            for contract, signed in done:
                end[contract] += signed
            own = end.pop(intent.contract, 0)
            for side in Side:
                worst[side] = max(worst[side], max(own * side.sign, 0) + sum(map(abs, end.values())))
    return worst


def subsets(things: Collection[Thing]) -> Iterator[tuple[Thing, ...]]:
    return itertools.chain.from_iterable(itertools.combinations(things, size) for size in range(len(things) + 1))


months = st.sampled_from([ES, ES_DECEMBER])
small = st.integers(1, 3)
order_ids = st.sampled_from([("a",), ("b", "c"), ("d",)])
working = st.builds(
    Order,
    ids=order_ids,
    account=st.just("Sim101"),
    contract=months | st.just(NQ),
    side=sides,
    type=st.just(OrderType.LIMIT),
    state=st.sampled_from(
        [OrderState.WORKING, OrderState.PART_FILLED, OrderState.OTHER, OrderState.FILLED, OrderState.CANCELLED]
    ),
    quantity=small,
    filled=st.integers(0, 2),
)
on_their_way = st.builds(
    sent,
    st.sampled_from([TicketState.SENDING, TicketState.UNKNOWN, TicketState.ACCEPTED, TicketState.REJECTED, TicketState.OFFERED]),
    intent=st.builds(
        Reverse,
        st.sampled_from(["Sim101", "Sim102"]),
        months | st.just(NQ),
        st.builds(Terms, sides, small),
    ),
    order_ids=st.just(()) | order_ids,
    filled=st.integers(0, 3),
    order_state=st.none() | st.sampled_from([OrderState.WORKING, OrderState.FILLED]),
)
held_positions = st.lists(
    st.builds(Position, st.just("Sim101"), st.sampled_from([ES, ES_DECEMBER, NQ]), st.integers(-3, 3)),
    max_size=3,
    unique_by=lambda position: position.contract,
).map(tuple)
scenes = st.builds(
    Scene,
    st.builds(Reverse, st.just("Sim101"), st.just(ES), st.builds(Terms, sides, small))
    | st.builds(PlaceOrder, st.just("Sim101"), st.just(ES), st.builds(Terms, sides, small), st.just("own")),
    st.builds(Facts, st.just(FACTS.account), held_positions, st.lists(working, max_size=3).map(tuple), st.just(FACTS.quote)),
    st.lists(on_their_way, max_size=2).map(tuple).map(OwnOrders),
)


@MODEST
@given(scene=scenes)
def test_what_could_be_held_on_either_side_is_just_what_trying_every_way_comes_to(scene: Scene) -> None:
    told = {each.side: each.worst for each in exposures(scene.intent, scene.facts, scene.recent.tickets)}
    assert told == brute_force(scene)


@MODEST
@given(scene=scenes, side=sides)
def test_an_order_counts_on_its_own_side_alone(scene: Scene, side: Side) -> None:
    place = PlaceOrder("Sim101", ES, Terms(side, 1), "own")
    for each in exposures(place, scene.facts, scene.recent.tickets):
        assert each.worst - each.anyway in ((0, 1) if each.side is side else (0,))


@MODEST
@given(scene=scenes, more=working)
def test_one_more_working_order_never_makes_it_less(scene: Scene, more: Order) -> None:
    more = replace(more, ids=("new",))
    with_it = replace(scene, facts=replace(scene.facts, orders=(*(scene.facts.orders or ()), more)))
    assert with_it.told >= scene.told


@MODEST
@given(scene=scenes, quantity=quantities)
def test_a_larger_order_never_makes_it_less(scene: Scene, quantity: int) -> None:
    terms = scene.intent.terms
    larger = replace(scene.intent, terms=replace(terms, quantity=terms.quantity + quantity))
    assert replace(scene, intent=larger).told >= scene.told


SELL_STOP = replace(ORDER, ids=("stop",), type=OrderType.STOPMARKET, stop=Decimal(5700), quantity=2)
BUY_LIMIT = replace(ORDER, ids=("limit",), side=Side.BUY, type=OrderType.LIMIT, limit=Decimal(5700), quantity=5)
DECEMBER = Position("Sim101", ES_DECEMBER, -4)
ENTRY = replace(INTENT, contract=ES_DECEMBER, terms=Terms(Side.SELL, 6))
CASES: dict[str, tuple[tuple[Position, ...], tuple[Order, ...], tuple[Ticket, ...], int]] = {
    "the order alone, as the position is closed first": ((LONG_TWO,), (), (), 3),
    "a working order on its side": ((LONG_TWO,), (SELL_STOP,), (), 5),
    "a larger one on the other side": ((LONG_TWO,), (BUY_LIMIT,), (), 5),
    "both": ((LONG_TWO,), (BUY_LIMIT, SELL_STOP), (), 5),
    "what is left of a part filled one": ((LONG_TWO,), (replace(SELL_STOP, filled=1),), (), 4),
    "a finished one is nothing": ((LONG_TWO,), (replace(SELL_STOP, state=OrderState.CANCELLED),), (), 3),
    "another root is nothing": ((LONG_TWO, Position("Sim101", NQ, 9)), (replace(SELL_STOP, contract=NQ),), (), 3),
    "another month of the root": ((LONG_TWO, DECEMBER), (), (), 7),
    "an order on top of one of another month": (
        (LONG_TWO, replace(DECEMBER, quantity=1)),
        (replace(BUY_LIMIT, contract=ES_DECEMBER),),
        (),
        9,
    ),
    "orders of two months on two sides": ((LONG_TWO,), (replace(BUY_LIMIT, contract=ES_DECEMBER),), (), 8),
    "one in flight": ((LONG_TWO,), (), (sent(TicketState.UNKNOWN, intent=ENTRY),), 9),
    "one in flight on top of another month, should its close come late": (
        (LONG_TWO, DECEMBER),
        (),
        (sent(TicketState.SENDING, intent=ENTRY),),
        13,
    ),
    "one in flight against another month": (
        (LONG_TWO, replace(DECEMBER, quantity=4)),
        (),
        (sent(TicketState.SENDING, intent=ENTRY),),
        9,
    ),
    "the stop of another month": (
        (LONG_TWO, replace(DECEMBER, quantity=4)),
        (replace(SELL_STOP, contract=ES_DECEMBER, quantity=4),),
        (),
        7,
    ),
    "one accepted and part filled": ((LONG_TWO,), (), (sent(intent=ENTRY, filled=4, order_ids=("x",)),), 5),
    "one accepted and overfilled is nothing": ((LONG_TWO,), (), (sent(intent=ENTRY, filled=9, order_ids=("x",)),), 3),
    "one accepted and changed since counts as it is now": (
        (LONG_TWO,),
        (),
        (sent(intent=ENTRY, order_terms=replace(ENTRY.terms, quantity=ENTRY.terms.quantity + 2), order_ids=("x",)),),
        ENTRY.terms.quantity + 5,
    ),
    "one accepted and done is nothing": ((LONG_TWO,), (), (sent(intent=ENTRY, order_state=OrderState.FILLED),), 3),
    "one in flight in another account is nothing": (
        (LONG_TWO,),
        (),
        (sent(TicketState.UNKNOWN, intent=replace(ENTRY, account="Sim102")),),
        3,
    ),
    "one that is listed counts once": (
        (LONG_TWO,),
        (replace(SELL_STOP, ids=("676", "x")),),
        (sent(intent=replace(INTENT, terms=Terms(Side.SELL, 2)), order_ids=("x",)),),
        5,
    ),
}


@pytest.mark.parametrize(("held", "orders", "tickets", "worst"), CASES.values(), ids=list(CASES))
def test_a_worst_position_worked_out_by_hand(
    held: tuple[Position, ...], orders: tuple[Order, ...], tickets: tuple[Ticket, ...], worst: int
) -> None:
    assert Scene(INTENT, replace(FACTS, positions=held, orders=orders), OwnOrders(tickets)).told == worst


def test_what_was_not_read_counts_as_nothing_here_because_the_limits_deny_it_before() -> None:
    assert Scene(INTENT, replace(FACTS, positions=None, orders=None), OwnOrders()).told == 3
