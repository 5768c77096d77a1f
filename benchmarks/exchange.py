"""CrossTrade for both bots, in a process of its own: it notes when each order comes in, and is as quick as can be.

Reads are answered in the simulator's words, which are asked for once and kept, so that what is measured is the bots and not the
simulator. Orders are refused, after the moment that is measured, so that every run finds the same position. Who subscribes to
prices gets them once a second.
"""

import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, cast
from urllib.parse import quote

import aiohttp
from aiohttp import web
from yarl import URL

from bot.sandbox.ninjatrader import Simulator, running

ORDERS = "/benchmark/orders"
STREAM = "/ws/stream"
ACCOUNT = "Sim101"
REFUSAL = {"success": False, "error": "refused, as all orders are in this benchmark"}
# Beside the two positions that the simulator starts with, as an account in use would have them.
_WORKING = {"instrument": "MES 12-25", "orderType": "LIMIT", "timeInForce": "GTC", "quantity": 1}
# About as often as CrossTrade does (seen by others).
PUSH_SECONDS = 1.0
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_END = b"\r\n\r\n"


class Exchange:
    """The simulator's facts and what came in.

    Args:
        session: leads to the simulator.

    Attributes:
        orders: when each order came in, in nanoseconds of the monotonic clock.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.orders: list[int] = []
        self._session = session
        self._known: dict[str, bytes] = {}

    def answer(self, method: str, path: str, now: int) -> bytes | None:
        """The answer, if it is known; what can change something counts as an order."""
        if method == "POST":
            self.orders.append(now)
            return _response(400, json.dumps(REFUSAL).encode())
        if path == ORDERS:
            return _response(200, json.dumps(self.orders).encode())
        return self._known.get(path)

    async def ask(self, path: str) -> bytes:
        """Ask the simulator, and keep its answer."""
        async with self._session.get(URL(path, encoded=True)) as reply:
            self._known[path] = _response(reply.status, await reply.read())
        return self._known[path]

    async def stream(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a WebSocket: every RPC on it is an order, and who subscribes gets prices."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        instruments: set[str] = set()
        pushing = asyncio.create_task(self._push(socket, instruments))
        try:
            async for message in socket:
                now = time.monotonic_ns()
                asked: dict[str, Any] = message.json()
                if asked["action"] == "rpc":
                    self.orders.append(now)
                    await socket.send_json({"id": asked["id"], "data": REFUSAL})
                elif asked["action"] == "subscribe":
                    instruments |= {*asked.get("instruments", ())}
        finally:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    async def _push(self, socket: web.WebSocketResponse, instruments: set[str]) -> None:
        """Push prices as CrossTrade does: they stand still here, and the volume goes on."""
        for volume in itertools.count(1):
            await asyncio.sleep(PUSH_SECONDS)
            quotes = [await self._quote(instrument) for instrument in sorted(instruments)]
            rows = [{name: one[name] for name in ("instrument", "last", "bid", "ask")} | {"volume": volume} for one in quotes]
            if rows:
                await socket.send_json({"type": "marketData", "quotes": rows})

    async def _quote(self, instrument: str) -> dict[str, Any]:
        path = f"/v1/api/market/quote?instrument={quote(instrument)}"
        response = self._known.get(path) or await self.ask(path)
        body: dict[str, Any] = json.loads(response.partition(_END)[2])
        return body

    async def prepare(self) -> None:
        """Put two orders far from the market."""
        for action, price in (("BUY", 100), ("SELL", 90_000)):
            order = {**_WORKING, "action": action, "limitPrice": price}
            async with self._session.post(f"/v1/api/accounts/{ACCOUNT}/orders/place", json=order) as reply:
                reply.raise_for_status()


class Connection(asyncio.Protocol):
    """One connection. A whole web server would take longer over the four reads of a press than the bot does."""

    def __init__(self, exchange: Exchange, streams: Callable[[], asyncio.Protocol]) -> None:
        self._exchange = exchange
        self._streams = streams
        self._heard = b""
        self._asking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is there whole."""
        now = time.monotonic_ns()
        self._heard += data
        while _END in self._heard:
            head, _, rest = self._heard.partition(_END)
            method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            if path == STREAM:
                self._hand_over()
                return
            length = int(found[1]) if (found := _LENGTH.search(head)) else 0
            if len(rest) < length:
                return
            self._heard = rest[length:]
            if (known := self._exchange.answer(method, path, now)) is not None:
                self._transport.write(known)
            else:
                self._asking = asyncio.create_task(self._ask(path))

    async def _ask(self, path: str) -> None:
        self._transport.write(await self._exchange.ask(path))

    def _hand_over(self) -> None:
        protocol = self._streams()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._heard)


def _response(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}{_END.decode()}".encode() + body


async def main() -> None:
    """Serve; the first line says where."""
    async with AsyncExitStack() as stack:
        simulated = await stack.enter_async_context(running(Simulator(rate_limited=False)))
        session = aiohttp.ClientSession(simulated, headers={"Authorization": "Bearer any"})
        exchange = Exchange(await stack.enter_async_context(session))
        await exchange.prepare()
        streams = web.Server(exchange.stream)
        server = await asyncio.get_running_loop().create_server(lambda: Connection(exchange, streams), "127.0.0.1", 0)
        sys.stdout.write(json.dumps(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") + "\n")
        sys.stdout.flush()
        await stack.enter_async_context(server)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
