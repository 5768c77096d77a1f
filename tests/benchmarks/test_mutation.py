"""The mutants of the rules: how they are put in, tried and told."""

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.mutation.judge import Verdict
from benchmarks.mutation.report import report, share_found
from benchmarks.mutation.tree import Mutant, MutationError, make, opened
from benchmarks.mutation.trial import judged

DECORATED = '''
from functools import cache

class A:
    """A."""

    @property
    def b(self) -> int:
        """B."""
        return 1

    @staticmethod
    def c() -> int:
        return 2


@cache
def d() -> int:
    return 3
'''


def test_a_run_prints_each_mutant_that_nobody_found_and_the_share_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--module", "orders.broker_calls", "--tests", "tests/rules/test_mass_actions.py", "--goal", "50"]
    assert main(["mutation", *given, "--folder", str(tmp_path / "copy")]) == 0
    told = capsys.readouterr().out.splitlines()
    # Nobody asks for that sentence to the letter.
    at = told.index("orders.broker_calls x__named__mutmut_3: survived")
    assert told[at + 1] == '    -        raise ValueError("an account and a strategy must be named")'
    assert told[at + 2] == '    +        raise ValueError("XXan account and a strategy must be namedXX")'
    _, mutants, *counts, share = next(line for line in told if line.startswith("all ")).split()
    assert int(mutants) == sum(map(int, counts)) == len(make(tmp_path / "again", ["orders.broker_calls"]))
    assert 50 <= float(share.rstrip("%")) < 100


def test_fewer_than_the_goal_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """No test of periods has anything to do with the spans of a session."""
    assert main(["mutation", "--module", "market.spans", "--tests", "tests/rules/test_bars.py"]) == 1
    told = capsys.readouterr().out
    assert "untested" in told
    assert "0.0%" in told


def test_tests_that_fail_without_a_mutant_judge_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text("def test_wrong() -> None:\n    assert False\n", encoding="utf-8")
    with pytest.raises(MutationError, match="test_wrong fails without any mutant"):
        judged(tmp_path / "copy", ["market.spans"], [], [str(tmp_path / "test_wrong.py")])


def test_a_name_that_no_mutant_has_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutation", "--module", "market.spans", "--mutant", "x_nothing__mutmut_1"]) == 1
    assert "no such module or mutant" in capsys.readouterr().err


def test_the_rule_in_a_property_or_behind_a_cache_has_mutants_too() -> None:
    room: dict[str, Any] = {}
    source = opened(DECORATED)
    assert re.findall(r"@\w+", source) == ["@staticmethod"]
    exec(source, room)  # noqa: S102 - it stands above
    assert (room["A"]().b, room["d"]()) == (1, 3)


def test_a_mutant_without_an_end_counts_as_found() -> None:
    one = [(Mutant("m", "f", f"x{n}", "+ 1"), verdict) for n, verdict in enumerate(Verdict)]
    assert share_found(one) == 50.0
    assert report(one, 120.0).splitlines()[-2:] == [
        "all                     4        1        1        1        1    50.0%",
        "in 2 minutes",
    ]
