"""The stream as a source of prices, results and news: nobody depends on it, whatever becomes of it and however orders travel."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from bot.clock import system_clock
from bot.crosstrade import CrossTrade
from bot.crosstrade.budget import Priority
from bot.crosstrade.feed import Feed
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind, Names, Simulator, Timing, running
from bot.timings import USUAL, CrossTradeTimings
from bot.trading.orders.instruments import Contract
from bot.trading.orders.outcomes import Accepted
from tests.clocks import HandClock

from .conftest import Connect
from .intents import ES, reverse, soon
from .test_stream import _waits
from .vendor import TOKEN, Vendor, quotes, row, until

NQ = Contract("NQ", 2026, 9)
EVENTS: dict[str, Any] = {"action": "subscribe", "events": ["orders", "executions", "positions"]}


@pytest.fixture(params=["rest", "websocket"])
async def client(request: pytest.FixtureRequest, connect: Connect) -> CrossTrade:
    """A client with its stream open, whichever way orders travel. Its clock stands, so that a slow machine makes nothing old."""
    clock = HandClock(soon(0))
    clock.seconds = time.monotonic  # type: ignore[method-assign]  # the budget of changes fills up all the same
    made: CrossTrade = await connect(
        transport=request.param, streamed=True, timings=CrossTradeTimings(backoff=(0.01,)), clock=clock
    )
    return made


def asked(vendor: Vendor, action: str = "subscribe") -> list[str]:
    """The instruments that were asked for, or asked for no more, in order."""
    return [name for frame in vendor.asks if frame["action"] == action for name in frame.get("instruments", ())]


@dataclass
class Ear:
    """Who hears the news."""

    heard: list[str | None] = field(default_factory=list)

    def __call__(self, account: str | None) -> None:
        self.heard.append(account)


async def pushed(vendor: Vendor, client: CrossTrade, *rows: object) -> None:
    """Push rows, and wait until they have been taken."""
    await vendor.push(quotes(*rows), {"type": "orderUpdate", "order": {}, "account": "mark"})
    ear = Ear()
    client.listen(ear)
    await until(lambda: "mark" in ear.heard)


async def test_a_quote_that_was_read_is_pushed_from_then_on(vendor: Vendor, client: CrossTrade) -> None:
    first = await client.quote(ES)
    assert first.last == 5800
    await until(lambda: asked(vendor) == ["ES 09-26"])
    await pushed(vendor, client, row())
    assert (await client.quote(ES)).last == 5800
    assert vendor.reads("quote") == 2
    await pushed(vendor, client, row(last=5801.25))
    quote = await client.quote(ES)
    assert (quote.contract, quote.tick_size, quote.point_value) == (ES, first.tick_size, first.point_value)
    assert (quote.last, quote.bid, quote.ask) == (Decimal("5801.25"), Decimal(5801), Decimal("5801.5"))
    assert quote.market_open is True
    assert quote.at == client._clock()
    assert vendor.reads("quote") == 2


async def test_prices_that_stand_still_are_asked_for(vendor: Vendor, client: CrossTrade) -> None:
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])
    for _ in range(5):
        await pushed(vendor, client, row())
    vendor.prices["ES 09-26"] = 5790.0
    assert (await client.quote(ES)).last == 5790
    assert vendor.reads("quote") == 2


async def test_a_contract_that_was_asked_for_is_pushed_then(vendor: Vendor, client: CrossTrade) -> None:
    await client.quote(NQ)
    await until(lambda: asked(vendor) == ["NQ 09-26"])
    await pushed(vendor, client, row("NQ 09-26", 20000))
    await pushed(vendor, client, row("NQ 09-26", 20001))
    assert (await client.quote(NQ)).last == 20001


async def test_prices_that_nobody_waits_for_are_not_subscribed_to(vendor: Vendor, client: CrossTrade) -> None:
    await client.lane(Priority.BACKGROUND).quote(NQ)
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])


async def test_rows_that_were_not_asked_for_are_not_used(vendor: Vendor, client: CrossTrade) -> None:
    await client.lane(Priority.BACKGROUND).quote(NQ)
    for last in (20000, 20001, 20002):
        await pushed(vendor, client, row("NQ 09-26", last))
    await client.quote(NQ)
    assert vendor.reads("quote") == 2


async def test_what_is_held_is_subscribed_to_with_its_results(vendor: Vendor, client: CrossTrade) -> None:
    vendor.positions = {"ES 09-26": 2, "NQ 09-26": -1}
    await client.positions("Sim101")
    await until(lambda: len(vendor.asks) == 3)
    assert vendor.asks == [
        EVENTS,
        {"action": "subscribe", "instruments": ["ES 09-26", "NQ 09-26"]},
        {"action": "streamPnl", "enabled": True, "interval": 1000},
    ]
    vendor.positions = {"ES 09-26": 2}
    await client.positions("Sim101")
    vendor.positions = {}
    # The account is listed no more.
    await client.accounts()
    # Letting go leaves some of the budget to wishes, so it takes a few seconds.
    await until(lambda: asked(vendor, "unsubscribe") == ["NQ 09-26"], seconds=15)


async def test_results_are_pushed_once_somebody_looks(vendor: Vendor, client: CrossTrade) -> None:
    assert client.day("Sim101") is None
    await until(lambda: {"action": "streamPnl", "enabled": True, "interval": 1000} in vendor.asks)
    rows = [{"account": "Sim101", "pnl": 120.5, "unrealized": -20, "total": 100.5}, {"account": "Sim102", "what": 1}]
    await vendor.push({"type": "pnlUpdate", "epoch": int(soon(0).timestamp() * 1000), "accounts": rows})
    await until(lambda: client.day("sim101") is not None)
    day = client.day("Sim101")
    assert day is not None
    assert (day.realised, day.unrealised) == (Decimal("120.5"), Decimal(-20))
    assert client.day("Sim102") is None
    await vendor.sockets[-1].close()
    await until(lambda: vendor.handshakes == 2)
    assert client.day("Sim101") is None


async def test_after_a_disconnect_nothing_is_used_and_everything_asked_for_again(vendor: Vendor, client: CrossTrade) -> None:
    assert client.stream is not None
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])
    await pushed(vendor, client, row())
    await pushed(vendor, client, row(last=5801))
    assert (await client.quote(ES)).last == 5801
    vendor.asks.clear()
    await vendor.sockets[-1].close()
    await until(lambda: vendor.handshakes == 2)
    await client.stream.opened()
    assert (await client.quote(ES)).last == 5800
    await until(lambda: vendor.asks == [EVENTS, {"action": "subscribe", "instruments": ["ES 09-26"]}])
    await pushed(vendor, client, row(last=5801))
    assert (await client.quote(ES)).last == 5800
    await pushed(vendor, client, row(last=5802))
    assert (await client.quote(ES)).last == 5802


async def test_without_a_connection_every_price_is_read(vendor: Vendor, connect: Connect) -> None:
    vendor.handshake_status = 404
    client = await connect(streamed=True)
    await until(lambda: vendor.handshakes == 1)
    assert [(await client.quote(ES)).last for _ in range(3)] == [5800] * 3
    assert vendor.reads("quote") == 3
    assert client.day("Sim101") is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_stream_that_is_refused_and_not_needed_is_asked_for_rarely(status: int) -> None:
    info: Any = None
    refusal = aiohttp.WSServerHandshakeError(info, (), status=status)
    assert _waits(refusal, refusal, needed=False) == [USUAL.crosstrade.refused] * 2


def test_a_stream_that_is_not_needed_is_tried_as_often_as_one_that_is() -> None:
    failure = aiohttp.ClientConnectionError()
    assert _waits(failure, failure, failure, needed=False) == [1, 2, 5]


async def test_orders_and_the_link_do_not_depend_on_a_stream_that_is_not_needed(vendor: Vendor, connect: Connect) -> None:
    vendor.handshake_status = 500
    client = await connect(streamed=True, timings=CrossTradeTimings(backoff=(0.001,)))
    await client.positions("Sim101")
    await until(lambda: vendor.handshakes > 3)
    assert client.link.up
    assert client.stream is not None
    assert not client.stream.link.up
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    assert vendor.frames == []


async def test_a_stream_that_can_not_be_opened_is_logged_once_for_each_reason(
    vendor: Vendor, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.crosstrade.stream")
    vendor.handshake_status = 500
    await connect(streamed=True, timings=CrossTradeTimings(backoff=(0.001,)))
    await until(lambda: vendor.handshakes > 5)
    assert len(caplog.records) == 1
    vendor.handshake_status = 503
    seen = vendor.handshakes
    await until(lambda: vendor.handshakes > seen + 5)
    assert len(caplog.records) == 2


async def test_another_program_may_have_the_stream_and_everything_goes_on_by_rest(vendor: Vendor, connect: Connect) -> None:
    client = await connect(streamed=True, timings=CrossTradeTimings(backoff=(0.01,)))
    assert client.stream is not None
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])
    await vendor.sockets[0].close(code=4001, message=b"Session active elsewhere")
    await until(lambda: client.stream is not None and client.stream.stopped)
    assert (await client.quote(ES)).last == 5800
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    assert client.link.up
    assert vendor.handshakes == 1


async def test_a_client_that_only_has_a_look_leaves_the_stream_alone(vendor: Vendor, connect: Connect) -> None:
    client = await connect(streamed=False)
    await client.quote(ES)
    assert client.day("Sim101") is None
    assert client.stream is None
    assert vendor.handshakes == 0


async def test_news_name_the_account_or_all_of_them(vendor: Vendor, client: CrossTrade) -> None:
    ear = Ear()
    client.listen(ear)
    await vendor.push(
        {"type": "orderUpdate", "seq": 1, "account": "Sim101", "order": {}},
        {"type": "orderUpdate", "seq": 1, "account": "Sim101", "order": {}},
        {"type": "executionUpdate", "seq": 2, "execution": {"account": "Sim102"}},
        {"type": "positionUpdate", "seq": 9, "account": "Sim101", "position": {}},
        {"type": "positionUpdate", "seq": 10, "account": "Sim101", "position": "?"},
        {"type": "resync", "seq": 11, "accounts": ["Sim103"]},
        {"type": "orderUpdate", "account": "Their", "order": {}, "origin": "tradovate"},
        {"type": "status", "state": "ready"},
        '{"type": "orderUpdate", "seq": 12, "acc',
        {"type": "orderUpdate", "seq": 12, "account": "end", "order": {}},
    )
    await until(lambda: "end" in ear.heard)
    assert ear.heard == ["Sim101", "Sim102", None, None, "Sim103", None, "end"]


async def test_a_new_connection_is_news_of_all_accounts(vendor: Vendor, client: CrossTrade) -> None:
    ear = Ear()
    client.listen(ear)
    await vendor.sockets[0].close()
    await until(lambda: ear.heard == [None])
    # Its frames are counted from the start.
    await until(lambda: len(vendor.sockets) == 2)
    await vendor.push({"type": "orderUpdate", "seq": 1, "account": "Sim101", "order": {}})
    await until(lambda: ear.heard == [None, "Sim101"])


async def test_events_are_asked_for_once_however_crosstrade_answers(vendor: Vendor, client: CrossTrade) -> None:
    await until(lambda: vendor.asks == [EVENTS])
    for _ in range(3):
        await vendor.push({"error": "Invalid request"}, {"status": "subscribed", "events": ["orders"]}, {"error": None}, {})
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])
    await vendor.push({"status": "subscribed", "instruments": ["ES 09-26", "?"]}, {"status": "subscribed", "instruments": "ES"})
    await pushed(vendor, client, row())
    assert vendor.asks.count(EVENTS) == 1


@pytest.mark.parametrize("limited", [{"retryAfter": 60}, {}, {"retryAfter": "soon"}], ids=str)
async def test_too_many_changes_make_it_wait(vendor: Vendor, client: CrossTrade, limited: dict[str, Any]) -> None:
    await until(lambda: vendor.asks == [EVENTS])
    await vendor.push({"error": "rate_limited", **limited})
    await pushed(vendor, client)
    await client.quote(ES)
    with pytest.raises(TimeoutError):
        await until(lambda: asked(vendor), seconds=0.4)


async def test_a_flood_of_pushes_holds_up_no_order_and_no_memory(vendor: Vendor, client: CrossTrade) -> None:
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])
    ear = Ear()
    client.listen(ear)

    async def flood() -> None:
        for number in range(3000):
            await vendor.push(quotes(row(volume=number)), "garbage")

    flooding = asyncio.create_task(flood())
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    await flooding
    await until(lambda: len(ear.heard) == 3000)
    assert len(client._feed._board._rows) == 1


async def test_who_listens_badly_costs_no_order(vendor: Vendor, client: CrossTrade) -> None:
    def broken(_account: str | None) -> None:
        raise RuntimeError("boom")

    client.listen(broken)
    await vendor.push({"type": "orderUpdate", "account": "Sim101", "order": {}}, "garbage")
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    assert vendor.handshakes == 1


class _Mute(Feed):
    """A feed that has a fault in what it says."""

    async def to_say(self) -> str:
        raise RuntimeError("boom")


async def test_a_fault_in_what_is_asked_costs_no_order(vendor: Vendor, connect: Connect) -> None:
    client = await connect(transport="websocket", timings=CrossTradeTimings(backoff=(0.01,)))
    assert client.stream is not None
    client.stream._listener = _Mute(system_clock(), USUAL.crosstrade)
    await vendor.sockets[0].close()
    await until(lambda: vendor.handshakes == 2)
    await client.stream.opened()
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    assert vendor.handshakes == 2


async def test_a_closed_client_leaves_no_task_behind(vendor: Vendor, client: CrossTrade) -> None:
    await client.quote(ES)
    await until(lambda: asked(vendor) == ["ES 09-26"])
    await client.__aexit__(None, None, None)
    await until(lambda: vendor.sockets[0].closed)
    assert not [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("crosstrade")]
    assert vendor.handshakes == 1


# Against the simulator.

MOVING = Timing(step=0.002, fill=0.003, tick=0.01, quotes=0.02)
ACCOUNTS = (AccountSpec("Sim101", holdings=(Holding("ES 09-26", 2),)), AccountSpec("Sim102"))
Play = tuple[Simulator, CrossTrade]


@pytest.fixture(params=[("rest", Names.CODE), ("websocket", Names.WORD)], ids="-".join)
async def play(request: pytest.FixtureRequest, connect: Connect) -> AsyncIterator[Play]:
    transport, names = request.param
    simulator = Simulator(token=TOKEN, accounts=ACCOUNTS, timing=MOVING, account_events=True, names=names)
    async with running(simulator) as url:
        client = await connect(
            url, transport=transport, streamed=True, timings=CrossTradeTimings(backoff=(0.05,)), rate=3.0, burst=20
        )
        await client.stream.opened()
        yield simulator, client


async def spared(simulator: Simulator, client: CrossTrade) -> bool:
    """Whether a quote is answered without a request."""
    simulator.faults.clear()
    rule = simulator.faults.add(Kind.DELAY, "GetQuote", seconds=0, count=1)
    await client.quote(ES)
    return rule in simulator.faults.rules


async def until_spared(simulator: Simulator, client: CrossTrade, *, wanted: bool = True) -> None:
    """Wait until pushed prices are fresh, or until they are not."""
    async with asyncio.timeout(10):
        while await spared(simulator, client) is not wanted:
            await asyncio.sleep(0.05)


async def test_moving_prices_spare_the_request_and_standing_ones_do_not(play: Play) -> None:
    simulator, client = play
    await until_spared(simulator, client)
    quote = await client.quote(ES)
    ticker = simulator.world.market.ticker(simulator.world.contract("ES 09-26"))
    assert abs((quote.last or 0) - ticker.last) < 100
    simulator.world.market.frozen = True
    await until_spared(simulator, client, wanted=False)
    assert (await client.quote(ES)).last == ticker.last


async def test_a_lost_connection_comes_back_with_its_prices(play: Play) -> None:
    simulator, client = play
    assert client.stream is not None
    await until_spared(simulator, client)
    simulator.faults.add(Kind.RESET, "marketData", count=1)
    await until(lambda: client.stream is not None and not client.stream.link.up)
    assert client._feed.quote(ES) is None
    await until_spared(simulator, client)
    assert client.link.up


async def test_a_fill_is_news_of_its_account(play: Play) -> None:
    simulator, client = play
    ear = Ear()
    client.listen(ear)
    # The events must have been asked for before.
    await until_spared(simulator, client)
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)
    await until(lambda: ear.heard.count("Sim101") > 3)
    assert None not in ear.heard


@pytest.mark.parametrize("kind", [Kind.EVENT_GAP, Kind.GARBAGE, Kind.RESYNC, Kind.EVENT_TWICE, Kind.DROP])
async def test_whatever_becomes_of_an_event_the_account_is_looked_at(play: Play, kind: Kind) -> None:
    simulator, client = play
    ear = Ear()
    client.listen(ear)
    await until_spared(simulator, client)
    simulator.faults.add(kind, "executionUpdate", count=1)
    await client.send(reverse(), deadline=soon())
    whole = kind in {Kind.EVENT_GAP, Kind.GARBAGE, Kind.DROP}
    await until(lambda: (None in ear.heard) if whole else ear.heard.count("Sim101") > 3)


async def test_results_come_as_the_simulator_names_them(play: Play) -> None:
    simulator, client = play
    simulator.world.market.frozen = True
    client.day("Sim101")
    await until(lambda: client.day("Sim101") is not None)
    day, read = client.day("Sim101"), await client.account("Sim101")
    assert day is not None
    assert (day.realised, day.unrealised) == (read.realised, read.unrealised)
