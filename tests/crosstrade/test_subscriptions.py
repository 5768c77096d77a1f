"""What the stream is asked for: what is wanted, in few messages, within the budget of changes, and again when it stays silent."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade.subscriptions import (
    BURST,
    MOST,
    PNL,
    Subscriptions,
)
from bot.timings import USUAL
from bot.trading.orders.instruments import Contract

from .intents import ES

TIMINGS = USUAL.crosstrade
NQ, CL = Contract("NQ", 2026, 9), Contract("CL", 2026, 10)
EVENTS: dict[str, Any] = {"action": "subscribe", "events": ["orders", "executions", "positions"]}
PNL_ON: dict[str, Any] = {"action": "streamPnl", "enabled": True, "interval": 1000}
PNL_OFF: dict[str, Any] = {"action": "streamPnl", "enabled": False}
# As CrossTrade's page has it.
GRANTED, GRANTED_AT_ONCE = 20 / 60, 5


def asks(*contracts: Contract) -> dict[str, Any]:
    """A subscription."""
    return {"action": "subscribe", "instruments": [str(contract) for contract in contracts]}


def drops(*contracts: Contract) -> dict[str, Any]:
    """Its end."""
    return {"action": "unsubscribe", "instruments": [str(contract) for contract in contracts]}


def said(subscriptions: Subscriptions, now: float) -> list[dict[str, Any]]:
    """All that is sent at a moment."""
    return [json.loads(text) for text in iter(lambda: subscriptions.due(now), None)]


@pytest.fixture
def opened() -> Subscriptions:
    """A connection that stands since second 0 and has asked for events."""
    made = Subscriptions(0, TIMINGS)
    made.opened(0)
    assert said(made, 0) == [EVENTS]
    made.events_acknowledged()
    return made


def test_nothing_is_said_without_a_connection() -> None:
    made = Subscriptions(0, TIMINGS)
    made.quoted(ES, 0)
    assert said(made, 1) == []


def test_all_contracts_go_into_one_message(opened: Subscriptions) -> None:
    opened.quoted(ES, 1)
    opened.holds("Sim101", [NQ, ES])
    opened.holds("Sim102", [CL])
    assert said(opened, 2) == [asks(ES, CL, NQ), PNL_ON]
    opened.quoted(ES, 3)
    assert said(opened, 3) == []


def test_what_was_quoted_is_wanted_for_a_while_after_the_last_time(opened: Subscriptions) -> None:
    opened.quoted(ES, 0)
    assert said(opened, 0) == [asks(ES)]
    assert opened.heard(ES, 1)
    opened.quoted(ES, 60)
    opened.heard(ES, 60 + TIMINGS.quoted_holds - 1)
    assert said(opened, 60 + TIMINGS.quoted_holds - 1) == []
    assert said(opened, 60 + TIMINGS.quoted_holds) == [drops(ES)]
    assert not opened.heard(ES, 60 + TIMINGS.quoted_holds)


def test_what_is_held_is_wanted_until_it_is_closed_or_the_account_is_gone(opened: Subscriptions) -> None:
    opened.holds("Sim101", [ES])
    opened.holds("Sim102", [NQ])
    assert said(opened, 0) == [asks(ES, NQ), PNL_ON]
    # An account is one, in whatever case it is asked about.
    opened.holds("SIM101", [])
    opened.accounts(["Sim101"])
    opened.heard(PNL, 100)
    assert said(opened, 100) == [drops(ES, NQ), PNL_OFF]


def test_results_are_asked_for_while_somebody_looks(opened: Subscriptions) -> None:
    opened.looked(10)
    assert said(opened, 10) == [PNL_ON]
    assert opened.heard(PNL, 11)
    opened.heard(PNL, 9 + TIMINGS.looked_holds)
    assert said(opened, 9 + TIMINGS.looked_holds) == []
    assert said(opened, 10 + TIMINGS.looked_holds) == [PNL_OFF]


def test_of_too_many_those_quoted_last_are_asked_for(opened: Subscriptions) -> None:
    many = [Contract("ES", 2026 + number, 9) for number in range(MOST + 3)]
    for number, contract in enumerate(many):
        opened.quoted(contract, number)
    opened.holds("Sim101", [NQ])
    assert said(opened, 100)[0] == asks(*reversed(many[3:]))


def test_a_new_connection_is_asked_for_everything_again(opened: Subscriptions) -> None:
    opened.quoted(ES, 0)
    opened.holds("Sim101", [NQ])
    assert said(opened, 0) == [asks(ES, NQ), PNL_ON]
    opened.closed(60)
    assert said(opened, 60) == []
    assert not opened.heard(ES, 60)
    opened.opened(61)
    assert said(opened, 61) == [EVENTS, asks(ES, NQ), PNL_ON]


def test_what_stays_silent_is_asked_for_again_alone_and_ever_more_rarely(opened: Subscriptions) -> None:
    opened.quoted(ES, 0)
    opened.quoted(NQ, 0)
    told = []
    for second in range(int(TIMINGS.quoted_holds)):
        told += [(second, frame["instruments"]) for frame in said(opened, second)]
        opened.heard(NQ, second)
    assert [(second, names) for second, names in told if names == ["ES 09-26"]] == [
        (15, ["ES 09-26"]),
        (75, ["ES 09-26"]),
        (375, ["ES 09-26"]),
    ]
    assert told[0] == (0, ["NQ 09-26", "ES 09-26"])
    assert len(told) == 4


def test_what_falls_silent_is_asked_for_again(opened: Subscriptions) -> None:
    opened.looked(0)
    assert said(opened, 0) == [PNL_ON]
    opened.heard(PNL, 5)
    opened.holds("Sim101", [ES])
    assert said(opened, 6) == [asks(ES)]
    opened.heard(ES, 7)
    opened.heard(ES, 4 + TIMINGS.silence[-1])
    assert said(opened, 4 + TIMINGS.silence[-1]) == []
    assert said(opened, 5 + TIMINGS.silence[-1]) == [PNL_ON]


def test_what_can_wait_leaves_budget_to_what_can_not(opened: Subscriptions) -> None:
    for number in range(4):
        opened.quoted(Contract("ES", 2030 + number, 9), 0)
        assert len(said(opened, 0)) == 1
    opened.quoted(ES, 0)
    assert said(opened, 0) == []
    # One token is back: it goes to the new wish and not to those that stay silent or are not wanted any more.
    assert said(opened, 3.4) == [asks(ES)]
    assert said(opened, 16) == [asks(Contract("ES", 2033, 9))]


def test_too_many_changes_are_asked_for_again_when_crosstrade_says(opened: Subscriptions) -> None:
    opened.quoted(ES, 0)
    assert said(opened, 0) == [asks(ES)]
    opened.heard(ES, 1)
    opened.quoted(NQ, 8)
    opened.quoted(CL, 8)
    assert said(opened, 8) == [asks(CL, NQ)]
    opened.limited(9, 30)
    assert said(opened, 38.9) == []
    assert said(opened, 39) == [asks(CL, NQ)]


def test_what_was_asked_for_long_before_is_not_what_was_too_much(opened: Subscriptions) -> None:
    opened.quoted(ES, 0)
    assert said(opened, 0) == [asks(ES)]
    opened.limited(TIMINGS.answer_takes + 1, 1)
    assert said(opened, TIMINGS.answer_takes + 8) == []


def reconnected(made: Subscriptions, *, at: float, lives: float) -> list[dict[str, Any]]:
    """What a connection is asked that begins at a time and lives so long."""
    made.opened(at)
    told = said(made, at)
    made.closed(at + lives)
    return told


def test_events_are_left_for_an_hour_when_asking_may_end_connections() -> None:
    made = Subscriptions(0, TIMINGS)
    assert reconnected(made, at=0, lives=TIMINGS.suspect_within - 1) == [EVENTS]
    assert reconnected(made, at=100, lives=1) == [EVENTS]
    assert reconnected(made, at=200, lives=1) == []
    assert reconnected(made, at=TIMINGS.unwelcome_holds, lives=1) == []
    assert reconnected(made, at=101 + TIMINGS.unwelcome_holds, lives=1) == [EVENTS]


def test_events_are_asked_for_again_where_nothing_speaks_against_it() -> None:
    made = Subscriptions(0, TIMINGS)
    for number in range(4):
        assert reconnected(made, at=100 * number, lives=1 if number % 2 else TIMINGS.suspect_within) == [EVENTS]
    for number in range(4, 8):
        made.opened(100 * number)
        assert said(made, 100 * number) == [EVENTS]
        made.events_acknowledged()
        made.closed(100 * number + 1)


WISH = st.one_of(
    st.tuples(st.just("quote"), st.integers(2026, 2031)),
    st.tuples(st.just("hold"), st.integers(2026, 2031)),
    st.tuples(st.just("close"), st.integers(2026, 2031)),
    st.tuples(st.sampled_from(["look", "cut", "hear", "limited"]), st.just(0)),
)


@given(st.lists(st.tuples(st.floats(0, 30), WISH), max_size=60))
def test_no_window_holds_more_changes_than_crosstrade_grants(wishes: list[tuple[float, tuple[str, int]]]) -> None:
    made, now, sent = Subscriptions(0, TIMINGS), 0.0, []
    made.opened(0)
    for after, (wish, year) in wishes:
        now += after
        contract = Contract("ES", year, 9)
        match wish:
            case "quote":
                made.quoted(contract, now)
            case "hold":
                made.holds(f"Sim{year}", [contract])
            case "close":
                made.holds(f"Sim{year}", [])
            case "look":
                made.looked(now)
            case "hear":
                made.heard(contract, now)
            case "limited":
                made.limited(now, 3)
            case _:
                made.closed(now)
                made.opened(now)
        sent += [now for _ in said(made, now)]
    for (i, first), (j, last) in itertools.combinations(enumerate(sent), 2):
        assert j - i + 1 <= GRANTED_AT_ONCE + GRANTED * (last - first) + 1e-6
    assert BURST == GRANTED_AT_ONCE
    # Given time, what was asked for is what is wanted.
    for _ in range(40):
        now += 20
        said(made, now)
    assert set(made._asked) == set(made._wanted(now))
