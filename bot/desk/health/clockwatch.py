"""The host's clock, when somebody sets it: told each time, and stored so that the next start can put right what is left."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import STEP, UNSET, Clock
from bot.desk.outbox.notices import notices_of_the_desk
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Event, EventName
from bot.trading.orders.tickets import Ticket, shifted
from bot.trading.risk.policy import Policy

log = logging.getLogger(__name__)
TOLD = "The host's clock was set · {how}. What the desk waits for and measures goes by another one and isn't touched."
# In the event's data: how far the clock has been set in all since the start.
IN_ALL = "in_all"
# In that of a start: which one of the machine it came after, and when that was, in the run's own time.
BOOT, BOOTED = "boot", "booted"


@dataclass(slots=True)
class ClockWatch:
    """Compares the host's clock with the desk's."""

    recorder: Recorder
    policy: Callable[[], Policy]
    clock: Clock
    _told: timedelta = UNSET
    # How far the clock was set ahead while no run of the bot saw it, and since when this run sees it.
    _unseen: timedelta = UNSET
    _began: datetime | None = None
    # By how many seconds the event loop's timers were behind the desk's clock at the last look.
    _timers_behind: float | None = None

    @property
    def about_this_boot(self) -> dict[str, object]:
        """The machine's boot, by its id and in this run's time, for the event of this run's start: the next start needs it."""
        return {} if self.clock.boot is None else {BOOT: self.clock.boot, BOOTED: self._booted.isoformat()}

    @property
    def _booted(self) -> datetime:
        """The moment at which the machine was started, in this run's time."""
        return self.clock() - timedelta(seconds=self.clock.seconds())

    async def take_over(self) -> None:
        """Put into this run's time what the last one has left; before anything else is read.

        Raises:
            JournalError: the journal can't be read or written.
        """
        journal = self.recorder.journal
        newest = await journal.last({EventName.STARTED, EventName.CLOCK_SET})
        by = newest.data.get(IN_ALL) if newest is not None and newest.name is EventName.CLOCK_SET else None
        # Rows of before hold plain JSON values.
        seen = timedelta(seconds=by) if isinstance(by, int | float) else UNSET
        in_all = self._since(await journal.last({EventName.STARTED}))
        if in_all is None or abs(in_all - seen) <= STEP:
            in_all = seen
        self._unseen, self._began = in_all - seen, self.clock()
        await journal.rebase(in_all, self.clock())

    def as_others(self, ticket: Ticket) -> Ticket:
        """A ticket with its moments as the clocks of others have stamped them.

        Of a clock that was set while nobody saw it, it isn't known when it was right: what came sooner leaves no fill out.
        """
        is_older = self._began is not None and ticket.created_at <= self._began
        return shifted(ticket, self.clock.theirs - (max(self._unseen, UNSET) if is_older else UNSET))

    def _since(self, started: Event | None) -> timedelta | None:
        """The time by which the clock was set since a run began; ``None`` if the machine was started since, or nobody says."""
        if started is None or self.clock.boot is None or started.data.get(BOOT) != self.clock.boot:
            return None
        booted = started.data.get(BOOTED)
        return self._booted - datetime.fromisoformat(booted) if isinstance(booted, str) else None

    def slept(self, longest: float) -> bool:
        """Tell whether timers have stood still since the last look, as they do while the machine sleeps.

        Args:
            longest: seconds by which they may differ.
        """
        behind = self.clock.seconds() - asyncio.get_running_loop().time()
        before, self._timers_behind = self._timers_behind, behind
        return before is not None and abs(behind - before) > longest

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
        await self.recorder.record(EventName.CLOCK_SET, data=data, notices=notices)
        self._told = set_by


def _words(by: timedelta) -> str:
    seconds = round(abs(by).total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds % 60, "s")]
    span = " ".join(f"{number} {unit}" for number, unit in parts if number)
    return f"{span} {'ahead' if by > UNSET else 'back'}"
