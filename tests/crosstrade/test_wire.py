"""Reading CrossTrade's replies: units, shapes, and what must never read as "nothing"."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade import wire
from bot.crosstrade.jsontext import loads
from bot.errors import BrokerGarbled, BrokerPartly
from bot.trading.market.facts import Account, Execution, Order, OtherFill, OtherOrder, OtherPosition, Position
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.clocks import TODAY

from .intents import ES

ROW: dict[str, Any] = {
    "type": "NinjaTrader.Cbi.Position",
    "account": "Sim101",
    "instrument": "ES 09-26",
    "instrumentType": "Future",
    "marketPosition": "Long",
    "quantity": 4,
    "averagePrice": 5779.8125,
    "marketPrice": 5797.0,
    "unrealizedProfitLoss": 3437.5,
}
ORDER: dict[str, Any] = {
    "account": "Sim101",
    "orderId": "cb1f",
    "instrument": "ES 09-26",
    "instrumentType": "Future",
    "orderType": "Limit",
    "orderState": "Working",
    "quantity": 3,
    "averageFillPrice": 0.0,
    "filled": 0,
    "limitPrice": 5800.25,
    "stopPrice": 0.0,
    "ocoId": "",
    "orderAction": "Sell",
    "epoch": 1758910178373,
    "userData": None,
    "ownerStrategy": {"id": None},
}
FILL: dict[str, Any] = {
    "id": "e1",
    "orderId": "cb1f",
    "account": "Sim101",
    "instrument": "ES 09-26",
    "instrumentType": "Future",
    "marketPosition": "Short",
    "quantity": 2,
    "price": 5800.25,
    "time": "2025-09-26T18:09:38.3736787",
    "epoch": 1758910178373,
}
QUOTE: dict[str, Any] = {
    "instrument": "ES 09-26",
    "tickSize": 0.25,
    "pointValue": 50.0,
    "tickValue": 12.5,
    "bid": 6618.0,
    "ask": 6618.25,
    "last": 6617.75,
    "epoch": 1773867114,
    "isMarketOpen": True,
}
ACCOUNT: dict[str, Any] = {
    "id": 2,
    "name": "Sim101",
    "provider": "Simulator",
    "connectionStatus": "Connected",
    "item": {"cashValue": 100565.0, "realizedProfitLoss": -12.5, "unrealizedProfitLoss": 2937.5},
    "success": True,
}
LISTS = {"positions": (wire.read_positions, ROW), "orders": (wire.read_orders, ORDER), "executions": (wire.read_executions, FILL)}


def wired(value: object) -> Any:
    """Send a value through JSON, as it comes from the wire."""
    return loads(json.dumps(value))


def test_a_position_has_a_sign() -> None:
    rows = [ROW, ROW | {"marketPosition": "Short", "instrument": "NQ 12-26"}, ROW | {"marketPosition": "Flat", "quantity": 0}]
    long, short = wire.read_positions(wired({"positions": rows, "success": True}), "sim101", TODAY)
    assert long == Position("Sim101", ES, 4, Decimal("5779.8125"), Decimal("3437.5"))
    assert (short.contract, short.quantity) == (Contract("NQ", 2026, 12), -4)


def test_an_order_has_its_terms_in_our_words() -> None:
    assert wire.read_order(wired(ORDER), "Sim101", TODAY) == Order(
        ids=("cb1f",),
        account="Sim101",
        contract=ES,
        side=Side.SELL,
        type=OrderType.LIMIT,
        state=OrderState.WORKING,
        quantity=3,
        limit=Decimal("5800.25"),
        at=datetime(2025, 9, 26, 18, 9, 38, 373000, tzinfo=UTC),
    )


def test_an_order_keeps_every_id_of_its_row_the_brokers_first() -> None:
    own = "<NinjaTrader><AutomatedTradingOrderId>a&amp;b</AutomatedTradingOrderId></NinjaTrader>"
    order = wire.read_order(wired(ORDER | {"id": 676173541025, "userData": own}), "Sim101", TODAY)
    assert order.ids == ("676173541025", "cb1f", "a&b")
    assert wire.read_order(wired(ORDER | {"id": "cb1f", "userData": "<x/>"}), "Sim101", TODAY).ids == ("cb1f",)
    assert wire.read_order(wired(ORDER | {"id": "7", "orderId": None}), "Sim101", TODAY).ids == ("7",)


def test_the_marks_of_an_order_are_read_and_none_of_them_costs_the_row() -> None:
    """They are on no page of the vendor's, so that anything at all may stand there."""
    marked = {"ocoId": "o1", "name": " Close ", "epoch": 1766000000000, "ownerStrategy": {"id": "334", "name": "Scalp"}}
    order = wire.read_order(wired(ORDER | marked), "Sim101", TODAY)
    assert (order.oco, order.name, order.owner, order.template) == ("o1", "Close", "334", "Scalp")
    assert order.at is not None
    odds: list[object] = [{}, ["x"], True, 0, "noon", None]
    for odd in odds:
        order = wire.read_order(wired(ORDER | dict.fromkeys(marked, odd)), "Sim101", TODAY)
        assert (order.id, order.at, order.owner, order.template) == ("cb1f", None, None, None)
    bare = {name: value for name, value in ORDER.items() if name not in marked}
    order = wire.read_order(wired(bare), "Sim101", TODAY)
    assert (order.oco, order.name, order.at, order.owner, order.template) == (None, None, None, None, None)


@pytest.mark.parametrize(
    ("told", "owner"),
    [
        ({"id": "334", "name": "Scalp", "displayName": "Scalp - 334"}, "334"),
        ({"id": 334}, "334"),
        ({"id": " "}, None),
        ({"id": None, "name": None}, None),
        ({}, None),
        (None, None),
        ("334", None),
        ({"id": {"no": "id"}}, None),
    ],
)
def test_an_order_of_a_strategy_says_whose_it_is(told: object, owner: str | None) -> None:
    assert wire.read_order(wired(ORDER | {"ownerStrategy": told}), "Sim101", TODAY).owner == owner


@pytest.mark.parametrize(
    ("action", "side"),
    [("Buy", Side.BUY), ("BUY", Side.BUY), ("BuyToCover", Side.BUY), ("Sell", Side.SELL), ("Sell Short", Side.SELL)],
)
def test_the_side_of_an_order_is_read(action: str, side: Side) -> None:
    assert wire.read_order(wired(ORDER | {"orderAction": action}), "Sim101", TODAY).side is side


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"orderType": "StopMarket"}, "type", OrderType.STOPMARKET),
        ({"orderType": "MIT"}, "type", None),
        ({"orderType": ""}, "type", None),
        ({"orderState": "Cancel pending"}, "state", OrderState.CANCEL_PENDING),
        ({"orderState": "Dreaming"}, "state", OrderState.OTHER),
        ({"orderState": None}, "state", OrderState.OTHER),
        ({"filled": 2, "averageFillPrice": 5800.5}, "average_fill_price", Decimal("5800.5")),
        ({"filled": 2.0}, "filled", 2),
        ({"filled": "2"}, "filled", 2),
        ({"filled": None}, "filled", 0),
        ({"stopPrice": 5790}, "stop", Decimal(5790)),
        ({"ocoId": "o1"}, "oco", "o1"),
        ({"epoch": None}, "at", None),
        ({"epoch": 1758910178373.5}, "at", datetime(2025, 9, 26, 18, 9, 38, 373500, tzinfo=UTC)),
        ({"account": None}, "account", "Sim101"),
    ],
)
def test_an_odd_value_in_an_order_is_kept_as_what_it_proves(changes: dict[str, object], field: str, value: object) -> None:
    assert getattr(wire.read_order(wired(ORDER | changes), "Sim101", TODAY), field) == value


def test_an_execution_is_read() -> None:
    (fill,) = wire.read_executions(wired({"executions": [FILL]}), "Sim101", TODAY)
    at = datetime(2025, 9, 26, 18, 9, 38, 373000, tzinfo=UTC)
    assert fill == Execution("e1", "cb1f", "Sim101", ES, Side.SELL, 2, Decimal("5800.25"), at)
    (fill,) = wire.read_executions(wired([FILL | {"marketPosition": "Long", "orderId": None}]), "Sim101", TODAY)
    assert (fill.side, fill.order_id) == (Side.BUY, None)


@pytest.mark.parametrize("shape", ["flat", "nested", "list in data", "bare", "no success"])
@pytest.mark.parametrize("key", LISTS)
def test_a_list_may_be_flat_nested_or_bare(key: str, shape: str) -> None:
    read, row = LISTS[key]
    body: object = {
        "flat": {key: [row], "success": True},
        "nested": {"success": True, "data": {key: [row]}},
        "list in data": {"success": True, "data": [row]},
        "bare": [row],
        "no success": {key: [row]},
    }[shape]
    assert len(read(wired(body), "Sim101", TODAY)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"success": True},
        {"success": True, "data": None},
        {"success": True, "data": {}},
        {"success": True, "rows": []},
        {"data": []},
        {"data": [], "success": "true"},
        None,
        "",
        "ok",
        0,
        True,
    ],
    ids=str,
)
@pytest.mark.parametrize("key", [*LISTS, "accounts"])
def test_an_odd_body_never_reads_as_empty(key: str, body: object) -> None:
    read: Any = wire.read_accounts if key == "accounts" else lambda body: LISTS[key][0](body, "Sim101", TODAY)
    with pytest.raises(BrokerGarbled):
        read(wired(body))
    with pytest.raises(BrokerGarbled):
        read(wired({"success": True, key: body}))


@pytest.mark.parametrize("key", LISTS)
def test_a_list_that_is_empty_reads_as_empty(key: str) -> None:
    assert LISTS[key][0](wired({key: [], "success": True}), "Sim101", TODAY) == ()


BAD = {
    "positions": [
        {"instrument": None},
        {"instrument": "ES ##-##"},
        {"instrument": "ES 13-26"},
        {"instrument": "AAPL"},
        {"marketPosition": "Sideways"},
        {"marketPosition": None},
        {"marketPosition": "Flat"},
        {"quantity": -1},
        {"quantity": 1.5},
        {"quantity": "many"},
        {"quantity": True},
        {"quantity": None},
        {"quantity": [1]},
        {"averagePrice": "x"},
        {"averagePrice": True},
        {"averagePrice": "NaN"},
        {"averagePrice": 1e300},
        {"account": "Sim102"},
        {"account": {"name": "Sim101"}},
    ],
    "orders": [
        {"orderAction": "Hold"},
        {"orderAction": None},
        {"orderId": None},
        {"orderId": "  "},
        {"orderId": ["a"]},
        {"quantity": None},
        {"filled": -1},
        {"limitPrice": "cheap"},
        {"instrument": ""},
        {"account": "Sim102"},
    ],
    "executions": [
        {"id": None},
        {"marketPosition": "Flat"},
        {"quantity": 0},
        {"price": None},
        {"epoch": None},
        {"epoch": 0},
        {"epoch": -62135596800000},
        {"epoch": 999999999999999},
        {"account": "Sim102"},
    ],
}


@pytest.mark.parametrize(("key", "change"), [(key, change) for key, changes in BAD.items() for change in changes], ids=str)
def test_one_row_that_cannot_be_read_makes_the_whole_list_unreadable(key: str, change: dict[str, object]) -> None:
    read, row = LISTS[key]
    with pytest.raises(BrokerGarbled):
        read(wired({key: [row, row | change], "success": True}), "Sim101", TODAY)


@pytest.mark.parametrize("row", [None, 7, "ES", [], {}], ids=str)
@pytest.mark.parametrize("key", LISTS)
def test_a_row_that_is_no_object_makes_the_list_unreadable(key: str, row: object) -> None:
    with pytest.raises(BrokerGarbled):
        LISTS[key][0](wired({key: [row], "success": True}), "Sim101", TODAY)


@pytest.mark.parametrize("key", LISTS)
def test_only_rows_that_say_that_they_are_no_futures_are_left_out(key: str) -> None:
    read, row = LISTS[key]
    share = {"instrument": "AAPL", "instrumentType": "Stock"}
    whole = wired({key: [share, row, share], "success": True})
    assert read(whole, "Sim101", TODAY) == read(wired([row]), "Sim101", TODAY)
    for kind in ("", None, " future ", 5):
        with pytest.raises(BrokerGarbled):
            read(wired([row | {"instrument": "AAPL", "instrumentType": kind}]), "Sim101", TODAY)


def test_an_account_is_read() -> None:
    account = Account("Sim101", "Simulator", True, Decimal("-12.5"), Decimal("2937.5"), Decimal("100565.0"))
    for body in (ACCOUNT, {"success": True, "data": ACCOUNT}, {"success": True, "account": ACCOUNT}):
        assert wire.read_account(wired(body), "sim101") == account


def test_an_account_without_money_or_connection_leaves_them_unknown() -> None:
    assert wire.read_account(wired({"name": "Sim101"}), "Sim101") == Account("Sim101")
    assert wire.read_account(wired({"name": "Sim101", "connectionStatus": "Disconnected"}), "Sim101").connected is False


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        {"success": True},
        {"name": ""},
        ACCOUNT | {"name": "Sim102"},
        ACCOUNT | {"name": "ſim101"},
        ACCOUNT | {"item": "rich"},
        ACCOUNT | {"item": {"cashValue": "much"}},
    ],
    ids=str,
)
def test_another_account_or_none_is_unreadable(body: object) -> None:
    with pytest.raises(BrokerGarbled):
        wire.read_account(wired(body), "Sim101")


def test_accounts_may_be_objects_or_plain_names() -> None:
    accounts = wire.read_accounts(wired({"accounts": ["Sim101", {"name": "Apex-1", "provider": "Rithmic"}], "success": True}))
    assert accounts == (Account("Sim101"), Account("Apex-1", "Rithmic"))
    with pytest.raises(BrokerGarbled):
        wire.read_accounts(wired({"accounts": ["Sim101", " "], "success": True}))


TEMPLATES = ["Scalp", " Two legs"]


@pytest.mark.parametrize("body", [{"success": True, "templates": TEMPLATES}, {"success": True, "data": {"templates": TEMPLATES}}])
def test_atm_templates_are_read_to_the_letter(body: object) -> None:
    assert wire.read_templates(body) == ("Scalp", " Two legs")
    assert wire.read_templates({"success": True, "templates": []}) == ()


@pytest.mark.parametrize(
    "body", [{"success": True}, {"templates": "Scalp"}, {"templates": [1]}, {"templates": ["Scalp", ""]}, None]
)
def test_templates_that_can_not_be_read_are_not_none(body: object) -> None:
    with pytest.raises(BrokerGarbled):
        wire.read_templates(body)


@pytest.mark.parametrize("body", [QUOTE, [QUOTE], {"success": True, "data": QUOTE}, {"data": [QUOTE]}], ids=str)
def test_a_quote_is_read_with_its_time_in_seconds(body: object) -> None:
    quote = wire.read_quote(wired(body), ES, TODAY)
    assert (quote.contract, quote.bid, quote.ask, quote.last) == (ES, Decimal("6618.0"), Decimal("6618.25"), Decimal("6617.75"))
    assert (quote.tick_value, quote.market_open) == (Decimal("12.5"), True)
    assert quote.at == datetime(2026, 3, 18, 20, 51, 54, tzinfo=UTC)


def test_a_quote_tolerates_milliseconds_and_knows_no_price_of_zero() -> None:
    quote = wire.read_quote(
        wired(QUOTE | {"epoch": 1773867114000, "bid": 0.0, "ask": None, "last": 0, "isMarketOpen": None}), ES, TODAY
    )
    assert quote.at == datetime(2026, 3, 18, 20, 51, 54, tzinfo=UTC)
    assert (quote.bid, quote.ask, quote.last, quote.market_open) == (None, None, None, None)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        [QUOTE, QUOTE],
        {"success": True, "data": None},
        QUOTE | {"instrument": "ES 06-26"},
        QUOTE | {"instrument": "NQ 09-26"},
        QUOTE | {"tickSize": 0},
        QUOTE | {"tickSize": None},
        QUOTE | {"pointValue": -50},
        QUOTE | {"bid": "high"},
        QUOTE | {"isMarketOpen": "perhaps"},
    ],
    ids=str,
)
def test_another_quote_or_none_is_unreadable(body: object) -> None:
    with pytest.raises(BrokerGarbled):
        wire.read_quote(wired(body), ES, TODAY)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100565.30000000002", "100565.3"),
        ("0.010000000000000002", "0.01"),
        ("2937.4999999999995", "2937.5"),
        ("-99.99999999999999", "-100"),
        ("6750.25", "6750.25"),
        ("6750.2500", "6750.2500"),
        ("1e3", "1E+3"),
        ("-0.0", "0.0"),
    ],
)
def test_numbers_come_without_binary_noise(text: str, number: str) -> None:
    position = wire.read_positions(loads(json.dumps([ROW | {"averagePrice": "@"}]).replace('"@"', text)), "Sim101", TODAY)[0]
    assert str(position.average_price) == number


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  hypothesis wants naive bounds
def test_seconds_and_milliseconds_are_never_mistaken_for_each_other(when: datetime) -> None:
    when = when.replace(tzinfo=UTC, microsecond=0)
    seconds = Decimal(int(when.timestamp()))
    assert wire.moment(seconds) == when == wire.moment(seconds * 1000)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "data",
                        "positions",
                        "success",
                        "instrument",
                        "quantity",
                        "account",
                        "orders",
                        "order",
                        "name",
                        "item",
                        "epoch",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_at_all_is_read_or_garbled(body: object) -> None:
    for read in (
        lambda: wire.read_positions(body, "Sim101", TODAY),
        lambda: wire.read_orders(body, "Sim101", TODAY),
        lambda: wire.read_order(body, "Sim101", TODAY),
        lambda: wire.read_executions(body, "Sim101", TODAY),
        lambda: wire.read_accounts(body),
        lambda: wire.read_account(body, "Sim101"),
        lambda: wire.read_quote(body, ES, TODAY),
        lambda: wire.read_templates(body),
    ):
        with contextlib.suppress(BrokerGarbled):
            read()


SPELT = ("ESU6", "ESU26", "ES SEP26", "ES SEP 26", "es sep26")


@pytest.mark.parametrize("spelt", SPELT)
def test_every_answer_is_read_in_every_spelling(spelt: str) -> None:
    for key, (read, row) in LISTS.items():
        body = wired({key: [row | {"instrument": spelt}], "success": True})
        assert read(body, "Sim101", TODAY) == read(wired([row]), "Sim101", TODAY), key
    assert wire.read_quote(wired(QUOTE | {"instrument": spelt}), ES, TODAY).contract == ES


def test_rows_that_can_not_be_read_are_named_and_spoil_only_what_they_are_about() -> None:
    odd = ROW | {"account": "Apex-001", "instrument": "ES “09-26”/ES 12-26"}
    with pytest.raises(BrokerPartly) as caught:
        wire.read_all_positions(wired({"positions": [ROW, odd], "count": 2}), TODAY)
    assert [one.account for one in caught.value.rows if isinstance(one, Position)] == ["Sim101"]
    assert caught.value.accounts == frozenset({"Apex-001"})
    assert 'position "ES "09-26"/ES 12-26"' in str(caught.value)
    nobodys = {name: value for name, value in odd.items() if name != "account"}
    with pytest.raises(BrokerPartly) as caught:
        wire.read_all_positions(wired({"positions": [ROW, nobodys], "count": 2}), TODAY)
    assert caught.value.accounts is None


def test_positions_that_are_no_futures_are_told_apart() -> None:
    share = ROW | {"instrument": "AAPL", "instrumentType": "Stock", "marketPosition": "Short", "quantity": 100}
    pair = ROW | {"instrument": "EURUSD", "instrumentType": "Forex", "marketPosition": "?", "quantity": 1}
    flat = ROW | {"instrument": "MSFT", "instrumentType": "Stock", "marketPosition": "Flat", "quantity": 0}
    body = wired({"positions": [share, ROW, pair, flat]})
    assert wire.read_others(body, "Sim101") == (
        OtherPosition("Sim101", "AAPL", "Stock", -100),
        OtherPosition("Sim101", "EURUSD", "Forex", None),
    )
    assert len(wire.read_positions(body, "Sim101", TODAY)) == 1


def test_orders_and_fills_of_what_is_no_future_are_told_apart() -> None:
    share = {"instrument": "AAPL", "instrumentType": "Stock", "account": "Sim101"}
    works = share | {"id": "7", "orderAction": "Buy", "orderState": "Working", "quantity": 100}
    orders = wired(
        {"orders": [works, works | {"orderState": "Filled"}, share | {"orderState": 5, "quantity": "?", "orderAction": []}]}
    )
    assert wire.read_other_orders(orders, "Sim101") == (
        OtherOrder("Sim101", "AAPL", "Stock", "Buy", 100, OrderState.WORKING, "7"),
        # What can't be read may still work.
        OtherOrder("Sim101", "AAPL", "Stock", None, None, OrderState.OTHER, None),
    )
    assert wire.read_orders(orders, "Sim101", TODAY) == ()
    fill = share | {"id": "8", "marketPosition": "Short", "quantity": 100, "price": 190.5}
    fills = wired({"executions": [fill, share | {"marketPosition": "?", "price": "?"}]})
    assert wire.read_other_fills(fills, "Sim101") == (
        OtherFill("Sim101", "AAPL", "Stock", Side.SELL, 100, Decimal("190.5")),
        OtherFill("Sim101", "AAPL", "Stock", None, None, None),
    )
    assert wire.read_executions(fills, "Sim101", TODAY) == ()
