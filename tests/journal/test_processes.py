"""What holds when processes die, meet or run out of disk."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.errors import JournalLocked
from bot.journal.opening import opened
from bot.trading.orders.tickets import TicketState

from .making import ask, sqlite_url, stored

ROOT = Path(__file__).parents[2]


@contextmanager
def child(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A program of ``tests.journal.child``; it is gone when the block is left."""
    line = [sys.executable, "-m", "tests.journal.child", *map(str, arguments)]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own program
        try:
            yield process
        finally:
            process.kill()


def read(process: "subprocess.Popen[str]", lines: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(lines)]


def rest(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    # The last line may have been cut off by the kill.
    return [line.strip() for line in process.stdout if line.endswith("\n")]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
@pytest.mark.parametrize("lines", [1, 20, 111])
async def test_a_process_killed_at_any_moment_leaves_no_half_change_and_loses_none_that_was_told(file: Path, lines: int) -> None:
    with child("stream", file) as process:
        told = read(process, lines)
        process.kill()
        told += rest(process)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        whole = connection.execute(
            "SELECT id, version, (SELECT count(*) FROM events WHERE ticket = tickets.id),"
            " 1 + (SELECT count(*) FROM outbox WHERE ticket = tickets.id AND kind = 'notice'),"
            " 1 + coalesce((SELECT sequence FROM outbox WHERE ticket = tickets.id AND kind = 'card'), 0) FROM tickets"
        ).fetchall()
    assert [row for row in whole if len(set(row[1:])) != 1] == []

    versions = {row[0]: row[1] for row in whole}
    assert [line for line in told if versions[line.split()[0]] < int(line.split()[1])] == []
    async with opened(sqlite_url(file)) as journal:
        assert {each.id for each in await journal.live()} == set(versions)


async def test_a_second_process_on_the_same_journal_is_refused_in_one_sentence(file: Path) -> None:
    with child("hold", file) as process:
        assert read(process, 1) == ["open"]
        with pytest.raises(JournalLocked, match=r"^Another process .* DATABASE_URL of its own\.$"):
            async with opened(sqlite_url(file)):
                pass
        process.kill()
        process.wait()
        async with opened(sqlite_url(file)) as journal:
            await stored(journal)


async def test_of_two_processes_that_claim_the_same_tickets_each_ticket_has_one_winner(file: Path) -> None:
    names = {f"t{number}" for number in range(60)}
    async with opened(sqlite_url(file)) as journal:
        for name in sorted(names):
            await stored(journal, name)
    with child("race", file, "one") as one, child("race", file, "two") as two:
        for process in (one, two):
            assert read(process, 1) == ["ready"]
        for process in (one, two):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        won = {"one": rest(one), "two": rest(two)}
        assert (one.wait(), two.wait()) == (0, 0)
    assert sorted(won["one"] + won["two"]) == sorted(names)
    assert dict(ask(file, "SELECT ended_by, count(*) FROM tickets GROUP BY ended_by")) == {
        name: len(ids) for name, ids in won.items() if ids
    }
    assert ask(file, "SELECT count(*), count(DISTINCT ticket) FROM events WHERE name = 'sending'") == [(60, 60)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
async def test_a_disk_that_is_full_is_told_and_the_journal_goes_on_when_there_is_room_again(file: Path) -> None:
    with child("fill", file) as process:
        sentence, version = rest(process)
        assert process.wait() == 0
    assert sentence == "The journal's disk answers with errors: have it looked at."
    async with opened(sqlite_url(file)) as journal:
        (standing,) = await journal.live()
        assert (standing.state, standing.version) == (TicketState.UNKNOWN, int(version))
        assert len(await journal.events("t1")) == standing.version
