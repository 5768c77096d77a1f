"""Incidents of the field that must not happen here, each with the tests that would fail if it could.

The letters are those of a survey of chat-controlled trading systems; a test is named after its incident (``test_i7_…``).
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
INCIDENTS = {
    1: "a timeout treated as failure, and the order sent again",
    3: "a double tap, or two people at once, passing the same limit",
    4: "one click dispatched twice",
    5: "'this interaction failed' although the action succeeded",
    6: "dead buttons after a restart",
    7: "one card's press hitting another",
    8: "anyone could approve",
    9: "stale commands replayed after downtime",
    11: "an index into a cached list",
    12: "a card that says approved while the order expired",
    13: "an approval that never expires",
    14: "a crash between taken and recorded",
    15: "paper was live, or live was paper",
    16: "a failed order booked as done",
    17: "the bot's idea of the position was wrong",
    19: "long output, and nothing was sent",
    21: "a person's token used as a bot's",
    23: "a guard that fails open",
    24: "two copies of the bot",
}


def named() -> set[int]:
    """The incidents that have a test of their name."""
    found: set[int] = set()
    for file in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found |= {int(number) for number in re.findall(r"(?<=_)i(\d+)(?=_)", node.name)}
    return found


def test_every_incident_has_a_test_named_after_it() -> None:
    there = named()
    assert {number: told for number, told in INCIDENTS.items() if number not in there} == {}
