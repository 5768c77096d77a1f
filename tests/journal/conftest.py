"""Journals to test with: each test that asks for ``url`` runs on every database that is there."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from tests.journals import new_journal

from .making import sqlite_url

SERVER = "postgresql+asyncpg://postgres@127.0.0.1:5432"


async def on_server(database: str, *statements: str) -> None:
    """Run statements on the PostgreSQL server, each on its own."""
    engine = create_async_engine(f"{SERVER}/{database}", isolation_level="AUTOCOMMIT", connect_args={"timeout": 3})
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def new_database(kind: str) -> str:
    """Make a database of one's own. Where no server is the test is skipped, but not in CI, which must have one."""
    name = f"{kind}_{uuid4().hex}"
    try:
        await on_server("test", f"CREATE DATABASE {name}")
    except (OSError, SQLAlchemyError) as error:
        why = f"no PostgreSQL at 127.0.0.1:5432 with user postgres and database test ({type(error).__name__})"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return name


@pytest.fixture(scope="session")
def server_database() -> Iterator[str]:
    """A PostgreSQL database of this run's own."""
    name = asyncio.run(new_database("journal"))
    yield name
    asyncio.run(on_server("test", f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def server(server_database: str) -> str:
    """The address of that database, empty."""
    await on_server(server_database, "SET synchronous_commit = off", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return f"{SERVER}/{server_database}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where an SQLite journal may lie."""
    return tmp_path / "desk.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: Path) -> str:
    """The address of an empty database."""
    if request.param == "postgresql":
        address = request.getfixturevalue("server")
        assert isinstance(address, str)
        return address
    return sqlite_url(file)


@pytest.fixture
async def journal(url: str, file: Path) -> AsyncIterator[SqlJournal]:
    """A journal on each database; how one is made is seen elsewhere."""
    if url == sqlite_url(file):
        new_journal(file.parent)
    async with opened(url) as journal:
        yield journal
