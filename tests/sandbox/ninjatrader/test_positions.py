"""Closing, flattening and reversing positions, and what they do to the books."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.ninjatrader import Timing
from bot.sandbox.ninjatrader.book import Position

from .client import Api, until
from .conftest import Start

ES = "ES 09-26"
ENTRY = {"instrument": ES, "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}
REVERSE_POSITION = "accounts/Sim101/positions/reverseposition"


def sides(book: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(row["name"], row["orderAction"], row["quantity"]) for row in book["orders"]]


async def test_reverseposition_closes_then_enters_with_its_own_side_and_size(api: Api) -> None:
    answer = await api.post(REVERSE_POSITION, ENTRY)
    assert set(answer) == {"orderId", "success"}
    book = await api.book()
    assert sides(book) == [("Close", "Buy", 2), ("", "Buy", 1)]
    assert (book["orders"][0]["orderState"], book["orders"][1]["id"]) == ("Filled", answer["orderId"])
    await api.holds("Sim101", ES, 1)


async def test_reverseposition_does_not_mind_the_side_it_is_given(api: Api) -> None:
    await api.post(REVERSE_POSITION, ENTRY | {"action": "SELL", "quantity": 3})
    await api.holds("Sim101", ES, -3)
    assert sides(await api.book()) == [("Close", "Buy", 2), ("", "Sell", 3)]


async def test_reverseposition_cancels_the_instruments_orders_first(api: Api) -> None:
    limit = {"orderType": "LIMIT", "limitPrice": 100, "instrument": ES}
    resting = (await api.post("accounts/Sim101/orders/place", ENTRY | limit))["orderId"]
    other = (await api.post("accounts/Sim101/orders/place", ENTRY | limit | {"instrument": "MES 12-25"}))["orderId"]
    await api.post(REVERSE_POSITION, ENTRY)
    rows = {row["id"]: row["orderState"] for row in (await api.book())["orders"]}
    assert (rows[resting], rows[other] in {"Accepted", "Working"}) == ("Cancelled", True)


async def test_reverseposition_checks_its_fields_before_it_closes_anything(api: Api) -> None:
    assert await api.send("POST", REVERSE_POSITION, ENTRY | {"quantity": 0}) == (400, {"error": "Invalid request"})
    assert await api.held("Sim101", ES) == -2


async def test_reverseposition_places_anyway_when_the_close_is_slow(api: Api) -> None:
    await api.fault("slow_close", "ReversePosition", seconds=0.6)
    await api.post(REVERSE_POSITION, ENTRY | {"quantity": 5})
    book = await api.book()
    assert (book["orders"][0]["orderState"], len(book["orders"])) == ("Working", 2), "the close has not filled"
    await api.holds("Sim101", ES, 3)
    await api.holds("Sim101", ES, 5)


async def test_a_repeated_reverseposition_enters_twice(api: Api) -> None:
    await asyncio.gather(api.post(REVERSE_POSITION, ENTRY), api.post(REVERSE_POSITION, ENTRY))
    await api.holds("Sim101", ES, 2)
    assert sorted(sides(await api.book())) == [("", "Buy", 1), ("", "Buy", 1), ("Close", "Buy", 2)]


async def test_a_client_that_goes_away_does_not_stop_what_it_began(api: Api) -> None:
    await api.fault("slow_close", seconds=0.1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await api.post(REVERSE_POSITION, ENTRY)
    await api.holds("Sim101", ES, 1)


async def test_reverse_turns_the_size_over(api: Api) -> None:
    answer = await api.post("accounts/Sim101/positions/reverse", {"instrument": "ESU6"})
    await api.holds("Sim101", ES, 2)
    assert sides(await api.book()) == [("Close", "Buy", 2), ("Reverse", "Buy", 2)]
    assert answer["orderId"] == (await api.book())["orders"][1]["id"]
    assert await api.send("POST", "accounts/Sim102/positions/reverse", {"instrument": ES}) == (
        400,
        {"error": "No position found for instrument 'ES 09-26' in account 'sim102'"},
    )


async def test_flatplace_works_with_and_without_a_position(api: Api) -> None:
    await api.post("accounts/Sim101/orders/flatplace", ENTRY)
    await api.holds("Sim101", ES, 1)
    await api.post("accounts/Sim102/orders/flatplace", ENTRY | {"action": "SELL"})
    await api.holds("Sim102", ES, -1)


async def test_close_answers_with_the_position_as_it_was(api: Api) -> None:
    await api.control("price", instrument=ES, last=6600, frozen=True)
    await api.control("position", account="Sim102", instrument=ES, quantity=4, averagePrice=6590)
    answer = await api.post("accounts/Sim102/positions/close", {"instrument": "ESU6"})
    assert set(answer) == {"closedPositions", "success"}
    (before,) = answer["closedPositions"]
    assert (before["marketPosition"], before["quantity"], before["unrealizedProfitLoss"]) == ("Long", 4, 2000.0)
    await api.holds("Sim102", ES, 0)
    item = (await api.get("accounts/Sim102"))["item"]
    assert (item["realizedProfitLoss"], item["cashValue"], item["unrealizedProfitLoss"]) == (2000.0, 102_000.0, 0.0)


@pytest.mark.parametrize(
    ("part", "left"), [({"quantity": 1}, 4), ({"percent": 0.5}, 2), ({"percent": 1}, 0), ({"quantity": 9}, 0),
                       ({"quantity": 2, "percent": 1}, 3), ({"percent": 0.01}, 4)],
)  # fmt: skip
async def test_a_part_of_a_position_is_closed(api: Api, part: dict[str, Any], left: int) -> None:
    await api.control("position", account="Sim102", instrument=ES, quantity=5)
    await api.post("accounts/Sim102/positions/close", {"instrument": ES} | part)
    await api.holds("Sim102", ES, left)


async def test_a_share_is_rounded_as_binary_numbers_come_out(api: Api) -> None:
    """0.28 * 25 is 7 and a little more."""
    await api.control("position", account="Sim102", instrument=ES, quantity=25)
    await api.post("accounts/Sim102/positions/close", {"instrument": ES, "percent": 0.28})
    await api.holds("Sim102", ES, 25 - 8)


@pytest.mark.parametrize("part", [{"percent": 50}, {"percent": 0}, {"quantity": 0}])
async def test_a_part_that_is_none_is_refused(api: Api, part: dict[str, Any]) -> None:
    body = {"instrument": ES} | part
    assert await api.send("POST", "accounts/Sim101/positions/close", body) == (400, {"error": "Invalid request"})


async def test_a_partial_close_leaves_orders_alone_and_a_full_one_does_not(api: Api) -> None:
    await api.control("position", account="Sim102", instrument=ES, quantity=2)
    order_id = await api.order(orderType="LIMIT", limitPrice=100)
    await api.post("accounts/Sim102/positions/close", {"instrument": ES, "quantity": 1})
    await api.holds("Sim102", ES, 1)
    await api.order_in(order_id, "Working")
    await api.post("accounts/Sim102/positions/close", {"instrument": ES})
    await api.order_in(order_id, "Cancelled")


async def test_closing_nothing_is_a_400_in_the_vendors_plural(api: Api) -> None:
    assert await api.send("POST", "accounts/Sim102/positions/close", {"instrument": "ESZ24"}) == (
        400,
        {"error": "No positions found for instrument 'ES 12-24'"},
    )


async def test_a_second_close_joins_the_first(api: Api) -> None:
    await api.fault("slow_close", seconds=0.3)
    for _ in range(2):
        await api.post("accounts/Sim101/positions/close", {"instrument": ES})
    await api.holds("Sim101", ES, 0)
    assert sides(await api.book()) == [("Close", "Buy", 2)]


async def test_the_newest_close_verifies_and_refuses_a_second_one(api: Api) -> None:
    await api.fault("close_fields", "ClosePosition")
    await api.fault("slow_close", seconds=0.2)
    path, body = "accounts/Sim101/positions/close", {"instrument": ES}
    first = asyncio.create_task(api.post(path, body))
    await until(api.book, lambda book: book["orders"])
    assert await api.send("POST", path, body) == (409, {"success": False, "error": "close_in_progress"})
    answer = await first
    assert (answer["pending"], answer["verified"], answer["remainingQuantity"]) == (False, True, 0)


async def test_the_newest_close_says_what_remains(api: Api) -> None:
    await api.fault("close_fields", "ClosePosition")
    await api.fault("slow_close", seconds=60)
    answer = await api.post("accounts/Sim101/positions/close", {"instrument": ES, "quantity": 1})
    assert (answer["pending"], answer["verified"], answer["remainingQuantity"]) == (True, False, 1)


async def test_flatten_closes_an_accounts_positions_and_cancels_its_orders(api: Api) -> None:
    body = ENTRY | {"instrument": "CL 01-27", "orderType": "LIMIT", "limitPrice": 10}
    resting = (await api.post("accounts/Sim101/orders/place", body))["orderId"]
    answer = await api.post("accounts/Sim101/positions/flatten")
    assert {row["instrument"] for row in answer["closedPositions"]} == {ES, "MES 12-25"}
    await api.holds("Sim101", ES, 0)
    await api.holds("Sim101", "MES 12-25", 0)
    path = f"accounts/Sim101/orders/{resting}"
    await until(lambda: api.get(path), lambda row: row["orderState"] == "Cancelled")
    again = await api.post("accounts/Sim102/positions/flatten")
    assert (again["closedPositions"], again["success"], "warning" in again) == ([], True, True)


async def test_flatten_of_one_instrument_leaves_the_other(api: Api) -> None:
    await api.post("accounts/Sim101/positions/flatten", {"instrument": "MESZ25"})
    await api.holds("Sim101", "MES 12-25", 0)
    assert await api.held("Sim101", ES) == -2


@pytest.mark.parametrize(
    ("filters", "closed"),
    [
        ({}, {("Sim101", "ES"), ("Sim101", "MES"), ("Apex-001", "MNQ")}),
        ({"marketPosition": "short"}, {("Sim101", "ES")}),
        ({"marketPosition": "Long"}, {("Sim101", "MES"), ("Apex-001", "MNQ")}),
        ({"account": "sim101", "marketPosition": "long"}, {("Sim101", "MES")}),
        ({"instrument": "ESU6"}, {("Sim101", "ES")}),
    ],
)
async def test_flatten_everything_holds_to_its_filters(api: Api, filters: dict[str, str], closed: set[tuple[str, str]]) -> None:
    answer = await api.post("positions/flatten", filters)
    assert {(row["account"], row["instrument"].split()[0]) for row in answer["closedPositions"]} == closed
    assert answer["success"] is True
    left = 3 - len(closed)
    await until(lambda: api.get("positions"), lambda every: every["count"] == left)


async def test_flatten_everything_refuses_a_side_that_is_none(api: Api) -> None:
    assert (await api.send("POST", "positions/flatten", {"marketPosition": "up"}))[0] == 400


async def test_money_moves_with_the_position(api: Api) -> None:
    await api.control("price", instrument=ES, last=6600, frozen=True)
    await api.order_in(await api.order(quantity=2), "Filled")
    await api.control("price", instrument=ES, last=6610.25)
    item = (await api.get("accounts/Sim102"))["item"]
    assert (item["unrealizedProfitLoss"], item["netLiquidation"]) == (1000.0, 101_000.0)
    assert item["initialMargin"] == 44_000.0
    await api.order_in(await api.order(action="SELL", quantity=3), "Filled")
    row = await api.get("accounts/Sim102/position?instrument=ESU6")
    assert (row["marketPosition"], row["quantity"], row["averagePrice"]) == ("Short", 1, 6610.25)
    item = (await api.get("accounts/Sim102"))["item"]
    assert (item["realizedProfitLoss"], item["cashValue"]) == (1000.0, 101_000.0)


FILLS = st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 400)), max_size=20)


@given(FILLS)
def test_netting_keeps_the_money(fills: list[tuple[int, int]]) -> None:
    position, realised, paid = Position(), Decimal(0), Decimal(0)
    for signed, price in fills:
        realised += position.apply(signed, Decimal(price), Decimal(50))
        paid += signed * price * 50
    assert position.quantity == sum(signed for signed, _ in fills)
    worth = position.quantity * position.average * 50
    assert abs(worth - paid - realised) < Decimal("0.0001")


async def test_reverseposition_waits_five_seconds_unless_told_otherwise(start: Start) -> None:
    async with start(timing=Timing(close_wait=0.05, step=60)) as api:
        answer = await api.post(REVERSE_POSITION, ENTRY)
        assert answer["success"] is True
        assert len((await api.book())["orders"]) == 2
