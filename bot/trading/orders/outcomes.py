"""The outcomes of sending an order: four, not two.

*Accepted* is not *filled*; *rejected* is proved; *not sent* is proved too; whatever is neither is *unknown*, is never called
failed, and is never sent again.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """Submitted to NinjaTrader, not filled.

    Attributes:
        order_id: as CrossTrade answers it: of a reversal or a replacement the new order's. ``None`` where it gives none, as for a
            close.
        listed: ids that came as a list, as of both orders of a bracket, or of all that a mass action cancels.
    """

    order_id: str | None
    listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """CrossTrade or NinjaTrader proved that nothing was done.

    Attributes:
        text: their own words, redacted.
        status: HTTP status: a 4xx but 408, or a 2xx whose body takes it back. Over the WebSocket, which has none, the one that
            the same body has over REST (inferred).
    """

    text: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """An order that never left: no connection was made, or the request budget ran out first."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An order that was sent, or may have been, and whose answer is lost or proves nothing."""

    why: str


Outcome = Accepted | Rejected | NotSent | Unknown
