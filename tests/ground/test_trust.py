"""How far a journal is believed at a start: less where it was seen to have more."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.desk.tracking.doubts import JournalTrust
from bot.journal.chain import Head
from bot.journal.heads import KeptHead, keep_head
from bot.journal.opening import opened
from bot.program.trust import trust_in

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("kept", "trust"), [(None, JournalTrust.FULL), (0, JournalTrust.FULL), (7, JournalTrust.NONE)])
async def test_a_file_that_was_restored_from_a_copy_is_not_believed(
    tmp_path: Path, kept: int | None, trust: JournalTrust
) -> None:
    heads = tmp_path / "desk.db.heads"
    if kept is not None:
        keep_head(heads, KeptHead(NOON, Head(kept, "a" * 64)))
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as journal:
        assert await trust_in(journal, heads, None) is trust


async def test_heads_that_cant_be_read_keep_nobody_from_starting(tmp_path: Path) -> None:
    heads = tmp_path / "desk.db.heads"
    heads.write_text("somebody was here\n", encoding="utf-8")
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as journal:
        assert await trust_in(journal, heads, None) is JournalTrust.FULL
