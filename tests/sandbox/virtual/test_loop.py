"""Virtual time: it jumps, it is exact, it ends where nothing can happen any more, and threads are none."""

import asyncio
import time
from collections import deque
from itertools import combinations
from typing import Any

import pytest

from bot.sandbox.virtual import Deadlock, Delayed, Shuffled, VirtualLoop, run
from bot.sandbox.virtual.loop import START


def test_a_day_passes_in_no_time_and_exactly() -> None:
    async def main() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(main()) == START + 86_400
    assert time.monotonic() - began < 5


def test_timers_of_one_moment_run_in_the_order_in_which_they_were_set() -> None:
    heard: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in range(20):
            loop.call_at(START + 5, heard.append, number)
        await asyncio.sleep(5)

    run(main())
    assert heard == list(range(20))


def test_a_timer_that_was_called_off_moves_no_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        timers = [loop.call_later(50 + number, int) for number in range(1000)]
        for timer in timers:
            timer.cancel()
        await asyncio.sleep(60)
        return loop.time()

    assert run(main()) == START + 60


def test_timeouts_and_cancellation_are_asyncio_s_own() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(100), 4)
        return asyncio.get_running_loop().time()

    assert run(main()) == START + 7


def test_where_nothing_can_happen_any_more_the_waiting_are_named() -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.create_task(waits(), name="the one who waits")

    with pytest.raises(Deadlock, match="the one who waits"):
        run(main())


def test_a_thread_s_work_is_done_at_once_and_its_result_comes_later() -> None:
    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.thread_seconds = lambda: 0.25
        done: list[Any] = []
        working = asyncio.ensure_future(asyncio.to_thread(done.append, "work"))
        await asyncio.sleep(0)
        assert done == ["work"]
        assert not working.done()
        await working
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        return [loop.time()]

    assert run(main()) == [START + 0.5]


def test_a_thread_safe_call_from_another_thread_is_refused() -> None:
    async def main() -> None:
        await asyncio.sleep(0)

    loop = VirtualLoop()
    loop._thread = -1
    with pytest.raises(RuntimeError, match="another thread"):
        loop.call_soon_threadsafe(int)
    loop.close()
    run(main())


def test_an_exception_in_a_callback_goes_to_the_handler_and_the_loop_goes_on() -> None:
    async def main() -> list[str]:
        loop, heard = asyncio.get_running_loop(), list[str]()
        loop.set_exception_handler(lambda _, context: heard.append(str(context["exception"])))
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)
        return heard

    assert run(main()) == ["integer division or modulo by zero"]


async def _two_who_both_read_before_they_write() -> int:
    value = 0

    async def add() -> None:
        nonlocal value
        seen = value
        await asyncio.sleep(0)
        value = seen + 1

    await asyncio.gather(add(), add())
    return value


async def _one_who_is_overtaken_only_where_somebody_waits_longer() -> str:
    heard: list[str] = []

    async def say(word: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        heard.append(word)

    await asyncio.gather(say("first", 1), say("second", 2))
    return " ".join(heard)


def test_first_come_first_served_is_left_to_itself() -> None:
    assert run(_two_who_both_read_before_they_write()) == 1
    assert run(_one_who_is_overtaken_only_where_somebody_waits_longer()) == "first second"


def test_a_seed_decides_a_shuffle() -> None:
    async def main() -> str:
        heard: list[str] = []

        async def say(word: str) -> None:
            await asyncio.sleep(0)
            heard.append(word)

        await asyncio.gather(*(say(word) for word in "abcdef"))
        return "".join(heard)

    orders = [run(main(), Shuffled(seed)) for seed in range(10)]
    assert orders == [run(main(), Shuffled(seed)) for seed in range(10)]
    assert len(set(orders)) > 5


def test_delays_meet_every_order_of_few_callbacks() -> None:
    plain = Delayed()
    run(_one_who_is_overtaken_only_where_somebody_waits_longer(), plain)
    assert plain.choices
    outcomes = {
        run(_one_who_is_overtaken_only_where_somebody_waits_longer(), Delayed(delays))
        for size in range(3)
        for delays in combinations(range(plain.steps), size)
    }
    assert outcomes == {"first second", "second first"}


def test_a_delay_puts_the_first_behind_all_others() -> None:
    ready: deque[Any] = deque("abc")
    choice = Delayed({0})
    assert [choice(ready), choice(ready), choice(ready)] == ["b", "c", "a"]


async def test_asynchronous_tests_below_a_hook_run_in_virtual_time() -> None:
    began = time.monotonic()
    await asyncio.sleep(3600)
    assert time.monotonic() - began < 60
