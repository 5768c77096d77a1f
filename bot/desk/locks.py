"""Locks of the tickets that somebody is working on right now, in this process, and what was claimed meanwhile.

Of two racing changes the journal lets one win; this only spares the loser's reads and keeps a ticket from expiring, or being
drawn twice, while it is held.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime

from bot.trading.orders.intents import Intent
from bot.trading.orders.tickets import Ticket, TicketState

# More than can be claimed while one decision is made; whoever finds fewer left than came since decides again.
CLAIMS_KEPT = 100
STOPPING = "The bot is stopping, so nothing was sent; ask again when it is back."


class TicketLocks:
    """Locks of tickets, and locks per member and account, so that limits see the order before theirs as in flight.

    Attributes:
        claiming: held while it is looked what was claimed since a decision, and a claim is stored.
        is_stopping: whether the desk stops, so that nothing is claimed any more.
    """

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._ended: set[str] = set()
        self._accounts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._members: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._asking: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._claims: deque[Ticket] = deque(maxlen=CLAIMS_KEPT)
        self._claimed = 0
        self._sent: set[str] = set()
        self._flying: set[str] = set()
        # In the order in which they came, as a stop ends them.
        self._limits: dict[asyncio.Timeout, None] = {}
        self._cards: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
        self.is_stopping = False
        self.claiming = asyncio.Lock()
        self.being_posted: set[str] = set()

    @asynccontextmanager
    async def deciding(self, member: int, intent: Intent) -> AsyncIterator[None]:
        """Hold while an order is looked at, decided and claimed: one at a time for its member and for its account.

        Limits count per member and per account; so the order before this one is in flight when this one is decided. A way out
        waits for none of them; whoever was overtaken by one finds it by ``claimed_since``.
        """
        async with AsyncExitStack() as stack:
            if not intent.is_exit:
                await stack.enter_async_context(self._members[member])
                for account in intent.accounts:
                    await stack.enter_async_context(self._accounts[account])
            yield

    @asynccontextmanager
    async def unless_stopping(self, seconds: float | None) -> AsyncIterator[None]:
        """Bound what is read and decided: by so many seconds, and by the desk's stop, which ends it at once.

        Raises:
            TimeoutError: it took too long, or the desk stops; ``is_stopping`` tells which.
        """
        async with asyncio.timeout(seconds) as limit:
            self._limits[limit] = None
            try:
                self._unless_stopped()
                yield
                # What has come to its end in the very moment of the stop, too.
                self._unless_stopped()
            finally:
                del self._limits[limit]

    def _unless_stopped(self) -> None:
        if self.is_stopping:
            raise TimeoutError

    def stop(self) -> None:
        """Let nothing be claimed from now on, and end what is being decided."""
        self.is_stopping = True
        now = asyncio.get_running_loop().time()
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(now)

    def carded(self, ticket: Ticket) -> None:
        """Note that a member has got a card."""
        self._cards[ticket.requester.id][ticket.id] = ticket.expires_at

    def cards_of(self, member: int, now: datetime) -> int:
        """The number of a member's cards whose life isn't over by its time, whatever has become of them."""
        left = {ticket: end for ticket, end in self._cards[member].items() if end > now}
        self._cards[member] = left
        return len(left)

    def asking(self, member: int) -> asyncio.Lock:
        """The lock held while a member's new order is read for its card: one at a time, so that nobody crowds out the others."""
        return self._asking[member]

    @property
    def claims(self) -> int:
        """The number of tickets claimed so far."""
        return self._claimed

    def claimed(self, ticket: Ticket) -> None:
        """Note that a ticket was claimed."""
        self._sent.add(ticket.id)
        self._claimed += 1
        self._claims.append(ticket)

    def claimed_since(self, before: int) -> Sequence[Ticket] | None:
        """The tickets claimed since there were so many claims; ``None`` where they aren't known any more."""
        count = self._claimed - before
        return None if count > len(self._claims) else tuple(self._claims)[len(self._claims) - count :]

    def holds(self, ticket: str) -> bool:
        """Tell whether somebody works on it."""
        return ticket in self._held or ticket in self._ended

    def has_ended(self, ticket: str) -> bool:
        """Tell whether it has ended, and the journal can't say so yet."""
        return ticket in self._ended

    def ended(self, ticket: str) -> None:
        """Keep a ticket from everybody: it has ended, and the journal can't say so yet."""
        self._ended.add(ticket)

    @contextmanager
    def flying(self, ticket: str) -> Iterator[None]:
        """Hold while a claimed ticket is sent and its end stored."""
        self._flying.add(ticket)
        try:
            yield
        finally:
            self._flying.discard(ticket)

    def has_gone_back(self, ticket: Ticket) -> bool:
        """Tell whether the journal says that a ticket is open, or on its way, which this process has sent to its end."""
        is_settled = ticket.id in self._sent and ticket.id not in self._flying and not self.holds(ticket.id)
        return is_settled and ticket.state in {TicketState.OFFERED, TicketState.SENDING}

    def stored(self, ticket: str) -> None:
        """The journal says it now."""
        self._ended.discard(ticket)

    @contextmanager
    def hold(self, ticket: str) -> Iterator[bool]:
        """Lock a ticket; yields ``False`` when somebody else holds it."""
        if self.holds(ticket):
            yield False
            return
        self._held.add(ticket)
        try:
            yield True
        finally:
            self._held.discard(ticket)
