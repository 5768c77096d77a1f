"""An order's life as CrossTrade's add-on has written it down; the desk's own story of it is among the journal's events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One line of it.

    Attributes:
        what: what happened, in CrossTrade's own words, such as ``Working``.
        source: who saw it, in CrossTrade's own words, such as ``api_received``.
        at: when, UTC; ``None`` when no time of it could be read.
        filled, quantity: contracts, no sign, where the line tells them (names inferred).
        price: price units, where the line tells it (name inferred).
        note: what else it says in words, such as why an order was rejected.
    """

    what: str
    source: str | None = None
    at: datetime | None = None
    filled: int | None = None
    quantity: int | None = None
    price: Decimal | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The whole of it, kept for 90 days (GET Order lifecycle, new; add-on 1.13.2 or later).

    Attributes:
        account: whose order it is. The add-on doesn't look at the account that is asked for, so the caller must look at this.
        ids: every id that the answer names.
        events: oldest first, as far as CrossTrade ordered them.
        is_cut: whether there may be more lines than were given.
    """

    account: str | None
    ids: tuple[str, ...]
    events: tuple[OrderEvent, ...]
    is_cut: bool = False


def dated(events: Iterable[OrderEvent], begin: datetime) -> list[tuple[datetime, OrderEvent]]:
    """The lines with a time each; one without keeps its place behind the line before it, and the first ones begin where told."""
    found, last = [], begin
    for event in events:
        last = event.at or last
        found.append((last, event))
    return found
