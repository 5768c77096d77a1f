"""The judgement of the chaos bench: each promise that could be broken, on books written by hand."""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.chaos.books import BY_HAND, Case, End, cases, end_of, strays
from benchmarks.chaos.channel import Card, Channel
from benchmarks.chaos.command import in_nobodys_name
from benchmarks.chaos.compare import Breach, settled_by
from benchmarks.chaos.plan import Place, Press

from .chaos_books import ACCEPTED, NOW, PLACED, a_book, a_case, a_position, a_request, a_run, a_session, a_story, an_order, broken


def test_an_order_that_was_pressed_executed_and_told_breaks_nothing() -> None:
    case = a_case(a_run(), ACCEPTED, a_book([a_request()], [an_order()], 2))
    assert broken(case) == []
    assert case.told_after == case.settled_after == 1.5


@pytest.mark.parametrize("done", [True, False])
def test_a_second_request_is_one_too_many_whether_it_was_done_or_not(done: bool) -> None:
    case = a_case(a_run(), ACCEPTED, a_book([a_request(), a_request(done=done)], [an_order()], 2))
    assert broken(case) == [Breach.TWICE]


def test_a_flatten_may_call_several_times_and_never_turns_a_position_over() -> None:
    run = a_run("flatten instrument", held=2, rests=-2)
    close = a_request("ClosePosition", {"instrument": "ES 09-26"}, path="/v1/api/accounts/CX0001/positions/close")
    resting = an_order("R1", None, orderState="Cancelled")
    assert broken(a_case(run, "### accepted · flat in 1.0 s", a_book([close, close], [resting]))) == []
    assert broken(a_case(run, "### accepted · flat in 1.0 s", a_book([close, close], [resting], -2)))[0] is Breach.LARGER


@pytest.mark.parametrize("press", [Press.STRANGER, Press.CANCEL, Press.NEVER])
def test_what_was_not_pressed_by_who_may_must_not_be_sent(press: Press) -> None:
    case = a_case(a_run(press=press), ACCEPTED, a_book([a_request()], [an_order()], 2), pressed=press is not Press.NEVER)
    assert broken(case) == [Breach.UNPRESSED]


def test_what_somebody_else_must_approve_must_not_be_sent_before_both_have_pressed() -> None:
    def case_approved(seconds: float | None) -> Any:
        story = a_story(ACCEPTED)
        assert story.card is not None
        story.card.buttons = {"Confirm": "x", "Approve": "y"}
        story.approved_at = None if seconds is None else NOW + timedelta(seconds=seconds)
        (case,) = cases(a_session(a_run()), a_book([a_request()], [an_order()], 2), {0: story})
        return case

    assert broken(case_approved(None)) == [Breach.UNPRESSED]
    assert broken(case_approved(0.9)) == broken(case_approved(-0.9)) == []
    assert broken(case_approved(1.1)) == [Breach.UNPRESSED], "the request came in after one second"


def test_what_is_pressed_after_the_end_of_its_card_must_not_be_sent() -> None:
    def case_ended(seconds: float) -> Any:
        story = a_story(ACCEPTED)
        story.ends_at = NOW + timedelta(seconds=seconds)
        (case,) = cases(a_session(a_run()), a_book([a_request()], [an_order()], 2), {0: story})
        return case

    assert broken(case_ended(0.1)) == []
    assert broken(case_ended(-0.1)) == [Breach.UNPRESSED]


def test_the_new_order_of_a_verified_reversal_comes_in_when_nothing_is_open() -> None:
    run = a_run("reverse verified", held=-3)
    close = a_request("ClosePosition", {"instrument": "ES 09-26"}, path="/v1/api/accounts/CX0001/positions/close")
    orders = [an_order("C1", None, name="Close", quantity=3), an_order()]

    def closed_after(seconds: float) -> Any:
        return a_case(run, ACCEPTED, a_book([close, a_request()], orders, 2, fills=[(3, seconds), (2, 1.5)]))

    assert broken(closed_after(0.5)) == []
    assert broken(closed_after(1.2)) == [Breach.LARGER], "the request came in after one second"


@pytest.mark.parametrize("body", [{**PLACED, "action": "SELL"}, {**PLACED, "quantity": 3}])
def test_other_terms_than_those_that_were_pressed_were_not_pressed(body: dict[str, Any]) -> None:
    assert broken(a_case(a_run(), ACCEPTED, a_book([a_request(body=body)], [an_order()], 2))) == [Breach.UNPRESSED]


def test_another_call_or_one_before_the_press_was_not_pressed() -> None:
    flat = a_request("FlatPlace")
    assert Breach.UNPRESSED in broken(a_case(a_run(), "### rejected", a_book([{**flat, "hadEffect": False}])))
    early = {**a_request(), "time": (NOW - timedelta(seconds=1)).isoformat()}
    assert broken(a_case(a_run(), ACCEPTED, a_book([early], [an_order()], 2))) == [Breach.UNPRESSED]


def test_a_request_about_no_run_was_not_pressed() -> None:
    book = a_book([a_request(body={**PLACED, "instrument": "NQ 09-26"})])
    (sent,) = strays(a_session(a_run()), book)
    assert [violation.breach for violation in in_nobodys_name(a_session(a_run()), (sent,))] == [Breach.UNPRESSED]


def test_a_card_that_stays_open_is_an_end_not_told() -> None:
    assert broken(a_case(a_run(), "### Place · confirm?", a_book())) == [Breach.UNTOLD]
    assert broken(a_case(a_run(press=Press.NEVER), "### sending", a_book(), pressed=False)) == [Breach.UNTOLD]


def test_a_second_message_that_stays_open_is_an_end_not_told() -> None:
    case = a_case(a_run(), "### expired", a_book())
    case.story.others = (Card(2, "AAAABBBB", {}, [(1, "### Place · confirm?")]),)
    assert broken(case) == [Breach.UNTOLD]
    case.story.others[0].texts.append((2, "### expired"))
    assert broken(case) == []


@pytest.mark.parametrize("end", ["rejected", "not sent", "expired", "void", "cancelled", "never arrived", "denied"])
def test_an_order_that_is_there_and_told_as_not_there_is_an_end_not_told(end: str) -> None:
    assert broken(a_case(a_run(), f"### {end}", a_book([a_request()], [an_order()], 2))) == [Breach.UNTOLD]
    assert broken(a_case(a_run(), f"### {end}", a_book([a_request(done=False)]))) == []


def test_an_order_that_is_there_and_was_told_for_a_moment_as_not_there_is_an_end_not_told() -> None:
    story = a_story("### never arrived")
    assert story.card is not None
    story.card.texts.append((9_000_000_000, ACCEPTED))
    (case,) = cases(a_session(a_run()), a_book([a_request()], [an_order()], 2), {0: story})
    assert broken(case) == [Breach.UNTOLD]


def test_an_order_that_ninjatrader_rejects_later_is_told_as_rejected() -> None:
    order = an_order(orderState="Rejected", filled=0)
    assert broken(a_case(a_run(), "### rejected · order `T1`", a_book([a_request()], [order]))) == []


def test_a_close_that_ninjatrader_rejects_is_told_as_rejected() -> None:
    close = a_request("ClosePosition", {"instrument": "ES 09-26"}, path="/v1/api/accounts/CX0001/positions/close")
    order = an_order(orderState="Rejected", filled=0, name="Close")
    assert broken(a_case(a_run("close", held=-2), "### rejected", a_book([close], [order], -2))) == []


def test_a_flatten_that_is_told_as_done_with_something_left_is_told_wrongly() -> None:
    run = a_run("flatten instrument", held=2, rests=-2)
    close = a_request("ClosePosition", {"instrument": "ES 09-26"}, path="/v1/api/accounts/CX0001/positions/close")
    working = an_order("R1", None, orderState="Working")
    book = a_book([close], [working])
    assert broken(a_case(run, "### accepted · flat in 1.0 s", book)) == [Breach.CALLED]
    assert broken(a_case(run, "### accepted · NOT FLAT", book)) == []


def test_a_flatten_that_is_told_as_done_too_early_is_told_wrongly() -> None:
    run = a_run("flatten instrument", held=2, rests=-2)
    close = a_request("ClosePosition", {"instrument": "ES 09-26"}, path="/v1/api/accounts/CX0001/positions/close")

    def closed_after(seconds: float) -> Any:
        return a_case(run, "### accepted · flat in 1.0 s", a_book([close], [], 0, fills=[(-2, seconds)]))

    assert broken(closed_after(1.4)) == []
    assert broken(closed_after(1.6)) == [Breach.CALLED], "the card says so after a second and a half"


def test_somebody_elses_order_is_none_of_a_run_and_leaves_what_is_unknown_open() -> None:
    run, by_hand = a_run("reverse", held=-2), an_order("H1", None, name=BY_HAND)
    reverse = a_request("ReversePosition", REVERSE)
    book = a_book([reverse], [an_order("N1", None), by_hand], 4)
    assert broken(a_case(run, "### outcome unknown", book)) == []
    assert broken(a_case(run, "### accepted · order `N1`", book)) == []
    assert broken(a_case(run, "### accepted · order `H1`", book)) == [Breach.INVENTED]


EVERYTHING = (Place("CX0001B", "NQ 09-26", -1, 1),)
CLOSES = [
    a_request("ClosePosition", {"instrument": "ES 09-26"}, path="/v1/api/accounts/CX0001/positions/close"),
    a_request("ClosePosition", {"instrument": "NQ 09-26"}, path="/v1/api/accounts/CX0001B/positions/close"),
]
CANCELS = [
    a_request("CancelOrders", {}, path="/v1/api/accounts/CX0001/orders/cancel"),
    a_request("CancelOrders", {}, path="/v1/api/accounts/CX0001B/orders/cancel"),
]
BESIDE: dict[str, Any] = {"account": "CX0001B", "instrument": "NQ 09-26"}
FLAT, NOTHING_WORKS = "### accepted · flat in 1.0 s", "### accepted · nothing works in 0.6 s"


def test_all_that_is_sent_for_everything_is_about_its_run() -> None:
    run = a_run("flatten everything", held=2, rests=-2, beside=EVERYTHING)
    book = a_book([*CLOSES, *CANCELS], [an_order("R1", None, orderState="Cancelled")])
    assert len(a_case(run, FLAT, book).sent) == 4
    assert broken(a_case(run, FLAT, book)) == []
    assert strays(a_session(run), book) == ()
    assert len(strays(a_session(replace(run, beside=())), book)) == 2


@pytest.mark.parametrize(("signed", "breach"), [(-1, []), (0, []), (1, [Breach.LARGER]), (-2, [Breach.LARGER])])
def test_no_position_of_everything_is_made_larger_or_opposite(signed: int, breach: list[Breach]) -> None:
    run = a_run("flatten everything", held=2, rests=-2, beside=EVERYTHING)
    more = [a_position(**BESIDE, signed=signed)] if signed else []
    assert broken(a_case(run, "### accepted · NOT FLAT", a_book(CLOSES, [], 0, *more))) == breach


@pytest.mark.parametrize(
    ("fills", "breach"), [((-2,), []), ((-1, -1), []), ((-2, -2, 2), [Breach.LARGER]), ((1, -3), [Breach.LARGER])]
)
def test_a_position_that_was_turned_over_and_closed_again_was_made_opposite(fills: tuple[int, ...], breach: list[Breach]) -> None:
    run = a_run("flatten instrument", held=2, rests=-2)
    book = a_book([CLOSES[0]], [an_order("R1", None, orderState="Cancelled")], fills=[(fill, 1.0) for fill in fills])
    assert broken(a_case(run, FLAT, book)) == breach


def test_what_somebody_adds_by_hand_was_made_larger_by_no_way_out() -> None:
    run = a_run("close", held=2, press=Press.NEVER)
    book = a_book([], [an_order("H1", None, name=BY_HAND)], 3, fills=[(1, 1.0, BY_HAND)])
    assert broken(a_case(run, "### expired", book, pressed=False)) == []


def test_flat_everywhere_is_said_only_where_nothing_is_left_anywhere() -> None:
    run = a_run("flatten everything", held=2, rests=-2, beside=EVERYTHING)
    left = a_book(CLOSES, [], 0, a_position(**BESIDE, signed=-1))
    assert broken(a_case(run, FLAT, left)) == [Breach.CALLED]
    works = a_book(CLOSES, [an_order("R2", None, orderState="Working", **BESIDE)])
    assert broken(a_case(run, FLAT, works)) == [Breach.CALLED]


@pytest.mark.parametrize("name", ["cancel account", "cancel everything"])
def test_a_cancel_of_many_leaves_no_order_and_touches_no_position(name: str) -> None:
    run = a_run(name, rests=2, beside=(Place("CX0001B", "NQ 09-26", 0, 1),))
    gone = [an_order("R1", None, orderState="Cancelled"), an_order("R2", None, orderState="Cancelled", **BESIDE)]
    works = [gone[0], {**gone[1], "orderState": "Working"}]
    assert broken(a_case(run, NOTHING_WORKS, a_book(CANCELS, gone))) == []
    assert broken(a_case(run, NOTHING_WORKS, a_book(CANCELS, works))) == [Breach.CALLED]
    assert broken(a_case(run, "### accepted · NOT ALL CANCELLED", a_book(CANCELS, works))) == []
    assert broken(a_case(run, NOTHING_WORKS, a_book(CANCELS, gone, 1))) == [Breach.LARGER]


def test_a_strategy_is_closed_by_one_call_and_told_as_closed_only_when_it_holds_nothing() -> None:
    run = a_run("flatten strategy", held=2)
    close = a_request("CloseStrategy", {}, path="/v1/api/accounts/CX0001/strategies/7/close")
    ends = [an_order("S1", None, orderState="Cancelled"), an_order("T1", None, orderState="Cancelled")]
    closed, not_closed = "### accepted · the strategy is closed in 1.0 s", "### accepted · STRATEGY NOT CLOSED"
    assert broken(a_case(run, closed, a_book([close], ends))) == []
    assert broken(a_case(run, closed, a_book([close, close], ends))) == [Breach.TWICE]
    assert broken(a_case(run, closed, a_book([close], ends, 2))) == [Breach.CALLED]
    assert broken(a_case(run, closed, a_book([close], [{**ends[0], "orderState": "Working"}]))) == [Breach.CALLED]
    assert broken(a_case(run, not_closed, a_book([close], ends, 2))) == []
    assert broken(a_case(run, not_closed, a_book([close], ends, -2))) == [Breach.LARGER]


@pytest.mark.parametrize(("state", "breach"), [("Working", []), ("Cancelled", [Breach.UNTOLD])])
def test_a_cancel_that_was_ignored_may_be_told_as_never_arrived(state: str, breach: list[Breach]) -> None:
    run = a_run("cancel", rests=2)
    cancel = a_request("Cancel", {}, path="/v1/api/accounts/CX0001/orders/R1/cancel")
    book = a_book([cancel], [an_order("R1", None, orderState=state, filled=0)])
    assert broken(a_case(run, "### never arrived", book)) == breach


def test_of_a_card_that_only_its_member_sees_the_result_counts_and_not_what_the_card_says_still() -> None:
    story = a_story("### sending")
    assert story.card is not None
    story.card.is_private = True

    def case() -> Case:
        (one,) = cases(a_session(a_run()), a_book([a_request()], [an_order()], 2), {0: story})
        return one

    assert broken(case()) == [Breach.UNTOLD]
    result = Card(2, "AAAABBBB", {}, [(7_000_000_000, "### sending"), (9_000_000_000, ACCEPTED)])
    story.others = (result,)
    assert (broken(case()), case().end, case().told_after) == ([], End.ACCEPTED, 3.0)
    story.others = (result, Card(3, "AAAABBBB", {}, [(8_000_000_000, "### sending")]))
    assert broken(case()) == [Breach.UNTOLD]


@pytest.mark.parametrize(
    ("said", "position", "breach"),
    [
        ("closed 2", 0, []),
        ("closed 1/2", -1, []),
        ("submitted to NinjaTrader, not closed yet", -2, []),
        ("closed 2", -1, [Breach.CALLED]),
        ("closed 2", -2, [Breach.CALLED]),
        ("closed 1/2", -2, [Breach.CALLED]),
        ("the position is on the other side, now LONG 1", 1, [Breach.LARGER]),
        ("closed 2", 1, [Breach.LARGER, Breach.CALLED]),
        ("submitted to NinjaTrader, not closed yet", -3, [Breach.LARGER]),
    ],
)
def test_no_more_is_told_as_closed_than_was_and_no_close_makes_a_position_larger_or_opposite(
    said: str, position: int, breach: list[Breach]
) -> None:
    book = a_book([CLOSES[0]], [an_order("N1", None, name="Close")], position)
    assert broken(a_case(a_run("close", held=-2), f"### accepted · close\n{said}", book)) == breach


@pytest.mark.parametrize(("state", "breach"), [("Working", [Breach.CALLED]), ("Cancelled", [])])
def test_an_order_that_works_is_not_told_as_cancelled(state: str, breach: list[Breach]) -> None:
    cancel = a_request("Cancel", {}, path="/v1/api/accounts/CX0001/orders/R1/cancel")
    book = a_book([cancel], [an_order("R1", None, orderState=state)])
    text = "### accepted · order `R1`\norder cancelled, 0 of 2 filled"
    assert broken(a_case(a_run("cancel", rests=2), text, book)) == breach


@pytest.mark.parametrize(
    ("state", "position", "breach"), [("Working", 2, []), ("Rejected", 2, [Breach.CALLED]), ("Rejected", 0, [])]
)
def test_protected_is_said_only_of_legs_that_work(state: str, position: int, breach: list[Breach]) -> None:
    bracket = a_request("CancelAndBracket", {"quantity": 2}, path="/v1/api/accounts/CX0001/orders/cancel_and_bracket")
    legs = [an_order("S1", None, orderState="Working"), an_order("T1", None, orderState=state)]
    text = "### accepted · order `T1`\ntarget and stop are there"
    assert broken(a_case(a_run("bracket", held=2), text, a_book([bracket], legs, position))) == breach


def test_accepted_without_an_order_or_with_somebody_elses_id_is_invented() -> None:
    assert broken(a_case(a_run(), ACCEPTED, a_book())) == [Breach.INVENTED]
    assert broken(a_case(a_run(), "### accepted · order `T9`", a_book([a_request()], [an_order()], 2))) == [Breach.INVENTED]


def test_unknown_is_a_fault_only_where_the_book_proves_something() -> None:
    unknown = "### outcome unknown"
    assert broken(a_case(a_run(), unknown, a_book([a_request()], [an_order()], 2))) == [Breach.UNSETTLED]
    assert broken(a_case(a_run(), unknown, a_book([a_request(done=False)]))) == [Breach.UNSETTLED]
    twins = [an_order("N1", None), an_order("N2", None)]
    assert broken(a_case(a_run(), unknown, a_book([a_request()], twins, 4))) == []


REVERSE = {"action": "BUY", "quantity": 2, "instrument": "ES 09-26"}


@pytest.mark.parametrize(
    ("orders", "position", "is_settled"),
    [
        ([], -2, True),
        ([an_order("N1", None, epoch=1), an_order("N2", None, epoch=2)], 2, True),
        ([an_order("N1", None, epoch=1), an_order("N2", None, epoch=1)], 2, False),
        ([an_order("N1", None)], 2, True),
        ([an_order("N1", None)], 0, True),
        ([an_order("N1", None, orderState="Working")], -2, False),
        ([an_order("N1", None, orderState="Rejected")], -2, False),
    ],
)
def test_a_reversal_of_two_with_two_is_told_from_its_own_close_where_that_can_be(
    orders: list[Any], position: int, is_settled: bool
) -> None:
    run = a_run("reverse", held=-2)
    case = a_case(run, "### outcome unknown", a_book([a_request("ReversePosition", REVERSE)], orders, position))
    assert (settled_by(case) is not None) is is_settled


@pytest.mark.parametrize(
    ("name", "held", "rests", "orders", "position", "is_settled"),
    [
        ("close", -2, 0, [], 0, True),
        ("close", -2, 0, [], -2, True),
        ("close", -2, 0, [an_order("N1", None, orderState="Working")], -2, False),
        ("close part", -2, 0, [], -1, True),
        ("cancel", 0, 2, [an_order("R1", None, orderState="Cancelled")], 0, True),
        ("cancel", 0, 2, [an_order("R1", None, orderState="CancelPending")], 0, False),
        ("bracket", -2, 0, [], -2, True),
        ("bracket", -2, 0, [an_order("N1", None)], -2, False),
        ("bracket", -2, 0, [an_order("N1", None), an_order("N2", None)], -2, True),
        ("replace", 0, 1, [an_order("R1", None, orderState="Cancelled"), an_order("N1", None)], 0, True),
        ("flatten instrument", -2, 2, [an_order("R1", None)], 0, True),
        ("reverse", -1, 0, [an_order("N1", None)], 2, True),
        ("reverse", -1, 0, [], 3, False),
    ],
)
def test_what_the_book_proves_of_each_kind_of_order(
    name: str, held: int, rests: int, orders: list[Any], position: int, is_settled: bool
) -> None:
    case = a_case(a_run(name, held=held, rests=rests), "### outcome unknown", a_book([], orders, position))
    assert (settled_by(case) is not None) is is_settled


@pytest.mark.parametrize(
    ("title", "end"),
    [
        ("### accepted · order `a` · 12 s late", End.ACCEPTED),
        ("### outcome unknown", End.UNKNOWN),
        ("### close sent · new order not sent", End.NOT_SENT),
        ("### close sent · new order rejected · 3 s late", End.REJECTED),
        ("### never arrived", End.NEVER_ARRIVED),
        ("### Reverse · confirm?", End.OPEN),
        ("### Reverse · changed, look again", End.OPEN),
        ("### sending", End.OPEN),
        ("### expired", End.EXPIRED),
    ],
)
def test_the_first_line_of_a_card_tells_its_end(title: str, end: End) -> None:
    assert end_of(f"{title}\nmore words, such as rejected") is end


def test_a_card_is_not_about_the_accounts_that_it_leaves_out() -> None:
    channel = Channel()
    said = "### Flatten · confirm?\n`CE0001A` ES 09-26 · LONG 1\n⚠ not among these (no grant): `CE0002A`\n-# ticket AAAABBBB"
    channel.note("MESSAGE_CREATE", {"id": "77", "components": [{"type": 10, "content": said}]})
    assert channel.card_of("CE0001A", None) is not None
    assert channel.card_of("CE0002A", None) is None


@dataclass
class Said:
    """A message as the local Discord keeps it."""

    components: list[Any]
    is_ephemeral: bool = True


def test_a_channel_sees_what_only_one_member_sees_and_waits_for_its_result_once_that_is_posted() -> None:
    def shown(title: str, *more: Any) -> list[Any]:
        return [{"type": 10, "content": f"### {title}\nCX0001 ES 09-26\n-# ticket AAAABBBB"}, *more]

    channel, button = Channel(), {"type": 2, "label": "Confirm", "custom_id": "press"}
    messages = {
        77: Said(shown("Place · confirm?", button)),
        78: Said(shown("named in an answer")),
        79: Said([], is_ephemeral=False),
    }
    channel.look(messages)
    card = channel.card_of("CX0001", "ES 09-26")
    assert card is not None
    assert (card.is_private, card.buttons, [*channel.told()]) == (True, {"Confirm": "press"}, [card.text])
    channel.look(messages)
    messages[77] = Said(shown("sending"))
    channel.look(messages)
    assert [end_of(text) for _, text in card.texts] == [End.OPEN, End.OPEN]
    channel.note("MESSAGE_CREATE", {"id": "80", "components": shown("accepted")})
    assert [end_of(text) for text in channel.told()] == [End.ACCEPTED]
    assert [other.message for other in channel.others_of(card)] == [80]


def test_a_channel_keeps_each_card_from_its_first_text_to_its_last() -> None:
    channel, dice = Channel(), random.Random(1)
    button = {"type": 2, "label": "Confirm", "custom_id": "press"}

    def shown(text: str, *buttons: Any) -> dict[str, Any]:
        inside = [
            {"type": 10, "content": f"### {text}\nCX0001 ES 09-26"},
            {"type": 10, "content": "-# ticket AAAABBBB"},
            *buttons,
        ]
        return {"id": "77", "components": [{"type": 17, "components": inside}]}

    channel.note("MESSAGE_CREATE", shown("Place · confirm?", {"type": 1, "components": [button]}))
    channel.note("MESSAGE_UPDATE", shown("expired"))
    channel.note("MESSAGE_CREATE", {"id": "78", "components": []})
    channel.note("INTERACTION_CREATE", {"id": "9", "data": {"custom_id": "press"}})
    card = channel.card_of("CX0001", "ES 09-26")
    assert card is not None
    assert (card.ticket, card.buttons, len(card.texts)) == ("AAAABBBB", {"Confirm": "press"}, 2)
    assert end_of(card.text) is End.EXPIRED
    assert channel.presses == {"press": [9]}
    assert channel.card_of("CX0001", "S 09-26") is None
    channel.note("MESSAGE_CREATE", {**shown("expired"), "id": "79"})
    assert [other.message for other in channel.others_of(card)] == [79]
    channel.note("MESSAGE_DELETE", {"id": "79"})
    assert channel.others_of(card) == ()
    assert channel.card_of(f"CX{dice.randint(2, 9):04}", None) is None
