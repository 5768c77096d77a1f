"""News that wait for Discord: coalescing, order, patience."""

from dataclasses import replace

from bot.desk.ports import Delivery, EventName, Notice, Tone
from bot.journal.store import SqlJournal
from bot.trading.orders.tickets import Ticket, TicketState, move

from .making import NOON, SECOND, claimed, event, stored

LATER = NOON + 3600 * SECOND


async def change(journal: SqlJournal, before: Ticket, seconds: int, *notices: Notice) -> Ticket:
    """One more change of a ticket that is under way."""
    after = claimed(before) if before.state is TicketState.OFFERED else move(before, before.state)
    assert await journal.advance(before, after, [event(EventName.WORKING, before.id, NOON + seconds * SECOND)], notices)
    return after


async def unknown(journal: SqlJournal, id_: str = "t1") -> Ticket:
    """A ticket that can be changed as often as one likes."""
    return await stored(journal, id_, state=TicketState.UNKNOWN)


async def the_card(journal: SqlJournal) -> Delivery:
    (card,) = await journal.due(LATER, 9)
    return card


async def test_an_offer_alone_is_no_news(journal: SqlJournal) -> None:
    await stored(journal)
    assert await journal.due(LATER, 9) == []


async def test_changes_of_one_ticket_become_one_row_that_is_as_old_as_the_first(journal: SqlJournal) -> None:
    standing = await unknown(journal)
    for seconds in (1, 2, 3):
        standing = await change(journal, standing, seconds)
    card = await the_card(journal)
    assert (card.ticket, card.notice, card.sequence, card.attempts) == ("t1", None, 3, 0)
    assert card.since == NOON + SECOND


async def test_a_delivered_row_is_gone_until_the_next_change(journal: SqlJournal) -> None:
    standing = await change(journal, await unknown(journal), 1)
    card = await the_card(journal)
    await journal.postpone(card, NOON + 2 * SECOND)
    await journal.delivered(card, NOON + 3 * SECOND)
    assert await journal.due(LATER, 9) == []

    await change(journal, standing, 10)
    again = await the_card(journal)
    assert (again.id, again.sequence, again.attempts, again.since) == (card.id, 2, 0, NOON + 10 * SECOND)
    assert await journal.due(NOON + 9 * SECOND, 9) == []


async def test_a_change_that_came_while_the_card_was_drawn_is_due_still(journal: SqlJournal) -> None:
    standing = await change(journal, await unknown(journal), 1)
    card = await the_card(journal)
    await journal.postpone(card, NOON + 2 * SECOND)
    await change(journal, standing, 4)
    await journal.delivered(card, NOON + 5 * SECOND)
    rest = await the_card(journal)
    assert (rest.id, rest.sequence, rest.attempts, rest.since) == (card.id, 2, 0, NOON + 4 * SECOND)
    await journal.delivered(rest, NOON + 6 * SECOND)
    assert await journal.due(LATER, 9) == []
    await journal.delivered(card, NOON + 7 * SECOND)
    assert await journal.due(LATER, 9) == [], "an old delivery brings nothing back"


async def test_a_row_that_was_put_off_counts_its_attempts_and_keeps_its_place(journal: SqlJournal) -> None:
    standing = await change(journal, await unknown(journal), 1)
    for attempt in (1, 2):
        await journal.postpone(await the_card(journal), NOON + 10 * attempt * SECOND)
    assert await journal.due(NOON + 19 * SECOND, 9) == []
    (card,) = await journal.due(NOON + 20 * SECOND, 9)
    assert (card.attempts, card.since) == (2, NOON + SECOND)

    await change(journal, standing, 5)
    assert await journal.due(NOON + 19 * SECOND, 9) == [], "Discord asked for patience"
    (card,) = await journal.due(NOON + 20 * SECOND, 9)
    assert (card.sequence, card.attempts, card.since) == (2, 2, NOON + SECOND)


async def test_a_delivered_row_cannot_be_put_off(journal: SqlJournal) -> None:
    await change(journal, await unknown(journal), 1)
    card = await the_card(journal)
    await journal.delivered(card, NOON)
    await journal.postpone(card, NOON)
    assert await journal.due(LATER, 9) == []


async def test_alarms_come_first_then_what_waits_longest_and_no_more_than_asked(journal: SqlJournal) -> None:
    routine, alarm = Notice(1, "routine"), Notice(1, "alarm", tone=Tone.ALARM)
    standing = await change(journal, await unknown(journal), 3, routine)
    await change(journal, standing, 5, alarm)
    await change(journal, await unknown(journal, "t2"), 1, replace(alarm, text="earlier alarm"), replace(routine, text="first"))
    texts = [row.notice.text if row.notice else f"card of {row.ticket}" for row in await journal.due(LATER, 99)]
    assert texts == ["earlier alarm", "alarm", "first", "card of t2", "routine", "card of t1"]
    assert [row.id for row in await journal.due(LATER, 2)] == [row.id for row in (await journal.due(LATER, 99))[:2]]


async def test_of_each_channel_and_each_card_the_most_urgent_row_comes_first_and_alone(journal: SqlJournal) -> None:
    standing = await change(journal, await unknown(journal), 1, *(Notice(1, f"fill {number}") for number in range(99)))
    await change(journal, standing, 2, Notice(2, "other"), Notice(1, "alarm", tone=Tone.ALARM))
    await change(journal, await unknown(journal, "t2"), 3, Notice(3, "third"))
    texts = [row.notice.text if row.notice else f"card of {row.ticket}" for row in await journal.foremost(LATER, 99)]
    assert texts == ["alarm", "card of t1", "other", "third", "card of t2"]
    assert [row.id for row in await journal.foremost(LATER, 2)] == [row.id for row in (await journal.foremost(LATER, 99))[:2]]


async def test_what_was_put_off_keeps_nothing_else_of_its_channel_back(journal: SqlJournal) -> None:
    await journal.record(event(EventName.HALTED, None), [Notice(1, "one"), Notice(1, "two")])
    (first,) = await journal.foremost(NOON, 9)
    await journal.postpone(first, LATER)
    (second,) = await journal.foremost(NOON, 9)
    assert [row.notice.text for row in (first, second) if row.notice] == ["one", "two"]


async def test_a_card_with_bad_news_is_an_alarm_until_it_was_shown(journal: SqlJournal) -> None:
    """A rejection waits behind nothing, whatever else has happened to its ticket before and since."""
    standing, name = await change(journal, await unknown(journal), 5), EventName.REJECTED
    routine = await change(journal, await unknown(journal, "t2"), 1)
    assert [row.ticket for row in await journal.due(LATER, 9)] == ["t2", "t1"]
    worse = move(standing, standing.state)
    assert await journal.advance(standing, worse, [event(name, "t1", NOON + 6 * SECOND)], tone=Tone.ALARM)
    await change(journal, worse, 7)
    assert [row.ticket for row in await journal.due(LATER, 9)] == ["t1", "t2"]
    for row in await journal.due(LATER, 9):
        await journal.delivered(row, NOON + 8 * SECOND)
    await change(journal, routine, 9)
    await change(journal, await the_ticket(journal, "t1"), 10)
    assert [row.ticket for row in await journal.due(LATER, 9)] == ["t2", "t1"], "its alarm is over"


async def the_ticket(journal: SqlJournal, id_: str) -> Ticket:
    """A ticket as stored."""
    found = await journal.ticket(id_)
    assert found is not None
    return found


async def test_what_is_due_is_read_by_the_clock_of_the_asker(journal: SqlJournal) -> None:
    await change(journal, await unknown(journal), 7, Notice(1, "news"))
    assert await journal.due(NOON + 7 * SECOND - SECOND / 1_000_000, 9) == []
    assert len(await journal.due(NOON + 7 * SECOND, 9)) == 2


async def test_a_notice_is_told_once(journal: SqlJournal) -> None:
    await journal.record(event(EventName.HALTED, None), [Notice(1, "one"), Notice(2, "two")])
    first, second = await journal.due(NOON, 9)
    await journal.delivered(first, NOON)
    assert await journal.due(LATER, 9) == [second]
