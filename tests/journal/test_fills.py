"""Fills that were read: each is kept once, in any database, with the time in which all of them were."""

import asyncio
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from bot.desk.ports import KeptFills
from bot.errors import JournalError
from bot.journal.fills import PAGE
from bot.journal.store import SqlJournal
from bot.trading.market.facts import Execution
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import Side

from .making import NOON, SECOND, by_hand

FILL = Execution("676.1", "676", "Sim101", Contract("ES", 2026, 9), Side.SELL, 3, Decimal("5800.250"), NOON)
LATER = replace(FILL, id="676.2", order_id=None, side=Side.BUY, at=NOON + SECOND, price=Decimal("-37.63"))


def span(start: int, end: int) -> Span:
    """A span by seconds from noon."""
    return Span(at(start), at(end))


def at(seconds: int) -> datetime:
    """A moment by seconds from noon."""
    return NOON + seconds * SECOND


async def spans(journal: SqlJournal, *read: Span) -> tuple[Span, ...]:
    """What is covered after these readings."""
    for each in read:
        await journal.keep_fills("Sim101", (), each)
    return (await journal.kept_fills("Sim101", at(-1000))).covered


async def test_fills_come_back_as_they_were_read_oldest_first(journal: SqlJournal) -> None:
    await journal.keep_fills("Sim101", (LATER, FILL), span(-60, 5))
    await journal.keep_fills("Sim102", (replace(FILL, account="Sim102"),), span(-60, 5))
    kept = await journal.kept_fills("Sim101", at(-60))
    assert kept == KeptFills((FILL, LATER), (span(-60, 5),))
    assert str(kept.fills[0].price) == "5800.250"
    assert await journal.kept_fills("Sim103", at(-60)) == KeptFills((), ())


async def test_a_fill_that_is_read_again_is_kept_once_and_an_id_that_comes_again_is_another(journal: SqlJournal) -> None:
    again = replace(FILL, at=at(86400))
    for read in ((FILL,), (FILL, LATER), (FILL, FILL, again)):
        await journal.keep_fills("Sim101", read, span(-60, 5))
    assert (await journal.kept_fills("Sim101", at(-60))).fills == (FILL, LATER, again)


async def test_a_reading_that_lies_ahead_of_the_newest_one_was_stamped_by_a_wrong_clock_and_covers_nothing(
    journal: SqlJournal,
) -> None:
    await journal.keep_fills("Sim102", (), span(400, 460))
    assert await spans(journal, span(-400, -340), span(400, 460), span(0, 60)) == (span(-400, -340), span(0, 60))
    assert (await journal.kept_fills("Sim102", at(-60))).covered == (span(400, 460),)
    assert await spans(journal, span(30, 90), span(29, 89)) == (span(-400, -340), span(0, 90)), "one that was slow to come"


async def test_only_what_is_asked_for_is_given(journal: SqlJournal) -> None:
    await journal.keep_fills("Sim101", (FILL, LATER), span(-60, 5))
    assert (await journal.kept_fills("Sim101", NOON)).fills == (FILL, LATER)
    assert await journal.kept_fills("Sim101", at(1)) == KeptFills((LATER,), (span(-60, 5),))
    assert await journal.kept_fills("Sim101", at(5)) == KeptFills((), ())
    assert (await journal.kept_fills("Sim101", at(-60), {"676", "other"})).fills == (FILL,)
    assert (await journal.kept_fills("Sim101", at(-60), ())).fills == ()


async def test_spans_that_meet_become_one_and_others_leave_a_gap(journal: SqlJournal) -> None:
    assert await spans(journal, span(0, 10), span(5, 15), span(15, 20)) == (span(0, 20),)
    assert await spans(journal, span(12, 18)) == (span(0, 20),)
    assert await spans(journal, span(30, 40), span(35, 50)) == (span(0, 20), span(30, 50))
    assert await spans(journal, span(30, 45)) == (span(0, 20), span(30, 50))


async def test_words_that_no_database_can_hold_cost_no_fill(journal: SqlJournal) -> None:
    await journal.keep_fills("Sim101", (replace(FILL, id="a\0b", order_id="\ud800"),), span(-60, 5))
    (kept,) = (await journal.kept_fills("Sim101", NOON)).fills
    assert (kept.id, kept.order_id) == ("a?b", "?")


@pytest.mark.parametrize("change", ["contract", "side", "price"])
async def test_a_fill_that_can_not_be_read_is_told(journal: SqlJournal, change: str) -> None:
    await journal.keep_fills("Sim101", (FILL,), span(-60, 5))
    await by_hand(journal, f"UPDATE fills SET {change} = 'odd'")  # noqa: S608  a test's own word
    with pytest.raises(JournalError, match="can't read"):
        await journal.kept_fills("Sim101", NOON)


async def test_very_many_fills_come_back_whole_and_others_have_their_turn_meanwhile(journal: SqlJournal) -> None:
    # A third of them at one moment.
    many = [replace(FILL, id=f"7{number:05}", at=at(max(number - PAGE, 0))) for number in range(3 * PAGE)]
    await journal.keep_fills("Sim101", many, span(-60, 3 * PAGE))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.ensure_future(others())
    kept = await journal.kept_fills("Sim101", at(-60))
    beside.cancel()
    assert list(kept.fills) == many
    assert kept.covered == (span(-60, 3 * PAGE),)
    assert turns >= 3
    assert len((await journal.kept_fills("Sim101", at(-60), {"676"})).fills) == len(many)
