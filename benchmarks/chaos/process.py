"""The bot as a process: started, killed, started again when it ends by itself, and what an operator would see of it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.discord import LocalDiscord

ROOT = Path(__file__).parents[2]
START_SECONDS = 40.0
STOP_SECONDS = 10.0
LAST_WORDS = 600


class BotError(Exception):
    """The bot could not be started; the text holds its last words."""


@dataclass(slots=True)
class Bot:
    """The process, or its place.

    Attributes:
        log: where all of its lives write to.
        starts: how often it was started.
        ended: exit codes and last words of lives that ended by themselves.
    """

    discord: LocalDiscord
    settings: Mapping[str, str]
    folder: Path
    starts: int = 0
    ended: list[str] = field(default_factory=list)
    process: Process | None = None

    @property
    def log(self) -> Path:
        """Where it logs to."""
        return self.folder / "bot.log"

    @property
    def clock(self) -> Path:
        """The file that says how far its clock is ahead."""
        return self.folder / "clock"

    async def up(self) -> None:
        """Start it if it doesn't run, as a supervisor would, and wait until it takes commands.

        Raises:
            BotError: it doesn't come up.
        """
        self._note_end()
        for _ in range(3):
            if self.process is not None:
                return
            await self._start()
        if self.process is None:
            raise BotError(f"the bot doesn't come up: {self.ended[-1:]}")

    def kill(self) -> None:
        """Kill -9, at once."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()

    async def gone(self) -> None:
        """Wait until a killed one is gone."""
        if self.process is not None:
            await self.process.wait()
            # The system closes its sockets; what was connected must not be taken for its successor.
            await self.discord.until(lambda: not self.discord.gateway.connected)
        self.process = None

    async def stop(self) -> int | None:
        """SIGTERM; the exit code, ``None`` if it had to be killed."""
        if self.process is None or self.process.returncode is not None:
            self._note_end()
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS + 2):
                return await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.gone()
            return None

    async def _start(self) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
        environment |= {"PYTHONPATH": str(ROOT), "CHAOS_CLOCK": str(self.clock), **self.settings}
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.chaos.jumping", "run",
                cwd=self.folder, env=environment, stdout=DEVNULL, stderr=log,
            )  # fmt: skip
        self.starts += 1
        ready = asyncio.ensure_future(self.discord.ready(START_SECONDS))
        ended = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ready, ended):
            task.cancel()
        await asyncio.gather(ready, ended, return_exceptions=True)
        self._note_end()

    def _note_end(self) -> None:
        if self.process is not None and self.process.returncode is not None:
            words = self.log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:].strip().splitlines()[-1:]
            self.ended.append(f"exit {self.process.returncode}: {''.join(words)}")
            self.process = None
