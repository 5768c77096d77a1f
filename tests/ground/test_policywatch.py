"""The eye on the policy file: what changes the policy in force, what doesn't, and who is told."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.errors import DeskError, JournalError, PolicyError
from bot.policyfile import PolicyWatch, changes, in_numbers
from bot.trading.risk.policy import Policy

GRANT = '[[grant]]\nrole = {role}\ncommands = ["reverse"]\naccounts = ["Sim*"]\ninstruments = ["ES"]\nmax_quantity = 5\n'


class Desk:
    """Hears what the watch tells; fails as often as it is told to."""

    def __init__(self) -> None:
        self.changes: list[Policy] = []
        self.refusals: list[PolicyError] = []
        self.failures: list[DeskError] = []
        self.failed = 0

    async def on_change(self, policy: Policy) -> None:
        self._maybe_fail()
        self.changes.append(policy)

    async def on_refused(self, error: PolicyError) -> None:
        self._maybe_fail()
        self.refusals.append(error)

    def _maybe_fail(self) -> None:
        if self.failures:
            self.failed += 1
            raise self.failures.pop()

    @property
    def roles(self) -> list[int]:
        return [policy.grants[0].role for policy in self.changes]


class CountingPath(type(Path())):  # type: ignore[misc]  # the class of a path depends on the system
    """A path that counts how often it was read."""

    looks = 0

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        CountingPath.looks += 1
        found: os.stat_result = super().stat(follow_symlinks=follow_symlinks)
        return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = CountingPath(tmp_path / "policy.toml")
    path.write_text(GRANT.format(role=1), encoding="utf-8")
    return path


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def delete(file: Path) -> None:
    file.unlink()


@asynccontextmanager
async def watched(watch: PolicyWatch, desk: Desk) -> AsyncIterator[None]:
    task = asyncio.get_running_loop().create_task(watch.watch(desk.on_change, desk.on_refused, interval=0.001))
    yield
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def some_looks() -> None:
    seen = CountingPath.looks
    await until(lambda: CountingPath.looks > seen + 5)


def test_the_file_is_read_at_once_and_a_bad_one_stops_the_start(file: Path) -> None:
    watch = PolicyWatch(file)
    assert watch.current.grants[0].role == 1
    assert watch.digest == hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    write(file, "")
    with pytest.raises(PolicyError):
        PolicyWatch(file)


async def test_a_change_is_in_force_before_it_is_told(file: Path) -> None:
    watch, seen = PolicyWatch(file), []
    desk = Desk()
    first = watch.digest

    async def on_change(policy: Policy) -> None:
        seen.append((policy, watch.current, watch.digest))

    desk.on_change = on_change  # type: ignore[method-assign]  # this test looks at the moment itself
    async with watched(watch, desk):
        write(file, GRANT.format(role=2))
        await until(lambda: bool(seen))
    assert watch.current.grants[0].role == 2
    assert seen == [(watch.current, watch.current, watch.digest)]
    assert watch.digest != first


async def test_each_change_is_told_once_and_no_change_never(file: Path) -> None:
    watch, desk = PolicyWatch(file), Desk()
    async with watched(watch, desk):
        await some_looks()
        os.utime(file, (1, 1))
        await some_looks()
        assert not desk.changes
        write(file, GRANT.format(role=2))
        await until(lambda: desk.roles == [2])
        write(file, GRANT.format(role=1))
        await until(lambda: desk.roles == [2, 1])
        await some_looks()
    assert desk.roles == [2, 1]
    assert not desk.refusals


async def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(file: Path) -> None:
    watch, desk = PolicyWatch(file), Desk()
    state = os.stat(file)  # noqa: PTH116  the path's own counts as a look
    async with watched(watch, desk):
        write(file, GRANT.format(role=2))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
        await until(lambda: desk.roles == [2])


async def test_a_bad_file_is_refused_as_a_whole_and_told_once_while_the_policy_stays(file: Path) -> None:
    watch, desk = PolicyWatch(file), Desk()
    before = watch.current, watch.digest
    async with watched(watch, desk):
        for times, text in enumerate((GRANT.format(role=0), GRANT.format(role=2) + "surprise = 1", "[[", ""), start=1):
            write(file, text)
            await until(lambda times=times: len(desk.refusals) == times)  # type: ignore[misc]  # bound early on purpose
            await some_looks()
            assert len(desk.refusals) == times
        assert (watch.current, watch.digest) == before
        write(file, GRANT.format(role=1))
        await some_looks()
        assert not desk.changes
        write(file, GRANT.format(role=0))
        await until(lambda: len(desk.refusals) == 5)
    assert desk.refusals[0].reasons == ("grant[1].role: must be at least 1",)
    assert (watch.current, watch.digest) == before


async def test_a_deleted_file_is_told_once_and_the_policy_stays(file: Path) -> None:
    watch, desk = PolicyWatch(file), Desk()
    async with watched(watch, desk):
        delete(file)
        await until(lambda: bool(desk.refusals))
        await some_looks()
        assert [error.reasons for error in desk.refusals] == [
            ("there is no such file; begin with a copy of policy.example.toml",)
        ]
        assert watch.current.grants[0].role == 1
        write(file, GRANT.format(role=3))
        await until(lambda: desk.roles == [3])


async def test_a_file_that_is_still_being_written_is_not_taken(tmp_path: Path) -> None:
    class Growing(CountingPath):
        """Its every look finds another line, until it is whole."""

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            if CountingPath.looks < 40:
                with self.open("a", encoding="utf-8") as stream:
                    stream.write(f"# {CountingPath.looks}\n")
            return super().stat(follow_symlinks=follow_symlinks)

    file, desk = Growing(tmp_path / "policy.toml"), Desk()
    CountingPath.looks = 40
    write(file, GRANT.format(role=1))
    watch = PolicyWatch(file)
    write(file, GRANT.format(role=2))
    CountingPath.looks = 0
    async with watched(watch, desk):
        await until(lambda: CountingPath.looks > 30)
        assert not desk.changes
        await until(lambda: desk.roles == [2])


async def test_what_could_not_be_told_is_told_at_the_next_look(file: Path) -> None:
    watch, desk = PolicyWatch(file), Desk()
    desk.failures = [JournalError("the disk is full"), JournalError("the disk is full")]
    async with watched(watch, desk):
        write(file, GRANT.format(role=2))
        await until(lambda: desk.roles == [2])
        assert desk.failed == 2
        desk.failures = [JournalError("the disk is full")]
        write(file, "[[")
        await until(lambda: len(desk.refusals) == 1)
        await some_looks()
    assert desk.failed == 3
    assert desk.roles == [2]
    assert len(desk.refusals) == 1


async def test_the_way_back_is_told_even_when_the_way_there_was_not(file: Path) -> None:
    watch, desk = PolicyWatch(file), Desk()
    async with watched(watch, desk):
        desk.failures = [JournalError("the disk is full")] * 1_000_000
        write(file, GRANT.format(role=2))
        await until(lambda: desk.failed > 2)
        assert watch.current.grants[0].role == 2
        write(file, GRANT.format(role=1))
        await until(lambda: watch.current.grants[0].role == 1)
        desk.failures = []
        await until(lambda: desk.roles == [1])


REST = '[[limit]]\nmax_position = 3\n[[approval]]\nrole = 7\n[[notify]]\nchannel = 5\nevents = ["*"]\n'


async def test_what_a_change_took_away_is_counted_from_what_was_told_last(file: Path) -> None:
    write(file, GRANT.format(role=1) + REST)
    watch, desk = PolicyWatch(file), Desk()
    seen: list[str] = []

    async def on_change(policy: Policy) -> None:
        seen[:] = in_numbers(changes(watch.before, policy))
        await Desk.on_change(desk, policy)

    desk.on_change = on_change  # type: ignore[method-assign]  # this test looks at the moment itself
    desk.failures = [JournalError("full")]
    async with watched(watch, desk):
        write(file, GRANT.format(role=1))
        await until(lambda: bool(desk.failed))
        write(file, GRANT.format(role=1) + GRANT.format(role=2))
        await until(lambda: len(desk.changes) == 1 and watch.before is watch.current)
        assert seen == [
            (
                "Fewer safeguards than before: limits 1 → 0, limits with max_position 1 → 0, approvals 1 → 0, "
                "channels that are told 1 → 0. Was the file cut off?"
            ),
            "grants 1 → 2",
        ]
        write(file, GRANT.format(role=1) + REST)
        await until(lambda: len(desk.changes) == 2)
    assert len(seen) == 1
    assert "Fewer" not in seen[0]


async def test_a_bot_whose_file_asked_for_an_end_goes_on_to_ask_for_it(file: Path) -> None:
    ends, asks = "[end]\ncomplete = true\n", "[desk]\nend_required = true\n"
    write(file, GRANT.format(role=1) + asks + REST + ends)
    watch, desk = PolicyWatch(file), Desk()
    async with watched(watch, desk):
        # Cut off in front of the very line that asks for the end.
        write(file, GRANT.format(role=1))
        await until(lambda: len(desk.refusals) == 1)
        write(file, GRANT.format(role=2) + ends)
        await until(lambda: desk.roles == [2])
        write(file, GRANT.format(role=3) + "[desk]\nend_required = false\n")
        await until(lambda: desk.roles == [2, 3])
        write(file, GRANT.format(role=4))
        await until(lambda: desk.roles == [2, 3, 4])
