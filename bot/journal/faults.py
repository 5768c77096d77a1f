"""The one place where the errors of databases, drivers and disks become ours, each with a plain sentence."""

import socket
import ssl
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS

from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError

from bot.errors import JournalError, SettingsError

# OverflowError: SQLite's driver raises it bare for a number that no column can hold.
FOREIGN = (SQLAlchemyError, OSError, OverflowError)
SETTING = "DATABASE_URL"

_FULL = "The journal's disk is full: free some space."
_READ_ONLY = "The journal can't be written: its file, folder or disk is read-only."
_HELD = "The journal is held by another program: close whatever else has it open."
_DAMAGED = "The journal's file is damaged or not a journal: restore it from a backup."
_SHUT = "The journal's file can't be opened: see that its folder exists and that the bot may write there."
_DISK = "The journal's disk answers with errors: have it looked at."
_REFUSED = "The journal refused a record that contradicts what it holds."
_TABLES = "The journal's tables are not what this version of the bot expects: restore the file from a backup."
_NOT_OURS = "The journal's database doesn't let its user do that: all bots must use the one user that owns the tables."
_AWAY = "The journal's database can't be reached: see that its server runs."
_NO_HOST = (
    "The journal's database can't be reached: nobody knows a machine of that name; see that DATABASE_URL names it "
    "rightly (an @ in the password is written %40), and that this machine can look names up."
)
_FOREIGN_CERTIFICATE = (
    "this machine doesn't believe the server's certificate: name its authority by sslrootcert=FILE, or the server as its "
    "certificate does."
)
_TLS_FAILS = "the server's TLS can't be used: see that it and this machine speak a version in common, and its certificates."
_NO_TLS = "its server speaks no TLS: switch TLS on there, or take sslmode out if the network between is your own."

# Beginnings of SQLite's names (https://sqlite.org/rescode.html) and of PostgreSQL's codes (its manual, appendix A).
_SENTENCES = {
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_BUSY": _HELD,
    "SQLITE_LOCKED": _HELD,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CANTOPEN": _SHUT,
    "SQLITE_IOERR": _DISK,
    "SQLITE_CONSTRAINT": _REFUSED,
    "SQLITE_ERROR": _TABLES,
    "53100": _FULL,
    "25006": _READ_ONLY,
    "55P03": _HELD,
    "40P01": _HELD,
    "XX": _DAMAGED,
    "23": _REFUSED,
    "42501": _NOT_OURS,
    "42": _TABLES,
    "08": _AWAY,
    "57": _AWAY,
}
# What only a change of the setting can mend.
_SETTINGS = {
    "28P": "the database refuses this user or password; write the right ones into it, an @ in the password as %40, a % as %25.",
    "28": (
        "the database refuses this user from here: see that the user exists there, and that pg_hba.conf lets it into that "
        "database from this machine, perhaps by TLS alone (sslmode=require)."
    ),
    "3D": "the server has no database of that name; make one or write the right name into it.",
}


def journal_error(error: BaseException) -> JournalError:
    """Say what has become of the journal. The foreign text stays out: it may show parts of the address."""
    cause = _cause(error)
    code = _code(cause)
    for beginning, sentence in _SENTENCES.items():
        if code.startswith(beginning):
            return JournalError(sentence)
    if isinstance(error, InterfaceError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return JournalError(_AWAY)
    if isinstance(cause, OSError):
        return JournalError(_of_system(cause))
    return JournalError(f"The journal failed ({code or type(cause).__name__}): see the log.")


def setting_error(error: JournalError) -> SettingsError | None:
    """The same as a wrong setting, if it is one."""
    cause = None if error.__cause__ is None else _cause(error.__cause__)
    if (mend := None if cause is None else _tls(cause)) is not None:
        return SettingsError(SETTING, mend)
    code = "" if cause is None else _code(cause)
    return next((SettingsError(SETTING, mend) for beginning, mend in _SETTINGS.items() if code.startswith(beginning)), None)


def is_away(error: JournalError) -> bool:
    """Tell whether the database's server just can't be reached."""
    return str(error) in {_AWAY, _NO_HOST}


def is_held(error: BaseException) -> bool:
    """Tell whether another program only holds the file for the moment."""
    return _code(_cause(error)).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _cause(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _code(cause: BaseException) -> str:
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""


def _tls(cause: BaseException) -> str | None:
    """The fault with TLS in plain words, if it is that."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _FOREIGN_CERTIFICATE
    if isinstance(cause, ssl.SSLError):
        return _TLS_FAILS
    # asyncpg 0.30 tells so by these words alone.
    return _NO_TLS if isinstance(cause, ConnectionError) and "rejected SSL upgrade" in str(cause) else None


def _of_system(cause: OSError) -> str:
    if isinstance(cause, socket.gaierror):
        return _NO_HOST
    if (wrong := _tls(cause)) is not None:
        return f"The journal's database can't be used: {wrong}"
    if cause.errno in {ENOSPC, EDQUOT}:
        return _FULL
    if cause.errno in {EACCES, EPERM, EROFS}:
        return _READ_ONLY
    # Only what went wrong with a file has its name.
    return _AWAY if cause.filename is None else _SHUT
