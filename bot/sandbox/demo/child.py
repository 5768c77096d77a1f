"""The bot as a process of its own: started, watched, stopped; its log kept in a file and its warnings passed on.

With which settings it runs, and what it talks to, is the stage's business.
"""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from bot.errors import DeskError

Result = TypeVar("Result")

LOG_NAME = "bot.log"
LAST_LINES = 15
# The bot promises to be gone within ten seconds of the signal.
STOP_SECONDS = 12.0
BOTH_TOLD_SECONDS = 2.0
_WARNING = re.compile(r"\S+ (?:WARNING|ERROR|CRITICAL) ")


class BotEnded(DeskError):
    """The bot is gone although nobody told it to stop."""

    def __init__(self, code: int, last_lines: list[str]) -> None:
        self.code = code
        lines = "\n".join(f"  {line}" for line in last_lines) or "  (it said nothing)"
        super().__init__(f"The bot ended by itself with exit code {code}. The last lines of its log:\n{lines}")


def is_warning(line: str) -> bool:
    """Tell whether a line of the bot's log begins a warning or worse."""
    return _WARNING.match(line) is not None


class Bot:
    """A running bot; see ``launched``.

    Attributes:
        pid: the process.
        last_lines: the end of its log.
    """

    def __init__(self, process: Process, log: BinaryIO, warn: Callable[[str], None]) -> None:
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.pid = process.pid
        self._process = process
        self._log = log
        self._warn = warn
        # Its output ends with the process, so that the last lines are there by then.
        self._ending = asyncio.create_task(self._read())

    async def beside(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something that makes sense only while the bot runs.

        Raises:
            BotEnded: it ended first.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task, self._ending}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and self._ending.result() == 0:
                # It was told to stop. Ctrl-C tells both, and the bot may be the faster one to hear it.
                await asyncio.wait({task}, timeout=BOTH_TOLD_SECONDS)
            if not task.done():
                raise BotEnded(self._ending.result(), list(self.last_lines))
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def stop(self) -> None:
        """End it as a service manager does, and by force if it doesn't."""
        # On Windows terminate is force already; there the bot has no other signal from outside its console.
        with suppress(ProcessLookupError):
            self._process.terminate()
        done, _ = await asyncio.wait({self._ending}, timeout=STOP_SECONDS)
        if not done:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._ending

    async def _read(self) -> int:
        stream, rest = self._process.stdout, b""
        while stream is not None and (chunk := await stream.read(8192)):
            self._log.write(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._take(line)
        if rest:
            self._take(rest)
        return await self._process.wait()

    def _take(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").rstrip()
        self.last_lines.append(line)
        if is_warning(line):
            self._warn(line)


@asynccontextmanager
async def launched(folder: Path, environment: Mapping[str, str], warn: Callable[[str], None]) -> AsyncIterator[Bot]:
    """Run ``python -m bot run`` in a folder with an environment of its own while the block runs.

    Args:
        folder: where it runs and where its log is written.
        environment: all that it gets to see.
        warn: gets each line of its log that is a warning or worse.
    """
    async with AsyncExitStack() as stack:
        log = stack.enter_context(_opened(folder / LOG_NAME))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
        bot = Bot(process, log, warn)
        stack.push_async_callback(bot.stop)
        yield bot


def _opened(file: Path) -> BinaryIO:
    # Unbuffered, so that whoever looks into it sees the last line.
    return file.open("ab", buffering=0)
