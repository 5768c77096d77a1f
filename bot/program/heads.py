"""The log's head, once a day and when the bot stops: told to the channels that want it, and kept in a file beside the journal.

Whoever writes the log anew from some row on can't change what people have read. Nothing here is ever in the way of an order: what
can't be written is logged, and told with the next head.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from bot.desk.outbox.notices import notices_of_the_desk
from bot.desk.ports import EventName, Notice
from bot.errors import JournalError
from bot.journal.chain import EMPTY, Head
from bot.journal.heads import KeptHead, keep_head, kept_heads
from bot.timings import ProgramTimings
from bot.trading.risk.policy import Policy
from bot.trading.words import quoted

log = logging.getLogger(__name__)


class Log(Protocol):
    """The part of the journal that is needed."""

    async def head(self) -> Head:
        """The last line."""


class Record(Protocol):
    """Puts a line behind it; the desk's, which also sees to the news."""

    async def __call__(self, name: EventName, *, data: Mapping[str, object], notices: Sequence[Notice]) -> None:
        """Raise ``JournalError`` where it can't be written."""


class Heads:
    """Tells and keeps the head.

    Args:
        journal: whose head it is.
        record: puts the line that tells it.
        policy: as it is now.
        file: where heads are kept.
        clock: the host's: a head is told each day, as people have days.
        timings: how long is waited for what.
        rest: waits so many seconds.
    """

    def __init__(
        self,
        journal: Log,
        record: Record,
        policy: Callable[[], Policy],
        file: Path,
        clock: Callable[[], datetime],
        timings: ProgramTimings,
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._journal = journal
        self._record = record
        self._policy = policy
        self._file = file
        self._clock = clock
        self._timings = timings
        self._rest = rest
        self._told: KeptHead | None = None
        self._written: Head | None = None

    async def watch(self) -> None:
        """Tell the head of each day (UTC), for ever; one that was told before the start counts."""
        self._told = await self._begin()
        while True:
            now = self._clock().astimezone(UTC)
            if self._told is None or self._told.at.date() < now.date():
                await self._tell_or_log()
            await self._rest(self._timings.head_every)

    async def tell_last(self) -> None:
        """Tell the head when the bot stops, if anything has been written since the last one was told; raises nothing."""
        try:
            async with asyncio.timeout(self._timings.head_within):
                await self._tell_or_log(only_news=True)
        except TimeoutError:
            log.warning("the log's head isn't told at this stop: the journal doesn't answer")

    async def keep_last(self) -> None:
        """Keep the very last head, once nothing more is written; raises nothing."""
        try:
            async with asyncio.timeout(self._timings.head_within):
                await self._keep(KeptHead(self._clock().astimezone(UTC), await self._journal.head()))
        except (JournalError, TimeoutError) as error:
            log.warning("the log's last head isn't kept: %s", str(error) or "the journal doesn't answer")

    async def _tell_or_log(self, *, only_news: bool = False) -> None:
        try:
            await self._tell(only_news=only_news)
        except JournalError as error:
            log.warning("the log's head isn't told yet: %s", error)

    async def _tell(self, *, only_news: bool) -> None:
        head = await self._journal.head()
        # The line that tells of a head is no news by itself.
        if head == EMPTY or (only_news and self._told is not None and head.seq <= self._told.head.seq + 1):
            return
        kept = KeptHead(self._clock().astimezone(UTC), head)
        trouble = await self._keep(kept)
        day = f"{kept.at:%Y-%m-%d %H:%M} UTC"
        text = f"Audit head · {day}\nrow {head.seq} {quoted(head.digest)}"
        if trouble is not None:
            text += f"\nNot kept beside the journal: {quoted(trouble)}"
        data = {"seq": head.seq, "digest": head.digest, "kept": trouble is None}
        notices = notices_of_the_desk(self._policy(), EventName.AUDIT_HEAD, text)
        await self._record(EventName.AUDIT_HEAD, data=data, notices=notices)
        self._told = kept

    async def _begin(self) -> KeptHead | None:
        """The head that was kept last. The first of all is only kept: there is nothing behind it yet that it could prove."""
        try:
            before = await asyncio.to_thread(kept_heads, self._file)
            if before:
                return before[-1]
            first = KeptHead(self._clock().astimezone(UTC), await self._journal.head())
        except JournalError as error:
            log.warning("the heads kept before can't be read: %s", error)
            return None
        return first if await self._keep(first) is None else None

    async def _keep(self, kept: KeptHead) -> str | None:
        """Write a head down, once; what went wrong, in words, or ``None``."""
        if kept.head == self._written:
            return None
        try:
            await asyncio.to_thread(keep_head, self._file, kept)
        except JournalError as error:
            log.warning("the log's head isn't kept: %s", error)
            return str(error)
        self._written = kept.head
        return None
