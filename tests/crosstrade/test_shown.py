"""The reads that only show something: what they ask for, how their replies are read, and what they raise."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.crosstrade import CrossTrade, wire
from bot.crosstrade.budget import Priority
from bot.errors import BrokerError, BrokerGarbled, BrokerLacks, BrokerRefused, BrokerUnreachable
from bot.trading.market.facts import Account, Position, Strategy
from bot.trading.market.funds import Funds, Margin, Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.market.lifecycle import OrderEvent
from bot.trading.market.session import Session
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import OrderState
from tests.clocks import TODAY

from .conftest import Connect
from .intents import ES
from .shown import LEGACY, LIFECYCLE, SESSION, SHOWN, SNAPSHOT, STRATEGY, WATERMARKS
from .test_reads import failure
from .test_wire import ACCOUNT, FILL, ORDER, QUOTE, ROW, wired
from .vendor import Answer, Vendor, told

KEYS = [
    "data",
    "success",
    "accounts",
    "account",
    "positions",
    "events",
    "event",
    "status",
    "session",
    "name",
    "watermarks",
    "strategies",
    "id",
    "templates",
    "endpoints",
    "upcoming",
    "instrument",
    "count",
]

NQ = Contract("NQ", 2026, 12)


async def show(client: CrossTrade, name: str) -> Any:
    """Make one of the reads."""
    reads: dict[str, Any] = {
        "position": lambda: client.position("Sim101", ES),
        "all_orders": lambda: client.all_orders(active_only=True),
        "order_status": lambda: client.order_status("Sim101", "a/b"),
        "lifecycle": lambda: client.lifecycle("Sim101", "a/b"),
        "executions_of": lambda: client.executions_of("Sim101", "a/b"),
        "execution": lambda: client.execution("Sim101", "e/1"),
        "strategies": lambda: client.strategies("Sim101"),
        "quotes": lambda: client.quotes([ES, NQ]),
        "account_quotes": lambda: client.account_quotes("Sim101", [ES]),
        "session": lambda: client.session(ES),
        "watermarks": lambda: client.watermarks("Sim101"),
    }
    return await reads.get(name, getattr(client, name))()


@pytest.mark.parametrize("name", SHOWN)
async def test_each_read_asks_its_path_once_and_gives_something(vendor: Vendor, connect: Connect, name: str) -> None:
    target, body = SHOWN[name]
    vendor.next.append(told(200, body))
    assert await show(await connect(), name)
    (heard,) = vendor.heard
    assert (heard.method, heard.target, heard.body) == ("GET", target, "")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(408, {"success": False, "error": "Client not ready"}), BrokerUnreachable),
        (Answer(429, "{}", {"Retry-After": "0"}), BrokerUnreachable),
        (told(500, {}), BrokerUnreachable),
        (told(400, {"success": False, "error": "invalid_account", "detail": "Account Sim101 not found"}), BrokerRefused),
        (told(401, {"error": "api_requires_pro"}), BrokerRefused),
        (told(404, {"error": "not_found", "did_you_mean": "GET /v1/api/accounts"}), BrokerLacks),
        (told(400, {"error": "Unknown API command: X"}), BrokerLacks),
        (told(200, {"success": False, "error": "Unknown API command: X"}), BrokerLacks),
        (Answer(200, "<html>"), BrokerGarbled),
        (told(200, {}), BrokerGarbled),
        (told(200, None), BrokerGarbled),
        (told(200, {"success": True}), BrokerGarbled),
        (told(200, {"success": True, "data": "odd"}), BrokerGarbled),
    ],
    ids=lambda value: f"{value.status} {value.body!r:.40}" if isinstance(value, Answer) else "",
)
async def test_a_read_that_fails_raises_and_is_never_empty(
    vendor: Vendor, connect: Connect, answer: Answer, kind: type[BrokerError]
) -> None:
    for name in SHOWN:
        vendor.next.append(answer)
        assert await failure(show(await connect(), name)) is kind, name
        assert not vendor.next, name


@pytest.mark.parametrize(("name", "what"), [("order_status", "Order"), ("execution", "Execution")])
async def test_what_crosstrade_does_not_have_is_none(vendor: Vendor, connect: Connect, name: str, what: str) -> None:
    client = await connect()
    for answer in (told(404, {"error": f"{what} not found"}), told(400, {"error": f"{what} x not found in account Sim101"})):
        vendor.next.append(answer)
        assert await show(client, name) is None


@pytest.mark.parametrize(
    "answer",
    [
        told(400, {"error": "Invalid request"}),
        told(400, {"error": "No position found for instrument 'ES 09-26' in account 'sim101'"}),
        told(404, {"success": False, "error": "no_position", "detail": "No positions found"}),
        told(200, ROW | {"marketPosition": "Flat", "quantity": 0, "success": True}),
    ],
)
async def test_a_flat_position_is_none_however_it_is_told(vendor: Vendor, connect: Connect, answer: Answer) -> None:
    vendor.next.append(answer)
    assert await show(await connect(), "position") is None


@pytest.mark.parametrize("name", ["all_orders", "executions_of"])
async def test_an_inferred_path_that_is_not_there_is_asked_once_only(vendor: Vendor, connect: Connect, name: str) -> None:
    client = await connect()
    # An add-on may be brought up to date meanwhile, so that one is asked again.
    vendor.next.append(told(400, {"error": "Unknown API command: X"}))
    for reader in (client, client, client.lane(Priority.BACKGROUND)):
        with pytest.raises(BrokerLacks):
            await show(reader, name)
    assert len(vendor.heard) == 2
    vendor.next.append(told(200, SHOWN["lifecycle"][1]))
    assert await show(client, "lifecycle")


async def test_a_documented_path_is_asked_again(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    for _ in range(2):
        with pytest.raises(BrokerLacks):
            await client.snapshot()
    assert len(vendor.heard) == 2


def test_a_snapshot_holds_each_account_with_its_positions() -> None:
    (standing,) = wire.read_snapshot(wired(SNAPSHOT), TODAY)
    account = Account("Sim101", "Simulator", True, Decimal("-12.5"), Decimal("2937.5"), Decimal("100565.0"))
    assert standing == AccountSummary(account, (Position("Sim101", ES, 4, Decimal("5779.8125"), Decimal("3437.5")),), False)
    flat = {"account": ACCOUNT, "positions": [ROW | {"instrument": "AAPL", "instrumentType": "Stock"}]}
    assert wire.read_snapshot(wired({"accounts": [flat]}), TODAY)[0] == AccountSummary(account, (), None)


@pytest.mark.parametrize(
    "item",
    [
        None,
        {},
        {"account": ACCOUNT},
        {"account": ACCOUNT, "positions": None},
        {"account": {}, "positions": []},
        {"account": ACCOUNT, "positions": [ROW | {"account": "Sim102"}]},
        {"account": ACCOUNT | {"isAccountFlat": "perhaps"}, "positions": []},
        {"account": ACCOUNT, "positions": [ROW, ROW | {"quantity": None}]},
    ],
    ids=str,
)
def test_a_snapshot_with_a_part_that_can_not_be_read_is_unreadable(item: object) -> None:
    with pytest.raises(BrokerGarbled):
        wire.read_snapshot(wired({"accounts": [SNAPSHOT["accounts"][0], item]}), TODAY)


def test_rows_of_all_accounts_must_name_theirs() -> None:
    rows = [ROW, ROW | {"account": "Apex-001", "marketPosition": "Short"}, ROW | {"marketPosition": "Flat", "quantity": 0}]
    found = wire.read_all_positions(wired({"positions": rows, "count": 3, "success": True}), TODAY)
    assert [(one.account, one.quantity) for one in found] == [("Sim101", 4), ("Apex-001", -4)]
    assert wire.read_all_positions(wired({"positions": [], "success": True}), TODAY) == ()
    assert len(wire.read_all_positions(wired([ROW]), TODAY)) == 1
    orders = wire.read_all_orders(wired({"orders": [ORDER, ORDER | {"account": "Apex-001"}], "success": True}), TODAY)
    assert [one.account for one in orders] == ["Sim101", "Apex-001"]
    for nameless in (None, " "):
        with pytest.raises(BrokerGarbled):
            wire.read_all_positions(wired({"positions": [ROW, ROW | {"account": nameless}], "success": True}), TODAY)
        with pytest.raises(BrokerGarbled):
            wire.read_all_orders(wired({"orders": [ORDER | {"account": nameless}], "success": True}), TODAY)


@pytest.mark.parametrize("nest", [lambda body: body, lambda body: {"success": True, "data": body}])
def test_a_list_that_is_shorter_than_it_says_is_unreadable(nest: Any) -> None:
    with pytest.raises(BrokerGarbled, match="not as long"):
        wire.read_all_positions(wired(nest({"positions": [ROW], "count": 2})), TODAY)


def test_a_position_of_another_contract_or_account_is_unreadable() -> None:
    for odd in (ROW | {"instrument": "ES 12-26"}, ROW | {"account": "Sim102"}, ROW | {"marketPosition": "Flat"}):
        with pytest.raises(BrokerGarbled):
            wire.read_position(wired(odd), "Sim101", ES, TODAY)
    nested = wire.read_position(wired({"success": True, "position": ROW}), "sim101", ES, TODAY)
    assert nested is not None
    assert nested.quantity == 4


def test_an_account_tells_its_margins_and_what_can_not_be_read_of_them_costs_nothing_else() -> None:
    item = ACCOUNT["item"] | {
        "netLiquidation": 103502.5,
        "buyingPower": 0.0,
        "initialMargin": 1200.000000000001,
        "excessInitialMargin": 102302.5,
        "positionMargin": "n/a",
        "excessPositionMargin": True,
        "maintenanceMargin": None,
    }
    account = wire.read_account(wired(ACCOUNT | {"item": item}), "Sim101")
    assert account.funds == Funds(Decimal("103502.5"), Decimal(0), Margin(Decimal(1200), Decimal("102302.5")))
    assert account.cash == Decimal("100565.0")
    assert wire.read_account(wired(ACCOUNT), "Sim101").funds is None


@pytest.mark.parametrize("body", [{"status": "Part filled"}, {"success": True, "data": {"status": "PartFilled"}}])
def test_a_status_is_a_state(body: object) -> None:
    assert wire.read_status(wired(body), "Sim101") is OrderState.PART_FILLED
    assert wire.read_status(wired({"status": "Dreaming", "account": "sim101"}), "Sim101") is OrderState.OTHER
    with pytest.raises(BrokerGarbled, match="another account"):
        wire.read_status(wired({"status": "Filled", "account": "Apex-001"}), "Sim101")


def test_a_lifecycle_is_read_by_its_epochs() -> None:
    life = wire.read_lifecycle(wired(LIFECYCLE), 200, str)
    assert (life.account, life.ids, life.is_cut) == ("Sim101", ("cb1f", "own-1"), False)
    assert life.events == (
        OrderEvent("PlaceOrder", "api_received", datetime(2026, 3, 18, 20, 51, 54, 250500, tzinfo=UTC)),
        OrderEvent("PartFilled", "order_update", datetime(2026, 3, 18, 20, 51, 55, tzinfo=UTC), 1, 3, Decimal("5800.25")),
    )
    assert wire.read_lifecycle(wired(LIFECYCLE), 2, str).is_cut
    assert wire.read_lifecycle(wired([]), 200, str) == wire.read_lifecycle(wired({"events": []}), 200, str)


def test_a_line_of_a_lifecycle_keeps_a_reason_and_leaves_what_it_can_not_read() -> None:
    odd = {"event": "Rejected", "epoch": "noon", "filled": -1, "quantity": 1.5, "price": 0, "source": ["x"]}
    body = {"events": [odd | {"reason": "no margin", "message": "no margin", "error": "E1", "detail": {"a": 1}}]}
    (event,) = wire.read_lifecycle(wired(body), 200, str).events
    assert event == OrderEvent("Rejected", note="no margin: E1")


@pytest.mark.parametrize("events", [[None], [{}], [{"event": ""}], ["Working"], "none", None], ids=str)
def test_a_lifecycle_without_words_is_unreadable(events: object) -> None:
    with pytest.raises(BrokerGarbled):
        wire.read_lifecycle(wired({"success": True, "events": events}), 200, str)


@pytest.mark.parametrize("body", [FILL, {"success": True, "data": FILL}, {"success": True, "execution": FILL}])
def test_one_execution_may_be_flat_or_nested(body: object) -> None:
    assert wire.read_execution(wired(body), "Sim101", TODAY).id == "e1"
    with pytest.raises(BrokerGarbled):
        wire.read_execution(wired(FILL | {"account": "Sim102"}), "Sim101", TODAY)


def test_a_strategy_is_read_as_far_as_it_is_told() -> None:
    (whole,) = wire.read_strategies(wired({"strategies": [STRATEGY | {"instrument": "ES 09-26"}]}), "sim101", TODAY)
    assert whole == Strategy("334081723", "Sim101", "Scalp", "Scalp - 334081723", ES, -2, Decimal("5800.25"), Decimal("-12.5"))
    odd = {"id": 7, "position": "Sideways", "quantity": 2, "instrument": "AAPL", "averagePrice": 0, "unrealizedPnl": "x"}
    assert wire.read_strategies(wired([odd]), "Sim101", TODAY) == (Strategy("7", "Sim101"),)
    for bad in ({"id": None}, {"id": " "}, {"account": "Sim102"}):
        with pytest.raises(BrokerGarbled):
            wire.read_strategies(wired({"strategies": [STRATEGY | bad]}), "Sim101", TODAY)


def test_watermarks_may_be_empty_and_are_never_another_accounts() -> None:
    marks = wire.read_watermarks(wired(WATERMARKS), "sim101")
    assert marks == Watermarks("Sim101", Decimal("250.5"), Decimal(100500), Decimal(0))
    empty = {"success": True, "data": {"watermarks": {}, "stats": {}}}
    assert wire.read_watermarks(wired(empty), "Sim101") == Watermarks("Sim101")
    for odd in ({"account": "Sim102", "watermarks": {}}, {"watermarks": None}, {"watermarks": {"pnlhigh": "much"}}):
        with pytest.raises(BrokerGarbled):
            wire.read_watermarks(wired({"success": True, "data": odd}), "Sim101")


def test_several_quotes_are_those_that_were_asked_for_in_their_order() -> None:
    nq = QUOTE | {"instrument": "NQ 12-26"}
    found = wire.read_quotes(wired([QUOTE, nq]), [ES, NQ], TODAY)
    assert [str(one.contract) for one in found] == ["ES 09-26", "NQ 12-26"]
    for body in ([nq, QUOTE], [QUOTE], QUOTE, [QUOTE, nq, nq]):
        with pytest.raises(BrokerGarbled):
            wire.read_quotes(wired(body), [ES, NQ], TODAY)


def test_an_accounts_own_quote_has_no_time() -> None:
    (quote,) = wire.read_quotes(wired(LEGACY), [ES], TODAY)
    assert (quote.bid, quote.at, quote.market_open) == (Decimal("6618.0"), None, None)


def test_a_session_is_read_in_utc() -> None:
    whole = wire.read_session(wired(SESSION), ES, TODAY)
    assert whole == Session(
        ES,
        is_open=True,
        state="Open",
        span=Span(datetime(2026, 3, 17, 22, tzinfo=UTC), datetime(2026, 3, 18, 21, tzinfo=UTC)),
        upcoming=Span(datetime(2026, 3, 18, 22, tzinfo=UTC), datetime(2026, 3, 19, 21, tzinfo=UTC)),
        at=datetime(2026, 3, 18, 20, 46, 29, 24828, tzinfo=UTC),
    )
    bare = SESSION | {"status": {"isOpen": False}, "upcoming": {}, "timestamp": "2026-03-18T21:46:29.0000000+01:00"}
    session = wire.read_session(wired(bare), Root("ES"), TODAY)
    assert (session.state, session.upcoming, session.at) == ("Closed", None, datetime(2026, 3, 18, 20, 46, 29, tzinfo=UTC))
    assert wire.read_session(wired(SESSION | {"status": {"isOpen": True}}), ES, TODAY).state == "Open"
    naive = SESSION | {"timestamp": "2026-03-18T20:46:29"}
    assert wire.read_session(wired(naive), ES, TODAY).at == datetime(2026, 3, 18, 20, 46, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"status": {}},
        {"status": {"isOpen": "perhaps"}},
        {"session": {}},
        {"session": {"utcStart": "soon", "utcEnd": "later"}},
        {"upcoming": {"utcStart": "2026-03-18T22:00:00Z"}},
        {"timestamp": None},
        {"instrument": "NQ 09-26"},
        {"instrument": "AAPL"},
    ],
    ids=str,
)
def test_a_session_that_can_not_be_read_is_never_open_or_closed(change: dict[str, object]) -> None:
    with pytest.raises(BrokerGarbled):
        wire.read_session(wired(SESSION | change), ES, TODAY)


def test_templates_and_endpoints_come_in_more_than_one_form() -> None:
    assert wire.read_templates(wired({"templates": ["Scalp", {"name": "Swing"}], "success": True})) == ("Scalp", "Swing")
    told = [{"method": "put", "path": "/v1/api/x", "name": "X"}, " GET /v1/api/y "]
    assert wire.read_endpoints(wired({"endpoints": told})) == ("PUT /v1/api/x", "GET /v1/api/y")
    odds: tuple[object, ...] = ("", None, {}, 7)
    for odd in odds:
        with pytest.raises(BrokerGarbled):
            wire.read_templates(wired({"templates": [odd]}))
        with pytest.raises(BrokerGarbled):
            wire.read_endpoints(wired({"endpoints": [odd]}))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_at_all_is_read_or_garbled(body: Any) -> None:
    for read in (
        lambda: wire.read_snapshot(body, TODAY),
        lambda: wire.read_all_positions(body, TODAY),
        lambda: wire.read_all_orders(body, TODAY),
        lambda: wire.read_position(body, "Sim101", ES, TODAY),
        lambda: wire.read_status(body, "Sim101"),
        lambda: wire.read_execution(body, "Sim101", TODAY),
        lambda: wire.read_lifecycle(body, 200, str),
        lambda: wire.read_strategies(body, "Sim101", TODAY),
        lambda: wire.read_watermarks(body, "Sim101"),
        lambda: wire.read_quotes(body, [ES, Contract("NQ", 2026, 9)], TODAY),
        lambda: wire.read_session(body, ES, TODAY),
        lambda: wire.read_templates(body),
        lambda: wire.read_endpoints(body),
    ):
        with contextlib.suppress(BrokerGarbled):
            read()
