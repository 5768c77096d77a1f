"""Presses that wait: an entry that waits too long is denied, ways out wait for no entry, and Cancel works until the claim."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.locks import CLAIMS_KEPT, TicketLocks
from bot.desk.requests import CancelRequest, CloseRequest, FlattenRequest, PlaceRequest, TicketRequest
from bot.desk.tickets.confirm import BUSY, OVER
from bot.trading.orders.broker_calls import FlattenAccount
from bot.trading.orders.intents import Close, PlaceOrder
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import Grant, Limit
from tests.desk.conftest import APPROVER, ASK, SECOND, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, eventually

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
CLOSE = CloseRequest("Sim101", "ES 09-26")
FLATTEN = FlattenRequest("account", "Sim101")
LIVE = replace(ASK, account="Apex-001")
CONFIRM_SECONDS = 30


@pytest.fixture(autouse=True)
def everything_is_granted(room: Room) -> None:
    """Traders may do anything in every account."""
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), ("*",), 9),))


def placed(room: Room) -> list[float]:
    """How long after the start each entry left."""
    began = room.clock() - timedelta(seconds=asyncio.get_running_loop().time())
    pairs = zip(room.broker.sent, room.broker.times, strict=True)
    return [(at - began).total_seconds() for action, at in pairs if isinstance(action, PlaceOrder)]


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def pressed(room: Room, count: int, reads: float) -> tuple[list[Ticket], "asyncio.Future[list[str | None]]"]:
    """So many entries of one member, all confirmed at once, with reads that slow."""
    tickets = [await room.ticket(PLACE) for _ in range(count)]
    room.broker.takes["quote"] = reads
    presses = asyncio.gather(*(room.confirm(ticket) for ticket in tickets))
    await room.passes(0.1)
    return tickets, presses


async def states(room: Room, tickets: list[Ticket]) -> list[TicketState]:
    """How they stand."""
    return [(await room.now(ticket.id)).state for ticket in tickets]


async def test_no_entry_leaves_later_than_its_card_lived(room: Room) -> None:
    began = now()
    tickets, presses = await pressed(room, 8, reads=8.0)
    assert await presses == [None] * 8
    assert len(placed(room)) == 3
    assert max(placed(room)) - began <= CONFIRM_SECONDS
    assert now() - began <= CONFIRM_SECONDS + 1
    ended = await states(room, tickets)
    assert sorted(ended) == [TicketState.ACCEPTED] * 3 + [TicketState.DENIED] * 5
    denied = await room.now(tickets[ended.index(TicketState.DENIED)].id)
    assert (denied.outcome or "").startswith("TOO_LATE: It could not be decided within 5 s of the press")


async def test_a_press_at_the_cards_end_has_five_seconds_and_no_more(room: Room) -> None:
    for reads, end in ((4.5, TicketState.ACCEPTED), (5.5, TicketState.DENIED)):
        ticket = await room.ticket(PLACE)
        room.clock.pass_by(CONFIRM_SECONDS - 0.5)
        room.broker.takes["quote"] = reads
        began = now()
        await room.confirm(ticket)
        assert now() - began == pytest.approx(min(reads, 5.0), abs=0.1)
        assert (await room.now(ticket.id)).state is end
        room.broker.takes.clear()


async def test_what_was_decided_while_the_machine_slept_is_too_late(room: Room) -> None:
    ticket = await room.ticket(PLACE)
    awake, acknowledged = room.clock.seconds, asyncio.Event()
    press = asyncio.create_task(room.confirm(ticket, acknowledge=lambda: _when(acknowledged)))
    await room.passes(1)
    room.clock.seconds = lambda: awake() + 3600  # the count goes on, timers don't
    acknowledged.set()
    await press
    assert (await room.now(ticket.id)).state is TicketState.DENIED
    assert room.broker.sent == []


async def _when(event: asyncio.Event) -> None:
    await event.wait()


@pytest.mark.parametrize(
    "request_",
    [CLOSE, FLATTEN, CancelRequest("Sim101", scope="account"), CancelRequest("Sim101", "rest1")],
    ids=["close", "flatten", "cancel all", "cancel one"],
)
@pytest.mark.parametrize("member", [TRADER, SECOND], ids=["the same member", "another one"])
async def test_a_way_out_waits_for_no_entry(room: Room, request_: TicketRequest, member: object) -> None:
    room.broker.rest(Side.BUY, 1)
    out = await room.ticket(request_, member)  # type: ignore[arg-type]  # one of ours
    _, presses = await pressed(room, 6, reads=8.0)
    began = now()
    await asyncio.wait({asyncio.create_task(room.confirm(out, member))}, timeout=9)  # type: ignore[arg-type]  # one of ours
    first = next(action for action in room.broker.sent if not isinstance(action, PlaceOrder))
    assert (room.broker.times[room.broker.sent.index(first)] - room.clock()).total_seconds() + now() - began <= 8.1
    await presses


@pytest.mark.parametrize("request_", [FLATTEN, FlattenRequest("everything")], ids=["account", "everything"])
async def test_a_flatten_bars_what_was_confirmed_before_it_and_not_claimed_even_when_it_is_done(
    room: Room, request_: FlattenRequest
) -> None:
    flatten = await room.ticket(request_, SECOND)
    tickets, presses = await pressed(room, 3, reads=6.0)
    room.broker.takes.pop("quote")
    await room.confirm(flatten, SECOND)
    assert (await room.now(flatten.id)).state is TicketState.ACCEPTED
    assert await presses == [None] * 3
    assert placed(room) == []
    ended = [await room.now(ticket.id) for ticket in tickets]
    assert [ticket.state for ticket in ended] == [TicketState.DENIED] * 3
    assert all(f"(ticket {flatten.id})" in (ticket.outcome or "") for ticket in ended)
    assert all((ticket.outcome or "").startswith("FLATTENING") for ticket in ended)
    again = await room.ticket(PLACE)
    await room.confirm(again)
    assert len(placed(room)) == 1


async def test_a_flatten_elsewhere_bars_nothing(room: Room) -> None:
    room.broker.book_positions["Sim102", ES] = 1
    flatten = await room.ticket(FlattenRequest("account", "Sim102"), SECOND)
    tickets, presses = await pressed(room, 1, reads=6.0)
    await room.confirm(flatten, SECOND)
    await presses
    assert await states(room, tickets) == [TicketState.ACCEPTED]


async def test_an_order_that_was_confirmed_before_a_flatten_is_not_sent_by_a_later_approval(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    flatten = await room.ticket(FlattenRequest("instrument", "Apex-001", "ES 09-26"), SECOND)
    await room.confirm(flatten, SECOND)
    room.broker.book_positions["Apex-001", ES] = -2
    await room.approve(await room.now(ticket.id), APPROVER)
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.DENIED
    assert "FLATTENING" in (ended.outcome or "")


async def test_a_flatten_elsewhere_does_not_bar_what_is_approved_after_it(room: Room) -> None:
    ticket = await room.ticket(LIVE)
    await room.confirm(ticket)
    flatten = await room.ticket(FLATTEN, SECOND)
    await room.confirm(flatten, SECOND)
    await room.approve(ticket, APPROVER)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


async def test_two_closes_at_the_same_moment_close_once(room: Room) -> None:
    mine, theirs = await room.ticket(CLOSE), await room.ticket(CLOSE, SECOND)
    await asyncio.gather(room.confirm(mine), room.confirm(theirs, SECOND))
    assert [type(action) for action in room.broker.sent] == [Close]
    assert sorted(await states(room, [mine, theirs])) == [TicketState.ACCEPTED, TicketState.DENIED]


async def test_two_flattens_at_the_same_moment_are_one(room: Room) -> None:
    mine, theirs = await room.ticket(FLATTEN), await room.ticket(FLATTEN, SECOND)
    await asyncio.gather(room.confirm(mine), room.confirm(theirs, SECOND))
    assert room.broker.sent == [FlattenAccount("Sim101")]
    assert TicketState.DENIED in await states(room, [mine, theirs])


async def test_an_order_that_a_close_has_overtaken_is_decided_again(room: Room) -> None:
    room.broker.gate, room.broker.gated = asyncio.Event(), {Close}
    reversal, close = await room.ticket(ASK), await room.ticket(CLOSE, SECOND)
    room.broker.takes["quote"] = 3.0
    first = asyncio.create_task(room.confirm(reversal))
    await room.passes(0.5)
    room.broker.takes.clear()
    second = asyncio.create_task(room.confirm(close, SECOND))
    await first
    assert (await room.now(reversal.id)).state is TicketState.DENIED
    assert "OUTCOME_UNKNOWN" in ((await room.now(reversal.id)).outcome or "")
    room.broker.gate.set()
    await second
    assert [type(action) for action in room.broker.sent] == [Close]


async def test_limits_of_a_member_count_a_close_that_has_overtaken_the_order(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), orders_per_minute=1),))
    room.broker.book_positions["Sim102", ES] = 1
    place, close = await room.ticket(PLACE), await room.ticket(replace(CLOSE, account="Sim102"))
    room.broker.takes["quote"] = 3.0
    press = asyncio.create_task(room.confirm(place))
    await room.passes(0.5)
    room.broker.takes.clear()
    await asyncio.gather(press, room.confirm(close))
    assert [type(action) for action in room.broker.sent] == [Close]
    assert "ORDERS_PER_MINUTE" in ((await room.now(place.id)).outcome or "")


async def test_a_close_is_not_decided_again_for_an_entry(room: Room) -> None:
    place, close = await room.ticket(PLACE), await room.ticket(CLOSE)
    room.broker.takes["quote"] = 2.0
    press = asyncio.create_task(room.confirm(close))
    await room.passes(0.5)
    room.broker.takes.clear()
    await room.confirm(place, TRADER)
    reads = room.broker.called.count("quote")
    await press
    assert room.broker.called.count("quote") == reads
    assert [type(action) for action in room.broker.sent] == [PlaceOrder, Close]


@pytest.mark.parametrize("request_", [PLACE, CLOSE], ids=["entry", "close"])
async def test_cancel_works_while_a_confirm_is_being_decided(room: Room, request_: TicketRequest) -> None:
    ticket = await room.ticket(request_)
    room.broker.takes["quote"] = 3.0
    press = asyncio.create_task(room.confirm(ticket))
    await room.passes(0.5)
    assert await room.confirm(ticket) == BUSY
    assert await room.cancel(ticket) is None
    assert (await room.now(ticket.id)).state is TicketState.CANCELLED
    assert await press is None
    assert (await room.now(ticket.id)).state is TicketState.CANCELLED
    assert room.broker.sent == []


async def test_cancel_works_after_the_cards_end_while_a_timely_press_is_being_decided(running: Room) -> None:
    ticket = await running.ticket(PLACE)
    running.clock.pass_by(CONFIRM_SECONDS - 1)
    running.broker.takes["quote"] = 4.0
    press = asyncio.create_task(running.confirm(ticket))
    await running.passes(2)
    assert await running.cancel(ticket) is None
    await press
    assert (await running.now(ticket.id)).state is TicketState.CANCELLED


async def test_cancel_of_a_card_that_was_quoted_again_meanwhile_cancels_it(room: Room) -> None:
    ticket = await room.ticket(ASK)
    room.broker.book_positions["Sim101", ES] = -1
    room.disk.answers_after["ticket"] = 2.0
    cancel = asyncio.create_task(room.cancel(ticket))
    await room.passes(1)
    room.disk.answers_after.clear()
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).revision == 2
    assert await cancel is None
    assert (await room.now(ticket.id)).state is TicketState.CANCELLED
    assert room.broker.sent == []


async def test_cancel_after_the_claim_says_that_it_is_on_its_way(room: Room) -> None:
    ticket = await room.ticket(PLACE)
    room.broker.gate = asyncio.Event()
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    assert await room.cancel(ticket) == OVER.format(state=TicketState.SENDING)
    room.broker.gate.set()
    await press


async def test_a_mass_action_is_never_too_late(room: Room) -> None:
    ticket = await room.ticket(FLATTEN)
    assert isinstance(ticket.intent, MassAction)
    room.clock.pass_by(CONFIRM_SECONDS - 0.5)
    room.broker.takes["account"] = 9.0
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount("Sim101")]


async def test_who_no_longer_knows_all_claims_since_decides_again(room: Room) -> None:
    locks, ticket = TicketLocks(), await room.ticket(PLACE)
    before = locks.claims
    for _ in range(CLAIMS_KEPT):
        locks.claimed(ticket)
    assert len(locks.claimed_since(before) or ()) == CLAIMS_KEPT
    locks.claimed(ticket)
    assert locks.claimed_since(before) is None
    assert locks.claimed_since(locks.claims) == ()
