"""The table of endpoints is true: of the document, of the client, of the simulator, of the intents, and of the commands."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.clock import system_clock
from bot.crosstrade import CrossTrade
from bot.crosstrade.calls import call_of
from bot.crosstrade.endpoints import BESIDE, ENDPOINTS, Endpoint, Trust
from bot.crosstrade.requests import API
from bot.errors import BrokerError
from bot.program.run import COGS
from bot.sandbox.ninjatrader.catalogue import BY_NAME, CALLS
from bot.trading.market.bars import parse_period
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    TRADING_COMMANDS,
    Action,
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Invert,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.risk.policy import READING_COMMANDS
from tests.crosstrade.vendor import TOKEN, Answer, Vendor, told

PAGE = Path(__file__).parents[1] / "docs" / "endpoints.md"
ES = Contract("ES", 2026, 9)
LIMIT = Terms(Side.BUY, 2, OrderType.LIMIT, limit=Decimal("5790.00"))
PLACES = {"account": "Sim101", "orderId": "order1", "executionId": "fill1", "strategyId": "334081723"}

# One of each, so that a call without a line in the table has no place to hide.
ACTIONS: tuple[tuple[Action, str], ...] = (
    (Reverse("Sim101", ES, LIMIT), "reverse"),
    (Invert("Sim101", ES, Terms(Side.BUY, 2)), "reverse"),
    (PlaceOrder("Sim101", ES, LIMIT, "own1"), "place"),
    (FlatPlace("Sim101", ES, LIMIT), "flatplace"),
    (Close("Sim101", ES, LIMIT), "close"),
    (Cancel("Sim101", ES, LIMIT, "order1"), "cancel"),
    (Change("Sim101", ES, replace(LIMIT, quantity=1), "order1", LIMIT), "modify"),
    (Replace("Sim101", ES, LIMIT, "order1", LIMIT), "replace"),
    (Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5780)), Decimal(5820)), "bracket"),
    (CancelOrders("Sim101", ES), "cancel"),
    (CancelEverything(), "cancel"),
    (FlattenAccount("Sim101", ES), "flatten"),
    (FlattenEverything(), "flatten"),
    (CloseStrategy("Sim101", "334081723"), "flatten"),
)
# Goes by the calls of a close and of a placed order.
IN_SEVERAL_CALLS = {VerifiedReverse}
# What the stream has pushed, or another read has told, costs no request.
OF_THE_STREAM = {"day", "listen", "held", "others", "vitals"}
READS = [one for one in (*ENDPOINTS, *BESIDE) if not one.is_write]
WRITES = [one for one in ENDPOINTS if one.is_write]


def built_commands() -> set[str]:
    """The commands that are registered."""
    return {command.name for cog in COGS for command in cog.__cog_app_commands__}


def path_of(endpoint: Endpoint) -> str:
    """Its path for the samples here."""
    return f"{API}/{endpoint.path}".format(**PLACES)


def test_there_are_thirty_four_and_none_is_there_twice() -> None:
    assert [one.number for one in ENDPOINTS] == list(range(1, 35))
    assert len({one.name for one in ENDPOINTS}) == 34
    assert len({(one.method, one.path) for one in (*ENDPOINTS, *BESIDE)}) == 36
    assert all(one.method != "GET" for one in WRITES)


def test_the_document_has_the_table_line_by_line() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]
    assert rows == [drawn(one) for one in (*ENDPOINTS, *BESIDE)]


def drawn(one: Endpoint) -> str:
    """A line of the document."""
    where = f"`{one.method} {API}/{one.path}`" + ("" if one.path_from is Trust.PAGE else f" ({one.path_from})")
    rpc = "–" if one.rpc is None else f"`{one.rpc}`" + ("" if one.rpc_from is Trust.PAGE else f" ({one.rpc_from})")
    commands = " ".join(f"`/{command}`" for command in one.commands) or "`python -m bot check`"
    return f"| {one.number} | {one.name} | {where} | {rpc} | {commands} |"


def test_every_endpoint_but_one_is_used_by_a_command_and_every_command_uses_one() -> None:
    named = {command for one in (*ENDPOINTS, *BESIDE) for command in one.commands}
    assert all(one.commands for one in ENDPOINTS)
    assert named <= TRADING_COMMANDS | READING_COMMANDS
    # What is in the journal needs no endpoint.
    assert named == built_commands() & (TRADING_COMMANDS | READING_COMMANDS) - {"why"}


async def ask(client: CrossTrade, name: str) -> None:
    """Make the read of that name; what comes of it doesn't matter here."""
    account, order, fill = PLACES["account"], PLACES["orderId"], PLACES["executionId"]
    given: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "account": ((account,), {}),
        "positions": ((account,), {}),
        "position": ((account, ES), {}),
        "orders": ((account,), {"active_only": True}),
        "all_orders": ((), {"active_only": True}),
        "order": ((account, order), {}),
        "order_status": ((account, order), {}),
        "lifecycle": ((account, order), {}),
        "executions": ((account,), {}),
        "executions_of": ((account, order), {}),
        "execution": ((account, fill), {}),
        "strategies": ((account,), {}),
        "quote": ((ES,), {}),
        "quotes": (([ES],), {}),
        "account_quotes": ((account, [ES]), {}),
        "session": ((ES,), {}),
        "watermarks": ((account,), {}),
        "bars": ((ES, parse_period("5m"), 20), {}),
    }
    arguments, named = given.get(name, ((), {}))
    with pytest.raises(BrokerError):
        await getattr(client, name)(*arguments, **named)


async def test_the_client_reads_every_path_of_the_table_and_no_other() -> None:
    async with Vendor().running() as vendor:
        made = {"clock": system_clock(), "new_id": lambda: "1", "rate": 1000.0, "burst": 1000, "streamed": False}
        async with CrossTrade(vendor.url, TOKEN, **made) as client:  # type: ignore[arg-type]  # as they are named
            for one in READS:
                vendor.heard.clear()
                vendor.positions.clear()
                vendor.next.append(refusal())
                await ask(client, one.client)
                (heard,) = vendor.heard
                assert (heard.method, heard.target.partition("?")[0]) == (one.method, path_of(one)), one.name
            vendor.heard.clear()
            vendor.next.append(refusal())
            await ask(client, "quote")
            assert vendor.heard[0].target.partition("?")[0] == path_of(by_name("Quote"))
    assert set(reads_of(CrossTrade)) - {one.client for one in READS} == {"quote", "lane", "changed", "age", "asked_at", "at_hand"}


def refusal() -> Answer:
    """An answer that no read takes for one."""
    return told(400, {"error": "nothing is read here"})


def reads_of(client: type) -> Iterator[str]:
    """The public reads of the client."""
    for name in dir(client):
        if not name.startswith("_") and callable(getattr(client, name)) and name not in {"send", *OF_THE_STREAM}:
            yield name


def by_name(name: str) -> Endpoint:
    """The line of that name."""
    return next(one for one in ENDPOINTS if one.name == name)


def test_every_write_of_the_table_is_a_call_and_every_call_has_its_line() -> None:
    assert {type(action) for action, _ in ACTIONS} == set(get_args(Action)) - IN_SEVERAL_CALLS
    calls = {(call.method, call.path): (call.api, command) for action, command in ACTIONS for call in [call_of(action)]}
    lines = {(one.method, path_of(one)): (one.rpc, one.client) for one in WRITES}
    assert calls == lines


def test_the_simulator_serves_every_endpoint_under_its_names_and_nothing_besides() -> None:
    served = {(call.method, path): call for call in CALLS for path in (call.path, call.other_path) if path is not None}
    ours = {(one.method, one.path): one for one in (*ENDPOINTS, *BESIDE)}
    assert ours.keys() <= served.keys()
    for where, one in ours.items():
        assert served[where].is_trading is one.is_write, one.name
        if one.rpc is not None:
            assert one.rpc in BY_NAME, one.name
    # An RPC name leads to the call at the path beside it; the old quote shares its name with the new one.
    for where, one in ours.items():
        if one.rpc is not None and one.name != "Quote of an account":
            assert BY_NAME[one.rpc] is served[where], one.name
    second_ways = {(call.method, call.other_path) for call in CALLS if call.other_path is not None}
    assert served.keys() - ours.keys() == second_ways
