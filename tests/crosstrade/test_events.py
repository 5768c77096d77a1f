"""Account events say when to look and nothing else: each trouble with them leads to a look, never to a belief."""

from typing import Any

import pytest

from bot.crosstrade.events import ENTITIES, Events


def event(seq: object = None, kind: str = "orderUpdate", account: object = "Sim101", **more: Any) -> dict[str, Any]:
    """An event as the simulator pushes it."""
    frame = {"type": kind, "account": account, ENTITIES.get(kind, "order"): {"orderState": "Filled"}, **more}
    return frame if seq is None else {**frame, "seq": seq}


def looks(*frames: dict[str, Any]) -> list[list[str | None]]:
    """Where to look after each of these frames of one connection."""
    events = Events()
    return [list(events.news(frame)) for frame in frames]


@pytest.mark.parametrize("kind", ENTITIES)
def test_an_event_leads_to_a_look_at_its_account(kind: str) -> None:
    assert looks(event(1, kind), event(2, kind, "Apex A/1")) == [["Sim101"], ["Apex A/1"]]


@pytest.mark.parametrize("kind", ["orderUpdate", "executionReportUpdate"])
def test_an_event_that_can_not_be_read_leads_to_a_look_everywhere(kind: str) -> None:
    assert looks({"type": kind}, {"type": kind, "order": [1]}, event(account=4711, kind=kind)) == [[None]] * 3


def test_other_frames_lead_nowhere() -> None:
    kinds: tuple[object, ...] = ("marketData", "pnlUpdate", "status", "pong", [], None)
    frames = [{"type": kind, "account": "Sim101"} for kind in kinds]
    assert looks(*frames) == [[]] * len(frames)


def test_a_gap_leads_to_a_look_everywhere() -> None:
    assert looks(event(1), event(3), event(4)) == [["Sim101"], [None], ["Sim101"]]


def test_frames_of_other_kinds_fill_a_gap_or_make_one() -> None:
    prices = {"type": "marketData", "quotes": []}
    assert looks(event(1), {**prices, "seq": 2}, event(3)) == [["Sim101"], [], ["Sim101"]]
    assert looks(event(1), {**prices, "seq": 5}, event(6)) == [["Sim101"], [None], ["Sim101"]]


def test_a_count_of_their_own_makes_events_neither_repeats_nor_gaps() -> None:
    prices = {"type": "marketData", "quotes": []}
    frames = ({**prices, "seq": 1000}, event(1), {**prices, "seq": 1001}, event(2))
    assert looks(*frames) == [[], ["Sim101"], [], ["Sim101"]]


@pytest.mark.parametrize("again", [2, 1, 0])
def test_what_was_there_before_is_ignored(again: int) -> None:
    assert looks(event(1), event(2), event(again)) == [["Sim101"], ["Sim101"], []]


@pytest.mark.parametrize("dropped", [1, 20])
def test_dropped_frames_lead_to_a_look_everywhere_whatever_frame_says_so(dropped: int) -> None:
    frames = (event(1), event(2, dropped=dropped), {"type": "marketData", "dropped": dropped})
    assert looks(*frames) == [["Sim101"], [None], [None]]


def test_nothing_dropped_is_nothing() -> None:
    assert looks(event(1, dropped=0), event(2, dropped=None), event(3, dropped="many")) == [["Sim101"]] * 3


@pytest.mark.parametrize("accounts", [None, [], [4711], ["Sim101", 4711], "Sim101"], ids=str)
def test_a_resync_without_plain_names_is_about_everything(accounts: object) -> None:
    assert looks({"type": "resync", "seq": 1, "accounts": accounts}) == [[None]]


def test_a_resync_names_its_accounts() -> None:
    assert looks({"type": "resync", "seq": 7, "accounts": ["Sim101", "Sim102"]}) == [["Sim101", "Sim102"]]


def test_the_first_number_of_a_connection_is_no_gap_and_a_new_one_counts_anew() -> None:
    events = Events()
    assert list(events.news(event(40))) == ["Sim101"]
    events.restart()
    assert list(events.news(event(1))) == ["Sim101"]


@pytest.mark.parametrize("seq", ["7", 1.5, True, []])
def test_a_number_that_is_none_is_passed_over(seq: object) -> None:
    assert looks(event(1), {**event(), "seq": seq}, event(2)) == [["Sim101"]] * 3
