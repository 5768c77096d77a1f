"""An outage is told once, and its end once; what flickers is not told at every flicker."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.trading.health.outages import FINE, AlertDelays, Outage, Said, Word, step

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)
PATIENCE = AlertDelays(15 * S, 5 * S, 60 * S)


def at(second: float) -> datetime:
    """That many seconds past noon."""
    return NOON + second * S


def told(*looks: tuple[float, float | None, bool]) -> list[Said]:
    """What is said at looks, each at a second, with since when it is down, and whether it matters."""
    outage, said = FINE, []
    for now, since, matters in looks:
        outage, word = step(outage, None if since is None else at(since), at(now), PATIENCE, matters=matters)
        said += [word] if word else []
    return said


def test_it_is_told_once_it_has_lasted_and_its_end_once_it_is_sure() -> None:
    looks = [(0, 0, True), (14, 0, True), (15, 0, True), (16, 0, True), (40, None, True), (44, None, True), (45, None, True)]
    assert told(*looks, (60, None, True)) == [Said(Word.DOWN, at(0), at(15)), Said(Word.UP, at(0), at(40))]


def test_nothing_is_told_while_nothing_hangs_on_it_and_at_once_when_something_does() -> None:
    assert told((0, 0, False), (30, 0, False), (31, 0, True)) == [Said(Word.DOWN, at(0), at(31))]
    assert told((0, 0, False), (30, 0, False), (31, None, True), (60, None, True)) == []


def test_the_end_is_told_even_if_nothing_hangs_on_it_any_more() -> None:
    assert told((20, 0, True), (30, None, False), (36, None, False))[-1] == Said(Word.UP, at(0), at(30))


def test_what_goes_again_before_it_was_sure_never_came_back() -> None:
    looks = [(15, 0, True), (20, None, True), (24, 23, True), (30, None, True), (35, None, True)]
    assert told(*looks) == [Said(Word.DOWN, at(0), at(15)), Said(Word.UP, at(0), at(30))]


def test_a_second_alarm_waits_its_minute_and_then_is_told_if_it_still_lasts() -> None:
    first = [(15, 0, True), (20, None, True), (25, None, True)]
    assert [one.word for one in told(*first, (50, 30, True), (74, 30, True), (75, 30, True))] == [Word.DOWN, Word.UP, Word.DOWN]
    assert [one.word for one in told(*first, (50, 30, True), (60, None, True), (70, None, True))] == [Word.DOWN, Word.UP]


def test_a_clock_that_was_put_back_makes_no_outage_begin_later_than_now() -> None:
    outage, _ = step(FINE, at(100), at(0), PATIENCE, matters=True)
    assert outage == Outage(since=at(0))


def test_a_link_that_stands_stays_fine() -> None:
    assert step(FINE, None, NOON, PATIENCE, matters=True) == (FINE, None)


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), max_size=60))
def test_alarms_and_ends_take_turns_and_alarms_keep_their_pace(looks: list[tuple[int, bool, bool]]) -> None:
    outage, now, said, since = FINE, NOON, [], None
    for pause, is_down, matters in looks:
        now += pause * S
        since = (since or now) if is_down else None
        outage, word = step(outage, since, now, PATIENCE, matters=matters)
        said += [word] if word else []
    assert [one.word for one in said] == [Word.DOWN, Word.UP] * (len(said) // 2) + [Word.DOWN] * (len(said) % 2)
    alarms = [one.until for one in said if one.word is Word.DOWN]
    assert all(later - earlier >= PATIENCE.pace for earlier, later in pairwise(alarms))
    assert all(one.until - one.since >= PATIENCE.after for one in said if one.word is Word.DOWN)
