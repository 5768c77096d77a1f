"""The link: whether CrossTrade and NinjaTrader could be reached lately, and since when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.crosstrade.errors import TOKEN_REFUSED, Clean, Reply, problem_of_reply, says_token_refused
from bot.errors import BrokerGarbled, BrokerUnreachable


@dataclass(frozen=True, slots=True)
class Link:
    """Whether CrossTrade answers for NinjaTrader.

    Attributes:
        why: a sentence for people.
        since: when ``up`` last changed, UTC.
    """

    up: bool
    why: str
    since: datetime


class Gauge:
    """Keeps the link's state as calls tell it."""

    def __init__(self, clock: Callable[[], datetime], why: str = "CrossTrade was not asked yet.") -> None:
        self._clock = clock
        self.link = Link(up=False, why=why, since=clock())

    def rose(self, why: str = "CrossTrade answers.") -> None:
        """It works."""
        self._set(up=True, why=why)

    def fell(self, why: str) -> None:
        """It doesn't."""
        self._set(up=False, why=why)

    def answered(self, reply: Reply, clean: Clean) -> None:
        """An answer came: it may say that NinjaTrader is away or the token is wrong; any other refusal is a sign of life."""
        problem = problem_of_reply(reply, clean)
        if says_token_refused(reply):
            self.fell(TOKEN_REFUSED)
        elif isinstance(problem, BrokerUnreachable | BrokerGarbled):
            self.fell(str(problem))
        else:
            self.rose()

    def _set(self, *, up: bool, why: str) -> None:
        self.link = Link(up, why, self.link.since if up is self.link.up else self._clock())
