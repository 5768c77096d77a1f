"""Journals to start with: one is made and migrated, and each test gets a copy, as making one takes longer than most tests."""

import asyncio
import atexit
import itertools
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from bot.journal.opening import opened

# In memory where the system has such a place: what a disk does is tested elsewhere.
_PLACES = Path("/dev/shm")  # noqa: S108 - only a folder of our own is made there
_numbers = itertools.count(1)


class Sqlite(SQLiteDialect_pysqlite):
    """SQLite, whose journals share what is compiled: the same few statements, which a bot compiles once and a test each time."""

    supports_statement_cache = True
    _compiled: ClassVar[dict[Any, Any]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sqlite)

    def __hash__(self) -> int:
        return hash(Sqlite)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Let it take what others have compiled."""
        engine.update_execution_options(compiled_cache=cls._compiled)


registry.register("sqlite", __name__, Sqlite.__name__)


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


def new_place() -> Path:
    """Where a journal may lie that isn't made yet."""
    return _folder() / f"{next(_numbers)}.db"
