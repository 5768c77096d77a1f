"""Evidence: a lost order is found by what it is, never by a guess, and "not there" is said only when nothing is there."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Position
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket
from bot.trading.reconciliation.evidence import CLOCK_DIFFERENCE, weigh
from bot.trading.reconciliation.verdicts import Absent, Found, FoundFills, Unclear, Verdict
from tests.rules.lost import ANOTHERS, CLOSE, IT, PLAIN, SENT_AT, Reads, fill, is_new, its_new_twins, like, lost
from tests.rules.strategies import ES, ES_DECEMBER, MODEST, NQ, positions, sides

LIMITED = lost(2, Terms(Side.SELL, 3, OrderType.LIMIT, limit=Decimal("5810.25")))
STOPPED = lost(2, Terms(Side.SELL, 3, OrderType.STOPMARKET, stop=Decimal("5790.25")))
BOTH = lost(2, Terms(Side.SELL, 3, OrderType.STOPLIMIT, limit=Decimal("5790.00"), stop=Decimal("5790.25")))

VERDICTS: dict[str, tuple[Reads, Verdict]] = {
    "one new order of its shape": (Reads(PLAIN, (CLOSE, IT)), Found(IT)),
    "its type is not told": (Reads(PLAIN, (replace(IT, type=None),)), Found(replace(IT, type=None))),
    "its row carries prices that its type doesn't use": (
        Reads(PLAIN, (replace(IT, limit=Decimal(5800), stop=Decimal(5790)),)),
        Found(replace(IT, limit=Decimal(5800), stop=Decimal(5790))),
    ),
    "two of its shape": (Reads(PLAIN, (IT, like(PLAIN, "other"))), Unclear("2 orders look like it")),
    "two of its shape, one of which NinjaTrader calls a close": (
        Reads(PLAIN, (replace(like(PLAIN, "other"), name="Close"), IT)),
        Found(IT),
    ),
    "one of its shape, which NinjaTrader calls a stop": (Reads(PLAIN, (replace(IT, name="Stop1"),)), Unclear(ANOTHERS)),
    "one of its shape, whose name tells nothing": (Reads(PLAIN, (replace(IT, name="Exit"),)), Found(replace(IT, name="Exit"))),
    "three of its shape": (Reads(PLAIN, (IT, like(PLAIN, "b"), like(PLAIN, "c"))), Unclear("3 orders look like it")),
    "nothing at all": (Reads(PLAIN), Absent()),
    "an old one of its shape": (Reads(PLAIN, (like(PLAIN, "old"),)), Absent()),
    "an old one that carries a new id beside": (Reads(PLAIN, (replace(IT, ids=("676", "older")),)), Absent()),
    "one of another ticket": (Reads(PLAIN, (IT,), taken=frozenset({"new"})), Absent()),
    "an old one and a new one": (Reads(PLAIN, (like(PLAIN, "old"), IT)), Found(IT)),
    "another side": (Reads(PLAIN, (replace(IT, side=Side.BUY),)), Absent()),
    "another quantity": (Reads(PLAIN, (replace(IT, quantity=4),)), Absent()),
    "another month": (Reads(PLAIN, (replace(IT, contract=ES_DECEMBER),)), Absent()),
    "another type": (Reads(PLAIN, (replace(IT, type=OrderType.LIMIT),)), Absent()),
    "its limit": (Reads(LIMITED, (like(LIMITED),)), Found(like(LIMITED))),
    "another limit": (Reads(LIMITED, (replace(like(LIMITED), limit=Decimal("5810.50")),)), Absent()),
    "no limit told": (Reads(LIMITED, (replace(like(LIMITED), limit=None),)), Absent()),
    "its limit, written otherwise": (
        Reads(LIMITED, (replace(like(LIMITED), limit=Decimal("5810.2500")),)),
        Found(replace(like(LIMITED), limit=Decimal("5810.2500"))),
    ),
    "its stop": (Reads(STOPPED, (like(STOPPED),)), Found(like(STOPPED))),
    "another stop": (Reads(STOPPED, (replace(like(STOPPED), stop=Decimal("5790.50")),)), Absent()),
    "both its prices": (Reads(BOTH, (like(BOTH),)), Found(like(BOTH))),
    "one of both prices is another": (Reads(BOTH, (replace(like(BOTH), stop=Decimal("5789.75")),)), Absent()),
    "rejected": (Reads(PLAIN, (like(PLAIN, state=OrderState.REJECTED),)), Found(like(PLAIN, state=OrderState.REJECTED))),
    "closed, and nothing of it": (
        Reads(PLAIN, (CLOSE,), position=0),
        Absent("the position of LONG 2 was closed, the new order never arrived"),
    ),
    "another position without an order": (
        Reads(PLAIN, position=-3),
        Unclear("the position went from LONG 2 to SHORT 3 without an order to show for it"),
    ),
    "a larger position without an order": (
        Reads(PLAIN, position=3),
        Unclear("the position went from LONG 2 to LONG 3 without an order to show for it"),
    ),
    "the fills of an order that is listed no more": (
        Reads(PLAIN, executions=(fill("gone", 3),), position=-3),
        FoundFills("gone", 3),
    ),
    "fills in parts": (Reads(PLAIN, executions=(fill("gone", 1), fill("gone", 2)), position=-3), FoundFills("gone", 3)),
    "fills of the close besides": (Reads(PLAIN, executions=(fill("close", 2), fill("gone", 3))), FoundFills("gone", 3)),
    "fills of two orders of its size": (
        Reads(PLAIN, executions=(fill("one", 3), fill("two", 3))),
        Unclear("the fills of 2 orders look like it"),
    ),
    "fills of another quantity": (Reads(PLAIN, executions=(fill("gone", 2),)), Absent()),
    "fills of the other side": (Reads(PLAIN, executions=(fill("gone", 3, Side.BUY),)), Absent()),
    "fills of an old order": (Reads(PLAIN, executions=(fill("old", 3),)), Absent()),
    "fills of another ticket": (Reads(PLAIN, executions=(fill("gone", 3),), taken=frozenset({"gone"})), Absent()),
    "fills without an order id": (Reads(PLAIN, executions=(fill(None, 3),)), Absent()),
    "fills of another month": (Reads(PLAIN, executions=(replace(fill("gone", 3), contract=ES_DECEMBER),)), Absent()),
    "fills on a clock behind ours": (
        Reads(PLAIN, executions=(fill("gone", 3, at=SENT_AT - CLOCK_DIFFERENCE),)),
        FoundFills("gone", 3),
    ),
    "fills from before": (
        Reads(PLAIN, executions=(fill("gone", 3, at=SENT_AT - CLOCK_DIFFERENCE - timedelta(microseconds=1)),)),
        Absent(),
    ),
    "fills, but nothing says when it was sent": (Reads(replace(PLAIN, sent_at=None), executions=(fill("gone", 3),)), Absent()),
    # A larger close that has filled just our quantity so far is listed under its own shape, and is not ours.
    "fills of a listed order of another shape": (
        Reads(
            lost(5, Terms(Side.SELL, 3)),
            (replace(CLOSE, quantity=5, filled=3, state=OrderState.PART_FILLED),),
            (fill("close", 3),),
            position=2,
        ),
        Unclear("the position went from LONG 5 to LONG 2 without an order to show for it"),
    ),
    "fills of a listed order under its other id": (
        Reads(PLAIN, (replace(CLOSE, ids=("676", "close"), quantity=5),), (fill("close", 3),)),
        Absent(),
    ),
}


@pytest.mark.parametrize(("reads", "verdict"), VERDICTS.values(), ids=list(VERDICTS))
def test_the_evidence_gives_one_verdict(reads: Reads, verdict: Verdict) -> None:
    assert reads.verdict == verdict


def test_the_fills_of_a_close_are_never_taken_for_a_limit_order_of_its_size() -> None:
    """The close of LONG 2 sells 2 at market; that it filled doesn't tell of a SELL 2 LIMIT behind it."""
    ticket = lost(2, Terms(Side.SELL, 2, OrderType.LIMIT, limit=Decimal("5810.25")))
    told = Absent("the position of LONG 2 was closed, the new order never arrived")
    assert Reads(ticket, (CLOSE,), (fill("close", 2),), position=0).verdict == told
    assert Reads(ticket, (), (fill("close", 2),), position=0).verdict == told
    assert Reads(ticket, (CLOSE, like(ticket)), (fill("close", 2),), position=0).verdict == Found(like(ticket))


def test_an_entry_that_restores_the_position_is_found_by_its_order_and_its_fills() -> None:
    """LONG 2, BUY 2: the position says nothing, before and after are the same."""
    ticket = lost(2, Terms(Side.BUY, 2))
    assert Reads(ticket, (CLOSE, like(ticket))).verdict == Found(like(ticket))
    assert Reads(ticket, (CLOSE,), (fill("gone", 2, Side.BUY),)).verdict == FoundFills("gone", 2)


@pytest.mark.parametrize(("seconds", "is_its"), [(-3600.0, False), (6.0, True), (None, True)])
@pytest.mark.parametrize("confirmed", [None, SENT_AT])
def test_where_the_journal_lost_the_claim_an_order_that_was_there_before_the_card_is_nobodys(
    seconds: float | None, confirmed: datetime | None, *, is_its: bool
) -> None:
    ticket = replace(lost(0, Terms(Side.BUY, 1)), confirmed_at=confirmed, orders_before=())
    verdict = Reads(ticket, (like(ticket, seconds=seconds),), position=0).verdict
    # With its claim, what was listed when it left is known, and an odd stamp says nothing against an order.
    assert isinstance(verdict, Found) == (is_its or confirmed is not None), verdict


ids = st.sampled_from(["old", "older", "mine", "a", "b", "c"])


@st.composite
def any_reads(draw: st.DrawFn) -> Reads:
    """Reads of all kinds around a ticket, with many orders of the ticket's own shape among them."""
    kind = draw(st.sampled_from([OrderType.MARKET, OrderType.LIMIT]))
    limit = Decimal(5810) if kind.has_limit else None
    ticket = lost(draw(positions), Terms(draw(sides), draw(st.integers(1, 3)), kind, limit=limit))
    shape = like(ticket)
    order = st.builds(
        replace,
        st.just(shape),
        ids=st.lists(ids, min_size=1, max_size=2, unique=True).map(tuple),
        side=st.just(shape.side) | sides,
        quantity=st.just(shape.quantity) | st.integers(1, 3),
        # No row is ever read as gone.
        state=st.sampled_from([state for state in OrderState if state is not OrderState.GONE]),
        contract=st.sampled_from([ES, ES, ES_DECEMBER]),
        at=st.none() | st.integers(0, 20).map(lambda seconds: SENT_AT + timedelta(seconds=seconds)),
    )
    execution = st.builds(
        fill,
        st.none() | ids,
        st.integers(1, 3),
        sides,
        at=st.integers(-200, 60).map(lambda seconds: SENT_AT + timedelta(seconds=seconds)),
    )
    return Reads(
        ticket,
        tuple(draw(st.lists(order, max_size=4))),
        tuple(draw(st.lists(execution, max_size=4))),
        draw(st.sampled_from([0, ticket.shown.position, ticket.shown.after, 1])),
        frozenset({"mine"}),
    )


def close_is_its_twin(ticket: Ticket) -> bool:
    terms, position = ticket.order.terms, ticket.shown.position
    return terms.type is OrderType.MARKET and position + terms.side.sign * terms.quantity == 0


@MODEST
@given(reads=any_reads())
def test_an_order_from_before_or_of_another_ticket_is_never_adopted(reads: Reads) -> None:
    match reads.verdict:
        case Found(order):
            assert is_new(reads, order.ids)
            assert order in its_new_twins(reads)
        case FoundFills(order_id, quantity):
            assert is_new(reads, (order_id,))
            assert quantity == reads.ticket.order.terms.quantity
            assert not any(order_id in order.ids for order in reads.orders)


@MODEST
@given(reads=any_reads())
def test_i1_absent_is_never_said_while_a_new_order_of_its_shape_is_there(reads: Reads) -> None:
    twins = its_new_twins(reads)
    if not isinstance(reads.verdict, Absent) or not twins:
        return
    assert close_is_its_twin(reads.ticket)
    assert len(twins) == 1
    assert twins[0].state in {OrderState.FILLED, OrderState.CANCELLED}


@MODEST
@given(reads=any_reads())
def test_two_orders_that_could_be_it_are_never_chosen_between_by_their_place_in_the_list(reads: Reads) -> None:
    turned = replace(reads, orders=reads.orders[::-1], executions=reads.executions[::-1])
    assert turned.verdict == reads.verdict


@MODEST
@given(reads=any_reads())
def test_absent_needs_a_position_that_is_as_before_or_closed(reads: Reads) -> None:
    if isinstance(reads.verdict, Absent):
        assert reads.position in {0, reads.ticket.shown.position}


def test_positions_of_other_instruments_prove_nothing() -> None:
    others = (Position("Sim101", NQ, -3), Position("Sim101", ES_DECEMBER, -3), Position("Sim101", ES, 2))
    assert weigh(PLAIN, (), (), others, frozenset()) == Absent()
