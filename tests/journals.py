"""Journals to start with: one is made and migrated, and each test gets a copy, as making one takes longer than most tests."""

import asyncio
import atexit
import itertools
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path

from bot.journal.opening import opened

# In memory where the system has such a place: what a disk does is tested elsewhere.
_PLACES = Path("/dev/shm")  # noqa: S108 - only a folder of our own is made there
_numbers = itertools.count(1)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="crosstalk-", dir=_PLACES if _PLACES.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _made() -> Path:
    """An empty journal, brought up to date."""
    file = _folder() / "made.db"

    async def make() -> None:
        async with opened(_url(file)):
            pass

    # Tests run in loops of their own.
    thread = threading.Thread(target=lambda: asyncio.run(make()))
    thread.start()
    thread.join()
    return file


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def new_journal(folder: Path | None = None) -> str:
    """The address of a journal in which nothing is yet; in a folder it is called as the program calls it."""
    file = _folder() / f"{next(_numbers)}.db" if folder is None else folder / "desk.db"
    shutil.copyfile(_made(), file)
    return _url(file)
