"""The file of heads beside the journal: one line for each head that was told, only ever written behind the last one.

It is no part of the database, so whoever writes the log anew has to find and change it too. What is posted to people is not here.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import JournalError
from bot.journal.chain import Head
from bot.journal.opening import SQLITE, journal_file, read_address
from bot.journal.private import close_to_others, private_opener

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\d{1,18}) ([0-9a-f]{64})")
_TIME = "%Y-%m-%dT%H:%M:%S"
ON_SERVER = Path("crosstalk.heads")


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A head and when it was kept."""

    at: datetime
    head: Head

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).strftime(_TIME)}Z {self.head.seq} {self.head.digest}"


def heads_file(url: str) -> Path:
    """The file in which the heads of the journal at that address are kept.

    Raises:
        SettingsError: the address can't be used.
    """
    address = read_address(url)
    if address.drivername != SQLITE:
        return ON_SERVER.resolve()
    file = journal_file(address.database or "")
    return file.with_name(f"{file.name}.heads")


def kept_heads(file: Path) -> list[KeptHead]:
    """Every head in the file, oldest first; none where there is no file. A last line that was never finished doesn't count.

    Raises:
        JournalError: the file can't be read, or somebody has changed it.
    """
    try:
        *lines, _unfinished = file.read_bytes().decode("latin-1").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"{file} can't be read ({error.strerror}): mend the file or its rights.") from error
    return [_kept(file, number, line) for number, line in enumerate(lines, start=1)]


def _kept(file: Path, number: int, line: str) -> KeptHead:
    kept = None
    if (parts := _LINE.fullmatch(line)) is not None:
        at, seq, digest = parts.groups()
        with suppress(ValueError):
            kept = KeptHead(datetime.strptime(at, f"{_TIME}%z"), Head(int(seq), digest))
    if kept is None or str(kept) != line:
        raise JournalError(f"{file}: line {number} was changed, so that the heads in it prove nothing; restore it from a backup.")
    return kept


def keep_head(file: Path, kept: KeptHead) -> None:
    """Put a head behind those in the file; it is on disk when this returns.

    Raises:
        JournalError: it can't be written; the heads that were there are there still.
    """
    try:
        close_to_others(file)
        with open(file, "a+b", opener=private_opener) as opened:
            opened.seek(0)
            there = opened.read()
            # A line that a full disk or a crash has cut off is nobody's, and would spoil the one behind it.
            opened.truncate(there.rfind(b"\n") + 1)
            opened.write(f"{kept}\n".encode())
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise JournalError(f"{file} can't be written ({error.strerror}): mend the file, its folder or its rights.") from error
