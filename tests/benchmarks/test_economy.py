"""The benches over a distance: how bytes travel there, what counts as a wrong order, and a short slice of each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession, WSMsgType, web

from benchmarks.distance import OPENING_TRIPS, Distance
from benchmarks.economy import measure, report
from benchmarks.far import Shown, Side, is_order
from benchmarks.latency import measure_far
from benchmarks.stage import Name
from benchmarks.table import far_table
from benchmarks.workloads import Order, Pace, wrong

QUICK = Pace(orders=2, warm_up=1, every=1.5, thumb=0.1)
AWAY = 0.02
NANOSECONDS = 1_000_000_000
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@asynccontextmanager
async def place() -> AsyncIterator[str]:
    """Something that answers with what it was sent, over HTTP and over a WebSocket."""

    async def echo(request: web.Request) -> web.StreamResponse:
        if "upgrade" not in request.headers:
            return web.Response(body=await request.read())
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_bytes_come_in_their_order_and_never_early() -> None:
    distance, loop = Distance(AWAY), asyncio.get_running_loop()
    async with place() as url, distance.to(url), ClientSession(distance.url) as session:
        for trips in (OPENING_TRIPS + 1, 1):
            began = loop.time()
            async with session.post("/there", data=b"x" * 300_000) as reply:
                assert await reply.read() == b"x" * 300_000
            assert loop.time() - began >= trips * AWAY
        async with session.ws_connect("/stream") as socket:
            texts = [f"{number} " + "y" * (40 * number) for number in range(60)]
            for text in texts:
                await socket.send_str(text)
            assert [await socket.receive_str() for _ in texts] == texts
    said = [one.said for one in distance.departures]
    assert [one.partition(b" ")[0] for one in said if one.startswith((b"POST ", b"GET "))] == [b"POST", b"POST", b"GET"]
    assert [one.decode() for one in said if one.decode(errors="replace") in texts] == texts
    moments = [one.at for one in distance.arrivals]
    assert moments == sorted(moments)
    assert all(one.at - one.sent >= AWAY / 2 * NANOSECONDS for one in distance.arrivals)
    assert distance.reached(distance.arrivals[-1].sent + 1) is None


async def test_a_place_that_hangs_up_or_is_not_there_is_heard_of() -> None:
    gone, distance = Distance(AWAY), Distance(AWAY)
    async with place() as url, distance.to(url):
        reading, writing = await asyncio.open_connection("127.0.0.1", int(distance.url.rpartition(":")[2]))
        writing.write(b"nonsense\r\n\r\n")
        assert b"400" in await reading.read()
        writing.close()
    async with gone.to(url):
        reading, writing = await asyncio.open_connection("127.0.0.1", int(gone.url.rpartition(":")[2]))
        with suppress(ConnectionError):
            assert await reading.read() == b""
        writing.close()


def test_an_order_is_told_from_all_else_that_leaves_a_bot() -> None:
    assert is_order(b"POST /v1/api/accounts/D-01/orders/place HTTP/1.1\r\n", "D-01")
    assert is_order(b'{"action": "rpc", "api": "PlaceOrder", "args": {"account": "D-01"}}', "D-01")
    for other in (
        b"POST /v1/api/accounts/D-02/orders/place HTTP/1.1\r\n",
        b"GET /v1/api/accounts/D-01/orders HTTP/1.1\r\n",
        b'{"action": "rpc", "api": "PlaceOrder", "args": {"account": "D-02"}}',
        b'{"action": "subscribe", "instruments": ["D-01"]}',
    ):
        assert not is_order(other, "D-01")


@dataclass
class Told:
    """A side whose cards say whether their order was sent, and whose CrossTrade had orders after so many seconds."""

    sent: bool
    came: list[float] = field(default_factory=list)
    name: Name = Name.CROSSTALK

    def orders(self, _account: str) -> list[Any]:
        return [type("Came", (), {"time": NOON + timedelta(seconds=after), "had_effect": self.sent}) for after in self.came]

    def says_sent(self, _card: Shown) -> bool:
        return self.sent

    def title(self, _card: Shown) -> str:
        return "accepted" if self.sent else "denied"


@pytest.mark.parametrize(
    ("told", "presses", "words"),
    [
        (Told(sent=True, came=[0.1, 8.1]), [0, 8], []),
        (Told(sent=False), [0], []),
        (Told(sent=False, came=[0.1, 0.2]), [0], []),
        (Told(sent=True), [0], ["no order, but its card says “accepted”"]),
        (Told(sent=True, came=[0.1, 0.2]), [0], ["2 orders of one press"]),
        (Told(sent=True, came=[-0.1, 0.1]), [0], ["1 orders that nobody had pressed"]),
        (Told(sent=False, came=[0.1]), [], ["1 orders that nobody had pressed"]),
        (Told(sent=True, came=[8.1, 8.2]), [0, 8], ["no order", "2 orders of one press"]),
    ],
)
def test_orders_that_are_doubled_missing_or_unpressed_are_told(told: Told, presses: list[int], words: list[str]) -> None:
    card = Shown(0, 1, "D-01")
    orders = [Order("D-01", 0, card, pressed=NOON + timedelta(seconds=after)) for after in presses]
    lines = list(wrong(cast("Side", told), orders, ["D-01"]))
    assert len(lines) == len(words)
    assert all(word in line for word, line in zip(words, lines, strict=True))


@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_both_bots_are_measured_over_a_distance(tmp_path: Path, transport: str) -> None:
    figures = await measure_far(QUICK, transport, tmp_path)
    for measured in (figures.slash, figures.confirm):
        assert {name: len(values) for name, values in measured.items()} == dict.fromkeys(Name, 2)
        assert all(value > 0 for values in measured.values() for value in values)
    text = far_table(QUICK, transport, figures)
    for words in ("80 ms", "60 ms", "added", "ratio", "order at CrossTrade's door", "slash event", transport):
        assert words in text


async def test_every_request_of_an_order_is_counted(tmp_path: Path) -> None:
    figures = await measure(QUICK, 3, "rest", tmp_path, rest=0.0)
    assert figures.wrong == []
    assert figures.steady[Name.BARE].asked == {"PlaceOrder": 2}
    assert figures.steady[Name.CROSSTALK].asked["PlaceOrder"] == 2
    for name, played in figures.bursts.items():
        assert (len(played.orders), played.not_sent) == (3, {}), name
        assert played.read["PlaceOrder"] == 3
        assert all(order.left is not None for order in played.orders)
    text = report(figures, QUICK, "rest")
    for words in ("requests for each order", "added to", "PlaceOrder", "last order left", "goal", "or unpressed orders: 0"):
        assert words in text
