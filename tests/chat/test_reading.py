"""The reading commands through real discord.py: private, whole, and honest about what could not be read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.chat import sheets
from bot.chat.tables import WIDTH
from bot.desk.ports import Event, EventName
from bot.desk.reports import Balance, Listed, OrderStory, Quoted
from bot.desk.requests import Refused
from bot.trading.facts import Account, Execution, Order, Position, Quote
from bot.trading.instruments import Contract, Root
from bot.trading.orders import OrderState, OrderType, Side
from bot.trading.policy import Denial, DenialCode, Grant
from bot.trading.tickets import Approved, TicketState

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
TYPED: dict[str, dict[str, Any]] = {
    "positions": {},
    "orders": {"account": "Sim101"},
    "order": {"account": "Sim101", "order": ORDER.id},
    "accounts": {},
    "account": {"account": "Sim101"},
    "pnl": {},
    "executions": {"account": "Sim101"},
    "quote": {"instrument": "ES, NQ"},
}
ANSWERS: dict[str, Any] = {
    "positions": (Listed("Sim101", False, HELD, "", NOW), Listed("Sim102", False, (), "", NOW)),
    "orders": Listed("Sim101", False, (ORDER,), "", NOW),
    "order": STORY,
    "accounts": (LIVE, SIM),
    "account": SIM,
    "pnl": (LIVE, SIM, OTHER),
    "executions": Listed("Sim101", False, FILLS, "", NOW),
    "quotes": (Quoted(ES, QUOTE, "", NOW), Quoted(Root("NQ"), None, "`no answer`", NOW)),
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
    stage.desk.reads.answers = {"orders": Listed("Sim101", False, many, "", NOW)}
    result = await stage.trader.slash(stage.channel, "orders", account="Sim101", instrument="ES")
    assert stage.desk.reads.asked == [("orders", "Sim101", "ES")]
    assert len(result.followups) > 1
    assert all(f"order-{number:04}" in told(result) for number in range(120))
    assert all(message.ephemeral for message in result.followups)


async def test_instruments_are_offered_one_after_the_other(stage: Stage) -> None:
    choices = await stage.trader.autocomplete(stage.channel, "quote", "instrument", "ES 09-26,n")
    assert [choice["value"] for choice in choices] == ["ES 09-26, NQ 09-26"]
    choices = await stage.trader.autocomplete(stage.channel, "quote", "instrument", "x" * 99 + ",")
    assert choices == []
    choices = await stage.trader.autocomplete(stage.channel, "orders", "instrument", "", account="Sim101")
    assert [choice["value"] for choice in choices] == ["ES 09-26", "MES 09-26"]


@pytest.mark.parametrize("command", ["positions", "orders", "order", "account", "executions"])
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
        (sheets.orders, "orders could not be read (`why`)"),
        (sheets.executions, "fills could not be read (`why`)"),
    ],
)
def test_what_could_not_be_read_never_looks_empty(drawn: Any, words: str) -> None:
    whole = text(drawn(Listed("Sim101", False, None, "`why`", NOW)))
    assert words in whole
    for empty in ("flat\n", "no working", "no fills", "```"):
        assert empty not in whole


def test_empty_lists_that_were_read_are_said_to_be_empty() -> None:
    empty: Listed[Any] = Listed("Sim101", False, (), "", NOW)
    assert "no working orders" in text(sheets.orders(empty))
    assert "no fills in the last 15 minutes" in text(sheets.executions(empty))


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
    whole = text(sheets.orders(Listed("Sim101", False, (order, ORDER), "", NOW)))
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


def test_accounts_stand_with_their_kind_and_link() -> None:
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
    whole = text(sheets.account(SIM))
    assert f"cash{'100,000.00':>32}" in whole
    assert f"day{'74.50':>33}" in whole


def test_fills_come_newest_first_with_what_was_bought_and_sold_of_each_contract() -> None:
    lines = text(sheets.executions(ANSWERS["executions"])).splitlines()
    assert [line[:8] for line in lines if line[2:3] == ":"] == ["12:00:00", "11:59:00", "11:58:00"]
    assert [line.rpartition(" ")[2] for line in lines if line[2:3] == ":"] == ["5791.00", "5790.00", "5790.25"]
    totals = [" ".join(line.split()) for line in lines if line.startswith("total")]
    assert totals == ["total BUY 2 ES 09-26", "total SELL 3 MES 09-26"]


def test_quotes_stand_with_their_age_and_those_that_are_missing_are_named() -> None:
    whole = text(sheets.quotes(ANSWERS["quotes"]))
    assert "ES 09-26 5800.00 5800.25 5800.00 3 s" in " ".join(whole.split())
    assert "`NQ`: the quote could not be read (`no answer`)" in whole
    shut = replace(QUOTE, market_open=False, at=None, bid=None)
    whole = text(sheets.quotes([Quoted(ES, shut, "", NOW)]))
    assert "the market is closed" in whole
    assert "?" in whole
    assert "```" not in text(sheets.quotes(ANSWERS["quotes"][1:]))


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
    assert f"offered{'01-01 12:00:00':>29}" in whole
    plain = text(sheets.order(replace(STORY, ticket=replace(ours, order_state=None, average_fill_price=None, outcome=None))))
    assert "last saw it submitted, filled 1\n" in plain


def test_the_story_says_of_each_part_whether_it_is_unknown_or_not_there() -> None:
    gone = text(sheets.order(replace(STORY, order=None, fills=())))
    assert "has no order with this id" in gone
    assert "No fills of it" in gone
    assert "Not an order of the desk's tickets of the last 7 days" in gone
    unread = text(sheets.order(replace(STORY, order=None, order_why="`a`", fills=None, fills_why="`b`", ticket_why="`c`")))
    for words in ("order could not be read (`a`)", "fills could not be read (`b`)", "journal could not be read (`c`)"):
        assert words in unread


def test_the_age_told_is_that_of_the_oldest_part() -> None:
    older = replace(SIM, at=datetime(2026, 1, 1, 11, 0, tzinfo=UTC))
    assert "read 11:00:00 UTC" in text(sheets.accounts((SIM, older)))


async def test_policy_names_the_accounts_of_a_grant_that_only_reads(stage: Stage) -> None:
    grant = Grant(TRADER_ROLE, frozenset({"positions", "policy"}), ("Look*",))
    stage.desk.policy = replace(stage.desk.policy, grants=(grant,))
    answer = told(await stage.trader.slash(stage.channel, "policy"))
    assert "· accounts `Look*`" in answer
    assert "per order" not in answer
