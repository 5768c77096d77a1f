"""What becomes of a bracket: both orders seen, one of them rejected, or one that never comes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.desk.ports import EventName, Tone
from bot.desk.requests import BracketRequest
from bot.timings import USUAL
from bot.trading.intents import Bracket
from bot.trading.orders import OrderState
from bot.trading.tickets import Ticket, TicketState
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


async def test_it_is_over_once_both_orders_are_there(running: Room) -> None:
    ticket = await bracketed(running)
    assert ticket.is_followed
    running.broker.let_go()
    ended = await seen(running, ticket)
    assert set(ended.order_ids) == {"order1", "order2"}
    assert (ended.state, ended.outcome) == (TicketState.ACCEPTED, None)
    reads = running.broker.reads
    running.clock.pass_by(60)
    assert running.broker.reads - reads <= 3


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
    [("ask+4t", ["BAD_PRICE"]), ("be", ["BAD_PRICE"]), ("cheap", ["BAD_REQUEST"]), ("", ["BAD_REQUEST"])],
)
async def test_a_target_that_would_fill_at_once_or_says_nothing_is_refused(room: Room, target: str, why: list[str]) -> None:
    if target == "be":
        room.broker.averages = None
    assert await room.refused(replace(ASK, target=target)) == why
    assert room.broker.sent == []


async def test_without_a_quote_shorthand_stays_unsettled_and_the_bracket_is_refused(room: Room) -> None:
    room.broker.failing.add("quote")
    assert await room.refused(replace(ASK, target="ask-20t")) == ["FACTS_MISSING"]


@pytest.mark.parametrize(("order", "which"), [("order1", "target"), ("order2", "stop")])
async def test_an_order_of_it_that_ninjatrader_rejects_is_an_alarm(running: Room, order: str, which: str) -> None:
    ticket = await bracketed(running)
    running.broker.let_go()
    running.broker.change(order, OrderState.REJECTED)
    ended = await seen(running, ticket)
    told = f"NinjaTrader rejected the {which}; look there, the position may lack protection."
    assert ended.outcome == told
    assert [event.name for event in await running.journal.events(ticket.id)][-1] is EventName.NOT_CHANGED
    await eventually(lambda: any(told in notice.text for notice in running.messenger.told))
    await running.all_told()
    assert running.messenger.told[-1].tone is Tone.ALARM


@pytest.mark.parametrize(
    ("missing", "words"),
    [((), "neither order is"), (("order1",), "the stop alone is"), (("order2",), "the target alone is")],
)
async def test_what_does_not_come_is_said_after_a_while(running: Room, missing: tuple[str, ...], words: str) -> None:
    ticket = await bracketed(running)
    if missing:
        running.broker.let_go()
        running.broker.book_orders = [order for order in running.broker.book_orders if order.id not in missing]
    running.clock.pass_by(USUAL.desk.overdue.total_seconds())
    ended = await seen(running, ticket)
    after = f"After {USUAL.desk.overdue.seconds} s"
    assert ended.outcome == f"{after} {words} listed; look at NinjaTrader, the position may lack protection."
    assert [event.name for event in await running.journal.events(ticket.id)][-1] is EventName.NOT_CHANGED


async def test_what_is_not_listed_yet_is_waited_for(running: Room) -> None:
    ticket = await bracketed(running)
    reads = running.broker.reads
    await eventually(lambda: running.broker.reads > reads + 1)
    assert (await running.now(ticket.id)).is_followed
    running.broker.let_go()
    assert (await seen(running, ticket)).outcome is None
