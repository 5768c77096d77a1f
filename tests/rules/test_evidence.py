"""Evidence: a lost order is found by what it is, never by a guess, and "not there" is said only when nothing is there."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Execution, Order, Position
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.reconciliation.evidence import CLOCK_DIFFERENCE, has_rival, id_to_ask_for, weigh
from bot.trading.reconciliation.verdicts import Absent, Found, FoundClosed, FoundFills, FoundLife, FoundTogether, Unclear, Verdict
from tests.rules.strategies import ES, ES_DECEMBER, MODEST, NOW, NQ, ORDER, SHOWN, TICKET, positions, sides

SENT_AT = NOW - timedelta(seconds=30)


def lost(position: int, terms: Terms) -> Ticket:
    """A ticket that was sent over that position and of which no answer came."""
    shown = replace(SHOWN, position=position, after=terms.quantity * terms.side.sign)
    intent = Reverse("Sim101", ES, terms)
    return replace(TICKET, intent=intent, shown=shown, state=TicketState.UNKNOWN, sent_at=SENT_AT, orders_before=("old", "older"))


def like(ticket: Ticket, order_id: str = "new", state: OrderState = OrderState.FILLED, seconds: float | None = 6) -> Order:
    """An order of the very shape of the ticket's."""
    terms = ticket.order.terms
    at = None if seconds is None else SENT_AT + timedelta(seconds=seconds)
    return Order(
        (order_id,), "Sim101", ES, terms.side, terms.type, state, terms.quantity, limit=terms.limit, stop=terms.stop, at=at
    )


def fill(
    order_id: str | None, quantity: int, side: Side = Side.SELL, at: datetime = SENT_AT, price: str = "5800.00"
) -> Execution:
    return Execution(f"x{order_id}{quantity}", order_id, "Sim101", ES, side, quantity, Decimal(price), at)


@dataclass(frozen=True)
class Reads:
    """What the three reads gave."""

    ticket: Ticket
    orders: tuple[Order, ...] = ()
    executions: tuple[Execution, ...] = ()
    position: int = 2
    taken: frozenset[str] = frozenset()
    life: Lifecycle | None = None

    @property
    def verdict(self) -> Verdict:
        held = (Position("Sim101", ES, self.position), Position("Sim101", NQ, 9)) if self.position else ()
        return weigh(self.ticket, self.orders, self.executions, held, self.taken, self.life)


ANOTHERS = "an order of its shape is there, but its name, its OCO group or its strategy is another's"
# LONG 2, SELL 3: the close sells 2, so that the new order looks like nothing else.
PLAIN = lost(2, Terms(Side.SELL, 3))
LIMITED = lost(2, Terms(Side.SELL, 3, OrderType.LIMIT, limit=Decimal("5810.25")))
STOPPED = lost(2, Terms(Side.SELL, 3, OrderType.STOPMARKET, stop=Decimal("5790.25")))
BOTH = lost(2, Terms(Side.SELL, 3, OrderType.STOPLIMIT, limit=Decimal("5790.00"), stop=Decimal("5790.25")))
CLOSE = replace(ORDER, ids=("close",), quantity=2, filled=2, state=OrderState.FILLED, at=SENT_AT)
IT = like(PLAIN)

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


# LONG 2, SELL 2 at market: the close in front of the new order is its twin.
TWIN = lost(2, Terms(Side.SELL, 2))
FIRST, SECOND = like(TWIN, "first", seconds=1), like(TWIN, "second", seconds=2)
GROUPED, TEMPLATED = lost(2, Terms(Side.SELL, 2, oco="ours")), lost(2, Terms(Side.SELL, 2, strategy="Scalp"))
BOTH_DONE = FoundTogether((("first",), ("second",)))
NOTHING_TELLS = "two orders look like it and nothing tells which is its close"
TWINS: dict[str, tuple[Reads, Verdict]] = {
    "both there, the later is ours": (Reads(TWIN, (FIRST, SECOND), position=-2), Found(SECOND)),
    "both there, listed the other way round": (Reads(TWIN, (SECOND, FIRST), position=-2), Found(SECOND)),
    "both there, ours rejected": (
        Reads(TWIN, (FIRST, replace(SECOND, state=OrderState.REJECTED)), position=0),
        Found(replace(SECOND, state=OrderState.REJECTED)),
    ),
    "both there, ours working": (
        Reads(TWIN, (FIRST, replace(SECOND, state=OrderState.WORKING)), position=0),
        Found(replace(SECOND, state=OrderState.WORKING)),
    ),
    "both there at one moment": (Reads(TWIN, (FIRST, replace(SECOND, at=FIRST.at)), position=-2), BOTH_DONE),
    "both there, one without a time": (Reads(TWIN, (FIRST, replace(SECOND, at=None)), position=-2), BOTH_DONE),
    "both there, the other without a time": (Reads(TWIN, (replace(FIRST, at=None), SECOND), position=-2), BOTH_DONE),
    "both there at one moment, and the position is another": (
        Reads(TWIN, (FIRST, replace(SECOND, at=FIRST.at)), position=-1),
        Unclear(NOTHING_TELLS),
    ),
    "both there at one moment, one still working": (
        Reads(TWIN, (FIRST, replace(SECOND, at=FIRST.at, state=OrderState.WORKING)), position=-2),
        Unclear(NOTHING_TELLS),
    ),
    "both there at one moment, by their names": (
        Reads(TWIN, (replace(FIRST, name="Close"), replace(SECOND, at=FIRST.at, name="Entry")), position=-2),
        Found(replace(SECOND, at=FIRST.at, name="Entry")),
    ),
    "both there, one has its name": (
        Reads(TWIN, (replace(FIRST, at=None, name="close"), SECOND), position=0),
        Found(SECOND),
    ),
    "both there, the close by its name still working": (
        Reads(TWIN, (replace(FIRST, name="Close", state=OrderState.WORKING), SECOND), position=0),
        Found(SECOND),
    ),
    "both there, the earlier one still working": (
        Reads(TWIN, (replace(FIRST, state=OrderState.WORKING), SECOND), position=0),
        Unclear(NOTHING_TELLS),
    ),
    "a close and one that came before it": (
        Reads(TWIN, (FIRST, replace(SECOND, name="Close")), position=0),
        Unclear("an order that looks like it came before its close"),
    ),
    "a close and one before it, and the position is as planned": (
        Reads(TWIN, (FIRST, replace(SECOND, name="Close")), position=-2),
        BOTH_DONE,
    ),
    "a close and two that look like it": (
        Reads(TWIN, (replace(FIRST, name="Close"), SECOND, like(TWIN, "third")), position=-2),
        Unclear("2 orders look like it"),
    ),
    "two closes and one that looks like it": (
        Reads(TWIN, (replace(FIRST, name="Close"), like(TWIN, "again", seconds=1.5), SECOND), position=-2),
        Unclear("2 orders look like it"),
    ),
    "a close that was tried twice": (
        Reads(
            TWIN,
            (
                replace(FIRST, name="Close", state=OrderState.REJECTED),
                replace(like(TWIN, "again", seconds=1.5), name="Close"),
                SECOND,
            ),
            position=-2,
        ),
        Found(SECOND),
    ),
    "a close alone, by its name": (
        Reads(TWIN, (replace(FIRST, name="Close"),), position=0),
        Absent("the position of LONG 2 was closed, the new order never arrived"),
    ),
    "a close alone, still working": (
        Reads(TWIN, (replace(FIRST, name="Close", state=OrderState.WORKING),)),
        Unclear("its close is still working"),
    ),
    "a close alone, rejected": (
        Reads(TWIN, (replace(FIRST, name="Close", state=OrderState.REJECTED),)),
        Absent("its close was not done"),
    ),
    "a close alone, and the position is what it should become": (
        Reads(TWIN, (replace(FIRST, name="Close"),), position=-2),
        Unclear("the position went from LONG 2 to SHORT 2 without an order to show for it"),
    ),
    "a close that was rejected, and the fills of an order that is listed no more": (
        Reads(TWIN, (replace(FIRST, name="Close", state=OrderState.REJECTED),), (fill("gone", 2),), position=0),
        FoundFills("gone", 2),
    ),
    "a close that was rejected, and the position is another": (
        Reads(TWIN, (replace(FIRST, name="Close", state=OrderState.REJECTED),), position=0),
        Unclear("the position went from LONG 2 to FLAT without an order to show for it"),
    ),
    "a close, and the fills of two orders that are listed no more": (
        Reads(TWIN, (replace(FIRST, name="Close"),), (fill("a", 2), fill("gone", 2)), position=-2),
        Unclear("the fills of 2 orders look like it"),
    ),
    "a close, and the fills of an order that is listed no more": (
        Reads(TWIN, (replace(FIRST, name="Close"),), (fill("first", 2), fill("gone", 2)), position=-2),
        FoundFills("gone", 2),
    ),
    "one, and the fills of an order that is listed no more": (
        Reads(TWIN, (FIRST,), (fill("first", 2), fill("gone", 2)), position=-2),
        FoundTogether((("first",), ("gone",))),
    ),
    "the fills of two orders that are listed no more": (
        Reads(TWIN, (), (fill("a", 2), fill("gone", 2)), position=-2),
        FoundTogether((("a",), ("gone",))),
    ),
    "one of a group, though none was asked for": (
        Reads(TWIN, (replace(SECOND, oco="theirs"),), position=0),
        Unclear(ANOTHERS),
    ),
    "both, and one of another's strategy": (
        Reads(TWIN, (FIRST, SECOND, replace(like(TWIN, "third"), owner="334")), position=-2),
        Found(SECOND),
    ),
    "by its group, whatever else looks like it": (
        Reads(GROUPED, (FIRST, replace(SECOND, oco="ours"), like(TWIN, "third")), position=0),
        Found(replace(SECOND, oco="ours")),
    ),
    "by its group, twice": (
        Reads(GROUPED, (replace(FIRST, oco="ours"), replace(SECOND, oco="ours")), position=0),
        Unclear("2 orders look like it"),
    ),
    "by its template, whatever else looks like it": (
        Reads(TEMPLATED, (FIRST, replace(SECOND, template="Scalp", owner="334")), position=0),
        Found(replace(SECOND, template="Scalp", owner="334")),
    ),
    "its template's stop is not it": (
        Reads(TEMPLATED, (replace(SECOND, template="Scalp", name="Stop1"),), position=0),
        Unclear(ANOTHERS),
    ),
    "three": (Reads(TWIN, (FIRST, SECOND, like(TWIN, "third")), position=-2), Unclear("3 orders look like it")),
    "one, and the position is what it should become": (Reads(TWIN, (SECOND,), position=-2), Found(SECOND)),
    "one that still works": (
        Reads(TWIN, (like(TWIN, state=OrderState.WORKING),)),
        Unclear("its close may still be working"),
    ),
    "one of which the state is not known": (
        Reads(TWIN, (like(TWIN, state=OrderState.OTHER),), position=0),
        Unclear("its close may still be working"),
    ),
    "one that was rejected": (
        Reads(TWIN, (like(TWIN, state=OrderState.REJECTED),)),
        Unclear("a rejected order of its shape may be the close or the entry"),
    ),
    "one that filled, and the position is closed": (
        Reads(TWIN, (FIRST,), position=0),
        Absent("the position of LONG 2 was closed, the new order never arrived"),
    ),
    "one that filled, and the position is another": (
        Reads(TWIN, (FIRST,), position=-1),
        Unclear("the position went from LONG 2 to SHORT 1 without an order to show for it"),
    ),
    "none": (Reads(TWIN), Absent()),
    "none, and the position is closed": (
        Reads(TWIN, position=0),
        Absent("the position of LONG 2 was closed, the new order never arrived"),
    ),
    "none, but the position is what it should become": (
        Reads(TWIN, position=-2),
        Unclear("the position went from LONG 2 to SHORT 2 without an order to show for it"),
    ),
    "two old ones": (Reads(TWIN, (like(TWIN, "old"), like(TWIN, "older"))), Absent()),
    "one old and one new": (
        Reads(TWIN, (like(TWIN, "old"), FIRST), position=0),
        Absent("the position of LONG 2 was closed, the new order never arrived"),
    ),
    "only fills, which may be the close's": (
        Reads(TWIN, executions=(fill("gone", 2),), position=0),
        Absent("the position of LONG 2 was closed, the new order never arrived"),
    ),
    "short as well as long": (
        Reads(lost(-2, Terms(Side.BUY, 2)), (like(lost(-2, Terms(Side.BUY, 2)), state=OrderState.SUBMITTED),), position=-2),
        Unclear("its close may still be working"),
    ),
}


@pytest.mark.parametrize(("reads", "verdict"), TWINS.values(), ids=list(TWINS))
def test_where_the_close_has_the_shape_of_the_entry_one_order_alone_proves_nothing(reads: Reads, verdict: Verdict) -> None:
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


def test_an_order_that_may_be_another_tickets_is_nobodys_as_long_as_that_one_is_unknown() -> None:
    """Two of one shape are on their way, and one order is there."""
    other = replace(PLAIN, id="t2")
    assert has_rival(PLAIN, (PLAIN, other))
    assert has_rival(PLAIN, (replace(other, state=TicketState.SENDING),))
    settled = replace(other, state=TicketState.ACCEPTED)
    elsewhere = replace(other, intent=replace(PLAIN.order, account="Sim102"))
    larger = replace(other, intent=replace(PLAIN.order, terms=Terms(Side.SELL, 4)))
    closing = replace(other, intent=Close("Sim101", ES, Terms(Side.SELL, 3)))
    sweeping = replace(other, intent=Flatten(Scope(("Sim101",))))
    assert not has_rival(PLAIN, (PLAIN, settled, elsewhere, larger, closing, sweeping))
    assert not has_rival(CLOSING, (PLAIN,))
    why = Unclear("another ticket's order of the very same terms is on its way or unknown, too")
    assert weigh(PLAIN, (IT,), (), (), frozenset(), is_rivalled=True) == why
    assert weigh(PLAIN, (), (), (Position("Sim101", ES, 2),), frozenset(), is_rivalled=True) == Absent()
    own = replace(IT, ids=("676", OWN))
    assert weigh(PLACED, (own,), (), (), frozenset(), is_rivalled=True) == Found(own)


@dataclass(frozen=True)
class World:
    """A reversal of LONG 2 by SELL 2 at market as it truly went, and what is listed of it.

    Attributes:
        close, entry: where each of its two orders stands; ``None`` where it never came to be.
        by_hand: orders of the same shape that somebody placed: in front of both, or behind both.
        is_named: whether NinjaTrader calls the close a close.
        stamps: whether each order has a time of its own, all have the same, or none has one.
        hidden: orders that have ended and are listed no more, although their fills are told.
    """

    close: OrderState | None
    entry: OrderState | None
    by_hand: tuple[str, ...]
    is_named: bool
    stamps: str
    hidden: frozenset[str]

    def all_orders(self) -> list[Order]:
        """In the order in which they came."""
        made = [("front", OrderState.CANCELLED)] if "front" in self.by_hand else []
        made += [(name, state) for name, state in (("close", self.close), ("entry", self.entry)) if state is not None]
        made += [("behind", OrderState.FILLED)] if "behind" in self.by_hand else []
        times: dict[str, list[float | None]] = {"own": [0, 1, 2, 3], "one": [1] * 4, "none": [None] * 4}
        rows = [like(TWIN, name, state, at) for (name, state), at in zip(made, times[self.stamps], strict=False)]
        return [replace(row, name="Close" if self.is_named and row.id == "close" else None) for row in rows]

    def reads(self) -> Reads:
        """What is listed, with the fills and the position that come of it."""
        rows = self.all_orders()
        filled = [row for row in rows if row.state is OrderState.FILLED]
        listed = tuple(row for row in rows if row.id not in self.hidden)
        return Reads(TWIN, listed, tuple(fill(row.id, 2) for row in filled), 2 - 2 * len(filled))


STATES = st.sampled_from([None, OrderState.FILLED, OrderState.FILLED, OrderState.WORKING, OrderState.REJECTED])
worlds = st.builds(
    World,
    STATES,
    STATES,
    st.sampled_from([(), (), (), ("front",), ("behind",)]),
    st.booleans(),
    st.sampled_from(["own", "one", "none"]),
    st.frozensets(st.sampled_from(["close", "entry"]), max_size=2),
).filter(
    # CrossTrade closes first. What has filled leaves the list one day; what somebody places then, at the very same moment, or
    # behind an entry that never came, is just like ours.
    lambda world: (
        (world.entry is None or world.close is not None)
        and all(getattr(world, name) is OrderState.FILLED for name in world.hidden)
        and not (world.by_hand and (world.hidden or world.stamps != "own"))
        and (world.entry is not None or "behind" not in world.by_hand)
    )
)


@given(world=worlds)
def test_whatever_is_concluded_of_a_reversal_that_looks_alike_is_true(world: World) -> None:
    tells = world.is_named or world.stamps == "own"
    match world.reads().verdict:
        case Found(order):
            listed_alone = world.hidden and world.entry is OrderState.FILLED
            assert order.id == "entry" or (order.id == "close" and listed_alone and not world.is_named), order.id
        case FoundFills(order_id):
            assert (order_id, world.entry) == ("entry", OrderState.FILLED)
        case FoundTogether(ids):
            assert world.close is world.entry is OrderState.FILLED
            assert {each for one in ids for each in one} == {"close", "entry"}
            assert not tells or world.hidden
        case Absent():
            assert world.entry in {None, OrderState.REJECTED}
            assert world.entry is None or "entry" in world.hidden


@given(world=worlds)
def test_a_reversal_that_looks_alike_and_is_all_there_does_not_stay_unknown(world: World) -> None:
    if world.by_hand or world.hidden or world.close is not OrderState.FILLED or world.entry is None:
        return
    tells = world.is_named or world.stamps == "own"
    verdict = world.reads().verdict
    if tells:
        assert isinstance(verdict, Found)
        assert verdict.order.id == "entry"
    elif world.entry is OrderState.FILLED:
        assert isinstance(verdict, FoundTogether)
    else:
        assert isinstance(verdict, Unclear)


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


def is_new(reads: Reads, order_ids: tuple[str, ...]) -> bool:
    return not {*reads.ticket.orders_before, *reads.taken} & set(order_ids)


def its_new_twins(reads: Reads) -> list[Order]:
    """New orders of exactly the ticket's shape, written out once more."""
    terms = reads.ticket.order.terms
    shape = (ES, terms.side, terms.quantity, terms.type, terms.limit)
    return [o for o in reads.orders if is_new(reads, o.ids) and (o.contract, o.side, o.quantity, o.type, o.limit) == shape]


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


# Orders that take more than a place: an id of ours, a close before it, an old order, a twin.

OWN = "own1"


def life(order_id: str, *told: str) -> Lifecycle:
    """What the add-on has written down of an order, as the account writes itself there."""
    return Lifecycle("SIM101", (order_id,), tuple(OrderEvent(what, at=SENT_AT) for what in told))


def unanswered(intent: OrderIntent, position: int, after: int) -> Ticket:
    """A ticket of any command that was sent over that position and of which no answer came."""
    return replace(PLAIN, intent=intent, shown=replace(SHOWN, position=position, after=after))


# LONG 2, read as closed, then SELL 2: close and order look alike.
VERIFIED = unanswered(VerifiedReverse("Sim101", ES, Terms(Side.SELL, 2), OWN), 2, -2)
VERIFIED_LARGER = unanswered(VerifiedReverse("Sim101", ES, Terms(Side.SELL, 3), OWN), 2, -3)
INVERTED = unanswered(Invert("Sim101", ES, Terms(Side.SELL, 2)), 2, -2)
REOPENED = "an order that may be the close has filled, and the position is as it was before"
PLACED = unanswered(PlaceOrder("Sim101", ES, Terms(Side.SELL, 3), OWN), 2, -1)
ITS_ORDER = like(VERIFIED, "order", seconds=9)
ITS_CLOSE = like(VERIFIED, "close", seconds=1)
HAS_ARRIVED = replace(ITS_ORDER, ids=("676", OWN))
NEVER = "the position of LONG 2 was closed, the new order never arrived"

OLD_TERMS = Terms(Side.SELL, 3, OrderType.LIMIT, limit=Decimal("5810.00"))
NEW_TERMS = Terms(Side.SELL, 1, OrderType.LIMIT, limit=Decimal("5812.00"))
REPLACED = unanswered(Replace("Sim101", ES, NEW_TERMS, "old", OLD_TERMS), 2, 1)
NEW = like(REPLACED, state=OrderState.WORKING)
NO_MORE = "the old order is gone, the new one never arrived"


def old(state: OrderState) -> Order:
    return replace(like(REPLACED, "old", state), quantity=3, limit=OLD_TERMS.limit)


BRACKETED = unanswered(
    Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal("5790.00")), Decimal("5820.00")), 2, 2
)
STOP = like(BRACKETED, "stop", OrderState.WORKING)
TARGET = replace(STOP, ids=("target",), type=OrderType.LIMIT, stop=None, limit=Decimal("5820.00"))
HALF = "{} orders look like its stop and {} like its target"

# LONG 2, of which 1 is to be closed.
CLOSING = unanswered(Close("Sim101", ES, Terms(Side.SELL, 1), 1), 2, 1)
WORKS = replace(like(REPLACED, "old", OrderState.WORKING), quantity=3, limit=OLD_TERMS.limit)
CANCELLING = unanswered(Cancel("Sim101", ES, OLD_TERMS, "old"), 2, 2)
CHANGING = unanswered(Change("Sim101", ES, replace(OLD_TERMS, quantity=1), "old", OLD_TERMS), 2, 1)
AS_IT_WAS = Absent("the order is working as it was")

MORE: dict[str, tuple[Reads, Verdict]] = {
    "closed: the position shows it": (Reads(CLOSING, position=1), FoundClosed()),
    "closed: nothing": (Reads(CLOSING), Absent()),
    "closed: more than was asked": (
        Reads(CLOSING, position=0),
        Unclear("the position went from LONG 2 to FLAT without an order to show for it"),
    ),
    "closed: its order still works": (
        Reads(CLOSING, (like(CLOSING, state=OrderState.WORKING),)),
        Unclear("an order that may be the close is still working"),
    ),
    "closed: its order was rejected": (
        Reads(CLOSING, (like(CLOSING, state=OrderState.REJECTED),)),
        Found(like(CLOSING, state=OrderState.REJECTED)),
    ),
    "closed: two of its shape were rejected": (
        Reads(CLOSING, (like(CLOSING, state=OrderState.REJECTED), like(CLOSING, "b", OrderState.REJECTED))),
        Absent("an order like it was rejected by NinjaTrader and the position is as it was"),
    ),
    "closed: its order was cancelled": (Reads(CLOSING, (like(CLOSING, state=OrderState.CANCELLED),)), Absent()),
    "closed: its order filled, and the position was opened again": (
        Reads(CLOSING, (like(CLOSING, state=OrderState.FILLED),)),
        Unclear(REOPENED),
    ),
    "closed: fills of its size, and the position was opened again": (
        Reads(CLOSING, executions=(fill("gone", 1),)),
        Unclear(REOPENED),
    ),
    "closed: fills of a listed order of another shape": (
        Reads(CLOSING, (replace(CLOSE, quantity=3),), (fill("close", 1),)),
        Absent(),
    ),
    "cancelled": (
        Reads(CANCELLING, (replace(WORKS, state=OrderState.CANCELLED),)),
        Found(replace(WORKS, state=OrderState.CANCELLED)),
    ),
    "cancelled: filled first": (
        Reads(CANCELLING, (replace(WORKS, state=OrderState.FILLED),)),
        Found(replace(WORKS, state=OrderState.FILLED)),
    ),
    "cancelled: it works as it was": (Reads(CANCELLING, (WORKS,)), AS_IT_WAS),
    "cancelled: on its way": (
        Reads(CANCELLING, (replace(WORKS, state=OrderState.CANCEL_PENDING),)),
        Unclear("the order is CancelPending"),
    ),
    "cancelled: in a state that says nothing": (
        Reads(CANCELLING, (replace(WORKS, state=OrderState.OTHER),)),
        Unclear("the order is Other"),
    ),
    "cancelled: not listed": (Reads(CANCELLING), Unclear("the order is not listed any more")),
    "cancelled: not listed, written down as cancelled": (
        Reads(CANCELLING, life=life("old", "Working", "Cancelled")),
        FoundLife(("old",), OrderState.CANCELLED),
    ),
    "cancelled: not listed, written down as filled": (
        Reads(CANCELLING, life=life("old", "Working", "Filled", "nothing that we know")),
        FoundLife(("old",), OrderState.FILLED),
    ),
    "cancelled: not listed, written down as working": (
        Reads(CANCELLING, life=life("old", "Working")),
        Unclear("the order is not listed any more"),
    ),
    "cancelled: not listed, nothing written down": (
        Reads(CANCELLING, life=life("old")),
        Unclear("the order is not listed any more"),
    ),
    "cancelled: not listed, written down of nobody's account": (
        Reads(CANCELLING, life=replace(life("old", "Cancelled"), account=None)),
        Unclear("the order is not listed any more"),
    ),
    "cancelled: not listed, written down of another order": (
        Reads(CANCELLING, life=life("other", "Cancelled")),
        Unclear("the order is not listed any more"),
    ),
    "changed: not listed, written down as over": (
        Reads(CHANGING, life=life("old", "Filled")),
        Unclear("the order is filled and not listed any more"),
    ),
    "placed: not listed, written down by the desk's own id": (
        Reads(PLACED, life=life(OWN, "Submitted", "Filled"), position=-1),
        FoundLife((OWN,), OrderState.FILLED),
    ),
    "placed: listed under an id that is written down beside ours, among two that look like it": (
        Reads(PLACED, (IT, replace(IT, ids=("676",))), life=replace(life(OWN, "Working"), ids=(OWN, "676"))),
        Found(replace(IT, ids=("676",))),
    ),
    "placed: written down as received by CrossTrade and no further": (
        Reads(PLACED, life=life(OWN, "api_received")),
        Absent(),
    ),
    "changed": (Reads(CHANGING, (replace(WORKS, quantity=1),)), Found(replace(WORKS, quantity=1))),
    "changed: it works as it was": (Reads(CHANGING, (WORKS,)), AS_IT_WAS),
    "changed: on its way": (
        Reads(CHANGING, (replace(WORKS, state=OrderState.CHANGE_SUBMITTED),)),
        Unclear("the order is ChangeSubmitted"),
    ),
    "changed: being cancelled": (
        Reads(CHANGING, (replace(WORKS, state=OrderState.CANCEL_PENDING),)),
        Absent("the order is cancelpending as it was"),
    ),
    "changed: not listed": (Reads(CHANGING), Unclear("the order is not listed any more")),
    "placed: by the desk's own id, whatever else looks like it": (
        Reads(PLACED, (IT, replace(IT, ids=("676", OWN)))),
        Found(replace(IT, ids=("676", OWN))),
    ),
    "verified: by the desk's own id": (Reads(VERIFIED, (ITS_CLOSE, HAS_ARRIVED), position=-2), Found(HAS_ARRIVED)),
    "verified: another id in its place": (Reads(VERIFIED, (ITS_CLOSE, ITS_ORDER), position=-2), Found(ITS_ORDER)),
    "verified: its close alone": (Reads(VERIFIED, (ITS_CLOSE,), position=0), Absent(NEVER)),
    "verified: its close alone, larger order": (Reads(VERIFIED_LARGER, (ITS_CLOSE,), position=0), Absent(NEVER)),
    "verified: fills of its close prove nothing": (
        Reads(VERIFIED, (), (fill("gone", 2),), position=0),
        Absent(NEVER),
    ),
    "inverted: both orders": (Reads(INVERTED, (ITS_ORDER, ITS_CLOSE), position=-2), Found(ITS_ORDER)),
    "inverted: the close alone": (Reads(INVERTED, (ITS_CLOSE,), position=0), Absent(NEVER)),
    "inverted: one order, and turned round": (Reads(INVERTED, (ITS_ORDER,), position=-2), Found(ITS_ORDER)),
    "inverted: nothing": (Reads(INVERTED), Absent()),
    "inverted: turned round without an order": (
        Reads(INVERTED, position=-2),
        Unclear("the position went from LONG 2 to SHORT 2 without an order to show for it"),
    ),
    "replaced: both told": (Reads(REPLACED, (old(OrderState.CANCELLED), NEW)), Found(NEW)),
    "replaced: the new order alone": (Reads(REPLACED, (NEW,)), Found(NEW)),
    "replaced: the old one still works beside it": (Reads(REPLACED, (old(OrderState.WORKING), NEW)), Found(NEW)),
    "replaced: two that look like it": (Reads(REPLACED, (NEW, replace(NEW, ids=("b",)))), Unclear("2 orders look like it")),
    "replaced: the old one gone": (Reads(REPLACED, (old(OrderState.CANCELLED),)), Absent(NO_MORE)),
    "replaced: the old one listed no more": (
        Reads(REPLACED),
        Unclear("the old order is not listed any more, and nothing tells what became of it"),
    ),
    "replaced: the old one listed no more, written down as cancelled": (
        Reads(REPLACED, life=life("old", "Working", "Cancelled")),
        Absent(NO_MORE),
    ),
    "replaced: the old one listed no more, written down as being cancelled": (
        Reads(REPLACED, life=life("old", "Working", "CancelPending")),
        Unclear("the old order is CancelPending"),
    ),
    "replaced: the old one listed no more, written down of another account": (
        Reads(REPLACED, life=replace(life("old", "Cancelled"), account="Sim102")),
        Unclear("the old order is not listed any more, and nothing tells what became of it"),
    ),
    "replaced: the old one going": (
        Reads(REPLACED, (old(OrderState.CANCEL_PENDING),)),
        Unclear("the old order is CancelPending"),
    ),
    "replaced: the old one going, on its way": (
        Reads(REPLACED, (old(OrderState.CANCEL_SUBMITTED),)),
        Unclear("the old order is CancelSubmitted"),
    ),
    "replaced: the old one as it was": (Reads(REPLACED, (old(OrderState.WORKING),)), Absent()),
    "replaced: the old one filled first": (
        Reads(REPLACED, (old(OrderState.FILLED),), position=-1),
        Unclear("the position went from LONG 2 to SHORT 1 without an order to show for it"),
    ),
    "replaced: filled and listed no more": (
        Reads(REPLACED, (old(OrderState.CANCELLED),), (fill("gone", 1),), position=1),
        FoundFills("gone", 1),
    ),
    "replaced: the old one gone, and the position moved": (
        Reads(REPLACED, (old(OrderState.CANCELLED),), position=1),
        Unclear("the position went from LONG 2 to LONG 1 without an order to show for it"),
    ),
    "bracketed: both": (Reads(BRACKETED, (TARGET, STOP)), Found(STOP)),
    "bracketed: both, one filled already": (
        Reads(BRACKETED, (replace(TARGET, state=OrderState.FILLED), replace(STOP, state=OrderState.CANCELLED)), position=0),
        Found(replace(STOP, state=OrderState.CANCELLED)),
    ),
    "bracketed: the stop alone": (Reads(BRACKETED, (STOP,)), Unclear(HALF.format(1, 0))),
    "bracketed: the target alone": (Reads(BRACKETED, (TARGET,)), Unclear(HALF.format(0, 1))),
    "bracketed: two stops": (Reads(BRACKETED, (STOP, replace(STOP, ids=("b",)), TARGET)), Unclear(HALF.format(2, 1))),
    "bracketed: two stops, one of them in the target's group": (
        Reads(BRACKETED, (replace(STOP, ids=("b",)), replace(STOP, oco="o"), replace(TARGET, oco="o"))),
        Found(replace(STOP, oco="o")),
    ),
    "bracketed: two of each in two groups": (
        Reads(BRACKETED, tuple(replace(leg, ids=(f"{leg.id}{group}",), oco=group) for leg in (STOP, TARGET) for group in "ab")),
        Unclear(HALF.format(2, 2)),
    ),
    "bracketed: a stop of one group and a target of another": (
        Reads(BRACKETED, (replace(STOP, oco="a"), replace(TARGET, oco="b"))),
        Unclear(HALF.format(1, 1)),
    ),
    "bracketed: two targets": (Reads(BRACKETED, (STOP, TARGET, replace(TARGET, ids=("b",)))), Unclear(HALF.format(1, 2))),
    "bracketed: another target price": (
        Reads(BRACKETED, (STOP, replace(TARGET, limit=Decimal("5821.00")))),
        Unclear(HALF.format(1, 0)),
    ),
    "bracketed: a target of another size": (Reads(BRACKETED, (STOP, replace(TARGET, quantity=1))), Unclear(HALF.format(1, 1))),
    "bracketed: both of the size that the position had": (
        Reads(BRACKETED, (replace(STOP, quantity=1), replace(TARGET, quantity=1))),
        Found(replace(STOP, quantity=1)),
    ),
    "bracketed: a target on the other side": (
        Reads(BRACKETED, (STOP, replace(TARGET, side=Side.BUY))),
        Unclear(HALF.format(1, 0)),
    ),
    "bracketed: old ones of the same shape": (
        Reads(BRACKETED, (replace(STOP, ids=("old",)), replace(TARGET, ids=("older",)))),
        Absent("what worked there may have been cancelled"),
    ),
    "bracketed: nothing": (Reads(BRACKETED), Absent("what worked there may have been cancelled")),
}


@pytest.mark.parametrize(("reads", "verdict"), MORE.values(), ids=list(MORE))
def test_evidence_of_what_takes_more_than_a_place(reads: Reads, verdict: Verdict) -> None:
    assert reads.verdict == verdict


def test_an_order_is_asked_for_by_its_id_only_where_one_is_known_and_the_list_does_not_have_it() -> None:
    assert id_to_ask_for(CANCELLING.order, ()) == "old"
    assert id_to_ask_for(CANCELLING.order, (WORKS,)) is None
    assert id_to_ask_for(PLACED.order, (IT,)) == OWN
    assert id_to_ask_for(VERIFIED.order, (HAS_ARRIVED,)) is None
    assert id_to_ask_for(PLAIN.order, ()) is None
    assert id_to_ask_for(CLOSING.order, (IT,)) is None


SHAPES = [VERIFIED, VERIFIED_LARGER, INVERTED, PLACED, REPLACED, BRACKETED]


@MODEST
@given(data=st.data(), ticket=st.sampled_from(SHAPES))
def test_of_any_command_nothing_old_is_adopted_and_nothing_is_called_absent_that_is_there(
    data: st.DataObject, ticket: Ticket
) -> None:
    shape = like(ticket)
    orders = data.draw(
        st.lists(
            st.builds(
                replace,
                st.sampled_from([shape, shape, TARGET, old(OrderState.CANCELLED)]),
                ids=st.lists(st.sampled_from(["old", "older", "a", "b", "mine"]), min_size=1, max_size=2, unique=True).map(tuple),
                state=st.sampled_from(OrderState),
            ),
            max_size=4,
        )
    )
    reads = Reads(ticket, tuple(orders), (), data.draw(st.sampled_from([2, 0, -2, 1])), frozenset({"mine"}))
    twins = its_new_twins(reads)
    match reads.verdict:
        case Found(order):
            assert is_new(reads, order.ids)
            assert order in twins
        case Absent():
            assert reads.position in {0, 2} or isinstance(ticket.intent, Bracket)
            closing = isinstance(ticket.intent, VerifiedReverse | Invert) and ticket.order.terms.quantity == 2
            assert len(twins) <= (1 if closing else 0)
