"""Requests of each member in the last minute or less, share by share. Their limits are in ``bot.trading.health.shares``.

Commands that only read, keystrokes and cards each have a share of their own. An order is never denied by one, and neither is
anything that leads out.
"""

from datetime import datetime

from bot.clock import Clock
from bot.trading.health.shares import Full, Share, Spent, counted, refused


class Tally:
    """The requests made under one share."""

    def __init__(self, share: Share, clock: Clock) -> None:
        self.share = share
        self._clock = clock
        self._spent: list[Spent] = []
        self._noted: dict[int, datetime] = {}

    def ask(self, member: int, cost: int = 1) -> Full | None:
        """Count what a member asks for, or tell why that has to wait; what waits doesn't count."""
        now = self._clock()
        self._spent = counted(self._spent, self.share, now)
        full = refused(self.share, self._spent, member, cost, now)
        if full is None:
            self._spent.append(Spent(now, member, cost))
        return full

    def is_first(self, member: int) -> bool:
        """Tell whether a member's being refused is to be noted: once in a while, however often it happens."""
        now = self._clock()
        self._noted = {each: at for each, at in self._noted.items() if now - at < self.share.within}
        if member in self._noted:
            return False
        self._noted[member] = now
        return True
