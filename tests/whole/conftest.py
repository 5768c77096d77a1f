"""The whole bot in the test's own process and in virtual time: it can be killed and started again, and minutes cost nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.simulation.lives import Lives
from bot.policyfile import PolicyWatch
from bot.program.run import lead
from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import GUILD
from bot.sandbox.ninjatrader import Simulator, Timing, running
from bot.sandbox.virtual import HostClock, VirtualLoop, foreign_seams, loop_factories
from bot.settings import Settings
from tests.journals import new_journal
from tests.street import CROSSTRADE_SECRET, DISCORD_SECRET, POLICY
from tests.street import Street as AnyStreet


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> object:
    return loop_factories(config, item)


@dataclass
class Street(AnyStreet):
    """The bot as a party of its own in the test's loop.

    Attributes:
        host: the clock of its machine.
        tickets: what the ids of its tickets begin with.
    """

    host: HostClock = field(default_factory=lambda: HostClock(asyncio.get_running_loop()))
    lives: Lives | None = None
    tickets: str = "TEST"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def start(self, seconds: float = 20) -> None:
        """Start it."""
        settings = self._settings()
        self.lives = Lives(
            "bot",
            lambda stop: lead(settings, PolicyWatch(settings.policy_file), stop, self.host.steady(), ids=self._new_id),
            lambda _who, what: self.output.extend(f"{what}\n".encode()),
        )
        self.lives.begin()
        await self.discord.ready(seconds)

    async def kill(self) -> None:
        """Nothing of it runs any more."""
        assert self.lives is not None
        self.lives.kill()
        await self.discord.until(lambda: not self.discord.gateway.connected)

    async def stop(self, seconds: float = 10) -> int:
        """Tell it to stop."""
        assert self.lives is not None
        async with asyncio.timeout(seconds):
            code = await self.lives.stop()
        assert code is not None, "it didn't stop"
        return code

    async def grows_old(self) -> None:
        """Let what was read until now become too old to be decided on."""
        await asyncio.sleep(3.1)

    def _new_id(self) -> str:
        return f"{self.tickets}{next(self._numbers):04}"

    def _settings(self) -> Settings:
        usual: dict[str, Any] = {
            "discord_token": DISCORD_SECRET,
            "discord_guild_id": str(GUILD),
            "discord_api_url": self.discord.api_url,
            "discord_gateway_url": self.discord.gateway_url,
            "crosstrade_token": CROSSTRADE_SECRET,
            "crosstrade_url": self.crosstrade,
            "policy_file": self.folder / "policy.toml",
        }
        return Settings(_env_file=None, **usual | {name.lower(): value for name, value in self.settings.items()})


class _Log(logging.Handler):
    def __init__(self, output: bytearray) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        # With the traceback, where there is one.
        self._output += f"{self.format(record)}\n".encode(errors="backslashreplace")


def new_simulator(timing: Timing | None = None, **options: Any) -> Simulator:
    """A simulated NinjaTrader in the time of the test."""
    loop, numbers = asyncio.get_running_loop(), count(1)
    return Simulator(
        token=CROSSTRADE_SECRET,
        clock=HostClock(loop),
        monotonic=loop.time,
        rate_limited=False,
        timing=timing,
        new_id=lambda: f"{next(numbers):032x}",
        **options,
    )


@asynccontextmanager
async def built(folder: Path, simulator: Simulator) -> AsyncIterator[Street]:
    """A local Discord and a simulator; the bot isn't running yet."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    (folder / "policy.toml").write_text(POLICY)
    host = HostClock(loop)
    discord = LocalDiscord(token=DISCORD_SECRET, clock=HostClock(loop), now=lambda: int(loop.time() * 1e9))
    async with AsyncExitStack() as stack:
        stack.enter_context(foreign_seams(loop, host, 0))
        await stack.enter_async_context(discord.running())
        url = await stack.enter_async_context(running(simulator))
        database = new_journal(folder)
        settings = {"CROSSTRADE_RATE": "200", "CROSSTRADE_BURST": "200", "DATABASE_URL": database}
        street = Street(folder, discord, simulator, url, settings, host=host)
        handler = _Log(street.output)
        logging.getLogger().addHandler(handler)
        try:
            yield street
        finally:
            logging.getLogger().removeHandler(handler)
            if street.lives is not None:
                street.lives.kill()


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """The usual accounts."""
    async with built(tmp_path, new_simulator()) as street:
        yield street
