"""``python -m bot audit``, as a person runs it: beside a bot that works, on a journal at rest, and on what was exported of it."""

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.desk.ports import Event, EventName
from bot.journal.heads import Kept, keep_head, kept_heads
from bot.journal.opening import opened
from bot.sandbox.discord.world import FILLS
from tests.process.conftest import ROOT, Street

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)


async def audit(folder: Path, *arguments: object, url: str | None = None) -> tuple[int, str, str]:
    """The command's exit code and what it wrote; it needs no token."""
    settings = {} if url is None else {"DATABASE_URL": url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "audit", *map(str, arguments)),
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(ROOT), **settings},
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder with a journal of five rows."""
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as journal:
        for row in range(5):
            await journal.record(Event(NOON, EventName.WORKING, f"T{row}", data={"row": row}))
    return tmp_path


def lay_hands_on(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        for trigger in ("events_no_UPDATE", "events_no_DELETE"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        connection.execute(statement)


async def test_a_running_bot_is_audited_and_leaves_its_heads_beside_the_journal_and_in_the_channel(street: Street) -> None:
    await street.start()
    card = await street.ask()
    await street.discord.click("trader", card.id, label="Confirm")
    await street.card("Filled", FILLS)
    code, out, err = await audit(street.folder, "verify")
    assert (code, err) == (0, "")
    assert " rows, unbroken; head " in out
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
    lay_hands_on(street.folder, "UPDATE events SET actor = actor + 1 WHERE seq = 3")
    assert (await audit(street.folder, "verify"))[:2] == (1, "row 3 was changed\n")


async def test_a_journal_written_anew_is_found_by_the_heads_beside_it(folder: Path) -> None:
    file = folder / "desk.db.heads"
    async with opened(f"sqlite+aiosqlite:///{folder / 'desk.db'}") as journal:
        head = await journal.head()
    keep_head(file, Kept(NOON, head))
    assert (await audit(folder, "verify"))[1].endswith("; 1 kept heads fit\n")
    (folder / "desk.db").unlink()
    async with opened(f"sqlite+aiosqlite:///{folder / 'desk.db'}") as journal:
        await journal.record(Event(NOON, EventName.FILLED))
    code, out, _ = await audit(folder, "verify")
    assert (code, out) == (1, "row 2 was removed\n")
    other = folder / "elsewhere.heads"
    file.rename(other)
    code, out, _ = await audit(folder, "verify")
    assert code == 0
    assert out.endswith("; no kept heads to compare with\n")
    assert (await audit(folder, "verify", "--heads", other))[0] == 1
    other.write_text("nonsense\n")
    code, _, err = await audit(folder, "verify", "--heads", other)
    assert (code, "line 1 was changed" in err) == (1, True)


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_an_export_is_checked_by_itself_and_names_the_row_that_was_changed(folder: Path, form: str) -> None:
    file = folder / f"log.{form}"
    assert await audit(folder, "export", "--format", form, "--out", file) == (0, "", "")
    _, printed, _ = await audit(folder, "export", "--format", form)
    assert file.read_text() == printed
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    code, out, _ = await audit(elsewhere, "verify", "--file", file)
    assert code == 0
    assert out.startswith("5 rows, unbroken; head 5 ")
    assert out.endswith(" (2026-08-03T12:00:00.000000Z); no kept heads to compare with\n")
    file.write_text(printed.replace("T3", "T4"))
    assert await audit(elsewhere, "verify", "--file", file) == (1, "row 4 was changed\n", "")
    file.write_text(printed[1:])
    assert await audit(elsewhere, "verify", "--file", file) == (1, "the header line was changed\n", "")


async def test_a_broken_journal_is_exported_as_it_stands_and_said_to_be_broken(folder: Path) -> None:
    lay_hands_on(folder, "DELETE FROM events WHERE seq = 2")
    file = folder / "log.csv"
    code, out, err = await audit(folder, "export", "--format", "csv", "--out", file)
    assert (code, out, err) == (1, "", "It is written as it stands, but row 2 was removed.\n")
    assert await audit(folder, "verify", "--file", file) == (1, "row 2 was removed\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "usage"),
        (("nonsense",), "usage"),
        (("export",), "--format"),
        (("export", "--format", "xml"), "usage"),
        (("export", "--format", "csv", "--out", "desk.db"), "--out: desk.db is there already; name a new file.\n"),
        (("export", "--format", "csv", "--out", "nowhere/log.csv"), "--out: nowhere/log.csv can't be written"),
        (("verify", "--file", "nowhere.csv"), "--file: nowhere.csv can't be read"),
        (("verify", "--file", "desk.db"), "--file: desk.db is no export; write one by audit export.\n"),
        (("verify", "--heads", "nowhere"), "--heads: there is no file nowhere; name the one beside the journal.\n"),
    ],
)
async def test_wrong_use_exits_with_two_and_says_what_to_do(folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    before = (folder / "desk.db").read_bytes()
    code, out, err = await audit(folder, *arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert (folder / "desk.db").read_bytes() == before


@pytest.mark.parametrize(
    ("url", "code", "sentence"),
    [
        ("sqlite+aiosqlite:///other.db", 2, "DATABASE_URL: there is no journal at "),
        ("nonsense", 2, "DATABASE_URL: not usable as it is"),
        ("postgresql+asyncpg://user:s3cret@127.0.0.1:1/name", 69, "The journal's database can't be reached"),
    ],
)
async def test_an_address_where_no_journal_answers_is_told(folder: Path, url: str, code: int, sentence: str) -> None:
    for arguments in (("verify",), ("export", "--format", "csv", "--out", "log.csv")):
        found, out, err = await audit(folder, *arguments, url=url)
        assert (found, out) == (code, "")
        assert err.startswith(sentence)
        assert "s3cret" not in err
    with pytest.raises(FileNotFoundError):
        (folder / "log.csv").open()


async def test_settings_of_the_folder_say_where_the_journal_is(folder: Path) -> None:
    (folder / "desk.db").rename(folder / "moved.db")
    (folder / ".env").write_text("DATABASE_URL=sqlite+aiosqlite:///moved.db\n")
    assert (await audit(folder, "verify"))[0] == 0
    (folder / ".env").write_text("DATABASE_URI=sqlite+aiosqlite:///moved.db\n")
    code, _, err = await audit(folder, "verify")
    assert (code, "did you mean DATABASE_URL?" in err) == (2, True)
