"""Reading commands: everybody sees what a grant names, a failed read is said, and nothing is ever sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from bot.desk.reads import MOST_QUOTES
from bot.desk.reports import Balance, Listed, OrderStory
from bot.desk.requests import Refused
from bot.trading.facts import Account, Day, Execution, Position
from bot.trading.instruments import Contract
from bot.trading.orders import OrderState, Side
from bot.trading.policy import READING_COMMANDS, Grant
from bot.trading.tickets import Member
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


def fill(order_id: str, number: int = 1) -> Execution:
    """A fill of an order."""
    return Execution(f"fill{number}", order_id, "Sim101", ES, Side.BUY, 1, Decimal(5800), NOON)


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
    assert room.broker.reads == 0


async def test_somebody_without_a_grant_reads_nothing_at_all(room: Room) -> None:
    reads = room.desk.reads
    answers = [
        await reads.positions(STRANGER, None),
        await reads.positions(STRANGER, "Sim101"),
        await reads.orders(STRANGER, "Sim101", None),
        await reads.order(STRANGER, "Sim101", "order1"),
        await reads.accounts(STRANGER),
        await reads.account(STRANGER, "Sim101"),
        await reads.pnl(STRANGER),
        await reads.executions(STRANGER, "Sim101"),
        await reads.quotes(STRANGER, "ES"),
    ]
    assert [codes(answer) for answer in answers] == [["NO_GRANT"]] * len(answers)
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
    assert "`Sim101`, `Sim102`." in made.denials[0].sentence  # type: ignore[union-attr]  # codes() has seen to it


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
        made = await room.desk.reads.orders(TRADER, "Sim101", typed)
        assert isinstance(made, Listed)
        return [order.id for order in made.rows or ()]

    assert await ids(None) == ["rest1", "dec", "nq"]
    assert await ids("ES") == ["rest1", "dec"]
    assert await ids('"ES 12-26"') == ["dec"]
    assert codes(await room.desk.reads.orders(TRADER, "Sim101", "nonsense!")) == ["UNKNOWN_INSTRUMENT"]


async def test_accounts_and_their_money_come_from_one_list_when_it_tells_all(room: Room) -> None:
    for name, account in room.broker.book_accounts.items():
        room.broker.book_accounts[name] = replace(account, cash=Decimal(1000))
    made = listed(await room.desk.reads.accounts(READER))
    assert [(one.account.name, one.live, one.account.cash) for one in made] == [
        ("Sim101", False, Decimal(1000)),
        ("Sim102", False, Decimal(1000)),
    ]
    assert room.broker.reads == 1


async def test_what_the_list_does_not_tell_is_asked_for_each_account(room: Room) -> None:
    made = listed(await room.desk.reads.accounts(TRADER))
    assert [one.account.name for one in made] == ["Apex-001", "Sim101", "Sim102"]
    assert room.broker.reads == 1 + len(made)


async def test_money_that_can_not_be_read_is_missing_and_never_from_memory(room: Room) -> None:
    await room.desk.reads.positions(TRADER, "Sim101")
    room.broker.failing.add("account")
    made = await room.desk.reads.account(TRADER, "Sim101")
    assert isinstance(made, Balance)
    assert made.account == Account("Sim101", "Simulator")
    assert not made.live
    assert "no answer for account" in made.why
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
    assert room.broker.reads == reads + 2


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
    assert room.broker.reads == 1


async def test_an_account_that_was_never_listed_before_is_told_as_far_as_it_is(room: Room) -> None:
    room.broker.failing.add("account")
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
    room.broker.failing.add("quote")
    [one] = listed(await room.desk.reads.quotes(READER, "ES"))
    assert (one.quote, bool(one.why)) == (None, True)


@pytest.mark.parametrize("typed", [" , ", "ES, nonsense!"])
async def test_instruments_that_can_not_be_read_are_refused(room: Room, typed: str) -> None:
    assert codes(await room.desk.reads.quotes(READER, typed)) == ["UNKNOWN_INSTRUMENT"]
    assert room.broker.reads == 0


async def test_too_many_quotes_at_once_are_refused(room: Room) -> None:
    many = ",".join(f"R{number}" for number in range(MOST_QUOTES + 1))
    assert codes(await room.desk.reads.quotes(READER, many)) == ["BAD_REQUEST"]


async def test_fills_are_those_of_the_account(room: Room) -> None:
    room.broker.book_executions.append(fill("order1"))
    made = await room.desk.reads.executions(TRADER, "Sim101")
    assert isinstance(made, Listed)
    assert made.rows == (fill("order1"),)


async def test_one_orders_story_holds_its_fills_and_nobody_elses(room: Room) -> None:
    order = room.broker.rest(Side.BUY, 1)
    room.broker.book_orders[0] = order = replace(order, ids=("676", order.id))
    room.broker.book_executions += [fill("676"), fill("other", 2), replace(fill("x", 3), order_id=None)]
    made = await story(room, order.ids[1])
    assert (made.order, made.fills, made.ticket, made.events) == (order, (fill("676"),), None, ())
    assert (made.order_why, made.fills_why, made.ticket_why) == ("", "", "")


async def test_an_order_that_ninjatrader_has_forgotten_is_told_from_the_journal(running: Room) -> None:
    ticket = await running.ticket()
    running.broker.sent.clear()
    await running.confirm(ticket)
    stored = await running.now(ticket.id)
    running.broker.sent.clear()
    assert stored.order_id is not None
    running.broker.book_orders.clear()
    running.clock.pass_by(timedelta(days=6).total_seconds())
    made = await story(running, stored.order_id)
    assert made.order is None
    assert made.ticket is not None
    assert made.ticket.id == ticket.id
    names = [event.name.value for event in made.events]
    assert (names[0], "accepted" in names) == ("offered", True)


async def test_each_part_of_a_story_that_can_not_be_read_says_so(room: Room) -> None:
    room.broker.failing |= {"order", "executions"}
    room.disk.failing.add("recent")
    made = await story(room, "order1")
    assert (made.order, made.fills, made.ticket) == (None, None, None)
    assert all((made.order_why, made.fills_why, made.ticket_why))


@pytest.mark.parametrize("typed", ["", " ", "x" * 65, "a\x00b"])
async def test_what_can_be_no_order_id_is_refused(room: Room, typed: str) -> None:
    assert codes(await room.desk.reads.order(TRADER, "Sim101", typed)) == ["BAD_REQUEST"]


async def test_reading_offers_what_is_held_in_granted_accounts_and_front_months(running: Room) -> None:
    await running.desk.reads.positions(TRADER, "Sim101")
    await running.desk._refresh()
    desk = running.desk
    assert list(desk.accounts_for(READER, "positions")) == ["Sim101", "Sim102"]
    assert list(desk.accounts_for(READER, "orders")) == []
    running.broker.book_positions["Apex-001", DECEMBER] = 1
    await running.desk._refresh()
    assert "ES 12-26" in desk.instruments_for(TRADER, "orders", "")
    assert "ES 12-26" not in desk.instruments_for(TRADER, "orders", "Sim101")
    assert "ES 12-26" not in desk.instruments_for(READER, "quote", "Apex-001")
    assert "ES 09-26" in desk.instruments_for(READER, "quote", "")


def listed(made: tuple[Answer, ...] | Refused) -> tuple[Answer, ...]:
    """What was not refused."""
    assert isinstance(made, tuple), made
    return made


async def story(room: Room, order_id: str) -> OrderStory:
    """The story of an order in Sim101."""
    made = await room.desk.reads.order(TRADER, "Sim101", order_id)
    assert isinstance(made, OrderStory), made
    return made
