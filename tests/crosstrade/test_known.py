"""What is read once for all, and what makes it void: by the real client against a vendor over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.crosstrade import CrossTrade
from bot.crosstrade.budget import Priority
from bot.errors import BrokerError, BrokerUnreachable
from bot.trading.orders.outcomes import Accepted, Unknown
from tests.clocks import HandClock

from .conftest import Connect
from .intents import reverse, soon
from .test_wire import ORDER
from .vendor import Answer, Vendor, told, until

FRESH = timedelta(seconds=1.5)
POSITIONS = "accounts/Sim101/positions"
Cause = Callable[[Vendor, CrossTrade], Awaitable[None]]


def deciding(client: CrossTrade, fresh: timedelta = FRESH) -> CrossTrade:
    """The lane that presses are decided by."""
    return client.lane(Priority.PRESS, lambda: fresh, decides=True)


async def sent(_vendor: Vendor, client: CrossTrade) -> None:
    assert isinstance(await client.send(reverse(), deadline=soon()), Accepted)


async def lost(vendor: Vendor, client: CrossTrade) -> None:
    vendor.next.append(Answer(502, "<html>bad gateway</html>"))
    assert isinstance(await client.send(reverse(), deadline=soon()), Unknown)


async def told_of_a_fill(_vendor: Vendor, client: CrossTrade) -> None:
    client.changed("SIM101")


def pushed(*frames: object) -> Cause:
    async def push(vendor: Vendor, client: CrossTrade) -> None:
        told_of: list[str | None] = []
        client.listen(told_of.append)
        await vendor.push(*frames)
        await until(lambda: bool(told_of))

    return push


async def reconnected(vendor: Vendor, client: CrossTrade) -> None:
    told_of: list[str | None] = []
    client.listen(told_of.append)
    await vendor.sockets[-1].close()
    await until(lambda: bool(told_of), 10)


async def failed(vendor: Vendor, client: CrossTrade) -> None:
    vendor.next.append(told(500, {}))
    with pytest.raises(BrokerError):
        await client.positions("Sim101")


EVENT = {"type": "orderUpdate", "seq": 1, "order": {"account": "Sim101"}}
CAUSES: dict[str, Cause] = {
    "our own send": sent,
    "an answer that was lost": lost,
    "a fill that was read": told_of_a_fill,
    "an event": pushed(EVENT),
    "an event of an account with another name": pushed(EVENT | {"order": {"account": "Simulation 1"}}),
    "an event that names none": pushed(EVENT | {"order": {}}),
    "a gap": pushed(EVENT | {"dropped": 3}),
    "an event that can't be read": pushed("{"),
    "a reconnect": reconnected,
    "a read that failed": failed,
}


@pytest.fixture
async def client(connect: Connect) -> CrossTrade:
    streaming: CrossTrade = await connect(streamed=True)
    await streaming.accounts()
    return streaming


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
async def test_what_may_have_changed_is_read_again_and_nothing_else(vendor: Vendor, client: CrossTrade, cause: Cause) -> None:
    lane = deciding(client)
    await lane.positions("Sim101")
    await lane.positions("sim101")
    assert vendor.reads(POSITIONS) == 1
    await cause(vendor, client)
    before = vendor.reads(POSITIONS)
    await lane.positions("Sim101")
    assert vendor.reads(POSITIONS) == before + 1


async def test_working_orders_are_those_of_the_whole_list_where_that_is_known(vendor: Vendor, client: CrossTrade) -> None:
    rows = [ORDER | {"orderId": "a", "orderState": "Working"}, ORDER | {"orderId": "b", "orderState": "Filled"}]
    vendor.next.append(told(200, {"success": True, "orders": rows}))
    lane = deciding(client)
    assert len(await lane.orders("Sim101", active_only=False)) == 2
    assert [order.id for order in await lane.orders("Sim101", active_only=True)] == ["a"]
    assert vendor.reads("/orders") == 1


async def test_an_event_of_another_account_spares_this_one(vendor: Vendor, client: CrossTrade) -> None:
    vendor.next.append(told(200, {"accounts": [{"name": "Sim101"}, {"name": "Sim102"}], "success": True}))
    await client.accounts()
    lane = deciding(client)
    await lane.positions("Sim101")
    await pushed(EVENT | {"order": {"account": "Sim102"}})(vendor, client)
    await lane.positions("Sim101")
    assert vendor.reads(POSITIONS) == 1


async def test_what_is_too_old_is_read_again_and_a_lane_that_wants_it_anew_always_reads(vendor: Vendor, connect: Connect) -> None:
    clock = HandClock()
    client = await connect(clock=clock)
    lane, anew = deciding(client), client.lane(Priority.EXIT)
    await lane.positions("Sim101")
    clock.now += FRESH
    await lane.positions("Sim101")
    assert vendor.reads(POSITIONS) == 1
    clock.now += timedelta(milliseconds=1)
    await lane.positions("Sim101")
    assert vendor.reads(POSITIONS) == 2
    await anew.positions("Sim101")
    await deciding(client, timedelta(0)).positions("Sim101")
    assert vendor.reads(POSITIONS) == 4


async def test_a_list_tells_when_it_was_asked_for_whoever_asked_and_void_or_not(connect: Connect) -> None:
    clock = HandClock()
    client = await connect(clock=clock)
    lane, asked_at = deciding(client), clock()
    rows = await lane.positions("Sim101")
    clock.now += timedelta(seconds=1)
    assert client.asked_at(await lane.positions("SIM101"), "sim101") == asked_at
    client.changed("Sim101")
    assert client.asked_at(rows, "Sim101") == asked_at
    assert client.asked_at(rows, None) is None
    newer = await lane.positions("Sim101")
    assert client.asked_at(newer, "Sim101") == asked_at + timedelta(seconds=1)
    assert newer
    assert client.asked_at(rows, "Sim101") is None


async def test_what_changes_each_time_that_it_is_read_decides_nothing_and_keeps_nobody_in(
    vendor: Vendor, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect()
    answer = vendor._answer

    async def changing(method: str, path: str, query: str, text: str) -> tuple[int, object]:
        client.changed("Sim101")
        return await answer(method, path, query, text)

    monkeypatch.setattr(vendor, "_answer", changing)
    with pytest.raises(BrokerUnreachable, match="changed there each time"):
        await deciding(client).positions("Sim101")
    assert (await client.lane(Priority.EXIT, lambda: FRESH, decides=True).positions("Sim101"))[0].quantity == 2


async def test_whoever_goes_first_waits_for_no_read_that_waits_for_its_turn(vendor: Vendor, connect: Connect) -> None:
    client = await connect(rate=0.001, burst=2)
    await client.accounts()
    # One request is left, which what nobody waits for must not have.
    quiet = asyncio.create_task(client.lane(Priority.BACKGROUND).positions("Sim101"))
    await until(lambda: client._flights._all)
    await client.lane(Priority.EXIT).positions("Sim101")
    assert (vendor.reads(POSITIONS), quiet.done()) == (1, False)
    quiet.cancel()


async def test_whoever_waits_for_somebody_else_s_read_makes_their_own_where_that_fails(vendor: Vendor, connect: Connect) -> None:
    client = await connect()
    vendor.next.append(told(429, {}, Retry_After="0"))
    began, *joined = await asyncio.gather(*(client.positions("Sim101") for _ in range(9)), return_exceptions=True)
    assert isinstance(began, BrokerUnreachable)
    assert all(isinstance(one, tuple) and one[0].quantity == 2 for one in joined)
    # They make it together: where CrossTrade is away, nobody's wish to know makes it worse.
    assert vendor.reads(POSITIONS) == 2
    vendor.next.extend(told(500, {}) for _ in range(9))
    failed = await asyncio.gather(*(client.positions("Sim101") for _ in range(9)), return_exceptions=True)
    assert all(isinstance(one, BrokerUnreachable) for one in failed)
    assert vendor.reads(POSITIONS) == 4


async def test_a_read_that_nobody_waits_for_any_more_gives_its_turn_to_others(vendor: Vendor, connect: Connect) -> None:
    client = await connect(rate=0.001, burst=1)
    await client.accounts()
    first, second = (asyncio.create_task(client.positions("Sim101")) for _ in range(2))
    await until(lambda: client._flights._all)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert client._flights._all
    second.cancel()
    await until(lambda: not client._flights._all)
    assert vendor.reads(POSITIONS) == 0


ROW = {
    "name": "Sim101",
    "provider": "Simulator",
    "connectionStatus": "Connected",
    "item": {"realizedProfitLoss": -5, "unrealizedProfitLoss": 2},
}
DETAILS = "accounts/Sim101"


async def test_a_result_that_is_pushed_spares_the_read_of_the_account_and_a_list_that_fails_does_not_stop_it(
    vendor: Vendor, connect: Connect
) -> None:
    clock = HandClock()
    client = await connect(clock=clock, streamed=True)
    lane = deciding(client)
    vendor.next.append(told(200, ROW))
    assert (await lane.account("Sim101")).day_result == -3
    clock.now += timedelta(seconds=2)
    rows = [{"account": "Sim101", "realizedPnl": -7, "unrealizedPnl": 1}]
    epoch = int(clock.now.timestamp() * 1000)
    await vendor.push({"type": "pnlUpdate", "epoch": epoch, "accounts": rows})
    await until(lambda: client.day("Sim101") is not None)
    spared = await lane.account("Sim101")
    assert spared.day_result == -6
    assert spared.connected
    assert vendor.reads("/accounts") == 1
    # Whether it is connected was told too long ago: by one list for all, else by its own read.
    clock.now += timedelta(seconds=11)
    await vendor.push({"type": "pnlUpdate", "epoch": int(clock.now.timestamp() * 1000), "accounts": rows})
    await until(lambda: client.day("Sim101") is not None)
    vendor.next += [told(500, {}), told(200, ROW)]
    assert (await lane.account("Sim101")).connected
    assert vendor.reads("/accounts") == 3
    # After an order of ours the push of before it tells nothing.
    client.changed("Sim101")
    clock.now += timedelta(seconds=1)
    vendor.next.append(told(200, ROW))
    assert (await lane.account("Sim101")).day_result == -3
