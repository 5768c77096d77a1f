"""Every order is followed to its end: through lost ids, pruned lists, chunks, changes and rejections that come late."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import CancelRequest, CloseRequest, ModifyRequest, PlaceRequest, ReverseRequest, TicketRequest
from bot.desk.tracking.follow import GAVE_UP, Follower
from bot.desk.tracking.poll_budget import AT_ONCE, PollBudget
from bot.timings import USUAL
from bot.trading.market.facts import Execution, Order
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import Cancel, Close
from bot.trading.orders.outcomes import Accepted
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket, TicketState
from tests.desk.conftest import NEWS_CHANNEL, Room
from tests.desk.fakes import ES, FakeBroker, eventually

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.SELL, 3, OrderType.LIMIT, limit="5810")
CLOSE = CloseRequest("Sim101", "ES 09-26")
# Long enough that every account is due and the pace has rested.
A_WHILE = 5.0


async def sent(room: Room, request: TicketRequest = PLACE) -> Ticket:
    """A ticket that was confirmed and accepted; its order is the newest of the book."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    stored = await room.now(ticket.id)
    assert stored.state is TicketState.ACCEPTED
    return stored


async def look(room: Room, ticket: Ticket, seconds: float = A_WHILE) -> Ticket:
    """Let time pass and the follower look; the ticket as stored then."""
    room.clock.pass_by(seconds)
    await room.follow()
    return await room.now(ticket.id)


async def names(room: Room, ticket: Ticket) -> list[EventName]:
    """What the log says of a ticket since it was accepted."""
    events = [event.name for event in await room.journal.events(ticket.id)]
    return events[events.index(EventName.ACCEPTED) + 1 :]


async def headlines(room: Room) -> list[str]:
    """The first lines of all notices that are to be told."""
    rows = await room.journal.due(room.clock(), 100)
    return [row.notice.text.splitlines()[0].strip("*") for row in rows if row.notice and row.notice.channel == NEWS_CHANNEL]


def rewrite(room: Room, **changes: Any) -> Order:
    """Change the newest order of the book."""
    room.broker.book_orders[-1] = replace(room.broker.book_orders[-1], **changes)
    return room.broker.book_orders[-1]


async def test_an_order_that_fills_by_chunks_is_told_chunk_by_chunk_and_once_each(room: Room) -> None:
    ticket = await sent(room)
    for filled in (0, 1, 1, 2, 3, 3):
        state = OrderState.FILLED if filled == 3 else OrderState.PART_FILLED if filled else OrderState.WORKING
        rewrite(room, state=state, filled=filled, average_fill_price=Decimal(5810) if filled else None)
        await look(room, ticket)
    told = [line for line in await headlines(room) if "illed" in line]
    assert told == ["Part filled 1/3 at 5810", "Part filled 2/3 at 5810", "Filled 3 at 5810"]
    stored = await room.now(ticket.id)
    assert (stored.order_state, stored.filled, stored.ended_at) == (
        OrderState.FILLED,
        3,
        room.clock() - timedelta(seconds=A_WHILE),
    )


async def test_a_rejection_after_the_200_is_told_like_a_rejection_with_its_reason(room: Room) -> None:
    ticket = await sent(room)
    reason = OrderEvent("Rejected", "error", note="Insufficient margin “x” @everyone")
    room.broker.shown.lives["order1"] = Lifecycle("Sim101", ("order1",), (reason,))
    rewrite(room, state=OrderState.REJECTED)
    stored = await look(room, ticket)
    assert (stored.state, stored.order_state) == (TicketState.ACCEPTED, OrderState.REJECTED)
    assert stored.outcome == '“Insufficient margin "x" @everyone”'
    await look(room, ticket)
    notices = [row.notice.text for row in await room.journal.due(room.clock(), 100) if row.notice]
    rejected = [text for text in notices if "Rejected by NinjaTrader" in text]
    assert len(rejected) == 1
    assert "Insufficient margin" in rejected[0]


async def test_the_words_of_another_accounts_order_are_no_reason(room: Room) -> None:
    ticket = await sent(room)
    reason = OrderEvent("Rejected", "error", note="Theirs alone")
    room.broker.shown.lives["order1"] = Lifecycle("Sim102", ("order1",), (reason,))
    rewrite(room, state=OrderState.REJECTED)
    stored = await look(room, ticket)
    assert (stored.order_state, stored.outcome) == (OrderState.REJECTED, None)


async def test_a_reason_that_can_not_be_had_holds_no_rejection_up(room: Room) -> None:
    ticket = await sent(room)
    rewrite(room, state=OrderState.REJECTED)
    room.broker.hanging.add("lifecycle")
    await look(room, ticket)
    await room.passes(1.1)
    stored = await room.now(ticket.id)
    assert (stored.order_state, stored.outcome) == (OrderState.REJECTED, None)
    assert (await names(room, ticket)) == [EventName.REJECTED]


async def test_a_desk_that_stops_waits_for_no_look_and_learns_nothing_from_it_any_more(room: Room) -> None:
    ticket = await sent(room)
    rewrite(room, state=OrderState.FILLED, filled=3, average_fill_price=Decimal(5810))
    room.broker.takes["orders"] = 20.0
    await room.follow()
    began = room.clock()
    await room.desk.close()
    assert room.clock() - began < timedelta(seconds=10)
    await room.passes(30)
    assert (await room.now(ticket.id)).order_state is None


async def test_an_older_add_on_gives_no_reason(room: Room) -> None:
    ticket = await sent(room)
    rewrite(room, state=OrderState.REJECTED)
    room.broker.failing.add("lifecycle")
    assert (await look(room, ticket)).outcome is None
    assert "Rejected by NinjaTrader" in await headlines(room)


async def test_a_rejected_order_without_an_id_is_told_without_asking_for_its_reason(room: Room) -> None:
    room.broker.outcomes.append(Accepted(None))
    ticket = await sent(room, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, oco="grp"))
    room.broker.book(ticket.order)
    rewrite(room, oco="grp", ids=(), state=OrderState.REJECTED)
    stored = await look(room, ticket)
    assert stored.order_state is OrderState.REJECTED
    assert "lifecycle" not in [what for _, what in room.broker.asked]


async def test_a_state_that_nobody_knows_is_no_evidence(room: Room) -> None:
    ticket = await sent(room)
    await look(room, ticket)
    rewrite(room, state=OrderState.OTHER)
    stored = await look(room, ticket)
    assert (stored.order_state, stored.is_followed) == (OrderState.WORKING, True)


async def test_an_order_whose_id_changes_is_known_by_the_desks_own(room: Room) -> None:
    ticket = await sent(room)
    own = ticket.order_ids[1]
    rewrite(room, ids=("676173541025", own))
    await look(room, ticket)
    rewrite(room, ids=("676173541025",), state=OrderState.FILLED, filled=3)
    stored = await look(room, ticket)
    assert (stored.order_ids, stored.order_state) == (("order1", own, "676173541025"), OrderState.FILLED)


async def test_an_order_whose_ids_are_all_lost_is_known_by_its_group(room: Room) -> None:
    ticket = await sent(room, replace(PLACE, oco="grp"))
    rewrite(room, ids=("676",), oco="grp")
    stored = await look(room, ticket)
    assert (stored.order_ids[-1], stored.order_state) == ("676", OrderState.WORKING)


async def test_the_order_of_another_ticket_is_not_taken_for_ours(room: Room) -> None:
    first = await sent(room, replace(PLACE, oco="grp"))
    listed = room.broker.book_orders[0]
    room.broker.book_orders[0] = replace(listed, account="Sim102")
    second = await sent(room, replace(PLACE, oco="grp", quantity=2))
    rewrite(room, oco="grp")
    await look(room, first)
    assert (await room.now(first.id)).order_state is None
    assert (await room.now(second.id)).order_state is OrderState.WORKING
    room.broker.book_orders[0] = listed
    assert (await look(room, first)).order_state is OrderState.WORKING


async def gone(room: Room, request: TicketRequest = PLACE) -> Ticket:
    """An accepted ticket whose order isn't listed, nor known by its id."""
    ticket = await sent(room, request)
    room.broker.book_orders.clear()
    return await look(room, ticket)


async def test_an_order_that_is_not_listed_yet_is_not_sought(room: Room) -> None:
    ticket = await gone(room)
    await look(room, ticket, USUAL.desk.listed_within.total_seconds() - 1)
    asked = [what for _, what in room.broker.asked]
    assert "executions" not in asked[-2:]


async def test_a_pruned_order_is_settled_by_its_fills(room: Room) -> None:
    ticket = await gone(room)
    for number in (1, 2, 3):
        fill = Execution(f"e{number}", "order1", "Sim101", ES, Side.SELL, 1, Decimal(5810), room.clock())
        room.broker.book_executions.append(fill)
    stored = await look(room, ticket)
    assert (stored.order_state, stored.filled) == (OrderState.FILLED, 3)


async def test_a_pruned_order_is_settled_by_its_stored_life(room: Room) -> None:
    ticket = await gone(room)
    events = (OrderEvent("PartFilled", "order_update", filled=1), OrderEvent("Cancelled", "order_update", filled=1))
    room.broker.shown.lives["order1"] = Lifecycle("Sim101", ("order1",), events)
    stored = await look(room, ticket)
    assert (stored.order_state, stored.filled) == (OrderState.CANCELLED, 1)
    assert "Order cancelled, 1 of 3 filled" in await headlines(room)


class ById(FakeBroker):
    """A broker that finds an order by an id under which its list doesn't have it any more."""

    behind: Order

    async def order(self, account: str, order_id: str) -> Order | None:
        await self._read("order")
        return self.behind


async def test_an_order_that_got_another_id_is_found_by_the_old_one_and_followed_on(room: Room) -> None:
    ticket = await sent(room)
    broker = ById(room.clock)
    broker.behind = replace(room.broker.book_orders[0], ids=("676",))
    broker.book_orders.append(broker.behind)
    room.desk._follower.broker = broker
    await look(room, ticket)
    stored = await look(room, ticket)
    assert (stored.order_ids[-1], stored.order_state) == ("676", OrderState.WORKING)
    broker.change("676", OrderState.FILLED, 3)
    assert (await look(room, ticket)).order_state is OrderState.FILLED
    assert "lifecycle" not in [what for _, what in broker.asked]


async def test_an_order_that_goes_by_another_id_now_is_reached_by_the_one_on_its_card(room: Room) -> None:
    other = await sent(room, replace(PLACE, account="Sim102"))
    ticket = await sent(room)
    card_id = ticket.order_id
    assert card_id is not None
    rewrite(room, ids=(card_id, "676"))
    await look(room, ticket)
    rewrite(room, ids=("676",))
    cancel = await room.ticket(CancelRequest("Sim101", order=card_id))
    assert cancel.order == Cancel("Sim101", ES, ticket.order.terms, "676")
    await room.confirm(cancel)
    assert room.broker.book_orders[-1].state is OrderState.CANCELLED
    assert other.order_id is not None
    # That of another account's order, and one that no ticket has had.
    for order_id in (other.order_id, "nobody's"):
        assert await room.refused(CancelRequest("Sim101", order=order_id)) == ["NO_SUCH_ORDER"]


async def test_another_order_that_answers_to_the_id_is_not_taken_for_it(room: Room) -> None:
    ticket = await sent(room)
    broker = ById(room.clock)
    broker.behind = replace(room.broker.book_orders[0], side=Side.BUY, state=OrderState.FILLED, filled=3)
    room.desk._follower.broker = broker
    for _ in range(3):
        await look(room, ticket)
    assert (await room.now(ticket.id)).order_state is None


async def test_an_order_of_which_no_trace_is_left_is_said_to_be_out_of_sight_and_not_followed_for_ever(room: Room) -> None:
    ticket = await gone(room)
    before = USUAL.desk.give_up.total_seconds() - A_WHILE
    passed = 0.0
    while passed + A_WHILE < before:
        passed += A_WHILE
        assert (await look(room, ticket)).is_followed
    for _ in range(6):
        await look(room, ticket)
    stored = await room.now(ticket.id)
    assert (stored.order_state, stored.outcome, stored.is_followed) == (OrderState.GONE, GAVE_UP, False)
    assert (await headlines(room)).count("Lost sight of the order, 0 of 3 filled") == 1
    reads = room.broker.reads
    await look(room, ticket)
    assert room.broker.reads == reads


async def test_what_filled_before_an_order_was_lost_from_sight_is_told(room: Room) -> None:
    ticket = await gone(room)
    room.broker.book_executions.append(Execution("e1", "order1", "Sim101", ES, Side.SELL, 1, Decimal(5810), room.clock()))
    await look(room, ticket)
    assert (await room.now(ticket.id)).order_state is OrderState.PART_FILLED
    room.broker.book_executions.clear()
    for _ in range(int(USUAL.desk.give_up.total_seconds() / A_WHILE) + 5):
        await look(room, ticket)
    assert "Lost sight of the order, 1 of 3 filled at 5810" in await headlines(room)


async def test_an_order_is_absent_only_while_ninjatrader_can_be_read(room: Room) -> None:
    ticket = await gone(room)
    await look(room, ticket, USUAL.desk.give_up.total_seconds() / 2)
    room.broker.failing.add("orders")
    await look(room, ticket, USUAL.desk.give_up.total_seconds())
    room.broker.failing.clear()
    # NinjaTrader has just come back and has not loaded its orders yet.
    for _ in range(3):
        assert (await look(room, ticket)).is_followed
    room.broker.book((await room.now(ticket.id)).intent)
    rewrite(room, ids=("order1",))
    assert (await look(room, ticket)).order_state is OrderState.WORKING


async def test_traces_that_can_not_be_read_are_no_end_and_do_not_keep_it_for_ever(room: Room) -> None:
    ticket = await gone(room)
    room.broker.failing |= {"executions", "order", "lifecycle"}
    await look(room, ticket)
    assert (await room.now(ticket.id)).is_followed
    for _ in range(int(USUAL.desk.give_up.total_seconds() / A_WHILE) + 5):
        await look(room, ticket)
    assert (await room.now(ticket.id)).order_state is OrderState.GONE


async def test_an_order_without_an_id_is_sought_by_nothing_but_its_group(room: Room) -> None:
    room.broker.outcomes.append(Accepted(None))
    ticket = await sent(room, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1))
    for _ in range(4):
        await look(room, ticket)
    assert "lifecycle" not in [what for _, what in room.broker.asked]


async def test_many_orders_out_of_sight_are_sought_one_a_look(room: Room) -> None:
    tickets = [await sent(room, replace(PLACE, limit=f"{5810 + number}")) for number in range(4)]
    room.broker.book_orders.clear()
    await look(room, tickets[0])
    for number in (1, 2, 3, 4):
        await look(room, tickets[0])
        assert [what for _, what in room.broker.asked].count("lifecycle") == number
    await look(room, tickets[0], USUAL.desk.seek_every.total_seconds())
    assert [what for _, what in room.broker.asked].count("lifecycle") == 5


async def test_a_changed_order_is_shown_as_it_is_now_and_is_whole_when_that_has_filled(room: Room) -> None:
    ticket = await sent(room)
    rewrite(room, quantity=5, limit=Decimal(5811))
    stored = await look(room, ticket)
    assert (stored.terms.quantity, stored.terms.limit, stored.order.terms.quantity) == (5, Decimal(5811), 3)
    rewrite(room, filled=3, state=OrderState.PART_FILLED, average_fill_price=Decimal(5811))
    await look(room, ticket)
    assert "Part filled 3/5 at 5811" in await headlines(room)
    events = await room.journal.events(ticket.id)
    assert [event.data["order"] for event in events if "order" in event.data] == ["SELL 5 LIMIT limit 5811"]


async def test_a_cancelled_order_is_told_by_its_own_ticket_and_not_twice(room: Room) -> None:
    ticket = await sent(room)
    cancel = await sent(room, CancelRequest("Sim101", "order1"))
    await look(room, ticket)
    assert (await headlines(room)).count("Order cancelled, 0 of 3 filled") == 1
    assert (await names(room, cancel)) == [EventName.SEEN]
    assert not (await room.now(cancel.id)).is_followed


async def test_a_cancellation_that_is_accepted_after_the_order_was_seen_to_be_over_is_not_told_again(room: Room) -> None:
    ticket = await sent(room)
    cancel = await room.ticket(CancelRequest("Sim101", "order1"))
    room.broker.gate = asyncio.Event()
    press = asyncio.create_task(room.confirm(cancel))
    await eventually(lambda: len(room.broker.sent) == 2)
    room.broker.change("order1", OrderState.CANCELLED)
    await look(room, ticket)
    room.broker.gate.set()
    await press
    await look(room, cancel)
    assert (await headlines(room)).count("Order cancelled, 0 of 3 filled") == 1
    assert not (await room.now(cancel.id)).is_followed


@pytest.mark.parametrize(
    ("state", "words"),
    [(OrderState.WORKING, "is working"), (OrderState.OTHER, "is in a state that isn't known")],
)
async def test_a_cancellation_that_takes_too_long_is_said_to_once_and_followed_on(
    room: Room, state: OrderState, words: str
) -> None:
    order = room.broker.rest(Side.BUY, 2)
    room.broker.outcomes.append(Accepted(order.id))
    cancel = await sent(room, CancelRequest("Sim101", order.id))
    rewrite(room, state=state)
    for _ in range(6):
        await look(room, cancel)
    stored = await room.now(cancel.id)
    assert (await names(room, cancel)).count(EventName.NOT_CANCELLED) == 1
    assert stored.outcome == f"Not cancelled after {USUAL.desk.overdue.seconds} s: the order {words}; look at NinjaTrader."
    rewrite(room, state=OrderState.CANCEL_PENDING)
    assert (await look(room, cancel)).order_state is OrderState.CANCEL_PENDING
    assert (await names(room, cancel)).count(EventName.NOT_CANCELLED) == 1
    rewrite(room, state=OrderState.CANCELLED)
    stored = await look(room, cancel)
    assert (stored.is_followed, stored.outcome) == (False, None)
    assert "Order cancelled, 0 of 2 filled" in await headlines(room)


async def test_a_change_that_takes_too_long_is_said_to_once_and_followed_on(room: Room) -> None:
    rewrite_to = {"limit": Decimal("5790.00")}
    order = room.broker.rest(Side.BUY, 2)
    rewrite(room, **rewrite_to)
    room.broker.outcomes.append(Accepted(order.id))
    change = await sent(room, ModifyRequest("Sim101", order.id, limit="5790.25"))
    for _ in range(6):
        await look(room, change)
    stored = await room.now(change.id)
    assert (await names(room, change)).count(EventName.NOT_CHANGED) == 1
    assert "the order is BUY 2 LIMIT limit 5790.00" in (stored.outcome or "")
    rewrite(room, limit=Decimal("5790.25"))
    stored = await look(room, change)
    assert (stored.is_followed, stored.outcome, stored.order_state) == (False, None, OrderState.WORKING)


async def test_what_becomes_of_a_changed_order_is_not_told_by_the_change(room: Room) -> None:
    ticket = await sent(room)
    change = await sent(room, ModifyRequest("Sim101", "order1", limit="5810.25"))
    rewrite(room, state=OrderState.FILLED, filled=3, average_fill_price=Decimal(5810))
    await look(room, ticket)
    assert (await names(room, change)) == [EventName.SEEN]
    assert (await headlines(room)).count("Filled 3 at 5810") == 1


async def test_an_order_of_nobodys_that_is_lost_from_sight_is_told_by_its_cancellation(room: Room) -> None:
    order = room.broker.rest(Side.BUY, 2)
    room.broker.outcomes.append(Accepted(order.id))
    cancel = await sent(room, CancelRequest("Sim101", order.id))
    room.broker.book_orders.clear()
    for _ in range(int(USUAL.desk.give_up.total_seconds() / A_WHILE) + 6):
        await look(room, cancel)
    assert "Lost sight of the order, 0 of 2 filled" in await headlines(room)


async def test_a_close_by_chunks_is_told_by_the_position(room: Room) -> None:
    room.broker.book_positions["Sim101", ES] = -3
    room.broker.outcomes.append(Accepted(None))
    ticket = await sent(room, CLOSE)
    for held in (-2, -1, 0):
        room.broker.book_positions["Sim101", ES] = held
        await look(room, ticket)
    told = [line for line in await headlines(room) if "losed" in line]
    assert told == ["Part closed 1/3", "Part closed 2/3", "Closed 3"]


async def test_a_close_that_is_late_but_comes_is_not_left_saying_so(room: Room) -> None:
    room.broker.outcomes.append(Accepted(None))
    ticket = await sent(room, CLOSE)
    stored = await look(room, ticket, USUAL.desk.overdue.total_seconds())
    assert stored.outcome == "Still SHORT 2 after 15 s; look at NinjaTrader."
    room.broker.book_positions["Sim101", ES] = 0
    stored = await look(room, ticket)
    assert (stored.order_state, stored.outcome) == (OrderState.FILLED, None)


async def test_a_close_that_never_shows_is_not_looked_for_for_ever(room: Room) -> None:
    room.broker.outcomes.append(Accepted(None))
    ticket = await sent(room, CLOSE)
    await look(room, ticket, USUAL.desk.overdue.total_seconds())
    stored = await look(room, ticket, USUAL.desk.close_ends.total_seconds())
    assert (stored.order_state, stored.is_followed) == (OrderState.GONE, False)
    assert "Still SHORT 2" in (stored.outcome or "")
    assert (await names(room, ticket)) == [EventName.NOT_CLOSED, EventName.SEEN]


async def test_a_close_that_rests_until_the_market_opens_is_told_when_it_fills(running: Room) -> None:
    running.broker.dawdling.add(Close)
    ticket = await sent(running, CLOSE)
    resting = running.broker.book(ticket.intent)
    await running.passes(3 * 3600)
    assert (await running.now(ticket.id)).is_followed
    running.broker.let_go()
    running.broker.change(resting.id, OrderState.FILLED, 2)
    await eventually(lambda: any("Closed 2" in notice.text for notice in running.messenger.told), 5)
    assert (await running.now(ticket.id)).order_state is OrderState.FILLED


async def test_a_close_whose_order_is_cancelled_while_the_market_is_shut_is_given_up(running: Room) -> None:
    running.broker.dawdling.add(Close)
    ticket = await sent(running, CLOSE)
    resting = running.broker.book(ticket.intent)
    await running.passes(3600)
    running.broker.change(resting.id, OrderState.CANCELLED)
    await running.passes(2 * USUAL.desk.seek_every.total_seconds())
    assert (await running.now(ticket.id)).order_state is OrderState.GONE


async def test_a_close_and_an_order_in_one_account_are_both_looked_at(room: Room) -> None:
    ticket = await sent(room)
    room.broker.outcomes.append(Accepted(None))
    close = await sent(room, CLOSE)
    room.broker.book_positions["Sim101", ES] = 0
    rewrite(room, state=OrderState.CANCELLED)
    await look(room, ticket)
    assert (await room.now(close.id)).order_state is OrderState.FILLED
    assert (await room.now(ticket.id)).order_state is OrderState.CANCELLED


async def test_positions_that_can_not_be_read_close_nothing(room: Room) -> None:
    room.broker.outcomes.append(Accepted(None))
    ticket = await sent(room, CLOSE)
    room.broker.failing.add("positions")
    assert (await look(room, ticket)).order_state is None


async def test_following_reads_as_somebody_whom_nobody_waits_for(room: Room) -> None:
    ticket = await sent(room)
    quiet = FakeBroker(room.clock)
    quiet.book_orders = room.broker.book_orders
    desk = room.again(quiet=quiet)
    reads = room.broker.reads
    room.clock.pass_by(A_WHILE)
    await desk._follower.look(await room.journal.live())
    assert (await room.now(ticket.id)).order_state is OrderState.WORKING
    assert room.broker.reads == reads
    assert quiet.reads == 1


# When it looks


async def test_a_young_order_is_looked_at_every_second_and_an_old_one_less_often(room: Room) -> None:
    ticket = await sent(room)
    moments: list[float] = []
    for step in range(4 * 700):
        before = len(room.broker.asked)
        await look(room, ticket, 0.25)
        if len(room.broker.asked) > before:
            moments.append(step / 4)
    pauses = [after - before for before, after in itertools.pairwise(moments)]
    assert set(pauses[:8]) == {1.0}
    # So that what has filled is told within three seconds.
    assert set(pauses[-20:]) == {3.0}
    # Where the stream has told of the account before, it will when something happens there.
    room.desk._follower.soon("Sim101")
    before = len(room.broker.asked)
    for _ in range(4 * 60):
        await look(room, ticket, 0.25)
    assert 60 / USUAL.desk.told_every.total_seconds() <= len(room.broker.asked) - before <= 8


async def test_an_account_is_looked_at_soon_when_somebody_says_so(room: Room) -> None:
    ticket = await sent(room)
    await look(room, ticket, 1000)
    rewrite(room, state=OrderState.FILLED, filled=3)
    assert (await look(room, ticket, 1)).order_state is OrderState.WORKING
    room.desk._follower.soon("Sim102")
    assert (await look(room, ticket, 0.5)).order_state is OrderState.WORKING
    room.desk._follower.soon("Sim101")
    assert (await look(room, ticket, 0.5)).order_state is OrderState.FILLED


async def test_a_look_that_was_asked_for_is_made_once(room: Room) -> None:
    ticket = await sent(room)
    await look(room, ticket, 1000)
    room.desk._follower.soon("Sim101")
    await look(room, ticket, 1)
    reads = room.broker.reads
    for _ in range(3):
        await look(room, ticket, 1)
    assert room.broker.reads == reads


async def test_all_accounts_are_looked_at_soon_when_somebody_says_so(room: Room) -> None:
    first, second = await sent(room), await sent(room, replace(PLACE, account="Sim102"))
    await look(room, first, 1000)
    await look(room, first, 1)
    for order in room.broker.book_orders:
        room.broker.change(order.id, OrderState.FILLED, 3)
    room.desk._follower.soon(None)
    for _ in range(2):
        await look(room, first, 1)
    for ticket in (first, second):
        assert (await room.now(ticket.id)).order_state is OrderState.FILLED


ACCOUNTS = [f"Sim{number}" for number in range(200, 230)]
FOLLOWED_SECONDS = 240


class Crowd:
    """A follower of many orders of many accounts, whose clock goes by ticks; what it asks for is counted."""

    def __init__(self, room: Room, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = room.clock
        self.broker = FakeBroker(room.clock)
        self.follower = Follower(room.desk._recorder, self.broker, room.clock, USUAL.desk, PollBudget(USUAL.desk.request_every))
        self.tickets: list[Ticket] = []

    def fill(self, sample: Ticket, closing: Ticket) -> None:
        """Orders of every age in as many accounts as chance wants, some of them not listed, some closes."""
        for number in range(self.dice.randint(1, 60)):
            account = self.dice.choice(ACCOUNTS[: self.dice.randint(1, len(ACCOUNTS))])
            kind = self.dice.choice((sample, sample, sample, closing))
            sent_at = self.clock() - timedelta(seconds=self.dice.choice((0, 5, 60, 5000)))
            ids = (f"o{number}",) if kind is sample else ()
            intent = replace(kind.order, account=account)
            self.tickets.append(replace(kind, id=f"c{number}", intent=intent, order_ids=ids, sent_at=sent_at))
            if kind is sample and self.dice.random() < 0.8:
                self.broker.book(intent)
                self.broker.book_orders[-1] = replace(self.broker.book_orders[-1], ids=ids)

    async def run(self) -> list[float]:
        """The moments of all requests, in seconds since the beginning."""
        began = self.clock()
        for _ in range(4 * FOLLOWED_SECONDS):
            if self.dice.random() < 0.5:
                self.follower.soon(self.dice.choice([None, *ACCOUNTS]))
            self.broker.failing = {"orders"} if self.dice.random() < 0.05 else set()
            await self.follower.look(self.tickets)
            self.clock.pass_by(0.25)
        return [(at - began).total_seconds() for at, _ in self.broker.asked]


def busiest(moments: Sequence[float], seconds: float) -> int:
    """The most requests in any window of that length."""
    return max((sum(start <= one < start + seconds for one in moments) for start in moments), default=0)


@pytest.mark.parametrize("seed", range(8))
async def test_following_keeps_to_one_request_a_second_however_many_orders_and_accounts(room: Room, seed: int) -> None:
    crowd = Crowd(room, seed)
    room.broker.outcomes.append(Accepted(None))
    closing = await sent(room, CLOSE)
    crowd.fill(await sent(room), closing)
    moments = await crowd.run()
    # What may be asked at once, and what the last look before may have overdrawn: positions, orders, fills, an id, a life.
    assert busiest(moments, 60) <= 60 / USUAL.desk.request_every.total_seconds() + AT_ONCE + 4
    assert busiest(moments, FOLLOWED_SECONDS) <= FOLLOWED_SECONDS / USUAL.desk.request_every.total_seconds() + AT_ONCE + 4


async def test_every_account_has_its_turn(room: Room) -> None:
    crowd = Crowd(room, seed=1)
    sample = await sent(room)
    for number, account in enumerate(ACCOUNTS):
        intent = replace(sample.order, account=account)
        crowd.tickets.append(replace(sample, id=f"c{number}", intent=intent, sent_at=room.clock()))
        crowd.broker.book(intent, OrderState.FILLED, 3)
        crowd.broker.book_orders[-1] = replace(crowd.broker.book_orders[-1], ids=sample.order_ids)
    looked: dict[str, int] = {}
    orders = crowd.broker.orders

    class Noting(FakeBroker):
        async def orders(self, account: str, *, active_only: bool) -> Sequence[Order]:
            looked[account] = looked.get(account, 0) + 1
            return await orders(account, active_only=active_only)

    crowd.follower.broker = Noting(room.clock)
    for _ in range(4 * len(ACCOUNTS) * 3):
        crowd.follower.soon(ACCOUNTS[0])
        await crowd.follower.look(crowd.tickets)
        room.clock.pass_by(0.25)
    # Whoever has news goes first every other time, and all others take turns in the rest.
    hurried = looked.pop(ACCOUNTS[0])
    assert looked.keys() == set(ACCOUNTS[1:])
    assert max(looked.values()) - min(looked.values()) <= 1
    assert hurried <= sum(looked.values()) + 2


async def test_the_pace_lets_a_few_go_at_once_and_then_one_after_the_other(room: Room) -> None:
    pace, now = PollBudget(timedelta(seconds=1), 2), room.clock()
    for _ in range(2):
        assert pace.is_free(now)
        pace.spend(now)
    assert not pace.is_free(now + timedelta(seconds=0.9))
    assert pace.is_free(now + timedelta(seconds=1))
    for _ in range(5):
        pace.spend(now)
    assert not pace.is_free(now + timedelta(seconds=5.9))
    assert pace.is_free(now + timedelta(seconds=6))


async def test_whoever_hears_of_something_wakes_the_follower_at_once(running: Room) -> None:
    ticket = await sent(running)
    await running.passes(400)
    looked, asked = running.clock(), len(running.broker.asked)
    running.desk.news("Sim101")
    await eventually(lambda: len(running.broker.asked) > asked)
    assert running.clock() - looked < timedelta(seconds=0.5)
    assert (await running.now(ticket.id)).is_followed
