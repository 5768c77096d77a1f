"""The log's head, told once a day and at a stop, and kept beside the journal; never in anybody's way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.desk.ports import Event, EventName, Notice
from bot.errors import JournalError
from bot.journal.auditing import audited, verified
from bot.journal.chain import Head
from bot.journal.heads import KeptHead, keep_head, kept_heads
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.policyfile import parse_policy
from bot.program.heads import Heads
from bot.timings import USUAL
from bot.trading.risk.policy import Policy

NOON = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TIMINGS = USUAL.program
POLICY = parse_policy(
    b"""
[[grant]]
role = 1
commands = ["reverse"]
accounts = ["Sim*"]
instruments = ["*"]
max_quantity = 1
[[notify]]
channel = 5
events = ["audit head"]
[[notify]]
channel = 6
events = ["filled"]
""",
    "policy.toml",
)


class Watched:
    """The watch of a running bot: each of its rounds is one step, at a time that the test sets."""

    def __init__(self, journal: SqlJournal, folder: Path) -> None:
        self.journal = journal
        self.url = f"sqlite+aiosqlite:///{folder / 'desk.db'}"
        self.file = folder / "desk.db.heads"
        self.now = NOON
        self.policy: Policy = POLICY
        self._rounds: asyncio.Queue[None] = asyncio.Queue()
        self._go: asyncio.Queue[None] = asyncio.Queue()
        self.heads = Heads(journal, self.record, lambda: self.policy, self.file, lambda: self.now, TIMINGS, self._rest)

    async def record(self, name: EventName, *, data: Mapping[str, object], notices: Sequence[Notice]) -> None:
        """As the desk does it."""
        await self.journal.record(Event(self.now, name, data=data), notices)

    async def _rest(self, _seconds: float) -> None:
        self._rounds.put_nowait(None)
        await self._go.get()

    async def first_round(self) -> None:
        """Wait until the first round is over."""
        async with asyncio.timeout(5):
            await self._rounds.get()

    async def one_round(self, now: datetime) -> None:
        """Let one more round happen at that time."""
        self.now = now
        self._go.put_nowait(None)
        await self.first_round()

    async def fill(self, rows: int = 1) -> None:
        for _ in range(rows):
            await self.journal.record(Event(self.now, EventName.WORKING, "T1"))

    async def notices(self) -> list[tuple[int, str]]:
        """What the channels are to read."""
        due = await self.journal.due(self.now + 9 * DAY, 50)
        return [(each.notice.channel, each.notice.text) for each in due if each.notice is not None]

    def lines(self) -> list[int]:
        """The rows whose digests are kept."""
        return [kept.head.seq for kept in kept_heads(self.file)]

    async def holds(self) -> bool:
        """Whether the log is as the kept heads say."""
        return (await audited(self.url, partial(verified, marks=[kept.head for kept in kept_heads(self.file)]))).wrong is None


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqlJournal]:
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}") as journal:
        yield journal


@pytest.fixture
async def bot(journal: SqlJournal, tmp_path: Path) -> Watched:
    return Watched(journal, tmp_path)


@asynccontextmanager
async def running(bot: Watched) -> AsyncIterator[None]:
    task = asyncio.create_task(bot.heads.watch())
    await bot.first_round()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_head_is_told_and_kept_once_a_day_wherever_it_is_wanted(bot: Watched) -> None:
    await bot.fill(3)
    async with running(bot):
        assert (bot.lines(), await bot.notices()) == ([3], []), "the first of all is only kept"
        await bot.fill(2)
        await bot.one_round(NOON + timedelta(hours=11, minutes=59))
        assert await bot.notices() == []
        head = await bot.journal.head()
        midnight = NOON + timedelta(hours=12)
        await bot.one_round(midnight)
        text = f"Audit head · 2026-08-04 00:00 UTC\nrow 5 “{head.digest}”"
        assert await bot.notices() == [(5, text)]
        assert kept_heads(bot.file)[1:] == [KeptHead(midnight, head)]
        await bot.one_round(midnight + timedelta(hours=23))
        assert len(await bot.notices()) == 1
        await bot.one_round(midnight + DAY)
        assert bot.lines() == [3, 5, 6], "a quiet day is told too"
    assert await bot.holds()


async def test_the_journal_itself_says_which_head_was_told(bot: Watched) -> None:
    await bot.fill()
    head = await bot.journal.head()
    await bot.heads.tell_last()
    events = await bot.journal._reads.run(lambda connection: connection.exec_driver_sql("SELECT name, data FROM events").all())
    assert tuple(events[1]) == ("audit head", f'{{"seq":1,"digest":"{head.digest}","kept":true}}')


async def test_a_start_goes_by_the_head_that_was_kept_last(bot: Watched) -> None:
    await bot.fill(2)
    keep_head(bot.file, KeptHead(NOON - timedelta(minutes=1), await bot.journal.head()))
    await bot.fill()
    async with running(bot):
        assert bot.lines() == [2]
    bot.now = NOON + DAY
    async with running(bot):
        assert bot.lines() == [2, 3]
        assert len(await bot.notices()) == 1


async def test_a_stop_tells_what_is_new_and_keeps_the_very_last_row(bot: Watched) -> None:
    await bot.fill(2)
    async with running(bot):
        await bot.heads.tell_last()
        assert await bot.notices() == [], "nothing has happened since"
        await bot.fill(4)
        await bot.heads.tell_last()
        assert [text.splitlines()[1][:5] for _, text in await bot.notices()] == ["row 6"]
        await bot.heads.tell_last()
        assert len(await bot.notices()) == 1
        await bot.fill()
    await bot.heads.keep_last()
    await bot.heads.keep_last()
    assert bot.lines() == [2, 6, 8]
    assert await bot.holds()


async def test_an_empty_log_has_no_head_to_tell(bot: Watched) -> None:
    async with running(bot):
        await bot.one_round(NOON + DAY)
        await bot.heads.tell_last()
    assert await bot.notices() == []
    assert await bot.holds()


async def test_a_file_that_cannot_be_written_is_logged_and_told_and_the_head_all_the_same(
    bot: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    bot.file.mkdir()
    await bot.fill()
    async with running(bot):
        ((channel, text),) = await bot.notices()
        assert channel == 5
        assert text.splitlines()[1].startswith("row 1 “")
        assert text.splitlines()[2].startswith("Not kept beside the journal: “")
        assert "can't be written" in text
        await bot.one_round(NOON + timedelta(hours=1))
        assert len(await bot.notices()) == 1, "once a day all the same"
        bot.file.rmdir()
        await bot.one_round(NOON + DAY)
        assert len(await bot.notices()) == 2
        assert "Not kept" not in (await bot.notices())[1][1]
    assert "the log's head isn't kept" in caplog.text
    assert bot.lines() == [2]


async def test_heads_that_somebody_has_changed_are_logged_and_new_ones_kept_behind_them(
    bot: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    bot.file.write_text("nonsense\n")
    await bot.fill()
    async with running(bot):
        assert len(await bot.notices()) == 1
    assert "line 1 was changed" in caplog.text
    assert [line.split(" ")[1:2] for line in bot.file.read_text().splitlines()] == [[], ["1"]]


class Broken:
    """A journal that fails, or never answers, until it is mended."""

    def __init__(self, journal: SqlJournal) -> None:
        self.journal = journal
        self.hangs = False
        self.writes_fail = False

    async def head(self) -> Head:
        if self.hangs:
            await asyncio.Event().wait()
        return await self.journal.head()

    async def record(self, name: EventName, *, data: Mapping[str, object], notices: Sequence[Notice]) -> None:
        if self.writes_fail:
            raise JournalError("The journal's disk is full: free some space.")
        await self.journal.record(Event(NOON, name, data=data), notices)


async def test_a_journal_that_cannot_be_written_is_logged_and_the_head_told_once_it_can(
    bot: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(bot.journal)
    bot.heads = Heads(broken, broken.record, lambda: bot.policy, bot.file, lambda: bot.now, TIMINGS, bot._rest)
    await bot.fill()
    keep_head(bot.file, KeptHead(NOON - DAY, await bot.journal.head()))
    await bot.fill()
    broken.writes_fail = True
    async with running(bot):
        await bot.one_round(NOON + timedelta(minutes=1))
        assert await bot.notices() == []
        assert "isn't told yet: The journal's disk is full" in caplog.text
        assert bot.lines() == [1, 2], "kept once, however often it is tried"
        broken.writes_fail = False
        await bot.one_round(NOON + timedelta(minutes=2))
        assert len(await bot.notices()) == 1
    assert bot.lines() == [1, 2]


async def test_a_journal_that_does_not_answer_holds_up_no_stop(bot: Watched, caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken(bot.journal)
    broken.hangs = True
    heads = Heads(broken, broken.record, lambda: bot.policy, bot.file, lambda: bot.now, TIMINGS, bot._rest)
    async with asyncio.timeout(5):
        await heads.tell_last()
        await heads.keep_last()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert caplog.text.count("doesn't answer") == 2


async def test_a_closed_journal_is_only_logged(bot: Watched, caplog: pytest.LogCaptureFixture) -> None:
    await bot.journal._reads.close()
    await bot.heads.tell_last()
    await bot.heads.keep_last()
    assert caplog.text.count("The journal is closed") == 2
