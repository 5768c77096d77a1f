"""CrossTrade's stream: what it says unasked, and what it is asked to say. The one place where its parts meet.

The connection is ``stream``'s. Each frame is taken at once and nothing is queued, so that no reader is ever waited for.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from bot.clock import UNSET, Clock
from bot.crosstrade.board import Board
from bot.crosstrade.events import EVERYWHERE, Accounts, Events
from bot.crosstrade.pushes import read_days, read_ticks
from bot.crosstrade.subscriptions import PNL, Subscriptions
from bot.errors import InstrumentError
from bot.timings import CrossTradeTimings
from bot.trading.market.facts import Day, Position, Quote
from bot.trading.orders.instruments import Contract, read_contract

OTHER_ORIGIN = "tradovate"
log = logging.getLogger(__name__)

Tell = Callable[[str | None], None]


class Feed:
    """The stream's listener.

    Args:
        clock: the desk's: its time is that of what is pushed, its seconds measure the budget of changes.
        timings: how long is waited for what.
        unread: told of each pushed price that can't be read.
        changed: told, before anybody who listens, of each account in which something may have changed.
    """

    def __init__(
        self,
        clock: Clock,
        timings: CrossTradeTimings,
        unread: Callable[[str], None] = lambda _text: None,
        changed: Tell = lambda _account: None,
    ) -> None:
        self._clock = clock
        self._timings = timings
        self._unread = unread
        self._changed = changed
        self._board = Board()
        self._events = Events()
        self._subscriptions = Subscriptions(clock.seconds(), timings)
        self._new_wish = asyncio.Event()
        self._tell: Tell = lambda _account: None
        # Of when the last price was, pushed or read, in the desk's time.
        self.priced_at: datetime | None = None

    def listen(self, tell: Tell) -> None:
        """Tell of each account in which something may have changed; ``None`` stands for all of them. It must not wait."""
        self._tell = tell

    def quote(self, contract: Contract, ahead: timedelta = UNSET) -> Quote | None:
        """The quote as pushed, or ``None`` when it has to be read, now or so much ahead."""
        quote = self._board.quote(contract, self._clock(), ahead)
        if quote is not None:
            self._subscriptions.quoted(contract, self._clock.seconds())
        return quote

    def read(self, quote: Quote, *, wanted: bool) -> None:
        """A quote was read; with ``wanted`` somebody waits for it, and will presumably want the next one soon."""
        # A quote is as old as it says, however lately it was read.
        self.priced_at = quote.at or self.priced_at
        self._board.learn(quote, self._clock())
        if wanted:
            self._wish(is_new=self._subscriptions.quoted(quote.contract, self._clock.seconds()))

    def holds(self, account: str, positions: Iterable[Position]) -> None:
        """The positions of an account were read."""
        self._wish(is_new=self._subscriptions.holds(account, (position.contract for position in positions)))

    def accounts(self, names: Iterable[str]) -> None:
        """The list of accounts was read."""
        self._subscriptions.accounts(names)

    def day(self, account: str) -> Day | None:
        """The account's result of the day as pushed, or ``None``; the next ones then come for a while."""
        self._wish(is_new=self._subscriptions.looked(self._clock.seconds()))
        return self._board.day(account, self._clock())

    def opened(self) -> None:
        """A connection stands. What happened before it, nobody told."""
        self._events.restart()
        self._subscriptions.opened(self._clock.seconds())
        self._new_wish.set()
        self._spread(EVERYWHERE)

    def closed(self) -> None:
        """It is gone, and with it all that was pushed: it would only grow old."""
        self._board.clear()
        self._subscriptions.closed(self._clock.seconds())

    def heard(self, frame: Mapping[str, object]) -> None:
        """Take a frame that answers no call."""
        if frame.get("origin") == OTHER_ORIGIN:
            return
        self._spread(self._events.news(frame))
        match frame:
            case {"type": "marketData"}:
                self._take_ticks(frame)
            case {"type": "pnlUpdate"}:
                self._subscriptions.heard(PNL, self._clock.seconds())
                now = self._clock()
                self._board.take_days(read_days(frame, now), now)
            case {"type": _}:
                pass
            case {"status": "subscribed"}:
                self._acknowledged(frame)
            case {"error": str(text)} if "rate" in text.casefold() and "limit" in text.casefold():
                self._limited(frame)
            case _:
                log.debug("a frame of the stream is for nobody: %s", sorted(frame))

    def unreadable(self) -> None:
        """A frame could not be read at all; it may have been an event."""
        self._spread(EVERYWHERE)

    async def to_say(self) -> str:
        """Wait for the next message to send."""
        while True:
            message = self._subscriptions.due(self._clock.seconds())
            if message is not None:
                return message
            self._new_wish.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._subscriptions.is_idle else self._timings.wishes_every):
                    await self._new_wish.wait()
                    await asyncio.sleep(self._timings.gather)

    def _wish(self, *, is_new: bool) -> None:
        # Whoever is woken for nothing takes time from an order that is being decided.
        if is_new:
            self._new_wish.set()

    def _spread(self, accounts: Accounts) -> None:
        for account in accounts:
            self._changed(account)
            self._tell(account)

    def _take_ticks(self, frame: Mapping[str, object]) -> None:
        now, seconds = self._clock(), self._clock.seconds()
        for tick in read_ticks(frame, self._clock.host().date(), self._unread):
            if self._subscriptions.heard(tick.contract, seconds):
                self._board.take(tick, now)
                self.priced_at = now

    def _acknowledged(self, frame: Mapping[str, object]) -> None:
        instruments = frame.get("instruments")
        if "events" in frame:
            self._subscriptions.events_acknowledged()
        for name in instruments if isinstance(instruments, list) else ():
            with contextlib.suppress(InstrumentError):
                self._subscriptions.heard(read_contract(str(name), self._clock.host().date()), self._clock.seconds())

    def _limited(self, frame: Mapping[str, object]) -> None:
        asked = frame.get("retryAfter")
        seconds = float(asked) if isinstance(asked, int) else self._timings.limited
        log.info("CrossTrade takes no more changes of what is subscribed for %s s", seconds)
        self._subscriptions.limited(self._clock.seconds(), seconds)
