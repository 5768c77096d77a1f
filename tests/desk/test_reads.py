"""Reading commands: everybody sees what a grant names, a failed read is said, and nothing is ever sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from bot.desk.reads.quotes import MOST_MARKETS, MOST_QUOTES
from bot.desk.reads.reports import AccountReport, Listed, StrategyReport
from bot.desk.requests import Refused
from bot.errors import BrokerPartly, BrokerRefused
from bot.trading.market.facts import Account, Day, Position, Strategy
from bot.trading.market.funds import Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import READING_COMMANDS, Grant
from tests.desk.conftest import STRANGER, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, NOON

READER_ROLE = 1102
READER = Member(5, "Rita", frozenset({READER_ROLE}))
Answer = TypeVar("Answer")
DECEMBER, NQ = Contract("ES", 2026, 12), Contract("NQ", 2026, 9)


@pytest.fixture(autouse=True)
def nothing_is_sent(room: Room) -> Iterator[None]:
    """Hold it for every test here."""
    room.rule(
        grants=(
            Grant(TRADER_ROLE, frozenset({"*"}), ("Sim*", "Apex*"), ("*",), 5),
            Grant(READER_ROLE, frozenset({"positions", "pnl", "accounts"}), ("Sim*",)),
            Grant(READER_ROLE, frozenset({"orders", "quote"})),
        )
    )
    yield
    assert room.broker.sent == []


def codes(made: object) -> list[str]:
    """Why it was refused."""
    assert isinstance(made, Refused), made
    return [denial.code.value for denial in made.denials]


async def test_one_accounts_positions_are_read_whatever_case_it_is_typed_in(room: Room) -> None:
    [sheet] = listed(await room.desk.reads.positions(TRADER, " sIM101 "))
    assert sheet == Listed("Sim101", live=False, rows=(Position("Sim101", ES, -2, Decimal(5790)),), why="", at=NOON)


async def test_an_empty_list_that_was_read_is_empty_and_not_missing(room: Room) -> None:
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim102"))
    assert (sheet.rows, sheet.why) == ((), "")


async def test_without_an_account_all_granted_ones_are_read_and_no_other(room: Room) -> None:
    mine = listed(await room.desk.reads.positions(READER, None))
    assert [(sheet.account, sheet.live) for sheet in mine] == [("Sim101", False), ("Sim102", False)]
    everything = listed(await room.desk.reads.positions(TRADER, None))
    assert [(sheet.account, sheet.live) for sheet in everything] == [("Apex-001", True), ("Sim101", False), ("Sim102", False)]


@pytest.mark.parametrize("what", ["positions", "orders"])
async def test_all_accounts_lists_come_by_one_request_and_show_no_other_account(room: Room, what: str) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.rest(Side.SELL, 1, "Apex-001")
    room.rule(grants=(Grant(READER_ROLE, frozenset({"positions", "orders"}), ("Sim*",)),))
    made = await read_all(room, what)
    assert [(sheet.account, len(sheet.rows or ())) for sheet in made] == [("Sim101", 1), ("Sim102", 0)]
    assert room.broker.called == ["accounts", f"all_{what}"]


@pytest.mark.parametrize("what", ["positions", "orders"])
async def test_where_there_is_no_list_of_all_each_accounts_own_is_read(room: Room, what: str) -> None:
    room.broker.rest(Side.BUY, 1)
    room.rule(grants=(Grant(READER_ROLE, frozenset({"positions", "orders"}), ("Sim*",)),))
    room.broker.shown.answers[f"all_{what}"] = BrokerRefused(404, "not_found")
    assert [len(sheet.rows or ()) for sheet in await read_all(room, what)] == [1, 0]
    room.broker.failing.add(what)
    assert [sheet.rows for sheet in await read_all(room, what)] == [None, None]


async def test_the_orders_of_each_are_read_where_the_list_of_all_is_not_answered_as_its_path_is_only_inferred(room: Room) -> None:
    room.rule(grants=(Grant(READER_ROLE, frozenset({"orders"}), ("Sim*",)),))
    room.broker.failing.add("all_orders")
    made = await read_all(room, "orders")
    assert [(sheet.rows, sheet.why) for sheet in made] == [((), "")] * 2


async def test_a_list_of_all_that_nobody_answers_is_missing_for_each_and_not_asked_for_again(room: Room) -> None:
    room.rule(grants=(Grant(READER_ROLE, frozenset({"positions", "orders"}), ("Sim*",)),))
    room.broker.failing.add("all_positions")
    made = await read_all(room, "positions")
    assert [(sheet.rows, "no answer for all_positions" in sheet.why) for sheet in made] == [(None, True)] * 2
    assert room.broker.called == ["accounts", "all_positions"]


async def test_an_account_whose_link_is_down_does_not_look_flat_for_being_left_out(room: Room) -> None:
    room.broker.book_accounts["Sim101"] = replace(room.broker.book_accounts["Sim101"], connected=False)
    room.broker.shown.answers["all_positions"] = []
    [first, second] = listed(await room.desk.reads.positions(READER, None))
    assert [first.rows is not None and len(first.rows), second.rows] == [1, ()]


async def test_an_account_that_was_listed_by_its_name_only_is_looked_at(room: Room) -> None:
    await room.desk.reads.positions(TRADER, "Sim101")
    room.broker.book_accounts = {"Sim101": Account("Sim101")}
    [sheet] = listed(await room.desk.reads.positions(READER, None))
    assert not sheet.live, "who provides it is known from before"


@pytest.mark.parametrize(
    ("alone", "doubt"),
    [
        (Position("Sim101", ES, -2), ""),
        (Position("Sim101", ES, 3), "asked for by itself it is LONG 3, in the list SHORT 2"),
        (None, "asked for by itself it is FLAT, in the list SHORT 2"),
        (BrokerRefused(400, "x"), ""),
    ],
)
async def test_one_position_is_asked_for_by_itself_too_and_what_differs_is_told(
    room: Room, alone: Position | Exception | None, doubt: str
) -> None:
    room.broker.shown.answers["position"] = alone
    room.broker.book_positions["Sim101", NQ] = 1
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101", "ES 09-26"))
    assert (sheet.doubt, sheet.about, [row.contract for row in sheet.rows or ()]) == (doubt, "ES 09-26", [ES])


async def test_a_position_alone_is_told_where_the_list_can_not_be_read_and_never_proves_that_there_is_none(room: Room) -> None:
    room.broker.failing.add("positions")
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101", "ES 09-26"))
    assert (sheet.rows, sheet.doubt) == (None, "asked for by itself it is SHORT 2")
    room.broker.shown.answers["position"] = None
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101", "ES 09-26"))
    assert (sheet.rows, sheet.doubt) == (None, "")


async def test_a_root_narrows_the_list_and_is_no_single_position(room: Room) -> None:
    room.broker.book_positions["Sim101", NQ] = 1
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101", "NQ"))
    assert [row.contract for row in sheet.rows or ()] == [NQ]
    [other, _] = listed(await room.desk.reads.positions(READER, None, "NQ"))
    assert ([row.contract for row in other.rows or ()], other.about) == ([NQ], "NQ")
    assert "position" not in room.broker.called


async def test_positions_that_can_not_be_read_are_missing_and_not_flat(room: Room) -> None:
    room.broker.failing.add("positions")
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101"))
    assert sheet.rows is None
    assert "no answer for positions" in sheet.why


async def test_the_grant_must_name_the_account_for_this_very_command(room: Room) -> None:
    assert codes(await room.desk.reads.positions(READER, "Apex-001")) == ["ACCOUNT_NOT_GRANTED"]
    assert codes(await room.desk.reads.executions(READER, "Sim101")) == ["NO_GRANT"]
    # It may use /orders, but for no account.
    assert codes(await room.desk.reads.orders(READER, "Sim101", None)) == ["ACCOUNT_NOT_GRANTED"]
    assert codes(await room.desk.reads.quotes(READER, "ES", "Sim101")) == ["ACCOUNT_NOT_GRANTED"]
    assert room.broker.reads == 0


async def test_somebody_without_a_grant_reads_nothing_at_all(room: Room) -> None:
    reads = room.desk.reads
    answers = [
        await reads.positions(STRANGER, None),
        await reads.positions(STRANGER, "Sim101"),
        await reads.orders(STRANGER, "Sim101", None),
        await reads.orders(STRANGER, None, None),
        await reads.order(STRANGER, "Sim101", "order1"),
        await reads.accounts(STRANGER),
        await reads.account(STRANGER, "Sim101"),
        await reads.pnl(STRANGER),
        await reads.executions(STRANGER, "Sim101"),
        await reads.execution(STRANGER, "Sim101", "fill1"),
        await reads.quotes(STRANGER, "ES"),
        await reads.quotes(STRANGER, "ES", "Sim101"),
        await reads.market(STRANGER, None),
        await reads.strategies(STRANGER, "Sim101"),
    ]
    assert [codes(answer) for answer in answers] == [["NO_GRANT"]] * len(answers)
    assert await reads.recent_fills(STRANGER, "Sim101") == ()
    assert room.broker.reads == 0


async def test_a_no_is_recorded_and_stands_without_its_record(room: Room) -> None:
    await room.desk.reads.positions(READER, "Apex-001")
    room.disk.failing.add("record")
    assert codes(await room.desk.reads.positions(READER, "Apex-001")) == ["ACCOUNT_NOT_GRANTED"]


async def test_a_grant_without_accounts_shows_no_account(room: Room) -> None:
    room.rule(grants=(Grant(READER_ROLE, READING_COMMANDS),))
    for made in (await room.desk.reads.positions(READER, None), await room.desk.reads.pnl(READER)):
        assert codes(made) == ["ACCOUNT_NOT_GRANTED"]
    assert [one.quote is not None for one in listed(await room.desk.reads.quotes(READER, "ES"))] == [True]


async def test_an_account_that_is_not_there_is_named_with_those_that_are(room: Room) -> None:
    made = await room.desk.reads.positions(READER, "Sim999")
    assert codes(made) == ["UNKNOWN_ACCOUNT"]
    assert "“Sim101”, “Sim102”." in made.denials[0].sentence  # type: ignore[union-attr]  # codes() has seen to it


@pytest.mark.parametrize("account", [None, "Sim101"])
async def test_accounts_that_can_not_be_read_are_said_to_be_so(room: Room, account: str | None) -> None:
    room.broker.failing.add("accounts")
    assert codes(await room.desk.reads.positions(TRADER, account)) == ["FACTS_MISSING"]


async def test_only_working_orders_are_listed_of_one_month_or_of_all_of_a_root(room: Room) -> None:
    first = room.broker.rest(Side.BUY, 1)
    room.broker.book_orders += [
        replace(first, ids=("dec",), contract=DECEMBER),
        replace(first, ids=("nq",), contract=NQ),
        replace(first, ids=("done",), state=OrderState.FILLED),
    ]

    async def ids(typed: str | None) -> list[str]:
        [made] = listed(await room.desk.reads.orders(TRADER, "Sim101", typed))
        assert made.about == (typed or "").strip('"')
        return [order.id for order in made.rows or ()]

    assert await ids(None) == ["rest1", "dec", "nq"]
    assert await ids("ES") == ["rest1", "dec"]
    assert await ids('"ES 12-26"') == ["dec"]
    assert codes(await room.desk.reads.orders(TRADER, "Sim101", "nonsense!")) == ["UNKNOWN_INSTRUMENT"]


async def test_all_accounts_and_their_money_come_by_two_requests(room: Room) -> None:
    told = {name: replace(account, cash=Decimal(1000)) for name, account in room.broker.book_accounts.items()}
    room.broker.book_accounts = {name: Account(name) for name in told}
    room.broker.shown.answers["snapshot"] = [AccountSummary(told["Sim101"], (), False), AccountSummary(told["Sim102"], (), True)]
    made = listed(await room.desk.reads.pnl(READER))
    assert [(one.account, one.live, one.open_count) for one in made] == [
        (told["Sim101"], False, None),
        (told["Sim102"], False, 0),
    ]
    assert room.broker.called == ["accounts", "snapshot"]


@pytest.mark.parametrize("cash", [None, Decimal(1000)])
async def test_money_is_the_lists_or_asked_for_by_itself_where_the_snapshot_can_not_be_read(
    room: Room, cash: Decimal | None
) -> None:
    for name, account in room.broker.book_accounts.items():
        room.broker.book_accounts[name] = replace(account, cash=cash)
    room.broker.failing.add("snapshot")
    made = listed(await room.desk.reads.accounts(TRADER))
    assert [one.account.name for one in made] == ["Apex-001", "Sim101", "Sim102"]
    assert [one.open_count for one in made] == [None] * 3
    assert room.broker.called.count("account") == (0 if cash else 3)


async def test_money_that_can_not_be_read_is_missing_and_never_from_memory(room: Room) -> None:
    await room.desk.reads.positions(TRADER, "Sim101")
    room.broker.failing.add("account")
    report = await room.desk.reads.account(TRADER, "Sim101")
    assert isinstance(report, AccountReport)
    made = report.balance
    assert made.account == Account("Sim101", "Simulator")
    assert not made.live
    assert "no answer for account" in made.why
    # CrossTrade keeps watermarks itself, so they are told whatever NinjaTrader does.
    assert (report.marks, report.marks_why) == (Watermarks("Sim101", Decimal(100)), "")
    [first, *_] = listed(await room.desk.reads.accounts(READER))
    assert first.why


async def test_a_day_that_was_just_pushed_spares_the_read_and_is_as_old_as_it_is(room: Room) -> None:
    just_now = NOON - timedelta(seconds=1)
    await room.desk.reads.positions(TRADER, "Sim101")
    for name in ("Sim101", "Sim102"):
        room.broker.book_accounts[name] = Account(name)
    room.broker.days["Sim101"] = Day(Decimal(100), Decimal(-30), just_now)
    reads = room.broker.reads
    pushed, read = listed(await room.desk.reads.pnl(READER))
    assert (pushed.account.day_result, pushed.live, pushed.why, pushed.at) == (Decimal(70), False, "", just_now)
    assert read.account.day_result is None
    assert room.broker.reads == reads + 3


async def test_a_pushed_day_says_nothing_of_who_provides_the_account(room: Room) -> None:
    room.broker.days["Sim101"] = Day(Decimal(100), Decimal(-30), NOON)
    room.broker.book_accounts["Sim101"] = Account("Sim101")
    room.broker.failing.add("account")
    [first, *_] = listed(await room.desk.reads.pnl(READER))
    assert (first.account.day_result, first.live) == (Decimal(70), True)
    assert "no answer for account" in first.why


async def test_the_list_of_accounts_goes_before_what_was_pushed(room: Room) -> None:
    room.broker.days["Sim101"] = Day(Decimal(100), Decimal(-30), NOON)
    [first, *_] = listed(await room.desk.reads.pnl(READER))
    assert first.account.day_result == 0
    assert room.broker.called == ["accounts", "snapshot"]


async def test_an_account_that_was_never_listed_before_is_told_as_far_as_it_is(room: Room) -> None:
    room.broker.failing |= {"account", "snapshot", "watermarks"}
    report = await room.desk.reads.account(TRADER, "Sim101")
    assert isinstance(report, AccountReport)
    assert (report.marks, bool(report.marks_why)) == (None, True)
    room.broker.book_accounts["SimNew"] = Account("SimNew")
    made = listed(await room.desk.reads.accounts(READER))
    assert [(one.account.name, one.live) for one in made][-1] == ("SimNew", True)


async def test_an_account_of_unknown_provider_is_looked_at_and_else_counts_as_live(room: Room) -> None:
    room.broker.book_accounts["Sim101"] = Account("Sim101")
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101"))
    assert sheet.live
    room.broker.failing.add("account")
    [sheet] = listed(await room.desk.reads.positions(TRADER, "Sim101"))
    assert sheet.live
    assert sheet.rows


async def test_quotes_are_read_for_contracts_and_roots_each_once(room: Room) -> None:
    made = listed(await room.desk.reads.quotes(READER, "ES 09-26, nq,, ESU6"))
    assert [str(one.asked) for one in made] == ["ES 09-26", "NQ"]
    assert [str(one.quote.contract) for one in made if one.quote] == ["ES 09-26", "NQ 09-26"]


async def test_a_quote_that_can_not_be_read_is_said_to_be_so(room: Room) -> None:
    room.broker.failing.add("quotes")
    made = listed(await room.desk.reads.quotes(READER, "ES, NQ"))
    assert [(one.quote, bool(one.why)) for one in made] == [(None, True)] * 2
    assert room.broker.called == ["session", "session", "quotes"], "nobody answers, so each is not asked for by itself"


@pytest.mark.parametrize(("status", "reads"), [(401, 1), (400, 3)])
async def test_quotes_that_are_refused_together_are_asked_for_one_by_one(room: Room, status: int, reads: int) -> None:
    room.broker.shown.answers["quotes"] = BrokerRefused(status, "invalid_instrument")
    made = listed(await room.desk.reads.quotes(READER, "ES 09-26, XX 09-26"))
    why = "“invalid_instrument”"
    assert [(str(one.asked), one.why) for one in made] == [("ES 09-26", why), ("XX 09-26", why)]
    assert room.broker.called == ["quotes"] * reads


async def test_an_accounts_own_quotes_are_granted_by_account(room: Room) -> None:
    [one] = listed(await room.desk.reads.quotes(TRADER, "ES", "sim101"))
    assert one.quote is not None
    assert (one.quote.at, one.account) == (None, "Sim101")
    assert room.broker.called == ["accounts", "session", "account_quotes"]


async def test_a_roots_month_is_the_calendars_where_nobody_tells_it_and_that_is_said(room: Room) -> None:
    room.broker.front = Contract("ES", 2026, 12)
    [told] = listed(await room.desk.reads.quotes(READER, "ES"))
    assert (told.quote and told.quote.contract, told.guessed) == (room.broker.front, False)
    room.broker.failing.add("session")
    room.desk._directory.forget_fronts()
    made = listed(await room.desk.reads.quotes(READER, "ES, NQ, CL"))
    assert [(one.quote and str(one.quote.contract), one.guessed) for one in made] == [
        ("ES 12-26", False),
        ("NQ 09-26", True),
        (None, False),
    ]
    assert "no answer for session" in made[2].why


async def test_markets_are_read_each_or_es_where_none_is_named(room: Room) -> None:
    room.rule(grants=(Grant(READER_ROLE, frozenset({"market"})),))
    [one] = listed(await room.desk.reads.market(READER, None))
    assert (str(one.asked), one.session is not None and one.session.is_open) == ("ES", True)
    room.broker.failing.add("session")
    made = listed(await room.desk.reads.market(READER, "ES 09-26, CL"))
    assert [(str(one.asked), one.session, bool(one.why)) for one in made] == [("ES 09-26", None, True), ("CL", None, True)]
    many = ",".join(f"R{number}" for number in range(MOST_MARKETS + 1))
    assert codes(await room.desk.reads.market(READER, many)) == ["BAD_REQUEST"]


async def test_strategies_and_templates_are_read_side_by_side_and_fail_apart(room: Room) -> None:
    running = Strategy("334081723", "Sim101", "Scalp")
    room.broker.shown.strategies.append(running)
    made = await room.desk.reads.strategies(TRADER, "Sim101")
    assert isinstance(made, StrategyReport)
    assert (made.running.rows, made.templates, made.templates_why) == ((running,), ("Scalp", "Two legs"), "")
    room.broker.failing |= {"strategies", "atm_templates"}
    made = await room.desk.reads.strategies(TRADER, "Sim101")
    assert isinstance(made, StrategyReport)
    assert (made.running.rows, made.templates) == (None, None)
    assert all((made.running.why, made.templates_why))


@pytest.mark.parametrize("typed", [" , ", "ES, nonsense!"])
async def test_instruments_that_can_not_be_read_are_refused(room: Room, typed: str) -> None:
    assert codes(await room.desk.reads.quotes(READER, typed)) == ["UNKNOWN_INSTRUMENT"]
    assert room.broker.reads == 0


async def test_too_many_quotes_at_once_are_refused(room: Room) -> None:
    many = ",".join(f"R{number}" for number in range(MOST_QUOTES + 1))
    assert codes(await room.desk.reads.quotes(READER, many)) == ["BAD_REQUEST"]


async def test_reading_offers_what_is_held_in_granted_accounts_and_front_months(running: Room) -> None:
    await running.desk.reads.positions(TRADER, "Sim101")
    await running.look_around()
    desk = running.desk
    assert list(desk.accounts_for(READER, "positions")) == ["Sim101", "Sim102"]
    assert list(desk.accounts_for(READER, "orders")) == []
    running.broker.book_positions["Apex-001", DECEMBER] = 1
    await running.passes(running.timings.rounds_quiet.total_seconds())
    await running.look_around()
    assert "ES 12-26" in desk.instruments_for(TRADER, "orders", "")
    assert "ES 12-26" not in desk.instruments_for(TRADER, "orders", "Sim101")
    assert "ES 12-26" not in desk.instruments_for(READER, "quote", "Apex-001")
    assert "ES 09-26" in desk.instruments_for(READER, "quote", "")


def listed(made: tuple[Answer, ...] | Refused) -> tuple[Answer, ...]:
    """What was not refused."""
    assert isinstance(made, tuple), made
    return made


async def read_all(room: Room, what: str) -> tuple[Listed[Any], ...]:
    """The lists of all accounts that the reader may see."""
    if what == "positions":
        return listed(await room.desk.reads.positions(READER, None))
    return listed(await room.desk.reads.orders(READER, None, None))


async def test_a_list_with_a_row_of_nobodys_tells_of_no_account(room: Room) -> None:
    room.broker.shown.answers["all_positions"] = BrokerPartly((), ('position "ES ?"',), None)
    made = listed(await room.desk.reads.positions(TRADER, None))
    assert "positions" in room.broker.called
    assert all(one.rows is not None for one in made)


async def test_a_row_that_can_not_be_read_leaves_the_others_of_its_account_or_nothing_that_looks_flat(room: Room) -> None:
    odd = BrokerPartly((), ('position "ES ?"',), frozenset({"Sim101"}))
    room.broker.shown.answers["all_positions"] = odd
    made = {one.account: one for one in listed(await room.desk.reads.positions(TRADER, None))}
    assert made["Sim101"].rows
    assert room.broker.called.count("positions") == 1
    assert (await room.desk.reads.market(TRADER, "NQ"))[0].guessed is False  # type: ignore[index]  # it is granted
    room.broker.failing.add("session")
    [market] = listed(await room.desk.reads.market(TRADER, "NQ"))
    assert (market.session, market.guessed) == (None, True)
