"""The party that a callback belongs to: it lives in contexts of its own, can be frozen for a while, and killed like a process.

What a killed one had in memory is gone without a word: none of its callbacks runs again, none of its coroutines is closed, and
what a system gives back for a dead process (connections, locks, open transactions) is given back.
"""

import asyncio
import ctypes
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, TypeVar
from weakref import WeakSet

T = TypeVar("T")

PARTY: "ContextVar[Party | None]" = ContextVar("party", default=None)
# What was killed stays referenced, also while the interpreter ends: a coroutine that is collected runs its finally blocks.
_GRAVES: list[object] = []
ctypes.pythonapi.Py_IncRef(ctypes.py_object(_GRAVES))


def party_now() -> "Party | None":
    """The party whose code runs just now; ``None`` for what belongs to nobody."""
    return PARTY.get()


class Party:
    """One of those who take part.

    Args:
        name: as the network and people call it.
        life: which of its lives this is, from 1.

    Attributes:
        runs: whether its callbacks run: it is neither frozen nor dead.
        is_dead: it was killed.
        around_thread: entered around whatever it would have done in a thread, its writes to disk for instance.
    """

    def __init__(self, name: str, life: int = 1) -> None:
        self.name = name
        self.life = life
        self.runs = True
        self.is_dead = False
        self.around_thread: Callable[[], AbstractContextManager[object]] = nullcontext
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._held: list[object] = []
        self._holdings: dict[int, Callable[[], None]] = {}
        self._numbers = count()
        self._resume: Callable[[list[Any]], None] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}, life {self.life}>"

    def context(self) -> Context:
        """A context in which everything belongs to it."""
        context = copy_context()
        context.run(PARTY.set, self)
        return context

    def start(self, coroutine: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
        """Let it do something; all that comes of it is its own too."""
        return asyncio.get_running_loop().create_task(coroutine, name=name, context=self.context())

    def holds(self, give_back: Callable[[], None]) -> Callable[[], None]:
        """Note what the system gives back when it dies; returns how to say that it has done so itself."""
        number = next(self._numbers)
        self._holdings[number] = give_back
        return lambda: void(self._holdings.pop(number, None))

    def suspend(self) -> None:
        """Freeze it: whatever is to run waits, connections stay, time goes on."""
        if not self.is_dead:
            self.runs = False

    def resume(self) -> None:
        """Let it go on: whatever waited runs in the order in which it came."""
        if self.is_dead or self.runs:
            return
        self.runs = True
        held, self._held = self._held, []
        if self._resume is not None:
            self._resume(held)

    def kill(self) -> None:
        """End it as SIGKILL ends a process."""
        if self.is_dead:
            return
        self.runs, self.is_dead = False, True
        _GRAVES.append(self._held)
        for task in tuple(self._tasks):
            if not task.done():
                self._held.append(task)
                # Or whoever closes the loop would wait for it.
                asyncio._unregister_task(task)  # noqa: SLF001 - documented for those who write loops
        while self._holdings:
            self._holdings.pop(next(iter(self._holdings)))()

    def own(self, task: "asyncio.Task[Any]") -> None:
        """Take in a task that the loop has made for it."""
        self._tasks.add(task)

    def hold(self, step: object, resume: Callable[[list[Any]], None]) -> None:
        """Keep what can't run now: until it goes on, or for good."""
        self._held.append(step)
        self._resume = resume


def void(_value: object) -> None:
    """Give nothing."""
