"""Actions of people beside the orders that are judged: they trade in NinjaTrader itself, halt an account and lift that again."""

import asyncio
from contextlib import suppress

from benchmarks.chaos.books import BY_HAND
from benchmarks.chaos.plan import Run
from benchmarks.simulation.stage import World
from bot.sandbox.discord import NotPossibleError
from bot.sandbox.ninjatrader.faults import Kind
from bot.sandbox.ninjatrader.orders import Action, Order, OrderType, Ticket, TimeInForce

LIFTS = "administrator"


def trade_by_hand(world: World, run: Run, action: Action, quantity: int) -> Order:
    """Place a market order where a run has its own."""
    there = world.simulator.world
    account, contract = there.account(run.account), there.contract(run.instrument)
    ticket = Ticket(account, contract, action, OrderType.MARKET, quantity, TimeInForce.DAY, name=BY_HAND)
    return there.exchange.submit(ticket)


def move_position(world: World, run: Run) -> Order:
    """Add one contract to what a run's card shows as open; while the market is shut it stays as it is."""

    def moved() -> None:
        world.moved[run.number] = world.true()
        if world.simulator.hub.tells_events and not world.simulator.faults.has("positionUpdate", Kind.OFFLINE):
            world.told.add(run.number)

    order = trade_by_hand(world, run, Action.SELL if run.held < 0 else Action.BUY, 1)
    world.lookout.when(lambda: bool(order.filled), moved)
    return order


def place_twin(world: World, run: Run) -> Order:
    """Place an order just like the one that a run has sent."""
    return trade_by_hand(world, run, Action.BUY if run.side == "buy" else Action.SELL, run.quantity)


def lists_lag(world: World) -> bool:
    """Tell whether NinjaTrader shows what was."""
    return any(rule.kind is Kind.LAG for rule in world.simulator.faults.rules)


def halt(world: World, run: Run) -> "asyncio.Task[None]":
    """Halt the account of a run, as somebody else."""
    member = "second" if run.member == "trader" else "trader"
    world.halted.append(run.account)
    return asyncio.create_task(_say(world, member, "halt", run.account))


def lift(world: World) -> "asyncio.Task[None]":
    """Lift what was halted first."""
    return asyncio.create_task(_say(world, LIFTS, "resume", world.halted.pop(0)))


async def _say(world: World, member: str, command: str, account: str) -> None:
    # Where the bot hasn't registered its commands yet nobody can say them.
    with suppress(NotPossibleError):
        await world.discord.slash(member, "desk", command, {"scope": "account", "account": account})
