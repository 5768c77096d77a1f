"""Which channels read of what."""

from dataclasses import replace

from bot.desk.outbox.notices import last_resort, notices_for, notices_of_the_desk
from bot.desk.ports import EventName, Tone
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Route
from tests.desk.conftest import Room


async def test_news_of_the_desk_itself_go_once_to_each_channel_that_wants_them(room: Room) -> None:
    room.rule(
        routes=(
            Route(1, frozenset({"*"})),
            Route(1, frozenset({"policy changed"}), ("Apex*",)),
            Route(2, frozenset({"policy changed"}), ("Sim*",)),
            Route(3, frozenset({"filled"})),
        )
    )
    notices = notices_of_the_desk(room.desk.policy, EventName.POLICY_CHANGED, "changed")
    assert [(notice.channel, notice.text) for notice in notices] == [(1, "changed"), (2, "changed")]


async def test_an_alarm_of_the_desk_goes_to_whoever_reads_of_any_and_to_whoever_did_before(room: Room) -> None:
    before = replace(room.desk.policy, routes=(Route(1, frozenset({"policy changed"})), Route(2, frozenset({"rejected"}))))
    room.rule(routes=(Route(3, frozenset({"filled"})), Route(4, frozenset({"unknown"}))))
    told = notices_of_the_desk(room.desk.policy, EventName.POLICY_CHANGED, "fewer", Tone.ALARM, before)
    assert [(notice.channel, notice.tone) for notice in told] == [(channel, Tone.ALARM) for channel in (4, 1, 2)]


async def test_a_resolution_is_read_by_who_wants_it_and_by_who_wants_unknown_outcomes(room: Room) -> None:
    ticket = await room.ticket()
    routes = [Route(1, frozenset({"resolved"}), silent=frozenset({"resolved"})), Route(2, frozenset({"unknown"}))]
    room.rule(routes=(*routes, Route(3, frozenset({"filled"})), Route(4, frozenset({"resolved"}), ("Apex*",))))
    notices = notices_for(room.desk.policy, EventName.RESOLVED, ticket)
    assert [(notice.channel, notice.silent) for notice in notices] == [(1, True), (2, False)]


async def test_an_order_still_on_its_way_is_nothing_that_another_channel_must_read(room: Room) -> None:
    offered = await room.ticket()
    room.rule(routes=(Route(1, frozenset({"filled"})),))
    states = {state: last_resort(room.desk.policy, replace(offered, state=state)) is not None for state in TicketState}
    assert [state for state, is_told in states.items() if not is_told] == [TicketState.OFFERED, TicketState.SENDING]
