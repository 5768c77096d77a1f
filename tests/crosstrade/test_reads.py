"""Reads: what they ask for, what they raise, and what they tell of the link."""

import asyncio
import contextlib
import inspect
import typing
from collections.abc import Awaitable
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.crosstrade import CrossTrade
from bot.crosstrade.budget import Priority
from bot.desk.ports import Broker
from bot.errors import BrokerError, BrokerGarbled, BrokerRefused, BrokerUnreachable
from bot.program.lanes import lanes_of
from bot.timings import USUAL
from bot.trading.market.facts import Account
from bot.trading.orders.instruments import Root
from tests.clocks import HandClock

from .conftest import QUICK, Connect
from .intents import ES, reverse, soon
from .shown import SESSION
from .test_wire import ACCOUNT, FILL, ORDER, QUOTE, ROW
from .vendor import TOKEN, Answer, RawServer, Vendor, told


def test_the_client_fills_the_port_of_the_desk() -> None:
    # The type checker holds the signatures; this line is what it looks at.
    broker: type[Broker] = CrossTrade
    for name, method in inspect.getmembers(Broker, inspect.isfunction):
        if not name.startswith("_"):
            mine = inspect.signature(getattr(broker, name)).parameters
            assert [(p.name, p.kind) for p in mine.values()] == [
                (p.name, p.kind) for p in inspect.signature(method).parameters.values()
            ]
            assert typing.get_type_hints(getattr(broker, name)).keys() == typing.get_type_hints(method).keys()


async def failure(read: Awaitable[Any]) -> type[BrokerError] | None:
    """What a read raises, if it does."""
    try:
        await read
    except BrokerError as error:
        return type(error)
    return None


async def read_everything(client: CrossTrade, name: str) -> Any:
    reads: dict[str, Any] = {
        "accounts": client.accounts,
        "account": lambda: client.account("Sim101"),
        "positions": lambda: client.positions("Sim101"),
        "orders": lambda: client.orders("Sim101", active_only=True),
        "order": lambda: client.order("Sim101", "a/b"),
        "lifecycle": lambda: client.lifecycle("Sim101", "a/b"),
        "executions": lambda: client.executions("Sim101"),
        "quote": lambda: client.quote(ES),
        "templates": client.atm_templates,
    }
    return await reads[name]()


GOOD = {
    "accounts": ("/v1/api/accounts", {"accounts": [ACCOUNT], "success": True}),
    "account": ("/v1/api/accounts/Sim101", ACCOUNT),
    "positions": ("/v1/api/accounts/Sim101/positions", {"positions": [ROW], "success": True}),
    "orders": ("/v1/api/accounts/Sim101/orders?activeOnly=true", {"orders": [ORDER], "success": True}),
    "order": ("/v1/api/accounts/Sim101/orders/a%2Fb", ORDER | {"success": True}),
    "lifecycle": (
        "/v1/api/accounts/Sim101/orders/a%2Fb/lifecycle?includeFills=true&includeRaw=false&limit=200",
        {"success": True, "orderId": "a", "originalOrderId": "b", "account": "Sim101", "count": 0, "events": []},
    ),
    "executions": ("/v1/api/accounts/Sim101/executions?lookbackTime=900", {"executions": [FILL], "success": True}),
    "quote": ("/v1/api/market/quote?instrument=ES%2009-26", QUOTE),
    "templates": ("/v1/api/atm-templates", {"templates": ["Scalp", "Two legs"], "success": True}),
}


@pytest.mark.parametrize("name", GOOD)
async def test_each_read_asks_the_documented_path_and_brings_the_link_up(vendor: Vendor, connect: Connect, name: str) -> None:
    target, body = GOOD[name]
    vendor.next.append(told(200, body))
    client = await connect()
    assert not client.link.up
    assert await read_everything(client, name)
    (heard,) = vendor.heard
    assert (heard.method, heard.target, heard.body) == ("GET", target, "")
    assert heard.headers["Authorization"] == f"Bearer {TOKEN}"
    assert heard.headers["Content-Type"] == "application/json"
    assert client.link.up


@pytest.mark.parametrize(
    ("answer", "kind", "is_up"),
    [
        (told(408, {"success": False, "error": "Client not ready"}), BrokerUnreachable, False),
        (told(500, {"error": "internal_error"}), BrokerUnreachable, False),
        (Answer(503, "<html>"), BrokerUnreachable, False),
        (Answer(302, "", {"Location": "/"}), BrokerUnreachable, False),
        (Answer(429, "{}", {"Retry-After": "0"}), BrokerUnreachable, False),
        (told(400, {"error": "Invalid request"}), BrokerRefused, True),
        (told(401, {"error": "api_requires_pro"}), BrokerRefused, False),
        (told(403, {"error": "x"}), BrokerRefused, False),
        (told(200, {"success": False, "error": "x"}), BrokerRefused, True),
        (Answer(200, "<html>"), BrokerGarbled, False),
        (Answer(200, ""), BrokerGarbled, False),
        (told(200, {"success": True, "data": {"position": "none"}}), BrokerGarbled, False),
        (told(200, None), BrokerGarbled, False),
        (told(200, {}), BrokerGarbled, False),
    ],
    ids=lambda value: f"{value.status} {value.body!r:.30}" if isinstance(value, Answer) else "",
)
async def test_a_read_that_fails_raises_and_is_never_empty(
    vendor: Vendor, connect: Connect, answer: Answer, kind: type[BrokerError], is_up: bool
) -> None:
    for name in GOOD:
        vendor.next.append(answer)
        client = await connect()
        assert await failure(read_everything(client, name)) is kind, name
        assert client.link.up is is_up, name
        assert not vendor.next, name


async def test_an_order_that_crosstrade_does_not_have_is_none(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    for answer in (told(404, {"error": "Order not found"}), told(400, {"error": "Order 'x' not found or already terminal."})):
        vendor.next.append(answer)
        assert await client.order("Sim101", "x") is None
        assert client.link.up


async def test_a_wrong_path_is_not_a_missing_order(connect: Connect) -> None:
    client = await connect()
    with pytest.raises(BrokerRefused):
        await client.order("Sim101", "x")


@pytest.mark.parametrize("name", ["", "..", "."])
async def test_a_name_that_no_path_can_hold_is_refused(vendor: Vendor, connect: Connect, name: str) -> None:
    client = await connect()
    for read in (client.account(name), client.positions(name), client.executions(name), client.order("Sim101", name)):
        with pytest.raises(BrokerRefused):
            await read
    assert vendor.heard == []


async def test_a_root_is_asked_for_as_such(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(told(200, SESSION))
    client = await connect()
    assert (await client.session(Root("ES"))).contract == ES
    assert vendor.heard[0].target == "/v1/api/market/info?root=ES"


async def test_a_read_without_an_answer_is_unreachable(connect: Connect) -> None:
    async def silent(_: RawServer, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    async with RawServer(silent).running() as server:
        client = await connect(server.url, timings=QUICK)
        with pytest.raises(BrokerUnreachable, match="in time"):
            await client.positions("Sim101")
        assert not client.link.up


async def test_a_client_that_is_closed_is_unreachable(connect: Connect) -> None:
    client = await connect()
    await client.__aexit__(None, None, None)
    with pytest.raises(BrokerUnreachable):
        await client.accounts()


async def test_a_read_that_gets_no_turn_is_unreachable_and_leaves_the_link(vendor: Vendor, connect: Connect) -> None:
    client = await connect(rate=0.001, burst=1, timings=QUICK)
    await client.positions("Sim101")
    with pytest.raises(BrokerUnreachable, match="budget"):
        await client.positions("Sim101")
    assert client.link.up
    assert len(vendor.heard) == 1


async def test_reads_leave_the_reserve_to_orders(vendor: Vendor, connect: Connect) -> None:
    client = await connect(rate=0.001, burst=2, timings=QUICK)
    await client.positions("Sim101")
    with pytest.raises(BrokerUnreachable):
        await client.lane(Priority.BACKGROUND).positions("Sim101")
    await client.send(reverse(), deadline=soon())
    assert [heard.method for heard in vendor.heard] == ["GET", "POST"]


async def test_reads_in_the_background_give_way(connect: Connect) -> None:
    client = await connect()
    quiet = client.lane(Priority.BACKGROUND)
    lanes = lanes_of(client, timedelta, USUAL.desk)
    reads = [getattr(lanes, lane.name)._reads_as for lane in fields(lanes)]
    assert reads == sorted(reads)
    assert (reads[0], reads[-1]) == (Priority.EXIT, Priority.BACKGROUND)
    await quiet.positions("Sim101")
    assert client.link.up
    assert quiet.link == client.link


async def test_the_link_tells_since_when(vendor: Vendor, connect: Connect) -> None:
    clock = HandClock()
    client = await connect(clock=clock)
    began = clock()
    assert (client.link.up, client.link.since) == (False, began)
    down, up = told(408, {"error": "Client not ready"}), told(200, {"accounts": ["Sim101"], "success": True})
    for answer, since, why in (
        (down, 0, "Client not ready"),
        (up, 2, "answers"),
        (up, 2, "answers"),
        (told(429, {}, Retry_After="0"), 2, "answers"),
        (down, 5, "Client not ready"),
        (told(500, {}), 5, "HTTP 500"),
        (told(401, {}), 5, "CROSSTRADE_TOKEN"),
    ):
        clock.now += timedelta(seconds=1)
        vendor.next.append(answer)
        with contextlib.suppress(BrokerError):
            assert await client.accounts() == (Account("Sim101"),)
        assert client.link.since == began + timedelta(seconds=since)
        assert why in client.link.why


async def test_money_arrives_as_exact_decimals(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(Answer(200, '{"name":"Sim101","item":{"cashValue":100565.10000000000582,"realizedProfitLoss":-0.1}}'))
    account = await (await connect()).account("sim101")
    assert (account.cash, account.realised) == (Decimal("100565.1"), Decimal("-0.1"))
    assert account.unrealised is None
    assert account.day_result is None


async def test_reads_of_the_same_at_once_are_one_request(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    lists = await asyncio.gather(*(client.positions("Sim101") for _ in range(20)), *(client.accounts() for _ in range(20)))
    assert len({id(one) for one in lists}) == len(vendor.heard) == 2
