"""Accounts and the contracts that they hold, from memory, for autocomplete. Never asked of CrossTrade on a keystroke.

The watchdog's polls tell of both; only front months are read for it alone.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from bot.desk.lookup.fronts import Fronts
from bot.desk.ports import Broker
from bot.errors import BrokerError
from bot.trading.market.facts import Account
from bot.trading.orders.instruments import Contract
from bot.trading.risk.policy import EVERYTHING, READING_COMMANDS, PermissionQuery, Policy, matches, may
from bot.trading.words import ascii_lower

log = logging.getLogger(__name__)
COMMON_ROOTS = ("ES", "NQ", "MES", "MNQ")


class Directory:
    """Accounts, what is held in them, and front months, as last read.

    Attributes:
        fronts: what bare roots mean.
    """

    def __init__(self, broker: Broker, today: Callable[[], date]) -> None:
        self.fronts = Fronts(today)
        self._broker = broker
        self._accounts: dict[str, Account] = {}
        self._remembered: frozenset[str] = frozenset()
        self._held: dict[str, tuple[Contract, ...]] = {}

    async def refresh_accounts(self, broker: Broker | None = None) -> None:
        """Read the accounts anew.

        Args:
            broker: by which; in the background where it is left out.

        Raises:
            BrokerError: they can't be read; the old ones stay.
        """
        self.listed(await (broker or self._broker).accounts())

    async def refresh_fronts(self, policy: Policy) -> None:
        """Read the front months that somebody may trade and that aren't known; failures leave the old."""
        for root in [root for root in self._roots(policy) if not self.fronts.is_fresh(root)]:
            await self._refresh_front(root)

    def granted(self, policy: Policy) -> list[str]:
        """The accounts that some grant names."""
        patterns = {pattern for grant in policy.grants for pattern in grant.accounts}
        return [name for name in self._accounts if matches(name, patterns)]

    def forget_fronts(self) -> None:
        """Ask for front months again at the next refresh, as they roll; until it is answered the old ones stand."""
        self.fronts.forget()

    def front(self, root: str) -> Contract | None:
        """The front month of a root as last read, if it was."""
        return self.fronts.told(root)

    def listed(self, accounts: Iterable[Account]) -> None:
        """Remember the accounts that there are."""
        self._accounts = {account.name: account for account in accounts}

    def held(self, account: str, contracts: Sequence[Contract]) -> None:
        """Remember what somebody has just seen in an account."""
        self._held[account] = tuple(contracts)

    def canonical(self, typed: str) -> str | None:
        """The account's name as NinjaTrader has it: an exact match, else the only one that differs in ASCII case."""
        if typed in self._accounts:
            return typed
        same = [name for name in self._accounts if ascii_lower(name) == ascii_lower(typed)]
        return same[0] if len(same) == 1 else None

    def remember(self, names: Iterable[str]) -> None:
        """Know names that the last run has used."""
        self._remembered = frozenset(names)

    def remembered(self, typed: str) -> str:
        """The name of the last run that differs in ASCII case at most, else the name as it was typed."""
        return next((name for name in sorted(self._remembered) if ascii_lower(name) == ascii_lower(typed)), typed)

    def account(self, name: str) -> Account | None:
        """An account as last read; its money may be missing, as lists needn't tell it."""
        return self._accounts.get(name)

    def accounts_for(self, policy: Policy, roles: frozenset[int], command: str) -> list[str]:
        """The accounts in which these roles may use that command."""
        return [name for name in sorted(self._accounts) if may(policy, roles, PermissionQuery(command, name)) is None]

    def instruments_for(self, policy: Policy, roles: frozenset[int], command: str, account: str) -> list[str]:
        """Contracts to offer: first those held in the account, then front months, all of them granted there.

        A command that only reads is granted by account; to it every contract is offered.
        """
        name = self.canonical(account)
        accounts = [each for each in self.accounts_for(policy, roles, command) if name in {None, each}]
        held = [contract for each in accounts for contract in self._held.get(each, ())]
        offered = dict.fromkeys([*held, *self.fronts.all_told()])
        if command in READING_COMMANDS:
            return [str(contract) for contract in offered]
        return [
            str(contract)
            for contract in offered
            if any(may(policy, roles, PermissionQuery(command, each, contract.root)) is None for each in accounts)
        ]

    def _roots(self, policy: Policy) -> list[str]:
        granted = {root.upper() for grant in policy.grants for root in grant.instruments}
        named = sorted(root for root in granted if root.isalnum())
        return [*named, *(root for root in COMMON_ROOTS if EVERYTHING in granted and root not in named)]

    async def _refresh_front(self, root: str) -> None:
        try:
            await self.fronts.refresh(self._broker, root)
        except BrokerError as error:
            log.debug("front month of %s not read: %s", root, error)
