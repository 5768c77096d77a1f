"""Every call of the catalogue, by REST and as an RPC: the same answer, and the same done to the book."""

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from bot.sandbox.ninjatrader import AccountSpec, Holding, Timing
from bot.sandbox.ninjatrader.calls import Call
from bot.sandbox.ninjatrader.catalogue import CALLS
from bot.sandbox.ninjatrader.orders import Order, OrderType

from .client import Api, rpc, until
from .conftest import Start

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
# Prices stand still, so that two worlds stay alike.
STILL = Timing(step=0.002, fill=0.003, reject=0.02, close_wait=0.25, tick=3600)
SPOT = 6600
ACCOUNTS = (
    AccountSpec("Sim101", holdings=(Holding("ES 06-26", -2), Holding("MES 06-26", 1))),
    AccountSpec("Apex-001", provider="Rithmic", holdings=(Holding("MNQ 06-26", 1),)),
)
HERE = {"account": "Sim101"}
ES = {**HERE, "instrument": "ES 06-26"}
ENTRY = {**ES, "action": "BUY", "orderType": "MARKET", "quantity": 1, "timeInForce": "DAY"}
MINE = {**HERE, "orderId": "mine"}

# What each call is given: path, query and body together. A call without a line here fails the first test.
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "ListAccounts": {},
    "GetAccountSummary": {},
    "GetAccount": HERE,
    "ListPositions": HERE,
    "GetPosition": ES,
    "GetAllPositions": {"includeFlat": True},
    "ClosePosition": {**ES, "percent": 0.5},
    "Flatten": ES,
    "FlattenEverything": {},
    "Reverse": ES,
    "ReversePosition": ENTRY,
    "ListOrders": {**HERE, "activeOnly": False},
    "GetAllOrders": {"activeOnly": True},
    "PlaceOrder": {
        **ENTRY,
        "orderType": "LIMIT",
        "limitPrice": SPOT - 20,
        "orderId": "another",
        "requireMarketPosition": "short",
    },
    "FlatPlace": {**ENTRY, "quantity": 2},
    "CancelOrders": ES,
    "CancelAllOrders": {},
    "CancelAndBracket": {**ES, "action": "SELL", "quantity": 2, "takeProfit": SPOT - 40, "stopLoss": SPOT + 40},
    "GetOrder": MINE,
    "GetOrderStatus": MINE,
    "GetOrderLifecycle": {**MINE, "includeFills": True, "limit": 50},
    "GetExecutionsByOrderId": {**HERE, "orderId": "entry"},
    "Cancel": MINE,
    "Change": {**MINE, "quantity": 3, "limitPrice": SPOT - 30},
    "CancelReplace": {**ENTRY, "orderId": "mine", "orderType": "STOPMARKET", "stopPrice": SPOT + 50},
    "ListStrategies": HERE,
    "CloseStrategy": {**HERE, "strategyId": "<strategy>"},
    "ListExecutions": {**HERE, "lookbackTime": 600},
    "GetExecution": {**HERE, "executionId": "<execution>"},
    "GetQuote": {"instrument": "ES 06-26,MNQ 06-26"},
    "GetAccountQuote": ES,
    "MarketInfo": {"instrument": "ES 06-26"},
    "GetBars": {"instrument": "ES 06-26", "period": 5, "limit": 20},
    "GetWatermarks": HERE,
    "ListAtmTemplates": {},
    "Endpoints": {},
}
Way = Callable[[Api, Call, Mapping[str, Any]], Any]


async def by_rest(api: Api, call: Call, args: Mapping[str, Any]) -> tuple[int, Any]:
    """Path, query and body, each where it belongs."""
    places = {name: quote(str(value), safe="") for name, value in args.items()}
    path = call.path.format(**places)
    others = {name: value for name, value in args.items() if f"{{{name}}}" not in call.path}
    if call.method == "GET":
        query = urlencode({name: str(value).lower() if isinstance(value, bool) else value for name, value in others.items()})
        return await api.send("GET", f"{path}?{query}")
    return await api.send(call.method, path, others)


async def by_rpc(api: Api, call: Call, args: Mapping[str, Any]) -> Any:
    """All of it in one object."""
    async with await api.stream() as ws:
        return await rpc(ws, call.name, **args)


async def settled(api: Api) -> None:
    """Every order is done, or rests for want of its price."""

    async def orders() -> list[Any]:
        return list(api.simulator.world.exchange.orders)

    def rests(order: Order) -> bool:
        return order.is_resting and order.ticket.order_type is not OrderType.MARKET

    await until(orders, lambda found: all(one.state.is_done or rests(one) for one in found))


async def prepared(api: Api) -> Mapping[str, str]:
    """Let there be a working order, a fill, and a strategy that runs; gives the ids that the book chose."""
    await api.control("price", instrument="ES 06-26", last=SPOT, frozen=True)
    await api.post("accounts/Sim101/orders/place", {**ENTRY, "orderType": "LIMIT", "limitPrice": SPOT - 25, "orderId": "mine"})
    await settled(api)
    entry = {**ENTRY, "instrument": "MES 06-26", "strategy": "Scalp", "orderId": "entry"}
    await api.post("accounts/Sim101/orders/place", entry)
    await settled(api)
    (strategy,) = (await api.get("accounts/Sim101/strategies"))["strategies"]
    (execution,) = (await api.get("accounts/Sim101/executions"))["executions"]
    return {"<strategy>": strategy["id"], "<execution>": execution["id"]}


async def played(start: Start, call: Call, args: Mapping[str, Any], way: Way) -> tuple[Any, Any]:
    """The answer of a fresh world to a call, and the world's truth afterwards."""
    numbers = itertools.count(1)
    world = {"accounts": ACCOUNTS, "clock": lambda: NOON, "timing": STILL, "new_id": lambda: f"{next(numbers):032x}"}
    async with start(**world) as api:
        chosen = await prepared(api)
        answer = await way(api, call, {name: chosen.get(str(value), value) for name, value in args.items()})
        await settled(api)
        return answer, truth(await api.book())


def truth(book: Any) -> Any:
    """The book without what differs between any two worlds: how a request came."""
    return {name: rows for name, rows in book.items() if name != "requests"}


def test_each_call_has_its_arguments_here() -> None:
    assert set(ARGUMENTS) == {call.name for call in CALLS}


@pytest.mark.parametrize("call", [call for call in CALLS if call.has_rpc], ids=lambda call: call.name)
async def test_an_rpc_answers_and_does_what_rest_does(start: Start, call: Call) -> None:
    (status, body), afterwards = await played(start, call, ARGUMENTS[call.name], by_rest)
    assert status == 200, body
    assert await played(start, call, ARGUMENTS[call.name], by_rpc) == (body, afterwards)


@pytest.mark.parametrize(
    "call", [call for call in CALLS if "{account}" in call.path and call.name != "GetOrderLifecycle"], ids=lambda call: call.name
)
async def test_an_account_that_is_none_is_told_in_the_same_words(api: Api, call: Call) -> None:
    args = {**ARGUMENTS[call.name], "account": "Nobody"}
    expected = {"success": False, "error": "invalid_account", "detail": "Account Nobody not found"}
    assert await by_rest(api, call, args) == (400, expected)
    assert await by_rpc(api, call, args) == expected


async def test_the_list_of_endpoints_has_no_rpc(api: Api) -> None:
    (endpoints,) = [call for call in CALLS if not call.has_rpc]
    status, body = await by_rest(api, endpoints, {})
    assert (status, len(body["endpoints"])) == (200, len(CALLS))
    assert await by_rpc(api, endpoints, {}) == {"success": False, "error": "Unknown API command: Endpoints"}


async def test_what_is_told_to_programs_names_every_path(api: Api) -> None:
    async with api.http.get(f"{api.url}/v1/api/openapi.json") as reply:
        document = await reply.json()
    assert set(document["paths"]) >= {f"/v1/api/{call.path}" for call in CALLS}
    assert document["paths"]["/v1/api/accounts/{account}/orders/{orderId}/change"]["put"]["operationId"] == "Change"
    for name in ("openapi.yaml", "llms.txt", "llms-full.txt"):
        async with api.http.get(f"{api.url}/v1/api/{name}") as reply:
            assert "/v1/api/accounts/{account}/positions/reverseposition" in await reply.text()
