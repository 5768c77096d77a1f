"""Polls of CrossTrade by the watchdog, in the background of everything: positions, and which accounts have their broker.

At most two requests a poll, of which that for accounts is spared every other time, and fewer polls while no money hangs on
it. What was read stays known while it can't be read anew.
Keystrokes are answered by the same readings, so that nobody else asks for them.
"""

import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from bot.clock import EVER_DUE, Clock
from bot.desk.health.alarms import Held
from bot.desk.lookup.all_accounts import tellable
from bot.desk.lookup.directory import Directory
from bot.desk.ports import Broker
from bot.errors import BrokerError, BrokerRefused
from bot.timings import DeskTimings
from bot.trading.health.vitals import Reach
from bot.trading.market.facts import Account, Position

log = logging.getLogger(__name__)
_Read = TypeVar("_Read")


@dataclass(slots=True)
class HealthPoller:
    """The accounts and positions as last read.

    Attributes:
        broker: tells what is open.
        links: the same; tells which accounts have their broker, and may know that for a while.
        evidence: the same; asks for it.
        directory: told what there is and what it holds.
        accounts: by name, as last listed.
        held: by account, with the moment at which it was asked for.
        unlinked: accounts whose broker connection is down, and since when it was seen so.
        went_at: when the last poll began.
    """

    broker: Broker
    links: Broker
    evidence: Broker
    clock: Clock
    timings: DeskTimings
    directory: Directory
    accounts: dict[str, Account] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    unlinked: dict[str, datetime] = field(default_factory=dict)
    went_at: datetime | None = None
    _turn: int = 0

    @property
    def is_read(self) -> bool:
        """True once it was read what is open."""
        return bool(self.held)

    async def look(self, *, at_stake: bool) -> None:
        """Poll, if it is time to."""
        now = self.clock()
        if now < self.due(at_stake=at_stake):
            return
        self.went_at = now
        positions = await self._tried(self._positions(now))
        # Asked after the positions where one seems to be gone: an account that loses its broker before doesn't look flat.
        by = self.evidence if positions is not None and self._seems_closed(positions) else self.links
        listed = await self._tried(by.accounts())
        if listed is not None:
            # Also where positions can't be read: people must be offered their accounts to get out of them.
            self.directory.listed(listed)
            if positions is not None:
                self._take(positions, listed, now)

    def due(self, *, at_stake: bool) -> datetime:
        """The moment of the next poll; the first one may be at any time."""
        if self.went_at is None:
            return EVER_DUE
        is_well = self.broker.vitals().reach is Reach.GOOD
        if not is_well:
            return self.went_at + self.timings.rounds_in_vain
        return self.went_at + (self.timings.rounds_at_stake if at_stake else self.timings.rounds_quiet)

    async def _tried(self, reading: Awaitable[_Read]) -> _Read | None:
        try:
            return await reading
        except BrokerError as error:
            log.debug("the watchdog's round was in vain: %s", error)
            return None

    async def _positions(self, now: datetime) -> "_Rows":
        """Every account's positions by one request, or else, where CrossTrade has no such list, one account's in turn."""
        try:
            rows, unread = await tellable(self.broker.all_positions())
            return _Rows(tuple(rows), self._asked_at(None if unread else rows, None, now), unread=unread)
        except BrokerRefused:
            names = sorted(self.accounts)
            if not names:
                return _Rows((), now, of="")
            self._turn += 1
            name = names[self._turn % len(names)]
            rows = await self.broker.positions(name)
            return _Rows(tuple(rows), self._asked_at(rows, name, now), of=name)

    def _asked_at(self, rows: Sequence[Position] | None, account: str | None, now: datetime) -> datetime:
        """The moment rows were asked for, perhaps by somebody else before the poll; as early as may be if nobody can say."""
        asked_at = None if rows is None else self.broker.asked_at(rows, account)
        return now - self.timings.known_rounds if asked_at is None else asked_at

    def _seems_closed(self, positions: "_Rows") -> bool:
        """Tell whether the list of all tells nothing of an account that isn't known to be flat, or to be without its broker."""
        if positions.of is not None:
            return False
        linked = (name for name, account in self.accounts.items() if account.connected is not False)
        known_flat = {name for name, held in self.held.items() if not held.positions}
        return not self.accounts or any(name not in known_flat and not positions.by_account(name) for name in linked)

    def _take(self, positions: "_Rows", listed: Sequence[Account], now: datetime) -> None:
        accounts = {account.name: account for account in listed}
        for name, account in accounts.items():
            rows = positions.by_account(name)
            # An account without its broker may be left out of the list of all, and must not look flat for that.
            was = self.accounts.get(name, account)
            is_sure = bool(rows) or False not in {account.connected, was.connected}
            if positions.of in {None, name} and name not in positions.unread and is_sure:
                self.held[name] = Held(rows, positions.asked_at)
                self.directory.held(name, [row.contract for row in rows])
        self.unlinked = {n: self.unlinked.get(n, now) for n, account in accounts.items() if account.connected is False}
        self.accounts = accounts


@dataclass(frozen=True, slots=True)
class _Rows:
    """Positions of one account, or of all, and when they were asked for."""

    rows: tuple[Position, ...]
    asked_at: datetime
    of: str | None = None
    unread: frozenset[str] = frozenset()

    def by_account(self, name: str) -> tuple[Position, ...]:
        return tuple(row for row in self.rows if row.account == name)
