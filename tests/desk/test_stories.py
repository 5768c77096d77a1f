"""The story of one order: from the order, the list, the state, CrossTrade's record, the fills and the desk's ticket."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.desk.reads.reports import OrderStory
from bot.desk.requests import Refused
from bot.errors import BrokerError, BrokerGarbled, BrokerLacks, BrokerRefused, BrokerUnreachable
from bot.trading.market.facts import Execution
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.terms import OrderState, Side
from tests.desk.conftest import TRADER, Room
from tests.desk.fakes import ES, NOON

WORKING = OrderEvent("Working", "order_update", NOON)


def fill(order_id: str | None, number: int = 1) -> Execution:
    """A fill of an order."""
    return Execution(f"fill{number}", order_id, "Sim101", ES, Side.BUY, 1, Decimal(5800), NOON)


async def story(room: Room, order_id: str) -> OrderStory:
    """The story of an order in Sim101."""
    made = await room.desk.reads.order(TRADER, "Sim101", order_id)
    assert isinstance(made, OrderStory), made
    return made


async def test_one_orders_story_is_read_side_by_side(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.book_orders[0] = order = replace(room.broker.book_orders[0], ids=("676", "rest1"))
    room.broker.book_executions += [fill("676"), fill("other", 2), fill(None, 3)]
    room.broker.shown.lives["676"] = life = Lifecycle("sim101", ("676", "own"), (WORKING,))
    made = await story(room, "676")
    assert (made.order, made.fills, made.life, made.ticket, made.events) == (order, (fill("676"),), life, None, ())
    assert (made.order_why, made.fills_why, made.life_why, made.ticket_why) == ("", "", "", "")
    assert not made.fills_are_recent
    assert sorted(room.broker.called) == ["accounts", "executions_of", "lifecycle", "order"]


@pytest.mark.parametrize("missed", [None, BrokerGarbled("no order"), BrokerRefused(400, "no")])
async def test_an_order_that_is_missed_by_its_id_is_found_in_the_list(room: Room, missed: BrokerError | None) -> None:
    order = room.broker.rest(Side.BUY, 1)
    room.broker.shown.answers["order"] = missed
    made = await story(room, order.id)
    assert (made.order, made.state, made.order_why) == (order, None, "")


async def test_an_order_that_is_not_listed_may_tell_its_state(room: Room) -> None:
    room.broker.shown.answers["order_status"] = OrderState.FILLED
    made = await story(room, "gone")
    assert (made.order, made.state, made.order_why) == (None, OrderState.FILLED, "")


async def test_an_order_that_may_be_missed_is_not_called_absent_while_the_list_can_not_be_read(room: Room) -> None:
    room.broker.failing.add("orders")
    made = await story(room, "gone")
    assert made.order is None
    assert "no answer for orders" in made.order_why


async def test_an_order_that_ninjatrader_has_forgotten_is_told_from_the_journal(running: Room) -> None:
    ticket = await running.ticket()
    await running.confirm(ticket)
    stored = await running.now(ticket.id)
    assert stored.order_id is not None
    running.broker.book_orders.clear()
    running.clock.pass_by(timedelta(days=6).total_seconds())
    made = await story(running, stored.order_id)
    assert made.order is None
    assert made.ticket is not None
    assert made.ticket.id == ticket.id
    names = [event.name.value for event in made.events]
    assert (names[0], "accepted" in names) == ("offered", True)


async def test_each_part_of_a_story_that_can_not_be_read_says_so_and_is_not_asked_for_twice(room: Room) -> None:
    room.broker.failing |= {"order", "executions_of", "executions", "lifecycle"}
    room.disk.failing |= {"recent", "kept_fills"}
    made = await story(room, "order1")
    assert (made.order, made.fills, made.life, made.ticket) == (None, None, None, None)
    assert all((made.order_why, made.fills_why, made.life_why, made.ticket_why))
    assert sorted(room.broker.called) == ["accounts", "executions", "executions_of", "lifecycle", "order"]


LOST = [BrokerLacks(404, "not_found"), BrokerRefused(404, "order_not_found"), BrokerGarbled("x"), BrokerUnreachable("HTTP 500")]


@pytest.mark.parametrize("lost", LOST)
async def test_without_a_list_of_its_fills_those_of_the_last_minutes_are_read_and_kept(room: Room, lost: BrokerError) -> None:
    room.broker.shown.answers["executions_of"] = lost
    room.broker.book_executions += [fill("order1"), fill("other", 2)]
    made = await story(room, "order1")
    assert (made.fills, made.fills_are_recent) == ((fill("order1"),), True)
    room.broker.book_executions.clear()
    made = await story(room, "order1")
    assert made.fills == (fill("order1"),), "CrossTrade has forgotten it, the desk has not"


async def test_fills_that_the_desk_has_kept_are_told_though_crosstrade_can_not_be_asked(room: Room) -> None:
    room.broker.book_executions.append(fill("order1"))
    await room.desk.reads.executions(TRADER, "Sim101")
    room.broker.failing |= {"executions_of", "executions"}
    made = await story(room, "order1")
    assert made.fills == (fill("order1"),)
    assert made.fills_why
    assert (await story(room, "other")).fills is None


async def test_an_add_on_too_old_for_the_record_is_said_to_be_so(room: Room) -> None:
    room.broker.shown.answers["lifecycle"] = BrokerLacks(400, "Unknown API command: GetOrderLifecycle")
    made = await story(room, "order1")
    assert "too old for it, 1.13.2 or later has it (“Unknown API command: GetOrderLifecycle”)" in made.life_why
    room.broker.shown.answers["lifecycle"] = BrokerRefused(400, "no")
    assert (await story(room, "order1")).life_why == "“no”"


async def test_nobody_reads_the_record_of_another_accounts_order(room: Room) -> None:
    room.broker.rest(Side.BUY, 1, "Apex-001")
    room.broker.shown.lives["rest1"] = Lifecycle("Apex-001", ("rest1",), (WORKING,))
    made = await story(room, "rest1")
    assert (made.order, made.life, made.is_elsewhere) == (None, None, True)


async def test_a_record_that_names_no_account_is_shown_only_of_an_order_that_is_known_here(room: Room) -> None:
    room.broker.shown.lives["rest1"] = life = Lifecycle(None, (), (WORKING,))
    made = await story(room, "rest1")
    assert (made.life, made.life_why) == (None, "it doesn't say whose order it is")
    room.broker.rest(Side.BUY, 1)
    assert (await story(room, "rest1")).life == life


@pytest.mark.parametrize("typed", ["", " ", "x" * 65, "a\x00b"])
async def test_what_can_be_no_id_is_refused(room: Room, typed: str) -> None:
    for made in (
        await room.desk.reads.order(TRADER, "Sim101", typed),
        await room.desk.reads.execution(TRADER, "Sim101", typed),
    ):
        assert isinstance(made, Refused)
        assert [denial.code.value for denial in made.denials] == ["BAD_REQUEST"]
