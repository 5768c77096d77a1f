"""Reads for somebody who is still typing: few, shared, short-lived, and never waited for longer than Discord gives.

Each keystroke asks; what was read a moment ago answers, whoever it was read for. What is missing is read in the background,
only so much for each person. A read that fails or takes too long is unknown, never empty. What is made of it, and who may see
it, isn't decided here; no order is ever decided on what stands here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from bot.clock import Clock
from bot.desk.lookup.look import longest_window
from bot.desk.ports import Broker, Journal
from bot.desk.reads.shares import Tally
from bot.errors import BrokerError, JournalError
from bot.timings import DeskTimings
from bot.trading.health.shares import TYPING
from bot.trading.market.facts import Account, Order, Position, Quote, Strategy
from bot.trading.orders.instruments import Contract
from bot.trading.orders.tickets import Ticket
from bot.trading.risk.policy import Policy

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# Enough for one command with all its options, not for every keystroke.
MOST_READS = 8


class TimedCache(Generic[Key, Value]):
    """Answers of one kind of read, each for a while; two who want the same at once share one read.

    Args:
        read: reads one.
        lasts: how long it answers.
        grace: how much longer it is good enough where it may not be read again yet.
        clock: the time, aware UTC.
    """

    def __init__(self, read: Callable[[Key], Awaitable[Value]], lasts: timedelta, grace: timedelta, clock: Clock) -> None:
        self._read = read
        self._lasts = lasts
        self._grace = grace
        self._clock = clock
        self._found: dict[Key, tuple[datetime, Value | None]] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}

    def needs(self, key: Key) -> bool:
        """Tell whether it must be read, and nobody reads it yet."""
        return key not in self._running and not self._is_younger(key, self._lasts)

    def begin(self, key: Key) -> None:
        """Begin to read it."""
        task = asyncio.create_task(self._fill(key))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    def running(self, key: Key) -> Sequence["asyncio.Task[None]"]:
        """The read of it that is under way, if one is."""
        return [self._running[key]] if key in self._running else []

    def get(self, key: Key) -> Value | None:
        """The value read a moment ago; ``None`` when none was, or it could not be read."""
        return self._found[key][1] if self._is_younger(key, self._lasts + self._grace) else None

    @property
    def all_running(self) -> Sequence["asyncio.Task[None]"]:
        """Every read that is under way."""
        return list(self._running.values())

    def _is_younger(self, key: Key, age: timedelta) -> bool:
        return key in self._found and self._clock() - self._found[key][0] <= age

    async def _fill(self, key: Key) -> None:
        value: Value | None = None
        try:
            value = await self._read(key)
        except (BrokerError, JournalError):
            # Unknown from now on, whatever was read before.
            value = None
        self._found = {each: found for each, found in self._found.items() if self._is_younger(each, self._lasts + self._grace)}
        self._found[key] = (self._clock(), value)


class SuggestionCache:
    """Timed caches of all that suggestions are made of.

    Args:
        broker: asked in the background: its reads give way to those that somebody waits for.
        journal: for orders on their way.
        policy: says how far back the limits look.
        clock: the time, aware UTC.
        timings: how long is waited for what.
    """

    def __init__(
        self, broker: Broker, journal: Journal, policy: Callable[[], Policy], clock: Clock, timings: DeskTimings
    ) -> None:
        async def recent(_key: None) -> Sequence[Ticket]:
            return await journal.recent(clock() - longest_window(policy()))

        async def orders(account: str) -> Sequence[Order]:
            return await broker.orders(account, active_only=True)

        async def templates(_key: None) -> Sequence[str]:
            return await broker.atm_templates()

        self._clock = clock
        self._timings = timings
        grace = timings.typing_grace
        self._begun: dict[int, list[datetime]] = {}
        self._tally = Tally(TYPING, clock)
        self.quotes: TimedCache[Contract, Quote] = TimedCache(broker.quote, timings.prices_last, grace, clock)
        self.positions: TimedCache[str, Sequence[Position]] = TimedCache(broker.positions, timings.positions_last, grace, clock)
        self.orders: TimedCache[str, Sequence[Order]] = TimedCache(orders, timings.orders_last, grace, clock)
        self.accounts: TimedCache[str, Account] = TimedCache(broker.account, timings.positions_last, grace, clock)
        self.running: TimedCache[str, Sequence[Strategy]] = TimedCache(broker.strategies, timings.positions_last, grace, clock)
        self.templates: TimedCache[None, Sequence[str]] = TimedCache(templates, timings.names_last, grace, clock)
        self.recent: TimedCache[None, Sequence[Ticket]] = TimedCache(recent, timings.orders_last, grace, clock)

    async def see(self, member: int, wanted: Iterable["Wanted"]) -> None:
        """Have read what is neither fresh nor under way, as far as the member has reads left, and wait for it all a little."""
        asked = tuple(wanted)
        for shelf, key in asked:
            if shelf.needs(key) and self._may_read(member):
                shelf.begin(key)
        if running := [task for shelf, key in asked for task in shelf.running(key)]:
            await asyncio.wait(running, timeout=self._timings.typing_wait.total_seconds())

    async def close(self) -> None:
        """Stop reading."""
        shelves = (self.quotes, self.positions, self.orders, self.accounts, self.running, self.templates, self.recent)
        running = [task for shelf in shelves for task in shelf.all_running]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _may_read(self, member: int) -> bool:
        now = self._clock()
        lately = {each: [at for at in begun if now - at < self._timings.typing_counts] for each, begun in self._begun.items()}
        self._begun = {each: begun for each, begun in lately.items() if begun}
        theirs = self._begun.setdefault(member, [])
        if len(theirs) >= MOST_READS or self._tally.ask(member) is not None:
            return False
        theirs.append(now)
        return True


Wanted = tuple[TimedCache[Any, Any], Hashable]
