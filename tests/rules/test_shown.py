"""What is only shown: gaps between spans, sessions, lives of orders, snapshots, watermarks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Position
from bot.trading.market.funds import Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.market.lifecycle import OrderEvent, dated
from bot.trading.market.session import Session
from bot.trading.market.spans import Span, gaps
from tests.rules.strategies import ACCOUNT, ES, MODEST, NOW

HOUR = timedelta(hours=1)
DAY = Span(NOW, NOW + 24 * HOUR)
POINTS = st.integers(-5, 30)


def hours(start: int, end: int) -> Span:
    """A span by hours from now."""
    return Span(NOW + start * HOUR, NOW + end * HOUR)


@pytest.mark.parametrize(
    ("covered", "left"),
    [
        ([], [(0, 24)]),
        ([(0, 24)], []),
        ([(-5, 30)], []),
        ([(0, 5), (5, 24)], []),
        ([(3, 5)], [(0, 3), (5, 24)]),
        ([(10, 30), (2, 4)], [(0, 2), (4, 10)]),
        ([(1, 9), (2, 3), (12, 13)], [(0, 1), (9, 12), (13, 24)]),
        ([(-5, -3), (25, 30)], [(0, 24)]),
        ([(24, 30)], [(0, 24)]),
        ([(0, 24), (25, 30)], []),
    ],
)
def test_the_gaps_are_what_no_span_covers(covered: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    assert gaps(DAY, [hours(*one) for one in covered]) == tuple(hours(*one) for one in left)


@MODEST
@given(st.lists(st.tuples(POINTS, POINTS).map(sorted), max_size=6))
def test_every_hour_is_covered_or_in_a_gap_and_never_both(covered: list[list[int]]) -> None:
    spans = [hours(*one) for one in covered]
    found = gaps(DAY, spans)
    for hour in range(24):
        at = NOW + hour * HOUR
        is_covered = any(span.start <= at < span.end for span in spans)
        assert is_covered is not any(gap.start <= at < gap.end for gap in found)
    assert list(found) == sorted(found)


OPEN = Session(ES, is_open=True, state="Open", span=hours(-20, 3), upcoming=hours(4, 27), at=NOW)
SHUT = Session(ES, is_open=False, state="Closed", span=hours(5, 28), upcoming=hours(29, 52), at=NOW)


@pytest.mark.parametrize(
    ("session", "turns"),
    [
        (OPEN, 3),
        (replace(OPEN, span=hours(-20, 0)), None),
        (SHUT, 5),
        (replace(SHUT, span=hours(-2, 20)), 29),
        (replace(SHUT, span=hours(-2, 20), upcoming=None), None),
        (replace(SHUT, upcoming=None), 5),
    ],
)
def test_a_market_turns_at_the_next_moment_that_was_told(session: Session, turns: int | None) -> None:
    assert session.turns_at == (None if turns is None else NOW + turns * HOUR)


def test_a_line_without_a_time_keeps_its_place() -> None:
    later = NOW + HOUR
    lines = [OrderEvent("first"), OrderEvent("timed", at=later), OrderEvent("after")]
    assert dated(lines, NOW) == [(NOW, lines[0]), (later, lines[1]), (later, lines[2])]


@pytest.mark.parametrize(
    ("held", "is_flat", "count"),
    [(0, True, 0), (0, None, 0), (1, False, 1), (1, None, 1), (0, False, None), (1, True, None)],
)
def test_how_many_are_open_is_told_where_nothing_speaks_against_it(held: int, is_flat: bool | None, count: int | None) -> None:
    positions = (Position("Sim101", ES, 2),) * held
    assert AccountSummary(ACCOUNT, positions, is_flat).open_count == count


def test_watermarks_are_empty_where_none_is_kept() -> None:
    assert Watermarks("Sim101").is_empty
    assert not Watermarks("Sim101", unrealised=Decimal(0)).is_empty
