"""The findings of a start in the journal, as plain data; ``recovery`` gathers them, ``notices`` tells them."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StartupReport:
    """The findings of a start, by the channel in which each was asked.

    Attributes:
        expired_in: open offers, void by the restart.
        unknown_in: orders of which nobody knows what became of them.
        late_in: news that the last run had not delivered.
    """

    expired_in: Counter[int] = field(default_factory=Counter)
    unknown_in: Counter[int] = field(default_factory=Counter)
    late_in: Counter[int] = field(default_factory=Counter)

    @property
    def expired(self) -> int:
        """The number of expired offers in all channels."""
        return self.expired_in.total()

    @property
    def unknown(self) -> int:
        """The number of unknown orders in all channels."""
        return self.unknown_in.total()

    @property
    def late(self) -> int:
        """The number of pieces of late news in all channels."""
        return self.late_in.total()

    @property
    def channels(self) -> list[int]:
        """The channels in which there is something to tell, each once."""
        return sorted({*self.expired_in, *self.unknown_in, *self.late_in})
