"""How a ticket is claimed, what is written with it, and what is asked of it afterwards."""

import asyncio
import itertools
import re
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from bot.desk.ports import EventName, Notice, Tone
from bot.errors import JournalError
from bot.journal import schema, store
from bot.journal.links import SqliteWrites
from bot.journal.lock import holder
from bot.journal.opening import opened
from bot.journal.postgres import PostgresLink
from bot.journal.store import SqlJournal
from bot.timings import USUAL
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Bracket, Reverse
from bot.trading.orders.protection import End, Protection
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState, move
from tests.clocks import HandClock

from .making import NOON, SECOND, ask, beside, by_hand, claimed, event, sqlite_url, stored, stored_all, ticket

SENDING = event(EventName.SENDING, at=NOON + SECOND)
NEWS = Notice(2001, "sent", silent=True)


async def test_a_change_is_stored_with_its_events_notices_and_card(journal: SqlJournal) -> None:
    offer = await stored(journal)
    taken = claimed(offer)
    assert await journal.advance(offer, taken, [event(EventName.CONFIRMED), SENDING], [NEWS])

    assert await journal.ticket("t1") == taken
    assert [each.name for each in await journal.events("t1")] == [EventName.OFFERED, EventName.CONFIRMED, EventName.SENDING]
    notice, card = await journal.due(NOON + SECOND, 9)
    assert (notice.ticket, notice.notice, card.ticket, card.notice) == ("t1", NEWS, "t1", None)
    assert notice.since == card.since == NOON


async def test_a_change_of_an_older_version_stores_nothing_at_all(journal: SqlJournal) -> None:
    offer = await stored(journal)
    first = claimed(offer)
    assert await journal.advance(offer, first, ())
    before = await journal.due(NOON, 9), await journal.events("t1")

    late = move(offer, TicketState.CANCELLED)
    assert not await journal.advance(offer, late, [event(EventName.CANCELLED)], [NEWS])
    assert await journal.ticket("t1") == first
    assert (await journal.due(NOON, 9), await journal.events("t1")) == before


async def test_a_change_of_a_ticket_that_is_not_there_stores_nothing(journal: SqlJournal) -> None:
    offer = ticket()
    assert not await journal.advance(offer, claimed(offer), [SENDING], [NEWS])
    assert (await journal.events("t1"), await journal.due(NOON + SECOND, 9)) == ([], [])


@pytest.mark.parametrize("wrong", [{"version": 1}, {"version": 3}, {"id": "t2"}])
async def test_a_change_that_skips_a_version_or_changes_the_id_is_a_fault_of_the_program(
    journal: SqlJournal, wrong: dict[str, Any]
) -> None:
    offer = await stored(journal)
    with pytest.raises(ValueError, match="can't become"):
        await journal.advance(offer, replace(claimed(offer), **wrong), ())
    assert await journal.ticket("t1") == offer


async def test_a_quiet_change_leaves_the_card_alone_and_needs_no_event(url: str) -> None:
    async with opened(url, clock=HandClock(NOON + 5 * SECOND)) as journal:
        offer = await stored(journal)
        taken = claimed(offer)
        assert await journal.advance(offer, taken, (), show=False)
        assert await journal.due(NOON + 9 * SECOND, 9) == []
        assert await journal.advance(taken, move(taken, TicketState.UNKNOWN), ())
        (card,) = await journal.due(NOON + 9 * SECOND, 9)
        assert card.since == NOON + 5 * SECOND


async def test_a_notice_that_cannot_be_stored_takes_the_whole_change_back(journal: SqlJournal) -> None:
    offer = await stored(journal)
    with pytest.raises(JournalError):
        await journal.advance(offer, claimed(offer), [SENDING], [NEWS, replace(NEWS, channel=2**70)])
    assert await journal.ticket("t1") == offer
    assert [each.name for each in await journal.events("t1")] == [EventName.OFFERED]
    assert await journal.due(NOON + SECOND, 9) == []
    assert await journal.advance(offer, claimed(offer), [SENDING]), "the journal works on"


async def test_the_same_ticket_can_be_opened_once_only(journal: SqlJournal) -> None:
    offer = await stored(journal)
    with pytest.raises(JournalError, match="contradicts"):
        await stored(journal)
    assert await journal.ticket("t1") == offer
    assert len(await journal.events("t1")) == 1


async def test_the_message_is_kept_apart_from_the_version(journal: SqlJournal) -> None:
    offer = await stored(journal)
    await journal.posted("t1", 20, 900)
    posted = replace(offer, message=900)
    assert await journal.ticket("t1") == posted
    # The press still holds the ticket as it was before the message was known.
    assert await journal.advance(offer, claimed(offer), ())
    assert await journal.ticket("t1") == claimed(posted)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(racers=st.lists(st.sampled_from(["sending", "cancelled", "expired", "void"]), min_size=2, max_size=8), data=st.data())
async def test_of_racing_changes_by_two_owners_exactly_one_wins(file: Path, racers: list[str], data: st.DataObject) -> None:
    mine = [data.draw(st.booleans()) for _ in racers]
    async with opened(sqlite_url(file)) as journal, beside(file) as other:
        number = ask(file, "SELECT count(*) FROM tickets")[0][0]
        offer = await stored(journal, f"t{number}")
        moves = [move(offer, TicketState(state), ended_by=str(racer)) for racer, state in enumerate(racers)]
        tries = [
            (journal if own else other).advance(offer, moved, [event(EventName.VOID, offer.id)], [NEWS])
            for own, moved in zip(mine, moves, strict=True)
        ]
        won = await asyncio.gather(*tries)
        assert won.count(True) == 1
        assert await journal.ticket(offer.id) == await other.ticket(offer.id) == moves[won.index(True)]
        assert len(await journal.events(offer.id)) == 2
        assert ask(file, "SELECT kind, count(*) FROM outbox WHERE ticket = ? GROUP BY kind", offer.id) == [
            ("card", 1),
            ("notice", 1),
        ]


async def test_of_racing_changes_on_two_postgresql_connections_exactly_one_wins(server: str) -> None:
    async with opened(server) as journal:
        address = journal._writes._engine.url  # type: ignore[attr-defined]  # the link's own engine knows the address
        reads, writes = PostgresLink(address, USUAL.journal, writes=False), PostgresLink(address, USUAL.journal, writes=True)
        other = SqlJournal(reads, writes, HandClock())
        for number in range(10):
            offer = await stored(journal, f"t{number}")
            moves = [claimed(offer, ended_by=str(racer)) for racer in range(6)]
            tries = [(journal, other)[racer % 2].advance(offer, moved, ()) for racer, moved in enumerate(moves)]
            won = await asyncio.gather(*tries)
            assert won.count(True) == 1
            assert await journal.ticket(offer.id) == await other.ticket(offer.id) == moves[won.index(True)]
        await reads.close()
        await writes.close()


async def test_a_caller_who_is_cancelled_leaves_a_begun_change_whole(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        offer = await stored(journal)
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slow(connection: Connection) -> None:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(10)
            connection.exec_driver_sql("UPDATE tickets SET ended_by = 'slow'")

        caller = asyncio.create_task(journal._writes.run(slow))
        await begun.wait()
        waiting = asyncio.create_task(journal.advance(offer, claimed(offer), [SENDING]))
        await asyncio.sleep(0)
        caller.cancel()
        waiting.cancel()
        assert [type(each) for each in await asyncio.gather(caller, waiting, return_exceptions=True)] == [
            asyncio.CancelledError,
            asyncio.CancelledError,
        ]
        go_on.set()
        assert await journal.advance(offer, claimed(offer), [SENDING]), "what had not begun was dropped with its caller"
        assert len(await journal.events("t1")) == 2
    assert ask(file, "SELECT state FROM tickets") == [("sending",)]


async def test_a_change_that_was_begun_is_on_disk_when_the_journal_is_closed(file: Path) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(connection: Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)
        connection.execute(insert(schema.events), {"at": NOON, "name": "started", "data": "{}"})

    async with opened(sqlite_url(file)) as journal:
        caller = asyncio.create_task(journal._writes.run(slow))
        await begun.wait()
        caller.cancel()
        loop.call_later(0.01, go_on.set)
    assert ask(file, "SELECT name FROM events") == [("started",)]
    for attempt in (journal.ticket("t1"), journal.record(event())):
        with pytest.raises(JournalError, match="closed"):
            await attempt


async def test_on_postgresql_too_a_begun_change_outlives_its_caller(server: str) -> None:
    async with opened(server) as journal:
        offer = await stored(journal)
        holder = PostgresLink(journal._writes._engine.url, USUAL.journal, writes=True)  # type: ignore[attr-defined]  # as above
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with holder._engine.begin() as connection:
                await connection.exec_driver_sql("SELECT * FROM tickets FOR UPDATE")
                held.set()
                await go_on.wait()

        holding = asyncio.create_task(hold())
        await held.wait()
        caller = asyncio.create_task(journal.advance(offer, claimed(offer), [SENDING]))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go_on.set()
        await holding
    with pytest.raises(JournalError, match="closed"):
        await journal.ticket("t1")
    async with opened(server) as journal:
        assert await journal.ticket("t1") == claimed(offer)
        assert len(await journal.events("t1")) == 2


async def test_a_fault_in_the_work_itself_is_not_hidden_and_takes_the_change_back(journal: SqlJournal) -> None:
    def faulty(connection: Connection) -> None:
        connection.execute(insert(schema.events), {"at": NOON, "name": "started", "data": "{}"})
        raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        await journal._writes.run(faulty)
    await journal.record(event())
    assert await by_hand(journal, "SELECT count(*) FROM events") == 1, "and nothing of it comes with the next change"


PLAIN = Reverse("Sim101", Contract("ES", 2026, 9), Terms(Side.BUY, 1))
# What has stops and targets that are followed longer than an order: an ATM strategy's entry, and a bracket.
ATM = replace(PLAIN, terms=Terms(Side.BUY, 1, strategy="Scalp"))
BRACKET = Bracket("Sim101", PLAIN.contract, Terms(Side.SELL, 1, OrderType.STOPMARKET, stop=Decimal(5790)), None)
PROTECTIONS = (None, Protection(), Protection(end=End.CLOSED))
STATES: tuple[OrderState | None, ...] = (None, *OrderState)
EVERY_STANDING = [
    *itertools.product(TicketState, STATES, (PLAIN,), (0,), (None,)),
    *itertools.product(TicketState, STATES, (ATM,), (0, 1), PROTECTIONS),
    *itertools.product(TicketState, (None, OrderState.FILLED), (BRACKET,), (0,), PROTECTIONS),
    *itertools.product(TicketState, (OrderState.ACCEPTED,), (BRACKET,), (0,), (Protection(),)),
]


def is_unsettled(each: Ticket) -> bool:
    return each.state in {TicketState.SENDING, TicketState.UNKNOWN} or each.is_followed or each.is_guarded


async def test_live_and_recent_are_what_the_rules_call_so_in_every_state(journal: SqlJournal) -> None:
    put = [
        ticket(
            f"t{number:04}",
            state=state,
            order_state=order_state,
            intent=intent,
            filled=filled,
            protection=protection,
            sent_at=NOON + sent * SECOND,
        )
        for number, (sent, (state, order_state, intent, filled, protection)) in enumerate(
            itertools.product((0, 60), EVERY_STANDING)
        )
    ]
    put.append(ticket("never sent", state=TicketState.CANCELLED))
    await stored_all(journal, put)
    offered = [each for each in put if each.state is TicketState.OFFERED]
    unsettled = [each for each in put if is_unsettled(each)]
    since = NOON + 60 * SECOND
    assert {each.id for each in await journal.live()} == {each.id for each in offered + unsettled}
    assert {each.id for each in await journal.recent(since)} == {each.id for each in unsettled} | {
        each.id for each in put if each.sent_at is not None and each.sent_at >= since
    }


async def test_live_tickets_come_in_the_order_in_which_they_were_asked(journal: SqlJournal) -> None:
    for number, later in enumerate((3, 1, 2)):
        await stored(journal, f"t{number}", created_at=NOON + later * SECOND)
    assert [each.id for each in await journal.live()] == ["t1", "t2", "t0"]


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        (store._TICKET, ["(id=?)"]),
        (store._CLAIM, ["(id=?)"]),
        (store._EVENTS, ["(ticket=?)"]),
        (store._LIVE, ["(state=?)", "(state=?)", *["(state=? AND order_state=?)"] * 2, "(guarded=?)"]),
        (store._RECENT, ["(sent_at>?)", "(state=?)", *["(state=? AND order_state=?)"] * 2, "(guarded=?)"]),
    ],
    ids=["ticket", "claim", "events", "live", "recent"],
)
async def test_no_question_reads_through_everything_that_ever_was(file: Path, statement: ClauseElement, by: list[str]) -> None:
    async with opened(sqlite_url(file)):
        sql = str(statement.compile(dialect=sqlite.dialect(), column_keys=["state"]))
        plan = [row[3] for row in ask(file, f"EXPLAIN QUERY PLAN {sql}", *[1] * sql.count("?"))]
    assert [step[step.index("(") :] for step in plan if "INDEX ix" in step or "autoindex" in step] == by
    assert not [step for step in plan if step.startswith("SCAN")]


async def test_the_log_refuses_to_be_changed_even_by_hand(journal: SqlJournal) -> None:
    await stored(journal)
    for statement in ("UPDATE events SET name = 'void'", "DELETE FROM events"):
        with pytest.raises(JournalError):
            await by_hand(journal, statement)
    assert len(await journal.events("t1")) == 1


def test_nothing_in_the_code_changes_or_removes_a_line_of_the_log() -> None:
    forbidden = re.compile(r"(update|delete)\s*\(\s*(schema\.)?events|(UPDATE|DELETE\s+FROM|TRUNCATE)\s+events", re.IGNORECASE)
    sources = list(Path(store.__file__).parent.rglob("*.py"))
    assert len(sources) > 8
    assert [source.name for source in sources if forbidden.search(source.read_text(encoding="utf-8"))] == []
    assert forbidden.search("connection.execute(update(events))")
    assert forbidden.search("DELETE FROM events")


async def test_events_that_belong_to_no_ticket_are_kept_with_their_notices(journal: SqlJournal) -> None:
    await journal.record(event(EventName.HALTED, None), [replace(NEWS, tone=Tone.ALARM)])
    (row,) = await journal.due(NOON, 9)
    assert (row.ticket, row.notice, row.sequence, row.attempts) == (None, replace(NEWS, tone=Tone.ALARM), 1, 0)
    names = await journal._reads.run(lambda connection: connection.exec_driver_sql("SELECT name, ticket FROM events").all())
    assert [tuple(each) for each in names] == [("halted", None)]


async def test_the_writing_connection_waits_for_the_disk_at_each_commit(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        assert isinstance(journal._writes, SqliteWrites)
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)):
            found = await by_hand(journal, f"PRAGMA {pragma}")
            assert found == value, pragma


async def test_postgresql_waits_for_the_disk_at_each_commit_and_holds_the_lock(server: str) -> None:
    async with opened(server) as journal:
        found = await by_hand(journal, "SHOW synchronous_commit")
        assert found == "on"
        assert await journal._reads.run(holder) == await by_hand(journal, "SELECT pg_backend_pid()")
