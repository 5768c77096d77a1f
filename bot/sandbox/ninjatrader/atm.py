"""ATM strategies: a stop and a target, placed when the entry fills. It listens to the exchange and places through it."""

import itertools
from dataclasses import dataclass, replace
from decimal import Decimal

from .book import Execution
from .exchange import Exchange
from .orders import Action, Befalls, Order, OrderType, Owner, State, Ticket, TimeInForce


@dataclass(frozen=True, slots=True)
class AtmTemplate:
    """A saved ATM strategy: one stop and one target, in ticks from the entry's price."""

    name: str
    stop_ticks: int
    target_ticks: int


DEFAULT_TEMPLATES = (AtmTemplate("Scalp", 8, 8), AtmTemplate("MyAtmStrategy", 20, 40))


@dataclass(slots=True, eq=False)
class AtmStrategy:
    """A running strategy: its entry, its two exits once the entry has begun to fill, and the order that closes it."""

    owner: Owner
    template: AtmTemplate
    entry: Order
    exits: tuple[Order, ...] = ()
    closing: Order | None = None

    @property
    def is_running(self) -> bool:
        """True while any of its orders lives, and while what it holds was to be closed and wasn't."""
        if any(not order.state.is_done for order in self.orders):
            return True
        return self.closing is not None and self.closing.state is State.REJECTED and self.open_quantity != 0

    @property
    def orders(self) -> tuple[Order, ...]:
        """All its orders."""
        return (self.entry, *self.outs)

    @property
    def outs(self) -> tuple[Order, ...]:
        """Those that take out what the entry brought in."""
        return self.exits if self.closing is None else (*self.exits, self.closing)

    @property
    def open_quantity(self) -> int:
        """Signed contracts that its entry brought in and its exits have not taken out."""
        return self.entry.ticket.action.sign * (self.entry.filled - sum(order.filled for order in self.outs))


class Strategies:
    """All ATM strategies ever started."""

    def __init__(self, exchange: Exchange, templates: tuple[AtmTemplate, ...]) -> None:
        """Listen to the exchange from now on."""
        self.all: list[AtmStrategy] = []
        self._exchange = exchange
        self._templates = {template.name: template for template in templates}
        self._numbers = itertools.count(334_081_723)
        exchange.listeners.append(self._hear)

    def running(self) -> list[AtmStrategy]:
        """Give those that still have a living order."""
        return [strategy for strategy in self.all if strategy.is_running]

    def _hear(self, order: Order, execution: Execution | None) -> None:
        template = self._templates.get(order.ticket.strategy or "")
        if template is None:
            return
        strategy = next((one for one in self.all if one.entry is order), None)
        if strategy is None:
            number = str(next(self._numbers))
            order.owner = Owner(number, template.name, f"{template.name} - {number}")
            strategy = AtmStrategy(order.owner, template, order)
            self.all.append(strategy)
        if execution is not None:
            self._protect(strategy, execution.price)

    def _protect(self, strategy: AtmStrategy, price: Decimal) -> None:
        filled = strategy.entry.filled
        if strategy.exits:
            for order in strategy.exits:
                if not order.state.is_done:
                    self._exchange.change(order, quantity=filled, limit=None, stop=None)
            return
        ticket, template = strategy.entry.ticket, strategy.template
        away = ticket.action.sign * ticket.contract.product.tick
        oco_id = f"ATM-{strategy.owner.id}"
        action = ticket.action.opposite

        stop, target = price - template.stop_ticks * away, price + template.target_ticks * away
        strategy.exits = tuple(
            self._place_exit(strategy, action, oco_id, kind, at)
            for kind, at in ((OrderType.STOP_MARKET, stop), (OrderType.LIMIT, target))
            if not any(fate.befalls is Befalls.MISSING and fate.is_of(kind) for fate in strategy.entry.treatment.fates)
        )

    def _place_exit(self, strategy: AtmStrategy, action: Action, oco_id: str, kind: OrderType, price: Decimal) -> Order:
        entry, is_stop = strategy.entry, kind is OrderType.STOP_MARKET
        core = Ticket(
            entry.ticket.account, entry.ticket.contract, action, kind, entry.filled, TimeInForce.GTC, oco_id=oco_id,
            name="Stop1" if is_stop else "Target1",
        )  # fmt: skip
        ticket = replace(core, stop=price) if is_stop else replace(core, limit=price)
        order = self._exchange.submit(ticket, owner=strategy.owner)
        self._exchange.befall(order, entry.treatment.fates)
        return order
