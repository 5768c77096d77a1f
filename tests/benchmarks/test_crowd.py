"""The bench of the crowd: what counts as its goal met, and a short slice of it over both transports."""

from pathlib import Path

import pytest

from benchmarks.crowd import CONFIRM_GOAL, FILL_GOAL, Figures, played


@pytest.mark.parametrize(
    ("figures", "good"),
    [
        (Figures([0.1] * 99 + [9.0], [], [0.1]), True),
        (Figures([0.1] * 90 + [9.0] * 10, [], [0.1]), False),
        (Figures([CONFIRM_GOAL] * 2, [], [FILL_GOAL]), True),
        (Figures([0.1] * 2, [], [0.1, FILL_GOAL + 0.1]), False),
        (Figures([0.1] * 2, [], [0.1], ["/close: denied"]), False),
        (Figures([0.1], [], [0.1]), False),
        (Figures([0.1] * 2), False),
    ],
)
def test_the_goal_is_met_only_where_all_of_it_is(figures: Figures, good: bool) -> None:
    assert figures.is_good is good


@pytest.mark.parametrize("transport", ["rest", "websocket"])
def test_closes_and_fills_come_through_a_crowd(transport: str, tmp_path: Path) -> None:
    figures = played(3, 5, transport, tmp_path)
    assert figures.is_good, figures
    assert figures.answers["in a share's place"] > figures.answers["answered"] > 0
