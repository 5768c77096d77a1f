"""Orders over the WebSocket: one connection, RPCs with their answers, and every way of losing it."""

import asyncio
import json
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SteadyClock
from bot.crosstrade.client import ENTRIES_WAIT
from bot.crosstrade.errors import NeverLeft
from bot.crosstrade.feed import Feed
from bot.crosstrade.stream import ELSEWHERE, STOPPED, Stream
from bot.sandbox.virtual import run
from bot.timings import USUAL, CrossTradeTimings
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown

from .conftest import QUICK, Connect
from .intents import reverse, soon
from .vendor import TOKEN, Vendor, until

FAST = {"transport": "websocket", "timings": CrossTradeTimings(backoff=(0.01,))}
FAST_AND_QUICK = {"transport": "websocket", "timings": replace(QUICK, backoff=(0.01,))}


async def test_an_order_travels_as_the_documented_rpc(vendor: Vendor, connect: Connect) -> None:
    client = await connect(transport="websocket")
    assert await client.send(reverse(), deadline=soon()) == Accepted(f"{1:032x}")
    assert vendor.heard[0].target == "/ws/stream"
    assert vendor.heard[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert [json.loads(frame["raw"]) for frame in vendor.frames] == [
        {
            "action": "rpc",
            "id": "rpc-1",
            "api": "ReversePosition",
            "args": {
                "account": "Sim101",
                "instrument": "ES 09-26",
                "action": "BUY",
                "quantity": 1,
                "orderType": "MARKET",
                "timeInForce": "DAY",
            },
        }
    ]
    assert [heard.method for heard in vendor.heard] == ["WS"]


async def test_reads_travel_by_rest_beside_it(vendor: Vendor, connect: Connect) -> None:
    client = await connect(**FAST)
    assert not client.link.up
    assert len(await client.positions("Sim101")) == 1
    assert [heard.method for heard in vendor.heard] == ["WS", "GET"]
    assert vendor.frames == []
    assert client.link.up


async def test_without_a_position_an_rpc_is_rejected(vendor: Vendor, connect: Connect) -> None:
    vendor.positions.clear()
    client = await connect(**FAST)
    outcome = await client.send(reverse(), deadline=soon())
    assert outcome == Rejected("No position found for instrument 'ES 09-26' in account 'sim101'", 400)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"data": {"success": True, "data": {"orderId": "cb1f"}}}, Accepted),
        ({"data": {"success": False, "error": "invalid_account"}}, Rejected),
        ({"error": "Unknown API command"}, Rejected),
        ({"data": {"success": False, "error": "rate_limited", "retryAfter": 0}}, Rejected),
        ({"data": {"success": False, "error": "Client not ready"}}, Unknown),
        ({"data": {}}, Unknown),
        ({"data": None}, Unknown),
        ({}, Unknown),
    ],
    ids=str,
)
async def test_every_answer_to_an_rpc_has_its_outcome(vendor: Vendor, connect: Connect, reply: Any, kind: type[Outcome]) -> None:
    async def answer(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        await socket.send_str(reply if isinstance(reply, str) else json.dumps({"id": frame["id"], **reply}))

    vendor.on_rpc = answer
    client = await connect(**FAST)
    assert type(await client.send(reverse(), deadline=soon())) is kind
    assert len(vendor.frames) == 1


@pytest.mark.parametrize("garbage", ["not json {", "", "[1]", '{"id": "rpc-11", "da'])
async def test_garbage_that_may_have_been_a_push_leaves_an_rpc_waiting_for_its_answer(
    vendor: Vendor, connect: Connect, garbage: str
) -> None:
    async def answer(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        await socket.send_str(garbage)
        await vendor.answer_rpc(socket, frame)

    vendor.on_rpc = answer
    client = await connect(**FAST)
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)


async def test_garbage_in_place_of_an_answer_is_unknown_when_its_time_is_over(vendor: Vendor, connect: Connect) -> None:
    async def answer(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        await socket.send_str("not json {")

    vendor.on_rpc = answer
    client = await connect(**FAST_AND_QUICK)
    assert await client.send(reverse(), deadline=soon()) == Unknown("CrossTrade did not answer in time.")
    assert len(vendor.frames) == 1


async def test_an_answer_that_breaks_off_is_unknown_at_once_and_costs_the_others_nothing(
    vendor: Vendor, connect: Connect
) -> None:
    waiting: list[dict[str, Any]] = []

    async def answer(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        waiting.append(frame)
        if len(waiting) == 2:
            first, second = waiting
            await socket.send_str(f'{{"id": "{first["id"]}", "data": {{"success": false, "err')
            await vendor.answer_rpc(socket, second)

    vendor.on_rpc = answer
    client = await connect(**FAST)
    orders = (client.send(reverse(quantity=n), deadline=soon()) for n in (1, 2))
    first, second = await asyncio.gather(*orders)
    assert first == Unknown("CrossTrade sent an answer that can't be read.")
    assert isinstance(second, Accepted)


async def test_frames_for_nobody_are_passed_over(vendor: Vendor, connect: Connect) -> None:
    async def answer(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        await socket.send_str('{"type":"marketData","quotes":[]}')
        await socket.send_str('{"status":"subscribed"}')
        await socket.send_str('{"id":"another","data":{"success":false,"error":"x"}}')
        await socket.send_str("[1]")
        await socket.send_bytes(b"\x00")
        await socket.send_str('{"error":"Invalid JSON"}')
        await vendor.answer_rpc(socket, frame)

    vendor.on_rpc = answer
    client = await connect(**FAST)
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)


async def test_answers_find_their_calls_in_any_order(vendor: Vendor, connect: Connect) -> None:
    waiting: list[dict[str, Any]] = []

    async def answer(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        waiting.append(frame)
        if len(waiting) == 3:
            await socket.send_str("garbage, and nobody knows whose")
            for one in reversed(waiting):
                await socket.send_json({"id": one["id"], "data": {"success": True, "orderId": f"o{one['args']['quantity']}"}})
            await socket.send_json({"id": waiting[0]["id"], "data": {"success": True, "orderId": "again"}})

    vendor.on_rpc = answer
    client = await connect(**FAST)
    orders = (client.send(reverse(quantity=n), deadline=soon()) for n in (1, 2, 3))
    assert await asyncio.gather(*orders) == [Accepted("o1"), Accepted("o2"), Accepted("o3")]


async def test_an_answer_that_comes_too_late_is_dropped(vendor: Vendor, connect: Connect) -> None:
    async def later(socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        if len(vendor.frames) == 1:
            return
        late = {"id": vendor.frames[0]["id"], "data": {"success": True, "orderId": "late"}}
        await socket.send_json(late)
        await vendor.answer_rpc(socket, frame)

    vendor.on_rpc = later
    client = await connect(**FAST_AND_QUICK)
    assert await client.send(reverse(), deadline=soon()) == Unknown("CrossTrade did not answer in time.")
    assert await client.send(reverse(), deadline=soon()) == Accepted(f"{1:032x}")
    assert client.stream._pending == {}


@pytest.mark.parametrize("rude", [False, True], ids=["closed", "cut"])
async def test_a_socket_that_goes_before_the_answer_leaves_it_unknown_and_comes_back(
    vendor: Vendor, connect: Connect, rude: bool
) -> None:
    async def lose(socket: web.WebSocketResponse, _: dict[str, Any]) -> None:
        if rude:
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()
        else:
            await socket.close()

    vendor.on_rpc = lose
    client = await connect(**FAST)
    outcome = await client.send(reverse(), deadline=soon())
    assert outcome == Unknown("The connection to CrossTrade broke.")
    assert len(vendor.frames) == 1
    vendor.on_rpc = vendor.answer_rpc
    await until(lambda: client.stream.link.up)
    # Nothing of the lost call is said again.
    assert len(vendor.frames) == 1
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)


async def test_an_rpc_without_an_open_socket_is_not_sent(vendor: Vendor, connect: Connect) -> None:
    client = await connect(transport="websocket", timings=CrossTradeTimings(backoff=(60.0,)))
    await vendor.sockets[0].close(code=1001, message=b"deploy")
    await until(lambda: "1001" in client.stream.link.why)
    outcome = await client.send(reverse(), deadline=soon())
    assert isinstance(outcome, NotSent)
    assert "1001" in outcome.why
    assert "deploy" in client.link.why
    assert vendor.frames == []


async def test_nothing_is_sent_before_the_first_connection(connect: Connect) -> None:
    client = await connect("http://127.0.0.1:9", transport="websocket", timings=CrossTradeTimings(backoff=(60.0,)))
    why = f"The stream of CrossTrade is not connected yet. {ENTRIES_WAIT}"
    assert await client.send(reverse(), deadline=soon()) == NotSent(why)
    await until(lambda: "No connection" in client.link.why)


@pytest.mark.parametrize("way", ["close reason", "frame before"])
async def test_a_session_active_elsewhere_stops_it_for_good(vendor: Vendor, connect: Connect, way: str) -> None:
    client = await connect(**FAST)
    if way == "close reason":
        await vendor.sockets[0].close(code=4001, message=b"Session active elsewhere")
    else:
        await vendor.sockets[0].send_json({"error": "Session active elsewhere"})
        await vendor.sockets[0].close()
    await until(lambda: client.stream.stopped)
    await client.stream._task
    assert client.link.why == STOPPED
    assert not client.link.up
    assert vendor.handshakes == 1
    assert await client.send(reverse(), deadline=soon()) == NotSent(f"{STOPPED} {ENTRIES_WAIT}")
    # Reads are not affected.
    assert len(await client.positions("Sim101")) == 1


async def test_a_pending_rpc_at_such_a_cut_is_unknown(vendor: Vendor, connect: Connect) -> None:
    async def cut(socket: web.WebSocketResponse, _: dict[str, Any]) -> None:
        await socket.close(code=4001, message=ELSEWHERE.encode())

    vendor.on_rpc = cut
    client = await connect(**FAST)
    assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)
    await until(lambda: client.stream.stopped)


@pytest.mark.parametrize("status", [401, 403, 500, 302])
async def test_a_refused_handshake_is_told_and_tried_again(vendor: Vendor, connect: Connect, status: int) -> None:
    vendor.handshake_status = status
    client = await connect(transport="websocket", timings=CrossTradeTimings(backoff=(0.01, 0.02)))
    await until(lambda: vendor.handshakes >= 3)
    expected = "CROSSTRADE_TOKEN" if status in {401, 403} else f"HTTP {status}"
    assert expected in client.link.why
    vendor.handshake_status = 101
    await until(lambda: client.stream.link.up)


@dataclass(frozen=True)
class _Closed:
    type: aiohttp.WSMsgType = aiohttp.WSMsgType.CLOSED
    extra: str | None = None


class _Session:
    """A session whose connections live as long as told, or fail; it remembers when each was asked for."""

    def __init__(self, *lives: float | Exception) -> None:
        self.attempts: list[float] = []
        self.said: list[str] = []
        self._lives = list(lives)
        self._life: float | Exception = 0.0
        self.closed = False
        self.close_code = 1006

    def ws_connect(self, *_: object, **__: object) -> "_Session":
        self.attempts.append(asyncio.get_running_loop().time())
        self._life = self._lives.pop(0) if self._lives else 1e9
        return self

    async def __aenter__(self) -> Self:
        if isinstance(self._life, Exception):
            raise self._life
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)

    async def send_str(self, text: str) -> None:
        self.said.append(text)

    async def receive(self) -> _Closed:
        assert isinstance(self._life, float)
        await asyncio.sleep(self._life)
        return _Closed()


def _feed() -> Feed:
    return Feed(SteadyClock(asyncio.get_running_loop().time, lambda: soon(0)), USUAL.crosstrade)


def _parts() -> dict[str, Any]:
    """What a stream needs beside its session and its address."""
    return {"listener": _feed(), "clock": lambda: soon(0), "new_id": str, "clean": str, "timings": USUAL.crosstrade}


def _waits(*lives: float | Exception, **options: Any) -> list[float]:
    """Live these connections in virtual time; gives how long each attempt came after the one before."""

    async def play() -> list[float]:
        session: Any = _Session(*lives)
        stream = Stream(session, "http://x", **_parts(), **options)
        stream.start()
        await asyncio.sleep(1000)
        assert stream.link.up
        await stream.close()
        return [round(later - earlier, 3) for earlier, later in pairwise(session.attempts)]

    return run(play())


FAILURE = aiohttp.ClientConnectionError()


def test_attempts_grow_rarer() -> None:
    assert _waits(*[FAILURE] * 8) == [1, 2, 5, 10, 20, 30, 30, 30]


def test_a_good_connection_makes_the_next_wait_short_again() -> None:
    assert _waits(FAILURE, FAILURE, FAILURE, 40.0, FAILURE) == [1, 2, 5, 41, 2]


def test_a_connection_that_is_cut_at_once_is_no_good_one() -> None:
    assert _waits(0.0, 0.0, 29.0, 0.0) == [1, 2, 34, 10]


def test_a_surprise_does_not_end_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    assert _waits(RuntimeError("boom"), FAILURE) == [1, 2]
    assert "boom" in caplog.text


def test_a_refused_token_is_tried_rarely() -> None:
    info: Any = None
    assert _waits(aiohttp.WSServerHandshakeError(info, (), status=401), FAILURE) == [30, 30]


async def test_a_socket_that_is_just_being_closed_takes_nothing(vendor: Vendor, connect: Connect) -> None:
    client = await connect(**FAST)
    stream = client.stream
    assert stream._socket is not None
    await stream._socket.close()
    with pytest.raises(NeverLeft, match="closed"):
        await stream.call("ReversePosition", "Sim101", {})
    assert vendor.frames == []


async def test_a_closed_client_has_closed_its_socket_and_sends_nothing(vendor: Vendor, connect: Connect) -> None:
    client = await connect(**FAST)
    await client.__aexit__(None, None, None)
    await until(lambda: vendor.sockets[0].closed)
    assert isinstance(await client.send(reverse(), deadline=soon()), NotSent)
    assert not client.link.up
    assert vendor.handshakes == 1


async def test_a_quiet_socket_outlives_the_time_limits_of_requests(vendor: Vendor, connect: Connect) -> None:
    client = await connect(**FAST_AND_QUICK)
    since = client.stream.link.since
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() - began > 2 * QUICK.read)
    assert client.stream.link.up
    assert client.stream.link.since == since
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)


async def test_the_line_is_probed_and_a_dead_one_found(vendor: Vendor) -> None:
    async with aiohttp.ClientSession() as session:
        stream = Stream(
            session,
            vendor.url,
            listener=_feed(),
            clock=lambda: soon(0),
            new_id=str,
            clean=str,
            timings=CrossTradeTimings(backoff=(60,), heartbeat=0.05),
        )
        stream.start()
        await stream.opened()
        await until(lambda: vendor.pings >= 2)
        vendor.is_deaf = True
        await until(lambda: not stream.link.up)
        await stream.close()


async def test_a_stream_that_was_never_started_closes(vendor: Vendor) -> None:
    async with aiohttp.ClientSession() as session:
        stream = Stream(session, vendor.url, **_parts())
        await stream.close()
        assert not stream.link.up
