"""What rows, fills, stored lives and positions say of an order that is followed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Execution, Order
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import Cancel, Change, Close, PlaceOrder
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.reconciliation.following import (
    find,
    reason,
    shows_change,
    with_fills,
    with_ids,
    with_life,
    with_order,
    with_position,
)

from .strategies import ES, ES_DECEMBER, MODEST, NOW, SHOWN, TICKET

TERMS = Terms(Side.BUY, 3, OrderType.LIMIT, limit=Decimal("5790.00"))
FOLLOWED = replace(
    TICKET, intent=PlaceOrder("Sim101", ES, TERMS, "own1"), state=TicketState.ACCEPTED, order_ids=("o1", "own1"), sent_at=NOW
)
ROW = Order(("o1",), "Sim101", ES, Side.BUY, OrderType.LIMIT, OrderState.WORKING, 3, limit=TERMS.limit, at=NOW)


def grouped(**changes: Any) -> Ticket:
    """The same in an OCO group."""
    return replace(FOLLOWED, intent=replace(FOLLOWED.order, terms=replace(TERMS, oco="grp")), **changes)


@pytest.mark.parametrize("ids", [("o1",), ("676", "o1"), ("676", "own1"), ("own1",)])
def test_an_order_is_known_by_any_id_that_it_was_ever_seen_under(ids: tuple[str, ...]) -> None:
    row = replace(ROW, ids=ids)
    assert find(FOLLOWED, [replace(ROW, ids=("other",)), row]) is row


def test_the_row_with_most_of_its_ids_is_it_where_one_is_on_several() -> None:
    both = replace(ROW, ids=("o1", "own1"))
    assert find(FOLLOWED, [ROW, both]) is both
    assert find(FOLLOWED, [ROW, replace(ROW, state=OrderState.FILLED)]) is ROW


@pytest.mark.parametrize("other", [{"side": Side.SELL}, {"contract": ES_DECEMBER}, {"ids": ("x",)}])
def test_an_id_on_another_side_or_contract_is_another_order(other: dict[str, Any]) -> None:
    assert find(FOLLOWED, [replace(ROW, **other)]) is None
    assert find(FOLLOWED, []) is None


@pytest.mark.parametrize("kind", [OrderType.LIMIT, None])
def test_an_order_whose_ids_are_all_lost_is_known_by_its_group_and_side(kind: OrderType | None) -> None:
    row = replace(ROW, ids=("676",), oco="grp", type=kind)
    assert find(grouped(), [replace(row, ids=("1",), side=Side.SELL), row]) is row


@pytest.mark.parametrize(
    "change", [{"oco": "other"}, {"oco": None}, {"type": OrderType.STOPMARKET}, {"ids": ("before",)}, {"ids": ("taken",)}]
)
def test_what_is_not_certainly_of_its_group_is_not_taken_for_it(change: dict[str, Any]) -> None:
    row = replace(replace(ROW, ids=("676",), oco="grp"), **change)
    assert find(grouped(orders_before=("before",)), [row], frozenset({"taken"})) is None


def test_two_of_its_group_prove_nothing() -> None:
    rows = [replace(ROW, ids=(one,), oco="grp") for one in ("1", "2")]
    assert find(grouped(), rows) is None


def test_a_cancelled_or_changed_order_is_known_by_its_ids_alone() -> None:
    of_order = replace(grouped(), intent=Cancel("Sim101", ES, replace(TERMS, oco="grp"), "o1"))
    assert find(of_order, [replace(ROW, ids=("676",), oco="grp")]) is None
    assert find(of_order, [ROW]) is ROW


@MODEST
@given(state=st.sampled_from(OrderState), filled=st.integers(0, 3), before=st.integers(0, 3))
def test_a_row_never_takes_a_fill_back_and_keeps_every_id(state: OrderState, filled: int, before: int) -> None:
    ticket = replace(FOLLOWED, filled=before, order_state=OrderState.WORKING)
    seen = with_order(ticket, replace(ROW, ids=("676", "o1"), state=state, filled=filled))
    assert seen.filled >= max(before, filled)
    assert seen.order_ids == ("o1", "own1", "676")
    assert seen.order_state is (OrderState.WORKING if state is OrderState.OTHER else state)


def test_a_filled_order_that_does_not_say_how_much_has_filled_whole() -> None:
    assert with_order(FOLLOWED, replace(ROW, state=OrderState.FILLED)).filled == 3
    assert with_order(FOLLOWED, replace(ROW, state=OrderState.CANCELLED)).filled == 0


@pytest.mark.parametrize(
    ("filled", "average", "expected"), [(2, "5790.25", "5790.25"), (2, None, "5789"), (0, "5790.25", "5789"), (1, "5", "5")]
)
def test_the_average_is_that_of_the_newest_fill_that_tells_one(filled: int, average: str | None, expected: str) -> None:
    ticket = replace(FOLLOWED, filled=1, average_fill_price=Decimal(5789))
    row = replace(ROW, filled=filled, average_fill_price=None if average is None else Decimal(average))
    assert with_order(ticket, row).average_fill_price == Decimal(expected)


def test_an_order_that_somebody_has_changed_is_shown_as_it_is_now() -> None:
    changed = with_order(FOLLOWED, replace(ROW, quantity=5, limit=Decimal("5791.00")))
    assert changed.terms == replace(TERMS, quantity=5, limit=Decimal("5791.00"))
    assert changed.order.terms == TERMS
    assert with_order(changed, ROW).order_terms is None


@pytest.mark.parametrize("state", [OrderState.CHANGE_PENDING, OrderState.CHANGE_SUBMITTED, OrderState.OTHER])
def test_while_a_change_is_under_way_the_terms_stay(state: OrderState) -> None:
    row = replace(ROW, quantity=5, state=state)
    assert with_order(FOLLOWED, row).order_terms is None
    assert with_order(replace(FOLLOWED, order_terms=TERMS), row).order_terms is TERMS


def test_a_row_without_quantity_or_price_changes_no_terms() -> None:
    assert with_order(FOLLOWED, replace(ROW, quantity=0, limit=None, stop=Decimal(1))).order_terms is None
    stop = replace(TERMS, type=OrderType.STOPMARKET, limit=None, stop=Decimal(5800))
    ticket = replace(FOLLOWED, intent=replace(FOLLOWED.order, terms=stop))
    moved = with_order(ticket, replace(ROW, limit=Decimal(7), stop=Decimal(5801)))
    assert (moved.terms.limit, moved.terms.stop) == (None, Decimal(5801))


def test_the_terms_of_an_order_to_cancel_are_not_its_tickets_business() -> None:
    ticket = replace(FOLLOWED, intent=Cancel("Sim101", ES, TERMS, "o1"))
    assert with_order(ticket, replace(ROW, quantity=5)).order_terms is None


def test_further_ids_are_kept_behind_the_one_to_show() -> None:
    assert with_ids(FOLLOWED, ("own1", "676", "o1")).order_ids == ("o1", "own1", "676")


def fill(number: int, quantity: int, price: int = 5790, order_id: str | None = "o1") -> Execution:
    """One fill."""
    return Execution(f"e{number}", order_id, "Sim101", ES, Side.BUY, quantity, Decimal(price), NOW)


def test_fills_add_up_to_how_far_an_order_is() -> None:
    part = with_fills(FOLLOWED, [fill(1, 1, 5790), fill(2, 1, 5791), fill(3, 9, order_id="other"), fill(4, 9, order_id=None)])
    assert (part.filled, part.average_fill_price, part.order_state) == (2, Decimal("5790.5"), OrderState.PART_FILLED)
    whole = with_fills(part, [fill(1, 1), fill(2, 1), fill(5, 1, order_id="own1")])
    assert (whole.filled, whole.order_state) == (3, OrderState.FILLED)


def test_the_average_of_fills_goes_by_their_sizes() -> None:
    assert with_fills(FOLLOWED, [fill(1, 2, 5790), fill(2, 1, 5793)]).average_fill_price == Decimal(5791)


def test_a_fill_that_is_listed_twice_counts_once_and_older_lists_nothing() -> None:
    assert with_fills(FOLLOWED, [fill(1, 1), fill(1, 1)]).filled == 1
    assert with_fills(replace(FOLLOWED, filled=2), [fill(1, 1)]) == replace(FOLLOWED, filled=2)
    assert with_fills(FOLLOWED, []) == FOLLOWED


def test_what_is_whole_is_what_the_order_asks_for_now() -> None:
    changed = replace(FOLLOWED, order_terms=replace(TERMS, quantity=1))
    assert with_fills(changed, [fill(1, 1)]).order_state is OrderState.FILLED


def life(*events: OrderEvent, ids: tuple[str, ...] = ("676", "o1")) -> Lifecycle:
    """A stored life."""
    return Lifecycle("sim101", ids, events)


def update(name: str, filled: int | None = None) -> OrderEvent:
    """A state that the add-on has stored."""
    return OrderEvent(name, "order_update", NOW, filled=filled, quantity=3)


def stored_fill(quantity: int, price: int) -> OrderEvent:
    """A fill that the add-on has stored."""
    return OrderEvent("Execution", "fill", NOW, quantity=quantity, price=Decimal(price))


def test_a_life_tells_the_end_the_fills_and_the_other_id() -> None:
    seen = with_life(
        FOLLOWED, life(update("Working"), stored_fill(1, 5790), stored_fill(1, 5791), update("Cancelled", 2), update("odd"))
    )
    assert (seen.order_state, seen.filled, seen.average_fill_price) == (OrderState.CANCELLED, 2, Decimal("5790.5"))
    assert seen.order_ids == ("o1", "own1", "676")


def test_a_life_without_an_end_proves_none() -> None:
    assert with_life(FOLLOWED, life(update("Working"))).order_state is None
    assert with_life(FOLLOWED, life(update("Working"), update("PartFilled", 1))).filled == 1
    assert with_life(FOLLOWED, life(stored_fill(3, 5790))).order_state is OrderState.FILLED


def test_a_life_that_ends_filled_has_filled_whole_whatever_it_counts() -> None:
    assert with_life(FOLLOWED, life(update("Filled"))).filled == 3


@pytest.mark.parametrize(
    ("what", "source", "is_fill"),
    [
        ("Filled", "fill", True),
        ("Execution", "order_update", True),
        ("Update", "EXECUTION_update", True),
        ("Execution", None, True),
        ("Working", "order_update", False),
        ("Fill", "order_update", False),
    ],
)
def test_only_what_says_that_it_is_a_fill_counts_as_one(what: str, source: str | None, is_fill: bool) -> None:
    event = OrderEvent(what, source, NOW, quantity=1, price=Decimal(5790))
    assert with_life(FOLLOWED, life(event)).average_fill_price == (Decimal(5790) if is_fill else None)


def test_an_orders_own_price_in_an_update_is_no_fill() -> None:
    limit = replace(update("Working"), price=Decimal(5790))
    assert with_life(FOLLOWED, life(limit)).filled == 0


def test_the_life_of_another_order_changes_nothing() -> None:
    assert with_life(FOLLOWED, life(update("Filled", 3), ids=("other",))) is FOLLOWED
    assert with_life(FOLLOWED, life(ids=())) is FOLLOWED
    assert with_life(FOLLOWED, replace(life(update("Filled", 3)), account="Sim102")) is FOLLOWED
    assert with_life(FOLLOWED, replace(life(update("Filled", 3)), account=None)).filled == 3


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([OrderEvent("Rejected", "error", note="margin"), update("Rejected")], "“margin”"),
        ([OrderEvent("Rejected", "order_update", note="pri“ce")], '“pri"ce”'),
        ([OrderEvent("OrderError", note="first"), OrderEvent("OrderError", note="last")], "“last”"),
        ([OrderEvent("PlaceOrder", "api_received", note="hello"), update("Rejected")], None),
        ([], None),
    ],
)
def test_the_reason_of_a_rejection_is_what_came_with_it(events: list[OrderEvent], expected: str | None) -> None:
    assert reason(life(*events)) == expected


def closing(before: int, after: int, filled: int = 0) -> Ticket:
    """A close that is followed."""
    size = abs(before - after)
    side = Side.SELL if before > 0 else Side.BUY
    shown = replace(SHOWN, position=before, after=after)
    return replace(
        FOLLOWED, intent=Close("Sim101", ES, Terms(side, size), size), shown=shown, order_ids=(), filled=filled, order_state=None
    )


@pytest.mark.parametrize(
    ("before", "after", "held", "state", "filled"),
    [
        (3, 0, 3, None, 0),
        (3, 0, 2, OrderState.PART_FILLED, 1),
        (3, 0, 0, OrderState.FILLED, 3),
        (3, 0, -1, OrderState.FILLED, 3),
        (-3, -1, -2, OrderState.PART_FILLED, 1),
        (-3, -1, -1, OrderState.FILLED, 2),
        (-3, -1, 0, OrderState.FILLED, 2),
        (-3, -1, -4, None, 0),
    ],
)
def test_a_close_is_as_far_as_the_position_shows(
    before: int, after: int, held: int, state: OrderState | None, filled: int
) -> None:
    seen = with_position(closing(before, after), held)
    assert (seen.order_state, seen.filled) == (state, filled)


def test_a_close_never_opens_again() -> None:
    ticket = replace(closing(3, 0, filled=2), order_state=OrderState.PART_FILLED)
    assert with_position(ticket, 3) is ticket


def test_a_change_shows_once_the_order_has_just_the_new_terms() -> None:
    change = Change("Sim101", ES, TERMS, "o1", replace(TERMS, quantity=1))
    assert shows_change(change, ROW)
    for other in ({"quantity": 1}, {"limit": Decimal(1)}, {"stop": Decimal(1)}):
        assert not shows_change(change, replace(ROW, **other))
