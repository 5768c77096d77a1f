"""The switches that nobody has set: the file HALT, and what a crash has left. They are looked for anew at every claim.

Both are found, not stored: the file holds as long as it is there, the other until the tickets that the crash left are settled.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from bot.clock import Clock
from bot.desk.ports import Journal
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.halts import Source, Switch, SwitchState
from bot.trading.risk.policy import EVERYTHING


class FoundHalts:
    """Finds the switches that nobody has set.

    Args:
        journal: whose tickets tell what is still unknown.
        clock: the time.
        file: the first line of the file HALT, ``None`` while there is none; asked right before an order leaves, so a quick one.
    """

    def __init__(self, journal: Journal, clock: Clock, file: Callable[[], str | None]) -> None:
        self._journal = journal
        self._clock = clock
        self._file = file
        self._file_since: datetime | None = None
        self._left: frozenset[str] = frozenset()
        self._left_since = clock()

    def left(self, tickets: Collection[str]) -> None:
        """Note which unknown tickets a crash has left."""
        self._left, self._left_since = frozenset(tickets), self._clock()

    async def switches(self) -> tuple[Switch, ...]:
        """Those that hold just now.

        Raises:
            JournalError: the tickets can't be read.
        """
        return tuple(switch for switch in (self._by_file(), await self._after_crash()) if switch is not None)

    def _by_file(self) -> Switch | None:
        why = self._file()
        if why is None:
            self._file_since = None
            return None
        self._file_since = self._file_since or self._clock()
        return Switch(
            EVERYTHING, EVERYTHING, SwitchState.HALTED, self._file_since, None, "the file HALT", why, source=Source.FILE
        )

    async def _after_crash(self) -> Switch | None:
        if not self._left:
            return None
        unknown = {ticket.id for ticket in await self._journal.live() if ticket.state is TicketState.UNKNOWN}
        # What is settled stays settled, so that this can only become less.
        self._left &= unknown
        if not self._left:
            return None
        why = f"it was stopped in the middle of {', '.join(sorted(self._left))}, whose outcome is unknown"
        name, state = "the bot itself", SwitchState.REDUCING
        return Switch(EVERYTHING, EVERYTHING, state, self._left_since, None, name, why, source=Source.CRASH)
