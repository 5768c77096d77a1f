"""Ways out one after the other, whatever is broken: none makes a position larger or opposite, or is called done where it isn't.

Random books with lagging lists, shut markets, stuck, deaf, rejected and slow orders, blind and joining add-ons, and a host clock
that somebody sets.
"""

import asyncio
import random
from collections import Counter

import pytest

from bot.desk.requests import CloseRequest, FlattenRequest, TicketRequest
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind
from bot.sandbox.ninjatrader.orders import Action, OrderType
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.tickets import Ticket, TicketState
from tests.exits.floor import QUICK, Floor, open_floor

# Random books are many seconds of a processor, however busy it is.
pytestmark = pytest.mark.timeout(900)

NAME, CONTRACT = "Sim1", "ES 12-26"
WHERE = (NAME, CONTRACT)
CLOSE_CALLS = ("Flatten", "FlattenEverything", "ClosePosition")


def spoil(floor: Floor, dice: random.Random) -> None:
    """Let a few things be broken, each in some of the runs."""
    faults = floor.simulator.faults
    if dice.random() < 0.5:
        for call in CLOSE_CALLS:
            faults.add(Kind.BLIND_CLOSE, call)
    _spoil_lists(floor, dice)
    for kind in (Kind.STUCK, Kind.DEAF, Kind.COMES_BACK):
        if dice.random() < 0.25:
            faults.add(kind, body=dice.choice([None, "Limit", "StopMarket"]))
    if dice.random() < 0.3:
        faults.add(Kind.SLOW_CLOSE, seconds=dice.choice([0.05, 0.3, 3.0]))
    if dice.random() < 0.2:
        faults.add(Kind.LOCKED, seconds=0.01, body={"text": "Account locked"}, count=dice.choice([1, None]))
    for call in CLOSE_CALLS:
        faults.add(Kind.DROP, call, effect=dice.random() < 0.5, probability=0.1)


def _spoil_lists(floor: Floor, dice: random.Random) -> None:
    faults = floor.simulator.faults
    for name in ("ListOrders", "ListPositions"):
        if dice.random() < 0.4:
            faults.add(Kind.LAG, name, seconds=dice.choice([0.01, 0.03, 0.06]))
        if dice.random() < 0.2:
            faults.add(dice.choice([Kind.GARBAGE, Kind.TIMEOUT]), name, probability=dice.choice([0.2, 1.0]), count=30)


def says_done(ticket: Ticket) -> bool:
    """Whether it is told as flat."""
    lines = ticket.progress.rows
    return isinstance(ticket.intent, MassAction) and ticket.state is TicketState.ACCEPTED and all(line.is_done for line in lines)


async def run(seed: int) -> Counter[str]:
    """One random book and a few ways out of it; how often each of them came to what."""
    dice, ends = random.Random(seed), Counter[str]()
    held = dice.choice([-3, -2, -1, 1, 2, 4])
    accounts = (AccountSpec(NAME, holdings=(Holding(CONTRACT, held),)),)
    async with open_floor(accounts, transport="websocket" if seed % 4 == 3 else "rest", seed=seed, pace=QUICK) as floor:
        closing = Action.SELL if held > 0 else Action.BUY
        # Far from the market: what fills is what closes, and nothing else can be to blame.
        for kind in (OrderType.STOP_MARKET, OrderType.LIMIT):
            if dice.random() < 0.6:
                floor.rest(NAME, CONTRACT, closing, kind, 4000, abs(held), "oco")
        floor.simulator.set_market(open_now=dice.random() < 0.7)
        spoil(floor, dice)
        for _ in range(dice.randint(2, 4)):
            ends[await _way_out(floor, dice)] += 1
            await asyncio.sleep(dice.choice([0.0, 0.05, 0.3, 17.0]))
            floor.host.step(dice.choice([0, 0, 34, -34]))
        floor.simulator.set_market(open_now=True)
        await asyncio.sleep(5)
        assert floor.made_worse() == [], f"book {seed}"
        assert abs(floor.held().get(WHERE, 0)) <= abs(held), f"book {seed}"
        assert floor.held().get(WHERE, 0) * held >= 0, f"book {seed}"
    return ends


async def _way_out(floor: Floor, dice: random.Random) -> str:
    requests: tuple[TicketRequest, ...] = (
        FlattenRequest("account", NAME),
        FlattenRequest("instrument", NAME, CONTRACT),
        CloseRequest(NAME, CONTRACT),
        CloseRequest(NAME, CONTRACT, 1),
    )
    made = await floor.offered(dice.choice(requests))
    if made is None:
        return "denied"
    ended = await floor.pressed(made)
    if says_done(ended):
        assert WHERE not in floor.held(), "called flat"
        return "flat"
    return str(ended.state)


async def test_no_way_out_makes_a_position_larger_or_opposite_nor_is_called_done_where_it_is_not(seeds: range) -> None:
    ends = Counter[str]()
    for start in range(0, len(seeds), 5):
        for each in await asyncio.gather(*(run(seed) for seed in seeds[start : start + 5])):
            ends += each
    assert {"flat", "denied", "accepted"} <= set(ends), ends
