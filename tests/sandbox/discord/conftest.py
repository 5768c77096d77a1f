"""A local Discord and a probe bot for each test, the bot as a process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox.discord import LocalDiscord

PROBE = Path(__file__).with_name("probe.py")
TOKEN = "the-right-token"

Starter = Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]


@pytest.fixture
async def local() -> AsyncIterator[LocalDiscord]:
    discord = LocalDiscord(token=TOKEN)
    async with discord.running():
        yield discord


@pytest.fixture
def start_bot(local: LocalDiscord) -> Starter:
    """Return what runs the probe; it is killed at the end unless it has gone by itself."""

    @asynccontextmanager
    async def start(token: str = TOKEN) -> AsyncIterator[asyncio.subprocess.Process]:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
            "DISCORD_API_URL": local.api_url,
            "DISCORD_GATEWAY_URL": local.gateway_url,
            "DISCORD_GUILD_ID": str(local.world.guild),
            "DISCORD_TOKEN": token,
        }
        running = await asyncio.create_subprocess_exec(sys.executable, str(PROBE), env=environment)
        try:
            yield running
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()

    return start


@pytest.fixture
async def bot(local: LocalDiscord, start_bot: Starter) -> AsyncIterator[asyncio.subprocess.Process]:
    async with start_bot() as running:
        await local.ready()
        yield running
