"""Faults that keep somebody from getting out: orders that won't go, lists that lag, closes that the broker refuses."""

from .client import Api, until

LIMIT = {"orderType": "LIMIT", "limitPrice": 100}


async def test_a_stuck_order_stays_cancel_pending_and_others_go(api: Api) -> None:
    stuck, other = await api.order(**LIMIT), await api.order(orderType="STOPMARKET", stopPrice=99999)
    await api.fault("stuck", body="Limit")
    await api.post("accounts/Sim102/orders/cancel")
    await api.order_in(other, "Cancelled")
    await api.order_in(stuck, "CancelPending")
    await api.post(f"accounts/Sim102/orders/{stuck}/cancel")
    assert (await api.get(f"accounts/Sim102/orders/{stuck}"))["orderState"] == "CancelPending"


async def test_a_deaf_order_ignores_each_cancel(api: Api) -> None:
    deaf, other = await api.order(**LIMIT), await api.order(**LIMIT)
    await api.fault("deaf", body=deaf)
    assert (await api.post("accounts/Sim102/orders/cancel"))["success"]
    await api.order_in(other, "Cancelled")
    await api.order_in(deaf, "Working")


async def test_an_order_comes_back_under_another_id_after_its_cancel(api: Api) -> None:
    order_id = await api.order(**LIMIT, quantity=2)
    await api.order_in(order_id, "Working")
    await api.fault("comes_back")
    await api.post("accounts/Sim102/orders/cancel")
    await api.order_in(order_id, "Cancelled")

    answer = await until(lambda: api.get("accounts/Sim102/orders?activeOnly=true"), lambda answer: answer["orders"])
    assert [(row["quantity"], row["limitPrice"], row["id"] != order_id) for row in answer["orders"]] == [(2, 100, True)]


async def test_lists_lag_behind_what_has_happened(api: Api) -> None:
    before = len((await api.get("accounts/Sim102/positions"))["positions"])
    await api.fault("lag", seconds=60)
    order_id = await api.order(quantity=2)
    await api.order_in(order_id, "Filled")
    assert order_id not in [row["id"] for row in (await api.get("accounts/Sim102/orders"))["orders"]]
    assert len((await api.get("accounts/Sim102/positions"))["positions"]) == before
    await api.control("faults", remove=["lag"])
    assert order_id in [row["id"] for row in (await api.get("accounts/Sim102/orders"))["orders"]]
    assert len((await api.get("accounts/Sim102/positions"))["positions"]) == before + 1


async def test_a_locked_account_refuses_closes_after_taking_them_and_says_why(api: Api) -> None:
    entry = await api.order(quantity=2)
    await api.order_in(entry, "Filled")
    await api.fault("locked", seconds=0.01, body={"account": "Sim102", "closes": True, "text": "Account locked"})
    instrument = (await api.get("accounts/Sim102/positions"))["positions"][0]["instrument"]
    assert (await api.post("accounts/Sim102/positions/close", {"instrument": instrument}))["success"]
    row = (await api.book())["orders"][-1]
    await api.order_in(row["id"], "Rejected")
    assert "Account locked" in str(await api.get(f"accounts/Sim102/orders/{row['id']}/lifecycle"))
    another = await api.order(quantity=1)
    await api.order_in(another, "Filled")
