"""Where somebody may open and nobody may close, the policy is said to have no way out."""

import pytest

from bot.trading.risk.policy import Grant, Policy
from bot.trading.risk.ways_out import without_way_out

OPENS = Grant(1, frozenset({"place"}), ("Sim*", "Apex-1"), ("ES",), 5)


@pytest.mark.parametrize(
    ("grants", "found"),
    [
        ([OPENS], [(1, "Sim*"), (1, "Apex-1")]),
        ([OPENS, Grant(2, frozenset({"close"}), ("*",), ("*",), 1)], []),
        ([OPENS, Grant(2, frozenset({"flatten"}), ("sim*",), ("ES",), 1)], [(1, "Apex-1")]),
        ([OPENS, Grant(2, frozenset({"close"}), ("Sim*", "Apex-1"), ("NQ",), 1)], [(1, "Sim*"), (1, "Apex-1")]),
        ([OPENS, Grant(2, frozenset({"cancel"}), ("*",), ("*",), 1)], [(1, "Sim*"), (1, "Apex-1")]),
        (
            [Grant(1, frozenset({"place"}), ("Sim*",), ("ES", "NQ"), 5), Grant(2, frozenset({"close"}), ("*",), ("ES",), 1)],
            [(1, "Sim*")],
        ),
        ([Grant(1, frozenset({"*"}), ("Sim*",), ("*",), 1)], []),
        ([Grant(1, frozenset({"positions"}), ("Sim*",))], []),
    ],
)
def test_accounts_that_nobody_may_get_out_of_are_found(grants: list[Grant], found: list[tuple[int, str]]) -> None:
    assert list(without_way_out(Policy(tuple(grants)))) == found
