"""The simulator's own levers, its way of starting, and that it stands alone."""

import ast
import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

import bot.sandbox.ninjatrader
from bot.sandbox.ninjatrader import AccountSpec, Holding, Simulator, running
from bot.sandbox.ninjatrader.server import build_app

from .client import Api, until
from .conftest import Start

ENTRY = {"instrument": "ES 09-26", "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}


async def test_the_book_shows_each_mutating_request_as_it_came(api: Api) -> None:
    await api.get("accounts")
    await api.post("accounts/sim101/orders/place?x=1", ENTRY)
    await api.send("POST", "accounts/Sim101/orders/place", {})
    await api.send("POST", "market/bars", {"instrument": "ES 09-26"})
    good, bad = (await api.book())["requests"]
    assert (good["call"], good["transport"], good["path"]) == (
        "PlaceOrder", "rest", "/v1/api/accounts/sim101/orders/place?x=1",
    )  # fmt: skip
    assert (good["body"], good["status"], good["hadEffect"]) == (ENTRY, 200, True)
    assert (bad["body"], bad["status"], bad["hadEffect"]) == ({}, 400, False)
    assert "Authorization" not in good["headers"]
    assert "Host" in good["headers"]


async def test_the_book_has_the_truth_about_orders_positions_and_money(api: Api) -> None:
    order_id = await api.order(orderId="mine")
    await api.order_in(order_id, "Filled")
    book = await api.book()
    (order,) = book["orders"]
    assert (order["ownOrderId"], order["orderState"], order["events"][0]["event"]) == ("mine", "Filled", "PlaceOrder")
    held = {(row["account"], row["instrument"]): row["signedQuantity"] for row in book["positions"]}
    assert (held["Sim102", "ES 09-26"], held["Sim101", "ES 09-26"]) == (1, -2)
    assert book["executions"][0]["orderId"] == order["id"]
    assert [row["name"] for row in book["accounts"]] == ["Sim101", "Sim102", "Apex-001"]


async def test_a_reset_starts_afresh(api: Api) -> None:
    await api.order_in(await api.order(), "Filled")
    await api.fault("offline")
    await api.control("reset")
    book = await api.book()
    assert (book["orders"], book["executions"], book["requests"], len(book["positions"])) == ([], [], [], 3)
    assert (await api.send("GET", "accounts"))[0] == 200
    await api.order_in(await api.order(), "Filled")


async def test_a_reset_can_bring_another_book(api: Api) -> None:
    position = {"instrument": "NQ 12-26", "quantity": -3, "averagePrice": 24000.25}
    account = {"name": "Eval-7", "provider": "Tradovate", "cash": 1234.5, "positions": [position]}
    await api.control("reset", accounts=[account], seed=3)
    (row,) = (await api.get("accounts"))["accounts"]
    assert (row["name"], row["provider"], row["item"]["cashValue"]) == ("Eval-7", "Tradovate", 1234.5)
    (held,) = (await api.get("accounts/eval-7/positions"))["positions"]
    assert (held["marketPosition"], held["quantity"], held["averagePrice"]) == ("Short", 3, 24000.25)


async def test_nothing_of_the_old_world_reaches_the_new_one(api: Api) -> None:
    await api.order()
    old = api.simulator.world
    await api.control("reset")
    assert old.exchange.scheduler.stopped
    assert (await api.book())["orders"] == []


@pytest.mark.parametrize(
    ("lever", "data"),
    [
        ("position", {"account": "Sim102"}),
        ("position", {"account": "Nobody", "instrument": "ES", "quantity": 1}),
        ("price", {"instrument": "ES", "last": "much"}),
        ("price", {"instrument": "XX", "last": 1}),
        ("reset", {"accounts": [{}]}),
        ("market", {}),
        ("price", []),
    ],
)
async def test_a_lever_pulled_wrongly_says_so(api: Api, lever: str, data: object) -> None:
    async with api.http.post(f"{api.url}/control/{lever}", json=data) as reply:
        assert (reply.status, (await reply.json())["success"]) == (400, False)


async def test_the_levers_are_for_this_machine_only(api: Api) -> None:
    request = make_mocked_request("GET", "/control/book").clone(remote="192.0.2.7")
    route = await build_app(api.simulator).router.resolve(request)
    reply = await route.handler(request)
    assert reply.status == 403


async def test_the_whole_market_can_be_frozen_and_let_go(api: Api) -> None:
    async def last() -> float:
        api.simulator.world.tick()
        return float((await api.get("market/quote?instrument=ESU6"))["last"])

    await api.control("price", frozen=True)
    assert len({await last() for _ in range(20)}) == 1
    await api.control("price", frozen=False)
    assert len({await last() for _ in range(20)}) > 1


async def test_the_market_moves_by_itself_while_running(api: Api) -> None:
    async def volume() -> int:
        return int((await api.get("market/quote?instrument=ESU6"))["volume"])

    before = await volume()
    await until(volume, lambda now: now > before)


async def test_the_starting_book_can_be_chosen(start: Start) -> None:
    accounts = (AccountSpec("Mine", holdings=(Holding("GC 02-27", 5),)),)
    async with start(accounts=accounts) as api:
        assert await api.held("Mine", "GC 02-27") == 5
        assert (await api.send("GET", "accounts/Sim101"))[0] == 400


async def test_running_ends_while_a_stream_is_open_and_an_order_is_under_way(start: Start) -> None:
    async with asyncio.timeout(3):
        async with start() as api:
            await api.stream()
            await api.order()
        assert api.simulator.world.exchange.scheduler.stopped


async def test_two_simulators_do_not_share_a_book() -> None:
    one, two = Simulator(), Simulator()
    async with running(one) as first, running(two) as second:
        assert first != second
        one.world.accounts[0].positions.clear()
        assert two.world.accounts[0].positions


@pytest.mark.parametrize(("token", "shown"), [("abc", "abc"), (None, "any")])
async def test_serve_says_where_it_is_in_its_first_line(token: str | None, shown: str) -> None:
    code = f"import asyncio; from bot.sandbox.ninjatrader import serve; asyncio.run(serve('127.0.0.1', 0, {token!r}))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        start, _, rest = line.rstrip("\r\n").partition("http://127.0.0.1:")
        assert (start, rest.partition(" ")[2]) == ("CrossTrade simulator at ", f"(token {shown})")
        assert int(rest.partition(" ")[0]) > 0
    finally:
        process.terminate()
        await process.wait()


def test_it_imports_nothing_of_ours() -> None:
    folder = Path(bot.sandbox.ninjatrader.__file__).parent
    allowed = sys.stdlib_module_names | {"aiohttp"}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert {name.name.partition(".")[0] for name in node.names} <= allowed, path.name
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (node.module or "").partition(".")[0] in allowed, path.name
