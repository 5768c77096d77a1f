"""The buttons of a sent order's card: what each asks for, on what is read at the press, and every no."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import CancelRequest, CloseRequest, ModifyRequest, PlaceRequest, Refused, ReverseRequest, TicketRequest
from bot.trading.market.facts import Order
from bot.trading.orders.intents import Cancel, Change, Close
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Member, Ticket, TicketState
from bot.trading.planning.card_actions import BUTTONS_LIVE, CardAction
from bot.trading.risk.policy import Grant
from tests.desk.conftest import HERE, STRANGER, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES

V = CardAction
# Sim101 is short 2 in the fake book; the average is 5790.
ENTRY = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 3)
RESTING = PlaceRequest("Sim101", "ES 09-26", Side.SELL, 3, OrderType.LIMIT, limit="5810", oco="grp")


async def sent(room: Room, request: TicketRequest = ENTRY) -> Ticket:
    """A ticket that was confirmed and accepted."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    return await room.now(ticket.id)


async def follow(room: Room, ticket: Ticket) -> Ticket:
    """Let the desk look; the ticket as stored then."""
    room.clock.pass_by(5)
    await room.follow()
    return await room.now(ticket.id)


async def filled(room: Room, held: int = 3) -> Ticket:
    """An entry that has filled, and what is open now."""
    ticket = await sent(room)
    room.broker.change("order1", OrderState.FILLED, 3)
    room.broker.book_positions["Sim101", ES] = held
    return await follow(room, ticket)


async def press(room: Room, ticket: Ticket, verb: CardAction, member: Member = TRADER) -> TicketRequest | Refused:
    """Press a button."""
    return await room.desk.request(member, ticket.id, verb)


async def no(room: Room, ticket: Ticket, verb: CardAction, member: Member = TRADER) -> tuple[str, str]:
    """Press a button in vain: the code and the sentence."""
    answer = await press(room, ticket, verb, member)
    assert isinstance(answer, Refused), answer
    [denial] = answer.denials
    return denial.code.value, denial.sentence


def protect(room: Room, stop: str = "5780", **changes: Any) -> Order:
    """A stop in the book that protects a long position."""
    order = Order(("stop1",), "Sim101", ES, Side.SELL, OrderType.STOPMARKET, OrderState.ACCEPTED, 3, stop=Decimal(stop))
    room.broker.book_orders.append(replace(order, **changes))
    return room.broker.book_orders[-1]


async def test_cancel_order_asks_for_the_order_under_the_id_by_which_it_is_listed_now(room: Room) -> None:
    ticket = await sent(room, RESTING)
    assert await press(room, ticket, V.CANCEL_ORDER) == CancelRequest("Sim101", "order1")
    room.broker.book_orders[0] = replace(room.broker.book_orders[0], ids=("676",), oco="grp")
    assert await press(room, ticket, V.CANCEL_ORDER) == CancelRequest("Sim101", "676")


async def test_close_asks_for_all_that_is_open(room: Room) -> None:
    assert await press(room, await filled(room), V.CLOSE) == CloseRequest("Sim101", "ES 09-26")


@pytest.mark.parametrize(("held", "quantity"), [(2, 1), (3, 2), (4, 2)])
async def test_close_half_is_sized_by_the_position_at_the_press(room: Room, held: int, quantity: int) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = held
    assert await press(room, ticket, V.CLOSE_HALF) == CloseRequest("Sim101", "ES 09-26", quantity)


async def test_break_even_moves_the_one_stop_to_the_average_price(room: Room) -> None:
    ticket = await filled(room)
    protect(room)
    assert await press(room, ticket, V.BREAK_EVEN) == ModifyRequest("Sim101", "stop1", stop="5790.00")


async def test_break_even_takes_the_limit_of_a_stop_limit_along(room: Room) -> None:
    ticket = await filled(room)
    protect(room, type=OrderType.STOPLIMIT, limit=Decimal("5779.50"))
    assert await press(room, ticket, V.BREAK_EVEN) == ModifyRequest("Sim101", "stop1", stop="5790.00", limit="5789.50")


async def test_break_even_reads_the_tick_where_the_card_has_none(room: Room) -> None:
    ticket = await filled(room)
    tickless = replace(ticket, version=ticket.version + 1, shown=replace(ticket.shown, tick_size=None))
    assert await room.journal.advance(ticket, tickless, ())
    protect(room)
    assert await press(room, ticket, V.BREAK_EVEN) == ModifyRequest("Sim101", "stop1", stop="5790.00")
    room.broker.failing.add("quote")
    assert (await no(room, ticket, V.BREAK_EVEN))[0] == "FACTS_MISSING"


async def test_what_a_button_asks_for_goes_through_the_one_door_and_is_sent_on_confirm_alone(room: Room) -> None:
    ticket = await filled(room)
    protect(room)
    kinds = []
    for verb in (V.BREAK_EVEN, V.CLOSE_HALF, V.CLOSE):
        request = await press(room, ticket, verb)
        assert not isinstance(request, Refused)
        offered = await room.desk.offer(TRADER, HERE, request)
        assert isinstance(offered, Ticket), offered
        kinds.append(type(offered.intent))
        assert offered.state is TicketState.OFFERED
    assert kinds == [Change, Close, Close]
    assert len(room.broker.sent) == 1


async def test_a_cancellation_by_button_is_a_ticket_like_that_of_the_command(room: Room) -> None:
    ticket = await sent(room, RESTING)
    request = await press(room, ticket, V.CANCEL_ORDER)
    assert isinstance(request, CancelRequest)
    cancel = await room.ticket(request)
    assert isinstance(cancel.intent, Cancel)
    await room.confirm(cancel)
    assert (await follow(room, ticket)).order_state is OrderState.CANCELLED


@pytest.mark.parametrize("verb", CardAction)
async def test_a_stranger_is_denied_before_anything_of_the_account_is_read(room: Room, verb: CardAction) -> None:
    ticket = await filled(room)
    reads = room.broker.reads
    assert (await no(room, ticket, verb, STRANGER))[0] == "NO_GRANT"
    assert room.broker.reads == reads


@pytest.mark.parametrize("verb", [V.CLOSE, V.CLOSE_HALF, V.BREAK_EVEN])
async def test_a_button_needs_the_grant_of_its_command_there(room: Room, verb: CardAction) -> None:
    ticket = await filled(room)
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({verb.command}), ("Sim102",), ("*",), 5),))
    assert (await no(room, ticket, verb))[0] == "ACCOUNT_NOT_GRANTED"
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"reverse"}), ("*",), ("*",), 5),))
    assert (await no(room, ticket, verb))[0] == "NO_GRANT"
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({verb.command}), ("*",), ("NQ",), 5),))
    assert (await no(room, ticket, verb))[0] == "INSTRUMENT_NOT_GRANTED"


async def test_a_no_is_recorded_with_who_pressed_what(room: Room) -> None:
    ticket = await filled(room, held=0)
    await no(room, ticket, V.CLOSE)
    event = room.disk.recorded[-1]
    assert (event.name, event.actor) == (EventName.DENIED, TRADER.id)
    assert event.data == {"button": "close", "ticket": ticket.id, "denials": ["NO_POSITION: position=0"]}


async def test_a_no_that_can_not_be_recorded_stands(room: Room) -> None:
    ticket = await filled(room, held=0)
    room.disk.failing.add("record")
    assert (await no(room, ticket, V.CLOSE))[0] == "NO_POSITION"


async def test_a_journal_that_can_not_be_read_is_said_to_be(room: Room) -> None:
    ticket = await filled(room)
    room.disk.failing.add("ticket")
    code, sentence = await no(room, ticket, V.CLOSE)
    assert code == "DESK_DOWN"
    assert "disk is full" in sentence


async def test_a_card_of_a_ticket_that_nobody_knows_is_answered(room: Room) -> None:
    answer = await room.desk.request(TRADER, "nobody", V.CLOSE)
    assert isinstance(answer, Refused)
    assert answer.denials[0].code.value == "CARD_OVER"


@pytest.mark.parametrize("verb", CardAction)
async def test_a_button_that_a_card_never_had_is_answered(room: Room, verb: CardAction) -> None:
    close = await sent(room, CloseRequest("Sim101", "ES 09-26"))
    assert (await no(room, close, verb))[0] == "CARD_OVER"


async def test_a_card_of_long_ago_is_answered(room: Room) -> None:
    ticket = await filled(room)
    room.clock.pass_by(BUTTONS_LIVE.total_seconds())
    code, sentence = await no(room, ticket, V.CLOSE)
    assert code == "CARD_OVER"
    assert "Use /close" in sentence


async def test_a_retired_card_is_answered_although_something_is_open_again(room: Room) -> None:
    ticket = await filled(room, held=0)
    room.clock.pass_by(60)
    await room.desk.health.rounds.look(at_stake=True)
    await room.desk._retirer.look()
    room.broker.book_positions["Sim101", ES] = 1
    assert (await no(room, ticket, V.CLOSE))[0] == "CARD_OVER"


async def test_a_button_that_has_just_left_the_card_is_answered(room: Room) -> None:
    working = await sent(room)
    for verb in (V.CLOSE, V.CLOSE_HALF, V.BREAK_EVEN):
        assert (await no(room, working, verb))[0] == "CARD_OVER"
    room.broker.change("order1", OrderState.FILLED, 3)
    code, sentence = await no(room, await follow(room, working), V.CANCEL_ORDER)
    assert code == "CARD_OVER"
    assert "look at the card again" in sentence


@pytest.mark.parametrize("verb", [V.CLOSE, V.CLOSE_HALF, V.BREAK_EVEN])
@pytest.mark.parametrize(("held", "word"), [(0, "FLAT"), (-2, "SHORT 2")])
async def test_a_position_that_is_not_the_cards_any_more_is_left_alone(
    room: Room, verb: CardAction, held: int, word: str
) -> None:
    ticket = await filled(room, held=held)
    protect(room)
    code, sentence = await no(room, ticket, verb)
    assert code == "NO_POSITION"
    assert f"is {word} in ES 09-26 now" in sentence


async def test_one_contract_has_no_half(room: Room) -> None:
    assert (await no(room, await filled(room, held=1), V.CLOSE_HALF))[0] == "BAD_REQUEST"


async def test_an_order_that_is_over_meanwhile_has_nothing_to_cancel(room: Room) -> None:
    ticket = await sent(room, RESTING)
    room.broker.change("order1", OrderState.FILLED, 3)
    code, sentence = await no(room, ticket, V.CANCEL_ORDER)
    assert code == "ORDER_FINISHED"
    assert "“order1” is filled already" in sentence


async def test_an_order_that_is_not_listed_can_not_be_cancelled(room: Room) -> None:
    ticket = await sent(room, RESTING)
    room.broker.book_orders.clear()
    assert (await no(room, ticket, V.CANCEL_ORDER))[0] == "NO_SUCH_ORDER"


@pytest.mark.parametrize(
    ("verb", "read"),
    [(V.CLOSE, "positions"), (V.CLOSE_HALF, "positions"), (V.BREAK_EVEN, "positions"), (V.BREAK_EVEN, "orders")],
)
async def test_what_can_not_be_read_is_said_to_be(room: Room, verb: CardAction, read: str) -> None:
    ticket = await filled(room)
    protect(room)
    room.broker.failing.add(read)
    code, sentence = await no(room, ticket, verb)
    assert code == "FACTS_MISSING"
    assert read in sentence


async def test_orders_that_can_not_be_read_are_said_to_be_at_a_cancellation(room: Room) -> None:
    ticket = await sent(room, RESTING)
    room.broker.failing.add("orders")
    assert (await no(room, ticket, V.CANCEL_ORDER))[0] == "FACTS_MISSING"


@pytest.mark.parametrize(("stops", "words"), [(0, "none is working"), (2, "2 are working")])
async def test_break_even_needs_just_one_stop(room: Room, stops: int, words: str) -> None:
    ticket = await filled(room)
    for number in range(stops):
        protect(room, ids=(f"stop{number}",))
    code, sentence = await no(room, ticket, V.BREAK_EVEN)
    assert code == "NOT_ONE_STOP"
    assert words in sentence
    assert "use /modify" in sentence


@pytest.mark.parametrize("stop", ["5790", "5795.25"])
async def test_a_stop_at_break_even_or_better_is_left_alone(room: Room, stop: str) -> None:
    ticket = await filled(room)
    protect(room, stop)
    code, sentence = await no(room, ticket, V.BREAK_EVEN)
    assert code == "BAD_REQUEST"
    assert f"The stop lies at {stop} already" in sentence


async def test_a_position_without_an_average_has_no_break_even(room: Room) -> None:
    ticket = await filled(room)
    protect(room)
    room.broker.averages = None
    code, sentence = await no(room, ticket, V.BREAK_EVEN)
    assert code == "FACTS_MISSING"
    assert "average" in sentence


async def test_a_losing_position_is_told_by_the_rules_that_its_stop_would_trigger_at_once(room: Room) -> None:
    ticket = await filled(room)
    protect(room)
    room.broker.last = Decimal(5785)
    request = await press(room, ticket, V.BREAK_EVEN)
    assert not isinstance(request, Refused)
    assert await room.refused(request) == ["BAD_PRICE"]


async def test_presses_of_two_people_are_two_tickets_and_each_is_their_own(room: Room) -> None:
    ticket = await filled(room)
    second = Member(2, "Tom", frozenset({TRADER_ROLE}))
    first, other = await asyncio.gather(press(room, ticket, V.CLOSE), press(room, ticket, V.CLOSE, second))
    assert first == other == CloseRequest("Sim101", "ES 09-26")
    offered = await room.desk.offer(second, HERE, CloseRequest("Sim101", "ES 09-26"))
    assert isinstance(offered, Ticket)
    assert offered.requester == second
