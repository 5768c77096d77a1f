"""The limits of a position: what is open, works and is on its way, each side of the market by itself."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.trading.market.facts import Order, Position
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Cancel,
    Change,
    Close,
    Intent,
    OrderIntent,
    PlaceOrder,
    Replace,
)
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.exposure import worst_position
from bot.trading.risk.limits import OwnOrders, check_order
from bot.trading.risk.policy import DenialCode
from tests.rules.strategies import (
    ES,
    ES_DECEMBER,
    GOOD,
    INTENT,
    NQ,
    ORDER,
    sent,
)
from tests.rules.wanting import BEFORE, WORKS, held, replacing, wanted

BUYS_FIVE = replace(WORKS, ids=("hand",))
NO = [DenialCode.MAX_POSITION]
EACH_SIDE: dict[str, tuple[int, Side, int, list[DenialCode]]] = {
    "over on one side, out to flat": (11, Side.SELL, 11, []),
    "over on one side, through to the limit of the other": (11, Side.SELL, 14, []),
    "over on one side, through beyond the limit of the other": (11, Side.SELL, 15, NO),
    "over on one side, as far on the other": (11, Side.SELL, 22, NO),
    "over on one side, more of it": (11, Side.BUY, 1, NO),
    "short and over, through beyond the limit": (-11, Side.BUY, 15, NO),
    "short and over, through to the limit": (-11, Side.BUY, 14, []),
}


@pytest.mark.parametrize(("now", "side", "quantity", "codes"), EACH_SIDE.values(), ids=list(EACH_SIDE))
def test_each_side_of_the_market_counts_by_itself(now: int, side: Side, quantity: int, codes: list[DenialCode]) -> None:
    intent = PlaceOrder("Sim101", ES, Terms(side, quantity), "own")
    assert wanted(intent, positions=held(now)).with_limit(max_position=3).codes() == codes


@pytest.mark.parametrize(("quantity", "codes"), [(3, []), (4, NO), (5, NO)])
def test_a_working_order_on_the_other_side_makes_no_room_on_this_one(quantity: int, codes: list[DenialCode]) -> None:
    place = PlaceOrder("Sim101", ES, Terms(Side.SELL, quantity), "own")
    assert wanted(place, positions=(), orders=(BUYS_FIVE,)).with_limit(max_position=3).codes() == codes
    change = Change("Sim101", ES, Terms(Side.SELL, quantity), "o1", Terms(Side.SELL, 1))
    sells_one = replace(ORDER, quantity=1)
    assert wanted(change, positions=(), orders=(BUYS_FIVE, sells_one)).with_limit(max_position=3).codes() == codes


def bracketed(month: Contract, size: int) -> tuple[tuple[Position, ...], tuple[Order, ...]]:
    """A position that is protected by a stop and a target of its own size."""
    leg = replace(ORDER, contract=month, side=Side.SELL, quantity=size)
    stop = replace(leg, ids=("stop",), type=OrderType.STOPMARKET, stop=Decimal(5700), oco="pair")
    goal = replace(leg, ids=("target",), type=OrderType.LIMIT, limit=Decimal(5900), oco="pair")
    return (Position("Sim101", month, size),), (stop, goal)


@pytest.mark.parametrize(("most", "codes"), [(6, []), (5, NO)])
def test_a_bracket_of_another_month_counts_once_at_a_roll(most: int, codes: list[DenialCode]) -> None:
    positions_, orders = bracketed(ES_DECEMBER, 4)
    entry = PlaceOrder("Sim101", ES, Terms(Side.BUY, 2), "own")
    world = wanted(entry, positions=positions_, orders=orders).with_limit(max_position=most)
    assert world.codes() == codes
    for denial in check_order(entry, world.member, world.facts, world.policy, world.recent, world.now):
        assert "could hold 6 ES" in denial.sentence


CHANGING = Change("Sim101", ES_DECEMBER, replace(BEFORE, quantity=9), "hand", BEFORE)


@pytest.mark.parametrize(
    ("ticket", "orders", "worst"),
    [
        (sent(TicketState.SENDING, intent=CHANGING), (replace(BUYS_FIVE, contract=ES_DECEMBER),), 10),
        (sent(TicketState.ACCEPTED, intent=CHANGING), (replace(BUYS_FIVE, contract=ES_DECEMBER),), 10),
        (sent(TicketState.ACCEPTED, intent=CHANGING), (replace(BUYS_FIVE, contract=ES_DECEMBER, quantity=9),), 10),
        (sent(TicketState.ACCEPTED, intent=CHANGING), (), 5),
        (
            sent(TicketState.ACCEPTED, intent=CHANGING),
            (replace(BUYS_FIVE, contract=ES_DECEMBER, state=OrderState.CANCELLED),),
            1,
        ),
        (
            sent(TicketState.ACCEPTED, intent=CHANGING, order_state=OrderState.WORKING),
            (replace(BUYS_FIVE, contract=ES_DECEMBER),),
            6,
        ),
    ],
    ids=["on its way", "taken and not seen", "seen in the list", "of an order that isn't listed", "of one that is over", "seen"],
)
def test_an_order_that_is_being_made_larger_counts_as_it_shall_be(ticket: Ticket, orders: tuple[Order, ...], worst: int) -> None:
    facts = replace(GOOD.facts, positions=(), orders=orders)
    assert worst_position(PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), "own2"), facts, (ticket,)) == worst


@pytest.mark.parametrize(
    ("change", "result", "codes"),
    [
        ({"quantity": 4}, Decimal("-1000.01"), []),
        ({"quantity": 4}, None, []),
        ({"quantity": 6}, Decimal("-1000.01"), [DenialCode.DAILY_LOSS]),
        ({"quantity": 6}, Decimal(-1000), []),
        ({"limit": Decimal("5796.00")}, Decimal("-1000.01"), [DenialCode.DAILY_LOSS]),
    ],
    ids=["smaller", "smaller, the day unread", "larger", "larger on the figure itself", "nearer, though it closes nothing"],
)
def test_at_a_daily_loss_a_change_that_can_only_lessen_goes(
    change: dict[str, object], result: Decimal | None, codes: list[DenialCode]
) -> None:
    intent = Change("Sim101", ES, replace(BEFORE, **change), "old", BEFORE)  # type: ignore[arg-type]  # a table of parts
    world = wanted(intent, orders=(WORKS,)).with_limit(daily_loss=Decimal(1000))
    assert world.with_account(realised=result).codes() == codes


ELSEWHERE_UNKNOWN: dict[str, tuple[Ticket, list[DenialCode]]] = {
    "unknown in another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=replace(INTENT, contract=ES_DECEMBER)),
        [DenialCode.OUTCOME_UNKNOWN],
    ),
    "on its way in another month": (sent(TicketState.SENDING, intent=replace(INTENT, contract=ES_DECEMBER)), []),
    "unknown change in another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=replace(CHANGING, terms=BEFORE)),
        [DenialCode.OUTCOME_UNKNOWN],
    ),
    "unknown in another account": (sent(TicketState.UNKNOWN, ago=3600, intent=replace(INTENT, account="Sim102")), []),
    "unknown in another root": (sent(TicketState.UNKNOWN, ago=3600, intent=replace(INTENT, contract=NQ)), []),
    "unknown cancellation in another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=Cancel("Sim101", ES_DECEMBER, BEFORE, "x")),
        [],
    ),
    "unknown flatten of another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=Flatten(Scope(("Sim101",), ES_DECEMBER))),
        [DenialCode.FLATTENING],
    ),
    "flattening another month": (sent(TicketState.SENDING, ago=1, intent=Flatten(Scope(("Sim101",), ES_DECEMBER))), []),
    "unknown flatten of another account": (
        sent(TicketState.UNKNOWN, ago=3600, intent=Flatten(Scope(("Sim102",)))),
        [],
    ),
}


@pytest.mark.parametrize(("ticket", "codes"), ELSEWHERE_UNKNOWN.values(), ids=list(ELSEWHERE_UNKNOWN))
def test_an_unknown_outcome_bars_entries_in_every_month_of_its_root_and_no_way_out(
    ticket: Ticket, codes: list[DenialCode]
) -> None:
    world = GOOD.with_limit().with_recent(ticket)
    assert world.codes() == codes
    for denial in check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now):
        if denial.code is DenialCode.OUTCOME_UNKNOWN:
            assert "“Sim101” ES 12-26 is not known yet; until then no month of ES is entered there" in denial.sentence
    assert replace(world, intent=Close("Sim101", ES, Terms(Side.SELL, 2))).codes() == []


@pytest.mark.parametrize(
    ("order", "closes"),
    [
        (replace(ORDER, type=None), True),
        (replace(ORDER, type=None, limit=Decimal(5900)), False),
        (replace(ORDER, type=None, side=Side.BUY), False),
        (replace(ORDER, type=None, contract=ES_DECEMBER), False),
    ],
    ids=["no price", "a price", "the other side", "another month"],
)
def test_an_order_of_a_type_that_nobody_told_keeps_out_what_closes_first_and_nobody_in(order: Order, closes: bool) -> None:
    world = GOOD.with_limit().with_facts(orders=(order,))
    assert world.codes() == ([DenialCode.CLOSING] if closes else [])
    assert replace(world, intent=Close("Sim101", ES, Terms(Side.SELL, 2))).codes() == []


@pytest.mark.parametrize(("side", "codes"), [(Side.SELL, []), (Side.BUY, [DenialCode.MAX_POSITION])])
def test_who_is_over_the_limit_may_place_what_takes_away_from_it(side: Side, codes: list[DenialCode]) -> None:
    intent = PlaceOrder("Sim101", ES, Terms(side, 2), "own")
    assert wanted(intent, positions=held(12)).with_limit(max_position=10).codes() == codes


def test_where_nothing_may_be_held_not_one_contract_may_be_reversed_into() -> None:
    assert GOOD.with_terms(quantity=1).with_limit(max_position=0).codes() == [DenialCode.MAX_POSITION]


@pytest.mark.parametrize(
    ("intent", "worst"),
    [
        # LONG 2, of which both came of the old order; 4 in all leave 2 to come.
        (Change("Sim101", ES, replace(BEFORE, quantity=4), "old", BEFORE), 4),
        (Change("Sim101", ES, BEFORE, "old", BEFORE), 5),
        # A new order has filled nothing yet.
        (Replace("Sim101", ES, replace(BEFORE, quantity=4), "old", BEFORE), 6),
        (PlaceOrder("Sim101", ES, replace(BEFORE, quantity=4), "own"), 9),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_filled_of_an_order_counts_once(intent: OrderIntent, worst: int) -> None:
    facts = replace(GOOD.facts, orders=(replace(WORKS, filled=2, state=OrderState.PART_FILLED),))
    assert worst_position(intent, facts, ()) == worst


@pytest.mark.parametrize(
    "other",
    [Flatten(Scope(("Sim101",))), Cancel("Sim101", ES, BEFORE, "old"), Change("Sim101", ES, BEFORE, "old", BEFORE)],
    ids=lambda value: type(value).__name__,
)
def test_what_places_nothing_hides_no_order_behind_it(other: Intent) -> None:
    entry = sent(TicketState.SENDING, intent=PlaceOrder("Sim101", ES, Terms(Side.BUY, 3), "own"))
    recent = OwnOrders((sent(TicketState.SENDING, intent=other), entry))
    assert worst_position(PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), "own2"), GOOD.facts, recent.tickets) == 2 + 3 + 1


def test_the_worst_of_a_replacement_counts_the_new_order_and_not_the_old_one() -> None:
    world = replacing(3)
    assert worst_position(world.intent, world.facts, world.recent.tickets) == 5
