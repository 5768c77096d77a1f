"""The reading commands through real discord.py: private, whole, and honest about what could not be read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.chat import sheets
from bot.chat.tables import WIDTH
from bot.desk.ports import Event, EventName
from bot.desk.reads.reports import AccountReport, Balance, Fills, Listed, OneFill, OrderStory, Quoted, StrategyReport, Traded
from bot.desk.requests import Refused
from bot.trading.market.facts import Account, Execution, Order, Position, Quote, Strategy
from bot.trading.market.funds import Funds, Margin, Watermarks
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.market.session import Session
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Approved, TicketState
from bot.trading.risk.policy import Denial, DenialCode, Grant

from .conftest import Stage, told
from .samples import ES, NOW, TRADER_ROLE, ticket

MES = Contract("MES", 2026, 9)
ORDER = Order(
    ids=("0123456789abcdef0123456789abcdef",),
    account="Sim101",
    contract=ES,
    side=Side.BUY,
    type=OrderType.LIMIT,
    state=OrderState.WORKING,
    quantity=2,
    limit=Decimal("5790.25"),
    at=NOW,
)
FILLS = (
    Execution("f1", ORDER.id, "Sim101", ES, Side.BUY, 1, Decimal("5790.25"), NOW - timedelta(minutes=2)),
    Execution("f2", ORDER.id, "Sim101", ES, Side.BUY, 1, Decimal(5790), NOW - timedelta(minutes=1)),
    Execution("f3", "other", "Sim101", MES, Side.SELL, 3, Decimal(5791), NOW),
)
HELD = (
    Position("Sim101", ES, -2, Decimal("5790.25"), Decimal(-1250)),
    Position("Sim101", MES, 10, Decimal("5788.5"), Decimal("37.5")),
)
SIM = Balance(Account("Sim101", "Simulator", True, Decimal(100), Decimal("-25.5"), Decimal(100_000)), False, "", NOW)
OTHER = Balance(replace(SIM.account, name="Sim102", realised=Decimal(-7)), False, "", NOW)
LIVE = Balance(Account("APEX12345600000010", "Rithmic", False, Decimal(-1234567), Decimal(0), Decimal(50_000)), True, "", NOW)
UNREAD = Balance(Account("Sim103"), True, "`no answer`", NOW)
QUOTE = Quote(
    ES,
    Decimal("0.25"),
    Decimal(50),
    Decimal(5800),
    Decimal("5800.25"),
    Decimal(5800),
    NOW - timedelta(seconds=3),
    market_open=True,
)
STORY = OrderStory("Sim101", False, ORDER.id, ORDER, "", FILLS[:2], "", None, (), "", NOW)
HOUR = timedelta(hours=1)
SHEET = Fills("Sim101", False, FILLS, "", (), "", (), NOW - 24 * HOUR, NOW)
FUNDS = Funds(
    Decimal(100_074), Decimal(80_000), Margin(Decimal(20_000), Decimal(80_074)), maintenance=Margin(left=Decimal(90_000))
)
RICH = replace(SIM, account=replace(SIM.account, funds=FUNDS))
MARKS = Watermarks("Sim101", Decimal(250), Decimal(100_500), None)
OPEN = Session(ES, True, "Open", Span(NOW - 19 * HOUR, NOW + 3 * HOUR), Span(NOW + 4 * HOUR, NOW + 27 * HOUR), NOW)
SHUT = Session(ES, False, "Closed", Span(NOW + 30 * HOUR, NOW + 53 * HOUR), None, NOW)
RUNNING = Strategy("334081723", "Sim101", "Scalp", "Scalp - 334081723", ES, 2, Decimal(5800), Decimal(-25))
STRATEGIES = StrategyReport(Listed("Sim101", False, (RUNNING,), "", NOW), ("Swing", "Scalp"), "")
TYPED: dict[str, dict[str, Any]] = {
    "positions": {"account": "Sim101", "instrument": "ES"},
    "orders": {"account": "Sim101"},
    "order": {"account": "Sim101", "order": ORDER.id},
    "accounts": {},
    "account": {"account": "Sim101"},
    "pnl": {},
    "executions": {"account": "Sim101"},
    "quote": {"instrument": "ES, NQ", "account": "Sim101"},
    "market": {"instrument": "ES, NQ"},
    "strategies": {"account": "Sim101"},
}
ANSWERS: dict[str, Any] = {
    "positions": (Listed("Sim101", False, HELD, "", NOW), Listed("Sim102", False, (), "", NOW)),
    "orders": (Listed("Sim101", False, (ORDER,), "", NOW),),
    "order": STORY,
    "accounts": (LIVE, SIM),
    "account": AccountReport(RICH, MARKS, ""),
    "pnl": (LIVE, SIM, OTHER),
    "executions": SHEET,
    "execution": OneFill("Sim101", False, "f1", FILLS[0], "", NOW),
    "quotes": (Quoted(ES, QUOTE, "", NOW), Quoted(Root("NQ"), None, "`no answer`", NOW)),
    "market": (Traded(ES, OPEN, "", NOW), Traded(Root("NQ"), None, "`no answer`", NOW)),
    "strategies": STRATEGIES,
}


def text(messages: list[str]) -> str:
    """One answer, after a look at its width."""
    whole = "\n".join(messages)
    for block in whole.split("```")[1::2]:
        assert all(len(line) <= WIDTH for line in block.splitlines()), block
    return whole


@pytest.mark.parametrize("command", TYPED)
async def test_each_reading_command_answers_its_asker_alone(stage: Stage, command: str) -> None:
    stage.desk.reads.answers = ANSWERS
    result = await stage.trader.slash(stage.channel, command, **TYPED[command])
    assert result.ephemeral
    assert "read 12:00:00 UTC" in told(result)
    assert stage.desk.reads.asked == [({"quote": "quotes"}.get(command, command), *TYPED[command].values())]
    assert stage.posts() == []


@pytest.mark.parametrize("command", TYPED)
async def test_each_reading_command_tells_why_not(stage: Stage, command: str) -> None:
    no = Refused((Denial(DenialCode.ACCOUNT_NOT_GRANTED, "Pick another account."),))
    stage.desk.reads.answers = dict.fromkeys(ANSWERS, no)
    result = await stage.trader.slash(stage.channel, command, **TYPED[command])
    assert "**denied** · `ACCOUNT_NOT_GRANTED`\nPick another account." in told(result)


async def test_an_answer_of_any_length_comes_whole_in_several_messages(stage: Stage) -> None:
    many = tuple(replace(ORDER, ids=(f"order-{number:04}",)) for number in range(120))
    stage.desk.reads.answers = {"orders": (Listed("Sim101", False, many, "", NOW),)}
    result = await stage.trader.slash(stage.channel, "orders", account="Sim101", instrument="ES")
    assert stage.desk.reads.asked == [("orders", "Sim101", "ES")]
    assert len(result.followups) > 1
    assert all(f"order-{number:04}" in told(result) for number in range(120))
    assert all(message.ephemeral for message in result.followups)


async def test_instruments_are_offered_one_after_the_other(stage: Stage) -> None:
    for command in ("quote", "market"):
        choices = await stage.trader.autocomplete(stage.channel, command, "instrument", "ES 09-26,n")
        assert [choice["value"] for choice in choices] == ["ES 09-26, NQ 09-26"]
    choices = await stage.trader.autocomplete(stage.channel, "quote", "instrument", "x" * 99 + ",")
    assert choices == []
    choices = await stage.trader.autocomplete(stage.channel, "orders", "instrument", "", account="Sim101")
    assert [choice["value"] for choice in choices] == ["ES 09-26", "MES 09-26"]


@pytest.mark.parametrize("command", ["positions", "orders", "order", "account", "executions", "strategies"])
async def test_accounts_are_offered(stage: Stage, command: str) -> None:
    choices = await stage.trader.autocomplete(stage.channel, command, "account", "139")
    assert [choice["value"] for choice in choices] == ["Sim139"]


def test_positions_stand_with_their_total_and_flat_is_said_where_it_was_read() -> None:
    whole = text(sheets.positions(ANSWERS["positions"]))
    assert "🟦 **SIM** · `Sim101`" in whole
    assert "ES 09-26  SHORT 2 5790.25 -1,250.00" in whole
    assert f"total{'-1,212.50':>30}" in whole
    assert "`Sim102` · flat" in whole


def test_positions_without_a_price_or_result_have_no_total() -> None:
    bare = (replace(HELD[0], average_price=None, unrealised=None), HELD[1])
    whole = text(sheets.positions([Listed("X", True, bare, "", NOW)]))
    assert "🟥 **LIVE**" in whole
    flat = " ".join(whole.split())
    assert "ES 09-26 SHORT 2 ? ?" in flat
    assert "total ?" in flat


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (lambda missing: sheets.positions([missing]), "positions could not be read (`why`); it may not be flat"),
        (lambda missing: sheets.orders([missing]), "orders could not be read (`why`)"),
        (
            lambda missing: sheets.strategies(StrategyReport(missing, ("Scalp",), "")),
            "strategies could not be read (`why`); some may be running",
        ),
        (lambda _: sheets.executions(replace(SHEET, rows=None, why="`why`")), "fills could not be read (`why`)"),
    ],
)
def test_what_could_not_be_read_never_looks_empty(drawn: Any, words: str) -> None:
    whole = text(drawn(Listed("Sim101", False, None, "`why`", NOW)))
    assert words in whole
    for empty in ("flat\n", "no working", "no fills", "no strategies", "Sim101` ·"):
        assert empty not in whole


def test_empty_lists_that_were_read_are_said_to_be_empty() -> None:
    empty: Listed[Any] = Listed("Sim101", False, (), "", NOW)
    assert "no working orders\n" in text(sheets.orders([empty]))
    assert "no strategies running" in text(sheets.strategies(StrategyReport(empty, (), "")))
    nothing = text(sheets.executions(replace(SHEET, rows=())))
    assert "no fills in the last 15 minutes" in nothing
    assert "No others in the desk's own record of the last 24 h" in nothing


def test_a_list_of_one_instrument_says_so_where_it_is_empty() -> None:
    empty: Listed[Any] = Listed("Sim101", False, (), "", NOW, about="ES 09-26")
    assert "flat in ES 09-26" in text(sheets.positions([empty]))
    assert "`Sim101` · ES 09-26 alone\n" in text(sheets.positions([replace(empty, rows=HELD[:1])]))
    assert "no working orders in ES 09-26" in text(sheets.orders([empty]))
    assert "1 working in ES" in text(sheets.orders([Listed("Sim101", False, (ORDER,), "", NOW, about="ES")]))


@pytest.mark.parametrize("rows", [None, (), HELD])
def test_what_speaks_against_a_list_is_said_beside_it(rows: Any) -> None:
    doubted = Listed("Sim101", False, rows, "`why`", NOW, doubt="asked for by itself it is LONG 1")
    assert "⚠ Asked for by itself it is LONG 1; look at NinjaTrader." in text(sheets.positions([doubted]))
    assert "flat\n" not in text(sheets.positions([doubted]))


def test_an_order_stands_with_all_its_prices_ids_and_fills() -> None:
    order = replace(
        ORDER,
        ids=("a" * 32, "676"),
        type=None,
        stop=Decimal(5795),
        filled=1,
        average_fill_price=Decimal(5790),
        oco="grp",
        at=None,
    )
    whole = text(sheets.orders([Listed("Sim101", False, (order, ORDER), "", NOW)]))
    for words in ("BUY 2 ES 09-26", "5795 / 5790.25", "filled 1/2 at 5790", "id " + "a" * 32, "id 676", "oco", "LIMIT 5790.25"):
        assert words in whole
    assert "\n\n" in whole


def test_the_day_is_summed_for_real_money_and_simulation_apart_and_in_all() -> None:
    whole = text(sheets.pnl(ANSWERS["pnl"]))
    live, sim = whole.split("🟦 **SIM**")
    assert "-1,234,567.00" in live
    assert "total" in sim
    assert "42.00" in sim
    assert "**In all**" in sim
    assert "-1,234,525.00" in sim


def test_an_account_whose_day_is_not_known_is_left_out_of_the_totals_and_named() -> None:
    silent = replace(OTHER, account=Account("Sim104", "Simulator"))
    whole = text(sheets.pnl((UNREAD, SIM, silent)))
    assert "⚠ `Sim103` is not in the totals: `no answer`" in whole
    assert "⚠ `Sim104` is not in the totals: CrossTrade did not tell its day" in whole
    assert "?" in text(sheets.pnl((UNREAD, replace(UNREAD, account=Account("Sim105"))))).split("total")[1]


def test_accounts_stand_with_their_kind_and_link_and_what_is_open() -> None:
    assert "Sim101 SIM up 100,000.00 flat" in " ".join(text(sheets.accounts((replace(SIM, open_count=0),))).split())
    assert "Sim101 SIM up 100,000.00 2" in " ".join(text(sheets.accounts((replace(SIM, open_count=2),))).split())
    assert "Sim101 SIM up 100,000.00 ?" in " ".join(text(sheets.accounts((SIM,))).split())
    whole = text(sheets.accounts((LIVE, SIM, UNREAD)))
    for words in (
        "APEX12345600000010",
        "LIVE",
        "down",
        "SIM",
        "up",
        "100,000.00",
        "`Sim103` could not be read whole (`no answer`)",
    ):
        assert words in whole


def test_one_accounts_money_stands_to_the_right() -> None:
    whole = text(sheets.account(ANSWERS["account"]))
    assert f"cash{'100,000.00':>32}" in whole
    assert f"day{'74.50':>33}" in whole
    assert f"buying power{'80,000.00':>24}" in whole
    assert f"net liquidation{'100,074.00':>21}" in whole
    flat = " ".join(whole.split())
    assert "used left initial 20,000.00 80,074.00 maintenance ? 90,000.00" in flat
    assert "intraday" not in whole
    assert "profit and loss 250.00 net liquidation 100,500.00 open ?" in flat


def test_money_that_was_not_told_is_a_question_mark_and_margins_without_figures_are_left_out() -> None:
    whole = text(sheets.account(AccountReport(SIM, Watermarks("Sim101"), "")))
    assert "buying power ?" in " ".join(whole.split())
    assert "Margins" not in whole
    assert "No watermarks" in whole
    unread = text(sheets.account(AccountReport(UNREAD, None, "`gone`")))
    assert "watermarks could not be read (`gone`)" in unread
    assert "`Sim103` could not be read whole (`no answer`)" in unread


def test_fills_come_newest_first_with_what_was_bought_and_sold_of_each_contract() -> None:
    lines = text(sheets.executions(ANSWERS["executions"])).splitlines()
    assert [line[:8] for line in lines if line[2:3] == ":"] == ["12:00:00", "11:59:00", "11:58:00"]
    assert [line.rpartition(" ")[2] for line in lines if line[2:3] == ":"] == ["5791.00", "5790.00", "5790.25"]
    totals = [" ".join(line.split()) for line in lines if line.startswith("total")]
    assert totals == ["total BUY 2 ES 09-26", "total SELL 3 MES 09-26"]


def test_earlier_fills_stand_apart_with_their_days_and_the_time_when_nobody_watched() -> None:
    old = (replace(FILLS[0], at=NOW - 30 * HOUR), replace(FILLS[1], at=NOW - 2 * HOUR))
    hole = Span(NOW - 48 * HOUR, NOW - 31 * HOUR)
    whole = text(sheets.executions(replace(SHEET, rows=(), earlier=old, unwatched=(hole,), since=NOW - 48 * HOUR)))
    assert "**Before that**, from the desk's own record of the last 48 h" in whole
    lines = whole.splitlines()
    assert [line for line in lines if line in {"01-01", "12-31"}] == ["01-01", "12-31"]
    assert "Nobody was watching then, so fills may be missing" in whole
    assert "12-30 12:00 12-31 05:00" in " ".join(whole.split())
    unread = text(sheets.executions(replace(SHEET, earlier=None, earlier_why="`disk`")))
    assert "own record could not be read (`disk`)" in unread
    assert "No others" not in unread


async def test_one_fill_is_asked_for_by_its_id_which_is_offered(stage: Stage) -> None:
    stage.desk.reads.answers = ANSWERS | {"recent_fills": (*FILLS, replace(FILLS[0], id="x" * 101))}
    choices = await stage.trader.autocomplete(stage.channel, "executions", "execution", "mes", account="Sim101")
    assert choices == [{"name": "01-01 12:00:00 SELL 3 MES 09-26 at 5791", "value": "f3"}]
    result = await stage.trader.slash(stage.channel, "executions", account="Sim101", execution="f1")
    assert "id f1" in told(result)
    assert stage.desk.reads.asked[-1] == ("execution", "Sim101", "f1")
    await stage.trader.slash(stage.channel, "executions", account="Sim101", hours=48)
    assert stage.desk.reads.asked[-1] == ("executions", "Sim101", "48")


def test_one_fill_says_where_it_is_from_or_why_it_is_not_there() -> None:
    one = OneFill("Sim101", False, "f1", FILLS[0], "", NOW)
    assert "BUY 1 ES 09-26" in text(sheets.execution(one))
    assert "own record" not in text(sheets.execution(one))
    assert "From the desk's own record" in text(sheets.execution(replace(one, is_kept=True)))
    assert "order not told" in text(sheets.execution(replace(one, fill=replace(FILLS[0], order_id=None))))
    assert "has a fill with this id" in text(sheets.execution(replace(one, fill=None)))
    assert "could not be asked for it (`no`)" in text(sheets.execution(replace(one, fill=None, why="`no`")))


def test_quotes_stand_with_their_age_and_those_that_are_missing_are_named() -> None:
    whole = text(sheets.quotes(ANSWERS["quotes"]))
    assert "ES 09-26 5800.00 5800.25 5800.00 3 s" in " ".join(whole.split())
    assert "`NQ`: the quote could not be read (`no answer`)" in whole
    shut = replace(QUOTE, market_open=False, at=None, bid=None)
    whole = text(sheets.quotes([Quoted(ES, shut, "", NOW)]))
    assert "the market is closed" in whole
    assert "?" in whole
    assert "how old it is was not told" in whole
    assert "```" not in text(sheets.quotes(ANSWERS["quotes"][1:]))
    assert "**Quotes** of `Sim101`'s own feed" in text(sheets.quotes([Quoted(ES, QUOTE, "", NOW, "Sim101")]))


def test_a_market_says_when_it_closes_or_opens_and_what_is_not_known() -> None:
    whole = text(sheets.market(ANSWERS["market"]))
    assert "**ES 09-26** · the market is open, closes <t:1767279600:R>" in whole
    flat = " ".join(whole.split())
    assert "closes in 3 h 0 min session (UTC) 12-31 17:00 to 01-01 15:00 then 01-01 16:00 to 01-02 15:00" in flat
    assert "⚠ `NQ`: whether it trades could not be read (`no answer`)." in whole
    shut = " ".join(text(sheets.market([Traded(ES, SHUT, "", NOW)])).split())
    assert "the market is closed, opens <t:" in shut
    assert "opens in 1 d 6 h next session (UTC) 01-02 18:00 to 01-03 17:00 ```" in shut


def test_a_market_in_an_odd_state_says_so() -> None:
    odd = replace(OPEN, state="Auction", span=Span(NOW - HOUR, NOW), upcoming=None)
    whole = text(sheets.market([Traded(ES, odd, "", NOW)]))
    assert "the market is open (`Auction`)\n" in whole
    assert "closes ?" in " ".join(whole.split())
    soon = replace(OPEN, span=Span(NOW - HOUR, NOW + timedelta(seconds=59)))
    assert "closes in under a minute" in " ".join(text(sheets.market([Traded(ES, soon, "", NOW)])).split())
    later = replace(OPEN, span=Span(NOW - HOUR, NOW + timedelta(minutes=59)))
    assert "closes in 59 min" in " ".join(text(sheets.market([Traded(ES, later, "", NOW)])).split())


def test_strategies_stand_with_what_they_hold_and_the_templates_below() -> None:
    flat = " ".join(text(sheets.strategies(STRATEGIES)).split())
    for words in ("1 running", "Scalp - 334081723 LONG 2 in ES 09-26 price 5800 open -25.00 id 334081723", "Scalp Swing"):
        assert words in flat
    bare = Listed("Sim101", False, (Strategy("1", "Sim101"),), "", NOW)
    whole = text(sheets.strategies(StrategyReport(bare, None, "`no`")))
    assert "strategy ? open ? id 1" in " ".join(whole.split())
    assert "ATM templates could not be read (`no`)" in whole
    assert "No ATM templates" in text(sheets.strategies(StrategyReport(bare, (), "")))


@pytest.mark.parametrize(("seconds", "words"), [(3, "3 s"), (240, "4 min"), (7200, "2 h")])
def test_ages_are_short(seconds: int, words: str) -> None:
    old = replace(QUOTE, at=NOW - timedelta(seconds=seconds))
    assert words in text(sheets.quotes([Quoted(ES, old, "", NOW)]))


def test_the_story_of_an_order_holds_its_ticket_and_its_log() -> None:
    ours = ticket(
        state=TicketState.ACCEPTED,
        order_ids=ORDER.ids,
        order_state=OrderState.FILLED,
        filled=1,
        average_fill_price=Decimal(5790),
        approvals=(Approved(1, "An*n", frozenset({1})),),
        outcome="found",
    )
    log = (Event(NOW, EventName.OFFERED, "t1"), Event(NOW, EventName.ACCEPTED, "t1"))
    whole = text(sheets.order(replace(STORY, ticket=ours, events=log)))
    for words in (
        "Working",
        "**Ticket t1** · accepted",
        "Asked by Tess",
        "Approved by An\\*n",
        "Filled, filled 1 at 5790",
        "found",
    ):
        assert words in whole
    assert "12:00:00 desk offered\n12:00:00 desk accepted" in whole
    plain = text(sheets.order(replace(STORY, ticket=replace(ours, order_state=None, average_fill_price=None, outcome=None))))
    assert "last saw it submitted, filled 1\n" in plain


def test_the_story_says_of_each_part_whether_it_is_unknown_or_not_there() -> None:
    gone = text(sheets.order(replace(STORY, order=None)))
    assert "doesn't list it any more" in gone
    assert "Not an order of the desk's tickets of the last 7 days" in gone
    state_alone = text(sheets.order(replace(STORY, order=None, fills=(), state=OrderState.FILLED)))
    assert "asked for its state alone, it says Filled" in state_alone
    assert "No fills of it are known" in state_alone
    unread = text(sheets.order(replace(STORY, order=None, order_why="`a`", fills=None, fills_why="`b`", ticket_why="`c`")))
    for words in ("order could not be read (`a`)", "fills could not be read (`b`)", "journal could not be read (`c`)"):
        assert words in unread


def test_an_order_that_nobody_knows_or_that_is_elsewhere_is_told_in_one_sentence() -> None:
    nowhere = replace(STORY, order=None, fills=(), life=Lifecycle(None, (), ()))
    elsewhere = replace(nowhere, is_elsewhere=True)
    for story, words in ((nowhere, "has no order with this id in this account"), (elsewhere, "an order in another account")):
        whole = text(sheets.order(story))
        assert words in whole
        assert len(whole.splitlines()) == 3, "heading, sentence, time"
    unread = replace(nowhere, ticket_why="`disk`")
    assert "has no order with this id" not in text(sheets.order(unread))


def test_the_story_is_told_by_time_with_the_source_of_each_line() -> None:
    second = timedelta(seconds=1)
    life = Lifecycle(
        "Sim101",
        (ORDER.id,),
        (
            OrderEvent("PlaceOrder", "api_received", NOW + 2 * second),
            OrderEvent("Working", "order_update", NOW + 4 * second, filled=0, quantity=2),
            OrderEvent("no time of its own", note="because of *that*"),
            OrderEvent("Execution", "fill", NOW + 24 * HOUR, quantity=2, price=Decimal("5790.25")),
            OrderEvent("Filled", None, NOW + 24 * HOUR, filled=2),
            OrderEvent("priced", None, NOW + 24 * HOUR, price=Decimal(5790)),
        ),
    )
    log = (
        Event(NOW, EventName.OFFERED, "t1"),
        Event(NOW + 3 * second, EventName.SEEN, "t1", data={"order_state": "Working", "filled": 1}),
    )
    whole = text(sheets.order(replace(STORY, ticket=ticket(order_ids=ORDER.ids), events=log, life=life)))
    story = whole[whole.index("**Story**") :].splitlines()
    assert story[2:-3] == [
        "01-01",
        "12:00:00 desk offered",
        "12:00:02 CT   api received",
        "              PlaceOrder",
        "12:00:03 desk seen, Working, 1",
        "              filled",
        "12:00:04 CT   Working, filled 0/2",
        "12:00:04 CT   no time of its own,",
        "              because of *that*",
        "01-02",
        "12:00:00 CT   fill Execution, 2 at",
        "              5790.25",
        "12:00:00 CT   Filled, filled 2",
        "12:00:00 CT   priced, at 5790",
    ]
    assert "desk: the desk's journal · CT: CrossTrade's own record" in whole
    cut = text(sheets.order(replace(STORY, life=replace(life, is_cut=True))))
    assert "told only its last 6 lines" in cut


def test_a_story_without_crosstrades_record_says_why() -> None:
    log = (Event(NOW, EventName.OFFERED, "t1"),)
    whole = text(sheets.order(replace(STORY, ticket=ticket(), events=log, life_why="the add-on is too old (`x`)")))
    assert "own record of it could not be read: the add-on is too old (`x`)." in whole
    assert "12:00:00 desk offered" in whole


def test_fills_that_only_the_desk_has_kept_are_said_to_be_so() -> None:
    whole = text(sheets.order(replace(STORY, fills_why="`down`", fills_are_recent=True)))
    assert "CrossTrade could not be asked for them (`down`); there may be more." in whole
    assert "looks back 15 minutes" in whole


def test_the_age_told_is_that_of_the_oldest_part() -> None:
    older = replace(SIM, at=datetime(2026, 1, 1, 11, 0, tzinfo=UTC))
    assert "read 11:00:00 UTC" in text(sheets.accounts((SIM, older)))


async def test_policy_names_the_accounts_of_a_grant_that_only_reads(stage: Stage) -> None:
    grant = Grant(TRADER_ROLE, frozenset({"positions", "policy"}), ("Look*",))
    stage.desk.policy = replace(stage.desk.policy, grants=(grant,))
    answer = told(await stage.trader.slash(stage.channel, "policy"))
    assert "· accounts `Look*`" in answer
    assert "per order" not in answer


def test_very_many_fills_are_bounded_and_their_totals_count_all() -> None:
    many = tuple(replace(FILLS[0], id=f"f{number}", at=NOW - timedelta(seconds=number)) for number in range(12_000))
    told_of_many = sheets.executions(replace(SHEET, rows=many[:400], earlier=many[400:]))
    assert len(told_of_many) <= 12
    said = "\n".join(told_of_many)
    assert "the newest 300 of 400 fills" in said
    assert "none of 11,600 fills" in said
    total = f"{FILLS[0].side.upper()} {400 * FILLS[0].quantity}"
    assert total in said
    few = "".join(sheets.executions(replace(SHEET, rows=many[:10], earlier=many[10:400])))
    assert "the newest 290 of 390 fills" in few
    assert "Shown are" not in "".join(sheets.executions(replace(SHEET, rows=many[:10], earlier=many[10:300])))
