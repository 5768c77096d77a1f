"""A mass action under way, as tests of its rules play it: accounts as read, calls with their ends, and the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.trading.exits.steps import ExitAction, Exits, Held, Market
from bot.trading.exits.timings import USUAL_PACE
from bot.trading.market.facts import Facts, Order, OtherOrder, Position
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close, closing_terms
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Scope
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.rules.strategies import ES, NOW

ONE, TWO, THREE = "Sim101", "Sim102", "Sim103"
ALL = Scope((ONE, TWO), everything=True)
ACCOUNT = Flatten(Scope((ONE,)))
EVERYTHING = Flatten(ALL)
PACE = USUAL_PACE
JOT = 0.001
REST = Order(("rest",), ONE, ES, Side.SELL, OrderType.LIMIT, OrderState.WORKING, 1)


def book(name: str = ONE, held: Mapping[Contract, int] | None = None, *orders: Order) -> Facts:
    """An account as read."""
    positions = tuple(Position(name, contract, quantity) for contract, quantity in (held or {}).items())
    return Facts(None, positions, tuple(replace(order, account=name) for order in orders), None)


UNREAD = Facts(None, None, None, None)
SHARE = OtherOrder(ONE, "AAPL", "Stock", "Buy", 100, OrderState.WORKING, "share1")


Clearing = Flatten | CancelWorking


@dataclass
class Trial:
    """A mass action under way, and the time."""

    mass_action: Clearing
    seconds: float = 0.0
    exits: Exits = field(init=False)
    books: dict[str, Facts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.exits = Exits(self.mass_action, PACE, NOW)

    @property
    def now(self) -> datetime:
        """The time of the newest reading."""
        return NOW + timedelta(seconds=self.seconds)

    def reads(self, *books: Facts, at: float | None = None, held_up: frozenset[Held] = frozenset()) -> list[ExitAction]:
        """The calls that follow from a reading, one book for each account."""
        self.seconds = self.seconds if at is None else at
        self.books = dict(zip(self.mass_action.scope.accounts, books, strict=True))
        self.exits.read(self.books, self.now)
        return self.exits.next_actions(self.books, self.now, held_up)

    def sends(self, action: ExitAction, state: StepState = StepState.ACCEPTED) -> None:
        """A call and its end."""
        self.exits.sending(action, self.books, self.now)
        self.exits.sent(action, state, self.books, self.now)

    def gave_up(self) -> bool:
        """Whether nothing more can be tried."""
        return self.exits.gave_up(self.books)


def close(contract: Contract, quantity: int, name: str = ONE) -> Close:
    return Close(name, contract, closing_terms(quantity, None, None))


# After that many seconds a close of that end may be followed by another one, if nothing of it has been seen at all.
AGAIN = {
    StepState.ACCEPTED: PACE.settle,
    StepState.UNKNOWN: PACE.grace,
    StepState.REJECTED: PACE.again,
    StepState.NOT_SENT: PACE.again,
}


def cancels(action: ExitAction, market: Market) -> bool:
    if isinstance(action, CancelOrders):
        return action.account == market[0] and action.contract in {None, market[1]}
    return isinstance(action, CancelEverything)


def beside(facts: Facts, *orders: OtherOrder) -> Facts:
    """An account in which orders of what is no future work."""
    return replace(facts, other_orders=orders)
