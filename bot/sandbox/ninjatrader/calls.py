"""A call: its name, its REST path, its handler; and what a handler is given. The calls themselves stand in `catalogue`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from .book import Account
from .faults import Faults, Kind, Rule
from .products import Contract
from .wire import Args
from .world import World


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for one call, whichever way it came."""

    call: str
    args: Args
    world: World
    faults: Faults
    is_rpc: bool

    def without(self, name: str) -> "Ask":
        """Give the same request without one argument."""
        return replace(self, args=self.args.without(name))

    def take(self, kind: Kind, fits: Callable[[Rule], bool] = lambda _rule: True) -> Rule | None:
        """Ask whether a fault strikes this request; of several that could, one that fits."""
        return self.faults.take(self.call, kind, fits)

    def account(self) -> Account:
        """Give the account that the request names."""
        return self.world.account(self.args.required("account"))

    def contract(self) -> Contract:
        """Give the instrument that the request names."""
        return self.world.contract(self.args.required("instrument"))

    def optional_contract(self) -> Contract | None:
        """Give the instrument if the request names one."""
        spelling = self.args.text("instrument")
        return None if spelling is None else self.world.contract(spelling)


@dataclass(frozen=True, slots=True)
class Call:
    """One API call. `path` is under /v1/api; `needs_addon` False is answered by the cloud alone.

    `mutates` False marks a read that is a POST. `other_name` and `other_path` are further ways to it. `has_rpc` False has no
    way over the WebSocket. `is_newer` marks what an older add-on does not know.
    """

    name: str
    method: str
    path: str
    handler: Callable[[Ask], Awaitable[Any]]
    needs_addon: bool = True
    mutates: bool = True
    other_name: str | None = None
    other_path: str | None = None
    has_rpc: bool = True
    is_newer: bool = False

    @property
    def is_trading(self) -> bool:
        """True when it can change orders or positions."""
        return self.mutates and self.method != "GET"
