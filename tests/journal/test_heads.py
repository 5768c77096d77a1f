"""The file of heads beside the journal: written behind the last one only, and read with suspicion."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.errors import JournalError, SettingsError
from bot.journal.chain import EMPTY, Head
from bot.journal.heads import ON_SERVER, KeptHead, heads_file, keep_head, kept_heads

from .making import sqlite_url

NOON = datetime(2026, 8, 3, 12, 0, 0, tzinfo=UTC)
ONE, TWO = KeptHead(NOON, Head(7, "a" * 64)), KeptHead(NOON + timedelta(days=1), Head(9, "b" * 64))


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    return tmp_path / "desk.db.heads"


def test_heads_come_back_as_they_were_kept_a_line_each(heads: Path) -> None:
    assert kept_heads(heads) == []
    keep_head(heads, ONE)
    keep_head(heads, TWO)
    keep_head(heads, KeptHead(NOON, EMPTY))
    assert kept_heads(heads) == [ONE, TWO, KeptHead(NOON, EMPTY)]
    assert heads.read_text().splitlines()[0] == f"2026-08-03T12:00:00Z 7 {'a' * 64}"
    assert heads.read_bytes().count(b"\n") == 3


def test_a_line_that_was_never_finished_is_nobodys_and_spoils_nothing(heads: Path) -> None:
    keep_head(heads, ONE)
    with heads.open("ab") as raw:
        raw.write(b"2026-08-04T12:00")
    assert kept_heads(heads) == [ONE]
    keep_head(heads, TWO)
    assert kept_heads(heads) == [ONE, TWO]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        f"2026-08-03T12:00:00Z 07 {'a' * 64}",
        f"2026-13-03T12:00:00Z 7 {'a' * 64}",
        f"2026-08-03T12:00:00Z 7 {'A' * 64}",
        f"2026-08-03T12:00:00Z 7 {'a' * 63}",
        f"2026-08-03T12:00:00Z  7 {'a' * 64}",
        f"2026-08-03T12:00:00Z 7 {'a' * 64}\r",
        f"2026-08-03T12:00:00Z ٧ {'a' * 64}",
    ],
)
def test_a_line_that_was_never_written_is_told(heads: Path, line: str) -> None:
    keep_head(heads, ONE)
    with heads.open("ab") as raw:
        raw.write(f"{line}\n".encode())
    with pytest.raises(JournalError) as caught:
        kept_heads(heads)
    assert str(caught.value) == f"{heads}: line 2 was changed, so that the heads in it prove nothing; restore it from a backup."


def test_a_file_that_cannot_be_used_is_told(heads: Path) -> None:
    heads.mkdir()
    with pytest.raises(JournalError, match=r"desk\.db\.heads can't be written .*: mend the file, its folder or its rights\.$"):
        keep_head(heads, ONE)
    with pytest.raises(JournalError, match=r"desk\.db\.heads can't be read .*: mend the file or its rights\.$"):
        kept_heads(heads)


def test_the_file_lies_beside_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heads_file(sqlite_url(tmp_path / "my.db")) == tmp_path.resolve() / "my.db.heads"
    monkeypatch.chdir(tmp_path)
    assert heads_file("postgresql+asyncpg://user@host/name") == tmp_path.resolve() / ON_SERVER
    with pytest.raises(SettingsError):
        heads_file("nonsense")


def test_times_are_kept_in_utc(heads: Path) -> None:
    keep_head(heads, KeptHead(NOON.astimezone(timezone(timedelta(hours=2))), Head(7, "a" * 64)))
    assert kept_heads(heads) == [ONE]
