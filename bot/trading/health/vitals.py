"""The vitals of the links, as the clients of CrossTrade and of Discord know them at no cost; ``chain`` judges them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.trading.health.spending import Spending


class Reach(StrEnum):
    """The reach of the last call to CrossTrade."""

    NOT_ASKED = "not asked"
    GOOD = "good"
    # CrossTrade answers, and says that the add-on in NinjaTrader doesn't.
    AWAY = "away"
    # An answer came and can't be read.
    GARBLED = "garbled"
    # CrossTrade refuses the token or its plan.
    REFUSED = "refused"
    NOWHERE = "nowhere"


class StreamState(StrEnum):
    """The state of CrossTrade's stream."""

    UNUSED = "unused"
    OPEN = "open"
    CLOSED = "closed"
    # Another program has it, so that this one stays away from it.
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Vitals:
    """The vitals of a broker's own links, as its client knows them at no cost.

    Attributes:
        why: what the last call met, a sentence for people.
        good_at: when an answer of NinjaTrader's last came, UTC; ``None`` for never.
        stream_why: why the stream isn't open.
        stream_since: since when the stream is as it is, UTC.
        orders_by_stream: whether orders travel by the stream.
        budget: requests that could be made at once.
        priced_at: when a price last came, UTC.
        garbled: how many answers of the last minute couldn't be read, by what was asked for.
        entries_fall_back: whether entries go by REST while that stream is away, as ways out always do.
        clock_ahead: how far the host's clock is ahead of CrossTrade's, by the date of its answers; ``None`` before one has told.
        unread: how many rows of the last minute's answers and pushes couldn't be read, by their own text.
        spending: what the requests were made for.
    """

    reach: Reach = Reach.NOT_ASKED
    why: str = "CrossTrade was not asked yet."
    good_at: datetime | None = None
    stream: StreamState = StreamState.UNUSED
    stream_why: str = ""
    stream_since: datetime | None = None
    orders_by_stream: bool = False
    budget: int = 0
    priced_at: datetime | None = None
    entries_fall_back: bool = False
    garbled: Mapping[str, int] = field(default_factory=dict)
    clock_ahead: timedelta | None = None
    unread: Mapping[str, int] = field(default_factory=dict)
    spending: Spending = field(default_factory=Spending)

    @property
    def entries_by_stream(self) -> bool:
        """True while no entry can leave without the stream."""
        return self.orders_by_stream and not self.entries_fall_back


@dataclass(frozen=True, slots=True)
class ChatVitals:
    """The vitals of Discord, as the chat layer knows them.

    Attributes:
        up: whether the gateway is connected.
        latency: seconds that its heartbeat took; ``None`` where that isn't known.
        rivals: answers of the last minute that Discord refused since somebody else had given one.
        clock_ahead: how far the host's clock is ahead of Discord's, by the date of its answers; ``None`` before one has told.
    """

    up: bool = False
    latency: float | None = None
    rivals: int = 0
    clock_ahead: timedelta | None = None
