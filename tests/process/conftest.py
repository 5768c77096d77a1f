"""The bot as a process, between a local Discord and a simulated NinjaTrader, over real sockets on loopback."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.discord import LocalDiscord, MessageView
from bot.sandbox.discord.world import APPROVER_ROLE, DESK, FILLS, GUILD, TRADER_ROLE, VIEWER_ROLE
from bot.sandbox.ninjatrader import Simulator, running

ROOT = Path(__file__).parents[2]
DISCORD_SECRET = "discord-secret-token"
CROSSTRADE_SECRET = "crosstrade-secret-token"
COMMAND = {"account": "Sim101", "instrument": "ES 09-26", "side": "buy", "qty": 1}

POLICY = f"""
[desk]
confirm_seconds = 30

[[grant]]
role = {TRADER_ROLE}
commands = "*"
accounts = ["Sim*", "Apex-*"]
instruments = ["*"]
max_quantity = 5

[[grant]]
role = {VIEWER_ROLE}
commands = ["help", "policy"]

[[limit]]
accounts = ["*"]
instruments = ["*"]
max_position = 10
price_band_ticks = 400
daily_loss = 100000.0

[[approval]]
accounts = ["Apex-*"]
min_quantity = 1
role = {APPROVER_ROLE}

[[account]]
name = "Apex-*"
live = true

[[notify]]
channel = {FILLS}
events = ["*"]
"""


@dataclass
class Street:
    """Everything that the bot talks to, and the bot."""

    folder: Path
    discord: LocalDiscord
    simulator: Simulator
    crosstrade: str
    settings: dict[str, str] = field(default_factory=dict)
    process: Process | None = None
    output: bytearray = field(default_factory=bytearray)
    _reading: asyncio.Task[None] | None = None

    def environment(self) -> dict[str, str]:
        """The bot's whole environment: what the settings need, and nothing of this process."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DISCORD_TOKEN": DISCORD_SECRET,
            "DISCORD_GUILD_ID": str(GUILD),
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "CROSSTRADE_TOKEN": CROSSTRADE_SECRET,
            "CROSSTRADE_URL": self.crosstrade,
            **_coverage(),
            **self.settings,
        }

    async def launch(self, *arguments: str) -> Process:
        """Start a command of the program."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments, cwd=self.folder, env=self.environment(), stdout=PIPE, stderr=PIPE
        )

    async def start(self, seconds: float = 20) -> None:
        """Start the bot and wait until it takes commands."""
        self.process = await self.launch("run")
        self._reading = asyncio.create_task(self._read(self.process))
        ready = asyncio.create_task(self.discord.ready(seconds))
        ended = asyncio.create_task(self.process.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not ready.done():
            ready.cancel()
            await self._reading
            pytest.fail(f"the bot ended: {self.output.decode()}")
        await ready

    async def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        await self._settle()

    async def stop(self, seconds: float = 10) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
        await self._settle()
        return code

    async def _settle(self) -> None:
        if self._reading is not None:
            await self._reading
        self.process = None

    async def _read(self, process: Process) -> None:
        assert process.stderr is not None
        while chunk := await process.stderr.read(4096):
            self.output += chunk

    async def card(self, text: str, channel: int = DESK, seconds: float = 10) -> MessageView:
        """The newest message in a channel that holds a text, once there is one."""
        found: list[MessageView] = []

        def there() -> bool:
            found[:] = [message for message in self.discord.messages(channel) if text in message.text]
            return bool(found)

        await until(there, seconds, lambda: f"{text!r} not in {[m.text for m in self.discord.messages(channel)]}")
        return found[-1]

    async def ask(self, member: str = "trader", **options: object) -> MessageView:
        """Run /reverse and wait for its card."""
        return await self.offered("reverse", member=member, **{**COMMAND, **options})

    async def offered(self, command: str, *, member: str = "trader", **options: Any) -> MessageView:
        """Run a trading command and wait for its card."""
        before = {message.id for message in self.discord.messages(DESK)}
        await self.discord.slash(member, "desk", command, options)
        await until(lambda: any(m.id not in before and m.buttons for m in self.discord.messages(DESK)))
        return next(m for m in reversed(self.discord.messages(DESK)) if m.id not in before and m.buttons)

    def entries(self) -> list[dict[str, Any]]:
        """The orders that reached the simulator by a reversal of ours."""
        return [request for request in self.simulator.book()["requests"] if request["call"] == "ReversePosition"]

    async def control(self, path: str, **body: object) -> None:
        """Turn a switch of the simulator."""
        async with aiohttp.ClientSession() as session, session.post(f"{self.crosstrade}/control/{path}", json=body) as reply:
            assert reply.status < 300, await reply.text()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the journal's file."""
        with closing(sqlite3.connect(f"file:{self.folder / 'desk.db'}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()


def _coverage() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "COV_"))}


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def until(holds: Callable[[], bool], seconds: float = 20, why: Callable[[], str] = lambda: "it never held") -> None:
    """Wait until a condition holds, or say why it didn't."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(why())


@asynccontextmanager
async def built(folder: Path, simulator: Simulator) -> AsyncIterator[Street]:
    """A local Discord and a simulator; the bot isn't running yet."""
    (folder / "policy.toml").write_text(POLICY)
    discord = LocalDiscord(token=DISCORD_SECRET)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(discord.running())
        url = await stack.enter_async_context(running(simulator))
        street = Street(folder, discord, simulator, url, {"CROSSTRADE_RATE": "200", "CROSSTRADE_BURST": "200"})
        try:
            yield street
        finally:
            if street.process is not None and street.process.returncode is None:
                await street.kill()


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """The usual accounts."""
    async with built(tmp_path, Simulator(token=CROSSTRADE_SECRET, rate_limited=False)) as street:
        yield street
