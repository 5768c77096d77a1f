"""What tests of the whole bot talk to: a local Discord, a simulated NinjaTrader, and the bot between them, however it lives."""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.discord import LocalDiscord, MessageView
from bot.sandbox.discord.world import APPROVER_ROLE, DESK, FILLS, TRADER_ROLE, VIEWER_ROLE
from bot.sandbox.ninjatrader import Simulator

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
class Street(ABC):
    """Everything that the bot talks to, and the bot.

    Attributes:
        settings: beside the tokens and addresses, by the names of the environment.
        output: what the bot has logged.
    """

    folder: Path
    discord: LocalDiscord
    simulator: Simulator
    crosstrade: str
    settings: dict[str, str] = field(default_factory=dict)
    output: bytearray = field(default_factory=bytearray)

    @abstractmethod
    async def start(self, seconds: float = 20) -> None:
        """Start the bot and wait until it takes commands."""

    @abstractmethod
    async def kill(self) -> None:
        """Kill -9."""

    @abstractmethod
    async def stop(self, seconds: float = 10) -> int:
        """SIGTERM; the exit code."""

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


async def until(holds: Callable[[], bool], seconds: float = 20, why: Callable[[], str] = lambda: "it never held") -> None:
    """Wait until a condition holds, or say why it didn't."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(why())
