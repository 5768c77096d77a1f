"""The link: whether CrossTrade and NinjaTrader could be reached lately, and since when."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from bot.crosstrade.errors import TOKEN_REFUSED, Clean, Reply, problem_of_reply, says_token_refused
from bot.errors import BrokerRefused, BrokerUnreachable
from bot.trading.health.chain import UNREADABLE_CROSSTRADE
from bot.trading.health.vitals import Reach

LOOK_BACK = timedelta(minutes=1)
MOST_GARBLED = 100


@dataclass(frozen=True, slots=True)
class Link:
    """Reachability of NinjaTrader through CrossTrade.

    Attributes:
        why: a sentence for people.
        since: when ``up`` last changed, UTC.
        reach: how far the last call came.
        good_at: when an answer could last be read, UTC; ``None`` for never.
    """

    up: bool
    why: str
    since: datetime
    reach: Reach = Reach.NOT_ASKED
    good_at: datetime | None = None


class Unread:
    """Counts rows that can't be read, by their own text, for a minute."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: dict[str, deque[datetime]] = {}

    def note(self, text: str) -> None:
        """One was met."""
        if text in self._seen or len(self._seen) < MOST_GARBLED:
            self._seen.setdefault(text, deque(maxlen=MOST_GARBLED)).append(self._clock())

    @property
    def lately(self) -> dict[str, int]:
        """Number of rows of each text in the last minute."""
        since = self._clock() - LOOK_BACK
        counted = {text: sum(at > since for at in times) for text, times in self._seen.items()}
        self._seen = {text: times for text, times in self._seen.items() if counted[text]}
        return {text: count for text, count in sorted(counted.items()) if count}


class Gauge:
    """Keeps the link's state as calls tell it.

    Attributes:
        rows: those that can't be read.
    """

    def __init__(self, clock: Callable[[], datetime], why: str = "CrossTrade was not asked yet.") -> None:
        self._clock = clock
        self._garbled: dict[str, deque[datetime]] = {}
        self.rows = Unread(clock)
        self.link = Link(up=False, why=why, since=clock())

    def rose(self, why: str = "CrossTrade answers.") -> None:
        """It works."""
        self._set(Reach.GOOD, why)

    def fell(self, why: str, reach: Reach = Reach.NOWHERE) -> None:
        """It doesn't."""
        self._set(reach, why)

    def answered(self, reply: Reply, clean: Clean, *, is_read: bool = False) -> None:
        """An answer came: it may say that NinjaTrader is away or the token is wrong; any other refusal is a sign of life.

        Of a read that brought something, only whoever reads it knows whether it is one.
        """
        problem = problem_of_reply(reply, clean)
        if says_token_refused(reply):
            self.fell(TOKEN_REFUSED, Reach.REFUSED)
        elif isinstance(problem, BrokerUnreachable):
            # 408 is CrossTrade's word for an add-on that doesn't answer (errors page, official).
            self.fell(str(problem), Reach.AWAY if reply.status == HTTPStatus.REQUEST_TIMEOUT else Reach.NOWHERE)
        elif isinstance(problem, BrokerRefused):
            self.rose()
        elif not is_read:
            self.understood("orders") if problem is None else self.unreadable("orders", str(problem))

    def understood(self, what: str) -> None:
        """An answer to such a call could be read."""
        self._garbled.pop(what, None)
        self.rose()

    def unreadable(self, what: str, why: str) -> None:
        """An answer to such a call came and can't be read."""
        now = self._clock()
        self._garbled.setdefault(what, deque(maxlen=MOST_GARBLED)).append(now)
        self.fell(why, Reach.GARBLED)

    @property
    def garbled(self) -> dict[str, int]:
        """Number of the last minute's unreadable answers, by what was asked for; only where the last one couldn't be read."""
        since = self._clock() - LOOK_BACK
        counted = {what: sum(at > since for at in times) for what, times in self._garbled.items()}
        return {what: count for what, count in sorted(counted.items()) if count}

    def _set(self, reach: Reach, why: str) -> None:
        now = self._clock()
        good_at = now if reach is Reach.GOOD else self.link.good_at
        # One odd answer among others that can be read is no outage.
        is_odd = reach is Reach.GARBLED and good_at is not None and (now - good_at).total_seconds() <= UNREADABLE_CROSSTRADE
        up = reach is Reach.GOOD or is_odd
        self.link = Link(up, why, self.link.since if up is self.link.up else now, reach, good_at)
