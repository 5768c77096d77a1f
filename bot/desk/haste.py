"""Looking before the time: which accounts the broker's news ask to be looked at now, and how often that may be.

News only say that something may have changed. What did is read by whoever looks, and looks that nobody asked for go on as ever.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

from bot.desk.ledger import Clock

# An order's first events come within a few of these; one look may then tell them all.
BETWEEN_LOOKS = timedelta(seconds=0.3)
# Looks brought forward, of all accounts together: these at once and then one a second. Each costs a request or two of the three a
# second that CrossTrade grants, and another program's storm of orders must not take them from whoever asks for something.
AT_ONCE = 5
ONE_EVERY = timedelta(seconds=1)


class Haste:
    """Remembers what was asked for until it was looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: set[str] = set()
        self._looked: dict[str, datetime] = {}
        self._spent = clock() - AT_ONCE * ONE_EVERY
        self._news = asyncio.Event()

    def ask(self, account: str | None) -> None:
        """Something may have changed in an account, or in any with ``None``."""
        self._asked |= self._looked.keys() if account is None else {account}
        self._news.set()

    def takes(self, account: str) -> bool:
        """Whether an account should be looked at before its time; what that costs is then spent."""
        now = self._clock()
        if account not in self._asked or now - self._looked.get(account, now - BETWEEN_LOOKS) < BETWEEN_LOOKS:
            return False
        spent = max(self._spent, now - AT_ONCE * ONE_EVERY) + ONE_EVERY
        if spent > now:
            return False
        self._spent = spent
        return True

    def looked(self, account: str) -> None:
        """An account is being looked at; what is asked for from now on is about what comes after."""
        self._asked.discard(account)
        self._looked[account] = self._clock()

    async def wait(self, seconds: float) -> None:
        """Wait for news, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
