"""The bot and its machine: lives one after the other as a supervisor has them, a disk, a freezer."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.errors import DeskError
from bot.sandbox.virtual import Party

SMALLEST_FILE = 4096
RESTART_SECONDS = 1.0
STOP_SECONDS = 15.0


@dataclass(slots=True)
class Lives:
    """The bot's, of which there is one at a time.

    Attributes:
        name: of its party.
        lead: the whole bot, until it is told to stop.
        say: puts something into the timeline.
        disk_is_full: none of its files may grow.
        commits: pieces of work that it has done in a thread, its writes to the journal among them.
        births: when each life began, in seconds of the loop's time.
        ended: what lives that ended by themselves said last.
        crashed: what ended those that said nothing that people could read.
    """

    name: str
    lead: Callable[[asyncio.Event], Awaitable[None]]
    say: Callable[[str, str], None]
    disk_is_full: bool = False
    commits: int = 0
    births: list[float] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    party: Party | None = None
    _task: "asyncio.Task[None] | None" = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _is_wanted: bool = True
    _is_told: bool = False

    @property
    def starts(self) -> int:
        """Times that it began."""
        return len(self.births)

    def begin(self) -> None:
        """Start it, if it doesn't run."""
        if self.party is not None or not self._is_wanted:
            return
        self.births.append(asyncio.get_running_loop().time())
        self.say(self.name, f"life {self.starts} begins")
        self._stop, self._is_told = asyncio.Event(), False
        self.party = party = Party(self.name, self.starts)
        party.around_thread = self._disk
        self._task = party.start(self._live(), name=f"bot {self.starts}")
        self._task.add_done_callback(self._note_end)

    def kill(self) -> None:
        """Kill -9."""
        if self.party is not None:
            self.party.kill()
            self.party = self._task = None

    def tell_to_stop(self) -> None:
        """SIGTERM, as a supervisor gives it that starts it again once it has gone."""
        self._is_told = True
        self._stop.set()

    def suspend(self) -> None:
        """Freeze it, as SIGSTOP or the lid of a notebook does."""
        if self.party is not None:
            self.party.suspend()

    def resume(self) -> None:
        """Let it go on."""
        if self.party is not None:
            self.party.resume()

    async def stop(self) -> int | None:
        """SIGTERM; the exit code, ``None`` where it had to be killed."""
        self._is_wanted = False
        if (task := self._task) is None:
            return 0
        self._stop.set()
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        if not task.done():
            self.kill()
            return None
        return 0

    async def _live(self) -> None:
        # As the program says it: a sentence where there is one.
        await self.lead(self._stop)

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        """Take it for gone; a supervisor starts it again unless it was told to stop."""
        if task is not self._task or self.party is None:
            return
        error = task.exception()
        self.say(self.name, f"life {self.starts} ends: {error!r}")
        if error is not None and not isinstance(error, DeskError):
            self.crashed.append(f"{type(error).__name__}: {error}")
        elif error is not None or (self._is_wanted and not self._is_told):
            self.ended.append(f"{type(error).__name__}: {error}")
        # What it may have left running ends with the process.
        self.kill()
        if self._is_wanted:
            asyncio.get_running_loop().call_later(RESTART_SECONDS, self.begin)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            if self.disk_is_full:
                with _no_growth():
                    yield
            else:
                yield
        finally:
            self.commits += 1


@contextmanager
def _no_growth() -> Iterator[None]:
    """Let no file of this process grow: what is written in place still works, as on a full disk."""
    if sys.platform == "win32":
        raise OSError("no space left on device")
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALLEST_FILE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
