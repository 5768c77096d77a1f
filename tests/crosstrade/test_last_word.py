"""What may stand against an order in the very moment in which it would leave: then no byte of it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from bot.trading.orders.intents import Change, Intent
from bot.trading.orders.outcomes import Accepted, NotSent
from bot.trading.orders.terms import OrderType, Side, Terms

from .conftest import Connect
from .intents import ES, reverse, soon
from .vendor import Vendor, http, until

ACCEPTED = '{"orderId":"cb1f","success":true}'
TERMS = Terms(Side.BUY, 1, type=OrderType.LIMIT, limit=Decimal(5800))
CHANGE = Change("Sim101", ES, replace(TERMS, limit=Decimal(5801)), "cb1f", TERMS)
WHY = "Another bot leads this desk now, so nothing was sent."


@dataclass
class Wire:
    """A server that keeps every byte that comes in."""

    url: str = ""
    heard: bytearray = field(default_factory=bytearray)
    connections: int = 0
    gone: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while chunk := await reader.read(65536):
            self.heard += chunk
            writer.write(http(ACCEPTED))
        writer.close()
        self.gone += 1


@asynccontextmanager
async def wired() -> AsyncIterator[Wire]:
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield wire


class Word:
    """Says nothing at first, and whether a connection stood when it was asked."""

    def __init__(self) -> None:
        self.why: str | None = None
        self.asked = 0

    def __call__(self) -> str | None:
        self.asked += 1
        return self.why


@pytest.mark.parametrize("action", [reverse(), CHANGE], ids=["POST", "PUT"])
async def test_over_rest_no_byte_leaves_although_the_connection_stands(connect: Connect, action: Intent) -> None:
    word = Word()
    async with wired() as wire:
        client = await connect(wire.url, why_not=word)
        assert isinstance(await client.send(action, deadline=soon()), Accepted)
        sent = bytes(wire.heard)
        assert sent
        word.why = WHY
        assert await client.send(action, deadline=soon()) == NotSent(WHY)
        await until(lambda: wire.gone == wire.connections)
        assert bytes(wire.heard) == sent
        assert word.asked == 2
        # What stood against one doesn't stand against the next.
        word.why = None
        assert isinstance(await client.send(action, deadline=soon()), Accepted)
        assert len(wire.heard) > len(sent)


async def test_it_is_asked_after_the_budget_was_waited_for_and_the_connection_was_made(connect: Connect) -> None:
    word = Word()
    async with wired() as wire:
        client = await connect(wire.url, why_not=word, rate=5.0, burst=1)
        assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
        sending = asyncio.create_task(client.send(reverse(), deadline=soon()))
        await asyncio.sleep(0)
        assert word.asked == 1, "the second one still waits for its turn"
        word.why = WHY
        assert await sending == NotSent(WHY)


async def test_over_the_stream_no_frame_leaves(vendor: Vendor, connect: Connect) -> None:
    word = Word()
    client = await connect(why_not=word, transport="websocket")
    word.why = WHY
    assert await client.send(reverse(), deadline=soon()) == NotSent(WHY)
    assert vendor.frames == []
    word.why = None
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    assert len(vendor.frames) == 1


async def test_reads_go_on(vendor: Vendor, connect: Connect) -> None:
    client = await connect(why_not=lambda: WHY)
    assert len(await client.positions("Sim101")) == 1
