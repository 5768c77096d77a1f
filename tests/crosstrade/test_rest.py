"""Orders over HTTP: what stands on the wire, and what comes of every way in which the wire can fail."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.crosstrade.rest import LARGEST_BODY
from bot.timings import CrossTradeTimings
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Change
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from bot.trading.orders.terms import OrderType, Side, Terms
from tests.clocks import HandClock

from .conftest import QUICK, Connect
from .intents import ES, reverse, soon
from .vendor import TOKEN, Answer, RawServer, Vendor, http, told, until

ACCEPTED = '{"orderId":"cb1f","success":true}'
PATH = b"POST /v1/api/accounts/Sim101/positions/reverseposition HTTP/1.1\r\n"


async def test_an_order_is_sent_once_as_documented_and_accepted(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    outcome = await client.send(reverse(type=OrderType.LIMIT, limit=Decimal("5800.250")), deadline=soon())
    assert outcome == Accepted(f"{1:032x}")
    (heard,) = vendor.heard
    assert (heard.method, heard.target) == ("POST", "/v1/api/accounts/Sim101/positions/reverseposition")
    assert heard.headers["Authorization"] == f"Bearer {TOKEN}"
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.body == (
        '{"instrument":"ES 09-26","action":"BUY","quantity":1,"orderType":"LIMIT","timeInForce":"DAY","limitPrice":5800.250}'
    )
    assert vendor.positions == {"ES 09-26": 1}


async def test_without_a_position_the_words_of_crosstrade_come_back(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    outcome = await client.send(reverse(contract=Contract("ES", 2025, 12)), deadline=soon())
    assert outcome == Rejected("No position found for instrument 'ES 12-25' in account 'sim101'", 400)
    assert vendor.orders == {}


@pytest.mark.parametrize(
    ("account", "segment"),
    [
        ("../../x", b"..%2F..%2Fx"),
        ("Sim101?x=1", b"Sim101%3Fx%3D1"),
        ("a/b", b"a%2Fb"),
        ("%2e%2e", b"%252e%252e"),
        ("a b\r\nX: y", b"a%20b%0D%0AX%3A%20y"),
        ("Ä#1", b"%C3%84%231"),
    ],
)
async def test_no_account_name_leads_to_another_path(connect: Connect, account: str, segment: bytes) -> None:
    async with RawServer(_answering(http(ACCEPTED))).running() as server:
        client = await connect(server.url)
        assert await client.send(reverse(account), deadline=soon()) == Accepted("cb1f")
        (request,) = server.requests
        assert request.startswith(b"POST /v1/api/accounts/" + segment + b"/positions/reverseposition HTTP/1.1\r\n")


@pytest.mark.parametrize("account", ["", ".", "..", "\ud800"])
async def test_an_account_name_that_no_path_can_hold_is_not_sent(vendor: Vendor, connect: Connect, account: str) -> None:
    client = await connect()
    assert isinstance(await client.send(reverse(account), deadline=soon()), NotSent)
    assert vendor.heard == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(200, {"success": True, "data": {"orderId": "cb1f"}}), Accepted),
        (told(200, {"success": False, "error": "nope"}), Rejected),
        (told(200, {"error": "nope"}), Unknown),
        (told(200, {"orderId": "cb1f"}), Unknown),
        (told(200, [{"success": True, "orderId": "cb1f"}]), Unknown),
        (Answer(200, ""), Unknown),
        (Answer(200, "<html>hello</html>"), Unknown),
        (Answer(200, '{"success":true,"orderId":"cb'), Unknown),
        (Answer(200, b"\xff\xfe\xfd"), Unknown),
        (Answer(204, ""), Unknown),
        (Answer(301, "", {"Location": "/v1/api/elsewhere"}), Unknown),
        (Answer(307, "", {"Location": "/v1/api/elsewhere"}), Unknown),
        (told(400, {"error": "Invalid request"}), Rejected),
        (told(401, {"error": "unauthorized"}), Rejected),
        (Answer(403, "<html>blocked</html>"), Rejected),
        (told(404, {"error": "not_found", "did_you_mean": "x"}), Rejected),
        (told(408, {"success": False, "error": "Client not ready"}), Unknown),
        (told(429, {"success": False, "error": "rate_limited"}), Rejected),
        (told(500, {"error": "internal_error"}), Unknown),
        (Answer(502, "<html>bad gateway</html>"), Unknown),
        (Answer(503, ""), Unknown),
        (Answer(504, "upstream timed out"), Unknown),
        (Answer(200, ACCEPTED, {"Content-Encoding": "gzip"}), Unknown),
    ],
    ids=lambda value: f"{value.status} {value.body!r:.30}" if isinstance(value, Answer) else value.__name__,
)
async def test_every_answer_has_its_outcome_and_one_request(
    vendor: Vendor, connect: Connect, answer: Answer, kind: type[Outcome]
) -> None:
    vendor.next.append(answer)
    client = await connect()
    assert type(await client.send(reverse(), deadline=soon())) is kind
    assert len(vendor.heard) == 1


async def test_an_answer_without_end_is_given_up(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(Answer(200, b" " * (LARGEST_BODY + 1)))
    client = await connect()
    assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)


def _answering(*answers: bytes) -> Callable[[RawServer, asyncio.StreamWriter], Awaitable[None]]:
    """Answer each request with the next of these bytes, the last one again and again."""

    async def answer(server: RawServer, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(len(server.requests), len(answers)) - 1])
        await writer.drain()

    return answer


async def _hanging_up(_: RawServer, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _resetting(_: RawServer, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _silent(_: RawServer, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


async def _half_an_answer(_: RawServer, writer: asyncio.StreamWriter) -> None:
    writer.write(http(ACCEPTED)[:-5])
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "behaviour",
    [_hanging_up, _resetting, _silent, _half_an_answer, _answering(b"SMTP ready\r\n\r\n"), _answering(b"HTTP/1.1 9")],
    ids=["hang up", "reset", "silence", "half an answer", "no HTTP", "half a status"],
)
async def test_an_answer_that_is_lost_is_unknown_and_the_order_is_not_repeated(
    connect: Connect, behaviour: Callable[[RawServer, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    async with RawServer(behaviour).running() as server:
        client = await connect(server.url, timings=QUICK)
        assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)
        assert not client.link.up
        assert len(server.requests) == 1
        assert server.requests[0].startswith(PATH)


@pytest.mark.parametrize("behaviour", [_hanging_up, _resetting, _silent], ids=["hang up", "reset", "silence"])
async def test_a_change_whose_answer_is_lost_is_not_repeated_by_the_library_either(
    connect: Connect, behaviour: Callable[[RawServer, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    """A change is a PUT, which aiohttp takes for something that may be sent again."""
    terms = Terms(Side.SELL, 1, OrderType.LIMIT, limit=Decimal("5810.25"))
    change = Change("Sim101", ES, replace(terms, quantity=3), "order1", terms)
    async with RawServer(behaviour).running() as server:
        client = await connect(server.url, timings=QUICK)
        assert isinstance(await client.send(change, deadline=soon()), Unknown)
        assert [request.split(b" ")[0] for request in server.requests] == [b"PUT"]


async def test_a_change_that_could_not_leave_is_not_sent(connect: Connect) -> None:
    terms = Terms(Side.SELL, 1, OrderType.LIMIT, limit=Decimal("5810.25"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = await connect(f"http://127.0.0.1:{unused.getsockname()[1]}")
        outcome = await client.send(Change("Sim101", ES, replace(terms, quantity=3), "order1", terms), deadline=soon())
    assert outcome == NotSent("No connection to CrossTrade could be made.")


async def test_a_kept_alive_connection_that_drops_does_not_repeat_the_order(connect: Connect) -> None:
    async def once(server: RawServer, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 1:
            writer.write(http(ACCEPTED))
        else:
            writer.transport.abort()

    async with RawServer(once).running() as server:
        client = await connect(server.url)
        assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
        assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)
        assert (len(server.requests), server.connections) == (2, 1)


async def test_a_redirect_is_not_followed(connect: Connect) -> None:
    async with RawServer(_answering(http(ACCEPTED))).running() as other:
        answer = _answering(http("", "307 Temporary Redirect", f"Location: {other.url}/x"))
        async with RawServer(answer).running() as server:
            client = await connect(server.url)
            assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)
        assert other.requests == []


async def test_a_refused_connection_is_not_sent(connect: Connect) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = await connect(f"http://127.0.0.1:{unused.getsockname()[1]}")
        outcome = await client.send(reverse(), deadline=soon())
    assert outcome == NotSent("No connection to CrossTrade could be made.")
    assert client.link.why == "No connection to CrossTrade could be made."


async def test_a_failed_tls_handshake_is_not_sent(connect: Connect) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        client = await connect(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        outcome = await client.send(reverse(), deadline=soon())
    assert outcome == NotSent("No secure connection to CrossTrade could be made.")


async def test_a_connection_that_does_not_stand_in_time_is_not_sent(connect: Connect) -> None:
    heard: list[bytes] = []

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        client = await connect(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", timings=CrossTradeTimings(connect=0.1))
        outcome = await client.send(reverse(), deadline=soon())
        assert outcome == NotSent("No connection to CrossTrade could be made in time.")
        # Closing its side lets the server's handler end.
        await client.__aexit__(None, None, None)
        await until(lambda: heard)
    assert b"POST" not in heard[0]


async def test_an_address_that_cannot_be_used_is_not_sent(connect: Connect) -> None:
    client = await connect("http://")
    assert isinstance(await client.send(reverse(), deadline=soon()), NotSent)


async def test_a_closed_client_sends_nothing(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    await client.__aexit__(None, None, None)
    assert isinstance(await client.send(reverse(), deadline=soon()), NotSent)
    assert vendor.heard == []


async def test_a_spent_budget_is_not_sent(vendor: Vendor, connect: Connect) -> None:
    client = await connect(rate=0.001, burst=1)
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    outcome = await client.send(reverse(), deadline=soon(0.05))
    assert outcome == NotSent("The request budget of CrossTrade was used up before there was a turn.")
    assert len(vendor.heard) == 1


async def test_a_deadline_that_has_passed_is_not_sent(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    assert isinstance(await client.send(reverse(), deadline=soon(-1)), NotSent)
    assert vendor.heard == []


async def test_terms_that_no_broker_could_take_are_not_sent(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    assert isinstance(await client.send(reverse(quantity=0), deadline=soon()), NotSent)
    assert vendor.heard == []


async def test_a_surprise_in_the_library_is_unknown_and_logged(
    vendor: Vendor, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    client = await connect()

    async def explode() -> None:
        raise RuntimeError("boom")

    with caplog.at_level(logging.ERROR):
        answer = await client._attempt("ReversePosition", explode())
    assert isinstance(answer, RuntimeError)
    assert "boom" in caplog.text


async def test_cancelling_is_not_swallowed(connect: Connect) -> None:
    async with RawServer(_silent).running() as server:
        client = await connect(server.url)
        task = asyncio.create_task(client.send(reverse(), deadline=soon()))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 1.0),
        ("0", 0.0),
        ("2", 2.0),
        ("junk", 1.0),
        ("Sun, 22 Nov 2026 12:00:03 GMT", 3.0),
        ("Sun, 22 Nov 2026 11:59:00 GMT", 0.0),
    ],
)
async def test_after_429_the_budget_rests_as_long_as_asked(
    vendor: Vendor, connect: Connect, header: str | None, seconds: float
) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    client = await connect(clock=HandClock(noon))
    vendor.next.append(Answer(429, "{}", {} if header is None else {"Retry-After": header}))
    outcome = await client.send(reverse(), deadline=noon + timedelta(seconds=5))
    assert outcome == Rejected("HTTP 429 without a reason.", 429)
    bucket = client._budget._bucket
    assert bucket._parked_until - client._budget.now() == pytest.approx(seconds, abs=0.2)


class _Off(HandClock):
    """The clock of a host that is hours off, and knows by how much."""

    def __init__(self, now: datetime, hours: int) -> None:
        super().__init__(now)
        self._off = timedelta(hours=hours)

    @property
    def theirs(self) -> timedelta:
        return -self._off


@pytest.mark.parametrize("hours", [6, -6])
async def test_after_429_a_date_is_crosstrades_whatever_the_hosts_clock_says(
    vendor: Vendor, connect: Connect, hours: int
) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    client = await connect(clock=_Off(noon + timedelta(hours=hours), hours))
    vendor.next.append(Answer(429, "{}", {"Retry-After": "Sun, 22 Nov 2026 12:00:03 GMT"}))
    await client.send(reverse(), deadline=noon + timedelta(hours=hours, seconds=5))
    assert client._budget._bucket._parked_until - client._budget.now() == pytest.approx(3.0, abs=0.2)


async def test_no_text_that_comes_back_holds_the_token(
    vendor: Vendor, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    client = await connect()
    with caplog.at_level(logging.DEBUG):
        for status in (200, 302, 400, 401, 408, 429, 500):
            echo = {"success": False, "error": f"bad token {TOKEN}", "detail": f"Authorization: Bearer {TOKEN}"}
            vendor.next.append(told(status, echo, Retry_After="0"))
            outcome = await client.send(reverse(), deadline=soon())
            assert TOKEN not in repr(outcome)
            assert TOKEN not in client.link.why
    assert TOKEN not in caplog.text


async def test_the_instrument_goes_out_in_the_dated_form(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    await client.send(reverse(contract=ES), deadline=soon())
    assert json.loads(vendor.heard[0].body)["instrument"] == "ES 09-26"
