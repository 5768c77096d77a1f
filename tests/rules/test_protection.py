"""Protected is what a working stop covers, and nothing is called there that doesn't work."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Execution, Order
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import Bracket, Intent, PlaceOrder
from bot.trading.orders.protection import End, Leg, Part, Protection, works
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket
from bot.trading.reconciliation import protection as guarding
from bot.trading.reconciliation.protection import Cover, News
from tests.rules import strategies
from tests.rules.strategies import ES, NOW, ORDER, SHOWN

STOP_TERMS = Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5790))
BRACKET = Bracket("Sim101", ES, STOP_TERMS, Decimal(5820))
STOP_ALONE = replace(BRACKET, target=None)
TARGET_ALONE = Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.LIMIT, limit=Decimal(5820)), None)
ATM = PlaceOrder("Sim101", ES, Terms(Side.BUY, 2, strategy="Scalp"), "mine")
STOP = replace(ORDER, ids=("s1",), side=Side.SELL, type=OrderType.STOPMARKET, stop=Decimal(5790), limit=None, quantity=2)
TARGET = replace(STOP, ids=("t1",), type=OrderType.LIMIT, stop=None, limit=Decimal(5820))
S = OrderState
HIT_STOP, HIT_TARGET = Leg(Part.STOP, ("s",), S.FILLED, 2, 2), Leg(Part.TARGET, ("t",), S.FILLED, 2, 2)


def sent(intent: Intent = BRACKET, position: int = 2, **changes: Any) -> Ticket:
    """An accepted ticket."""
    return strategies.sent(intent=intent, shown=replace(SHOWN, position=position), **changes)


def seen(one: Ticket, *orders: Order) -> Ticket:
    """The ticket with these orders read into it."""
    return replace(one, protection=guarding.with_rows(one, orders))


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("intent", [BRACKET, STOP_ALONE, TARGET_ALONE])
def test_there_is_said_of_working_orders_alone(intent: Bracket, state: OrderState) -> None:
    orders = [replace(order, state=state) for order in (STOP, TARGET)]
    does_work = state in {
        S.ACCEPTED,
        S.TRIGGER_PENDING,
        S.WORKING,
        S.SUSPENDED,
        S.CHANGE_PENDING,
        S.CHANGE_SUBMITTED,
        S.PART_FILLED,
    }
    one = seen(sent(intent), *orders)
    assert guarding.are_there(one) is does_work
    assert ("there" in guarding.there_words(one)) is does_work


@pytest.mark.parametrize(
    ("intent", "parts"),
    [
        (BRACKET, {Part.STOP, Part.TARGET}),
        (STOP_ALONE, {Part.STOP}),
        (TARGET_ALONE, {Part.TARGET}),
        (ATM, {Part.STOP}),
    ],
)
def test_what_it_is_to_have(intent: Intent, parts: set[Part]) -> None:
    assert guarding.wanted(sent(intent)) == parts


def test_a_state_that_nobody_knows_leaves_a_leg_as_it_was() -> None:
    one = seen(sent(), STOP, TARGET)
    assert guarding.are_there(seen(one, replace(STOP, state=S.OTHER), TARGET))
    fresh = seen(sent(), replace(STOP, state=S.OTHER), TARGET)
    assert not guarding.are_there(fresh)


def test_orders_of_before_and_of_other_tickets_are_none_of_its_legs() -> None:
    assert guarding.with_rows(sent(orders_before=("s1", "t1")), [STOP, TARGET]).legs == ()
    atm = sent(ATM, position=0, filled=2, order_ids=("mine",))
    owned = replace(STOP, owner="7")
    assert guarding.with_rows(atm, [owned], {"s1"}).legs == ()
    assert guarding.with_rows(atm, [owned]).ids == ("s1",)


def test_the_exits_of_a_strategy_are_those_of_its_own_instance() -> None:
    entry = replace(ORDER, ids=("mine",), side=Side.BUY, owner="7")
    found = guarding.with_rows(
        sent(ATM, filled=2, order_ids=("mine",)), [entry, replace(STOP, owner="7"), replace(TARGET, owner="8")]
    )
    assert (found.ids, found.owner) == (("s1",), "7")
    market = replace(STOP, type=OrderType.MARKET, stop=None, owner="7", ids=("m",))
    assert guarding.with_rows(sent(ATM, filled=2, order_ids=("mine",)), [entry, market]).legs == ()


def test_a_leg_that_has_got_another_id_is_known_by_its_group() -> None:
    one = seen(sent(), replace(STOP, oco="g"), replace(TARGET, oco="g"))
    again = seen(one, replace(STOP, ids=("s2",), oco="g"), replace(TARGET, oco="g"))
    assert again.protection is not None
    assert again.protection.ids == ("s1", "s2", "t1")
    stranger = guarding.row_of(one.protection.legs[0], [replace(STOP, ids=("s2",), oco="other")]) if one.protection else None
    assert stranger is None


@pytest.mark.parametrize(
    ("orders", "held", "cover"),
    [
        ([STOP, TARGET], 2, Cover(0, 0)),
        ([STOP], 2, Cover(0, 2)),
        ([TARGET], 2, Cover(2, 0)),
        ([STOP, TARGET], 3, Cover(1, 1)),
        ([STOP, TARGET], 1, Cover(0, 0)),
        ([STOP, TARGET], 0, Cover(0, 0)),
        ([STOP, TARGET], -2, Cover(0, 0)),
        ([replace(STOP, state=S.CANCEL_PENDING)], 2, Cover(2, 2)),
        ([replace(STOP, state=S.SUBMITTED)], 2, Cover(2, 2)),
        ([replace(STOP, filled=1, state=S.PART_FILLED)], 2, Cover(1, 2)),
        # On the other side it protects nothing.
        ([replace(STOP, side=Side.BUY)], 2, Cover(2, 2)),
        # A market order against the position is no stop.
        ([replace(STOP, type=OrderType.MARKET, stop=None)], 2, Cover(2, 2)),
    ],
)
def test_all_stops_of_the_contract_count_against_the_position(orders: list[Order], held: int, cover: Cover) -> None:
    assert guarding.cover(sent(), orders, held) == cover


@pytest.mark.parametrize(
    ("intent", "position", "now", "worse"),
    [
        (BRACKET, 2, Cover(0, 0), False),
        (BRACKET, 2, Cover(1, 0), True),
        (BRACKET, 2, Cover(0, 1), True),
        (BRACKET, 3, Cover(1, 1), False),
        (BRACKET, 3, Cover(3, 3), True),
        (STOP_ALONE, 2, Cover(0, 2), False),
        (STOP_ALONE, 2, Cover(2, 2), True),
        (TARGET_ALONE, 2, Cover(2, 0), False),
        (TARGET_ALONE, 2, Cover(2, 2), True),
        (ATM, 0, Cover(2, 2), True),
        (ATM, 0, Cover(0, 2), False),
    ],
)
def test_more_uncovered_than_was_asked_for_is_worse_and_less_than_was_told_is_mended(
    intent: Intent, position: int, now: Cover, worse: bool
) -> None:
    one = sent(intent, position, filled=2)
    assert guarding.is_worse(one, now) is worse
    told = replace(one, protection=Protection(held=2, bare=now.bare, targetless=now.targetless))
    assert guarding.is_unprotected(told) is worse
    assert not guarding.is_worse(told, now)
    assert not guarding.is_mended(told, now)
    assert guarding.is_mended(told, guarding.planned(one)) is worse


def test_what_is_over_is_not_unprotected() -> None:
    told = sent(protection=Protection(held=2, bare=2, end=End.CLOSED))
    assert not guarding.is_unprotected(told)


@pytest.mark.parametrize(
    ("legs", "news", "end"),
    [
        ((), None, End.CLOSED),
        ((HIT_STOP,), News.STOPPED_OUT, End.STOPPED_OUT),
        ((HIT_TARGET,), News.TARGET_HIT, End.TARGET_HIT),
        ((HIT_TARGET, replace(HIT_STOP, state=S.CANCELLED, filled=1)), News.STOPPED_OUT, End.STOPPED_OUT),
    ],
)
def test_fills_are_news_once(legs: tuple[Leg, ...], news: News | None, end: End) -> None:
    now = Protection(legs)
    assert guarding.hit(Protection(), now) is news
    assert guarding.hit(now, now) is None
    assert guarding.end_of(now) is end


def test_a_leg_that_is_listed_no_more_is_known_by_its_fills_or_its_story() -> None:
    leg = Leg(Part.STOP, ("s1",), S.WORKING, 2)
    fills = [Execution(f"e{number}", "s1", "Sim101", ES, Side.SELL, 1, Decimal(5790) + number, NOW) for number in range(2)]
    whole = guarding.traced(leg, fills, None)
    assert (whole.state, whole.filled, whole.fill_price) == (S.FILLED, 2, Decimal("5790.5"))
    story = Lifecycle("Sim101", ("s1",), (OrderEvent("Working"), OrderEvent("Rejected", "error", note="no margin")))
    ended = guarding.traced(leg, [], story)
    assert (ended.state, ended.why) == (S.REJECTED, "“no margin”")
    assert guarding.traced(leg, [], replace(story, ids=("other",))) == leg
    assert guarding.traced(leg, [], None) == leg


@pytest.mark.parametrize(
    ("legs", "words"),
    [
        ((), "No stop was seen to work."),
        ((Leg(Part.STOP, ("s",), S.REJECTED, 2, why="“no margin”"),), "NinjaTrader rejected the stop: “no margin”."),
        ((Leg(Part.STOP, ("s",), S.REJECTED, 2),), "NinjaTrader rejected the stop."),
        ((Leg(Part.STOP, ("s",), S.CANCELLED, 2),), "The stop was cancelled, and the position is open."),
        ((Leg(Part.STOP, ("s",), S.CANCEL_PENDING, 2),), "The stop is being cancelled, and the position is open."),
        ((Leg(Part.STOP, ("s",), S.GONE, 2),), "NinjaTrader doesn't list the stop any more."),
        ((Leg(Part.STOP, ("s",), S.WORKING, 1),), "The stop works for less than the position."),
    ],
)
def test_an_alarm_says_how_much_and_why(legs: tuple[Leg, ...], words: str) -> None:
    one = sent(STOP_ALONE, protection=Protection(legs, held=2, bare=2))
    assert guarding.short_words(one) == "2 of LONG 2 unprotected"
    assert guarding.cause_words(one) == words


def test_a_fill_is_told_with_its_side_its_size_and_its_price() -> None:
    part = Leg(Part.STOP, ("s",), S.PART_FILLED, 2, 1, fill_price=Decimal(5790))
    assert guarding.hit_words(sent(protection=Protection((part,), held=1)), Part.STOP) == "LONG 1 of 2 stopped out at 5790.00"
    whole = replace(part, state=S.FILLED, filled=2)
    assert guarding.hit_words(sent(protection=Protection((whole,), held=0)), Part.STOP) == "LONG 2 stopped out at 5790.00"
    unpriced = replace(whole, fill_price=None)
    assert guarding.hit_words(sent(protection=Protection((unpriced,), held=0)), Part.STOP) == "LONG 2 stopped out"


@pytest.mark.parametrize(
    ("state", "held", "turned"),
    [(S.FILLED, -1, -1), (S.FILLED, 0, None), (S.FILLED, None, None), (S.FILLED, 1, None), (S.CANCELLED, -1, None)],
)
def test_a_stop_that_filled_whole_has_turned_over_what_is_on_the_other_side(
    state: S, held: int | None, turned: int | None
) -> None:
    stop = Leg(Part.STOP, ("s",), state, 2, 1)
    assert guarding.turned_to(sent(protection=Protection((stop,), held=held))) == turned


rows = st.lists(
    st.builds(
        replace,
        st.sampled_from([STOP, TARGET, replace(STOP, ids=("s2",))]),
        state=st.sampled_from(sorted(set(OrderState) - {S.GONE})),
        quantity=st.integers(1, 4),
        filled=st.integers(0, 4),
        owner=st.sampled_from([None, "7"]),
    ),
    unique_by=lambda order: order.ids,
    max_size=3,
)


@given(one=st.sampled_from([BRACKET, STOP_ALONE, TARGET_ALONE, ATM]), looks=st.lists(rows, max_size=4), held=st.integers(-4, 4))
def test_whatever_is_listed_there_means_that_it_was_last_seen_to_work(one: Intent, looks: list[list[Order]], held: int) -> None:
    guarded, last = sent(one, filled=2, order_ids=("mine",)), dict[str, OrderState]()
    for orders in looks:
        guarded = seen(guarded, *orders)
        for order in orders:
            if order.state is not S.OTHER:
                last[order.id] = order.state
        legs = guarding.protection_of(guarded).legs
        assert all(works(last[leg.ids[0]]) for leg in legs if leg.works)
        bare = guarding.cover(guarded, orders, held).bare
        assert 0 <= bare <= max(guarding.open_size(guarded, held), 0)
