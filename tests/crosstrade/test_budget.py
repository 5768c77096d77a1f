"""The request budget: never more than granted, orders before reads, nobody after their deadline."""

import asyncio
import itertools
import time
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crosstrade.budget import Bucket, Budget, Priority
from bot.sandbox.virtual import run
from bot.timings import USUAL

TIMINGS = USUAL.crosstrade

EPSILON = 1e-6
FOREVER = float("inf")


@dataclass(frozen=True)
class Ask:
    """One request for a token: when it comes, what it is, how long it waits, and whether it gives up before."""

    after: float
    priority: Priority
    patience: float
    gives_up_after: float | None


@dataclass(frozen=True)
class Seen:
    """What came of it."""

    ask: Ask
    came: float
    ended: float
    granted: bool


ASKS = st.builds(
    Ask,
    after=st.floats(0, 20),
    priority=st.sampled_from(Priority),
    patience=st.one_of(st.floats(-1, 10), st.just(1000.0)),
    gives_up_after=st.one_of(st.none(), st.floats(0, 3)),
)
PARKS = st.lists(st.tuples(st.floats(0, 20), st.floats(0, 8)), max_size=3)


async def _play(rate: float, burst: int, asks: list[Ask], parks: list[tuple[float, float]]) -> list[Seen]:
    loop = asyncio.get_running_loop()
    budget = Budget(rate, burst, clock=loop.time, timings=TIMINGS)
    seen: list[Seen] = []

    async def one(ask: Ask) -> None:
        await asyncio.sleep(ask.after)
        came = loop.time()
        granted = False
        try:
            async with asyncio.timeout(ask.gives_up_after):
                granted = await budget.acquire(ask.priority, came + ask.patience)
        except TimeoutError:
            pass
        seen.append(Seen(ask, came, loop.time(), granted))

    async def park(after: float, seconds: float) -> None:
        await asyncio.sleep(after)
        budget.park(seconds)

    await asyncio.gather(*(one(ask) for ask in asks), *(park(*each) for each in parks))
    return seen


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 20), st.integers(1, 12), st.lists(ASKS, max_size=40), PARKS)
def test_no_window_holds_more_than_the_burst_and_the_rate(
    rate: float, burst: int, asks: list[Ask], parks: list[tuple[float, float]]
) -> None:
    seen = run(_play(rate, burst, asks, parks))
    for kinds, most in ((set(Priority), burst), ({Priority.READ, Priority.BACKGROUND}, burst - min(10, burst // 2))):
        times = sorted(one.ended for one in seen if one.granted and one.ask.priority in kinds)
        for (i, first), (j, last) in itertools.combinations(enumerate(times), 2):
            assert j - i + 1 <= most + rate * (last - first) + EPSILON


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 20), st.integers(1, 12), st.lists(ASKS, max_size=40), PARKS)
def test_nobody_is_served_late_and_nobody_patient_is_left_out(
    rate: float, burst: int, asks: list[Ask], parks: list[tuple[float, float]]
) -> None:
    seen = run(_play(rate, burst, asks, parks))
    assert len(seen) == len(asks)
    for one in seen:
        if one.granted:
            assert one.ended <= one.came + one.ask.patience + EPSILON
        elif one.ask.gives_up_after is None:
            assert one.ask.patience < 1000


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 20), st.integers(1, 12), st.lists(ASKS, max_size=40))
def test_the_more_urgent_overtake_and_equals_keep_their_turn(rate: float, burst: int, asks: list[Ask]) -> None:
    seen = run(_play(rate, burst, asks, []))
    for urgent, other in itertools.product(seen, seen):
        waited = urgent.came < other.ended - EPSILON and urgent.ended > other.ended + EPSILON
        if other.granted and waited:
            assert (other.ask.priority, other.came) <= (urgent.ask.priority, urgent.came)


def test_an_order_overtakes_reads_that_came_first() -> None:
    async def play() -> list[str]:
        loop = asyncio.get_running_loop()
        budget = Budget(1, 2, clock=loop.time, timings=TIMINGS)
        order: list[str] = []

        async def ask(name: str, priority: Priority) -> None:
            assert await budget.acquire(priority, FOREVER)
            order.append(name)

        await asyncio.gather(
            ask("first", Priority.READ),
            ask("read", Priority.READ),
            ask("background", Priority.BACKGROUND),
            ask("later read", Priority.READ),
            ask("card", Priority.TICKET),
            ask("news", Priority.NEWS),
            ask("order", Priority.ORDER),
            ask("card of a close", Priority.EXIT_CARD),
            ask("exit", Priority.EXIT),
        )
        return order

    assert run(play()) == [
        "first", "order", "exit", "card of a close", "news", "card", "read", "later read", "background",
    ]  # fmt: skip


def test_reads_leave_a_reserve_for_orders_and_orders_leave_one_for_ways_out() -> None:
    async def play() -> list[int]:
        budget = Budget(0.001, 20, clock=asyncio.get_running_loop().time, timings=TIMINGS)
        given = []
        for priority in (Priority.BACKGROUND, Priority.READ, Priority.TICKET, Priority.ORDER, Priority.EXIT):
            given.append(0)
            while await budget.acquire(priority, budget.now() + 0.5):
                given[-1] += 1
        return given

    assert run(play()) == [9, 0, 1, 1, 8]


def test_a_burst_of_one_has_no_reserve() -> None:
    async def play() -> bool:
        return await Budget(1, 1, clock=asyncio.get_running_loop().time, timings=TIMINGS).acquire(Priority.BACKGROUND, FOREVER)

    assert run(play())


def test_a_free_token_is_granted_without_a_turn_of_the_loop() -> None:
    budget = Budget(1, 5, clock=time.monotonic, timings=TIMINGS)
    coroutine = budget.acquire(Priority.ORDER, budget.now() + 1)
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    assert end.value.value is True


def test_a_deadline_that_has_passed_is_refused_even_with_tokens_left() -> None:
    async def play() -> bool:
        budget = Budget(1, 5, clock=asyncio.get_running_loop().time, timings=TIMINGS)
        return await budget.acquire(Priority.EXIT, budget.now())

    assert run(play()) is False


def test_parking_empties_the_bucket_and_waits() -> None:
    async def play() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        budget = Budget(2, 20, clock=loop.time, timings=TIMINGS)
        began = loop.time()
        waiting = asyncio.create_task(budget.acquire(Priority.EXIT, FOREVER))
        budget.park(3)
        budget.park(1)
        assert await waiting
        first = loop.time() - began
        for _ in range(6):
            assert await budget.acquire(Priority.EXIT, FOREVER)
        return first, loop.time() - began

    first, seventh = run(play())
    assert first == pytest.approx(3, abs=0.01)
    # Six tokens came in while it was parked; the seventh is new.
    assert seventh == pytest.approx(3.5, abs=0.01)


@pytest.mark.parametrize("asked", [1e9, -5.0])
def test_no_answer_can_park_the_budget_for_ever_or_backwards(asked: float) -> None:
    bucket = Bucket(1, 1, 0.0, TIMINGS.longest_park)
    bucket.park(0.0, asked)
    assert not bucket.take(0.0)
    assert bucket.take(TIMINGS.longest_park)


def test_somebody_who_gives_up_takes_no_token() -> None:
    async def play() -> bool:
        budget = Budget(1, 1, clock=asyncio.get_running_loop().time, timings=TIMINGS)
        assert await budget.acquire(Priority.ORDER, FOREVER)
        waiting = asyncio.create_task(budget.acquire(Priority.ORDER, FOREVER))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await budget.acquire(Priority.ORDER, budget.now() + 1.1)

    assert run(play())


class _Hands:
    """A clock that is moved by hand, while the loop's own timers have not come round yet."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


async def test_a_token_that_comes_after_the_deadline_goes_to_the_next() -> None:
    clock = _Hands()
    budget = Budget(1, 1, clock=clock, timings=TIMINGS)
    assert await budget.acquire(Priority.ORDER, FOREVER)
    late = asyncio.create_task(budget.acquire(Priority.ORDER, 0.05))
    await asyncio.sleep(0)
    clock.at = 1.0
    assert await budget.acquire(Priority.READ, FOREVER)
    assert await late is False


async def test_a_newcomer_does_not_take_the_token_that_others_wait_for() -> None:
    clock = _Hands()
    budget = Budget(1, 1, clock=clock, timings=TIMINGS)
    assert await budget.acquire(Priority.ORDER, FOREVER)
    first = asyncio.create_task(budget.acquire(Priority.ORDER, FOREVER))
    await asyncio.sleep(0)
    clock.at = 1.0
    newcomer = asyncio.create_task(budget.acquire(Priority.ORDER, FOREVER))
    assert await first
    assert not newcomer.done()
    newcomer.cancel()
    await asyncio.gather(newcomer, return_exceptions=True)


def test_a_clock_that_runs_backwards_gives_nothing() -> None:
    bucket = Bucket(1, 1, 10.0, TIMINGS.longest_park)
    assert bucket.take(10.0)
    assert not bucket.take(5.0)
    assert not bucket.take(10.5)
    assert bucket.wait(10.5) == pytest.approx(0.5)
    assert bucket.take(11.0)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_budget_of_nothing_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="budget"):
        Budget(rate, burst, clock=time.monotonic, timings=TIMINGS)
