"""``python -m bot audit`` beside a bot that works, as a person runs it."""

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from pathlib import Path

from bot.journal.heads import kept_heads
from bot.sandbox.discord.world import FILLS
from tests.process.conftest import ROOT, Street


async def audit(folder: Path, *arguments: object) -> tuple[int, str, str]:
    """The command's exit code and what it wrote; it needs no token."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "audit", *map(str, arguments)),
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return process.returncode, out.decode(), err.decode()


async def test_a_running_bot_is_audited_and_leaves_its_heads_beside_the_journal_and_in_the_channel(street: Street) -> None:
    await street.start()
    card = await street.ask()
    await street.discord.click("trader", card.id, label="Confirm")
    await street.card("Filled", FILLS)
    code, out, err = await audit(street.folder, "verify")
    assert (code, err) == (0, "")
    assert " rows, unbroken; head " in out
    copying = await street.launch("backup", "copy.db")
    said, _ = await copying.communicate()
    assert (copying.returncode, b" rows, read back and unbroken; head " in said) == (0, True)
    code, exported, err = await audit(street.folder, "export", "--format", "csv")
    assert (code, err) == (0, "")
    assert '"sending"' in exported
    assert "secret" not in exported
    # The first head is kept as soon as the bot runs, the last ones when it stops.
    assert await street.stop() == 0
    heads = kept_heads(street.folder / "desk.db.heads")
    assert len(heads) == 3
    posted = [message.text for message in street.discord.messages(FILLS) if "Audit head" in message.text]
    assert len(posted) == 1
    assert f"row {heads[1].head.seq} `{heads[1].head.digest}`" in posted[0]
    code, out, _ = await audit(street.folder, "verify")
    assert code == 0
    assert out.startswith(f"{heads[-1].head.seq} rows, unbroken; head {heads[-1].head.seq} {heads[-1].head.digest} (2")
    assert out.endswith("Z); 3 kept heads fit\n")
    with closing(sqlite3.connect(street.folder / "desk.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER events_no_UPDATE")
        connection.execute("UPDATE events SET actor = actor + 1 WHERE seq = 3")
    assert (await audit(street.folder, "verify"))[:2] == (1, "row 3 was changed\n")
