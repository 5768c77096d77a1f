"""The request budget: one token bucket for everything that counts at CrossTrade, in which ways out go before all else.

CrossTrade grants 3 requests a second and 20 at once to each user, REST and RPC together (rate limits page, official). Here is
the bucket as plain arithmetic and the queue before it; what to do when the budget runs out is the caller's business.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from bot.crosstrade.counts import MINUTE, Counts
from bot.timings import CrossTradeTimings
from bot.trading.health.spending import Spending

LARGEST_RESERVE = 10
# Of so many at once, one stays unused: requests may come in closer together than they left, and one too many is refused.
LEAST_WITH_SLACK = 10
# Of that reserve, what is for ways out alone: nearly all that a close reads for its card and at its press, and its call.
LARGEST_EXIT_RESERVE = 8


class Priority(IntEnum):
    """Rank of a request, and what it is for; within one priority it is first come, first served.

    Attributes:
        purpose: what such requests are made for, as ``/health`` and ``/metrics`` call it.
        EXIT: calls of ways out, and what is read at their press and after it.
        EXIT_CARD: what is read for a way out's card.
        PRESS: what is read at the press of all other cards.
        ORDER: all other calls.
        NEWS: what becomes of orders that were sent.
        TICKET: what is read for all other cards, and as evidence.
        READ: commands that only read.
        OPEN_CARD: what keeps known what open cards will be decided on.
        BACKGROUND: what nobody waits for.
    """

    purpose: str

    def __new__(cls, turn: int, purpose: str) -> Self:
        """One with its place in the queue."""
        priority = int.__new__(cls, turn)
        priority._value_ = turn
        priority.purpose = purpose
        return priority

    EXIT = 0, "ways out"
    EXIT_CARD = 1, "cards of ways out"
    PRESS = 2, "presses"
    ORDER = 3, "orders"
    NEWS = 4, "news of orders"
    TICKET = 5, "cards and evidence"
    READ = 6, "commands that only read"
    OPEN_CARD = 7, "open cards"
    BACKGROUND = 8, "watching and suggestions"


class Bucket:
    """Tokens at a moment; times are seconds of any clock that doesn't run backwards.

    Args:
        rate: tokens per second.
        burst: tokens at once.
        now: the moment.
        longest_park: seconds that nothing is given at most.
    """

    def __init__(self, rate: float, burst: int, now: float, longest_park: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a budget needs a rate above zero and a burst of at least one")
        self._rate = rate
        self._burst = burst
        self._longest_park = longest_park
        self._tokens = float(burst)
        self._at = now
        self._parked_until = now

    def take(self, now: float, reserve: int = 0) -> bool:
        """Take a token if there is one above the reserve."""
        self._refill(now)
        if now < self._parked_until or self._tokens < reserve + 1:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float, reserve: int = 0) -> float:
        """Seconds until a token above the reserve will be there if nobody takes one before."""
        self._refill(now)
        return max((reserve + 1 - self._tokens) / self._rate, self._parked_until - now, 0.0)

    def park(self, now: float, seconds: float) -> None:
        """Give nothing for some seconds: CrossTrade says that its own bucket is empty."""
        self._refill(now)
        self._tokens = 0.0
        self._parked_until = max(self._parked_until, now + min(max(seconds, 0.0), self._longest_park))

    def left(self, now: float) -> int:
        """Tokens left."""
        self._refill(now)
        return 0 if now < self._parked_until else int(self._tokens)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._tokens + max(now - self._at, 0.0) * self._rate, float(self._burst))
        self._at = max(now, self._at)


@dataclass(order=True, slots=True)
class _Waiter:
    priority: Priority
    turn: int
    deadline: float = field(compare=False)
    granted: asyncio.Future[None] = field(compare=False)


class Budget:
    """The bucket with its queue.

    Args:
        rate: requests per second.
        burst: requests at once. Up to ten of these are kept from people who only look, and of those up to eight are for ways
            out alone; one stays unused.
        clock: seconds of a monotonic clock; deadlines are read on it.
        timings: how long is waited for what.
    """

    def __init__(self, rate: float, burst: int, *, clock: Callable[[], float], timings: CrossTradeTimings) -> None:
        self.now = clock
        self.reserve = min(LARGEST_RESERVE, burst // 2)
        self.exit_reserve = min(LARGEST_EXIT_RESERVE, burst * 2 // 5)
        self._shortest_wait = timings.shortest_wait
        usable = burst - 1 if burst >= LEAST_WITH_SLACK else burst
        self._bucket = Bucket(rate, usable, clock(), timings.longest_park)
        self._allowed = rate * MINUTE
        self._counts = Counts(priority.purpose for priority in Priority)
        self._queue: list[_Waiter] = []
        self._turns = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def left(self) -> int:
        """Number of requests that could be made at once."""
        return self._bucket.left(self.now())

    @property
    def spending(self) -> Spending:
        """Spending of this budget: what its requests were made for."""
        return Spending(self._allowed, self._counts.lately(self.now()), self._counts.ever)

    async def acquire(self, priority: Priority, deadline: float) -> bool:
        """Wait for a token; ``False`` when the deadline passes first."""
        now = self.now()
        if now >= deadline:
            return False
        # The usual case costs no turn of the event loop.
        if not self._queue and self._take(now, priority):
            return True
        waiter = _Waiter(priority, next(self._turns), deadline, asyncio.get_running_loop().create_future())
        heapq.heappush(self._queue, waiter)
        self._serve()
        try:
            await asyncio.wait((waiter.granted,), timeout=deadline - now)
            return waiter.granted.done()
        finally:
            waiter.granted.cancel()
            self._serve()

    def park(self, seconds: float) -> None:
        """Give nothing for some seconds: CrossTrade answered 429."""
        self._bucket.park(self.now(), seconds)
        self._serve()

    def _take(self, now: float, priority: Priority) -> bool:
        """Take a token if there is one for it, and count what for: who gives up in that very moment has spent it all the same."""
        is_taken = self._bucket.take(now, self._reserve_before(priority))
        if is_taken:
            self._counts.note(priority.purpose, now)
        return is_taken

    def _reserve_before(self, priority: Priority) -> int:
        if priority >= Priority.READ:
            return self.reserve
        if priority > Priority.ORDER:
            # One is left to the order that this is read for.
            return min(self.exit_reserve + 1, self.reserve)
        return self.exit_reserve if priority >= Priority.PRESS else 0

    def _serve(self) -> None:
        now = self.now()
        while self._queue:
            head = self._queue[0]
            if not head.granted.done() and now < head.deadline:
                if not self._take(now, head.priority):
                    break
                head.granted.set_result(None)
            heapq.heappop(self._queue)
        self._set_timer(now)

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            wait = self._bucket.wait(now, self._reserve_before(self._queue[0].priority))
            self._timer = asyncio.get_running_loop().call_later(max(wait, self._shortest_wait), self._serve)
