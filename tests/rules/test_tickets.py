"""Tickets: a move is along the table or not at all, one version at a time, and a card's life ends."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.orders.intents import Bracket, Change, Reverse, closing_side
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Scope
from bot.trading.orders.progress import Progress, Step
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import IN_FLIGHT, SENT, TRANSITIONS, Approved, IllegalMove, TicketState, is_claim, move, side_word
from tests.rules.strategies import ES_DECEMBER, INTENT, MODEST, NOW, SHOWN, TICKET, contracts, sides, well_formed_terms

# The table once more, in words, so that a slip in the program's own is seen.
ALLOWED = {
    "offered": "offered, sending, unknown, not sent, denied, cancelled, expired, void",
    "sending": "sending, accepted, rejected, unknown, not sent",
    "unknown": "unknown, accepted, rejected, never arrived",
    "never arrived": "accepted",
    "accepted": "accepted",
    "rejected": "",
    "not sent": "",
    "denied": "",
    "cancelled": "",
    "expired": "",
    "void": "",
}


@pytest.mark.parametrize("old", TicketState)
def test_a_ticket_moves_along_the_table_and_along_nothing_else(old: TicketState) -> None:
    ticket = replace(TICKET, state=old, version=5)
    for new in TicketState:
        if new in ALLOWED[old].split(", "):
            assert move(ticket, new) == replace(ticket, state=new, version=6)
        else:
            with pytest.raises(IllegalMove, match=f"ticket t1: {old} -> {new}"):
                move(ticket, new)


def test_the_table_has_a_line_for_every_state() -> None:
    assert set(TRANSITIONS) == set(TicketState)


def test_i1_nothing_leads_back_to_sending() -> None:
    # From one call of a ticket to its next it stays there; each of them is journaled by itself.
    leading = [old for old in TicketState if TicketState.SENDING in TRANSITIONS[old]]
    assert leading == [TicketState.OFFERED, TicketState.SENDING]


def test_nothing_that_was_sent_can_be_offered_cancelled_or_expired() -> None:
    reached, more = set(SENT), set(SENT)
    while more:
        more = {new for old in more for new in TRANSITIONS[old]} - reached
        reached |= more
    assert reached == {
        *SENT,
        TicketState.REJECTED,
        TicketState.NOT_SENT,
        TicketState.NEVER_ARRIVED,
    }


def test_in_flight_is_what_may_be_on_its_way_and_counts_as_sent() -> None:
    assert {TicketState.SENDING, TicketState.UNKNOWN} == IN_FLIGHT
    assert {*IN_FLIGHT, TicketState.ACCEPTED} == SENT


@MODEST
@given(data=st.data(), steps=st.integers(0, 12))
def test_the_version_grows_by_one_with_every_move_on_any_way(data: st.DataObject, steps: int) -> None:
    ticket = TICKET
    for done in range(1, steps + 1):
        ways = sorted(TRANSITIONS[ticket.state])
        if not ways:
            break
        ticket = move(ticket, data.draw(st.sampled_from(ways)))
        assert ticket.version == TICKET.version + done


def test_a_move_carries_its_changes_and_leaves_the_old_ticket_alone() -> None:
    moved = move(TICKET, TicketState.SENDING, sent_at=NOW, orders_before=("o1",))
    assert (moved.sent_at, moved.orders_before, moved.version) == (NOW, ("o1",), 2)
    assert moved.intent is TICKET.intent
    assert (TICKET.state, TICKET.sent_at, TICKET.version) == (TicketState.OFFERED, None, 1)


def test_a_new_ticket_is_an_offer_in_its_first_version_of_which_nothing_has_come() -> None:
    assert (TICKET.state, TICKET.revision, TICKET.version) == (TicketState.OFFERED, 1, 1)
    assert (TICKET.filled, TICKET.order_ids, TICKET.approvals, TICKET.shown.working_orders) == (0, (), (), 0)


def test_a_move_with_a_change_that_no_ticket_has_is_an_error() -> None:
    with pytest.raises(TypeError):
        move(TICKET, TicketState.SENDING, colour="red")


@pytest.mark.parametrize(
    ("asked", "given_by", "missing"),
    [
        (set(), [], set()),
        ({1}, [], {1}),
        ({1}, [{1}], set()),
        ({1, 2}, [{1}], {2}),
        ({1, 2}, [{1}, {2}], set()),
        ({1, 2}, [{1, 2}], set()),
        ({1}, [{2}], {1}),
        (set(), [{2}], set()),
        ({1}, [set()], {1}),
    ],
)
def test_the_roles_that_are_missing_are_those_that_nobody_approved_for(
    asked: set[int], given_by: list[set[int]], missing: set[int]
) -> None:
    approvals = tuple(Approved(90 + n, "Bo", frozenset(roles)) for n, roles in enumerate(given_by))
    ticket = replace(TICKET, shown=replace(SHOWN, approver_roles=frozenset(asked)), approvals=approvals)
    assert ticket.missing_roles == missing


@pytest.mark.parametrize(("seconds", "is_over"), [(19.999, False), (20, True), (20.001, True), (86_400 + 5, True), (-60, False)])
def test_i13_a_card_lives_until_its_end_and_not_a_moment_longer(seconds: float, is_over: bool) -> None:
    assert TICKET.is_over(NOW + timedelta(seconds=seconds)) is is_over


@pytest.mark.parametrize(
    ("state", "order_state", "is_followed"),
    [
        (TicketState.ACCEPTED, None, True),
        (TicketState.ACCEPTED, OrderState.WORKING, True),
        (TicketState.ACCEPTED, OrderState.OTHER, True),
        (TicketState.ACCEPTED, OrderState.CANCEL_PENDING, True),
        (TicketState.ACCEPTED, OrderState.FILLED, False),
        (TicketState.ACCEPTED, OrderState.CANCELLED, False),
        (TicketState.ACCEPTED, OrderState.REJECTED, False),
        (TicketState.UNKNOWN, None, False),
        (TicketState.OFFERED, OrderState.WORKING, False),
    ],
)
def test_an_accepted_ticket_is_followed_until_its_order_is_done(
    state: TicketState,
    order_state: OrderState | None,
    is_followed: bool,
) -> None:
    assert replace(TICKET, state=state, order_state=order_state).is_followed is is_followed


def test_a_change_or_a_bracket_is_followed_until_it_is_seen() -> None:
    terms = Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5790))
    for intent in (
        Change("Sim101", INTENT.contract, terms, "o1", terms),
        Bracket("Sim101", INTENT.contract, terms, Decimal(5810)),
    ):
        accepted = replace(TICKET, intent=intent, state=TicketState.ACCEPTED)
        assert accepted.is_followed
        assert not replace(accepted, order_state=OrderState.WORKING).is_followed


def test_a_ticket_is_claimed_where_its_order_leaves_and_nowhere_else() -> None:
    states = [(old, new) for old in TicketState for new in TicketState]
    claims = [(old, new) for old, new in states if is_claim(replace(TICKET, state=old), replace(TICKET, state=new))]
    assert claims == [(TicketState.OFFERED, TicketState.SENDING)]


def test_the_first_order_id_is_the_one_to_show() -> None:
    assert TICKET.order_id is None
    assert replace(TICKET, order_ids=("cb1f", "676")).order_id == "cb1f"


OTHER_SHAPES = {
    "account": replace(INTENT, account="Sim102"),
    "month": replace(INTENT, contract=ES_DECEMBER),
    "side": replace(INTENT, terms=replace(INTENT.terms, side=Side.BUY)),
    "quantity": replace(INTENT, terms=replace(INTENT.terms, quantity=4)),
    "type": replace(INTENT, terms=replace(INTENT.terms, type=OrderType.LIMIT, limit=Decimal(5))),
}


@pytest.mark.parametrize("other", OTHER_SHAPES.values(), ids=list(OTHER_SHAPES))
def test_another_account_month_side_quantity_or_type_is_another_shape(other: Reverse) -> None:
    assert not TICKET.same_shape(other)


@MODEST
@given(contract=contracts, terms=well_formed_terms(), price=st.integers(1, 9).map(Decimal))
def test_prices_time_in_force_and_labels_make_no_other_shape(contract: object, terms: Terms, price: Decimal) -> None:
    intent = replace(INTENT, contract=contract, terms=terms)  # type: ignore[arg-type]  # hypothesis hands over contracts
    ticket = replace(TICKET, intent=intent)
    other = replace(terms, limit=price, stop=price, tif=TimeInForce.GTC, oco="x", strategy="y")
    assert ticket.same_shape(replace(intent, terms=other))


@pytest.mark.parametrize(
    ("quantity", "word"), [(2, "LONG 2"), (1, "LONG 1"), (-1, "SHORT 1"), (0, "FLAT"), (-1_000_000, "SHORT 1000000")]
)
def test_a_signed_quantity_is_said_as_traders_do(quantity: int, word: str) -> None:
    assert side_word(quantity) == word


@MODEST
@given(position=st.integers(-9, 9).filter(bool), side=sides)
def test_the_closing_side_takes_a_position_to_flat(position: int, side: Side) -> None:
    assert position + closing_side(position).sign * abs(position) == 0
    assert closing_side(abs(position) * side.sign) is not side


@pytest.mark.parametrize("mass_action", [Flatten(Scope(("Sim101",))), CancelWorking(Scope(("Sim101",)))])
def test_a_mass_action_is_about_no_single_order(mass_action: Flatten | CancelWorking) -> None:
    assert TICKET.order is INTENT
    with pytest.raises(TypeError, match="ticket t1 is about no single order"):
        _ = replace(TICKET, intent=mass_action).order
    assert not replace(TICKET, intent=mass_action).same_shape(INTENT)
    assert not TICKET.same_shape(mass_action)


def test_what_was_sent_last_is_the_last_call_of_several() -> None:
    sent = replace(TICKET, sent_at=NOW)
    assert (TICKET.last_sent_at, sent.last_sent_at) == (None, NOW)
    later = NOW + timedelta(seconds=20)
    progress = Progress().began(Step("one", NOW)).began(Step("two", NOW)).began(Step("three", later))
    assert replace(sent, progress=progress).last_sent_at == later
