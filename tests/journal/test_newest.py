"""A member's newest lines of the log."""

from bot.desk.ports import Event, EventName
from bot.journal.log import append
from bot.journal.store import LOOKS_BACK, SqlJournal

from .making import NOON, SECOND

ASKED = (EventName.OFFERED, EventName.DENIED)


async def write(journal: SqlJournal, *named: tuple[EventName, int | None]) -> None:
    """Lines, a second apart."""
    for number, (name, actor) in enumerate(named):
        await journal.record(Event(NOON + number * SECOND, name, f"t{number}", actor, {"number": number}))


async def test_a_members_own_lines_of_these_names_come_newest_first(journal: SqlJournal) -> None:
    denied, offered, sending = EventName.DENIED, EventName.OFFERED, EventName.SENDING
    await write(journal, (denied, 1), (offered, 1), (denied, 2), (sending, 1), (denied, None), (denied, 1))
    found = await journal.newest(1, ASKED, 10)
    assert [(event.name, event.ticket, event.data) for event in found] == [
        (denied, "t5", {"number": 5}),
        (offered, "t1", {"number": 1}),
        (denied, "t0", {"number": 0}),
    ]
    assert [event.ticket for event in await journal.newest(1, ASKED, 2)] == ["t5", "t1"]
    assert await journal.newest(3, ASKED, 10) == []
    assert await journal.newest(1, (), 10) == []


async def test_an_empty_log_has_none(journal: SqlJournal) -> None:
    assert await journal.newest(1, ASKED, 10) == []


async def test_lines_far_back_are_not_looked_through(journal: SqlJournal) -> None:
    await write(journal, (EventName.DENIED, 1))
    assert len(await journal.newest(1, ASKED, 10)) == 1
    await journal._writes.run(lambda connection: append(connection, [Event(NOON, EventName.SEEN)] * LOOKS_BACK))
    assert await journal.newest(1, ASKED, 10) == []
