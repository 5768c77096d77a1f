"""Orders: prices and labels as people type them, terms that hold together, and states as NinjaTrader spells them."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PriceError, UsageError
from bot.trading.orders.terms import (
    DONE_STATES,
    LARGEST_QUANTITY,
    OrderState,
    OrderType,
    Side,
    Terms,
    check_stop_side,
    check_terms,
    check_ticks,
    parse_count,
    parse_fraction,
    parse_label,
    parse_price,
    parse_requirement,
)
from tests.rules.strategies import MODEST, TICK, on_tick, well_formed_terms


@pytest.mark.parametrize(
    ("typed", "share"),
    [
        *((None, None), ("", None), ("  ", None), ("50", "0.5"), ("50%", "0.5"), (" 12.5 % ", "0.125"), ("100", "1")),
        *(("0.000000001", "0.00000000001"), ("100.0%", "1")),
    ],
)
def test_a_percentage_is_read_as_a_share(typed: str | None, share: str | None) -> None:
    assert parse_fraction(typed) == (None if share is None else Decimal(share))


@pytest.mark.parametrize("typed", ["0", "0%", "100.000000001", "101", "-5", "1e1", "half", "%", "50%%", "5,0", "٥٠"])
def test_what_is_no_percentage_above_0_and_up_to_100_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="The percentage must be a number above 0 and up to 100, like 50 or"):
        parse_fraction(typed)


@pytest.mark.parametrize(
    ("typed", "required"),
    [
        *((None, ""), ("", ""), (" , ", ""), ("flat", "flat"), (" FLAT , Long", "flat long")),
        *(("short,short", "short"), ("flat,long,short", "flat long short")),
    ],
)
def test_required_positions_are_a_list_with_commas(typed: str | None, required: str) -> None:
    assert parse_requirement(typed) == frozenset(required.split())


@pytest.mark.parametrize("typed", ["flatt", "flat long", "flat;long", "any", "flat,none"])
def test_a_requirement_of_any_other_word_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="require takes flat, long and short, one or several with commas"):
        parse_requirement(typed)


def test_a_count_is_1_or_more() -> None:
    assert [parse_count("max_positions", typed) for typed in (None, 1, 2, 10**9)] == [None, 1, 2, 10**9]
    for typed in (0, -1):
        with pytest.raises(UsageError, match="max_positions must be 1 or more"):
            parse_count("max_positions", typed)


@pytest.mark.parametrize("typed", [None, "", "   ", "\t\n"])
def test_no_price_and_a_blank_one_are_not_given(typed: str | None) -> None:
    assert parse_price("limit", typed) is None


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("5800.25", "5800.25"),
        (" 5800.25 ", "5800.25"),
        ("5800", "5800"),
        ("0.000000001", "0.000000001"),
        ("0005", "5"),
        ("999999999.999999999", "999999999.999999999"),
    ],
)
def test_a_plain_number_is_read_to_the_last_digit(typed: str, price: str) -> None:
    parsed = parse_price("limit", typed)
    assert isinstance(parsed, Decimal)
    assert parsed == Decimal(price)


@pytest.mark.parametrize(
    "typed",
    [
        "0",
        "0.00",
        "-1",
        "+1",
        "1e3",
        "1E3",
        "NaN",
        "sNaN",
        "inf",
        "-Infinity",
        "5,800.25",
        "5800,25",
        "1_000",
        "5 800",
        ".5",
        "5.",
        "5800.25.1",
        "0x10",
        "$5800",
        "٥٨٠٠",
        "５８００",
        "5800.2\u0665",
        "½",
        "²",
        "5800\x00",
        "1234567890",
        "1.1234567890",
        "@everyone",
        "9" * 4000,
    ],
)
def test_anything_but_a_plain_number_above_zero_is_no_price(typed: str) -> None:
    with pytest.raises(PriceError, match="The limit price must be a plain number above zero"):
        parse_price("limit", typed)


@MODEST
@given(typed=st.text(max_size=15) | st.text(st.sampled_from("0123456789.,-+eE ٣３_"), max_size=12) | st.floats().map(repr))
def test_whatever_is_typed_gives_an_exact_finite_price_or_our_error(typed: str) -> None:
    try:
        price = parse_price("stop", typed)
    except PriceError:
        return
    if price is None:
        assert not typed.strip()
    else:
        assert typed.strip().isascii()
        assert price.is_finite()
        assert price > 0
        assert price == Decimal(typed.strip())


@pytest.mark.parametrize(
    ("typed", "label"), [(None, None), ("", None), ("  ", None), (" exit 1 ", "exit 1"), ("x" * 64, "x" * 64)]
)
def test_a_label_is_one_line_without_blanks_around_it(typed: str | None, label: str | None) -> None:
    assert parse_label("strategy", typed) == label


@pytest.mark.parametrize(
    "typed", ["x" * 65, "a\nb", "a\rb", "a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\x9bb", "a\u2028b", "a\u2029b", "y" * 4000]
)
def test_a_label_of_several_lines_or_too_long_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="The OCO id must be one line of at most 64 characters"):
        parse_label("OCO id", typed)


@MODEST
@given(typed=st.text(max_size=80))
def test_a_label_that_is_taken_is_one_line(typed: str) -> None:
    try:
        label = parse_label("strategy", typed)
    except UsageError:
        return
    assert label is None or (len(label.splitlines()) == 1 and 1 <= len(label) <= 64)


@MODEST
@given(terms=well_formed_terms())
def test_terms_with_just_the_prices_of_their_type_pass(terms: Terms) -> None:
    check_terms(terms)
    check_ticks(terms, TICK)


@pytest.mark.parametrize("quantity", [0, -1, -LARGEST_QUANTITY, LARGEST_QUANTITY + 1, 10**40])
def test_a_quantity_out_of_range_is_refused(quantity: int) -> None:
    with pytest.raises(UsageError, match="The quantity must be a whole number from 1 to 1000000"):
        check_terms(Terms(Side.BUY, quantity))


@pytest.mark.parametrize("quantity", [1, LARGEST_QUANTITY])
def test_the_smallest_and_the_largest_quantity_pass(quantity: int) -> None:
    check_terms(Terms(Side.BUY, quantity))


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("limit", [None, Decimal(5)])
@pytest.mark.parametrize("stop", [None, Decimal(6)])
def test_each_type_takes_its_own_prices_and_no_others(kind: OrderType, limit: Decimal | None, stop: Decimal | None) -> None:
    wanted = {
        OrderType.MARKET: (False, False),
        OrderType.LIMIT: (True, False),
        OrderType.STOPMARKET: (False, True),
        OrderType.STOPLIMIT: (True, True),
    }[kind]
    given_prices = (limit is not None, stop is not None)
    assert (kind.has_limit, kind.has_stop) == wanted
    terms = Terms(Side.BUY, 1, kind, limit=limit, stop=stop)
    if given_prices == wanted:
        check_terms(terms)
        return
    with pytest.raises(PriceError) as caught:
        check_terms(terms)
    name = "limit" if given_prices[0] != wanted[0] else "stop"
    missing = not given_prices[0 if name == "limit" else 1]
    assert f"{'needs a' if missing else 'takes no'} {name} price" in str(caught.value)
    assert kind.lower() in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "price", "tick", "nearest"),
    [
        (OrderType.LIMIT, "limit", "5800.30", "0.25", ("5800.25", "5800.50")),
        (OrderType.STOPMARKET, "stop", "5800.01", "0.25", ("5800.00", "5800.25")),
        (OrderType.LIMIT, "limit", "72.005", "0.01", ("72.000", "72.010")),
        (OrderType.LIMIT, "limit", "41235", "10", ("41230", "41240")),
    ],
)
def test_a_price_off_the_tick_is_refused_with_the_two_nearest(
    kind: OrderType, name: str, price: str, tick: str, nearest: tuple[str, str]
) -> None:
    typed = Decimal(price)
    terms = Terms(Side.BUY, 1, kind, limit=typed if kind.has_limit else None, stop=typed if kind.has_stop else None)
    with pytest.raises(PriceError) as caught:
        check_ticks(terms, Decimal(tick))
    assert str(caught.value) == (
        f"The {name} price {price} is off the tick of {tick}: the nearest are {nearest[0]} and {nearest[1]}."
    )


@MODEST
@given(ticks=st.integers(1, 10**9), off=st.integers(1, 24))
def test_the_nearest_prices_that_are_told_enclose_the_typed_one_and_are_on_the_tick(ticks: int, off: int) -> None:
    typed = ticks * TICK + Decimal(off) / 100
    with pytest.raises(PriceError) as caught:
        check_ticks(Terms(Side.BUY, 1, OrderType.LIMIT, limit=typed), TICK)
    below, above = (Decimal(word) for word in str(caught.value).rstrip(".").split(" nearest are ")[1].split(" and "))
    assert below < typed < above
    assert above - below == TICK
    check_ticks(Terms(Side.BUY, 1, OrderType.STOPLIMIT, limit=below, stop=above), TICK)


def test_both_prices_of_a_stop_limit_must_lie_on_the_tick() -> None:
    terms = Terms(Side.BUY, 1, OrderType.STOPLIMIT, limit=Decimal("5800.25"), stop=Decimal("5800.10"))
    with pytest.raises(PriceError, match=r"The stop price 5800\.10 is off the tick"):
        check_ticks(terms, TICK)


@pytest.mark.parametrize(
    ("side", "stop", "passes"),
    [
        (Side.BUY, "5800.50", True),
        (Side.BUY, "5800.25", False),
        (Side.BUY, "5799.00", False),
        (Side.SELL, "5799.75", True),
        (Side.SELL, "5800.00", False),
        (Side.SELL, "5801.00", False),
    ],
)
@pytest.mark.parametrize("kind", [OrderType.STOPMARKET, OrderType.STOPLIMIT])
def test_a_stop_must_lie_beyond_the_market(kind: OrderType, side: Side, stop: str, passes: bool) -> None:
    terms = Terms(side, 1, kind, limit=Decimal(5800) if kind.has_limit else None, stop=Decimal(stop))
    bid, ask = Decimal("5800.00"), Decimal("5800.25")
    if passes:
        check_stop_side(terms, bid, ask)
        return
    beyond = "above the ask of 5800.25" if side is Side.BUY else "below the bid of 5800.00"
    with pytest.raises(PriceError, match=re.escape(beyond)):
        check_stop_side(terms, bid, ask)


@MODEST
@given(bid=on_tick, spread=st.integers(0, 8), stop=on_tick)
def test_no_stop_passes_on_both_sides_of_one_market(bid: Decimal, spread: int, stop: Decimal) -> None:
    passed = []
    for side in Side:
        try:
            check_stop_side(Terms(side, 1, OrderType.STOPMARKET, stop=stop), bid, bid + spread * TICK)
        except PriceError:
            continue
        passed.append(side)
    assert len(passed) <= 1


def test_an_order_without_a_stop_has_no_wrong_side() -> None:
    check_stop_side(Terms(Side.BUY, 1), Decimal(1), Decimal(2))


def test_a_side_has_the_sign_of_the_position_that_it_builds() -> None:
    assert {side: side.sign for side in Side} == {Side.BUY: 1, Side.SELL: -1}


SPELLINGS = {
    OrderState.INITIALIZED: ["Initialized", "initialized"],
    OrderState.SUBMITTED: ["Submitted", "SUBMITTED"],
    OrderState.ACCEPTED: ["Accepted", " accepted "],
    OrderState.TRIGGER_PENDING: ["TriggerPending", "Trigger pending", "trigger_pending", "TRIGGER-PENDING"],
    OrderState.WORKING: ["Working", "wOrKiNg"],
    OrderState.SUSPENDED: ["Suspended"],
    OrderState.CHANGE_PENDING: ["ChangePending", "change pending"],
    OrderState.CHANGE_SUBMITTED: ["ChangeSubmitted", "Change submitted"],
    OrderState.PART_FILLED: ["PartFilled", "Part filled", "part_filled", "PART-FILLED"],
    OrderState.CANCEL_PENDING: ["CancelPending", "cancel  pending"],
    OrderState.CANCEL_SUBMITTED: ["CancelSubmitted", "CANCEL_SUBMITTED"],
    OrderState.FILLED: ["Filled", "FILLED", "filled\n"],
    OrderState.CANCELLED: ["Cancelled", "cancelled"],
    OrderState.REJECTED: ["Rejected", "reJected"],
    OrderState.OTHER: [
        "",
        "Unknown",
        "Other",
        "Canceled",
        "PartiallyFilled",
        "Filled!",
        "not filled",
        "Fill ed?",
        "@everyone",
        "\x00",
    ],
}


@pytest.mark.parametrize(("state", "text"), [(state, text) for state, texts in SPELLINGS.items() for text in texts])
def test_a_state_is_read_in_every_spelling_and_an_unknown_one_is_kept_as_other(state: OrderState, text: str) -> None:
    assert OrderState.read(text) is state


def test_the_table_of_spellings_is_whole() -> None:
    assert set(SPELLINGS) == set(OrderState) - {OrderState.GONE}


def test_only_filled_cancelled_and_rejected_are_done_and_what_is_gone() -> None:
    over = {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.GONE}
    assert {state for state in OrderState if state.is_done} == over
    assert frozenset(state for state in OrderState if state.is_done) == frozenset(DONE_STATES)


@MODEST
@given(text=st.text(max_size=20))
def test_a_string_that_is_no_state_is_never_read_as_the_end_of_an_order(text: str) -> None:
    letters = "".join(char for char in text if not char.isspace() and char not in "_-")
    if letters.casefold() not in {state.value.casefold() for state in DONE_STATES}:
        assert not OrderState.read(text).is_done


@pytest.mark.parametrize("state", [OrderState.GONE, OrderState.OTHER])
def test_our_own_words_are_read_of_nothing(state: OrderState) -> None:
    assert OrderState.read(state.value) is OrderState.OTHER
