"""The limits in any world: nothing that is missing, larger or more ever turns a denial into permission."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Position
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import DenialCode, Limit
from tests.rules.strategies import (
    ES,
    EVERY_LIMIT,
    GOOD,
    INTENT,
    MEMBER,
    MODEST,
    NOW,
    NQ,
    QUOTE,
    TICK,
    World,
    amounts,
    limits,
    on_tick,
    positions,
    sent,
    states_in_flight,
    well_formed_terms,
)
from tests.rules.wanting import BOB, at_limit, at_stop


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any decision in which everything was read."""
    bid = draw(on_tick)
    quote = replace(
        QUOTE,
        bid=bid,
        ask=bid + draw(st.integers(0, 8)) * TICK,
        last=bid + draw(st.integers(-40, 40)) * TICK,
        at=NOW - timedelta(seconds=draw(st.integers(0, 40))),
    )
    account = replace(GOOD.facts.account or pytest.fail("GOOD has one"), realised=draw(amounts), unrealised=draw(amounts))
    terms = draw(well_formed_terms())
    facts = replace(GOOD.facts, account=account, quote=quote, positions=(Position("Sim101", ES, draw(positions)),))
    tickets = draw(
        st.lists(
            st.builds(
                sent,
                st.sampled_from(TicketState),
                ago=st.integers(0, 100),
                requester=st.sampled_from([MEMBER, BOB]),
                intent=st.sampled_from([replace(INTENT, terms=terms), replace(INTENT, contract=NQ), INTENT]),
            ),
            max_size=3,
        )
    )
    policy = replace(GOOD.policy, limits=(*draw(st.lists(limits, max_size=2)), EVERY_LIMIT))
    return World(replace(INTENT, terms=terms), MEMBER.id, facts, policy, OwnOrders(tuple(tickets)))


REMOVALS: dict[str, Callable[[World], World]] = {
    "account": lambda world: world.with_facts(account=None),
    "provider": lambda world: world.with_account(provider=None),
    "connected": lambda world: world.with_account(connected=None),
    "realised": lambda world: world.with_account(realised=None),
    "unrealised": lambda world: world.with_account(unrealised=None),
    "positions": lambda world: world.with_facts(positions=None),
    "position": lambda world: world.with_facts(positions=()),
    "orders": lambda world: world.with_facts(orders=None),
    "quote": lambda world: world.with_facts(quote=None),
    "bid": lambda world: world.with_quote(bid=None),
    "ask": lambda world: world.with_quote(ask=None),
    "last": lambda world: world.with_quote(last=None),
    "at": lambda world: world.with_quote(at=None),
}


@MODEST
@given(world=worlds(), removal=st.sampled_from(sorted(REMOVALS)))
def test_i23_with_any_one_input_removed_nothing_is_ever_allowed(world: World, removal: str) -> None:
    assert REMOVALS[removal](world).codes()


KINDS = {
    "market": GOOD,
    "limit": at_limit("5800.00"),
    "sell stop": at_stop("5790.00"),
    "buy stop": at_stop("5810.00", Side.BUY),
}


@pytest.mark.parametrize("removal", REMOVALS.values(), ids=list(REMOVALS))
def test_a_good_order_of_any_type_is_denied_for_each_input_that_is_removed(removal: Callable[[World], World]) -> None:
    for name, world in KINDS.items():
        assert world.codes() == [], name
        assert len(removal(world).codes()) == 1, name


@MODEST
@given(world=worlds(), more=st.integers(1, 20))
def test_a_larger_quantity_never_turns_a_denial_into_permission(world: World, more: int) -> None:
    # Another quantity is another order, so the rule against doubles, which asks for the same one, is set aside.
    rules = tuple(replace(limit, duplicate_seconds=None) for limit in world.policy.limits)
    world = replace(world, policy=replace(world.policy, limits=rules))
    larger = world.with_terms(quantity=world.intent.terms.quantity + more)
    assert set(world.codes()) <= set(larger.codes())


@MODEST
@given(world=worlds(), limit=limits)
def test_another_limit_never_turns_a_denial_into_permission(world: World, limit: Limit) -> None:
    stricter = replace(world, policy=replace(world.policy, limits=(*world.policy.limits, limit)))
    assert set(world.codes()) <= set(stricter.codes())


@MODEST
@given(world=worlds(), state=states_in_flight, ago=st.integers(0, 200))
def test_i3_one_more_order_in_flight_never_turns_a_denial_into_permission(world: World, state: TicketState, ago: int) -> None:
    more = replace(world, recent=OwnOrders((*world.recent.tickets, sent(state, ago=ago))))
    assert set(world.codes()) <= set(more.codes())
    assert DenialCode.OUTCOME_UNKNOWN in more.codes()
