"""The REST side: paths under /v1/api, bearer token, bodies in and out. What a call does is elsewhere."""

import asyncio
import contextlib
import difflib
import math
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from . import texts
from .calls import Call
from .catalogue import CALLS
from .cloud import Cloud, Reply, wrong_path
from .faults import Kind
from .wire import loads

PREFIX = "/v1/api"
JSON = "application/json"
DRIP_PIECES = 20
WRONG_PATH = "wrong path"


def add_routes(app: web.Application, cloud: Cloud) -> None:
    """Put every call of the catalogue and the texts on their paths, and a 404 with did_you_mean on all others."""
    texts.add_routes(app, PREFIX)
    for call in CALLS:
        handler = _call_handler(cloud, call)
        for path in filter(None, (call.path, call.other_path)):
            app.router.add_route(call.method, f"{PREFIX}/{path}", handler)
    app.router.add_route("*", f"{PREFIX}/{{tail:.*}}", _wrong_path_handler(cloud))


def _call_handler(cloud: Cloud, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        text = (await request.read()).decode("utf-8", "replace")
        try:
            body = loads(text) if text.strip() else {}
        except ValueError:
            body = text
        record = cloud.note(call, transport="rest", path=request.raw_path, headers=request.headers, text=text, body=body)
        token, refused = _admitted(cloud, request, call.name)
        if refused is None and not isinstance(body, dict):
            refused = Reply(400, {"error": "Invalid request"})
        if refused is not None:
            record.status = refused.status
            return await _send(cloud, request, refused)
        # The path wins: a body cannot name another account.
        args = {**body, **request.query, **request.match_info}
        return await _send(cloud, request, await cloud.perform(call, args, record, token))

    return handle


def _admitted(cloud: Cloud, request: web.Request, call: str) -> tuple[str, Reply | None]:
    """Give the token, and the refusal if it is none or has nothing left of its budget."""
    token = cloud.bearer(request.headers.get("Authorization"))
    if token is None:
        return "", Reply(401, {"success": False, "error": "unauthorized"})
    return token, cloud.over_budget(token, call)


def _wrong_path_handler(cloud: Cloud) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    shapes = {f"{call.method} {PREFIX}/{path}" for call in CALLS for path in (call.path, call.other_path) if path}

    async def handle(request: web.Request) -> web.StreamResponse:
        _, refused = _admitted(cloud, request, WRONG_PATH)
        if refused is not None:
            return await _send(cloud, request, refused)
        near = difflib.get_close_matches(f"{request.method} {request.path}", sorted(shapes), n=1, cutoff=0)
        return await _send(cloud, request, wrong_path(f"No endpoint {request.method} {request.path}", near[0]))

    return handle


async def _send(cloud: Cloud, request: web.Request, reply: Reply) -> web.StreamResponse:
    if reply.lost is not None:
        hang_up(request, reset=reply.lost is Kind.RESET)
        return web.Response()
    headers = {"Date": format_datetime(cloud.dated(), usegmt=True)}
    if reply.retry_after is not None:
        headers["Retry-After"] = str(reply.retry_after)
    text = reply.payload
    if reply.drip is not None:
        return await _drip(request, reply, text.encode(), headers)
    is_page = text.lstrip().startswith("<")
    return web.Response(status=reply.status, text=text, headers=headers, content_type="text/html" if is_page else JSON)


async def _drip(request: web.Request, reply: Reply, data: bytes, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers={**headers, "Content-Type": JSON})
    response.content_length = len(data)
    await response.prepare(request)
    size = max(1, math.ceil(len(data) / DRIP_PIECES))
    with contextlib.suppress(ConnectionError):
        for place in range(0, len(data), size):
            await asyncio.sleep((reply.drip or 0) / DRIP_PIECES)
            await response.write(data[place : place + size])
        await response.write_eof()
    return response


def hang_up(request: web.BaseRequest, *, reset: bool) -> None:
    """Close the connection without an answer; `reset` makes it an RST instead of an orderly end."""
    transport = request.transport
    if transport is None:
        return
    plug: Any = transport.get_extra_info("socket")
    if reset and plug is not None:
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
