"""Orders that travel by the stream while it is away: ways out go by REST, entries where the policy says so, once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from bot.crosstrade import CrossTrade
from bot.crosstrade.stream import STOPPED
from bot.sandbox.ninjatrader import AccountSpec, Kind, Resting, Rule, Simulator, running
from bot.sandbox.ninjatrader import Holding as Held
from bot.timings import CrossTradeTimings
from bot.trading.health.vitals import Reach, StreamState
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything
from bot.trading.orders.intents import Action, Bracket, Cancel, Change, Close, FlatPlace, Invert, PlaceOrder, Replace
from bot.trading.orders.mass_actions import Holding
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Unknown
from bot.trading.orders.terms import OrderType, Side, Terms

from .conftest import Connect
from .intents import ES, reverse, soon
from .test_against_simulator import FAST
from .vendor import TOKEN, until

ACCOUNTS = (AccountSpec("Sim101", holdings=(Held("ES 09-26", 2),), orders=(Resting("ES 09-26", -2, 40),)),)
SELL = Terms(Side.SELL, 2)
Play = tuple[Simulator, CrossTrade, list[bool]]


@pytest.fixture
async def play(connect: Connect) -> AsyncIterator[Play]:
    """A client whose orders travel by the stream, and whether entries fall back."""
    simulator = Simulator(token=TOKEN, accounts=ACCOUNTS, timing=FAST, rate_limited=False)
    allowed = [False]
    async with running(simulator) as url:
        options: dict[str, Any] = {"transport": "websocket", "timings": CrossTradeTimings(backoff=(0.05,), write=5.0)}
        client = await connect(url, **options, entries_fall_back=lambda: allowed[-1])
        await client.stream.opened()
        yield simulator, client, allowed


async def taken(simulator: Simulator, client: CrossTrade) -> None:
    simulator.hub.give_away()
    await until(lambda: client.stream is not None and client.stream.stopped)


async def shut(simulator: Simulator, client: CrossTrade) -> None:
    simulator.hub.set_open(open_now=False)
    await until(lambda: client.stream is not None and "503" in client.stream.link.why)


async def cut(simulator: Simulator, client: CrossTrade) -> None:
    """Closed, and the next attempt is under way."""
    simulator.hub.set_open(open_now=False)
    await until(lambda: client.stream is not None and not client.stream.link.up)


AWAY = pytest.mark.parametrize("away", [taken, shut, cut], ids=lambda way: way.__name__)
Away = Callable[[Simulator, CrossTrade], Awaitable[None]]


def working(simulator: Simulator) -> str:
    return next(order.id for order in simulator.world.exchange.orders)


def ways_out(order: str) -> list[Action]:
    """One of each."""
    return [
        Cancel("Sim101", ES, SELL, order),
        CancelOrders("Sim101", ES),
        CancelOrders("Sim101"),
        CancelEverything(),
        Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(1)), Decimal(90000)),
        Close("Sim101", ES, SELL),
        FlattenAccount("Sim101", ES),
        FlattenAccount("Sim101", None, Holding.LONG),
        FlattenAccount("Sim101"),
        FlattenEverything(),
        CloseStrategy("Sim101", "none"),
    ]


def entries(order: str) -> list[Action]:
    """One of each."""
    return [
        reverse(),
        Invert("Sim101", ES, SELL),
        PlaceOrder("Sim101", ES, SELL, "own1"),
        FlatPlace("Sim101", ES, SELL),
        Change("Sim101", ES, Terms(Side.SELL, 1), order, SELL),
        Replace("Sim101", ES, SELL, order, SELL),
    ]


def left(simulator: Simulator) -> list[str]:
    """How each call came that could change something."""
    return [record.transport for record in simulator.cloud.received]


@AWAY
async def test_every_way_out_goes_by_rest_once(play: Play, away: Away) -> None:
    simulator, client, _ = play
    for number, action in enumerate(ways_out(working(simulator))):
        assert action.is_exit
        if number == 0:
            await away(simulator, client)
        outcome = await client.send(action, deadline=soon())
        assert not isinstance(outcome, NotSent), action
        assert left(simulator) == ["rest"] * (number + 1)


@AWAY
async def test_the_position_is_closed(play: Play, away: Away) -> None:
    simulator, client, _ = play
    await away(simulator, client)
    assert isinstance(await client.send(Close("Sim101", ES, SELL), deadline=soon()), Accepted)
    await until(lambda: not simulator.world.accounts[0].open_positions())


@AWAY
@pytest.mark.parametrize("allowed", [False, True])
async def test_entries_go_by_rest_where_the_policy_says_so(play: Play, away: Away, allowed: bool) -> None:
    simulator, client, switch = play
    switch.append(allowed)
    await away(simulator, client)
    outcomes = [await client.send(action, deadline=soon()) for action in entries(working(simulator))]
    assert left(simulator) == (["rest"] * len(outcomes) if allowed else [])
    assert not any(action.is_exit for action in entries("x"))
    for outcome in outcomes:
        assert isinstance(outcome, NotSent) is not allowed
        assert allowed or "entries_fall_back = true" in str(outcome)


async def test_while_it_is_open_nothing_goes_by_rest(play: Play) -> None:
    simulator, client, switch = play
    switch.append(True)
    for action in (*entries(working(simulator)), *ways_out(working(simulator))):
        await client.send(action, deadline=soon())
    assert set(left(simulator)) == {"rpc"}


@pytest.mark.parametrize("rule", [Rule(Kind.DROP, effect=True), Rule(Kind.DROP), Rule(Kind.RESET), Rule(Kind.GARBAGE)], ids=str)
async def test_what_was_put_on_the_stream_goes_no_other_way(play: Play, rule: Rule) -> None:
    simulator, client, switch = play
    switch.append(True)
    simulator.faults.rules.append(rule)
    for action in (Close("Sim101", ES, SELL), PlaceOrder("Sim101", ES, SELL, "own1")):
        await client.stream.opened()  # type: ignore[union-attr]  # it has one
        assert isinstance(await client.send(action, deadline=soon()), Unknown)
    assert left(simulator) == ["rpc", "rpc"]


async def test_what_is_on_its_way_when_another_program_takes_the_stream_is_unknown_and_not_repeated(play: Play) -> None:
    simulator, client, _ = play
    simulator.faults.rules.append(Rule(Kind.DELAY, "ClosePosition", seconds=1.0))
    sending: asyncio.Task[Outcome] = asyncio.create_task(client.send(Close("Sim101", ES, SELL), deadline=soon()))
    await until(lambda: left(simulator))
    await taken(simulator, client)
    assert isinstance(await sending, Unknown)
    assert left(simulator) == ["rpc"]


async def test_once_it_is_open_again_it_is_used_again(play: Play) -> None:
    simulator, client, _ = play
    await shut(simulator, client)
    simulator.hub.set_open(open_now=True)
    await until(lambda: client.stream is not None and client.stream.link.up)
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    assert left(simulator) == ["rpc"]


async def test_what_something_stands_against_goes_neither_way(connect: Connect) -> None:
    simulator = Simulator(token=TOKEN, accounts=ACCOUNTS, timing=FAST, rate_limited=False)
    barred: list[str] = []
    async with running(simulator) as url:
        client = await connect(
            url, transport="websocket", timings=CrossTradeTimings(backoff=(60.0,)), why_not=lambda: barred[0] if barred else None
        )
        await client.stream.opened()
        barred.append("Another machine leads.")
        assert await client.send(Close("Sim101", ES, SELL), deadline=soon()) == NotSent("Another machine leads.")
        await taken(simulator, client)
        assert await client.send(Close("Sim101", ES, SELL), deadline=soon()) == NotSent("Another machine leads.")
        assert left(simulator) == []


async def test_an_order_that_never_left_says_nothing_of_crosstrade(play: Play) -> None:
    simulator, client, switch = play
    await client.positions("Sim101")
    await taken(simulator, client)
    assert isinstance(await client.send(reverse(), deadline=soon()), NotSent)
    vitals = client.vitals()
    assert (vitals.reach, vitals.stream, vitals.stream_why) == (Reach.GOOD, StreamState.TAKEN, STOPPED)
    assert vitals.entries_by_stream
    assert not client.link.up
    switch.append(True)
    assert not client.vitals().entries_by_stream
    assert client.link.up


async def test_another_program_that_opens_the_stream_is_the_same(play: Play) -> None:
    simulator, client, _ = play
    url = f"{client._url}/ws/stream"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session, session.ws_connect(url):
        await until(lambda: client.stream is not None and client.stream.stopped)
        assert isinstance(await client.send(Close("Sim101", ES, SELL), deadline=soon()), Accepted)
    assert left(simulator) == ["rest"]
