"""A vendor on loopback, and clients for it."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.clock import system_clock
from bot.crosstrade import CrossTrade
from bot.timings import CrossTradeTimings

from .vendor import TOKEN, Vendor

Connect = Callable[..., Any]
# For calls that are to run out of time; not much less, as machines are busy at times.
QUICK = CrossTradeTimings(read=0.5, write=0.5)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with Vendor().running() as running:
        yield running


@pytest.fixture
async def connect(vendor: Vendor) -> AsyncIterator[Connect]:
    """Open clients for the vendor, or for another address, and close them at the end."""
    numbers = itertools.count(1)

    async with AsyncExitStack() as stack:

        async def open_client(url: str | None = None, **options: Any) -> CrossTrade:
            # What a test says of requests, no stream shall add to.
            streamed = options.get("transport") == "websocket"
            generous: dict[str, Any] = {"rate": 1000.0, "burst": 1000, "clock": system_clock(), "streamed": streamed}
            client = CrossTrade(url or vendor.url, TOKEN, new_id=lambda: f"rpc-{next(numbers)}", **(generous | options))
            await stack.enter_async_context(client)
            if client.stream is not None and vendor.handshake_status == 101 and url is None:
                await client.stream.opened()
            return client

        yield open_client
