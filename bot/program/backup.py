"""``python -m bot backup``: copy the journal while the bot runs, and say what was copied."""

import sys
from pathlib import Path

from bot.journal.copying import OLDER, copied
from bot.journal.heads import heads_file, kept_heads
from bot.settings import load_database_url
from bot.timings import USUAL, JournalTimings

GOOD, FAILED = 0, 1
OF_AN_OLDER = "an older version of the bot has written it, whose log this one doesn't read."


async def backup(file: Path, timings: JournalTimings = USUAL.journal) -> int:
    """Copy the journal at ``DATABASE_URL`` to a new file; returns the exit code, 1 where the log in it was changed by somebody.

    Raises:
        SettingsError: a setting, or the file, can't be used.
        JournalError: the journal or its heads can't be read, or the copy can't be read back.
    """
    url = load_database_url()
    # Before the journal, which may grow meanwhile.
    kept = kept_heads(heads_file(url))
    found = await copied(url, file, [each.head for each in kept], timings)
    if found is OLDER:
        sys.stdout.write(
            f"{file}: copied and read back; an older version of the bot has written it, whose log this one doesn't read.\n"
        )
        return GOOD
    if found.wrong:
        sys.stderr.write(f"{file} is the journal as it stands, but {found.wrong}.\n")
        return FAILED
    head = found.last.head
    sys.stdout.write(f"{file}: {head.seq} rows, read back and unbroken; head {head.seq} {head.digest}.\n")
    return GOOD
