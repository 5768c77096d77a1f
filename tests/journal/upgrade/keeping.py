"""A journal's rows as text that Git stores well, and back into a database of the revision that wrote them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from bot.journal.upgrade import FOLDER

KEPT = Path(__file__).with_name("kept")
_VERSION = "alembic_version"

Rows = dict[str, list[list[Any]]]


def rows_of(file: Path) -> tuple[str, Rows]:
    """The revision of an SQLite journal, and the rows of each table behind a first one that names its columns."""
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        found: Rows = {}
        for name in names:
            if name == _VERSION or name.startswith("sqlite_"):
                continue
            read = connection.execute(f"SELECT * FROM {name} ORDER BY rowid")  # noqa: S608  its own tables
            if rows := [list(row) for row in read.fetchall()]:
                found[name] = [[column[0] for column in read.description], *rows]
        [revision] = connection.execute(f"SELECT version_num FROM {_VERSION}").fetchone()  # noqa: S608  as above
        return str(revision), found


def write(file: Path, kept: dict[str, Any]) -> None:
    """Write what is kept, a line for each row and for each ticket's meaning."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ["{", *_fields(kept, 1), "}"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _fields(values: dict[str, Any], depth: int) -> list[str]:
    made: list[str] = []
    for name, value in values.items():
        pad, head = " " * depth, json.dumps(name)
        if depth < 3 and isinstance(value, dict):
            made += [f"{pad}{head}: {{", *_fields(value, depth + 1), f"{pad}}},"]
        elif depth < 3 and isinstance(value, list):
            items = [f"{pad} {json.dumps(item)}," for item in value]
            made += [f"{pad}{head}: [", *_without_comma(items), f"{pad}],"]
        else:
            made.append(f"{pad}{head}: {json.dumps(value)},")
    return _without_comma(made)


def _without_comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1].removesuffix(",")] if lines else lines


def read(file: Path) -> dict[str, Any]:
    """What is kept in a file."""
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return kept


async def restore(url: str, kept: dict[str, Any]) -> None:
    """Make the journal of that version in an empty database: its tables, as the changes up to then make them, and its rows."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        with sa.create_engine(address.set(drivername="sqlite")).begin() as connection:
            _restore(connection, kept)
        return
    engine = create_async_engine(address)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_restore, kept)
    finally:
        await engine.dispose()


def _restore(connection: Connection, kept: dict[str, Any]) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, kept["revision"])
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in reversed(tables.sorted_tables):
        # A log takes no deletion, and there is nothing in it yet.
        if table.name not in {_VERSION, "events"}:
            connection.execute(table.delete())
    for table in tables.sorted_tables:
        columns, *rows = kept["rows"].get(table.name, [[]])
        if rows:
            connection.execute(table.insert(), [dict(zip(columns, row, strict=True)) for row in rows])
    if connection.dialect.name == "postgresql":
        for name, column in (("events", "seq"), ("outbox", "id")):
            ask = (
                f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), coalesce(max({column}), 0) + 1, false) FROM {name}"  # noqa: S608  names of our own
            )
            connection.execute(sa.text(ask))
