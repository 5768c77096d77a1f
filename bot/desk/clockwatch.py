"""The host's clock, when somebody sets it: told each time, and stored so that the next start can put right what is left."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.clock import UNSET, Clock
from bot.desk.ledger import Ledger
from bot.desk.news import notices_of_the_desk
from bot.desk.ports import EventName
from bot.trading.policy import Policy

log = logging.getLogger(__name__)
TOLD = "**The host's clock was set** · {how}. What the desk waits for and measures goes by another one and isn't touched."
# In the event's data: how far the clock has been set in all since the start.
IN_ALL = "in_all"


@dataclass(slots=True)
class ClockWatch:
    """Compares the host's clock with the desk's."""

    ledger: Ledger
    policy: Callable[[], Policy]
    clock: Clock
    _told: timedelta = UNSET

    async def take_over(self) -> None:
        """Put into this run's time what the last one has left; before anything else is read.

        Raises:
            JournalError: the journal can't be read or written.
        """
        journal = self.ledger.journal
        newest = await journal.last({EventName.STARTED, EventName.CLOCK_SET})
        by = newest.data.get(IN_ALL) if newest is not None and newest.name is EventName.CLOCK_SET else None
        # Rows of before hold plain JSON values.
        await journal.rebase(timedelta(seconds=by) if isinstance(by, int | float) else UNSET, self.clock())

    async def look(self) -> None:
        """Tell of a clock that was set since the last look, once.

        Raises:
            JournalError: it could not be stored; the next look tries again.
        """
        set_by = self.clock.set_by
        by = set_by - self._told
        if not by:
            return
        log.warning("the host's clock was set by %s", by)
        data = {"seconds": round(by.total_seconds(), 3), IN_ALL: round(set_by.total_seconds(), 3)}
        notices = notices_of_the_desk(self.policy(), EventName.CLOCK_SET, TOLD.format(how=_words(by)))
        await self.ledger.record(EventName.CLOCK_SET, data=data, notices=notices)
        self._told = set_by


def _words(by: timedelta) -> str:
    seconds = round(abs(by).total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds % 60, "s")]
    span = " ".join(f"{number} {unit}" for number, unit in parts if number)
    return f"{span} {'ahead' if by > UNSET else 'back'}"
