"""What CrossTrade pushes: read where it is plain, left out where it is not, and never guessed."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.crosstrade.jsontext import loads
from bot.crosstrade.pushes import Tick, account_of, read_days, read_ticks
from tests.clocks import TODAY

from .intents import ES
from .vendor import quotes, row

NOW = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp() * 1000)


def received(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame as the stream hands it on."""
    read: dict[str, Any] = loads(json.dumps(frame))
    return read


def test_a_row_of_prices_is_read_exactly() -> None:
    noisy = {"instrument": "es 09-26", "last": Decimal("5800.2500000001"), "bid": "5800", "ask": 5801, "volume": 12, "more": [1]}
    assert list(read_ticks(quotes(noisy), TODAY)) == [Tick(ES, Decimal("5800.25"), Decimal(5800), Decimal(5801), Decimal(12))]


def test_a_price_of_nothing_is_none() -> None:
    [tick] = read_ticks(quotes({"instrument": "ES 09-26", "last": 0, "bid": None}), TODAY)
    assert tick == Tick(ES, None, None, None, None)


UNREADABLE: list[object] = [
    None,
    7,
    "ES 09-26",
    [],
    {},
    {"instrument": "ES"},
    {"instrument": "ES 13-26", "last": 1},
    row() | {"last": "much"},
    row() | {"bid": True},
]


@pytest.mark.parametrize("item", UNREADABLE, ids=str)
def test_a_row_that_can_not_be_read_costs_only_itself(item: object) -> None:
    assert [tick.contract for tick in read_ticks(received(quotes(item, row())), TODAY)] == [ES]


@pytest.mark.parametrize("frame", [{}, {"quotes": None}, {"quotes": {"instrument": "ES 09-26"}}, {"quotes": "ES"}], ids=str)
def test_a_frame_without_rows_holds_none(frame: dict[str, Any]) -> None:
    assert list(read_ticks(frame, TODAY)) == []


@pytest.mark.parametrize(
    "money",
    [
        {"realizedProfitLoss": 100, "unrealizedProfitLoss": -30},
        {"RealizedPnL": 100, "OpenPnL": -30},
        {"realized": 100, "unrealized": -30},
        {"Realised": "100.00", "Unrealised": "-30"},
        {"pnl": 100, "unrealized": -30, "total": 70},
        {"pnl": 70, "realized": 100, "unrealized": -30},
        {"pnl": 100, "unrealized": -30, "totalPnL": Decimal("70.004")},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "name", [{"account": " Sim101 "}, {"Name": "Sim101"}, {"accountName": "Sim101", "account": None}], ids=str
)
def test_results_are_read_under_every_likely_name(name: dict[str, Any], money: dict[str, Any]) -> None:
    days = read_days({"epoch": EPOCH - 1500, "accounts": [name | money]}, NOW)
    assert {key: (day.realised, day.unrealised, day.at) for key, day in days.items()} == {
        "Sim101": (Decimal(100), Decimal(-30), NOW - timedelta(seconds=1.5))
    }


@pytest.mark.parametrize(
    "item",
    [
        None,
        "Sim101",
        {},
        {"account": "Sim101"},
        {"account": "Sim101", "realized": 1},
        {"account": "Sim101", "unrealized": 1},
        {"account": 101, "realized": 1, "unrealized": 1},
        {"account": "", "realized": 1, "unrealized": 1},
        {"account": "Sim101", "realized": "NaN", "unrealized": 1},
        {"account": "Sim101", "realized": True, "unrealized": 1},
        # What a bare pnl is, the row itself must prove.
        {"account": "Sim101", "pnl": 70, "unrealized": -30},
        {"account": "Sim101", "pnl": 70, "unrealized": -30, "total": 70},
        {"account": "Sim101", "realized": 1, "Realized": 2, "unrealized": 1},
    ],
    ids=str,
)
def test_results_that_can_not_be_read_are_left_out(item: object) -> None:
    other = {"account": "Sim102", "realized": 1, "unrealized": 2}
    assert list(read_days(received({"accounts": [item, other]}), NOW)) == ["Sim102"]


@pytest.mark.parametrize("epoch", [None, "soon", -1, EPOCH + 60_000, True], ids=str)
def test_results_are_never_from_the_future(epoch: object) -> None:
    [day] = read_days({"epoch": epoch, "accounts": [{"account": "A", "realized": 1, "unrealized": 2}]}, NOW).values()
    assert day.at == NOW


@pytest.mark.parametrize(
    ("frame", "account"),
    [
        ({"account": "Sim101", "order": {}}, "Sim101"),
        ({"order": {"account": "Sim101"}}, "Sim101"),
        ({"data": {"accountName": "Sim101"}}, "Sim101"),
        ({"account": "Sim101", "order": None, "data": {}}, "Sim101"),
        ({"account": "Sim101"}, None),
        ({"account": "Sim101", "order": "cb1f"}, None),
        ({"account": 4711, "order": {"accountId": 4711}}, None),
        ({"account": " ", "order": {}}, None),
    ],
    ids=str,
)
def test_an_events_account_is_told_or_it_is_not(frame: dict[str, Any], account: str | None) -> None:
    assert account_of(frame, "order") == account


def test_a_pushed_price_that_can_not_be_read_is_told_by_its_text() -> None:
    lost: list[str] = []
    frame = {"type": "marketData", "quotes": [{"instrument": "ES ?", "last": 1}, {"instrument": "ESU6", "last": 1}, 7]}
    assert [str(tick.contract) for tick in read_ticks(frame, TODAY, lost.append)] == ["ES 09-26"]
    assert lost == ['price "ES ?"', 'price "?"']
