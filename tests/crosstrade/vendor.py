"""A CrossTrade written by hand: it keeps a book of positions and orders, remembers what it heard, and misbehaves on request."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import WSMsgType, web

TOKEN = "tok-4711-secret"
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it stood on the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer next, instead of what the book would say."""

    status: int = 200
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)


def told(status: int, body: object, **headers: str) -> Answer:
    """Make an answer of a JSON value."""
    return Answer(status, json.dumps(body), {name.replace("_", "-"): value for name, value in headers.items()})


class Vendor:
    """REST and stream of one user with the account Sim101.

    Attributes:
        frames: the RPCs that came, which ``on_rpc`` answers.
        asks: the other frames that came, which nobody answers.
        prices: last prices by instrument; bid and ask are a tick around.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.frames: list[dict[str, Any]] = []
        self.asks: list[dict[str, Any]] = []
        self.next: deque[Answer] = deque()
        self.positions = {"ES 09-26": 2}
        self.orders: dict[str, dict[str, Any]] = {}
        self.prices = {"ES 09-26": 5800.0, "NQ 09-26": 20000.0}
        self.market_open: bool | None = True
        self.sockets: list[web.WebSocketResponse] = []
        self.handshakes = 0
        self.pings = 0
        self.is_deaf = False
        self.handshake_status = 101
        self.on_rpc: Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[None]] = self.answer_rpc
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Vendor"]:
        """Serve on a free port of loopback."""
        app = web.Application()
        app.router.add_get("/ws/stream", self._stream)
        app.router.add_route("*", "/{tail:.*}", self._rest)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            for socket in self.sockets:
                await socket.close()
            await runner.cleanup()

    async def reverse(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Do what POST Reverse Position does, to the book."""
        instrument = body["instrument"]
        if not self.positions.get(instrument):
            return 400, {"error": f"No position found for instrument '{instrument}' in account 'sim101'"}
        order_id = f"{len(self.orders) + 1:032x}"
        self.positions[instrument] = body["quantity"] * (1 if body["action"] == "BUY" else -1)
        self.orders[order_id] = body
        return 200, {"orderId": order_id, "success": True}

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.heard.append(Heard(request.method, request.raw_path, dict(request.headers), text))
        if self.next:
            answer = self.next.popleft()
            raw = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
            return web.Response(status=answer.status, body=raw, headers=answer.headers)
        path, _, query = request.raw_path.partition("?")
        status, body = await self._answer(request.method, path, query, text)
        return web.json_response(body, status=status)

    def reads(self, call: str) -> int:
        """How many REST reads of a kind came."""
        return sum(1 for heard in self.heard if heard.method == "GET" and call in heard.target)

    async def push(self, *frames: object) -> None:
        """Send frames on the newest connection; text goes out as it stands."""
        for frame in frames:
            await self.sockets[-1].send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def _answer(self, method: str, path: str, query: str, text: str) -> tuple[int, object]:
        parts = [unquote(part) for part in path.removeprefix("/v1/api/").split("/")]
        match method, parts:
            case "POST", ["accounts", _, "positions", "reverseposition"]:
                return await self.reverse(json.loads(text))
            case "GET", ["market", "quote"]:
                instrument = unquote(query.removeprefix("instrument="))
                return 200, _quote(instrument, self.prices[instrument], self.market_open)
            case "GET", ["accounts"]:
                return 200, {"success": True, "accounts": [{"name": "Sim101"}]}
            case "GET", ["accounts", _, "positions"]:
                return 200, {"success": True, "positions": [_position(*item) for item in self.positions.items()]}
            case _:
                return 404, {"success": False, "error": "not_found", "did_you_mean": "/v1/api/accounts"}

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.handshakes += 1
        if self.handshake_status != 101:
            return web.Response(status=self.handshake_status)
        self.heard.append(Heard("WS", request.raw_path, dict(request.headers), ""))
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.PING:
                self.pings += 1
                if not self.is_deaf:
                    await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                frame = json.loads(message.data)
                if frame["action"] != "rpc":
                    self.asks.append(frame)
                    continue
                self.frames.append({**frame, "raw": message.data})
                await self.on_rpc(socket, frame)
        return socket

    async def answer_rpc(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        """Answer an RPC as the documented frame does."""
        _, body = await self.reverse(frame["args"])
        await socket.send_json({"id": frame["id"], "data": body})


def _position(instrument: str, quantity: int) -> dict[str, Any]:
    return {
        "type": "NinjaTrader.Cbi.Position",
        "account": "Sim101",
        "instrument": instrument,
        "instrumentType": "Future",
        "marketPosition": "Long" if quantity > 0 else "Short",
        "quantity": abs(quantity),
        "averagePrice": 5779.8125,
        "marketPrice": 5797.0,
        "unrealizedProfitLoss": 3437.5,
    }


def _quote(instrument: str, last: float, market_open: bool | None) -> dict[str, Any]:
    return {
        "tickSize": 0.25,
        "pointValue": 50.0,
        "instrument": instrument,
        "bid": last - 0.25,
        "ask": last + 0.25,
        "last": last,
        "epoch": 1773867114,
        "isMarketOpen": market_open,
    }


def row(instrument: str = "ES 09-26", last: float = 5800.0, volume: int = 1000) -> dict[str, Any]:
    """One row of a marketData frame."""
    return {"instrument": instrument, "last": last, "bid": last - 0.25, "ask": last + 0.25, "volume": volume}


def quotes(*rows: object) -> dict[str, Any]:
    """A marketData frame."""
    return {"type": "marketData", "quotes": list(rows)}


class RawServer:
    """A server below HTTP: it keeps the bytes of each request and answers with bytes, or not at all."""

    def __init__(self, answer: Callable[["RawServer", asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answer = answer
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["RawServer"]:
        """Serve on a free port of loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
                self.requests.append(head + await reader.readexactly(int(length.partition(b":")[2])))
                await self._answer(self, writer)
        writer.close()


def http(body: str, status: str = "200 OK", *extra: str) -> bytes:
    """Write an HTTP answer."""
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body.encode())}", *extra]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)
