"""Protected means that a stop works: stops and targets are followed until what they protect is closed."""

from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from bot.chat import phrases
from bot.desk.ports import EventName, Notice, Tone
from bot.desk.requests import BracketRequest, CloseRequest, PlaceRequest, Refused, TicketRequest
from bot.timings import USUAL
from bot.trading.market.facts import Account, Execution, Order
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import Bracket
from bot.trading.orders.protection import End
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.planning.card_actions import CardAction, fitting
from bot.trading.reconciliation.protection import is_unprotected
from tests.desk.conftest import TRADER, Room
from tests.desk.fakes import ES, eventually

# Sim101 is SHORT 2 at the start.
BOTH = BracketRequest("Sim101", "ES 09-26", 2, "5790", "5810")
STOP_ALONE = replace(BOTH, target="")
TARGET_ALONE = replace(BOTH, stop="")
ATM = PlaceRequest("Sim102", "ES 09-26", Side.BUY, 2, strategy="Scalp")
OWNER = "334081723"


async def sent(room: Room, request: TicketRequest = BOTH) -> Ticket:
    """A bracket whose orders work."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    await room.until(ticket, TicketState.ACCEPTED)
    await eventually(lambda: "there" in card(room.messenger.shown[ticket.id][-1]))
    return await room.now(ticket.id)


def card(ticket: Ticket) -> str:
    """What the card says of what became of it."""
    return "\n".join([phrases.news(ticket), *phrases.protection(ticket)])


async def entered(room: Room, request: PlaceRequest = ATM, *, held: int = 2) -> Ticket:
    """An entry with an ATM strategy that has just filled, and of whose stop nothing is listed yet."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    entry = room.broker.book_orders[-1]
    alter(room, entry.id, state=OrderState.FILLED, filled=2, average_fill_price=Decimal(5800), owner=OWNER)
    room.broker.book_positions[request.account, ES] = held
    await eventually(lambda: room.messenger.shown[ticket.id][-1].order_state is OrderState.FILLED)
    return await room.now(ticket.id)


def alter(room: Room, order_id: str, **changes: object) -> None:
    """Change an order of the book as NinjaTrader would."""
    orders = room.broker.book_orders
    index = next(index for index, order in enumerate(orders) if order_id in order.ids)
    orders[index] = replace(orders[index], **changes)  # type: ignore[arg-type]  # a test names the fields


def exit_order(order_id: str, kind: OrderType, price: str, quantity: int = 2) -> Order:
    """One of the orders that an ATM strategy places by itself."""
    limit, stop = (Decimal(price), None) if kind is OrderType.LIMIT else (None, Decimal(price))
    return Order((order_id,), "Sim102", ES, Side.SELL, kind, OrderState.ACCEPTED, quantity, limit=limit, stop=stop, owner=OWNER)


def with_exits(room: Room) -> None:
    """The strategy's stop and target work."""
    stop, target = exit_order("s1", OrderType.STOPMARKET, "5790"), exit_order("t1", OrderType.LIMIT, "5820")
    room.broker.book_orders += [stop, replace(target, state=OrderState.WORKING)]


def filled(room: Room, order_id: str, at: str, other: str | None = None) -> None:
    """A leg fills whole, its OCO partner is cancelled, and the position is flat."""
    order = next(order for order in room.broker.book_orders if order_id in order.ids)
    alter(room, order_id, state=OrderState.FILLED, filled=order.quantity, average_fill_price=Decimal(at))
    if other is not None:
        alter(room, other, state=OrderState.CANCELLED)
    room.broker.book_positions[order.account, ES] += order.quantity * order.side.sign


async def names(room: Room, ticket: Ticket) -> list[EventName]:
    """What was told of a ticket beyond its card, since it was accepted."""
    events = [event.name for event in await room.journal.events(ticket.id)]
    told = events[events.index(EventName.ACCEPTED) + 1 :]
    return [name for name in told if name not in {EventName.SEEN, EventName.WORKING}]


async def notice(room: Room, words: str, within: float) -> Notice:
    """The notice that says so, told in time."""
    await eventually(lambda: any(words in each.text for each in room.messenger.told), within)
    return next(each for each in room.messenger.told if words in each.text)


async def pressed(room: Room, ticket: Ticket) -> BracketRequest:
    """What the Bracket button of a card asks for; it makes a ticket like the command."""
    request = await room.desk.request(TRADER, ticket.id, CardAction.BRACKET)
    assert isinstance(request, BracketRequest), request
    made = await room.ticket(request)
    assert made.state is TicketState.OFFERED
    return request


@pytest.mark.parametrize(("order", "which", "bare"), [("order2", "stop", 2), ("order1", "target", 0)])
async def test_a_leg_that_is_rejected_after_it_was_there_is_an_alarm_with_ninjatraders_words(
    running: Room, order: str, which: str, bare: int
) -> None:
    ticket = await sent(running)
    line = OrderEvent("Rejected", "error", note="Exceeds margin")
    running.broker.shown.lives[order] = Lifecycle("Sim101", (order,), (line,))
    running.broker.change(order, OrderState.REJECTED)
    told = await notice(running, f"{bare} of SHORT 2 unprotected", 6)
    assert f"NinjaTrader rejected the {which}: “Exceeds margin”." in told.text
    assert told.tone is Tone.ALARM
    stored = await running.now(ticket.id)
    assert "there" not in card(stored)
    assert f"{bare} of SHORT 2 unprotected" in card(stored)
    assert fitting(stored) == (CardAction.BRACKET,)
    assert await pressed(running, stored) == BOTH


async def test_both_legs_rejected_a_second_after_they_were_taken_are_told_once(running: Room) -> None:
    ticket = await running.ticket(BOTH)
    for order in ("order1", "order2"):
        running.clock.plan(1, partial(running.broker.change, order, OrderState.REJECTED))
    await running.confirm(ticket)
    told = await notice(running, "2 of SHORT 2 unprotected", 6)
    assert "rejected the stop" in told.text
    assert "rejected the target" in told.text
    await running.passes(120)
    assert await names(running, ticket) == [EventName.UNPROTECTED]


@pytest.mark.parametrize("order", ["order1", "order2"])
async def test_a_leg_that_somebody_cancels_while_the_position_is_open_is_an_alarm(running: Room, order: str) -> None:
    ticket = await sent(running)
    await running.passes(400)
    running.broker.change(order, OrderState.CANCELLED)
    told = await notice(running, "unprotected", 5 + USUAL.desk.protected_within.total_seconds())
    assert "was cancelled, and the position is open" in told.text
    assert "there" not in card(await running.now(ticket.id))


async def test_a_leg_that_hangs_in_its_cancellation_protects_nothing(running: Room) -> None:
    await sent(running)
    running.broker.change("order2", OrderState.CANCEL_PENDING)
    assert "The stop is being cancelled" in (await notice(running, "2 of SHORT 2 unprotected", 12)).text


async def test_a_leg_that_vanishes_from_every_list_is_an_alarm(running: Room) -> None:
    await sent(running)
    running.broker.book_orders = [order for order in running.broker.book_orders if order.id != "order2"]
    assert "NinjaTrader doesn't list the stop any more." in (await notice(running, "2 of SHORT 2 unprotected", 12)).text


async def test_a_leg_that_never_comes_is_an_alarm(running: Room) -> None:
    running.broker.dawdling.add(Bracket)
    ticket = await running.ticket(BOTH)
    await running.confirm(ticket)
    assert "No stop was seen to work." in (await notice(running, "2 of SHORT 2 unprotected", 12)).text
    running.broker.let_go()
    await notice(running, "Protected again", 6)
    stored = await running.now(ticket.id)
    assert "target and stop are there" in card(stored)
    assert fitting(stored) == ()


async def test_a_state_that_nobody_knows_proves_nothing_of_a_leg_that_worked(running: Room) -> None:
    ticket = await sent(running)
    running.broker.change("order2", OrderState.OTHER)
    await running.passes(60)
    assert await names(running, ticket) == []


async def test_lists_that_cannot_be_read_prove_nothing(running: Room) -> None:
    ticket = await sent(running)
    running.broker.failing.add("orders")
    running.broker.book_orders.clear()
    await running.passes(60)
    assert await names(running, ticket) == []


async def test_a_position_that_was_missed_once_is_not_closed_while_nobody_can_read_it(running: Room) -> None:
    ticket = await sent(running)
    orders, running.broker.book_orders = running.broker.book_orders, []
    running.broker.book_positions["Sim101", ES] = 0
    await running.passes(3)
    running.broker.failing.add("positions")
    await running.passes(60)
    running.broker.book_positions["Sim101", ES] = -2
    running.broker.failing.clear()
    running.broker.book_orders = orders
    await running.passes(10)
    assert "target and stop are there" in card(await running.now(ticket.id))
    assert await names(running, ticket) == []


async def test_a_leg_that_is_missing_in_the_list_and_found_by_its_id_raises_no_alarm(running: Room) -> None:
    ticket = await sent(running)
    stop = running.broker.book_orders.pop()
    running.broker.shown.answers["order"] = stop
    await running.passes(60)
    assert await names(running, ticket) == []
    running.broker.shown.answers["order"] = replace(stop, state=OrderState.CANCELLED)
    assert "The stop was cancelled" in (await notice(running, "2 of SHORT 2 unprotected", 12)).text


async def test_a_rejection_is_told_although_positions_cannot_be_read(running: Room) -> None:
    await sent(running)
    running.broker.failing.add("positions")
    running.broker.change("order2", OrderState.REJECTED)
    await notice(running, "2 of SHORT 2 unprotected", 6)


async def test_a_stop_that_was_put_back_by_hand_ends_the_alarm(running: Room) -> None:
    ticket = await sent(running, STOP_ALONE)
    running.broker.change("order1", OrderState.CANCELLED)
    await notice(running, "2 of SHORT 2 unprotected", 12)
    stop = running.broker.rest(Side.BUY, 2)
    alter(running, stop.id, type=OrderType.STOPMARKET, stop=Decimal(5812))
    await notice(running, "Protected again", 6)
    assert not is_unprotected(await running.now(ticket.id))


async def test_a_position_that_has_grown_is_told_with_what_is_not_covered(running: Room) -> None:
    ticket = await sent(running)
    running.broker.book_positions["Sim101", ES] = -3
    told = await notice(running, "1 of SHORT 3 unprotected", 20 + 2 + USUAL.desk.protected_within.total_seconds())
    assert "The stop works for less than the position." in told.text
    assert await pressed(running, await running.now(ticket.id)) == replace(BOTH, quantity=3)


async def test_a_bracket_for_a_part_says_how_much_is_unprotected_and_is_no_alarm(running: Room) -> None:
    ticket = await sent(running, replace(BOTH, quantity=1))
    assert "target and stop are there; 1 of SHORT 2 unprotected, as asked" in card(ticket)
    await running.passes(60)
    assert await names(running, ticket) == []
    running.broker.change("order2", OrderState.REJECTED)
    await notice(running, "2 of SHORT 2 unprotected", 6)


@pytest.mark.parametrize(
    ("order", "other", "at", "words", "end"),
    [
        ("order2", "order1", "5810.25", "SHORT 2 stopped out at 5810.25", End.STOPPED_OUT),
        ("order1", "order2", "5790", "SHORT 2 target hit at 5790.00", End.TARGET_HIT),
    ],
)
async def test_a_leg_that_fills_is_told_like_any_fill(
    running: Room, order: str, other: str, at: str, words: str, end: End
) -> None:
    ticket = await sent(running)
    await running.passes(900)
    filled(running, order, at, other)
    told = await notice(running, words, 5)
    assert told.text.splitlines()[0] == f"{words}"
    stored = await running.now(ticket.id)
    assert stored.protection is not None
    assert (stored.protection.end, stored.order_state, stored.is_guarded) == (end, OrderState.FILLED, False)
    assert words in card(stored)
    assert "there" not in card(stored)
    await running.passes(60)
    assert len(await names(running, ticket)) == 1


async def test_a_stop_that_fills_in_parts_tells_each_of_them(running: Room) -> None:
    ticket = await sent(running)
    alter(running, "order2", state=OrderState.PART_FILLED, filled=1, average_fill_price=Decimal(5810))
    running.broker.book_positions["Sim101", ES] = -1
    await notice(running, "SHORT 1 of 2 stopped out at 5810.00", 5)
    alter(running, "order2", state=OrderState.FILLED, filled=2, average_fill_price=Decimal("5810.25"))
    running.broker.book_positions["Sim101", ES] = 0
    alter(running, "order1", state=OrderState.CANCELLED)
    await notice(running, "SHORT 2 stopped out at 5810.25", 5)
    assert await names(running, ticket) == [EventName.STOPPED_OUT, EventName.STOPPED_OUT]


async def test_a_stop_that_fills_and_leaves_the_list_at_once_is_told_by_its_fill(running: Room) -> None:
    await sent(running)
    running.broker.book_orders.clear()
    running.broker.book_positions["Sim101", ES] = 0
    fill = Execution("e1", "order2", "Sim101", ES, Side.BUY, 2, Decimal("5810.50"), running.clock())
    running.broker.book_executions.append(fill)
    await notice(running, "SHORT 2 stopped out at 5810.50", 5)


async def test_a_positions_list_that_lags_behind_the_fill_raises_no_alarm(running: Room) -> None:
    ticket = await sent(running)
    filled(running, "order2", "5810", "order1")
    running.broker.book_positions["Sim101", ES] = -2
    running.clock.plan(3.5, lambda: running.broker.book_positions.update({("Sim101", ES): 0}))
    await notice(running, "stopped out", 5)
    await running.passes(30)
    assert await names(running, ticket) == [EventName.STOPPED_OUT]
    assert not (await running.now(ticket.id)).is_guarded


@pytest.mark.parametrize("lag", [0, 3.5])
async def test_a_fill_that_turns_the_position_over_is_an_alarm_of_what_is_open_now(running: Room, lag: float) -> None:
    ticket = await sent(running)
    running.broker.book_positions["Sim101", ES] = -1
    filled(running, "order2", "5810", "order1")
    now = running.broker.book_positions["Sim101", ES]
    running.broker.book_positions["Sim101", ES] = -1 if lag else now
    running.clock.plan(lag, lambda: running.broker.book_positions.update({("Sim101", ES): now}))
    assert (await notice(running, "SHORT 2 stopped out at 5810.00", 5)).tone is Tone.ROUTINE
    told = await notice(running, "Now LONG 1", lag + 5)
    assert told.tone is Tone.ALARM
    assert "Use “/close account:Sim101 instrument:ES 09-26”" in told.text
    await running.passes(60)
    assert await names(running, ticket) == [EventName.STOPPED_OUT, EventName.NOT_CLOSED]
    stored = await running.now(ticket.id)
    assert "now LONG 1" in card(stored)
    assert not stored.is_guarded


async def test_buttons_of_the_entry_are_gone_within_five_seconds_of_the_stop(running: Room) -> None:
    running.broker.book_positions["Sim101", ES] = 0
    entry = await running.ticket(PlaceRequest("Sim101", "ES 09-26", Side.SELL, 2))
    await running.confirm(entry)
    alter(running, "order1", state=OrderState.FILLED, filled=2, average_fill_price=Decimal(5800))
    running.broker.book_positions["Sim101", ES] = -2
    await eventually(lambda: CardAction.CLOSE in fitting(running.messenger.shown[entry.id][-1]))
    await sent(running)
    await running.passes(400)
    filled(running, "order3", "5810", "order2")
    await eventually(lambda: fitting(running.messenger.shown[entry.id][-1]) == (), 5)


async def test_a_close_of_ours_ends_it_without_an_alarm(running: Room) -> None:
    ticket = await sent(running)
    close = await running.ticket(CloseRequest("Sim101", "ES 09-26"))
    await running.confirm(close)
    await running.passes(2)
    assert "there" not in card(await running.now(ticket.id))
    await running.passes(60)
    stored = await running.now(ticket.id)
    assert stored.protection is not None
    assert (stored.protection.end, stored.order_state) == (End.CLOSED, OrderState.CANCELLED)
    assert await names(running, ticket) == []


async def test_a_position_that_is_closed_by_hand_while_its_legs_work_on_is_told(running: Room) -> None:
    ticket = await sent(running)
    running.broker.book_positions["Sim101", ES] = 0
    told = await notice(running, "The position is closed, and the", 22 + USUAL.desk.position_shown_within.total_seconds())
    assert "the stop “order2”" in told.text
    assert "still work" in told.text
    assert told.tone is Tone.ALARM
    await running.passes(60)
    assert await names(running, ticket) == [EventName.NOT_CANCELLED]
    running.broker.change("order1", OrderState.CANCELLED)
    running.broker.change("order2", OrderState.CANCELLED)
    await running.passes(30)
    assert not (await running.now(ticket.id)).is_guarded


async def test_an_account_whose_broker_is_away_is_not_taken_for_closed(running: Room) -> None:
    ticket = await sent(running)
    running.broker.book_accounts["Sim101"] = Account("Sim101", "Simulator", connected=False)
    orders, running.broker.book_orders = running.broker.book_orders, []
    running.broker.book_positions["Sim101", ES] = 0
    await running.passes(60)
    assert (await running.now(ticket.id)).is_guarded
    running.broker.book_accounts["Sim101"] = Account("Sim101", "Simulator", connected=True)
    running.broker.book_orders, running.broker.book_positions["Sim101", ES] = orders, -2
    await running.passes(10)
    assert "target and stop are there" in card(await running.now(ticket.id))


async def test_a_newer_bracket_takes_the_place_of_an_older_one(running: Room) -> None:
    first = await sent(running)
    second = await sent(running, replace(BOTH, stop="5815"))
    await running.passes(30)
    stored = await running.now(first.id)
    assert stored.protection is not None
    assert stored.protection.end is End.REPLACED
    assert await names(running, first) == []
    assert (await running.now(second.id)).is_guarded


@pytest.mark.parametrize(
    ("request_", "words", "orders"),
    [
        (STOP_ALONE, "stop is there", [OrderType.STOPMARKET]),
        (TARGET_ALONE, "target is there; 2 of SHORT 2 unprotected, as asked", [OrderType.LIMIT]),
        (replace(TARGET_ALONE, target="bid-20t"), "target is there", [OrderType.LIMIT]),
    ],
)
async def test_a_stop_alone_or_a_target_alone_can_be_asked_for(
    running: Room, request_: BracketRequest, words: str, orders: list[OrderType]
) -> None:
    ticket = await sent(running, request_)
    assert [order.type for order in running.broker.book_orders] == orders
    assert words in card(ticket)
    running.broker.change("order1", OrderState.REJECTED)
    await notice(running, "2 of SHORT 2 unprotected", 6)
    stored = await running.now(ticket.id)
    again = await pressed(running, stored)
    assert (bool(again.target), bool(again.stop)) == (bool(request_.target), bool(request_.stop))


async def test_a_bracket_without_either_price_is_refused(room: Room) -> None:
    assert await room.refused(replace(BOTH, target="", stop=" ")) == ["BAD_REQUEST"]


async def test_a_target_alone_that_would_fill_at_once_is_refused(room: Room) -> None:
    assert await room.refused(replace(TARGET_ALONE, target="5801")) == ["BAD_PRICE"]


async def test_an_atm_entry_whose_stop_works_says_so_and_is_followed(running: Room) -> None:
    ticket = await entered(running)
    with_exits(running)
    await eventually(lambda: "target and stop are there" in card(running.messenger.shown[ticket.id][-1]), 5)
    await running.passes(60)
    assert await names(running, ticket) == [EventName.FILLED]
    filled(running, "s1", "5790", "t1")
    told = await notice(running, "LONG 2 stopped out at 5790.00", 5)
    assert told.tone is Tone.ROUTINE
    await eventually(lambda: fitting(running.messenger.shown[ticket.id][-1]) == (), 5)
    assert not (await running.now(ticket.id)).is_guarded


async def test_an_atm_entry_that_has_filled_and_has_no_stop_after_five_seconds_is_told(running: Room) -> None:
    ticket = await entered(running)
    told = await notice(running, "2 of LONG 2 unprotected", 7)
    assert "No stop was seen to work." in told.text
    stored = await running.now(ticket.id)
    assert fitting(stored)[0] is CardAction.BRACKET
    assert await pressed(running, stored) == BracketRequest("Sim102", "ES 09-26", 2, "", "-0.25%")


async def test_an_atm_entry_with_its_target_alone_is_unprotected_and_its_stop_is_proposed_as_far_away(running: Room) -> None:
    running.broker.averages = Decimal(5800)
    ticket = await entered(running)
    running.broker.book_orders.append(exit_order("t1", OrderType.LIMIT, "5820"))
    await notice(running, "2 of LONG 2 unprotected", 7)
    asked = await pressed(running, await running.now(ticket.id))
    assert asked == BracketRequest("Sim102", "ES 09-26", 2, "5820", "5780.00")


async def test_the_stop_of_an_atm_that_is_rejected_later_is_an_alarm_and_asked_for_where_it_lay(running: Room) -> None:
    ticket = await entered(running)
    with_exits(running)
    await running.passes(60)
    running.broker.change("s1", OrderState.REJECTED)
    await notice(running, "2 of LONG 2 unprotected", 6)
    asked = await pressed(running, await running.now(ticket.id))
    assert asked == BracketRequest("Sim102", "ES 09-26", 2, "5820", "5790")


async def test_a_stop_that_covers_less_than_the_entry_is_told(running: Room) -> None:
    await entered(running)
    running.broker.book_orders.append(exit_order("s1", OrderType.STOPMARKET, "5790", 1))
    await notice(running, "1 of LONG 2 unprotected", 12)


async def test_an_entry_without_a_strategy_is_asked_for_no_stop(running: Room) -> None:
    ticket = await entered(running, replace(ATM, strategy=None))
    await running.passes(60)
    assert await names(running, ticket) == [EventName.FILLED]


async def test_an_atm_entry_that_only_lessens_a_position_protects_nothing(running: Room) -> None:
    running.broker.book_positions["Sim102", ES] = -5
    ticket = await entered(running, held=-3)
    await running.passes(60)
    assert await names(running, ticket) == [EventName.FILLED]
    assert not (await running.now(ticket.id)).is_guarded


async def test_the_guard_goes_on_after_a_restart(running: Room) -> None:
    ticket = await sent(running)
    await running.desk.close()
    desk = running.again()
    await desk.start()
    running.broker.change("order2", OrderState.REJECTED)
    await notice(running, "2 of SHORT 2 unprotected", 6)
    await desk.close()
    assert is_unprotected(await running.now(ticket.id))


async def test_the_button_of_a_position_that_is_closed_by_now_says_so(running: Room) -> None:
    ticket = await sent(running)
    running.broker.change("order2", OrderState.REJECTED)
    await notice(running, "2 of SHORT 2 unprotected", 6)
    running.broker.book_positions["Sim101", ES] = 0
    answer = await running.desk.request(TRADER, ticket.id, CardAction.BRACKET)
    assert isinstance(answer, Refused)
    assert [denial.code.value for denial in answer.denials] == ["NO_POSITION"]
