"""Paths and bodies as they are sent."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import partial
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.crosstrade import requests
from bot.crosstrade.jsontext import dumps, loads
from bot.trading.orders.intents import Change, PlaceOrder
from bot.trading.orders.terms import OrderType, Side, TimeInForce

from .intents import reverse


def test_the_body_holds_just_what_was_asked_for() -> None:
    assert requests.OrderBody.of(reverse()).fields() == {
        "instrument": "ES 09-26",
        "action": "BUY",
        "quantity": 1,
        "orderType": "MARKET",
        "timeInForce": "DAY",
    }


def test_shorthand_that_was_never_worked_out_is_not_sent() -> None:
    unpriced = reverse(type=OrderType.LIMIT, typed=(("limit", "bid-2t"),))
    placed = PlaceOrder(unpriced.account, unpriced.contract, unpriced.terms, "own1")
    resting = replace(unpriced.terms, limit=Decimal(5790), typed=())
    changed = Change(unpriced.account, unpriced.contract, unpriced.terms, "o1", resting)
    for make in (partial(requests.OrderBody.of, unpriced), partial(requests.PlaceBody.of, placed)):
        with pytest.raises(ValueError, match="never worked out"):
            make()
    with pytest.raises(ValueError, match="never worked out"):
        requests.ChangeBody.of(changed)
    priced = reverse(type=OrderType.LIMIT, limit=Decimal("5799.50"), typed=(("limit", "bid-2t"),))
    assert requests.OrderBody.of(priced).fields()["limitPrice"] == Decimal("5799.50")
    assert "bid" not in dumps(requests.OrderBody.of(priced).fields())


def test_every_option_has_the_name_and_the_spelling_of_the_vendor() -> None:
    intent = reverse(
        side=Side.SELL,
        quantity=3,
        type=OrderType.STOPLIMIT,
        tif=TimeInForce.GTC,
        limit=Decimal("5800.250"),
        stop=Decimal("0.00000001"),
        oco="o-1",
        strategy='My "Atm" Ä',
    )
    text = dumps(requests.OrderBody.of(intent).fields())
    assert '"limitPrice":5800.250,' in text
    assert '"stopPrice":0.00000001,' in text
    assert json.loads(text) == {
        "instrument": "ES 09-26",
        "action": "SELL",
        "quantity": 3,
        "orderType": "STOPLIMIT",
        "timeInForce": "GTC",
        "limitPrice": 5800.25,
        "stopPrice": 1e-08,
        "ocoId": "o-1",
        "strategy": 'My "Atm" Ä',
    }


@pytest.mark.parametrize(
    "more", [{"quantity": 0}, {"quantity": -1}, {"limit": Decimal("NaN")}, {"stop": Decimal("Infinity")}, {"oco": ""}], ids=str
)
def test_terms_that_no_broker_could_take_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        requests.OrderBody.of(reverse(**more))  # type: ignore[arg-type]  # wrong on purpose


def test_the_body_takes_no_unknown_field() -> None:
    fields = requests.OrderBody.of(reverse()).model_dump()
    with pytest.raises(ValidationError):
        requests.OrderBody.model_validate(fields | {"take_profit": 1})


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e12", max_value="1e12"))
def test_a_price_prints_as_it_was_typed_and_passes_through_no_float(price: Decimal) -> None:
    text = dumps({"limitPrice": price})
    assert "e" not in text.removeprefix('{"limitPrice"').lower()
    assert Decimal(loads(text)["limitPrice"]) == price


def test_numbers_that_are_none_are_refused_both_ways() -> None:
    for number in (Decimal("NaN"), Decimal("-Infinity"), float("nan")):
        with pytest.raises(ValueError):  # noqa: PT011  any reason will do
            dumps({"x": number})
    for text in ("NaN", '{"x": Infinity}', "-Infinity", "[" * 100_000, '{"x":', "", b"\xff\xfe\x00", "9" * 5000):
        with pytest.raises(ValueError):  # noqa: PT011  any reason will do
            loads(text)


@pytest.mark.parametrize(
    ("account", "segment"),
    [
        ("Sim101", "Sim101"),
        ("../../x", "..%2F..%2Fx"),
        ("Sim101?x=1", "Sim101%3Fx%3D1"),
        ("a/b", "a%2Fb"),
        ("%2e%2e", "%252e%252e"),
        ("a b#c;d&e", "a%20b%23c%3Bd%26e"),
        ("Äpex\\1", "%C3%84pex%5C1"),
        ("...", "..."),
        ("a\r\nHost: x", "a%0D%0AHost%3A%20x"),
    ],
)
def test_an_account_name_is_one_segment_of_the_path(account: str, segment: str) -> None:
    assert requests.reverse_position_path(account) == f"/v1/api/accounts/{segment}/positions/reverseposition"
    assert unquote(segment) == account


@pytest.mark.parametrize("name", ["", " ", "\t", ".", "..", " ..", "\ud800"])
def test_a_name_that_no_encoding_keeps_one_segment_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any reason will do
        requests.segment(name)


def test_the_frame_of_an_rpc_is_the_vendors() -> None:
    frame = requests.rpc("r-1", "ReversePosition", "Sim101", requests.OrderBody.of(reverse(limit=None)).fields())
    assert json.loads(frame) == {
        "action": "rpc",
        "id": "r-1",
        "api": "ReversePosition",
        "args": {
            "account": "Sim101",
            "instrument": "ES 09-26",
            "action": "BUY",
            "quantity": 1,
            "orderType": "MARKET",
            "timeInForce": "DAY",
        },
    }
