"""CrossTrade for both bots, in a process of its own: it notes when each order comes in, and is quick.

Reads are answered in the simulator's words, which are asked for once and kept, so that what is measured is the bots and not the
simulator. Orders are refused, after the moment that is measured, so that every run finds the same position.
"""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from bot.sandbox.ninjatrader import Simulator, running

ORDERS = "/benchmark/orders"
ACCOUNT = "Sim101"
REFUSAL = {"success": False, "error": "refused, as all orders are in this benchmark"}
# Beside the two positions that the simulator starts with, as an account in use would have them.
_WORKING = {"instrument": "MES 12-25", "orderType": "LIMIT", "timeInForce": "GTC", "quantity": 1}


class Exchange:
    """Answers every request.

    Args:
        session: leads to the simulator.

    Attributes:
        orders: when each order came in, in nanoseconds of the monotonic clock.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.orders: list[int] = []
        self._session = session
        self._known: dict[str, bytes] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; one that can change something counts as an order when its head has come in."""
        now = time.monotonic_ns()
        if request.method == "POST":
            self.orders.append(now)
            return web.json_response(REFUSAL, status=400)
        if request.path == "/ws/stream":
            return await self._stream(request)
        if request.path == ORDERS:
            return web.json_response(self.orders)
        if request.raw_path not in self._known:
            self._known[request.raw_path] = await self._ask(request.raw_path)
        return web.Response(body=self._known[request.raw_path], content_type="application/json")

    async def _stream(self, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            now = time.monotonic_ns()
            if message.type is aiohttp.WSMsgType.TEXT:
                asked: dict[str, Any] = message.json()
                self.orders.append(now)
                await socket.send_json({"id": asked["id"], "data": REFUSAL})
        return socket

    async def _ask(self, path: str) -> bytes:
        async with self._session.get(URL(path, encoded=True)) as reply:
            reply.raise_for_status()
            return await reply.read()

    async def prepare(self) -> None:
        """Put two orders far from the market."""
        for action, price in (("BUY", 100), ("SELL", 90_000)):
            order = {**_WORKING, "action": action, "limitPrice": price}
            async with self._session.post(f"/v1/api/accounts/{ACCOUNT}/orders/place", json=order) as reply:
                reply.raise_for_status()


async def main() -> None:
    """Serve; the first line says where."""
    async with AsyncExitStack() as stack:
        simulated = await stack.enter_async_context(running(Simulator(rate_limited=False)))
        session = aiohttp.ClientSession(simulated, headers={"Authorization": "Bearer any"})
        exchange = Exchange(await stack.enter_async_context(session))
        await exchange.prepare()
        runner = web.ServerRunner(web.Server(exchange.handle))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(json.dumps(f"http://127.0.0.1:{runner.addresses[0][1]}") + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
