"""Reading what a decision needs. A read that fails leaves a gap that the rules treat as a reason to say no."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.desk.lookup.all_accounts import FEW, AllAccounts, Snapshots
from bot.desk.lookup.fronts import Fronts
from bot.desk.ports import Broker, Journal
from bot.errors import BrokerError, InstrumentError
from bot.timings import DeskTimings
from bot.trading.exits.rules import as_listed
from bot.trading.exits.strategies import held_beside, seen, to_close
from bot.trading.market.facts import Account, Facts, Order, Position, Quote, Strategy
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.intents import Bracket, Cancel, Close, OrderIntent
from bot.trading.orders.mass_actions import Flatten, FlattenStrategy, MassAction
from bot.trading.risk.closing import CLOSES_COUNT
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import Policy
from bot.trading.words import quoted

Read = TypeVar("Read")
# Each costs a request, unless the stream has just pushed its price.
MOST_MARKETS = 5
# Their cards live for minutes.
MOST_UNCHECKED = 100
Spare = frozenset[str]
NOTHING: Spare = frozenset()
Reads = tuple[Account | None, Sequence[Order] | None, Sequence[Position] | None, Quote | None]


class FactsReader:
    """One look at the world for one account and instrument; the reads run side by side.

    Args:
        broker: who is asked.
        timings: how long is waited for what.
        fronts: what bare roots mean.
        account: an account as last listed, from memory.
    """

    def __init__(
        self,
        broker: Broker,
        timings: DeskTimings,
        fronts: Fronts,
        account: Callable[[str], Account | None] = lambda _name: None,
    ) -> None:
        self._broker = broker
        self._all = AllAccounts(broker)
        self._fronts = fronts
        self._account = account
        self._spare = timings.spare_within.total_seconds()
        self._at_once = timings.at_once_within.total_seconds()
        self._patience = timings.decided_within.total_seconds()
        self._unchecked: dict[str, None] = {}
        # Accounts that were asked about a moment ago.
        self._lately: dict[str, datetime] = {}

    async def together(self, account: str, fresh: timedelta, now: datetime) -> None:
        """Have many accounts read by the lists over all, where more than a few are asked about at once and this one isn't known.

        Args:
            account: about which something will be asked next.
            fresh: how old what is known may be.
            now: the moment.
        """
        self._lately[account] = now
        for name in [name for name, at in self._lately.items() if now - at > fresh]:
            del self._lately[name]
        age = self._broker.age(account)
        if len(self._lately) > FEW and (age is None or age > fresh):
            await self._all.refresh(self._at_once)

    def by(self, broker: Broker) -> "FactsReader":
        """The same by another broker."""
        other = copy(self)
        other._broker, other._all = broker, AllAccounts(broker)  # noqa: SLF001  it is one of ours
        return other

    async def at(self, account: str, contract: Contract, spare: Spare = NOTHING) -> Facts:
        """The account, its positions, its orders and the contract's quote: as known, else read side by side.

        What is ``spare`` is waited for a second at most.
        """
        missing: list[str] = []
        details, orders, positions, quote = self._broker.at_hand(account, contract) or await self._read(
            account, contract, dict.fromkeys(spare, self._spare), missing
        )
        return replace(
            _as_facts(details, positions, orders, quote, missing),
            front=self._fronts.told(contract.root),
            guessed=self._fronts.guess(contract.root),
            unchecked=frozenset(self._unchecked),
        )

    async def _read(self, account: str, contract: Contract, within: Mapping[str, float], missing: list[str]) -> Reads:
        return await asyncio.gather(
            _try("account", partial(self._broker.account, account), missing, within.get("account")),
            # In front of positions: what fills in between is counted twice rather than not at all.
            # Finished orders too: what is listed before sending can't be mistaken for ours afterwards.
            _try("orders", partial(self._broker.orders, account, active_only=False), missing),
            _try("positions", partial(self._broker.positions, account), missing, within.get("positions")),
            _try("quote", partial(self._broker.quote, contract), missing, within.get("quote")),
        )

    def last_known(self, account: str) -> Account | None:
        """The account as it was last read; a way out needs no more of it than whether it is a simulation."""
        return self._account(account)

    async def book(self, account: str, mass_action: MassAction, within: float | None = None) -> Facts:
        """Read an account, its positions and its orders, finished ones included, as far as a mass action is about them.

        Prices have no part in it, and of the account what was last known will do.
        """
        missing: list[str] = []
        details, positions, orders, running = await asyncio.gather(
            _try("account", partial(self._broker.account, account), missing, self._spare),
            _try("positions", partial(self._broker.positions, account), missing, within),
            _try("orders", partial(self._broker.orders, account, active_only=False), missing, within),
            self._running(account, mass_action, missing, within),
        )
        known = details or self.last_known(account)
        return self._whole(mass_action, account, replace(_as_facts(known, positions, orders, None, missing), running=running))

    def _whole(self, mass_action: MassAction, account: str, facts: Facts) -> Facts:
        """The facts of a mass action over all that an account has, with what is no future there.

        Where a flatten of all finds such a position, its positions count as unread. So the account's one call goes out, which
        alone closes that, and nothing is called flat until it is gone. Orders of what is no future go with the account's others.
        """
        if isinstance(mass_action, FlattenStrategy) or mass_action.scope.contract is not None:
            return facts
        told = self._broker.others(account)
        if isinstance(mass_action, Flatten) and mass_action.only is not None:
            # Of one side it closes futures alone.
            return replace(facts, others=told.positions)
        others = told.positions if isinstance(mass_action, Flatten) else ()
        orders = () if facts.orders is None else told.orders
        return replace(facts, positions=None if others else facts.positions, others=others, other_orders=orders)

    async def books(self, mass_action: MassAction, within: float | None = None) -> Snapshots:
        """Read each account that a mass action goes over, as ``book`` does; for one of everything, the list of accounts too."""
        names = dict.fromkeys(mass_action.scope.accounts, within)
        return await self._each(mass_action, names, self.book, listing=mass_action.scope.everything)

    async def all_left(
        self, mass_action: MassAction, within: Mapping[str, float], *, listing: bool, one_by_one: bool = False
    ) -> Snapshots:
        """Read some of the accounts that a mass action goes over, as ``left`` does, each for as long as it says.

        Args:
            mass_action: what it is for.
            within: seconds, by account.
            listing: whether it is also wanted which accounts there are.
            one_by_one: read each by its own lists, however many there are.
        """
        return await self._each(mass_action, within, self.left, listing=listing, one_by_one=one_by_one)

    async def _each(
        self,
        mass_action: MassAction,
        within: Mapping[str, float | None],
        own: Callable[[str, MassAction, float | None], Awaitable[Facts]],
        *,
        listing: bool,
        one_by_one: bool = False,
    ) -> Snapshots:
        """Read many accounts by the lists over all, and by its own lists each of which these don't tell, in what time is left."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        # Nobody is kept in by lists that tell nothing but what each account's own do.
        shortest = min((seconds for seconds in within.values() if seconds is not None), default=self._at_once)
        one_by_one = one_by_one or isinstance(mass_action, FlattenStrategy)
        read = Snapshots() if one_by_one else await self._all.read(within.keys(), shortest)
        passed = loop.time() - began

        async def one(name: str) -> Facts:
            seconds = within[name]
            if (told := read.facts.get(name)) is not None:
                return self._whole(mass_action, name, told)
            return await own(name, mass_action, None if seconds is None else max(seconds - passed, 0.0))

        async def names() -> frozenset[str] | None:
            return read.listed or (await self.names() if listing else None)

        facts, listed = await asyncio.gather(asyncio.gather(*map(one, within)), names())
        return Snapshots(dict(zip(within, facts, strict=True)), listed, read.at_once)

    async def holdings(self, account: str, within: float | None = None) -> Facts:
        """Read an account's orders and then its positions, one after the other.

        So a position that is read as closed stays closed: whatever could still fill would have been among the orders before.

        Args:
            account: whose.
            within: seconds for both of them; what takes longer is a gap. ``None`` leaves it to the client.
        """
        missing: list[str] = []
        loop = asyncio.get_running_loop()
        began = loop.time()
        orders = await _try("orders", partial(self._broker.orders, account, active_only=False), missing, within)
        left = None if within is None else max(within - (loop.time() - began), 0.0)
        positions = await _try("positions", partial(self._broker.positions, account), missing, left)
        return _as_facts(None, positions, orders, None, missing)

    async def is_up(self, account: str) -> bool:
        """Tell whether the account can be read and NinjaTrader doesn't say that its connection is down."""
        details = await _try("account", partial(self._broker.account, account), [])
        return details is not None and details.connected is not False

    async def left(self, account: str, mass_action: MassAction, within: float | None = None) -> Facts:
        """Read an account's orders and then its positions; of one strategy its own orders and then what it holds.

        Where no list tells of that, it is what the account holds in its contract.
        """
        if not isinstance(mass_action, FlattenStrategy):
            return self._whole(mass_action, account, await self.holdings(account, within))
        missing: list[str] = []
        orders = await _try("orders", partial(self._broker.orders, account, active_only=False), missing, within)
        running = await self._running(account, mass_action, missing, within)
        facts = seen(mass_action, replace(_as_facts(None, None, orders, None, missing), running=running))
        if running is not None:
            return facts
        positions = await _try("positions", partial(self._broker.positions, account), missing, within)
        return replace(facts, positions=held_beside(mass_action, positions))

    async def _running(
        self, account: str, mass_action: MassAction, missing: list[str], within: float | None
    ) -> tuple[Strategy, ...] | None:
        if not isinstance(mass_action, FlattenStrategy):
            return None
        running = await _try("strategies", partial(self._broker.strategies, account), missing, within)
        return None if running is None else tuple(running)

    async def strategy(self, account: str, strategy_id: str) -> FlattenStrategy | None:
        """The action that closes a strategy; ``None`` if none of that id runs.

        CrossTrade's list of them is on no page of the vendor's, the call that closes one by its id is: without a list, or without
        orders, it goes all the same.
        """
        running, orders = await asyncio.gather(
            _try("strategies", partial(self._broker.strategies, account), []),
            _try("orders", partial(self._broker.orders, account, active_only=False), []),
        )
        return to_close(account, strategy_id, None if running is None else tuple(running), tuple(orders or ()))

    async def names(self) -> frozenset[str] | None:
        """The names of all accounts; ``None`` when they can't be read within a second, as only ways out ask for them here."""
        accounts = await _try("accounts", self._broker.accounts, [], self._spare)
        return None if accounts is None else frozenset(account.name for account in accounts)

    async def shut(self, contracts: Sequence[Contract]) -> tuple[Contract, ...]:
        """Those whose market is said to be shut; nobody waits longer than a second to learn it."""
        asked = contracts[:MOST_MARKETS]
        quotes = await asyncio.gather(*(_try("quote", partial(self._broker.quote, each), [], self._spare) for each in asked))
        return tuple(quote.contract for quote in quotes if quote is not None and quote.market_open is False)

    async def orders(self, account: str) -> Sequence[Order]:
        """The account's orders, finished ones too; asking for one by its id can miss a working order.

        Raises:
            BrokerError: the list can't be read.
        """
        return await self._broker.orders(account, active_only=False)

    async def templates_beside(self, name: str) -> Sequence[str] | None:
        """The ATM templates in NinjaTrader, for one of which the name is known; ``None`` where their list can't be read.

        CrossTrade may have no such list: that the name could not be checked is then among the facts, and stops nothing.
        """
        try:
            async with asyncio.timeout(self._patience):
                found = await self._broker.atm_templates()
        except (BrokerError, TimeoutError):
            self._unchecked[name] = None
            if len(self._unchecked) > MOST_UNCHECKED:
                del self._unchecked[next(iter(self._unchecked))]
            return None
        self._unchecked.pop(name, None)
        return found

    async def month_of(self, account: str, root: Root) -> Contract:
        """The contract that a bare root means: the only one with a position or working order, else the front month.

        Raises:
            BrokerError: a read failed.
            InstrumentError: more than one month would fit.
        """
        orders, positions = await asyncio.gather(self._broker.orders(account, active_only=False), self._broker.positions(account))
        months = months_held(root, positions, orders)
        if len(months) > 1:
            fits = tuple(str(month) for month in months)
            sentence = f"{root} fits {' and '.join(fits)} in {quoted(account)}; write the one you mean in that form."
            raise InstrumentError(str(root), sentence, fits)
        return months[0] if months else (await self._fronts.of(self._broker, root.name)).contract


async def survey(
    look: FactsReader,
    journal: Journal,
    intent: OrderIntent,
    policy: Callable[[], Policy],
    clock: Callable[[], datetime],
    since: datetime | None = None,
) -> tuple[Facts, OwnOrders]:
    """Read what a decision needs: the world, and what is on its way to it, or was sent at or after a moment.

    The journal is read before CrossTrade: an order that fills meanwhile then counts as on its way, where read afterwards it would
    be neither on its way any more nor in the positions yet. What is known of CrossTrade from before is void once the journal says
    that an order there has filled.

    Raises:
        JournalError: the journal can't be read.
    """
    while True:
        window = longest_window(policy())
        begins = clock() - window
        recent = await journal.recent(begins if since is None else min(since, begins))
        if policy().fresh and not intent.is_exit:
            await look.together(intent.account, policy().fresh, clock())
        facts = await look.at(intent.account, intent.contract, _spare(intent))
        if facts.account is None and intent.is_exit:
            facts = replace(facts, account=look.last_known(intent.account))
        # A policy that came into force meanwhile may look further back.
        if longest_window(policy()) <= window:
            return facts, OwnOrders(tuple(recent))


def _spare(intent: OrderIntent) -> Spare:
    """The facts that a way out can do without: it names what it acts on, and a bracket alone needs prices."""
    match intent:
        case Cancel():
            return frozenset({"account", "positions", "quote"})
        case Close():
            return frozenset({"account", "quote"})
        case Bracket():
            return frozenset({"account"})
        case _:
            return NOTHING


async def survey_books(
    look: FactsReader, journal: Journal, mass_action: MassAction, clock: Callable[[], datetime], within: float | None = None
) -> tuple[MassAction, dict[str, Facts], OwnOrders]:
    """The mass action as it is by now, the facts of every account that it goes over, and what is on its way.

    Raises:
        JournalError: the journal can't be read.
    """
    recent = await journal.recent(clock())
    read = await look.books(mass_action, within)
    return as_listed(mass_action, read.listed), read.facts, OwnOrders(tuple(recent))


def longest_window(policy: Policy) -> timedelta:
    """The time for which the limits look back; orders on their way are found however old they are."""
    windows = [CLOSES_COUNT, *(timedelta(seconds=limit.duplicate_seconds or 0) for limit in policy.limits)]
    if any(limit.orders_per_minute is not None for limit in policy.limits):
        windows.append(timedelta(minutes=1))
    return max(windows)


def _as_facts(
    account: Account | None,
    positions: Sequence[Position] | None,
    orders: Sequence[Order] | None,
    quote: Quote | None,
    missing: Sequence[str],
) -> Facts:
    return Facts(
        account=account,
        positions=None if positions is None else tuple(positions),
        orders=None if orders is None else tuple(orders),
        quote=quote,
        missing=tuple(missing),
    )


def months_held(root: Root, positions: Sequence[Position], orders: Sequence[Order]) -> list[Contract]:
    """The months of a root in which there is a position or a working order."""
    held = {p.contract for p in positions if p.contract.root == root.name and p.quantity}
    worked = {o.contract for o in orders if o.contract.root == root.name and o.remaining}
    return sorted(held | worked)


async def _try(what: str, read: Callable[[], Awaitable[Read]], missing: list[str], within: float | None = None) -> Read | None:
    try:
        async with asyncio.timeout(within):
            return await read()
    except BrokerError as error:
        missing.append(f"{what}: {error}")
    except TimeoutError:
        missing.append(f"{what}: no answer within {within} s")
    return None
