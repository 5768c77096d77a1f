"""CrossTrade over its WebSocket ``/ws/stream``: one connection, kept up, and RPCs with their answers.

CrossTrade lets one connection live per user and cuts the older one with ``Session active elsewhere`` (WebSocket page, official);
after that cut this one stays closed, as two programs would else throw each other out for ever. No answer is judged here.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus

import aiohttp

from bot.crosstrade.errors import BROKEN, TOKEN_REFUSED, AnswerLost, Clean, NeverLeft, Reply, rpc_reply, sentence_of
from bot.crosstrade.jsontext import loads
from bot.crosstrade.link import Gauge, Link
from bot.crosstrade.requests import STREAM, rpc

# As another client of this stream does it, which came through two hours of injected faults.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
ELSEWHERE = "session active elsewhere"
STOPPED = "Another program uses CrossTrade's stream with this token, so this one gave way; stop the other, then start again."
# The server sends no heartbeats of its own (measured by others for an hour); protocol pings find a dead line.
HEARTBEAT_SECONDS = 20.0
CLOSE_SECONDS = 2.0
# A connection that lived this long was a good one: the next outage starts with the shortest wait.
GOOD_AFTER_SECONDS = 30.0
log = logging.getLogger(__name__)
_ENDS = frozenset({aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR})


class Stream:
    """The one WebSocket.

    Args:
        base: scheme and host; ``https`` becomes ``wss``.
        seconds: how long an RPC waits for its answer.
        backoff: seconds before each attempt to connect again; the last one repeats.
        heartbeat: seconds between protocol pings.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        clean: Clean,
        seconds: float,
        backoff: Sequence[float] = BACKOFF,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._session = session
        self._url = f"ws{base.removeprefix('http')}{STREAM}"
        self._new_id = new_id
        self._clean = clean
        self._seconds = seconds
        self._backoff = tuple(backoff)
        self._heartbeat = heartbeat
        self._gauge = Gauge(clock, "The stream of CrossTrade is not connected yet.")
        self._pending: dict[str, asyncio.Future[Reply | None]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._opened = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.stopped = False

    @property
    def link(self) -> Link:
        """Whether the socket is open, and if not, why."""
        return self._gauge.link

    def start(self) -> None:
        """Connect, and keep connected, in the background."""
        self._task = asyncio.create_task(self._keep(), name="crosstrade-stream")

    async def close(self) -> None:
        """Close for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._gauge.fell("The stream of CrossTrade was closed with the program.")

    async def opened(self) -> None:
        """Wait until the socket is open."""
        await self._opened.wait()

    async def call(self, api: str, account: str | None, fields: dict[str, object]) -> Reply:
        """Send one RPC and wait for its answer; a later answer is dropped.

        Raises:
            NeverLeft: there was no open socket to put it on.
            AnswerLost: the socket went before the answer came.
            TimeoutError: no answer in time.
            aiohttp.ClientError: the socket broke while it was sent.
        """
        socket = self._socket
        if socket is None or socket.closed:
            raise NeverLeft("The stream of CrossTrade is just being closed." if self.link.up else self.link.why)
        request_id = self._new_id()
        answer: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        frame = rpc(request_id, api, account, fields)
        self._pending[request_id] = answer
        try:
            async with asyncio.timeout(self._seconds):
                await socket.send_str(frame)
                reply = await answer
        finally:
            del self._pending[request_id]
        if reply is None:
            raise AnswerLost
        return reply

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                why = await self._live()
            except (aiohttp.ClientError, OSError) as error:
                why = _why_not(error)
            except Exception as error:
                # The top of the task: whatever went wrong, the socket is tried again.
                log.exception("the stream of CrossTrade broke")
                why = sentence_of(error)
            if ELSEWHERE in why.casefold():
                self.stopped = True
                self._gauge.fell(STOPPED)
                log.error("the stream of CrossTrade was taken over by another program and stays closed")
                return
            self._gauge.fell(why)
            failures = 0 if loop.time() - began >= GOOD_AFTER_SECONDS else failures
            if why == TOKEN_REFUSED:
                # Asking faster won't change that.
                failures = len(self._backoff)
            wait = self._backoff[min(failures, len(self._backoff) - 1)]
            failures += 1
            log.warning("the stream of CrossTrade is closed (%s); next attempt in %s s", why, wait)
            await asyncio.sleep(wait)

    async def _live(self) -> str:
        """Connect and listen until the connection ends; the sentence says why it did."""
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS)
        async with self._session.ws_connect(self._url, heartbeat=self._heartbeat, timeout=timeout) as socket:
            self._socket = socket
            self._gauge.rose("The stream of CrossTrade is open.")
            self._opened.set()
            try:
                return await self._listen(socket)
            finally:
                self._socket = None
                self._opened.clear()
                for answer in self._pending.values():
                    self._settle(answer, None)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        told = ""
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                told = self._hear(message.data) or told
            elif message.type in _ENDS:
                reason = message.extra if isinstance(message.extra, str) else ""
                if ELSEWHERE in f"{told} {reason}".casefold():
                    return ELSEWHERE
                return self._clean(f"The stream of CrossTrade was closed ({socket.close_code}). {reason}")

    def _hear(self, text: str) -> str:
        """Take a frame; gives its error text when it is meant for nobody in particular."""
        try:
            frame = loads(text)
        except ValueError:
            self._hear_garbage()
            return ""
        if not isinstance(frame, dict):
            return ""
        answer = self._pending.get(str(frame.get("id")))
        if answer is not None:
            self._settle(answer, rpc_reply(frame))
            return ""
        log.debug("a frame of the stream is for nobody: %s", sorted(frame))
        return str(frame.get("error") or frame.get("reason") or "")

    def _hear_garbage(self) -> None:
        """With just one RPC waiting, a frame that can't be read is its answer: nothing else is subscribed to."""
        if len(self._pending) == 1:
            (answer,) = self._pending.values()
            self._settle(answer, Reply(HTTPStatus.OK.value, BROKEN))

    @staticmethod
    def _settle(answer: asyncio.Future[Reply | None], reply: Reply | None) -> None:
        if not answer.done():
            answer.set_result(reply)


def _why_not(error: Exception) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        refused = error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        return TOKEN_REFUSED if refused else f"CrossTrade answered the stream's handshake with HTTP {error.status}."
    return sentence_of(error)
