"""Closing one ATM strategy: what of an account's books is its own, and the one call that ends it. Pure.

Positions are netted in each contract, so an account's position doesn't tell what a strategy holds: its row in CrossTrade's list
does (seen in the code of others), and its orders carry its id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.trading.exits.steps import ExitAction, Held, Market
from bot.trading.exits.timings import ExitTimings
from bot.trading.market.facts import Facts, Order, Position, Strategy
from bot.trading.orders.broker_calls import CloseStrategy
from bot.trading.orders.instruments import Contract
from bot.trading.orders.mass_actions import FlattenStrategy, Scope
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType
from bot.trading.orders.tickets import side_word


def to_close(
    account: str, strategy_id: str, running: Sequence[Strategy] | None, orders: Sequence[Order]
) -> FlattenStrategy | None:
    """The order to close a strategy; ``None`` where none of that id runs. Its contract is told by its row, else by its orders.

    Where which ones run could not be read (``None``), it is closed by the id as typed.
    """
    row = _row(strategy_id, running or ())
    if row is None and running is not None:
        return None
    worked = {order.contract for order in orders if order.owner == strategy_id}
    contract = (row.contract if row else None) or (worked.pop() if len(worked) == 1 else None)
    return FlattenStrategy(Scope((account,), contract), strategy_id, (row.label or row.name) if row else None)


def seen(mass_action: FlattenStrategy, facts: Facts) -> Facts:
    """The facts as far as they are the strategy's own: what it holds in place of what the account holds, and its orders."""
    orders = None if facts.orders is None else tuple(order for order in facts.orders if _is_its(mass_action, order))
    return replace(facts, positions=_held(mass_action, facts), orders=orders)


def held_beside(mass_action: FlattenStrategy, positions: Sequence[Position] | None) -> tuple[Position, ...] | None:
    """The account's positions where a strategy was closed of which no list tells; ``None`` where nobody can say.

    An account that is flat there holds nothing of it any more but what somebody else's contracts make up for.
    """
    if positions is None or (mass_action.scope.contract is None and positions):
        return None
    return tuple(position for position in positions if position.contract == mass_action.scope.contract)


def warning(mass_action: FlattenStrategy, facts: Facts) -> str | None:
    """The warning of what is left in the account, where that isn't just a smaller position but something on the other side."""
    held = sum(position.quantity for position in _held(mass_action, facts) or ())
    if not held or facts.positions is None or mass_action.scope.contract is None:
        return None
    position = facts.position(mass_action.scope.contract)
    now = 0 if position is None else position.quantity
    after = now - held
    if abs(after) <= abs(now) and now * after >= 0:
        return None
    return (
        f"the account as a whole is {side_word(now)} there; closing the strategy's {side_word(held)} leaves it {side_word(after)}"
    )


@dataclass(slots=True)
class StrategyExit:
    """The state of one strategy's close under way, and its next call, as ``Exits`` is for positions.

    There is one call and it is never made again: beside the order by which NinjaTrader closes the strategy, a second one could
    turn the position over. What CrossTrade refuses is told; a person may ask anew.
    """

    mass_action: FlattenStrategy
    pace: ExitTimings
    _state: StepState | None = None
    _sent_at: datetime | None = None
    _read_at: datetime | None = None
    _known: frozenset[str] = frozenset()
    _words: dict[Market, str | None] = field(default_factory=dict)

    def read(self, books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of a reading."""
        self._read_at = now
        if self._sent_at is None:
            self._known |= {each for facts in books.values() for order in facts.orders or () for each in order.ids}

    def is_unseen(self, _action: ExitAction, _books: Mapping[str, Facts]) -> bool:
        """Always ``False``: it is closed by its id, which needs no list."""
        return False

    def sending(self, _action: ExitAction, _books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of the call that is about to be made."""
        self._sent_at = now

    def rejections(self, books: Mapping[str, Facts]) -> list[tuple[Market, Order]]:
        """The order by which NinjaTrader was to close it, where that was rejected; it ends with that."""
        listed = (order for facts in books.values() for order in facts.orders or ())
        refused = (order for order in listed if _is_refused_close(order) and self._known.isdisjoint(order.ids))
        return [((order.account, order.contract), order) for order in refused]

    def refused(self, market: Market, words: str | None) -> None:
        """Take note of why, in the broker's words."""
        self._words[market] = words

    def barred(self) -> dict[Market, str | None]:
        """The markets in which nothing more is sent, with the broker's words."""
        return dict(self._words)

    def went_unseen(self) -> frozenset[str]:
        """Always empty: it needs no list, so nothing of it goes unseen."""
        return frozenset()

    def did_nothing(self) -> frozenset[str]:
        """Always empty: nothing of it goes unseen, so nobody needs to know where."""
        return frozenset()

    def is_settled(self, books: Mapping[str, Facts], _now: datetime) -> bool:
        """Its own row tells when it is over; without one, what the account holds does, but not before the call was made."""
        return self._sent_at is not None or all(facts.running is not None for facts in books.values())

    def sent(self, _action: ExitAction, state: StepState, _books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of the call and its end."""
        self._state, self._sent_at = state, now

    def next_actions(
        self, _books: Mapping[str, Facts], _now: datetime, _held_up: frozenset[Held] = frozenset()
    ) -> list[ExitAction]:
        """The call to make now, if it hasn't been made."""
        return [] if self._sent_at else [CloseStrategy(self.mass_action.account, self.mass_action.strategy_id)]

    def gave_up(self, _books: Mapping[str, Facts]) -> bool:
        """Tell whether there is no more to wait for: the call did nothing, or what it did should long be seen."""
        if self._sent_at is None or self._read_at is None:
            return False
        did_nothing = bool(self._words) or self._state in {StepState.REJECTED, StepState.NOT_SENT}
        return did_nothing or self._read_at - self._sent_at >= timedelta(seconds=self.pace.grace)


def _is_refused_close(order: Order) -> bool:
    return order.state is OrderState.REJECTED and order.type is OrderType.MARKET


def _row(strategy_id: str, running: Sequence[Strategy]) -> Strategy | None:
    return next((each for each in running if each.id == strategy_id), None)


def _held(mass_action: FlattenStrategy, facts: Facts) -> tuple[Position, ...] | None:
    """Its holding, as a position of its own; ``None`` where that isn't known."""
    if facts.running is None:
        return None
    row = _row(mass_action.strategy_id, facts.running)
    if row is None or row.quantity == 0:
        return ()
    contract = _contract(mass_action, row)
    if row.quantity is None or contract is None:
        return None
    return (Position(mass_action.account, contract, row.quantity, row.average_price, row.unrealised),)


def _contract(mass_action: FlattenStrategy, row: Strategy) -> Contract | None:
    return row.contract or mass_action.scope.contract


def _is_its(mass_action: FlattenStrategy, order: Order) -> bool:
    """Tell whether an order is the strategy's, or may be the one that closes it, which nobody says bears its id."""
    may_close_it = order.type is OrderType.MARKET and order.contract == mass_action.scope.contract
    return order.owner == mass_action.strategy_id or may_close_it
