"""The link: whether CrossTrade and NinjaTrader could be reached lately, and since when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from bot.crosstrade.errors import TOKEN_REFUSED, Clean, Reply, problem_of_reply, says_token_refused
from bot.errors import BrokerGarbled, BrokerUnreachable
from bot.trading.health import Reach


@dataclass(frozen=True, slots=True)
class Link:
    """Whether CrossTrade answers for NinjaTrader.

    Attributes:
        why: a sentence for people.
        since: when ``up`` last changed, UTC.
        reach: how far the last call came.
        good_at: when it was last up, UTC; ``None`` for never.
    """

    up: bool
    why: str
    since: datetime
    reach: Reach = Reach.NOT_ASKED
    good_at: datetime | None = None


class Gauge:
    """Keeps the link's state as calls tell it."""

    def __init__(self, clock: Callable[[], datetime], why: str = "CrossTrade was not asked yet.") -> None:
        self._clock = clock
        self.link = Link(up=False, why=why, since=clock())

    def rose(self, why: str = "CrossTrade answers.") -> None:
        """It works."""
        self._set(Reach.GOOD, why)

    def fell(self, why: str, reach: Reach = Reach.NOWHERE) -> None:
        """It doesn't."""
        self._set(reach, why)

    def answered(self, reply: Reply, clean: Clean) -> None:
        """An answer came: it may say that NinjaTrader is away or the token is wrong; any other refusal is a sign of life."""
        problem = problem_of_reply(reply, clean)
        if says_token_refused(reply):
            self.fell(TOKEN_REFUSED, Reach.REFUSED)
        elif isinstance(problem, BrokerUnreachable | BrokerGarbled):
            # 408 is CrossTrade's word for an add-on that doesn't answer (errors page, official).
            self.fell(str(problem), Reach.AWAY if reply.status == HTTPStatus.REQUEST_TIMEOUT else Reach.NOWHERE)
        else:
            self.rose()

    def _set(self, reach: Reach, why: str) -> None:
        up, now = reach is Reach.GOOD, self._clock()
        self.link = Link(up, why, self.link.since if up is self.link.up else now, reach, now if up else self.link.good_at)
