"""What open cards will be decided on is read anew before it is too old, as far as the budget allows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.lookup.fronts import Fronts
from bot.desk.lookup.keeping import LEAST_LEFT, Keeping
from bot.desk.lookup.look import FactsReader
from bot.desk.ports import EventName
from bot.desk.requests import CloseRequest, FlattenRequest, PlaceRequest
from bot.timings import USUAL
from bot.trading.market.facts import Account
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket
from tests.clocks import TODAY
from tests.desk.conftest import Room

OLD = timedelta(seconds=1.5)
PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1, OrderType.MARKET)
ITS = ["accounts", "orders", "positions", "quote"]
OF_ALL = ["accounts", "all_orders", "all_positions"]


@pytest.fixture
def keeping(room: Room) -> Keeping:
    return Keeping(room.broker, room.broker, lambda: room.policies[-1], room.clock, USUAL.desk)


async def card(room: Room, account: str = "Sim101") -> Ticket:
    """An open card, of an account of which what is known is too old."""
    ticket = await room.ticket(replace(PLACE, account=account))
    room.broker.ages[account] = OLD
    room.broker.called.clear()
    return ticket


async def test_shortly_before_it_is_too_old_it_is_read_anew(room: Room, keeping: Keeping) -> None:
    ticket = await card(room)
    room.broker.ages["Sim101"] = timedelta(seconds=1)
    assert await keeping.look([ticket]) == pytest.approx(0.35)
    assert room.broker.called == []
    room.broker.ages["Sim101"] = OLD - USUAL.desk.kept_before
    assert await keeping.look([ticket]) == pytest.approx(0.15)
    assert sorted(room.broker.called) == ITS


async def test_what_takes_longer_is_begun_earlier(room: Room, keeping: Keeping) -> None:
    ticket = await card(room)
    room.broker.takes["orders"] = 0.2
    await keeping.look([ticket])
    room.broker.ages["Sim101"] = timedelta(seconds=1)
    room.broker.called.clear()
    assert await keeping.look([ticket]) == pytest.approx(0.55)
    assert sorted(room.broker.called) == ITS


async def test_what_is_void_is_read_at_once(room: Room, keeping: Keeping) -> None:
    ticket = await card(room)
    room.broker.ages["Sim101"] = None
    await keeping.look([ticket])
    assert sorted(room.broker.called) == ITS


async def test_many_accounts_are_read_by_the_lists_over_all(room: Room, keeping: Keeping) -> None:
    for number in range(4):
        room.broker.book_accounts[f"Sim{number}"] = Account(f"Sim{number}", "Simulator", connected=True)
    await room.desk._directory.refresh_accounts(room.broker)
    room.rule(grants=tuple(replace(grant, accounts=("*",)) for grant in room.policies[-1].grants))
    cards = [await card(room, f"Sim{number}") for number in range(4)]
    await keeping.look(cards)
    assert sorted(room.broker.called) == sorted([*OF_ALL, "accounts", "quote"])
    room.broker.called.clear()
    room.broker.failing |= set(OF_ALL)
    await keeping.look(cards)
    assert "quote" in room.broker.called


async def test_nobody_else_waits_for_it(room: Room, keeping: Keeping) -> None:
    ticket = await card(room)
    room.broker.known = replace(room.broker.known, budget=LEAST_LEFT - 1)
    assert await keeping.look([ticket]) == pytest.approx(0.15)
    assert room.broker.called == []


async def test_what_can_not_be_read_is_left_to_the_press(room: Room, keeping: Keeping) -> None:
    ticket = await card(room)
    room.broker.failing |= {"orders", "quote"}
    room.broker.hanging.add("positions")
    assert await keeping.look([ticket]) is not None


async def test_nothing_is_kept_for_cards_that_are_over_mass_actions_or_a_policy_that_reads_all_anew(
    room: Room, keeping: Keeping
) -> None:
    ticket = await card(room)
    mass_action = await room.ticket(FlattenRequest("account", "Sim101"))
    room.broker.called.clear()
    assert await keeping.look([mass_action]) is None
    room.rule(fresh=timedelta(0))
    assert await keeping.look([ticket]) is None
    room.rule(fresh=OLD)
    await room.cancel(ticket)
    assert await keeping.look([await room.now(ticket.id)]) is None
    close = await room.ticket(CloseRequest("Sim101", "ES 09-26"))
    room.broker.called.clear()
    await keeping.look([close])
    assert sorted(room.broker.called) == ITS


async def test_more_than_a_few_accounts_that_are_asked_about_at_once_are_read_together(room: Room) -> None:
    around = FactsReader(room.broker, USUAL.desk, Fronts(lambda: TODAY))
    now = room.clock()
    for name in ("A", "B", "C"):
        room.broker.ages[name] = None
        await around.together(name, OLD, now)
    assert room.broker.called == []
    await around.together("D", OLD, now)
    assert room.broker.called == []
    room.broker.ages["E"] = None
    await around.together("E", OLD, now)
    assert room.broker.called == ["all_orders", "all_positions", "accounts"]
    room.broker.called.clear()
    await around.together("A", OLD, now + 2 * OLD)
    assert room.broker.called == []


async def test_what_is_told_of_an_order_makes_void_what_was_read_of_its_account(room: Room) -> None:
    ticket = await room.ticket(PLACE)
    await room.confirm(ticket)
    room.broker.voided.clear()
    room.broker.change(room.broker.book_orders[-1].id, OrderState.FILLED, 1)
    await room.passes(1)
    await room.follow()
    assert EventName.FILLED in [event.name for event in await room.journal.events(ticket.id)]
    assert room.broker.voided == ["Sim101"]
