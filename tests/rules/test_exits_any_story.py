"""Getting out, any story that hypothesis can think of: whatever fills, fails, gets lost or comes late, the three rules hold.

Nothing is closed beside what may fill, nor twice, and no way out is cancelled by ourselves. Where a broker keeps its promises no
position is ever turned over.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.trading.exits.steps import MOST_TRIES, ExitAction, Market
from bot.trading.market.facts import Facts, Order
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close, closing_terms
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState, OrderType, Side
from tests.rules.exiting import AGAIN, JOT, ONE, PACE, THREE, TWO, Clearing, Trial, book, cancels
from tests.rules.strategies import ES, NQ

CONTRACTS = (ES, NQ)
NAMES = (ONE, TWO, THREE)
MASS_ACTIONS: list[Clearing] = [
    Flatten(Scope((ONE,))),
    Flatten(Scope((ONE,), ES)),
    Flatten(Scope((ONE, TWO), left_out=(THREE,))),
    Flatten(Scope(NAMES, everything=True)),
    Flatten(Scope((ONE,)), Holding.LONG),
    Flatten(Scope(NAMES, everything=True), Holding.SHORT),
    CancelWorking(Scope(NAMES, everything=True)),
    CancelWorking(Scope((ONE,), NQ)),
]
STEPS = st.sampled_from([PACE.poll, PACE.poll, 1.0, 2.0, 3.0, 8.0, 30.0])
order_states = st.sampled_from(
    [
        OrderState.WORKING,
        OrderState.WORKING,
        OrderState.SUBMITTED,
        OrderState.CANCEL_PENDING,
        OrderState.OTHER,
        OrderState.CANCELLED,
    ]
)
any_order = st.builds(
    Order,
    st.just(("x",)),
    st.just(ONE),
    st.sampled_from(CONTRACTS),
    st.sampled_from(Side),
    st.sampled_from([OrderType.LIMIT, OrderType.MARKET, None]),
    order_states,
    st.integers(1, 3),
)
any_holding = st.dictionaries(st.sampled_from(CONTRACTS), st.integers(-3, 3))


@st.composite
def any_book(draw: st.DrawFn, name: str) -> Facts:
    read = book(name, draw(any_holding), *draw(st.lists(any_order, max_size=2)))
    lost = draw(st.sampled_from([None, None, None, "positions", "orders"]))
    if lost is None:
        return read
    return replace(read, positions=None) if lost == "positions" else replace(read, orders=None)


def closes_of(action: ExitAction, trial: Trial) -> list[Market]:
    """What a call closes, by the newest reading; written out once more."""
    match action:
        case Close():
            return [(action.account, action.contract)]
        case FlattenAccount():
            reach, only = {action.account}, action.only
        case FlattenEverything():
            reach, only = set(trial.books), None
        case _:
            return []
    return [
        (name, p.contract)
        for name in reach
        for p in trial.books[name].positions or ()
        # What goes out unseen is not about a position that was read.
        if trial.books[name].orders is not None
        if p.quantity and (only is None or (p.quantity > 0) == (only is Holding.LONG))
    ]


def held_there(trial: "Trial", market: Market) -> int:
    """What is open there, signed."""
    position = trial.books[market[0]].position(market[1])
    return position.quantity if position else 0


@dataclass
class Closed:
    """What is known of the last close of a contract, kept apart from the code that is tested."""

    state: StepState
    at: float
    held: int
    clear_since: float | None = None

    def may_be(self, order: Order) -> bool:
        """Whether an order that works may be this close; one whose type isn't told may be any."""
        return order.type in {None, OrderType.MARKET} and order.side.sign * self.held < 0

    def is_proved_over(self, now: float) -> bool:
        if self.state in {StepState.REJECTED, StepState.NOT_SENT}:
            return now - self.at >= PACE.again - JOT / 10
        if self.clear_since is None:
            return False
        since, clear = now - self.at + JOT / 10, now - self.clear_since + JOT / 10
        if self.state is StepState.UNKNOWN:
            return since >= PACE.grace and clear >= PACE.between
        return since >= PACE.settle and clear >= PACE.poll


def works_in(facts: Facts, contract: Contract) -> list[Order]:
    """What may still fill there."""
    return [o for o in facts.orders or () if not o.state.is_done and o.quantity > o.filled and o.contract == contract]


def is_close(order: Order, held: int) -> bool:
    """Whether it closes what is held, as soon as the market lets it."""
    return order.type is OrderType.MARKET and order.side.sign * held < 0


def check(
    action: ExitAction, trial: Trial, closed: dict[Market, Closed], held_up: frozenset[Market], sent: list[ExitAction]
) -> None:
    """All that may be asked of one call."""
    mass_action = trial.mass_action
    # An order of a close that is listed as over proves it over.
    done = [(name, o) for name, facts in trial.books.items() for o in facts.orders or () if o.state.is_done]
    seen_over = {(name, order.contract) for name, order in done if order.type is OrderType.MARKET}
    late = trial.seconds >= PACE.beside - JOT and any(isinstance(each, CancelOrders | CancelEverything) for each in sent)
    assert not isinstance(action, CloseStrategy)
    if isinstance(action, CancelEverything | FlattenEverything):
        assert mass_action.scope.everything
        assert type(action) not in map(type, sent)
    else:
        assert action.account in mass_action.scope.accounts
        assert mass_action.scope.contract in {None, action.contract}
    if isinstance(action, CancelEverything):
        assert sent == []
    if isinstance(action, FlattenEverything | FlattenAccount):
        reach = [action.account] if isinstance(action, FlattenAccount) else list(trial.books)
        is_read = [trial.books[name].positions is not None and trial.books[name].orders is not None for name in reach]
        # Unseen, where nothing of it could be read, and once.
        assert all(is_read) or not any(is_read)
        assert not (all(is_read) and any(works_in(trial.books[name], contract) for name in reach for contract in CONTRACTS))
        assert not any(name in reach for name, _ in held_up)
    for market in closes_of(action, trial):
        name, contract = market
        facts = trial.books[name]
        assert isinstance(mass_action, Flatten)
        assert facts.orders is not None
        position = facts.position(contract)
        assert position is not None
        closing = [order for order in works_in(facts, contract) if is_close(order, position.quantity)]
        assert late or works_in(facts, contract) == closing, "closed beside something that may fill"
        assert market in seen_over or market not in closed or closed[market].is_proved_over(trial.seconds), "closed twice"
        assert market not in held_up
        assert mass_action.only is None or mass_action.only.is_of(position.quantity)
        if isinstance(action, Close):
            left = abs(position.quantity) - sum(order.quantity - order.filled for order in closing)
            assert action.terms == closing_terms(position.quantity, left, None)
            assert action.is_whole is (not closing)
    for market, last in closed.items():
        # One that was refused, or never left, is under way nowhere.
        did_nothing = last.state in {StepState.REJECTED, StepState.NOT_SENT}
        if cancels(action, market) and not did_nothing and not last.is_proved_over(trial.seconds):
            # Only what may fill beside it is worth that.
            position = trial.books[market[0]].position(market[1])
            works = works_in(trial.books[market[0]], market[1])
            held = position.quantity if position else 0
            beside = [order for order in works if not is_close(order, held)]
            too_many = sum(order.quantity - order.filled for order in works if is_close(order, held)) > abs(held)
            # One that is listed as over is under way no more.
            over = any(last.may_be(o) and o.state.is_done for o in trial.books[market[0]].orders or () if o.contract == market[1])
            assert beside or too_many or not held or over, "a close under way would be cancelled"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), mass_action=st.sampled_from(MASS_ACTIONS))
def test_whatever_happens_nothing_is_closed_beside_what_may_fill_nor_twice_nor_cancelled_by_ourselves(
    data: st.DataObject, mass_action: Clearing
) -> None:
    trial = Trial(mass_action)
    closed: dict[Market, Closed] = {}
    sent: list[ExitAction] = []
    for _ in range(data.draw(st.integers(1, 8))):
        books = [data.draw(any_book(name)) for name in mass_action.scope.accounts]
        held_up = data.draw(st.just(frozenset[Market]()) | st.just(frozenset({(ONE, ES)})))
        now = trial.seconds + data.draw(STEPS)
        for (name, contract), last in closed.items():
            facts = dict(zip(mass_action.scope.accounts, books, strict=True))[name]
            if facts.positions is not None and facts.orders is not None:
                works = any(last.may_be(order) for order in works_in(facts, contract))
                last.clear_since = None if works else last.clear_since or now
        actions = trial.reads(*books, at=now, held_up=held_up)
        before = list(sent)
        assert len(actions) == len(set(map(repr, actions)))
        for action in actions:
            check(action, trial, closed, held_up, before)
        for action in actions:
            state = data.draw(st.sampled_from(list(AGAIN)))
            trial.sends(action, state)
            sent.append(action)
            closed |= {market: Closed(state, trial.seconds, held_there(trial, market)) for market in closes_of(action, trial)}
        markets = [market for action in actions for market in closes_of(action, trial)]
        assert len(markets) == len(set(markets)), "closed twice in one step"


# A broker that keeps its promises.


@dataclass
class Coming:
    """A market order on its way: when it arrives at NinjaTrader, is listed, and fills."""

    market: Market
    quantity: int
    arrives: float
    listed: float
    fills: float


@dataclass
class Street:
    """Positions, working orders, and closes that take their time."""

    held: dict[Market, int]
    orders: dict[str, Order]
    coming: list[Coming] = field(default_factory=list)
    cancelling: dict[str, float] = field(default_factory=dict)
    turned: list[Market] = field(default_factory=list)

    def go_on(self, now: float) -> None:
        """Let happen what is due."""
        for order_id in [each for each, at in self.cancelling.items() if at <= now]:
            self.orders.pop(order_id, None)
            del self.cancelling[order_id]
        for close_ in sorted(self.coming, key=lambda each: each.fills):
            if close_.fills <= now:
                before = self.held.get(close_.market, 0)
                self.held[close_.market] = before + close_.quantity
                if self.held[close_.market] * before < 0 or not before:
                    self.turned.append(close_.market)
                self.coming.remove(close_)

    def read(self, name: str, now: float) -> Facts:
        own = [
            Order(
                ("close",),
                name,
                each.market[1],
                Side.BUY if each.quantity > 0 else Side.SELL,
                OrderType.MARKET,
                OrderState.WORKING,
                abs(each.quantity),
            )
            for each in self.coming
            if each.market[0] == name and each.listed <= now
        ]
        theirs = [order for order in self.orders.values() if order.account == name]
        held = {contract: quantity for (account, contract), quantity in self.held.items() if account == name and quantity}
        return book(name, held, *theirs, *own)


@st.composite
def delays(draw: st.DrawFn, longest: float) -> tuple[float, float]:
    """When a close that arrives is listed, and when it fills after that."""
    listed = draw(st.sampled_from([0.0, 0.1, longest / 2, longest - 0.1]))
    return listed, listed + draw(st.sampled_from([0.0, 0.3, 2.0, 12.0, 40.0]))


def take(street: Street, action: ExitAction, trial: Trial, data: st.DataObject) -> StepState:
    """Let the street act on a call, in one of the ways in which that may go."""
    state = data.draw(st.sampled_from(list(AGAIN)))
    done = state is StepState.ACCEPTED or (state is StepState.UNKNOWN and data.draw(st.booleans()))
    if not done:
        return state
    now = trial.seconds
    if isinstance(action, CancelOrders | CancelEverything):
        for order_id, order in street.orders.items():
            if cancels(action, (order.account, order.contract)):
                street.cancelling[order_id] = now + data.draw(st.sampled_from([0.0, 0.5, 5.0]))
        # It reaches what is listed, an own close too.
        street.coming = [each for each in street.coming if each.listed > now or not cancels(action, each.market)]
        return state
    for market in closes_of(action, trial):
        listed, fills = data.draw(delays(PACE.settle if state is StepState.ACCEPTED else PACE.grace))
        street.coming.append(Coming(market, -street.held[market], now, now + listed, now + fills))
    return state


@settings(max_examples=60, deadline=None)
@given(data=st.data(), only=st.sampled_from([None, *Holding]))
def test_where_a_close_shows_up_within_its_time_no_position_is_ever_turned_over_and_all_get_flat(
    data: st.DataObject, only: Holding | None
) -> None:
    held = {(name, contract): data.draw(st.integers(-3, 3)) for name in NAMES for contract in CONTRACTS}
    orders = {
        f"o{number}": replace(order, ids=(f"o{number}",), account=name, type=OrderType.LIMIT, state=OrderState.WORKING)
        for number, (name, order) in enumerate(data.draw(st.lists(st.tuples(st.sampled_from(NAMES), any_order), max_size=4)))
    }
    street, trial = Street({m: q for m, q in held.items() if q}, orders), Trial(Flatten(Scope(NAMES, everything=True), only))
    tries: Counter[Market] = Counter()
    for _ in range(400):
        street.go_on(trial.seconds)
        actions = trial.reads(*(street.read(name, trial.seconds) for name in NAMES))
        tries.update(market for action in actions for market in closes_of(action, trial))
        for action in actions:
            trial.sends(action, take(street, action, trial, data) if len(street.coming) < 12 else StepState.NOT_SENT)
        wanted = [q for q in street.held.values() if q and (only is None or only.is_of(q))]
        if not wanted and not street.coming:
            break
        trial.seconds += data.draw(STEPS) if actions else PACE.poll * 5
        if trial.gave_up():
            break
    assert street.turned == []
    left = [market for market, q in street.held.items() if q and (only is None or only.is_of(q))]
    assert trial.gave_up() or all(tries[market] >= MOST_TRIES for market in left)
