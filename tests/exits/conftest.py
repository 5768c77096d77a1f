"""The random runs in batches, so that workers share them out and each batch is large enough to hold every kind of end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.sandbox.virtual import HostClock, VirtualLoop, foreign_seams, loop_factories

BATCH = 20


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> object:
    return loop_factories(config, item)


@pytest.fixture(autouse=True)
async def host() -> AsyncIterator[HostClock]:
    """The clock of the one machine on which everything runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = HostClock(loop)
    with foreign_seams(loop, clock, 0):
        yield clock


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    runs = metafunc.config.getoption("random_runs")
    batches = [range(start, min(start + BATCH, runs)) for start in range(0, runs, BATCH)]
    metafunc.parametrize("seeds", batches, ids=[f"{batch.start} to {batch.stop - 1}" for batch in batches])
