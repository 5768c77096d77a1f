"""``/metrics`` for Prometheus and ``/healthz`` for whoever restarts things, on loopback, when METRICS_PORT is set.

What is counted are stored events, in the words of the journal; whether the links stand is asked at each scrape. Without a
METRICS_PORT nobody is ever asked, so what makes a page and serves it is loaded only then.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from bot.desk.ports import EventName, Journal
from bot.errors import JournalError, SettingsError
from bot.trading.health.chain import Grade
from bot.trading.health.vitals import Vitals

LOOPBACK = "127.0.0.1"
MOST_ROWS = 1000
_LEADS = ("crosstalk_leads", "Whether this process leads the desk: 1, or 0 while it stands by.")
GRADES = {Grade.GOOD: 1.0, Grade.SLOW: 0.5, Grade.DOWN: 0.0}


class Numbers(Protocol):
    """Numbers that are served."""

    async def health(self) -> dict[str, bool]:
        """Health of each part: whether it works just now."""

    async def page(self) -> bytes:
        """All numbers in Prometheus' text form."""


class StandingBy:
    """The numbers of a process that waits for its turn: it is well, and has no part in anything yet."""

    async def health(self) -> dict[str, bool]:
        """It stands by, which is all that is asked of it."""
        return {"standing by": True}

    async def page(self) -> bytes:
        """That it doesn't lead."""
        from bot.program.exposition import Page  # noqa: PLC0415 - brings Prometheus' client along

        page = Page()
        page.gauge(*_LEADS, 0)
        return page.text()


class Meter:
    """The numbers of a process that leads.

    Args:
        crosstrade: whether CrossTrade can be reached.
        discord: whether Discord is logged in.
        vitals: what CrossTrade's client knows of its own links.

    Attributes:
        grades: the verdict on each link of the chain, once somebody gives it.
    """

    def __init__(
        self,
        crosstrade: Callable[[], bool],
        discord: Callable[[], bool],
        vitals: Callable[[], Vitals],
        journal: Journal,
        clock: Callable[[], datetime],
    ) -> None:
        self._links = {"crosstrade": crosstrade, "discord": discord}
        self._vitals = vitals
        self._journal = journal
        self._clock = clock
        self.grades: Callable[[], Mapping[str, Grade]] = dict
        self._since = clock().timestamp()
        self._events = Counter({name.value: 0 for name in EventName})
        self._waiting = 0
        self._live = Counter[str]()

    def count(self, name: EventName) -> None:
        """Count one stored event."""
        self._events[name.value] += 1

    async def health(self) -> dict[str, bool]:
        """Health of each part: whether it works just now."""
        parts = {name: is_up() for name, is_up in self._links.items()}
        try:
            due = await self._journal.due(self._clock(), MOST_ROWS)
            live = await self._journal.live()
        except JournalError:
            return {**parts, "journal": False}
        self._waiting = len(due)
        self._live = Counter(ticket.state.value for ticket in live)
        return {**parts, "journal": True}

    async def page(self) -> bytes:
        """All numbers in Prometheus' text form."""
        from bot.program.exposition import Page  # noqa: PLC0415 - brings Prometheus' client along

        up = await self.health()
        chain = {link.lower(): GRADES[grade] for link, grade in self.grades().items()}
        vitals = self._vitals()
        page = Page()
        page.gauge(*_LEADS, 1)
        page.counters("crosstalk_events", "Stored events by name.", "event", self._events, self._since)
        page.gauges("crosstalk_up", "Whether a link stands.", "link", up)
        page.gauges("crosstalk_link", "How a link of the chain does: 1 good, 0.5 slow, 0 down.", "link", chain)
        unread = sum(vitals.unread.values())
        page.gauge("crosstalk_rows_unread", "Rows of CrossTrade's of the last minute that can't be read.", unread)
        spent, what_for = vitals.spending.ever, "Requests to CrossTrade by what they were made for."
        page.counters("crosstalk_crosstrade_requests", what_for, "purpose", spent, self._since)
        page.gauge("crosstalk_crosstrade_requests_left", "Requests to CrossTrade that could be made at once.", vitals.budget)
        page.gauge("crosstalk_outbox_due", "News that Discord hasn't taken yet.", self._waiting)
        page.gauges("crosstalk_tickets_live", "Tickets that may still change, by state.", "state", self._live)
        return page.text()


@asynccontextmanager
async def served(numbers: Numbers, port: int) -> AsyncIterator[None]:
    """Serve the numbers on loopback.

    Raises:
        SettingsError: the port is taken.
    """
    from aiohttp import web  # noqa: PLC0415 - a server that few need
    from prometheus_client import CONTENT_TYPE_LATEST  # noqa: PLC0415

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=await numbers.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_request: web.Request) -> web.Response:
        parts = await numbers.health()
        return web.Response(text=json.dumps(parts), status=200 if all(parts.values()) else 503, content_type="application/json")

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except OSError as error:
            raise SettingsError("METRICS_PORT", f"port {port} is taken on {LOOPBACK}; choose another.") from error
        yield
    finally:
        await runner.cleanup()
