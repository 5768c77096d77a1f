"""The desk's time goes by a count; what somebody does to the host's clock changes what people read and nothing else."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import STEP, SteadyClock, system_clock

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Machine:
    """A count and a host's clock, moved by hand."""

    def __init__(self) -> None:
        self.count = 5000.0
        self.ahead = timedelta(0)

    def seconds(self) -> float:
        return self.count

    def host(self) -> datetime:
        return NOON + timedelta(seconds=self.count - 5000.0) + self.ahead


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_host_whose_clock_is_set_changes_no_duration_and_all_that_people_read(hours: int) -> None:
    machine = Machine()
    clock = SteadyClock(machine.seconds, machine.host)
    began = clock()
    machine.count += 10
    machine.ahead = timedelta(hours=hours)
    assert clock() - began == 10 * SECOND
    assert clock.set_by == timedelta(hours=hours)
    assert clock.shown(began) == NOON + timedelta(hours=hours)
    assert clock.own(clock.shown(began)) == began
    assert clock.stamped(began) == clock.shown(began)


def test_what_was_measured_of_the_clocks_of_others_goes_before_the_hosts() -> None:
    machine = Machine()
    clock = SteadyClock(machine.seconds, machine.host)
    began = clock()
    clock.measured(timedelta(hours=-6))
    assert clock.stamped(began) == NOON - timedelta(hours=6)
    assert clock.own(clock.stamped(began)) == began


@pytest.mark.parametrize(("ahead", "set_by"), [(1.9, 0), (-2, 0), (2.1, 2.1), (-40, -40)])
def test_what_ntp_does_bit_by_bit_is_no_step(ahead: float, set_by: float) -> None:
    machine = Machine()
    clock = SteadyClock(machine.seconds, machine.host)
    machine.ahead = timedelta(seconds=ahead)
    assert clock.set_by == timedelta(seconds=set_by)


def test_a_clock_that_is_set_back_again_leaves_nothing_over() -> None:
    machine = Machine()
    clock = SteadyClock(machine.seconds, machine.host)
    machine.ahead = timedelta(hours=1)
    assert clock.set_by
    machine.ahead = timedelta(seconds=0.3)
    assert clock.set_by == timedelta(0)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6)), max_size=20))
def test_it_never_runs_back_and_people_never_read_more_than_a_step_beside_their_clocks(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    clock = SteadyClock(machine.seconds, machine.host)
    for passed, ahead in steps:
        before = clock()
        machine.count += passed
        machine.ahead = timedelta(seconds=ahead)
        assert abs(clock() - before - timedelta(seconds=passed)) < timedelta(milliseconds=1)
        assert abs(clock.shown(clock()) - machine.host()) <= STEP + timedelta(milliseconds=1)


def test_the_clock_of_this_machine_begins_as_its_host_has_it() -> None:
    clock = system_clock()
    assert abs(clock() - datetime.now(UTC)) < SECOND
    assert clock.set_by == timedelta(0)
    assert clock.seconds() >= time.monotonic() - 1
