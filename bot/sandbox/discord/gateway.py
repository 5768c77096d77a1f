"""The gateway: one WebSocket per bot, sessions that survive a lost connection, and the store's events on their way out.

What happens in the guild is decided elsewhere; here it becomes frames.
"""

import asyncio
import json
import secrets
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import discord
from aiohttp import WSCloseCode, WSMsgType, web

from bot.sandbox.discord._simcord import (
    CDN_BASE,
    NumberedBackend,
    censor_message,
    guild_create_payload,
    member_payload,
    prune_guild_create,
    required_intent,
    user_payload,
)
from bot.sandbox.discord.watch import Watch

_HEARTBEAT_MS = 41250
# Seconds, about what a network takes.
_ACK_AFTER = 0.05
_CHUNK = 1000
_AUTHENTICATION_FAILED = 4004
# What GUILD_CREATE has on the service and SimCord leaves out.
_GUILD_EXTRAS = {"nsfw_level": 0, "hub_type": None, "incidents_data": None, "safety_alerts_channel_id": None}


class _Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    RESUME = 6
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


@dataclass(frozen=True, slots=True)
class _Frame:
    text: str
    interaction: int | None = None


@dataclass(slots=True, eq=False)
class _Line:
    """One connection: frames are queued from anywhere and written by one task, in order."""

    socket: web.WebSocketResponse
    host: str
    watch: Watch
    compressed: bool
    transport: asyncio.Transport | None = None
    _queue: asyncio.Queue[_Frame | int] = field(default_factory=asyncio.Queue)

    def put(self, frame: _Frame) -> None:
        self._queue.put_nowait(frame)

    def send(self, op: _Op, data: Any) -> None:
        self.put(_Frame(json.dumps({"op": op, "d": data, "s": None, "t": None})))

    def close(self, code: int) -> None:
        self._queue.put_nowait(code)

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    async def write(self) -> None:
        deflate = zlib.compressobj() if self.compressed else None
        while isinstance(frame := await self._queue.get(), _Frame):
            text = frame.text.replace(CDN_BASE, f"http://{self.host}/cdn")
            if deflate is None:
                await self.socket.send_str(text)
            else:
                # One deflate stream per connection, each message ended by a sync flush.
                await self.socket.send_bytes(deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH))
            if frame.interaction is not None:
                self.watch.handed(frame.interaction)
        await self.socket.close(code=frame)


@dataclass(slots=True, eq=False)
class _Session:
    """The session that one IDENTIFY began; it outlives its connection, so that RESUME can replay."""

    id: str
    intents: discord.Intents
    bot_id: int
    line: _Line | None
    sequence: int = 0
    sent: list[tuple[int, _Frame]] = field(default_factory=list)

    def deliver(self, event: str, payload: Mapping[str, Any]) -> None:
        self.sequence += 1
        body = json.dumps({"op": _Op.DISPATCH, "d": payload, "s": self.sequence, "t": event}, separators=(",", ":"))
        frame = _Frame(body, _number(payload) if event == "INTERACTION_CREATE" else None)
        self.sent.append((self.sequence, frame))
        if self.line is not None:
            self.line.put(frame)

    def feed(self, backend: NumberedBackend, event: str, payload: Mapping[str, Any]) -> None:
        """Deliver an event of the store as far as the intents go."""
        needed = required_intent(event, payload)
        if needed is not None and not getattr(self.intents, needed):
            return
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and not self.intents.message_content:
            message: dict[str, Any] = json.loads(json.dumps(payload))
            censor_message(message, self.bot_id, backend=backend)
            payload = message
        elif event == "GUILD_CREATE":
            guild = {**_GUILD_EXTRAS, **payload, "unavailable": False}
            prune_guild_create(guild, self.intents, self.bot_id)
            payload = guild
        self.deliver(event, payload)

    def replay(self, after: int) -> None:
        for sequence, frame in self.sent:
            if sequence > after and self.line is not None:
                self.line.put(frame)
        self.deliver("RESUMED", {})


class Gateway:
    """All sessions.

    Args:
        backend: the store whose events go out.
        token: the only token that may identify; None takes any that isn't empty.
        watch: told when interactions are written.

    Attributes:
        identified: how many times a bot has identified.
        resumed: how many times one has resumed.
        refusing: new connections are dropped.

    """

    def __init__(self, backend: NumberedBackend, token: str | None, watch: Watch) -> None:
        self.identified = 0
        # What the bot last said of itself: status and activities, as sent.
        self.presence: Mapping[str, Any] = {}
        self.resumed = 0
        self.refusing = False
        self._backend = backend
        self._token = token
        self._watch = watch
        self._sessions: dict[str, _Session] = {}
        self._lines: set[_Line] = set()
        backend.subscribers.append(self._feed)

    @property
    def connected(self) -> int:
        """Number of bots that are logged in and connected."""
        return sum(session.line is not None for session in self._sessions.values())

    def close(self, code: int) -> None:
        """Close every connection with this code."""
        for line in self._lines:
            line.close(code)

    def drop(self) -> None:
        """Cut every connection without a word, as a network does."""
        for line in self._lines:
            line.cut()

    def forget(self) -> None:
        """Forget all sessions, so that RESUME is refused."""
        self._sessions.clear()

    def say(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event to every session as given, whatever the session asked for and whether anybody can read it or not."""
        for session in self._sessions.values():
            session.deliver(event, payload)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection to its end."""
        if self.refusing:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        socket = web.WebSocketResponse(timeout=1.0, compress=False, max_msg_size=0)
        await socket.prepare(request)
        line = _Line(socket, request.host, self._watch, request.query.get("compress") == "zlib-stream", request.transport)
        self._lines.add(line)
        writer = asyncio.create_task(line.write())
        try:
            line.send(_Op.HELLO, {"heartbeat_interval": _HEARTBEAT_MS})
            await self._read(line)
        finally:
            self._hang_up(line)
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return socket

    async def shut(self) -> None:
        """Close every connection because the server goes away."""
        for line in tuple(self._lines):
            await line.socket.close(code=WSCloseCode.GOING_AWAY)

    def _hang_up(self, line: _Line) -> None:
        self._lines.discard(line)
        for session in self._sessions.values():
            if session.line is line:
                session.line = None

    async def _read(self, line: _Line) -> None:
        async for message in line.socket:
            if message.type is WSMsgType.TEXT:
                payload = json.loads(message.data)
                self._take(line, payload["op"], payload.get("d"))

    def _take(self, line: _Line, op: int, data: Any) -> None:
        match op:
            case _Op.HEARTBEAT:
                # discord.py's thread notes when it has sent only afterwards; an answer before that looks like one that is late.
                asyncio.get_running_loop().call_later(_ACK_AFTER, line.send, _Op.HEARTBEAT_ACK, None)
            case _Op.IDENTIFY:
                self._identify(line, data)
            case _Op.RESUME:
                self._resume(line, data)
            case _Op.REQUEST_MEMBERS:
                self._chunk(line, data)
            case _Op.PRESENCE:
                self.presence = data
            case _:
                pass  # voice states: nothing here shows them

    def _refused(self, line: _Line, token: str) -> bool:
        right = token == self._token if self._token is not None else bool(token)
        if not right:
            line.close(_AUTHENTICATION_FAILED)
        return not right

    def _identify(self, line: _Line, data: Mapping[str, Any]) -> None:
        if self._refused(line, data["token"]):
            return
        # A process that was killed never comes back to its session.
        self._sessions = {key: session for key, session in self._sessions.items() if session.line is not None}
        intents = discord.Intents.none()
        intents.value = int(data["intents"])
        bot = self._backend.bot_user
        session = _Session(secrets.token_hex(16), intents, bot.id, line)
        self._sessions[session.id] = session
        self.identified += 1
        guilds = tuple(self._backend.guilds.values())
        ready = {
            "v": 10,
            "user": user_payload(bot),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": f"ws://{line.host}/gateway",
            "application": {"id": str(self._backend.application_id), "flags": 0},
        }
        session.deliver("READY", ready)
        for guild in guilds:
            session.feed(self._backend, "GUILD_CREATE", guild_create_payload(self._backend, guild))

    def _resume(self, line: _Line, data: Mapping[str, Any]) -> None:
        session = self._sessions.get(data["session_id"])
        if self._refused(line, data["token"]):
            return
        if session is None:
            line.send(_Op.INVALID_SESSION, data=False)
            return
        session.line = line
        self.resumed += 1
        session.replay(int(data["seq"]))

    def _chunk(self, line: _Line, data: Mapping[str, Any]) -> None:
        guild = self._backend.guilds.get(int(data["guild_id"]))
        session = next((each for each in self._sessions.values() if each.line is line), None)
        if guild is None or session is None:
            return
        members = [member_payload(self._backend, guild, member) for member in guild.members.values()]
        wanted = data.get("user_ids")
        if wanted:
            ids = {str(one) for one in (wanted if isinstance(wanted, list) else [wanted])}
            members = [member for member in members if str(member["user"]["id"]) in ids]
        chunks = [members[start : start + _CHUNK] for start in range(0, len(members), _CHUNK)] or [[]]
        for index, chunk in enumerate(chunks):
            payload = {"guild_id": str(guild.id), "members": chunk, "chunk_index": index, "chunk_count": len(chunks)}
            session.deliver("GUILD_MEMBERS_CHUNK", {**payload, "nonce": data.get("nonce")})

    def _feed(self, event: str, payload: Mapping[str, Any]) -> None:
        for session in self._sessions.values():
            session.feed(self._backend, event, payload)


def _number(interaction: Mapping[str, Any]) -> int | None:
    given = str(interaction.get("id"))
    return int(given) if given.isascii() and given.isdecimal() else None
