"""The levers that came later, and that docs/simulator.md tells of every lever and of every kind of fault, rightly."""

import json
import re
from pathlib import Path

import pytest
from aiohttp import WSCloseCode, WSMsgType, WSServerHandshakeError

from bot.sandbox.ninjatrader import AccountSpec, Kind, Resting
from bot.sandbox.ninjatrader.levers import LEVERS, LOOKS

from .client import Api
from .conftest import Start

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


async def test_the_door_lists_its_levers_and_the_kinds_of_faults(api: Api) -> None:
    async with api.http.get(f"{api.url}/control") as reply:
        listed = await reply.json()
    assert set(listed["post"]) == {f"/control/{name}" for name in LEVERS}
    assert set(listed["get"]) == {f"/control/{name}" for name in LOOKS}
    assert all(listed["post"].values())
    assert listed["faults"] == [kind.value for kind in Kind]


async def test_an_order_can_be_placed_by_hand_and_no_fault_strikes_it(api: Api) -> None:
    await api.fault("reject")
    answer = await api.control("order", account="Sim102", instrument="ES 09-26", action="SELL", quantity=2)
    row = await api.order_in(answer["orderId"], "Filled")
    assert (row["orderAction"], row["orderType"], row["filled"]) == ("Sell", "Market", 2)
    assert (await api.book())["requests"] == [], "it did not come by the API"


async def test_working_orders_can_be_there_from_the_start(start: Start) -> None:
    orders = (Resting("ES 09-26", 1, -40), Resting("ES 09-26", -2, 40, "pair"), Resting("ES 09-26", -1, -20, "pair"))
    async with start(accounts=(AccountSpec("Sim102", orders=(*orders, Resting("ES 09-26", 3, 20))),)) as api:
        await api.control("price", frozen=True)
        last = (await api.get("market/quote?instrument=ESU6"))["last"]
        rows = (await api.get("accounts/Sim102/orders?activeOnly=true"))["orders"]
        shown = [(row["orderAction"], row["orderType"], row["limitPrice"] or row["stopPrice"], row["orderState"]) for row in rows]
        # From the price that there was when they were put there, which may have moved on since by a little.
        begun = shown[0][2] + 10
        assert shown == [
            ("Buy", "Limit", begun - 10, "Working"),
            ("Sell", "Limit", begun + 10, "Working"),
            ("Sell", "StopMarket", begun - 5, "Accepted"),
            ("Buy", "StopMarket", begun + 5, "Accepted"),
        ]
        assert abs(begun - last) < 5
        await api.control("price", instrument="ES 09-26", last=begun - 6, frozen=True)
        await api.order_in(rows[2]["id"], "Filled")
        await api.order_in(rows[1]["id"], "Cancelled")
        assert await api.held("Sim102", "ES 09-26") == -1


async def test_a_reset_can_bring_working_orders(api: Api) -> None:
    account = {"name": "Sim7", "orders": [{"instrument": "NQ 12-26", "quantity": 1, "ticks": -80, "ocoId": "x"}]}
    await api.control("reset", accounts=[account])
    (row,) = (await api.get("accounts/Sim7/orders"))["orders"]
    assert (row["orderType"], row["ocoId"], row["orderState"]) == ("Limit", "x", "Working")


async def test_how_long_things_take_can_be_changed_while_it_runs_and_stays_after_a_reset(api: Api) -> None:
    told = await api.control("timing", fill=30, step=0)
    assert (told["fill"], told["step"]) == (30, 0)
    await api.control("reset")
    order_id = await api.order()
    assert (await api.order_in(order_id, "Working"))["filled"] == 0
    async with api.http.post(f"{api.url}/control/timing", json={"nonsense": 1}) as reply:
        assert reply.status == 400


async def test_the_budget_and_the_events_can_be_switched_while_it_runs(api: Api) -> None:
    api.simulator.cloud.monotonic = lambda: 0.0
    assert (await api.control("cloud", rateLimited=True))["rateLimited"] is True
    seen = [(await api.send("GET", "atm-templates"))[0] for _ in range(21)]
    assert seen == [200] * 20 + [429]
    told = await api.control("cloud", rateLimited=False)
    beside = {"names": "dated", "roots": False, "dateAhead": 0}
    assert told == {"success": True, "rateLimited": False, "accountEvents": False, **beside}
    assert (await api.send("GET", "atm-templates"))[0] == 200


async def test_another_program_takes_the_stream_or_it_is_shut_until_it_is_opened_again(api: Api) -> None:
    async with await api.stream() as socket:
        assert (await api.control("stream", taken=True)) == {"success": True, "open": True}
        closing = await socket.receive()
        assert (closing.type, closing.data, closing.extra) == (WSMsgType.CLOSE, 4001, "Session active elsewhere")
    async with await api.stream() as socket:
        assert (await api.control("stream", open=False))["open"] is False
        assert (await socket.receive()).data == WSCloseCode.GOING_AWAY
    with pytest.raises(WSServerHandshakeError, match="503"):
        await api.stream()
    # Everything else goes on.
    assert (await api.send("GET", "accounts"))[0] == 200
    await api.control("stream", open=True)
    async with await api.stream() as socket:
        await socket.send_json({"action": "ping"})
        assert await socket.receive_json() == {"type": "pong"}


async def test_an_account_without_its_broker_may_be_left_out_of_lists_and_is_reached_all_the_same(api: Api) -> None:
    async def listed() -> tuple[set[str], set[str]]:
        accounts, positions = await api.get("accounts"), await api.get("positions")
        return {row["name"] for row in accounts["accounts"]}, {row["account"] for row in positions["positions"]}

    everything = await listed()
    assert "Sim101" in everything[0] & everything[1]
    await api.control("account", account="Sim101", connection="ConnectionLost")
    assert await listed() == everything
    await api.fault("unlisted")
    assert await listed() == (everything[0] - {"Sim101"}, everything[1] - {"Sim101"})
    assert (await api.get("accounts/Sim101/positions"))["positions"] != []
    await api.control("account", account="Sim101", connection="Connected")
    assert await listed() == everything


async def test_without_a_feed_there_are_no_bars_and_no_prices(api: Api) -> None:
    await api.control("price", instrument="ES 09-26", feed=False)
    bars = await api.post("market/bars", {"instrument": "ES 09-26"})
    quote = await api.get("market/quote?instrument=ES%2009-26")
    assert (bars["count"], bars["bars"]) == (0, [])
    assert (quote["last"], quote["dataSource"]["connectedFeeds"]) == (0, [])


def told_kinds() -> list[str]:
    """The kinds in the order of the document's table."""
    table = PAGE.read_text(encoding="utf-8").partition("<!-- kinds -->")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", table, re.MULTILINE)


def test_the_document_tells_of_every_kind_of_fault_in_order_and_of_none_besides() -> None:
    assert told_kinds() == [kind.value for kind in Kind]


def test_every_kind_has_a_line_that_says_more_than_its_name() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("<!-- kinds -->")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| `\w+` \|(.*)\|$", table, re.MULTILINE):
        assert len(line.split()) >= 4, line


def told_curls() -> list[tuple[str, str]]:
    """Lever and body of every curl line of the document; a look has no body."""
    lines = re.findall(r"^curl (?:-d '(.*)' )?localhost:8765/control/?(\w*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, body) for body, name in lines]


async def test_every_lever_has_a_curl_line_and_every_curl_line_works(api: Api) -> None:
    curls = told_curls()
    assert {name for name, body in curls if body} == set(LEVERS)
    assert {name for name, body in curls if not body} == {*LOOKS, ""}
    for name, body in curls:
        path = f"{api.url}/control/{name}".rstrip("/")
        method = "POST" if body else "GET"
        async with api.http.request(method, path, data=json.dumps(json.loads(body)) if body else None) as reply:
            assert reply.status == 200, (name, body, await reply.text())
