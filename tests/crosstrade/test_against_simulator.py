"""The client against the simulator, which was written from the same pages and shares no line with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from bot.crosstrade import CrossTrade
from bot.errors import BrokerGarbled, BrokerRefused, BrokerUnreachable
from bot.sandbox.ninjatrader import AccountSpec, Kind, Names, Rule, Simulator, Timing, running
from bot.sandbox.ninjatrader import Holding as Held
from bot.sandbox.ninjatrader.hours import Hours
from bot.timings import CrossTradeTimings
from bot.trading.health.vitals import Reach
from bot.trading.market.facts import Position
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.intents import Action, Bracket, Invert, PlaceOrder, Replace
from bot.trading.orders.mass_actions import Holding
from bot.trading.orders.outcomes import Accepted, Rejected, Unknown
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce

from .conftest import Connect
from .intents import ES, reverse, soon
from .vendor import PATIENCE, TOKEN, until

FAST = Timing(step=0.002, fill=0.003, reject=0.02, close_wait=0.25, tick=0.01, quotes=0.02)
LONG_TWO = (AccountSpec("Sim101", holdings=(Held("ES 09-26", 2),)), AccountSpec("Apex A/1", provider="Rithmic"))
CALL = "ReversePosition"

Play = tuple[Simulator, CrossTrade]


# However orders travel, and however instruments are spelt.
WAYS = (("rest", Names.DATED), ("websocket", Names.CODE), ("rest", Names.WORD))


@pytest.fixture(params=WAYS, ids="-".join)
async def play(request: pytest.FixtureRequest, connect: Connect) -> AsyncIterator[Play]:
    transport, names = request.param
    simulator = Simulator(token=TOKEN, accounts=LONG_TWO, timing=FAST, rate_limited=False, names=names)
    async with running(simulator) as url:
        # An answer that can't be read leaves an RPC waiting until its time is over.
        client = await connect(url, transport=transport, streamed=True, timings=CrossTradeTimings(write=2.0))
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
    assert await client.order("Sim101", "nothing") is None
    assert "Scalp" in await client.atm_templates()
    with pytest.raises(BrokerRefused):
        await client.account("Sim999")
    assert client.link.up
    simulator.faults.add(Kind.OFFLINE)
    with pytest.raises(BrokerUnreachable, match="Client not ready"):
        await client.positions("Sim101")
    assert not client.link.up


async def test_what_only_shows_something_is_understood_too(play: Play) -> None:
    simulator, client = play
    standings = {one.account.name: one for one in await client.snapshot()}
    assert (standings["Sim101"].open_count, standings["Apex A/1"].open_count) == (1, 0)
    funds = standings["Sim101"].account.funds
    assert funds is not None
    assert funds.initial.used is not None
    assert funds.initial.used > 0
    assert [(one.account, one.quantity) for one in await client.all_positions()] == [("Sim101", 2)]
    position = await client.position("sim101", ES)
    assert position is not None
    assert position.quantity == 2
    assert await client.position("Apex A/1", ES) is None
    simulator.faults.add(Kind.FLAT_OBJECT)
    assert await client.position("Apex A/1", ES) is None
    with pytest.raises(BrokerRefused, match="Sim999"):
        await client.position("Sim999", ES)
    assert [quote.contract.root for quote in await client.quotes([ES, NQ])] == ["ES", "NQ"]
    (own,) = await client.account_quotes("Sim101", [ES])
    assert (own.contract, own.at) == (ES, None)
    session = await client.session(ES)
    assert session.is_open
    assert session.turns_at is not None
    simulator.world.market.hours = Hours(forced=False)
    session = await client.session(Root("CL"))
    assert (session.is_open, session.contract.root) == (False, "CL")
    assert session.turns_at is not None
    simulator.world.tick()
    marks = await client.watermarks("Sim101")
    assert marks.net_liquidation is not None
    assert await client.atm_templates() == ("Scalp", "MyAtmStrategy")
    assert "GET /v1/api/accounts" in await client.endpoints()


async def test_an_orders_life_status_fills_and_strategy_are_understood(play: Play) -> None:
    _, client = play
    outcome = await client.send(reverse(side=Side.SELL, quantity=3, strategy="Scalp"), deadline=soon())
    assert isinstance(outcome, Accepted)
    order_id = outcome.order_id or ""

    async def filled() -> bool:
        return await client.order_status("Sim101", order_id) is OrderState.FILLED

    await _until(filled)
    life = await client.lifecycle("Apex A/1", order_id)
    assert life.account == "Sim101", "the add-on doesn't look at the account that is asked for"
    assert order_id in life.ids
    assert [event.what for event in life.events if event.source == "api_received"] == ["PlaceOrder"]
    assert all(event.at is not None for event in life.events)
    (fill,) = await client.executions_of("Sim101", order_id)
    assert (fill.quantity, fill.side) == (3, Side.SELL)
    assert await client.execution("Sim101", fill.id) == fill
    assert await client.execution("Sim101", "nothing") is None
    assert await client.order_status("Sim101", "nothing") is None
    assert (await client.lifecycle("Sim101", "nothing")).events == ()
    (strategy,) = await client.strategies("Sim101")
    assert (strategy.name, strategy.quantity) == ("Scalp", -3)
    working = await client.all_orders(active_only=True)
    assert {order.account for order in working} == {"Sim101"}
    assert len(await client.all_orders(active_only=False)) > len(working)


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


NQ = Contract("NQ", 2026, 9)
TWO_ACCOUNTS = tuple(AccountSpec(name, holdings=(Held("ES 09-26", 2), Held("NQ 09-26", -1))) for name in ("Sim101", "Sim102"))
# What is left open, of LONG 2 in ES and SHORT 1 in NQ in each of two accounts.
EVERY = {("Sim101", ES): 2, ("Sim101", NQ): -1, ("Sim102", ES): 2, ("Sim102", NQ): -1}
SWEPT: list[tuple[Action, set[tuple[str, Contract]], set[str]]] = [
    (FlattenAccount("Sim101"), {("Sim101", ES), ("Sim101", NQ)}, {"Sim101"}),
    (FlattenAccount("Sim101", ES), {("Sim101", ES)}, {"Sim101"}),
    (FlattenAccount("Sim101", None, Holding.LONG), {("Sim101", ES)}, {"Sim101"}),
    (FlattenAccount("Sim101", None, Holding.SHORT), {("Sim101", NQ)}, set()),
    (FlattenAccount("Sim101", NQ, Holding.LONG), set(), set()),
    (FlattenEverything(), set(EVERY), {"Sim101", "Sim102"}),
    (CancelOrders("Sim101"), set(), {"Sim101"}),
    (CancelOrders("Sim101", NQ), set(), set()),
    (CancelEverything(), set(), {"Sim101", "Sim102"}),
]


@pytest.fixture(params=["rest", "websocket"])
async def two(request: pytest.FixtureRequest, connect: Connect) -> AsyncIterator[Play]:
    """Two accounts with the same in them, and an order in each that rests far from the market."""
    simulator = Simulator(token=TOKEN, accounts=TWO_ACCOUNTS, timing=FAST, rate_limited=False)
    simulator.world.market.frozen = True
    async with running(simulator) as url:
        client = await connect(url, transport=request.param)
        if client.stream is not None:
            await client.stream.opened()
        price = (await client.quote(ES)).tick_size
        for name in ("Sim101", "Sim102"):
            resting = PlaceOrder(name, ES, Terms(Side.BUY, 1, OrderType.LIMIT, limit=price), f"rest {name}")
            assert isinstance(await client.send(resting, deadline=soon()), Accepted)
        yield simulator, client


@pytest.mark.parametrize(("action", "closed", "cancelled"), SWEPT, ids=[str(action) for action, _, _ in SWEPT])
async def test_a_mass_action_reaches_just_what_it_names(
    two: Play, action: Action, closed: set[tuple[str, Contract]], cancelled: set[str]
) -> None:
    _, client = two
    assert isinstance(await client.send(action, deadline=soon()), Accepted)
    names = ("Sim101", "Sim102")

    async def quiet() -> bool:
        lists = [await client.orders(name, active_only=True) for name in names]
        return sum(map(len, lists)) == len(names) - len(cancelled)

    await _until(quiet)
    held = {(p.account, p.contract): p.quantity for name in names for p in await client.positions(name) if p.quantity}
    assert held == {where: quantity for where, quantity in EVERY.items() if where not in closed}
    working = {name for name in names if await client.orders(name, active_only=True)}
    assert working == set(names) - cancelled


async def test_a_position_is_turned_round_at_its_own_size(play: Play) -> None:
    _, client = play
    outcome = await client.send(Invert("Sim101", ES, Terms(Side.SELL, 2)), deadline=soon())
    assert isinstance(outcome, Accepted)
    assert outcome.order_id

    async def turned() -> bool:
        return [position.quantity for position in await client.positions("Sim101")] == [-2]

    await _until(turned)


async def test_an_order_is_replaced_by_one_with_an_id_of_its_own(play: Play) -> None:
    _, client = play
    tick = (await client.quote(ES)).tick_size
    terms = Terms(Side.BUY, 1, OrderType.LIMIT, TimeInForce.GTC, limit=tick)
    first = await client.send(PlaceOrder("Sim101", ES, terms, "own"), deadline=soon())
    assert isinstance(first, Accepted)
    after = Terms(Side.BUY, 3, OrderType.LIMIT, TimeInForce.GTC, limit=tick * 2)
    second = await client.send(Replace("Sim101", ES, after, first.order_id or "", terms), deadline=soon())
    assert isinstance(second, Accepted)
    [order] = await client.orders("Sim101", active_only=True)
    assert (order.quantity, order.limit) == (3, tick * 2)
    assert second.order_id in order.ids
    assert second.order_id != first.order_id


async def test_a_bracket_is_a_target_and_a_stop_of_one_group(play: Play) -> None:
    _, client = play
    tick = (await client.quote(ES)).tick_size
    stop = Terms(Side.SELL, 2, OrderType.STOPMARKET, TimeInForce.GTC, stop=tick)
    outcome = await client.send(Bracket("Sim101", ES, stop, Decimal(99_000)), deadline=soon())
    assert isinstance(outcome, Accepted)
    assert (outcome.order_id, len(outcome.listed)) == (None, 2)
    working = {order.type: order for order in await client.orders("Sim101", active_only=True)}
    target, its_stop = working[OrderType.LIMIT], working[OrderType.STOPMARKET]
    assert (target.side, target.quantity, target.limit) == (Side.SELL, 2, Decimal(99_000))
    assert (its_stop.side, its_stop.quantity, its_stop.stop) == (Side.SELL, 2, tick)
    assert target.oco
    assert target.oco == its_stop.oco


@pytest.mark.parametrize(
    "rule", [Rule(Kind.GARBAGE), Rule(Kind.ANSWER, status=200, body={"success": True})], ids=["torn", "empty"]
)
async def test_while_no_answer_can_be_read_it_is_known_and_counted(play: Play, rule: Rule) -> None:
    simulator, client = play
    await client.accounts()
    simulator.faults.rules.append(rule)
    for _ in range(2):
        for reading in (client.accounts(), client.all_positions(), client.positions("Sim101")):
            with pytest.raises(BrokerGarbled):
                await reading
    vitals = client.vitals()
    assert (vitals.reach, vitals.garbled) == (Reach.GARBLED, {"accounts": 2, "all positions": 2, "positions": 2})
    simulator.faults.clear()
    await client.accounts()
    assert "accounts" not in client.vitals().garbled
