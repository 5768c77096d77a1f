"""What is stored comes back as it was."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.desk.ports import EventName, Notice
from bot.errors import JournalError
from bot.journal.cache import TicketCache
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.trading.orders import protection
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    KINDS,
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, MassAction, Scope
from bot.trading.orders.progress import ExitRow, Progress, Step, StepState
from bot.trading.orders.protection import Protection
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import Approved, Member, Origin, Preview, Ticket, TicketState, Told, Visibility
from tests.clocks import HandClock

from .making import NOON, ask, beside, by_hand, claimed, event, sqlite_url, stored, stored_all, ticket

ids = st.integers(0, 2**63 - 1)
counts = st.integers(0, 2**63 - 1)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
# JSON escapes what a text column can't hold.
free_words = st.text(max_size=60)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
numbers = st.decimals(allow_nan=False, allow_infinity=False)
roles = st.frozensets(ids, max_size=4)
contracts = st.builds(Contract, words, st.integers(2000, 2100), st.integers(1, 12))
terms = st.builds(
    Terms,
    side=st.sampled_from(Side),
    quantity=counts,
    type=st.sampled_from(OrderType),
    tif=st.sampled_from(TimeInForce),
    limit=st.none() | numbers,
    stop=st.none() | numbers,
    oco=st.none() | free_words,
    strategy=st.none() | free_words,
    typed=st.lists(st.tuples(free_words, free_words), max_size=2).map(tuple),
)
shown = st.builds(
    Preview,
    live=st.booleans(),
    position=st.integers(),
    average_price=st.none() | numbers,
    after=st.integers(),
    bid=numbers,
    ask=numbers,
    last=numbers,
    quoted_at=moments,
    tick_size=numbers,
    tick_value=numbers,
    point_value=numbers,
    warnings=st.lists(free_words, max_size=3).map(tuple),
    approver_roles=roles,
    working_orders=st.integers(),
    position_read=st.booleans(),
)
names = st.text("abc 1", min_size=1, max_size=5)
scopes = st.builds(
    Scope,
    st.lists(names, min_size=1, max_size=3).map(tuple),
    st.none() | contracts,
    everything=st.just(value=False),
    left_out=st.lists(words, max_size=2).map(tuple),
) | st.builds(Scope, st.lists(names, min_size=1, max_size=3).map(tuple), everything=st.just(value=True))
requirements = st.frozensets(st.sampled_from(["flat", "long", "short"]))
where = (words, contracts, terms)
intents = st.one_of(
    st.builds(Reverse, *where),
    st.builds(VerifiedReverse, *where, words),
    st.builds(Invert, *where),
    st.builds(
        PlaceOrder, *where, words, requirements, st.none() | counts, st.none() | st.sampled_from(["flat", "long", "short"])
    ),
    st.builds(FlatPlace, *where),
    st.builds(Close, *where, st.none() | counts, st.none() | numbers),
    st.builds(Cancel, *where, words),
    st.builds(Change, *where, words, terms),
    st.builds(Replace, *where, words, terms, requirements),
    st.builds(Bracket, *where, numbers | st.none(), st.none() | st.just("ask+20t")),
    st.builds(Flatten, scopes, st.none() | st.sampled_from(Holding)),
    st.builds(CancelWorking, scopes),
    st.builds(FlattenStrategy, st.builds(Scope, st.tuples(names), st.none() | contracts), st.just("334"), st.none() | words),
)
sizes = st.none() | st.integers(-(10**6), 10**6)
legs = st.builds(
    Step,
    what=free_words,
    sent_at=moments,
    state=st.sampled_from(StepState),
    text=st.none() | free_words,
    closes=st.booleans(),
    unseen=st.booleans(),
    enters=st.booleans(),
    account=st.none() | free_words,
    ended_at=st.none() | moments,
)
progress = st.builds(
    Progress,
    steps=st.lists(legs, max_size=3).map(tuple),
    rows=st.lists(st.builds(ExitRow, words, st.booleans(), st.none() | contracts, sizes, sizes, sizes, sizes), max_size=3).map(
        tuple
    ),
    done_at=st.none() | moments,
    old=st.none() | st.sampled_from(OrderState),
    old_told=st.booleans(),
)
protections = st.builds(
    Protection,
    legs=st.lists(
        st.builds(
            protection.Leg,
            st.sampled_from(protection.Part),
            st.lists(free_words, max_size=2).map(tuple),
            st.sampled_from(OrderState),
            counts,
            counts,
            st.none() | numbers,
            st.none() | numbers,
            st.none() | free_words,
            st.none() | free_words,
        ),
        max_size=3,
    ).map(tuple),
    owner=st.none() | free_words,
    held=sizes,
    bare=counts,
    targetless=counts,
    left=st.booleans(),
    end=st.none() | st.sampled_from(protection.End),
)
tickets = st.builds(
    Ticket,
    id=words,
    intent=intents,
    requester=st.builds(Member, ids, words, roles),
    origin=st.builds(Origin, ids, ids),
    visibility=st.sampled_from(Visibility),
    shown=shown,
    created_at=moments,
    expires_at=moments,
    state=st.sampled_from(TicketState),
    revision=counts,
    version=st.integers(0, 2**62),
    message=st.none() | ids,
    confirmed_at=st.none() | moments,
    approvals=st.lists(st.builds(Approved, ids, free_words, roles), max_size=3).map(tuple),
    sent_at=st.none() | moments,
    ended_at=st.none() | moments,
    ended_by=st.none() | words,
    ended_by_id=st.none() | ids,
    outcome=st.none() | words,
    told=st.none() | st.sampled_from(Told),
    order_ids=st.lists(free_words, max_size=3).map(tuple),
    order_state=st.none() | st.sampled_from(OrderState),
    filled=counts,
    average_fill_price=st.none() | numbers,
    orders_before=st.lists(free_words, max_size=3).map(tuple),
    absent_since=st.none() | moments,
    progress=progress,
    order_terms=st.none() | terms,
    retired_at=st.none() | moments,
    protection=st.none() | protections,
)


def unread(journal: SqlJournal) -> SqlJournal:
    """The same journal with nothing remembered, so that rows are read."""
    return SqlJournal(journal._reads, journal._writes, HandClock())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=tickets, after=tickets)
async def test_every_field_of_a_ticket_survives_the_disk_and_times_come_back_aware(
    journal: SqlJournal, before: Ticket, after: Ticket
) -> None:
    for statement in ("DELETE FROM outbox", "DELETE FROM tickets"):
        await by_hand(journal, statement)
    await journal.open(before, event(id_=before.id))
    assert await unread(journal).ticket(before.id) == before

    after = replace(after, id=before.id, version=before.version + 1, message=before.message)
    assert await journal.advance(before, after, ())
    found = await unread(journal).ticket(before.id)
    assert found == after
    # Which equality does not look at.
    if isinstance(after.intent, OrderIntent):
        assert found.order.terms.typed == after.order.terms.typed
    for each in (found.created_at, found.sent_at, found.shown.quoted_at):
        assert each is None or each.utcoffset() == timedelta(0)


def test_every_intent_has_a_word_of_its_own_in_the_database() -> None:
    assert set(KINDS) == {*get_args(OrderIntent), *get_args(MassAction)}
    assert len({kind.kind for kind in KINDS}) == len(KINDS)


def test_the_strategy_of_these_tests_draws_every_field() -> None:
    assert len(fields(Ticket)) == 30, "a new field needs a column, a line in the codec and one in the strategy above"
    assert [len(fields(each)) for each in (Preview, Reverse, Terms, Approved, Step)] == [15, 3, 9, 3, 9]


async def test_a_row_of_before_positions_could_be_left_unread_and_old_orders_were_watched_is_read(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        before = await stored(journal, progress=Progress(done_at=NOON))
        ask(file, "UPDATE tickets SET shown = json_remove(shown, '$.position_read')")
        ask(file, "UPDATE tickets SET progress = json_remove(progress, '$.old', '$.old_told')")
        assert await unread(journal).ticket("t1") == before


async def test_a_row_of_before_there_was_shorthand_is_read(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        before = await stored(journal)
        ask(file, "UPDATE tickets SET intent = json_remove(intent, '$.typed')")
        assert await unread(journal).ticket("t1") == before


async def test_a_row_of_before_there_were_guards_is_read(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal:
        before = await stored(journal, intent=PlaceOrder("Sim101", Contract("ES", 2026, 9), Terms(Side.BUY, 1), "own1"))
        ask(file, "UPDATE tickets SET intent = json_remove(intent, '$.guard')")
        assert await unread(journal).ticket("t1") == before


async def test_a_time_of_another_zone_comes_back_as_the_same_moment(journal: SqlJournal) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=-5)))
    await stored(journal, created_at=there, sent_at=there)
    found = await unread(journal).ticket("t1")
    assert found is not None
    assert (found.created_at, found.sent_at) == (NOON, NOON)
    assert found.created_at.utcoffset() == timedelta(0)


async def test_words_that_no_database_can_hold_are_made_harmless_and_not_a_failure(journal: SqlJournal) -> None:
    offer = await stored(journal)
    taken = claimed(offer, outcome="no\0 half \ud800 pair", order_ids=("\ud800",))
    assert await journal.advance(offer, taken, [event(EventName.SENDING, text="\0\ud800")], [Notice(1, "\0\ud800")])
    found = await unread(journal).ticket("t1")
    assert found is not None
    assert found.outcome == "no? half ? pair"
    assert found.order_ids == ("\ud800",)
    assert (await journal.events("t1"))[-1].data == {"text": "\0\ud800"}
    assert await journal.ticket("\0\ud800") is None


async def test_an_event_comes_back_as_it_was_told(journal: SqlJournal) -> None:
    said = event(EventName.DENIED, "t9", NOON, reasons=["A", {"B": None}], count=3, share=0.5, fine=True)
    said = replace(said, actor=2**62)
    await journal.record(said)
    assert await journal.events("t9") == [said]


async def test_a_fact_in_no_json_type_is_kept_as_its_words(journal: SqlJournal) -> None:
    await journal.record(event(EventName.FILLED, "t9", price=Decimal("5800.25")))
    assert [each.data for each in await journal.events("t9")] == [{"price": "5800.25"}]


async def test_a_ticket_that_is_not_there_is_none(journal: SqlJournal) -> None:
    assert await journal.ticket("nothing") is None
    assert await journal.events("nothing") == []


async def test_a_number_that_no_column_can_hold_is_an_error_of_the_journal(journal: SqlJournal) -> None:
    with pytest.raises(JournalError):
        await stored(journal, filled=2**80)
    assert await journal.ticket("t1") is None


@pytest.mark.parametrize(
    "damage", ["state = 'dreaming'", "intent = '{'", 'intent = \'{"kind":"dance"}\'', "shown = '{}'", "order_ids = '5'"]
)
async def test_a_row_that_cannot_be_read_is_an_error_and_never_left_out(file: Path, damage: str) -> None:
    async with opened(sqlite_url(file)) as journal:
        await stored(journal)
        ask(file, f"UPDATE tickets SET {damage}")  # noqa: S608  # the words stand above
        with pytest.raises(JournalError, match="can't read"):
            await unread(journal).ticket("t1")


async def test_a_ticket_changed_by_somebody_else_is_read_anew(file: Path) -> None:
    async with opened(sqlite_url(file)) as journal, beside(file) as other:
        offer = await stored(journal)
        assert await other.ticket("t1") == offer
        taken = claimed(offer)
        assert await journal.advance(offer, taken, ())
        assert await other.ticket("t1") == taken
        await SqlJournal(other._reads, other._writes, HandClock()).posted("t1", 20, 66)
        assert await journal.ticket("t1") == replace(taken, message=66)
        await other.posted("t1", 20, 77)
        assert await journal.ticket("t1") == replace(taken, message=77)


async def test_a_cache_that_is_full_forgets_and_the_journal_reads_again(journal: SqlJournal) -> None:
    small = SqlJournal(journal._reads, journal._writes, HandClock())
    small._cache = TicketCache(room=2)
    put = [await stored(small, f"t{number}") for number in range(5)]
    assert await small.live() == put
    assert [await small.ticket(each.id) for each in put] == put
    assert small._cache.find("t0", 1, None) is None


async def test_more_tickets_than_one_statement_takes_are_all_found(journal: SqlJournal) -> None:
    many = [ticket(f"t{number:04}") for number in range(450)]
    await stored_all(journal, many)
    assert await journal.live() == many
