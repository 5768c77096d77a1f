"""Evidence of orders that take more than a place: an id of ours, a close before it, an old order, a twin."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Position
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    Invert,
    PlaceOrder,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.reconciliation.evidence import has_rival, id_to_ask_for, weigh
from bot.trading.reconciliation.verdicts import Absent, Found, FoundClosed, FoundFills, FoundLife, Unclear, Verdict
from tests.rules.lost import (
    CLOSE,
    IT,
    OLD_TERMS,
    PLAIN,
    REPLACED,
    Reads,
    fill,
    is_new,
    its_new_twins,
    life,
    like,
    old,
    unanswered,
)
from tests.rules.strategies import ES, MODEST


def test_an_order_that_may_be_another_tickets_is_nobodys_as_long_as_that_one_is_unknown() -> None:
    """Two of one shape are on their way, and one order is there."""
    other = replace(PLAIN, id="t2")
    assert has_rival(PLAIN, (PLAIN, other))
    assert has_rival(PLAIN, (replace(other, state=TicketState.SENDING),))
    settled = replace(other, state=TicketState.ACCEPTED)
    elsewhere = replace(other, intent=replace(PLAIN.order, account="Sim102"))
    larger = replace(other, intent=replace(PLAIN.order, terms=Terms(Side.SELL, 4)))
    closing = replace(other, intent=Close("Sim101", ES, Terms(Side.SELL, 3)))
    flattening = replace(other, intent=Flatten(Scope(("Sim101",))))
    assert not has_rival(PLAIN, (PLAIN, settled, elsewhere, larger, closing, flattening))
    assert not has_rival(CLOSING, (PLAIN,))
    why = Unclear("another ticket's order of the very same terms is on its way or unknown, too")
    assert weigh(PLAIN, (IT,), (), (), frozenset(), is_rivalled=True) == why
    assert weigh(PLAIN, (), (), (Position("Sim101", ES, 2),), frozenset(), is_rivalled=True) == Absent()
    own = replace(IT, ids=("676", OWN))
    assert weigh(PLACED, (own,), (), (), frozenset(), is_rivalled=True) == Found(own)


OWN = "own1"


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
NEW = like(REPLACED, state=OrderState.WORKING)
NO_MORE = "the old order is gone, the new one never arrived"


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
