"""A copy of the journal by SQLite's own means, beside a bot that runs: as it stands at one moment, read back, and private."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from bot.errors import JournalError, SettingsError
from bot.journal.auditing import audited, audited_file, verified
from bot.journal.chain import Head
from bot.journal.export import Finding
from bot.journal.faults import SETTING
from bot.journal.heads import heads_file
from bot.journal.opening import SQLITE, journal_file, read_address
from bot.journal.private import OWNER_ONLY
from bot.timings import JournalTimings

FILE = "FILE"
ON_A_SERVER = "a journal on PostgreSQL is copied by the server's own means, such as pg_dump --format custom --file {file}."
# Of a journal of an older version, whose log this one doesn't read.
OLDER = Finding()
_SOUND = "ok"


async def copied(url: str, file: Path, marks: Iterable[Head], timings: JournalTimings) -> Finding:
    """Copy the journal to a new file, and its heads to ``.heads`` beside that; gives what the copy's log says, or ``OLDER``.

    Args:
        url: the journal's address.
        file: where to. Nothing may be there yet; nothing stays there that isn't whole.
        marks: heads that were kept before.
        timings: how long another program's lock is waited for.

    Raises:
        SettingsError: the address or the file can't be used.
        JournalError: the journal can't be read, a newer version of the bot has written it, or the copy can't be read back.
    """
    address = read_address(url)
    if address.drivername != SQLITE:
        raise SettingsError(SETTING, ON_A_SERVER.format(file=file))
    look = partial(verified, marks=tuple(marks))
    # That there is a journal, and of no newer version, is known before a file is made.
    await audited(url, look, timings, OLDER)
    with _new(file) as part, _new(file.with_name(f"{file.name}.heads")) as heads:
        await asyncio.to_thread(_copy, journal_file(address.database or ""), part, timings.patience)
        if (kept := heads_file(url)).exists():
            shutil.copyfile(kept, heads)
        return await audited_file(part, look, timings, OLDER)


def _copy(journal: Path, part: Path, patience: float) -> None:
    """Copy the pages, those of the write-ahead log among them, and read the copy back to its last page.

    Raises:
        JournalError: a page can't be read or written, or isn't as SQLite wrote it.
    """
    try:
        with (
            closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True, timeout=patience)) as source,
            closing(sqlite3.connect(part, timeout=patience)) as copy,
        ):
            source.backup(copy)
            # One file holds all of it, however it is carried about.
            copy.execute("PRAGMA journal_mode=DELETE")
            [(found,)] = copy.execute("PRAGMA integrity_check(1)")
    except sqlite3.Error as error:
        raise JournalError(
            f"The journal can't be copied ({error}): mend its disk, or name a file where there is room."
        ) from error
    if found != _SOUND:
        raise JournalError(f"The journal's file is damaged ({found}): restore it from an earlier backup.")


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A private file to write to that bears its name once it is whole, and is taken away where it doesn't come to that."""
    part = file.with_name(f".{file.name}.part")
    if file.exists() or part.exists():
        raise SettingsError(FILE, f"{file if file.exists() else part} is there already; name a new file.")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY))
        yield part
        if part.stat().st_size:
            # Unlike a new name, a second one takes no other file's place.
            os.link(part, file)
    except FileExistsError:
        raise SettingsError(FILE, f"{file} is there already; name a new file.") from None
    except OSError as error:
        why = f"{file} can't be written ({error.strerror})"
        raise SettingsError(FILE, f"{why}; name one in a folder where you may write and there is room.") from error
    finally:
        part.unlink(missing_ok=True)
