"""A plain client for the tests: REST, control levers, RPC frames, and waiting for a state. It shares nothing with the bot."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from bot.sandbox.ninjatrader import Simulator, Timing

FAST = Timing(step=0.002, fill=0.003, reject=0.02, close_wait=0.25, tick=0.01, quotes=0.02)
PATIENCE = 5.0

Answer = tuple[int, Any]


async def until(look: Callable[[], Awaitable[Any]], good: Callable[[Any], object]) -> Any:
    """Look again until what is seen is good; TimeoutError after some seconds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = await look()
            if good(seen):
                return seen
            await asyncio.sleep(0.002)


class Api:
    """One client of one simulator."""

    def __init__(self, http: ClientSession, url: str, simulator: Simulator) -> None:
        self.http = http
        self.url = url
        self.simulator = simulator
        self.headers = {"Authorization": "Bearer secret"}

    async def send(self, method: str, path: str, body: object = None) -> Answer:
        """One REST call; a body that is not JSON comes back as its text."""
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, f"{self.url}/v1/api/{path}", data=data, headers=self.headers) as reply:
            text = await reply.text()
        try:
            return reply.status, json.loads(text)
        except ValueError:
            return reply.status, text

    async def get(self, path: str) -> Any:
        """A read that must succeed."""
        status, body = await self.send("GET", path)
        assert status == 200, body
        return body

    async def post(self, path: str, body: object = None) -> Any:
        """An action that must succeed."""
        status, answer = await self.send("POST", path, {} if body is None else body)
        assert status == 200, answer
        return answer

    async def control(self, lever: str, **data: object) -> Any:
        """Pull a control lever."""
        async with self.http.post(f"{self.url}/control/{lever}", json=data) as reply:
            answer = await reply.json()
        assert reply.status == 200, answer
        return answer

    async def fault(self, kind: str, call: str = "*", **details: object) -> None:
        """Switch one fault on."""
        await self.control("faults", rules=[{"kind": kind, "call": call, **details}])

    async def book(self) -> Any:
        """The truth."""
        async with self.http.get(f"{self.url}/control/book") as reply:
            return await reply.json()

    async def order(self, **changes: object) -> str:
        """Place an order for Sim102 and give its id."""
        body = {"instrument": "ES 09-26", "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}
        answer = await self.post("accounts/Sim102/orders/place", body | changes)
        return str(answer["orderId"])

    async def order_in(self, order_id: str, *states: str) -> Any:
        """Wait until an order of Sim102 is in one of these states, and give its row."""
        return await until(lambda: self.get(f"accounts/Sim102/orders/{order_id}"), lambda row: row["orderState"] in states)

    async def held(self, account: str, instrument: str) -> int:
        """The signed position."""
        rows = (await self.get(f"accounts/{account}/positions"))["positions"]
        signs = {"Long": 1, "Short": -1}
        return sum(signs[row["marketPosition"]] * row["quantity"] for row in rows if row["instrument"] == instrument)

    async def holds(self, account: str, instrument: str, quantity: int) -> None:
        """Wait until the signed position is this."""
        await until(lambda: self.held(account, instrument), lambda held: held == quantity)

    async def stream(self) -> ClientWebSocketResponse:
        """Open the WebSocket."""
        return await self.http.ws_connect(f"{self.url}/ws/stream", headers=self.headers)


async def rpc(ws: ClientWebSocketResponse, api: str, **args: object) -> Any:
    """One RPC: the reply's data."""
    await ws.send_json({"action": "rpc", "id": "r1", "api": api, "args": args})
    return (await frame(ws, lambda one: one.get("id") == "r1"))["data"]


async def frame(ws: ClientWebSocketResponse, good: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The next frame that is good; others are skipped."""
    async with asyncio.timeout(PATIENCE):
        while True:
            one: dict[str, Any] = await ws.receive_json()
            if good(one):
                return one
