"""The conditions that an order sets on what is open: which of them hold, and what is said of those that don't."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.trading.conditions import unmet
from bot.trading.facts import Position
from bot.trading.instruments import Contract
from bot.trading.intents import PlaceOrder, Replace
from bot.trading.orders import Side, Terms
from bot.trading.policy import Denial, DenialCode
from tests.rules.strategies import ES, ES_DECEMBER, FACTS, NQ

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
        assert sentence == f"`Sim101` is {now} in ES 09-26 and the order asks for {each}{LOOK}"
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
    told = f"`Sim101` holds positions in {counted} contracts {FEWER} {most}; close one, or raise max_positions."
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
        f"`Sim101` is long in ES 09-26 and the order asks for flat{LOOK}",
        "position=long require=flat",
    )
