"""Bring a database to the tables of this version: each change and the record of it in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from bot.errors import JournalError

FOLDER = Path(__file__).with_name("migrations")
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
    config = Config()
    # Alembic reads its settings through configparser, where a percent sign means something.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    if _is_behind(connection, ScriptDirectory.from_config(config)):
        command.upgrade(config, "head")


def demand_current(connection: Connection) -> None:
    """Change nothing, and make sure that there is nothing to change.

    Raises:
        JournalError: there is no journal, or another version of the bot has written it.
    """
    if not MigrationContext.configure(connection).get_current_heads():
        raise JournalError(_NONE)
    if _is_behind(connection, ScriptDirectory(FOLDER)):
        raise JournalError(_OLDER)


def _is_behind(connection: Connection, scripts: ScriptDirectory) -> bool:
    present = MigrationContext.configure(connection).get_current_heads()
    if set(present) == set(scripts.get_heads()):
        return False
    try:
        scripts.get_revisions(present)
    except CommandError as error:
        raise JournalError(_NEWER) from error
    return True
