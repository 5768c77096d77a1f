"""Tickets of several calls beside a journal that fails at any of their steps, and beside somebody who changes them."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import CloseRequest, FlattenRequest, PlaceRequest, ReverseRequest, TicketRequest
from bot.errors import NO_JOURNAL, JournalError
from bot.journal.store import SqlJournal
from bot.trading.exits.leftover import outcome_of
from bot.trading.exits.timings import USUAL_PACE
from bot.trading.orders.broker_calls import CancelOrders, FlattenAccount
from bot.trading.orders.intents import Action, Close, PlaceOrder
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState, move
from tests.desk.conftest import Room, make_desk
from tests.desk.fakes import ES, FlakyJournal, eventually

FLATTEN = FlattenRequest("account", "Sim101")
REVERSE = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1, mode="verified")
FULL = "The journal can't be written: the disk is full."


class Counted(FlakyJournal):
    """A journal that fails at one of its changes, by number.

    Attributes:
        at: the number of the change.
        done: whether it was made all the same, and only the word of it lost.
    """

    def __init__(self, real: SqlJournal, at: int, *, done: bool) -> None:
        super().__init__(real)
        self.changes = 0
        self._at = at
        self._done = done

    def __getattr__(self, name: str) -> Any:
        method = super().__getattr__(name)
        if name != "advance":
            return method

        async def counted(*given: Any, **named: Any) -> Any:
            self.changes += 1
            if self.changes != self._at:
                return await method(*given, **named)
            if self._done:
                await method(*given, **named)
            raise JournalError(FULL)

        return counted


async def with_journal(room: Room, disk: FlakyJournal, request: TicketRequest) -> Ticket:
    """Ask and confirm over another journal; the ticket once it has ended."""
    desk = make_desk(room.broker, disk, room.messenger, room.clock, room.policies, prefix="c")
    other = Room(desk, room.broker, room.journal, room.messenger, room.clock, disk, room.policies)
    ticket = await other.ticket(request)
    await other.confirm(ticket)
    await desk.close()
    return await room.now(ticket.id)


STEPS = range(1, 11)


@pytest.mark.parametrize("done", [False, True], ids=["not stored", "word lost"])
@pytest.mark.parametrize("at", STEPS)
async def test_a_flatten_over_a_journal_that_fails_once_makes_each_call_once_and_ends_truly(
    room: Room, at: int, done: bool
) -> None:
    room.broker.rest(Side.BUY, 1)
    disk = Counted(room.disk.real, at, done=done)
    ended = await with_journal(room, disk, FLATTEN)
    assert len(room.broker.sent) == len(set(map(repr, room.broker.sent)))
    flat = not room.broker.book_positions["Sim101", ES]
    assert ended.state in {TicketState.ACCEPTED, TicketState.NOT_SENT}
    assert ended.state is TicketState.ACCEPTED or not room.broker.sent
    # Nothing is called flat that isn't, and what a call has done is never told as not sent.
    assert (ended.order_state is OrderState.FILLED) is flat
    legs = [leg.words for leg in ended.progress.steps]
    assert legs == ["cancel the orders in “Sim101”", "flatten “Sim101”"][: len(room.broker.sent)]
    assert {leg.state for leg in ended.progress.steps} <= {StepState.ACCEPTED}
    assert flat or "disk is full" in (ended.outcome or "")


async def test_the_steps_above_are_all_that_there_are(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    disk = Counted(room.disk.real, 0, done=False)
    await with_journal(room, disk, FLATTEN)
    assert len(STEPS) - 2 <= disk.changes <= len(STEPS)


@pytest.mark.parametrize("done", [False, True], ids=["not stored", "word lost"])
@pytest.mark.parametrize("at", range(1, 7))
async def test_a_reversal_over_a_journal_that_fails_once_places_no_order_that_is_not_on_disk(
    room: Room, at: int, done: bool
) -> None:
    ended = await with_journal(room, Counted(room.disk.real, at, done=done), REVERSE)
    kinds = [type(action) for action in room.broker.sent]
    assert kinds in ([], [Close], [Close, PlaceOrder])
    if PlaceOrder in kinds:
        assert (ended.state, len(ended.progress.steps)) == (TicketState.ACCEPTED, 2)
    else:
        assert ended.state is TicketState.NOT_SENT
        assert "disk is full" in (ended.outcome or "")
        assert (Close in kinds) is ("The position was closed." in (ended.outcome or ""))


async def test_a_call_that_could_not_be_journaled_is_not_made(room: Room) -> None:
    ticket = await room.ticket(FLATTEN)
    room.broker.gate = asyncio.Event()
    room.broker.rest(Side.BUY, 1)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    room.disk.failing.add("advance")
    room.broker.gate.set()
    await room.passes(100)
    # Its end can't be stored either; a restart would find it on its way.
    assert [type(action) for action in room.broker.sent] == [CancelOrders]
    assert (await room.now(ticket.id)).state is TicketState.SENDING
    room.disk.failing.clear()
    await press
    ended = await room.now(ticket.id)
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.CANCELLED)
    assert outcome_of(ended) == (
        f"“Sim101” ES 09-26: still SHORT 2. {FULL} {NO_JOURNAL} "
        "Use “/flatten scope:instrument account:Sim101 instrument:ES 09-26”. "
        "Look at NinjaTrader."
    )
    assert [leg.state for leg in ended.progress.steps] == [StepState.ACCEPTED]


async def test_each_call_is_on_disk_before_it_leaves_and_its_end_after_it(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.gate = asyncio.Event()
    ticket = await room.ticket(FLATTEN)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    stored = await room.now(ticket.id)
    assert [(leg.words, leg.state) for leg in stored.progress.steps] == [("cancel the orders in “Sim101”", StepState.SENDING)]
    room.broker.gate.set()
    await press
    steps = [event.data for event in await room.journal.events(ticket.id) if event.name is EventName.STEP]
    assert [(step["what"], step["state"]) for step in steps if "what" in step] == [
        ("cancel the orders in “Sim101”", "sending"),
        ("cancel the orders in “Sim101”", "accepted"),
        ("flatten “Sim101”", "sending"),
        ("flatten “Sim101”", "accepted"),
    ]


async def test_what_else_is_on_its_way_need_not_be_readable_to_get_out(room: Room) -> None:
    ticket = await room.ticket(FLATTEN)
    room.broker.rest(Side.BUY, 1)
    room.clock.plan(0.1, lambda: room.disk.failing.add("recent"))
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).order_state is OrderState.FILLED


async def test_a_close_that_was_known_to_be_lost_stays_known_while_the_journal_can_not_be_read(room: Room) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    await room.confirm(await room.ticket(CloseRequest("Sim101", "ES 09-26")))
    flatten = await room.ticket(FLATTEN)
    room.clock.plan(1, lambda: room.disk.failing.add("recent"))
    await room.confirm(flatten)
    assert (room.broker.times[1] - room.broker.times[0]).total_seconds() >= USUAL_PACE.grace


@pytest.mark.parametrize(("request_", "call"), [(FLATTEN, FlattenAccount), (REVERSE, Close)], ids=["flatten", "reverse"])
async def test_a_ticket_that_somebody_else_has_ended_sends_nothing_more(
    room: Room, request_: TicketRequest, call: type[Action]
) -> None:
    room.broker.gate = asyncio.Event()
    ticket = await room.ticket(request_)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    sending = await room.now(ticket.id)
    assert await room.journal.advance(sending, move(sending, TicketState.UNKNOWN, outcome="stopped"), ())
    room.broker.gate.set()
    await press
    stored = await room.now(ticket.id)
    assert [type(action) for action in room.broker.sent] == [call]
    assert (stored.state, stored.outcome) == (TicketState.UNKNOWN, "stopped")


async def test_a_ticket_that_has_vanished_sends_nothing_more(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.gate = asyncio.Event()
    ticket = await room.ticket(FLATTEN)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    room.disk.real = _Emptied(room.disk.real)  # type: ignore[assignment]  # a journal whose file was replaced
    room.broker.gate.set()
    await press
    assert [type(action) for action in room.broker.sent] == [CancelOrders]


class _Emptied:
    """A journal in which nothing is to be found."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        answers: dict[str, object] = {"advance": False, "ticket": None}
        if name not in answers:
            return getattr(self._real, name)

        async def empty(*_given: object, **_named: object) -> object:
            return answers[name]

        return empty


@pytest.mark.parametrize("request_", [FLATTEN, REVERSE], ids=["flatten", "reverse"])
async def test_a_fault_in_the_middle_is_told_as_unknown_and_then_as_what_is_read(running: Room, request_: TicketRequest) -> None:
    running.broker.dawdling = {FlattenAccount, Close}
    ticket = await running.ticket(request_)
    running.clock.plan(1, partial(setattr, running.broker, "broken_reads", True))
    await running.confirm(ticket)
    await running.until(ticket, TicketState.UNKNOWN)
    running.broker.broken_reads = False
    assert "a fault in the bot" in (running.messenger.shown[ticket.id][-1].outcome or "")
    entry = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
    assert await running.refused(entry) == (["FLATTENING"] if request_ is FLATTEN else ["OUTCOME_UNKNOWN"])
    running.broker.let_go()
    await eventually(_said(running, ticket))
    assert len(running.broker.sent) == 1
    assert (await running.ticket(entry)).state is TicketState.OFFERED


def _said(room: Room, ticket: Ticket) -> Callable[[], bool]:
    words = ("Read since: flat.", "the position is now FLAT.")
    return lambda: any(word in (shown.outcome or "") for shown in room.messenger.shown[ticket.id] for word in words)
