"""The places of other people's libraries that reach past the loop, each replaced while a simulation runs and put back afterwards.

They look at the machine's clocks, start threads of their own, open sockets or files. Nothing of ours is replaced here.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import aiohappyeyeballs
import aiohttp.client
import aiohttp.connector
import discord
import portalocker
from discord import backoff, gateway
from discord.ui import view
from discord.webhook.async_ import async_context
from sqlalchemy import event
from sqlalchemy.engine import Engine

from .loop import VirtualLoop
from .network import Dialled
from .parties import party_now

BEATS_MISSED = 10.0


class Heartbeat:
    """Discord.py's heartbeat by the loop's timers in place of a thread of its own; the rules are the library's.

    Args:
        ws: the connection.
        interval: seconds between beats.
    """

    def __init__(self, *, ws: Any, interval: float, shard_id: int | None = None) -> None:
        self.ws = ws
        self.interval = interval
        self.shard_id = shard_id
        self.latency = float("inf")
        self._now = asyncio.get_running_loop().time
        self._last_ack = self._last_send = self._last_recv = self._now()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="discord heartbeat")

    def stop(self) -> None:
        """End."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def get_payload(self) -> dict[str, Any]:
        """The payload of a heartbeat."""
        return {"op": self.ws.HEARTBEAT, "d": self.ws.sequence}

    def tick(self) -> None:
        """Hear that something came."""
        self._last_recv = self._now()

    def beat(self) -> dict[str, Any]:
        """Beat out of turn."""
        self._last_send = self._now()
        return self.get_payload()

    def ack(self) -> None:
        """Hear that a beat was answered."""
        self._last_ack = self._now()
        self.latency = self._last_ack - self._last_send

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            if self._last_recv + self.ws._max_heartbeat_timeout < self._now():  # noqa: SLF001 - as the thread does
                await self.ws.close(4000)
                return
            try:
                await self.ws.send_heartbeat(self.get_payload())
            except Exception:  # noqa: BLE001 - as the thread does
                return
            self._last_send = self._now()


@contextmanager
def foreign_seams(loop: VirtualLoop, host: Callable[[], datetime], seed: int) -> Iterator[None]:
    """Let the libraries live in this loop.

    Args:
        loop: gives their time.
        host: the host's clock, for what asks for the date.
        seed: of their chance.
    """

    def wall() -> float:
        return host().timestamp()

    clocks = SimpleNamespace(time=wall, monotonic=loop.time, perf_counter=loop.time)
    dice = random.Random(seed)
    chance = SimpleNamespace(urandom=dice.randbytes)
    places: Sequence[tuple[Any, str, Any]] = (
        (aiohappyeyeballs, "start_connection", _dials(loop)),
        (aiohttp.connector, "monotonic", loop.time),
        (gateway, "KeepAliveHandler", Heartbeat),
        (gateway, "time", clocks),
        (backoff, "time", clocks),
        (view, "time", clocks),
        (view, "os", chance),
        (aiohttp.client, "os", chance),
        # A lock that a killed party holds lives on, and the same seed gives the same press in another loop.
        (async_context.get(), "_locks", WeakValueDictionary()),
        (discord.utils, "utcnow", lambda: host().astimezone(UTC)),
        (portalocker.Lock, "acquire", _given_back(portalocker.Lock.acquire)),
    )
    before = [getattr(place, name) for place, name, _ in places]
    state = random.getstate()
    random.seed(seed)
    event.listen(Engine, "connect", _owned)
    try:
        for place, name, stand_in in places:
            setattr(place, name, stand_in)
        yield
    finally:
        for (place, name, _), original in zip(places, before, strict=True):
            setattr(place, name, original)
        event.remove(Engine, "connect", _owned)
        random.setstate(state)


def _dials(loop: VirtualLoop) -> Callable[..., Any]:
    async def start_connection(addr_infos: Sequence[Any], **_options: Any) -> Dialled:
        host, port = addr_infos[0][4][:2]
        return await loop.network.dial(host, port)

    return start_connection


def _given_back(acquire: Callable[..., Any]) -> Callable[..., Any]:
    """Let a lock be given back when its party dies, as the system does for a process."""

    def acquired(lock: Any, *args: Any, **options: Any) -> Any:
        taken = acquire(lock, *args, **options)
        if (party := party_now()) is not None:
            party.holds(lock.release)
        return taken

    return acquired


def _owned(connection: Any, _entry: object) -> None:
    """Let a database's connection end with its party: what was not committed is undone."""
    party = party_now()
    if party is not None and isinstance(connection, sqlite3.Connection):
        party.holds(connection.close)


__all__ = ["Heartbeat", "foreign_seams"]
