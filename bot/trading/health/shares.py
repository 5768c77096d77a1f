"""Shares of the request budget over a while, of one member and of all, so that nobody's looking costs others theirs. Pure.

When the share of all is used up, it is split evenly among those who have asked lately: whoever has had less than that goes on.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Share:
    """So much within so long.

    Attributes:
        of_one: requests of one member.
        of_all: requests of all of them together.
        within: how long each counts.
    """

    of_one: int
    of_all: int
    within: timedelta


# CrossTrade's whole budget is 180 a minute (rate limits page, official).
READING = Share(of_one=20, of_all=60, within=timedelta(minutes=1))
TYPING = Share(of_one=30, of_all=45, within=timedelta(minutes=1))
# Cards of ways out that are read before everything else but ways out that were confirmed; the next ones as other cards are.
HURRYING = Share(of_one=4, of_all=6, within=timedelta(seconds=10))


@dataclass(frozen=True, slots=True)
class Spent:
    """The cost of what a member has asked for: requests at CrossTrade, at a moment."""

    at: datetime
    member: int
    cost: int


@dataclass(frozen=True, slots=True)
class Full:
    """The reason why a member must wait.

    Attributes:
        own: what the member has asked for.
        all: what all of them have.
        wait: until there is room again.
    """

    own: int
    all: int
    wait: timedelta


def counted(spent: Iterable[Spent], share: Share, now: datetime) -> list[Spent]:
    """The requests that still count, oldest first."""
    return [each for each in spent if now - each.at < share.within]


def refused(share: Share, spent: Iterable[Spent], member: int, cost: int, now: datetime) -> Full | None:
    """The reason why a member may not ask for that much now; ``None`` where they may.

    Whoever has asked for nothing may always, however much it costs.
    """
    left = counted(spent, share, now)
    own, total = _sums(left, member)
    if _fits(share, left, member, cost):
        return None
    wait = share.within
    while left and not _fits(share, left, member, cost):
        wait = left.pop(0).at + share.within - now
    return Full(own, total, wait)


def words(share: Share, full: Full) -> str:
    """One sentence for the member."""
    seconds = max(math.ceil(full.wait.total_seconds()), 1)
    span = "a minute" if share.within == timedelta(minutes=1) else f"{share.within.total_seconds():.0f} s"
    if full.own >= full.all:
        return f"You have asked CrossTrade for {full.own} readings in {span}; next in {seconds} s."
    return (
        f"You have asked CrossTrade for {full.own} readings in {span}, all members together for {full.all}; next in {seconds} s."
    )


def _sums(left: Iterable[Spent], member: int) -> tuple[int, int]:
    costs = [(each.member == member, each.cost) for each in left]
    return sum(cost for is_own, cost in costs if is_own), sum(cost for _, cost in costs)


def _fits(share: Share, left: list[Spent], member: int, cost: int) -> bool:
    own, total = _sums(left, member)
    if not own:
        return True
    even = share.of_all // len({each.member for each in left})
    return own + cost <= share.of_one and (total + cost <= share.of_all or own + cost <= even)
