"""``python -m bot backup`` on a journal at rest; beside a bot that works it is tested as a process."""

import asyncio
import gc
import sqlite3
import stat
import sys
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
Backup = Callable[..., tuple[int, str, str]]


async def written(*events: Event, name: str = "desk.db") -> Head:
    """Write rows into a journal; its head then."""
    async with opened(f"sqlite+aiosqlite:///{name}") as journal:
        for event in events:
            await journal.record(event)
        return await journal.head()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a journal of five rows and its head, in which the command is run."""
    monkeypatch.chdir(tmp_path)
    head = asyncio.run(written(*(Event(NOON, EventName.WORKING, f"T{row}", data={"row": row}) for row in range(5))))
    keep_head(tmp_path / "desk.db.heads", KeptHead(NOON, head))
    return tmp_path


@pytest.fixture
def backup(capsys: pytest.CaptureFixture[str]) -> Iterator[Backup]:
    """Return what runs the command and gives its exit code and what it wrote; it needs no token."""

    def run(file: str = "copy.db") -> tuple[int, str, str]:
        code = main(["backup", file])
        return code, *capsys.readouterr()

    yield run
    gc.unfreeze()


def test_a_copy_is_a_journal_like_the_first_private_and_with_its_heads(backup: Backup, folder: Path) -> None:
    code, out, err = backup()
    head = asyncio.run(written())
    assert (code, out, err) == (0, f"{folder / 'copy.db'}: 5 rows, read back and unbroken; head 5 {head.digest}.\n", "")
    assert asyncio.run(written(name="copy.db")) == head
    assert (folder / "copy.db.heads").read_bytes() == (folder / "desk.db.heads").read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    assert not list(folder.glob(".*.part"))


def test_what_is_in_the_write_ahead_log_alone_is_copied_too(backup: Backup, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "desk.db")) as held:
        # An open connection keeps the log from being written back.
        held.execute("SELECT count(*) FROM events").fetchall()
        asyncio.run(written(Event(NOON, EventName.FILLED)))
        assert (folder / "desk.db-wal").stat().st_size
        assert "copy.db: 6 rows, " in backup()[1]


@pytest.mark.parametrize("there", ["copy.db", "copy.db.heads", ".copy.db.part"])
def test_nothing_is_ever_written_over(backup: Backup, folder: Path, there: str) -> None:
    (folder / there).write_text("mine", encoding="utf-8")
    before = {file.name for file in folder.glob("*copy*")}
    code, out, err = backup()
    assert (code, out) == (2, "")
    assert err == f"FILE: {folder / there} is there already; name a new file.\n"
    assert {file.name for file in folder.glob("*copy*")} == before
    assert (folder / there).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["odd?x.db", "odd%41.db", "a b#c.db"])
def test_any_name_that_the_system_takes_will_do(backup: Backup, folder: Path, name: str) -> None:
    assert backup(name)[0] == 0
    assert {file.name for file in folder.glob("*[d#]*") if "desk" not in file.name} == {name, f"{name}.heads"}


def test_a_folder_that_is_not_there_is_wrong_use(backup: Backup, folder: Path) -> None:
    code, _, err = backup("nowhere/copy.db")
    assert code == 2
    assert err == (
        f"FILE: {folder / 'nowhere/copy.db'} can't be written (No such file or directory); "
        "name one in a folder where you may write and there is room.\n"
    )


def test_without_a_journal_nothing_is_made(backup: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = backup()
    assert code == 2
    assert err.startswith("DATABASE_URL: there is no journal at ")
    assert not list(tmp_path.iterdir())


def test_a_journal_of_an_older_version_is_copied_before_it_is_brought_up_to_date(backup: Backup, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
    code, out, err = backup()
    assert (code, err) == (0, "")
    assert out.endswith(
        "copy.db: copied and read back; an older version of the bot has written it, whose log this one doesn't read.\n"
    )
    assert (folder / "copy.db").exists()


def test_a_journal_of_a_newer_version_is_refused_and_nothing_is_made(backup: Backup, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, _, err = backup()
    assert code == 1
    assert "newer version" in err
    assert not (folder / "copy.db").exists()


def test_a_log_that_somebody_has_changed_is_copied_and_said_to_be(backup: Backup, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS events_no_UPDATE")
        connection.execute("UPDATE events SET name = 'filled' WHERE seq = 3")
    code, out, err = backup()
    assert (code, out) == (1, "")
    assert err.startswith(f"{folder / 'copy.db'} is the journal as it stands, but row 3 ")
    assert (folder / "copy.db").exists()


def test_a_damaged_file_leaves_no_copy(backup: Backup, folder: Path) -> None:
    file = folder / "desk.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        [(page, size)] = connection.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'outbox'"
        )
    whole = bytearray(file.read_bytes())
    whole[(page - 1) * size : page * size] = b"\xff" * size
    file.write_bytes(whole)
    code, _, err = backup()
    assert code == 1
    assert "restore it from an earlier backup" in err or "can't be copied" in err
    assert not (folder / "copy.db").exists()
    assert not list(folder.glob(".*.part"))


def test_a_journal_on_a_server_is_left_to_its_own_means(backup: Backup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://postgres@127.0.0.1/desk")
    monkeypatch.chdir("/")
    code, _, err = backup("/nowhere.db")
    assert code == 2
    assert "pg_dump --format custom --file /nowhere.db" in err
