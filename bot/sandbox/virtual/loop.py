"""An event loop whose time jumps to the next timer, with threads and sockets that are none.

Everything happens in one thread and in one order, so that the same program with the same chance does the same each time.
"""

import asyncio
import heapq
import ipaddress
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from contextvars import Context
from itertools import count
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from .choices import Choice
from .network import Dialled, Network, Server
from .parties import PARTY
from .steps import Alarm, AnyStep, Step

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = 1000.0
MOST_STEPS_IN_ONE_MOMENT = 1_000_000
_MANY_CANCELLED = 100


class Deadlock(RuntimeError):
    """Nothing is ready and no timer is set: whoever still waits would wait for ever."""


class Standstill(RuntimeError):
    """Step follows step and time doesn't move: somebody asks again and again without waiting."""


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop.

    Args:
        choice: which of the ready callbacks goes next; first come first served if left out.
        start: the first moment.

    Attributes:
        network: what connections go through.
        thread_seconds: how long it takes until the result of a thread's work is there; the work itself is done at once.
        steps: callbacks run so far.
        after_step: called behind each callback, in nobody's name.
    """

    _closed: bool

    def __init__(self, choice: Choice | None = None, start: float = START) -> None:
        super().__init__()
        self.network = Network(self)
        self.thread_seconds: Callable[[], float] | None = None
        self.steps = 0
        self.after_step: Callable[[], None] | None = None
        self._choice = choice
        self._now = start
        self._ready: deque[AnyStep] = deque()
        self._timers: list[tuple[float, int, Alarm]] = []
        self._numbers = count()
        self._cancelled_timers = 0
        self._steps_before = 0
        self._is_stopping = False
        self._thread = threading.get_ident()

    # Time

    def time(self) -> float:
        """The virtual time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass all at once, as it does for a program that is busy: what is due meanwhile comes after it."""
        self._now += seconds

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Step:
        """Run a callback as soon as its turn comes."""
        if self._closed:
            self._refuse()
        step = Step(callback, args, self, context)
        self._ready.append(step)
        return step

    def call_soon_threadsafe(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Step:
        """As ``call_soon``; there are no other threads."""
        if threading.get_ident() != self._thread:
            raise RuntimeError("another thread speaks to a loop of virtual time")
        return self.call_soon(callback, *args, context=context)

    def call_later(self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Alarm:
        """Run a callback in so many seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Alarm:
        """Run a callback at that moment; of several at one moment, the first that was asked for goes first."""
        if self._closed:
            self._refuse()
        alarm = Alarm(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), alarm))
        return alarm

    @staticmethod
    def _refuse() -> NoReturn:
        raise RuntimeError("Event loop is closed")

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        """Forget timers that were called off, once they are most of all; asyncio's timers call this."""
        self._cancelled_timers += 1
        if self._cancelled_timers > _MANY_CANCELLED and self._cancelled_timers * 2 > len(self._timers):
            # In place, as this may come in the middle of a step.
            self._timers[:] = [timer for timer in self._timers if not timer[2].is_cancelled and timer[2] is not _handle]
            heapq.heapify(self._timers)
            self._cancelled_timers = 0

    # Running

    def stop(self) -> None:
        """Stop behind what is ready now."""
        self._is_stopping = True
        super().stop()

    def _run_once(self) -> None:
        """Run what is ready, or what comes next; asyncio's ``run_forever`` calls this again and again."""
        if self._timers and self._timers[0][0] <= self._now:
            self._gather()
        if not self._ready and not self._is_stopping:
            self._jump()
        self._is_stopping = False
        if self._choice is None:
            self._run_in_order()
        else:
            self._run_as_chosen(self._choice)
        if self.steps - self._steps_before > MOST_STEPS_IN_ONE_MOMENT:
            raise Standstill(f"{MOST_STEPS_IN_ONE_MOMENT} steps at {self._now}, waiting are {self._who_waits()}")

    def _gather(self) -> None:
        """Make ready what is due."""
        timers, now = self._timers, self._now
        while timers and timers[0][0] <= now:
            alarm = heapq.heappop(timers)[2]
            if not alarm.is_cancelled:
                self._ready.append(alarm)

    def _jump(self) -> None:
        """Let time pass until a timer is due."""
        timers = self._timers
        while timers and timers[0][2].is_cancelled:
            heapq.heappop(timers)
        if not timers:
            raise Deadlock(f"nothing will ever happen again; waiting are {self._who_waits()}")
        self._now = timers[0][0]
        self._steps_before = self.steps
        self._gather()

    def _run_in_order(self) -> None:
        take, run = self._ready.popleft, self._run
        todo = len(self._ready)
        self.steps += todo
        for _ in range(todo):
            run(take())

    def _run_as_chosen(self, choice: Choice) -> None:
        ready = self._ready
        for _ in range(len(ready)):
            while ready and ready[0].is_cancelled:
                ready.popleft()
            if not ready:
                return
            self.steps += 1
            self._run(choice(ready))

    def _run(self, step: AnyStep) -> None:
        # As asyncio's own loops ask it, without a call for each of millions.
        if step._cancelled:  # noqa: SLF001
            return
        party = step.party
        if party is not None and not party.runs:
            party.hold(step, self._ready.extend)
            return
        try:
            step.run()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - as asyncio does it: nobody waits for a callback
            self.call_exception_handler({"message": f"Exception in callback {step!r}", "exception": error, "handle": step})
        if self.after_step is not None:
            self.after_step()

    def _who_waits(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        return ", ".join(f"{task.get_name()} ({task.get_coro()!r})" for task in tasks) or "no tasks"

    # Tasks and threads

    def create_task(  # type: ignore[override]  # asyncio takes a generator too
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[T]":
        """Make a task, which belongs to the party of its context."""
        task = super().create_task(coro, name=name, context=context)
        party = PARTY.get() if context is None else context.get(PARTY)
        if party is not None:
            party.own(task)
        return task

    def _asyncgen_firstiter_hook(self, agen: Any) -> None:
        # Nobody closes what a killed party has begun.
        if PARTY.get() is None:
            super()._asyncgen_firstiter_hook(agen)  # type: ignore[misc]

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":  # noqa: ARG002
        """Do a thread's work here and now; its result comes later, as that of a thread would."""
        future: asyncio.Future[T] = self.create_future()
        party = PARTY.get()
        try:
            with nullcontext() if party is None else party.around_thread():
                result = func(*args)
        except Exception as error:  # noqa: BLE001 - handed on
            self._later(_fail, future, error)
        else:
            self._later(_succeed, future, result)
        return future

    def _later(self, settle: Callable[..., None], future: "asyncio.Future[Any]", outcome: object) -> None:
        if self.thread_seconds is None:
            self.call_soon(settle, future, outcome)
        else:
            self.call_later(self.thread_seconds(), settle, future, outcome)

    # The network

    async def getaddrinfo(self, host: Any, port: Any, **_rest: int) -> list[tuple[Any, ...]]:
        """Resolve what needs no resolving: literals, and this very host."""
        text = "127.0.0.1" if host in (None, "", "localhost", b"localhost") else str(host)
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, f"there is no {text} here") from None
        kind = socket.AF_INET if address.version == 4 else socket.AF_INET6
        return [(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (text, int(port or 0)))]

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **_rest: Any) -> Server:  # type: ignore[override]
        """Listen in the network."""
        return self.network.listen(protocol_factory, host if isinstance(host, str) else "127.0.0.1", int(port or 0))

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, *, ssl: Any = None, sock: Any = None, **_rest: Any
    ) -> tuple[asyncio.Transport, Any]:
        """Connect in the network."""
        if ssl:
            raise NotImplementedError("there is no TLS in the network of virtual time")
        dialled = sock if isinstance(sock, Dialled) else await self.network.dial(str(host), int(port))
        return dialled.attach(protocol_factory())


def _succeed(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def run(main: Coroutine[Any, Any, T], choice: Choice | None = None) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(choice)) as runner:
        return runner.run(main)


def loop_factories(_config: object, _item: object) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Loop factories for pytest-asyncio's hook of a similar name, where all tests below a folder shall run in virtual time."""
    return {"virtual": VirtualLoop}
