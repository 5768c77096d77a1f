"""Which tickets somebody is working on right now, in this process.

Of two racing changes the journal lets one win; this only spares the loser's reads and keeps a ticket from expiring, or being
drawn twice, while it is held.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager


class Hands:
    """Tickets in hand, and locks per member and account, so that limits see the order before theirs as in flight."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._ended: set[str] = set()
        self._accounts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._members: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.being_posted: set[str] = set()

    @asynccontextmanager
    async def deciding(self, member: int, accounts: Sequence[str]) -> AsyncIterator[None]:
        """Hold while an order is looked at, decided and claimed: one at a time for its member and for each of its accounts.

        Limits count per member and per account; so the order before this one is in flight when this one is decided.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._members[member])
            # Always in the same order, so that two sweeps can't wait for each other.
            for account in sorted(set(accounts)):
                await stack.enter_async_context(self._accounts[account])
            yield

    def holds(self, ticket: str) -> bool:
        """Tell whether somebody works on it."""
        return ticket in self._held or ticket in self._ended

    def ended(self, ticket: str) -> None:
        """Keep a ticket from everybody: it has ended, and the journal can't say so yet."""
        self._ended.add(ticket)

    def stored(self, ticket: str) -> None:
        """The journal says it now."""
        self._ended.discard(ticket)

    @contextmanager
    def hold(self, ticket: str) -> Iterator[bool]:
        """Take a ticket in hand; yields ``False`` when somebody else has it."""
        if self.holds(ticket):
            yield False
            return
        self._held.add(ticket)
        try:
            yield True
        finally:
            self._held.discard(ticket)
