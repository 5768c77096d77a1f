"""The watchdog: what it asks for, what raises the alarm, who reads it, and that it hangs on nothing that is down."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.desk.health.polling import HealthPoller
from bot.desk.lookup.directory import Directory
from bot.desk.ports import EventName, Journal, Notice, Tone
from bot.desk.requests import FlattenRequest
from bot.errors import BrokerLacks, BrokerPartly, DeliveryDelayed
from bot.timings import USUAL
from bot.trading.health.chain import Grade, LinkName
from bot.trading.health.vitals import ChatVitals, Reach, StreamState, Vitals
from bot.trading.market.facts import Account
from bot.trading.orders.broker_calls import FlattenAccount
from bot.trading.orders.instruments import Contract
from bot.trading.orders.outcomes import Unknown
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Grant, Route
from tests.clocks import TODAY
from tests.desk.conftest import NEWS_CHANNEL, POLICY, STRANGER, TRADER, TRADER_ROLE, Room, timed
from tests.desk.fakes import ES, NOON, Clock, eventually

AWAY = Vitals(Reach.AWAY, "CrossTrade answered HTTP 408. Client not ready", NOON)
BACK = Vitals(Reach.GOOD, "CrossTrade answers.", NOON, budget=20)


async def read(room: Room) -> None:
    """Let the watchdog know what is open."""
    room.clock.pass_by(7)
    await room.desk.health.probe()
    assert room.desk.health.rounds.is_read


async def look(room: Room, *seconds: float) -> list[Notice]:
    """Let it look after each of these pauses; the alarms and the like that are stored."""
    for pause in seconds:
        room.clock.pass_by(pause)
        await room.desk.health.look()
    rows = await room.journal.due(room.clock() + timedelta(minutes=5), 100)
    return [row.notice for row in rows if row.notice is not None and "Link" in row.notice.text]


async def test_an_alarm_names_what_is_open_when_the_link_is_down_and_its_end_how_long_it_was(room: Room) -> None:
    await read(room)
    room.broker.known = replace(AWAY, good_at=room.clock())
    assert await look(room, 1, 13) == []
    [alarm] = await look(room, 1, 1, 1)
    assert (alarm.channel, alarm.tone, alarm.silent) == (NEWS_CHANNEL, Tone.ALARM, False)
    first, *rest = alarm.text.splitlines()
    assert first == "Link down · NinjaTrader: add-on is away, since 12:00:07 UTC (15 s)"
    assert rest[:2] == [
        "“Sim101” (SIM) · ES 09-26 · SHORT 2, read 15 s ago",
        "“Apex-001” (LIVE) · ES 09-26 · SHORT 2, read 15 s ago",
    ]
    assert "Start NinjaTrader" in rest[2]
    assert "Entries are refused, exits are tried" in alarm.text
    room.broker.known = BACK
    told = await look(room, 10, 5, 5)
    assert [notice.text for notice in told][1:] == ["Link up · NinjaTrader is back after 27 s (12:00:07 to 12:00:34 UTC)"]
    events = [(event.name, event.data["link"]) for event in room.disk.recorded]
    assert events == [(EventName.LINK_DOWN, "crosstrade"), (EventName.LINK_UP, "crosstrade")]
    assert room.disk.recorded[0].data["open"] == ["Sim101 ES 09-26 -2", "Apex-001 ES 09-26 -2"]


@pytest.mark.parametrize("before", [0, 4])
async def test_an_alarm_says_how_long_ago_what_it_names_was_asked_for(room: Room, before: int) -> None:
    room.broker.asked_before = timedelta(seconds=before)
    await read(room)
    room.broker.known = AWAY
    [alarm] = await look(room, 15)
    assert alarm.text.count(f"read {15 + before} s ago") == 2


async def test_where_nobody_can_say_when_it_was_asked_for_it_is_as_old_as_it_may_be(room: Room) -> None:
    room.broker.asked_before = None
    await read(room)
    room.broker.known = AWAY
    [alarm] = await look(room, 15)
    assert f"read {15 + USUAL.desk.known_rounds.seconds} s ago" in alarm.text


async def test_rows_beside_one_that_can_not_be_read_are_as_old_as_they_may_be(room: Room) -> None:
    rows = await room.broker.all_positions()
    room.broker.shown.answers["all_positions"] = BrokerPartly(rows, ('position "ES ?"',), frozenset({"Sim102"}))
    await read(room)
    room.broker.known = AWAY
    [alarm] = await look(room, 15)
    assert alarm.text.count(f"read {15 + USUAL.desk.known_rounds.seconds} s ago") == 2


async def test_who_is_flat_with_nothing_on_its_way_reads_no_alarm(room: Room) -> None:
    room.broker.book_positions.clear()
    await read(room)
    room.broker.known = AWAY
    assert await look(room, 20, 60) == []
    room.broker.known = BACK
    assert await look(room, 1, 10, 10) == []


async def test_an_order_on_its_way_raises_it_too(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.gate = asyncio.Event()
    pressed = asyncio.create_task(room.confirm(ticket))
    await eventually(lambda: bool(room.broker.sent))
    room.broker.book_positions.clear()
    await read(room)
    room.broker.known = AWAY
    [alarm] = await look(room, 20)
    assert f"“Sim101” (SIM) · ES 09-26 · BUY 1 MARKET · sending, ticket {ticket.id}" in alarm.text
    room.broker.gate.set()
    await pressed


async def test_where_nothing_was_ever_read_something_may_be_open(room: Room) -> None:
    room.broker.known = replace(AWAY, good_at=None, reach=Reach.NOWHERE)
    [alarm] = await look(room, 15)
    assert "CrossTrade: good never, since 12:00:00 UTC" in alarm.text
    assert "could not be read since the bot started" in alarm.text


async def test_each_channel_reads_only_of_accounts_that_its_routes_carry(room: Room) -> None:
    await read(room)
    routes = (
        Route(1, frozenset({"link down"}), ("Sim*",), frozenset({"link down"})),
        Route(2, frozenset({"*"}), ("Apex*",)),
        Route(2, frozenset({"link down"}), ("Sim*",), frozenset({"*"})),
        Route(3, frozenset({"filled"})),
        Route(4, frozenset({"link down"}), ("Other*",)),
    )
    room.rule(routes=routes)
    room.broker.known = AWAY
    sim, both = sorted(await look(room, 20), key=lambda notice: notice.channel)
    assert (sim.channel, sim.silent, "Sim101" in sim.text, "Apex" in sim.text) == (1, True, True, False)
    assert (both.channel, both.silent, "Sim101" in both.text, "Apex" in both.text) == (2, False, True, True)


async def test_an_account_that_loses_its_broker_is_told_where_it_holds_something(room: Room) -> None:
    await read(room)
    for name in ("Apex-001", "Sim102"):
        room.broker.book_accounts[name] = replace(room.broker.book_accounts[name], connected=False)
    del room.broker.book_positions["Apex-001", ES]
    room.rule(routes=(Route(1, frozenset({"*"}), ("Apex*",)), Route(2, frozenset({"*"}), ("Sim*",))))
    room.clock.pass_by(7)
    await room.desk.health.probe()
    [alarm] = await look(room, 1, 15)
    assert alarm.channel == 1
    assert "Link down · Broker link of Apex-001: not connected" in alarm.text
    # It was left out of the list for that, and is not flat.
    assert "“Apex-001” (LIVE) · ES 09-26 · SHORT 2, read 23 s ago" in alarm.text
    assert "Sim101" not in alarm.text
    room.broker.book_accounts["Apex-001"] = replace(room.broker.book_accounts["Apex-001"], connected=True)
    room.clock.pass_by(10)
    await room.desk.health.probe()
    back = [notice for notice in await look(room, 1, 6) if "Link up" in notice.text]
    assert [(notice.channel, "Broker link of Apex-001 is back" in notice.text) for notice in back] == [(1, True)]


@pytest.mark.parametrize("is_readable", [True, False])
async def test_an_alarm_about_the_journal_goes_without_it_and_is_stored_later(room: Room, is_readable: bool) -> None:
    await read(room)
    room.disk.failing.add("record")
    with pytest.raises(Exception, match="disk is full"):
        await room.desk._recorder.record(EventName.STARTED)
    if not is_readable:
        room.disk.failing.add("live")
    room.messenger.failures.append(DeliveryDelayed("Discord is busy."))
    for _ in range(4):
        room.clock.pass_by(5)
        await room.desk.health.look()
    [alarm] = room.messenger.told
    assert "Link down · Journal: not for 15 s" in alarm.text
    assert "the bot sends nothing, ways out neither" in alarm.text
    room.disk.failing.clear()
    told = [notice.text for notice in await look(room, 5, 5, 5)]
    assert len(told) == 1
    assert "Journal is back" in told[0]
    assert EventName.LINK_DOWN in {event.name for event in room.disk.recorded}
    assert len(room.messenger.told) == 1


async def test_a_journal_that_could_not_be_written_is_tried_though_nobody_wants_to(room: Room) -> None:
    room.broker.book_positions.clear()
    await read(room)
    room.disk.failing.add("record")
    with pytest.raises(Exception, match="disk is full"):
        await room.desk._recorder.record(EventName.STARTED)
    await look(room, 1)
    room.disk.failing.clear()
    assert await look(room, 5) == []
    assert [(event.name, event.data["link"]) for event in room.disk.recorded] == [(EventName.LINK_DOWN, "journal")]
    assert (await room.desk.health.report(TRADER)).lines[1].grade is Grade.GOOD


async def test_another_program_on_the_stream_is_told_at_once_and_once(room: Room) -> None:
    room.broker.book_positions.clear()
    await read(room)
    room.broker.known = replace(BACK, stream=StreamState.TAKEN, stream_since=room.clock())
    [alarm] = await look(room, 1, 60, 3600)
    assert alarm.text.startswith("Link down · Stream: taken by another\nAnother program took CrossTrade's stream")
    assert alarm.tone is Tone.ALARM
    assert room.desk.health.sign.partly == "Stream: taken by another"


async def test_the_stream_that_orders_travel_by_is_a_link_like_others(room: Room) -> None:
    await read(room)
    room.broker.known = replace(
        BACK, stream=StreamState.CLOSED, orders_by_stream=True, stream_since=room.clock(), stream_why="Shut."
    )
    [alarm] = await look(room, 14, 2)
    assert "Stream: closed" in alarm.text
    sign = room.desk.health.sign
    assert (sign.up, sign.which, sign.why) == (False, "Stream", "Shut.")


async def test_another_bot_on_the_token_is_told_once_while_it_goes_on(room: Room) -> None:
    room.broker.book_positions.clear()
    await read(room)
    room.messenger.known = ChatVitals(up=True, rivals=2)
    assert await look(room, 1) == []
    room.messenger.known = ChatVitals(up=True, rivals=3)
    [alarm] = await look(room, 1, 30)
    assert "Another program answers with this Discord token; stop it" in alarm.text
    room.messenger.known = ChatVitals(up=True)
    assert len(await look(room, 60, 300)) == 1
    assert len(await look(room, 300)) == 2


async def test_it_asks_little_and_more_often_while_something_is_open(room: Room) -> None:
    asked = room.broker.called
    await room.desk.health.probe()
    assert asked == ["all_positions", "accounts"]
    for seconds in (6, 1):
        room.clock.pass_by(seconds)
        await room.desk.health.probe()
    assert len(asked) == 4
    room.broker.book_positions.clear()
    for seconds in (7, 14, 1):
        room.clock.pass_by(seconds)
        await room.desk.health.probe()
    assert len(asked) == 8
    room.broker.known = AWAY
    room.broker.failing |= {"all_positions"}
    for seconds in (15, 5):
        room.clock.pass_by(seconds)
        await room.desk.health.probe()
    assert asked[8:] == ["all_positions", "accounts"] * 2


async def test_where_there_is_no_list_of_all_accounts_are_read_in_turn(room: Room) -> None:
    room.broker.shown.answers["all_positions"] = BrokerLacks(404, "x")
    for _ in range(4):
        room.clock.pass_by(20)
        await room.desk.health.probe()
    assert sorted(room.desk.health.rounds.held) == ["Apex-001", "Sim101", "Sim102"]
    assert room.broker.called.count("positions") == 3


async def test_a_round_that_hangs_holds_no_alarm_up(room: Room) -> None:
    await read(room)
    room.broker.hanging.add("all_positions")
    room.clock.pass_by(7)
    hanging = asyncio.create_task(room.desk.health.probe())
    await eventually(lambda: room.broker.called[-1] == "all_positions")
    room.broker.known = AWAY
    assert len(await look(room, 20)) == 1
    hanging.cancel()


async def test_a_report_shows_the_accounts_that_the_member_may_see_whatever_is_down(room: Room) -> None:
    await read(room)
    room.rule(grants=(*POLICY.grants, Grant(77, frozenset({"health"}))))
    room.broker.known = replace(AWAY, reach=Reach.NOWHERE)
    room.broker.failing |= {"accounts", "all_positions"}
    asked = len(room.broker.called)
    report = await room.desk.health.report(TRADER)
    assert [line.name for line in report.lines if line.part is LinkName.BROKER] == ["Sim101", "Sim102", "Apex-001"]
    assert {line.part: line.grade for line in report.lines}[LinkName.CROSSTRADE] is Grade.DOWN
    assert len(room.broker.called) == asked
    unnamed = await room.desk.health.report(replace(STRANGER, roles=frozenset({77})))
    assert [line for line in unnamed.lines if line.part is LinkName.BROKER] == []


async def test_a_report_tells_of_news_that_wait_and_of_orders_whose_outcome_is_not_known(room: Room) -> None:
    ticket = await room.ticket()
    room.broker.outcomes.append(Unknown("no answer"))
    await room.confirm(ticket)
    room.clock.pass_by(40)
    words = {line.part: line.words for line in (await room.desk.health.report(TRADER)).lines}
    assert words[LinkName.ORDERS] == "1 on the way, 1 unknown"
    assert words[LinkName.NEWS] == "2 wait, 40 s"
    room.disk.failing |= {"live", "due"}
    words = {line.part: line.words for line in (await room.desk.health.report(TRADER)).lines}
    assert (words[LinkName.JOURNAL], words[LinkName.NEWS], words[LinkName.ORDERS]) == ("unreadable", "not read", "not read")


async def test_the_sign_for_everybody_names_links_and_no_account(room: Room) -> None:
    room.broker.known = Vitals()
    assert room.desk.health.sign.why == "CrossTrade was not asked yet."
    room.broker.known = BACK
    await read(room)
    assert (room.desk.health.sign.up, room.desk.health.sign.partly) == (True, "")
    room.broker.book_accounts["Apex-001"] = Account("Apex-001", "Rithmic", connected=False)
    await read(room)
    assert room.desk.health.sign.partly == "1 of 3 accounts without a broker"
    room.messenger.known = ChatVitals(up=True, rivals=5)
    assert room.desk.health.sign.partly == "1 of 3 accounts without a broker, Discord: shared token"
    room.broker.known = AWAY
    sign = room.desk.health.sign
    assert (sign.up, sign.which, sign.why) == (False, "NinjaTrader", AWAY.why)
    assert room.desk.health.grades()["Broker"] is Grade.DOWN


async def test_a_flatten_is_offered_and_tried_though_crosstrade_can_not_be_read(room: Room) -> None:
    await room.desk._directory.refresh_accounts()
    room.broker.failing |= {"account", "accounts", "positions", "orders", "quote"}
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("Sim*",), ("*",), 1),))
    ticket = await room.ticket(FlattenRequest("account", "Sim101"))
    assert ticket.shown.warnings == ("“Sim101” could not be read; it is gone over all the same",)
    assert await room.refused() == ["FACTS_MISSING"]
    room.clock.plan(10, room.broker.failing.clear)
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount("Sim101")]
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED


class Hanging:
    """A journal whose calls of some names never come back, until they are let go."""

    def __init__(self, real: Journal, *names: str) -> None:
        self.real = real
        self.names = set(names)
        self.free = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        async def call(*given: Any, **named: Any) -> Any:
            if name in self.names:
                await self.free.wait()
            return await method(*given, **named)

        return call


@timed(journal_within=timedelta(seconds=0.02))
async def test_a_journal_that_hangs_holds_no_alarm_up_and_gets_it_once_it_goes_on(room: Room) -> None:
    await read(room)
    watchdog = room.desk.health
    hanging = Hanging(room.disk, "record", "live", "due")
    watchdog.recorder.journal = hanging
    room.broker.known = AWAY
    for _ in range(3):
        room.clock.pass_by(15)
        await watchdog.look()
    report = await watchdog.report(TRADER)
    assert {line.part: line.words for line in report.lines}[LinkName.NEWS] == "not read"
    assert ["add-on is away" in notice.text for notice in room.messenger.told] == [True, False]
    assert "Journal: unreadable" in room.messenger.told[1].text
    hanging.free.set()
    await look(room, 5)
    assert [event.data["link"] for event in room.disk.recorded] == ["crosstrade", "journal"]


@timed(journal_within=timedelta(seconds=0.02))
async def test_a_desk_that_stops_leaves_no_write_of_the_watchdog_behind(room: Room) -> None:
    watchdog = room.desk.health
    watchdog.recorder.journal = Hanging(room.disk, "record")
    room.broker.known = replace(AWAY, good_at=None)
    room.clock.pass_by(15)
    await watchdog.look()
    assert [task.get_name() for task in asyncio.all_tasks()].count("watchdog writes") == 1
    await watchdog.close()
    assert [task.get_name() for task in asyncio.all_tasks()].count("watchdog writes") == 0


async def test_many_positions_are_cut_to_what_a_phone_can_show(room: Room) -> None:
    for month in range(1, 13):
        room.broker.book_positions["Sim102", Contract("CL", 2027, month)] = 1
    await read(room)
    room.broker.known = AWAY
    [alarm] = await look(room, 20)
    assert "… and 2 more" in alarm.text
    assert "“Sim102” (SIM) · CL 01-27 · LONG 1" in alarm.text


class Moving(Clock):
    """A clock that goes on while it is read, as every real one does."""

    def __call__(self) -> datetime:
        self.pass_by(0.001)
        return super().__call__()


async def test_the_first_round_is_gone_though_time_goes_on_while_it_is_asked_for(room: Room) -> None:
    directory = Directory(room.broker, lambda: TODAY)
    rounds = HealthPoller(room.broker, room.broker, room.broker, Moving(), USUAL.desk, directory)
    await rounds.look(at_stake=False)
    assert rounds.accounts.keys() == room.broker.book_accounts.keys()
    assert directory.canonical("sim101") == "Sim101"


async def test_an_account_that_is_left_out_is_not_flat_by_a_list_of_accounts_from_before(room: Room) -> None:
    before = replace(room.broker, book_accounts=dict(room.broker.book_accounts))
    rounds = HealthPoller(room.broker, before, room.broker, room.clock, USUAL.desk, room.desk._directory)
    await rounds.look(at_stake=True)
    assert [each.quantity for each in rounds.held["Apex-001"].positions] == [-2]
    # It loses its broker, and with it its place in the list of all positions; who is connected was read before that.
    room.broker.book_accounts["Apex-001"] = replace(room.broker.book_accounts["Apex-001"], connected=False)
    held = room.broker.book_positions.pop(("Apex-001", ES))
    room.clock.pass_by(7)
    await rounds.look(at_stake=True)
    assert [each.quantity for each in rounds.held["Apex-001"].positions] == [held]
    assert "Apex-001" in rounds.unlinked
    # One that is closed, and connected, is flat.
    room.broker.book_accounts["Apex-001"] = replace(room.broker.book_accounts["Apex-001"], connected=True)
    for _ in range(2):
        room.clock.pass_by(7)
        await rounds.look(at_stake=True)
    assert rounds.held["Apex-001"].positions == ()
