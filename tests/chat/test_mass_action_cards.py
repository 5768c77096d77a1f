"""The cards of flattens and of every kind of order: what they say in each state, and that all of them fit."""

import itertools
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from discord import ui
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.cards import BLUE, GREEN, ORANGE, RED, YELLOW, card, colour
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, MassAction, Scope
from bot.trading.orders.progress import ExitRow, Progress, Step, StepState, Working
from bot.trading.orders.protection import Leg as ProtectionLeg
from bot.trading.orders.protection import Part, Protection
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import Member, Ticket, TicketState, Told

from .samples import ES, NOW, TICKET, ticket
from .test_cards import hostile, nasty

S = TicketState
NQ = Contract("NQ", 2026, 9)
BUY = Terms(Side.BUY, 2)
REST = Terms(Side.SELL, 3, OrderType.LIMIT, TimeInForce.GTC, limit=Decimal("5810.00"))
STOP = Terms(Side.SELL, 2, OrderType.STOPMARKET, TimeInForce.GTC, stop=Decimal("5790.00"))
ORDERS: dict[str, tuple[OrderIntent, list[str]]] = {
    "reverse": (Reverse("Sim101", ES, BUY), ["BUY 2 MARKET DAY"]),
    "verified": (VerifiedReverse("Sim101", ES, BUY, "own1"), ["BUY 2 MARKET DAY · verified"]),
    "invert": (Invert("Sim101", ES, Terms(Side.SELL, 2)), ["INVERT · SELL 2 MARKET"]),
    "place": (PlaceOrder("Sim101", ES, REST, "own1"), ["SELL 3 LIMIT GTC", "limit 5810.00"]),
    "flatplace": (FlatPlace("Sim101", ES, BUY), ["BUY 2 MARKET DAY"]),
    "close": (Close("Sim101", ES, Terms(Side.SELL, 2)), ["CLOSE all of LONG 2 · SELL 2 MARKET"]),
    "close a part": (Close("Sim101", ES, Terms(Side.SELL, 1), 1), ["CLOSE 1 of LONG 2"]),
    "close a share": (Close("Sim101", ES, Terms(Side.SELL, 1), None, Decimal("0.5")), ["CLOSE 1 of LONG 2 (50 %) · SELL"]),
    "close a share that is rounded": (
        Close("Sim101", ES, Terms(Side.SELL, 1), None, Decimal("0.125")),
        ["CLOSE 1 of LONG 2 (12.5 %, rounded up) · SELL"],
    ),
    "cancel": (Cancel("Sim101", ES, REST, "o9"), ["CANCEL SELL 3 LIMIT", "order `o9`"]),
    "modify": (
        Change("Sim101", ES, replace(REST, quantity=1), "o9", REST),
        ["MODIFY SELL 1 LIMIT", "quantity 3 → 1", "order `o9`"],
    ),
    "replace": (Replace("Sim101", ES, BUY, "o9", REST), ["REPLACE by BUY 2 MARKET DAY", "in place of order `o9`: SELL 3 LIMIT"]),
    "bracket": (
        Bracket("Sim101", ES, STOP, Decimal("5820.00")),
        ["BRACKET SELL 2 GTC", "target 5820.00 · wins $2,950.00", "stop 5790.00 · loses $50.00"],
    ),
}
ONE = Scope(("Sim101",))
ALL = Scope(("Sim101", "Sim102"), everything=True)
MASS_ACTIONS: dict[str, tuple[MassAction, str]] = {
    "flatten": (Flatten(ONE), "**FLATTEN** · `Sim101`"),
    "flatten instrument": (Flatten(Scope(("Sim101",), ES)), "**FLATTEN** · `Sim101 ES 09-26`"),
    "flatten everything": (Flatten(ALL), "**FLATTEN** · everything"),
    "flatten some": (Flatten(Scope(("Sim101", "Sim102"), left_out=("Apex-1",))), "**FLATTEN** · `2 accounts`"),
    "flatten long": (Flatten(ONE, Holding.LONG), "**FLATTEN long positions** · `Sim101`"),
    "flatten strategy": (
        FlattenStrategy(Scope(("Sim101",), ES), "334", "Scalp - 334"),
        "**FLATTEN** · `Scalp - 334 in Sim101 ES 09-26`",
    ),
    "cancel": (CancelWorking(ONE), "**CANCEL** · `Sim101`"),
    "cancel everything": (CancelWorking(ALL), "**CANCEL** · everything"),
}
OPEN_LINES = (ExitRow("Sim101", False, ES, 2, 1), ExitRow("Sim101", False, NQ, -1, 0))
DONE_LINES = tuple(replace(line, now=0, orders_now=0) for line in OPEN_LINES)
LEFT_LINES = (replace(OPEN_LINES[0], now=0, orders_now=0), replace(OPEN_LINES[1], now=-1, orders_now=2))
LEGS = (
    Step("cancel the orders", NOW, StepState.ACCEPTED, account="Sim101"),
    Step("flatten `Sim101`", NOW, StepState.REJECTED, "`busy`"),
    Step("close ES 09-26", NOW, StepState.UNKNOWN, "`reset`", account="Sim101"),
    Step("close NQ 09-26", NOW, StepState.NOT_SENT, "`no connection`", account="Sim101"),
    Step("flatten everything", NOW, StepState.SENDING),
)


def swept(
    mass_action: MassAction, state: TicketState = S.OFFERED, lines: tuple[ExitRow, ...] = OPEN_LINES, **changes: Any
) -> Ticket:
    """A ticket of a mass action."""
    legs, done_at = changes.pop("legs", ()), changes.pop("done_at", None)
    shown = replace(TICKET.shown, live=changes.pop("live", False), last=None, bid=None, ask=None, quoted_at=None)
    progress = Progress(legs, lines, done_at)
    return replace(TICKET, intent=mass_action, state=state, shown=shown, progress=progress, sent_at=NOW, **changes)


def blocks(one: Ticket, **options: Any) -> list[str]:
    return [item.content for item in card(one, **options).walk_children() if isinstance(item, ui.TextDisplay)]


def text(one: Ticket, **options: Any) -> str:
    return "\n".join(blocks(one, **options))


def fits(one: Ticket, **options: Any) -> None:
    """Discord's limits."""
    view = card(one, **options)
    told = [item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay)]
    assert view.content_length() <= 4000
    assert sum(len(block.encode("utf-16-le")) // 2 for block in told) <= 4000
    assert all(block.strip() for block in told)
    assert sum(1 for _ in view.walk_children()) <= 40


@pytest.mark.parametrize("kind", ORDERS)
def test_a_card_of_any_order_says_in_any_state_which_account_and_what(kind: str) -> None:
    intent, words = ORDERS[kind]
    for state, live in itertools.product(S, (True, False)):
        one = replace(ticket(live=live, state=state), intent=intent)
        fits(one)
        told = text(one)
        for expected in ("`Sim101`", "LIVE" if live else "SIM", "**ES 09-26**", *words):
            assert expected in told, (state, live)


def test_the_table_has_every_kind_of_order() -> None:
    assert {type(intent) for intent, _ in ORDERS.values()} == set(get_args(OrderIntent))


STOP_LEG = ProtectionLeg(Part.STOP, ("s1",), OrderState.WORKING, 2)
TARGET_LEG = ProtectionLeg(Part.TARGET, ("t1",), OrderState.WORKING, 2)
NEWS: list[tuple[str, dict[str, Any], str]] = [
    ("replace", {"order_ids": ("new",)}, "accepted · order `new`"),
    ("replace", {"order_ids": ("new",), "order_state": OrderState.WORKING}, "working, not filled yet"),
    ("replace", {"order_ids": ("new",), "order_state": OrderState.FILLED, "filled": 2}, "filled 2"),
    ("bracket", {}, "submitted to NinjaTrader, not seen yet"),
    (
        "bracket",
        {"order_state": OrderState.ACCEPTED, "protection": Protection((STOP_LEG, TARGET_LEG))},
        "target and stop are there",
    ),
    ("bracket", {"order_state": OrderState.WORKING}, "seen working then, not followed on"),
    ("invert", {"order_ids": ("x",)}, "submitted to NinjaTrader, not filled yet"),
    ("invert", {"order_ids": ("x",), "order_state": OrderState.REJECTED}, "The close before it may have been done all the same"),
    ("verified", {"order_ids": ("x",), "order_state": OrderState.FILLED, "filled": 2}, "filled 2"),
]


@pytest.mark.parametrize(("kind", "changes", "words"), NEWS)
def test_an_accepted_card_says_how_far_it_is(kind: str, changes: dict[str, Any], words: str) -> None:
    assert words in text(replace(ticket(state=S.ACCEPTED, **changes), intent=ORDERS[kind][0]))


def test_the_card_of_a_verified_reversal_shows_its_steps_and_then_its_calls() -> None:
    offered = replace(TICKET, intent=ORDERS["verified"][0])
    told = text(offered)
    for step in (
        "1. close LONG 2",
        "2. read back until flat, cancel what the close leaves working; never flat: stop here",
        "3. then BUY 2 MARKET",
    ):
        assert step in told
    legs = (Step("close LONG 2", NOW, StepState.ACCEPTED), Step("place buy 2", NOW, StepState.REJECTED, "`no margin`"))
    told = text(replace(offered, state=S.REJECTED, progress=Progress(legs)))
    assert "✓ close LONG 2" in told
    assert "✗ place buy 2: `no margin`" in told


def test_a_reversal_whose_order_was_held_back_does_not_say_that_nothing_was_sent() -> None:
    legs = (Step("close LONG 2", NOW, StepState.ACCEPTED),)
    one = replace(TICKET, intent=ORDERS["verified"][0], state=S.NOT_SENT, progress=Progress(legs), outcome="not read as flat")
    told = text(one)
    assert told.splitlines()[:2] == ["### close sent · new order not sent", "not read as flat"]
    assert "Nothing left the bot" not in told
    for nothing in (Progress(), Progress((replace(legs[0], state=StepState.NOT_SENT),))):
        told = text(replace(one, progress=nothing))
        assert told.splitlines()[0] == "### not sent"
        assert "Nothing left the bot" in told


def test_a_reversal_whose_order_was_refused_after_its_close_says_that_the_close_went_out() -> None:
    legs = (Step("close LONG 2", NOW, StepState.ACCEPTED), Step("place buy 2", NOW, StepState.REJECTED, "`no margin`"))
    outcome = "The position was closed; the new order was not placed: `no margin`"
    one = replace(TICKET, intent=ORDERS["verified"][0], state=S.REJECTED, progress=Progress(legs), outcome=outcome)
    assert text(one).splitlines()[:2] == ["### close sent · new order rejected", outcome]
    refused = replace(one, progress=Progress((replace(legs[0], state=StepState.REJECTED),)), outcome="`no position`")
    assert text(refused).splitlines()[:2] == ["### rejected", "No order was placed. CrossTrade says:"]


@pytest.mark.parametrize("kind", MASS_ACTIONS)
def test_a_card_of_any_mass_action_says_in_any_state_what_it_goes_over(kind: str) -> None:
    mass_action, words = MASS_ACTIONS[kind]
    for state, live in itertools.product(S, (True, False)):
        one = swept(mass_action, state, live=live, legs=() if state is S.OFFERED else LEGS)
        fits(one)
        told = text(one)
        for expected in (words, "LIVE" if live else "SIM", "ES 09-26"):
            assert expected in told, (state, live)
        labels = [item.item.label for item in card(one).walk_children() if hasattr(item, "item")]
        assert labels == (["Confirm", "Cancel"] if state is S.OFFERED else []), (state, live)


def test_an_open_flatten_says_what_is_there_and_what_will_be_done() -> None:
    told = text(swept(Flatten(ONE))).splitlines()
    assert told[0] == "### Flatten · confirm?"
    for line in (
        "ES 09-26 · LONG 2, 1 working",
        "NQ 09-26 · SHORT 1",
        "1. take no new order there meanwhile",
        "2. cancel 1 working order",
        "3. close 2 positions at market",
        "4. read back until flat",
    ):
        assert line in told


def test_an_open_cancellation_speaks_of_orders_alone() -> None:
    told = text(swept(CancelWorking(ONE), lines=OPEN_LINES[:1])).splitlines()
    assert told[0] == "### Cancel · confirm?"
    assert "ES 09-26 · 1 working" in told
    assert not any("LONG" in line for line in told)


def test_over_several_accounts_each_line_names_its_own() -> None:
    lines = (*OPEN_LINES, ExitRow("Sim102", False, None, None, None))
    told = text(swept(Flatten(ALL), lines=lines)).splitlines()
    for line in ("`Sim101` ES 09-26 · LONG 2, 1 working", "`Sim102` · could not be read"):
        assert line in told
    told = text(swept(Flatten(ALL), S.SENDING, lines=(*LEFT_LINES, lines[-1]))).splitlines()
    assert "… `Sim102` · unread" in told
    # More than one account: each call is told with its own.
    assert "-# ✓ cancel the orders in `Sim101`" in text(swept(Flatten(ALL), S.SENDING, lines=lines, legs=LEGS)).splitlines()


def test_a_flatten_under_way_says_how_far_it_has_come_and_what_was_sent() -> None:
    told = text(swept(Flatten(ONE), S.SENDING, LEFT_LINES, legs=LEGS)).splitlines()
    assert told[0] == "### sending"
    # What isn't done stands first.
    at = told.index("… NQ 09-26 · SHORT 1, 2 working")
    assert told[at + 1] == "✓ ES 09-26 · LONG 2 → FLAT"
    assert told[at + 2 : at + 7] == [
        "-# ✓ cancel the orders",
        "-# ✗ flatten `Sim101`: `busy`",
        "-# ? close ES 09-26: `reset`",
        "-# ✗ close NQ 09-26: `no connection`",
        "-# … flatten everything",
    ]


@pytest.mark.parametrize(("now", "named"), [(-1, ["rest"]), (0, ["rest", "close"])])
def test_orders_that_outlive_a_position_are_an_alarm_while_it_is_closed(now: int, named: list[str]) -> None:
    """What closes is one only where nothing is open for it to close any more."""
    working = (
        Working("rest", Side.SELL, 1, OrderType.LIMIT, Decimal(20100)),
        Working("close", Side.BUY, 1, OrderType.MARKET, None, closes=True),
    )
    lines = (replace(LEFT_LINES[1], now=now, working=working),)
    closed = replace(LEGS[0], closes=True)
    told = text(swept(Flatten(ONE), S.SENDING, lines, legs=(closed,)))
    words = {"rest": "SELL 1 LIMIT 20100 (order `rest`)", "close": "BUY 1 MARKET (order `close`)"}
    alarms = [f"⚠ {words[each]} in `Sim101` NQ 09-26 still works and may open a position when it fills." for each in named]
    assert [each for each in told.splitlines() if "may open" in each] == alarms
    assert "may open" not in text(swept(Flatten(ONE), S.SENDING, lines))


def test_what_is_left_is_said_once_with_what_to_do() -> None:
    outcome = "The journal is full. Look at NinjaTrader."
    told = text(swept(Flatten(ONE), S.ACCEPTED, LEFT_LINES, outcome=outcome, told=Told.REST)).splitlines()
    assert told[:3] == ["### accepted · NOT FLAT", "✗ marks what is left.", "The journal is full. Look at NinjaTrader."]
    assert [line for line in told if "SHORT 1" in line] == ["✗ NQ 09-26 · SHORT 1, 2 working"]
    unread = (replace(OPEN_LINES[0], now=None, orders_now=None),)
    assert "Unread: may be open or working." in text(swept(Flatten(ONE), S.ACCEPTED, unread)).splitlines()
    # Where nothing is left, whatever else the desk has to say stands to the letter.
    also = "Flat as read. Another order is still unknown."
    assert also in text(swept(Flatten(ONE), S.ACCEPTED, DONE_LINES, outcome=also)).splitlines()


def test_the_card_of_a_bracket_says_what_is_at_stake_and_nothing_twice() -> None:
    shown = {"position": 2, "after": 2, "working_orders": 2}
    one = replace(ticket(**shown), intent=ORDERS["bracket"][0])
    told = text(one).splitlines()
    at = told.index("**ES 09-26** · BRACKET SELL 2 GTC")
    assert told[at + 1 : at + 7] == [
        "target 5820.00 · wins $2,950.00",
        "stop 5790.00 · loses $50.00",
        "Now: LONG 2 at 5790.50",
        "1. cancel 2 working orders there",
        "2. target SELL 2 LIMIT",
        "3. stop SELL 2 STOPMARKET",
    ]
    for noise in ("After", "Notional", "One tick", "Other working orders"):
        assert noise not in "\n".join(told)
    blind = replace(one, shown=replace(one.shown, average_price=None))
    assert {"target 5820.00", "stop 5790.00"} <= set(text(blind).splitlines())
    typed = Bracket("Sim101", ES, replace(STOP, typed=(("stop", "be-2t"),)), Decimal("5820.00"), "be+118t")
    told = text(replace(one, intent=typed)).splitlines()
    assert "target 5820.00 · wins $2,950.00 (typed `be+118t`)" in told
    assert "stop 5790.00 · loses $50.00 (typed `be-2t`)" in told


def test_a_call_that_a_crash_cut_short_is_in_doubt() -> None:
    assert "-# ? flatten everything" in text(swept(Flatten(ONE), S.UNKNOWN, LEFT_LINES, legs=LEGS)).splitlines()


@pytest.mark.parametrize(
    ("kind", "title", "left"),
    [
        ("flatten", "### accepted · flat in 1.2 s", "### accepted · NOT FLAT"),
        ("flatten long", "### accepted · no long futures position left in 1.2 s", "### accepted · NOT FLAT"),
        ("cancel", "### accepted · nothing works in 1.2 s", "### accepted · NOT ALL CANCELLED"),
    ],
)
def test_its_end_says_whether_it_is_done_and_how_long_it_took(kind: str, title: str, left: str) -> None:
    mass_action = MASS_ACTIONS[kind][0]
    done = swept(mass_action, S.ACCEPTED, DONE_LINES, done_at=NOW + timedelta(seconds=1.2))
    assert (text(done).splitlines()[0], colour(done)) == (title, GREEN)
    assert text(replace(done, progress=replace(done.progress, done_at=None))).splitlines()[0] == title.removesuffix(" in 1.2 s")
    short = swept(mass_action, S.ACCEPTED, LEFT_LINES, outcome="`Sim101` NQ 09-26: still SHORT 1. Look at NinjaTrader.")
    assert (text(short).splitlines()[0], colour(short)) == (left, ORANGE)
    assert "Look at NinjaTrader." in text(short)
    # Of a mass action it is told when it was done, in no word that belongs to an order.
    over: dict[str, Any] = {"sent_at": NOW, "ended_at": NOW + timedelta(seconds=1)}
    assert "Seen done <t:" in text(replace(done, order_state=OrderState.FILLED, **over))
    assert "Last looked at <t:" in text(replace(short, order_state=OrderState.CANCELLED, **over))


@pytest.mark.parametrize(
    ("state", "live", "expected"),
    [
        (S.OFFERED, False, BLUE),
        (S.OFFERED, True, RED),
        (S.SENDING, True, RED),
        (S.UNKNOWN, False, YELLOW),
        (S.REJECTED, False, ORANGE),
    ],
)
def test_its_colour_is_that_of_any_ticket(state: TicketState, live: bool, expected: int) -> None:
    assert colour(swept(Flatten(ONE), state, live=live)) == expected


def test_what_is_unread_is_never_drawn_as_flat() -> None:
    for now, orders in ((None, 0), (0, None), (None, None)):
        one = swept(Flatten(ONE), S.ACCEPTED, (replace(OPEN_LINES[0], now=now, orders_now=orders),))
        told = text(one)
        assert "NOT FLAT" in told
        assert "unread" in told
        assert "✓" not in told
        assert colour(one) == ORANGE


def test_accounts_that_are_left_out_are_named() -> None:
    one = swept(MASS_ACTIONS["flatten some"][0])
    one = replace(one, shown=replace(one.shown, warnings=("not among these: `Apex-1`",)))
    assert "⚠ not among these: `Apex-1`" in text(one)


# Many lines, and long ones.

SIXTY = tuple(
    ExitRow(f"Apex-{number:04}-{'x' * 60}", True, Contract(root, 2026, month), 12, 34)
    for number, (root, month) in itertools.product(range(20), (("ES", 9), ("NQ", 9), ("MES", 12)))
)
LONG_LEGS = tuple(
    Step(f"close ES 09-26 in `Apex-{number:04}-{'x' * 25}…`", NOW, StepState.REJECTED, f"`{'no ' * 60}`") for number in range(60)
)


@pytest.mark.parametrize("state", S)
def test_a_flatten_of_sixty_lines_fits_and_says_how_many_more_there_are(state: TicketState) -> None:
    names = tuple(dict.fromkeys(line.account for line in SIXTY))
    lines = tuple(
        replace(line, now=now, orders_now=works)
        for line, (now, works) in zip(SIXTY, itertools.cycle([(12, 3), (0, 0)]), strict=False)
    )
    legs = () if state is S.OFFERED else LONG_LEGS
    one = swept(Flatten(Scope(names)), state, lines, legs=legs, outcome="; ".join(["still LONG 12"] * 60))
    one = replace(one, shown=replace(one.shown, warnings=tuple(f"not among these: {'`Apex-1`, ' * 30}" for _ in range(9))))
    fits(one, late=900.0)
    told = text(one)
    [more] = re.findall(r"… and (\d+) more", told)
    shown = [line for line in told.splitlines() if re.match(r"([✓✗…] )?`Apex-", line)]
    assert int(more) == 60 - len(shown)
    assert len(shown) >= 12
    if state is S.ACCEPTED:
        # What is left comes before what is done.
        assert all(re.match(r"✗ .* · LONG 12, 3 working", line) for line in shown[:12])


def test_of_many_calls_the_last_ones_are_shown() -> None:
    legs = tuple(Step(f"call {number}", NOW, StepState.ACCEPTED) for number in range(30))
    told = text(swept(Flatten(ONE), S.ACCEPTED, DONE_LINES, legs=legs))
    assert "call 29" in told
    assert "call 3\n" not in told


numbers = st.none() | st.integers(-(10**9), 10**9)
contracts = st.builds(Contract, st.text("ABC9", min_size=1, max_size=6), st.integers(2000, 2099), st.integers(1, 12))
accounts = st.lists(nasty.filter(bool), min_size=1, max_size=5).map(tuple)
scopes = st.builds(Scope, accounts, st.none() | contracts, left_out=st.lists(nasty, max_size=4).map(tuple)) | st.builds(
    Scope, accounts, everything=st.just(value=True)
)
prices = st.decimals(allow_nan=False, allow_infinity=False)
terms = st.builds(
    Terms,
    st.sampled_from(Side),
    st.integers(1, 10**6),
    st.sampled_from(OrderType),
    limit=st.none() | prices,
    stop=st.none() | prices,
    oco=st.none() | nasty,
)
where = (nasty, contracts, terms)
any_intent: st.SearchStrategy[Intent] = st.one_of(
    st.builds(VerifiedReverse, *where, nasty),
    st.builds(Invert, *where),
    st.builds(Close, *where, st.none() | st.integers(1, 9)),
    st.builds(Cancel, *where, nasty),
    st.builds(Change, *where, nasty, terms),
    st.builds(Replace, *where, nasty, terms),
    st.builds(Bracket, *where, prices),
    st.builds(Flatten, scopes, st.none() | st.sampled_from(Holding)),
    st.builds(CancelWorking, scopes),
)
any_progress = st.builds(
    Progress,
    steps=st.lists(st.builds(Step, nasty, st.just(NOW), st.sampled_from(StepState), st.none() | nasty), max_size=12).map(tuple),
    rows=st.lists(
        st.builds(ExitRow, nasty, st.booleans(), st.none() | contracts, numbers, numbers, numbers, numbers), max_size=40
    ).map(tuple),
    done_at=st.none() | st.just(NOW),
)


@settings(max_examples=120, deadline=None)
@given(one=hostile, intent=any_intent, progress=any_progress, late=st.floats(0, 10**6))
def test_i19_no_text_of_anybodys_makes_a_card_of_any_kind_that_discord_would_refuse(
    one: Ticket, intent: Intent, progress: Progress, late: float
) -> None:
    if isinstance(intent, Flatten | CancelWorking):
        one = replace(one, order_state=one.order_state and OrderState.CANCELLED)
    fits(replace(one, intent=intent, progress=progress), late=late, note="https://discord.com/channels/1/2/3")


@settings(max_examples=100, deadline=None)
@given(account=nasty.filter(bool), other=nasty.filter(bool), name=nasty)
def test_no_name_of_anybodys_breaks_out_of_its_place_on_a_mass_actions_card(account: str, other: str, name: str) -> None:
    mass_action = Flatten(Scope((account, other)))
    lines = (ExitRow(account, False, ES, 2, 1), ExitRow(other, False, None, None, None))
    for state in (S.OFFERED, S.SENDING):
        for block in blocks(replace(swept(mass_action, state, lines), requester=Member(1, name))):
            live = re.sub(r"\\.|`[^`]*`", "", block)
            live = re.sub(r"\*\*(LIVE|SIM|FLATTEN)\*\*|<t:\d+:R>(?=$|\n)|\(<@1>\)(?=$|\n)", "", live)
            assert not re.search(r"<[@#t]\D*\d+>|@everyone|@here|https?://|\]\(|[*_~|`\\]", live), block
