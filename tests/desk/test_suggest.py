"""Keystrokes: suggestions from few reads, only what is granted, nothing where a fact is missing, and never anything sent."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.desk.autocomplete.cache import MOST_READS
from bot.timings import USUAL
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Member, TicketState
from bot.trading.planning.suggestions import SoFar, Suggestion
from bot.trading.risk.policy import Grant, Limit
from tests.desk.conftest import ASK, SECOND, STRANGER, TRADER, TRADER_ROLE, Room, timed
from tests.desk.fakes import eventually
from tests.desk.test_commands import resting

PLACE = SoFar("place", "Sim101", "ES 09-26", side=Side.BUY)
MODIFY = SoFar("modify", "Sim101", order="rest1")
DECEMBER = Contract("ES", 2026, 12)


@pytest.fixture(autouse=True)
async def known(room: Room) -> None:
    """The desk has read accounts and front months once."""
    await room.look_around()
    room.broker.reads = 0


@pytest.fixture(autouse=True)
def nothing_is_sent(room: Room) -> Iterator[None]:
    """Hold it for every test here."""
    yield
    assert room.broker.sent == []


def values(found: Sequence[Suggestion[str]]) -> list[str]:
    """What would be sent back."""
    return [each.value for each in found]


def names(found: Sequence[Suggestion[int]]) -> list[str]:
    """What is shown."""
    return [each.name for each in found]


async def limits(room: Room, so_far: SoFar = PLACE, typed: str = "bid", member: Member = TRADER) -> list[str]:
    """The prices offered for ``limit``."""
    return values(await room.desk.suggest.prices(member, so_far, "limit", typed))


async def sizes(room: Room, so_far: SoFar = PLACE, typed: str = "", member: Member = TRADER) -> list[str]:
    """The sizes offered."""
    return names(await room.desk.suggest.sizes(member, so_far, typed))


async def test_prices_are_worked_out_from_the_market_and_the_position(room: Room) -> None:
    found = await room.desk.suggest.prices(TRADER, PLACE, "limit", "")
    assert [each.name for each in found][:3] == ["5799.75 (bid, mid)", "5800 (ask, last)", "5802.50 (+10t)"]
    assert await limits(room, typed="be+4t") == ["5791.00"]


async def test_what_is_shown_is_what_the_request_settles(room: Room) -> None:
    ticket = await room.ticket(replace(ASK, type=OrderType.LIMIT, limit="mid-0.1%"))
    assert (await limits(room, replace(PLACE, command="reverse"), "mid-0.1%"))[0] == str(ticket.order.terms.limit)


@pytest.mark.parametrize("typed", ["ES", "es1!", "ESU6", '"ES 09-26"'])
async def test_any_spelling_of_the_instrument_will_do(room: Room, typed: str) -> None:
    assert (await limits(room, replace(PLACE, instrument=typed)))[0] == "5799.75"


async def test_a_bare_root_means_what_the_request_would_find(room: Room) -> None:
    elsewhere = replace(PLACE, account="Sim102", instrument="NQ")
    assert (await limits(room, elsewhere))[0] == "5799.75"
    room.broker.book_positions["Sim101", DECEMBER] = 1
    assert await limits(room, replace(PLACE, instrument="ES"), member=SECOND) == []


@pytest.mark.parametrize("read", ["positions", "orders"])
async def test_a_bare_root_whose_month_can_not_be_read_means_nothing(room: Room, read: str) -> None:
    room.broker.failing.add(read)
    assert await limits(room, replace(PLACE, instrument="ES")) == []


async def test_a_root_without_a_known_front_month_means_nothing(room: Room) -> None:
    assert await limits(room, replace(PLACE, account="Sim102", instrument="ZB")) == []


@pytest.mark.parametrize(
    "so_far",
    [
        replace(PLACE, account=""),
        replace(PLACE, account="Sim999"),
        replace(PLACE, account="x" * 4000),
        replace(PLACE, instrument=""),
        replace(PLACE, instrument="@everyone"),
        replace(PLACE, instrument="ES 13-26"),
    ],
)
async def test_while_it_is_not_clear_where_nothing_is_offered_and_nothing_read(room: Room, so_far: SoFar) -> None:
    assert await limits(room, so_far) == []
    assert await sizes(room, so_far) == []
    assert room.broker.reads == 0


@pytest.mark.parametrize(
    "grant",
    [
        Grant(TRADER_ROLE, frozenset({"place"}), ("Apex*",), ("*",), 5),
        Grant(TRADER_ROLE, frozenset({"place"}), ("Sim*",), ("NQ",), 5),
        Grant(TRADER_ROLE, frozenset({"close"}), ("Sim*",), ("*",), 5),
    ],
    ids=["another account", "another instrument", "another command"],
)
async def test_nobody_is_shown_a_market_that_they_are_not_granted(room: Room, grant: Grant) -> None:
    room.rule(grants=(grant,))
    assert await limits(room) == []
    assert await sizes(room) == []
    assert room.broker.reads == 0


async def test_a_stranger_is_shown_nothing(room: Room) -> None:
    resting(room)
    suggest = room.desk.suggest
    assert await limits(room, member=STRANGER) == []
    assert await sizes(room, member=STRANGER) == []
    assert await suggest.orders(STRANGER, replace(MODIFY, order=""), "") == ()
    assert room.broker.reads == 0


async def test_keystrokes_share_a_read_and_do_not_spend_the_budget(room: Room) -> None:
    for typed in ("b", "bi", "bid", "bid-", "bid-2", "bid-2t"):
        assert await limits(room, typed=typed)
    assert room.broker.reads == 2
    assert await limits(room, member=SECOND)
    assert room.broker.reads == 2
    room.clock.pass_by(USUAL.desk.prices_last.total_seconds() + 0.1)
    assert await limits(room)
    assert room.broker.reads == 3
    room.clock.pass_by(USUAL.desk.positions_last.total_seconds() + 0.1)
    assert await limits(room)
    assert room.broker.reads == 5


async def test_two_who_type_at_once_share_one_read(room: Room) -> None:
    room.broker.reading = asyncio.Event()
    both = asyncio.gather(limits(room), limits(room, member=SECOND))
    await eventually(lambda: room.broker.reads == 2)
    room.broker.reading.set()
    one, other = await both
    assert one == other
    assert one[0] == "5799.75"
    assert room.broker.reads == 2


async def test_one_who_types_without_end_has_only_so_much_read(room: Room) -> None:
    for month in range(1, 13):
        await limits(room, replace(PLACE, instrument=f"CL {month:02}-27"))
    assert room.broker.reads == MOST_READS
    assert await limits(room, member=SECOND)
    room.clock.pass_by(USUAL.desk.typing_counts.total_seconds())
    assert await limits(room, replace(PLACE, instrument="CL 12-27"))


async def test_what_was_just_read_serves_a_little_longer_for_one_who_has_no_reads_left(room: Room) -> None:
    assert await limits(room)
    for month in range(1, 13):
        await limits(room, replace(PLACE, instrument=f"CL {month:02}-27"))
    room.clock.pass_by(USUAL.desk.prices_last.total_seconds() + 0.1)
    reads = room.broker.reads
    assert (await limits(room))[0] == "5799.75"
    assert room.broker.reads == reads
    room.rule(limits=(Limit(("*",), ("*",), stale_seconds=3600),))
    room.clock.pass_by((USUAL.desk.typing_grace + USUAL.desk.positions_last).total_seconds())
    room.broker.failing |= {"quote", "positions"}
    assert await limits(room) == []


@pytest.mark.parametrize("read", ["quote", "positions"])
async def test_while_the_link_is_down_nothing_is_offered(room: Room, read: str) -> None:
    room.broker.failing.add(read)
    assert await limits(room) == []
    reads = room.broker.reads
    assert await limits(room, typed="bid-2t") == []
    # That it failed is known for a while, too.
    assert room.broker.reads == reads


async def test_a_link_that_goes_down_takes_what_was_offered_with_it(room: Room) -> None:
    assert await limits(room)
    room.broker.failing.add("quote")
    room.clock.pass_by(USUAL.desk.prices_last.total_seconds() + 0.1)
    assert await limits(room) == []
    room.broker.failing.clear()
    room.clock.pass_by(USUAL.desk.prices_last.total_seconds() + 0.1)
    assert await limits(room)


@timed(typing_wait=timedelta(seconds=0.02))
async def test_a_slow_read_is_not_waited_for_and_serves_the_next_keystroke(room: Room) -> None:
    room.broker.reading = asyncio.Event()
    assert await limits(room) == []
    assert await sizes(room) == []
    room.broker.reading.set()
    await eventually(lambda: not room.desk.suggest.suggestion_cache.quotes.all_running)
    reads = room.broker.reads
    assert await limits(room)
    assert room.broker.reads == reads


@timed(typing_wait=timedelta(seconds=0.02))
async def test_a_desk_that_closes_does_not_wait_for_reads(room: Room) -> None:
    room.broker.reading = asyncio.Event()
    assert await limits(room) == []
    async with asyncio.timeout(2):
        await room.desk.close()
    assert not room.desk.suggest.suggestion_cache.quotes.all_running


@pytest.mark.parametrize(
    "changes",
    [{"bid": None}, {"ask": None}, {"bid": Decimal(5801)}, {"at": None}],
    ids=["no bid", "no ask", "crossed", "no time"],
)
async def test_a_quote_on_which_no_order_would_be_taken_is_no_base(room: Room, changes: dict[str, object]) -> None:
    room.broker.quote_changes = changes
    assert await limits(room) == []
    assert await limits(room, typed="last") == []


async def test_an_old_price_is_no_base(room: Room) -> None:
    room.broker.quote_age = 11
    assert await limits(room) == []
    assert await sizes(room) == ["2 (all of SHORT 2)", "1 (half of SHORT 2)"]


async def test_a_modified_orders_prices_are_counted_from_what_it_has(room: Room) -> None:
    resting(room)
    assert await limits(room, MODIFY, "+1t") == ["5790.25"]
    assert await limits(room, MODIFY, "") == (await limits(room, replace(MODIFY, order="rest1", side=Side.SELL), ""))
    assert await limits(room, replace(MODIFY, order="nobody's"), "+1t") == []
    assert await room.desk.suggest.prices(TRADER, MODIFY, "stop", "+1t") == ()


async def test_an_order_that_is_replaced_may_get_a_price_that_it_does_not_have(room: Room) -> None:
    resting(room)
    again = replace(MODIFY, command="replace")
    assert await limits(room, again, "+1t") == ["5790.25"]
    assert values(await room.desk.suggest.prices(TRADER, again, "stop", "ask+2t")) == ["5800.50"]
    assert await sizes(room, again) == ["5 (most that your limits leave)", "2 (as it is)"]


async def test_a_brackets_prices_are_on_the_sides_that_the_position_asks_for(room: Room) -> None:
    around = SoFar("bracket", "Sim101", "ES 09-26")
    suggest = room.desk.suggest
    assert values(await suggest.prices(TRADER, around, "target", "bid-4t")) == ["5798.75"]
    # What is typed is shown as it would be; what is offered beside it would be taken.
    assert "5802.50" not in values(await suggest.prices(TRADER, around, "target", ""))
    assert "5797.50" in values(await suggest.prices(TRADER, around, "target", ""))
    assert "5802.50" in values(await suggest.prices(TRADER, around, "stop", ""))
    assert "5797.50" not in values(await suggest.prices(TRADER, around, "stop", ""))
    assert await sizes(room, around) == ["2 (all of SHORT 2)", "1 (half of SHORT 2)"]


async def test_where_there_is_nothing_to_protect_no_side_is_taken_for_granted(room: Room) -> None:
    flat = SoFar("bracket", "Sim102", "ES 09-26")
    assert values(await room.desk.suggest.prices(TRADER, flat, "target", "bid"))[0] == "5799.75"
    assert await sizes(room, flat) == []


async def test_sizes_name_what_limits_leave_and_what_is_open(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), max_position=1, daily_loss=Decimal(1000)),))
    # Three of them turn SHORT 2 into LONG 1; that more is held on the other side already makes no room for another one.
    assert await sizes(room) == ["3 (most that your limits leave)", "2 (all of SHORT 2)", "1 (half of SHORT 2)"]
    assert await sizes(room, typed="2") == ["2 (all of SHORT 2)"]
    assert await sizes(room, typed="7") == []


async def test_orders_on_their_way_leave_less(room: Room) -> None:
    room.rule(limits=(Limit(("*",), ("*",), max_position=1),))
    ticket = await room.ticket()
    unknown = replace(ticket, state=TicketState.SENDING, version=ticket.version + 1, sent_at=room.clock())
    assert await room.journal.advance(ticket, unknown, ())
    assert await sizes(room) == []


async def test_a_journal_that_can_not_be_read_leaves_the_most_unknown(room: Room) -> None:
    room.disk.failing.add("recent")
    assert await sizes(room) == ["2 (all of SHORT 2)", "1 (half of SHORT 2)"]


async def test_a_stop_that_was_typed_tells_what_it_costs(room: Room) -> None:
    flat = replace(PLACE, account="Sim102", stop="ask-10t")
    assert "4 (a stop at 5797.50 costs $500.00)" in await sizes(room, flat)
    assert await sizes(room, flat, "300") == ["2 (a stop at 5797.50 costs $250.00)"]


async def test_a_close_is_offered_what_is_open_and_needs_no_price(room: Room) -> None:
    room.broker.failing |= {"quote", "account", "orders"}
    close = SoFar("close", "Sim101", "ES 09-26")
    assert await sizes(room, close) == ["2 (all of SHORT 2)", "1 (half of SHORT 2)"]
    assert room.broker.reads == 1
    assert await sizes(room, replace(close, account="Sim102")) == []
    room.broker.failing.add("positions")
    room.clock.pass_by(USUAL.desk.positions_last.total_seconds() + 0.1)
    assert await sizes(room, close) == []


async def test_a_modified_order_is_offered_its_size_and_the_most(room: Room) -> None:
    resting(room)
    assert await sizes(room, MODIFY) == ["5 (most that your limits leave)", "2 (as it is)"]


async def test_working_orders_are_told_in_words_with_their_id_as_value(room: Room) -> None:
    resting(room)
    room.broker.rest(Side.SELL, 1, "Sim102")
    found = await room.desk.suggest.orders(TRADER, replace(MODIFY, order=""), "")
    assert found == [Suggestion("rest1", "BUY 2 LIMIT 5790.00 ES 09-26 (rest1)")]
    for typed in ("rest", "BUY 2", "es 09", " 5790.00  es"):
        assert await room.desk.suggest.orders(TRADER, replace(MODIFY, order=typed), typed) == found
    assert await room.desk.suggest.orders(TRADER, replace(MODIFY, order="sell"), "sell") == []
    assert room.broker.reads == 1


async def test_finished_orders_are_not_offered(room: Room) -> None:
    resting(room, state=OrderState.CANCELLED)
    assert await room.desk.suggest.orders(TRADER, MODIFY, "") == []


async def test_orders_are_offered_by_instrument_to_who_trades_and_by_account_to_who_reads(room: Room) -> None:
    resting(room)
    commands = frozenset({"cancel", "order"})
    room.rule(grants=(Grant(TRADER_ROLE, commands, ("Sim*",), ("NQ",), 5),))
    assert await room.desk.suggest.orders(TRADER, SoFar("cancel", "Sim101"), "") == []
    assert values(await room.desk.suggest.orders(TRADER, SoFar("order", "Sim101"), "")) == ["rest1"]
    assert await room.desk.suggest.orders(TRADER, SoFar("order", "Apex-001"), "") == ()


async def test_orders_that_can_not_be_read_are_not_offered(room: Room) -> None:
    resting(room)
    room.broker.failing.add("orders")
    assert await room.desk.suggest.orders(TRADER, replace(MODIFY, order=""), "") == []
    assert await limits(room, MODIFY, "+1t") == []


async def test_templates_are_those_of_ninjatrader_and_seldom_read(room: Room) -> None:
    suggest = room.desk.suggest
    assert values(await suggest.strategies(TRADER, "")) == ["Scalp", "Two legs"]
    assert values(await suggest.strategies(TRADER, " LEGS")) == ["Two legs"]
    assert room.broker.reads == 1
    room.broker.failing.add("atm_templates")
    room.clock.pass_by(USUAL.desk.names_last.total_seconds() + 1)
    assert await suggest.strategies(TRADER, "") == []
