"""Flatten proves itself: over random books with fills, lost answers and failing calls it ends flat, or says what is left."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.requests import FlattenRequest
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind
from bot.sandbox.ninjatrader.orders import Action, OrderType
from bot.trading.exits.leftover import outcome_of
from bot.trading.exits.timings import ExitTimings
from bot.trading.orders.tickets import TicketState
from tests.desk.fakes import eventually
from tests.exits.floor import QUICK, Floor, open_floor, random_accounts, spoil, throw_orders

# Random books are many seconds of a processor, however busy it is.
pytestmark = pytest.mark.timeout(900)

# What still fills when the time is over moves on between the last reading and the look of this test.
A_READING_AGO = timedelta(seconds=2)


def _truth(floor: Floor) -> dict[tuple[str, str], tuple[int, int]]:
    held, working = floor.held(), floor.working()
    return {where: (held.get(where, 0), working.get(where, 0)) for where in held.keys() | working.keys()}


async def flatten_one(seed: int, pace: ExitTimings = QUICK) -> str:
    """Flatten one random book; how it ended."""
    dice, transport = random.Random(seed), "websocket" if seed % 4 == 3 else "rest"
    async with open_floor(random_accounts(dice), transport=transport, seed=seed, pace=pace) as floor:
        throw_orders(floor, dice)
        if not _truth(floor):
            return "nothing"
        spoil(floor, dice)
        ticket = await floor.ask(FlattenRequest("everything"))
        ended = await floor.confirm(ticket)
        floor.simulator.world.market.frozen = True
        # The one call that goes out unseen closes what it finds, at once: what fills beside it can't be waited for.
        unseen = any(leg.unseen for leg in ended.progress.steps)
        assert (floor.made_worse() if unseen else floor.turned_over()) == [], f"book {seed}"
        lines = ended.progress.rows
        told = {(line.account, str(line.contract)): (line.now, line.orders_now) for line in lines}
        truth = _truth(floor)
        if ended.state is TicketState.ACCEPTED and all(line.is_done for line in lines):
            assert truth == {}, f"book {seed}: called flat, but {truth}"
            # Where the time was over before what had no answer was settled, it is told as read, without a time.
            assert ended.progress.done_at is not None or pace.whole < QUICK.whole
            return "flat"
        assert outcome_of(ended), f"book {seed}: {ended.state} without a word"
        for where, (held, working) in truth.items():
            now, orders_now = told.get(where, (None, None))
            reading_ago = floor.host.true() - A_READING_AGO
            lately = floor.held_since(where, reading_ago)
            assert now in {held, None, *lately}, f"book {seed}: {where} is {held}, {working}; told {told}"
            moved = lately or floor.closes_since(where, reading_ago)
            assert moved or orders_now in {working, None}, f"book {seed}: {where} is {held}, {working}; told {told}"
        return "left"


async def flatten_all(seeds: range, pace: ExitTimings = QUICK) -> list[str]:
    """Some at a time."""
    groups = (seeds[start : start + 5] for start in range(0, len(seeds), 5))
    return [end for group in groups for end in await asyncio.gather(*(flatten_one(seed, pace) for seed in group))]


async def test_random_books_end_flat_or_say_just_what_is_left(seeds: range) -> None:
    ends = await flatten_all(seeds)
    assert ends.count("flat") >= len(ends) // 2


async def test_where_the_time_is_over_in_the_middle_it_says_just_what_is_left(seeds: range) -> None:
    ends = await flatten_all(seeds, replace(QUICK, whole=0.12))
    assert "left" in ends


@pytest.mark.parametrize("lists", [("ListPositions",), ("ListOrders",), ("ListPositions", "ListOrders")], ids="+".join)
@pytest.mark.parametrize("fault", [Kind.GARBAGE, Kind.TIMEOUT])
@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_what_can_not_be_read_is_flattened_unseen_once_and_read_back(
    transport: str, fault: Kind, lists: tuple[str, ...]
) -> None:
    holdings = (Holding("ES 12-26", 2), Holding("NQ 12-26", -1))
    async with open_floor((AccountSpec("Sim1", holdings=holdings),), transport=transport) as floor:
        floor.rest("Sim1", "ES 12-26", Action.SELL, OrderType.STOP_MARKET, 200, 2)
        ticket = await floor.ask(FlattenRequest("account", "Sim1"))
        for name in lists:
            floor.simulator.faults.add(fault, name)
        pressed = floor.host()
        press = asyncio.create_task(floor.confirm(ticket))
        await eventually(lambda: bool(floor.simulator.cloud.received))
        assert (floor.host() - pressed).total_seconds() <= 5
        await eventually(lambda: not floor.held())
        floor.simulator.faults.clear()
        ended = await press
        # What protects is not cancelled in front of the one call, which at NinjaTrader cancels and closes by itself.
        assert [one.call for one in floor.simulator.cloud.received] == ["Flatten"]
        assert [leg.unseen for leg in ended.progress.steps] == [True]
        assert all(line.is_done for line in ended.progress.rows)


async def test_what_is_never_read_back_in_its_time_is_told_as_sent_unseen_and_never_called_flat() -> None:
    async with open_floor((AccountSpec("Sim1", holdings=(Holding("ES 12-26", 2),)),)) as floor:
        ticket = await floor.ask(FlattenRequest("account", "Sim1"))
        floor.simulator.faults.add(Kind.GARBAGE, "ListPositions")
        ended = await floor.confirm(ticket)
        assert (ended.state, ended.order_state) == (TicketState.UNKNOWN, None)
        assert "Sent unseen" in (outcome_of(ended) or "")
        assert [one.call for one in floor.simulator.cloud.received] == ["Flatten"]
