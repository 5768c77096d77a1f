"""Parties: what is whose, and what is left of one that was frozen or killed."""

import asyncio
import gc
import sqlite3
import subprocess
import sys
from pathlib import Path

from bot.sandbox.virtual import HostClock, Party, party_now, run

ROOT = Path(__file__).parents[3]


def test_whatever_a_party_begins_is_its_own() -> None:
    async def main() -> None:
        party, heard = Party("bot"), list[object]()

        async def work() -> None:
            asyncio.get_running_loop().call_later(1, lambda: heard.append(party_now()))
            await asyncio.create_task(more())

        async def more() -> None:
            heard.append(party_now())

        await party.start(work())
        await asyncio.sleep(2)
        assert heard == [party, party]
        assert party_now() is None

    run(main())


def test_a_killed_one_does_nothing_more_not_even_in_its_finally() -> None:
    async def main() -> None:
        party, heard = Party("bot"), list[str]()

        async def work() -> None:
            try:
                while True:
                    heard.append("beat")
                    await asyncio.sleep(1)
            finally:
                heard.append("finally")

        working = party.start(work())
        await asyncio.sleep(2.5)
        party.kill()
        del working
        gc.collect()
        await asyncio.sleep(100)
        gc.collect()
        assert heard == ["beat"] * 3

    run(main())


def test_a_killed_one_keeps_nobody_from_closing_the_loop() -> None:
    async def main() -> str:
        party = Party("bot")
        party.start(asyncio.sleep(1000))
        await asyncio.sleep(1)
        party.kill()
        return "closed"

    assert run(main()) == "closed"


def test_what_a_killed_one_had_not_committed_is_undone(tmp_path: Path) -> None:
    file = tmp_path / "a.db"

    async def main() -> None:
        party = Party("bot")

        async def work() -> None:
            database = sqlite3.connect(file, isolation_level=None)
            party.holds(database.close)
            database.execute("CREATE TABLE t (n)")
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO t VALUES (1)")
            await asyncio.sleep(10)
            database.execute("COMMIT")

        party.start(work())
        await asyncio.sleep(5)
        party.kill()
        after = sqlite3.connect(file)
        assert after.execute("SELECT count(*) FROM t").fetchone() == (0,)
        after.execute("INSERT INTO t VALUES (2)")
        after.close()
        await asyncio.sleep(10)

    run(main())


def test_a_frozen_one_goes_on_where_it_was_and_its_clock_has_gone_on() -> None:
    async def main() -> None:
        party, heard, loop = Party("bot"), list[float](), asyncio.get_running_loop()

        async def work() -> None:
            while True:
                await asyncio.sleep(1)
                heard.append(loop.time())

        party.start(work())
        await asyncio.sleep(2.5)
        party.suspend()
        await asyncio.sleep(3600)
        before = tuple(heard)
        party.resume()
        await asyncio.sleep(2.5)
        assert before == (1001.0, 1002.0)
        assert heard[2:] == [4602.5, 4603.5, 4604.5]
        party.kill()

    run(main())


def test_what_a_party_does_in_a_thread_can_be_disturbed() -> None:
    async def main() -> None:
        party = Party("bot")

        class Full:
            def __enter__(self) -> None:
                raise OSError("no space left")

            def __exit__(self, *_: object) -> None:
                pass

        party.around_thread = Full

        async def work() -> str:
            try:
                return await asyncio.to_thread(str, 1)
            except OSError as error:
                return str(error)

        assert await party.start(work()) == "no space left"

    run(main())


def test_a_host_s_clock_can_be_set_and_the_desk_s_time_goes_on() -> None:
    async def main() -> None:
        host = HostClock(asyncio.get_running_loop())
        clock, began = host.steady(), host()
        await asyncio.sleep(10)
        host.step(-3600)
        assert (clock() - began).total_seconds() == 10
        assert (host() - began).total_seconds() == -3590
        assert clock.set_by.total_seconds() == -3600
        assert (host.true() - began).total_seconds() == 10

    run(main())


def test_a_killed_one_does_nothing_more_even_while_the_interpreter_ends() -> None:
    program = """
import asyncio
from bot.sandbox.virtual import Party, run
async def work():
    try:
        await asyncio.sleep(100)
    finally:
        print("finally")
async def main():
    party = Party("bot")
    party.start(work())
    await asyncio.sleep(1)
    party.kill()
run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert (done.stdout, done.stderr) == ("", "")
