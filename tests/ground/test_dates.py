"""What the dates of answers say of the host's clock, however long these took to come."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import STEP, SteadyClock
from bot.dates import Dates
from tests.clocks import NOON


class Machine:
    """A machine whose clock is wrong by so much from its start on, beside one whose clock is right."""

    def __init__(self, ahead: float) -> None:
        self.passed = 0.0
        self.ahead = timedelta(seconds=ahead)
        self.clock = SteadyClock(lambda: self.passed, lambda: self.true + self.ahead)
        self.dates = Dates(self.clock)

    @property
    def true(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def answer(self, there: float = 0.02, back: float = 0.02, **headers: str) -> None:
        """An answer comes, so many seconds after it was asked for."""
        asked = self.clock()
        self.passed += there
        date = format_datetime(self.true.replace(microsecond=0), usegmt=True)
        self.passed += back
        self.dates.told({"Date": date} | headers, asked)


@given(
    ahead=st.floats(-90_000, 90_000),
    ways=st.lists(st.tuples(st.floats(0, 8), st.floats(0, 8), st.floats(0, 20)), min_size=1, max_size=8),
)
def test_no_slow_answer_makes_a_clock_seem_wrong_that_is_right(ahead: float, ways: list[tuple[float, float, float]]) -> None:
    machine = Machine(ahead)
    for there, back, pause in ways:
        machine.passed += pause
        machine.answer(there, back)
    found = machine.dates.ahead
    assert found is not None
    slack = timedelta(seconds=1 + min(there + back for there, back, _ in ways))
    assert abs(found - machine.ahead) <= slack + STEP
    if abs(machine.ahead) <= STEP:
        assert not found
    own = NOON + timedelta(seconds=machine.passed)
    machine.clock.measured(machine.dates.theirs)
    assert abs(machine.clock.own(own) - machine.clock()) <= slack + STEP


def test_a_clock_that_is_set_right_meanwhile_is_right_at_once() -> None:
    machine = Machine(60)
    machine.answer()
    assert 58 < machine.dates.ahead.total_seconds() < 62  # type: ignore[union-attr]  # it was told
    machine.ahead = timedelta()
    assert machine.dates.ahead == timedelta()


def test_who_sets_their_own_clock_is_believed_anew() -> None:
    machine = Machine(0)
    machine.answer()
    machine.dates.told({"Date": format_datetime(NOON - timedelta(hours=6), usegmt=True)}, machine.clock())
    assert machine.dates.ahead is not None
    assert machine.dates.ahead > timedelta(hours=5)


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "now"}, {"Date": "Mon, 03 Aug 2026 06:00:00 GMT", "Age": "9"}])
def test_what_tells_no_time_or_comes_from_a_cache_counts_for_nothing(headers: dict[str, str]) -> None:
    machine = Machine(0)
    machine.dates.told(headers, machine.clock())
    assert (machine.dates.ahead, machine.dates.theirs) == (None, None)
