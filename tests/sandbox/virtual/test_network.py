"""Connections in memory: in order and late, ended, reset, cut off; and aiohttp over them, as it is."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.virtual import Party, Shuffled, VirtualLoop, run
from bot.sandbox.virtual.seams import foreign_seams

PORT = 8000


class Heard(asyncio.Protocol):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.said.append(data)

    def eof_received(self) -> None:
        self.said.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.said.append(type(exc).__name__ if exc else "closed")


def _loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


async def _pair(server: Party | None = None, client: Party | None = None) -> tuple[Heard, Heard]:
    """A connection's two ends, that of the client first."""
    loop, there, here = _loop(), Heard(), Heard()

    async def listen() -> None:
        await loop.create_server(lambda: there, "127.0.0.1", PORT)

    async def connect() -> None:
        await loop.create_connection(lambda: here, "127.0.0.1", PORT)

    await (server.start(listen()) if server else listen())
    await (client.start(connect()) if client else connect())
    await asyncio.sleep(1)
    return here, there


def test_bytes_arrive_in_order_and_after_their_time() -> None:
    async def main() -> None:
        here, there = await _pair(Party("server"), Party("client"))
        waits = iter([0.5, 0.1, 0.1])
        _loop().network.latencies = {("client", "server"): lambda: next(waits)}
        for data in (b"a", b"b", b"c"):
            here.transport.write(data)
        await asyncio.sleep(0.4)
        assert there.said == []
        await asyncio.sleep(0.2)
        assert there.said == [b"a", b"b", b"c"]

    run(main())


@pytest.mark.parametrize("seed", range(5))
def test_no_choice_of_callbacks_changes_the_order_of_bytes(seed: int) -> None:
    async def main() -> None:
        here, there = await _pair()
        for number in range(30):
            here.transport.write(bytes([number]))
        here.transport.close()
        await asyncio.sleep(1)
        assert there.said == [bytes([number]) for number in range(30)] + ["eof", "closed"]

    run(main(), Shuffled(seed))


def test_what_was_written_before_a_close_is_read_first() -> None:
    async def main() -> None:
        here, there = await _pair()
        here.transport.write(b"last words")
        here.transport.close()
        here.transport.write(b"too late")
        await asyncio.sleep(1)
        assert there.said == [b"last words", "eof", "closed"]
        assert here.said == ["closed"]

    run(main())


def test_an_abort_is_an_end_and_with_linger_a_reset() -> None:
    async def main(*, resets: bool) -> list[object]:
        here, there = await _pair()
        if resets:
            here.transport.reset()
        else:
            here.transport.abort()
        await asyncio.sleep(1)
        assert here.said == ["closed"]
        return there.said

    assert run(main(resets=False)) == ["eof", "closed"]
    assert run(main(resets=True)) == ["ConnectionResetError"]


def test_writing_to_an_end_that_is_closed_breaks_the_connection() -> None:
    class Stays(Heard):
        def eof_received(self) -> Any:
            super().eof_received()
            return True

    async def main() -> None:
        loop, there = _loop(), Stays()
        await loop.create_server(lambda: there, "127.0.0.1", PORT)
        transport, _ = await loop.create_connection(Heard, "127.0.0.1", PORT)
        transport.close()
        await asyncio.sleep(1)
        there.transport.write(b"are you there?")
        await asyncio.sleep(1)
        assert there.said == ["eof", "ConnectionResetError"]

    run(main())


def test_who_pauses_reading_gets_all_of_it_later() -> None:
    async def main() -> None:
        here, there = await _pair()
        there.transport.pause_reading()
        here.transport.write(b"a")
        here.transport.close()
        await asyncio.sleep(1)
        assert there.said == []
        there.transport.resume_reading()
        await asyncio.sleep(1)
        assert there.said == [b"a", "eof", "closed"]

    run(main())


def test_nobody_listening_is_a_refusal_and_a_taken_port_an_error() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await _loop().create_connection(Heard, "127.0.0.1", PORT)
        server = await _loop().create_server(Heard, "127.0.0.1", PORT)
        with pytest.raises(OSError, match="somebody listens"):
            await _loop().create_server(Heard, "127.0.0.1", PORT)
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await _loop().create_connection(Heard, "127.0.0.1", PORT)

    run(main())


def test_a_killed_party_s_last_bytes_arrive_and_then_its_connections_end() -> None:
    async def main() -> None:
        server, client = Party("server"), Party("client")
        here, there = await _pair(server, client)
        _loop().network.latencies = {("client", "server"): lambda: 0.2}
        here.transport.write(b"order")
        client.kill()
        await asyncio.sleep(1)
        assert there.said == [b"order", "eof", "closed"]
        assert here.said == []
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            await _loop().create_connection(Heard, "127.0.0.1", PORT)

    run(main())


def test_a_frozen_party_hears_everything_when_it_goes_on() -> None:
    async def main() -> None:
        server = Party("server")
        here, there = await _pair(server)
        server.suspend()
        here.transport.write(b"a")
        here.transport.write(b"b")
        await asyncio.sleep(3600)
        assert there.said == []
        server.resume()
        await asyncio.sleep(1)
        assert there.said == [b"a", b"b"]

    run(main())


def test_who_is_cut_off_loses_bytes_and_hears_of_it_only_when_writing_again() -> None:
    async def main() -> None:
        here, there = await _pair(Party("server"), Party("client"))
        network = _loop().network
        network.cut("client", "server")
        here.transport.write(b"lost")
        await asyncio.sleep(100)
        network.mend()
        await asyncio.sleep(100)
        assert (here.said, there.said) == ([], [])
        here.transport.write(b"again")
        await asyncio.sleep(1)
        assert (here.said, there.said) == (["ConnectionResetError"], [])

    run(main())


def test_a_connection_to_who_is_cut_off_comes_to_nothing() -> None:
    async def main() -> None:
        server, client = Party("server"), Party("client")
        await _pair(server, client)
        _loop().network.cut("client", "server")
        attempt = client.start(_loop().network.dial("127.0.0.1", PORT))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(attempt, 30)

    run(main())


async def _aiohttp(act: Callable[[aiohttp.ClientSession, str], Awaitable[object]]) -> object:
    """Let somebody act with aiohttp's client on aiohttp's server."""

    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=await request.text())

    async def chat(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data.upper())
        return socket

    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/echo", echo), web.get("/chat", chat), web.get("/drop", drop)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    with foreign_seams(_loop(), lambda: datetime.now(UTC), 1):
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            result = await act(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        await runner.cleanup()
    return result


def test_aiohttp_speaks_rest_and_websocket_over_it() -> None:
    async def act(session: aiohttp.ClientSession, base: str) -> object:
        said = []
        for text in ("one", "two" * 100_000):
            async with session.post(f"{base}/echo", data=text) as response:
                said.append(await response.text() == text)
        async with session.ws_connect(f"{base}/chat") as socket:
            await socket.send_str("hello")
            said.append((await socket.receive_str()) == "HELLO")
        return said

    assert run(_aiohttp(act)) == [True, True, True]


def test_aiohttp_sees_drops_and_refusals() -> None:
    async def act(session: aiohttp.ClientSession, base: str) -> object:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.get(f"{base}/drop")
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:9")
        with suppress(aiohttp.ClientError):
            await session.get(f"{base}/drop")
        return "seen"

    assert run(_aiohttp(act)) == "seen"
