"""Who waits for whom: what stands in the way of an order while it is on its way itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState, Told
from bot.trading.risk.limits import check_order
from bot.trading.risk.policy import DenialCode
from bot.trading.risk.underway import stands_in_the_way
from tests.rules.strategies import (
    ES,
    ES_DECEMBER,
    GOOD,
    INTENT,
    NOW,
    NQ,
    ORDER,
    sent,
)
from tests.rules.wanting import BOB, wanted

ASKED: list[OrderIntent] = [
    Reverse("Sim101", ES, Terms(Side.SELL, 3)),
    VerifiedReverse("Sim101", ES, Terms(Side.SELL, 3), "own"),
    Invert("Sim101", ES, Terms(Side.SELL, 2)),
    PlaceOrder("Sim101", ES, Terms(Side.SELL, 3), "own"),
    FlatPlace("Sim101", ES, Terms(Side.SELL, 3)),
    Close("Sim101", ES, Terms(Side.SELL, 2)),
    Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1"),
    Change("Sim101", ES, Terms(Side.SELL, 3), "o1", Terms(Side.SELL, 3)),
    Replace("Sim101", ES, Terms(Side.SELL, 3), "o1", Terms(Side.SELL, 3)),
    Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5790)), Decimal(5810)),
]
OTHERS: list[Intent] = [
    *ASKED,
    Flatten(Scope(("Sim101",))),
    Flatten(Scope(("Sim101", "Sim102"), everything=True)),
    Flatten(Scope(("Sim101",), ES), Holding.SHORT),
    CancelWorking(Scope(("Sim101",))),
]
ELSEWHERE: list[Intent] = [
    Flatten(Scope(("Sim102",))),
    Flatten(Scope(("Sim101",), NQ)),
    Close("Sim102", ES, Terms(Side.SELL, 2)),
    Reverse("Sim101", ES_DECEMBER, Terms(Side.SELL, 3)),
]
# An entry waits for all but cancellations, an exit for what closes, a cancel for nothing.
WITH_BOTH_CANCELS = "Cancel CancelWorking"
WHAT_KEEPS_THE_POSITION = "PlaceOrder Cancel Change Replace Bracket CancelWorking"
EVERYTHING = "Reverse VerifiedReverse Invert PlaceOrder FlatPlace Close Cancel Change Replace Bracket Flatten CancelWorking"
DOES_NOT_WAIT_FOR = {
    "Reverse": WITH_BOTH_CANCELS,
    "VerifiedReverse": WITH_BOTH_CANCELS,
    "Invert": WITH_BOTH_CANCELS,
    "PlaceOrder": WITH_BOTH_CANCELS,
    "FlatPlace": WITH_BOTH_CANCELS,
    "Change": WITH_BOTH_CANCELS,
    "Replace": WITH_BOTH_CANCELS,
    "Close": WHAT_KEEPS_THE_POSITION,
    "Bracket": WHAT_KEEPS_THE_POSITION,
    "Cancel": EVERYTHING,
}


def kind(intent: object) -> str:
    return type(intent).__name__


@pytest.mark.parametrize("intent", ASKED, ids=kind)
def test_who_waits_for_whom(intent: OrderIntent) -> None:
    free = DOES_NOT_WAIT_FOR[kind(intent)].split()
    for underway in OTHERS:
        assert stands_in_the_way(underway, intent) is (kind(underway) not in free), underway


def test_nobody_waits_for_what_happens_elsewhere() -> None:
    for intent in ASKED:
        assert [underway for underway in ELSEWHERE if stands_in_the_way(underway, intent)] == [], intent


@pytest.mark.parametrize("state", TicketState)
def test_a_flatten_lets_nothing_in_until_it_has_ended(state: TicketState) -> None:
    its = sent(state, ago=3600, intent=Flatten(Scope(("Sim101",))), requester=replace(BOB, name="@here"))
    codes = [DenialCode.FLATTENING] if state in {TicketState.SENDING, TicketState.UNKNOWN} else []
    close = Close("Sim101", ES, Terms(Side.SELL, 2))
    # A flatten that has been kept from closing for so long keeps nobody else from it.
    assert wanted(close).with_recent(its).codes() == (codes if state is TicketState.UNKNOWN else [])
    begun = replace(its, sent_at=NOW - timedelta(seconds=2))
    assert wanted(close).with_recent(begun).codes() == codes
    for intent in (INTENT, PlaceOrder("Sim101", ES, Terms(Side.SELL, 1), "own")):
        assert wanted(intent).with_recent(its).codes() == codes
    assert wanted(Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1"), orders=(ORDER,)).with_recent(its).codes() == []
    if codes:
        world = GOOD.with_recent(its)
        [denial] = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
        assert denial.sentence.startswith("“@here” (member 8) is flattening “Sim101” (ticket earlier)")


@pytest.mark.parametrize("intent", OTHERS, ids=kind)
def test_what_goes_over_many_things_or_only_cancels_counts_for_no_rate_double_or_position(intent: Intent) -> None:
    counts = not isinstance(intent, Flatten | CancelWorking | Cancel)
    world = GOOD.with_limit(orders_per_minute=1, max_position=3).with_recent(sent(TicketState.ACCEPTED, intent=intent))
    assert (DenialCode.ORDERS_PER_MINUTE in world.codes()) is counts
    places = isinstance(intent, Reverse | VerifiedReverse | Invert | PlaceOrder | FlatPlace | Replace | Close)
    assert (DenialCode.MAX_POSITION in world.codes()) is places


CLOSE = Close("Sim101", ES, Terms(Side.SELL, 2))
TAKEN = sent(TicketState.ACCEPTED, ago=1, intent=CLOSE)


@pytest.mark.parametrize("intent", [each for each in OTHERS if not isinstance(each, Flatten | CancelWorking)], ids=kind)
def test_a_close_that_was_taken_and_is_not_seen_done_is_not_done_twice(intent: OrderIntent) -> None:
    world = wanted(intent, orders=(ORDER,)).with_recent(TAKEN)
    closes = kind(intent) in {"Reverse", "VerifiedReverse", "Invert", "FlatPlace", "Close"}
    assert (DenialCode.OUTCOME_UNKNOWN in world.codes()) is closes


@pytest.mark.parametrize(
    "over",
    [
        replace(TAKEN, order_state=OrderState.FILLED),
        replace(TAKEN, outcome="Still LONG 2 after 15 s; look at NinjaTrader.", told=Told.OVERDUE),
        replace(TAKEN, intent=replace(CLOSE, account="Sim102")),
        replace(TAKEN, state=TicketState.REJECTED),
    ],
    ids=["seen done", "told overdue", "elsewhere", "rejected"],
)
def test_a_close_that_is_over_holds_up_nobody(over: Ticket) -> None:
    assert wanted(CLOSE).with_recent(over).codes() == []
