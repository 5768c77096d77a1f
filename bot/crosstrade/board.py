"""Prices and results from the stream, kept while they may be used; what is too old is asked for instead, by whoever needs it.

A pushed row holds prices only. What else makes a quote is learnt from the last one that was read over REST. Time is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from bot.clock import UNSET
from bot.crosstrade.pushes import Tick
from bot.trading.market.facts import Day, Quote
from bot.trading.orders.instruments import Contract
from bot.trading.words import ascii_lower

# Rows come about once a second (seen by others). One that didn't change for two of them stands still, or the feed does; which
# of both, only a quote with a time of its own can tell. It is also well below the ten seconds after which a policy says stale.
TICK_HOLDS = timedelta(seconds=2)
# A row doesn't say whether the market is open, so the word of REST is not carried further than this.
LEARNT_HOLDS = timedelta(seconds=60)
# Results are pushed every second; an account that is flat stands still, so that only missing frames show a dead feed.
DAY_HOLDS = timedelta(seconds=5)
MOST = 100

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row, when it last came, and when its prices are known to have changed; ``None`` when that isn't known."""

    tick: Tick
    came: datetime
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class _Learnt:
    quote: Quote
    at: datetime


class Board:
    """The last prices by contract and the last results by account."""

    def __init__(self) -> None:
        self._learnt: dict[Contract, _Learnt] = {}
        self._rows: dict[Contract, _Row] = {}
        self._days: dict[str, Day] = {}

    def learn(self, quote: Quote, now: datetime) -> None:
        """Take what a row doesn't hold, tick size and point value and whether the market is open, from a quote that was read."""
        _put(self._learnt, quote.contract, _Learnt(quote, now))

    def take(self, tick: Tick, now: datetime) -> None:
        """Take a row, whose time is that of its receipt if it differs from the one just before.

        How old the prices of the first row are, or of the first after a silence, nobody knows.
        """
        before = self._rows.get(tick.contract)
        if before is None or not _is_within(before.came, now, TICK_HOLDS):
            changed = None
        else:
            changed = before.changed if before.tick == tick else now
        _put(self._rows, tick.contract, _Row(tick, now, changed))

    def take_days(self, days: Mapping[str, Day], now: datetime) -> None:
        """Take the results that came, and forget those that are too old."""
        kept = {name: day for name, day in self._days.items() if _is_within(day.at, now, DAY_HOLDS)}
        self._days = kept | {ascii_lower(name): day for name, day in days.items()}

    def clear(self) -> None:
        """Forget all that was pushed: the connection is gone, and what is learnt stays."""
        self._rows.clear()
        self._days.clear()

    def quote(self, contract: Contract, now: datetime, ahead: timedelta = UNSET) -> Quote | None:
        """The quote as pushed, or ``None`` when it has to be read: now, or so much ahead, for what a row doesn't hold.

        That is so as well when the market was closed at the last reading, as a row can't say that it has opened; and when that
        reading is newer than the row, so that nobody is shown an older price after a newer one.
        """
        learnt, row = self._learnt.get(contract), self._rows.get(contract)
        if learnt is None or row is None or row.changed is None or None in {row.tick.last, row.tick.bid, row.tick.ask}:
            return None
        if learnt.quote.market_open is False or row.changed < learnt.at:
            return None
        if not _is_within(learnt.at, now + ahead, LEARNT_HOLDS) or not _is_within(row.changed, now, TICK_HOLDS):
            return None
        return replace(learnt.quote, bid=row.tick.bid, ask=row.tick.ask, last=row.tick.last, at=row.changed)

    def day(self, account: str, now: datetime) -> Day | None:
        """The account's result as pushed, or ``None`` when there is none that is fresh."""
        day = self._days.get(ascii_lower(account))
        return day if day is not None and _is_within(day.at, now, DAY_HOLDS) else None


def _put(kept: dict[Contract, Kept], contract: Contract, one: Kept) -> None:
    """Keep one, and let go of the one that was put longest ago when they become too many."""
    kept.pop(contract, None)
    kept[contract] = one
    if len(kept) > MOST:
        del kept[next(iter(kept))]


def _is_within(at: datetime, now: datetime, holds: timedelta) -> bool:
    """Tell whether a moment lies within reach; a clock that was put back makes it neither older nor younger than it is."""
    return abs(now - at) <= holds
