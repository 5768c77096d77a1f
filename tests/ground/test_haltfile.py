"""The file HALT: where it is looked for, what it says, and that what can't be told counts as there."""

import os
from pathlib import Path

import pytest

from bot.program.haltfile import LONGEST, HaltFile, beside_the_journal


def test_it_is_not_there_until_it_is_made_and_after_it_was_taken_away(tmp_path: Path) -> None:
    file = HaltFile(tmp_path / "HALT")
    assert file() is None
    file.path.touch()
    assert file() == ""
    file.path.unlink()
    assert file() is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"CPI at 14:30\nand more\n", "CPI at 14:30"),
        (b"\n  \r\n  late \r\n", "late"),
        (b"\xef\xbb\xbfmark\n", "mark"),
        (b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}"),
        (b"x" * 5000, "x" * LONGEST),
        (b"\n" * 5000, ""),
    ],
)
def test_its_first_line_is_the_reason(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "HALT").write_bytes(content)
    assert HaltFile(tmp_path / "HALT")() == why


def test_a_folder_or_a_dangling_link_of_that_name_halts_too(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert HaltFile(tmp_path / "a")() == ""
    (tmp_path / "b").symlink_to(tmp_path / "nowhere")
    assert HaltFile(tmp_path / "b")() == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_of_that_name_halts_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "HALT")
    assert HaltFile(tmp_path / "HALT")() == ""


def test_what_can_not_be_looked_for_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    # A file is no folder, so that nothing can be looked for in it.
    why = HaltFile(tmp_path / "file" / "HALT")()
    assert why is not None
    assert "can't be told" in why


def test_it_lies_beside_the_journals_file_or_where_the_bot_was_started(tmp_path: Path) -> None:
    assert beside_the_journal(f"sqlite+aiosqlite:///{tmp_path}/deep/desk.db").path == tmp_path / "deep" / "HALT"
    assert beside_the_journal("sqlite+aiosqlite:///desk.db").path == Path.cwd() / "HALT"
    assert beside_the_journal("postgresql+asyncpg://me:secret@host/name").path == Path.cwd() / "HALT"
