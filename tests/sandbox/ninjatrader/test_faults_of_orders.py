"""Faults of what the add-on and NinjaTrader make of orders: ids that change, states nobody knows, short lists, odd closes."""

from .client import Api
from .conftest import Start

LIMIT = {"orderType": "LIMIT", "limitPrice": 100}


async def test_an_orders_id_changes_when_the_broker_takes_it_and_both_find_it(api: Api) -> None:
    await api.fault("id_changes")
    first = await api.order(**LIMIT, quantity=2, orderId="mine")
    row = await api.order_in("mine", "Working")
    (born,) = (await api.book())["orders"][0]["earlierIds"]
    assert (first, row["id"].isdigit(), row["orderId"]) == ("mine", True, row["id"])
    assert len(born) == 32
    assert (await api.get(f"accounts/Sim102/orders/{born}"))["id"] == row["id"]
    assert (await api.get(f"accounts/Sim102/orders/{born}/lifecycle"))["count"] > 0
    (listed,) = (await api.get("accounts/Sim102/orders?activeOnly=true"))["orders"]
    assert listed["id"] == row["id"]
    await api.post(f"accounts/Sim102/orders/{born}/cancel")
    await api.order_in(row["id"], "Cancelled")


async def test_the_fills_of_an_order_whose_id_changed_are_found_by_either(api: Api) -> None:
    await api.fault("id_changes")
    born = await api.order(quantity=2)
    row = await api.order_in(born, "Filled")
    assert row["id"] != born
    lifecycle = await api.get(f"accounts/Sim102/orders/{born}/lifecycle")
    assert (lifecycle["orderId"], lifecycle["originalOrderId"]) == (row["id"], born)
    for one in (born, row["id"]):
        (fill,) = (await api.get(f"accounts/Sim102/orders/{one}/executions"))["executions"]
        assert fill["orderId"] == row["id"]


async def test_a_state_that_nobody_knows_is_shown_of_living_orders_only(api: Api) -> None:
    filled = await api.order()
    await api.order_in(filled, "Filled")
    order_id = await api.order(**LIMIT)
    await api.order_in(order_id, "Working")
    await api.fault("state_word", body="Trigger pending")
    rows = {row["id"]: row["orderState"] for row in (await api.get("accounts/Sim102/orders"))["orders"]}
    assert rows == {filled: "Filled", order_id: "Trigger pending"}
    assert (await api.get(f"accounts/Sim102/orders/{order_id}/status"))["status"] == "Trigger pending"
    assert (await api.get(f"accounts/Sim102/orders/{order_id}"))["orderState"] == "Trigger pending"


async def test_finished_orders_can_leave_the_list_at_once(api: Api) -> None:
    order_id = await api.order()
    await api.order_in(order_id, "Filled")
    living = await api.order(**LIMIT)
    await api.fault("pruned", seconds=60)
    assert len((await api.get("accounts/Sim102/orders"))["orders"]) == 2
    await api.control("faults", clear=True, rules=[{"kind": "pruned"}])
    assert [row["id"] for row in (await api.get("accounts/Sim102/orders"))["orders"]] == [living]
    assert [row["id"] for row in (await api.get("orders"))["orders"]] == [living]
    assert (await api.send("GET", f"accounts/Sim102/orders/{order_id}"))[0] == 404
    assert (await api.get(f"accounts/Sim102/orders/{order_id}/lifecycle"))["count"] > 0, "the add-on's own store keeps it"


async def test_how_long_finished_orders_stay_is_a_matter_of_timing_too(api: Api) -> None:
    await api.order_in(await api.order(), "Filled")
    assert (await api.control("timing", prune=0))["prune"] == 0
    assert (await api.get("accounts/Sim102/orders"))["orders"] == []


async def test_a_close_whose_end_could_not_be_seen(api: Api) -> None:
    path, body = "accounts/Sim101/positions/close", {"instrument": "ES 09-26"}
    unsure = (409, {"success": False, "error": "close_needs_reconciliation"})
    await api.fault("close_unsure", count=1)
    assert await api.send("POST", path, body) == unsure
    assert (await api.book())["orders"] == []
    await api.fault("close_unsure", count=1, effect=True)
    assert await api.send("POST", path, body) == unsure
    await api.holds("Sim101", "ES 09-26", 0)
    assert [one["hadEffect"] for one in (await api.book())["requests"]] == [False, True]


async def test_flatten_may_leave_orders_where_nothing_is_open(api: Api) -> None:
    resting = await api.order(**LIMIT)
    beside = await api.order(instrument="NQ 12-26", **LIMIT)
    await api.order_in(await api.order(instrument="NQ 12-26"), "Filled")
    await api.fault("resting_stays")
    await api.post("accounts/Sim102/positions/flatten")
    await api.order_in(beside, "Cancelled")
    await api.holds("Sim102", "NQ 12-26", 0)
    await api.order_in(resting, "Working")
    await api.control("faults", clear=True)
    await api.post("accounts/Sim102/positions/flatten")
    await api.order_in(resting, "Cancelled")


async def test_lifecycle_leaves_fills_out_when_the_other_events_fill_the_limit(api: Api) -> None:
    order_id = await api.order()
    await api.order_in(order_id, "Filled")
    whole = (await api.get(f"accounts/Sim102/orders/{order_id}/lifecycle"))["events"]
    others = [event for event in whole if event["source"] != "fill"]
    assert len(whole) == len(others) + 1
    few = (await api.get(f"accounts/Sim102/orders/{order_id}/lifecycle?limit={len(others)}"))["events"]
    assert few == others


async def test_an_account_without_a_link_has_its_orders_rejected(start: Start) -> None:
    async with start() as api:
        await api.control("account", account="sim102", connection="ConnectionLost", cash=1234.5, realised=-50)
        row = await api.get("accounts/Sim102")
        assert (row["connectionStatus"], row["item"]["cashValue"], row["item"]["realizedProfitLoss"]) == (
            "ConnectionLost", 1234.5, -50,
        )  # fmt: skip
        await api.order_in(await api.order(), "Rejected")
        await api.control("account", account="Sim102", connection="Connected")
        await api.order_in(await api.order(), "Filled")
