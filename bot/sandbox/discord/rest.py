"""The REST API and the files it hands out: requests become calls of SimCord's router, and are kept for tests to read.

The rules of each route are SimCord's; here are the token, uploads, faults, nonces and the wire form of answers.
"""

import asyncio
import io
import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import format_datetime
from typing import Any

import discord
from aiohttp import BodyPartReader, web
from simcord import BackendError

from bot.sandbox.discord._simcord import (
    CDN_BASE,
    NumberedBackend,
    RouteNotImplemented,
    UnsupportedField,
    dispatch,
    message_payload,
)
from bot.sandbox.discord.faults import Fault, Faults, Loss
from bot.sandbox.discord.watch import Watch

_log = logging.getLogger(__name__)

# Interaction answers carry their right in the address.
_WITHOUT_TOKEN = re.compile(r"/(interactions/\d+/[^/]+/callback|webhooks/\d+/[^/]+(/.*)?)\Z")
_CALLBACK = re.compile(r"/interactions/(\d+)/[^/]+/callback\Z")
_POST_MESSAGE = re.compile(r"/channels/(\d+)/messages\Z")
_MESSAGES = re.compile(r"/channels/(\d+)/messages(/\d+)?\Z")
_ARCHIVED = 50083
_GARBAGE = b'{"id": "11'
_PIECES = 20
_REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call that came in.

    Attributes:
        method: HTTP method.
        path: path below /api/v10, without the query.
        status: what was answered; 0 when the connection was dropped.
        received: nanoseconds of the monotonic clock.
        took: nanoseconds until the answer was ready.
        body: the JSON of the request, None without one.
        files: names of uploaded files.

    """

    method: str
    path: str
    status: int
    received: int
    took: int
    body: Any
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: Any
    files: tuple[discord.File, ...]
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Rest:
    """The REST side.

    Args:
        backend: the store.
        token: the only token that is right; None takes any that isn't empty.
        faults: what goes wrong.
        watch: told when interactions are answered.

    Attributes:
        calls: every call, oldest first.
        refusing: every connection is dropped.

    """

    def __init__(self, backend: NumberedBackend, token: str | None, faults: Faults, watch: Watch) -> None:
        self.calls: list[Call] = []
        self.refusing = False
        self._backend = backend
        self._token = token
        self._faults = faults
        self._watch = watch
        self._nonces: dict[tuple[str, str], int] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        received = self._watch.now()
        asked = await _read(request)
        fault = self._faults.take(asked.method, asked.path)
        await asyncio.sleep(fault.delay)
        lost = self.refusing or fault.lose is Loss.REQUEST
        answer = _Answer(0) if lost else self._answer(request, asked, fault, received)
        dropped = lost or fault.lose is Loss.REPLY
        names = tuple(file.filename for file in asked.files)
        took = self._watch.now() - received
        status = 0 if dropped else answer.status
        self.calls.append(Call(asked.method, asked.path, status, received, took, asked.body, names))
        if dropped and request.transport is not None:
            request.transport.abort()
        response = _response(answer, request.host)
        # Its clock and no other stamps what it says.
        response.headers["Date"] = format_datetime(self._backend.clock.now().astimezone(UTC), usegmt=True)
        if fault.garbage:
            response.body = _GARBAGE
        return await _drip(request, response, fault.drip) if fault.drip and not dropped else response

    async def file(self, request: web.Request) -> web.Response:
        """Hand out an uploaded file."""
        # The store knows it by the address as it was made, file name included.
        blob = self._backend.cdn.get(f"{CDN_BASE}/{request.match_info['path']}")
        if blob is None:
            raise web.HTTPNotFound
        return web.Response(body=blob, content_type="application/octet-stream")

    def _answer(self, request: web.Request, asked: _Request, fault: Fault, received: int) -> _Answer:
        if fault.status is not None:
            return _wrong(fault.status, fault)
        if not self._allowed(request.headers.get("Authorization", ""), asked.path):
            return _Answer(401, {"message": "401: Unauthorized", "code": 0})
        if asked.path in ("/gateway", "/gateway/bot"):
            return _Answer(200, _gateway_info(request.host))
        try:
            return _Answer(200, self._carry_out(asked, received))
        except (RouteNotImplemented, UnsupportedField) as missing:
            _log.error("The local Discord cannot do this: %s", missing)
            return _Answer(501, {"message": str(missing), "code": 0})
        except BackendError as error:
            return _Answer(error.status, error.to_json())

    def _allowed(self, authorization: str, path: str) -> bool:
        if _WITHOUT_TOKEN.match(path):
            return True
        kind, _, token = authorization.partition(" ")
        return kind == "Bot" and (token == self._token if self._token is not None else bool(token))

    def _carry_out(self, asked: _Request, received: int) -> Any:
        nonce = _nonce(asked)
        # That one which was deleted can be posted again is assumed; nobody has written what Discord does.
        if nonce is not None and self._nonces.get(nonce) in self._backend.messages.get(int(nonce[0]), {}):
            return self._posted_before(nonce)
        self._in_a_thread(asked)
        reply = dispatch(
            self._backend,
            asked.method,
            asked.path,
            json=asked.body,
            params=dict(asked.query),
            files=list(asked.files),
        )
        if match := _CALLBACK.match(asked.path):
            self._watch.acknowledged(int(match[1]), received)
        if asked.path == "/oauth2/applications/@me":
            # Absent, discord.py warns that a URL for interactions may be set.
            reply.setdefault("interactions_endpoint_url", None)
        if nonce is not None:
            self._nonces[nonce] = int(reply["id"])
            reply["nonce"] = asked.body["nonce"]
        return reply

    def _in_a_thread(self, asked: _Request) -> None:
        """Keep Discord's rule of archived threads: nothing in them is edited, and a post takes them out of the archive."""
        found = _MESSAGES.match(asked.path)
        thread = self._backend.channels.get(int(found[1])) if found else None
        if found is None or thread is None or thread.thread_metadata is None or not thread.thread_metadata.archived:
            return
        if asked.method == "PATCH":
            raise BackendError(400, _ARCHIVED, "Thread is archived")
        if asked.method == "POST":
            self._backend.edit_channel(thread.id, {}, thread_metadata={"archived": False})

    def _posted_before(self, nonce: tuple[str, str]) -> Any:
        # With enforce_nonce Discord gives back the message that was made the first time.
        message = self._backend.get_message(int(nonce[0]), self._nonces[nonce])
        return {**message_payload(self._backend, message), "nonce": nonce[1]}


def _nonce(asked: _Request) -> tuple[str, str] | None:
    channel = _POST_MESSAGE.match(asked.path)
    if asked.method != "POST" or channel is None or not isinstance(asked.body, dict):
        return None
    nonce = asked.body.get("nonce")
    return (channel[1], str(nonce)) if nonce is not None and asked.body.get("enforce_nonce") else None


def _gateway_info(host: str) -> dict[str, Any]:
    limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
    return {"url": f"ws://{host}/gateway", "shards": 1, "session_start_limit": limit}


def _wrong(status: int, fault: Fault) -> _Answer:
    if status == web.HTTPTooManyRequests.status_code:
        body = {"message": "You are being rate limited.", "retry_after": fault.retry_after, "global": False}
        # Without Via discord.py takes it for a ban by the proxy in front of Discord and gives up at once.
        return _Answer(status, body, {"Via": "1.1 local", "Retry-After": str(fault.retry_after)})
    return _Answer(status, {"message": _REASONS.get(status, "Error"), "code": 0})


def _response(answer: _Answer, host: str) -> web.Response:
    if answer.status == 0:
        return web.Response(status=503)
    if answer.body is None:
        return web.Response(status=204, headers=answer.headers)
    text = json.dumps(answer.body, separators=(",", ":")).replace(CDN_BASE, f"http://{host}/cdn")
    # Bytes and not text: a charset in the content type makes discord.py treat the body as plain text.
    return web.Response(status=answer.status, body=text.encode(), content_type="application/json", headers=answer.headers)


async def _drip(request: web.Request, whole: web.Response, seconds: float) -> web.StreamResponse:
    """Give an answer out in small pieces."""
    data = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers={**whole.headers, "Content-Length": str(len(data))})
    await response.prepare(request)
    size = max(1, -(-len(data) // _PIECES))
    with suppress(ConnectionError):
        for place in range(0, len(data), size):
            await asyncio.sleep(seconds / _PIECES)
            await response.write(data[place : place + size])
        await response.write_eof()
    return response


async def _read(request: web.Request) -> _Request:
    path = "/" + request.match_info["path"]
    if request.content_type.startswith("multipart/"):
        text, files = await _multipart(request)
    else:
        text, files = await request.text(), ()
    # A file that was uploaded before comes back by our address.
    text = text.replace(f"http://{request.host}/cdn", CDN_BASE)
    return _Request(request.method, path, json.loads(text) if text else None, files, request.query)


async def _multipart(request: web.Request) -> tuple[str, tuple[discord.File, ...]]:
    text = ""
    files = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        blob = bytes(await part.read(decode=True))
        if part.name == "payload_json":
            text = blob.decode()
        else:
            files.append(discord.File(io.BytesIO(blob), filename=part.filename or "file"))
    return text, tuple(files)
