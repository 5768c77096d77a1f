"""Upgrades and the way back, by the very commands of docs/operations.md, on a journal that an older version has written."""

import asyncio
import os
import re
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from pathlib import Path

from bot.journal.migrate import NEWEST
from tests.journal.making import sqlite_url
from tests.journal.upgrade.keeping import KEPT, read, restore
from tests.process.conftest import ROOT, Street

PAGE = ROOT / "docs" / "operations.md"
OLD = "0008"


def commands(mark: str) -> list[str]:
    """The lines of the block behind a mark."""
    text = PAGE.read_text(encoding="utf-8")
    [block] = re.findall(rf"<!-- {mark} -->\n *```sh\n(.*?)```", text, re.DOTALL)
    return [line.strip() for line in block.splitlines() if line.strip()]


def revision(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


async def shell(street: Street, line: str) -> str:
    """Run a line as a person would; what it said."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**street.environment(), "PATH": path}
    process = await asyncio.create_subprocess_shell(line, cwd=street.folder, env=environment, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b""), f"{line}: {err.decode()}{out.decode()}"
    return out.decode()


async def test_an_upgrade_and_the_way_back_go_as_the_page_says(street: Street) -> None:
    journal = street.folder / "desk.db"
    await restore(sqlite_url(journal), read(KEPT / OLD / "place.json"))
    backup, check, run = commands("upgrade")
    assert "an older version of the bot has written it" in await shell(street, backup)
    assert revision(journal) == revision(street.folder / "before.db") == OLD
    assert "journal: good" in await shell(street, check)
    assert revision(journal) == NEWEST
    assert run == "python -m bot run"
    await street.start()
    card = await street.ask()
    await street.discord.click("trader", card.id, label="Confirm")
    await street.card("accepted")
    assert await street.stop() == 0
    for line in commands("way back"):
        await shell(street, line)
    # As the old version left it; here the new one takes it, too.
    assert revision(journal) == OLD
    assert revision(street.folder / "changed" / "desk.db") == NEWEST
