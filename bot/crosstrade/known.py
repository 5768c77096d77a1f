"""Facts for decisions, as the snapshot has them: known where that is young enough, else read, by whoever asks first for all.

Here a lane's wish (how old at most, how early in the budget) meets the snapshot, the reads under way and what the stream pushes.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self, TypeVar, cast

from bot.clock import Clock
from bot.crosstrade import requests, wire
from bot.crosstrade.budget import Priority
from bot.crosstrade.feed import Feed
from bot.crosstrade.flights import Flight, Flights
from bot.crosstrade.link import Gauge
from bot.crosstrade.reading import Reading, judged
from bot.crosstrade.snapshot import Key, Snapshot, What
from bot.errors import BrokerError, BrokerUnreachable
from bot.timings import CrossTradeTimings
from bot.trading.market.facts import Account, Day, Order, Position, Quote
from bot.trading.orders.instruments import Contract

Flying = Flight[object]
Shared = TypeVar("Shared")
# More than once in a row only where something changes in the account all the time.
MOST_READS = 3
# A price has a stamp of its own, by which the rules go.
QUOTES_LAST = 2
ALWAYS_CHANGING = "Something changed there each time that it was read."


def always_anew() -> timedelta:
    """No age at all, so that each fact is read."""
    return timedelta(0)


class Known(Reading):
    """Reads of what decisions rest on; mixed into the client, of which each lane is a copy."""

    def __init__(self, gauge: Gauge, clock: Clock, feed: Feed, timings: CrossTradeTimings) -> None:
        super().__init__(gauge, clock)
        self._feed = feed
        self._link_holds = timedelta(seconds=timings.link_holds)
        self._card_open = timedelta(seconds=timings.card_open)
        self._together = timedelta(seconds=timings.together)
        self._reads_as = Priority.TICKET
        self._within: Callable[[], timedelta] = always_anew
        self._decides = False
        self._snapshot = Snapshot(gauge.rows.note)
        self._flights = Flights()

    def lane(self, priority: Priority, within: Callable[[], timedelta] = always_anew, *, decides: bool = False) -> Self:
        """The same client for one kind of reading: what it knows is shared with all others.

        Args:
            priority: by which its reads wait for the request budget.
            within: how old a fact may be at most; by ``always_anew`` each is read.
            decides: whether orders are decided by it, so that what has changed while it was read is read again.
        """
        other = copy(self)
        other._reads_as, other._within, other._decides = priority, within, decides  # noqa: SLF001  it is one of ours
        return other

    def changed(self, account: str | None) -> None:
        """Take nothing for true any more that was asked of an account before now, or of all of them; it asks nothing."""
        self._snapshot.changed(account, self._clock())

    def at_hand(self, account: str, contract: Contract) -> tuple[Account, Sequence[Order], Sequence[Position], Quote] | None:
        """An account, its orders, its positions and a contract's quote, where this lane needs no read for any of them.

        In the units of ``account``, ``orders``, ``positions`` and ``quote``; it asks nothing and raises nothing.
        """
        details = self._pushed(account) or self._known(Key.of(What.ACCOUNT, account))
        quote = self._feed.quote(contract) or self._known(Key(What.QUOTE, contract), QUOTES_LAST)
        orders, positions = (self._known(Key.of(kind, account)) for kind in (What.ORDERS, What.POSITIONS))
        if None in (details, orders, positions, quote):
            return None
        return cast("tuple[Account, Sequence[Order], Sequence[Position], Quote]", (details, orders, positions, quote))

    def _known(self, key: Key, times: int = 1) -> object:
        fact = self._snapshot.fact(key, self._clock(), self._within() * times)
        return None if fact is None else fact.value

    def age(self, account: str) -> timedelta | None:
        """Time since the older of an account's two lists was asked for; ``None`` where one isn't known, or void."""
        now = self._clock()
        facts = [self._snapshot.fact(Key.of(what, account), now, timedelta.max) for what in (What.POSITIONS, What.ORDERS)]
        return max((now - fact.asked.at for fact in facts if fact is not None), default=None) if None not in facts else None

    def asked_at(self, positions: Sequence[Position], account: str | None) -> datetime | None:
        """The moment when a list that was just given was asked for; ``None`` where another one has come meanwhile."""
        key = Key(What.ALL_POSITIONS) if account is None else Key.of(What.POSITIONS, account)
        return self._snapshot.asked_for(key, positions)

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts, each perhaps by its name only; money in the account's currency.

        Source: GET List accounts (its list seen in the code of others; that its items are those of GET Get account is inferred).
        """
        return await self._shared(Key(What.ACCOUNTS), self._list_accounts)

    @judged("accounts")
    async def _list_accounts(self, flight: Flying) -> tuple[Account, ...]:
        accounts = wire.read_accounts(await self._read(requests.accounts_path, flight))
        self._feed.accounts(account.name for account in accounts)
        if flight.asked is not None:
            self._snapshot.take_all(accounts, flight.asked, self._clock(), self._together)
        return accounts

    async def account(self, name: str) -> Account:
        """One account with the day's profit and loss, a loss negative, all in the account's currency (GET Get account, mid).

        Where the stream pushes the day's result, the rest is as it was told last, if that was within seconds (``link_holds``).
        One that NinjaTrader doesn't have is ``BrokerRefused`` (the text of it unknown).
        """
        if self._day(name) is not None and self._pushed(name) is None and self._is_listed(name):
            # Told of all accounts by one request, of which others have use, too; where it can't be read, its own is asked for.
            with suppress(BrokerError):
                await self.accounts()
        if (pushed := self._pushed(name)) is not None:
            return pushed
        return await self._shared(Key.of(What.ACCOUNT, name), partial(self._get_account, name))

    @judged("account")
    async def _get_account(self, name: str, flight: Flying) -> Account:
        account = wire.read_account(await self._read(lambda: requests.account_path(name), flight), name)
        if flight.asked is not None:
            self._snapshot.take_account(account, flight.asked)
        return account

    def _is_listed(self, name: str) -> bool:
        """Tell whether a list of accounts has ever told more of one than its name."""
        return self._snapshot.fact(Key.of(What.LINK, name), self._clock(), timedelta.max) is not None

    def _day(self, name: str) -> Day | None:
        """An account's result as the stream has just pushed it, after all that may have changed it."""
        day = None if self._within() <= timedelta(0) else self._feed.day(name)
        return day if day is not None and day.at > self._snapshot.changed_at(name) else None

    def _pushed(self, name: str) -> Account | None:
        """The account as the stream has just pushed its result, with the rest as it was told before."""
        day = self._day(name)
        known = self._snapshot.fact(Key.of(What.LINK, name), self._clock(), self._link_holds - self._ahead)
        if day is None or known is None or not isinstance(known.value, Account):
            return None
        return replace(known.value, realised=day.realised, unrealised=day.unrealised)

    @property
    def _ahead(self) -> timedelta:
        """Time beyond now for which what is read must do: a card is pressed a while after it was made."""
        return timedelta(0) if self._reads_as in {Priority.EXIT, Priority.PRESS} else self._card_open

    async def positions(self, account: str) -> tuple[Position, ...]:
        """The open futures positions (GET List positions, mid; empty when flat inferred, as others rely on it).

        Signed contracts, average prices in price units, open results in the account's currency.
        """
        return await self._shared(Key.of(What.POSITIONS, account), partial(self._list_positions, account))

    @judged("positions")
    async def _list_positions(self, account: str, flight: Flying) -> tuple[Position, ...]:
        positions = self._held(await self._read(lambda: requests.positions_path(account), flight), account)
        self._feed.holds(account, positions)
        return positions

    async def orders(self, account: str, *, active_only: bool) -> tuple[Order, ...]:
        """The futures orders of an account: contracts without a sign, prices in price units, times UTC.

        Source: GET List orders (seen in the code of others) with the fields of GET Get order (old, later ones seen in the code of
        others). There is no reason of a rejection and no remaining quantity among them.

        Args:
            account: NT8 account name.
            active_only: working orders only; else finished ones too, which stay listed for some minutes (seen by others).
        """
        key = Key.of(What.ORDERS, account)
        if not active_only:
            return await self._shared(key, partial(self._list_orders, account))
        if (known := self._known(key)) is not None:
            return tuple(order for order in cast("tuple[Order, ...]", known) if not order.state.is_done)
        return await self._list_orders(account, None, active_only=True)

    @judged("orders")
    async def _list_orders(self, account: str, flight: Flying | None, *, active_only: bool = False) -> tuple[Order, ...]:
        path = partial(requests.orders_path, account, active_only=active_only)
        return self._ordered(await self._read(path, flight), account)

    async def quote(self, contract: Contract) -> Quote:
        """The quote: as the stream has just pushed it (WebSocket page), else read (GET Quote, mid).

        Prices in price units, its time UTC, as the desk counts it: CrossTrade's own of one that was read, else that of receipt.
        """
        pushed = self._feed.quote(contract, self._ahead)
        if pushed is not None:
            return pushed
        return await self._shared(Key(What.QUOTE, contract), partial(self._get_quote, contract), QUOTES_LAST)

    @judged("quote")
    async def _get_quote(self, contract: Contract, flight: Flying) -> Quote:
        body = await self._read(lambda: requests.quote_path(contract), flight)
        quote = self._timed(wire.read_quote(body, contract, self._today()))
        self._feed.read(quote, wanted=self._reads_as is not Priority.BACKGROUND)
        return quote

    def _told(self, positions: Sequence[Position], flight: Flying) -> None:
        """Take of a list of all positions what it tells of each account."""
        if flight.asked is not None:
            self._snapshot.take_rows(positions, flight.asked)

    async def _shared(self, key: Key, reading: Callable[[Flying], Awaitable[Shared]], times: int = 1) -> Shared:
        """A fact as it is known, where it is young enough for this lane, else as it is being read, else read now.

        Some may be several ``times`` as old.

        Where orders are decided by it, what has changed meanwhile is read again, and at last is unknown; a way out takes it.
        """

        async def taken(flight: Flight[object]) -> Shared:
            try:
                found = await reading(flight)
            except BrokerError:
                self._snapshot.failed(key)
                raise
            if flight.asked is not None:
                self._snapshot.take(key, found, flight.asked)
            return found

        for _ in range(MOST_READS):
            now, within = self._clock(), self._within() * times
            known = self._snapshot.fact(key, now, within)
            if known is not None:
                return cast("Shared", known.value)
            serves = partial(self._snapshot.serves, key, now=now, within=within)
            found, asked = await self._flights.read(key, self._reads_as, taken, serves)
            if not self._decides or asked is None or not self._snapshot.is_void(key, asked):
                return cast("Shared", found)
        if self._reads_as <= Priority.EXIT_CARD:
            return cast("Shared", found)
        raise BrokerUnreachable(ALWAYS_CHANGING)
