"""Bring a database to the tables of this version: each change and the record of it in one transaction.

Whether there is anything to change is found out without Alembic, as loading that takes a tenth of the start.
"""

from sqlalchemy import Connection, inspect, text

from bot.errors import JournalError

NEWEST = "0011"
"""The last of the changes in ``migrations``; a test compares the two."""

_TABLE = "alembic_version"
_REVISIONS = text(f"SELECT version_num FROM {_TABLE}")  # noqa: S608  nothing foreign is in it
_NEWER = "The journal was written by a newer version of the bot: start that version, or restore a backup made by this one."

_OLDER = (
    "The journal was written by an older version of the bot: run this version once, which brings it up to date, and try again."
)
_NONE = "There is no journal in that database yet: run the bot once, or give the DATABASE_URL that it runs with."


def migrate(connection: Connection) -> None:
    """Run what is missing, inside the caller's transaction.

    Raises:
        JournalError: a newer version of the bot has written it.
    """
    if _is_behind(_present(connection)):
        from bot.journal.upgrade import upgrade  # noqa: PLC0415 - brings Alembic along

        upgrade(connection)


def demand_current(connection: Connection) -> None:
    """Change nothing, and make sure that there is nothing to change.

    Raises:
        JournalError: there is no journal, or another version of the bot has written it.
    """
    present = _present(connection)
    if not present:
        raise JournalError(_NONE)
    if _is_behind(present):
        raise JournalError(_OLDER)


def is_older(connection: Connection) -> bool:
    """Tell whether an older version of the bot has written it; raises ``JournalError`` of a newer one's."""
    present = _present(connection)
    return bool(present) and _is_behind(present)


def _present(connection: Connection) -> frozenset[str]:
    """The revisions that the database says it has, as Alembic keeps them."""
    if not inspect(connection).has_table(_TABLE):
        return frozenset()
    return frozenset(connection.scalars(_REVISIONS))


def _is_behind(present: frozenset[str]) -> bool:
    if present == {NEWEST}:
        return False
    from bot.journal.upgrade import are_known  # noqa: PLC0415 - brings Alembic along

    if not are_known(present):
        raise JournalError(_NEWER)
    return True
