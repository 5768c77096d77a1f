"""What a run before has left is put into the time of this one, and what is settled stays as it was."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.ports import EventName, Notice
from bot.journal.store import SqlJournal
from bot.trading.orders.progress import Progress, Step
from bot.trading.orders.tickets import TicketState, move, shifted

from .making import NOON, SECOND, claimed, event, stored

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_ticket_that_may_still_change_moves_with_the_clock(journal: SqlJournal, by: timedelta) -> None:
    offer = await stored(journal)
    sent = claimed(offer, progress=Progress((Step("close", NOON + SECOND),)))
    assert await journal.advance(offer, sent, [event(EventName.SENDING)])
    other = await stored(journal, "t2")
    over = move(other, TicketState.CANCELLED, ended_at=NOON + SECOND)
    assert await journal.advance(other, over, [event(EventName.CANCELLED, "t2")])
    await journal.rebase(by, NOON + 2 * HOUR)
    assert await journal.ticket("t1") == shifted(sent, by)
    assert await journal.ticket("t2") == over


async def test_nothing_that_has_been_lies_ahead_afterwards(journal: SqlJournal) -> None:
    """The host's clock may have been set back while nothing ran."""
    offer = await stored(journal)
    assert await journal.advance(offer, claimed(offer), [event(EventName.SENDING)], [Notice(30, "sent")])
    now = NOON - HOUR
    await journal.rebase(timedelta(0), now)
    found = await journal.ticket("t1")
    assert found is not None
    assert (found.sent_at, found.created_at) == (now, now - SECOND)
    assert found == shifted(replace(claimed(offer)), now - NOON - SECOND)
    assert {row.since for row in await journal.due(now, 9)} == {now}
