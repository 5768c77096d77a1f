"""Getting out, step by step: which call comes next, given what was read and what was sent. Pure.

Four rules keep a flatten from doing harm, and one from being kept from its work. What protects a position is cancelled only once
both lists were read. A position is closed once nothing works in its contract, as an order that fills beside the close would turn
it over; an order that can't be cancelled holds that up for some seconds only. A close goes out only for what no other close is
about, and only when the last one is proved to be over. No call is made more than three times without anything having changed.
Where the lists can't be read twice, or for some seconds, the one call of the scope goes out unseen, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.trading.exits.timings import ExitTimings
from bot.trading.market.facts import Facts, Order, OtherOrder
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything, MassCall
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Close
from bot.trading.orders.mass_actions import CancelWorking, Flatten
from bot.trading.orders.progress import StepState
from bot.trading.orders.terms import OrderState
from bot.trading.risk.closing import (
    DID_NOTHING,
    SentCancel,
    SentClose,
    close_of,
    held_in,
    is_refused,
    is_unread,
    left_to_close,
    next_blind,
    next_cancel,
    next_close,
    open_in,
    shape_of,
    working_closes,
)

ExitAction = MassCall | Close
Market = tuple[str, Contract]
# Where somebody else may be closing; of an account of which no list could be read, the contract isn't known.
Held = tuple[str, Contract | None]
_BEING_CANCELLED = frozenset({OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED})


# What was done three times to no avail won't help a fourth time; what didn't leave may be tried as long as there is time.
MOST_TRIES = 3
# What a broker has refused twice in the same words it refuses again.
MOST_ALIKE = 2
# By so much a pause grows, by how often in a row CrossTrade has refused.
_REFUSED_WAIT = (1, 1, 9)
UNREAD_LOOKS = 2


@dataclass(slots=True)
class Exits:
    """The state of one mass action under way.

    Attributes:
        began: the moment of the press.
        meant: the contracts that it is about, as far as is known; what has been seen open to be closed is added.
        unread: how often in a row the lists of an account couldn't be read.
    """

    mass_action: Flatten | CancelWorking
    pace: ExitTimings
    began: datetime
    meant: set[Market] = field(default_factory=set)
    unread: dict[str, int] = field(default_factory=dict)
    _cancels: dict[str, SentCancel] = field(default_factory=dict)
    _closes: dict[Market, SentClose] = field(default_factory=dict)
    # The call that went out unseen, by account.
    _blind: dict[str, SentClose] = field(default_factory=dict)
    _words: dict[Market, list[str | None]] = field(default_factory=dict)

    def read(self, books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of a reading."""
        self.meant |= {(name, contract) for name, facts in books.items() for contract in open_in(self.mass_action, name, facts)}
        for name, facts in books.items():
            self.unread[name] = 0 if self._is_read(facts) else self.unread.get(name, 0) + 1
        for (account, contract), sent in self._closes.items():
            if account in books and not is_unread(books[account]):
                sent.read(books[account], contract, now)
        for name, blind in self._blind.items():
            if name in books and not is_unread(books[name]):
                blind.clear_since = blind.clear_since or now

    def is_unseen(self, action: ExitAction, books: Mapping[str, Facts]) -> bool:
        """Tell whether a call goes to an account whose lists could not be read."""
        return any(not self._is_read(books[name]) for name in self._names(action, books))

    def sending(self, action: ExitAction, books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of a call that is about to be made; ``books`` is what it was decided on."""
        names = self._names(action, books)
        for name in names:
            if not self._is_read(books[name]):
                self._blind[name] = next_blind(self._blind.get(name), now)
        if isinstance(action, CancelOrders | CancelEverything):
            for name in names:
                self._cancels[name] = next_cancel(self._cancels.get(name), self._live(name, books[name], now), now)
            return
        for market in self._meant(action, books):
            self._closes[market] = next_close(self._closes.get(market), market[1], books[market[0]], now)

    def sent(self, action: ExitAction, state: StepState, books: Mapping[str, Facts], now: datetime) -> None:
        """Take note of the end of that call."""
        names = self._names(action, books)
        cancels = isinstance(action, CancelOrders | CancelEverything)
        calls: list[SentClose | SentCancel] = [self._blind[name] for name in names if not self._is_read(books[name])]
        calls += [self._cancels[name] for name in names if cancels]
        calls += [self._closes[market] for market in self._meant(action, books) if not cancels]
        for call in calls:
            call.end(state, now)

    def rejections(self, books: Mapping[str, Facts]) -> list[tuple[Market, Order]]:
        """The orders of its own closes that NinjaTrader has rejected, each told once."""
        found = []
        for (account, contract), sent in self._closes.items():
            facts = books.get(account)
            for order in sent.rejected(facts, contract) if facts is not None else ():
                sent.told |= set(order.ids)
                found.append(((account, contract), order))
        return found

    def refused(self, market: Market, words: str | None) -> None:
        """Take note of why one of them was rejected, in the broker's words."""
        self._words.setdefault(market, []).append(words)

    def barred(self) -> dict[Market, str | None]:
        """The markets in which nothing more is sent, as the broker has refused alike, with its words."""
        return {market: words[-1] for market, words in self._words.items() if words.count(words[-1]) >= MOST_ALIKE}

    def went_unseen(self) -> frozenset[str]:
        """The accounts to which a call went out although their lists could not be read, and which it may have reached."""
        return frozenset(name for name, sent in self._blind.items() if sent.state not in DID_NOTHING)

    def did_nothing(self) -> frozenset[str]:
        """The accounts in which no call that does what was asked may have done anything."""
        cancels = self._cancels.items() if isinstance(self.mass_action, CancelWorking) else ()
        calls = [*self._blind.items(), *cancels, *((account, sent) for (account, _), sent in self._closes.items())]
        return frozenset(self.mass_action.scope.accounts) - {name for name, sent in calls if sent.state not in DID_NOTHING}

    def is_settled(self, books: Mapping[str, Facts], now: datetime) -> bool:
        """Tell whether every close that it has sent is proved to be over: one on its way may still turn over what looks flat."""
        closes = self._closes.items()
        read = ((sent, books[account], contract) for (account, contract), sent in closes if account in books)
        return all(sent.is_over(facts, contract, now, self.pace.patience) for sent, facts, contract in read)

    def next_actions(self, books: Mapping[str, Facts], now: datetime, held_up: frozenset[Held] = frozenset()) -> list[ExitAction]:
        """The calls to make now.

        Args:
            books: the newest reading of each account that isn't done.
            now: the time of the reading.
            held_up: contracts that somebody else may be closing just now.
        """
        unseen = self._unseen(books, now, held_up)
        cancelling = [name for name, facts in books.items() if self._must_cancel(name, facts, now)]
        # Over everything at once only as the first strike: what is refused so is tried account by account, and a close under
        # way is cancelled by nobody.
        first = self._is_whole and not self._cancels and not self._closes and not self._blind
        if first and len(cancelling) > 1:
            return [CancelEverything()]
        found = unseen + [action for name in cancelling for action in self._cancel_in(name, books[name], now)]
        if isinstance(self.mass_action, CancelWorking):
            return found
        closable = {name: self._closable(name, facts, now, held_up) for name, facts in books.items()}
        at_once = {name for name, facts in books.items() if self._may_go_at_once(name, facts, closable[name], held_up)}
        first = self._is_whole and not self._closes and not self._blind
        if first and self.mass_action.only is None and at_once == books.keys() and sum(map(bool, closable.values())) > 1:
            return [FlattenEverything()]
        for name in books:
            if name not in cancelling and closable[name]:
                found += self._close_in(self.mass_action, name, closable[name], books[name], at_once=name in at_once)
        return found

    def gave_up(self, books: Mapping[str, Facts]) -> bool:
        """Tell whether nothing more can be tried: every call that is still needed was refused too often."""
        needed = [
            is_refused(self._cancels.get(name), MOST_TRIES)
            for name, facts in books.items()
            if self._to_cancel(name, facts) or facts.other_orders
        ]
        if isinstance(self.mass_action, Flatten):
            needed += [
                is_refused(self._closes.get((name, contract)), MOST_TRIES) or (name, contract) in self.barred()
                for name, facts in books.items()
                for contract in open_in(self.mass_action, name, facts)
                if left_to_close(facts, contract) > 0
            ]
        return bool(needed) and all(needed)

    @property
    def may_be_whole(self) -> bool:
        """Tell whether a call over everything may come next, so that the list of accounts must be read right before it."""
        return self._is_whole and not (self._cancels and self._closes)

    def go_one_by_one(self) -> None:
        """Name each account from now on: there is one that nobody was asked about."""
        self.mass_action = replace(self.mass_action, scope=replace(self.mass_action.scope, everything=False))

    @property
    def _is_whole(self) -> bool:
        return self.mass_action.scope.everything

    def _is_read(self, facts: Facts) -> bool:
        """Tell whether all was read that it is about."""
        return facts.orders is not None and (facts.positions is not None or isinstance(self.mass_action, CancelWorking))

    # What goes out unseen.

    def _unseen(self, books: Mapping[str, Facts], now: datetime, held_up: frozenset[Held]) -> list[ExitAction]:
        """The one call of the scope, where the lists can't be read; never beside a close of somebody else's."""
        names = [name for name, facts in books.items() if self._is_due_unseen(name, facts, now)]
        names = [name for name in names if not any(account == name for account, _ in held_up)]
        if self._is_whole and len(names) == len(books) > 1 and not (self._cancels or self._closes or self._blind):
            if isinstance(self.mass_action, CancelWorking):
                return [CancelEverything()]
            if self.mass_action.only is None:
                return [FlattenEverything()]
        contract = self.mass_action.scope.contract
        if isinstance(self.mass_action, CancelWorking):
            return [CancelOrders(name, contract) for name in names]
        return [FlattenAccount(name, contract, self.mass_action.only) for name in names]

    def _is_due_unseen(self, name: str, facts: Facts, now: datetime) -> bool:
        looks = UNREAD_LOOKS if now - self.began < timedelta(seconds=self.pace.unseen) else 1
        if self._is_read(facts) or self.unread.get(name, 0) < looks:
            return False
        # What was sent while the lists could be read may still close, whatever became of an unseen call before it.
        if any(sent.state not in DID_NOTHING for (account, _), sent in self._closes.items() if account == name):
            return False
        before = self._blind.get(name)
        return before is None or (before.state in DID_NOTHING and before.tries < MOST_TRIES and self._may_repeat(before, now))

    # What is cancelled.

    def _to_cancel(self, name: str, facts: Facts) -> list[Order]:
        """Working orders of the scope, but for those that close; with a side, of the contracts that were held on that side.

        Where nothing is open there any more, an order that is left would open something anew. With the positions unread nothing
        is cancelled in front of a close: it may be what protects, and whether that close can be made isn't known.
        """
        if isinstance(self.mass_action, Flatten) and facts.positions is None:
            return []
        orders = [
            order
            for order in facts.orders or ()
            if order.remaining and self.mass_action.scope.contract in {None, order.contract} and not self._may_stay(order, facts)
        ]
        if isinstance(self.mass_action, CancelWorking) or self.mass_action.only is None:
            return orders
        turned = {p.contract for p in facts.positions or () if p.quantity and not self.mass_action.only.is_of(p.quantity)}
        its = {contract for account, contract in self.meant if account == name} - turned
        return [order for order in orders if order.contract in its]

    def _may_stay(self, order: Order, facts: Facts) -> bool:
        """Tell whether an order closes no more than what is open: to cancel it would be to stand in one's own way."""
        if isinstance(self.mass_action, CancelWorking) or order not in working_closes(facts, order.contract):
            return False
        return left_to_close(facts, order.contract) >= 0

    def _cancel_in(self, name: str, facts: Facts, now: datetime) -> list[ExitAction]:
        """One call for all of it, unless a close is under way in another contract of the account, which it would cancel too."""
        if (
            self.mass_action.scope.contract is not None
            or isinstance(self.mass_action, CancelWorking)
            or not self._is_closing(name, facts, now)
        ):
            return [CancelOrders(name, self.mass_action.scope.contract)]
        return [
            CancelOrders(name, contract) for contract in sorted({order.contract for order in self._cancellable(name, facts, now)})
        ]

    def _is_closing(self, name: str, facts: Facts, now: datetime) -> bool:
        closing = any(working_closes(facts, order.contract) for order in facts.orders or ())
        return closing or not self.is_settled({name: facts}, now)

    def _live(self, name: str, facts: Facts, now: datetime) -> list[Order | OtherOrder]:
        """Orders to cancel now; what is no future only by the account's call, which would cancel a close under way too."""
        unsure = isinstance(self.mass_action, Flatten) and (facts.positions is None or self._is_closing(name, facts, now))
        return [*self._cancellable(name, facts, now), *(() if unsure else facts.other_orders)]

    def _cancellable(self, name: str, facts: Facts, now: datetime) -> list[Order]:
        """Those that may be cancelled now: a close that was sent beside one that stays would be cancelled with it."""
        beside = {
            contract
            for (account, contract), sent in self._closes.items()
            if account == name and sent.is_beside and not sent.is_over(facts, contract, now, self.pace.patience)
        }
        return [order for order in self._to_cancel(name, facts) if order.contract not in beside]

    def _must_cancel(self, name: str, facts: Facts, now: datetime) -> bool:
        live = self._live(name, facts, now)
        sent = self._cancels.get(name)
        if not live:
            return False
        if sent is None:
            return True
        if sent.state is StepState.SENDING or (sent.shape == shape_of(live) and sent.tries >= MOST_TRIES):
            return False
        if all(order.state in _BEING_CANCELLED for order in live):
            return False
        wait = self._before_again(sent) if sent.state in DID_NOTHING else self.pace.recancel
        return now - sent.at >= timedelta(seconds=wait)

    # What is closed.

    def _closable(self, name: str, facts: Facts, now: datetime, held_up: frozenset[Held]) -> set[Contract]:
        if not isinstance(self.mass_action, Flatten) or facts.orders is None:
            return set()
        return {
            contract
            for contract in open_in(self.mass_action, name, facts)
            if held_up.isdisjoint({(name, contract), (name, None)})
            and left_to_close(facts, contract) > 0
            and not self._blocks(name, facts, contract, now)
            and self._may_close((name, contract), facts, now)
        }

    def _blocks(self, name: str, facts: Facts, contract: Contract, now: datetime) -> bool:
        """Tell whether something works there that could fill beside a close, and may still go."""
        closing = working_closes(facts, contract)
        works = [order for order in facts.working(contract) if order not in closing]
        sent = self._cancels.get(name)
        tried = sent is not None and now - sent.since >= timedelta(seconds=self.pace.again)
        return bool(works) and not (tried and now - self.began >= timedelta(seconds=self.pace.beside))

    def _may_close(self, market: Market, facts: Facts, now: datetime) -> bool:
        """Tell whether a close may go out: the last one is over, and three to no avail, or two refused alike, are enough."""
        sent = self._closes.get(market)
        before = [each for each in (self._blind.get(market[0]), sent) if each is not None]
        if market in self.barred() or not all(each.is_over(facts, market[1], now, self.pace.patience) for each in before):
            return False
        if sent is None:
            return True
        return self._may_repeat(sent, now) and (sent.tries < MOST_TRIES or held_in(facts, market[1]) != sent.held)

    def _may_repeat(self, sent: SentClose, now: datetime) -> bool:
        waits = self._before_again(sent) if sent.state in DID_NOTHING else 0.0
        return now - sent.at >= timedelta(seconds=waits)

    def _before_again(self, sent: SentClose | SentCancel) -> float:
        return self.pace.again * _REFUSED_WAIT[min(sent.refusals, len(_REFUSED_WAIT) - 1)]

    def _may_go_at_once(self, name: str, facts: Facts, closable: set[Contract], held_up: frozenset[Held]) -> bool:
        """Tell whether one call may close all of an account: whatever that call may touch was read, and nothing moves there."""
        if is_unread(facts) or any(order.remaining for order in facts.orders or ()):
            return False
        return all(account != name for account, _ in held_up) and closable == open_in(self.mass_action, name, facts)

    def _close_in(
        self, mass_action: Flatten, name: str, closable: set[Contract], facts: Facts, *, at_once: bool
    ) -> list[ExitAction]:
        """One call for the account where that may be; else one for each contract that may be closed."""
        refused = any(sent.refusals for (account, _), sent in self._closes.items() if account == name)
        if at_once and not refused and mass_action.scope.contract is None:
            return [FlattenAccount(name, None, mass_action.only)]
        return [close_of(name, contract, facts) for contract in sorted(closable)]

    def _names(self, action: ExitAction, books: Mapping[str, Facts]) -> list[str]:
        """The accounts that a call goes over."""
        return list(books) if isinstance(action, CancelEverything | FlattenEverything) else [action.account]

    def _meant(self, action: ExitAction, books: Mapping[str, Facts]) -> list[Market]:
        """The contracts that a call closes."""
        if isinstance(action, Close):
            return [(action.account, action.contract)]
        return [
            (name, contract) for name in self._names(action, books) for contract in open_in(self.mass_action, name, books[name])
        ]
