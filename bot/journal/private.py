"""Files of the journal that nobody but its owner may read: accounts, sizes and names stand in them."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

OWNER_ONLY = 0o600
# SQLite gives what it puts beside the file the mode of the file.
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock", ".heads")


def make_private(journal: Path) -> None:
    """Make a journal's file, if there is none yet, and let no others read it and what stands beside it.

    Raises:
        OSError: it can't be made.
    """
    if sys.platform == "win32":
        return
    os.close(os.open(journal, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
    for ending in _BESIDE:
        close_to_others(journal.with_name(journal.name + ending))


def close_to_others(file: Path) -> None:
    """Let nobody but its owner read or write a file; one that is another user's stays as it is."""
    with suppress(OSError):
        if stat.S_IMODE(file.stat().st_mode) & ~OWNER_ONLY:
            file.chmod(OWNER_ONLY)


def private_opener(path: str, flags: int) -> int:
    """The opener for ``open`` by which a file that is made is private from the start."""
    return os.open(path, flags, OWNER_ONLY)
