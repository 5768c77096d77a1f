"""Closes beside each other: what closes already counts until it is over, and a position on the other side is an alarm."""

import asyncio
from dataclasses import replace

import pytest

from bot.desk.ports import Tone
from bot.desk.requests import CloseRequest, FlattenRequest, ReverseRequest
from bot.trading.exits.leftover import outcome_of
from bot.trading.orders.broker_calls import FlattenAccount
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.closing import LISTS_LAG
from tests.desk.conftest import HERE, TRADER, Room
from tests.desk.fakes import ES, eventually

WHERE = ("Sim101", ES)
ONE = CloseRequest("Sim101", "ES 09-26", 1)
ALL = CloseRequest("Sim101", "ES 09-26")
FLATTEN = FlattenRequest("account", "Sim101")


async def closed(room: Room, request: CloseRequest | FlattenRequest = ALL) -> Ticket:
    """Ask and confirm; the ticket as it stands then."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    return await room.now(ticket.id)


@pytest.mark.parametrize("seconds", [1, LISTS_LAG + 7, 120, 1200])
async def test_while_a_close_works_at_a_shut_market_no_second_one_is_offered(running: Room, seconds: float) -> None:
    running.broker.shut = True
    await closed(running, ONE)
    await running.passes(seconds)
    requests = (ONE, ALL, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1))
    for request in requests:
        codes = await running.refused(request)
        assert "CLOSING" in codes, codes
    running.broker.open_market()
    assert running.broker.book_positions[WHERE] == -1
    await eventually(lambda: any("Closed 1" in notice.text for notice in running.messenger.told))
    # That one is over, so the next one may go.
    assert (await running.ticket(ONE)).state is TicketState.OFFERED


async def test_the_denial_names_the_order_and_how_to_take_it_back(room: Room) -> None:
    room.broker.shut = True
    await closed(room, ONE)
    await room.passes(LISTS_LAG)
    made = await room.desk.offer(TRADER, HERE, ONE)
    assert "/cancel scope:order account:Sim101 order:close1" in str(made)


async def test_a_close_that_was_taken_and_is_not_listed_yet_counts_for_the_longest_lag(room: Room) -> None:
    room.broker.dawdling.add(Close)
    await closed(room)
    assert await room.refused(ALL) == ["OUTCOME_UNKNOWN"]
    await room.passes(LISTS_LAG - 1)
    assert await room.refused(ALL) == ["OUTCOME_UNKNOWN"]
    await room.passes(1.1)
    assert (await room.ticket(ALL)).state is TicketState.OFFERED


async def test_after_a_flatten_that_ended_with_its_close_at_a_shut_market_there_is_no_second_close(running: Room) -> None:
    running.broker.shut = True
    ended = await closed(running, FLATTEN)
    assert ended.order_state is OrderState.CANCELLED
    assert "BUY 2 MARKET (order “close1”) still closes" in (outcome_of(ended) or "")
    assert "/cancel scope:order account:Sim101 order:close1" in (outcome_of(ended) or "")
    assert "CLOSING" in await running.refused(ALL)
    again = await closed(running, FLATTEN)
    assert again.progress.steps == ()
    running.broker.open_market()
    assert running.broker.book_positions[WHERE] == 0
    assert running.broker.sent == [FlattenAccount("Sim101")]


async def test_a_flatten_beside_a_part_that_closes_covers_the_rest_alone(room: Room) -> None:
    room.broker.shut = True
    await closed(room, ONE)
    flatten = await room.ticket(FLATTEN)
    press = asyncio.create_task(room.confirm(flatten))
    await eventually(lambda: len(room.broker.sent) == 2)
    rest = room.broker.sent[1]
    assert isinstance(rest, Close)
    assert (rest.terms.side, rest.terms.quantity, rest.is_whole) == (Side.BUY, 1, False)
    room.broker.open_market()
    await press
    assert room.broker.book_positions[WHERE] == 0
    assert (await room.now(flatten.id)).order_state is OrderState.FILLED


async def test_a_position_on_the_other_side_of_a_close_is_an_alarm_and_never_closed(running: Room) -> None:
    running.broker.dawdling.add(Close)
    ticket = await closed(running)
    running.broker.book_positions[WHERE] = 1
    await eventually(lambda: bool(running.messenger.told))
    await eventually(lambda: running.messenger.shown[ticket.id][-1].turned_to == 1)
    await running.all_told()
    alarm = running.messenger.told[-1]
    assert alarm.tone is Tone.ALARM
    assert alarm.text.startswith("Now LONG 1")
    assert "now LONG 1" in (outcome_of(running.messenger.shown[ticket.id][-1]) or "")
    assert not any("Closed" in notice.text for notice in running.messenger.told)


async def test_so_it_is_where_evidence_settles_it(running: Room) -> None:
    running.broker.outcomes.append(Unknown("reset"))
    ticket = await closed(running)
    running.broker.book_positions[WHERE] = 1
    ended = await running.until(ticket, TicketState.ACCEPTED)
    assert ended.turned_to == 1
    await running.all_told()
    assert any(notice.text.startswith("Now LONG 1") for notice in running.messenger.told)


async def test_so_it_is_with_a_flatten(running: Room) -> None:
    ticket = await running.ticket(FLATTEN)
    running.broker.dawdling.add(FlattenAccount)
    running.broker.dawdling.add(Close)
    running.clock.plan(2, lambda: running.broker.book_positions.update({WHERE: 1}))
    await running.confirm(ticket)
    ended = await running.now(ticket.id)
    assert "now LONG 1" in (outcome_of(ended) or "")
    assert ended.order_state is OrderState.CANCELLED
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert running.messenger.told[-1].text.startswith("NOT FLAT, now LONG 1")


async def test_a_rejected_close_is_told_at_once_in_the_brokers_words(running: Room) -> None:
    running.broker.locked = "Account is locked by risk"
    ticket = await closed(running)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].order_state is OrderState.REJECTED, 5)
    await running.all_told()
    ended = await running.now(ticket.id)
    assert (ended.outcome, ended.order_id, ended.is_followed) == ("“Account is locked by risk”", "close1", False)
    alarm = running.messenger.told[-1]
    assert alarm.text.startswith("Rejected by NinjaTrader")
    assert "locked by risk" in alarm.text
    # It holds up nobody.
    assert (await running.ticket(ALL)).state is TicketState.OFFERED


async def test_a_flatten_sends_nothing_more_after_two_rejections_alike_and_says_so(running: Room) -> None:
    running.broker.locked = "Account is locked by risk"
    ended = await closed(running, FLATTEN)
    assert len(running.broker.sent) == 2
    assert [leg.text for leg in ended.progress.steps] == ["NinjaTrader rejected its order: “Account is locked by risk”"] * 2
    assert "rejected 2 closes" in (outcome_of(ended) or "")
    assert "nothing more was sent there" in (outcome_of(ended) or "")
    assert (running.broker.times[-1] - running.broker.times[0]).total_seconds() < 10
    await eventually(lambda: bool(running.messenger.told))
    assert "locked by risk" in running.messenger.told[-1].text


async def test_reasons_that_do_not_come_hold_up_the_next_close_once_however_many_are_asked_for(running: Room) -> None:
    for root in ("NQ", "YM", "RTY", "CL"):
        running.broker.book_positions["Sim101", Contract(root, 2026, 9)] = 1
    running.broker.locked = "Account is locked by risk"
    running.broker.hanging.add("lifecycle")
    await closed(running, FLATTEN)
    assert len(running.broker.sent) > 1
    assert (running.broker.times[1] - running.broker.times[0]).total_seconds() < 5


async def test_a_close_is_never_denied_by_a_flatten_that_does_not_close(running: Room) -> None:
    running.broker.rest(Side.SELL, 1)
    running.broker.deaf = True
    flatten = await running.ticket(FLATTEN)
    press = asyncio.create_task(running.confirm(flatten))
    await eventually(lambda: any(isinstance(action, Close) for action in running.broker.sent))
    await running.passes(40)
    running.broker.book_positions[WHERE] = -3
    made = await running.ticket(replace(ALL, quantity=1))
    assert made.state is TicketState.OFFERED
    await press
