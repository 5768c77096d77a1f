"""What the price and order options offer: only what can be worked out, with words that say what it is."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PriceError
from bot.trading.market.facts import Strategy
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.planning.shorthand import Base, resolve
from bot.trading.planning.suggestions import is_cut, label, prices, running_label, value_in
from tests.rules.strategies import MODEST, ORDER, TICK, sides

BASE = Base(
    tick_size=TICK,
    bid=Decimal("5800.00"),
    ask=Decimal("5800.25"),
    last=Decimal("5800.25"),
    position=2,
    average_price=Decimal("5790.50"),
)
FLAT = replace(BASE, position=0, average_price=None)


def offered(typed: str, side: Side | None = Side.BUY, base: Base = BASE, name: str = "limit") -> list[tuple[str, str]]:
    """The suggestions as pairs."""
    return [(each.value, each.name) for each in prices(name, typed, side, base)]


def test_without_anything_typed_the_market_and_break_even_are_offered() -> None:
    assert offered("") == [
        ("5800.00", "5800.00 (bid, mid)"),
        ("5800.25", "5800.25 (ask, last)"),
        ("5802.75", "5802.75 (+10t)"),
        ("5797.75", "5797.75 (-10t)"),
        ("5790.50", "5790.50 (be)"),
    ]


def test_break_even_is_offered_only_where_there_is_a_position() -> None:
    assert not any("be" in name for _, name in offered("", base=FLAT))
    assert offered("be", base=FLAT) == []


def test_for_an_order_that_is_modified_small_steps_from_its_price_come_first() -> None:
    found = offered("", base=replace(BASE, present=Decimal("5780.00")))
    assert found[:2] == [("5780.25", "5780.25 (+1t)"), ("5779.75", "5779.75 (-1t)")]
    assert ("5782.50", "5782.50 (+10t)") in found


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("bid-2t", ("5799.50", "5799.50 (bid-2t)")),
        (" BID - 2 t", ("5799.50", "5799.50 (bid-2t)")),
        ("ask", ("5800.25", "5800.25 (ask)")),
        ("+0.25%", ("5814.75", "5814.75 (+0.25%)")),
        ("be+4t", ("5791.50", "5791.50 (be+4t)")),
    ],
)
def test_what_was_typed_is_offered_first_worked_out(typed: str, first: tuple[str, str]) -> None:
    assert offered(typed)[0] == first


def test_what_may_still_become_of_it_is_offered_too() -> None:
    assert [name for _, name in offered("b")] == ["5800.00 (bid)", "5790.50 (be)"]
    assert [name for _, name in offered("bid")][:3] == ["5800.00 (bid)", "5800.25 (bid+1t)", "5799.75 (bid-1t)"]
    more = ["bid+2t", "bid-2t", "bid+4t", "bid-4t"]
    assert [name.partition(" ")[2] for _, name in offered("bid")][3:] == [f"({each})" for each in more]
    assert [name for _, name in offered("bid-")][:2] == ["5799.75 (bid-1t)", "5799.50 (bid-2t)"]
    assert [name for _, name in offered("bid-2")] == ["5799.50 (bid-2t)", "5684.00 (bid-2%)"]
    assert "5802.75 (+10t)" in [name for _, name in offered("+1")]


def test_a_stop_is_offered_only_where_it_would_wait() -> None:
    assert [name for _, name in offered("", name="stop")] == ["5802.75 (+10t)"]
    assert [name for _, name in offered("", Side.SELL, name="stop")] == ["5797.75 (-10t)", "5790.50 (be)"]
    assert len(offered("", None, name="stop")) > 2
    # What was typed is shown as what it comes to; that it would trigger at once is said when the order is asked for.
    assert offered("bid", name="stop")[0] == ("5800.00", "5800.00 (bid)")
    assert offered("", name="stop", base=replace(BASE, bid=None)) != []


def test_a_target_is_offered_only_where_it_would_wait() -> None:
    assert [name for _, name in offered("", name="target")] == ["5800.00 (bid, mid)", "5797.75 (-10t)", "5790.50 (be)"]
    assert [name for _, name in offered("", Side.SELL, name="target")] == ["5800.25 (ask, mid, last)", "5802.75 (+10t)"]


def test_a_stop_is_rounded_as_a_stop() -> None:
    assert offered("last-0.1%", name="stop")[0][0] == "5794.50"
    assert offered("last-0.1%", name="limit")[0][0] == "5794.25"


def test_where_a_side_of_the_market_is_not_there_every_price_may_wait() -> None:
    for side, base in ((Side.BUY, replace(BASE, ask=None)), (Side.SELL, replace(BASE, bid=None))):
        for name in ("stop", "target"):
            assert "5802.75 (+10t)" in [each for _, each in offered("", side, base, name)], (side, name)


def test_no_shorthand_is_named_twice() -> None:
    assert offered("+1", base=replace(BASE, present=Decimal("5780.00"))) == [
        ("5780.25", "5780.25 (+1t)"),
        ("5837.75", "5837.75 (+1%)"),
        ("5782.50", "5782.50 (+10t)"),
    ]
    assert offered("ask−")[0] == ("5800.00", "5800.00 (ask-1t)")


def test_a_plain_number_on_the_tick_is_offered_as_it_was_typed() -> None:
    assert offered(" 5795.50 ") == [("5795.50", "5795.50")]


def test_a_plain_number_off_the_tick_is_answered_by_its_neighbours_and_never_rounded_by_itself() -> None:
    assert offered("5795.10") == [
        ("5795.00", "5795.00 (next tick below 5795.10)"),
        ("5795.25", "5795.25 (next tick above 5795.10)"),
    ]
    assert [value for value, _ in offered("0.1")] == ["0.25"]


def test_behind_a_number_that_is_being_typed_prices_that_begin_with_it_are_offered() -> None:
    assert [value for value, _ in offered("5800")] == ["5800", "5800.00", "5800.25"]
    assert [value for value, _ in offered("580")] == ["580", "5800.00", "5800.25", "5802.75"]
    assert [value for value, _ in offered("5800.")] == ["5800.00", "5800.25"]


@pytest.mark.parametrize("typed", ["cheap", "5e3", "bid2", "@everyone", "٥", "x" * 4000, "0"])
def test_garbage_is_offered_nothing(typed: str) -> None:
    assert offered(typed) == []


def test_while_no_side_is_chosen_only_what_does_not_depend_on_it_is_offered() -> None:
    assert "mid" not in str(offered("", side=None))
    assert offered("mid", side=None) == []
    assert offered("bid-2t", side=None)[0] == ("5799.50", "5799.50 (bid-2t)")
    assert offered("+0.25%", side=None) == []


def test_nothing_is_offered_from_a_price_that_is_not_there() -> None:
    dead = Base(TICK)
    assert offered("", base=dead) == []
    assert offered("bid", base=dead) == []


@MODEST
@given(
    typed=st.text(max_size=12) | st.text(st.sampled_from("bidaskmelt0123456789.+-%"), max_size=8),
    side=st.none() | sides,
    present=st.none() | st.just(Decimal("5780.25")),
    name=st.sampled_from(["limit", "stop"]),
)
def test_every_price_offered_is_one_that_the_request_would_take_as_it_is(
    typed: str, side: Side | None, present: Decimal | None, name: str
) -> None:
    base = replace(BASE, present=present)
    found = prices(name, typed, side, base)
    assert len({each.value for each in found}) == len(found) or typed.strip()[:1].isdecimal()
    for each in found:
        price = resolve(name, each.value, Side.BUY, base)
        assert price is not None
        assert price % TICK == 0
        assert each.name.startswith(each.value)
        assert len(each.name) <= 100


@MODEST
@given(typed=st.from_regex(r"(bid|ask|mid|last|be)?[+-][0-9]{1,3}t", fullmatch=True), side=sides)
def test_what_is_shown_is_what_the_request_would_work_out(typed: str, side: Side) -> None:
    try:
        price = resolve("limit", typed, side, BASE)
    except PriceError:
        return
    assert offered(typed, side)[0][0] == str(price)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "SELL 3 MARKET ES 09-26 (o1)"),
        (
            {"type": OrderType.LIMIT, "limit": Decimal("5780.00"), "ids": ("0123456789abcdef",), "side": Side.BUY},
            "BUY 3 LIMIT 5780.00 ES 09-26 (01234567…)",
        ),
        ({"type": OrderType.LIMIT, "limit": Decimal("1E+3"), "ids": ("123456789",)}, "SELL 3 LIMIT 1000 ES 09-26 (123456789)"),
        (
            {"type": OrderType.STOPLIMIT, "limit": Decimal("5779.75"), "stop": Decimal(5780), "filled": 1},
            "SELL 3 STOPLIMIT 5780 / 5779.75 ES 09-26, 1 filled (o1)",
        ),
        ({"ids": ("0123456789",)}, "SELL 3 MARKET ES 09-26 (01234567…)"),
        ({"type": None, "stop": Decimal(5780), "state": OrderState.ACCEPTED}, "SELL 3 STOPMARKET 5780 ES 09-26 (o1)"),
    ],
)
def test_an_order_is_told_in_one_line(changes: dict[str, object], words: str) -> None:
    assert label(replace(ORDER, **changes)) == words  # type: ignore[arg-type]  # the table names the fields


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Strategy("334", "Sim101", "Scalp", "Scalp - 334", None, 2), "Scalp - 334: LONG 2"),
        (Strategy("334", "Sim101", "Scalp", None, None, -1), "Scalp: SHORT 1"),
        (Strategy("334", "Sim101", quantity=0), "334: FLAT"),
        (Strategy("334", "Sim101", "Scalp", "Scalp - 334"), "Scalp - 334"),
    ],
)
def test_a_running_strategy_is_told_in_one_line(strategy: Strategy, words: str) -> None:
    assert running_label(strategy) == words


@given(side=sides, typed=st.sampled_from(("", "bid", "ask-4t", "+", "5800.1", "5800.30", "be+2")))
def test_the_text_of_a_price_tells_it(side: Side, typed: str) -> None:
    for each in prices("limit", typed, side, BASE):
        assert (value_in("limit", each.name) or each.name) == each.value
        assert value_in("oco", each.name) is None


@pytest.mark.parametrize("order_id", ["o1", "123456789", "0123456789abcdef"])
def test_the_text_of_an_order_tells_its_id_or_is_known_to_tell_it_in_part(order_id: str) -> None:
    text = label(replace(ORDER, ids=(order_id,)))
    assert (value_in("order", text) == order_id) is not is_cut("cancel", "order", text)
    assert not is_cut("place", "oco", text)
    # An id is an id.
    assert value_in("order", order_id) is None
    assert not is_cut("cancel", "order", order_id)


@pytest.mark.parametrize(("quantity", "cut"), [(2, True), (-1, True), (0, True), (None, False)])
def test_the_text_of_a_running_strategy_is_known_by_what_it_holds(quantity: int | None, cut: bool) -> None:
    text = running_label(Strategy("334", "Sim101", "Scalp", "Scalp - 334", None, quantity))
    assert is_cut("flatten", "strategy", text) is cut
    assert not is_cut("place", "strategy", text)
