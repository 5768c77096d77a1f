"""The changes in ``migrations``, run by Alembic. Loaded only where a database is not as this version of the bot would have it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

FOLDER = Path(__file__).with_name("migrations")


def upgrade(connection: Connection) -> None:
    """Run what is missing, inside the caller's transaction."""
    config = Config()
    # Alembic reads its settings through configparser, where a percent sign means something.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def are_known(revisions: frozenset[str]) -> bool:
    """Tell whether this version of the bot has those changes; a newer one may have others."""
    try:
        ScriptDirectory(FOLDER).get_revisions(tuple(revisions))
    except CommandError:
        return False
    return True
