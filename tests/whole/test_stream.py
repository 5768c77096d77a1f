"""The stream of the whole bot in virtual time: news make it look, pushed prices serve, and nothing hangs on either."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.discord.world import FILLS
from bot.sandbox.ninjatrader import Kind, Rule, Timing
from tests.street import CROSSTRADE_SECRET, until
from tests.whole.conftest import Street, built, new_simulator
from tests.whole.test_orders import BOTH, WHERE, begun, confirmed, last_price, orders

QUICK = Timing(quotes=0.2, tick=0.05)
# By eleven minutes, in microseconds.
AGE = "UPDATE tickets SET sent_at = sent_at - 660000000"


@pytest.fixture
async def eventful(tmp_path: Path) -> AsyncIterator[Street]:
    """A street whose CrossTrade tells of what happens in accounts."""
    simulator = new_simulator(account_events=True, timing=QUICK)
    async with built(tmp_path, simulator) as street:
        yield street


async def streaming(street: Street) -> None:
    """Wait until the bot has opened the stream, and asked for events where there are some."""
    hub = street.simulator.hub
    await until(lambda: any(session._events or not hub._cloud.account_events for session in hub._sessions.values()))


async def looked(street: Street, call: str = "ListOrders") -> None:
    """Wait until the bot has just read something."""
    rule = Rule(Kind.DELAY, call, seconds=0, count=1)
    street.simulator.faults.rules.append(rule)
    await until(lambda: not any(each is rule for each in street.simulator.faults.rules))


async def resting(street: Street) -> tuple[int, str, float]:
    """A working limit order below the market: its card, its id and its price."""
    probe = await street.offered("place", side="buy", qty=1, **WHERE)
    await street.discord.click("trader", probe.id, "Cancel")
    price = last_price(street) - 20
    card = await confirmed(street, "place", "working", side="buy", qty=1, type="limit", limit=f"{price}", **WHERE)
    return card, orders(street)[-1]["id"], price


@pytest.mark.parametrize(
    ("transport", "trouble"),
    [("rest", None), ("websocket", None), ("rest", Kind.EVENT_GAP), ("websocket", Kind.GARBAGE), ("rest", Kind.RESYNC)],
)
async def test_a_fill_is_told_soon_after_its_event_however_old_the_order(
    eventful: Street, transport: str, trouble: Kind | None
) -> None:
    street = eventful
    await begun(street, transport)
    card, _, price = await resting(street)
    assert await street.stop() == 0
    # As if it had been sent that long ago: it is then looked for every four seconds.
    with closing(sqlite3.connect(street.folder / "desk.db")) as database, database:
        database.execute(AGE)
    await street.start()
    await streaming(street)
    await looked(street)
    if trouble is not None:
        street.simulator.faults.add(trouble, "executionUpdate", count=1)
    began = asyncio.get_running_loop().time()
    await street.control("price", instrument="ES 09-26", last=str(price - 1))
    await until(lambda: "filled 1" in street.discord.message(card).text, why=lambda: street.discord.message(card).text)
    assert asyncio.get_running_loop().time() - began < 2.5
    assert await street.stop() == 0


async def test_a_fill_is_told_without_any_event_too(street: Street) -> None:
    await begun(street, "rest")
    card, _, price = await resting(street)
    await street.control("price", instrument="ES 09-26", last=str(price - 1))
    await until(lambda: "filled 1" in street.discord.message(card).text, why=lambda: street.discord.message(card).text)
    assert await street.stop() == 0


async def spared(street: Street, **options: Any) -> bool:
    """Whether a card comes without a quote being read."""
    street.simulator.faults.clear()
    rule = street.simulator.faults.add(Kind.DELAY, "GetQuote", seconds=0, count=1)
    card = await street.ask(**options)
    # A member may have only so many open.
    await street.discord.click("trader", card.id, "Cancel")
    return rule in street.simulator.faults.rules


@BOTH
async def test_a_card_shows_pushed_prices_while_they_move_and_read_ones_when_they_stand(eventful: Street, transport: str) -> None:
    street = eventful
    street.settings["CROSSTRADE_TRANSPORT"] = transport
    await street.start()

    async def is_spared() -> bool:
        return await spared(street)

    await until_true(is_spared)
    await street.control("price", frozen=True)

    async def is_read() -> bool:
        return not await spared(street)

    await until_true(is_read)
    assert await street.stop() == 0


async def until_true(holds: Any) -> None:
    """Wait until something that has to be asked for holds."""
    async with asyncio.timeout(15):
        while not await holds():
            await asyncio.sleep(0.1)


async def test_another_program_takes_the_stream_and_orders_go_on_over_rest(street: Street) -> None:
    await street.start()
    await streaming(street)
    headers = {"Authorization": f"Bearer {CROSSTRADE_SECRET}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{street.crosstrade}/ws/stream") as theirs,
    ):
        await until(lambda: "taken over by another program" in street.output.decode())
        card = await street.ask()
        await street.discord.click("trader", card.id, "Confirm")
        await street.card("accepted")
        assert len(street.entries()) == 1
        await theirs.send_json({"action": "ping"})
        assert (await theirs.receive_json()) == {"type": "pong"}
    assert await street.stop() == 0


@pytest.mark.parametrize("away", [{"taken": True}, {"open": False}], ids=["taken", "shut"])
async def test_while_the_stream_is_away_that_orders_travel_by_ways_out_go_by_rest_and_entries_as_the_policy_says(
    eventful: Street, away: dict[str, bool]
) -> None:
    street = eventful
    await begun(street, "websocket")
    await streaming(street)
    await street.control("stream", **away)
    await until(lambda: not street.simulator.hub._sessions)
    await confirmed(street, "place", "entries_fall_back = true", side="buy", qty=1, **WHERE)
    assert street.simulator.book()["requests"] == []
    await confirmed(street, "close", "closed 2", **WHERE)
    assert [(one["call"], one["transport"]) for one in street.simulator.book()["requests"]] == [("ClosePosition", "rest")]
    policy = street.folder / "policy.toml"
    policy.write_text(policy.read_text().replace("[desk]", "[desk]\nentries_fall_back = true"))
    await street.card("Policy changed", FILLS)
    await confirmed(street, "place", "filled 1", side="buy", qty=1, **WHERE)
    assert street.simulator.book()["requests"][-1]["transport"] == "rest"
    assert await street.stop() == 0
