"""What the chaos bench prints, and the clock that it moves."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.chaos import jumping
from benchmarks.chaos.compare import Breach, Violation
from benchmarks.chaos.plan import Step
from benchmarks.chaos.session import Played
from benchmarks.chaos.table import Report, table
from bot.clock import utc_now

from .chaos_books import ACCEPTED, a_book, a_case, a_request, a_run, a_session, an_order

CASE = a_case(a_run(), ACCEPTED, a_book([a_request(), a_request()], [an_order()], 2))
PLAYED = Played(a_session(CASE.run), (CASE,), kills=Counter({(Step.SENDING, "sending"): 2, (Step.SEEN, "missed"): 1}))


def test_a_good_report_counts_and_lists_every_step() -> None:
    report = Report(7, 1, [PLAYED], [], ["No PostgreSQL answers."], 60.0)
    text = table(report)
    assert report.is_good
    for breach in Breach:
        assert f"{breach:44}     0" in text
    for words in ("seed 7", "1 on SQLite", "60 s", "No PostgreSQL answers.", "p50", "p99", "accepted 1", "Kill -9: 3 times"):
        assert words in text
    assert all(step in text for step in Step)
    assert "BROKEN" not in text


def test_a_broken_promise_is_told_with_its_ticket_and_its_books() -> None:
    report = Report(7, 1, [PLAYED], [(PLAYED, Violation(Breach.TWICE, CASE, "PlaceOrder came in 2 times"))], [], 60.0)
    text = table(report)
    assert not report.is_good
    assert f"{Breach.TWICE:44}     1" in text
    for words in (
        "AAAABBBB",
        "seed 1, session 0",
        "run 0",
        "request: PlaceOrder",
        "order: CX0001 ES 09-26 buy 2",
        "accepted · order `T1`",
    ):
        assert words in text


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("40.0", 40), ("-8", -8), ("", 0)])
def test_the_clock_is_as_far_ahead_as_its_file_says(
    text: str, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clock").write_text(text)
    monkeypatch.setenv(jumping.FILE, str(tmp_path / "clock"))
    ahead = jumping.jumping_now() - utc_now()
    assert abs(ahead - timedelta(seconds=seconds)) < timedelta(seconds=1)
