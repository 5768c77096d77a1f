"""Fills: what CrossTrade tells of the last 15 minutes, and the desk's own record of what it has read before.

CrossTrade forgets fills after 15 minutes, so the desk reads them every few and keeps them, with the time in which it has read
all of them: where nobody looked, it can't say that there were none.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import EVER_DUE, Clock
from bot.desk.lookup.names import RequestRefused
from bot.desk.ports import Broker, Journal, KeptFills
from bot.desk.reads.reader import Reader, an_id, tried
from bot.desk.reads.reports import Fills, OneFill
from bot.errors import BrokerError, JournalError
from bot.timings import DeskTimings
from bot.trading.market.facts import Execution
from bot.trading.market.spans import Span, gaps
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode
from bot.trading.words import quoted

log = logging.getLogger(__name__)

# CrossTrade looks back 15 minutes from when it is asked; a minute less, as a request takes time and clocks differ.
READS_BACK = timedelta(minutes=14)
USUAL_HOURS, MOST_HOURS = 24, 168


@dataclass(frozen=True, slots=True)
class FillBook:
    """The desk's record of fills."""

    broker: Broker
    journal: Journal
    clock: Clock

    async def read(self, account: str) -> Sequence[Execution]:
        """The fills of the last 15 minutes, kept before they are given.

        Raises:
            BrokerError: they can't be read. A journal that can't be written only costs the record.
        """
        begun = self.clock()
        fills = await self.broker.executions(account)
        # They are stamped by others, and how far their clock is from this one the answer itself may have told first.
        reaches = self.clock.stamped(begun)
        try:
            await self.journal.keep_fills(account, fills, Span(reaches - READS_BACK, reaches))
        except JournalError as error:
            log.warning("fills of %s not kept: %s", account, error)
        return fills

    async def kept(self, account: str, since: datetime, orders: Collection[str] | None = None) -> tuple[KeptFills | None, str]:
        """The fills kept since a moment, perhaps of some orders only, or why they can't be read."""
        try:
            return await self.journal.kept_fills(account, since, orders), ""
        except JournalError as error:
            return None, quoted(str(error))


@dataclass(slots=True)
class FillWatch:
    """Reads the fills of each account every few minutes, one account at a time, so that orders never wait behind them."""

    book: FillBook
    clock: Clock
    timings: DeskTimings
    _due: dict[str, datetime] = field(default_factory=dict)

    async def look(self, accounts: Iterable[str]) -> float:
        """Read those of the account that is due the longest, if any is; one that can't be read is due again soon.

        Gives the seconds until the next look. One account's at a time: all at once would use up what reads of others need.
        """
        now = self.clock()
        account = min(accounts, key=lambda each: self._due.get(each, EVER_DUE), default=None)
        if account is None:
            return self.timings.accounts_apart.total_seconds()
        if (due := self._due.get(account, EVER_DUE)) > now:
            return min(due - now, self.timings.new_account_within).total_seconds()
        try:
            await self.book.read(account)
        except BrokerError as error:
            log.info("fills of %s not read: %s", account, error)
            self._due[account] = now + self.timings.fills_again
        else:
            self._due[account] = now + self.timings.fills_every
        return self.timings.accounts_apart.total_seconds()


async def executions(reader: Reader, book: FillBook, member: Member, account: str, hours: int | None) -> Fills:
    """An account's fills: those that CrossTrade still tells, and before them what the desk has kept."""
    name = await reader.naming.account(member, "executions", account)
    # Before the reading: what was read then reaches as far as this.
    asked = _now(reader)
    since = asked - _back(hours)
    live, (rows, why) = await asyncio.gather(reader.is_live(name), tried(book.read(name)))
    kept, kept_why = await book.kept(name, since)
    told = {(fill.id, fill.at) for fill in rows or ()}
    earlier = None if kept is None else tuple(fill for fill in kept.fills if (fill.id, fill.at) not in told)
    unwatched = () if kept is None else gaps(Span(since, asked), kept.covered)
    others = () if rows is None else reader.broker.others(name).fills
    told_now = None if rows is None else tuple(rows)
    return Fills(name, live, told_now, why, earlier, kept_why, unwatched, since, _now(reader), others)


async def execution(reader: Reader, book: FillBook, member: Member, account: str, typed: str) -> OneFill:
    """One fill by its id, from CrossTrade or else from what the desk has kept."""
    fill_id = an_id("execution id", typed, "the option's list")
    name = await reader.naming.account(member, "executions", account)
    live, (fill, why) = await asyncio.gather(reader.is_live(name), tried(reader.broker.execution(name, fill_id)))
    if fill is None:
        kept, _ = await book.kept(name, _now(reader) - timedelta(hours=MOST_HOURS))
        before = next((each for each in reversed(kept.fills if kept else ()) if each.id == fill_id), None)
        return OneFill(name, live, fill_id, before, why, _now(reader), is_kept=before is not None)
    return OneFill(name, live, fill_id, fill, why, _now(reader))


async def recent(reader: Reader, book: FillBook, member: Member, account: str) -> tuple[Execution, ...]:
    """The fills kept of an account lately, newest first: from the record alone, for an option that is being typed."""
    directory = reader.naming.directory
    name = directory.canonical(account.strip())
    if name is None or name not in directory.accounts_for(reader.policy(), member.roles, "executions"):
        return ()
    kept, _ = await book.kept(name, _now(reader) - timedelta(hours=USUAL_HOURS))
    return () if kept is None else kept.fills[::-1]


def _now(reader: Reader) -> datetime:
    """The present as fills are stamped."""
    return reader.clock.stamped(reader.clock())


def _back(hours: int | None) -> timedelta:
    if hours is not None and not 1 <= hours <= MOST_HOURS:
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, f"hours must be a whole number from 1 to {MOST_HOURS}."))
    return timedelta(hours=USUAL_HOURS if hours is None else hours)
