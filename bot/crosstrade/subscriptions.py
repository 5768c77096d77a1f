"""Wishes for CrossTrade's stream against what it was asked for, within the budget that such changes have.

An acknowledgement is not documented for NinjaTrader, so that what comes counts, and what stays silent is asked for again, rarely.
No connection is made here, and no time is taken: the seconds of a monotonic clock are arguments.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from bot.crosstrade.budget import Bucket
from bot.crosstrade.requests import stream_pnl, subscribe, subscribe_events, unsubscribe
from bot.timings import CrossTradeTimings
from bot.trading.orders.instruments import Contract
from bot.trading.words import ascii_lower

# CrossTrade grants about 20 changes a minute, 5 at once (rate limits page). A little less, as messages bunch up on their way.
RATE = 18 / 60
BURST = 5
# Tokens that what can wait leaves to what cannot.
KEPT = 2
# No page says how many instruments a connection may have; a desk has fewer in sight.
MOST = 24
PNL_INTERVAL = 1000
EVENTS = ("orders", "executions", "positions")

PNL: Final = "pnl"
Topic = Contract | Literal["pnl"]


@dataclass(slots=True)
class _Asked:
    """A topic that was asked for: when it was last asked for or heard of, and how often in vain since."""

    at: float
    tries: int = 0


class Subscriptions:
    """Keeps wishes, and gives the next message that brings the stream closer to them."""

    def __init__(self, now: float, timings: CrossTradeTimings) -> None:
        self._timings = timings
        self._bucket = Bucket(RATE, BURST, now, timings.longest_park)
        self._quoted: dict[Contract, float] = {}
        self._held: dict[str, frozenset[Contract]] = {}
        self._all_held: list[Contract] = []
        self._looked: float | None = None
        self._asked: dict[Topic, _Asked] = {}
        self._events = _EventsAsk(timings)
        self._open = False

    def quoted(self, contract: Contract, now: float) -> bool:
        """Somebody wants the price of a contract. As with the other wishes: tells whether that is new, and so to be said soon."""
        self._quoted.pop(contract, None)
        self._quoted[contract] = now
        if len(self._quoted) > MOST:
            del self._quoted[next(iter(self._quoted))]
        return contract not in self._asked

    def looked(self, now: float) -> bool:
        """Somebody wants the day's profit and loss."""
        self._looked = now
        return PNL not in self._asked

    def holds(self, account: str, contracts: Iterable[Contract]) -> bool:
        """These contracts are held in an account, and no others."""
        account = ascii_lower(account)
        before = self._held.pop(account, frozenset())
        if held := frozenset(contracts):
            self._held[account] = held
        if is_new := held != before:
            self._all_held = sorted(frozenset().union(*self._held.values()))
        return is_new

    def accounts(self, names: Iterable[str]) -> None:
        """These accounts are there, and no others."""
        listed = {ascii_lower(name) for name in names}
        if gone := self._held.keys() - listed:
            for name in gone:
                del self._held[name]
            self._all_held = sorted(frozenset().union(*self._held.values()))

    def opened(self, now: float) -> None:
        """A new connection, which nothing was asked of yet."""
        self._open = True
        self._asked.clear()
        self._events.opened(now)

    def closed(self, now: float) -> None:
        """The connection is gone, and everything with it."""
        self._open = False
        self._asked.clear()
        self._events.closed(now)

    def heard(self, topic: Topic, now: float) -> bool:
        """Something came of a topic; ``False`` when it wasn't asked for."""
        asked = self._asked.get(topic)
        if asked is not None:
            asked.at, asked.tries = now, len(self._timings.silence) - 1
        return asked is not None

    def events_acknowledged(self) -> None:
        """CrossTrade takes the ask for account events."""
        self._events.is_known = True

    def limited(self, now: float, seconds: float) -> None:
        """CrossTrade says that there were too many changes; what was asked for just now is asked for again, together."""
        self._bucket.park(now, seconds)
        takes = self._timings.answer_takes
        self._asked = {topic: asked for topic, asked in self._asked.items() if asked.tries or now - asked.at > takes}

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is wanted or asked for, so that nothing will be due before there is a new wish or a connection."""
        return not (self._quoted or self._held or self._asked or self._events.is_due) and self._looked is None

    def due(self, now: float) -> str | None:
        """The next message to send, which then counts as sent; ``None`` when there is none, or no budget for it."""
        if not self._open:
            return None
        wanted = self._wanted(now)
        return self._ask_events(now) or self._ask(wanted, now) or self._ask_again(wanted, now) or self._let_go(wanted, now)

    def _wanted(self, now: float) -> dict[Topic, None]:
        """Topics that are wanted; of more contracts than can be, those that were asked about last go first."""
        self._quoted = {contract: at for contract, at in self._quoted.items() if now - at < self._timings.quoted_holds}
        contracts = list(dict.fromkeys([*reversed(self._quoted), *self._all_held]))
        if self._looked is not None and now - self._looked >= self._timings.looked_holds:
            self._looked = None
        wanted: dict[Topic, None] = dict.fromkeys(contracts[:MOST])
        if self._all_held or self._looked is not None:
            wanted[PNL] = None
        return wanted

    def _ask_events(self, now: float) -> str | None:
        if not self._events.is_due or not self._bucket.take(now):
            return None
        self._events.asked(now)
        return subscribe_events(EVENTS)

    def _ask(self, wanted: Iterable[Topic], now: float) -> str | None:
        """Ask for what is new: all contracts in one message."""
        new = [topic for topic in wanted if topic not in self._asked]
        contracts = [topic for topic in new if topic != PNL]
        asking: list[Topic] = [*contracts] or [*new]
        if not asking or not self._bucket.take(now):
            return None
        self._asked |= {topic: _Asked(now) for topic in asking}
        return subscribe(contracts) if contracts else stream_pnl(enabled=True, interval=PNL_INTERVAL)

    def _ask_again(self, wanted: Iterable[Topic], now: float) -> str | None:
        """Ask for what stayed silent: one by one, as one that CrossTrade doesn't know may have spoilt it for the others."""
        for topic in wanted:
            asked = self._asked.get(topic)
            if asked is not None and now - asked.at >= self._timings.silence[asked.tries] and self._bucket.take(now, KEPT):
                asked.at, asked.tries = now, min(asked.tries + 1, len(self._timings.silence) - 1)
                return stream_pnl(enabled=True, interval=PNL_INTERVAL) if topic == PNL else subscribe([topic])
        return None

    def _let_go(self, wanted: Iterable[Topic], now: float) -> str | None:
        """Ask for no more of what nobody wants."""
        gone = self._asked.keys() - wanted
        if not gone or not self._bucket.take(now, KEPT):
            return None
        contracts = sorted(topic for topic in gone if topic != PNL)
        for topic in contracts or gone:
            del self._asked[topic]
        return unsubscribe(contracts) if contracts else stream_pnl(enabled=False, interval=PNL_INTERVAL)


class _EventsAsk:
    """The request for account events, once for each connection: that this is the way to ask is inferred.

    A server that ended connections because of it must not cost the desk its line, so it is then left for a long time.
    """

    def __init__(self, timings: CrossTradeTimings) -> None:
        self._timings = timings
        self.is_known = False
        self.is_due = False
        self._asked_at: float | None = None
        self._in_vain = 0
        self._not_before = float("-inf")

    def opened(self, now: float) -> None:
        self.is_due = now >= self._not_before
        self.is_known = False
        self._asked_at = None

    def asked(self, now: float) -> None:
        self.is_due = False
        self._asked_at = now

    def closed(self, now: float) -> None:
        self.is_due = False
        if self._asked_at is None:
            return
        is_suspect = not self.is_known and now - self._asked_at < self._timings.suspect_within
        self._in_vain = self._in_vain + 1 if is_suspect else 0
        if self._in_vain > 1:
            self._in_vain, self._not_before = 0, now + self._timings.unwelcome_holds
