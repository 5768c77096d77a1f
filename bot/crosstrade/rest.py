"""CrossTrade over HTTP: one session, one request, one answer. Nothing is repeated here, and no answer is judged."""

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from yarl import URL

from bot.clock import Clock
from bot.crosstrade.errors import BROKEN, AnswerLost, NeverLeft, Reply
from bot.crosstrade.jsontext import loads
from bot.dates import Dates
from bot.timings import CrossTradeTimings

LARGEST_BODY = 8 * 1024 * 1024
AGENT = "Crosstalk"

WhyNot = Callable[[], str | None]
"""Asked at the very moment at which a write would leave: why it must not, or ``None``."""


def never_why() -> str | None:
    """Nothing stands against it, ever."""
    return None


class _Guarded(BytesPayload):
    """A body that asks once more just before its request leaves; aiohttp sends the headers with it and not before."""

    def __init__(self, body: bytes, why_not: WhyNot) -> None:
        super().__init__(body)
        self._why_not = why_not

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if (why := self._why_not()) is not None:
            raise NeverLeft(why)
        await super().write_with_length(writer, content_length)


def open_session(token: str, timings: CrossTradeTimings, *, keep: bool = True, proxy: str | None = None) -> aiohttp.ClientSession:
    """Make a session. Must be called within the event loop that will use it.

    Args:
        token: the bearer token, which only its headers hold.
        timings: how long is waited for what.
        keep: whether connections are kept for the next request; where they aren't, aiohttp sends nothing a second time.
        proxy: through which everything goes, sockets too.
    """
    kept: dict[str, Any] = {"keepalive_timeout": timings.keep_alive} if keep else {"force_close": True}
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": AGENT},
        connector=aiohttp.TCPConnector(ttl_dns_cache=60, **kept),
        proxy=proxy,
        middlewares=() if keep else (_once,),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_whole(timings.read, timings.connect),
    )


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Let no request be sent again: aiohttp does so with a PUT whose connection drops, on whichever connection it went out."""
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        # It never left, and aiohttp leaves it at that.
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise AnswerLost(f"the connection broke: {type(error).__name__}") from error


class Rest:
    """Requests to one base URL.

    Args:
        base: scheme and host, without a path.
        clock: the desk's; a ``Retry-After`` that is a date is put into its time.
        fresh: a session that keeps no connections and sends nothing again, for writes by PUT.
        dates: told of the date of each answer.
        why_not: asked as the last thing before a write leaves.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        clock: Clock,
        dates: Dates,
        timings: CrossTradeTimings,
        fresh: aiohttp.ClientSession,
        why_not: WhyNot = never_why,
    ) -> None:
        self._session = session
        self._fresh = fresh
        self._why_not = why_not
        self._base = base.rstrip("/")
        self._clock = clock
        self._dates = dates
        self._read = _whole(timings.read, timings.connect)
        self._write = _whole(timings.write, timings.connect)
        self._bars = _whole(timings.bars, timings.connect)

    async def get(self, path: str) -> Reply:
        """Read; aiohttp may ask a second time when a kept-alive connection turns out to be closed.

        Raises:
            aiohttp.ClientError, OSError, ValueError: no whole answer came.
        """
        return await self._send("GET", path, None, self._read, self._session)

    async def query(self, path: str, body: str) -> Reply:
        """Read by POST, as historical bars are read; it changes nothing.

        aiohttp never asks a POST a second time, so it travels on a connection of its own, which nobody is just closing.

        Raises:
            AnswerLost, aiohttp.ClientError, OSError, ValueError: no whole answer came.
        """
        return await self._send("POST", path, body.encode(), self._bars, self._fresh)

    async def write(self, method: Literal["POST", "PUT"], path: str, body: str) -> Reply:
        """Write, once.

        aiohttp sends PUT again when its connection drops, and never POST; so PUT travels by the session that forbids it.

        Raises:
            NeverLeft: there is no session any more, or something stood against it in the last moment.
            AnswerLost: the connection broke; it may have arrived.
            aiohttp.ClientError, OSError, ValueError: as the table in ``errors`` reads them.
        """
        session = self._session if method == "POST" else self._fresh
        if session.closed:
            raise NeverLeft("The connection to CrossTrade is closed.")
        try:
            return await self._send(method, path, _Guarded(body.encode(), self._why_not), self._write, session)
        except aiohttp.ClientConnectionError as error:
            # What stops a body in aiohttp comes back as the cause of a connection that broke.
            if isinstance(error.__cause__, NeverLeft):
                raise error.__cause__ from None
            raise

    async def _send(
        self, method: str, path: str, body: bytes | _Guarded | None, limits: aiohttp.ClientTimeout, session: aiohttp.ClientSession
    ) -> Reply:
        # Encoded already: the URL must go out as it stands, with no dots or escapes resolved on the way.
        url = URL(self._base + path, encoded=True)
        asked = self._clock()
        async with session.request(method, url, data=body, timeout=limits, allow_redirects=False) as response:
            self._dates.told(response.headers, asked)
            raw = await _whole_body(response)
            return _reply(response.status, raw, _retry_after(response.headers.get("Retry-After"), self._clock))


def _whole(total: float, connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, connect=connect, sock_connect=connect)


async def _whole_body(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > LARGEST_BODY:
            raise ValueError("an answer larger than any of CrossTrade's")
        parts.append(part)
    return b"".join(parts)


def _reply(status: int, raw: bytes, retry_after: float | None) -> Reply:
    try:
        return Reply(status, loads(raw), retry_after=retry_after)
    except ValueError:
        return Reply(status, BROKEN, raw.decode("utf-8", "replace"), retry_after)


def _retry_after(header: str | None, clock: Clock) -> float | None:
    """Seconds of a ``Retry-After``, which may also be a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((clock.own(until.astimezone(UTC)) - clock()).total_seconds(), 0.0)
