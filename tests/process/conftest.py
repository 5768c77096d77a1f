"""The bot as a process, between a local Discord and a simulated NinjaTrader, over real sockets on loopback."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import GUILD
from bot.sandbox.ninjatrader import Names, Simulator, running
from tests.street import CROSSTRADE_SECRET, DISCORD_SECRET, POLICY
from tests.street import Street as AnyStreet

ROOT = Path(__file__).parents[2]


@dataclass
class Street(AnyStreet):
    """The bot as a process."""

    process: Process | None = None
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


def _coverage() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "COV_"))}


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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
def names(request: pytest.FixtureRequest) -> Names:
    """How instruments are spelt; CI plays this folder once with each spelling."""
    return Names(request.config.getoption("--names"))


@pytest.fixture
async def street(tmp_path: Path, names: Names) -> AsyncIterator[Street]:
    """The usual accounts."""
    async with built(tmp_path, Simulator(token=CROSSTRADE_SECRET, rate_limited=False, names=names)) as street:
        yield street
