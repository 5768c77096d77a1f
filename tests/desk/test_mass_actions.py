"""Flatten, and cancel over many things: who may, what it goes over, how it ends, and who waits meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.desk.ports import EventName, Tone
from bot.desk.requests import (
    CancelRequest,
    CloseRequest,
    FlattenRequest,
    PlaceRequest,
    Refused,
    ReverseRequest,
    TicketRequest,
)
from bot.trading.exits.leftover import outcome_of
from bot.trading.exits.timings import USUAL_PACE
from bot.trading.market.facts import Account
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Action, Cancel, Close, PlaceOrder
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import Approval, Grant, Route
from tests.desk.conftest import APPROVER_ROLE, HERE, NEWS_CHANNEL, SECOND, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, JournalError, eventually

NQ = Contract("NQ", 2026, 9)
ONE = FlattenRequest("account", "Sim101")
EVERYTHING = FlattenRequest("everything")
CANCEL_ONE = CancelRequest("Sim101", scope="account")
CLOSE = CloseRequest("Sim101", "ES 09-26")
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)


def grant(room: Room, *accounts: str, instruments: tuple[str, ...] = ("*",)) -> None:
    """Let traders do everything in these accounts alone."""
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), accounts, instruments, 5),))


async def said(room: Room, request: TicketRequest) -> str:
    """The one sentence of a denial."""
    made = await room.desk.offer(TRADER, HERE, request)
    assert isinstance(made, Refused), made
    [denial] = made.denials
    return denial.sentence


async def done(room: Room, request: TicketRequest = ONE) -> Ticket:
    """Ask and confirm; the ticket as it ended."""
    ticket = await room.ticket(request)
    await room.confirm(ticket)
    return await room.now(ticket.id)


@asynccontextmanager
async def under_way(room: Room, request: TicketRequest = ONE) -> AsyncIterator[Ticket]:
    """A ticket whose first call is on its way; it goes on at the end."""
    room.broker.gate = asyncio.Event()
    ticket = await room.ticket(request)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    yield await room.now(ticket.id)
    room.broker.gate.set()
    room.broker.gate = None
    await press


# What it goes over.


async def test_a_flatten_goes_over_just_what_was_asked_for(room: Room) -> None:
    scopes: list[tuple[TicketRequest, Flatten | CancelWorking]] = [
        (ONE, Flatten(Scope(("Sim101",)))),
        (FlattenRequest("instrument", "sim101", "ESU6"), Flatten(Scope(("Sim101",), ES))),
        (FlattenRequest("instrument", "Sim101", "ES"), Flatten(Scope(("Sim101",), ES))),
        (EVERYTHING, Flatten(Scope(("Apex-001", "Sim101", "Sim102"), everything=True))),
        (CANCEL_ONE, CancelWorking(Scope(("Sim101",)))),
        (CancelRequest("", scope="everything"), CancelWorking(Scope(("Apex-001", "Sim101", "Sim102"), everything=True))),
    ]
    room.broker.rest(Side.BUY, 1)
    for request, mass_action in scopes:
        assert (await room.ticket(request)).intent == mass_action


OPTIONS: list[tuple[TicketRequest, str]] = [
    (FlattenRequest("account"), "scope:account needs account; add it."),
    (FlattenRequest("account", " "), "scope:account needs account; add it."),
    (FlattenRequest("instrument", "Sim101"), "scope:instrument needs instrument; add it."),
    (FlattenRequest("instrument", "", "ES"), "scope:instrument needs account; add it."),
    (
        FlattenRequest("account", "Sim101", "ES"),
        "scope:account takes no instrument; leave it out, or choose a smaller scope.",
    ),
    (FlattenRequest("everything", "Sim101"), "scope:everything takes no account; leave it out, or choose a smaller scope."),
    (FlattenRequest("everything", "", "ES"), "scope:everything takes no instrument; leave it out, or choose a smaller scope."),
    (CancelRequest("", scope="account"), "scope:account needs account; add it."),
    (CancelRequest("Sim101", "o1", "account"), "scope:account takes no order; leave it out, or choose a smaller scope."),
    (
        CancelRequest("Sim101", "o1", "instrument", "ES"),
        "scope:instrument takes no order; leave it out, or choose a smaller scope.",
    ),
    (CancelRequest("", "o1", "everything"), "scope:everything takes no order; leave it out, or choose a smaller scope."),
    (FlattenRequest("order", "Sim101"), "scope takes strategy, instrument, account or everything."),
    (FlattenRequest("", "Sim101"), "scope takes strategy, instrument, account or everything."),
    (CancelRequest("Sim101", scope="all"), "scope takes order, instrument, account or everything."),
    (CancelRequest("Sim101", scope="strategy"), "scope takes order, instrument, account or everything."),
    (FlattenRequest("strategy", "Sim101"), "scope:strategy needs strategy; add it."),
    (FlattenRequest("strategy", strategy="7"), "scope:strategy needs account; add it."),
    (
        FlattenRequest("strategy", "Sim101", "ES", strategy="7"),
        "scope:strategy takes no instrument; leave it out, or choose a smaller scope.",
    ),
    (FlattenRequest("strategy", "Sim101", only="long", strategy="7"), "scope:strategy takes no only; leave it out."),
    (FlattenRequest("strategy", "Sim101", strategy="7" * 65), "The strategy must be one line of at most 64 characters."),
    (
        FlattenRequest("account", "Sim101", strategy="7"),
        "scope:account takes no strategy; leave it out, or choose a smaller scope.",
    ),
    (FlattenRequest("account", "Sim101", only="both"), "only takes long or short; leave it out for both."),
    (CancelRequest("", "o1"), "Give the account in which the order is."),
    (CancelRequest("Sim101"), "Give the order's id, as its card or /orders shows it."),
]


@pytest.mark.parametrize(("request_", "sentence"), OPTIONS, ids=[sentence for _, sentence in OPTIONS])
async def test_an_option_that_is_missing_or_one_too_many_gets_one_clear_sentence(
    room: Room, request_: TicketRequest, sentence: str
) -> None:
    reads = room.broker.reads
    assert await said(room, request_) == sentence
    assert room.broker.reads == reads


async def test_whoever_may_trade_one_instrument_alone_flattens_no_account(room: Room) -> None:
    grant(room, "*", instruments=("ES",))
    room.broker.rest(Side.BUY, 1)
    assert await room.refused(ONE) == ["INSTRUMENT_NOT_GRANTED"]
    assert "scope:instrument" in await said(room, ONE)
    assert await room.refused(CANCEL_ONE) == ["INSTRUMENT_NOT_GRANTED"]
    assert await room.refused(EVERYTHING) == ["ACCOUNT_NOT_GRANTED"]
    assert await room.refused(FlattenRequest("instrument", "Sim101", "NQ 09-26")) == ["INSTRUMENT_NOT_GRANTED"]
    assert await room.refused(FlattenRequest("instrument", "Sim101", "NQ")) == ["INSTRUMENT_NOT_GRANTED"]
    for request in (FlattenRequest("instrument", "Sim101", "ES"), CancelRequest("Sim101", "", "instrument", "ES")):
        assert (await room.ticket(request)).state is TicketState.OFFERED


async def test_an_account_that_is_not_granted_is_not_looked_for(room: Room) -> None:
    grant(room, "Sim102")
    assert await room.refused(ONE) == ["ACCOUNT_NOT_GRANTED"]
    assert room.broker.reads == 0


async def test_everything_is_all_that_the_member_may_and_names_the_rest(room: Room) -> None:
    grant(room, "Sim101")
    ticket = await room.ticket(EVERYTHING)
    assert ticket.intent == Flatten(Scope(("Sim101",), left_out=("Apex-001", "Sim102")))
    assert ticket.shown.warnings == ("not among these (no grant, or not there when this was asked): “Apex-001”, “Sim102”",)
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount("Sim101")]
    assert room.broker.book_positions["Apex-001", ES] == -2


async def test_an_account_that_comes_between_card_and_press_is_left_alone(room: Room) -> None:
    room.broker.book_positions["Sim102", ES] = 1
    ticket = await room.ticket(EVERYTHING)
    room.broker.book_accounts["Real-9"] = Account("Real-9", "Rithmic", connected=True)
    room.broker.book_positions["Real-9", ES] = 5
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert ended.intent == Flatten(Scope(("Apex-001", "Sim101", "Sim102"), left_out=("Real-9",)))
    assert not any(isinstance(action, FlattenEverything) for action in room.broker.sent)
    assert {where: quantity for where, quantity in room.broker.book_positions.items() if quantity} == {("Real-9", ES): 5}


async def test_where_the_accounts_can_not_be_read_at_the_press_each_is_flattened_by_itself(room: Room) -> None:
    ticket = await room.ticket(EVERYTHING)
    room.broker.failing.add("accounts")
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount("Apex-001"), FlattenAccount("Sim101")]
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


async def test_everything_that_is_open_in_several_accounts_goes_with_one_call_each_for_orders_and_positions(room: Room) -> None:
    grant(room, "*")
    for name in ("Sim101", "Apex-001"):
        room.broker.rest(Side.BUY, 1, name)
    ended = await done(room, EVERYTHING)
    assert room.broker.sent == [CancelEverything(), FlattenEverything()]
    assert (ended.state, ended.outcome) == (TicketState.ACCEPTED, None)
    assert [leg.words for leg in ended.progress.steps] == ["cancel every order", "flatten everything"]


@pytest.mark.parametrize("read", ["accounts"])
async def test_everything_that_can_not_be_listed_is_denied(room: Room, read: str) -> None:
    room.broker.failing.add(read)
    assert await room.refused(EVERYTHING) == ["FACTS_MISSING"]


async def test_a_month_that_can_not_be_read_is_said(room: Room) -> None:
    await room.ticket()
    room.broker.failing.add("positions")
    assert await room.refused(FlattenRequest("instrument", "Sim101", "ES")) == ["FACTS_MISSING"]


async def test_an_account_that_can_not_be_read_at_first_is_gone_over_all_the_same(room: Room) -> None:
    await room.ticket()
    room.broker.failing.add("positions Sim101")
    ticket = await room.ticket(ONE)
    assert ticket.shown.warnings == ("“Sim101” could not be read; it is gone over all the same",)
    room.broker.failing.clear()
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount("Sim101")]


async def test_there_must_be_something_to_do(room: Room) -> None:
    assert await room.refused(FlattenRequest("account", "Sim102")) == ["NO_POSITION"]
    assert await room.refused(replace(ONE, only="long")) == ["NO_POSITION"]
    assert await room.refused(CANCEL_ONE) == ["NO_SUCH_ORDER"]
    ticket = await room.ticket(ONE)
    room.broker.book_positions.clear()
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.DENIED
    assert room.broker.sent == []


async def test_a_flatten_waits_for_no_second_person(room: Room) -> None:
    room.rule(approvals=(Approval(("*",), APPROVER_ROLE, 1),))
    assert (await done(room, EVERYTHING)).state is TicketState.ACCEPTED


async def test_a_mass_action_is_wanted_whatever_has_come_up_since_its_card(room: Room) -> None:
    ticket = await room.ticket(ONE)
    room.broker.book_positions["Sim101", ES] = 5
    room.broker.book_positions["Sim101", NQ] = -1
    room.broker.rest(Side.SELL, 3)
    room.broker.last += Decimal(100)
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert (ended.state, ended.revision) == (TicketState.ACCEPTED, 1)
    assert [(line.contract, line.before, line.now) for line in ended.progress.rows] == [(ES, 5, 0), (NQ, -1, 0)]


# How it ends.


async def test_flat_is_said_with_the_time_it_took_once_it_was_read(running: Room) -> None:
    running.broker.rest(Side.BUY, 1)
    ended = await done(running)
    assert (ended.state, ended.order_state, ended.outcome) == (TicketState.ACCEPTED, OrderState.FILLED, None)
    assert all(line.is_done for line in ended.progress.rows)
    assert [(leg.words, leg.state) for leg in ended.progress.steps] == [
        ("cancel the orders in “Sim101”", StepState.ACCEPTED),
        ("flatten “Sim101”", StepState.ACCEPTED),
    ]
    assert ended.sent_at is not None
    assert ended.progress.done_at is not None
    assert ended.progress.done_at > ended.sent_at
    names = [event.name for event in await running.journal.events(ended.id)]
    assert (names[0], names[-1]) == (EventName.OFFERED, EventName.FLATTENED)
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    [notice] = running.messenger.told
    assert notice.text.splitlines()[:2] == ["Flat in 0.8 s, nothing works", "“Sim101” (SIM) · flatten"]
    assert not ended.is_followed


async def test_of_one_side_nothing_is_said_of_the_other(running: Room) -> None:
    running.broker.book_positions["Sim101", NQ] = 1
    await done(running, replace(ONE, only="short"))
    assert running.broker.book_positions == {("Sim101", ES): 0, ("Sim101", NQ): 1, ("Apex-001", ES): -2}
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    lines = running.messenger.told[0].text.splitlines()
    assert lines[:2] == ["No short futures position left in 0.4 s", "“Sim101” (SIM) · flatten short only"]


async def test_what_the_position_of_the_card_leaves_working_is_cancelled_although_it_is_gone(room: Room) -> None:
    """Its stop has filled in the moment before the first reading; the target that is left would open a long one."""
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(replace(ONE, only="short"))
    reads = room.broker.reads

    async def acknowledge() -> None:
        await eventually(lambda: room.broker.reads >= reads + 3)
        await asyncio.sleep(0.02)
        room.broker.book_positions["Sim101", ES] = 0

    await room.confirm(ticket, acknowledge=acknowledge)
    assert room.broker.sent == [CancelOrders("Sim101")]
    assert (await room.now(ticket.id)).order_state is OrderState.FILLED


async def test_what_works_is_cancelled_and_what_is_open_stays(running: Room) -> None:
    running.broker.rest(Side.BUY, 1)
    ended = await done(running, CANCEL_ONE)
    assert running.broker.sent == [CancelOrders("Sim101")]
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.FILLED)
    assert running.broker.book_positions["Sim101", ES] == -2
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert running.messenger.told[0].text.startswith("Everything there is cancelled in 0.4 s\n“Sim101” (SIM) · cancel")


async def test_calls_that_are_refused_end_it_as_rejected_in_the_vendors_words(room: Room) -> None:
    for kind in (FlattenAccount, Close):
        room.broker.refusing[kind] = Rejected("market @everyone closed", 400)
    ended = await done(room)
    assert (ended.state, ended.outcome) == (TicketState.REJECTED, "“market @everyone closed”")
    assert [type(action) for action in room.broker.sent] == [FlattenAccount, *[Close] * 2]
    assert {leg.state for leg in ended.progress.steps} == {StepState.REJECTED}


async def test_what_never_left_is_tried_until_time_is_up_and_then_told_as_not_sent(room: Room) -> None:
    room.broker.refusing[FlattenAccount] = NotSent("The request budget ran out first.")
    ended = await done(room)
    assert (ended.state, ended.outcome) == (TicketState.NOT_SENT, "“The request budget ran out first.”")
    assert (room.broker.times[-1] - room.broker.times[0]).total_seconds() > USUAL_PACE.whole - 2


async def test_an_order_that_can_not_be_cancelled_holds_up_the_close_for_some_seconds_only_and_is_named(running: Room) -> None:
    running.broker.rest(Side.BUY, 3)
    running.broker.deaf = True
    ticket = await running.ticket(ONE)
    pressed = running.clock()
    await running.confirm(ticket)
    ended = await running.now(ticket.id)
    assert [type(action) for action in running.broker.sent].count(CancelOrders) <= 3
    [closed] = [at for at, action in zip(running.broker.times, running.broker.sent, strict=True) if isinstance(action, Close)]
    assert (closed - pressed).total_seconds() <= 5
    assert running.broker.book_positions["Sim101", ES] == 0
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.CANCELLED)
    assert outcome_of(ended) == (
        "“Sim101” ES 09-26: BUY 3 LIMIT (order “rest1”) still works and may open a position when it fills. "
        "Use “/cancel scope:order account:Sim101 order:rest1”. Look at NinjaTrader."
    )
    assert ended.progress.done_at is None
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    [notice] = running.messenger.told
    assert notice.tone is Tone.ALARM
    assert notice.text.splitlines()[0] == "NOT FLAT"
    assert "order “rest1”" in notice.text


async def test_orders_that_can_not_be_cancelled_are_said_loudly(running: Room) -> None:
    running.broker.rest(Side.BUY, 3)
    running.broker.dawdling = {CancelOrders}
    ended = await done(running, CANCEL_ONE)
    assert outcome_of(ended) == (
        "“Sim101” ES 09-26: BUY 3 LIMIT (order “rest1”) still works and may open a position when it fills. "
        "Use “/cancel scope:order account:Sim101 order:rest1”. Look at NinjaTrader."
    )
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert running.messenger.told[0].text.startswith("Not everything is cancelled")


async def test_what_can_not_be_read_is_never_called_flat(room: Room) -> None:
    ticket = await room.ticket(ONE)
    room.broker.rest(Side.BUY, 1)
    room.clock.plan(1, lambda: room.broker.failing.add("positions"))
    room.broker.dawdling = {FlattenAccount}
    room.clock.plan(1, room.broker.let_go)
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert ended.order_state is OrderState.CANCELLED
    assert outcome_of(ended) == "“Sim101” ES 09-26: positions could not be read, it may not be flat. Look at NinjaTrader."


async def test_an_account_that_held_nothing_must_be_read_as_well(room: Room) -> None:
    ticket = await room.ticket(EVERYTHING)
    room.broker.failing.add("orders Sim102")
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert FlattenAccount("Sim102") in room.broker.sent
    assert (ended.state, ended.order_state) == (TicketState.UNKNOWN, None)
    assert "Sent unseen" in (outcome_of(ended) or "")


UNREADABLE = ["positions", "orders"]


@pytest.mark.parametrize("how", ["failing", "hanging"])
@pytest.mark.parametrize("lists", [["positions"], ["orders"], UNREADABLE], ids="+".join)
@pytest.mark.parametrize(
    ("request_", "call"),
    [
        (ONE, FlattenAccount("Sim101")),
        (FlattenRequest("instrument", "Sim101", "ES 09-26"), FlattenAccount("Sim101", ES)),
        (replace(ONE, only="short"), FlattenAccount("Sim101", None, Holding.SHORT)),
        (EVERYTHING, FlattenEverything()),
    ],
    ids=["account", "instrument", "one side", "everything"],
)
async def test_a_flatten_goes_out_unseen_within_five_seconds_and_cancels_nothing_before(
    room: Room, request_: TicketRequest, call: Action, lists: list[str], how: str
) -> None:
    grant(room, "*")
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(request_)
    getattr(room.broker, how).update(lists)
    pressed = room.clock()
    room.clock.plan(30, getattr(room.broker, how).clear)
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    assert room.broker.sent == [call]
    assert (room.broker.times[0] - pressed).total_seconds() <= 5
    stored = await room.now(ticket.id)
    assert [(leg.unseen, leg.closes) for leg in stored.progress.steps] == [(True, True)]
    await press
    ended = await room.now(ticket.id)
    assert room.broker.sent == [call]
    # Read back once that was possible.
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.FILLED)
    assert (room.clock() - pressed).total_seconds() < 60


@pytest.mark.parametrize(
    ("request_", "call"),
    [
        (CANCEL_ONE, CancelOrders("Sim101")),
        (CancelRequest("Sim101", "", "instrument", "ES 09-26"), CancelOrders("Sim101", ES)),
        (CancelRequest("", scope="everything"), CancelEverything()),
    ],
    ids=["account", "instrument", "everything"],
)
async def test_a_cancellation_goes_out_unseen_within_five_seconds(room: Room, request_: TicketRequest, call: Action) -> None:
    grant(room, "*")
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(request_)
    room.broker.failing.update(UNREADABLE)
    pressed = room.clock()
    room.clock.plan(30, room.broker.failing.clear)
    await room.confirm(ticket)
    assert room.broker.sent == [call]
    assert (room.broker.times[0] - pressed).total_seconds() <= 5
    assert (await room.now(ticket.id)).order_state is OrderState.FILLED


async def test_what_went_out_unseen_and_is_not_read_back_in_its_time_is_followed_until_it_is(running: Room) -> None:
    ticket = await running.ticket(ONE)
    running.broker.failing.update(UNREADABLE)
    await running.confirm(ticket)
    unseen = await running.now(ticket.id)
    assert (unseen.state, running.broker.sent) == (TicketState.UNKNOWN, [FlattenAccount("Sim101")])
    assert "Sent unseen" in (outcome_of(unseen) or "")
    # A second one beside it could turn the position over.
    again = await running.ticket(ONE)
    await running.confirm(again)
    second = await running.now(again.id)
    assert (second.state, len(running.broker.sent)) == (TicketState.NOT_SENT, 1)
    assert f"Ticket {ticket.id} there may still close it" in (outcome_of(second) or "")
    running.broker.failing.clear()
    await eventually(lambda: TicketState.ACCEPTED in running.messenger.states(ticket.id), 120)
    ended = await running.now(ticket.id)
    assert ended.order_state is OrderState.FILLED
    assert "stopped" not in (outcome_of(ended) or "")


async def test_of_what_went_out_unseen_to_some_accounts_alone_it_is_said_where_nothing_was_done_and_what_is_left(
    room: Room,
) -> None:
    grant(room, "*")
    ticket = await room.ticket(EVERYTHING)
    room.broker.failing.update(UNREADABLE)
    # Over everything it is refused; of the three accounts one answer is lost, one call is taken, and one refused until the end.
    lost, no = Unknown("the connection was reset"), Rejected("busy", 400)
    room.broker.outcomes += [no, lost, Accepted(None), no, no]
    await room.confirm(ticket)
    each = [FlattenAccount(name) for name in ("Apex-001", "Sim101", "Sim102")]
    assert room.broker.sent == [FlattenEverything(), *each, each[-1]]
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.UNKNOWN
    assert ended.outcome == (
        "Sent unseen to “Apex-001”, “Sim101”, as the lists there could not be read; it is read back as soon as they can be. "
        "Nothing was closed in “Sim102” (“busy”). Left: “Sim102”: positions could not be read, it may not be flat, "
        "orders could not be read, some may work. Look at NinjaTrader."
    )


async def test_what_is_left_open_beside_what_went_out_unseen_is_told_with_the_command_for_it(room: Room) -> None:
    ticket = await room.ticket(EVERYTHING)
    room.broker.failing |= {"orders Sim101", "positions Sim101"}
    room.broker.refusing[Close] = Rejected("market closed", 400)
    room.broker.outcomes += [Accepted(None), Rejected("market closed", 400)]
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.UNKNOWN
    assert ended.outcome == (
        "Sent unseen to “Sim101”, as the lists there could not be read; it is read back as soon as they can be. "
        "Nothing was closed in “Apex-001”. Left: “Apex-001” ES 09-26: still SHORT 2. "
        "Use “/flatten scope:instrument account:Apex-001 instrument:ES 09-26”. Look at NinjaTrader."
    )
    # Once all is read, it isn't said of the other account either.
    room.broker.failing.clear()
    room.clock.pass_by(60)
    await room.desk._reconciler.look(await room.journal.live())
    assert "It was sent unseen where the lists could not be read." in ((await room.now(ticket.id)).outcome or "")


async def test_a_call_that_the_journal_held_up_did_not_go_out_unseen(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, real = await room.ticket(EVERYTHING), room.disk.advance
    room.broker.failing |= {"orders Sim101", "positions Sim101", "orders Sim102", "positions Sim102"}

    async def advance(old: Ticket, new: Ticket, *given: Any, **named: Any) -> Any:
        if len(new.progress.steps) > 1:
            room.broker.failing -= {"orders Sim101", "positions Sim101"}
            raise JournalError("The journal can't be written: the disk is full.")
        return await real(old, new, *given, **named)

    monkeypatch.setattr(room.disk, "advance", advance, raising=False)
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount("Sim101")]
    ended = await room.now(ticket.id)
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.CANCELLED)
    told = outcome_of(ended) or ""
    assert "“Sim102”: positions could not be read, it may not be flat" in told
    assert "“Apex-001” ES 09-26: still SHORT 2" in told
    assert "the disk is full" in told
    assert "nseen" not in told


async def test_where_nothing_could_be_read_nor_sent_that_is_what_is_told(room: Room) -> None:
    await room.ticket()
    room.broker.failing.add("positions Sim101")
    room.broker.refusing[FlattenAccount] = NotSent("no connection")
    ended = await done(room)
    assert (ended.state, ended.outcome) == (TicketState.NOT_SENT, "“no connection”")


async def test_a_call_is_made_anew_until_it_is_taken(room: Room) -> None:
    room.broker.outcomes += [NotSent("no connection"), Rejected("busy", 400)]
    ended = await done(room)
    assert ended.state is TicketState.ACCEPTED
    assert [leg.state for leg in ended.progress.steps] == [StepState.NOT_SENT, StepState.REJECTED, StepState.ACCEPTED]
    gaps = [(b - a).total_seconds() for a, b in zip(room.broker.times, room.broker.times[1:], strict=False)]
    assert min(gaps) >= USUAL_PACE.again


@pytest.mark.parametrize(
    ("outcome", "wait"), [(Accepted(None), USUAL_PACE.settle), (Unknown("reset"), USUAL_PACE.grace)], ids=["taken", "lost"]
)
async def test_a_close_that_does_not_show_is_not_made_anew_before_its_time(room: Room, outcome: Outcome, wait: float) -> None:
    room.broker.outcomes.append(outcome)
    ended = await done(room)
    assert ended.state is TicketState.ACCEPTED
    first, second = room.broker.times
    assert wait <= (second - first).total_seconds() < wait + USUAL_PACE.between


async def test_a_close_that_comes_late_is_not_made_twice(room: Room) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    room.clock.plan(20, lambda: room.broker.carry_out(FlattenAccount("Sim101")))
    ended = await done(room)
    assert room.broker.sent == [FlattenAccount("Sim101")]
    assert room.broker.book_positions["Sim101", ES] == 0
    assert [leg.state for leg in ended.progress.steps] == [StepState.UNKNOWN]


async def test_a_fault_of_the_client_is_an_unknown_call_and_the_flatten_goes_on(room: Room) -> None:
    ticket = await room.ticket(ONE)
    room.broker.surprise = ZeroDivisionError()
    room.clock.plan(1, lambda: setattr(room.broker, "surprise", None))
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.FILLED)
    assert [leg.state for leg in ended.progress.steps] == [StepState.UNKNOWN, StepState.ACCEPTED]


async def test_what_comes_up_meanwhile_is_closed_too(room: Room) -> None:
    room.clock.plan(0.4, lambda: room.broker.book_positions.update({("Sim101", NQ): 3}))
    ended = await done(room)
    assert [(line.contract, line.before, line.now) for line in ended.progress.rows] == [(ES, -2, 0), (NQ, 0, 0)]
    assert room.broker.book_positions["Sim101", NQ] == 0


# Who waits meanwhile.


async def test_while_a_flatten_is_under_way_nothing_new_is_taken_there(room: Room) -> None:
    resting = room.broker.rest(Side.BUY, 1)
    async with under_way(room) as ticket:
        for request in (PLACE, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1), CLOSE, ONE, EVERYTHING):
            assert await room.refused(request, SECOND) == ["FLATTENING"]
        assert f"“Tina” (member 1) is flattening “Sim101” (ticket {ticket.id})" in await said(room, PLACE)
        assert f"“Tina” (member 1) is flattening “Sim101” already (ticket {ticket.id})" in await said(room, ONE)
        # Cancelling is never in the way, and elsewhere nobody waits.
        for allowed in (CancelRequest("Sim101", resting.id), CANCEL_ONE, FlattenRequest("account", "Apex-001")):
            assert (await room.ticket(allowed, SECOND)).state is TicketState.OFFERED
        assert (await room.ticket(replace(PLACE, account="Sim102"))).state is TicketState.OFFERED
    assert (await room.ticket(PLACE)).state is TicketState.OFFERED


async def test_in_one_instrument_the_others_go_on(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    async with under_way(room, FlattenRequest("instrument", "Sim101", "ES 09-26")):
        assert await room.refused(PLACE) == ["FLATTENING"]
        assert (await room.ticket(replace(PLACE, instrument="NQ 09-26"))).state is TicketState.OFFERED


async def test_a_card_from_before_the_flatten_is_denied_at_its_press(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    place, close, again = await room.ticket(PLACE), await room.ticket(CLOSE), await room.ticket(ONE)
    async with under_way(room):
        for ticket in (place, close, again):
            await room.confirm(ticket)
            denied = await room.now(ticket.id)
            assert denied.state is TicketState.DENIED
            assert "FLATTENING" in (outcome_of(denied) or "")
    assert set(map(type, room.broker.sent)) == {CancelOrders, FlattenAccount}


async def test_while_orders_are_being_cancelled_entries_and_flattens_go_on(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    async with under_way(room, CANCEL_ONE):
        for request in (PLACE, CLOSE, ONE, CANCEL_ONE):
            assert (await room.ticket(request)).state is TicketState.OFFERED


@pytest.mark.parametrize("lost", [CLOSE, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1)], ids=["close", "reverse"])
async def test_a_flatten_beside_a_close_whose_answer_was_lost_waits_for_it(room: Room, lost: TicketRequest) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    unknown = await done(room, lost)
    ended = await done(room)
    assert ended.order_state is OrderState.FILLED
    assert (room.broker.times[1] - room.broker.times[0]).total_seconds() >= USUAL_PACE.grace
    assert room.broker.book_positions["Sim101", ES] == 0
    assert ended.outcome == f"Flat as read; the outcome of ticket {unknown.id} there is still unknown and may open a position."


async def test_a_close_whose_answer_was_lost_may_have_done_it(room: Room) -> None:
    room.broker.outcomes.append(Unknown("reset"))
    unknown = await done(room, CLOSE)
    assert isinstance(unknown.intent, Close)
    close = unknown.intent
    room.clock.plan(12, lambda: room.broker.carry_out(close))
    ended = await done(room)
    assert room.broker.sent == [close]
    assert room.broker.book_positions["Sim101", ES] == 0
    assert ended.progress.steps == ()
    assert ended.order_state is OrderState.FILLED


async def test_what_is_open_elsewhere_is_closed_at_once_beside_it(room: Room) -> None:
    room.broker.book_positions["Sim101", NQ] = 1
    room.broker.outcomes.append(Unknown("reset"))
    await done(room, CLOSE)
    await done(room)
    waited = [(at - room.broker.times[0]).total_seconds() for at in room.broker.times[1:]]
    contracts = [action.contract for action in room.broker.sent if isinstance(action, Close)]
    assert contracts[:2] == [ES, NQ]
    assert waited[0] < 1
    assert waited[1] >= USUAL_PACE.grace


async def test_a_close_that_was_just_taken_is_given_time_to_show(room: Room) -> None:
    room.broker.dawdling.add(Close)
    close = await done(room, CLOSE)
    room.broker.dawdling.clear()
    room.clock.plan(1.5, room.broker.let_go)
    ended = await done(room)
    assert room.broker.sent == [close.intent]
    assert room.broker.book_positions["Sim101", ES] == 0
    assert ended.order_state is OrderState.FILLED


async def test_a_close_that_was_taken_and_does_not_show_holds_up_nobody_for_long(room: Room) -> None:
    room.broker.dawdling.add(Close)
    await done(room, CLOSE)
    await done(room)
    assert USUAL_PACE.settle <= (room.broker.times[1] - room.broker.times[0]).total_seconds() < 2 * USUAL_PACE.settle


async def test_a_flatten_is_not_done_while_an_entry_is_on_its_way_there(room: Room) -> None:
    entry = await room.ticket(PLACE)
    assert isinstance(entry.intent, PlaceOrder)
    room.broker.gate, room.broker.gated = asyncio.Event(), {PlaceOrder}
    press = asyncio.create_task(room.confirm(entry))
    await eventually(lambda: bool(room.broker.sent))
    gate = room.broker.gate
    room.clock.plan(3, gate.set)
    ended = await done(room)
    await press
    # The entry arrived while everything seemed flat; it was cancelled before that was said.
    assert [type(action) for action in room.broker.sent] == [PlaceOrder, FlattenAccount, CancelOrders]
    assert ended.order_state is OrderState.FILLED
    assert all(order.state.is_done for order in room.broker.book_orders)


async def test_an_entry_that_stays_on_its_way_is_named(room: Room) -> None:
    entry = await room.ticket(PLACE)
    room.broker.gate, room.broker.gated = asyncio.Event(), {PlaceOrder}
    press = asyncio.create_task(room.confirm(entry))
    await eventually(lambda: bool(room.broker.sent))
    ended = await done(room)
    assert ended.outcome == f"Flat as read; the outcome of ticket {entry.id} there is still unknown and may open a position."
    assert (ended.order_state, ended.progress.done_at) == (OrderState.FILLED, None)
    room.broker.gate.set()
    await press


# Notices.


async def test_a_flatten_over_several_accounts_is_told_wherever_one_of_them_is(running: Room) -> None:
    running.rule(
        routes=(
            Route(NEWS_CHANNEL, frozenset({"filled"}), ("Apex*",)),
            Route(2002, frozenset({"filled"}), ("Other*",)),
            Route(2003, frozenset({"rejected"})),
        )
    )
    await done(running, EVERYTHING)
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert [(notice.channel, notice.text.splitlines()[1]) for notice in running.messenger.told] == [
        (NEWS_CHANNEL, "“3 accounts” (LIVE) · flatten")
    ]


@pytest.mark.parametrize(
    ("request_", "refused", "text"),
    [
        (ONE, (FlattenAccount, Close), "Rejected\n“Sim101” (SIM) · flatten\n“no”"),
        (CANCEL_ONE, (CancelOrders,), "Rejected\n“Sim101” (SIM) · cancel\n“no”"),
    ],
)
async def test_a_refusal_is_told_as_of_any_order(
    running: Room, request_: TicketRequest, refused: tuple[type[Action], ...], text: str
) -> None:
    running.broker.rest(Side.BUY, 1)
    if request_ is ONE:
        running.broker.book_orders.clear()
    for kind in refused:
        running.broker.refusing[kind] = Rejected("no", 400)
    await done(running, request_)
    await eventually(lambda: bool(running.messenger.told))
    await running.all_told()
    assert running.messenger.told[0].text.startswith(text)


async def test_cancel_of_one_order_stays_a_single_call(room: Room) -> None:
    resting = room.broker.rest(Side.BUY, 1)
    other = room.broker.rest(Side.BUY, 1)
    ended = await done(room, CancelRequest("Sim101", resting.id))
    assert [type(action) for action in room.broker.sent] == [Cancel]
    assert ended.progress.steps == ()
    assert next(order for order in room.broker.book_orders if order.id == other.id).state is OrderState.WORKING


def many(room: Room) -> list[str]:
    """More accounts than are read one by one, each with something open."""
    names = [f"Sim2{number:02}" for number in range(5)]
    for name in names:
        room.broker.book_accounts[name] = replace(room.broker.book_accounts["Sim101"], name=name)
        room.broker.book_positions[name, ES] = 1
    grant(room, "Sim2*")
    return names


@pytest.mark.parametrize("how", ["failing", "hanging"])
@pytest.mark.parametrize("lists", [("positions", "orders"), ("all_positions",), ("all_orders",)], ids="+".join)
async def test_many_accounts_are_read_by_the_lists_over_all_or_by_their_own(room: Room, lists: tuple[str, ...], how: str) -> None:
    names = many(room)
    getattr(room.broker, how).update(lists)
    began = room.clock()
    ticket = await room.ticket(EVERYTHING)
    assert room.clock() - began < timedelta(seconds=5)
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert (ended.state, ended.order_state) == (TicketState.ACCEPTED, OrderState.FILLED)
    assert not any(leg.unseen for leg in ended.progress.steps)
    assert [room.broker.book_positions[name, ES] for name in names] == [0] * len(names)


async def test_an_account_that_the_lists_over_all_leave_out_is_read_by_itself(room: Room) -> None:
    names = many(room)
    alone = names[-1]
    ticket = await room.ticket(EVERYTHING)
    room.broker.book_accounts[alone] = replace(room.broker.book_accounts[alone], connected=False)
    theirs = [one for one in await room.broker.all_positions() if one.account != alone]
    room.broker.shown.answers["all_positions"] = theirs
    await room.confirm(ticket)
    assert room.broker.book_positions[alone, ES] == 0
