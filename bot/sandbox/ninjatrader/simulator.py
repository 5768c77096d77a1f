"""The simulator without its sockets: world, cloud and the state that a reset renews."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .atm import DEFAULT_TEMPLATES, AtmTemplate
from .book import DEFAULT_ACCOUNTS, AccountSpec, position_row
from .catalogue import READING_NAMES, TRADING_NAMES
from .cloud import Cloud
from .faults import Faults
from .hours import Hours
from .names import Names
from .orders import Order
from .stream import Hub
from .timing import Timing
from .world import World


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


class Simulator:
    """A simulated NinjaTrader 8 behind the CrossTrade API; `running` or `serve` puts it on a socket.

    `token` None takes any bearer token. `market_open` True keeps the market open round the clock, None follows the
    calendar. `account_events` True lets the WebSocket push order, execution and position events. `names` is how instruments
    are spelt in all that goes out; `roots` True answers for a bare root with its front month, where others refuse.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        seed: int = 8,
        clock: Callable[[], datetime] = _utc_now,
        new_id: Callable[[], str] = _new_id,
        rate_limited: bool = True,
        accounts: tuple[AccountSpec, ...] = DEFAULT_ACCOUNTS,
        templates: tuple[AtmTemplate, ...] = DEFAULT_TEMPLATES,
        timing: Timing | None = None,
        market_open: bool | None = True,
        account_events: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        names: Names = Names.DATED,
        roots: bool = False,
    ) -> None:
        """Build the world; nothing moves before it is running."""
        self.token = token
        self.timing = timing or Timing()
        self.faults = Faults(seed, TRADING_NAMES, READING_NAMES)
        self._seed = seed
        self._clock = clock
        self._new_id = new_id
        self._accounts = accounts
        self._templates = templates
        self._market_open = market_open
        self._names = names
        self._roots = roots
        self.world = self._new_world(accounts, seed)
        self.cloud = Cloud(self.world, self.faults, token, rate_limited, account_events, monotonic)
        self.hub = Hub(self.cloud)

    def _new_world(self, accounts: tuple[AccountSpec, ...], seed: int) -> World:
        return World(
            seed=seed,
            clock=self._clock,
            new_id=self._new_id,
            timing=self.timing,
            hours=Hours(self._market_open),
            accounts=accounts,
            templates=self._templates,
            names=self._names,
            roots=self._roots,
        )

    def reset(self, accounts: tuple[AccountSpec, ...] | None = None, seed: int | None = None) -> None:
        """Start afresh: books, prices, faults, budgets and log. Connections stay."""
        world = self._new_world(self._accounts if accounts is None else accounts, self._seed if seed is None else seed)
        self.world.stop()
        self.world = self.cloud.world = world
        self.faults.clear()
        self.cloud.forget()
        self.hub.follow(world)

    def set_timing(self, timing: Timing) -> None:
        """Let things take another time from now on, after a reset too."""
        self.timing = timing
        self.world.set_timing(timing)

    def set_names(self, names: Names) -> None:
        """Spell instruments another way from now on, after a reset too."""
        self._names = self.world.names = names

    def set_roots(self, *, answered: bool) -> None:
        """Answer for bare roots, or refuse them, from now on, after a reset too."""
        self._roots = self.world.roots = answered

    @property
    def names(self) -> Names:
        """Spelling of instruments."""
        return self._names

    @property
    def roots(self) -> bool:
        """Tell whether bare roots are answered for."""
        return self._roots

    def set_market(self, *, open_now: bool | None) -> None:
        """Open or shut the market, or leave it to the calendar; a reset goes back to how it began."""
        self.world.market.hours = Hours(open_now)

    def book(self) -> dict[str, Any]:
        """Give the truth, for tests: every order ever, executions, positions, and every mutating request as it came."""
        world = self.world
        return {
            "now": world.clock().isoformat(),
            "orders": [_order_truth(order) for order in world.exchange.orders],
            "executions": [execution.row() for execution in world.exchange.executions],
            "positions": [
                {**position_row(account, contract, held, world.market), "signedQuantity": held.quantity}
                for account in world.accounts
                for contract, held in account.open_positions().items()
            ],
            "accounts": [
                {"name": account.name, "provider": account.provider, "cash": account.cash, "realised": account.realised}
                for account in world.accounts
            ],
            "requests": [record.to_json() for record in self.cloud.received],
        }


def _order_truth(order: Order) -> dict[str, Any]:
    return {
        **order.row(),
        "ownOrderId": order.ticket.own_id,
        "earlierIds": list(order.earlier_ids),
        "strategy": order.ticket.strategy,
        "events": order.lifecycle(fills=True, limit=1000),
    }
