"""Shorthand: what people type for a price comes to a price on the tick, rounded to the careful side, or to one clear sentence."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PriceError
from bot.trading.orders.terms import Side
from bot.trading.planning.shorthand import WORDS, Base, Shorthand, read, resolve
from tests.rules.strategies import MODEST, TICK, sides

# Bid and ask lie an odd number of ticks apart, so that the middle is off the tick; the position's average is off it too.
BASE = Base(
    tick_size=TICK,
    bid=Decimal("5800.00"),
    ask=Decimal("5800.25"),
    last=Decimal("5800.25"),
    position=2,
    average_price=Decimal("5790.30"),
)
names = st.sampled_from(["limit", "stop", "target"])
ticks = st.integers(-20_000, 20_000)
tick_sizes = st.sampled_from([Decimal("0.25"), Decimal("0.1"), Decimal("0.10"), Decimal("0.01"), Decimal(1), Decimal("0.00005")])
raw = st.decimals(min_value=1, max_value=60_000, places=4)


@st.composite
def bases(draw: st.DrawFn) -> Base:
    """Any facts, prices off the tick included."""
    position = draw(st.integers(-5, 5))
    return Base(
        tick_size=draw(tick_sizes),
        bid=draw(st.none() | raw),
        ask=draw(st.none() | raw),
        last=draw(st.none() | raw),
        position=position,
        average_price=draw(st.none() | raw) if position else None,
        present=draw(st.none() | raw),
    )


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Shorthand in any case and with any blanks."""
    word = draw(st.sampled_from([*WORDS, ""]))
    offset = draw(
        st.integers(0, 999_999).map(lambda n: f"{n}t")
        | st.integers(0, 999).map(lambda n: f"{n} %")
        | st.decimals(min_value=0, max_value=999, places=3).map(lambda n: f"{n:f}%")
    )
    signed = draw(st.sampled_from("+-")) + draw(st.sampled_from(["", " "])) + offset
    text = draw(st.sampled_from([signed, word + signed, f" {word}  {signed}", word or signed]))
    return draw(st.sampled_from([text, text.upper(), text.title()]))


@pytest.mark.parametrize(
    ("typed", "buy_limit", "sell_limit"),
    [
        ("bid", "5800.00", "5800.00"),
        ("ASK", "5800.25", "5800.25"),
        ("last", "5800.25", "5800.25"),
        ("mid", "5800.00", "5800.25"),
        ("bid-2t", "5799.50", "5799.50"),
        (" Bid - 2 ticks ", "5799.50", "5799.50"),
        ("ask+1tick", "5800.50", "5800.50"),
        ("ask−1t", "5800.00", "5800.00"),
        ("last+0t", "5800.25", "5800.25"),
        ("+10t", "5802.75", "5802.75"),
        ("-8T", "5798.25", "5798.25"),
        ("+0.25%", "5814.75", "5815.00"),
        ("-.25%", "5785.50", "5785.75"),
        ("-0.25 %", "5785.50", "5785.75"),
        ("mid+0.1%", "5805.75", "5806.00"),
        ("mid+1t", "5800.25", "5800.50"),
        ("+100%", "11600.50", "11600.50"),
    ],
)
def test_a_limit_is_rounded_so_that_no_worse_price_is_asked_for(typed: str, buy_limit: str, sell_limit: str) -> None:
    assert resolve("limit", typed, Side.BUY, BASE) == Decimal(buy_limit)
    assert resolve("limit", typed, Side.SELL, BASE) == Decimal(sell_limit)
    # A target is a limit that closes.
    assert resolve("target", typed, Side.SELL, BASE) == Decimal(sell_limit)
    # A stop is rounded away from the market, which is the other way.
    assert resolve("stop", typed, Side.BUY, BASE) == Decimal(sell_limit)
    assert resolve("stop", typed, Side.SELL, BASE) == Decimal(buy_limit)


@pytest.mark.parametrize(
    ("position", "typed", "price"),
    [
        (2, "be", "5790.50"),
        (-2, "be", "5790.25"),
        (2, "be+4t", "5791.50"),
        (-2, "be-4t", "5789.25"),
        (2, "be-0.1%", "5784.75"),
        (1, "be-0.1%", "5784.75"),
        (-1, "be-0.1%", "5784.50"),
        (-2, "be-0.1%", "5784.50"),
    ],
)
def test_break_even_is_rounded_to_the_side_on_which_the_position_does_not_lose(position: int, typed: str, price: str) -> None:
    for name, side in itertools.product(("limit", "stop"), Side):
        assert resolve(name, typed, side, replace(BASE, position=position)) == Decimal(price), (name, side)


def test_a_price_below_one_is_a_price() -> None:
    assert resolve("limit", "last-3t", Side.BUY, replace(BASE, last=Decimal(1))) == Decimal("0.25")


def test_a_bare_offset_is_counted_from_the_price_that_an_order_has_where_one_is_modified() -> None:
    modified = replace(BASE, present=Decimal("5780.00"))
    assert resolve("limit", "+2t", Side.BUY, modified) == Decimal("5780.50")
    assert resolve("limit", "-0.1%", Side.BUY, modified) == Decimal("5774.00")
    assert resolve("limit", "last+2t", Side.BUY, modified) == Decimal("5800.75")
    assert resolve("limit", "bid", Side.BUY, modified) == Decimal("5800.00")


@pytest.mark.parametrize(
    ("typed", "changes", "said"),
    [
        ("bid-2t", {"bid": None}, "There is no bid now for bid-2t to be counted from"),
        ("ask", {"ask": None}, "There is no ask now for ask"),
        ("mid", {"ask": None}, "There is no ask now for mid"),
        ("mid", {"bid": None}, "There is no bid now for mid"),
        ("last", {"last": None}, "There is no last now for last"),
        ("+10t", {"last": None}, "There is no last price now for +10t"),
        ("be+4t", {"position": 0}, "There is no open position for be+4t"),
        ("be", {"average_price": None}, "There is no average price of the position now for be"),
        ("-100%", {}, "The limit price -100% comes to 0.00, which is not above zero"),
        ("bid-999999t", {}, "The limit price bid-999999t comes to -244199.75, which is not above zero"),
    ],
)
def test_what_can_not_be_worked_out_gets_one_clear_sentence(typed: str, changes: dict[str, object], said: str) -> None:
    with pytest.raises(PriceError) as caught:
        resolve("limit", typed, Side.BUY, replace(BASE, **changes))  # type: ignore[arg-type]  # the table names the fields
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("write it as a number." if "comes to" in said else "write the price as a number.")


@pytest.mark.parametrize(
    "typed",
    [
        *("0", "0.00", "-5", "+5", "5e3", "5800,25", "$5800", "٥٨٠٠", "NaN", "cheap", "@everyone", "58 00"),
        *("bid-", "bid2t", "bid-2", "bid--2t", "bid-2t+1t", "bids", "+t", "+%", "+1.5t", "+1000%", "+1234567t", "mid+0.12345%"),
        *("laſt", "ｂｉｄ", "bid+٢t", "bid-2tic\u212as", "bid\x00", "bid-2t;", "b i d", "to" * 2000, "bid" + " " * 4000 + "x"),
    ],
)
def test_what_can_not_be_read_says_what_can(typed: str) -> None:
    said = r"The stop price must be a number above zero like 5800\.25, or shorthand like bid-2t"
    with pytest.raises(PriceError, match=said):
        read("stop", typed)
    with pytest.raises(PriceError, match=said):
        resolve("stop", typed, Side.BUY, BASE)


@pytest.mark.parametrize("typed", [None, "", "  ", "\t"])
def test_blank_means_not_given(typed: str | None) -> None:
    assert read("limit", typed) is None
    assert resolve("limit", typed, Side.BUY, BASE) is None


@pytest.mark.parametrize(
    ("typed", "tidy"),
    [(" BID - 2 Ticks", "bid-2t"), ("Be", "be"), ("+.25%", "+0.25%"), ("– 8 t", "-8t"), ("mid+0.10%", "mid+0.10%")],
)
def test_shorthand_is_kept_without_blanks_and_capitals(typed: str, tidy: str) -> None:
    assert str(read("limit", typed)) == tidy


@MODEST
@given(name=names, typed=texts(), side=sides, base=bases())
def test_whatever_comes_of_shorthand_is_above_zero_and_on_the_tick(name: str, typed: str, side: Side, base: Base) -> None:
    try:
        price = resolve(name, typed, side, base)
    except PriceError:
        return
    assert price is not None
    assert price > 0
    assert price % base.tick_size == 0


@MODEST
@given(name=names, typed=texts(), side=sides, base=bases())
def test_rounding_moves_a_price_by_less_than_a_tick_and_to_the_careful_side(
    name: str, typed: str, side: Side, base: Base
) -> None:
    fine = replace(base, tick_size=Decimal("1e-9"))
    shorthand = read(name, typed)
    if not isinstance(shorthand, Shorthand) or shorthand.ticks is not None:
        return
    try:
        rounded, exact = resolve(name, typed, side, base), resolve(name, typed, side, fine)
    except PriceError:
        return
    assert rounded is not None
    assert exact is not None
    up = base.position > 0 if shorthand.word == "be" else (side is Side.BUY) == (name == "stop")
    assert 0 <= (rounded - exact if up else exact - rounded) < base.tick_size


@MODEST
@given(name=names, word=st.sampled_from([*WORDS, ""]), fewer=ticks, more=ticks, side=sides, base=bases())
def test_more_ticks_never_give_a_lower_price(name: str, word: str, fewer: int, more: int, side: Side, base: Base) -> None:
    fewer, more = sorted((fewer, more))
    try:
        low, high = (resolve(name, f"{word}{offset:+d}t", side, base) for offset in (fewer, more))
    except PriceError:
        return
    assert low is not None
    assert high is not None
    assert high - low == (more - fewer) * base.tick_size


@MODEST
@given(name=names, typed=texts(), side=sides, base=bases(), rise=raw)
def test_a_higher_market_never_gives_a_lower_price(name: str, typed: str, side: Side, base: Base, rise: Decimal) -> None:
    def higher(price: Decimal | None) -> Decimal | None:
        return None if price is None else price + rise

    above = replace(
        base,
        bid=higher(base.bid),
        ask=higher(base.ask),
        last=higher(base.last),
        average_price=higher(base.average_price),
        present=higher(base.present),
    )
    try:
        low = resolve(name, typed, side, base)
        high = resolve(name, typed, side, above)
    except PriceError:
        return
    assert low is not None
    assert high is not None
    assert high >= low


@MODEST
@given(
    name=names,
    typed=st.from_regex(r"[1-9][0-9]{0,7}(\.[0-9]{1,9})?", fullmatch=True),
    side=sides,
    base=bases(),
)
def test_a_plain_number_passes_through_unchanged_whatever_the_market(name: str, typed: str, side: Side, base: Base) -> None:
    assert str(resolve(name, f" {typed} ", side, base)) == typed


@MODEST
@given(
    typed=st.text(max_size=20) | st.text(st.sampled_from("bidaskmelt0123456789.,-+%− \t"), max_size=12),
    side=sides,
    base=bases(),
)
def test_garbage_never_raises_anything_but_our_error(typed: str, side: Side, base: Base) -> None:
    try:
        price = resolve("limit", typed, side, base)
    except PriceError:
        return
    assert (price is None) == (not typed.strip())
    assert price is None or price > 0
