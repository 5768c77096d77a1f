"""Getting out, step by step: which call comes next, given what was read and what was sent. Pure.

Three rules keep a flatten from doing harm. A position is closed only once nothing works in its contract, as an order that fills
beside the close would turn the position over. One close at a time for each contract: the next one waits until the last is proved
to be over. Nothing that was read some time ago counts: each step looks at the newest reading alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.trading.actions import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything, SweepAction
from bot.trading.facts import Facts, Order
from bot.trading.instruments import Contract
from bot.trading.intents import Close, closing_side, closing_terms
from bot.trading.orders import OrderState, OrderType
from bot.trading.progress import LegState
from bot.trading.sweeps import CancelWorking, Flatten

ExitAction = SweepAction | Close
Market = tuple[str, Contract]
_DID_NOTHING = frozenset({LegState.REJECTED, LegState.NOT_SENT})
_BEING_CANCELLED = frozenset({OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED})


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for what, in seconds.

    Attributes:
        poll: between two readings, at first.
        hurry: how long that is "at first"; the request budget is everybody's.
        poll_later: between two readings after that.
        again: before a call that didn't leave is made anew; one that was refused waits so long for each refusal, as CrossTrade
            refuses a close while another one runs.
        recancel: before orders that still work are cancelled once more; that can't do harm.
        settle: a close that was taken shows up among the orders, or is done, within this time.
        grace: likewise for one whose answer was lost; CrossTrade may wait five seconds, and NinjaTrader answer late.
        between: "nothing of it is there" must be read twice, this far apart, after a lost answer.
        unreadable_state: an order in a state that says nothing holds up the close of its contract this long.
        flat_within: how long a verified reversal waits for flat; more than CrossTrade's own five seconds.
        whole: all in all.
    """

    poll: float = 0.4
    hurry: float = 6.0
    poll_later: float = 1.5
    again: float = 1.0
    recancel: float = 3.0
    settle: float = 2.0
    grace: float = 30.0
    between: float = 8.0
    unreadable_state: float = 10.0
    flat_within: float = 15.0
    whole: float = 90.0


USUAL_PACE = Pace()
# What CrossTrade refuses again and again won't change; what didn't leave may be tried as long as there is time.
MOST_REFUSALS = 5


@dataclass(slots=True)
class _Sent:
    """The last call of a kind: its end, when that came, and since when nothing of it has been seen."""

    state: LegState
    at: datetime
    refusals: int = 0
    clear_since: datetime | None = None


@dataclass(slots=True)
class Exits:
    """The state of one sweep under way.

    Attributes:
        began: when it began.
        meant: the contracts that it is about, as far as is known; what has been seen open to be closed is added.
    """

    sweep: Flatten | CancelWorking
    pace: Pace
    began: datetime
    meant: set[Market] = field(default_factory=set)
    _cancels: dict[str, _Sent] = field(default_factory=dict)
    _closes: dict[Market, _Sent] = field(default_factory=dict)

    def read(self, books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of a reading."""
        self.meant |= {(name, contract) for name, facts in books.items() for contract in _open(self.sweep, name, facts)}
        for (account, contract), sent in self._closes.items():
            read = books.get(account)
            if read is None or _is_unread(read):
                continue
            if read.working(contract):
                sent.clear_since = None
            else:
                sent.clear_since = sent.clear_since or now

    def sent(self, action: ExitAction, state: LegState, books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of a call and its end; ``books`` is what it was decided on."""
        if isinstance(action, CancelOrders | CancelEverything):
            names = [action.account] if isinstance(action, CancelOrders) else list(self.sweep.scope.accounts)
            for name in names:
                self._cancels[name] = _next(self._cancels.get(name), state, now)
            return
        for market in self._meant(action, books):
            self._closes[market] = _next(self._closes.get(market), state, now)

    def next_actions(
        self, books: Mapping[str, Facts], now: datetime, held_up: frozenset[Market] = frozenset()
    ) -> list[ExitAction]:
        """The calls to make now.

        Args:
            books: the newest reading of each account that isn't done.
            now: the time of the reading.
            held_up: contracts that somebody else may be closing just now.
        """
        cancelling = [name for name, facts in books.items() if self._must_cancel(name, facts, now)]
        # Over everything at once only as the first strike: what is refused so is tried account by account, and a close under
        # way is cancelled by nobody.
        first = self._is_whole and not self._cancels and not self._closes
        if first and len(cancelling) > 1:
            return [CancelEverything()]
        found = [action for name in cancelling for action in self._cancel_in(name, books[name], now)]
        if isinstance(self.sweep, CancelWorking):
            return found
        closable = {name: self._closable(name, facts, now, held_up) for name, facts in books.items()}
        at_once = {name for name, facts in books.items() if self._may_go_at_once(name, facts, closable[name], held_up)}
        first = self._is_whole and not self._closes
        if first and self.sweep.only is None and at_once == books.keys() and sum(map(bool, closable.values())) > 1:
            return [FlattenEverything()]
        for name in books:
            if name not in cancelling and closable[name]:
                found += self._close_in(self.sweep, name, closable[name], books[name], at_once=name in at_once)
        return found

    def gave_up(self, books: Mapping[str, Facts]) -> bool:
        """Tell whether nothing more can be tried: every call that is still needed was refused too often."""
        needed = [self._cancels.get(name) for name, facts in books.items() if self._to_cancel(name, facts)]
        if isinstance(self.sweep, Flatten):
            needed += [
                self._closes.get((name, contract))
                for name, facts in books.items()
                for contract in _open(self.sweep, name, facts)
                if all(order.state is OrderState.OTHER for order in facts.working(contract))
            ]
        return bool(needed) and all(sent is not None and sent.refusals >= MOST_REFUSALS for sent in needed)

    @property
    def may_be_whole(self) -> bool:
        """Tell whether a call over everything may come next, so that the list of accounts must be read right before it."""
        return self._is_whole and not (self._cancels and self._closes)

    def go_one_by_one(self) -> None:
        """Name each account from now on: there is one that nobody was asked about."""
        self.sweep = replace(self.sweep, scope=replace(self.sweep.scope, everything=False))

    @property
    def _is_whole(self) -> bool:
        return self.sweep.scope.everything

    def _to_cancel(self, name: str, facts: Facts) -> list[Order]:
        """Working orders of the scope, but for a close under way; with a side, of the contracts that were held on that side.

        Where nothing is open there any more, an order that is left would open something anew.
        """
        orders = [
            order
            for order in facts.orders or ()
            if order.remaining and self.sweep.scope.contract in {None, order.contract} and not self._is_close(name, order, facts)
        ]
        if isinstance(self.sweep, CancelWorking) or self.sweep.only is None:
            return orders
        turned = {p.contract for p in facts.positions or () if p.quantity and not self.sweep.only.is_of(p.quantity)}
        its = {contract for account, contract in self.meant if account == name} - turned
        return [order for order in orders if facts.positions is not None and order.contract in its]

    def _is_close(self, name: str, order: Order, facts: Facts) -> bool:
        """Tell whether an order is one that closes, sent by this sweep: to cancel it would be to stand in one's own way."""
        if order.type is not OrderType.MARKET or (name, order.contract) not in self._closes:
            return False
        position = facts.position(order.contract)
        return facts.positions is None or (position is not None and order.side is closing_side(position.quantity))

    def _cancel_in(self, name: str, facts: Facts, now: datetime) -> list[ExitAction]:
        """One call for all of it, unless a close is under way in another contract of the account, which it would cancel too."""
        under_way = any(account == name and not self._has_ended(sent, now) for (account, _), sent in self._closes.items())
        if not under_way or self.sweep.scope.contract is not None:
            return [CancelOrders(name, self.sweep.scope.contract)]
        return [CancelOrders(name, contract) for contract in sorted({order.contract for order in self._to_cancel(name, facts)})]

    def _must_cancel(self, name: str, facts: Facts, now: datetime) -> bool:
        live = self._to_cancel(name, facts)
        sent = self._cancels.get(name)
        if not live or (sent is not None and sent.refusals >= MOST_REFUSALS):
            return False
        if sent is None:
            return True
        if all(order.state in _BEING_CANCELLED for order in live):
            return False
        wait = self._before_again(sent) if sent.state in _DID_NOTHING else self.pace.recancel
        return now - sent.at >= timedelta(seconds=wait)

    def _closable(self, name: str, facts: Facts, now: datetime, held_up: frozenset[Market]) -> set[Contract]:
        if not isinstance(self.sweep, Flatten) or facts.orders is None:
            return set()
        return {
            contract
            for contract in _open(self.sweep, name, facts)
            if (name, contract) not in held_up and not self._blocks(facts, contract, now) and self._is_over((name, contract), now)
        }

    def _blocks(self, facts: Facts, contract: Contract, now: datetime) -> bool:
        """Tell whether something works there that could fill beside a close."""
        late = now - self.began >= timedelta(seconds=self.pace.unreadable_state)
        return any(not (late and order.state is OrderState.OTHER) for order in facts.working(contract))

    def _is_over(self, market: Market, now: datetime) -> bool:
        """Tell whether the last close of a contract is proved to be over, so that a new one can't be a second one."""
        return self._has_ended(self._closes.get(market), now)

    def _has_ended(self, sent: _Sent | None, now: datetime) -> bool:
        if sent is None:
            return True
        since = (now - sent.at).total_seconds()
        if sent.state in _DID_NOTHING:
            return sent.refusals < MOST_REFUSALS and since >= self._before_again(sent)
        if sent.clear_since is None:
            return False
        clear = (now - sent.clear_since).total_seconds()
        if sent.state is LegState.UNKNOWN:
            return since >= self.pace.grace and clear >= self.pace.between
        return since >= self.pace.settle and clear >= self.pace.poll

    def _before_again(self, sent: _Sent) -> float:
        return self.pace.again * max(1, sent.refusals)

    def _may_go_at_once(self, name: str, facts: Facts, closable: set[Contract], held_up: frozenset[Market]) -> bool:
        """Tell whether one call may close all of an account: whatever that call may touch was read, and nothing moves there."""
        if facts.positions is None or facts.orders is None or any(order.remaining for order in facts.orders):
            return False
        busy = any(account == name for account, _ in held_up)
        return not busy and closable == _open(self.sweep, name, facts)

    def _close_in(self, sweep: Flatten, name: str, closable: set[Contract], facts: Facts, *, at_once: bool) -> list[ExitAction]:
        """One call for the account where that may be; else one for each contract that may be closed."""
        refused = any(sent.refusals for (account, _), sent in self._closes.items() if account == name)
        if at_once and not refused and sweep.scope.contract is None:
            return [FlattenAccount(name, None, sweep.only)]
        return [_close(name, contract, facts) for contract in sorted(closable)]

    def _meant(self, action: ExitAction, books: Mapping[str, Facts]) -> list[Market]:
        """The contracts that a call closes."""
        match action:
            case Close():
                return [(action.account, action.contract)]
            case FlattenAccount():
                names = [action.account]
            case _:
                names = list(books)
        return [(name, contract) for name in names for contract in _open(self.sweep, name, books[name])]


def _next(before: _Sent | None, state: LegState, now: datetime) -> _Sent:
    refusals = 0 if before is None else before.refusals
    return _Sent(state, now, refusals + 1 if state is LegState.REJECTED else 0)


def _is_unread(facts: Facts) -> bool:
    return facts.positions is None or facts.orders is None


def _open(sweep: Flatten | CancelWorking, name: str, facts: Facts) -> set[Contract]:
    """The contracts that are open and that the sweep shall close."""
    only = sweep.only if isinstance(sweep, Flatten) else None
    return {
        p.contract
        for p in facts.positions or ()
        if p.quantity and sweep.scope.covers(name, p.contract) and (only is None or only.is_of(p.quantity))
    }


def _close(name: str, contract: Contract, facts: Facts) -> Close:
    position = facts.position(contract)
    return Close(name, contract, closing_terms(0 if position is None else position.quantity, None, None))
