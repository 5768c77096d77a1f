"""What a chart shows: granted by account, complete or with its gaps, and never a position that wasn't read."""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from bot.desk.lookup.fronts import Front
from bot.desk.reads.charts import Charted, ChartRequest, Charts
from bot.desk.reads.reports import Listed, Quoted
from bot.desk.requests import Refused
from bot.trading.market.bars import PERIODS, Bar
from bot.trading.market.facts import Position
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Grant
from tests.desk.conftest import STRANGER, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, NOON

READER_ROLE = 1102
READER = Member(5, "Rita", frozenset({READER_ROLE}))
Row = TypeVar("Row")
DECEMBER, NQ = Contract("ES", 2026, 12), Contract("NQ", 2026, 9)
BARS = [
    Bar(NOON - timedelta(minutes=5 * ago), Decimal(5790), Decimal(5801), Decimal(5789), Decimal(5800), 100)
    for ago in range(30, 0, -1)
]


@pytest.fixture(autouse=True)
def bars_and_grants(room: Room) -> Iterator[None]:
    """The reader may draw charts, of one account only; nothing is sent by any test here."""
    room.broker.book_bars += BARS
    room.rule(
        grants=(
            Grant(TRADER_ROLE, frozenset({"*"}), ("Sim*", "Apex*"), ("*",), 5),
            Grant(READER_ROLE, frozenset({"chart"}), ("Sim102",)),
            Grant(READER_ROLE, frozenset({"positions", "orders"}), ("Sim*",)),
        )
    )
    yield
    assert room.broker.sent == []


async def charted(room: Room, request: ChartRequest, member: Member = TRADER) -> Charted:
    made = await room.desk.reads.chart(member, request)
    assert isinstance(made, Charted), made
    return made


async def codes(room: Room, request: ChartRequest, member: Member = TRADER) -> list[str]:
    made = await room.desk.reads.chart(member, request)
    assert isinstance(made, Refused), made
    return [denial.code.value for denial in made.denials]


async def test_a_chart_holds_bars_quote_position_and_working_orders(room: Room) -> None:
    order = room.broker.rest(Side.BUY, 1)
    room.broker.book_orders += [
        replace(order, ids=("dec",), contract=DECEMBER),
        replace(order, ids=("done",), state=OrderState.FILLED),
        replace(order, ids=("nothing left",), filled=1),
    ]
    made = await charted(room, ChartRequest("ES 09-26", "sim101", "15M", 20))
    assert made.bars is not None
    assert (made.contract, made.period, made.bars.rows) == (ES, PERIODS["15m"], tuple(BARS[-20:]))
    assert made.quoted.quote is not None
    assert made.quoted.quote.last == room.broker.last
    assert made.positions is not None
    assert (made.positions.account, made.positions.live) == ("Sim101", False)
    assert made.position == Position("Sim101", ES, -2, Decimal(5790))
    assert made.working == (order,)
    assert (made.at, made.bars_why, made.quoted.why) == (NOON, "", "")


async def test_without_an_account_nothing_of_any_account_is_read(room: Room) -> None:
    made = await charted(room, ChartRequest("ES 09-26"))
    assert (made.positions, made.orders, made.position, made.working, made.other_months) == (None, None, None, (), ())
    assert room.broker.reads == 2


async def test_a_root_means_its_front_month_and_other_months_held_are_named(room: Room) -> None:
    room.broker.book_positions["Sim101", DECEMBER] = 1
    room.broker.book_positions["Sim101", NQ] = 1
    made = await charted(room, ChartRequest("ES1!", "Sim101"))
    assert (made.asked, made.contract) == (Root("ES"), ES)
    assert [one.contract for one in made.other_months] == [DECEMBER]


async def test_a_flat_account_was_read_as_such(room: Room) -> None:
    made = await charted(room, ChartRequest("ES", "Sim102"))
    assert made.positions is not None
    assert (made.positions.rows, made.position, made.working) == ((), None, ())


@pytest.mark.parametrize("failing", ["positions", "orders", "quote", "bars"])
async def test_each_read_that_fails_leaves_a_gap_and_its_reason_and_no_other(room: Room, failing: str) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.failing.add(failing)
    made = await charted(room, ChartRequest("ES 09-26", "Sim101"))
    assert made.positions is not None
    assert made.orders is not None
    parts = {
        "positions": (made.positions.rows, made.positions.why),
        "orders": (made.orders.rows, made.orders.why),
        "quote": (made.quoted.quote, made.quoted.why),
        "bars": (made.bars, made.bars_why),
    }
    assert [name for name, (read, _) in parts.items() if read is None] == [failing]
    assert [name for name, (_, why) in parts.items() if why] == [failing]
    assert f"no answer for {failing}" in parts[failing][1]
    assert (made.contract is None) is (failing == "bars")


async def test_without_bars_nobody_knows_which_month_a_root_means(room: Room) -> None:
    room.broker.failing.add("bars")
    made = await charted(room, ChartRequest("ES", "Sim101"))
    assert (made.contract, made.position, made.other_months, made.working) == (None, None, (), ())


async def test_an_instrument_without_bars_is_told_apart_from_bars_that_were_not_read(room: Room) -> None:
    room.broker.book_bars.clear()
    made = await charted(room, ChartRequest("ES"))
    assert made.bars is not None
    assert (made.bars.rows, made.bars_why) == ((), "")


async def test_a_chart_of_a_root_is_that_of_one_month_which_the_calendar_says_where_nobody_else_does(room: Room) -> None:
    room.broker.front = DECEMBER
    made = await charted(room, ChartRequest("ES"))
    assert (made.contract, made.quoted.quote and made.quoted.quote.contract, made.guessed) == (DECEMBER, DECEMBER, False)
    room.broker.failing.add("session")
    made = await charted(room, ChartRequest("NQ"))
    assert (made.contract, made.guessed) == (NQ, True)
    made = await charted(room, ChartRequest("CL", "Sim101"))
    assert (made.bars, made.quoted.quote, made.positions is not None) == (None, None, True)
    assert "no answer for session" in made.bars_why


async def test_the_time_told_is_that_of_the_oldest_part(room: Room) -> None:
    async def front(_asked: Contract | Root) -> Front:
        return Front(ES)

    async def quoted(asked: Contract) -> Quoted:
        return Quoted(asked, None, "", NOON)

    async def listed(account: str, reading: Awaitable[Sequence[Row]]) -> Listed[Row]:
        rows = tuple(await reading)
        room.clock.pass_by(20)
        return Listed(account, False, rows, "", room.clock())

    charts = Charts(room.broker, room.desk.reads.naming, room.clock, front, quoted, listed)
    assert (await charts.gather(TRADER, ChartRequest("ES", "Sim101"))).at == NOON
    assert room.clock() > NOON


async def test_the_grant_must_name_the_account_for_this_very_command(room: Room) -> None:
    assert await codes(room, ChartRequest("ES", "Sim101"), READER) == ["ACCOUNT_NOT_GRANTED"]
    assert room.broker.reads == 0
    made = await charted(room, ChartRequest("ES", "Sim102"), READER)
    assert made.positions is not None
    assert made.positions.account == "Sim102"
    assert (await charted(room, ChartRequest("NQ"), READER)).contract == NQ


async def test_somebody_without_a_grant_reads_nothing_at_all(room: Room) -> None:
    for request in (ChartRequest("ES"), ChartRequest("ES", "Sim101")):
        assert await codes(room, request, STRANGER) == ["NO_GRANT"]
    assert room.broker.reads == 0
    assert [event.data["command"] for event in room.disk.recorded] == ["chart", "chart"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ChartRequest("ES", period="2m"), "BAD_REQUEST"),
        (ChartRequest("ES", count=19), "BAD_REQUEST"),
        (ChartRequest("ES", count=301), "BAD_REQUEST"),
        (ChartRequest("nonsense!"), "UNKNOWN_INSTRUMENT"),
        (ChartRequest("ES", "Sim999"), "UNKNOWN_ACCOUNT"),
        (ChartRequest("ES", ""), "ACCOUNT_NOT_GRANTED"),
    ],
)
async def test_what_can_not_be_used_is_refused_with_what_to_do(room: Room, request_: ChartRequest, code: str) -> None:
    assert await codes(room, request_) == [code]


async def test_an_account_of_unknown_provider_counts_as_live(room: Room) -> None:
    made = await charted(room, ChartRequest("ES", "Apex-001"))
    assert made.positions is not None
    assert made.positions.live
