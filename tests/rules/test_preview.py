"""The plan: the card says what would happen in words and numbers, and no longer when that isn't true any more."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade.requests import CloseBody
from bot.trading.market.facts import Facts, Position, terms_of
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
    closing_terms,
)
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, parse_fraction, words_of
from bot.trading.orders.tickets import Preview
from bot.trading.planning.preview import no_longer_true, plan, refreshed, steps
from bot.trading.risk.policy import AccountRule, Approval, Policy
from tests.rules.strategies import (
    ACCOUNT,
    ES,
    ES_DECEMBER,
    FACTS,
    INTENT,
    MODEST,
    NOW,
    ORDER,
    POLICY,
    QUOTE,
    SHOWN,
    TICK,
    positions,
    quantities,
    sides,
    well_formed_terms,
)

LAST = Decimal("5800.25")
TODAY = NOW.date()


def gone(before: Preview, after: Preview, tolerance: int, kind: OrderType) -> str | None:
    """What has changed, for a reversal of that order type."""
    intent = Reverse("Sim101", ES, Terms(Side.SELL, 3, kind))
    return no_longer_true(intent, intent, before, after, tolerance)


def asked(side: Side, quantity: int = 1, kind: OrderType = OrderType.MARKET, **prices: Any) -> Reverse:
    return replace(INTENT, terms=Terms(side, quantity, kind, **prices))


def held(quantity: int) -> Facts:
    return replace(FACTS, positions=(Position("Sim101", ES, quantity, Decimal("5790.50")),))


def test_a_plan_shows_what_was_read() -> None:
    assert plan(INTENT, FACTS, POLICY, TODAY) == SHOWN


@MODEST
@given(position=positions, terms=well_formed_terms())
def test_after_the_order_the_position_is_the_new_order_whatever_it_was_before(position: int, terms: Terms) -> None:
    shown = plan(replace(INTENT, terms=terms), held(position), POLICY, TODAY)
    assert (shown.position, shown.after) == (position, terms.quantity * terms.side.sign)


NEEDED: dict[str, Facts] = {
    "account": replace(FACTS, account=None),
    "positions": replace(FACTS, positions=None),
    "no position": replace(FACTS, positions=()),
    "quote": replace(FACTS, quote=None),
    "time of the quote": replace(FACTS, quote=replace(QUOTE, at=None)),
    "bid": replace(FACTS, quote=replace(QUOTE, bid=None)),
    "ask": replace(FACTS, quote=replace(QUOTE, ask=None)),
    "last": replace(FACTS, quote=replace(QUOTE, last=None)),
}


@pytest.mark.parametrize("facts", NEEDED.values(), ids=list(NEEDED))
def test_there_is_no_plan_without_all_that_a_card_shows(facts: Facts) -> None:
    with pytest.raises(ValueError, match="a plan"):
        plan(INTENT, facts, POLICY, TODAY)


@pytest.mark.parametrize(
    ("provider", "rules", "live"),
    [
        ("Simulator", (), False),
        ("Rithmic", (AccountRule("Sim101", live=True),), True),
        ("Rithmic", (), True),
        (None, (), True),
        ("Simulator", (AccountRule("Sim*", live=True),), True),
    ],
)
def test_i15_only_what_is_proved_to_be_a_simulation_is_shown_as_one(
    provider: str | None,
    rules: tuple[AccountRule, ...],
    live: bool,
) -> None:
    facts = replace(FACTS, account=replace(ACCOUNT, provider=provider))
    assert plan(INTENT, facts, replace(POLICY, accounts=rules), TODAY).live is live


def test_a_plan_names_the_roles_that_must_approve_this_quantity() -> None:
    policy = Policy(grants=(), approvals=(Approval(("Sim*",), 1101, 3), Approval(("Sim*",), 1102, 4)))
    assert plan(INTENT, FACTS, policy, TODAY).approver_roles == {1101}


def test_only_orders_of_this_month_that_may_still_fill_are_counted_as_working() -> None:
    orders = (
        ORDER,
        replace(ORDER, state=OrderState.PART_FILLED, filled=1),
        replace(ORDER, state=OrderState.FILLED),
        replace(ORDER, state=OrderState.CANCELLED, filled=1),
        replace(ORDER, contract=ES_DECEMBER),
    )
    assert plan(INTENT, replace(FACTS, orders=orders), POLICY, TODAY).working_orders == 2
    assert plan(INTENT, replace(FACTS, orders=None), POLICY, TODAY).working_orders == 0


@pytest.mark.parametrize(
    ("position", "intent", "said"),
    [
        (2, asked(Side.SELL, 3), ("close LONG 2 (sell 2 at market)", "then SELL 3 MARKET → SHORT 3")),
        (-1, asked(Side.BUY), ("close SHORT 1 (buy 1 at market)", "then BUY 1 MARKET → LONG 1")),
        (2, asked(Side.BUY), ("close LONG 2 (sell 2 at market)", "then BUY 1 MARKET → LONG 1")),
        (
            2,
            asked(Side.SELL, 1, OrderType.LIMIT, limit=Decimal("5810.25")),
            ("close LONG 2 (sell 2 at market)", "then SELL 1 LIMIT limit 5810.25 → SHORT 1 once filled"),
        ),
        (
            -3,
            asked(Side.BUY, 2, OrderType.STOPMARKET, stop=Decimal(5811)),
            ("close SHORT 3 (buy 3 at market)", "then BUY 2 STOPMARKET stop 5811.00 → LONG 2 once filled"),
        ),
        (
            -3,
            asked(Side.BUY, 2, OrderType.STOPLIMIT, limit=Decimal("5812.00"), stop=Decimal("5811.00")),
            ("close SHORT 3 (buy 3 at market)", "then BUY 2 STOPLIMIT limit 5812.00 stop 5811.00 → LONG 2 once filled"),
        ),
    ],
)
def test_the_steps_say_in_words_what_will_be_sent(position: int, intent: Reverse, said: tuple[str, str]) -> None:
    assert steps(intent, plan(intent, held(position), POLICY, TODAY)) == said


@MODEST
@given(position=positions, terms=well_formed_terms())
def test_the_steps_name_every_number_that_is_sent(position: int, terms: Terms) -> None:
    intent = replace(INTENT, terms=terms)
    close, entry = steps(intent, plan(intent, held(position), POLICY, TODAY))
    assert close.split("(")[1].startswith(f"{'sell' if position > 0 else 'buy'} {abs(position)} ")
    assert entry.startswith(f"then {terms.side.upper()} {terms.quantity} {terms.type}")
    assert all(str(price) in entry for price in (terms.limit, terms.stop) if price is not None)


@pytest.mark.parametrize(
    ("intent", "said"),
    [(INTENT, ["roll date", "the front month is ES 12-26"]), (Cancel("Sim101", ES, Terms(Side.BUY, 1), "o1"), [])],
)
def test_a_contract_that_ends_is_warned_about_and_who_gets_out_is_told_of_its_end_alone(
    intent: OrderIntent, said: list[str]
) -> None:
    facts = replace(FACTS, front=Contract("ES", 2026, 12))
    warnings = " ".join(plan(intent, facts, POLICY, date(2026, 9, 15)).warnings)
    assert "ES 09-26 expires on 2026-09-18, in 3 days" in warnings
    assert all(words in warnings for words in said)
    assert ("roll" in warnings) is bool(said)


@MODEST
@given(position=positions, side=sides, quantity=quantities)
def test_a_side_that_doesnt_oppose_the_position_is_a_warning(position: int, side: Side, quantity: int) -> None:
    warnings = plan(asked(side, quantity), held(position), POLICY, TODAY).warnings
    opposes = side.sign * position < 0
    assert len(warnings) == (0 if opposes else 1)
    if not opposes:
        way = "LONG" if position > 0 else "SHORT"
        assert warnings == (f"{side} doesn't oppose {way} {abs(position)}: it closes and opens {way} {quantity} again",)


@pytest.mark.parametrize(
    ("side", "kind", "limit", "warned"),
    [
        (Side.BUY, OrderType.LIMIT, "5800.00", False),
        (Side.BUY, OrderType.LIMIT, "5800.25", True),
        (Side.BUY, OrderType.LIMIT, "5801.00", True),
        (Side.SELL, OrderType.LIMIT, "5800.25", False),
        (Side.SELL, OrderType.LIMIT, "5800.00", True),
        (Side.SELL, OrderType.LIMIT, "5799.00", True),
        (Side.BUY, OrderType.STOPLIMIT, "5801.00", False),
    ],
)
def test_a_limit_that_crosses_the_market_is_a_warning(
    side: Side,
    kind: OrderType,
    limit: str,
    warned: bool,
) -> None:
    intent = asked(side, 1, kind, limit=Decimal(limit), stop=Decimal(5805) if kind.has_stop else None)
    shown = plan(intent, held(-side.sign), POLICY, TODAY)
    assert shown.warnings == ((f"a {side} limit at {limit} fills at once",) if warned else ())


@pytest.mark.parametrize(("market_open", "warnings"), [(False, ("the market is closed",)), (True, ()), (None, ())])
def test_a_closed_market_is_a_warning(market_open: bool | None, warnings: tuple[str, ...]) -> None:
    facts = replace(FACTS, quote=replace(QUOTE, market_open=market_open))
    assert plan(INTENT, facts, POLICY, TODAY).warnings == warnings


def test_a_close_into_a_shut_market_says_when_it_fills() -> None:
    facts = replace(held(2), quote=replace(QUOTE, market_open=False))
    intent = Close("Sim101", ES, Terms(Side.SELL, 2))
    assert plan(intent, facts, POLICY, TODAY).warnings == ("the market is shut: it fills at the open",)


def test_all_warnings_that_are_true_are_told_together() -> None:
    facts = replace(held(2), quote=replace(QUOTE, market_open=False))
    intent = asked(Side.BUY, 1, OrderType.LIMIT, limit=Decimal(5801))
    assert len(plan(intent, facts, POLICY, TODAY + timedelta(days=60)).warnings) == 4


def test_a_card_whose_facts_are_the_same_still_tells_the_truth() -> None:
    for kind in OrderType:
        assert gone(SHOWN, SHOWN, 0, kind) is None


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "smaller": ({"position": 1}, "the position is now LONG 1, not LONG 2"),
    "closed elsewhere": ({"position": 0}, "the position is now FLAT, not LONG 2"),
    "turned": ({"position": -2}, "the position is now SHORT 2, not LONG 2"),
    "live": ({"live": True}, "the account changed between SIM and LIVE"),
    "approval": ({"approver_roles": frozenset({1101})}, "the policy now asks for another person's approval"),
}


@pytest.mark.parametrize(("changes", "why"), CHANGES.values(), ids=list(CHANGES))
def test_i17_a_card_is_not_true_any_more_when_position_account_or_approvals_changed(changes: dict[str, Any], why: str) -> None:
    for kind in OrderType:
        assert gone(SHOWN, replace(SHOWN, **changes), 10**6, kind) == why, kind


def test_the_account_changing_from_live_to_sim_counts_as_well() -> None:
    assert gone(replace(SHOWN, live=True), SHOWN, 20, OrderType.MARKET) == "the account changed between SIM and LIVE"


@pytest.mark.parametrize(
    ("before", "after", "asks"), [({1}, {1}, False), ({1, 2}, {1}, False), ({1}, {1, 2}, True), ({1}, {2}, True)]
)
def test_fewer_approvals_leave_a_card_true_and_another_one_doesnt(before: set[int], after: set[int], asks: bool) -> None:
    old, new = (replace(SHOWN, approver_roles=frozenset(roles)) for roles in (before, after))
    assert (gone(old, new, 20, OrderType.MARKET) is not None) is asks


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ("5800.25", None),
        ("5805.00", None),
        ("5805.25", None),
        ("5795.25", None),
        ("5805.26", "the price moved from 5800.25 to 5805.26"),
        ("5795.24", "the price moved from 5800.25 to 5795.24"),
        ("5805.50", "the price moved from 5800.25 to 5805.50"),
        ("5795.00", "the price moved from 5800.25 to 5795.00"),
        ("5900.25", "the price moved from 5800.25 to 5900.25"),
    ],
)
def test_i13_the_price_may_move_just_as_far_as_the_tolerance(last: str, why: str | None) -> None:
    shown = replace(SHOWN, last=Decimal(last))
    for kind in OrderType:
        # A limit order names its own price.
        assert gone(SHOWN, shown, 20, kind) == (None if kind is OrderType.LIMIT else why), kind


def test_prices_that_moved_are_told_with_the_decimals_of_the_tick() -> None:
    before, after = (replace(SHOWN, last=Decimal(last)) for last in (5800, 5810))
    assert gone(before, after, 20, OrderType.MARKET) == "the price moved from 5800.00 to 5810.00"
    assert gone(before, replace(after, last=None), 20, OrderType.MARKET) == "the price can't be compared"


@MODEST
@given(ticks=st.integers(-50, 50), tolerance=st.integers(0, 50), more=st.integers(0, 50))
def test_a_wider_tolerance_never_refuses_what_a_narrow_one_takes(ticks: int, tolerance: int, more: int) -> None:
    moved: Preview = replace(SHOWN, last=LAST + ticks * TICK)
    if gone(SHOWN, moved, tolerance, OrderType.MARKET) is None:
        assert gone(SHOWN, moved, tolerance + more, OrderType.MARKET) is None


# Every other command.

WORKS = replace(
    ORDER,
    ids=("o1",),
    side=Side.BUY,
    type=OrderType.LIMIT,
    limit=Decimal("5790.00"),
    quantity=4,
    filled=1,
    state=OrderState.PART_FILLED,
)
BEFORE = Terms(Side.BUY, 4, OrderType.LIMIT, limit=Decimal(5790))
STOP = Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal("5790.00"))
LIMIT = Terms(Side.BUY, 2, OrderType.LIMIT, limit=Decimal(5795))
BRACKET = Bracket("Sim101", ES, STOP, Decimal("5810.00"))
CLOSED_FIRST = ("close LONG 2 (sell 2 at market)", "then SELL 3 MARKET → SHORT 3")

# Intent over LONG 2 with a working order o1 (BUY 4, 1 filled) -> position after, the steps.
PLANS: dict[str, tuple[OrderIntent, int, tuple[str, ...]]] = {
    "verified": (
        VerifiedReverse("Sim101", ES, Terms(Side.SELL, 3), "own"),
        -3,
        (CLOSED_FIRST[0], "read back until flat, cancel what the close leaves working; never flat: stop here", CLOSED_FIRST[1]),
    ),
    "invert": (Invert("Sim101", ES, Terms(Side.SELL, 2)), -2, ("turn LONG 2 into SHORT 2 at market",)),
    "place": (PlaceOrder("Sim101", ES, Terms(Side.SELL, 3), "own"), -1, ("SELL 3 MARKET → SHORT 1",)),
    "place at a price": (PlaceOrder("Sim101", ES, LIMIT, "own"), 4, ("BUY 2 LIMIT limit 5795.00 → LONG 4 once filled",)),
    "flatplace": (FlatPlace("Sim101", ES, Terms(Side.SELL, 3)), -3, CLOSED_FIRST),
    "close": (Close("Sim101", ES, Terms(Side.SELL, 2)), 0, ("close 2 of LONG 2 (sell at market) → FLAT",)),
    "close a part": (Close("Sim101", ES, Terms(Side.SELL, 1), 1), 1, ("close 1 of LONG 2 (sell at market) → LONG 1",)),
    "cancel": (Cancel("Sim101", ES, BEFORE, "o1"), 2, ("cancel BUY 4 LIMIT limit 5790.00",)),
    "modify": (
        Change("Sim101", ES, replace(BEFORE, quantity=2), "o1", BEFORE),
        3,
        ("change BUY 4 LIMIT limit 5790.00 to BUY 2 LIMIT limit 5790.00",),
    ),
    "replace": (
        Replace("Sim101", ES, LIMIT, "o1", BEFORE),
        4,
        ("cancel BUY 4 LIMIT limit 5790.00", "then BUY 2 LIMIT limit 5795.00 → LONG 4 once filled"),
    ),
    "bracket": (
        BRACKET,
        2,
        ("cancel 1 working order there", "target SELL 2 LIMIT", "stop SELL 2 STOPMARKET"),
    ),
}


@pytest.mark.parametrize(("intent", "after", "said"), PLANS.values(), ids=list(PLANS))
def test_the_plan_of_every_command_says_what_comes_of_it_and_how(intent: OrderIntent, after: int, said: tuple[str, ...]) -> None:
    shown = plan(intent, replace(FACTS, orders=(WORKS,)), POLICY, TODAY)
    assert (shown.position, shown.after, steps(intent, shown)) == (2, after, said)


def test_of_an_order_to_change_that_is_not_listed_nothing_is_taken_for_filled() -> None:
    assert plan(PLANS["modify"][0], FACTS, POLICY, TODAY).after == 4


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        ((), "nothing to cancel there"),
        ((WORKS,), "cancel 1 working order there"),
        ((WORKS, replace(WORKS, ids=("o2",))), "cancel 2 working orders there"),
    ],
)
def test_a_bracket_says_how_many_orders_it_cancels(orders: tuple[Any, ...], said: str) -> None:
    assert steps(BRACKET, plan(BRACKET, replace(FACTS, orders=orders), POLICY, TODAY))[0] == said


def test_without_a_position_a_flatplace_has_nothing_to_close() -> None:
    intent = FlatPlace("Sim101", ES, Terms(Side.SELL, 3))
    shown = plan(intent, replace(FACTS, positions=()), POLICY, TODAY)
    assert (shown.after, steps(intent, shown)) == (-3, ("nothing to close", "SELL 3 MARKET → SHORT 3"))


@pytest.mark.parametrize("command", ["verified", "invert", "close", "bracket"])
def test_there_is_no_plan_of_what_needs_a_position_where_there_is_none(command: str) -> None:
    with pytest.raises(ValueError, match="needs a position"):
        plan(PLANS[command][0], replace(FACTS, positions=()), POLICY, TODAY)


@pytest.mark.parametrize("command", PLANS)
def test_only_ways_out_are_planned_without_a_price_and_without_an_approval(command: str) -> None:
    intent = PLANS[command][0]
    policy = replace(POLICY, approvals=(Approval(("*",), 1101, 1),))
    facts = replace(FACTS, orders=(WORKS,))
    out = command in {"close", "close a part", "cancel", "bracket"}
    assert plan(intent, facts, policy, TODAY).approver_roles == (set() if out else {1101})
    if out:
        shown = plan(intent, replace(facts, quote=None), policy, TODAY)
        assert (shown.bid, shown.ask, shown.last, shown.quoted_at, shown.tick_size) == (None, None, None, None, None)
    else:
        with pytest.raises(ValueError, match="needs a quote"):
            plan(intent, replace(facts, quote=None), policy, TODAY)


def test_the_order_that_goes_is_not_among_the_others_that_work() -> None:
    orders = (WORKS, replace(WORKS, ids=("o2",)))
    for command, count in (("replace", 1), ("modify", 1), ("cancel", 1), ("bracket", 2), ("place", 2)):
        assert plan(PLANS[command][0], replace(FACTS, orders=orders), POLICY, TODAY).working_orders == count, command


def test_a_partial_close_warns_of_what_it_leaves_working() -> None:
    facts = replace(FACTS, orders=(WORKS,))
    part, whole = PLANS["close a part"][0], PLANS["close"][0]
    assert plan(part, facts, POLICY, TODAY).warnings == ("a partial close leaves stops and targets working: 1 there",)
    assert plan(part, FACTS, POLICY, TODAY).warnings == ()
    assert plan(whole, facts, POLICY, TODAY).warnings == ()


def test_an_inversion_always_opposes_and_a_verified_reversal_may_not() -> None:
    assert plan(PLANS["invert"][0], FACTS, POLICY, TODAY).warnings == ()
    same = VerifiedReverse("Sim101", ES, Terms(Side.BUY, 1), "own")
    assert plan(same, FACTS, POLICY, TODAY).warnings == ("buy doesn't oppose LONG 2: it closes and opens LONG 1 again",)


def test_a_replacement_that_fills_at_once_is_a_warning_and_a_target_is_not() -> None:
    crossing = Replace("Sim101", ES, replace(LIMIT, limit=Decimal(5801)), "o1", BEFORE)
    assert plan(crossing, replace(FACTS, orders=(WORKS,)), POLICY, TODAY).warnings == ("a buy limit at 5801.00 fills at once",)
    assert plan(BRACKET, FACTS, POLICY, TODAY).warnings == ()


# As things are now.


@pytest.mark.parametrize(("position", "side"), [(2, Side.SELL), (-2, Side.BUY)])
def test_a_bracket_protects_whichever_side_the_position_is_on(position: int, side: Side) -> None:
    facts = replace(FACTS, positions=(Position("Sim101", ES, position),))
    assert refreshed(BRACKET, facts) == replace(BRACKET, terms=replace(STOP, side=side))


@pytest.mark.parametrize(
    ("quantity", "fraction", "closed"), [(None, None, 5), (3, None, 3), (None, Decimal("0.5"), 3), (None, Decimal("0.01"), 1)]
)
def test_a_close_is_sized_by_the_position_as_it_is(quantity: int | None, fraction: Decimal | None, closed: int) -> None:
    facts = replace(FACTS, positions=(Position("Sim101", ES, -5),))
    intent = Close("Sim101", ES, Terms(Side.SELL, 2), quantity, fraction)
    assert refreshed(intent, facts) == replace(intent, terms=Terms(Side.BUY, closed))


@given(
    held=st.integers(-5000, 5000).filter(bool),
    digits=st.tuples(st.integers(1, 10**11), st.integers(0, 9)).filter(lambda each: each[0] <= 100 * 10 ** each[1]),
)
def test_a_share_is_the_least_whole_number_that_is_not_below_it(held: int, digits: tuple[int, int]) -> None:
    """Worked out once more with whole numbers alone; 28 % of 25 are 7, although 0.28 * 25 is more than 7 in binary."""
    number, places = digits
    fraction = parse_fraction(f"{Decimal(number).scaleb(-places):f}")
    terms = closing_terms(held, None, fraction)
    assert terms.quantity == -(-number * abs(held) // (100 * 10**places))
    assert 1 <= terms.quantity <= abs(held)
    body = CloseBody.of(Close("Sim101", ES, terms, None, fraction)).fields()
    assert body == {"instrument": str(ES), "quantity": terms.quantity}


@pytest.mark.parametrize("command", ["modify", "replace"])
def test_what_is_changed_or_replaced_is_told_as_it_is_now(command: str) -> None:
    intent = PLANS[command][0]
    assert isinstance(intent, Change | Replace)
    moved = replace(WORKS, limit=Decimal("5785.00"), quantity=5)
    fresh = refreshed(intent, replace(FACTS, orders=(moved,)))
    assert fresh == replace(intent, before=replace(BEFORE, limit=Decimal("5785.00"), quantity=5))
    why = no_longer_true(intent, fresh, SHOWN, SHOWN, 20)
    assert why == "the order is now BUY 5 LIMIT limit 5785.00"
    assert no_longer_true(intent, refreshed(intent, replace(FACTS, orders=(WORKS,))), SHOWN, SHOWN, 20) is None


@pytest.mark.parametrize("command", PLANS)
def test_where_nothing_is_there_any_more_an_intent_stays_as_it_was(command: str) -> None:
    intent = PLANS[command][0]
    assert refreshed(intent, replace(FACTS, positions=(), orders=())) == intent


@pytest.mark.parametrize("command", PLANS)
def test_a_way_out_is_wanted_at_any_price_and_an_entry_is_not(command: str) -> None:
    intent = PLANS[command][0]
    far = replace(SHOWN, last=LAST + 400 * TICK)
    unread = replace(SHOWN, last=None)
    priceless = command in {"close", "close a part", "cancel", "bracket"} or intent.terms.type is OrderType.LIMIT
    assert (no_longer_true(intent, intent, SHOWN, far, 20) is None) is priceless
    assert (no_longer_true(intent, intent, SHOWN, unread, 20) is None) is priceless


@pytest.mark.parametrize("command", PLANS)
def test_another_position_is_another_card_but_for_a_cancellation(command: str) -> None:
    intent = PLANS[command][0]
    why = no_longer_true(intent, intent, SHOWN, replace(SHOWN, position=1), 20)
    assert why == (None if command == "cancel" else "the position is now LONG 1, not LONG 2")


@pytest.mark.parametrize(
    ("kind", "limit", "stop", "read"),
    [
        (OrderType.LIMIT, "1", None, OrderType.LIMIT),
        (None, "1", None, OrderType.LIMIT),
        (None, None, "2", OrderType.STOPMARKET),
        (None, "1", "2", OrderType.STOPLIMIT),
        (None, None, None, OrderType.MARKET),
        (OrderType.MARKET, "1", "2", OrderType.MARKET),
    ],
)
def test_the_terms_of_a_listed_order_hold_just_the_prices_of_its_type(
    kind: OrderType | None, limit: str | None, stop: str | None, read: OrderType
) -> None:
    at, on = (None if price is None else Decimal(price) for price in (limit, stop))
    terms = terms_of(replace(ORDER, type=kind, oco="g", limit=at, stop=on))
    assert (terms.type, terms.oco) == (read, "g")
    assert terms.limit == (at if read.has_limit else None)
    assert terms.stop == (on if read.has_stop else None)
    assert words_of(terms).startswith(f"SELL 3 {read}")


def test_prices_beside_each_other_have_the_same_decimals() -> None:
    """One was typed, the other listed; both lie on the tick."""
    before, after = replace(BEFORE, limit=Decimal("5790.25")), replace(BEFORE, limit=Decimal("5791.5"))
    intent = Change("Sim101", ES, after, "o1", before)
    shown = plan(intent, replace(FACTS, orders=(WORKS,)), POLICY, TODAY)
    assert steps(intent, shown) == ("change BUY 4 LIMIT limit 5790.25 to BUY 4 LIMIT limit 5791.50",)
    assert no_longer_true(intent, replace(intent, before=after), shown, shown, 4) == "the order is now BUY 4 LIMIT limit 5791.50"


@pytest.mark.parametrize(
    ("position", "prices", "warned"),
    [
        (2, {"bid": None}, ["bid"]),
        (2, {"ask": None}, []),
        (-2, {"ask": None}, ["ask"]),
        (-2, {"bid": None}, []),
        (2, {}, []),
    ],
)
def test_a_bracket_says_when_nobody_quotes_the_side_on_which_it_would_fill(
    position: int, prices: dict[str, None], warned: list[str]
) -> None:
    facts = held(position)
    quoted = replace(facts, quote=replace(QUOTE, **prices))  # type: ignore[arg-type]  # a part by its name
    intent = refreshed(BRACKET, quoted)
    words = [f"there is no {name} to check these prices by: one may be refused, or fill at once" for name in warned]
    assert list(plan(intent, quoted, POLICY, TODAY).warnings) == words
