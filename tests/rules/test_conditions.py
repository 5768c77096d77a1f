"""The conditions that an order carries about what is open: which hold, what is said of those that don't, and the desk's own."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.trading.market.facts import Position
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import FlatPlace, OrderIntent, PlaceOrder, Replace, Reverse, VerifiedReverse
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.risk.conditions import as_on_card, guarded, unmet
from bot.trading.risk.policy import Denial, DenialCode, Policy
from tests.rules.strategies import ES, ES_DECEMBER, FACTS, NQ, ORDER

TERMS = Terms(Side.BUY, 1)
LOOK = "; look at the position, or leave require out."
FEWER = "and the order asks for fewer than"


def refused(held: Mapping[Contract, int], require: str = "", most: int | None = None) -> list[tuple[str, str]]:
    """The sentence and the details of each condition that doesn't hold for an order in ES 09-26."""
    facts = replace(FACTS, positions=tuple(Position("Sim101", contract, quantity) for contract, quantity in held.items()))
    denials = list(unmet(PlaceOrder("Sim101", ES, TERMS, "own", frozenset(require.split()), most), facts))
    assert all(denial.code is DenialCode.POSITION_NOT_AS_REQUIRED for denial in denials)
    return [(denial.sentence, denial.details) for denial in denials]


@pytest.mark.parametrize(
    ("position", "now"), [(2, "long"), (1, "long"), (0, "flat"), (-1, "short"), (-2, "short"), (None, "flat")]
)
def test_an_order_is_held_back_unless_the_position_is_as_it_requires(position: int | None, now: str) -> None:
    held = {} if position is None else {ES: position}
    assert refused(held) == refused(held, now) == refused(held, "flat long short") == []
    others = sorted({"flat", "long", "short"} - {now})
    for each in others:
        [(sentence, details)] = refused(held, each)
        assert sentence == f"“Sim101” is {now} in ES 09-26 and the order asks for {each}{LOOK}"
        assert details == f"position={now} require={each}"
    [(sentence, details)] = refused(held, " ".join(others))
    assert sentence.endswith(f"asks for {others[0]} or {others[1]}{LOOK}")
    assert details == f"position={now} require={others[0]},{others[1]}"


@pytest.mark.parametrize(
    ("held", "most", "counted"),
    [
        ({NQ: 1}, 2, None),
        ({NQ: 1}, 1, 1),
        ({NQ: 1, ES_DECEMBER: -3}, 3, None),
        ({NQ: 1, ES_DECEMBER: -3}, 2, 2),
        ({NQ: 1, ES_DECEMBER: -3}, 1, 2),
        # What is flat is no position, and adding to one opens none.
        ({NQ: 0}, 1, None),
        ({NQ: 1, ES: 2}, 1, None),
        ({}, 1, None),
        ({}, 0, 0),
    ],
)
def test_a_position_more_is_opened_only_below_the_most_that_are_asked_for(
    held: Mapping[Contract, int], most: int, counted: int | None
) -> None:
    told = f"“Sim101” holds positions in {counted} contracts {FEWER} {most}; close one, or raise max_positions."
    assert refused(held, most=most) == ([] if counted is None else [(told, f"positions={counted} max_positions={most}")])


def test_positions_that_were_not_read_are_none() -> None:
    facts = replace(FACTS, positions=None)
    assert list(unmet(PlaceOrder("Sim101", ES, TERMS, "own", max_positions=1), facts)) == []


def test_each_condition_that_does_not_hold_is_told() -> None:
    assert [details for _, details in refused({NQ: 1}, "long", 1)] == [
        "position=flat require=long",
        "positions=1 max_positions=1",
    ]


def test_a_replacement_has_the_first_condition_alone() -> None:
    replacement = Replace("Sim101", ES, TERMS, "o1", TERMS, frozenset({"flat"}))
    [denial] = unmet(replacement, FACTS)
    assert denial == Denial(
        DenialCode.POSITION_NOT_AS_REQUIRED,
        f"“Sim101” is long in ES 09-26 and the order asks for flat{LOOK}",
        "position=long require=flat",
    )


PLACE = PlaceOrder("Sim101", ES, TERMS, "own")
GUARDING, UNGUARDED = Policy(grants=()), Policy(grants=(), guard=False)


@pytest.mark.parametrize(
    ("held", "guard"),
    [
        ({}, "flat"),
        ({ES: 0}, "flat"),
        ({ES: 1}, "long"),
        ({ES: 7}, "long"),
        ({ES: -2}, "short"),
        # Another contract, and another month of the same root, are other positions.
        ({NQ: 1, ES_DECEMBER: -3}, "flat"),
    ],
)
@pytest.mark.parametrize("terms", [TERMS, Terms(Side.SELL, 2, OrderType.LIMIT, limit=Decimal(5900))])
def test_a_placed_order_is_for_the_position_that_was_read(held: Mapping[Contract, int], guard: str, terms: Terms) -> None:
    facts = replace(FACTS, positions=tuple(Position("Sim101", contract, quantity) for contract, quantity in held.items()))
    intent = replace(PLACE, terms=terms)
    assert guarded(intent, facts, GUARDING) == replace(intent, guard=guard)
    assert list(unmet(replace(intent, guard=guard), facts)) == []


def test_working_orders_are_no_position() -> None:
    facts = replace(FACTS, positions=(), orders=(ORDER,))
    assert facts.working(ES)
    assert guarded(PLACE, facts, GUARDING) == replace(PLACE, guard="flat")


def test_what_a_member_requires_stands_alone() -> None:
    for require in ({"long"}, {"flat", "short"}, {"flat", "long", "short"}):
        intent = replace(PLACE, require=frozenset(require))
        assert guarded(intent, FACTS, GUARDING) == intent
    # A number of positions is no condition on this one.
    assert guarded(replace(PLACE, max_positions=1), FACTS, GUARDING) == replace(PLACE, max_positions=1, guard="long")


def test_no_guard_is_set_where_the_policy_says_so_or_the_position_is_not_known() -> None:
    for intent in (PLACE, replace(PLACE, guard="flat")):
        assert guarded(intent, FACTS, UNGUARDED) == PLACE
        assert guarded(intent, replace(FACTS, positions=None), GUARDING) == PLACE


def test_a_guard_of_before_gives_way_to_the_position_of_now() -> None:
    assert guarded(replace(PLACE, guard="short"), FACTS, GUARDING) == replace(PLACE, guard="long")


@pytest.mark.parametrize(
    "intent",
    [
        Reverse("Sim101", ES, TERMS),
        VerifiedReverse("Sim101", ES, TERMS, "own"),
        FlatPlace("Sim101", ES, TERMS),
        Replace("Sim101", ES, TERMS, "o1", TERMS),
    ],
)
def test_no_other_order_has_a_guard(intent: OrderIntent) -> None:
    assert guarded(intent, FACTS, GUARDING) is intent
    assert as_on_card(intent, PLACE) is intent


@pytest.mark.parametrize("of_now", [None, "flat"])
@pytest.mark.parametrize("on_card", [None, "flat"])
def test_what_is_sent_has_the_guard_of_the_card(on_card: str | None, of_now: str | None) -> None:
    fresh = replace(PLACE, terms=Terms(Side.BUY, 3), guard=of_now)
    assert as_on_card(fresh, replace(PLACE, guard=on_card)) == replace(fresh, guard=on_card)
