"""Buttons leave a card when they can't mean anything any more: the position is closed, or it is long ago."""

from datetime import timedelta

from bot.desk.requests import CloseRequest, FlatPlaceRequest, PlaceRequest, TicketRequest
from bot.desk.tracking.card_buttons import LOOKS_BACK
from bot.timings import USUAL
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket
from bot.trading.planning.card_actions import BUTTONS_LIVE, fitting
from tests.desk.conftest import Room
from tests.desk.fakes import ES, eventually

# From then on a list that is asked for must show the fill.
SURE = USUAL.desk.position_shown_within.total_seconds()
ENTRY = FlatPlaceRequest("Sim101", "ES 09-26", Side.BUY, 2)


async def filled(room: Room, request: TicketRequest = ENTRY, held: int = 2) -> Ticket:
    """A ticket whose order has filled."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    order = room.broker.book_orders[-1]
    room.broker.change(order.id, OrderState.FILLED, order.quantity)
    room.broker.book_positions[order.account, ES] = held
    room.clock.pass_by(2)
    await room.follow()
    stored = await room.now(ticket.id)
    assert fitting(stored)
    return stored


async def look(room: Room, ticket: Ticket, seconds: float = USUAL.desk.retire_every.total_seconds()) -> Ticket:
    """Let time pass, a round be made and the cards be looked at; the ticket as stored then."""
    room.clock.pass_by(seconds)
    await room.desk.health.rounds.look(at_stake=True)
    await room.desk._retirer.look()
    return await room.now(ticket.id)


async def test_the_buttons_stay_while_the_position_is_open(room: Room) -> None:
    ticket = await filled(room)
    for _ in range(5):
        assert (await look(room, ticket)).retired_at is None


async def test_the_buttons_go_when_the_position_is_closed(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = 0
    stored = await look(room, ticket)
    assert stored.retired_at == room.clock()
    assert fitting(stored) == ()
    assert [row.ticket for row in await room.journal.due(room.clock(), 99) if row.notice is None] == [ticket.id]
    told = len(await room.journal.events(ticket.id))
    await look(room, ticket)
    assert len(await room.journal.events(ticket.id)) == told


async def test_the_buttons_go_when_the_position_has_turned_over(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = -1
    assert (await look(room, ticket)).retired_at is not None


async def test_a_close_of_ours_takes_them_off_with_the_next_round(room: Room) -> None:
    ticket = await filled(room)
    assert (await look(room, ticket, SURE)).retired_at is None
    close = await room.ticket(CloseRequest("Sim101", "ES 09-26"))
    await room.confirm(close)
    room.clock.pass_by(2)
    await room.follow()
    assert (await room.now(close.id)).order_state is OrderState.FILLED
    assert (await look(room, ticket, USUAL.desk.rounds_at_stake.total_seconds())).retired_at is not None


async def test_one_that_closes_soon_after_its_fill_is_looked_at_when_the_list_must_show_it(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = 0
    assert (await look(room, ticket, 1)).retired_at is None
    assert (await look(room, ticket, SURE)).retired_at is not None


async def test_looking_through_the_cards_costs_no_request(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = 0
    room.clock.pass_by(SURE)
    await room.desk.health.rounds.look(at_stake=True)
    reads = room.broker.reads
    await room.desk._retirer.look()
    assert (await room.now(ticket.id)).retired_at is not None
    assert room.broker.reads == reads


async def test_a_position_that_is_not_shown_yet_is_not_taken_for_flat(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = 0
    assert (await look(room, ticket, USUAL.desk.position_shown_within.total_seconds() - 1)).retired_at is None


async def test_a_list_that_somebody_asked_for_before_it_must_show_the_fill_proves_nothing(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = 0
    room.broker.asked_before = timedelta(seconds=1)
    assert (await look(room, ticket, SURE)).retired_at is None
    assert (await look(room, ticket, USUAL.desk.rounds_at_stake.total_seconds())).retired_at is not None


async def test_a_failed_read_is_no_flat_position(room: Room) -> None:
    ticket = await filled(room)
    room.broker.book_positions["Sim101", ES] = 0
    room.broker.failing |= {"positions", "all_positions"}
    assert (await look(room, ticket)).retired_at is None
    room.broker.failing.clear()
    assert (await look(room, ticket)).retired_at is not None


async def test_the_buttons_go_some_hours_after_the_fill_without_asking(room: Room) -> None:
    ticket = await filled(room)
    await look(room, ticket)
    room.broker.failing |= {"positions", "all_positions"}
    assert (await look(room, ticket, BUTTONS_LIVE.total_seconds())).retired_at is not None


async def test_the_cards_of_before_a_start_are_looked_at_too(room: Room) -> None:
    ticket = await filled(room)
    room.clock.pass_by(timedelta(days=3).total_seconds())
    desk = room.again()
    await desk.health.rounds.look(at_stake=True)
    await desk._retirer.look()
    assert (await room.now(ticket.id)).retired_at is not None


async def test_an_order_that_worked_for_long_has_its_buttons_from_its_fill_on(room: Room) -> None:
    room.broker.book_positions["Sim101", ES] = 0
    ticket = await room.ticket(PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, OrderType.LIMIT, limit="5700"))
    await room.confirm(ticket)
    await look(room, ticket)
    room.clock.pass_by(LOOKS_BACK.total_seconds() + 1)
    await look(room, ticket)
    assert fitting(await room.now(ticket.id))
    room.broker.change("order1", OrderState.FILLED, 1)
    room.broker.book_positions["Sim101", ES] = 1
    await room.follow()
    assert (await look(room, ticket)).retired_at is None
    room.broker.book_positions["Sim101", ES] = 0
    assert (await look(room, ticket)).retired_at is not None


async def test_the_running_desk_looks_by_itself(running: Room) -> None:
    ticket = await running.ticket(ENTRY)
    await running.confirm(ticket)
    running.broker.change("order1", OrderState.FILLED, 2)
    running.broker.book_positions["Sim101", ES] = 2

    def step() -> bool:
        running.clock.pass_by(0.5)
        shown = running.messenger.shown.get(ticket.id, [])
        if shown and shown[-1].order_state is OrderState.FILLED:
            running.broker.book_positions["Sim101", ES] = 0
        return bool(shown) and shown[-1].retired_at is not None

    await eventually(step)
