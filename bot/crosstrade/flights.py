"""Reads under way: whoever wants the same meanwhile waits for that one read, if it is young enough and not behind theirs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.crosstrade.budget import Priority
from bot.crosstrade.snapshot import Asked, Key
from bot.errors import BrokerError

Read = TypeVar("Read")


@dataclass(slots=True)
class Flight(Generic[Read]):
    """One read.

    Attributes:
        priority: by which it waits for the request budget.
        asked: when its request left; ``None`` while it waits.
        waiting: how many wait for it.
    """

    priority: Priority
    asked: Asked | None = None
    waiting: int = 0
    task: "asyncio.Task[Read]" = field(init=False)


Begin = Callable[[Flight[Read]], Awaitable[Read]]


class Flights:
    """Reads under way of one client, by what they read."""

    def __init__(self) -> None:
        self._under_way: dict[Key, Flight[object]] = {}
        # In the order in which they began, as they are ended.
        self._all: dict[asyncio.Task[object], None] = {}

    async def read(
        self,
        key: Key,
        priority: Priority,
        begin: Callable[[Flight[object]], Awaitable[object]],
        may_serve: Callable[[Asked], bool],
    ) -> tuple[object, Asked | None]:
        """The value and the moment it was asked for: of a read that is under way and may serve, else of one that begins now.

        One that has not left yet may serve whoever wouldn't have gone before it.

        Raises:
            BrokerError: as the read does. One that was somebody else's is made once more, by all together who waited for it.
        """

        def under_way() -> Flight[object] | None:
            flight = self._under_way.get(key)
            if flight is None:
                return None
            serves = may_serve(flight.asked) if flight.asked is not None else flight.priority <= priority
            return flight if serves else None

        if (flight := under_way()) is not None:
            with suppress(BrokerError):
                return await self._waited_for(flight)
        return await self._waited_for(under_way() or self._begin(key, priority, begin))

    async def _waited_for(self, flight: Flight[object]) -> tuple[object, Asked | None]:
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task), flight.asked
        finally:
            flight.waiting -= 1
            # Whose turn in the budget hasn't come, and whom nobody wants any more, must not take it from others.
            if not flight.waiting and flight.asked is None:
                flight.task.cancel()

    async def close(self) -> None:
        """End all of them."""
        under_way = list(self._all)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _begin(self, key: Key, priority: Priority, begin: Callable[[Flight[object]], Awaitable[object]]) -> Flight[object]:
        flight = Flight[object](priority)

        async def reading() -> object:
            try:
                return await begin(flight)
            finally:
                if self._under_way.get(key) is flight:
                    del self._under_way[key]

        flight.task = asyncio.create_task(reading(), name=f"read {key.kind}")
        self._under_way[key] = flight
        self._all[flight.task] = None
        flight.task.add_done_callback(self._ended)
        return flight

    def _ended(self, task: "asyncio.Task[object]") -> None:
        self._all.pop(task)
        # Whoever waited has the error; that nobody did is no fault.
        if not task.cancelled():
            task.exception()
