"""A distance between a bot and a place that it talks to: a relay that passes every byte on after half a round trip.

It knows TCP alone, so HTTP and WebSockets go through it alike, and it notes when bytes leave the bot and when they reach it. What
a new connection costs over a distance is a part of it: two round trips go by, for TCP and for TLS, before its first bytes leave.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast

# TCP's handshake, and that of TLS 1.3: Discord and CrossTrade are reached by https and wss alone.
OPENING_TRIPS = 2
_TEXT_FRAME = 0x81
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Departure:
    """Bytes that have left the bot: when, in nanoseconds of the monotonic clock, and what they say."""

    at: int
    said: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes for the bot: when they set out and when they were there, in nanoseconds of the monotonic clock."""

    sent: int
    at: int


@dataclass(slots=True)
class Distance:
    """A place far away.

    Attributes:
        url: where the bot finds it.
        seconds: a round trip.
        departures: all that has left the bot, in its order; a WebSocket's frames one by one.
        arrivals: all that has reached the bot over a WebSocket, in its order.
    """

    seconds: float
    url: str = ""
    departures: list[Departure] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    _ends: "set[_End]" = field(default_factory=set)

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[None]:
        """Lead to an address on this machine meanwhile."""
        host, _, port = url.rpartition("//")[2].partition(":")
        server = await asyncio.get_running_loop().create_server(lambda: _Near(self, host, int(port)), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            for end in tuple(self._ends):
                end.close()

    def reached(self, sent: int) -> int | None:
        """When the bot had what set out for it over a WebSocket then, or right after; ``None`` while it hasn't."""
        return next((arrival.at for arrival in self.arrivals if arrival.sent >= sent), None)

    def opened(self, end: "_End") -> None:
        """Keep an end of a connection until it is closed."""
        self._ends.add(end)

    def closed(self, end: "_End") -> None:
        """Forget it."""
        self._ends.discard(end)


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at the other end, half a round trip later and in its order."""

    other: "_End"

    def __init__(self, distance: Distance) -> None:
        self._distance = distance
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._underway: deque[bytes | None] = deque()
        self._early: list[bytes] = []
        self._not_before = 0.0
        self._is_stream = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out, and take it with what was there before."""
        self._transport = cast("asyncio.Transport", transport)
        self._distance.opened(self)
        self._transport.writelines(self._early)

    def connection_lost(self, _error: Exception | None) -> None:
        """Let the other end hear of it, behind all that is still underway."""
        self._distance.closed(self)
        if not self._loop.is_closed():
            self._pass_on(None)

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def give(self, data: bytes | None) -> None:
        """Write what has come from the other end; ``None`` when that was closed."""
        if self._transport is None:
            self._early += [] if data is None else [data]
        elif data is None:
            self._transport.close()
        else:
            self._transport.write(data)

    def _pass_on(self, data: bytes | None) -> None:
        self._underway.append(data)
        leaves = max(self._loop.time(), self._not_before)
        # Timers that are due together may come in any order; whichever comes first takes what came first.
        self._loop.call_at(leaves + self._distance.seconds / 2, self._arrive)

    def _arrive(self) -> None:
        self.other.give(self._underway.popleft())


class _Near(_End):
    """The end that the bot has connected to."""

    def __init__(self, distance: Distance, host: str, port: int) -> None:
        super().__init__(distance)
        self.other = self._far = _Far(distance, self)
        self._address = host, port
        self._connecting: asyncio.Task[object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect the other end; the bot's first bytes wait as long as the handshakes take."""
        super().connection_made(transport)
        self._not_before = self._loop.time() + OPENING_TRIPS * self._distance.seconds
        self._connecting = self._loop.create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        """Note what leaves the bot, and pass it on."""
        leaves = time.monotonic_ns() + int(max(0.0, self._not_before - self._loop.time()) * _NANOSECONDS)
        if not self._is_stream and b"upgrade: websocket" in data.lower():
            self._is_stream = self._far.is_stream = True
        self._distance.departures += [Departure(leaves, said) for said in _said(data)]
        self._pass_on(data)

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: self._far, *self._address)
        except OSError:
            self.close()


class _Far(_End):
    """The end that is connected to the place."""

    def __init__(self, distance: Distance, near: _Near) -> None:
        super().__init__(distance)
        self.other = near
        self.is_stream = False
        self._sent: deque[int] = deque()

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        self._sent.append(time.monotonic_ns())
        self._pass_on(data)

    def _arrive(self) -> None:
        is_data = self._underway[0] is not None
        super()._arrive()
        if is_data:
            sent = self._sent.popleft()
            if self.is_stream:
                self._distance.arrivals.append(Arrival(sent, time.monotonic_ns()))


def _said(data: bytes) -> Iterator[bytes]:
    """Bytes as text: the text of each frame of a WebSocket's client, which masks it (RFC 6455, 5.2), else as they are."""
    if data[:1] != bytes([_TEXT_FRAME]):
        yield data
        return
    while len(data) > 1:
        start = {126: 4, 127: 10}.get(data[1] & 127, 2)
        size = data[1] & 127 if start == 2 else int.from_bytes(data[2:start])
        mask, rest = data[start : start + 4], data[start + 4 :]
        yield bytes(byte ^ key for byte, key in zip(rest[:size], cycle(mask), strict=False))
        data = rest[size:]
