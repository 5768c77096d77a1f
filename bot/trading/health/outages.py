"""Outages: when somebody must be told that a link is gone, and that it is back. Once each, and not at every flicker. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class AlertDelays:
    """The waits before people are told.

    Attributes:
        after: how long it must have been gone.
        steady: how long it must have been back; what goes again before that never came back.
        pace: how long after one alarm the next one of the same link may come.
    """

    after: timedelta
    steady: timedelta
    pace: timedelta


class Word(StrEnum):
    """The news of a link that is to be told."""

    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Outage:
    """One link's present or last outage, as far as it is known.

    Attributes:
        since: when it went; ``None`` while it stands.
        back_at: when it came back, while it isn't sure yet that it stays.
        told: whether people were told of this outage.
        told_at: when they were last told of any.
    """

    since: datetime | None = None
    back_at: datetime | None = None
    told: bool = False
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Something to tell: that it has been gone since then, or was until then."""

    word: Word
    since: datetime
    until: datetime


FINE = Outage()


def step(
    outage: Outage, down_since: datetime | None, now: datetime, patience: AlertDelays, *, matters: bool
) -> tuple[Outage, Said | None]:
    """Take one look at a link.

    Args:
        outage: what the last look has left.
        down_since: when it went, as far as is known; ``None`` if it stands now.
        now: the moment of the look.
        patience: how long is waited for what.
        matters: whether anything hangs on it, such as an open position. An outage is told from when that is so.
    """
    if down_since is None:
        return _stands(outage, now, patience)
    since = outage.since or min(down_since, now)
    gone = replace(outage, since=since, back_at=None)
    is_paced = outage.told_at is not None and now - outage.told_at < patience.pace
    if gone.told or not matters or is_paced or now - since < patience.after:
        return gone, None
    return replace(gone, told=True, told_at=now), Said(Word.DOWN, since, now)


def _stands(outage: Outage, now: datetime, patience: AlertDelays) -> tuple[Outage, Said | None]:
    if outage.since is None:
        return outage, None
    back_at = outage.back_at or now
    if now - back_at < patience.steady:
        return replace(outage, back_at=back_at), None
    return Outage(told_at=outage.told_at), Said(Word.UP, outage.since, back_at) if outage.told else None
