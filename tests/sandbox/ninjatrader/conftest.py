"""A running simulator, with short delays, for each test."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import pytest
from aiohttp import ClientSession, ClientTimeout

from bot.sandbox.ninjatrader import Simulator, running

from .client import FAST, Api


class Start(Protocol):
    """Starts a simulator with these arguments."""

    def __call__(self, **arguments: Any) -> AbstractAsyncContextManager[Api]:
        """Give a client of it; it stops with the block."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A simulator that stumbles, stumbles loudly."""
    yield
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


@pytest.fixture
def start() -> Start:
    @asynccontextmanager
    async def started(**arguments: Any) -> AsyncIterator[Api]:
        chosen: dict[str, Any] = {"timing": FAST, "rate_limited": False} | arguments
        simulator = Simulator(**chosen)
        async with running(simulator) as url, ClientSession(timeout=ClientTimeout(total=10)) as http:
            yield Api(http, url, simulator)

    return started


@pytest.fixture
async def api(start: Start) -> AsyncIterator[Api]:
    async with start() as one:
        yield one
