"""One owner for one journal: a lock that the system gives back when its holder dies, however it dies."""

from pathlib import Path
from zlib import crc32

import portalocker
from portalocker.exceptions import AlreadyLocked, LockException
from sqlalchemy import Connection, bindparam, func, select, text

from bot.errors import JournalLocked
from bot.journal.faults import journal_error
from bot.journal.private import close_to_others

_LOCKED = "Another process is working with this journal: stop it first, or give this one a DATABASE_URL of its own."
# Any number will do that no other program takes on the same server.
_NUMBER = crc32(b"crosstalk journal") >> 1
# One lock for each schema.
_TRY = select(func.pg_try_advisory_lock(_NUMBER, func.hashtext(func.coalesce(func.current_schema(), ""))))
_HELD = f"""
    FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = {_NUMBER}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND objid::bigint = hashtext(coalesce(current_schema(), ''))::bigint & 4294967295
"""  # noqa: S608  nothing foreign is in it
_WHO = text(f"SELECT pid {_HELD}")
_END = text(f"SELECT pg_terminate_backend(pid) {_HELD} AND pid = :holder").bindparams(bindparam("holder"))


class FileLock:
    """A lock on a file beside the journal. The file itself stays for good: removing it would let two owners in."""

    def __init__(self, journal: Path) -> None:
        self._file = journal.with_name(f"{journal.name}.lock")
        self._lock = portalocker.Lock(
            self._file,
            timeout=0,
            fail_when_locked=True,
            flags=portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING,
        )

    def take(self) -> None:
        """Take it, or raise ``JournalLocked`` at once; ``JournalError`` where no file can be made."""
        try:
            self._lock.acquire()
            close_to_others(self._file)
        except AlreadyLocked as error:
            raise JournalLocked(_LOCKED) from error
        except (OSError, LockException) as error:
            raise journal_error(error) from error

    def release(self) -> None:
        """Give it back."""
        self._lock.release()


def take(connection: Connection) -> bool:
    """Try to take PostgreSQL's advisory lock for this connection's life.

    It is held by the very connection that writes, so that a process which lost the lock can't write either.
    """
    return bool(connection.scalar(_TRY))


def holder(connection: Connection) -> int | None:
    """The server's process that holds the lock for its client, or ``None`` when nobody does."""
    pid: int | None = connection.scalar(_WHO)
    return pid


def end(connection: Connection, pid: int) -> None:
    """End the connection that holds the lock, if that is still this one; its transaction is undone and the lock is free then."""
    connection.execute(_END, {"holder": pid})
