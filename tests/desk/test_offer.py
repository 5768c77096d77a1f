"""From a request to a ticket, or to every reason why not."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.desk.ports import EventName
from bot.desk.requests import Refused, ReverseRequest
from bot.journal.opening import opened
from bot.trading.market.facts import Account
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderType, Side
from bot.trading.orders.tickets import Ticket, TicketState, Visibility
from bot.trading.risk.policy import Limit
from tests.desk.conftest import APPROVER, ASK, HERE, POLICY, STRANGER, TRADER, Room, make_desk
from tests.desk.fakes import ES, Clock, FakeBroker, FakeMessenger


async def test_a_ticket_shows_what_would_happen_and_sends_nothing(room: Room) -> None:
    ticket = await room.ticket()
    assert ticket.state is TicketState.OFFERED
    assert (ticket.shown.position, ticket.shown.after) == (-2, 1)
    assert ticket.shown.last == Decimal(5800)
    assert not ticket.shown.live
    assert room.broker.sent == []
    assert [event.name for event in await room.journal.events(ticket.id)] == [EventName.OFFERED]


@pytest.mark.parametrize("spelling", ['"ES 09-26"', "es 09-26", "ESU6", "ESU26", "ES SEP26", "ES", "es1!", "“ES 09-26”"])
async def test_every_spelling_leads_to_the_dated_form(room: Room, spelling: str) -> None:
    ticket = await room.ticket(replace(ASK, instrument=spelling))
    assert ticket.order.contract == ES


async def test_a_bare_root_means_the_front_month_where_nothing_is_held(room: Room) -> None:
    assert await room.refused(replace(ASK, account="Sim102", instrument="ES")) == ["NO_POSITION"]


async def test_a_bare_root_that_fits_two_months_is_refused_with_both(room: Room) -> None:
    room.broker.book_positions["Sim101", Contract("ES", 2026, 12)] = 1
    made = await room.desk.offer(TRADER, HERE, replace(ASK, instrument="ES"))
    assert isinstance(made, Refused)
    assert "ES 09-26 and ES 12-26" in made.denials[0].sentence


async def test_a_working_order_decides_the_month_too(room: Room) -> None:
    room.broker.book_positions.clear()
    room.broker.rest(Side.BUY, 1)
    assert await room.refused(replace(ASK, instrument="ES")) == ["NO_POSITION"]


async def test_account_names_match_by_ascii_case_only(room: Room) -> None:
    assert (await room.ticket(replace(ASK, account="sIM101"))).intent.account == "Sim101"
    assert await room.refused(replace(ASK, account="ſim101")) == ["ACCOUNT_NOT_GRANTED"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": 0}, "BAD_REQUEST"),
        ({"quantity": -3}, "BAD_REQUEST"),
        ({"quantity": 10**12}, "BAD_REQUEST"),
        ({"quantity": 6}, "QUANTITY_OVER_GRANT"),
        ({"type": OrderType.LIMIT}, "BAD_REQUEST"),
        ({"limit": "5800"}, "BAD_REQUEST"),
        ({"type": OrderType.LIMIT, "limit": "5800.10"}, "BAD_PRICE"),
        ({"type": OrderType.STOPMARKET, "stop": "5700"}, "BAD_PRICE"),
        ({"type": OrderType.LIMIT, "limit": "cheap"}, "BAD_REQUEST"),
        ({"oco": "x" * 4000}, "BAD_REQUEST"),
        ({"instrument": "@everyone"}, "UNKNOWN_INSTRUMENT"),
        ({"instrument": "x" * 4000}, "UNKNOWN_INSTRUMENT"),
        ({"account": "@everyone"}, "ACCOUNT_NOT_GRANTED"),
        ({"account": "Sim999"}, "UNKNOWN_ACCOUNT"),
        ({"account": "x" * 4000}, "ACCOUNT_NOT_GRANTED"),
        ({"account": "Sim102"}, "NO_POSITION"),
        ({"instrument": "NQ 09-26"}, "NO_POSITION"),
    ],
)
async def test_bad_input_gets_one_clear_no_and_nothing_is_sent(room: Room, changes: dict[str, object], code: str) -> None:
    request: ReverseRequest = replace(ASK, **changes)  # type: ignore[arg-type]
    assert code in await room.refused(request)
    assert room.broker.sent == []


async def test_a_denial_names_account_and_instrument_where_there_is_no_position(room: Room) -> None:
    made = await room.desk.offer(TRADER, HERE, replace(ASK, account="Sim102"))
    assert isinstance(made, Refused)
    assert "Sim102" in made.denials[0].sentence
    assert "ES 09-26" in made.denials[0].sentence


async def test_i8_nobody_has_anything_without_a_grant(room: Room) -> None:
    assert await room.refused(member=STRANGER) == ["NO_GRANT"]
    assert await room.refused(member=APPROVER) == ["NO_GRANT"]
    assert room.broker.reads == 0


async def test_a_live_account_that_the_policy_does_not_name_is_refused(room: Room) -> None:
    room.rule(accounts=())
    assert await room.refused(replace(ASK, account="Apex-001")) == ["LIVE_NOT_NAMED"]


async def test_an_account_whose_provider_is_unknown_counts_as_live(room: Room) -> None:
    room.broker.book_accounts["Sim101"] = Account("Sim101", None, connected=True)
    assert "LIVE_NOT_NAMED" in await room.refused()


@pytest.mark.parametrize("read", ["account", "positions", "orders", "quote"])
async def test_i23_a_read_that_fails_is_a_reason_to_say_no(room: Room, read: str) -> None:
    room.broker.failing.add(read)
    assert await room.refused() == ["FACTS_MISSING"]


async def test_accounts_that_cannot_be_read_are_not_taken_for_none(room: Room) -> None:
    room.broker.failing.add("accounts")
    assert await room.refused() == ["FACTS_MISSING"]


async def test_a_month_that_cannot_be_read_is_a_reason_to_say_no(room: Room) -> None:
    await room.ticket()
    room.broker.failing.add("positions")
    assert await room.refused(replace(ASK, instrument="ES")) == ["FACTS_MISSING"]


async def test_a_quote_that_is_too_old_is_a_reason_to_say_no(room: Room) -> None:
    room.broker.quote_age = 11
    assert await room.refused() == ["QUOTE_STALE"]


async def test_the_two_person_rule_shows_the_card_to_everybody(room: Room) -> None:
    room.rule(ticket_visibility=Visibility.PRIVATE)
    assert (await room.ticket()).visibility is Visibility.PRIVATE
    assert (await room.ticket(replace(ASK, account="Apex-001"))).visibility is Visibility.CHANNEL


async def test_limits_hold_for_everybody(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), max_position=0),))
    assert await room.refused() == ["MAX_POSITION"]


async def test_a_denial_is_journaled_with_what_was_asked(tmp_path: Path) -> None:
    clock = Clock()
    file = tmp_path / "desk.db"
    async with opened(f"sqlite+aiosqlite:///{file}", clock) as journal:
        desk = make_desk(FakeBroker(clock), journal, FakeMessenger(), clock, [POLICY])
        await desk.offer(TRADER, HERE, replace(ASK, account="Sim102"))
        await desk.close()
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT name, actor, data FROM events").fetchall()
    assert [(name, actor) for name, actor, _ in rows] == [("denied", TRADER.id)]
    assert "NO_POSITION" in rows[0][2]
    assert "Sim102" in rows[0][2]


async def test_a_stopping_desk_takes_no_requests(room: Room) -> None:
    await room.desk.close()
    assert await room.refused() == ["DESK_DOWN"]


async def test_autocomplete_answers_from_memory_and_only_with_what_is_granted(running: Room) -> None:
    await running.ticket()
    reads = running.broker.reads
    assert "Sim101" in running.desk.accounts_for(TRADER, "reverse")
    assert "ES 09-26" in running.desk.instruments_for(TRADER, "reverse", "Sim101")
    assert list(running.desk.accounts_for(STRANGER, "reverse")) == []
    assert list(running.desk.instruments_for(STRANGER, "reverse", "Sim101")) == []
    assert running.broker.reads == reads


async def test_a_card_that_can_not_be_posted_ends_its_ticket(room: Room) -> None:
    made = await room.desk.offer(TRADER, HERE, ASK)
    assert isinstance(made, Ticket)
    await room.desk.not_posted(made.id, "the bot may not post here")
    assert (await room.now(made.id)).state is TicketState.VOID
    assert [row for row in await room.journal.due(room.clock(), 10) if row.notice is None] == []
    assert await room.confirm(made) == "This ticket is void already; nothing more is sent for it."
    assert room.broker.sent == []


async def test_a_card_that_may_stand_in_the_channel_all_the_same_is_redrawn(running: Room) -> None:
    made = await running.desk.offer(TRADER, HERE, ASK)
    assert isinstance(made, Ticket)
    await running.desk.not_posted(made.id, "Discord did not answer", perhaps=True)
    await running.until(made, TicketState.VOID)
