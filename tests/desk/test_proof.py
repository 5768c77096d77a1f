"""What is no proof: a list from a place that is down or has just come back, fills that nobody read, what another order did."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.ports import EventName
from bot.desk.reads.fills import READS_BACK, FillBook
from bot.desk.requests import CancelRequest, CloseRequest, FlattenRequest, PlaceRequest, ReplaceRequest, TicketRequest
from bot.errors import BrokerError, BrokerGarbled, BrokerLacks, BrokerUnreachable
from bot.timings import USUAL
from bot.trading.market.facts import Execution
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.market.spans import Span
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState
from tests.desk.conftest import ASK, Room
from tests.desk.fakes import ES

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)


async def lost(room: Room, request: TicketRequest = ASK) -> Ticket:
    """A ticket whose answer was lost."""
    room.broker.outcomes.append(Unknown("the connection was reset"))
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    return await room.now(ticket.id)


async def look(room: Room, seconds: float = 0) -> None:
    """Let time pass, then search for evidence once."""
    room.clock.pass_by(seconds)
    await room.desk._reconciler.look(await room.journal.recent(room.clock() - timedelta(hours=1)))


async def looked_twice(room: Room, ticket: Ticket) -> Ticket:
    """The ticket after two readings well after its time."""
    await look(room, USUAL.desk.grace.total_seconds())
    await look(room, USUAL.desk.absent_again.total_seconds())
    return await room.now(ticket.id)


def connect(room: Room, *, connected: bool | None) -> None:
    """Let NinjaTrader say whether the account's connection is up."""
    room.broker.book_accounts["Sim101"] = replace(room.broker.book_accounts["Sim101"], connected=connected)


async def test_with_everything_read_and_the_link_up_it_never_arrived(room: Room) -> None:
    ticket = await looked_twice(room, await lost(room))
    assert ticket.state is TicketState.NEVER_ARRIVED


async def test_a_second_reading_that_comes_too_soon_proves_nothing(room: Room) -> None:
    ticket = await lost(room)
    await look(room, USUAL.desk.grace.total_seconds())
    await look(room, USUAL.desk.absent_again.total_seconds() - 1)
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    await look(room, 1)
    assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_a_link_that_is_not_told_is_not_down(room: Room) -> None:
    ticket = await lost(room)
    connect(room, connected=None)
    assert (await looked_twice(room, ticket)).state is TicketState.NEVER_ARRIVED


async def test_nothing_is_absent_while_the_accounts_link_is_down(room: Room) -> None:
    ticket = await lost(room)
    connect(room, connected=False)
    assert await looked_twice(room, ticket) == ticket
    connect(room, connected=True)
    assert (await looked_twice(room, ticket)).state is TicketState.NEVER_ARRIVED


async def test_nothing_is_absent_while_it_is_not_known_whether_the_link_is_up(room: Room) -> None:
    ticket = await lost(room)
    room.broker.failing.add("account")
    assert await looked_twice(room, ticket) == ticket


async def test_an_empty_account_that_is_not_connected_is_not_closed(room: Room) -> None:
    ticket = await lost(room, CloseRequest("Sim101", "ES 09-26"))
    room.broker.book_positions["Sim101", ES] = 0
    connect(room, connected=False)
    await look(room)
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    connect(room, connected=True)
    await look(room)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


@pytest.mark.parametrize("read", ["orders", "executions", "positions"])
async def test_a_failed_read_between_the_two_readings_starts_them_over(room: Room, read: str) -> None:
    ticket = await lost(room)
    await look(room, USUAL.desk.grace.total_seconds())
    room.broker.failing.add(read)
    await look(room, USUAL.desk.absent_again.total_seconds())
    room.broker.failing.clear()
    await look(room, 1)
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    await look(room, USUAL.desk.absent_again.total_seconds())
    assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_a_link_that_was_down_between_the_two_readings_starts_them_over(room: Room) -> None:
    ticket = await lost(room)
    await look(room, USUAL.desk.grace.total_seconds())
    connect(room, connected=False)
    await look(room, USUAL.desk.absent_again.total_seconds())
    connect(room, connected=True)
    await look(room, 1)
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    await look(room, USUAL.desk.absent_again.total_seconds())
    assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_a_reading_of_the_last_run_does_not_count(room: Room) -> None:
    ticket = await lost(room)
    await look(room, USUAL.desk.grace.total_seconds())
    assert (await room.now(ticket.id)).absent_since is not None
    room.desk = room.again()
    # How long ago it was sent only a clock would know that may have been set meanwhile.
    await look(room, USUAL.desk.absent_again.total_seconds())
    await look(room, USUAL.desk.absent_again.total_seconds())
    await look(room, USUAL.desk.grace.total_seconds())
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    await look(room, USUAL.desk.absent_again.total_seconds())
    assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED


async def test_what_nobody_watched_for_longer_than_fills_are_told_is_not_absent(room: Room) -> None:
    ticket = await lost(room)
    room.clock.pass_by(READS_BACK.total_seconds() + 60)
    assert (await looked_twice(room, ticket)).state is TicketState.UNKNOWN


async def test_what_the_desk_has_watched_all_the_time_is_absent_later_too(room: Room) -> None:
    ticket = await lost(room)
    began = room.clock()
    room.clock.pass_by(READS_BACK.total_seconds() + 60)
    await room.journal.keep_fills("Sim101", (), Span(began, room.clock()))
    assert (await looked_twice(room, ticket)).state is TicketState.NEVER_ARRIVED


async def test_fills_that_only_the_desk_has_kept_prove_an_order(room: Room) -> None:
    ticket = await lost(room, PLACE)
    fill = Execution("f1", "gone", "Sim101", ES, Side.BUY, 1, room.broker.last, room.clock())
    await room.journal.keep_fills("Sim101", (fill,), Span(room.clock(), room.clock() + timedelta(minutes=1)))
    await look(room, READS_BACK.total_seconds() + 60)
    now = await room.now(ticket.id)
    assert (now.state, now.order_ids) == (TicketState.ACCEPTED, ("gone",))


# How far CrossTrade's clock is ahead of one that is six hours fast, and of one that is six hours slow.
WRONG_BY_HOURS = [timedelta(hours=-6), timedelta(hours=6)]
a_wrong_clock = pytest.mark.parametrize("theirs", WRONG_BY_HOURS, ids=["fast", "slow"])


async def reads_fills(room: Room) -> None:
    """Let the desk read the fills of the account, as it does every few minutes."""
    await FillBook(room.broker, room.journal, room.clock).read("Sim101")


@a_wrong_clock
async def test_a_host_that_is_hours_off_finds_an_order_by_fills_that_only_the_desk_has_kept(
    room: Room, theirs: timedelta
) -> None:
    room.clock.measured(theirs)
    ticket = await lost(room, PLACE)
    room.broker.book_executions.append(
        Execution("f1", "gone", "Sim101", ES, Side.BUY, 1, room.broker.last, room.clock() + theirs)
    )
    await reads_fills(room)
    room.broker.book_executions.clear()
    await look(room, READS_BACK.total_seconds() + 60)
    now = await room.now(ticket.id)
    assert (now.state, now.order_ids) == (TicketState.ACCEPTED, ("gone",))


@a_wrong_clock
async def test_a_host_that_is_hours_off_knows_late_that_an_order_never_arrived(room: Room, theirs: timedelta) -> None:
    room.clock.measured(theirs)
    ticket = await lost(room, PLACE)
    for _ in range(5):
        await reads_fills(room)
        room.clock.pass_by(USUAL.desk.fills_every.total_seconds())
    assert (await looked_twice(room, ticket)).state is TicketState.NEVER_ARRIVED


@a_wrong_clock
async def test_a_host_that_is_hours_off_does_not_call_absent_what_nobody_watched(room: Room, theirs: timedelta) -> None:
    room.clock.measured(theirs)
    ticket = await lost(room, PLACE)
    await reads_fills(room)
    room.clock.pass_by(2 * READS_BACK.total_seconds())
    await reads_fills(room)
    assert (await looked_twice(room, ticket)).state is TicketState.UNKNOWN


async def test_how_far_the_clock_is_off_may_be_told_first_by_the_very_answer_that_has_the_fills(room: Room) -> None:
    read = room.broker.executions

    async def telling(account: str) -> Sequence[Execution]:
        room.clock.measured(WRONG_BY_HOURS[0])
        return await read(account)

    ticket = await lost(room, PLACE)
    room.broker.executions = telling  # type: ignore[method-assign]  # as the dates of a client's answers do
    await reads_fills(room)
    room.clock.pass_by(2 * READS_BACK.total_seconds())
    assert (await looked_twice(room, ticket)).state is TicketState.UNKNOWN


async def test_a_lost_cancellation_whose_order_works_needs_no_fills(room: Room) -> None:
    order = room.broker.rest(Side.SELL, 1)
    ticket = await lost(room, CancelRequest("Sim101", order.id))
    room.clock.pass_by(READS_BACK.total_seconds() + 60)
    assert (await looked_twice(room, ticket)).state is TicketState.NEVER_ARRIVED


def written(room: Room, order_id: str, *told: str) -> None:
    """Let the add-on have written down an order."""
    events = tuple(OrderEvent(each, at=room.clock()) for each in told)
    room.broker.shown.lives[order_id] = Lifecycle("Sim101", (order_id,), events)


async def test_a_lost_cancellation_whose_order_is_listed_no_more_is_proved_by_what_was_written_down(room: Room) -> None:
    order = room.broker.rest(Side.SELL, 1)
    ticket = await lost(room, CancelRequest("Sim101", order.id))
    room.broker.book_orders.clear()
    written(room, order.id, "Working", "Cancelled")
    await look(room, 5)
    assert "lifecycle" not in room.broker.called
    await look(room, USUAL.desk.grace.total_seconds())
    now = await room.now(ticket.id)
    assert (now.state, now.order_ids) == (TicketState.ACCEPTED, (order.id,))
    event = (await room.journal.events(ticket.id))[-1]
    assert (event.name, event.data["evidence"]) == (EventName.ACCEPTED, "lifecycle")


@pytest.mark.parametrize("error", [BrokerLacks(400, "Unknown API command"), BrokerGarbled("no order")])
async def test_without_that_it_stays_unknown(room: Room, error: BrokerError) -> None:
    order = room.broker.rest(Side.SELL, 1)
    ticket = await lost(room, CancelRequest("Sim101", order.id))
    room.broker.book_orders.clear()
    room.broker.shown.answers["lifecycle"] = error
    assert await looked_twice(room, ticket) == ticket


async def test_a_lost_replacement_is_not_absent_where_the_list_has_dropped_the_old_order(room: Room) -> None:
    old = room.broker.rest(Side.BUY, 1)
    room.broker.book_orders[0] = replace(old, limit=room.broker.last - 20)
    ticket = await lost(room, ReplaceRequest("Sim101", old.id, 2, limit="5770"))
    room.broker.book_orders.clear()
    assert await looked_twice(room, ticket) == ticket
    written(room, old.id, "Working", "Cancelled")
    ended = await looked_twice(room, ticket)
    assert (ended.state, ended.outcome) == (
        TicketState.NEVER_ARRIVED,
        "Looked for twice, the old order is gone, the new one never arrived.",
    )


async def test_an_order_that_the_list_misses_is_found_by_its_id(room: Room) -> None:
    ticket = await lost(room, PLACE)
    row = replace(room.broker.rest(Side.BUY, 1), ids=("676",))
    room.broker.book_orders.clear()
    room.broker.shown.answers["order"] = row
    await look(room, USUAL.desk.grace.total_seconds())
    now = await room.now(ticket.id)
    assert (now.state, now.order_ids) == (TicketState.ACCEPTED, ("676", ticket.intent.client_order_id))


async def test_that_a_read_by_id_finds_nothing_proves_nothing(room: Room) -> None:
    """The list has the working order under another id, and so decides."""
    ticket = await lost(room, PLACE)
    order = room.broker.book(ticket.intent)
    room.broker.shown.answers["order"] = None
    await look(room, USUAL.desk.grace.total_seconds())
    assert (await room.now(ticket.id)).order_ids == (order.id,)


async def test_nothing_is_absent_while_a_read_by_id_gets_no_answer(room: Room) -> None:
    ticket = await lost(room, PLACE)
    room.broker.shown.answers["lifecycle"] = BrokerUnreachable("no answer")
    assert await looked_twice(room, ticket) == ticket


async def test_an_order_that_ninjatrader_rejected_and_lists_no_more_is_told_as_rejected(room: Room) -> None:
    ticket = await lost(room, PLACE)
    own = ticket.intent.client_order_id or ""
    written(room, own, "api_received", "Submitted", "Rejected")
    await look(room, USUAL.desk.grace.total_seconds())
    now = await room.now(ticket.id)
    assert (now.state, now.order_state, now.order_ids) == (TicketState.REJECTED, OrderState.REJECTED, (own,))


async def test_a_close_that_never_arrived_is_not_taken_for_the_one_after_it(room: Room) -> None:
    ticket = await looked_twice(room, await lost(room, CloseRequest("Sim101", "ES 09-26")))
    assert ticket.state is TicketState.NEVER_ARRIVED
    room.broker.book_positions["Sim101", ES] = 0
    await look(room, 5)
    assert await room.now(ticket.id) == ticket


async def test_a_flatten_that_was_cut_short_is_not_flat_while_the_link_is_down(room: Room) -> None:
    ticket = await room.ticket(FlattenRequest("account", "Sim101"))
    cut = replace(ticket, state=TicketState.UNKNOWN, version=ticket.version + 1, sent_at=room.clock())
    assert await room.journal.advance(ticket, cut, ())
    room.broker.book_positions["Sim101", ES] = 0
    connect(room, connected=False)
    await look(room, USUAL.desk.grace.total_seconds())
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    connect(room, connected=True)
    await look(room)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


async def test_a_reversal_that_was_cut_short_is_not_judged_while_the_link_is_down(room: Room) -> None:
    ticket = await room.ticket(replace(ASK, mode="verified"))
    at = room.clock()
    cut = replace(ticket, state=TicketState.UNKNOWN, version=ticket.version + 1, sent_at=at, confirmed_at=at)
    assert await room.journal.advance(ticket, cut, ())
    connect(room, connected=False)
    await look(room, USUAL.desk.grace.total_seconds())
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    connect(room, connected=True)
    await look(room)
    assert (await room.now(ticket.id)).state is TicketState.NEVER_ARRIVED
