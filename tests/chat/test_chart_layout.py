"""Where things go on a chart, and what is written there: held without painting anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.charts.layout import LABEL, MOST_LABELS, Layout, lay_out, spread
from bot.chat.charts.marks import Mark, MarkKind, marks_of, without_price
from bot.chat.charts.scales import MOST_PRICES, MOST_TIMES, Scale, breaks_of, round_prices, scale_of, times_of
from bot.desk.reads.charts import Charted
from bot.trading.market.bars import PERIODS, Bar
from bot.trading.orders.terms import OrderType, Side

from .charts import FIVE, LONG, QUOTE, TICK, bar, charted, order, walk
from .samples import NOW

SIM_ORDERS = (order(Side.SELL, "5805.50", quantity=2), order(Side.BUY, None, stop="5790.25"))


def laid(made: Charted) -> Layout:
    assert made.bars is not None
    return lay_out(made, made.bars)


def texts(layout: Layout) -> list[str]:
    return [line.mark.text for line in layout.lines]


# --- what is marked ---


def test_the_last_price_the_average_and_each_order_are_marked_in_words() -> None:
    made = charted(positions=(LONG,), orders=SIM_ORDERS)
    assert [(mark.kind, mark.text) for mark in marks_of(made)] == [
        (MarkKind.LAST, "5800.00"),
        (MarkKind.AVERAGE, "LONG 2 @ 5795.25 · +475.00"),
        (MarkKind.SELL, "SELL 2 LIMIT 5805.50"),
        (MarkKind.BUY, "BUY 1 STOPMARKET 5790.25"),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": -1, "unrealised": Decimal("-12.5")}, "SHORT 1 @ 5795.25 · -12.50"),
        ({"unrealised": None}, "LONG 2 @ 5795.25"),
        ({"average_price": Decimal("5779.8125"), "unrealised": Decimal(0)}, "LONG 2 @ 5779.8125 · 0.00"),
    ],
)
def test_a_position_is_labelled_as_far_as_it_is_known(changes: dict[str, object], words: str) -> None:
    position = replace(LONG, **changes)  # type: ignore[arg-type]  # the table's own names
    assert marks_of(charted(positions=(position,)))[1].text == words


def test_a_position_without_an_average_price_has_no_line() -> None:
    assert [mark.kind for mark in marks_of(charted(positions=(replace(LONG, average_price=None),)))] == [MarkKind.LAST]


def test_a_stop_limit_order_rests_at_its_stop_and_tells_both_prices() -> None:
    (mark,) = marks_of(charted(orders=(order(Side.SELL, "5794", stop="5795"),)))[1:]
    assert (mark.price, mark.text) == (Decimal(5795), "SELL 1 STOPLIMIT 5795.00/5794.00")


def test_what_is_left_of_an_order_is_told_and_a_type_that_is_not_known_is_left_out() -> None:
    part = replace(order(Side.BUY, "5790", quantity=3), filled=1, type=None)
    assert marks_of(charted(orders=(part,)))[1].text == "BUY 2 5790.00"


def test_orders_alike_make_one_line_and_those_without_a_price_none() -> None:
    alike = (order(Side.BUY, "5790"), order(Side.BUY, "5790", quantity=2, name="o2"), order(Side.SELL, None, name="o3"))
    made = charted(orders=alike)
    assert [mark.text for mark in marks_of(made)[1:]] == ["BUY 3 LIMIT 5790.00 · 2 orders"]
    assert [one.type for one in without_price(made)] == [OrderType.MARKET]


def test_without_a_quote_the_newest_bar_tells_the_last_price_and_the_prices_their_own_step() -> None:
    rows = (bar(NOW, "5790", "5800.125", "5789", "5799.5"),)
    assert marks_of(charted(rows, quote=None))[0] == Mark(MarkKind.LAST, Decimal("5799.5"), "5799.500")
    assert marks_of(charted(rows, quote=replace(QUOTE, last=None)))[0].price == Decimal("5799.5")


# --- prices ---


def test_marks_near_the_bars_widen_the_scale_and_those_far_away_do_not_squash_the_bars() -> None:
    rows = walk()
    low, high = min(one.low for one in rows), max(one.high for one in rows)
    near, far = Mark(MarkKind.BUY, low - 5, "near"), Mark(MarkKind.BUY, low - 500, "far")
    scale = scale_of(rows, (near, far), TICK)
    assert scale.holds(near.price)
    assert not scale.holds(far.price)
    assert (high - low) / (scale.high - scale.low) > Decimal("0.45")


@given(st.lists(st.integers(100_000, 900_000), min_size=0, max_size=12))
def test_however_many_marks_there_are_the_bars_keep_near_half_of_the_height(prices: list[int]) -> None:
    rows = walk()
    low, high = min(one.low for one in rows), max(one.high for one in rows)
    scale = scale_of(rows, [Mark(MarkKind.SELL, Decimal(price) / 100, "") for price in prices], TICK)
    assert scale.low < low < high < scale.high
    assert scale.at(high) - scale.at(low) > 0.45


def test_prices_that_stand_still_get_some_ticks_of_room() -> None:
    scale = scale_of(walk(1, still=True), (), TICK)
    assert scale.high - scale.low >= 8 * TICK
    assert scale.at(Decimal(5800)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("low", "high", "tick", "first", "step"),
    [
        ("5790.10", "5801", "0.25", "5792.50", "2.50"),
        ("5799.00", "5801.00", "0.25", "5799.00", "0.50"),
        ("5000", "6000", "0.25", "5000.00", "250.00"),
        ("117.9", "118.3", "0.03125", "118.000", "0.125"),
        ("-3", "3", "0.01", "-3.00", "1.00"),
        ("38000", "38011", "1", "38000", "2"),
    ],
)
def test_prices_beside_the_chart_are_round_and_on_the_tick(low: str, high: str, tick: str, first: str, step: str) -> None:
    prices = round_prices(Scale(Decimal(low), Decimal(high)), Decimal(tick))
    assert prices[0] == Decimal(first)
    assert {after - one for one, after in pairwise(prices)} == {Decimal(step)}
    assert prices[-1] <= Decimal(high)


@given(st.integers(-10_000, 1_000_000), st.integers(8, 1_000_000), st.sampled_from(["0.25", "0.01", "0.03125", "1", "0.1", "5"]))
def test_there_are_a_few_prices_whatever_the_scale(low: int, ticks: int, tick: str) -> None:
    step = Decimal(tick)
    scale = Scale(low * step, (low + ticks) * step)
    prices = round_prices(scale, step)
    assert 2 <= len(prices) <= MOST_PRICES + 1
    assert all(scale.holds(price) and price % step == 0 for price in prices)


# --- times ---


def at(*moments: str) -> list[Bar]:
    return [bar(datetime.fromisoformat(f"2026-{moment}:00+00:00"), "1", "1", "1", "1") for moment in moments]


def written(rows: list[Bar] | tuple[Bar, ...], period: str) -> list[tuple[str, str]]:
    return [(tick.upper, tick.lower) for tick in times_of(rows, PERIODS[period])]


def test_times_stand_below_round_hours_with_the_day_where_it_changes() -> None:
    start = datetime(2026, 9, 14, 21, 0, tzinfo=UTC)
    rows = [replace(walk(1)[0], at=start + timedelta(minutes=5 * number)) for number in range(1, 81)]
    assert written(rows, "5m") == [
        ("22:00", "Sep 14"),
        ("23:00", ""),
        ("00:00", "Sep 15"),
        ("01:00", ""),
        ("02:00", ""),
        ("03:00", ""),
    ]


def test_where_bars_are_missing_no_time_is_written_over_another() -> None:
    before = [f"09-14T{hour}:{minute:02}" for hour in (19, 20) for minute in range(5, 60, 5)]
    rows = at(*before, "09-14T21:00", "09-14T22:05", "09-14T22:10", "09-15T08:05")
    assert written(rows, "5m") == [("19:30", "Sep 14"), ("20:05", ""), ("20:30", ""), ("21:00", "")]


def test_days_and_weeks_are_named_by_date_and_year() -> None:
    start = datetime(2025, 10, 1, 21, 0, tzinfo=UTC)
    days = [replace(walk(1)[0], at=start + timedelta(days=number)) for number in range(120)]
    assert written(days, "1d") == [("Nov 1", "2025"), ("Dec 1", ""), ("Jan 1", "2026")]
    hours = [replace(walk(1)[0], at=start + timedelta(hours=4 * number)) for number in range(120)]
    assert written(hours, "4h")[0] == ("Oct 6", "2025")


def test_a_single_bar_is_named() -> None:
    assert written(at("09-14T20:50"), "5m") == [("20:50", "Sep 14")]
    assert written(at("09-14T21:00"), "1d") == [("Sep 14", "2026")]


@given(
    st.sampled_from(list(PERIODS)),
    st.integers(1, 300),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  hypothesis wants naive bounds
    st.sets(st.integers(1, 299), max_size=3),
)
def test_there_are_a_few_times_for_any_bars(name: str, count: int, start: datetime, gaps: set[int]) -> None:
    period = PERIODS[name]
    moment, rows = start.replace(tzinfo=UTC), []
    for number in range(count):
        moment += period.length + (timedelta(days=3) if number in gaps else timedelta())
        rows.append(replace(walk(1)[0], at=moment))
    ticks = times_of(rows, period)
    assert 1 <= len(ticks) <= MOST_TIMES + 1
    assert all(tick.upper for tick in ticks)
    assert ticks[0].lower


def test_long_times_without_bars_are_marked_by_what_is_long_for_the_period() -> None:
    rows = at("09-11T20:50", "09-11T20:55", "09-11T22:05", "09-11T22:25", "09-14T08:05")
    assert breaks_of(rows, FIVE) == (2, 4)
    assert breaks_of(rows, PERIODS["1h"]) == (4,)
    assert breaks_of(at("09-11T21:00", "09-14T21:00", "09-21T21:00"), PERIODS["1d"]) == (2,)


# --- the whole ---


def test_a_whole_chart() -> None:
    layout = laid(charted(positions=(LONG,), orders=SIM_ORDERS))
    assert (layout.title, layout.last, layout.account, layout.holding) == ("ES 09-26 · 5 min", "5800.00", "Sim101", "LONG 2")
    assert (layout.floor, layout.ceiling, layout.notes, layout.unlabelled) == (0, 1, (), 0)
    assert layout.tag is not None
    assert layout.tag.mark.text == "5800.00"
    assert texts(layout) == ["BUY 1 STOPMARKET 5790.25", "LONG 2 @ 5795.25 · +475.00", "SELL 2 LIMIT 5805.50"]
    heights = [line.y for line in layout.lines]
    assert heights == sorted(heights)
    assert layout.lines[1].y < layout.tag.y < layout.lines[2].y


def test_without_an_account_nothing_of_one_is_written() -> None:
    layout = laid(charted(account=None))
    assert (layout.account, layout.holding, layout.lines) == (None, "", ())


def test_only_a_list_that_was_read_can_say_flat() -> None:
    assert laid(charted()).holding == "FLAT"
    assert laid(charted(positions=None)).holding == "position not read"


def test_a_name_of_any_letters_and_length_can_be_written() -> None:
    name = laid(charted(account="Äpex-口座\u202e$x$" + "y" * 40)).account
    assert name is not None
    assert name.startswith("Äpex-???$x$y")
    assert len(name) == 22
    assert name.endswith("…")


def test_marks_beyond_the_edges_are_named_there_the_nearest_first_and_the_rest_counted() -> None:
    far = [order(Side.SELL, str(6000 + number), name=f"s{number}") for number in range(4)]
    layout = laid(charted(orders=(*reversed(far), order(Side.BUY, "5000"), order(Side.BUY, "5100"))))
    assert [note.text for note in layout.notes] == [
        "▲ SELL 1 LIMIT 6000.00",
        "▲ 3 more",
        "▼ BUY 1 LIMIT 5100.00",
        "▼ BUY 1 LIMIT 5000.00",
    ]
    assert (layout.floor, layout.ceiling) == (2 * LABEL, 1 - 2 * LABEL)
    assert all(note.y > layout.ceiling for note in layout.notes[:2])
    assert all(note.y < layout.floor for note in layout.notes[2:])
    assert layout.lines == ()


def test_a_last_price_far_from_the_bars_is_named_at_the_edge() -> None:
    layout = laid(charted(quote=replace(QUOTE, last=Decimal(7000))))
    assert layout.tag is None
    assert [note.text for note in layout.notes] == ["▲ last 7000.00"]


def test_of_too_many_lines_the_nearest_carry_labels_and_all_are_drawn() -> None:
    many = [order(Side.BUY, str(5799 - number), name=f"b{number}") for number in range(MOST_LABELS + 2)]
    layout = laid(charted(positions=(LONG,), orders=many))
    assert len(layout.lines) == len(many) + 1
    assert layout.unlabelled == 3
    labelled = {line.mark.text for line in layout.lines if line.label_y is not None}
    assert "LONG 2 @ 5795.25 · +475.00" in labelled
    assert "BUY 1 LIMIT 5799.00" in labelled
    assert "BUY 1 LIMIT 5790.00" not in labelled


@given(st.lists(st.floats(0, 1), min_size=1, max_size=MOST_LABELS), st.floats(0, 0.15), st.floats(0.85, 1))
def test_labels_never_lie_over_one_another_nor_outside(wanted: list[float], low: float, high: float) -> None:
    wanted = sorted(wanted)[: int((high - low) / LABEL)]
    places = spread(wanted, low, high, LABEL)
    assert all(after - one > LABEL - 1e-9 for one, after in pairwise(places))
    assert all(low + LABEL / 2 - 1e-9 <= place <= high - LABEL / 2 + 1e-9 for place in places)


def test_a_label_with_room_stays_at_its_line() -> None:
    assert spread([0.2, 0.5, 0.8], 0, 1, LABEL) == [0.2, 0.5, 0.8]
