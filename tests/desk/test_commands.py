"""Every trading command goes the same way: ticket, Confirm, one call, an end that is told. What differs is looked at here."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.desk import Desk
from bot.desk.ports import EventName
from bot.desk.requests import (
    BracketRequest,
    CancelRequest,
    CloseRequest,
    FlatPlaceRequest,
    FlattenRequest,
    ModifyRequest,
    PlaceRequest,
    Refused,
    ReplaceRequest,
    ReverseRequest,
    TicketRequest,
)
from bot.timings import USUAL
from bot.trading.market.facts import Order
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.intents import (
    TRADING_COMMANDS,
    Action,
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, MassAction
from bot.trading.orders.outcomes import Accepted, Outcome, Rejected, Unknown
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import Grant, Limit, ReverseMode
from tests.desk.conftest import HERE, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, eventually

REST = "rest1"
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
FLATPLACE = FlatPlaceRequest("Sim102", "ES 09-26", Side.SELL, 3)
CLOSE = CloseRequest("Sim101", "ES 09-26")
CANCEL = CancelRequest("Sim101", REST)
MODIFY = ModifyRequest("Sim101", REST, limit="5790.25")
REVERSE = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1)
REPLACE = ReplaceRequest("Sim101", REST, 1, limit="5790.25")
BRACKET = BracketRequest("Sim101", "ES 09-26", 2, "5790", "5810")
EVERY: dict[str, tuple[TicketRequest, type[Intent]]] = {
    "reverse": (REVERSE, Reverse),
    "reverse verified": (replace(REVERSE, mode="verified"), VerifiedReverse),
    "reverse invert": (replace(REVERSE, quantity=2, mode="invert"), Invert),
    "place": (PLACE, PlaceOrder),
    "flatplace": (FLATPLACE, FlatPlace),
    "close": (CLOSE, Close),
    "flatten instrument": (FlattenRequest("instrument", "Sim101", "ES 09-26"), Flatten),
    "flatten account": (FlattenRequest("account", "Sim101"), Flatten),
    "flatten everything": (FlattenRequest("everything"), Flatten),
    "flatten short": (FlattenRequest("account", "Sim101", only="short"), Flatten),
    "cancel": (CANCEL, Cancel),
    "cancel instrument": (CancelRequest("Sim101", scope="instrument", instrument="ES 09-26"), CancelWorking),
    "cancel account": (CancelRequest("Sim101", scope="account"), CancelWorking),
    "cancel everything": (CancelRequest("", scope="everything"), CancelWorking),
    "modify": (MODIFY, Change),
    "replace": (REPLACE, Replace),
    "bracket": (BRACKET, Bracket),
}
IN_STEPS: dict[str, list[Action]] = {
    "flatten instrument": [CancelOrders("Sim101", ES), Close("Sim101", ES, Terms(Side.BUY, 2))],
    "flatten account": [CancelOrders("Sim101"), FlattenAccount("Sim101")],
    "flatten everything": [CancelOrders("Sim101"), FlattenAccount("Apex-001"), FlattenAccount("Sim101")],
    "flatten short": [CancelOrders("Sim101"), FlattenAccount("Sim101", None, Holding.SHORT)],
    "cancel instrument": [CancelOrders("Sim101", ES)],
    "cancel account": [CancelOrders("Sim101")],
    "cancel everything": [CancelOrders("Sim101")],
}


def calls_of(command: str, intent: Intent) -> list[Action]:
    """The calls that a command comes to: one for most."""
    if isinstance(intent, MassAction):
        return IN_STEPS[command]
    if isinstance(intent, VerifiedReverse):
        entry = PlaceOrder(intent.account, intent.contract, intent.terms, intent.client_order_id, frozenset({"flat"}))
        return [Close("Sim101", ES, Terms(Side.BUY, 2)), entry]
    return [intent]


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
async def test_a_command_makes_one_ticket_each_of_its_calls_once_and_one_end(room: Room, command: str) -> None:
    request, kind = EVERY[command]
    resting(room)
    ticket = await room.ticket(request)
    assert (type(ticket.intent), ticket.intent.command, room.broker.sent) == (kind, command.split(maxsplit=1)[0], [])
    await asyncio.gather(room.confirm(ticket), room.confirm(ticket))
    assert room.broker.sent == calls_of(command, ticket.intent)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


@pytest.mark.parametrize("command", EVERY)
async def test_a_lost_answer_is_never_followed_by_the_same_call(room: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(room)
    ticket = await room.ticket(request)
    room.broker.losing = set(map(type, calls_of(command, ticket.intent)))
    await room.confirm(ticket)
    assert room.broker.sent == calls_of(command, ticket.intent)
    in_steps = command in IN_STEPS
    assert (await room.now(ticket.id)).state is (TicketState.ACCEPTED if in_steps else TicketState.UNKNOWN)


@pytest.mark.parametrize("command", EVERY)
async def test_nobody_does_without_a_grant_of_just_that_command(room: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(room)
    others = TRADING_COMMANDS - {request.command}
    room.rule(grants=(Grant(TRADER_ROLE, others, ("Sim*",), ("*",), 5),))
    assert await room.refused(request) == ["NO_GRANT"]


@pytest.mark.parametrize("command", EVERY)
async def test_the_grant_is_asked_again_at_the_press(room: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(room)
    ticket = await room.ticket(request)
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({request.command}), ("Apex*",), ("*",), 5),))
    assert await room.confirm(ticket) is not None
    assert room.broker.sent == []


@pytest.mark.parametrize("command", ["cancel", "modify", "replace"])
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
    "nothing to replace": (replace(REPLACE, order=""), "BAD_REQUEST"),
    "replaced in no account": (replace(REPLACE, account=""), "BAD_REQUEST"),
    "replacing an order that isn't there": (replace(REPLACE, order="nobody's"), "NO_SUCH_ORDER"),
    "replaced by none": (replace(REPLACE, quantity=0), "BAD_REQUEST"),
    "replaced by more than granted": (replace(REPLACE, quantity=6), "QUANTITY_OVER_GRANT"),
    "replaced off the tick": (replace(REPLACE, limit="5790.10"), "BAD_PRICE"),
    "replaced by a stop without a price": (replace(REPLACE, type=OrderType.STOPMARKET, limit=None), "BAD_REQUEST"),
    "replaced with a price too many": (replace(REPLACE, type=OrderType.MARKET), "BAD_REQUEST"),
    "replaced, not as required": (replace(REPLACE, require="flat"), "POSITION_NOT_AS_REQUIRED"),
    "replaced, no requirement": (replace(REPLACE, require="open"), "BAD_REQUEST"),
    "a bracket of neither": (replace(BRACKET, target=" ", stop=""), "BAD_REQUEST"),
    "a bracket at no price": (replace(BRACKET, target="high"), "BAD_REQUEST"),
    "a bracket of nothing": (replace(BRACKET, quantity=0), "BAD_REQUEST"),
    "a bracket of too much": (replace(BRACKET, quantity=3), "BAD_REQUEST"),
    "a bracket the wrong way round": (replace(BRACKET, target="5810", stop="5820"), "BAD_PRICE"),
    "a bracket around nothing": (replace(BRACKET, instrument="NQ 09-26"), "NO_POSITION"),
    "an inversion of another size": (replace(REVERSE, mode="invert"), "BAD_REQUEST"),
    "an inversion at a price": (
        replace(REVERSE, quantity=2, mode="invert", type=OrderType.LIMIT, limit="5790"),
        "BAD_REQUEST",
    ),
    "an inversion with a template": (replace(REVERSE, quantity=2, mode="invert", strategy="Two legs"), "BAD_REQUEST"),
    "a way that there is not": (replace(REVERSE, mode="slow"), "BAD_REQUEST"),
    "a verified reversal of nothing": (replace(REVERSE, account="Sim102", mode="verified"), "NO_POSITION"),
    "not as required": (replace(PLACE, require="flat,long"), "POSITION_NOT_AS_REQUIRED"),
    "one position too many": (replace(PLACE, instrument="NQ 09-26", max_positions=1), "POSITION_NOT_AS_REQUIRED"),
    "no position at all": (replace(PLACE, max_positions=0), "BAD_REQUEST"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_is_refused_and_nothing_is_sent(room: Room, case: str) -> None:
    request, code = BAD[case]
    resting(room, filled=1)
    assert await room.refused(request) == [code]
    assert room.broker.sent == []


@pytest.mark.parametrize("state", [OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED])
@pytest.mark.parametrize("request_", [CANCEL, MODIFY, REPLACE], ids=["cancel", "modify", "replace"])
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


@pytest.mark.parametrize(
    ("read", "way_out"), [("orders", "/cancel scope:instrument"), ("positions", "/flatten scope:instrument")]
)
async def test_who_can_not_get_out_this_way_reads_of_the_one_that_needs_no_reading(room: Room, read: str, way_out: str) -> None:
    resting(room)
    room.broker.failing.add(read)
    request = CANCEL if read == "orders" else CloseRequest("Sim101", "ES 09-26")
    made = await room.desk.offer(TRADER, HERE, request)
    assert isinstance(made, Refused)
    assert way_out in made.denials[0].sentence
    scope = CancelRequest if read == "orders" else FlattenRequest
    unseen = scope(scope="instrument", account="Sim101", instrument="ES 09-26")
    assert isinstance(await room.desk.offer(TRADER, HERE, unseen), Ticket)


async def test_an_account_that_is_known_need_not_be_read_to_get_out_of_it(room: Room) -> None:
    room.broker.book_positions["Sim101", ES] = 2
    await room.ticket(CloseRequest("Sim101", "ES 09-26"))
    room.broker.failing.add("account")
    ticket = await room.ticket(CloseRequest("Sim101", "ES 09-26"))
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED
    assert await room.refused(PLACE) == ["FACTS_MISSING"]


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
    for request in (CANCEL, FlattenRequest("account", "Sim101")):
        await room.confirm(await room.ticket(request))
    room.broker.book_positions["Sim101", ES] = 9
    await room.confirm(await room.ticket(CLOSE))
    assert [type(intent) for intent in room.broker.sent] == [Cancel, FlattenAccount, Close]


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
        ids.add(ticket.intent.client_order_id)
        await room.confirm(ticket)
        stored = await room.now(ticket.id)
        assert stored.order_ids == (f"order{len(ids)}", ticket.intent.client_order_id)
    assert len(ids) == 3


async def test_a_close_is_followed_until_the_position_shows_it(running: Room) -> None:
    running.broker.outcomes.append(Accepted(None))
    ticket = await running.ticket(replace(CLOSE, quantity=1))
    await running.confirm(ticket)
    await running.until(ticket, TicketState.ACCEPTED)
    assert (await running.now(ticket.id)).order_state is None
    running.broker.book_positions["Sim101", ES] = -1
    await eventually(lambda: any("Closed 1" in notice.text for notice in running.messenger.told))
    stored = await running.now(ticket.id)
    assert (stored.order_state, stored.filled, stored.is_followed) == (OrderState.FILLED, 1, False)


async def test_a_close_that_does_not_happen_is_told_once(running: Room) -> None:
    running.broker.outcomes.append(Accepted(None))
    ticket = await running.ticket(CLOSE)
    await running.confirm(ticket)
    running.clock.pass_by(USUAL.desk.overdue.total_seconds())
    await eventually(lambda: any("Not closed" in notice.text for notice in running.messenger.told))
    running.clock.pass_by(10)
    reads = running.broker.reads
    await eventually(lambda: running.broker.reads > reads + 2)
    names = [event.name for event in await running.journal.events(ticket.id)]
    assert names.count(EventName.NOT_CLOSED) == 1
    assert "Still SHORT 2" in ((await running.now(ticket.id)).outcome or "")


async def test_a_cancelled_order_is_told_with_what_has_filled_of_it(running: Room) -> None:
    resting(running)
    running.broker.outcomes.append(Accepted(REST))
    ticket = await running.ticket(CANCEL)
    await running.confirm(ticket)
    running.broker.change(REST, OrderState.CANCELLED, 1)
    await eventually(lambda: any("Order cancelled, 1 of 2 filled" in n.text for n in running.messenger.told))
    stored = await running.now(ticket.id)
    assert (stored.filled, stored.is_followed) == (1, False)


async def test_a_change_is_over_once_the_order_shows_it(running: Room) -> None:
    resting(running)
    running.broker.outcomes.append(Accepted(REST))
    ticket = await running.ticket(MODIFY)
    await running.confirm(ticket)
    reads = running.broker.reads
    await eventually(lambda: running.broker.reads > reads + 2)
    assert (await running.now(ticket.id)).is_followed
    running.broker.book_orders[0] = replace(running.broker.book_orders[0], limit=Decimal("5790.25"))
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.WORKING)
    assert not (await running.now(ticket.id)).is_followed


def shows(room: Room, ticket: Ticket, state: TicketState) -> Callable[[], bool]:
    """Tell whether the card shows a state."""
    return lambda: state in room.messenger.states(ticket.id)


async def test_a_lost_close_that_was_done_is_adopted(running: Room) -> None:
    ticket = await lost(running, CLOSE)
    running.broker.book_positions["Sim101", ES] = 0
    running.desk._seek_evidence()
    await eventually(shows(running, ticket, TicketState.ACCEPTED))
    assert len(running.broker.sent) == 1


async def test_a_lost_cancellation_that_was_done_is_adopted(running: Room) -> None:
    resting(running)
    ticket = await lost(running, CANCEL)
    running.broker.change(REST, OrderState.CANCELLED)
    await eventually(shows(running, ticket, TicketState.ACCEPTED))
    assert len(running.broker.sent) == 1


async def test_a_lost_cancellation_of_an_order_that_was_rejected_is_no_rejection_of_the_cancellation(running: Room) -> None:
    resting(running)
    ticket = await lost(running, CANCEL)
    running.broker.change(REST, OrderState.REJECTED)
    await eventually(shows(running, ticket, TicketState.ACCEPTED))


@pytest.mark.parametrize("command", ["place", "close", "cancel", "modify", "replace", "bracket", "reverse invert"])
async def test_what_never_arrived_is_said_so_and_can_be_asked_again(running: Room, command: str) -> None:
    request, _ = EVERY[command]
    resting(running)
    ticket = await lost(running, request)
    running.clock.pass_by(USUAL.desk.grace.total_seconds())
    reads = running.broker.reads
    await eventually(lambda: running.broker.reads > reads + 2)
    running.clock.pass_by(USUAL.desk.absent_again.total_seconds())
    await eventually(shows(running, ticket, TicketState.NEVER_ARRIVED))
    assert len(running.broker.sent) == 1
    await running.confirm(await running.ticket(request))
    assert len(running.broker.sent) == 2


async def test_a_lost_order_is_found_by_the_desks_own_id(running: Room) -> None:
    ticket = await lost(running, PLACE)
    assert isinstance(ticket.intent, PlaceOrder)
    # A twin by hand in the same moment: only the id tells them apart.
    running.broker.book(ticket.intent)
    own = running.broker.book(ticket.intent)
    running.broker.book_orders[-1] = replace(own, ids=("nt1", ticket.intent.client_order_id))
    await eventually(shows(running, ticket, TicketState.ACCEPTED))
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
    await desk.offer(TRADER, (await room.ticket(PLACE)).origin, replace(CLOSE, instrument="NQ 09-26", percent="50"))
    event = room.disk.recorded[-1]
    assert {"command": "close", "account": "Sim101", "instrument": "NQ 09-26", "percent": "50"}.items() <= event.data.items()


async def test_a_replacement_takes_from_the_old_order_what_was_left_out(room: Room) -> None:
    resting(room, oco="used up")
    ticket = await room.ticket(ReplaceRequest("Sim101", REST, 1))
    assert isinstance(ticket.intent, Replace)
    assert ticket.intent.terms == Terms(Side.BUY, 1, OrderType.LIMIT, limit=Decimal("5790.00"))
    assert ticket.intent.before == Terms(Side.BUY, 2, OrderType.LIMIT, limit=Decimal("5790.00"), oco="used up")
    wanted = ReplaceRequest(
        "Sim101", REST, 3, OrderType.STOPLIMIT, TimeInForce.GTC, "5812", "5811", "fresh", "Two legs", "short, flat"
    )
    ticket = await room.ticket(wanted)
    assert isinstance(ticket.intent, Replace)
    assert ticket.intent.require == {"short", "flat"}
    assert ticket.intent.terms == Terms(
        Side.BUY, 3, OrderType.STOPLIMIT, TimeInForce.GTC, Decimal(5812), Decimal(5811), "fresh", "Two legs"
    )


async def test_the_order_that_replaces_another_is_followed_and_told_as_any_order(running: Room) -> None:
    resting(running)
    ticket = await running.ticket(REPLACE)
    await running.confirm(ticket)
    stored = await running.until(ticket, TicketState.ACCEPTED)
    assert stored.order_ids == ("order2",)
    running.broker.change("order2", OrderState.FILLED, 1)
    await eventually(lambda: any("Filled 1" in notice.text for notice in running.messenger.told))
    assert not (await running.now(ticket.id)).is_followed


async def test_an_order_that_replaces_another_and_is_rejected_by_ninjatrader_is_told_so(running: Room) -> None:
    resting(running)
    ticket = await lost(running, REPLACE)
    running.broker.change(REST, OrderState.CANCELLED)
    running.broker.book(ticket.intent, OrderState.REJECTED)
    await eventually(shows(running, ticket, TicketState.REJECTED))


async def test_a_bracket_is_on_the_side_that_the_position_asks_for_at_the_press(room: Room) -> None:
    ticket = await room.ticket(BRACKET)
    assert ticket.order.terms == Terms(Side.BUY, 2, OrderType.STOPMARKET, TimeInForce.GTC, stop=Decimal(5810))
    room.broker.book_positions["Sim101", ES] = 2
    await room.confirm(ticket)
    denied = await room.now(ticket.id)
    assert (denied.state, room.broker.sent) == (TicketState.DENIED, [])
    assert "BAD_PRICE" in (denied.outcome or "")


async def test_a_lost_bracket_is_found_by_both_its_orders(running: Room) -> None:
    ticket = await lost(running, BRACKET)
    assert isinstance(ticket.intent, Bracket)
    running.broker.carry_out(ticket.intent)
    await eventually(shows(running, ticket, TicketState.ACCEPTED))
    assert (await running.now(ticket.id)).order_id == "order2"
    assert len(running.broker.sent) == 1


@pytest.mark.parametrize(
    ("usual", "mode", "kind"),
    [
        (ReverseMode.DIRECT, None, Reverse),
        (ReverseMode.VERIFIED, None, VerifiedReverse),
        (ReverseMode.VERIFIED, "direct", Reverse),
        (ReverseMode.DIRECT, "verified", VerifiedReverse),
        (ReverseMode.VERIFIED, "invert", Invert),
    ],
)
async def test_the_policy_says_how_a_reversal_goes_where_nobody_else_does(
    room: Room, usual: ReverseMode, mode: str | None, kind: type[Intent]
) -> None:
    room.rule(reverse_mode=usual)
    ticket = await room.ticket(replace(REVERSE, quantity=2, mode=mode))
    assert type(ticket.intent) is kind


async def test_a_second_close_waits_until_the_first_is_seen_done(running: Room) -> None:
    running.broker.dawdling.add(Close)
    first, second = await running.ticket(replace(CLOSE, quantity=1)), await running.ticket(CLOSE)
    await running.confirm(first)
    await running.confirm(second)
    assert "OUTCOME_UNKNOWN" in ((await running.now(second.id)).outcome or "")
    running.broker.let_go()
    await eventually(lambda: running.messenger.shown[first.id][-1].order_state is OrderState.FILLED)
    running.broker.dawdling.clear()
    await running.confirm(await running.ticket(CLOSE))
    assert running.broker.book_positions["Sim101", ES] == 0
