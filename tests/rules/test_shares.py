"""Shares of looking: nobody takes more than theirs, whoever has had little is served, and the wait that is told is true."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.health.shares import Full, Share, Spent, counted, refused, words
from tests.clocks import NOON

MINUTE = timedelta(minutes=1)
SHARE = Share(of_one=20, of_all=60, within=MINUTE)
ASKS = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 6), st.integers(1, 6)), max_size=120)


def played(asks: list[tuple[float, int, int]]) -> list[tuple[Spent, Full | None]]:
    """What came of asking for so much, each after a pause."""
    now, spent, came = NOON, list[Spent](), []
    for pause, member, cost in asks:
        now += timedelta(seconds=pause)
        full = refused(SHARE, spent, member, cost, now)
        came.append((Spent(now, member, cost), full))
        if full is None:
            spent.append(Spent(now, member, cost))
    return came


@given(ASKS)
def test_nobody_gets_more_than_a_share_of_any_minute(asks: list[tuple[float, int, int]]) -> None:
    given_ = [spent for spent, full in played(asks) if full is None]
    for last in given_:
        window = [each for each in given_ if each.at <= last.at and last.at - each.at < MINUTE]
        own = sum(each.cost for each in window if each.member == last.member)
        assert own <= SHARE.of_one
        # All together go over theirs only by what those take who have had less than an even part.
        assert sum(each.cost for each in window) <= SHARE.of_all + SHARE.of_one


@given(ASKS)
def test_after_the_wait_that_is_told_there_is_room_and_not_before(asks: list[tuple[float, int, int]]) -> None:
    spent = [each for each, full in played(asks) if full is None]
    for member in range(1, 7):
        now = spent[-1].at if spent else NOON
        if (full := refused(SHARE, spent, member, 3, now)) is None:
            continue
        assert timedelta(0) < full.wait <= MINUTE
        assert refused(SHARE, spent, member, 3, now + full.wait) is None
        assert refused(SHARE, spent, member, 3, now + full.wait - timedelta(microseconds=1)) is not None


@pytest.mark.parametrize("busy", [3, 10])
def test_whoever_has_asked_for_little_is_served_although_all_have_had_theirs(busy: int) -> None:
    spent = [Spent(NOON, member, 60 // busy) for member in range(busy)]
    assert refused(SHARE, spent, 0, 1, NOON) is not None
    assert refused(SHARE, spent, 99, 5, NOON) is None
    assert refused(SHARE, [*spent, Spent(NOON, 99, 2)], 99, 3, NOON) is None


def test_whoever_has_asked_for_nothing_may_ask_for_anything() -> None:
    assert refused(SHARE, (), 1, 100, NOON) is None


def test_what_is_old_no_longer_counts() -> None:
    old, young = Spent(NOON, 1, 20), Spent(NOON + timedelta(seconds=30), 1, 1)
    assert counted((old, young), SHARE, NOON + MINUTE) == [young]


@pytest.mark.parametrize(
    ("share", "full", "told"),
    [
        (SHARE, Full(20, 20, timedelta(seconds=7.2)), "You have asked CrossTrade for 20 readings in a minute; next in 8 s."),
        (
            SHARE,
            Full(6, 60, timedelta(seconds=3)),
            "You have asked CrossTrade for 6 readings in a minute, all members together for 60; next in 3 s.",
        ),
        (
            Share(4, 6, timedelta(seconds=10)),
            Full(4, 4, timedelta(0)),
            "You have asked CrossTrade for 4 readings in 10 s; next in 1 s.",
        ),
    ],
)
def test_it_is_told_in_one_sentence(share: Share, full: Full, told: str) -> None:
    assert words(share, full) == told
