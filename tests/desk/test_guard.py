"""The guard of ``/place``: the position that the card shows goes out with the order, and nothing that the card doesn't show."""

from dataclasses import replace

import pytest

from bot.desk.requests import FlatPlaceRequest, PlaceRequest, ReplaceRequest
from bot.trading.orders.intents import PlaceOrder
from bot.trading.orders.terms import OrderType, Side
from bot.trading.orders.tickets import Ticket, TicketState
from tests.desk.conftest import APPROVER, Room
from tests.desk.fakes import ES

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
LIMIT = replace(PLACE, type=OrderType.LIMIT, limit="5700")


def guard_of(ticket: Ticket) -> str | None:
    """What the card of an order by ``/place`` shows as its guard."""
    assert isinstance(ticket.intent, PlaceOrder)
    return ticket.intent.guard


@pytest.mark.parametrize(("position", "guard"), [(2, "long"), (-2, "short"), (0, "flat")])
@pytest.mark.parametrize("request_", [PLACE, LIMIT], ids=["market", "limit"])
async def test_the_order_carries_the_position_of_its_card(room: Room, position: int, guard: str, request_: PlaceRequest) -> None:
    room.broker.book_positions["Sim101", ES] = position
    ticket = await room.ticket(request_)
    assert guard_of(ticket) == guard
    await room.confirm(ticket)
    assert room.broker.sent == [ticket.intent]
    assert (await room.now(ticket.id)).intent == ticket.intent


async def test_what_the_member_requires_stands_alone(room: Room) -> None:
    ticket = await room.ticket(replace(PLACE, require="short,flat"))
    assert guard_of(ticket) is None
    await room.confirm(ticket)
    [sent] = room.broker.sent
    assert isinstance(sent, PlaceOrder)
    assert sent.require == {"short", "flat"}
    assert sent.guard is None


async def test_the_policy_turns_it_off(room: Room) -> None:
    room.rule(guard=False)
    ticket = await room.ticket(PLACE)
    await room.confirm(ticket)
    assert room.broker.sent == [ticket.intent]
    assert guard_of(ticket) is None


async def test_a_position_that_changed_before_the_press_is_shown_anew_with_its_guard(room: Room) -> None:
    ticket = await room.ticket(PLACE)
    room.broker.book_positions["Sim101", ES] = 1
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.state, again.revision, guard_of(again)) == (TicketState.OFFERED, 2, "long")
    assert room.broker.sent == []
    await room.confirm(again)
    assert room.broker.sent == [again.intent]


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
async def test_a_policy_that_changed_meanwhile_alters_nothing_that_the_card_shows(room: Room, before: bool, after: bool) -> None:
    room.rule(guard=before)
    ticket = await room.ticket(PLACE)
    room.rule(guard=after)
    await room.confirm(ticket)
    assert room.broker.sent == [ticket.intent]
    assert guard_of(ticket) == ("short" if before else None)
    stored = await room.now(ticket.id)
    assert (stored.revision, stored.intent) == (1, ticket.intent)


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
async def test_a_card_that_is_shown_anew_goes_by_the_policy_of_then(room: Room, before: bool, after: bool) -> None:
    room.rule(guard=before)
    ticket = await room.ticket(PLACE)
    room.rule(guard=after)
    room.broker.book_positions["Sim101", ES] = 1
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.revision, guard_of(again)) == (2, "long" if after else None)
    await room.confirm(again)
    assert room.broker.sent == [again.intent]


async def test_two_people_sign_the_guard_of_one_card(room: Room) -> None:
    ticket = await room.ticket(replace(PLACE, account="Apex-001"))
    assert guard_of(ticket) is not None
    await room.confirm(ticket)
    room.rule(guard=False)
    await room.approve(ticket, APPROVER)
    assert room.broker.sent == [ticket.intent]


async def test_orders_of_other_commands_go_out_as_they_did(room: Room) -> None:
    room.broker.rest(Side.BUY, 2)
    order_id = room.broker.book_orders[-1].id
    for request in (FlatPlaceRequest("Sim101", "ES 09-26", Side.SELL, 1), ReplaceRequest("Sim101", order_id, 1, limit="5790.25")):
        ticket = await room.ticket(request)
        assert not hasattr(ticket.intent, "guard")
