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


def migrate(connection: Connection) -> None:
    """Run what is missing, inside the caller's transaction.

    Raises:
        JournalError: a newer version of the bot has written it.
    """
    config = Config()
    # Alembic reads its settings through configparser, where a percent sign means something.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_heads()
    if set(present) == set(scripts.get_heads()):
        return
    try:
        scripts.get_revisions(present)
    except CommandError as error:
        raise JournalError(_NEWER) from error
    command.upgrade(config, "head")
