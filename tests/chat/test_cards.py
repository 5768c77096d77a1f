"""What a card says, for every state of a ticket, and that nothing can make it too long or dangerous."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from discord import ui
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.cards import BLUE, GREEN, ORANGE, RED, YELLOW, card, colour
from bot.chat.markdown import code, harmless
from bot.chat.wording import clip
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Cancel, Change, Close, Intent, Reverse
from bot.trading.orders.protection import End, Leg, Part, Protection
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import Approved, Member, Ticket, TicketState

from .samples import APPROVER_ROLE, ES, LIMIT, NOW, SHOWN, TICKET, ticket

S = TicketState


def _blocks(view: ui.LayoutView) -> list[str]:
    return [item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay)]


def _text(one: Ticket, **options: Any) -> str:
    return "\n".join(_blocks(card(one, **options)))


def _labels(one: Ticket, **options: Any) -> list[str | None]:
    found = (getattr(item, "item", item) for item in card(one, **options).walk_children())
    return [item.label for item in found if isinstance(item, ui.Button)]


def test_an_open_card_says_everything_that_a_person_decides_on() -> None:
    text = _text(ticket(terms=LIMIT, working_orders=2, warnings=("the market is closed",)))
    for expected in (
        *("🟦 **SIM**", "`Sim101`", "**ES 09-26**", "SELL 3 STOPLIMIT DAY", "limit 5795.00", "stop 5796.00", "oco `grp`"),
        *(
            "strategy `two legs`",
            "Now: LONG 2 at 5790.5",
            "After: LONG 1",
            "1. close LONG 2 (sell 2 at market)",
            "2. then SELL 3",
        ),
        *("Last 5800.25 · <t:1767268800:R>", "Bid 5800.00 · ask 5800.25", "$870,037.50", "One tick is $12.50"),
        *("working orders there: 2", "⚠ the market is closed", "Asked by Tess", "Expires <t:1767268830:R>"),
    ):
        assert expected in text


def test_shorthand_stands_beside_the_price_that_it_came_to() -> None:
    typed = replace(LIMIT, typed=(("limit", "be+4t"),))
    text = _text(ticket(terms=typed))
    assert "limit 5795.00 (typed `be+4t`)" in text
    assert "stop 5796.00\n" in text + "\n"
    before = replace(LIMIT, limit=Decimal("5794.00"))
    modified = replace(TICKET, intent=Change("Sim101", ES, replace(typed, typed=(("limit", "+4t"),)), "o1", before))
    assert "limit 5794.00 → 5795.00 (typed `+4t`)" in _text(modified)


def test_the_prices_of_a_change_have_the_same_decimals_and_it_is_told_once() -> None:
    before = Terms(Side.BUY, 1, OrderType.LIMIT, limit=Decimal("5790.25"))
    change = Change("Sim101", ES, replace(before, limit=Decimal("5791.5")), "o1", before)
    text = _text(replace(TICKET, intent=change))
    assert "limit 5790.25 → 5791.50" in text.splitlines()
    assert text.count("5790.25") == text.count("5791.5") == 1


def test_a_cancellation_shows_the_price_and_nothing_that_it_leaves_as_it_is() -> None:
    cancel = Cancel("Sim101", ES, Terms(Side.BUY, 1, OrderType.LIMIT, limit=Decimal("5790.25")), "o1")
    for state in (S.OFFERED, S.ACCEPTED):
        text = _text(replace(ticket(state=state), intent=cancel))
        assert text.count("5790.25") == 1
        for noise in ("Notional", "One tick", "After", "Planned", "1. "):
            assert noise not in text
    assert "Last 5800.25" in _text(replace(TICKET, intent=cancel))


def test_i15_a_live_card_says_so_in_word_and_colour() -> None:
    assert "🟥 **LIVE**" in _text(ticket(live=True))
    assert colour(ticket(live=True)) == RED
    assert colour(TICKET) == BLUE
    assert "LIVE" not in _text(TICKET)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("state", S)
def test_every_card_of_every_state_names_account_kind_and_order(state: TicketState, live: bool) -> None:
    text = _text(ticket(state=state, live=live))
    for expected in ("Sim101", "LIVE" if live else "SIM", "ES 09-26", "BUY 1 MARKET"):
        assert expected in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": S.ACCEPTED, "order_ids": ("abc_1",)}, ["accepted", "`abc_1`", "not filled yet"]),
        (
            {"state": S.REJECTED, "outcome": "`No position found for instrument 'ES 12-25'`"},
            ["rejected", "No position found for"],
        ),
        ({"state": S.UNKNOWN, "outcome": "`timeout`"}, ["outcome unknown", "Do not send it again", "looking for it", "timeout"]),
        ({"state": S.NOT_SENT, "outcome": "connection refused"}, ["not sent", "Nothing left the bot", "connection refused"]),
        ({"state": S.DENIED, "outcome": "QUOTE_STALE: too old"}, ["denied", "QUOTE_STALE: too old", "Nothing was sent"]),
        ({"state": S.CANCELLED, "ended_by": "Sam"}, ["cancelled", "by `Sam`"]),
        ({"state": S.EXPIRED}, ["expired", "Nothing was sent"]),
        ({"state": S.EXPIRED, "outcome": "Void: the bot was restarted."}, ["expired", "Void: the bot was restarted."]),
        ({"state": S.VOID, "outcome": "the position changed"}, ["void", "the position changed"]),
        ({"state": S.NEVER_ARRIVED}, ["never arrived", "NinjaTrader has no such order"]),
        ({"state": S.SENDING}, ["sending"]),
        ({"revision": 2, "outcome": "Not sent yet: the price moved"}, ["look again", "the price moved"]),
        ({"confirmed_at": NOW, "approver_roles": frozenset({7})}, ["confirmed, needs approval", "<@&7>", "Confirmed by Tess"]),
    ],
)
def test_a_ticket_says_what_became_of_it_in_the_words_promised(changes: dict[str, Any], words: list[str]) -> None:
    text = _text(ticket(**changes))
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("order_state", "filled", "words"),
    [
        (None, 0, "submitted to NinjaTrader, not filled yet"),
        (OrderState.WORKING, 0, "working, not filled yet"),
        (OrderState.PART_FILLED, 1, "filled 1/3"),
        (OrderState.FILLED, 3, "filled 3 at 5800.25"),
        (OrderState.REJECTED, 0, "rejected by NinjaTrader"),
        (OrderState.REJECTED, 2, "rejected by NinjaTrader, 2 of 3 filled"),
        (OrderState.CANCELLED, 1, "order cancelled, 1 of 3 filled"),
        (OrderState.CANCELLED, 0, "order cancelled, 0 of 3 filled"),
        (OrderState.CANCELLED, 1, "order cancelled, 1 of 3 filled at 5800.25"),
        (OrderState.GONE, 0, "the order is not listed any more, 0 of 3 filled"),
        (OrderState.GONE, 1, "the order is not listed any more, 1 of 3 filled at 5800.25"),
    ],
)
def test_an_accepted_ticket_says_how_far_its_order_is(order_state: OrderState | None, filled: int, words: str) -> None:
    average = Decimal("5800.25") if filled else None
    told = ticket(
        state=S.ACCEPTED,
        order_ids=("o1",),
        order_state=order_state,
        filled=filled,
        average_fill_price=average,
        terms=Terms(Side.BUY, 3),
    )
    text = _text(told)
    assert words in text
    assert "`o1`" in text


def test_approvals_are_told_and_what_is_still_missing() -> None:
    approved = ticket(approver_roles=frozenset({7, 8}), approvals=(Approved(1, "Arno", frozenset({7})),))
    text = _text(approved)
    assert "Approved by Arno" in text
    assert "<@&8>" in text
    assert "<@&7>" not in text
    whole = replace(approved, approvals=(Approved(1, "Arno", frozenset({7, 8})),))
    assert "approved, needs Confirm" in _text(whole)


def test_late_news_say_how_late() -> None:
    assert "4 min late" in _text(ticket(state=S.ACCEPTED, order_ids=("o",)), late=250.0)
    assert "late" not in _text(ticket(state=S.ACCEPTED, order_ids=("o",)), late=3.0)


@pytest.mark.parametrize("state", S)
def test_only_an_open_card_can_be_confirmed_or_cancelled(state: TicketState) -> None:
    labels = _labels(ticket(state=state))
    assert labels == (["Confirm", "Cancel"] if state is S.OFFERED else [])
    assert _labels(ticket(state=state), buttons=False) == []


@pytest.mark.parametrize(
    ("order_state", "filled", "labels"),
    [
        (None, 0, ["Cancel order"]),
        (OrderState.WORKING, 0, ["Cancel order"]),
        (OrderState.PART_FILLED, 1, ["Cancel order", "Close"]),
        (OrderState.FILLED, 3, ["Close", "Close half", "Break-even"]),
        (OrderState.CANCELLED, 1, ["Close", "Break-even"]),
        (OrderState.CANCELLED, 0, []),
        (OrderState.REJECTED, 0, []),
        (OrderState.GONE, 0, []),
    ],
)
def test_the_card_of_a_sent_order_offers_what_fits_its_state(
    order_state: OrderState | None, filled: int, labels: list[str]
) -> None:
    sent = ticket(state=S.ACCEPTED, order_ids=("o1",), order_state=order_state, filled=filled, terms=Terms(Side.BUY, 3), after=3)
    assert _labels(sent) == labels
    assert _labels(sent, buttons=False) == []
    assert len(set(labels) & {"Confirm", "Cancel", "Approve"}) == 0


REASON = "`no margin`"


@pytest.mark.parametrize(
    ("outcome", "words"), [(REASON, [REASON, "Mend what it names"]), (None, ["could not read why", "NinjaTrader's log"])]
)
def test_a_rejection_after_the_200_reads_like_a_rejection(outcome: str | None, words: list[str]) -> None:
    text = _text(ticket(state=S.ACCEPTED, order_ids=("o1",), order_state=OrderState.REJECTED, outcome=outcome))
    for expected in ("### rejected · order `o1`", "rejected by NinjaTrader", *words):
        assert expected in text
    assert "accepted" not in text


OF_ORDER = Terms(Side.SELL, 2, OrderType.LIMIT, limit=Decimal("5810.00"))
CLOSE = Close("Sim101", TICKET.order.contract, Terms(Side.SELL, 3), 3)
CANCEL = Cancel("Sim101", TICKET.order.contract, OF_ORDER, "o1")
CHANGE = Change("Sim101", TICKET.order.contract, OF_ORDER, "o1", replace(OF_ORDER, quantity=1))


def test_a_cancellation_that_never_arrived_says_nothing_against_the_order_that_it_was_about() -> None:
    outcome = "Looked for twice, the order is working as it was."
    told = _text(replace(TICKET, intent=CANCEL, state=S.NEVER_ARRIVED, outcome=outcome))
    assert "It never reached NinjaTrader, so nothing of it was done." in told
    assert "no such order" not in told


@pytest.mark.parametrize(
    ("intent", "order_state", "filled", "words"),
    [
        (CLOSE, None, 0, "submitted to NinjaTrader, not closed yet"),
        (CLOSE, OrderState.PART_FILLED, 1, "closed 1/3"),
        (CLOSE, OrderState.FILLED, 3, "closed 3"),
        (CLOSE, OrderState.GONE, 0, "not seen closed"),
        (CANCEL, OrderState.WORKING, 0, "cancel requested, not confirmed yet"),
        (CANCEL, OrderState.CANCELLED, 1, "order cancelled, 1 of 2 filled"),
        (CANCEL, OrderState.FILLED, 2, "filled before the cancel reached it"),
        (CANCEL, OrderState.REJECTED, 0, "the order was rejected, so there was nothing to cancel"),
        (CANCEL, OrderState.GONE, 0, "not listed any more, 0 of 2 filled"),
        (CHANGE, None, 0, "change requested, not seen yet"),
        (CHANGE, OrderState.WORKING, 0, "changed"),
        (CHANGE, OrderState.FILLED, 2, "the order is filled by now, 2 filled"),
        (CHANGE, OrderState.REJECTED, 0, "the order is rejected by now"),
        (CHANGE, OrderState.GONE, 0, "not listed any more, 0 filled"),
    ],
)
def test_closes_cancellations_and_changes_say_how_far_they_are_and_offer_nothing(
    intent: Intent, order_state: OrderState | None, filled: int, words: str
) -> None:
    one = replace(ticket(state=S.ACCEPTED, order_state=order_state, filled=filled), intent=intent)
    assert words in _text(one)
    assert _labels(one) == []


@pytest.mark.parametrize(
    ("intent", "order_state", "words"),
    [
        (None, OrderState.FILLED, "Seen filled"),
        (None, OrderState.CANCELLED, "Seen cancelled"),
        (None, OrderState.REJECTED, "Seen rejected"),
        (None, OrderState.GONE, "Last looked for"),
        (CLOSE, OrderState.FILLED, "Seen closed"),
        (CHANGE, OrderState.WORKING, "Seen changed"),
        (CHANGE, OrderState.FILLED, "Seen filled"),
    ],
)
def test_a_card_says_when_it_was_sent_and_when_its_end_was_seen(
    intent: Intent | None, order_state: OrderState, words: str
) -> None:
    later = NOW + timedelta(seconds=61)
    one = ticket(state=S.ACCEPTED, order_ids=("o1",), order_state=order_state, sent_at=NOW, ended_at=later)
    text = _text(one if intent is None else replace(one, intent=intent))
    assert "Submitted <t:1767268800:T>" in text
    assert f"{words} <t:1767268861:T>" in text


def test_a_time_that_is_not_known_is_not_told() -> None:
    assert "Seen" not in _text(ticket(state=S.ACCEPTED, order_ids=("o1",), sent_at=NOW, ended_at=NOW))
    assert "<t:" not in _text(ticket(state=S.ACCEPTED, order_ids=("o1",), order_state=OrderState.FILLED, filled=1))
    assert "Sent <t:1767268800:T>" in _text(ticket(state=S.UNKNOWN, sent_at=NOW))


def test_an_order_that_was_changed_since_says_what_it_was_and_is() -> None:
    terms = Terms(Side.BUY, 3, OrderType.LIMIT, limit=Decimal("5790.00"))
    now = replace(terms, quantity=5, limit=Decimal("5791.00"))
    one = ticket(state=S.ACCEPTED, order_ids=("o1",), order_state=OrderState.PART_FILLED, filled=4, terms=terms, order_terms=now)
    text = _text(one)
    for expected in ("BUY 5 LIMIT DAY", "quantity 3 → 5", "limit 5790.00 → 5791.00", "filled 4/5"):
        assert expected in text


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity"])
def test_a_price_that_is_no_number_costs_no_card(price: str) -> None:
    odd = replace(TICKET.order.terms, limit=Decimal(price))
    assert "limit" in _text(ticket(state=S.ACCEPTED, order_ids=("o1",), terms=odd, order_terms=odd))


def test_an_order_out_of_sight_is_not_green() -> None:
    assert colour(ticket(state=S.ACCEPTED, order_state=OrderState.GONE)) == YELLOW


def test_approve_is_offered_only_where_the_rule_asks_for_it() -> None:
    assert _labels(ticket(approver_roles=frozenset({APPROVER_ROLE}))) == ["Confirm", "Approve", "Cancel"]


@pytest.mark.parametrize(("state", "expected"), [(S.ACCEPTED, GREEN), (S.REJECTED, ORANGE), (S.UNKNOWN, YELLOW)])
def test_the_colour_tells_the_end(state: TicketState, expected: int) -> None:
    assert colour(ticket(state=state, live=True)) == expected


def test_an_order_that_ninjatrader_rejected_is_not_green() -> None:
    assert colour(ticket(state=S.ACCEPTED, order_state=OrderState.REJECTED)) == ORANGE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("No position found for instrument", "position is gone"),
        ("rate_limited", "wait"),
        ("unauthorized", "token"),
        ("?", "Mend"),
    ],
)
def test_a_rejection_comes_with_what_to_do(text: str, says: str) -> None:
    assert says in _text(ticket(state=S.REJECTED, outcome=f"`{text}`"))


@pytest.mark.parametrize("outcome", ["", " ", "\r\n"])
def test_an_outcome_without_words_leaves_no_empty_block(outcome: str) -> None:
    assert all(_blocks(card(ticket(state=S.VOID, outcome=outcome))))


def test_a_card_never_times_out() -> None:
    assert card(TICKET).timeout is None
    assert card(TICKET).is_persistent()


TOKENS = (
    "@everyone",
    "@here",
    "<@1>",
    "<@&2>",
    "<#3>",
    "<t:1:R>",
    "[a](https://x.y)",
    "http://x.y",
    "`",
    "``",
    "*",
    "_",
    "~",
    "||",
)
nasty = st.lists(
    st.sampled_from((*TOKENS, "\\", "\n", "\r", "\t", " ", ">", "#", "-", "\u202e", "\u200b", "😀", "a", "x" * 90))
).map("".join)
numbers = st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False)
hostile = st.builds(
    replace,
    st.just(TICKET),
    state=st.sampled_from(S),
    intent=st.builds(
        Reverse,
        nasty,
        st.builds(Contract, st.text("ABC9", min_size=1, max_size=6), st.integers(2000, 2099), st.integers(1, 12)),
        st.builds(
            Terms,
            st.sampled_from(Side),
            st.integers(1, 10**6),
            st.sampled_from(OrderType),
            st.sampled_from(TimeInForce),
            limit=st.none() | numbers,
            stop=st.none() | numbers,
            oco=st.none() | nasty,
            strategy=st.none() | nasty,
            typed=st.just(()) | st.tuples(st.tuples(st.sampled_from(["limit", "stop"]), nasty)),
        ),
    ),
    requester=st.builds(Member, st.integers(1, 2**63), nasty),
    shown=st.builds(
        replace,
        st.just(SHOWN),
        live=st.booleans(),
        position=st.integers(-(10**9), 10**9),
        average_price=st.none() | numbers,
        after=st.integers(-(10**9), 10**9),
        bid=numbers,
        ask=numbers,
        last=st.decimals(-(10**30), 10**30, allow_nan=False),
        warnings=st.lists(nasty, max_size=12).map(tuple),
        approver_roles=st.frozensets(st.integers(1, 2**63), max_size=8),
        working_orders=st.integers(0, 10**6),
    ),
    revision=st.integers(1, 10**6),
    confirmed_at=st.none() | st.just(NOW),
    approvals=st.lists(st.builds(Approved, st.integers(1, 2**63), nasty, st.just(frozenset())), max_size=6).map(tuple),
    ended_by=st.none() | nasty,
    outcome=st.none() | nasty,
    order_ids=st.lists(nasty, max_size=4).map(tuple),
    order_state=st.none() | st.sampled_from(OrderState),
    filled=st.integers(0, 10**6),
    sent_at=st.none() | st.just(NOW),
    ended_at=st.none() | st.just(NOW),
    order_terms=st.none() | st.builds(Terms, st.sampled_from(Side), st.integers(1, 10**6), limit=st.none() | numbers),
    average_fill_price=st.none() | numbers,
    protection=st.none()
    | st.builds(
        Protection,
        legs=st.lists(
            st.builds(
                Leg,
                st.sampled_from(Part),
                st.lists(nasty, min_size=1, max_size=2).map(tuple),
                st.sampled_from(OrderState),
                st.integers(0, 10**6),
                st.integers(0, 10**6),
                st.none() | numbers,
                st.none() | numbers,
                st.none() | nasty,
                st.none() | nasty.map(code),
            ),
            max_size=9,
        ).map(tuple),
        owner=st.none() | nasty,
        held=st.none() | st.integers(-(10**6), 10**6),
        bare=st.integers(0, 10**6),
        targetless=st.integers(0, 10**6),
        left=st.booleans(),
        end=st.none() | st.sampled_from(End),
    ),
)


@settings(max_examples=150, deadline=None)
@given(one=hostile, late=st.floats(0, 10**6))
def test_i19_no_text_of_anybodys_makes_a_card_that_discord_would_refuse(one: Ticket, late: float) -> None:
    view = card(one, late, note="https://discord.com/channels/1/2/3")
    blocks = _blocks(view)
    assert view.content_length() <= 4000
    assert sum(len(block.encode("utf-16-le")) // 2 for block in blocks) <= 4000
    assert all(block.strip() for block in blocks)
    assert sum(1 for _ in view.walk_children()) <= 40
    assert len(_labels(one)) <= 5


@settings(max_examples=150, deadline=None)
@given(name=nasty, account=nasty)
def test_no_name_of_anybodys_breaks_out_of_its_place(name: str, account: str) -> None:
    one = ticket(requester=Member(1, name), account=account, approvals=(Approved(2, name, frozenset()),), ended_by=name)
    for state in (S.OFFERED, S.CANCELLED):
        for block in _blocks(card(replace(one, state=state))):
            # What Discord takes to the letter, and what is escaped, can't do anything.
            live = re.sub(r"\\.|`[^`]*`", "", block)
            assert not re.search(r"<[@#t]\D*\d+>|@everyone|@here|https?://|\]\(|[*_~|`\\]", _ours_aside(live)), block


def _ours_aside(text: str) -> str:
    """Without the marks that the card itself sets."""
    return re.sub(r"\*\*(LIVE|SIM|ES 09-26)\*\*|<t:\d+:R>(?=$|\n)|\(<@[12]>\)(?=$|\n)", "", text)


@given(text=nasty, longest=st.integers(10, 60))
def test_cut_text_leaves_no_code_open(text: str, longest: int) -> None:
    told = clip(f"{harmless(text)} {code(text)}", longest)
    assert len(told) <= longest
    assert "`" not in re.sub(r"\\.|`[^`]*`", "", told)


def test_a_ticket_of_long_ago_is_still_drawn() -> None:
    assert _text(ticket(expires_at=NOW - timedelta(days=4000), quoted_at=NOW - timedelta(days=4000)))
