"""Placing, matching, cancelling and changing orders."""

from typing import Any

import pytest

from bot.sandbox.ninjatrader import Timing
from bot.sandbox.ninjatrader.book import Execution
from bot.sandbox.ninjatrader.orders import Order, State

from .client import FAST, Api, until
from .conftest import Start

SPOT = 6600.0
DONE = {"Filled", "Cancelled", "Rejected"}
LIMIT = {"orderType": "LIMIT", "limitPrice": SPOT - 5}
PLACE = "accounts/Sim102/orders/place"
GOOD = {"instrument": "ES 09-26", "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}


async def price(api: Api, last: float = SPOT) -> None:
    await api.control("price", instrument="ES 09-26", last=last, frozen=True)


async def states(api: Api, order_id: str) -> list[str]:
    events = (await api.get(f"accounts/Sim102/orders/{order_id}/lifecycle"))["events"]
    return [event["event"] for event in events if event["source"] == "order_update"]


async def test_a_market_order_walks_through_its_states_and_fills_at_the_ask(api: Api) -> None:
    await price(api)
    order_id = await api.order(quantity=2)
    row = await api.order_in(order_id, "Filled")
    assert (row["filled"], row["averageFillPrice"]) == (2, SPOT + 0.25)
    assert await states(api, order_id) == ["Initialized", "Submitted", "Accepted", "Working", "Filled"]


async def test_an_order_that_was_answered_is_not_filled_yet(start: Start) -> None:
    async with start(timing=Timing(step=60)) as api:
        row = await api.get(f"accounts/Sim102/orders/{await api.order()}")
    assert (row["orderState"], row["filled"]) == ("Submitted", 0)


async def test_words_are_read_in_any_case(api: Api) -> None:
    order_id = await api.order(action="Sell", orderType="Market", timeInForce="Gtc")
    row = await api.order_in(order_id, "Filled")
    assert (row["orderAction"], row["timeInForce"], row["isLiveUntilCancelled"]) == ("Sell", "Gtc", True)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0}, {"quantity": -1}, {"quantity": 1.5}, {"quantity": "x"}, {"quantity": None}, {"quantity": True},
        {"action": "HOLD"}, {"action": None}, {"action": ["BUY"]}, {"orderType": "STOP"}, {"orderType": None},
        {"timeInForce": "IOC"}, {"timeInForce": None}, {"instrument": None}, {"instrument": "  "},
        {"orderType": "LIMIT"}, {"orderType": "STOPLIMIT", "limitPrice": 1}, {"orderType": "STOPMARKET"},
        {"orderType": "LIMIT", "limitPrice": 0}, {"orderType": "LIMIT", "limitPrice": "Infinity"},
    ],
)  # fmt: skip
async def test_a_bad_field_is_an_invalid_request_and_no_order(api: Api, change: dict[str, Any]) -> None:
    assert await api.send("POST", PLACE, GOOD | change) == (400, {"error": "Invalid request"})
    assert (await api.book())["orders"] == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"quantity": NaN}', "instrument=ES&quantity=1", '"x"', "null"])
async def test_a_body_that_is_no_json_object_is_an_invalid_request(api: Api, text: str) -> None:
    async with api.http.post(f"{api.url}/v1/api/{PLACE}", data=text, headers=api.headers) as reply:
        assert (reply.status, await reply.json()) == (400, {"error": "Invalid request"})


async def test_a_limit_order_waits_for_its_price(api: Api) -> None:
    await price(api)
    order_id = await api.order(**LIMIT)
    await api.order_in(order_id, "Working")
    assert len((await api.get("accounts/Sim102/orders?activeOnly=true"))["orders"]) == 1
    await price(api, SPOT - 5)
    assert (await api.order_in(order_id, "Working"))["filled"] == 0, "the ask is still a tick above the limit"
    await price(api, SPOT - 5.25)
    assert (await api.order_in(order_id, "Filled"))["averageFillPrice"] == SPOT - 5


async def test_a_stop_order_rests_at_accepted_and_fills_at_market_when_triggered(api: Api) -> None:
    await price(api)
    order_id = await api.order(action="SELL", orderType="STOPMARKET", stopPrice=SPOT - 5)
    await api.order_in(order_id, "Accepted")
    await price(api, SPOT - 8)
    assert (await api.order_in(order_id, "Filled"))["averageFillPrice"] == SPOT - 8
    assert await states(api, order_id) == ["Initialized", "Submitted", "Accepted", "Working", "Filled"]


async def test_a_stop_limit_order_becomes_a_limit_order_when_triggered(api: Api) -> None:
    await price(api)
    order_id = await api.order(orderType="STOPLIMIT", stopPrice=SPOT + 5, limitPrice=SPOT + 6)
    await api.order_in(order_id, "Accepted")
    await price(api, SPOT + 9)
    row = await api.order_in(order_id, "Working")
    assert (row["filled"], row["isStopLimit"]) == (0, True)
    await price(api, SPOT + 3)
    assert (await api.order_in(order_id, "Filled"))["averageFillPrice"] == SPOT + 3.25


@pytest.mark.parametrize(
    "change",
    [
        {"orderType": "LIMIT", "limitPrice": SPOT + 0.1},
        {"orderType": "STOPMARKET", "stopPrice": SPOT - 1},
        {"orderType": "STOPMARKET", "action": "SELL", "stopPrice": SPOT + 1},
        {"strategy": "no such template"},
    ],
)
async def test_what_the_broker_will_not_have_is_rejected_after_the_200(api: Api, change: dict[str, Any]) -> None:
    await price(api)
    order_id = await api.order(**change)
    await api.order_in(order_id, "Rejected")
    assert await states(api, order_id) == ["Initialized", "Submitted", "Rejected"]


async def test_nothing_fills_while_the_market_is_closed(api: Api) -> None:
    await api.control("market", open=False)
    order_id = await api.order()
    await api.order_in(order_id, "Working")
    for _ in range(3):
        api.simulator.world.tick()
    assert (await api.get("market/quote?instrument=ES%2009-26"))["isMarketOpen"] is False
    assert (await api.order_in(order_id, "Working"))["filled"] == 0
    await api.control("market", open=True)
    await api.order_in(order_id, "Filled")


async def test_cancel_is_asked_for_first_and_confirmed_later(api: Api) -> None:
    await price(api)
    order_id = await api.order(**LIMIT)
    await api.order_in(order_id, "Working")
    answer = await api.post(f"accounts/Sim102/orders/{order_id}/cancel")
    assert answer == {"orderId": order_id, "success": True}
    await api.order_in(order_id, "Cancelled")
    assert (await states(api, order_id))[-2:] == ["CancelPending", "Cancelled"]


async def test_cancel_of_a_finished_or_unknown_order_is_refused_with_the_stable_phrase(api: Api) -> None:
    order_id = await api.order()
    await api.order_in(order_id, "Filled")
    for one in (order_id, "nobody"):
        assert await api.send("POST", f"accounts/Sim102/orders/{one}/cancel", {}) == (
            400,
            {"error": f"Order linked to '{one}' not found or already terminal."},
        )


async def test_a_cancel_can_lose_against_a_fill(start: Start) -> None:
    async with start(timing=Timing(step=0.2, fill=0.001)) as api:
        await api.control("price", instrument="ES 09-26", last=SPOT, frozen=True)
        order_id = await api.order(**LIMIT)
        await api.order_in(order_id, "Working")
        await api.post(f"accounts/Sim102/orders/{order_id}/cancel")
        await price(api, SPOT - 10)
        await api.order_in(order_id, "Filled")
        assert "CancelPending" in await states(api, order_id)


async def test_partly_filled_then_cancelled_keeps_what_was_filled(api: Api) -> None:
    await price(api)
    await api.fault("partial", "PlaceOrder", quantity=2, seconds=60)
    order_id = await api.order(quantity=5)
    assert (await api.order_in(order_id, "PartFilled"))["filled"] == 2
    await api.post(f"accounts/Sim102/orders/{order_id}/cancel")
    assert (await api.order_in(order_id, "Cancelled"))["filled"] == 2
    assert await api.held("Sim102", "ES 09-26") == 2


async def test_partial_fills_come_one_after_the_other(api: Api) -> None:
    await api.fault("partial", "PlaceOrder", quantity=2)
    order_id = await api.order(quantity=5)
    await api.order_in(order_id, "Filled")
    executions = (await api.get(f"accounts/Sim102/orders/{order_id}/executions"))["executions"]
    assert [(one["quantity"], one["position"]) for one in executions] == [(2, 2), (2, 4), (1, 5)]
    assert (await states(api, order_id))[-3:] == ["PartFilled", "PartFilled", "Filled"]


async def test_orders_of_one_instrument_are_cancelled_together(api: Api) -> None:
    await price(api)
    first = await api.order(**LIMIT)
    second = await api.order(instrument="CL 01-27", orderType="LIMIT", limitPrice=10)
    answer = await api.post("accounts/Sim102/orders/cancel", {"instrument": "ESU6"})
    assert answer == {"orderIds": [first], "success": True}
    await api.order_in(first, "Cancelled")
    assert (await api.order_in(second, "Working"))["orderState"] == "Working"
    assert (await api.post("accounts/Sim102/orders/cancel"))["orderIds"] == [second]
    await api.order_in(second, "Cancelled")
    assert (await api.post("accounts/Sim102/orders/cancel"))["orderIds"] == []


async def test_cancel_all_reaches_every_account_and_under_an_account_only_that_one(api: Api) -> None:
    await price(api)
    mine = await api.order(**LIMIT)
    other = (await api.post("accounts/Sim101/orders/place", GOOD | LIMIT))["orderId"]
    assert (await api.post("accounts/Sim101/orders/cancelall"))["orderIds"] == [other]
    await api.order_in(mine, "Working")
    third = (await api.post("accounts/Apex-001/orders/place", GOOD | LIMIT))["orderId"]
    assert (await api.post("orders/cancelall"))["orderIds"] in ([mine, third], [other, mine, third])


async def test_change_moves_size_and_price(api: Api) -> None:
    await price(api)
    order_id = await api.order(**LIMIT)
    await api.order_in(order_id, "Working")
    body = {"quantity": 3, "limitPrice": SPOT - 4}
    status, answer = await api.send("PUT", f"accounts/Sim102/orders/{order_id}/change", body)
    assert (status, answer) == (200, {"orderId": order_id, "success": True})
    row = await api.order_in(order_id, "Working")
    assert (row["quantity"], row["limitPrice"]) == (3, SPOT - 4)
    assert "ChangePending" in await states(api, order_id)
    assert (await api.send("PUT", f"accounts/Sim102/orders/{order_id}/change", {"strategyId": "1"}))[0] == 400
    await price(api, SPOT - 10)
    await api.order_in(order_id, "Filled")
    status, answer = await api.send("PUT", f"accounts/Sim102/orders/{order_id}/change", body)
    assert (status, "already terminal" in answer["error"]) == (400, True)


async def test_change_before_the_exchange_has_it_holds_at_once(start: Start) -> None:
    async with start(timing=Timing(step=60)) as api:
        order_id = await api.order(**LIMIT)
        await api.send("PUT", f"accounts/Sim102/orders/{order_id}/change", {"limitPrice": SPOT})
        row = await api.get(f"accounts/Sim102/orders/{order_id}")
    assert (row["orderState"], row["limitPrice"]) == ("Submitted", SPOT)


async def test_change_down_to_what_is_filled_finishes_the_order(api: Api) -> None:
    await api.fault("partial", "PlaceOrder", quantity=2, seconds=60)
    order_id = await api.order(quantity=5)
    await api.order_in(order_id, "PartFilled")
    await api.send("PUT", f"accounts/Sim102/orders/{order_id}/change", {"quantity": 1})
    row = await api.order_in(order_id, "Filled")
    assert (row["quantity"], row["filled"]) == (2, 2)


async def test_replace_cancels_and_places_anew(api: Api) -> None:
    await price(api)
    old = await api.order(**LIMIT)
    new = (await api.post(f"accounts/Sim102/orders/{old}/replace", GOOD | LIMIT | {"quantity": 4}))["orderId"]
    assert new != old
    assert (await api.get(f"accounts/Sim102/orders/{old}"))["orderState"] == "Cancelled"
    assert (await api.order_in(new, "Working"))["quantity"] == 4
    assert (await api.send("POST", f"accounts/Sim102/orders/{old}/replace", GOOD))[0] == 400


async def test_one_oco_order_filled_cancels_the_other(api: Api) -> None:
    await price(api)
    first = await api.order(**LIMIT, ocoId="pair")
    second = await api.order(action="SELL", orderType="LIMIT", limitPrice=SPOT + 5, ocoId="pair")
    await api.order_in(second, "Working")
    await price(api, SPOT - 8)
    await api.order_in(first, "Filled")
    await api.order_in(second, "Cancelled")


async def test_a_resolved_oco_id_and_a_used_order_id_are_burnt(api: Api) -> None:
    await api.order_in(await api.order(ocoId="pair"), "Filled")
    await api.order_in(await api.order(ocoId="pair"), "Rejected")
    first = await api.order(orderId="mine")
    await api.order_in(first, "Filled")
    again = await api.order(orderId="mine")
    assert again == first == "mine"
    book = await until(api.book, lambda book: all(row["orderState"] in DONE for row in book["orders"]))
    assert [row["orderState"] for row in book["orders"]] == ["Filled", "Rejected", "Filled", "Rejected"]
    assert (await api.get("accounts/Sim102/orders/mine"))["orderState"] == "Filled", "the id finds who had it first"


async def test_require_market_position_and_max_positions_hold_an_order_back(api: Api) -> None:
    body = GOOD | {"requireMarketPosition": "long,short"}
    status, answer = await api.send("POST", PLACE, body)
    assert (status, set(answer)) == (400, {"error"})
    assert (await api.send("POST", PLACE, GOOD | {"requireMarketPosition": "sideways"}))[0] == 400
    await api.order_in(await api.order(requireMarketPosition="flat", maxPositions=1), "Filled")
    assert (await api.send("POST", PLACE, body | {"instrument": "CL 01-27", "maxPositions": 1}))[0] == 400
    assert (await api.send("POST", PLACE, GOOD | {"instrument": "CL 01-27", "maxPositions": 1}))[0] == 400
    await api.order_in(await api.order(maxPositions=1), "Filled")
    assert await api.held("Sim102", "ES 09-26") == 2


async def test_an_atm_strategy_brings_a_stop_and_a_target_with_the_fill(api: Api) -> None:
    await price(api)
    order_id = await api.order(strategy="Scalp", quantity=2)
    assert (await api.order_in(order_id, "Filled"))["ownerStrategy"]["name"] == "Scalp"
    rows = {row["name"]: row for row in (await api.book())["orders"]}
    assert (rows["Stop1"]["stopPrice"], rows["Target1"]["limitPrice"]) == (SPOT + 0.25 - 2, SPOT + 0.25 + 2)
    assert (rows["Stop1"]["quantity"], rows["Stop1"]["orderAction"]) == (2, "Sell")
    (strategy,) = (await api.get("accounts/Sim102/strategies"))["strategies"]
    assert (strategy["position"], strategy["quantity"], strategy["averagePrice"]) == ("Long", 2, SPOT + 0.25)
    assert (await api.get("accounts/Sim101/strategies"))["strategies"] == []
    await api.order_in(rows["Target1"]["id"], "Working")
    await price(api, SPOT + 4)
    await api.order_in(rows["Target1"]["id"], "Filled")
    await api.order_in(rows["Stop1"]["id"], "Cancelled")
    assert await api.held("Sim102", "ES 09-26") == 0
    assert (await api.get("accounts/Sim102/strategies"))["strategies"] == []


async def test_an_atms_exits_grow_with_its_partial_fills(api: Api) -> None:
    await price(api)
    await api.fault("partial", "PlaceOrder", quantity=1)
    await api.order_in(await api.order(strategy="Scalp", quantity=3), "Filled")
    stop = next(row for row in (await api.book())["orders"] if row["name"] == "Stop1")
    row = await api.order_in(stop["id"], "Accepted")
    assert row["quantity"] == 3


async def test_a_strategy_is_closed_with_its_orders(api: Api) -> None:
    await price(api)
    await api.order_in(await api.order(strategy="Scalp"), "Filled")
    (strategy,) = (await api.get("accounts/Sim102/strategies"))["strategies"]
    path = f"accounts/Sim102/strategies/{strategy['id']}/close"
    assert await api.post(path) == {"strategyId": strategy["id"], "success": True}
    await api.holds("Sim102", "ES 09-26", 0)
    assert (await api.get("accounts/Sim102/orders?activeOnly=true"))["orders"] == []
    assert (await api.send("POST", path, {}))[0] == 400


async def test_a_strategy_runs_until_what_it_holds_is_closed(api: Api) -> None:
    await price(api)
    await api.order_in(await api.order(strategy="Scalp"), "Filled")
    (strategy,) = (await api.get("accounts/Sim102/strategies"))["strategies"]
    await api.fault("reject", "CloseStrategy", count=1)
    await api.post(f"accounts/Sim102/strategies/{strategy['id']}/close")
    closing = next(row for row in (await api.book())["orders"] if row["name"] == "Close strategy")
    rejected = await api.order_in(closing["id"], "Rejected")
    assert rejected["ownerStrategy"]["id"] == strategy["id"]
    (still,) = (await api.get("accounts/Sim102/strategies"))["strategies"]
    assert (still["id"], still["position"], still["quantity"]) == (strategy["id"], "Long", 1)
    await api.post(f"accounts/Sim102/strategies/{strategy['id']}/close")
    await api.holds("Sim102", "ES 09-26", 0)
    assert (await api.get("accounts/Sim102/strategies"))["strategies"] == []


BRACKET = "accounts/Sim102/orders/cancel_and_bracket"
LEGS = {"instrument": "ES 09-26", "action": "BUY", "takeProfit": SPOT + 5, "stopLoss": SPOT - 5}


async def test_cancel_and_bracket_protects_what_is_held_and_no_more(api: Api) -> None:
    await price(api)
    await api.control("position", account="Sim102", instrument="ES 09-26", quantity=2)
    resting = await api.order(**LIMIT)
    target, stop = (await api.post(BRACKET, LEGS | {"quantity": 5}))["orderIds"]
    assert (await api.get(f"accounts/Sim102/orders/{resting}"))["orderState"] == "Cancelled"
    rows = await api.order_in(target, "Working"), await api.order_in(stop, "Accepted")
    assert [(row["orderType"], row["orderAction"], row["quantity"], row["timeInForce"]) for row in rows] == [
        ("Limit", "Sell", 2, "Gtc"),
        ("StopMarket", "Sell", 2, "Gtc"),
    ]
    assert rows[0]["ocoId"] == rows[1]["ocoId"] != ""


async def test_cancel_and_bracket_without_a_position_places_its_legs_all_the_same(api: Api) -> None:
    await price(api)
    assert await api.send("POST", BRACKET, LEGS) == (400, {"error": "Invalid request"})
    assert await api.send("POST", BRACKET, {"instrument": "ES 09-26", "action": "BUY"}) == (
        400,
        {"error": "Invalid request"},
    )
    answer = await api.post(BRACKET, {key: LEGS[key] for key in LEGS if key != "takeProfit"} | {"quantity": 3})
    (only,) = answer["orderIds"]
    assert (await api.order_in(only, "Accepted"))["quantity"] == 3


async def test_cancel_and_bracket_stops_when_the_position_goes_meanwhile(start: Start) -> None:
    async with start(timing=Timing(step=0.3, fill=0.001, tick=0.01)) as api:
        await price(api)
        await api.control("position", account="Sim102", instrument="ES 09-26", quantity=1)
        order_id = await api.order(action="SELL", orderType="LIMIT", limitPrice=SPOT + 5)
        await api.order_in(order_id, "Working")
        world = api.simulator.world

        def lift_the_price_when_asked_to_cancel(order: Order, _: Execution | None) -> None:
            if order.state is State.CANCEL_PENDING:
                world.market.set_price(order.ticket.contract, order.limit)

        world.exchange.listeners.append(lift_the_price_when_asked_to_cancel)
        status, answer = await api.send("POST", BRACKET, LEGS)
        assert (status, "aborted" in answer["error"], len(world.exchange.orders)) == (400, True, 1)


def test_the_default_delays_are_the_documented_ones() -> None:
    assert (Timing().close_wait, Timing().reject, Timing().tick, Timing().quotes) == (5.0, 1.0, 0.25, 1.0)
    assert FAST.close_wait < 1
