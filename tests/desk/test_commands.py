"""Every trading command goes the same way: ticket, Confirm, one call, an end that is told. What differs is looked at here."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.desk import Desk
from bot.desk.follow import TAKES
from bot.desk.interrupted import GRACE
from bot.desk.ports import EventName
from bot.desk.reconcile import BETWEEN
from bot.desk.requests import (
    CancelRequest,
    CloseRequest,
    FlatPlaceRequest,
    ModifyRequest,
    PlaceRequest,
    ReverseRequest,
    TicketRequest,
)
from bot.trading.facts import Order
from bot.trading.intents import Cancel, Change, Close, FlatPlace, Intent, PlaceOrder, Reverse
from bot.trading.orders import OrderState, OrderType, Side
from bot.trading.outcomes import Accepted, Outcome, Rejected, Unknown
from bot.trading.policy import Grant, Limit
from bot.trading.tickets import Ticket, TicketState
from tests.desk.conftest import TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, eventually

REST = "rest1"
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
FLATPLACE = FlatPlaceRequest("Sim102", "ES 09-26", Side.SELL, 3)
CLOSE = CloseRequest("Sim101", "ES 09-26")
CANCEL = CancelRequest("Sim101", REST)
MODIFY = ModifyRequest("Sim101", REST, limit="5790.25")
EVERY: dict[str, tuple[TicketRequest, type[Intent]]] = {
    "reverse": (ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1), Reverse),
    "place": (PLACE, PlaceOrder),
    "flatplace": (FLATPLACE, FlatPlace),
    "close": (CLOSE, Close),
    "cancel": (CANCEL, Cancel),
    "modify": (MODIFY, Change),
}


def resting(room: Room, **changes: object) -> Order:
    """A limit order that works in the book."""
    order = replace(room.broker.rest(Side.BUY, 2), ids=(REST,), limit=Decimal("5790.00"))
    room.broker.book_orders[-1] = replace(order, **changes)  # type: ignore[arg-type]  # the test names the fields
    return room.broker.book_orders[-1]


async def lost(room: Room, request: TicketRequest, outcome: Outcome | None = None) -> Ticket:
    """A ticket whose answer was lost."""
    room.broker.outcomes.append(outcome or Unknown("the connection was reset"))
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    return await room.now(ticket.id)


async def as_time_passes(room: Room, holds: Callable[[], bool]) -> None:
    """Wait until a condition holds while the clock goes on."""

    def step() -> bool:
        room.clock.pass_by(0.05)
        return holds()

    await eventually(step)


@pytest.mark.parametrize("command", EVERY)
async def test_a_command_makes_one_ticket_one_call_and_one_end(room: Room, command: str) -> None:
    request, kind = EVERY[command]
    resting(room)
    ticket = await room.ticket(request)
    assert (type(ticket.intent), ticket.intent.command, room.broker.sent) == (kind, command, [])
    await asyncio.gather(room.confirm(ticket), room.confirm(ticket))
    assert room.broker.sent == [ticket.intent]
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


@pytest.mark.parametrize("command", EVERY)
async def test_nobody_does_without_a_grant_of_just_that_command(room: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(room)
    others = frozenset(EVERY) - {command}
    room.rule(grants=(Grant(TRADER_ROLE, others, ("Sim*",), ("*",), 5),))
    assert await room.refused(request) == ["NO_GRANT"]


@pytest.mark.parametrize("command", EVERY)
async def test_the_grant_is_asked_again_at_the_press(room: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(room)
    ticket = await room.ticket(request)
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({command}), ("Apex*",), ("*",), 5),))
    assert await room.confirm(ticket) is not None
    assert room.broker.sent == []


@pytest.mark.parametrize("command", ["cancel", "modify"])
async def test_an_order_of_another_instrument_than_granted_is_left_alone(room: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(room)
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({command}), ("Sim*",), ("NQ",), 5),))
    assert await room.refused(request) == ["INSTRUMENT_NOT_GRANTED"]


BAD: dict[str, tuple[TicketRequest, str]] = {
    "qty and percent": (replace(CLOSE, quantity=1, percent="50"), "BAD_REQUEST"),
    "nothing of it": (replace(CLOSE, quantity=0), "BAD_REQUEST"),
    "over a hundred": (replace(CLOSE, percent="101"), "BAD_REQUEST"),
    "no percentage": (replace(CLOSE, percent="half"), "BAD_REQUEST"),
    "more than is open": (replace(CLOSE, quantity=3), "BAD_REQUEST"),
    "no position": (replace(CLOSE, instrument="NQ 09-26"), "NO_POSITION"),
    "no instrument": (replace(CLOSE, instrument="?"), "UNKNOWN_INSTRUMENT"),
    "no order id": (replace(CANCEL, order=" "), "BAD_REQUEST"),
    "an order that isn't there": (replace(CANCEL, order="nobody's"), "NO_SUCH_ORDER"),
    "an order of another account": (replace(CANCEL, account="Sim102"), "NO_SUCH_ORDER"),
    "nothing to change": (replace(MODIFY, limit=None), "BAD_REQUEST"),
    "a change that changes nothing": (replace(MODIFY, limit="5790"), "BAD_REQUEST"),
    "a stop for a limit order": (replace(MODIFY, stop="5790"), "BAD_REQUEST"),
    "no price": (replace(MODIFY, limit="cheap"), "BAD_REQUEST"),
    "off the tick": (replace(MODIFY, limit="5790.10"), "BAD_PRICE"),
    "less than has filled": (replace(MODIFY, limit=None, quantity=1), "BAD_REQUEST"),
    "no requirement": (replace(PLACE, require="open"), "BAD_REQUEST"),
    "not as required": (replace(PLACE, require="flat,long"), "POSITION_NOT_AS_REQUIRED"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_is_refused_and_nothing_is_sent(room: Room, case: str) -> None:
    request, code = BAD[case]
    resting(room, filled=1)
    assert await room.refused(request) == [code]
    assert room.broker.sent == []


@pytest.mark.parametrize("state", [OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED])
@pytest.mark.parametrize("request_", [CANCEL, MODIFY], ids=["cancel", "modify"])
async def test_a_finished_order_is_left_alone(room: Room, request_: TicketRequest, state: OrderState) -> None:
    resting(room, state=state)
    assert await room.refused(request_) == ["ORDER_FINISHED"]


async def test_an_order_that_finishes_before_the_press_is_not_cancelled(room: Room) -> None:
    resting(room)
    ticket = await room.ticket(CANCEL)
    room.broker.change(REST, OrderState.FILLED, 2)
    await room.confirm(ticket)
    stored = await room.now(ticket.id)
    assert (stored.state, room.broker.sent) == (TicketState.DENIED, [])
    assert "ORDER_FINISHED" in (stored.outcome or "")


async def test_orders_that_cannot_be_read_are_said_to_be(room: Room) -> None:
    room.broker.failing.add("orders")
    assert await room.refused(CANCEL) == ["FACTS_MISSING"]


async def test_a_root_whose_month_cannot_be_read_is_said_to_be(room: Room) -> None:
    room.broker.failing.add("positions")
    assert await room.refused(replace(PLACE, instrument="ES")) == ["FACTS_MISSING"]


@pytest.mark.parametrize(
    ("asked", "closed"),
    [(CLOSE, 2), (replace(CLOSE, quantity=1), 1), (replace(CLOSE, percent="50%"), 1), (replace(CLOSE, percent="50.1"), 2)],
)
async def test_a_close_takes_away_what_was_asked_and_never_turns_over(room: Room, asked: CloseRequest, closed: int) -> None:
    ticket = await room.ticket(asked)
    assert (ticket.order.terms.quantity, ticket.order.terms.side, ticket.shown.after) == (closed, Side.BUY, closed - 2)
    await room.confirm(ticket)
    assert room.broker.book_positions["Sim101", ES] == closed - 2


async def test_a_close_is_sized_by_the_position_at_the_press(room: Room) -> None:
    ticket = await room.ticket(CLOSE)
    room.broker.book_positions["Sim101", ES] = -5
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.revision, again.order.terms.quantity, room.broker.sent) == (2, 5, [])
    await room.confirm(again)
    assert room.broker.book_positions["Sim101", ES] == 0


async def test_an_order_that_was_changed_by_somebody_else_is_shown_again(room: Room) -> None:
    resting(room)
    ticket = await room.ticket(replace(MODIFY, limit="5791.00"))
    resting(room, limit=Decimal("5785.00"))
    del room.broker.book_orders[0]
    await room.confirm(ticket)
    again = await room.now(ticket.id)
    assert (again.revision, room.broker.sent) == (2, [])
    await room.confirm(again)
    assert room.broker.book_orders[0].limit == Decimal("5791.00")


async def test_no_limit_stands_in_the_way_of_getting_out(room: Room) -> None:
    resting(room)
    strict = Limit(("*",), ("*",), max_position=1, orders_per_minute=0, duplicate_seconds=60, daily_loss=Decimal(1))
    room.rule(limits=(strict,), grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), ("*",), 1),))
    room.broker.quote_age = 10_000
    room.broker.failing.add("quote")
    for request in (CLOSE, CANCEL):
        await room.confirm(await room.ticket(request))
    assert [type(intent) for intent in room.broker.sent] == [Close, Cancel]


async def test_two_closes_do_not_go_at_once(room: Room) -> None:
    first, second = await room.ticket(CLOSE), await room.ticket(CLOSE)
    room.broker.outcomes.append(Unknown("reset"))
    await room.confirm(first)
    await room.confirm(second)
    assert len(room.broker.sent) == 1
    assert "OUTCOME_UNKNOWN" in ((await room.now(second.id)).outcome or "")


async def test_each_placed_order_has_an_id_of_its_own(room: Room) -> None:
    ids = set()
    for _ in range(3):
        ticket = await room.ticket(PLACE)
        assert isinstance(ticket.intent, PlaceOrder)
        ids.add(ticket.intent.order_id)
        await room.confirm(ticket)
        stored = await room.now(ticket.id)
        assert stored.order_ids == (f"order{len(ids)}", ticket.intent.order_id)
    assert len(ids) == 3


async def test_a_close_is_followed_until_the_position_shows_it(running: Room) -> None:
    running.broker.outcomes.append(Accepted(None))
    ticket = await running.ticket(replace(CLOSE, quantity=1))
    await running.confirm(ticket)
    await running.until(ticket, TicketState.ACCEPTED)
    assert (await running.now(ticket.id)).order_state is None
    running.broker.book_positions["Sim101", ES] = -1
    await as_time_passes(running, lambda: any("Closed 1" in notice.text for notice in running.messenger.told))
    stored = await running.now(ticket.id)
    assert (stored.order_state, stored.filled, stored.is_followed) == (OrderState.FILLED, 1, False)


async def test_a_close_that_does_not_happen_is_told_once(running: Room) -> None:
    running.broker.outcomes.append(Accepted(None))
    ticket = await running.ticket(CLOSE)
    await running.confirm(ticket)
    running.clock.pass_by(TAKES.total_seconds())
    await as_time_passes(running, lambda: any("Not closed" in notice.text for notice in running.messenger.told))
    running.clock.pass_by(10)
    reads = running.broker.reads
    await as_time_passes(running, lambda: running.broker.reads > reads + 2)
    names = [event.name for event in await running.journal.events(ticket.id)]
    assert names.count(EventName.NOT_CLOSED) == 1
    assert "Still SHORT 2" in ((await running.now(ticket.id)).outcome or "")


async def test_a_cancelled_order_is_told_with_what_has_filled_of_it(running: Room) -> None:
    resting(running)
    running.broker.outcomes.append(Accepted(REST))
    ticket = await running.ticket(CANCEL)
    await running.confirm(ticket)
    running.broker.change(REST, OrderState.CANCELLED, 1)
    await as_time_passes(running, lambda: any("Order cancelled, 1 of 2 filled" in n.text for n in running.messenger.told))
    stored = await running.now(ticket.id)
    assert (stored.filled, stored.is_followed) == (1, False)


async def test_a_change_is_over_once_the_order_shows_it(running: Room) -> None:
    resting(running)
    running.broker.outcomes.append(Accepted(REST))
    ticket = await running.ticket(MODIFY)
    await running.confirm(ticket)
    reads = running.broker.reads
    await as_time_passes(running, lambda: running.broker.reads > reads + 2)
    assert (await running.now(ticket.id)).is_followed
    running.broker.book_orders[0] = replace(running.broker.book_orders[0], limit=Decimal("5790.25"))
    await as_time_passes(running, lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.WORKING)
    assert not (await running.now(ticket.id)).is_followed


def shows(room: Room, ticket: Ticket, state: TicketState) -> Callable[[], bool]:
    """Tell whether the card shows a state."""
    return lambda: state in room.messenger.states(ticket.id)


async def test_a_lost_close_that_was_done_is_adopted(running: Room) -> None:
    ticket = await lost(running, CLOSE)
    running.broker.book_positions["Sim101", ES] = 0
    running.desk._seek_evidence()
    await as_time_passes(running, shows(running, ticket, TicketState.ACCEPTED))
    assert len(running.broker.sent) == 1


async def test_a_lost_cancellation_that_was_done_is_adopted(running: Room) -> None:
    resting(running)
    ticket = await lost(running, CANCEL)
    running.broker.change(REST, OrderState.CANCELLED)
    await as_time_passes(running, shows(running, ticket, TicketState.ACCEPTED))
    assert len(running.broker.sent) == 1


async def test_a_lost_cancellation_of_an_order_that_was_rejected_is_no_rejection_of_the_cancellation(running: Room) -> None:
    resting(running)
    ticket = await lost(running, CANCEL)
    running.broker.change(REST, OrderState.REJECTED)
    await as_time_passes(running, shows(running, ticket, TicketState.ACCEPTED))


@pytest.mark.parametrize("command", ["place", "close", "cancel", "modify"])
async def test_what_never_arrived_is_said_so_and_can_be_asked_again(running: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(running)
    ticket = await lost(running, request)
    running.clock.pass_by(GRACE.total_seconds())
    reads = running.broker.reads
    await as_time_passes(running, lambda: running.broker.reads > reads + 2)
    running.clock.pass_by(BETWEEN.total_seconds())
    await as_time_passes(running, shows(running, ticket, TicketState.NEVER_ARRIVED))
    assert len(running.broker.sent) == 1
    await running.confirm(await running.ticket(request))
    assert len(running.broker.sent) == 2


async def test_a_lost_order_is_found_by_the_desks_own_id(running: Room) -> None:
    ticket = await lost(running, PLACE)
    assert isinstance(ticket.intent, PlaceOrder)
    # A twin by hand in the same moment: only the id tells them apart.
    running.broker.book(ticket.intent)
    own = running.broker.book(ticket.intent)
    running.broker.book_orders[-1] = replace(own, ids=("nt1", ticket.intent.order_id))
    await as_time_passes(running, shows(running, ticket, TicketState.ACCEPTED))
    assert (await running.now(ticket.id)).order_id == "nt1"


async def test_a_rejected_cancellation_is_told_in_the_vendors_words(room: Room) -> None:
    resting(room)
    ticket = await lost(room, CANCEL, Rejected("Order linked to 'rest1' not found or already terminal.", 400))
    assert ticket.state is TicketState.REJECTED
    assert "already terminal" in (ticket.outcome or "")


async def test_an_order_type_that_the_list_does_not_tell_goes_by_its_prices(room: Room) -> None:
    resting(room, type=None)
    ticket = await room.ticket(CANCEL)
    assert ticket.order.terms.type is OrderType.LIMIT


async def test_a_denial_keeps_what_was_typed(room: Room) -> None:
    desk: Desk = room.desk
    await desk.offer(TRADER, (await room.ticket(PLACE)).place, replace(CLOSE, instrument="NQ 09-26", percent="50"))
    event = room.disk.recorded[-1]
    assert {"command": "close", "account": "Sim101", "instrument": "NQ 09-26", "percent": "50"}.items() <= event.data.items()
