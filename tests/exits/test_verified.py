"""The verified reversal: over random runs with slow closes and lost answers the new order never meets the old position."""

import asyncio
import random

import pytest

from bot.desk.requests import ReverseRequest
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import TicketState
from tests.exits.floor import LATE, QUICK, Floor, open_floor

# Random books are many seconds of a processor, however busy it is.
pytestmark = pytest.mark.timeout(900)

WHERE = ("Sim1", "ES 12-26")
CALLS = ("ClosePosition", "PlaceOrder")


def _spoil(floor: Floor, dice: random.Random) -> None:
    faults = floor.simulator.faults
    faults.add(Kind.BLIND_CLOSE)
    # Some closes take longer than the desk waits for them.
    faults.add(Kind.SLOW_CLOSE, "ClosePosition", seconds=dice.choice([0.05, 0.2, 2.0]), probability=0.7)
    faults.add(Kind.PARTIAL, "ClosePosition", quantity=1, seconds=dice.choice([0.01, 0.1]), probability=0.3)
    faults.add(Kind.REJECT, "ClosePosition", seconds=0.01, probability=0.1)
    for call in CALLS:
        faults.add(dice.choice([Kind.DROP, Kind.RESET, Kind.TIMEOUT]), call, effect=True, probability=0.15)
        faults.add(dice.choice([Kind.DROP, Kind.RESET, Kind.TIMEOUT]), call, effect=False, probability=0.1)
        faults.add(Kind.ANSWER, call, status=400, body={"success": False, "error": "busy"}, probability=0.1)
        faults.add(Kind.DELAY, call, seconds=LATE, probability=0.1)
    for call in ("ListOrders", "ListPositions"):
        faults.add(Kind.TIMEOUT, call, probability=0.1)


async def reverse_one(seed: int, transport: str) -> TicketState:
    """Reverse one random position; how the ticket ended."""
    dice = random.Random(seed)
    held = dice.choice([-3, -2, -1, 1, 2, 4])
    quantity = dice.randint(1, 3)
    accounts = (AccountSpec("Sim1", holdings=(Holding("ES 12-26", held),)),)
    async with open_floor(accounts, transport=transport, seed=seed, pace=QUICK) as floor:
        side = Side.SELL if held > 0 else Side.BUY
        ticket = await floor.ask(ReverseRequest("Sim1", "ES 12-26", side, quantity, mode="verified"))
        _spoil(floor, dice)
        ended = await floor.confirm(ticket)
        await _quiet(floor)
        entries = [one for one in floor.simulator.world.exchange.orders if one.ticket.name not in {"Close", "Partial close"}]
        requests = [one.call for one in floor.simulator.cloud.received]
        assert requests.count("ClosePosition") <= 1, f"run {seed}: {requests}"
        assert requests.count("PlaceOrder") <= 1, f"run {seed}: {requests}"
        assert len(entries) <= 1, f"run {seed}"
        now = floor.held().get(WHERE, 0)
        # Never more than what was asked for on the new side, and never the new order on top of the old position.
        assert now in {held, 0, quantity * side.sign} or (abs(now) < abs(held) and now * held > 0), f"run {seed}: {held} -> {now}"
        if entries:
            filled = next((one for one in floor.simulator.world.exchange.executions if one.order_id == entries[0].id), None)
            assert filled is None or filled.held - filled.signed == 0, f"run {seed}: the new order met {filled}"
        if ended.state is TicketState.ACCEPTED:
            assert len(entries) == 1, f"run {seed}: told accepted without an order"
        return ended.state


async def _quiet(floor: Floor) -> None:
    """Wait until nothing is on its way at the simulator."""
    async with asyncio.timeout(5):
        while floor.working() or any(one.status is None and not one.had_effect for one in floor.simulator.cloud.received[-1:]):
            await asyncio.sleep(0.01)
            if not floor.working():
                break


async def test_random_reversals_never_double_a_position(seeds: range) -> None:
    ends: list[TicketState] = []
    for start in range(0, len(seeds), 5):
        runs = (reverse_one(seed, "websocket" if seed % 4 == 3 else "rest") for seed in seeds[start : start + 5])
        ends += await asyncio.gather(*runs)
    assert {TicketState.ACCEPTED, TicketState.NOT_SENT} <= set(ends), "too few kinds of end to prove anything"
