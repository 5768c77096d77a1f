"""The simulation's plan and what is told of it: by the seed alone, nothing left out, and made smaller where it fails."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.chaos.compare import Breach
from benchmarks.simulation.faults import FAULTS
from benchmarks.simulation.judgement import Finding, Judged
from benchmarks.simulation.plan import STRIKES_PER_SESSION, Session, a_round, pairs, session
from benchmarks.simulation.report import ROUNDS, Again, Report, played_by, report
from benchmarks.simulation.shrink import smaller


def numbers(one: Session) -> tuple[list[int], list[int]]:
    return [run.number for run in one.runs], [strike.number for strike in one.strikes]


def test_a_seed_gives_one_plan_and_another_seed_another() -> None:
    assert session(1, 3) == session(1, 3)
    assert session(1, 3) != session(2, 3)
    assert session(1, 3) != session(1, 4)


def test_what_goes_wrong_fits_the_run_that_it_strikes() -> None:
    for index in range(20):
        one = session(5, index)
        runs = {run.number: run for run in one.runs}
        for strike in one.strikes:
            fault = FAULTS[strike.fault]
            assert strike.way in fault.ways
            assert strike.lasts in fault.lasts
            assert fault.fits(runs[strike.victim], one.transport)
            assert runs[strike.victim].leads_out


def test_each_fault_is_planned_at_each_of_its_steps() -> None:
    enough = range(ROUNDS * len(a_round()) // STRIKES_PER_SESSION)
    planned = Counter((strike.fault, strike.way) for index in enough for strike in session(9, index).strikes)
    assert [(fault.name, way) for fault, way in pairs() if not planned[fault.name, way]] == []


def test_a_part_of_a_session_is_the_same_but_for_what_was_left_out() -> None:
    whole = session(1, 0)
    strike = next(iter(whole.strikes))
    part = whole.only([strike.victim, 0], [strike.number])
    assert numbers(part)[0] == sorted({strike.victim, 0})
    assert next(iter(part.strikes)) == strike
    assert all(run in whole.runs for run in part.runs)
    assert whole.only([0], [strike.number for strike in whole.strikes if strike.victim]).episodes[0].strikes == ()


def test_a_failing_session_is_made_as_small_as_what_it_fails_for() -> None:
    whole = session(1, 0)
    culprit = next(iter(whole.strikes))
    played: list[Session] = []

    def fails(one: Session) -> bool:
        played.append(one)
        return culprit in one.strikes and any(run.number == 7 for run in one.runs)

    least = smaller(whole, fails, 200)
    assert numbers(least) == (sorted({culprit.victim, 7}), [culprit.number])
    assert len(played) <= 200


def test_a_session_that_fails_by_chance_stays_whole() -> None:
    whole = session(1, 0)
    assert smaller(whole, lambda _: False, 50) == whole


def judgement(**more: Any) -> Judged:
    none = Judged(
        1, 0, 3, 2, Counter({"place": 2}), Counter({"accepted": 2}), Counter({"QUOTE_STALE": 1}),
        Counter({("kill", "1 card posted"): 2}), Counter(), 1, Counter(), 7200.0, "", 30.0,
    )  # fmt: skip
    return replace(none, **more)


def test_the_report_counts_and_says_how_quick_it_was() -> None:
    text = report(Report(1, [judgement()], [], 60.0))
    assert "2.0 hours" in text
    assert "2 hours and 2 orders a minute" in text
    assert all(f"{breach:44}{0:6}" in text for breach in Breach)
    assert "A slice" in text


def test_a_broken_promise_is_told_with_the_command_that_plays_it_again() -> None:
    broken = judgement(findings=(Finding(Breach.TWICE, ("PlaceOrder came in 2 times",)),), timeline=("15:00 journal sending",))
    one = session(1, 0).only([2, 3], [])
    told = Report(1, [broken], [Again(one, broken)], 60.0)
    assert not told.is_good
    assert "--seed 1 --session 0 --runs 2 3 --strikes" in report(told)
    assert "PlaceOrder came in 2 times" in report(told)
    assert "15:00 journal sending" in report(told)
    assert played_by(one).endswith("--strikes")


def test_a_fault_that_was_never_met_fails_where_there_were_sessions_enough() -> None:
    many = [judgement()] * (ROUNDS * len(a_round()) // STRIKES_PER_SESSION + 1)
    assert Report(1, [judgement()], [], 60.0).is_good
    assert not Report(1, many, [], 60.0).is_good
    assert "; kill at 0 asked;" in report(Report(1, many, [], 60.0))
    met = Counter({(fault.name, str(way)): 1 for fault, way in pairs()})
    assert Report(1, [judgement(met=met), *many], [], 60.0).is_good


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_a_step_and_a_time(name: str) -> None:
    assert FAULTS[name].ways
    assert FAULTS[name].lasts
