"""CrossTrade over its WebSocket ``/ws/stream``: one connection, kept up, and RPCs with their answers.

CrossTrade lets one connection live per user and cuts the older one with ``Session active elsewhere`` (WebSocket page, official);
after that cut this one stays closed, as two programs would else throw each other out for ever. No answer is judged here, and
what the server says unasked is handed to a listener.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Protocol

import aiohttp

from bot.crosstrade.errors import BROKEN, TOKEN_REFUSED, AnswerLost, Clean, NeverLeft, NoStream, Reply, rpc_reply, sentence_of
from bot.crosstrade.jsontext import loads
from bot.crosstrade.link import Gauge, Link
from bot.crosstrade.requests import STREAM, rpc
from bot.crosstrade.rest import WhyNot, never_why
from bot.timings import CrossTradeTimings

ELSEWHERE = "session active elsewhere"
STOPPED = "Another program uses CrossTrade's stream with this token, so this one gave way; stop the other, then start again."
CLOSING = "The stream of CrossTrade is just being closed."
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
log = logging.getLogger(__name__)
_ENDS = frozenset({aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR})


class Listener(Protocol):
    """Receiver of what the server says unasked, with things to say to it; only ``to_say`` may wait."""

    def opened(self) -> None:
        """A connection stands, of which nothing was asked yet."""

    def heard(self, frame: Mapping[str, object]) -> None:
        """A frame came that answers no RPC."""

    def unreadable(self) -> None:
        """A frame came that can't be read."""

    def closed(self) -> None:
        """The connection is gone."""

    async def to_say(self) -> str:
        """Wait for the next frame to send."""


class Stream:
    """The one WebSocket.

    Args:
        base: scheme and host; ``https`` becomes ``wss``.
        listener: takes whatever isn't the answer to an RPC.
        timings: how long is waited for what; an RPC waits for its answer as any write does.
        needed: whether orders travel by it. Where they don't, a stream that can't be opened is no trouble.
        why_not: asked as the last thing before an RPC leaves.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        clean: Clean,
        listener: Listener,
        timings: CrossTradeTimings,
        needed: bool = True,
        why_not: WhyNot = never_why,
    ) -> None:
        self._session = session
        self._url = f"ws{base.removeprefix('http')}{STREAM}"
        self._new_id = new_id
        self._clean = clean
        self._listener = listener
        self._needed = needed
        self._told = ""
        self._timings = timings
        self._why_not = why_not
        self._gauge = Gauge(clock, "The stream of CrossTrade is not connected yet.")
        self._pending: dict[str, asyncio.Future[Reply | None]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._opened = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.stopped = False

    @property
    def link(self) -> Link:
        """State of the socket: whether it is open, and if not, why."""
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
            NoStream: there was no open socket to put it on.
            NeverLeft: something stood against it in the last moment.
            AnswerLost: the socket went before the answer came.
            TimeoutError: no answer in time.
            aiohttp.ClientError: the socket broke while it was sent.
        """
        socket = self._socket
        if socket is None or socket.closed:
            raise NoStream(CLOSING if self.link.up else self.link.why)
        request_id = self._new_id()
        answer: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        frame = rpc(request_id, api, account, fields)
        if (why := self._why_not()) is not None:
            raise NeverLeft(why)
        self._pending[request_id] = answer
        try:
            async with asyncio.timeout(self._timings.write):
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
            is_refused = False
            try:
                why = await self._live()
            except (aiohttp.ClientError, OSError) as error:
                why = _why_not(error)
                is_refused = isinstance(error, aiohttp.WSServerHandshakeError) and error.status in _REFUSALS
            except Exception as error:
                # The top of the task: whatever went wrong, the socket is tried again.
                log.exception("the stream of CrossTrade broke")
                why = sentence_of(error)
            if ELSEWHERE in why.casefold():
                self._give_way()
                return
            self._gauge.fell(why)
            failures = 0 if loop.time() - began >= self._timings.good_after else failures
            failures = len(self._timings.backoff) if is_refused else failures
            wait = self._wait(failures, is_refused=is_refused)
            failures += 1
            self._say_why(why, wait)
            await asyncio.sleep(wait)

    def _wait(self, failures: int, *, is_refused: bool) -> float:
        """Seconds until the next attempt; asking a server faster that has refused won't change its mind."""
        if is_refused and not self._needed:
            return self._timings.refused
        return self._timings.backoff[min(failures, len(self._timings.backoff) - 1)]

    def _say_why(self, why: str, wait: float) -> None:
        if self._needed:
            log.warning("the stream of CrossTrade is closed (%s); next attempt in %s s", why, wait)
        elif why != self._told:
            log.info("the stream of CrossTrade is closed (%s); prices and orders are asked for over REST meanwhile", why)
        self._told = why

    def _give_way(self) -> None:
        self.stopped = True
        self._gauge.fell(STOPPED)
        level = logging.ERROR if self._needed else logging.WARNING
        log.log(level, "the stream of CrossTrade was taken over by another program and stays closed")

    async def _live(self) -> str:
        """Connect and listen until the connection ends; the sentence says why it did."""
        timeout = aiohttp.ClientWSTimeout(ws_close=self._timings.closing)
        async with self._session.ws_connect(self._url, heartbeat=self._timings.heartbeat, timeout=timeout) as socket:
            self._socket = socket
            self._gauge.rose("The stream of CrossTrade is open.")
            self._told = ""
            log.info("the stream of CrossTrade is open")
            self._opened.set()
            self._tell(self._listener.opened)
            speaking = asyncio.create_task(self._speak(socket), name="crosstrade-stream-asks")
            try:
                return await self._listen(socket)
            finally:
                self._socket = None
                self._opened.clear()
                self._gauge.fell(CLOSING)
                for answer in self._pending.values():
                    self._settle(answer, None)
                self._tell(self._listener.closed)
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)

    async def _speak(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Send what the listener has to say. Its trouble must not cost the line, by which orders may travel."""
        try:
            while True:
                await socket.send_str(await self._listener.to_say())
        except (aiohttp.ClientError, OSError) as error:
            # Whoever listens meets the same and knows what to do.
            log.debug("nothing more can be said on this stream: %s", type(error).__name__)
        except Exception:
            log.exception("the stream of CrossTrade can't be asked for anything more on this connection")

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception:
            # As above: orders go on.
            log.exception("a frame of the stream of CrossTrade could not be taken")

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
            frame = None
        if not isinstance(frame, dict):
            self._hear_garbage(text)
            return ""
        answer = self._pending.get(str(frame.get("id")))
        if answer is not None:
            self._settle(answer, rpc_reply(frame))
            return ""
        self._tell(partial(self._listener.heard, frame))
        return str(frame.get("error") or frame.get("reason") or "")

    def _hear_garbage(self, text: str) -> None:
        """A frame that can't be read is the answer to an RPC only if it holds its id.

        Any other may have been a push, so an RPC that it might have answered waits on, and its outcome is then unknown.
        """
        for request_id, answer in self._pending.items():
            if f'"{request_id}"' in text:
                self._settle(answer, Reply(HTTPStatus.OK.value, BROKEN))
        self._tell(self._listener.unreadable)

    @staticmethod
    def _settle(answer: asyncio.Future[Reply | None], reply: Reply | None) -> None:
        if not answer.done():
            answer.set_result(reply)


def _why_not(error: Exception) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        refused = error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        return TOKEN_REFUSED if refused else f"CrossTrade answered the stream's handshake with HTTP {error.status}."
    return sentence_of(error)
