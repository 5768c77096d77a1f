"""Hours of the simulated exchange, and the market/info answer. Prices stand in `market`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from .wire import dotnet_utc

CHICAGO, NEW_YORK = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")
OPENS = time(17)
CLOSES = time(16)
BELL, LAST_BELL = time(9, 30), time(16)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day, 17:00 to 16:00 Chicago time; both ends in UTC."""

    start: datetime
    end: datetime


def _sessions(day: date) -> Iterator[Session]:
    while True:
        if day.weekday() < SATURDAY:
            start = datetime.combine(day - timedelta(days=1), OPENS, CHICAGO)
            end = datetime.combine(day, CLOSES, CHICAGO)
            yield Session(start.astimezone(UTC), end.astimezone(UTC))
        day += timedelta(days=1)


def _share_sessions(day: date) -> Iterator[Session]:
    while True:
        if day.weekday() < SATURDAY:
            ends = (datetime.combine(day, bell, NEW_YORK).astimezone(UTC) for bell in (BELL, LAST_BELL))
            yield Session(*ends)
        day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The trading calendar: Sunday evening to Friday afternoon, no holidays.

    `forced` True or False overrules the calendar, so that a demo works at the weekend and a test can shut the market.
    """

    forced: bool | None = None

    def by_calendar(self, now: datetime) -> bool:
        """Tell whether the calendar alone has the market open."""
        session, _ = self._around(now)
        return session.start <= now

    def is_open(self, now: datetime) -> bool:
        """Tell whether orders can fill."""
        return self.by_calendar(now) if self.forced is None else self.forced

    def _around(self, now: datetime) -> tuple[Session, Session]:
        day = now.astimezone(CHICAGO).date() - timedelta(days=1)
        return next((one, after) for one, after in pairwise(_sessions(day)) if one.end > now)

    def info(self, instrument: str, now: datetime) -> dict[str, Any]:
        """Answer market/info; when closed, `session` is the next one."""
        session, upcoming = self._around(now)
        return self._info(instrument, now, session, upcoming, is_open=self.is_open(now))

    def share_info(self, instrument: str, now: datetime) -> dict[str, Any]:
        """Answer market/info for a bare root, as if it were a US share: 09:30 to 16:00 New York time (seen by others)."""
        day = now.astimezone(NEW_YORK).date() - timedelta(days=1)
        session, upcoming = next((one, after) for one, after in pairwise(_share_sessions(day)) if one.end > now)
        return self._info(instrument, now, session, upcoming, is_open=session.start <= now)

    def _info(self, instrument: str, now: datetime, session: Session, upcoming: Session, *, is_open: bool) -> dict[str, Any]:
        if is_open and session.start > now:
            session = Session(now.replace(minute=0, second=0, microsecond=0), session.end)
        elif not is_open and session.start <= now:
            session = upcoming
        edge = session.end if is_open else session.start
        left = (edge - now).total_seconds()
        return {
            "success": True,
            "timestamp": dotnet_utc(now),
            "instrument": instrument,
            "timeZone": "Central Standard Time",
            "status": {"isOpen": is_open, "state": "Open" if is_open else "Closed"},
            "session": {
                "label": "Current Session" if is_open else "Next Session",
                "utcStart": dotnet_utc(session.start),
                "utcEnd": dotnet_utc(session.end),
                "localStart": f"{session.start.astimezone(CHICAGO):%Y-%m-%d %H:%M:%S}",
                "localEnd": f"{session.end.astimezone(CHICAGO):%Y-%m-%d %H:%M:%S}",
                "countdown": _countdown(int(left)),
                "action": "Until Close" if is_open else "Until Open",
                "secondsRemaining": left,
            },
            "upcoming": {"utcStart": dotnet_utc(upcoming.start), "utcEnd": dotnet_utc(upcoming.end)},
        }


def _countdown(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
