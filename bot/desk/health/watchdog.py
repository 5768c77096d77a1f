"""The watchdog of the chain Discord, bot, CrossTrade, NinjaTrader, broker: it gathers readings, and raises the alarm.

What a reading means is in ``bot.trading.health.chain``; when people must be told, in ``bot.trading.health.outages``; what they
read, in ``alarms``.
Nothing is sent here, and no alarm waits for the link that it is about: what the journal doesn't take is told without it.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import Clock
from bot.desk.health.alarms import Stakes, down_notices, up_notices
from bot.desk.health.polling import HealthPoller
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker, Event, EventName, Messenger, Notice
from bot.errors import DeliveryError, JournalError
from bot.timings import DeskTimings
from bot.trading.health.chain import RIVAL_ANSWERS, Grade, LinkName, LinkStatus, Readings, ago, chain
from bot.trading.health.outages import FINE, Outage, Said, Word, step
from bot.trading.health.vitals import Reach, StreamState
from bot.trading.orders.tickets import Member, Ticket, TicketState
from bot.trading.risk.halts import Switches
from bot.trading.risk.policy import PermissionQuery, Policy, may

log = logging.getLogger(__name__)
MOST_WAITING = 1000
STOPS_ENTRIES = (LinkName.JOURNAL, LinkName.CROSSTRADE, LinkName.NINJATRADER, LinkName.STREAM)


@dataclass(frozen=True, slots=True)
class Health:
    """The chain as a member may see it."""

    lines: tuple[LinkStatus, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """The chain in a few words, for everybody to see; no account is named.

    Attributes:
        up: whether entries get through.
        which: the links that are down.
        why: of the first of them.
        partly: what is wrong although entries get through; empty for nothing.
    """

    up: bool
    which: str = ""
    why: str = ""
    partly: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A link that is down just now.

    Attributes:
        key: tells it from others, over its time.
        since: as far as is known.
        account: where it is about one alone.
        always: whether it is told even if nothing hangs on it.
    """

    key: str
    line: LinkStatus
    since: datetime
    account: str | None = None
    always: bool = False

    @property
    def label(self) -> str:
        """The link's name, with the account where it is about one alone."""
        return f"{self.line.part} link of {self.account}" if self.account else str(self.line.part)


@dataclass(slots=True)
class _Untold:
    event: Event
    notices: tuple[Notice, ...]


@dataclass(slots=True)
class Watchdog:
    """Looks at every link each second; what asks CrossTrade is in ``HealthPoller``, which may hang without holding this up.

    Attributes:
        timings: how long it waits, also for the journal, and for Discord where it tells without it.
        began: since when it watches.
    """

    broker: Broker
    recorder: Recorder
    messenger: Messenger
    rounds: HealthPoller
    policy: Callable[[], Policy]
    switches: Callable[[], Switches]
    clock: Clock
    timings: DeskTimings
    began: datetime
    _outages: dict[str, Outage] = field(default_factory=dict)
    _troubles: dict[str, Trouble] = field(default_factory=dict)
    _in_flight: tuple[Ticket, ...] = ()
    _unread_since: datetime | None = None
    _untold: list[_Untold] = field(default_factory=list)
    _writing: "asyncio.Task[None] | None" = None
    _next_try: datetime | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(-1, -1))

    async def probe(self) -> float:
        """Ask CrossTrade, if it is time to; gives the seconds until it is again."""
        await self.rounds.look(at_stake=self.stakes.any)
        due = self.rounds.due(at_stake=self.stakes.any)
        return max(due - self.clock(), self.timings.rounds_shortest).total_seconds()

    async def look(self) -> float:
        """One look at every link; what has to be told is told. Gives the seconds until the next look."""
        await self._read_journal()
        now = self.clock()
        standing = {trouble.key: trouble for trouble in self._found(now)}
        self._troubles |= standing
        for key in sorted({*standing, *self._outages}):
            self._step(key, standing.get(key), now)
        await self._tell(now)
        is_down = bool(self._outages or self._untold)
        return (self.timings.watch_down_every if is_down else self.timings.watch_every).total_seconds()

    async def report(self, member: Member) -> Health:
        """The chain, with the accounts that the member may see. Nothing is asked of CrossTrade for it."""
        await self._read_journal()
        now, roles, policy = self.clock(), member.roles, self.policy()
        shown = [name for name in self.rounds.accounts if may(policy, roles, PermissionQuery("health", name)) is None]
        waiting, oldest = await self._waiting(now)
        return Health(chain(self._readings(now, shown, waiting, oldest)), now)

    @property
    def stakes(self) -> Stakes:
        """All that hangs on the links, as last known."""
        return Stakes(self.rounds.held, self._in_flight, self.rounds.accounts, self.rounds.is_read)

    @property
    def sign(self) -> Status:
        """The chain in a few words."""
        lines = chain(self._readings(self.clock(), list(self.rounds.unlinked)))
        down = [line for line in lines if line.part in STOPS_ENTRIES and line.grade is Grade.DOWN]
        vitals = self.broker.vitals()
        if vitals.reach is Reach.NOT_ASKED:
            return Status(up=False, which=str(LinkName.CROSSTRADE), why=vitals.why)
        if down:
            known = {LinkName.CROSSTRADE: vitals.why, LinkName.NINJATRADER: vitals.why, LinkName.STREAM: vitals.stream_why}
            which = ", ".join(str(line.part) for line in down)
            return Status(up=False, which=which, why=known.get(down[0].part, down[0].words))
        unlinked = len(self.rounds.unlinked)
        parts = [f"{unlinked} of {len(self.rounds.accounts)} accounts without a broker"] if unlinked else []
        parts += [f"{line.part}: {line.words}" for line in lines if line.is_rival]
        return Status(up=True, partly=", ".join(parts))

    def grades(self) -> dict[str, Grade]:
        """The verdict on each link, for counting; of several accounts, the worst."""
        order = list(Grade)
        found: dict[str, Grade] = {}
        for line in chain(self._readings(self.clock(), list(self.rounds.accounts))):
            found[line.part] = max(found.get(line.part, Grade.GOOD), line.grade, key=order.index)
        return found

    async def close(self) -> None:
        """Stop."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _readings(self, now: datetime, names: list[str], waiting: int | None = None, oldest: datetime | None = None) -> Readings:
        unknown = sum(ticket.state is TicketState.UNKNOWN for ticket in self._in_flight)
        return Readings(
            now,
            self.messenger.vitals(),
            self.recorder.commit,
            waiting,
            oldest,
            self.broker.vitals(),
            tuple(self.rounds.accounts[name] for name in names),
            None if self._unread_since is not None else len(self._in_flight),
            unknown,
            self.switches(),
        )

    def _found(self, now: datetime) -> Iterator[Trouble]:
        """The links that are down."""
        readings = self._readings(now, list(self.rounds.unlinked))
        vitals, commit, lines = readings.broker, readings.commit, chain(readings)
        of = {line.part: line for line in lines}
        if of[LinkName.JOURNAL].grade is Grade.DOWN:
            failed_at = commit.at if commit is not None and commit.failed else None
            yield Trouble("journal", of[LinkName.JOURNAL], failed_at or self._unread_since or now)
        for part in (LinkName.CROSSTRADE, LinkName.NINJATRADER):
            if of[part].grade is Grade.DOWN:
                # One and the same outage, whichever of the two is behind it.
                yield Trouble("crosstrade", of[part], vitals.good_at or self.began)
        if vitals.stream is StreamState.TAKEN:
            yield Trouble("stream taken", of[LinkName.STREAM], vitals.stream_since or now, always=True)
        elif of[LinkName.STREAM].grade is Grade.DOWN:
            yield Trouble("stream", of[LinkName.STREAM], vitals.stream_since or now)
        if readings.chat.rivals >= RIVAL_ANSWERS:
            yield Trouble("token", of[LinkName.DISCORD], now, always=True)
        down = [line for line in lines if line.part is LinkName.BROKER and line.grade is Grade.DOWN]
        for (name, since), line in zip(self.rounds.unlinked.items(), down, strict=True):
            yield Trouble(f"broker {name}", line, since, account=name)

    def _step(self, key: str, trouble: Trouble | None, now: datetime) -> None:
        known = self._troubles[key]
        stakes = self.stakes.of(known.account)
        matters = known.always or (stakes.any if known.account is None else bool(stakes.open or stakes.in_flight))
        before, patience = self._outages.get(key, FINE), self.timings.rival if known.always else self.timings.link
        after, said = step(before, trouble.since if trouble else None, now, patience, matters=matters)
        if after == FINE:
            self._outages.pop(key, None)
        else:
            self._outages[key] = after
        if said is not None:
            self._untold.append(self._worded(known, said, stakes, now))

    def _worded(self, trouble: Trouble, said: Said, stakes: Stakes, now: datetime) -> _Untold:
        """The event and the news of it."""
        since, until = f"{said.since:%H:%M:%S}", f"{said.until:%H:%M:%S}"
        data = {"link": trouble.key, "since": said.since.isoformat(), "words": trouble.line.words}
        if said.word is Word.UP:
            event = Event(now, EventName.LINK_UP, data=data | {"until": said.until.isoformat()})
            told = f"{trouble.label} is back after {ago(said.until, said.since)} ({since} to {until} UTC)"
            return _Untold(event, up_notices(self.policy(), told, trouble.account))
        held = [f"{each.account} {each.contract} {each.quantity}" for each, _ in stakes.open]
        event = Event(now, EventName.LINK_DOWN, data=data | {"open": held, "tickets": [t.id for t in stakes.in_flight]})
        what = f"{trouble.label}: {trouble.line.words}"
        told = what if trouble.always else f"{what}, since {since} UTC ({ago(now, said.since)})"
        log.warning("link down: %s, since %s", what, since)
        return _Untold(event, down_notices(self.policy(), told, trouble.line.mend, None if trouble.always else stakes, now))

    async def _read_journal(self) -> None:
        try:
            async with asyncio.timeout(self.timings.journal_within.total_seconds()):
                live = await self.recorder.journal.live()
        except (JournalError, TimeoutError):
            self._unread_since = self._unread_since or self.clock()
        else:
            self._in_flight = tuple(ticket for ticket in live if ticket.state is not TicketState.OFFERED)
            self._unread_since = None

    async def _waiting(self, now: datetime) -> tuple[int | None, datetime | None]:
        try:
            async with asyncio.timeout(self.timings.journal_within.total_seconds()):
                # Rows whose delivery was put off are waiting all the same.
                rows = await self.recorder.journal.due(now + 2 * self.timings.delivery_pause, MOST_WAITING)
        except (JournalError, TimeoutError):
            return None, None
        return len(rows), min((row.since for row in rows), default=None)

    async def _tell(self, now: datetime) -> None:
        """Store what is to be told, with its news; news that the journal doesn't take go to Discord without it."""
        commit = self.recorder.commit
        if not self._untold and commit is not None and commit.failed:
            # Nothing else may want to write for hours, and without a try nobody would learn that it can be written again.
            data = {"link": "journal", "since": commit.at.isoformat(), "words": commit.failed}
            self._untold.append(_Untold(Event(now, EventName.LINK_DOWN, data=data), ()))
        is_early = self._next_try is not None and now < self._next_try
        while self._untold and not is_early:
            if not await self._stored(self._untold[0]):
                self._next_try = now + self.timings.alarm_again
                break
            self._untold.pop(0)
            self._next_try = None
        for untold in self._untold:
            untold.notices = await self._told_without(untold.notices)

    async def _stored(self, untold: _Untold) -> bool:
        """Store one; a journal that hangs is no longer waited for than one that fails."""
        if self._writing is None:
            self._writing = asyncio.create_task(self.recorder.keep(untold.event, untold.notices), name="watchdog writes")
        done, _ = await asyncio.wait({self._writing}, timeout=self.timings.journal_within.total_seconds())
        if not done:
            return False
        writing, self._writing = self._writing, None
        return writing.exception() is None

    async def _told_without(self, notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
        """Tell without the journal; gives what Discord doesn't take either."""
        left = []
        for notice in notices:
            try:
                async with asyncio.timeout(self.timings.journal_within.total_seconds()):
                    await self.messenger.tell(notice, next(self._numbers), 0.0)
            except (DeliveryError, TimeoutError) as error:
                log.warning("an alarm was not told: %s", error)
                left.append(notice)
        return tuple(left)
