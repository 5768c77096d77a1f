"""What becomes of a bracket: both orders seen, one of them rejected, or one that never comes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.requests import BracketRequest
from bot.trading.orders.intents import Bracket
from bot.trading.orders.tickets import Ticket, TicketState
from tests.desk.conftest import Room
from tests.desk.fakes import eventually

ASK = BracketRequest("Sim101", "ES 09-26", 2, "5790", "5810")


async def bracketed(room: Room) -> Ticket:
    """A bracket that was taken, and of which nothing is listed yet."""
    room.broker.dawdling.add(Bracket)
    ticket = await room.ticket(ASK)
    await room.confirm(ticket)
    return await room.until(ticket, TicketState.ACCEPTED)


async def seen(room: Room, ticket: Ticket) -> Ticket:
    """The ticket once it isn't followed any more."""
    await eventually(lambda: not room.messenger.shown[ticket.id][-1].is_followed)
    return await room.now(ticket.id)


async def test_both_orders_are_seen_to_work_and_looked_at_seldom_while_nothing_happens(running: Room) -> None:
    ticket = await bracketed(running)
    assert ticket.is_followed
    running.broker.let_go()
    ended = await seen(running, ticket)
    assert set(ended.order_ids) == {"order1", "order2"}
    assert (ended.state, ended.outcome) == (TicketState.ACCEPTED, None)
    await running.passes(600)
    changes = len(await running.journal.events(ticket.id))
    running.broker.called.clear()
    await running.passes(60)
    assert running.broker.called.count("orders") <= 60 / 2.8 + 1
    # Those of all three accounts are read every half a minute anyway.
    assert running.broker.called.count("positions") <= 60 / 20 + 1 + 3 * 2
    assert len(await running.journal.events(ticket.id)) == changes


async def test_both_prices_may_be_shorthand_and_are_settled_at_the_request(room: Room) -> None:
    ticket = await room.ticket(replace(ASK, target="Bid - 20T", stop="ask+20t"))
    assert isinstance(ticket.intent, Bracket)
    assert (ticket.intent.target, ticket.intent.target_typed) == (Decimal("5794.75"), "bid-20t")
    assert ticket.order.terms.stop == Decimal("5805.00")
    room.broker.last = Decimal(5801)
    await room.confirm(ticket)
    assert room.broker.sent == [ticket.intent]
    stored = await room.now(ticket.id)
    assert isinstance(stored.intent, Bracket)
    assert stored.intent.target_typed == "bid-20t"


@pytest.mark.parametrize(
    ("target", "why"),
    [("ask+4t", ["BAD_PRICE"]), ("be", ["BAD_PRICE"]), ("cheap", ["BAD_REQUEST"])],
)
async def test_a_target_that_would_fill_at_once_or_cannot_be_read_is_refused(room: Room, target: str, why: list[str]) -> None:
    if target == "be":
        room.broker.averages = None
    assert await room.refused(replace(ASK, target=target)) == why
    assert room.broker.sent == []


async def test_without_a_quote_shorthand_stays_unsettled_and_the_bracket_is_refused(room: Room) -> None:
    room.broker.failing.add("quote")
    assert await room.refused(replace(ASK, target="ask-20t")) == ["FACTS_MISSING"]


@pytest.mark.parametrize("side", ["bid", "ask"])
async def test_a_bracket_goes_with_an_hour_old_price_of_one_side(room: Room, side: str) -> None:
    room.broker.quote_changes = {side: None, "last": None}
    room.broker.quote_age = 3600
    ticket = await room.ticket(ASK)
    await room.confirm(ticket)
    assert room.broker.sent == [ticket.intent]


async def test_what_is_not_listed_yet_is_waited_for(running: Room) -> None:
    ticket = await bracketed(running)
    reads = running.broker.reads
    await eventually(lambda: running.broker.reads > reads + 1)
    assert (await running.now(ticket.id)).is_followed
    running.broker.let_go()
    assert (await seen(running, ticket)).outcome is None
