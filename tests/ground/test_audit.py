"""``python -m bot audit`` on a journal at rest and on what was exported of it."""

import asyncio
import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.desk.ports import Event, EventName
from bot.journal.chain import Head
from bot.journal.heads import KeptHead, keep_head
from bot.journal.opening import opened

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)

Audit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a journal of five rows, in which the command is run."""
    monkeypatch.chdir(tmp_path)
    asyncio.run(written(*(Event(NOON, EventName.WORKING, f"T{row}", data={"row": row}) for row in range(5))))
    return tmp_path


@pytest.fixture
def audit(capsysbinary: pytest.CaptureFixture[bytes]) -> Iterator[Audit]:
    """Return what runs the command and gives its exit code and what it wrote; it needs no token."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main(["audit", *map(str, arguments)])
        except SystemExit as wrong_use:
            code = int(wrong_use.code or 0)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    yield run
    # A command keeps what it has loaded out of the garbage's way for as long as it runs.
    gc.unfreeze()


async def written(*events: Event) -> Head:
    """Write rows into the journal; its head then."""
    async with opened("sqlite+aiosqlite:///desk.db") as journal:
        for event in events:
            await journal.record(event)
        return await journal.head()


def lay_hands_on(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        for trigger in ("events_no_UPDATE", "events_no_DELETE"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        connection.execute(statement)


def test_a_journal_written_anew_is_found_by_the_heads_beside_it(audit: Audit, folder: Path) -> None:
    file = folder / "desk.db.heads"
    keep_head(file, KeptHead(NOON, asyncio.run(written())))
    assert audit("verify")[1].endswith("; 1 kept heads fit\n")
    (folder / "desk.db").unlink()
    asyncio.run(written(Event(NOON, EventName.FILLED)))
    code, out, _ = audit("verify")
    assert (code, out) == (1, "row 2 was removed\n")
    other = folder / "elsewhere.heads"
    file.rename(other)
    code, out, _ = audit("verify")
    assert code == 0
    assert out.endswith("; no kept heads to compare with\n")
    assert audit("verify", "--heads", other)[0] == 1
    other.write_text("nonsense\n")
    code, _, err = audit("verify", "--heads", other)
    assert (code, "line 1 was changed" in err) == (1, True)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_is_checked_by_itself_and_names_the_row_that_was_changed(
    audit: Audit, folder: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    file = folder / f"log.{form}"
    assert audit("export", "--format", form, "--out", file) == (0, "", "")
    _, printed, _ = audit("export", "--format", form)
    assert file.read_text() == printed
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, out, _ = audit("verify", "--file", file)
    assert code == 0
    assert out.startswith("5 rows, unbroken; head 5 ")
    assert out.endswith(" (2026-08-03T12:00:00.000000Z); no kept heads to compare with\n")
    file.write_text(printed.replace("T3", "T4"))
    assert audit("verify", "--file", file) == (1, "row 4 was changed\n", "")
    file.write_text(printed[1:])
    assert audit("verify", "--file", file) == (1, "the header line was changed\n", "")


def test_a_broken_journal_is_exported_as_it_stands_and_said_to_be_broken(audit: Audit, folder: Path) -> None:
    lay_hands_on(folder, "DELETE FROM events WHERE seq = 2")
    file = folder / "log.csv"
    code, out, err = audit("export", "--format", "csv", "--out", file)
    assert (code, out, err) == (1, "", "It is written as it stands, but row 2 was removed.\n")
    assert audit("verify", "--file", file) == (1, "row 2 was removed\n", "")


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
def test_wrong_use_exits_with_two_and_says_what_to_do(
    audit: Audit, folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    before = (folder / "desk.db").read_bytes()
    code, out, err = audit(*arguments)
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
def test_an_address_where_no_journal_answers_is_told(
    audit: Audit, folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, code: int, sentence: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    for arguments in (("verify",), ("export", "--format", "csv", "--out", "log.csv")):
        found, out, err = audit(*arguments)
        assert (found, out) == (code, "")
        assert err.startswith(sentence)
        assert "s3cret" not in err
    with pytest.raises(FileNotFoundError):
        (folder / "log.csv").open()


def test_settings_of_the_folder_say_where_the_journal_is(audit: Audit, folder: Path) -> None:
    (folder / "desk.db").rename(folder / "moved.db")
    (folder / ".env").write_text("DATABASE_URL=sqlite+aiosqlite:///moved.db\n")
    assert audit("verify")[0] == 0
    (folder / ".env").write_text("DATABASE_URI=sqlite+aiosqlite:///moved.db\n")
    code, _, err = audit("verify")
    assert (code, "did you mean DATABASE_URL?" in err) == (2, True)
