"""What the reading calls answer, in the documented forms."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.sandbox.ninjatrader import Timing

from .client import Api, rpc
from .conftest import Start

QUOTE_KEYS = (
    "description", "type", "tickSize", "pointValue", "tickValue", "exchange", "expiration", "tradingHours",
    "instrument", "bid", "ask", "last", "open", "high", "low", "close", "volume", "quoteTime", "quoteTimeUtc", "epoch",
    "dataSource", "isMarketOpen",
)  # fmt: skip
LEGACY_LACKS = {"tickValue", "quoteTimeUtc", "epoch", "dataSource", "isMarketOpen"}
ORDER_KEYS = {
    "id", "account", "orderId", "instrument", "instrumentType", "orderType", "orderState", "quantity",
    "averageFillPrice", "filled", "fromEntrySignal", "gtd", "hasOverfill", "isBacktestOrder", "limitPrice",
    "limitPriceChanged", "ocoId", "orderAction", "quantityChanged", "stopPrice", "stopPriceChanged", "time", "epoch",
    "timeInForce", "name", "isLimit", "isLiveUntilCancelled", "isLong", "isMarket", "isMarketIfTouched", "isShort",
    "isSimulatedStop", "isStopLimit", "isStopMarket", "isTrackingConfigured", "isTrackingEnabled", "userData",
    "ownerStrategy", "success",
}  # fmt: skip
STILL = Timing(tick=3600)
NOON = datetime(2026, 3, 18, 20, 51, 54, tzinfo=UTC)


async def test_the_accounts_to_start_with(api: Api) -> None:
    accounts = (await api.get("accounts"))["accounts"]
    assert [(row["name"], row["provider"]) for row in accounts] == [
        ("Sim101", "Simulator"),
        ("Sim102", "Simulator"),
        ("Apex-001", "Rithmic"),
    ]
    assert (await api.held("Sim101", "ES 09-26"), await api.held("Sim101", "MES 12-25")) == (-2, 1)
    assert (await api.get("accounts/Sim102/positions")) == {"positions": [], "success": True}


async def test_an_account_is_found_in_any_case_and_shown_in_its_own(api: Api) -> None:
    account = await api.get("accounts/sIm101")
    assert (account["name"], account["success"], account["item"]["cashValue"]) == ("Sim101", True, 100_000.0)
    assert len(account["item"]) == 31


async def test_an_unknown_account_is_named(api: Api) -> None:
    assert await api.send("GET", "accounts/Sim999") == (
        400,
        {"success": False, "error": "invalid_account", "detail": "Account Sim999 not found"},
    )


async def test_snapshot_is_not_taken_for_an_account(start: Start) -> None:
    async with start(clock=lambda: NOON) as api:
        snapshot = await api.get("accounts/snapshot")
    assert (snapshot["type"], snapshot["epoch"]) == ("snapshot", 1773867114000)
    assert snapshot["timestamp"] == "2026-03-18T13:51:54.0000000-07:00"
    first, second, _ = snapshot["accounts"]
    assert (first["account"]["isAccountFlat"], second["account"]["isAccountFlat"]) == (False, True)
    assert first["positions"][0]["type"] == "NinjaTrader.Cbi.Position"


async def test_a_position_has_its_side_in_words_and_its_size_unsigned(api: Api) -> None:
    await api.control("price", instrument="ES 09-26", last=6600, frozen=True)
    await api.control("position", account="Sim101", instrument="ES 09-26", quantity=-2, averagePrice=6610)
    assert await api.get("accounts/Sim101/position?instrument=ESU6") == {
        "type": "NinjaTrader.Cbi.Position",
        "account": "Sim101",
        "instrument": "ES 09-26",
        "instrumentType": "Future",
        "marketPosition": "Short",
        "quantity": 2,
        "averagePrice": 6610.0,
        "marketPrice": 6600.0,
        "unrealizedProfitLoss": 1000.0,
        "success": True,
    }


async def test_a_flat_position_is_a_400_or_by_switch_a_flat_object(api: Api) -> None:
    path = "accounts/Sim102/position?instrument=ES%2009-26"
    assert await api.send("GET", path) == (400, {"error": "Invalid request"})
    await api.fault("flat_object", "GetPosition")
    flat = await api.get(path)
    assert (flat["marketPosition"], flat["quantity"]) == ("Flat", 0)


async def test_all_positions_are_counted_and_flat_ones_come_when_asked(api: Api) -> None:
    await api.control("position", account="Sim102", instrument="GC 12-26", quantity=0)
    every = await api.get("positions")
    assert every["count"] == len(every["positions"]) == 3
    assert all(row["tag"] is None for row in every["positions"])
    assert (await api.get("positions?includeFlat=true"))["count"] == 4


@pytest.mark.parametrize("spelling", ["ES 09-26", "es 09-26", "ESU6", "ESU26", "ES SEP26", "esu26"])
async def test_every_spelling_leads_to_the_dated_form(api: Api, spelling: str) -> None:
    assert (await api.get(f"market/quote?instrument={spelling.replace(' ', '%20')}"))["instrument"] == "ES 09-26"


@pytest.mark.parametrize(
    ("day", "root", "front"),
    [
        ("2026-09-01", "ES", "ES 09-26"),
        ("2026-09-09", "ES", "ES 09-26"),
        ("2026-09-10", "ES1!", "ES 12-26"),
        ("2026-12-31", "MNQ", "MNQ 03-27"),
        ("2026-01-10", "CL", "CL 02-26"),
        ("2026-01-18", "CL1!", "CL 03-26"),
        ("2026-01-18", "GC", "GC 02-26"),
        ("2026-01-28", "GC", "GC 04-26"),
    ],
)
async def test_the_front_month_follows_the_clock(start: Start, day: str, root: str, front: str) -> None:
    now = datetime.fromisoformat(f"{day}T15:00:00+00:00")
    async with start(clock=lambda: now, accounts=()) as api:
        assert (await api.get(f"market/info?root={root}"))["instrument"] == front
        await api.control("cloud", roots=True)
        assert (await api.get(f"market/quote?instrument={root}"))["instrument"] == front


@pytest.mark.parametrize("root", ["NQ", "ES1!"])
async def test_a_bare_root_is_no_instrument_as_others_have_seen(api: Api, root: str) -> None:
    status, body = await api.send("GET", f"market/quote?instrument=ES%2009-26,{root}")
    assert (status, body) == (400, {"error": f"Market data unavailable for '{root}'"})
    assert (await api.send("GET", f"accounts/Sim101/quote?instrument={root}"))[0] == 400
    assert (await api.send("POST", "market/bars", {"instrument": root}))[1]["bars"] == []
    share = await api.get(f"market/info?instrument={root}")
    assert share["instrument"] == root
    ends = (datetime.fromisoformat(share["session"][end]) for end in ("utcStart", "utcEnd"))
    assert [f"{end.astimezone(ZoneInfo('America/New_York')):%H:%M}" for end in ends] == ["09:30", "16:00"]


@pytest.mark.parametrize("spelling", ["XX 09-26", "ES 10-26", "ESV6", "GC 01-27", "ES 13-26", "ES09-26", "@", "ES 9-26"])
async def test_an_instrument_that_does_not_exist_is_a_400(api: Api, spelling: str) -> None:
    status, body = await api.send("GET", f"market/quote?instrument={spelling.replace(' ', '%20')}")
    assert (status, body["error"]) == (400, "invalid_instrument")


@pytest.mark.parametrize(
    ("instrument", "tick", "point"),
    [
        ("ES 03-20", 0.25, 50), ("MES 06-31", 0.25, 5), ("NQ 12-26", 0.25, 20), ("MNQ 12-26", 0.25, 2),
        ("YM 12-26", 1, 5), ("RTY 12-26", 0.1, 50), ("CL 01-27", 0.01, 1000), ("GC 02-27", 0.1, 100),
    ],
)  # fmt: skip
async def test_the_contracts_are_cmes(api: Api, instrument: str, tick: float, point: float) -> None:
    quote = await api.get(f"market/quote?instrument={instrument.replace(' ', '%20')}")
    assert (quote["tickSize"], quote["pointValue"], quote["tickValue"]) == (tick, point, pytest.approx(tick * point))
    assert quote["ask"] - quote["bid"] == pytest.approx(tick)


async def test_a_quote_has_the_documented_keys_and_units(start: Start) -> None:
    async with start(clock=lambda: NOON) as api:
        quote = await api.get("market/quote?instrument=ES%2003-26")
        legacy = await api.get("accounts/Sim101/quote?instrument=ES%2003-26")
    assert tuple(quote) == QUOTE_KEYS
    assert (quote["epoch"], quote["quoteTimeUtc"]) == (1773867114, "2026-03-18 20:51:54")
    assert (quote["quoteTime"], quote["expiration"]) == ("03/18/2026 01:51:54 PM", "2026-03-01")
    assert set(legacy) == set(QUOTE_KEYS) - LEGACY_LACKS | {"success"}
    assert (legacy["quoteTime"], legacy["expiration"]) == ("3/18/2026 1:51:54 PM", "3/1/2026 12:00:00 AM")


async def test_a_comma_list_of_quotes_is_an_array(api: Api) -> None:
    quotes = await api.get("market/quote?instrument=ES%2009-26,NQ%2009-26")
    assert [quote["instrument"] for quote in quotes] == ["ES 09-26", "NQ 09-26"]


async def test_prices_walk_on_the_tick_and_the_same_seed_walks_the_same_way(start: Start) -> None:
    async def walk(seed: int) -> list[float]:
        async with start(seed=seed, accounts=()) as api:
            market, contract = api.simulator.world.market, api.simulator.world.contract("CL 01-27")
            market.ticker(contract)
            prices = []
            for _ in range(200):
                market.step()
                ticker = market.ticker(contract)
                assert ticker.last % contract.product.tick == 0
                assert ticker.low <= ticker.last <= ticker.high
                prices.append(float(ticker.last))
            return prices

    assert await walk(1) == await walk(1) != await walk(2)


async def test_a_price_can_be_set_and_frozen(api: Api) -> None:
    await api.control("price", instrument="ES 09-26", last=6543.3, frozen=True)
    for _ in range(5):
        api.simulator.world.tick()
    quote = await api.get("market/quote?instrument=ES%2009-26")
    assert (quote["last"], quote["bid"], quote["ask"]) == (6543.25, 6543.25, 6543.5)


async def test_a_quote_can_be_old_or_without_a_feed(start: Start) -> None:
    async with start(clock=lambda: NOON) as api:
        await api.control("price", instrument="ES 03-26", age=90)
        quote = await api.get("market/quote?instrument=ES%2003-26")
        legacy = await api.get("accounts/Sim101/quote?instrument=ES%2003-26")
        assert (quote["epoch"], quote["quoteTimeUtc"]) == (1773867114 - 90, "2026-03-18 20:50:24")
        assert legacy["quoteTime"] == "3/18/2026 1:50:24 PM"
        await api.control("price", instrument="ES 03-26", feed=False)
        quote = await api.get("market/quote?instrument=ES%2003-26")
        assert tuple(quote) == QUOTE_KEYS
        assert (quote["last"], quote["bid"], quote["volume"]) == (0, 0, 0)


async def test_a_micro_opens_where_its_big_brother_does(api: Api) -> None:
    quotes = await api.get("market/quote?instrument=ES%2003-27,MES%2003-27")
    assert quotes[0]["open"] == quotes[1]["open"]


@pytest.mark.parametrize(
    ("moment", "is_open", "start_utc", "end_utc"),
    [
        ("2026-03-18T20:46:29+00:00", True, "2026-03-17T22:00", "2026-03-18T21:00"),
        ("2026-03-18T21:30:00+00:00", False, "2026-03-18T22:00", "2026-03-19T21:00"),
        ("2026-03-21T12:00:00+00:00", False, "2026-03-22T22:00", "2026-03-23T21:00"),
        ("2026-01-14T12:00:00+00:00", True, "2026-01-13T23:00", "2026-01-14T22:00"),
    ],
)
async def test_market_info_keeps_chicagos_hours(start: Start, moment: str, is_open: bool, start_utc: str, end_utc: str) -> None:
    now = datetime.fromisoformat(moment)
    async with start(clock=lambda: now, market_open=None) as api:
        info = await api.get("market/info?instrument=ES%2006-26")
    assert info["status"] == {"isOpen": is_open, "state": "Open" if is_open else "Closed"}
    session = info["session"]
    assert session["label"] == ("Current Session" if is_open else "Next Session")
    assert (session["utcStart"][:16], session["utcEnd"][:16]) == (start_utc, end_utc)
    assert session["secondsRemaining"] > 0
    assert info["upcoming"]["utcStart"] >= session["utcEnd"]


async def test_market_info_without_an_instrument_speaks_of_the_es_front_month(api: Api) -> None:
    assert re.fullmatch(r"ES \d\d-\d\d", (await api.get("market/info"))["instrument"])


async def test_an_order_row_has_every_documented_field(api: Api) -> None:
    order_id = await api.order(orderId="mine-1", ocoId="oco-1")
    row = await api.order_in(order_id, "Filled")
    assert set(row) == ORDER_KEYS
    assert row["id"] == row["orderId"]
    assert row["userData"] == ("<NinjaTrader><AutomatedTradingOrderId>mine-1</AutomatedTradingOrderId></NinjaTrader>")
    assert (row["orderType"], row["timeInForce"], row["limitPrice"], row["ocoId"]) == ("Market", "Day", 0.0, "oco-1")


async def test_an_order_is_found_by_either_id_and_listed(api: Api) -> None:
    own = await api.order(orderId="mine-1")
    assert own == "mine-1"
    nt8_id = (await api.order_in("mine-1", "Filled"))["id"]
    assert re.fullmatch("[0-9a-f]{32}", nt8_id)
    assert (await api.get(f"accounts/Sim102/orders/{nt8_id}/status")) == {
        "orderId": nt8_id,
        "status": "Filled",
        "success": True,
    }
    assert [row["id"] for row in (await api.get("accounts/Sim102/orders?activeOnly=false"))["orders"]] == [nt8_id]
    assert (await api.get("accounts/Sim102/orders?activeOnly=true"))["orders"] == []
    assert (await api.send("GET", "accounts/Sim101/orders/mine-1"))[0] == 404
    assert [row["id"] for row in (await api.get("orders"))["orders"]] == [nt8_id]


async def test_executions_look_back_no_further_than_asked(start: Start) -> None:
    now = {"value": NOON}
    async with start(clock=lambda: now["value"]) as api:
        order_id = await api.order(quantity=2)
        await api.order_in(order_id, "Filled")
        (execution,) = (await api.get("accounts/Sim102/executions"))["executions"]
        assert (execution["orderId"], execution["quantity"], execution["marketPosition"]) == (order_id, 2, "Long")
        assert (execution["epoch"], execution["time"]) == (1773867114000, "2026-03-18T13:51:54.0000000")
        assert (await api.get(f"accounts/Sim102/executions/{execution['id']}"))["id"] == execution["id"]
        assert (await api.send("GET", "accounts/Sim102/executions/none"))[0] == 404
        by_order = await api.get(f"accounts/Sim102/orders/{order_id}/executions")
        assert [one["id"] for one in by_order["executions"]] == [execution["id"]]

        async def seen(path: str) -> int:
            return len((await api.get(f"accounts/Sim102/executions{path}"))["executions"])

        now["value"] = datetime(2026, 3, 18, 20, 57, 34, tzinfo=UTC)
        assert (await seen(""), await seen("?lookbackTime=600")) == (0, 1)
        now["value"] = datetime(2026, 3, 18, 21, 8, tzinfo=UTC)
        assert await seen("?lookbackTime=5000") == 0


async def test_finished_orders_leave_the_list_after_some_minutes_but_not_the_lifecycle(start: Start) -> None:
    now = {"value": NOON}
    async with start(clock=lambda: now["value"]) as api:
        order_id = await api.order(orderId="mine")
        await api.order_in(order_id, "Filled")
        now["value"] = datetime(2026, 3, 18, 20, 58, tzinfo=UTC)
        assert (await api.get("accounts/Sim102/orders"))["orders"] == []
        lifecycle = await api.get("accounts/whatever/orders/mine/lifecycle")
    assert (lifecycle["originalOrderId"], lifecycle["account"]) == ("mine", "Sim102")
    assert lifecycle["count"] == len(lifecycle["events"]) == 7
    assert lifecycle["events"][0]["source"] == "api_received"
    assert isinstance(lifecycle["events"][0]["epoch"], float)


async def test_the_lifecycle_can_leave_out_fills_and_be_cut(api: Api) -> None:
    order_id = await api.order()
    await api.order_in(order_id, "Filled")
    path = f"accounts/Sim102/orders/{order_id}/lifecycle"
    events = (await api.get(f"{path}?includeFills=false"))["events"]
    assert [event["event"] for event in events] == [
        "PlaceOrder", "Initialized", "Submitted", "Accepted", "Working", "Filled",
    ]  # fmt: skip
    assert (await api.get(f"{path}?limit=1"))["events"][0]["event"] == "Filled"
    nothing = await api.get("accounts/Sim102/orders/never-seen/lifecycle")
    assert (nothing["count"], nothing["events"]) == (0, [])


async def test_watermarks_are_empty_before_the_first_p_and_l_then_rise(start: Start) -> None:
    async with start(timing=STILL) as api:
        first = await api.get("accounts/Sim102/watermarks")
        assert first == {"success": True, "data": {"account": "Sim102", "watermarks": {}, "stats": {}}}
        api.simulator.world.tick()
        data = (await api.get("accounts/Sim102/watermarks"))["data"]
    assert data["watermarks"] == {"pnlhigh": 0, "netliqhigh": 100_000, "unrealhigh": 0}
    assert set(data["stats"]) == {
        "pnl", "total", "unrealized", "poscount", "netliq", "pnlhigh", "netliqhigh", "unrealhigh",
    }  # fmt: skip


async def test_the_catalogue_lists_the_endpoints(api: Api) -> None:
    endpoints = (await api.get("_endpoints"))["endpoints"]
    assert {
        "name": "ReversePosition",
        "method": "POST",
        "path": "/v1/api/accounts/{account}/positions/reverseposition",
    } in endpoints


@pytest.mark.parametrize(
    ("path", "api_name", "args"),
    [
        ("accounts", "ListAccounts", {}),
        ("accounts/Sim101", "GetAccount", {"account": "Sim101"}),
        ("accounts/snapshot", "GetAccountSummary", {}),
        ("accounts/Sim101/positions", "ListPositions", {"account": "Sim101"}),
        ("accounts/Sim101/position?instrument=ESU6", "GetPosition", {"account": "Sim101", "instrument": "ES 09-26"}),
        ("positions?includeFlat=true", "GetAllPositions", {"includeFlat": True}),
        ("accounts/Sim101/orders?activeOnly=true", "ListOrders", {"account": "Sim101", "activeOnly": True}),
        ("orders", "GetAllOrders", {}),
        ("accounts/Sim101/executions?lookbackTime=9", "ListExecutions", {"account": "Sim101", "lookbackTime": 9}),
        ("market/quote?instrument=ES%2009-26", "GetQuote", {"instrument": "ES 09-26"}),
        ("accounts/Sim101/quote?instrument=ES%2009-26", "GetQuote", {"account": "Sim101", "instrument": "ES 09-26"}),
        ("market/info?instrument=ES", "MarketInfo", {"instrument": "ES"}),
        ("accounts/Sim101/strategies", "ListStrategies", {"account": "Sim101"}),
        ("accounts/Sim101/watermarks", "GetWatermarks", {"account": "Sim101"}),
        ("atm-templates", "ListAtmTemplates", {}),
    ],
)
async def test_an_rpc_answers_what_rest_answers(start: Start, path: str, api_name: str, args: dict[str, Any]) -> None:
    async with start(clock=lambda: NOON, timing=STILL) as api:
        ws = await api.stream()
        assert await rpc(ws, api_name, **args) == await api.get(path)


async def test_bars_are_stamped_at_their_close_oldest_first_with_gaps(start: Start) -> None:
    async with start(clock=lambda: NOON, market_open=None) as api:
        await api.control("price", frozen=True)
        answer = await api.post("market/bars", {"instrument": "ES 06-26", "period": 5, "daysBack": 3})
        again = await api.post("market/bars", {"instrument": "ESM6", "period": 5, "daysBack": 3})
        few = await api.post("market/bars", {"instrument": "ESM6", "period": 5, "daysBack": 3, "limit": 10})
        last = (await api.get("market/quote?instrument=ESM6"))["last"]
    bars = answer["bars"]
    epochs = [bar["epoch"] for bar in bars]
    assert answer == again
    assert few["bars"] == bars[-10:]
    assert (answer["instrument"], answer["periodType"], answer["period"]) == ("ES 06-26", "minute", 5)
    assert answer["count"] == len(bars) > 500
    assert epochs == sorted(epochs)
    assert all(epoch % 300_000 == 0 for epoch in epochs)
    assert any(later - earlier > 300_000 for earlier, later in pairwise(epochs))
    assert bars[-1]["close"] == last
    assert bars[-1]["time"].endswith("0000000Z")
    assert all(bar["low"] <= min(bar["open"], bar["close"]) for bar in bars)
    assert all(bar["high"] >= max(bar["open"], bar["close"]) for bar in bars)


@pytest.mark.parametrize(
    "body",
    [{}, {"instrument": "ES", "periodType": "tick"}, {"instrument": "ES 06-26", "from": "yesterday"},
     {"instrument": "ES", "limit": 0}, {"instrument": "ES", "period": "x"}],
)  # fmt: skip
async def test_bars_refuse_what_they_cannot_read(api: Api, body: dict[str, Any]) -> None:
    assert (await api.send("POST", "market/bars", body)) == (400, {"error": "Invalid request"})


async def test_bars_between_two_moments(start: Start) -> None:
    async with start(clock=lambda: NOON) as api:
        body = {"instrument": "ES 06-26", "from": "2026-03-18T10:00:00Z", "to": "2026-03-18 11:00:00", "periodType": "Minute"}
        bars = (await api.post("market/bars", body))["bars"]
    assert "2026-03-18T10:00:00" < bars[0]["time"] <= bars[-1]["time"] <= "2026-03-18T11:00:00.0000000Z"
