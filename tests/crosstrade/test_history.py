"""Historical bars: what is asked for, what is read of the answer, and what must never read as "no bars"."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade.history import BarsBody, read_bars
from bot.crosstrade.jsontext import loads
from bot.errors import BrokerError, BrokerGarbled, BrokerRefused, BrokerUnreachable
from bot.sandbox.ninjatrader import Kind, Simulator, running
from bot.timings import USUAL, CrossTradeTimings
from bot.trading.market.bars import PERIODS, Bar, Bars
from bot.trading.orders.instruments import Contract, Root
from tests.clocks import TODAY

from .conftest import Connect
from .intents import ES
from .test_against_simulator import FAST
from .vendor import TOKEN, Answer, RawServer, Vendor, http, told

FIVE = PERIODS["5m"]
ROW: dict[str, Any] = {
    "time": "2026-03-18T20:00:00.0000000Z",
    "epoch": 1773864000000,
    "open": 6618.0,
    "high": 6620.5,
    "low": 6617.25,
    "close": 6619.75,
    "volume": 1234,
}
LATER = ROW | {"time": "2026-03-18T20:15:00.0000000Z", "epoch": 1773864900000}
REPLY: dict[str, Any] = {"instrument": "ES 09-26", "periodType": "minute", "period": 5, "count": 2, "bars": [ROW, LATER]}
AT = datetime(2026, 3, 18, 20, 0, tzinfo=UTC)
BAR = Bar(AT, Decimal(6618), Decimal("6620.5"), Decimal("6617.25"), Decimal("6619.75"), 1234)


def read(body: object, asked: Contract = ES, most: int = 80) -> Bars:
    """Read a value as it comes from the wire."""
    return read_bars(loads(json.dumps(body, default=str)), asked, FIVE, most, TODAY)


def test_the_body_asks_for_so_many_of_the_newest_bars_and_names_no_date() -> None:
    assert BarsBody.of(ES, FIVE, 80).fields() == {
        "instrument": "ES 09-26",
        "periodType": "minute",
        "period": 5,
        "daysBack": 5,
        "limit": 80,
    }
    assert BarsBody.of(ES, PERIODS["1h"], 80).fields() | {"daysBack": 0} == {
        "instrument": "ES 09-26",
        "periodType": "minute",
        "period": 60,
        "daysBack": 0,
        "limit": 80,
    }


@pytest.mark.parametrize(
    "body",
    [
        REPLY,
        REPLY | {"success": True},
        {"success": True, "data": REPLY},
        {"success": True, "data": REPLY["bars"]},
        REPLY["bars"],
        {"bars": [LATER, ROW]},
        REPLY | {"periodType": "Minute", "instrument": "es 09-26", "period": "5"},
    ],
    ids=["flat", "with success", "nested", "a nested list", "a bare list", "newest first", "other case"],
)
def test_bars_are_read_in_every_shape_oldest_first(body: object) -> None:
    bars = read(body)
    assert (bars.contract, bars.period) == (ES, FIVE)
    assert bars.rows[0] == BAR
    assert [bar.at.minute for bar in bars.rows] == [0, 15]


@pytest.mark.parametrize("changes", [{"epoch": None}, {"epoch": 0, "time": "2026-03-18T20:00:00"}, {"time": None}])
def test_the_time_is_in_milliseconds_or_in_words_and_always_utc(changes: dict[str, Any]) -> None:
    assert read({"bars": [ROW | changes]}).rows[0].at == AT


def test_numbers_come_without_noise_and_a_volume_may_be_missing() -> None:
    row = ROW | {"close": Decimal("6619.75000000000011"), "volume": None}
    (bar,) = read({"bars": [row]}).rows
    assert (bar.close, bar.volume) == (Decimal("6619.75"), None)
    assert read({"bars": [ROW | {"volume": Decimal("12.0")}]}).rows[0].volume == 12


def test_more_bars_than_asked_for_are_cut_to_the_newest() -> None:
    assert [bar.at.minute for bar in read(REPLY, most=1).rows] == [15]


def test_no_bars_is_an_answer() -> None:
    assert read(REPLY | {"bars": []}).rows == ()


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (ES, None),
        (ES, {}),
        (ES, {"success": True}),
        (ES, {"bars": {}}),
        (ES, {"bars": "none"}),
        (ES, {"data": {"bars": None}}),
        (ES, REPLY | {"bars": [ROW | {"close": None}]}),
        (ES, REPLY | {"bars": [ROW | {"high": "much"}]}),
        (ES, REPLY | {"bars": [ROW | {"volume": -1}]}),
        (ES, REPLY | {"bars": [ROW | {"epoch": None, "time": None}]}),
        (ES, REPLY | {"bars": [ROW | {"epoch": None, "time": "yesterday"}]}),
        (ES, REPLY | {"bars": [ROW, "row"]}),
        (ES, REPLY | {"instrument": "ES 12-26"}),
        (ES, REPLY | {"instrument": "what"}),
        (ES, REPLY | {"period": 1}),
        (ES, REPLY | {"periodType": "day"}),
        (Contract("NQ", 2026, 9), REPLY),
    ],
)
def test_what_can_not_be_read_or_was_not_asked_for_is_no_chart(asked: Contract, body: object) -> None:
    with pytest.raises(BrokerGarbled):
        read(body, asked)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*REPLY, *ROW, "data"]), inner, max_size=5),
        max_leaves=8,
    )
)
def test_any_answer_is_read_or_garbled(body: object) -> None:
    for shape in (body, {"bars": body}, {"data": body}, {"bars": [body]}):
        try:
            read(shape)
        except BrokerGarbled:
            continue


async def test_bars_are_a_read_by_post(vendor: Vendor, connect: Connect) -> None:
    vendor.next.append(told(200, REPLY))
    client = await connect(transport="websocket")
    assert (await client.bars(ES, FIVE, 80)).rows[0] == BAR
    heard = vendor.heard[-1]
    assert (heard.method, heard.target) == ("POST", "/v1/api/market/bars")
    assert json.loads(heard.body) == BarsBody.of(ES, FIVE, 80).fields()
    assert heard.headers["Authorization"] == f"Bearer {TOKEN}"
    assert heard.headers["Content-Type"] == "application/json"
    assert client.link.up


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(408, {"success": False, "error": "Client not ready"}), BrokerUnreachable),
        (told(429, {}, Retry_After="0"), BrokerUnreachable),
        (told(500, {}), BrokerUnreachable),
        (told(400, {"error": "Invalid request"}), BrokerRefused),
        (told(200, {"success": False, "error": "No data", "bars": []}), BrokerRefused),
        (Answer(200, "<html>"), BrokerGarbled),
        (told(200, {}), BrokerGarbled),
    ],
)
async def test_a_failed_read_of_bars_raises_and_is_never_empty(
    vendor: Vendor, connect: Connect, answer: Answer, kind: type[BrokerError]
) -> None:
    vendor.next.append(answer)
    client = await connect()
    with pytest.raises(kind):
        await client.bars(ES, FIVE, 80)
    assert len(vendor.heard) == 1


async def test_bars_may_take_longer_than_other_reads(connect: Connect) -> None:
    asked, others_gave_up = asyncio.Event(), asyncio.Event()

    async def late(server: RawServer, writer: asyncio.StreamWriter) -> None:
        if server.requests[-1].startswith(b"POST"):
            asked.set()
            await others_gave_up.wait()
            writer.write(http(json.dumps(REPLY)))
            await writer.drain()

    assert USUAL.crosstrade.bars == 45
    async with RawServer(late).running() as server:
        client = await connect(server.url, timings=CrossTradeTimings(read=0.2, write=0.2, bars=10.0))
        reading = asyncio.create_task(client.bars(ES, FIVE, 80))
        await asked.wait()
        with pytest.raises(BrokerUnreachable, match="in time"):
            await client.positions("Sim101")
        others_gave_up.set()
        assert (await reading).rows


async def test_bars_that_never_come_are_given_up(connect: Connect) -> None:
    async def silent(_: RawServer, __: asyncio.StreamWriter) -> None:
        """Say nothing."""

    async with RawServer(silent).running() as server:
        client = await connect(server.url, timings=CrossTradeTimings(bars=0.2))
        with pytest.raises(BrokerUnreachable, match="in time"):
            await client.bars(ES, FIVE, 80)
        assert len(server.requests) == 1


async def test_a_connection_that_is_just_being_closed_costs_no_chart(connect: Connect) -> None:
    async def once(server: RawServer, writer: asyncio.StreamWriter) -> None:
        # Every connection takes one request and drops the next.
        if server.connections < len(server.requests):
            writer.transport.abort()
            return
        writer.write(http(json.dumps(REPLY)))
        await writer.drain()

    async with RawServer(once).running() as server:
        client = await connect(server.url)
        for _ in range(3):
            assert (await client.bars(ES, FIVE, 80)).rows
        assert (server.connections, len(server.requests)) == (3, 3)


async def test_bars_take_a_turn_of_the_budget_as_reads_do(vendor: Vendor, connect: Connect) -> None:
    client = await connect(rate=0.001, burst=2, timings=CrossTradeTimings(read=0.05))
    vendor.next.append(told(200, REPLY))
    await client.bars(ES, FIVE, 80)
    with pytest.raises(BrokerUnreachable, match="budget"):
        await client.bars(ES, FIVE, 80)


@pytest.mark.parametrize("name", PERIODS)
async def test_the_simulators_bars_are_understood(connect: Connect, name: str) -> None:
    simulator = Simulator(token=TOKEN, timing=FAST, rate_limited=False)
    async with running(simulator) as url:
        client = await connect(url)
        period = PERIODS[name]
        bars = await client.bars((await client.session(Root("ES"))).contract, period, 60)
        assert (bars.contract.root, bars.period) == ("ES", period)
        # Some periods see no trade, and have no bar.
        assert 55 <= len(bars.rows) <= 60
        times = [bar.at for bar in bars.rows]
        assert times == sorted(set(times))
        assert all(bar.low <= min(bar.open, bar.close) and bar.high >= max(bar.open, bar.close) for bar in bars.rows)
        simulator.faults.add(Kind.OFFLINE)
        with pytest.raises(BrokerUnreachable, match="Client not ready"):
            await client.bars(ES, period, 60)
