"""Answers of the journal that stand until somebody commits something, whoever it is."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bot.journal.links import T, Work
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.trading.orders.tickets import TicketState

from .making import NOON, claimed, event, sqlite_url, stored


class _Counted:
    """The link that reads, counting what is asked of it."""

    def __init__(self, journal: SqlJournal) -> None:
        self.count = 0
        run = journal._reads.run

        async def counted(work: Work[T]) -> T:
            self.count += 1
            return await run(work)

        journal._reads.run = counted  # type: ignore[method-assign]


async def test_what_stands_is_not_read_again_and_what_was_committed_is(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "desk.db")) as journal:
        offer = await stored(journal)
        # The link connects at the first question.
        await journal.live()
        first = await journal.live(), await journal.recent(NOON), await journal.ticket(offer.id)
        reads = _Counted(journal)
        # A window that begins later is within the one that was read.
        again = await journal.live(), await journal.recent(NOON + timedelta(minutes=1)), await journal.ticket(offer.id)
        assert (again, reads.count) == (first, 0)
        assert await journal.advance(offer, taken := claimed(offer), [event()])
        assert (await journal.ticket(offer.id), await journal.live()) == (taken, [taken])
        assert reads.count > 0


async def test_a_window_that_reaches_further_back_is_read(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "desk.db")) as journal:
        await stored(journal, state=TicketState.REJECTED, sent_at=NOON)
        assert await journal.recent(NOON + timedelta(hours=1)) == []
        assert len(await journal.recent(NOON)) == 1
        assert await journal.recent(NOON + timedelta(hours=1)) == []


async def test_what_another_program_commits_is_seen_at_the_next_question(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    async with opened(sqlite_url(file)) as journal:
        offer = await stored(journal)
        assert await journal.live() == [offer]
        with closing(sqlite3.connect(file)) as other:
            other.execute("UPDATE tickets SET state = 'expired', version = version + 1")
            other.commit()
        assert await journal.live() == []
        found = await journal.ticket(offer.id)
        assert found is not None
        assert found.state is TicketState.EXPIRED
