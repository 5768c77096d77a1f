"""Many accounts read by three requests: CrossTrade's lists over all accounts, where it has them.

One by one, many accounts use up the budget before a way out has read them. An account that isn't listed, or whose broker
connection is down, may be left out of those lists, and must not look flat for that: it is read by itself.
"""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar, cast

from bot.desk.ports import Broker
from bot.errors import BrokerError, BrokerPartly
from bot.trading.market.facts import Account, Facts, Order, Position
from bot.trading.words import ascii_lower

# So many are read one by one: those requests fit into one look.
FEW = 3

Row = TypeVar("Row")
Told = tuple[Sequence[Row], frozenset[str]]
Lists = tuple[Told[Order], Told[Position], Sequence[Account]]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Some accounts as they were read.

    Attributes:
        facts: by account.
        listed: the names of all accounts; ``None`` where these weren't read.
        at_once: whether the lists over all accounts were read.
    """

    facts: dict[str, Facts] = field(default_factory=dict)
    listed: frozenset[str] | None = None
    at_once: bool = False


async def tellable(reading: Awaitable[Sequence[Row]]) -> tuple[Sequence[Row], frozenset[str]]:
    """The rows of a list over all accounts, and the accounts of which it doesn't tell all, as a row there can't be read.

    Raises:
        BrokerError: nothing can be read, or it isn't known whose such a row is.
    """
    try:
        return await reading, frozenset()
    except BrokerPartly as error:
        if error.accounts is None:
            raise
        return cast("tuple[Row, ...]", error.rows), error.accounts


@dataclass(frozen=True, slots=True)
class AllAccounts:
    """Reads them."""

    broker: Broker

    async def refresh(self, within: float) -> None:
        """Have these lists read, for what they tell of each account; where they can't be, each account's own are."""
        with suppress(BrokerError, TimeoutError):
            async with asyncio.timeout(within):
                await self._lists()

    async def read(self, names: Collection[str], within: float) -> Snapshots:
        """The accounts of which the lists tell all; none for a few, and where a list can't be read in that many seconds."""
        if len(names) <= FEW:
            return Snapshots()
        try:
            async with asyncio.timeout(within):
                (orders, spoilt), (positions, unread), accounts = await self._lists()
        except (BrokerError, TimeoutError):
            return Snapshots()
        linked = {ascii_lower(account.name): account for account in accounts if account.connected is not False}
        # Of an account with a row that can't be read, its own lists say what there is.
        for name in (*spoilt, *unread):
            linked.pop(ascii_lower(name), None)
        known = {name: account for name in names if (account := linked.get(ascii_lower(name))) is not None}
        facts = {name: _of(account, orders, positions) for name, account in known.items()}
        return Snapshots(facts, frozenset(account.name for account in accounts), at_once=True)

    async def _lists(self) -> "Lists":
        """Orders, finished ones too, then positions: what was read as closed then stays closed."""
        orders = await tellable(self.broker.all_orders(active_only=False))
        positions = await tellable(self.broker.all_positions())
        # Last, so that one that loses its broker in between doesn't look flat.
        return orders, positions, await self.broker.accounts()


def _of(account: Account, orders: Collection[Order], positions: Collection[Position]) -> Facts:
    its = ascii_lower(account.name)
    return Facts(
        account=account,
        positions=tuple(row for row in positions if ascii_lower(row.account) == its),
        orders=tuple(row for row in orders if ascii_lower(row.account) == its),
        quote=None,
    )
