"""What the request budget was spent on: counted by purpose, forgotten after a minute, kept since the start."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade import CrossTrade
from bot.crosstrade.budget import Budget, Priority
from bot.crosstrade.counts import Counts
from bot.errors import BrokerUnreachable
from bot.timings import USUAL, CrossTradeTimings
from bot.trading.orders.intents import Cancel
from bot.trading.orders.outcomes import NotSent
from bot.trading.orders.terms import Side, Terms

from .conftest import Connect
from .intents import ES, reverse, soon

FOREVER = float("inf")


def test_the_last_minute_is_forgotten_request_by_request_and_the_whole_run_is_not() -> None:
    counts = Counts(["orders", "news", "cards"])
    assert counts.lately(0.0) == {}
    counts.note("orders", 0.0)
    counts.note("news", 30.0)
    counts.note("orders", 59.9)
    assert counts.lately(59.9) == {"orders": 2, "news": 1}
    assert counts.lately(60.0) == {"orders": 1, "news": 1}
    assert counts.lately(90.0) == {"orders": 1}
    assert counts.lately(1000.0) == {}
    assert counts.ever == {"orders": 2, "news": 1, "cards": 0}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 40)), max_size=40), st.floats(0, 90))
def test_whenever_it_is_asked_it_counts_what_was_made_in_the_minute_before(made: list[tuple[str, float]], later: float) -> None:
    counts, now, times = Counts("abc"), 0.0, list[tuple[float, str]]()
    for purpose, after in made:
        now += after
        counts.note(purpose, now)
        times.append((now, purpose))
    now += later
    expected = [purpose for at, purpose in times if at > now - 60]
    assert counts.lately(now) == {purpose: expected.count(purpose) for purpose in "abc" if purpose in expected}
    assert sum(counts.ever.values()) == len(made)


def test_every_priority_says_in_words_of_its_own_what_its_requests_are_for() -> None:
    assert len({priority.purpose for priority in Priority}) == len(Priority)
    assert sorted(Priority) == list(Priority) == list(range(len(Priority)))


async def test_only_requests_that_were_granted_are_counted_at_once_or_after_a_wait() -> None:
    now = [0.0]
    budget = Budget(2.0, 2, clock=lambda: now[0], timings=USUAL.crosstrade)
    assert await budget.acquire(Priority.EXIT, FOREVER)
    assert await budget.acquire(Priority.EXIT, FOREVER)
    assert not await budget.acquire(Priority.READ, now[0])
    waiting = asyncio.create_task(budget.acquire(Priority.NEWS, FOREVER))
    gives_up = asyncio.create_task(budget.acquire(Priority.BACKGROUND, FOREVER))
    await asyncio.sleep(0)
    assert budget.spending.lately == {"ways out": 2}
    gives_up.cancel()
    await asyncio.gather(gives_up, return_exceptions=True)
    now[0] = 1.0
    assert await waiting
    assert budget.spending.lately == {"ways out": 2, "news of orders": 1}
    assert budget.spending.allowed == 120
    now[0] = 60.0
    assert budget.spending.lately == {"news of orders": 1}
    assert budget.spending.ever == {priority.purpose: 0 for priority in Priority} | {"ways out": 2, "news of orders": 1}


@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_a_client_counts_reads_and_calls_by_what_they_are_for(connect: Connect, transport: str) -> None:
    client: CrossTrade = await connect(transport=transport)
    assert client.vitals().spending.lately == {}
    await client.positions("Sim101")
    for reader, times in (
        (client.lane(Priority.READ), 2),
        (client.lane(Priority.BACKGROUND), 3),
        (client.lane(Priority.NEWS), 1),
        (client.lane(Priority.EXIT), 1),
    ):
        for _ in range(times):
            await reader.positions("Sim101")
    await client.lane(Priority.EXIT_CARD).accounts()
    await client.send(reverse(), deadline=soon())
    # The call of a way out goes first whoever makes it.
    await client.lane(Priority.READ).send(Cancel("Sim101", ES, Terms(Side.BUY, 1), "o1"), deadline=soon())
    assert client.vitals().spending.lately == {
        "ways out": 2,
        "cards of ways out": 1,
        "orders": 1,
        "news of orders": 1,
        "cards and evidence": 1,
        "commands that only read": 2,
        "watching and suggestions": 3,
    }
    assert client.lane(Priority.BACKGROUND).vitals().spending == client.vitals().spending


async def test_what_finds_no_turn_in_the_budget_is_not_counted(connect: Connect) -> None:
    client: CrossTrade = await connect(rate=0.001, burst=1, timings=CrossTradeTimings(read=0.05))
    await client.positions("Sim101")
    with pytest.raises(BrokerUnreachable):
        await client.lane(Priority.READ).positions("Sim101")
    assert isinstance(await client.send(reverse(), deadline=datetime(2020, 1, 1, tzinfo=UTC)), NotSent)
    assert client.vitals().spending.lately == {"cards and evidence": 1}
