"""Every fault does what it says, and no more than it was told to."""

import json
import time
from typing import Any

import aiohttp
import pytest

from bot.sandbox.ninjatrader import Faults, Kind

from .client import Api

ENTRY = {"instrument": "ES 09-26", "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}
REVERSE = "accounts/Sim101/positions/reverseposition"
NOT_READY = (408, {"success": False, "error": "Client not ready"})


async def reverse(api: Api) -> tuple[int, Any]:
    return await api.send("POST", REVERSE, ENTRY)


@pytest.mark.parametrize("kind", ["drop", "reset"])
@pytest.mark.parametrize("effect", [False, True])
async def test_a_lost_answer_before_and_after_the_effect(api: Api, kind: str, effect: bool) -> None:
    await api.fault(kind, "ReversePosition", effect=effect, count=1)
    with pytest.raises(aiohttp.ClientConnectionError) as lost:
        await reverse(api)
    assert isinstance(lost.value, aiohttp.ClientOSError) == (kind == "reset")
    book = await api.book()
    assert len(book["orders"]) == (2 if effect else 0)
    (request,) = book["requests"]
    assert (request["call"], request["status"], request["hadEffect"]) == ("ReversePosition", None, effect)
    await api.holds("Sim101", "ES 09-26", 1 if effect else -2)
    assert (await reverse(api))[0] == 200


@pytest.mark.parametrize("effect", [False, True])
async def test_408_without_and_with_the_effect(api: Api, effect: bool) -> None:
    await api.fault("timeout", "ReversePosition", effect=effect)
    assert await reverse(api) == NOT_READY
    assert len((await api.book())["orders"]) == (2 if effect else 0)


async def test_429_by_order(api: Api) -> None:
    await api.fault("rate_limit", "ReversePosition")
    assert await reverse(api) == (429, {"success": False, "error": "rate_limited", "retryAfter": 1})
    assert (await api.book())["orders"] == []


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (502, "<html><h1>Bad gateway</h1></html>", "<html><h1>Bad gateway</h1></html>"),
        (200, '{"orderId": "', '{"orderId": "'),
        (200, {"success": False, "error": "kill_switch"}, {"success": False, "error": "kill_switch"}),
        (400, {"error": "bare"}, {"error": "bare"}),
        (500, {"success": False, "error": "internal_error"}, {"success": False, "error": "internal_error"}),
        (200, "", ""),
        (200, [], []),
        (401, {"success": False, "error": "api_requires_pro"}, {"success": False, "error": "api_requires_pro"}),
    ],
)
async def test_any_status_with_any_body(api: Api, status: int, body: object, seen: object) -> None:
    await api.fault("answer", "ReversePosition", status=status, body=body)
    assert await reverse(api) == (status, seen)
    assert (await api.book())["orders"] == []
    await api.control("faults", clear=True, rules=[{"kind": "answer", "status": status, "body": body, "effect": True}])
    assert await reverse(api) == (status, seen)
    assert len((await api.book())["orders"]) == 2


async def test_a_page_is_sent_as_html(api: Api) -> None:
    await api.fault("answer", status=503, body="<html></html>")
    async with api.http.get(f"{api.url}/v1/api/accounts", headers=api.headers) as reply:
        assert (reply.status, reply.content_type) == (503, "text/html")


async def test_garbage_comes_after_the_effect(api: Api) -> None:
    await api.fault("garbage", "ReversePosition")
    status, text = await reverse(api)
    assert (status, isinstance(text, str)) == (200, True)
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(text)
    assert len((await api.book())["orders"]) == 2


@pytest.mark.parametrize(("kind", "details"), [("delay", {}), ("delay", {"effect": True}), ("drip", {})])
async def test_slow_answers(api: Api, kind: str, details: dict[str, Any]) -> None:
    await api.fault(kind, "ListAccounts", seconds=0.1, **details)
    begun = time.monotonic()
    accounts = await api.get("accounts")
    assert time.monotonic() - begun >= 0.1
    assert len(accounts["accounts"]) == 3


async def test_a_delay_before_the_work_holds_the_work_back_too(api: Api) -> None:
    await api.fault("delay", "ReversePosition", seconds=60)
    with pytest.raises(TimeoutError):
        await api.http.post(f"{api.url}/v1/api/{REVERSE}", json=ENTRY, headers=api.headers,
                            timeout=aiohttp.ClientTimeout(total=0.05))  # fmt: skip
    book = await api.book()
    assert (book["orders"], len(book["requests"])) == ([], 1)


async def test_offline_answers_408_to_all_but_the_clouds_own(api: Api) -> None:
    await api.fault("offline")
    assert await reverse(api) == NOT_READY
    assert await api.send("GET", "accounts") == NOT_READY
    assert await api.send("GET", "market/quote?instrument=ES%2009-26") == NOT_READY
    assert (await api.send("GET", "accounts/Sim101/watermarks"))[0] == 200
    assert (await api.send("GET", "_endpoints"))[0] == 200
    await api.control("faults", clear=True)
    assert (await api.send("GET", "accounts"))[0] == 200


async def test_rejected_after_the_200(api: Api) -> None:
    await api.fault("reject", "PlaceOrder", count=1, seconds=0.3)
    order_id = await api.order()
    assert (await api.get(f"accounts/Sim102/orders/{order_id}"))["orderState"] == "Submitted"
    assert (await api.order_in(order_id, "Rejected"))["filled"] == 0
    await api.order_in(await api.order(), "Filled")


async def test_reject_strikes_the_entry_of_a_reverseposition_not_its_close(api: Api) -> None:
    await api.fault("reject", "ReversePosition")
    order_id = (await reverse(api))[1]["orderId"]
    await api.holds("Sim101", "ES 09-26", 0)
    await api.simulator.world.exchange.wait_until(
        lambda: all(order.state.is_done for order in api.simulator.world.exchange.orders), 2
    )
    rows = {row["id"]: row["orderState"] for row in (await api.book())["orders"]}
    assert rows.pop(order_id) == "Rejected"
    assert list(rows.values()) == ["Filled"]


async def test_order_id_null_beside_id(api: Api) -> None:
    order_id = await api.order()
    await api.fault("null_order_id")
    (row,) = (await api.get("accounts/Sim102/orders"))["orders"]
    assert (row["id"], row["orderId"]) == (order_id, None)
    assert (await api.get(f"accounts/Sim102/orders/{order_id}"))["orderId"] is None


async def test_a_close_and_the_order_behind_it_that_nothing_tells_apart(api: Api) -> None:
    await reverse(api)
    close, entry = (await api.get("accounts/Sim101/orders"))["orders"]
    assert (close["name"], entry["name"]) == ("Close", "")
    assert close["epoch"] != entry["epoch"]
    for kind in ("nameless", "coarse"):
        await api.fault(kind, seconds=600)
    close, entry = (await api.get("accounts/Sim101/orders"))["orders"]
    assert "name" not in close
    assert close["epoch"] % 600_000 == entry["epoch"] % 600_000 == 0


async def test_an_own_order_id_that_is_not_echoed(api: Api) -> None:
    await api.fault("own_id_lost")
    assert await api.order(orderId="mine", orderType="LIMIT", limitPrice=100) == "mine"
    assert (await api.send("GET", "accounts/Sim102/orders/mine"))[0] == 404
    (row,) = (await api.get("accounts/Sim102/orders?activeOnly=true"))["orders"]
    assert "mine" not in row["userData"]
    assert (await api.get("accounts/Sim102/orders/mine/lifecycle"))["count"] > 0, "the add-on's own store knows it"
    await api.order(orderId="mine-2", strategy="Scalp")
    assert (await api.send("GET", "accounts/Sim102/orders/mine-2"))[0] == 200


async def test_bare_errors(api: Api) -> None:
    await api.fault("bare")
    assert await api.send("GET", "accounts/Sim999") == (400, {"error": "Account Sim999 not found"})


async def test_a_rule_strikes_its_call_only_and_as_often_as_told(api: Api) -> None:
    await api.fault("timeout", "ListAccounts", count=2)
    assert (await api.send("GET", "accounts/Sim101"))[0] == 200
    assert [(await api.send("GET", "accounts"))[0] for _ in range(3)] == [408, 408, 200]
    async with api.http.get(f"{api.url}/control/faults") as reply:
        assert (await reply.json())["rules"] == []


def test_probability_is_kept_and_the_seed_repeats_it() -> None:
    def struck() -> list[bool]:
        faults = Faults(seed=3)
        faults.add(Kind.DROP, probability=0.25)
        return [faults.take("Any", Kind.DROP) is not None for _ in range(400)]

    assert struck() == struck()
    assert 60 < sum(struck()) < 140


@pytest.mark.parametrize(
    "rule", [{}, {"kind": "nonsense"}, {"kind": "drop", "colour": 1}, {"kind": "delay", "seconds": "x"}, 7, None]
)
async def test_a_rule_that_is_none_is_refused(api: Api, rule: object) -> None:
    async with api.http.post(f"{api.url}/control/faults", json={"rules": [rule]}) as reply:
        assert reply.status == 400
    assert api.simulator.faults.rules == []
