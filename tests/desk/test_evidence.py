"""How evidence is looked for: once for all of an account, beside accounts that take long, and never two tickets in one order."""

import asyncio
from dataclasses import replace

from bot.desk.lookup.fronts import Fronts
from bot.desk.lookup.look import MOST_UNCHECKED, FactsReader
from bot.desk.requests import CancelRequest, PlaceRequest, ReverseRequest
from bot.timings import USUAL
from bot.trading.market.facts import Order
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import TicketState
from tests.clocks import TODAY
from tests.desk.conftest import Room
from tests.desk.fakes import ES
from tests.desk.test_commands import REST, resting
from tests.desk.test_proof import PLACE, look, looked_twice, lost


async def test_the_unknown_tickets_of_an_account_share_what_is_read_of_it(room: Room) -> None:
    resting(room)
    placed = await lost(room, PLACE)
    cancelled = await lost(room, CancelRequest("Sim101", REST))
    assert {placed.state, cancelled.state} == {TicketState.UNKNOWN}
    room.broker.called.clear()
    await look(room)
    counts = {name: room.broker.called.count(name) for name in ("orders", "executions", "positions")}
    assert counts == {"orders": 1, "executions": 1, "positions": 1}


async def test_an_account_that_is_slow_to_read_holds_up_no_other_one(room: Room) -> None:
    slow = await lost(room, PLACE)
    quick = await lost(room, PlaceRequest("Sim102", "ES 09-26", Side.BUY, 1))
    room.broker.takes["orders Sim101"] = 600
    room.broker.book_orders.append(
        Order(("there",), "Sim102", ES, Side.BUY, OrderType.MARKET, OrderState.FILLED, 1, filled=1, at=room.clock())
    )
    await look(room)
    assert ((await room.now(slow.id)).state, (await room.now(quick.id)).state) == (TicketState.UNKNOWN, TicketState.ACCEPTED)
    # One look at an account at a time; and it ends with the desk.
    before = room.broker.called.count("orders")
    await look(room)
    assert room.broker.called.count("orders") == before
    await room.desk._reconciler.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "look at Sim101" and not task.done()]


async def test_the_order_of_a_ticket_is_not_told_as_that_of_one_before_it_that_never_arrived(room: Room) -> None:
    """The same was asked again, and its answer is lost, too; as long as nothing tells whose the order is, it is nobody's."""
    first = await looked_twice(room, await lost(room, PLACE))
    second = await lost(room, PLACE)
    room.broker.book_orders.append(
        Order(("there",), "Sim101", ES, Side.BUY, OrderType.MARKET, OrderState.FILLED, 1, filled=1, at=room.clock())
    )
    await look(room)
    await look(room)
    first, second = await room.now(first.id), await room.now(second.id)
    assert (first.state, first.order_ids) == (TicketState.NEVER_ARRIVED, ())
    assert (second.state, second.order_ids) == (TicketState.ACCEPTED, ("there",))


async def test_two_orders_that_nothing_tells_apart_prove_that_a_reversal_was_done(room: Room) -> None:
    ticket = await lost(room, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 2))
    one = Order(("a",), "Sim101", ES, Side.BUY, OrderType.MARKET, OrderState.FILLED, 2, filled=2, at=room.clock())
    room.broker.book_orders += [one, replace(one, ids=("b",))]
    await look(room)
    assert (await room.now(ticket.id)).state is TicketState.UNKNOWN
    room.broker.book_positions["Sim101", ES] = 2
    await look(room)
    told = await room.now(ticket.id)
    assert (told.state, told.order_ids) == (TicketState.ACCEPTED, ("a", "b"))
    assert told.outcome is not None
    assert "orders “a” and “b”" in told.outcome
    await room.passes(1)
    await room.follow()
    ended = await room.now(ticket.id)
    assert (ended.order_state, ended.filled) == (OrderState.FILLED, 2)


async def test_only_the_last_names_of_templates_are_kept_that_could_not_be_checked(room: Room) -> None:
    around = FactsReader(room.broker, USUAL.desk, Fronts(lambda: TODAY))
    room.broker.failing.add("atm_templates")
    for number in range(MOST_UNCHECKED + 1):
        assert await around.templates_beside(f"T{number}") is None
    facts = await around.at("Sim101", ES)
    assert (len(facts.unchecked), "T0" in facts.unchecked) == (MOST_UNCHECKED, False)
