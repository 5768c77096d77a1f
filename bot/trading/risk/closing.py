"""Closes that aren't over yet, whoever sent them: the rules by which no close goes out beside another. Pure.

A market order on the closing side closes, whether the desk, the vendor or somebody at NinjaTrader placed it. As long as one
works it counts, however long that is. One that was taken and isn't listed yet counts for as long as a list may lag.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.trading.market.facts import Facts, Order, OtherOrder
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close, closing_side, closing_terms
from bot.trading.orders.mass_actions import CancelWorking, Flatten
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType

# The longest that a list of NinjaTrader's lags behind what has happened, in seconds: one figure for every way out. Others have
# seen some seconds; a close that was taken and isn't seen within this time is not coming any more.
LISTS_LAG = 10.0
# A flatten that has ended may have closed at its very end what no list shows yet; so far back its calls count.
CLOSES_COUNT = timedelta(seconds=90 + 2 * LISTS_LAG)
DID_NOTHING = frozenset({StepState.REJECTED, StepState.NOT_SENT})


def is_closing(order: Order, held: int) -> bool:
    """Tell whether an order takes away from a position as soon as the market lets it."""
    return bool(held) and order.type is OrderType.MARKET and order.side is closing_side(held)


def held_in(facts: Facts, contract: Contract) -> int:
    """The signed quantity that is open there, as far as the list was read."""
    position = facts.position(contract)
    return 0 if position is None else position.quantity


def working_closes(facts: Facts, contract: Contract) -> tuple[Order, ...]:
    """The orders that still work and will close what is open there."""
    held = held_in(facts, contract)
    return tuple(order for order in facts.working(contract) if is_closing(order, held))


def left_to_close(facts: Facts, contract: Contract) -> int:
    """Open contracts, without a sign, that no working order closes already; below zero where working orders close too many."""
    closed = sum(order.remaining for order in working_closes(facts, contract))
    return abs(held_in(facts, contract)) - closed


def close_of(name: str, contract: Contract, facts: Facts) -> Close:
    """The close of all that is open there, or of the rest that no working order closes."""
    held, left = held_in(facts, contract), left_to_close(facts, contract)
    rest = None if left == abs(held) else left
    return Close(name, contract, closing_terms(held, rest, None), rest)


def is_unread(facts: Facts) -> bool:
    """Tell whether one of the two lists could not be read."""
    return facts.positions is None or facts.orders is None


def open_in(mass_action: Flatten | CancelWorking, name: str, facts: Facts) -> set[Contract]:
    """The contracts that are open and that the mass action shall close."""
    only = mass_action.only if isinstance(mass_action, Flatten) else None
    return {
        p.contract
        for p in facts.positions or ()
        if p.quantity and mass_action.scope.covers(name, p.contract) and (only is None or only.is_of(p.quantity))
    }


@dataclass(slots=True)
class SentClose:
    """A call that closes a contract, and what has been seen of it since.

    Attributes:
        state: its end; ``SENDING`` while there is none.
        at: when its end came, or its beginning as long as it has none.
        held: what was open when it was sent, signed.
        known: ids of all orders that were listed before; ``None`` where the list could not be read.
        fills: how much of each of these had filled.
        is_beside: whether orders worked there that may have filled in its place.
        tries: how many calls were made without anything having changed, this one included.
        refusals: how many of the last ones CrossTrade refused.
        seen_done_at: since when its own order is listed as over.
        clear_since: since when nothing has been seen to work there.
        told: ids of its orders whose rejection was taken in.
    """

    state: StepState
    at: datetime
    held: int
    known: frozenset[str] | None = None
    fills: Mapping[str, int] = field(default_factory=dict)
    is_beside: bool = False
    tries: int = 1
    refusals: int = 0
    seen_done_at: datetime | None = None
    clear_since: datetime | None = None
    told: set[str] = field(default_factory=set)

    def own(self, facts: Facts, contract: Contract) -> list[Order]:
        """The orders that can be its own: they close, and were not listed before."""
        known = self.known
        if known is None:
            return [order for order in facts.working(contract) if is_closing(order, self.held or held_in(facts, contract))]
        orders = (order for order in facts.orders or () if order.contract == contract and is_closing(order, self.held))
        return [order for order in orders if known.isdisjoint(order.ids)]

    def end(self, state: StepState, now: datetime) -> None:
        """Take note of its end."""
        self.state, self.at = state, now
        self.refusals = self.refusals + 1 if state is StepState.REJECTED else 0

    def read(self, facts: Facts, contract: Contract, now: datetime) -> None:
        """Take note of a reading of both lists."""
        own = self.own(facts, contract)
        done = bool(own) and not any(order.remaining for order in own)
        self.seen_done_at = (self.seen_done_at or now) if done else None
        # Of an order whose type isn't told nobody knows that it doesn't close.
        may_close = (replace(order, type=order.type or OrderType.MARKET) for order in facts.working(contract))
        works = any(is_closing(order, self.held or held_in(facts, contract)) for order in may_close)
        self.clear_since = None if works else self.clear_since or now

    def rejected(self, facts: Facts, contract: Contract) -> list[Order]:
        """Its orders that NinjaTrader has rejected and of which nobody has taken note yet; what did nothing has none."""
        if self.state in DID_NOTHING:
            return []
        refused = (order for order in self.own(facts, contract) if order.state is OrderState.REJECTED)
        return [order for order in refused if self.told.isdisjoint(order.ids)]

    def is_over(self, facts: Facts, contract: Contract, now: datetime, patience: "CloseTimings") -> bool:
        """Tell whether it is proved to be over, so that another close can't come beside it."""
        if self.state is StepState.SENDING:
            return False
        if self.state in DID_NOTHING:
            return True
        own = self.own(facts, contract)
        if any(order.remaining for order in own):
            return False
        if own and self.known is not None:
            filled = sum(order.filled for order in own)
            # Where the position doesn't show yet what has filled, its list lags.
            return self._moved(facts, contract) >= filled or _since(self.seen_done_at, now) >= patience.lag
        if self._is_explained(facts, contract):
            return True
        clear = _since(self.clear_since, now)
        if self.state is StepState.UNKNOWN:
            return _since(self.at, now) >= patience.grace and clear >= patience.between
        return _since(self.at, now) >= patience.lag and clear >= patience.poll

    def _moved(self, facts: Facts, contract: Contract) -> int:
        """Contracts gone since it was sent, beyond zero too."""
        sign = 1 if self.held > 0 else -1
        return (self.held - held_in(facts, contract)) * sign

    def _is_explained(self, facts: Facts, contract: Contract) -> bool:
        """Tell whether the whole position has gone, and nothing else can have closed it."""
        if self.is_beside or self.known is None or not self.held or held_in(facts, contract):
            return False
        others = (order for order in facts.orders or () if order.contract == contract)
        return not any(order.filled > self.fills.get(order.id, order.filled) for order in others)


@dataclass(frozen=True, slots=True)
class CloseTimings:
    """Seconds for which nothing of a close must have been seen before it is over; see ``ExitTimings`` in ``exits.steps``."""

    lag: float
    grace: float
    between: float
    poll: float


Shape = tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class SentCancel:
    """The last call that cancels in an account.

    Attributes:
        shape: what it was about; an order that was put back in the same terms is no change.
        since: when the first call about just that was made.
        tries: how many of them there were.
        refusals: how many of the last ones CrossTrade refused.
    """

    state: StepState
    at: datetime
    shape: Shape
    since: datetime
    tries: int = 1
    refusals: int = 0

    def end(self, state: StepState, now: datetime) -> None:
        """Take note of its end."""
        self.state, self.at = state, now
        self.refusals = self.refusals + 1 if state is StepState.REJECTED else 0


def next_cancel(before: SentCancel | None, orders: Iterable[Order | OtherOrder], now: datetime) -> SentCancel:
    """A call that is about to cancel these."""
    shape = shape_of(orders)
    if before is None or before.shape != shape:
        return SentCancel(StepState.SENDING, now, shape, now)
    # What never left was no try.
    tries = before.tries + (before.state is not StepState.NOT_SENT)
    return SentCancel(StepState.SENDING, now, shape, before.since, tries, before.refusals)


def next_close(before: SentClose | None, contract: Contract, facts: Facts, now: datetime) -> SentClose:
    """A call that is about to close what is open in a contract."""
    held, is_beside = held_in(facts, contract), bool(facts.working(contract))
    listed = [order for order in facts.orders or () if order.contract == contract]
    known = None if facts.orders is None else frozenset(each for order in listed for each in order.ids)
    fills = {order.id: order.filled for order in listed}
    sent = SentClose(StepState.SENDING, now, held, known, fills, is_beside)
    if before is not None and before.held == held:
        sent.tries = before.tries + (before.state is not StepState.NOT_SENT)
        sent.refusals = before.refusals
    return sent


def next_blind(before: SentClose | None, now: datetime) -> SentClose:
    """A call that is about to go out unseen."""
    if before is None:
        return SentClose(StepState.SENDING, now, 0)
    tries = before.tries + (before.state is not StepState.NOT_SENT)
    return SentClose(StepState.SENDING, now, 0, tries=tries, refusals=before.refusals)


def is_refused(sent: SentClose | SentCancel | None, tries: int) -> bool:
    """Tell whether so many calls to no avail have ended with one that was refused."""
    return sent is not None and sent.tries >= tries and sent.state is StepState.REJECTED


def shape_of(orders: Iterable[Order | OtherOrder]) -> Shape:
    """The terms of orders, sorted, whatever their ids."""
    return tuple(sorted(tuple(map(str, _terms(order))) for order in orders))


def _terms(order: Order | OtherOrder) -> tuple[object, ...]:
    if isinstance(order, OtherOrder):
        return (order.instrument, order.side, order.kind, order.quantity, None, None)
    return (order.contract, order.side, order.type, order.remaining, order.limit, order.stop)


def _since(moment: datetime | None, now: datetime) -> float:
    return -1.0 if moment is None else (now - moment) / timedelta(seconds=1)
