"""The client against the simulator, which was written from the same pages and shares no line with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from bot.crosstrade import CrossTrade
from bot.errors import BrokerRefused, BrokerUnreachable
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind, Rule, Simulator, Timing, running
from bot.trading.facts import Position
from bot.trading.instruments import Contract, Root
from bot.trading.orders import OrderState, OrderType, Side, TimeInForce
from bot.trading.outcomes import Accepted, Rejected, Unknown

from .conftest import Connect
from .intents import ES, reverse, soon
from .vendor import PATIENCE, TOKEN, until

FAST = Timing(step=0.002, fill=0.003, reject=0.02, close_wait=0.25, tick=0.01, quotes=0.02)
LONG_TWO = (AccountSpec("Sim101", holdings=(Holding("ES 09-26", 2),)), AccountSpec("Apex A/1", provider="Rithmic"))
CALL = "ReversePosition"

Play = tuple[Simulator, CrossTrade]


@pytest.fixture(params=["rest", "websocket"])
async def play(request: pytest.FixtureRequest, connect: Connect) -> AsyncIterator[Play]:
    simulator = Simulator(token=TOKEN, accounts=LONG_TWO, timing=FAST, rate_limited=False)
    async with running(simulator) as url:
        client = await connect(url, transport=request.param)
        if client.stream is not None:
            await client.stream.opened()
        yield simulator, client


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.002)


async def test_a_position_is_reversed_and_its_order_followed_to_the_fill(play: Play) -> None:
    simulator, client = play
    (before,) = await client.positions("sim101")
    assert (before.account, before.contract, before.quantity) == ("Sim101", ES, 2)
    outcome = await client.send(reverse(side=Side.SELL, quantity=3), deadline=soon())
    assert isinstance(outcome, Accepted)
    order_id = outcome.order_id or ""
    assert [order.ticket.quantity for order in simulator.world.exchange.orders] == [2, 3]

    async def filled() -> bool:
        order = await client.order("Sim101", order_id)
        assert order is not None
        assert order_id in order.ids
        return order.state is OrderState.FILLED and order.filled == 3

    await _until(filled)
    assert [position.quantity for position in await client.positions("Sim101")] == [-3]
    fills = [one for one in await client.executions("Sim101") if one.order_id == outcome.order_id]
    assert [(fill.side, fill.quantity) for fill in fills] == [(Side.SELL, 3)]
    listed = await client.orders("Sim101", active_only=False)
    assert outcome.order_id in {one for order in listed for one in order.ids}
    assert await client.orders("Sim101", active_only=True) == ()


async def test_a_limit_order_arrives_with_all_its_terms(play: Play) -> None:
    simulator, client = play
    price = (await client.quote(ES)).tick_size * 4
    intent = reverse(type=OrderType.LIMIT, limit=price, tif=TimeInForce.GTC, oco="o-1")
    outcome = await client.send(intent, deadline=soon())
    assert isinstance(outcome, Accepted)
    (order,) = await client.orders("Sim101", active_only=True)
    assert (order.limit, order.type, order.oco, order.side, order.quantity) == (price, OrderType.LIMIT, "o-1", Side.BUY, 1)
    (received,) = simulator.cloud.received
    assert '"limitPrice":1.00' in received.text
    assert "stopPrice" not in received.text


async def test_no_position_is_rejected_in_the_words_of_crosstrade(play: Play) -> None:
    simulator, client = play
    outcome = await client.send(reverse(contract=Contract("MES", 2025, 12)), deadline=soon())
    assert isinstance(outcome, Rejected)
    assert "No position found for instrument 'MES 12-25'" in outcome.text
    assert simulator.world.exchange.orders == []


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Kind.TIMEOUT),
        Rule(Kind.TIMEOUT, effect=True),
        Rule(Kind.OFFLINE),
        Rule(Kind.DROP),
        Rule(Kind.DROP, effect=True),
        Rule(Kind.RESET, effect=True),
        Rule(Kind.GARBAGE),
        Rule(Kind.ANSWER, status=502, body={"error": "Bad Gateway"}, effect=True),
        Rule(Kind.ANSWER, status=200, body="<html></html>", effect=True),
        Rule(Kind.ANSWER, status=200, body={"success": True}, effect=True),
    ],
    ids=lambda rule: f"{rule.kind} {rule.effect}",
)
async def test_a_lost_answer_is_unknown_and_the_order_is_there_once_at_most(play: Play, rule: Rule) -> None:
    simulator, client = play
    rule.call = CALL
    simulator.faults.rules.append(rule)
    assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)
    assert len(simulator.cloud.received) == 1
    assert len(simulator.world.exchange.orders) == (2 if rule.effect or rule.kind is Kind.GARBAGE else 0)


async def test_too_many_requests_are_rejected_and_not_sent_again(play: Play) -> None:
    simulator, client = play
    simulator.faults.add(Kind.RATE_LIMIT, CALL)
    outcome = await client.send(reverse(), deadline=soon())
    assert isinstance(outcome, Rejected)
    assert "rate_limited" in outcome.text
    assert simulator.world.exchange.orders == []


async def test_the_reads_understand_the_simulator(play: Play) -> None:
    simulator, client = play
    names = {account.name: account for account in await client.accounts()}
    assert set(names) == {"Sim101", "Apex A/1"}
    account = await client.account("SIM101")
    assert (account.name, account.is_simulation, account.connected) == ("Sim101", True, True)
    assert account.cash == Decimal(100_000)
    assert account.day_result is not None
    assert not (await client.account("Apex A/1")).is_simulation
    assert await client.positions("Apex A/1") == ()
    quote = await client.quote(ES)
    assert (quote.contract, quote.tick_size, quote.point_value, quote.market_open) == (ES, Decimal("0.25"), Decimal(50), True)
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.bid < quote.ask
    assert (quote.age(soon(0)) or 0) < 5
    assert (await client.quote(Root("ES"))).contract.root == "ES"
    assert await client.order("Sim101", "nothing") is None
    assert "Scalp" in await client.atm_templates()
    with pytest.raises(BrokerRefused):
        await client.account("Sim999")
    assert client.link.up
    simulator.faults.add(Kind.OFFLINE)
    with pytest.raises(BrokerUnreachable, match="Client not ready"):
        await client.positions("Sim101")
    assert not client.link.up


async def test_rows_without_order_id_are_found_by_their_id(play: Play) -> None:
    simulator, client = play
    simulator.faults.add(Kind.NULL_ORDER_ID)
    outcome = await client.send(reverse(), deadline=soon())
    assert isinstance(outcome, Accepted)
    listed = await client.orders("Sim101", active_only=False)
    assert outcome.order_id in {one for order in listed for one in order.ids}


async def test_a_second_program_on_the_stream_ends_the_first(connect: Connect) -> None:
    simulator = Simulator(token=TOKEN, accounts=LONG_TWO, timing=FAST)
    async with running(simulator) as url:
        first = await connect(url, transport="websocket")
        await first.stream.opened()
        second = await connect(url, transport="websocket")
        await until(lambda: first.stream.stopped)
        assert second.stream.link.up
        assert isinstance(await second.send(reverse(), deadline=soon()), Accepted)
        assert len(await first.orders("Sim101", active_only=False)) == 2


async def test_our_budget_keeps_within_the_vendors(connect: Connect) -> None:
    simulator = Simulator(token=TOKEN, accounts=LONG_TWO, timing=FAST)
    async with running(simulator) as url:
        client = await connect(url, rate=3.0, burst=20)
        lists = [await client.positions("Sim101") for _ in range(16)]
        outcome = await client.send(reverse(), deadline=soon())
    assert all(isinstance(one[0], Position) for one in lists)
    assert isinstance(outcome, Accepted)
