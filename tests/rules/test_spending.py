"""The one line of what requests to CrossTrade were made for."""

import pytest

from bot.trading.health.spending import Spending, spending_words


@pytest.mark.parametrize(
    ("lately", "said"),
    [
        ({}, ""),
        ({"orders": 1}, "1 request to CrossTrade in the last minute: orders 1; 180 allowed"),
        (
            {"ways out": 1, "orders": 9, "cards and evidence": 9},
            "19 requests to CrossTrade in the last minute: orders 9, cards and evidence 9, ways out 1; 180 allowed",
        ),
    ],
)
def test_what_took_most_comes_first_and_equals_as_they_go_first_at_crosstrade(lately: dict[str, int], said: str) -> None:
    assert spending_words(Spending(180.0, lately, {"orders": 900})) == said


@pytest.mark.parametrize(("allowed", "said"), [(180.0, "180"), (60_000.0, "60000"), (90.0, "90"), (150.6, "150.6")])
def test_what_is_allowed_is_a_plain_number(allowed: float, said: str) -> None:
    assert spending_words(Spending(allowed, {"orders": 2})).endswith(f"orders 2; {said} allowed")
