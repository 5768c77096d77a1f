"""The kill switch at the desk: who may halt and resume, what is told, and that nothing leaves once something is halted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.desk.ports import Event, EventName, Tone
from bot.desk.requests import (
    CancelRequest,
    CloseRequest,
    FlattenRequest,
    ModifyRequest,
    PlaceRequest,
    Refused,
    ReverseRequest,
    SwitchRequest,
)
from bot.trading.orders.intents import Close
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import Member, TicketState
from bot.trading.risk.halts import Source, Switch, SwitchState
from bot.trading.risk.policy import Grant, Route
from tests.desk.conftest import (
    APPROVER,
    ASK,
    HERE,
    NEWS_CHANNEL,
    SECOND,
    STRANGER,
    TRADER,
    Room,
    make_desk,
    price,
    timed,
)
from tests.desk.fakes import ES, FlakyJournal, eventually

HALT = SwitchRequest("halt", "desk", reason="CPI")
RESUME = SwitchRequest("resume", "desk")
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
CLOSE = CloseRequest("Sim101", "ES 09-26")
VERIFIED = replace(ASK, mode="verified")
RISK = Member(5, "Rita", frozenset({1105}))
RISK_GRANT = Grant(1105, frozenset({"resume"}), ("Sim101",))


async def halted(room: Room, request: SwitchRequest = HALT, member: Member = TRADER) -> str:
    """Halt; what the channel reads."""
    told = await room.desk.halt(member, HERE, request)
    assert isinstance(told, str), told
    return told


async def codes(room: Room, request: SwitchRequest, member: Member = TRADER) -> list[str]:
    """Ask for a switch that is refused; why."""
    door = room.desk.halt if request.command == "halt" else room.desk.resume
    made = await door(member, HERE, request)
    assert isinstance(made, Refused), made
    return [denial.code.value for denial in made.denials]


async def log_of(room: Room, name: EventName) -> Event | None:
    """The newest event of that name."""
    return await room.journal.last({name})


async def test_a_halted_desk_takes_nothing_new_and_says_by_whom_why_and_what_to_do(room: Room) -> None:
    told = await halted(room)
    assert told.startswith(
        "Halted · The desk is halted by “Tina” (member 1) since 2026-08-03 12:00:00 UTC (“CPI”): nothing new is sent;"
    )
    assert "“/resume scope:desk”" in told
    assert "/resume is granted to role 1100." in told
    assert (await room.refused(ASK), await room.refused(PLACE)) == (["HALTED"], ["HALTED"])
    made = await room.desk.offer(TRADER, HERE, ASK)
    assert isinstance(made, Refused)
    assert "halted by “Tina”" in made.denials[0].sentence
    assert room.desk.switches.over("Sim101", "ES") is not None


async def test_ways_out_go_while_the_desk_is_halted_and_their_cards_say_so(room: Room) -> None:
    order = room.broker.rest(Side.BUY, 1)
    await halted(room)
    for request in (CancelRequest("Sim101", order.id), CLOSE, FlattenRequest("account", "Sim101")):
        room.broker.book_positions["Sim101", ES] = -2
        ticket = await room.ticket(request)
        assert "The desk is halted by “Tina”" in ticket.shown.warnings[0]
        await room.confirm(ticket)
        assert (await room.now(ticket.id)).state is TicketState.ACCEPTED
    assert room.broker.book_positions["Sim101", ES] == 0


async def test_an_open_ticket_stays_open_and_can_not_be_confirmed(room: Room) -> None:
    ticket = await room.ticket()
    await halted(room)
    assert (await room.now(ticket.id)).state is TicketState.OFFERED
    await room.confirm(ticket)
    ended = await room.now(ticket.id)
    assert ended.state is TicketState.DENIED
    assert (ended.outcome or "").startswith("HALTED: The desk is halted by “Tina”")
    assert room.broker.sent == []


@pytest.mark.parametrize(
    ("request_", "there", "elsewhere"),
    [
        (SwitchRequest("halt", "account", "sim101"), PLACE, replace(PLACE, account="Sim102")),
        (SwitchRequest("halt", "instrument", instrument="es"), PLACE, replace(PLACE, instrument="NQ 09-26")),
        (SwitchRequest("halt", "instrument", instrument="ESZ26"), PLACE, replace(PLACE, instrument="MES 09-26")),
        (SwitchRequest("halt", "instrument", "Sim101", "ES"), PLACE, replace(PLACE, account="Sim102")),
    ],
)
async def test_a_halt_holds_in_its_scope_alone_and_is_lifted_by_itself(
    room: Room, request_: SwitchRequest, there: PlaceRequest, elsewhere: PlaceRequest
) -> None:
    await halted(room, request_)
    assert await room.refused(there) == ["HALTED"]
    await room.ticket(elsewhere)
    told = await room.desk.resume(SECOND, HERE, replace(request_, command="resume"))
    assert isinstance(told, str)
    assert told.startswith("Resumed · ")
    assert told.endswith(": lifted by “Tom” (member 2).")
    await room.ticket(there)
    assert room.desk.switches.all == ()


async def test_lifting_one_scope_leaves_the_other_and_says_so(room: Room) -> None:
    await halted(room)
    account = SwitchRequest("halt", "account", "Sim101")
    await halted(room, account)
    told = await room.desk.resume(TRADER, HERE, replace(account, command="resume"))
    assert isinstance(told, str)
    assert "Not everything goes there yet. The desk is halted by “Tina”" in told
    assert await room.refused(PLACE) == ["HALTED"]


async def test_what_is_not_halted_can_not_be_resumed(room: Room) -> None:
    told = await room.desk.resume(TRADER, HERE, RESUME)
    assert told == "The desk is not halted or reducing by anybody, so nothing was changed."
    assert await log_of(room, EventName.RESUMED) is None


async def test_that_the_file_is_gone_is_told_with_what_still_holds(room: Room) -> None:
    room.halt_file.append("")
    await room.desk._safety.look()
    await halted(room)
    room.halt_file.clear()
    await room.desk._safety.look()
    [news] = [row.notice.text for row in await room.journal.due(room.clock(), 9) if row.notice and "gone" in row.notice.text]
    assert "Not everything goes there yet. The desk is halted by “Tina”" in news


async def test_a_second_halt_keeps_who_was_first_and_never_loosens(room: Room) -> None:
    await halted(room)
    for request in (replace(HALT, reason="mine"), replace(HALT, state="reducing")):
        told = await room.desk.halt(SECOND, HERE, request)
        assert isinstance(told, str)
        assert told.startswith("Nothing was changed. The desk is halted by “Tina”")
    [switch] = (await room.journal.switches()).all
    assert (switch.state, switch.actor_name, switch.why) == (SwitchState.HALTED, "Tina", "CPI")


async def test_reducing_lets_a_stop_be_moved_and_nothing_grow(room: Room) -> None:
    # SHORT 2 is open.
    exit_, entry = room.broker.rest(Side.BUY, 2), room.broker.rest(Side.SELL, 1)
    room.broker.book_orders = [replace(order, limit=price("5790")) for order in room.broker.book_orders]
    await halted(room, replace(HALT, state="reducing"))
    assert await room.refused(ASK) == ["REDUCING"]
    assert await room.refused(ModifyRequest("Sim101", entry.id, 2)) == ["REDUCING"]
    ticket = await room.ticket(ModifyRequest("Sim101", exit_.id, limit="5799"))
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED
    await halted(room)
    assert await room.refused(ModifyRequest("Sim101", exit_.id, limit="5798")) == ["HALTED"]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (SwitchRequest("halt", "world"), "desk, account or instrument"),
        (SwitchRequest("halt", "desk", "Sim101"), "takes no account"),
        (SwitchRequest("halt", "desk", instrument="ES"), "takes no instrument"),
        (SwitchRequest("halt", "account"), "needs account"),
        (SwitchRequest("halt", "account", "Sim101", "ES"), "takes no instrument"),
        (SwitchRequest("halt", "instrument", "Sim101"), "needs instrument"),
        (SwitchRequest("halt", "account", "*"), "name of one account"),
        (SwitchRequest("halt", "desk", state="active"), "halted or reducing"),
    ],
)
async def test_what_can_not_be_meant_halts_nothing_and_is_recorded(room: Room, request_: SwitchRequest, says: str) -> None:
    made = await room.desk.halt(TRADER, HERE, request_)
    assert isinstance(made, Refused)
    assert made.denials[0].code.value == "BAD_REQUEST"
    assert says in made.denials[0].sentence
    assert (await room.journal.switches()).all == ()
    denied = await log_of(room, EventName.DENIED)
    assert denied is not None
    assert (denied.data["command"], denied.data["scope"]) == ("halt", request_.scope)


async def test_an_instrument_or_an_account_that_is_not_there_is_refused(room: Room) -> None:
    assert await codes(room, SwitchRequest("halt", "instrument", instrument="ES 13-26")) == ["UNKNOWN_INSTRUMENT"]
    assert await codes(room, SwitchRequest("halt", "account", "Sim999")) == ["UNKNOWN_ACCOUNT"]


async def test_an_account_can_be_halted_and_resumed_while_crosstrade_is_down(room: Room) -> None:
    room.broker.failing.add("accounts")
    told = await halted(room, SwitchRequest("halt", "account", "SIM101"))
    assert "it is taken as typed" in told
    room.broker.failing.clear()
    assert await room.refused(PLACE) == ["HALTED"]
    room.broker.failing.add("accounts")
    assert await codes(room, SwitchRequest("resume", "account", "Sim999")) == ["FACTS_MISSING"]
    assert isinstance(await room.desk.resume(TRADER, HERE, SwitchRequest("resume", "account", "Sim101")), str)
    assert (await room.journal.switches()).all == ()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (HALT, None),
        (SwitchRequest("halt", "account", "Sim101"), None),
        (SwitchRequest("halt", "instrument", instrument="MES"), None),
        (SwitchRequest("halt", "instrument", "Sim101", "MES"), None),
        (SwitchRequest("halt", "account", "Apex-001"), ["ACCOUNT_NOT_GRANTED"]),
        (SwitchRequest("halt", "instrument", instrument="NQ"), ["INSTRUMENT_NOT_GRANTED"]),
    ],
)
async def test_who_may_trade_somewhere_may_halt_there(room: Room, request_: SwitchRequest, expected: list[str] | None) -> None:
    room.rule(grants=(Grant(1105, frozenset({"close"}), ("Sim*",), ("MES",), 1),))
    if expected is None:
        await halted(room, request_, RISK)
    else:
        assert await codes(room, request_, RISK) == expected


async def test_who_may_not_trade_may_not_halt(room: Room) -> None:
    for member in (STRANGER, APPROVER):
        assert await codes(room, HALT, member) == ["NO_GRANT"]
    assert (await room.journal.switches()).all == ()


async def test_only_who_is_granted_resume_lifts_and_only_there(room: Room) -> None:
    trades = Grant(1100, frozenset({"reverse", "place", "close"}), ("Sim*",), ("*",), 5)
    room.rule(grants=(trades, RISK_GRANT))
    account = SwitchRequest("halt", "account", "Sim101")
    for request in (account, SwitchRequest("halt", "account", "Sim102"), SwitchRequest("halt", "instrument", "", "ES"), HALT):
        await halted(room, request)
    lift = replace(account, command="resume")
    assert await codes(room, lift, TRADER) == ["NO_GRANT"]
    assert await codes(room, replace(lift, account="Sim102"), RISK) == ["ACCOUNT_NOT_GRANTED"]
    assert await codes(room, RESUME, RISK) == ["ACCOUNT_NOT_GRANTED"]
    assert await codes(room, SwitchRequest("resume", "instrument", "", "ES"), RISK) == ["ACCOUNT_NOT_GRANTED"]
    assert len((await room.journal.switches()).all) == 4
    assert isinstance(await room.desk.resume(RISK, HERE, lift), str)
    room.rule(grants=(trades, replace(RISK_GRANT, accounts=("*",))))
    assert isinstance(await room.desk.resume(RISK, HERE, RESUME), str)
    assert {(each.account, each.root) for each in (await room.journal.switches()).all} == {("Sim102", "*"), ("*", "ES")}


async def test_where_nobody_may_resume_that_is_said(room: Room) -> None:
    room.rule(grants=(Grant(1100, frozenset({"place"}), ("*",), ("*",), 5),))
    assert "No role is granted /resume" in await halted(room)


async def test_a_halt_is_in_the_log_and_told_here_and_where_the_policy_says(running: Room) -> None:
    running.rule(
        routes=(
            Route(NEWS_CHANNEL, frozenset({"halted"}), ("Apex*",)),
            Route(2002, frozenset({"halted", "resumed"}), ("Sim*",), frozenset({"resumed"})),
            Route(2003, frozenset({"accepted"})),
        )
    )
    await halted(running, SwitchRequest("halt", "account", "Sim101", reason="CPI"))
    await eventually(lambda: len(running.messenger.told) == 2)
    await running.all_told()
    assert {(notice.channel, notice.tone) for notice in running.messenger.told} == {
        (HERE.channel, Tone.ALARM),
        (2002, Tone.ALARM),
    }
    assert all("Account “Sim101” is halted by “Tina”" in notice.text for notice in running.messenger.told)
    event = await log_of(running, EventName.HALTED)
    assert event is not None
    assert event.actor == TRADER.id
    expected = {"account": "Sim101", "instrument": "*", "state": "halted", "source": "person", "name": "Tina", "why": "CPI"}
    assert event.data == expected
    await running.desk.resume(TRADER, HERE, SwitchRequest("resume", "account", "Sim101"))
    await eventually(lambda: len(running.messenger.told) == 4)
    await running.all_told()
    news = {notice.channel: notice for notice in running.messenger.told[2:]}
    assert (news[HERE.channel].silent, news[2002].silent) == (False, True)
    # The whole desk is everybody's.
    await halted(running)
    await eventually(lambda: len(running.messenger.told) == 7)
    await running.all_told()
    assert {notice.channel for notice in running.messenger.told[4:]} == {HERE.channel, NEWS_CHANNEL, 2002}


async def test_a_halt_that_can_not_be_stored_is_told_with_the_other_way(room: Room) -> None:
    room.disk.failing.add("switch")
    made = await room.desk.halt(TRADER, HERE, HALT)
    assert isinstance(made, Refused)
    assert made.denials[0].code.value == "DESK_DOWN"
    assert "disk is full" in made.denials[0].sentence
    assert "HALT beside the journal" in made.denials[0].sentence


async def test_a_halt_that_was_stored_is_told_even_if_nothing_can_be_read_after_it(room: Room) -> None:
    room.disk.failing.add("switches")
    assert "Halted" in await halted(room)
    room.disk.failing.clear()
    assert await room.refused(PLACE) == ["HALTED"]


async def test_a_no_stands_without_its_record(room: Room) -> None:
    room.disk.failing.add("record")
    assert await codes(room, HALT, STRANGER) == ["NO_GRANT"]


@dataclass
class Late(FlakyJournal):
    """A journal before which something happens at the last moment: just as a claim begins to be stored."""

    real: Any
    first: Callable[[], Any]

    def __post_init__(self) -> None:
        super().__init__(self.real)

    async def advance(self, *given: Any, **named: Any) -> Any:
        if given[1].state is TicketState.SENDING:
            happening = self.first()
            if happening is not None:
                await happening
        return await self.real.advance(*given, **named)


def late(room: Room, first: Callable[[], Any]) -> Room:
    """The same room with something that happens between the look and the claim."""
    desk = make_desk(room.broker, Late(room.journal, first), room.messenger, room.clock, room.policies, halt_file=room.halt_file)
    return replace(room, desk=desk)


async def test_a_halt_between_the_look_and_the_claim_lets_nothing_out(room: Room) -> None:
    offered = [await room.ticket(), await room.ticket(CLOSE)]
    switch = Switch("*", "ES", SwitchState.HALTED, room.clock(), 2, "Tom", "now")
    racing = late(room, lambda: room.journal.switch(switch, Event(room.clock(), EventName.HALTED)))
    assert await racing.confirm(offered[0]) is None
    ended = await room.now(offered[0].id)
    assert (ended.state, room.broker.sent) == (TicketState.DENIED, [])
    assert "HALTED: ES in every account is halted by “Tom”" in (ended.outcome or "")
    # A way out was claimed in the same race all the same.
    await racing.confirm(offered[1])
    assert [type(action) for action in room.broker.sent] == [Close]


async def test_confirms_and_a_halt_at_once_end_as_if_one_after_the_other(room: Room) -> None:
    tickets = [await room.ticket(replace(PLACE, account=account)) for account in ("Sim101", "Sim102")]
    presses = [room.confirm(tickets[0]), room.desk.halt(SECOND, HERE, HALT), room.confirm(tickets[1])]
    await asyncio.gather(*presses)
    states = [(await room.now(ticket.id)).state for ticket in tickets]
    assert set(states) <= {TicketState.ACCEPTED, TicketState.DENIED}
    assert states.count(TicketState.ACCEPTED) == len(room.broker.sent)
    event = await log_of(room, EventName.HALTED)
    assert event is not None
    assert await room.refused(PLACE) == ["HALTED"]


async def test_a_verified_reversal_that_is_halted_after_its_close_stays_flat(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket(VERIFIED)
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: len(running.broker.sent) == 1)
    await halted(running, SwitchRequest("halt", "account", "Sim101"))
    running.broker.gate.set()
    await press
    ended = await running.now(ticket.id)
    assert [type(action) for action in running.broker.sent] == [Close]
    assert ended.state is TicketState.NOT_SENT
    assert (ended.outcome or "").startswith("The position was closed. Account “Sim101” is halted by “Tina”")
    assert (ended.outcome or "").endswith("The new order was not sent.")


async def test_the_file_halts_at_the_very_claim(room: Room) -> None:
    ticket, close = await room.ticket(), await room.ticket(CLOSE)
    begun = room.broker.reads

    async def acknowledged() -> None:
        # All has been read for the decision, the switches first of all; then the file comes.
        await eventually(lambda: room.broker.reads == begun + 4)
        room.halt_file.append("power is out")

    await room.confirm(ticket, acknowledge=acknowledged)
    ended = await room.now(ticket.id)
    assert (ended.state, room.broker.sent) == (TicketState.DENIED, [])
    assert "by the file HALT" in (ended.outcome or "")
    assert "(“power is out”)" in (ended.outcome or "")
    assert "Take the file HALT away" in (ended.outcome or "")
    assert await room.refused(PLACE) == ["HALTED"]
    await room.confirm(close)
    assert [type(action) for action in room.broker.sent] == [Close]
    room.halt_file.clear()
    await room.ticket(PLACE)


async def test_the_file_halts_the_new_order_of_a_reversal_under_way(running: Room) -> None:
    running.broker.gate = asyncio.Event()
    ticket = await running.ticket(VERIFIED)
    press = asyncio.create_task(running.confirm(ticket))
    await eventually(lambda: len(running.broker.sent) == 1)
    running.halt_file.append("")
    running.broker.gate.set()
    await press
    assert [type(action) for action in running.broker.sent] == [Close]
    assert "by the file HALT" in ((await running.now(ticket.id)).outcome or "")


async def test_the_file_is_told_once_when_it_comes_and_once_when_it_goes(room: Room) -> None:
    look = room.desk._safety.look
    await look()
    assert room.disk.recorded == []
    room.halt_file.append("power is out")
    room.disk.failing.add("record")
    with pytest.raises(Exception, match="disk is full"):
        await look()
    room.disk.failing.clear()
    for _ in range(3):
        await look()
        room.clock.pass_by(1)
    assert [(event.name, event.data["source"], event.data["why"]) for event in room.disk.recorded] == [
        (EventName.HALTED, "file", "power is out")
    ]
    [switch] = room.desk.switches.all
    assert (switch.source, switch.at) == (Source.FILE, datetime(2026, 8, 3, 12, tzinfo=room.clock().tzinfo))
    room.halt_file.clear()
    for _ in range(2):
        await look()
    assert [event.name for event in room.disk.recorded] == [EventName.HALTED, EventName.RESUMED]
    assert room.desk.switches.all == ()
    texts = [row.notice.text for row in await room.journal.due(room.clock(), 9) if row.notice]
    assert [text.split(" by ")[0] for text in texts] == [
        "Halted · The desk is halted",
        "Resumed · The desk: the file HALT is gone.",
    ]


async def test_the_file_is_not_lifted_by_resume(room: Room) -> None:
    room.halt_file.append("")
    told = await room.desk.resume(TRADER, HERE, RESUME)
    assert isinstance(told, str)
    assert "not halted or reducing by anybody" in told
    assert "Take the file HALT away" in told


async def unknown(room: Room, account: str = "Sim101") -> str:
    """Leave a ticket on its way, as a kill does; its id."""
    ticket = await room.ticket(replace(PLACE, account=account))
    room.broker.gate = asyncio.Event()
    press = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    press.cancel()
    return ticket.id


async def settle(room: Room, ticket_id: str) -> None:
    """Settle it, as evidence or a person would."""
    ticket = await room.now(ticket_id)
    done = replace(ticket, state=TicketState.NEVER_ARRIVED, version=ticket.version + 1)
    assert await room.journal.advance(ticket, done, ())


async def test_after_a_crash_the_desk_only_reduces_until_what_was_unknown_is_settled(room: Room) -> None:
    await room.desk.start()
    left = await unknown(room)
    again = replace(room, desk=room.again())
    await again.desk.start()
    # Also where nothing is unknown.
    elsewhere = replace(PLACE, account="Sim102")
    assert await again.refused(elsewhere) == ["REDUCING"]
    await again.ticket(FlattenRequest("account", "Apex-001"))
    [switch] = again.desk.switches.all
    assert (switch.state, switch.source) == (SwitchState.REDUCING, Source.CRASH)
    assert f"stopped in the middle of {left}" in switch.why
    event = await log_of(room, EventName.HALTED)
    assert event is not None
    assert (event.data["state"], event.data["source"]) == ("reducing", "crash")
    await settle(room, left)
    await again.ticket(elsewhere)
    await again.desk._safety.look()
    assert again.desk.switches.all == ()
    assert await log_of(room, EventName.RESUMED) is not None
    await again.desk.close()


async def test_another_restart_does_not_lift_what_a_crash_has_left(room: Room) -> None:
    await room.desk.start()
    left = await unknown(room)
    for _ in range(2):
        again = replace(room, desk=room.again())
        await again.desk.start()
        assert await again.refused(replace(PLACE, account="Sim102")) == ["REDUCING"]
        # This one is orderly.
        await again.desk.close()
    await settle(room, left)
    again = replace(room, desk=room.again())
    await again.desk.start()
    assert again.desk.switches.all == ()
    started = await log_of(room, EventName.STARTED)
    assert started is not None
    assert started.data["left"] == []
    await again.desk.close()


@timed(sends_get=timedelta(0))
async def test_an_orderly_stop_leaves_the_desk_as_it_was(room: Room) -> None:
    await room.desk.start()
    left = await unknown(room)
    await room.desk.close()
    assert (await room.now(left)).state is TicketState.UNKNOWN
    assert (
        await room.journal.last({EventName.STARTED, EventName.STOPPED}) or Event(room.clock(), EventName.SEEN)
    ).name == "stopped"
    again = replace(room, desk=room.again())
    await again.desk.start()
    await again.ticket(replace(PLACE, account="Sim102"))
    await again.desk.close()


async def test_a_crash_that_left_nothing_unknown_bars_nothing(room: Room) -> None:
    await room.desk.start()
    again = replace(room, desk=room.again())
    await again.desk.start()
    await again.ticket(PLACE)
    await again.desk.close()


async def test_a_halt_outlives_the_restart(room: Room) -> None:
    await halted(room)
    again = replace(room, desk=room.again())
    await again.desk.start()
    assert [switch.actor_name for switch in again.desk.switches.all] == ["Tina"]
    assert await again.refused(ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1)) == ["HALTED"]
    await again.desk.close()
