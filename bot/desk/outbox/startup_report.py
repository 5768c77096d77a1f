"""What a start found in the journal, as plain data; how it comes about is in ``lapse``, what is told of it in ``news``."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StartupReport:
    """What a start found, by the channel in which it was asked.

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
        """All of them."""
        return self.expired_in.total()

    @property
    def unknown(self) -> int:
        """All of them."""
        return self.unknown_in.total()

    @property
    def late(self) -> int:
        """All of them."""
        return self.late_in.total()

    @property
    def channels(self) -> list[int]:
        """Where there is something to tell, each once."""
        return sorted({*self.expired_in, *self.unknown_in, *self.late_in})
