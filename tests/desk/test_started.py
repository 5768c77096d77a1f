"""What a start finds is told where it was asked, at least once, and not a word where there is nothing to tell."""

from dataclasses import replace

from bot.desk.desk import Desk
from bot.desk.ports import Notice
from bot.desk.requests import ReverseRequest
from bot.errors import DeliveryDelayed
from bot.trading.orders.tickets import Origin, Ticket, TicketState
from bot.trading.risk.policy import Route
from tests.desk.conftest import ASK, HERE, NEWS_CHANNEL, TRADER, Room
from tests.desk.fakes import ES, eventually

ELSEWHERE = Origin(10, 21)
STARTED = "The bot has started"
EXPIRED = "1 ticket expired by the restart: nothing was sent, ask again with the command"
UNKNOWN = "outcomes unknown: the bot looks for the order, and nothing is sent again"


async def starts(room: Room) -> Desk:
    """A further run over the same journal; it ends with the test's own."""
    desk = room.again()
    room.desk, before = desk, room.desk
    await before._outbox.close()
    await desk.start()
    return desk


def told(room: Room) -> dict[int, list[str]]:
    """What each channel was told of starts."""
    starts = [notice for notice in room.messenger.told if notice.text.startswith(STARTED)]
    return {one.channel: [each.text for each in starts if each.channel == one.channel] for one in starts}


async def open_in(room: Room, place: Origin, request: ReverseRequest = ASK) -> Ticket:
    """A card that nobody has pressed."""
    made = await room.desk.offer(TRADER, place, request)
    assert isinstance(made, Ticket)
    await room.desk.posted(made.id, place.channel, 7000)
    return made


async def deliver(room: Room) -> None:
    """Deliver all that is due."""
    await room.desk._outbox.flush(5.0)


async def test_each_channel_reads_what_was_left_of_its_own_and_the_route_all_of_it(room: Room) -> None:
    await open_in(room, ELSEWHERE)
    first = await open_in(room, HERE)
    sending = replace(first, state=TicketState.SENDING, version=2, sent_at=room.clock(), message=7000)
    assert await room.journal.advance(first, sending, (), show=False)
    await unknown_row(room)
    await starts(room)
    await eventually(lambda: len(told(room)) == 3)
    # The unknown one's card and its notice had not been delivered.
    here, away, news = told(room)[HERE.channel], told(room)[ELSEWHERE.channel], told(room)[NEWS_CHANNEL]
    assert here == [f"{STARTED}\n2 {UNKNOWN}\n1 piece of news told late"]
    assert away == [f"{STARTED}\n{EXPIRED}"]
    assert news == [f"{STARTED}\n{EXPIRED}\n2 {UNKNOWN}\n2 pieces of news told late"]


async def unknown_row(room: Room) -> None:
    """An unknown ticket of the last run whose news nobody has read yet: its card, and a notice."""
    room.broker.book_positions["Sim102", ES] = -2
    ticket = await open_in(room, HERE, replace(ASK, account="Sim102"))
    lost = replace(ticket, state=TicketState.UNKNOWN, version=2, sent_at=room.clock(), message=7000)
    assert await room.journal.advance(ticket, lost, (), (Notice(NEWS_CHANNEL, "unknown"),))


async def test_news_that_were_put_off_count_as_told_late(room: Room) -> None:
    ticket = await room.ticket()
    await room.cancel(ticket)
    room.messenger.failures += [DeliveryDelayed("503", 3600)] * 2
    await room.desk._outbox.deliver_due()
    await eventually(lambda: not room.messenger.failures)
    room.rule(routes=())
    await starts(room)
    await eventually(lambda: len(told(room)) == 2)
    late = [f"{STARTED}\n1 piece of news told late"]
    assert told(room) == {HERE.channel: late, NEWS_CHANNEL: late}


async def test_after_a_clean_stop_the_desks_channels_read_nothing_and_the_route_does(room: Room) -> None:
    ticket = await room.ticket()
    await room.cancel(ticket)
    await deliver(room)
    room.rule(
        routes=(Route(NEWS_CHANNEL, frozenset({"started"}), silent=frozenset({"started"})), Route(2002, frozenset({"filled"})))
    )
    await starts(room)
    await eventually(lambda: bool(told(room)))
    await deliver(room)
    assert told(room) == {NEWS_CHANNEL: [f"{STARTED}\nNothing was left open."]}
    assert room.messenger.told[-1].silent


async def test_without_such_a_route_a_clean_start_says_nothing(room: Room) -> None:
    room.rule(routes=())
    await starts(room)
    await deliver(room)
    assert room.messenger.told == []


async def test_it_waits_for_the_bot_to_log_in(room: Room) -> None:
    await open_in(room, HERE)
    room.messenger.attached = False
    await starts(room)
    assert told(room) == {}
    room.messenger.attached = True
    await eventually(lambda: HERE.channel in told(room))


async def test_a_card_that_nobody_had_posted_yet_is_not_late(room: Room) -> None:
    """Its row waits for the command that shows it; it is told as expired."""
    made = await room.desk.offer(TRADER, HERE, ASK)
    assert isinstance(made, Ticket)
    again = replace(made, version=2, revision=2)
    assert await room.journal.advance(made, again, ())
    await starts(room)
    await eventually(lambda: HERE.channel in told(room))
    assert told(room)[HERE.channel] == [f"{STARTED}\n{EXPIRED}"]
