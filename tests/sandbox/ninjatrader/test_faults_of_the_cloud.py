"""Faults of what stands before the add-on: plan, limiter, versions, forms of answers, and requests that come late."""

import time
from typing import Any

import pytest

from bot.sandbox.ninjatrader import Faults, Kind
from bot.sandbox.ninjatrader.cloud import SLOWED_LEAST, SLOWED_MOST

from .client import Api, frame, rpc, until
from .conftest import Start

ENTRY = {"instrument": "ES 09-26", "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}
REVERSE = "accounts/Sim101/positions/reverseposition"
NOT_READY = (408, {"success": False, "error": "Client not ready"})
NO_PLAN = (401, {"success": False, "error": "api_requires_pro"})


async def test_a_late_request_is_done_after_its_408(api: Api) -> None:
    await api.fault("late", "ReversePosition", effect=True, seconds=0.15)
    assert await api.send("POST", REVERSE, ENTRY) == NOT_READY
    before = await api.book()
    assert (before["orders"], before["requests"][0]["hadEffect"]) == ([], False)
    await api.holds("Sim101", "ES 09-26", 1)
    (request,) = (await until(api.book, lambda book: book["requests"][0]["hadEffect"]))["requests"]
    assert request["status"] == 408


async def test_a_late_request_may_be_discarded_for_its_age(api: Api) -> None:
    await api.fault("late", "ReversePosition")
    assert await api.send("POST", REVERSE, ENTRY) == NOT_READY
    await api.control("timing", step=0)
    await api.order_in(await api.order(), "Filled")
    assert len((await api.book())["orders"]) == 1


async def test_a_late_request_does_not_outlive_a_reset_nor_the_simulator(start: Start) -> None:
    async with start() as api:
        await api.fault("late", "ReversePosition", effect=True, seconds=60)
        await api.send("POST", REVERSE, ENTRY)
        old = api.simulator.world.exchange.scheduler
        await api.control("reset")
        assert old.stopped
        assert not old._handles
        await api.control("timing", close_wait=60)
        await api.fault("late", "ReversePosition", effect=True)
        await api.fault("slow_close", seconds=60)
        await api.send("POST", REVERSE, ENTRY)
        await until(api.book, lambda book: len(book["orders"]) == 1)
        (under_way,) = api.simulator.cloud._late
        await api.control("reset")
        assert under_way.cancelling()


async def test_without_a_plan_nothing_is_answered_not_even_the_clouds_own(api: Api) -> None:
    async with await api.stream() as ws:
        await api.fault("no_plan")
        assert await api.send("GET", "accounts") == NO_PLAN
        assert await api.send("POST", REVERSE, ENTRY) == NO_PLAN
        assert await api.send("GET", "accounts/Sim101/watermarks") == NO_PLAN
        assert await rpc(ws, "ListAccounts") == NO_PLAN[1]
    # Nobody gets as far as the handshake.
    async with api.http.get(f"{api.url}/ws/stream", headers=api.headers) as reply:
        assert (reply.status, await reply.json()) == NO_PLAN
    assert (await api.book())["orders"] == []


async def test_an_older_addon_does_not_know_what_came_later(api: Api) -> None:
    order_id = await api.order(orderType="LIMIT", limitPrice=100)
    await api.fault("old_addon")
    for method, path, name in (
        ("GET", f"accounts/Sim102/orders/{order_id}/lifecycle", "GetOrderLifecycle"),
        ("GET", "market/quote?instrument=ES%2009-26", "GetQuote"),
        ("GET", "market/info", "MarketInfo"),
        ("POST", "market/bars", "GetBars"),
        ("POST", "accounts/Sim102/orders/cancel_and_bracket", "CancelAndBracket"),
    ):
        assert await api.send(method, path, None if method == "GET" else {}) == (400, {"error": f"Unknown API command: {name}"})
    assert (await api.send("GET", "accounts/Sim101/quote?instrument=ES%2009-26"))[0] == 200
    assert (await api.send("GET", f"accounts/Sim102/orders/{order_id}"))[0] == 200


async def test_an_addon_between_the_versions(api: Api) -> None:
    await api.fault("old_addon", "GetOrderLifecycle")
    assert (await api.send("GET", "accounts/Sim102/orders/x/lifecycle"))[0] == 400
    assert (await api.send("GET", "market/quote?instrument=ES%2009-26"))[0] == 200


async def test_the_older_429_has_neither_header_nor_machine_code(start: Start) -> None:
    async with start(rate_limited=True) as api:
        api.simulator.cloud.monotonic = lambda: 0.0
        await api.fault("old_limit")
        for _ in range(20):
            await api.send("GET", "atm-templates")
        async with api.http.get(f"{api.url}/v1/api/atm-templates", headers=api.headers) as reply:
            assert (reply.status, reply.headers.get("Retry-After")) == (429, None)
            assert await reply.json() == {"error": "Rate limit exceeded"}


async def timed(api: Api, path: str = "accounts") -> float:
    """How long a read takes, in seconds."""
    begun = time.monotonic()
    await api.get(path)
    return time.monotonic() - begun


async def test_a_quiet_limiter_lets_two_quick_calls_through_and_then_takes_its_time(start: Start) -> None:
    async with start(rate_limited=True) as api:
        await api.fault("slow_limit", "ListAccounts", seconds=0.15)
        moment = {"now": 0.0}
        api.simulator.cloud.monotonic = lambda: moment["now"]
        assert [await timed(api) >= 0.15 for _ in range(4)] == [False, False, True, True]
        moment["now"] += 20
        assert [await timed(api) >= 0.15 for _ in range(2)] == [False, True]
        await api.control("faults", clear=True, rules=[{"kind": "slow_limit", "call": "ListAccounts", "seconds": 0}])
        assert {(await api.send("GET", "accounts"))[0] for _ in range(25)} == {200}, "never a 429"


async def test_another_program_may_spend_of_the_budget(start: Start) -> None:
    async with start(rate_limited=True) as api:
        moment = {"now": 0.0}
        api.simulator.cloud.monotonic = lambda: moment["now"]
        await api.fault("shared", quantity=5)
        assert [(await api.send("GET", "accounts"))[0] for _ in range(2)] == [200, 200]
        moment["now"] += 9
        assert {(await api.send("GET", "accounts"))[0] for _ in range(2)} == {429}
        await api.control("faults", clear=True)
        moment["now"] += 1
        assert [(await api.send("GET", "accounts"))[0] for _ in range(4)] == [200, 200, 200, 429]


async def test_all_calls_that_only_read_may_be_slow_while_others_are_not(api: Api) -> None:
    await api.fault("delay", "reading", seconds=0.15)
    for path in ("accounts", "accounts/Sim101/positions", "market/quote?instrument=ES%2009-26"):
        assert await timed(api, path) >= 0.15
    began = time.monotonic()
    assert (await api.send("POST", REVERSE, ENTRY))[0] == 200
    assert time.monotonic() - began < 0.15


def test_the_quiet_limiter_takes_as_long_as_was_measured() -> None:
    faults = Faults(seed=1)
    rule = faults.add(Kind.SLOW_LIMIT)
    taken = [faults.seconds(rule, SLOWED_LEAST, SLOWED_MOST) for _ in range(50)]
    assert all(5 <= seconds <= 16 for seconds in taken)
    assert len(set(taken)) > 10


async def test_answers_may_be_nested(api: Api) -> None:
    order_id = await api.order(orderType="LIMIT", limitPrice=100)
    await api.fault("nested", "GetOrder", body="order")
    await api.fault("nested")
    answer = await api.get(f"accounts/Sim102/orders/{order_id}")
    assert (set(answer), answer["order"]["id"]) == ({"success", "order"}, order_id)
    assert set((await api.get("accounts"))["data"]) == {"accounts"}
    assert len((await api.get("market/quote?instrument=ES%2009-26,NQ%2009-26"))["data"]) == 2
    status, body = await api.send("GET", "accounts/Nobody")
    assert (status, body["error"]) == (400, "invalid_account")


@pytest.mark.parametrize("kind", ["timeout", "rate_limit"])
async def test_trading_means_every_call_that_can_change_something_and_no_other(api: Api, kind: str) -> None:
    await api.fault(kind, "trading", count=1)
    assert (await api.send("GET", "accounts"))[0] == 200
    assert (await api.send("POST", "market/bars", {"instrument": "ES 09-26"}))[0] == 200
    assert (await api.send("POST", "accounts/Sim102/orders/place", ENTRY))[0] in {408, 429}
    assert (await api.send("POST", "accounts/Sim102/orders/place", ENTRY))[0] == 200


async def test_offline_does_not_use_up_what_waits_for_the_next_order(api: Api) -> None:
    await api.control("faults", rules=[{"kind": "offline"}, {"kind": "timeout", "call": "trading", "effect": True, "count": 1}])
    assert await api.send("POST", REVERSE, ENTRY) == NOT_READY
    assert (await api.book())["orders"] == []
    await api.control("faults", remove=["offline"])
    assert await api.send("POST", REVERSE, ENTRY) == NOT_READY
    assert len((await api.book())["orders"]) == 2


async def test_a_subscription_without_an_acknowledgement(api: Api) -> None:
    await api.fault("no_ack")
    async with await api.stream() as ws:
        await ws.send_json({"action": "subscribe", "instruments": ["ES"]})
        first: dict[str, Any] = await frame(ws, lambda _: True)
    assert first["type"] == "marketData"


async def test_account_events_can_fall_silent(start: Start) -> None:
    async with start() as api:
        await api.control("cloud", accountEvents=True)
        ws = await api.stream()
        await ws.send_json({"action": "subscribe", "events": ["orders"]})
        await ws.receive_json()
        await api.fault("offline", "orderUpdate")
        await api.order_in(await api.order(), "Filled")
        await api.control("faults", clear=True)
        await api.order()
        one = await ws.receive_json()
    assert (one["seq"], one["order"]["orderState"]) == (1, "Submitted")
