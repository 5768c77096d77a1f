"""Evidence of a reversal whose close has the very shape of its new order: what names, times, fills and the position tell."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Order
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.reconciliation.verdicts import Absent, Found, FoundFills, FoundTogether, Unclear, Verdict
from tests.rules.lost import ANOTHERS, Reads, fill, like, lost

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
