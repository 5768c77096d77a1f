"""Two presses race with each other and with what ends a card: in no order of their steps is a promise broken."""

import pytest

from tests.races.race import Between, Race, Second

# Where nothing comes between, whoever is first wins; without a delay that is always Confirm. What bars the order is found by a
# look that takes longer than Cancel, which waits for none.
ONE_END = {(second, Between.NOTHING) for second in Second} | {
    (Second.CANCEL, between) for between in (Between.HALT, Between.POLICY)
}


# The full proof takes long.
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("second", list(Second), ids=lambda second: second.name.lower())
@pytest.mark.parametrize("between", list(Between), ids=lambda between: between.name.lower())
def test_in_no_order_of_their_steps_is_an_order_doubled_unpressed_or_untold(
    second: Second, between: Between, delays: int, every: int
) -> None:
    race = Race(second, between)
    ends = set()
    for delayed, begins, outcome in race.every_order(delays, every):
        assert list(outcome.wrong()) == [], (delayed, begins, outcome)
        assert outcome.ticket is not None
        ends.add(outcome.ticket.state)
    # One that can only end in one way shows nothing of a race.
    assert len(ends) > 1 or (second, between) in ONE_END
