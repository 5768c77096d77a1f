"""The calls that only a mass action makes, each a type that can't be built wrongly. Their purpose is in ``mass_actions``.

An empty body to CrossTrade's "flatten everything" flattens every account, so nothing here has an account that may be left out:
what goes over one account must name it, and what goes over all of them has no field at all.
"""

from dataclasses import dataclass
from typing import ClassVar

from bot.trading.orders.instruments import Contract
from bot.trading.orders.mass_actions import Holding


class _WayOut:
    """A call that can only lessen what is at risk."""

    __slots__ = ()
    is_exit: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class CancelOrders(_WayOut):
    """Cancel the working orders of an account, or of one contract in it (POST Cancel Orders, new)."""

    account: str
    contract: Contract | None = None

    def __post_init__(self) -> None:
        _named(self.account)


@dataclass(frozen=True, slots=True)
class CancelEverything(_WayOut):
    """Cancel every working order of every account (POST Cancel All Orders; the path inferred from looser texts of the vendor's).

    They disagree on whether it goes over all accounts or one, so what it has done is read back.
    """


@dataclass(frozen=True, slots=True)
class FlattenAccount(_WayOut):
    """Close the positions of an account, and cancel its orders (POST Flatten Account; with ``only`` POST Flatten Everything).

    Whether an order without a position goes with them is disputed (mid against the code of others).

    Attributes:
        contract: of one contract alone.
        only: positions of that side alone.
    """

    account: str
    contract: Contract | None = None
    only: Holding | None = None

    def __post_init__(self) -> None:
        _named(self.account)


@dataclass(frozen=True, slots=True)
class FlattenEverything(_WayOut):
    """Close every position of every account, and cancel every order (POST Flatten Everything, with nothing in it; mid)."""


@dataclass(frozen=True, slots=True)
class CloseStrategy(_WayOut):
    """Close what one running ATM strategy holds, and cancel its orders (POST Close Strategy)."""

    account: str
    strategy_id: str

    def __post_init__(self) -> None:
        _named(self.account)
        _named(self.strategy_id)


MassCall = CancelOrders | CancelEverything | FlattenAccount | FlattenEverything | CloseStrategy


def _named(name: str) -> None:
    if not name.strip():
        raise ValueError("an account and a strategy must be named")
