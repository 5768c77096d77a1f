"""``python -m bot policy`` says what is decided, and not what a line alone would mean."""

import pytest

from bot.program.policy import in_words
from bot.trading.policy import AccountRule, Policy


def words(*rules: tuple[str, bool]) -> list[str]:
    """What is said of these lines on accounts."""
    accounts = tuple(AccountRule(name, live=live) for name, live in rules)
    return in_words(Policy(grants=(), accounts=accounts))[-len(rules) :]


NOT_LIVE = "is not live, whatever other lines say: no entry goes there unless it is a simulation; ways out go."


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([("Apex-*", True)], ["Apex-* is live and may be traded."]),
        ([("*", True), ("Apex-1", False)], ["* is live and may be traded, but not Apex-1.", f"Apex-1 {NOT_LIVE}"]),
        (
            [("*", False), ("Apex-1", True)],
            [f"* {NOT_LIVE}", "Apex-1 stays shut for entries, as another line says live = false for all of it."],
        ),
        ([("Apex-*", True), ("Sim1", False)], ["Apex-* is live and may be traded.", f"Sim1 {NOT_LIVE}"]),
    ],
)
def test_lines_on_accounts_are_told_with_what_others_make_of_them(rules: list[tuple[str, bool]], told: list[str]) -> None:
    assert words(*rules) == told


@pytest.mark.parametrize(("allowed", "told"), [(True, "entries go by REST"), (False, "entries are not sent")])
def test_which_way_entries_go_while_the_stream_is_away_is_told(allowed: bool, told: str) -> None:
    assert any(told in line for line in in_words(Policy(grants=(), entries_fall_back=allowed)))
