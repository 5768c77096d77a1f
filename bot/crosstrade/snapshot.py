"""The snapshot: what was read of NinjaTrader, each fact with when it was asked for, and what has made it void since.

Whoever reads says how old a fact may be; what one has read serves all. No request is made here and no time is taken: moments
are the desk's, and arguments. The order of questions and changes is counted, as two of them may share a moment.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count

from bot.clock import EVER_DUE
from bot.trading.market.facts import Account, Order, Position
from bot.trading.words import ascii_lower

SIDE_BY_SIDE = timedelta(seconds=0.25)
# Prices of more contracts than these are nobody's.
MOST_KEPT = 2000


class What(StrEnum):
    """Kinds of facts.

    Attributes:
        ACCOUNTS: the list of accounts.
        ACCOUNT: one of them with its money.
        LINK: who provides one and whether its broker is connected, which no order changes.
        POSITIONS, ORDERS: an account's lists; of orders the finished ones, too.
        STRATEGIES: those that run in an account.
        QUOTE: a contract's prices.
        ALL_POSITIONS, ALL_ORDERS: the lists over all accounts.
    """

    ACCOUNTS = "accounts"
    ACCOUNT = "account"
    LINK = "link"
    POSITIONS = "positions"
    ORDERS = "orders"
    STRATEGIES = "strategies"
    QUOTE = "quote"
    ALL_POSITIONS = "all positions"
    ALL_ORDERS = "all orders"


# What an order, a fill or an event in an account changes; its money with them.
CHANGED = frozenset({What.ACCOUNT, What.POSITIONS, What.ORDERS, What.STRATEGIES})
CHANGED_ANYWHERE = frozenset({What.ALL_POSITIONS, What.ALL_ORDERS})


@dataclass(frozen=True, slots=True)
class Key:
    """Key of a fact: its kind, and the account or contract that it is about."""

    kind: What
    about: Hashable = None

    @classmethod
    def of(cls, kind: What, account: str) -> "Key":
        """A fact about an account, whose name is the same in any case of its letters."""
        return cls(kind, ascii_lower(account))


@dataclass(frozen=True, slots=True)
class Asked:
    """The asking of a fact: its number among all questions and changes, and the moment."""

    turn: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that was read, and when it was asked for.

    Attributes:
        by: what told it: its own read, or a list over all accounts.
    """

    value: object
    asked: Asked
    by: What


class Snapshot:
    """Facts by key, and since when those of before are void.

    Args:
        contradicted: told of an account's list that differs from what a list over all accounts told at the same time.
    """

    def __init__(self, contradicted: Callable[[str], None] = lambda _text: None) -> None:
        self._contradicted = contradicted
        self._turns = count(1)
        self._facts: dict[Key, Fact] = {}
        # The number of the newest change: of everything, of anything, of an account, of one fact.
        self._everything = Asked(0, EVER_DUE)
        self._anything = 0
        self._accounts: dict[Hashable, Asked] = {}
        self._single: defaultdict[Key, int] = defaultdict(int)
        # Before when a list of an account was asked for that another one has proved to be of before a change.
        self._outdone: dict[Key, datetime] = {}
        self._names: frozenset[Hashable] = frozenset()

    def asked(self, now: datetime) -> Asked:
        """Number a question that leaves just now."""
        return Asked(next(self._turns), now)

    def fact(self, key: Key, now: datetime, within: timedelta) -> Fact | None:
        """The fact, where one is known that is no older than that and not void."""
        fact = self._facts.get(key)
        return fact if fact is not None and self.serves(key, fact.asked, now, within) else None

    def asked_for(self, key: Key, value: object) -> datetime | None:
        """The moment when that very value was asked for, void by now or not; ``None`` where it isn't what was taken last."""
        fact = self._facts.get(key)
        return fact.asked.at if fact is not None and fact.value is value else None

    def serves(self, key: Key, asked: Asked, now: datetime, within: timedelta) -> bool:
        """Tell whether what was asked for then is young enough now, and not void."""
        return within > timedelta(0) and now - asked.at <= within and not self.is_void(key, asked)

    def is_void(self, key: Key, asked: Asked) -> bool:
        """Tell whether something has happened since it was asked for that may have changed it."""
        newest = max(self._everything.turn, self._single.get(key, 0))
        if key.kind in CHANGED and (changed := self._accounts.get(key.about)) is not None:
            newest = max(newest, changed.turn)
        elif key.kind in CHANGED_ANYWHERE:
            newest = max(newest, self._anything)
        return asked.turn < newest or asked.at < self._outdone.get(key, EVER_DUE)

    def take(self, key: Key, value: object, asked: Asked, by: What | None = None) -> None:
        """Keep what was read; of two answers that which was asked for later counts, in whatever order they come."""
        by, before = by or key.kind, self._facts.get(key)
        self._hold_against(key, before, Fact(value, asked, by))
        if before is not None and before.asked.turn > asked.turn:
            return
        if key.kind in {What.POSITIONS, What.ORDERS}:
            self._compare(key, before, value, asked)
        self._facts.pop(key, None)
        self._facts[key] = Fact(value, asked, by)
        if len(self._facts) > MOST_KEPT:
            del self._facts[next(iter(self._facts))]

    def take_all(self, accounts: Iterable[Account], asked: Asked, now: datetime, within: timedelta) -> None:
        """Take the list of accounts, and from the lists over all accounts what they tell of each.

        They tell of an account only what was asked for before its link was seen to be up: one without its broker may be left out
        of them, and must not look flat for that.
        """
        listed = tuple(accounts)
        self._names = frozenset(ascii_lower(account.name) for account in listed)
        for account in listed:
            self.take_account(account, asked)
            if account.connected is not False:
                self._share(account.name, asked, now, within)

    def take_account(self, account: Account, asked: Asked) -> None:
        """Take one account; a row that tells only its name, as a list may, tells nothing."""
        if account.provider is not None and account.connected is not None:
            self.take(Key.of(What.LINK, account.name), account, asked)
            if account.day_result is not None:
                self.take(Key.of(What.ACCOUNT, account.name), account, asked)

    def take_rows(self, rows: Iterable[Position], asked: Asked) -> None:
        """Take of a list of all positions what it tells of accounts that hold some; of others it may tell nothing."""
        by_account: defaultdict[str, list[Position]] = defaultdict(list)
        for row in rows:
            by_account[row.account].append(row)
        for name, held in by_account.items():
            key = Key.of(What.POSITIONS, name)
            if not self.is_void(key, asked):
                self.take(key, tuple(held), asked, What.ALL_POSITIONS)

    def failed(self, key: Key) -> None:
        """Let go of what was known: that it can't be read now must not look as if it were as before."""
        self._single[key] = next(self._turns)

    def changed(self, account: str | None, now: datetime) -> None:
        """Make void what was asked of an account before now, or of all of them: something may have changed there.

        A name that NinjaTrader's list doesn't have may be anybody's.
        """
        change = Asked(next(self._turns), now)
        self._anything = change.turn
        name = None if account is None else ascii_lower(account)
        if name is None or (self._names and name not in self._names):
            self._everything = change
        else:
            self._accounts[name] = change

    def changed_at(self, account: str) -> datetime:
        """The moment when something may have changed in an account last; the first of all moments for never."""
        changed = self._accounts.get(ascii_lower(account), self._everything)
        return max(changed, self._everything, key=lambda one: one.turn).at

    def _compare(self, key: Key, before: Fact | None, value: object, asked: Asked) -> None:
        """Hold a change that one list of an account tells of against the other one: of before it, that belongs to another moment.

        Lists that are asked for side by side belong together all the same, whichever left first.
        """
        if before is None or _states(before.value) != _states(value):
            other = Key(What.ORDERS if key.kind is What.POSITIONS else What.POSITIONS, key.about)
            self._outdone[other] = max(self._outdone.get(other, EVER_DUE), asked.at - SIDE_BY_SIDE)

    def _hold_against(self, key: Key, before: Fact | None, now: Fact) -> None:
        """Tell of two lists that were asked for side by side, one of one account and one of all, and don't say the same."""
        if before is None or before.by is now.by or abs(before.asked.at - now.asked.at) > SIDE_BY_SIDE:
            return
        if not self.is_void(key, before.asked) and _states(before.value) != _states(now.value):
            self._contradicted(f"{key.kind} of {key.about}, which another list tells otherwise")

    def _share(self, name: str, listed: Asked, now: datetime, within: timedelta) -> None:
        for whole, own in ((What.ALL_ORDERS, What.ORDERS), (What.ALL_POSITIONS, What.POSITIONS)):
            fact = self._facts.get(Key(whole))
            key = Key.of(own, name)
            if fact is None or fact.asked.turn > listed.turn or now - fact.asked.at > within or self.is_void(key, fact.asked):
                continue
            rows = fact.value if isinstance(fact.value, tuple) else ()
            self.take(key, tuple(row for row in rows if ascii_lower(row.account) == key.about), fact.asked, whole)


def _states(rows: object) -> object:
    """The part of a list that tells that something has happened: results and names don't."""
    if not isinstance(rows, Sequence):
        return rows
    return frozenset(_state(row) for row in rows)


def _state(row: Order | Position) -> object:
    return (row.ids, row.state, row.filled, row.quantity) if isinstance(row, Order) else (row.contract, row.quantity)
