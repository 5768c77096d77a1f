"""Two machines of one desk: a leader and a standby as processes on one PostgreSQL database, one Discord, one CrossTrade."""

import asyncio
import os
import re
import signal
import sys
import uuid
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.stage import POLICY, ROOT, StageError
from bot.sandbox.discord import LocalDiscord
from bot.sandbox.discord.world import GUILD
from bot.sandbox.ninjatrader import AccountSpec, Holding, Simulator, running

LEADS, STANDS_BY = "ready as", "standing by: Another process leads"
_LOOK = 0.01
_LEADER = text("SELECT holder FROM leader")


@dataclass(slots=True)
class Machine:
    """One of the two."""

    log: Path
    environment: Mapping[str, str]
    process: Process | None = None

    async def start(self) -> None:
        """Start the bot and wait until it leads or stands by."""
        before = self.count(LEADS) + self.count(STANDS_BY)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=self.log.parent, env=self.environment, stdout=DEVNULL, stderr=log
            )
        await self.until(lambda: self.count(LEADS) + self.count(STANDS_BY) > before)

    @property
    def pid(self) -> int:
        """Its process."""
        if self.process is None:
            raise StageError("a machine isn't running")
        return self.process.pid

    def count(self, words: str) -> int:
        """Times that its log says something."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(words) if self.log.exists() else 0

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """Kill -9, and wait for it."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for a condition while the process lives.

        Raises:
            StageError: the process ended, or it never held.
        """
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    if self.process is None or self.process.returncode is not None:
                        raise StageError(f"a bot ended: {self.last_words()}")
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise StageError(f"a bot didn't get that far: {self.last_words()}") from None

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]


@dataclass(slots=True)
class Pair:
    """The two machines and what they talk to."""

    machines: tuple[Machine, Machine]
    discord: LocalDiscord
    simulator: Simulator
    database: AsyncConnection

    async def leader(self) -> Machine:
        """The leader, by the database."""
        holder = str(await self.database.scalar(_LEADER))
        found = re.search(r"process (\d+)$", holder)
        return next(machine for machine in self.machines if found is not None and machine.pid == int(found[1]))

    def other(self, machine: Machine) -> Machine:
        """The other one."""
        return self.machines[1 - self.machines.index(machine)]


@asynccontextmanager
async def paired(folder: Path, server: str, accounts: list[str]) -> AsyncIterator[Pair]:
    """Start everything on a database of its own, and end it.

    Raises:
        StageError: a part didn't start.
    """
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    simulator = Simulator(
        rate_limited=False, accounts=tuple(AccountSpec(name, holdings=(Holding("ES 09-26", -1),)) for name in accounts)
    )
    async with AsyncExitStack() as stack:
        url, database = await stack.enter_async_context(_database(server))
        discord = LocalDiscord()
        await stack.enter_async_context(discord.running())
        crosstrade = await stack.enter_async_context(running(simulator))
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "DISCORD_TOKEN": "benchmark",
            "DISCORD_GUILD_ID": str(GUILD),
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "CROSSTRADE_TOKEN": "benchmark",
            "CROSSTRADE_URL": crosstrade,
            "CROSSTRADE_RATE": "200",
            "CROSSTRADE_BURST": "200",
            "DATABASE_URL": url,
        }
        first, second = Machine(folder / "first.log", environment), Machine(folder / "second.log", environment)
        for machine in (first, second):
            stack.push_async_callback(_end, machine)
            await machine.start()
        yield Pair((first, second), discord, simulator, database)


async def _end(machine: Machine) -> None:
    if machine.process is not None and machine.process.returncode is None:
        machine.send(signal.SIGCONT)
    await machine.kill()


@asynccontextmanager
async def _database(server: str) -> AsyncIterator[tuple[str, AsyncConnection]]:
    address = make_url(server)
    own = address.set(database=f"failover_{uuid.uuid4().hex}")
    try:
        async with _connected(address) as door:
            await door.execute(text(f"CREATE DATABASE {own.database}"))
    except (OSError, SQLAlchemyError) as error:
        raise StageError(f"no database could be made there: {type(error).__name__}") from error
    try:
        async with _connected(own) as look:
            yield own.render_as_string(hide_password=False), look
    finally:
        async with _connected(address) as door:
            await door.execute(text(f"DROP DATABASE {own.database} WITH (FORCE)"))


@asynccontextmanager
async def _connected(address: URL) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(address, isolation_level="AUTOCOMMIT", connect_args={"timeout": 5})
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
