"""Orders of the desk that go over many things at once: flatten, and cancel whatever works. Frozen data, no rules.

A mass action names its accounts one by one, so that nobody can build one that reaches further than it was granted.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bot.trading.orders.instruments import Contract
from bot.trading.orders.kind import Kind

MANY = "*"


class Holding(StrEnum):
    """The side of a position, as CrossTrade's filter ``marketPosition`` has it."""

    LONG = "long"
    SHORT = "short"

    def is_of(self, quantity: int) -> bool:
        """Tell whether a signed quantity is on that side."""
        return quantity > 0 if self is Holding.LONG else quantity < 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts and contracts that a mass action goes over.

    Attributes:
        accounts: NT8 account names, at least one.
        contract: of which contract; ``None`` for all.
        everything: whether these are all the accounts that NinjaTrader has, and all their contracts.
        left_out: accounts that "everything" doesn't reach, as the member may not use them or they aren't named as live.
    """

    accounts: tuple[str, ...]
    contract: Contract | None = None
    everything: bool = False
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.accounts or not all(self.accounts):
            raise ValueError("a mass action must name its accounts")
        if self.everything and (self.contract is not None or self.left_out):
            raise ValueError("everything leaves nothing out")

    def covers(self, account: str, contract: Contract | None) -> bool:
        """Tell whether it reaches a contract in an account; of an unknown contract it may."""
        return account in self.accounts and (self.contract is None or contract in {None, self.contract})

    def meets(self, other: "Scope") -> bool:
        """Tell whether two of them have something in common."""
        return any(other.covers(account, self.contract) for account in self.accounts)

    def __str__(self) -> str:
        where = self.accounts[0] if len(self.accounts) == 1 else f"{len(self.accounts)} accounts"
        return where if self.contract is None else f"{where} {self.contract}"


class _Mass(Kind):
    """A kind that goes over many things; it can only lessen what is at risk."""

    __slots__ = ()
    is_exit: ClassVar[bool] = True
    is_mass: ClassVar[bool] = True
    client_order_id: ClassVar[None] = None
    scope: Scope

    @property
    def account(self) -> str:
        """The account, where it is one."""
        return self.accounts[0] if len(self.accounts) == 1 else MANY

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every account that it touches."""
        return self.scope.accounts

    def touches(self, account: str, contract: Contract) -> bool:
        """Tell whether it is about that contract in that account, among others perhaps."""
        return self.scope.covers(account, contract)


@dataclass(frozen=True, slots=True)
class Flatten(_Mass):
    """``/flatten``: cancel what works, close what is open, read back until it is so.

    Attributes:
        only: positions of that side alone; with them go the working orders of their contracts.
    """

    kind: ClassVar[str] = "flatten"
    command: ClassVar[str] = "flatten"
    closes: ClassVar[bool] = True
    scope: Scope
    only: Holding | None = None


@dataclass(frozen=True, slots=True)
class CancelWorking(_Mass):
    """``/cancel`` of an instrument, an account or everything: cancel all that works there, and read back that it is gone."""

    kind: ClassVar[str] = "cancel working"
    command: ClassVar[str] = "cancel"
    scope: Scope


@dataclass(frozen=True, slots=True)
class FlattenStrategy(_Mass):
    """``/flatten`` of one ATM strategy: CrossTrade closes what it holds and cancels its orders; read back until it is so.

    Attributes:
        scope: its account, and its contract where that is known.
        strategy_id: the id of the running strategy, not the name of its template.
        name: NinjaTrader's name of it, for people.
    """

    kind: ClassVar[str] = "flatten strategy"
    command: ClassVar[str] = "flatten"
    closes: ClassVar[bool] = True
    scope: Scope
    strategy_id: str
    name: str | None = None

    def __post_init__(self) -> None:
        if len(self.scope.accounts) != 1 or not self.strategy_id.strip():
            raise ValueError("a strategy must be named, in one account")


MassAction = Flatten | CancelWorking | FlattenStrategy
# What is left to somebody who can't get out otherwise, as a list can't be read: a mass action goes without, and reads back
# afterwards.
UNSEEN = "which goes out unseen within 5 s and is read back once the lists can be read"
FLATTEN_UNSEEN = f", or use “/flatten scope:instrument”, {UNSEEN}"
CANCEL_UNSEEN = f", or use “/cancel scope:instrument”, {UNSEEN}"


def target_of(mass_action: MassAction) -> str:
    """The target of a mass action, for people."""
    if isinstance(mass_action, FlattenStrategy):
        label = mass_action.name or "strategy"
        return f"{label if mass_action.strategy_id in label else f'{label} {mass_action.strategy_id}'} in {mass_action.scope}"
    return "everything" if mass_action.scope.everything else str(mass_action.scope)
