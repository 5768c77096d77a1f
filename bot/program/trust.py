"""Trust in the journal: whether it has all that was stored. A restored copy, or a server that took over too early, has not."""

import asyncio
import logging
from pathlib import Path

from bot.desk.tracking.doubts import JournalTrust
from bot.errors import JournalError
from bot.journal.heads import kept_heads
from bot.journal.standby import Standby
from bot.journal.store import SqlJournal

log = logging.getLogger(__name__)


async def trust_in(journal: SqlJournal, kept: Path, stood_by: Standby | None) -> JournalTrust:
    """Trust in the journal where it says that a ticket was never sent.

    It has lost what it was seen to have: rows whose head was kept beside it, or the last beats of the one that led.
    """
    try:
        heads = await asyncio.to_thread(kept_heads, kept)
    except JournalError as error:
        log.warning("%s", error)
        heads = []
    lost_rows = bool(heads) and heads[-1].head.seq > (await journal.head()).seq
    lost_beats = journal.lease is not None and stood_by is not None and stood_by.has_seen_more(journal.lease.before_beat)
    if lost_rows or lost_beats:
        log.error("the journal lacks what was stored last, as after a restored copy or a server that took over too early")
        return JournalTrust.NONE
    # Whether a server has lost nothing, nobody can see who has not watched it.
    return JournalTrust.FULL if journal.lease is None else JournalTrust.LOOKS
