"""The little of Discord that logging in, registering commands and connecting needs, on loopback; it can be told to misbehave."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

ME = {"id": "401", "username": "Crosstalk", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {
    "id": "401",
    "name": "Crosstalk",
    "icon": None,
    "description": "",
    "bot_public": False,
    "bot_require_code_grant": False,
    "verify_key": "",
    "owner": ME,
    "interactions_endpoint_url": None,
}
HELLO, HEARTBEAT, IDENTIFY, RESUME, ACK = 10, 1, 2, 6, 11


@dataclass
class SmallDiscord:
    """What it answers, and what it was asked.

    Attributes:
        statuses: status by path, instead of the answer.
        closes: close codes for gateway connections, in order, once they are ready; ``None`` keeps one open.
        resume_url: what READY names for resuming.
        gateways: addresses by which gateway connections came in.
        said: identifying and resuming, in order.
    """

    me: dict[str, Any] = field(default_factory=lambda: dict(ME))
    statuses: dict[str, int] = field(default_factory=dict)
    closes: list[int | None] = field(default_factory=list)
    resume_url: str = "ws://127.0.0.1:1/"
    asked: list[str] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def api(self) -> str:
        """The base of the REST API."""
        return f"{self.url}/api/v10"

    @property
    def gateway(self) -> str:
        """The gateway."""
        return f"{self.url.replace('http', 'ws')}/gateway"

    async def rest(self, request: web.Request) -> web.Response:
        """Answer a REST call."""
        path = "/" + request.match_info["path"]
        self.asked.append(f"{request.method} {path}")
        status = next((code for part, code in self.statuses.items() if part in path), 200)
        return web.Response(status=status, body=json.dumps(self._answer(path, status)).encode(), content_type="application/json")

    def _answer(self, path: str, status: int) -> Any:
        if status != 200:
            return {"message": "no", "code": 0}
        if path == "/users/@me":
            return self.me
        if path == "/gateway/bot":
            return {"url": self.gateway, "shards": 1, "session_start_limit": {}}
        return [] if path.endswith("/commands") else APPLICATION

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one gateway connection."""
        self.gateways.append(request.path)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": 45000}, "s": None, "t": None})
        async for message in socket:
            await self._hear(socket, message.json()["op"])
        return socket

    async def _hear(self, socket: web.WebSocketResponse, op: int) -> None:
        if op == HEARTBEAT:
            await socket.send_json({"op": ACK})
            return
        if op not in (IDENTIFY, RESUME):
            return
        self.said.append("identify" if op == IDENTIFY else "resume")
        ready = {"session_id": "s", "resume_gateway_url": self.resume_url, "user": self.me, "guilds": []}
        event = ("READY", ready) if op == IDENTIFY else ("RESUMED", {})
        await socket.send_json({"op": 0, "s": 1, "t": event[0], "d": event[1]})
        code = self.closes.pop(0) if self.closes else None
        if code is not None:
            await socket.close(code=code)


@asynccontextmanager
async def serving(small: SmallDiscord) -> AsyncIterator[SmallDiscord]:
    """Serve it on a port of loopback."""
    app = web.Application()
    app.router.add_get("/gateway", small.socket)
    app.router.add_route("*", "/api/v10/{path:.*}", small.rest)
    async with TestServer(app) as server:
        small.url = f"http://{server.host}:{server.port}"
        yield small
