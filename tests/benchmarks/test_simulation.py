"""The simulation itself: the whole bot in virtual time, the same each time, and judged by what was pressed, done and told."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.chaos.books import End
from benchmarks.chaos.plan import Press
from benchmarks.chaos.stage import CONFIRM_SECONDS
from benchmarks.simulation.alike import digests
from benchmarks.simulation.faults import FAULTS
from benchmarks.simulation.judgement import judged
from benchmarks.simulation.plan import Episode, Errand, Session, Strike, session
from benchmarks.simulation.session import Played, played
from benchmarks.simulation.ways import Lookout, Way
from bot.sandbox.virtual import VirtualLoop


def quiet(runs: int) -> Session:
    """A session in which nothing goes wrong."""
    whole = session(1, 0, runs)
    return whole.only([run.number for run in whole.runs], [])


def struck(fault: str, way: Way, lasts: float = 1.0) -> Session:
    """A session of one order that goes out, struck by one thing."""
    whole = quiet(40)
    run = next(run for run in whole.runs if run.act.name == "reverse" and run.leads_out)
    call = run.act.calls[-1]
    strike = Strike(0, fault, way, run.number, call, 0.0, lasts)
    return replace(whole, episodes=(Episode(2.0, (Errand(run, 0.5, 1.0),), (strike,), waits=True),))


def test_what_nothing_disturbs_is_executed_once_and_told(tmp_path: Path) -> None:
    result = played(quiet(8), tmp_path)
    assert judged(result).findings == ()
    assert {case.end for case in result.cases if case.sent} == {End.ACCEPTED}
    assert result.starts == 1
    assert result.exit == 0


@pytest.mark.parametrize("way", [Way.CARD, Way.PRESSED, Way.SENDING, Way.SEEN, Way.DONE, Way.ANSWERED, Way.JOURNALED])
def test_a_bot_that_is_killed_at_a_step_breaks_no_promise(tmp_path: Path, way: Way) -> None:
    result = played(struck("kill", way), tmp_path)
    assert judged(result).findings == ()
    assert result.met == {("kill", way): 1}
    assert result.starts == 2
    (case,) = result.cases
    assert (case.end is End.ACCEPTED) == any(sent.had_effect for sent in case.sent)


@pytest.mark.parametrize(
    ("fault", "way", "lasts"),
    [
        ("disk full", Way.PRESSED, 1.2),
        ("clock 1 d ahead", Way.SENDING, 60.0),
        ("cut off from CrossTrade", Way.SENDING, 5.0),
        ("cut off from Discord", Way.SEEN, 60.0),
        ("frozen for long", Way.CARD, 3600.0),
        ("408 after", Way.CARD, 0.0),
        ("edit lost after", Way.SENDING, 0.0),
        ("400 says the token", Way.CARD, 0.0),
        ("a twin by hand", Way.CARD, 0.0),
        ("account halted", Way.PRESSED, 5.0),
        ("killed, clock back", Way.SENDING, 1.0),
        ("killed, clock ahead", Way.SENDING, 1.0),
    ],
)
def test_what_goes_wrong_strikes_and_breaks_no_promise(tmp_path: Path, fault: str, way: Way, lasts: float) -> None:
    result = played(struck(fault, way, lasts), tmp_path)
    assert judged(result).findings == ()
    assert result.met == {(fault, way): 1}
    assert FAULTS[fault].ways


def test_what_was_moved_by_hand_since_the_card_is_not_sent(tmp_path: Path) -> None:
    result = played(struck("position moved by hand", Way.CARD), tmp_path)
    assert judged(result).findings == ()
    (case,) = result.cases
    assert (case.end, case.sent) == (End.EXPIRED, ())


def test_a_press_of_another_trader_or_after_the_cards_end_sends_nothing(tmp_path: Path) -> None:
    whole = struck("gateway closed", Way.SHOWN)
    (errand,) = whole.episodes[0].errands
    for name, other in (
        ("stranger", replace(errand, run=replace(errand.run, press=Press.STRANGER))),
        ("late", replace(errand, hesitates=CONFIRM_SECONDS + 1.0)),
    ):
        (tmp_path / name).mkdir()
        session = replace(whole, episodes=(Episode(2.0, (other,), (), waits=True),))
        result = played(session, tmp_path / name)
        assert judged(result).findings == ()
        (case,) = result.cases
        assert (case.end, case.sent) == (End.EXPIRED, ())


def test_the_timeline_has_everybody_in_it(tmp_path: Path) -> None:
    result: Played = played(struck("kill", Way.SEEN), tmp_path, 200)
    text = "\n".join(result.timeline)
    for word in ("/reverse", ":confirm", "sending", "ReversePosition", "kill at 4 request seen", "life 2 begins", "accepted"):
        assert word in text
    times = [line[:15] for line in result.timeline]
    assert times == sorted(times)


def test_the_same_seed_gives_the_same_journal_and_messages_in_any_process() -> None:
    first, second = digests(session(3, 1, 8), 2, 2)
    assert first == second


def test_a_lookout_acts_right_behind_the_step_that_brings_it() -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        lookout, heard = Lookout(loop), list[str]()

        async def main() -> None:
            lookout.when(lambda: "first" in heard, lambda: heard.append("seen"))
            loop.call_later(1, heard.append, "first")
            loop.call_later(1, heard.append, "second")
            assert not await lookout.until(lambda: "third" in heard, 5)
            assert await lookout.until(lambda: "second" in heard, 5)

        runner.run(main())
    assert heard == ["first", "seen", "second"]
    assert loop.after_step is None
