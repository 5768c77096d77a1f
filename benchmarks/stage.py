"""Everything that runs while something is measured: a local Discord for each bot, one simulator, the two bots as processes."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.exchange import ORDERS
from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import GUILD, TRADER_ROLE

ROOT = Path(__file__).parents[1]
POLICY = f"""
[[grant]]
role = {TRADER_ROLE}
commands = "*"
accounts = ["Sim*"]
instruments = ["*"]
max_quantity = 5

[[limit]]
max_position = 10
price_band_ticks = 400
daily_loss = 100000.0
"""
START_SECONDS = 20.0


class StageError(Exception):
    """A part could not be started; the text holds its last words."""


class Name(StrEnum):
    """The two bots."""

    CROSSTALK = "Crosstalk"
    BARE = "bare bot"


_PROGRAMS = {Name.CROSSTALK: ("bot", "run"), Name.BARE: ("benchmarks.bare",)}


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage of a measurement.

    Attributes:
        exchange: where CrossTrade is for both bots.
        queued: when the event of each interaction was queued on the bot's connection, in nanoseconds of the monotonic clock.
    """

    exchange: str
    discords: dict[Name, LocalDiscord]
    queued: dict[int, int] = field(default_factory=dict)

    async def orders(self) -> list[int]:
        """When each order came in, in their order, in nanoseconds of the monotonic clock."""
        async with aiohttp.ClientSession(self.exchange) as session, session.get(ORDERS) as reply:
            orders: list[int] = await reply.json()
        return orders

    def note(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take the time of an event that a bot gets."""
        if event == "INTERACTION_CREATE":
            self.queued[int(payload["id"])] = time.monotonic_ns()


@asynccontextmanager
async def staged(folder: Path, transport: str) -> AsyncIterator[Stage]:
    """Start everything, and end it.

    Raises:
        StageError: a part didn't start.
    """
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    async with AsyncExitStack() as stack:
        core = stack.enter_context(core_for_the_bots())
        exchange = await stack.enter_async_context(_exchange(folder))
        stage = Stage(exchange, {name: LocalDiscord() for name in Name})
        for name, discord in stage.discords.items():
            # Behind the gateway in the row of those that are told, and so told when it has queued the event.
            discord.backend.subscribers.append(stage.note)
            await stack.enter_async_context(discord.running())
            settings = settings_of(name, discord.base, exchange, transport)
            await stack.enter_async_context(running_bot(name, discord, settings, folder, core))
        yield stage


@asynccontextmanager
async def _exchange(folder: Path) -> AsyncIterator[str]:
    module = "benchmarks.exchange"
    async with _process(folder, {}, module, said=PIPE) as process:
        line = b"" if process.stdout is None else await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        if not line:
            raise StageError(_last_words(folder, module))
        yield str(json.loads(line))


def settings_of(name: Name, discord: str, exchange: str, transport: str, rate: int = 1000, burst: int = 1000) -> dict[str, str]:
    """A bot's settings: where Discord and CrossTrade are for it, and its budget there."""
    return {
        "DISCORD_TOKEN": "benchmark",
        "DISCORD_GUILD_ID": str(GUILD),
        "DISCORD_API_URL": f"{discord}/api/v10",
        "DISCORD_GATEWAY_URL": f"{discord.replace('http', 'ws', 1)}/gateway",
        # The simulator lets one WebSocket live for each token.
        "CROSSTRADE_TOKEN": name.name.lower(),
        "CROSSTRADE_URL": exchange,
        "CROSSTRADE_TRANSPORT": transport,
        "CROSSTRADE_RATE": str(rate),
        "CROSSTRADE_BURST": str(burst),
    }


@asynccontextmanager
async def running_bot(
    name: Name, discord: LocalDiscord, settings: dict[str, str], folder: Path, core: int | None
) -> AsyncIterator[None]:
    """One of the bots as a process, once it takes commands.

    Raises:
        StageError: it doesn't come so far.
    """
    module, *arguments = _PROGRAMS[name]
    async with _process(folder, settings, module, *arguments) as process:
        if sys.platform == "linux" and core is not None:
            os.sched_setaffinity(process.pid, {core})
        ready = asyncio.ensure_future(discord.ready(START_SECONDS))
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not ready.done() or ready.exception() is not None:
            ready.cancel()
            raise StageError(_last_words(folder, module))
        yield


@asynccontextmanager
async def _process(
    folder: Path, settings: dict[str, str], module: str, *arguments: str, said: int = DEVNULL
) -> AsyncIterator[Process]:
    """A Python process that is terminated in the end; what it logs goes to a file, which costs this process nothing."""
    environment = {**_surroundings(), **settings}
    with (folder / f"{module}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, cwd=folder, env=environment, stdout=said, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextmanager
def core_for_the_bots() -> Iterator[int | None]:
    """Keep one core for the bots while this lasts, as Discord and CrossTrade run on machines of their own; Linux only."""
    if sys.platform != "linux" or len(all_of_them := os.sched_getaffinity(0)) == 1:
        yield None
        return
    core = min(all_of_them)
    os.sched_setaffinity(0, all_of_them - {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, all_of_them)


def _surroundings() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _last_words(folder: Path, module: str) -> str:
    return f"{module} didn't start: {(folder / f'{module}.log').read_text(encoding='utf-8', errors='replace')[-2000:]}"
