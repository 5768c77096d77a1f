"""Fills: CrossTrade's last 15 minutes, and the desk's own record of what it has read, with the times when nobody read."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bot.desk.reads.fills import MOST_HOURS, READS_BACK, USUAL_HOURS, FillBook, FillWatch
from bot.desk.reads.reports import Fills, OneFill
from bot.desk.requests import Refused
from bot.timings import USUAL
from bot.trading.market.facts import Execution
from bot.trading.market.spans import Span
from bot.trading.orders.terms import Side
from bot.trading.risk.policy import Grant
from tests.desk.conftest import STRANGER, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, NOON

HOUR = 3600.0


def fill(number: int, at: datetime = NOON, account: str = "Sim101") -> Execution:
    """A fill."""
    return Execution(f"fill{number}", "order1", account, ES, Side.BUY, 1, Decimal("5800.25"), at)


async def executions(room: Room, hours: int | None = None) -> Fills:
    """What /executions reads of Sim101."""
    made = await room.desk.reads.executions(TRADER, "Sim101", hours)
    assert isinstance(made, Fills), made
    return made


async def test_what_crosstrade_tells_is_told_and_kept_for_later(room: Room) -> None:
    room.broker.book_executions += [fill(1), fill(2, account="Sim102")]
    made = await executions(room)
    assert (made.rows, made.earlier) == ((fill(1),), ())
    room.clock.pass_by(HOUR)
    late = fill(3, room.clock())
    room.broker.book_executions = [late]
    made = await executions(room)
    assert (made.rows, made.earlier) == ((late,), (fill(1),))
    assert made.live is False
    assert made.since == made.at - timedelta(hours=USUAL_HOURS)


async def test_an_id_that_comes_again_another_day_is_another_fill(room: Room) -> None:
    room.broker.book_executions = [fill(1)]
    await executions(room)
    room.clock.pass_by(HOUR)
    room.broker.book_executions = [again] = [fill(1, room.clock())]
    made = await executions(room)
    assert (made.rows, made.earlier) == ((again,), (fill(1),))


async def test_the_times_in_which_nobody_read_are_told(room: Room) -> None:
    since = NOON - timedelta(hours=USUAL_HOURS)
    assert (await executions(room)).unwatched == (Span(since, NOON - READS_BACK),)
    room.clock.pass_by(READS_BACK.total_seconds())
    day = timedelta(hours=24)
    assert (await executions(room)).unwatched == (Span(room.clock() - day, NOON - READS_BACK),), "no gap between the two"
    room.clock.pass_by(HOUR)
    made = await executions(room, 1)
    assert made.unwatched == (Span(room.clock() - timedelta(hours=1), room.clock() - READS_BACK),)


@pytest.mark.parametrize("hours", [-6, 6])
async def test_on_a_host_that_is_hours_off_the_times_are_those_that_fills_are_stamped_with(room: Room, hours: int) -> None:
    theirs = timedelta(hours=hours)
    room.clock.measured(theirs)
    room.broker.book_executions = [fill(1, room.clock() + theirs)]
    await executions(room, 1)
    room.clock.pass_by(HOUR / 2)
    room.broker.book_executions.clear()
    made = await executions(room, 1)
    now = room.clock() + theirs
    assert (made.at, made.since) == (now, now - timedelta(hours=1))
    assert made.earlier == (fill(1, now - timedelta(hours=0.5)),)
    assert made.unwatched == (
        Span(now - timedelta(hours=1), now - timedelta(hours=0.5) - READS_BACK),
        Span(now - timedelta(hours=0.5), now - READS_BACK),
    )


async def test_a_failed_read_is_missing_and_leaves_a_time_in_which_nobody_read(room: Room) -> None:
    room.broker.book_executions.append(fill(1))
    await executions(room)
    room.clock.pass_by(HOUR)
    room.broker.failing.add("executions")
    made = await executions(room, 2)
    assert (made.rows, made.earlier) == (None, (fill(1),))
    assert "no answer for executions" in made.why
    assert made.unwatched[-1] == Span(NOON, room.clock())


async def test_a_journal_that_can_not_be_written_costs_the_record_and_not_the_answer(room: Room) -> None:
    room.broker.book_executions.append(fill(1))
    room.disk.failing.add("keep_fills")
    made = await executions(room)
    assert (made.rows, made.earlier) == ((fill(1),), ())
    assert made.unwatched == (Span(made.since, NOON),)
    room.disk.failing.add("kept_fills")
    made = await executions(room)
    assert (made.rows, made.earlier, made.unwatched) == ((fill(1),), None, ())
    assert "disk is full" in made.earlier_why


@pytest.mark.parametrize("hours", [0, -1, MOST_HOURS + 1])
async def test_a_time_that_is_none_is_refused(room: Room, hours: int) -> None:
    made = await room.desk.reads.executions(TRADER, "Sim101", hours)
    assert isinstance(made, Refused)
    assert [denial.code.value for denial in made.denials] == ["BAD_REQUEST"]


async def test_one_fill_is_crosstrades_or_the_records_or_nobodys(room: Room) -> None:
    room.broker.book_executions.append(fill(1))
    await executions(room)

    async def one(typed: str) -> tuple[Execution | None, bool, bool]:
        made = await room.desk.reads.execution(TRADER, "Sim101", typed)
        assert isinstance(made, OneFill)
        return made.fill, made.is_kept, bool(made.why)

    assert await one(" fill1 ") == (fill(1), False, False)
    room.broker.book_executions.clear()
    assert await one("fill1") == (fill(1), True, False)
    assert await one("other") == (None, False, False)
    room.broker.failing.add("execution")
    room.disk.failing.add("kept_fills")
    assert await one("fill1") == (None, False, True)


async def test_fills_are_offered_newest_first_from_the_record_to_those_who_may_see_them(room: Room) -> None:
    room.broker.book_executions += [fill(1), fill(2, NOON + timedelta(seconds=1))]
    await executions(room)
    room.broker.called.clear()
    reads = room.desk.reads
    assert [each.id for each in await reads.recent_fills(TRADER, "sim101")] == ["fill2", "fill1"]
    assert await reads.recent_fills(TRADER, "Sim999") == ()
    assert await reads.recent_fills(STRANGER, "Sim101") == ()
    assert room.broker.called == []
    room.disk.failing.add("kept_fills")
    assert await reads.recent_fills(TRADER, "Sim101") == ()


async def test_the_desk_keeps_the_fills_of_granted_accounts_by_itself(room: Room) -> None:
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("Sim101",), ("*",), 5),))
    room.broker.book_executions += [fill(1), fill(2, account="Apex-001")]
    await room.desk.start()
    async with asyncio.timeout(10):
        while not (await room.journal.kept_fills("Sim101", NOON)).fills:
            await asyncio.sleep(0.005)
    room.broker.failing.add("executions")
    made = await executions(room)
    assert (made.rows, made.earlier) == (None, (fill(1),))
    assert (await room.journal.kept_fills("Apex-001", NOON)).fills == ()


async def test_each_accounts_fills_are_read_in_turn_and_soon_again_where_that_failed(room: Room) -> None:
    book = FillBook(room.broker, room.journal, room.clock)
    watch = FillWatch(book, room.clock, USUAL.desk)
    both = ["Sim101", "Sim102"]

    async def covered(account: str) -> int:
        return len((await room.journal.kept_fills(account, NOON - READS_BACK)).covered)

    await watch.look([])
    room.broker.failing.add("executions")
    await watch.look(both)
    room.broker.failing.clear()
    for _ in range(3):
        await watch.look(both)
    assert [await covered(name) for name in both] == [0, 1]
    room.clock.pass_by(USUAL.desk.fills_again.total_seconds())
    for _ in range(3):
        await watch.look(both)
    assert [await covered(name) for name in both] == [1, 1]
    assert room.broker.called.count("executions") == 3
    room.clock.pass_by(USUAL.desk.fills_every.total_seconds())
    for _ in range(3):
        await watch.look(both)
    assert room.broker.called.count("executions") == 5
