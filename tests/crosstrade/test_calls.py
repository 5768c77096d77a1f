"""Every action as the one call that it stands for, over both transports; and that none reaches further than it says."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crosstrade import requests
from bot.crosstrade.budget import Priority
from bot.crosstrade.calls import Call, call_of
from bot.crosstrade.jsontext import dumps
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
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
from bot.trading.orders.mass_actions import Holding
from bot.trading.orders.terms import OrderType, Side, Terms, TimeInForce

from .intents import ES

IN_SIM = "/v1/api/accounts/Sim101"
BUY = Terms(Side.BUY, 2)
LIMIT = Terms(Side.SELL, 3, OrderType.LIMIT, TimeInForce.GTC, limit=Decimal("5810.250"))
STOP = Terms(Side.SELL, 2, OrderType.STOPMARKET, TimeInForce.GTC, stop=Decimal("5790.00"))
MARKET = {"instrument": "ES 09-26", "action": "BUY", "quantity": 2, "orderType": "MARKET", "timeInForce": "DAY"}
RESTING = {
    "instrument": "ES 09-26",
    "action": "SELL",
    "quantity": 3,
    "orderType": "LIMIT",
    "timeInForce": "GTC",
    "limitPrice": Decimal("5810.250"),
}
ID: dict[str, object] = {"orderId": "o/1"}

# What the vendor's pages say: action -> RPC, method, path, body, what stands in the path, does it name an order, is it a way out.
PAGES: list[tuple[Action, str, str, str, dict[str, object], dict[str, object], bool, bool]] = [
    (Reverse("Sim101", ES, BUY), "ReversePosition", "POST", f"{IN_SIM}/positions/reverseposition", MARKET, {}, True, False),
    (Invert("Sim101", ES, BUY), "Reverse", "POST", f"{IN_SIM}/positions/reverse", {"instrument": "ES 09-26"}, {}, True, False),
    (
        PlaceOrder("Sim101", ES, BUY, "own", frozenset({"long", "flat"}), 2),
        "PlaceOrder",
        "POST",
        f"{IN_SIM}/orders/place",
        MARKET | {"orderId": "own", "requireMarketPosition": "flat,long", "maxPositions": 2},
        {},
        True,
        False,
    ),
    *(
        (
            PlaceOrder("Sim101", ES, BUY, "own", require, guard=guard),
            "PlaceOrder",
            "POST",
            f"{IN_SIM}/orders/place",
            MARKET | {"orderId": "own"} | sent,
            {},
            True,
            False,
        )
        for require, guard, sent in (
            (frozenset[str](), None, dict[str, object]()),
            (frozenset[str](), "flat", {"requireMarketPosition": "flat"}),
            (frozenset[str](), "short", {"requireMarketPosition": "short"}),
            # What its member asks for stands alone.
            (frozenset({"long"}), "flat", {"requireMarketPosition": "long"}),
        )
    ),
    (FlatPlace("Sim101", ES, LIMIT), "FlatPlace", "POST", f"{IN_SIM}/orders/flatplace", RESTING, {}, True, False),
    (
        Close("Sim101", ES, BUY),
        "ClosePosition",
        "POST",
        f"{IN_SIM}/positions/close",
        {"instrument": "ES 09-26"},
        {},
        False,
        True,
    ),
    (
        Close("Sim101", ES, replace(BUY, quantity=7), None, Decimal("0.28")),
        "ClosePosition",
        "POST",
        f"{IN_SIM}/positions/close",
        {"instrument": "ES 09-26", "quantity": 7},
        {},
        False,
        True,
    ),
    (Cancel("Sim101", ES, BUY, "o/1"), "Cancel", "POST", f"{IN_SIM}/orders/o%2F1/cancel", {}, ID, True, True),
    (
        Change("Sim101", ES, LIMIT, "o/1", Terms(Side.SELL, 3, OrderType.LIMIT, TimeInForce.GTC, limit=Decimal(5800))),
        "Change",
        "PUT",
        f"{IN_SIM}/orders/o%2F1/change",
        {"limitPrice": Decimal("5810.250")},
        ID,
        True,
        False,
    ),
    (
        Replace("Sim101", ES, LIMIT, "o/1", BUY),
        "CancelReplace",
        "POST",
        f"{IN_SIM}/orders/o%2F1/replace",
        RESTING,
        ID,
        True,
        False,
    ),
    (
        Replace("Sim101", ES, LIMIT, "o/1", BUY, frozenset({"short"})),
        "CancelReplace",
        "POST",
        f"{IN_SIM}/orders/o%2F1/replace",
        RESTING | {"requireMarketPosition": "short"},
        ID,
        True,
        False,
    ),
    (
        # The position that is protected is the long one: its stop sells.
        Bracket("Sim101", ES, STOP, Decimal("5820.00")),
        "CancelAndBracket",
        "POST",
        f"{IN_SIM}/orders/cancel_and_bracket",
        {
            "instrument": "ES 09-26",
            "action": "BUY",
            "quantity": 2,
            "takeProfit": Decimal("5820.00"),
            "stopLoss": Decimal("5790.00"),
        },
        {},
        False,
        True,
    ),
    (
        Bracket("Sim101", ES, STOP, None),
        "CancelAndBracket",
        "POST",
        f"{IN_SIM}/orders/cancel_and_bracket",
        {"instrument": "ES 09-26", "action": "BUY", "quantity": 2, "stopLoss": Decimal("5790.00")},
        {},
        False,
        True,
    ),
    (
        Bracket("Sim101", ES, replace(STOP, type=OrderType.LIMIT, limit=Decimal("5820.00"), stop=None), None),
        "CancelAndBracket",
        "POST",
        f"{IN_SIM}/orders/cancel_and_bracket",
        {"instrument": "ES 09-26", "action": "BUY", "quantity": 2, "takeProfit": Decimal("5820.00")},
        {},
        False,
        True,
    ),
    (CancelOrders("Sim101"), "CancelOrders", "POST", f"{IN_SIM}/orders/cancel", {}, {}, False, True),
    (
        CancelOrders("Sim101", ES),
        "CancelOrders",
        "POST",
        f"{IN_SIM}/orders/cancel",
        {"instrument": "ES 09-26"},
        {},
        False,
        True,
    ),
    (CancelEverything(), "CancelAllOrders", "POST", "/v1/api/orders/cancelall", {}, {}, False, True),
    (FlattenAccount("Sim101"), "Flatten", "POST", f"{IN_SIM}/positions/flatten", {}, {}, False, True),
    (
        FlattenAccount("Sim101", ES),
        "Flatten",
        "POST",
        f"{IN_SIM}/positions/flatten",
        {"instrument": "ES 09-26"},
        {},
        False,
        True,
    ),
    (
        FlattenAccount("Sim101", None, Holding.LONG),
        "Flatten",
        "POST",
        "/v1/api/positions/flatten",
        {"account": "Sim101", "marketPosition": "long"},
        {},
        False,
        True,
    ),
    (
        FlattenAccount("Sim101", ES, Holding.SHORT),
        "Flatten",
        "POST",
        "/v1/api/positions/flatten",
        {"account": "Sim101", "instrument": "ES 09-26", "marketPosition": "short"},
        {},
        False,
        True,
    ),
    (FlattenEverything(), "FlattenEverything", "POST", "/v1/api/positions/flatten", {}, {}, False, True),
    (
        CloseStrategy("Sim101", "s 1"),
        "CloseStrategy",
        "POST",
        f"{IN_SIM}/strategies/s%201/close",
        {},
        {"strategyId": "s 1"},
        False,
        True,
    ),
]


@pytest.mark.parametrize(
    ("action", "api", "method", "path", "body", "named", "gives_id", "is_exit"),
    PAGES,
    ids=[f"{page[1]} {page[4]}" for page in PAGES],
)
def test_each_action_is_the_call_of_the_vendors_page(
    action: Action,
    api: str,
    method: str,
    path: str,
    body: dict[str, object],
    named: dict[str, object],
    gives_id: bool,
    is_exit: bool,
) -> None:
    call = call_of(action)
    assert (call.api, call.method, call.path, call.body, call.named) == (api, method, path, body, named)
    assert call.gives_id is gives_id
    assert (call.priority is Priority.EXIT) is is_exit
    assert call.account == getattr(action, "account", None)


def test_every_action_has_its_page() -> None:
    assert {type(page[0]) for page in PAGES} | {VerifiedReverse} == set(get_args(Action))


def test_what_takes_more_than_one_call_is_none() -> None:
    with pytest.raises(ValueError, match="more than one call"):
        call_of(VerifiedReverse("Sim101", ES, BUY, "own"))


@pytest.mark.parametrize(
    "build",
    [
        lambda: requests.PlaceBody.of(Reverse("Sim101", ES, BUY)),
        lambda: requests.FilteredFlattenBody.of(FlattenAccount("Sim101")),
        lambda: requests.CloseBody.of(Close("Sim101", ES, BUY, 1, Decimal("0.5"))),
        lambda: requests.ChangeBody.of(Change("Sim101", ES, BUY, "o1", BUY)),
        lambda: requests.ChangeBody.of(Change("Sim101", ES, LIMIT, "o1", BUY)),
        # Shorthand that was never worked out must not turn two orders into one.
        lambda: requests.BracketBody.of(Bracket("Sim101", ES, STOP, None, "ask+20t")),
        lambda: requests.BracketBody.of(Bracket("Sim101", ES, replace(STOP, stop=None), Decimal(5820))),
        lambda: requests.BracketBody.of(Bracket("Sim101", ES, replace(STOP, type=OrderType.LIMIT, stop=None), None)),
    ],
)
def test_a_body_that_would_say_something_else_is_not_built(build: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any reason will do
        build()


# Whatever can be built, and whatever it is called.

names = st.sampled_from(
    ["Sim101", "Apex A/1", "*", "everything", "null", "None", "?", "a/../b", "..", ".", "", " ", "\t", "%2e%2e", "Ä"]
)
contracts = st.sampled_from([ES, Contract("NQ", 2026, 12)])
sides = st.sampled_from(Side)
prices = st.none() | st.sampled_from([Decimal("5800.25"), Decimal("0.0001"), Decimal(-1), Decimal("NaN")])
terms = st.builds(
    Terms,
    sides,
    st.integers(-1, 5),
    st.sampled_from(OrderType),
    st.sampled_from(TimeInForce),
    limit=prices,
    stop=prices,
    oco=st.none() | st.sampled_from(["", "o"]),
)
ids = st.sampled_from(["o1", "", "..", "a/b"])
requirements = st.frozensets(st.sampled_from(["flat", "long", "short"]))
holdings = st.none() | st.sampled_from(Holding)
where = {"account": names, "contract": contracts, "terms": terms}
RECIPES: list[tuple[type[Any], dict[str, st.SearchStrategy[Any]]]] = [
    (Reverse, where),
    (VerifiedReverse, where | {"client_order_id": ids}),
    (Invert, where),
    (PlaceOrder, where | {"client_order_id": ids, "require": requirements, "max_positions": st.none() | st.integers(-1, 3)}),
    (FlatPlace, where),
    (Close, where | {"quantity": st.none() | st.integers(-1, 3), "fraction": st.none() | st.just(Decimal("0.5"))}),
    (Cancel, where | {"order_id": ids}),
    (Change, where | {"order_id": ids, "before": terms}),
    (Replace, where | {"order_id": ids, "before": terms, "require": requirements}),
    (Bracket, where | {"target": st.just(Decimal(5820))}),
    (CancelOrders, {"account": names, "contract": st.none() | contracts}),
    (CancelEverything, {}),
    (FlattenAccount, {"account": names, "contract": st.none() | contracts, "only": holdings}),
    (FlattenEverything, {}),
    (CloseStrategy, {"account": names, "strategy_id": ids}),
]


@st.composite
def calls(draw: st.DrawFn) -> tuple[Action, Call] | None:
    """An action of any kind with the call that it stands for; ``None`` where there is none."""
    kind, parts = draw(st.sampled_from(RECIPES))
    try:
        action: Action = kind(**{name: draw(part) for name, part in parts.items()})
        return action, call_of(action)
    except ValueError:
        return None


def test_the_recipes_know_every_action() -> None:
    assert {kind for kind, _ in RECIPES} == set(get_args(Action))


@settings(max_examples=500, deadline=None)
@given(made=calls())
def test_no_call_goes_over_more_than_its_account_unless_it_is_the_one_that_is_meant_to(made: tuple[Action, Call] | None) -> None:
    if made is None:
        return
    action, call = made
    body = json.loads(dumps(call.body))
    frame = json.loads(requests.rpc("r1", call.api, call.account, {**call.named, **call.body}))
    whole = isinstance(action, FlattenEverything | CancelEverything)
    # Over REST: an empty body to this path would flatten every account.
    if call.path == "/v1/api/positions/flatten":
        assert (body == {}) is isinstance(action, FlattenEverything)
    # Over the WebSocket: a name that has no filters, whatever its arguments say.
    assert (frame["api"] == "FlattenEverything") is isinstance(action, FlattenEverything)
    assert (frame["api"] == "CancelAllOrders") is isinstance(action, CancelEverything)
    if whole:
        assert (body, frame["args"]) == ({}, {})
        return
    assert not isinstance(action, FlattenEverything | CancelEverything)
    assert action.account.strip()
    assert frame["args"]["account"] == action.account == call.account
    filtered = isinstance(action, FlattenAccount) and action.only is not None
    if filtered:
        assert (frame["api"], body["account"]) == ("Flatten", action.account)
    else:
        segments = call.path.split("/")
        assert segments[:4] == ["", "v1", "api", "accounts"]
        assert unquote(segments[4]) == action.account
        assert ".." not in segments
        assert "." not in segments


@settings(max_examples=300, deadline=None)
@given(made=calls())
def test_both_transports_carry_the_same(made: tuple[Action, Call] | None) -> None:
    if made is None:
        return
    action, call = made
    args = json.loads(requests.rpc("r1", call.api, call.account, {**call.named, **call.body}))["args"]
    body = json.loads(dumps(call.body))
    named = {name: str(value) for name, value in call.named.items()}
    assert args == {**({} if call.account is None else {"account": call.account}), **named, **body}
    for name, value in named.items():
        assert f"/{requests.segment(value)}" in call.path, name
    # Sizes are whole: no share of anything ever travels, for pages disagree on what it means.
    prices_alone = {name for name, value in args.items() if isinstance(value, int | float)} - {"quantity"}
    assert prices_alone <= {"limitPrice", "stopPrice", "takeProfit", "stopLoss", "maxPositions"}
    assert "quantity" not in args or isinstance(args["quantity"], int)
    contract = getattr(action, "contract", None)
    on_order = isinstance(action, Cancel | Change)
    assert body.get("instrument") == (None if contract is None or on_order else str(contract))
