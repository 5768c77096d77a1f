"""Connections between parties, in memory: bytes arrive in order and after a while, ends close, reset, or fall silent.

The rules are TCP's as asyncio shows them. A party that is killed has its connections ended by the system, so what it had
written still arrives; one that is cut off loses whatever is on the way, and nobody is told.
"""

import asyncio
import errno
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context, copy_context
from enum import Enum, auto
from itertools import count
from typing import Any

from .parties import PARTY, Party

Address = tuple[str, int]
NOBODY = ""
_FIRST_PORT, _FIRST_CLIENT = 40_001, 50_001
_RESET = (errno.ECONNRESET, "Connection reset by peer")


class _Sign(Enum):
    OPEN = auto()
    EOF = auto()
    RESET = auto()


class Plug:
    """Answer to whoever asks for a transport's socket: an address and options, no descriptor."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, name: Address, peer: Address | None = None) -> None:
        self._name = name
        self._peer = peer
        self.resets = False

    def getsockname(self) -> Address:
        """Its own address."""
        return self._name

    def getpeername(self) -> Address:
        """The other end's address."""
        if self._peer is None:
            raise OSError(errno.ENOTCONN, "not connected")
        return self._peer

    def setsockopt(self, _level: int, option: int, value: object) -> None:
        """Note whether closing is to be a reset; nothing else means anything here."""
        if option == socket.SO_LINGER and isinstance(value, bytes):
            size = "hh" if len(value) == struct.calcsize("hh") else "ii"
            self.resets = struct.unpack(size, value) == (1, 0)

    def fileno(self) -> int:
        """None."""
        return -1


class End(asyncio.Transport):
    """One end of a connection.

    Args:
        network: what it goes through.
        context: whose it is; its protocol hears everything in there.
        plug: its addresses.
    """

    def __init__(self, network: "Network", context: Context, plug: Plug) -> None:
        super().__init__({"socket": plug, "sockname": plug.getsockname(), "peername": plug.getpeername()})
        self._network = network
        self._context = context
        self._plug = plug
        self.party: Party | None = context.get(PARTY)
        self.peer: End | None = None
        self.server: Server | None = None
        self._protocol: Any = None
        self._inbox: deque[bytes | _Sign] = deque()
        self._arrived = 0
        self._latest = 0.0
        self._is_paused = self._is_closing = self._is_over = self._has_hole = self._said_eof = False
        self._given_back: Callable[[], None] = _nothing if self.party is None else self.party.holds(self.vanish)

    # What protocols do with it

    def get_protocol(self) -> Any:
        """The protocol that hears what arrives."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Let another one hear what arrives."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Tell whether it is closed or about to be."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Tell whether its protocol takes what arrives."""
        return not self._is_paused and not self._is_closing

    def pause_reading(self) -> None:
        """Keep what arrives until it is wanted again."""
        self._is_paused = True

    def resume_reading(self) -> None:
        """Hand on what has arrived meanwhile."""
        if self._is_paused:
            self._is_paused = False
            self._network.loop.call_soon(self._pump, context=self._context)

    def get_write_buffer_size(self) -> int:
        """Zero: what is written is on its way at once."""
        return 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """There are none."""
        return (0, 0)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There are none."""

    def write(self, data: Any) -> None:
        """Send bytes."""
        if not self._is_closing and not self._said_eof and (copy := bytes(data)):
            self._send(copy)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send bytes in one piece."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Yes."""
        return True

    def write_eof(self) -> None:
        """Say that nothing more comes, and go on reading."""
        if not self._is_closing and not self._said_eof:
            self._said_eof = True
            self._send(_Sign.EOF)

    def close(self) -> None:
        """Close it: the other end reads to the end of what was written."""
        if not self._is_closing:
            self.write_eof()
            self._end(None)

    def abort(self) -> None:
        """Close it at once; the other end is reset where SO_LINGER asks for that, as with a socket."""
        if not self._is_closing:
            self._send(_Sign.RESET if self._plug.resets else _Sign.EOF)
            self._end(None)

    def reset(self) -> None:
        """Close it at once and reset the other end."""
        self._plug.resets = True
        self.abort()

    # What the network does with it

    def open(self, protocol: Any) -> None:
        """Begin, with who hears what arrives."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._pump()

    def vanish(self) -> None:
        """End it without telling its own side, whose process is gone."""
        if not self._is_closing:
            self._is_closing = True
            self._send(_Sign.EOF)
        self._is_over = True

    def _send(self, what: bytes | _Sign) -> None:
        peer, network = self.peer, self._network
        if peer is None:
            return
        if network.is_cut(self.party, peer.party):
            self.tear()
            peer.tear()
            return
        if self._has_hole:
            # Nobody on the way knows this connection any more.
            network.loop.call_soon(self._end, ConnectionResetError(*_RESET), context=self._context)
            return
        now = network.loop.time()
        self._latest = max(self._latest, now + network.latency(self.party, peer.party))
        peer.expect(what, self._latest)

    def expect(self, what: bytes | _Sign, at: float) -> None:
        """Let something come in then."""
        self._inbox.append(what)
        self._network.loop.call_at(at, self._arrive, context=self._context)

    def tear(self) -> None:
        """Lose something that nobody sends again."""
        self._has_hole = True

    def _arrive(self) -> None:
        self._arrived += 1
        self._pump()

    def _pump(self) -> None:
        """Hand on what has arrived, in the order in which it was sent, whichever callback comes first."""
        while self._arrived and (self._is_closing or self._protocol is not None or self._inbox[0] is _Sign.OPEN):
            if self._is_paused and not self._is_closing:
                return
            self._arrived -= 1
            self._take(self._inbox.popleft())

    def _take(self, what: bytes | _Sign) -> None:
        if self._is_closing:
            if isinstance(what, bytes) and self.peer is not None and not self.peer.is_closing():
                # What nobody reads any more is refused.
                self._network.loop.call_soon(self.peer.refused, context=self.peer.context)
        elif isinstance(what, bytes):
            self._protocol.data_received(what)
        elif what is _Sign.EOF:
            if not self._protocol.eof_received():
                self.close()
        elif what is _Sign.RESET:
            self._end(ConnectionResetError(*_RESET))
        elif self.server is not None:
            self.open(self.server.factory())

    @property
    def context(self) -> Context:
        """Whose it is."""
        return self._context

    def refused(self) -> None:
        """Hear that the other end doesn't read any more."""
        if not self._is_closing:
            self._end(ConnectionResetError(*_RESET))

    def _end(self, error: Exception | None) -> None:
        if not self._is_over:
            self._is_closing = self._is_over = True
            self._given_back()
            self._network.loop.call_soon(self._lose, error, context=self._context)

    def _lose(self, error: Exception | None) -> None:
        if self._protocol is not None:
            self._protocol.connection_lost(error)


class Dialled(Plug):
    """A connection that is there and has no protocol yet, in place of a connected socket."""

    def __init__(self, end: End, name: Address, peer: Address) -> None:
        super().__init__(name, peer)
        self._end = end

    def attach(self, protocol: Any) -> tuple[asyncio.Transport, Any]:
        """Give it a protocol."""
        self._end.open(protocol)
        return self._end, protocol

    def close(self) -> None:
        """Give the connection up."""
        self._end.close()


class Server(asyncio.AbstractServer):
    """Somebody who listens."""

    def __init__(self, network: "Network", factory: Callable[[], Any], context: Context, address: Address) -> None:
        self.factory = factory
        self.context = context
        self._network = network
        self._address = address
        self._is_open = True
        party = context.get(PARTY)
        self._given_back: Callable[[], None] = _nothing if party is None else party.holds(self._stop)

    @property
    def sockets(self) -> tuple[Plug, ...]:
        """One, with the address."""
        return (Plug(self._address),) if self._is_open else ()

    def close(self) -> None:
        """Listen no longer; what is connected stays."""
        self._given_back()
        self._stop()

    def _stop(self) -> None:
        self._is_open = False
        self._network.servers.pop(self._address[1], None)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._network.loop

    def is_serving(self) -> bool:
        """Tell whether it listens."""
        return self._is_open

    async def start_serving(self) -> None:
        """It listens from the first."""

    async def serve_forever(self) -> None:
        """Wait for ever."""
        await self._network.loop.create_future()

    async def wait_closed(self) -> None:
        """Connections end by themselves."""


class Network:
    """All connections.

    Attributes:
        latencies: how long bytes take from one party to another, by their names; nothing where it isn't said.
        servers: who listens, by port; hosts make no difference.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.latencies: Mapping[tuple[str, str], Callable[[], float]] = {}
        self.servers: dict[int, Server] = {}
        self._cuts: set[frozenset[str]] = set()
        self._ports, self._clients = count(_FIRST_PORT), count(_FIRST_CLIENT)

    def latency(self, sender: Party | None, receiver: Party | None) -> float:
        """Seconds that something takes that is sent now."""
        draw = self.latencies.get((_name(sender), _name(receiver)))
        return 0.0 if draw is None else draw()

    def cut(self, one: str, other: str) -> None:
        """Lose everything between two parties, until it is mended."""
        self._cuts.add(frozenset({one, other}))

    def mend(self) -> None:
        """Let everything through again. Connections that have lost something are broken; whoever writes next hears so."""
        self._cuts.clear()

    def is_cut(self, one: Party | None, other: Party | None) -> bool:
        """Tell whether nothing gets through between two."""
        return bool(self._cuts) and frozenset({_name(one), _name(other)}) in self._cuts

    def listen(self, factory: Callable[[], Any], host: str, port: int) -> Server:
        """Let the party of this context listen; port 0: a free one."""
        number = port or next(self._ports)
        if number in self.servers:
            raise OSError(errno.EADDRINUSE, f"somebody listens on port {number}")
        server = self.servers[number] = Server(self, factory, copy_context(), (host, number))
        return server

    async def dial(self, host: str, port: int) -> Dialled:
        """Connect the party of this context.

        Raises:
            ConnectionRefusedError: nobody listens there.
        """
        caller = PARTY.get()
        there = self._listener(port)
        while self.is_cut(caller, there):
            # Whoever waits for an answer has a patience of their own.
            await self.loop.create_future()
        await asyncio.sleep(self.latency(caller, there) + self.latency(there, caller))
        server = self.servers.get(port)
        if server is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens on port {port}")
        here, peer = ("127.0.0.1", next(self._clients)), (host, port)
        client, accepted = End(self, copy_context(), Plug(here, peer)), End(self, server.context.copy(), Plug(peer, here))
        client.peer, accepted.peer, accepted.server = accepted, client, server
        accepted.expect(_Sign.OPEN, self.loop.time())
        return Dialled(client, here, peer)

    def _listener(self, port: int) -> Party | None:
        server = self.servers.get(port)
        return None if server is None else server.context.get(PARTY)


def _name(party: Party | None) -> str:
    return NOBODY if party is None else party.name


def _nothing() -> None:
    """Give nothing back."""
