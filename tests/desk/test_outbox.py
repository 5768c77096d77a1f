"""News on their way to Discord: each once, alarms first, late but not lost, and in the next best place where theirs is gone."""

import asyncio
from dataclasses import replace

from bot.desk.outbox.delivery import MOST_LANES
from bot.desk.ports import EventName, Notice, Tone
from bot.errors import DeliveryDelayed, DeliveryRefused
from bot.trading.orders.outcomes import Rejected
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.policy import Route
from tests.desk.conftest import NEWS_CHANNEL, Room
from tests.desk.fakes import eventually
from tests.desk.test_afterwards import accepted

OTHER_CHANNEL = 2002
FLOOD = 300


async def tell(room: Room, *notices: Notice, name: EventName = EventName.LINK_DOWN) -> None:
    """Something happens to the desk itself, with these news of it."""
    await room.desk.record(name, data={}, notices=notices)


def texts(room: Room, channel: int = NEWS_CHANNEL) -> list[str]:
    """What a channel has read, in its order."""
    return [notice.text for notice in room.messenger.told if notice.channel == channel]


async def test_a_flood_of_notices_drops_none_and_repeats_none(running: Room) -> None:
    flood = [Notice(channel, f"fill {number}") for number in range(FLOOD) for channel in (NEWS_CHANNEL, OTHER_CHANNEL)]
    await tell(running, *flood)
    running.desk._outbox.recorder.news.set()
    await eventually(lambda: len(running.messenger.told) >= len(flood), 20)
    expected = [f"fill {number}" for number in range(FLOOD)]
    assert (texts(running), texts(running, OTHER_CHANNEL)) == (expected, expected)
    assert list(await running.journal.due(running.clock(), 10)) == []


async def test_an_alarm_overtakes_all_that_waits_for_its_channel(running: Room) -> None:
    running.messenger.hold_told = asyncio.Event()
    await tell(running, *(Notice(NEWS_CHANNEL, f"fill {number}") for number in range(FLOOD)))
    await eventually(lambda: running.messenger.waiting == 1)
    await tell(running, Notice(NEWS_CHANNEL, "rejected", tone=Tone.ALARM))
    running.messenger.hold_told.set()
    await eventually(lambda: len(texts(running)) >= 3)
    assert texts(running)[:3] == ["fill 0", "rejected", "fill 1"]


async def test_a_channel_that_drowns_holds_up_no_other_and_no_card(running: Room) -> None:
    running.rule(routes=())
    ticket = await running.ticket()
    running.messenger.hold_told = asyncio.Event()
    await tell(running, *(Notice(NEWS_CHANNEL, f"fill {number}") for number in range(3 * MOST_LANES)))
    await eventually(lambda: running.messenger.waiting == 1)
    await running.cancel(ticket)
    await running.until(ticket, TicketState.CANCELLED)
    assert texts(running) == []
    running.messenger.hold_told.set()


async def test_a_rejections_card_goes_before_what_waits_longer(room: Room) -> None:
    cancelled = await room.ticket()
    await room.cancel(cancelled)
    room.clock.pass_by(5)
    rejected = await room.ticket()
    room.broker.outcomes.append(Rejected("no margin"))
    await room.confirm(rejected)
    cards = [row.ticket for row in await room.journal.due(room.clock(), 9) if row.notice is None]
    assert cards == [rejected.id, cancelled.id]


async def test_news_wait_for_discord_and_say_how_late_they_are(running: Room) -> None:
    running.messenger.failures += [DeliveryDelayed("503"), DeliveryDelayed("503"), DeliveryDelayed("429", 3)]
    ticket = await running.ticket()
    await running.cancel(ticket)
    await eventually(lambda: len(running.messenger.failures) < 3)
    running.clock.pass_by(70)
    await eventually(lambda: TicketState.CANCELLED in running.messenger.states(ticket.id))
    await eventually(lambda: bool(running.messenger.told))
    assert max(running.messenger.lateness) > 60
    assert len(running.messenger.told) == 1


async def test_news_wait_for_the_bot_to_log_in_and_come_at_once_then(running: Room) -> None:
    running.messenger.attached = False
    ticket = await running.ticket()
    await running.cancel(ticket)
    await running.passes(0.6)
    assert running.messenger.shown == {}
    running.messenger.attached = True
    await running.until(ticket, TicketState.CANCELLED, seconds=1)


async def test_a_channel_that_is_gone_is_told_in_the_next_best_place(running: Room) -> None:
    running.rule(routes=())
    ticket = await running.ticket()
    running.messenger.failures.append(DeliveryRefused("unknown channel"))
    await running.cancel(ticket)
    await eventually(lambda: bool(running.messenger.fallen_back))
    assert running.messenger.fallen_back[0].state is TicketState.CANCELLED


async def test_news_that_nobody_takes_leave_the_outbox_and_stay_in_the_journal(running: Room) -> None:
    running.rule(routes=())
    ticket = await running.ticket()
    running.messenger.failures += [DeliveryRefused("gone"), DeliveryRefused("no direct messages")]
    await running.cancel(ticket)
    await eventually(lambda: not running.messenger.failures)
    await running.all_told(cards=True)
    assert [event.name for event in await running.journal.events(ticket.id)][-1] is EventName.CANCELLED


async def test_notices_go_where_the_policy_says_silent_where_it_says(running: Room) -> None:
    running.rule(
        routes=(
            Route(NEWS_CHANNEL, frozenset({"accepted"}), ("Sim*",), frozenset({"accepted"})),
            Route(2002, frozenset({"filled"})),
            Route(2003, frozenset({"*"}), ("Apex*",)),
        )
    )
    await accepted(running)
    await eventually(lambda: bool(running.messenger.told))
    running.broker.change("order1", OrderState.FILLED, 1)
    await eventually(lambda: len(running.messenger.told) == 2)
    assert [(notice.channel, notice.silent) for notice in running.messenger.told] == [(NEWS_CHANNEL, True), (2002, False)]


async def test_a_flood_of_changes_becomes_few_edits_and_loses_no_last_word(running: Room) -> None:
    ticket = await accepted(running, 5)
    for filled in range(1, 5):
        running.broker.change("order1", OrderState.PART_FILLED, filled)
        running.clock.pass_by(1.01)
        await asyncio.sleep(0.05)
    running.broker.change("order1", OrderState.FILLED, 5)
    await eventually(lambda: running.messenger.shown[ticket.id][-1].filled == 5)
    assert len(running.messenger.shown[ticket.id]) <= 7


async def test_news_of_the_desk_whose_channel_is_gone_are_told_in_another_one_with_why(running: Room) -> None:
    everything, some = frozenset({"*"}), frozenset({"filled"})
    # The third one reads of some accounts alone, and news of the desk may name any.
    narrow, wide = Route(2003, everything, ("Sim*",)), Route(2004, some)
    running.rule(routes=(Route(NEWS_CHANNEL, everything), Route(OTHER_CHANNEL, everything), narrow, wide))
    running.messenger.gone = {NEWS_CHANNEL, OTHER_CHANNEL}
    await tell(running, Notice(NEWS_CHANNEL, "Link down", tone=Tone.ALARM))
    await eventually(lambda: bool(running.messenger.told))
    (told,) = running.messenger.told
    assert (told.channel, told.tone) == (2004, Tone.ALARM)
    assert told.text.startswith("Link down\nMeant for channel 2001, where the bot can't post: mend")
    await running.all_told(cards=True)


async def test_news_of_the_desk_that_no_channel_takes_leave_the_outbox(running: Room) -> None:
    running.messenger.gone = {NEWS_CHANNEL}
    await tell(running, Notice(NEWS_CHANNEL, "Link down"))
    await running.all_told(cards=True)
    assert running.messenger.told == []


async def test_news_of_an_order_whose_card_tells_them_are_not_told_in_a_third_channel(running: Room) -> None:
    running.rule(routes=(Route(NEWS_CHANNEL, frozenset({"*"})), Route(OTHER_CHANNEL, frozenset({"filled"}))))
    running.messenger.gone = {NEWS_CHANNEL}
    ticket = await running.ticket()
    await running.cancel(ticket)
    await running.until(ticket, TicketState.CANCELLED)
    await running.all_told(cards=True)
    assert running.messenger.told == []


async def test_an_order_that_its_requester_can_not_be_told_of_is_told_the_team(running: Room) -> None:
    rejected = frozenset({"rejected"})
    running.rule(routes=(Route(OTHER_CHANNEL, rejected, ("Apex*",)), Route(NEWS_CHANNEL, rejected, ("Sim*",))))
    ticket = await running.ticket()
    running.messenger.unreachable = True
    await running.confirm(ticket)
    await eventually(lambda: bool(texts(running)))
    (text,) = texts(running)
    assert text.startswith("Accepted")
    assert "order “order1”" in text
    assert text.endswith("Neither the channel where this was asked nor its requester's direct messages can be reached.")
    running.broker.change("order1", OrderState.FILLED, 1)
    await eventually(lambda: running.messenger.unreached[-1].filled == 1)
    await running.all_told(cards=True)
    assert len(texts(running)) == 1, "its fills are in the journal"
    assert texts(running, OTHER_CHANNEL) == [], "that one reads of other accounts"


async def test_what_a_channel_of_the_teams_reads_anyway_it_does_not_read_twice(running: Room) -> None:
    ticket = await running.ticket()
    running.messenger.unreachable = True
    await running.cancel(ticket)
    await eventually(lambda: bool(texts(running)))
    await running.all_told(cards=True)
    assert [text.splitlines()[0] for text in texts(running)] == ["Cancelled"]


async def test_only_news_that_may_have_been_told_before_are_looked_for(room: Room) -> None:
    """After a crash nobody knows whether the last word was taken; Discord itself forgets a message's id within minutes."""
    before, notice = room.clock(), Notice(NEWS_CHANNEL, "Halted")
    await tell(room, notice)
    room.clock.pass_by(600)
    await room.desk.start()
    await eventually(lambda: bool(texts(room)))
    assert room.messenger.sought == [("Halted", before)]
    room.clock.pass_by(1)
    await tell(room, replace(notice, text="first try"))
    await eventually(lambda: "first try" in texts(room))
    assert len(room.messenger.sought) == 1
    room.messenger.failures.append(DeliveryDelayed("503"))
    again = room.clock()
    await tell(room, replace(notice, text="second try"))
    await eventually(lambda: not room.messenger.failures)
    await eventually(lambda: "second try" in texts(room))
    assert room.messenger.sought[1:] == [("second try", again)]
