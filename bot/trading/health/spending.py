"""The spending of requests to CrossTrade by purpose, in one line for people. Pure; they are counted where they are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spending:
    """The requests that the budget was spent on, by purpose.

    Attributes:
        allowed: requests a minute that the budget grants in the long run.
        lately: those of the last minute, without purposes that had none.
        ever: those since the start, of every purpose.
    """

    allowed: float = 0
    lately: Mapping[str, int] = field(default_factory=dict)
    ever: Mapping[str, int] = field(default_factory=dict)


def spending_words(spending: Spending) -> str:
    """The last minute, what took most first: ``5 requests … presses 3, orders 2; 180 allowed``; empty for none."""
    count = sum(spending.lately.values())
    if not count:
        return ""
    most_first = sorted(spending.lately.items(), key=lambda each: -each[1])
    parts = ", ".join(f"{purpose} {requests}" for purpose, requests in most_first)
    what = "1 request" if count == 1 else f"{count} requests"
    return f"{what} to CrossTrade in the last minute: {parts}; {spending.allowed:g} allowed"
