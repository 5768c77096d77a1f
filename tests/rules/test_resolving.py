"""A person's word: which order it may name, what it makes of a ticket, and what it is never believed about."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.trading.market.facts import Order
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Member, Ticket, TicketState, move
from bot.trading.reconciliation.resolving import (
    Resolution,
    chosen,
    closed_to,
    is_resolved,
    is_word,
    needs_list,
    objection,
    resolved,
)
from tests.rules.strategies import ES, ES_DECEMBER, NOW, ORDER, TICKET

SELL = Terms(Side.SELL, 3)
LIMIT = Terms(Side.SELL, 3, OrderType.LIMIT, limit=Decimal(5810))
UNKNOWN = replace(TICKET, state=TicketState.UNKNOWN, sent_at=NOW, orders_before=("old",), absent_since=NOW)
NOBODY = frozenset[str]()
TINA = Member(301, "Tina")


def about(intent: Intent) -> Ticket:
    """An unknown ticket of any command."""
    return replace(UNKNOWN, intent=intent)


CANCELLING = about(Cancel("Sim101", ES, LIMIT, "old"))
CHANGING = about(Change("Sim101", ES, replace(LIMIT, quantity=1), "old", LIMIT))
CLOSING = about(Close("Sim101", ES, SELL))
FLATTENING = about(Flatten(Scope(("Sim101",))))
PLACED = about(PlaceOrder("Sim101", ES, SELL, "own1"))
UNTOUCHED = [CLOSING, FLATTENING, about(Bracket("Sim101", ES, replace(LIMIT, type=OrderType.STOPMARKET), Decimal(5820)))]
PLACES = [
    UNKNOWN,
    PLACED,
    about(FlatPlace("Sim101", ES, SELL)),
    about(VerifiedReverse("Sim101", ES, SELL, "own1")),
    about(Replace("Sim101", ES, SELL, "old", LIMIT)),
]


def test_only_an_unknown_outcome_is_open_to_a_persons_word() -> None:
    assert closed_to(UNKNOWN) is None
    for state in set(TicketState) - {TicketState.UNKNOWN}:
        said = closed_to(replace(UNKNOWN, state=state)) or ""
        still = state in {TicketState.OFFERED, TicketState.SENDING}
        ended = "still; only an unknown outcome can be resolved"
        assert said == f"Ticket t1 is {f'{state} {ended}' if still else f'settled already: {state}'}. Nothing was changed."
    assert "settled already: accepted, order “o1”" in (
        closed_to(replace(UNKNOWN, state=TicketState.ACCEPTED, order_ids=("o1",))) or ""
    )


@pytest.mark.parametrize("ticket", [*UNTOUCHED, *PLACES, CANCELLING, CHANGING], ids=lambda one: type(one.intent).__name__)
def test_every_outcome_can_be_said_of_every_command_without_an_order(ticket: Ticket) -> None:
    for outcome in Resolution:
        assert objection(ticket, outcome, None) is None


def test_the_list_is_needed_to_follow_an_order_or_to_know_that_none_works() -> None:
    for ticket in (*PLACES, CANCELLING, CHANGING):
        assert needs_list(ticket, Resolution.ACCEPTED, None)
        assert not needs_list(ticket, Resolution.NEVER_ARRIVED, None)
    for ticket in UNTOUCHED:
        assert not needs_list(ticket, Resolution.ACCEPTED, None)
    assert needs_list(CLOSING, Resolution.ACCEPTED, "o1")


@pytest.mark.parametrize("ticket", PLACES, ids=lambda one: type(one.intent).__name__)
def test_an_order_that_works_and_looks_like_it_must_be_named_so_that_it_is_followed(ticket: Ticket) -> None:
    assert "Order “o1” works there" in str(chosen(ticket, None, (ORDER,), NOBODY))
    assert chosen(ticket, "o1", (ORDER,), NOBODY) is ORDER
    for other in (
        replace(ORDER, state=OrderState.FILLED),
        replace(ORDER, quantity=4),
        replace(ORDER, contract=ES_DECEMBER),
        replace(ORDER, ids=("676", "old")),
    ):
        assert chosen(ticket, None, (other,), NOBODY) is None
    assert chosen(ticket, None, (ORDER,), frozenset({"o1"})) is None


def test_an_order_is_named_only_where_it_means_something() -> None:
    for outcome in (Resolution.NEVER_ARRIVED, Resolution.REJECTED):
        assert "leave order out" in (objection(UNKNOWN, outcome, "o1") or "")
    assert "leave order out" in (objection(FLATTENING, Resolution.ACCEPTED, "o1") or "")
    assert "about order “old”" in (objection(CANCELLING, Resolution.ACCEPTED, "o1") or "")
    assert objection(CANCELLING, Resolution.ACCEPTED, "old") is None


def test_a_cancellation_and_a_change_follow_the_order_that_they_are_about_as_long_as_it_is_listed() -> None:
    row = replace(ORDER, ids=("old",))
    for ticket in (CANCELLING, CHANGING):
        # It was there before, and is another ticket's.
        assert chosen(ticket, None, (row,), frozenset({"old"})) is row
        assert chosen(ticket, "old", (row,), frozenset({"old"})) is row
        assert chosen(ticket, None, (ORDER,), NOBODY) is None
        assert "lists no order “old” in “Sim101”" in str(chosen(ticket, "old", (), NOBODY))


def test_the_id_of_an_order_is_cut_where_it_is_told() -> None:
    long, cut = "x" * 100, f"“{'x' * 63}…”"
    row = replace(ORDER, ids=(long,))
    told = [
        closed_to(replace(UNKNOWN, state=TicketState.ACCEPTED, order_ids=(long,))),
        objection(about(Cancel("Sim101", ES, LIMIT, long)), Resolution.ACCEPTED, "o1"),
        chosen(UNKNOWN, None, (row,), NOBODY),
        chosen(UNKNOWN, long, (), NOBODY),
        chosen(UNKNOWN, long, (replace(row, side=Side.BUY),), NOBODY),
    ]
    assert [each for each in told if cut not in str(each)] == []


def test_an_order_is_found_by_any_of_its_ids() -> None:
    both = replace(ORDER, ids=("676", "o1"))
    assert chosen(UNKNOWN, "o1", (replace(ORDER, ids=("x",)), both), NOBODY) is both
    assert "lists no order “o2”" in str(chosen(UNKNOWN, "o2", (both,), NOBODY))


@pytest.mark.parametrize(
    ("order", "taken", "told"),
    [
        (replace(ORDER, side=Side.BUY), NOBODY, "is BUY ES 09-26 and the ticket is SELL ES 09-26"),
        (replace(ORDER, contract=ES_DECEMBER), NOBODY, "is SELL ES 12-26"),
        (replace(ORDER, ids=("o1", "old")), NOBODY, "was there before"),
        (ORDER, frozenset({"o1"}), "belongs to another ticket"),
    ],
)
def test_an_order_must_fit_the_ticket_and_be_nobody_elses(order: Order, taken: frozenset[str], told: str) -> None:
    assert told in str(chosen(UNKNOWN, "o1", (order,), taken))


def test_a_close_whose_order_works_is_not_over() -> None:
    assert "still works" in str(chosen(CLOSING, "o1", (ORDER,), NOBODY))
    done = replace(ORDER, state=OrderState.FILLED)
    assert chosen(CLOSING, "o1", (done,), NOBODY) is done


def test_the_word_is_kept_with_its_name_and_harmless() -> None:
    later = NOW + timedelta(minutes=5)
    new = resolved(UNKNOWN, Resolution.REJECTED, Member(301, "T*ina"), "seen @everyone in the log", later, None)
    assert (new.state, new.ended_at, new.version) == (TicketState.REJECTED, later, UNKNOWN.version + 1)
    assert (new.ended_by, new.ended_by_id, new.ender) == ("T*ina", 301, "“T*ina” (member 301)")
    assert replace(new, ended_by_id=None).ender == "“T*ina”"
    assert new.outcome == "resolved by “T*ina” (member 301): “seen @everyone in the log”"
    assert (new.order_ids, new.order_state, new.absent_since) == ((), None, None)
    assert is_resolved(new)
    assert is_word(new)
    assert not is_word(move(replace(new, state=TicketState.ACCEPTED), TicketState.ACCEPTED, outcome="Found since."))


def test_accepted_with_an_order_is_followed_and_without_one_is_not() -> None:
    followed = resolved(UNKNOWN, Resolution.ACCEPTED, TINA, "seen", NOW, replace(ORDER, ids=("676", "o1")))
    assert (followed.order_ids, followed.order_state, followed.is_followed) == (("676", "o1"), None, True)
    for ticket in (*UNTOUCHED, *PLACES, CANCELLING, CHANGING):
        alone = resolved(ticket, Resolution.ACCEPTED, TINA, "seen", NOW, None)
        assert (alone.order_ids, alone.is_followed) == ((), False)
    never = resolved(UNKNOWN, Resolution.NEVER_ARRIVED, TINA, "seen", NOW, None)
    assert (never.state, never.order_state) == (TicketState.NEVER_ARRIVED, None)


def test_what_was_cancelled_by_somebody_is_not_resolved_by_them() -> None:
    assert not is_resolved(replace(TICKET, state=TicketState.CANCELLED, ended_by="Tina"))
    assert not is_resolved(replace(TICKET, state=TicketState.ACCEPTED))
    assert isinstance(UNKNOWN.intent, Reverse)
