"""The WebSocket: RPC, pushes, limits, one connection per token."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from .client import PATIENCE, Api, frame, rpc
from .conftest import Start

ENTRY = {"instrument": "ES 09-26", "action": "Buy", "orderType": "Market", "quantity": 1, "timeInForce": "Gtc"}


async def closed(ws: aiohttp.ClientWebSocketResponse) -> tuple[int | None, object]:
    """Read to the end; the close code and its reason."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message = await ws.receive()
            if message.type is WSMsgType.CLOSE:
                return message.data, message.extra
            if message.type in {WSMsgType.CLOSED, WSMsgType.ERROR}:
                return ws.close_code, None


async def test_a_bad_token_is_refused_at_the_handshake(start: Start) -> None:
    async with start(token="other") as api:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.stream()
    assert refused.value.status == 401


async def test_reverseposition_by_rpc(api: Api) -> None:
    ws = await api.stream()
    data = await rpc(ws, "ReversePosition", account="Sim101", **ENTRY)
    assert (len(data["orderId"]), data["success"]) == (32, True)
    await api.holds("Sim101", "ES 09-26", 1)
    (request,) = (await api.book())["requests"]
    assert (request["transport"], request["path"], request["status"]) == ("rpc", "/ws/stream", 200)
    assert request["body"] == {"account": "Sim101", **ENTRY}
    assert "secret" not in str(request)


async def test_an_rpc_error_has_success_false(api: Api) -> None:
    ws = await api.stream()
    assert await rpc(ws, "ReversePosition", account="Sim102", **ENTRY) == {
        "success": False,
        "error": "No position found for instrument 'ES 09-26' in account 'sim102'",
    }
    assert await rpc(ws, "FlyToTheMoon") == {"success": False, "error": "Unknown API command: FlyToTheMoon"}


async def test_rpc_args_that_are_no_object_are_refused(api: Api) -> None:
    ws = await api.stream()
    await ws.send_json({"action": "rpc", "id": 7, "api": "ListAccounts", "args": [1]})
    assert await ws.receive_json() == {"id": 7, "data": {"success": False, "error": "Invalid request"}}


async def test_a_slow_rpc_does_not_hold_up_the_next(api: Api) -> None:
    await api.fault("delay", "ListAccounts", seconds=0.2)
    ws = await api.stream()
    await ws.send_json({"action": "rpc", "id": "slow", "api": "ListAccounts"})
    await ws.send_json({"action": "rpc", "id": "quick", "api": "ListAtmTemplates"})
    assert [(await ws.receive_json())["id"] for _ in range(2)] == ["quick", "slow"]


async def test_cancel_has_two_names(api: Api) -> None:
    ws = await api.stream()
    for name in ("Cancel", "CancelOrder"):
        order_id = await api.order(orderType="LIMIT", limitPrice=100)
        assert (await rpc(ws, name, account="Sim102", orderId=order_id))["success"] is True


async def test_flatten_everything_by_rpc_has_no_filters_and_flatten_has(api: Api) -> None:
    ws = await api.stream()
    data = await rpc(ws, "Flatten", marketPosition="short")
    assert [row["instrument"] for row in data["closedPositions"]] == ["ES 09-26"]
    await api.holds("Sim101", "ES 09-26", 0)
    data = await rpc(ws, "FlattenEverything", marketPosition="short")
    assert len(data["closedPositions"]) == 2


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"action": "dance"}', "{}"])
async def test_what_is_no_message_gets_an_error_without_an_id(api: Api, text: str) -> None:
    ws = await api.stream()
    await ws.send_str(text)
    answer = await ws.receive_json()
    assert set(answer) == {"error"}
    await ws.send_json({"action": "ping"})
    assert await ws.receive_json() == {"type": "pong"}


async def test_market_data_comes_for_what_was_subscribed_until_it_is_not(api: Api) -> None:
    ws = await api.stream()
    await ws.send_json({"action": "subscribe", "instruments": ["ES", "CL 01-27"]})
    ack = await ws.receive_json()
    assert (ack["status"], ack["instruments"][0]) == ("subscribed", "CL 01-27")
    data = await frame(ws, lambda one: one.get("type") == "marketData")
    assert [set(quote) for quote in data["quotes"]] == [{"instrument", "last", "bid", "ask", "volume"}] * 2
    await ws.send_json({"action": "unsubscribe", "instruments": ["ES"]})
    await frame(ws, lambda one: one.get("status") == "unsubscribed")
    data = await frame(ws, lambda one: one.get("type") == "marketData")
    assert [quote["instrument"] for quote in data["quotes"]] == ["CL 01-27"]


@pytest.mark.parametrize("instruments", [None, [], "ES", ["XX"], [1]])
async def test_a_subscription_that_names_nothing_is_refused(api: Api, instruments: object) -> None:
    ws = await api.stream()
    for action in ("subscribe", "unsubscribe"):
        await ws.send_json({"action": action, "instruments": instruments})
        assert await ws.receive_json() == {"error": "Invalid request"}


async def test_subscriptions_have_a_budget_of_their_own(start: Start) -> None:
    async with start(rate_limited=True) as api:
        ws = await api.stream()
        answers = []
        for _ in range(6):
            await ws.send_json({"action": "subscribe", "instruments": ["ES"]})
            answers.append(await frame(ws, lambda one: one.get("type") is None))
        assert [answer.get("status") for answer in answers] == ["subscribed"] * 5 + [None]
        assert answers[5]["error"] == "rate_limited"
        assert (await rpc(ws, "ListAtmTemplates"))["success"] is True


async def test_p_and_l_is_streamed_until_switched_off(api: Api) -> None:
    ws = await api.stream()
    await ws.send_json({"action": "streamPnl", "enabled": True, "interval": 50})
    update = await frame(ws, lambda one: one.get("type") == "pnlUpdate")
    assert [row["account"] for row in update["accounts"]] == ["Sim101", "Sim102", "Apex-001"]
    assert update["epoch"] > 1_700_000_000_000
    await ws.send_json({"action": "streamPnl", "enabled": False})
    await ws.send_json({"action": "ping"})
    await frame(ws, lambda one: one == {"type": "pong"})
    with pytest.raises(TimeoutError):
        await ws.receive(timeout=0.15)


async def test_a_second_connection_cuts_the_first(api: Api) -> None:
    first = await api.stream()
    second = await api.stream()
    assert await closed(first) == (4001, "Session active elsewhere")
    assert (await rpc(second, "ListAtmTemplates"))["success"] is True
    api.headers = {"Authorization": "Bearer another"}
    await api.stream()
    assert (await rpc(second, "ListAtmTemplates"))["success"] is True


async def test_rest_and_rpc_share_one_budget_and_the_tenth_violation_closes(start: Start) -> None:
    async with start(rate_limited=True) as api:
        api.simulator.cloud.monotonic = lambda: 0.0
        ws = await api.stream()
        for _ in range(20):
            await api.send("GET", "atm-templates")
        for number in range(10):
            await ws.send_json({"action": "rpc", "id": number, "api": "ListAccounts"})
        limited = {"success": False, "error": "rate_limited", "retryAfter": 1}
        assert [await ws.receive_json() for _ in range(10)] == [{"id": one, "data": limited} for one in range(10)]
        assert (await closed(ws))[0] == 1008


async def test_violations_count_only_in_a_row(start: Start) -> None:
    async with start(rate_limited=True) as api:
        moment = {"now": 0.0}
        api.simulator.cloud.monotonic = lambda: moment["now"]
        ws = await api.stream()
        for _ in range(20):
            await rpc(ws, "ListAtmTemplates")
        for _ in range(2):
            for _ in range(9):
                assert (await rpc(ws, "ListAtmTemplates"))["error"] == "rate_limited"
            moment["now"] += 1 / 3
            assert (await rpc(ws, "ListAtmTemplates"))["success"] is True


@pytest.mark.parametrize("effect", [False, True])
async def test_a_drop_loses_the_connection_with_the_answer(api: Api, effect: bool) -> None:
    await api.fault("drop", "ReversePosition", effect=effect)
    ws = await api.stream()
    await ws.send_json({"action": "rpc", "id": 1, "api": "ReversePosition", "args": {"account": "Sim101", **ENTRY}})
    assert (await closed(ws))[0] == 1006
    assert len((await api.book())["orders"]) == (2 if effect else 0)


@pytest.mark.parametrize(
    ("fault", "data"),
    [
        ({"kind": "timeout"}, {"success": False, "error": "Client not ready"}),
        ({"kind": "rate_limit"}, {"success": False, "error": "rate_limited", "retryAfter": 1}),
        ({"kind": "answer", "status": 400, "body": {"error": "no"}}, {"success": False, "error": "no"}),
        ({"kind": "answer", "status": 200, "body": []}, []),
    ],
)
async def test_spoilt_rpc_answers(api: Api, fault: dict[str, Any], data: object) -> None:
    await api.control("faults", rules=[fault])
    assert await rpc(await api.stream(), "ListAccounts") == data


async def test_garbage_frames(api: Api) -> None:
    await api.control("faults", rules=[{"kind": "garbage", "call": name} for name in ("marketData", "ListAccounts")])
    ws = await api.stream()
    await ws.send_json({"action": "rpc", "id": 1, "api": "ListAccounts"})
    assert (await ws.receive_str()).startswith('{"success": true, "orderId"')
    await ws.send_json({"action": "subscribe", "instruments": ["ES"]})
    await ws.receive_json()
    assert not (await ws.receive_str()).endswith("}")


async def test_a_push_can_lose_the_connection_too(api: Api) -> None:
    await api.fault("reset", "marketData")
    ws = await api.stream()
    await ws.send_json({"action": "subscribe", "instruments": ["ES"]})
    await ws.receive_json()
    assert (await closed(ws))[0] == 1006


async def test_account_events_are_off_unless_asked_for(api: Api) -> None:
    ws = await api.stream()
    await ws.send_json({"action": "subscribe", "events": ["orders"]})
    assert await ws.receive_json() == {"error": "Invalid request"}


async def test_account_events_tell_of_orders_executions_and_positions(start: Start) -> None:
    async with start(account_events=True) as api:
        ws = await api.stream()
        await ws.send_json({"action": "subscribe", "events": ["orders", "executions", "positions"]})
        assert await ws.receive_json() == {"status": "subscribed", "events": ["orders", "executions", "positions"]}
        order_id = await api.order()
        frames = [await ws.receive_json() for _ in range(6)]
    assert [one["seq"] for one in frames] == [1, 2, 3, 4, 5, 6]
    assert [one["type"] for one in frames] == ["orderUpdate"] * 4 + ["executionUpdate", "positionUpdate"]
    assert [one["order"]["orderState"] for one in frames[:4]] == ["Submitted", "Accepted", "Working", "Filled"]
    assert (frames[0]["account"], frames[4]["execution"]["orderId"]) == ("Sim102", order_id)
    assert frames[5]["position"]["quantity"] == 1


async def test_account_events_get_lost_doubled_and_asked_to_be_read_again(start: Start) -> None:
    async with start(account_events=True) as api:
        ws = await api.stream()
        await ws.send_json({"action": "subscribe", "events": ["orders"]})
        await ws.receive_json()
        for kind in ("event_gap", "resync", "event_twice"):
            await api.fault(kind, "orderUpdate", count=1)
        await api.order()
        frames = [await ws.receive_json() for _ in range(4)]
        await api.control("reset")
        await api.order()
        after = await ws.receive_json()
    # The first event is lost; the second comes as a resync, twice.
    assert [(one["type"], one["seq"], one.get("dropped")) for one in frames[:2]] == [("resync", 2, 1)] * 2
    assert [one["seq"] for one in frames[2:]] == [3, 4]
    assert (after["type"], after["seq"]) == ("orderUpdate", 5)


async def test_a_new_connection_starts_without_subscriptions(api: Api) -> None:
    first = await api.stream()
    await first.send_json({"action": "subscribe", "instruments": ["ES"]})
    await first.receive_json()
    await first.close()
    second = await api.stream()
    with pytest.raises(TimeoutError):
        await second.receive(timeout=0.1)
