"""Two machines on one PostgreSQL database: one leads, one stands by, and nothing is sent twice whatever befalls the leader."""

import asyncio
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.sandbox.discord.world import DESK, FILLS
from bot.sandbox.ninjatrader import AccountSpec, Holding, Names, Simulator
from tests.journal.conftest import SERVER, new_database, on_server
from tests.process.conftest import Street, built, free_port
from tests.street import CROSSTRADE_SECRET, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP on Windows")

ACCOUNTS = [f"Sim{number:02d}" for number in range(1, 21)]
LEADS, STANDS_BY = "ready as", "standing by: Another process leads"
ENDS = ("accepted", "rejected", "never arrived", "expired", "not sent", "filled")
NOTHING = ("never arrived", "expired", "not sent")
# Evidence of an order that isn't there takes its time.
PATIENCE = 90.0


class Pair:
    """Two machines of one desk; the first one that was started leads."""

    def __init__(self, street: Street, url: str) -> None:
        settings = {**street.settings, "DATABASE_URL": url}
        self.street = street
        self.leader, self.other = (
            replace(street, settings={**settings, "METRICS_PORT": str(free_port())}, output=bytearray()) for _ in range(2)
        )
        self.url = url

    async def start(self) -> None:
        """Start both."""
        await self.run(self.leader)
        await said(self.leader, LEADS)
        await self.run(self.other)
        await said(self.other, STANDS_BY)

    async def run(self, machine: Street) -> None:
        """Start a machine."""
        machine.process = await machine.launch("run")
        machine._reading = asyncio.create_task(machine._read(machine.process))

    async def taken_over(self) -> None:
        """Wait until the other one leads; from then on it is the leader."""
        await said(self.other, LEADS, count(self.other, LEADS) + 1)
        self.leader, self.other = self.other, self.leader

    async def end(self) -> None:
        """Leave nothing running."""
        for machine in (self.leader, self.other):
            if machine.process is not None and machine.process.returncode is None:
                machine.process.send_signal(signal.SIGCONT)
                await machine.kill()

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the journal."""
        engine = create_async_engine(self.url)
        try:
            async with engine.connect() as connection:
                return [tuple(row) for row in await connection.execute(text(query))]
        finally:
            await engine.dispose()

    def sent(self) -> Counter[str]:
        """The orders that CrossTrade got, by account."""
        return Counter(request["path"].split("/")[4] for request in self.street.entries())

    def end_of(self, card: int) -> str:
        """What a card says in its first line."""
        title = self.street.discord.message(card).text.partition("\n")[0].casefold()
        return next((end for end in ENDS if end in title), "")


async def watched(machine: Street) -> tuple[int, str]:
    """What a supervisor reads of a machine: the status of its health, and whether it leads."""
    base = f"http://127.0.0.1:{machine.settings['METRICS_PORT']}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/healthz") as answer:
            status = answer.status
        async with session.get(f"{base}/metrics") as answer:
            lines = (await answer.text()).splitlines()
    return status, next(line for line in lines if line.startswith("crosstalk_leads"))


def count(machine: Street, words: str) -> int:
    """How often a machine has said something."""
    return machine.output.decode(errors="replace").count(words)


async def said(machine: Street, words: str, times: int = 1, seconds: float = 40) -> None:
    """Wait until a machine has said something so often."""
    await until(lambda: count(machine, words) >= times, seconds, lambda: machine.output.decode(errors="replace")[-3000:])


@pytest.fixture
async def pair(tmp_path: Path, names: Names) -> AsyncIterator[Pair]:
    """Both machines running, on a database of their own."""
    name = await new_database("failover")
    specs = tuple(AccountSpec(account, holdings=(Holding("ES 09-26", -1),)) for account in ACCOUNTS)
    try:
        simulator = Simulator(token=CROSSTRADE_SECRET, rate_limited=False, accounts=specs, names=names)
        async with built(tmp_path, simulator) as street:
            await street.control("price", frozen=True)
            both = Pair(street, f"{SERVER}/{name}")
            try:
                await both.start()
                yield both
            finally:
                await both.end()
    finally:
        await on_server("test", f"DROP DATABASE {name} WITH (FORCE)")


async def test_one_leads_alone_and_hands_over_at_once_when_it_is_told_to_stop(pair: Pair) -> None:
    assert pair.street.discord.gateway.connected == 1
    assert pair.street.discord.gateway.identified == 1
    assert pair.leader.process is not None
    process = await pair.leader.launch("check")
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    assert "journal: good (in use by a running bot, which leads: " in out.decode()
    assert f"process {pair.leader.process.pid})" in out.decode()
    # Whoever watches the machines sees two that are well, and which one leads.
    assert await watched(pair.leader) == (200, "crosstalk_leads 1.0")
    assert await watched(pair.other) == (200, "crosstalk_leads 0.0")
    card = await pair.street.ask(account="Sim01")
    stopping = asyncio.create_task(pair.leader.stop())
    await pair.taken_over()
    assert await stopping == 0
    await pair.street.card("Another machine leads the desk now", FILLS)
    assert await pair.rows("SELECT epoch FROM leader") == [(2,)]
    assert await pair.rows("SELECT count(*) FROM events WHERE name = 'took over'") == [(1,)]
    await until(lambda: pair.end_of(card.id) == "expired", PATIENCE)
    assert await watched(pair.leader) == (200, "crosstalk_leads 1.0")
    # It does all that the first one did.
    again = await pair.street.ask(account="Sim01")
    await pair.street.discord.click("trader", again.id, "Confirm")
    await until(lambda: pair.end_of(again.id) in {"accepted", "filled"}, PATIENCE)
    assert pair.sent() == {"Sim01": 1}
    assert pair.street.discord.gateway.identified == 2
    assert await pair.leader.stop() == 0


async def test_a_press_that_is_paused_in_its_claim_sends_nothing_when_it_goes_on_after_a_takeover(pair: Pair) -> None:
    card = await pair.street.ask(account="Sim01")
    assert pair.leader.process is not None
    async with asyncio.timeout(20):
        while await pair.rows("SELECT 1 FROM tickets WHERE message IS NULL"):
            await asyncio.sleep(0.01)
    engine = create_async_engine(pair.url)
    async with engine.connect() as holding:
        await holding.execute(text("SELECT * FROM tickets FOR UPDATE"))
        press = asyncio.create_task(pair.street.discord.click("trader", card.id, "Confirm"))
        # The claim waits for this row at the server, so the leader is in the middle of it.
        await _until_somebody_waits(pair)
        pair.leader.process.send_signal(signal.SIGSTOP)
        await _until_nobody_waits(pair)
    await engine.dispose()
    await pair.taken_over()
    await until(lambda: pair.end_of(card.id) == "expired", PATIENCE)
    assert pair.other.process is not None
    pair.other.process.send_signal(signal.SIGCONT)
    await said(pair.other, STANDS_BY, 1)
    await asyncio.gather(press, return_exceptions=True)
    pair.street.discord.heal()
    assert pair.sent() == {}
    assert pair.end_of(card.id) == "expired"
    assert pair.street.discord.gateway.connected == 1
    # Who was deposed takes over again when it is its turn.
    await pair.leader.kill()
    await pair.taken_over()
    again = await pair.street.ask(account="Sim01")
    await pair.street.discord.click("trader", again.id, "Confirm")
    await until(lambda: pair.end_of(again.id) in {"accepted", "filled"}, PATIENCE)
    assert pair.sent() == {"Sim01": 1}


async def _waiting(pair: Pair) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return int((await pair.rows(query))[0][0])


async def _until_somebody_waits(pair: Pair) -> None:
    async with asyncio.timeout(20):
        while not await _waiting(pair):
            await asyncio.sleep(0.01)


async def _until_nobody_waits(pair: Pair) -> None:
    """The standby ends the leader's connection, and with it its waiting."""
    async with asyncio.timeout(30):
        while await _waiting(pair):
            await asyncio.sleep(0.05)


async def settled(pair: Pair, cards: dict[str, int]) -> None:
    """Wait until every card says how it ended."""
    await until(lambda: all(pair.end_of(card) for card in cards.values()), PATIENCE, lambda: str(cards))


@pytest.mark.timeout(300)  # Twice a takeover, and the time that evidence takes.
@pytest.mark.parametrize("stopped", [False, True], ids=["killed", "paused"])
async def test_a_leader_struck_in_mid_order_makes_at_most_one_order_each_and_every_end_is_told(pair: Pair, stopped: bool) -> None:
    chance = random.Random(20261125 + stopped)
    cards: dict[str, int] = {}
    pressed: set[str] = set()
    left = list(ACCOUNTS)
    for number in range(2):
        seconds = 0.3 * number
        await pair.street.control(
            "faults", rules=[{"kind": "delay", "call": "ReversePosition", "seconds": seconds, "effect": True}]
        )
        mine = [left.pop() for _ in range(4)]
        cards |= {account: (await pair.street.ask(account=account)).id for account in mine}
        before = len(pair.street.entries())
        presses = [asyncio.create_task(pair.street.discord.click("trader", cards[account], "Confirm")) for account in mine[:3]]
        pressed |= set(mine[:3])
        await until(lambda before=before: len(pair.street.entries()) > before, PATIENCE)  # type: ignore[misc]  # a lambda's defaults
        await asyncio.sleep(chance.uniform(0, 0.05))
        assert pair.leader.process is not None
        if stopped:
            pair.leader.process.send_signal(signal.SIGSTOP)
        else:
            await pair.leader.kill()
        await pair.taken_over()
        await asyncio.gather(*presses, return_exceptions=True)
        times = count(pair.other, STANDS_BY) + 1
        if stopped:
            pair.other.process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]  # it runs
        else:
            await pair.run(pair.other)
        await said(pair.other, STANDS_BY, times)
        await pair.street.control("faults", clear=True)
        pair.street.discord.heal()
        # Until a crash's unknown outcomes are settled the desk takes no new order.
        await settled(pair, cards)
    sent = pair.sent()
    assert max(sent.values()) == 1
    for account, card in cards.items():
        if pair.end_of(card) in NOTHING or account not in pressed:
            assert sent[account] == 0, (account, pair.street.discord.message(card).text)
    assert {account for account in cards if pair.end_of(cards[account]) == "accepted"} <= set(sent)
    assert await pair.rows("SELECT count(*) FROM tickets WHERE state = 'sending'") == [(0,)]
    assert len([m for m in pair.street.discord.messages(DESK) if m.id in cards.values()]) == len(cards)
    # Told to stop, the one that stands by is gone at once.
    assert await pair.other.stop() == 0
