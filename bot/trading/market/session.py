"""The sessions in which a market trades, as CrossTrade tells them. Prices are in ``facts``."""

from dataclasses import dataclass
from datetime import datetime

from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract

# What a card says of it: of an order that shall stay, and of one that closes at market, which rests until the open.
SHUT = "the market is closed"
CLOSES_AT_THE_OPEN = "the market is shut: it fills at the open"


@dataclass(frozen=True, slots=True)
class Session:
    """The trading session of a contract (GET Market info, mid).

    Attributes:
        is_open: whether the market trades.
        state: NinjaTrader's word for it, such as ``Open``; ``Closed`` is inferred.
        span: the session that runs, or, where the market is closed, the next one.
        upcoming: the session after the one that runs; of a closed market perhaps the same as ``span`` (unknown).
        at: the time of the answer, UTC.
    """

    contract: Contract
    is_open: bool
    state: str
    span: Span
    upcoming: Span | None
    at: datetime

    @property
    def turns_at(self) -> datetime | None:
        """The time at which an open market closes, or a closed one opens, UTC; ``None`` when no moment ahead was told."""
        opens = [span.start for span in (self.span, self.upcoming) if span is not None]
        return min((moment for moment in ([self.span.end] if self.is_open else opens) if moment > self.at), default=None)
