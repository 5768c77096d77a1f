"""The WebSocket side, /ws/stream: RPC, market data, P&L, account events, one connection per token."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from .book import Account, Execution, position_row
from .catalogue import BY_NAME
from .cloud import BROKEN_TEXT, HANDSHAKE, Cloud, Reply, unknown_command
from .faults import Kind
from .limits import TokenBucket
from .orders import Order
from .products import Contract
from .rest import hang_up
from .wire import ApiError, dumps, epoch_ms, loads
from .world import World

PATH = "/ws/stream"
ELSEWHERE_CODE, ELSEWHERE_REASON = 4001, "Session active elsewhere"
"""The reason is documented, the code is not."""
VIOLATIONS_MOST = 10
CLOSING_SECONDS = 1.0
SUBSCRIPTIONS_BURST, SUBSCRIPTIONS_RATE = 5, 20 / 60

log = logging.getLogger(__name__)


class Session:
    """One client's connection."""

    def __init__(self, request: web.Request, cloud: Cloud, token: str) -> None:
        """Start without subscriptions and with a fresh sequence."""
        self.ws = web.WebSocketResponse(compress=False, timeout=CLOSING_SECONDS)
        self.token = token
        self._request = request
        self._cloud = cloud
        self._instruments: dict[str, Contract] = {}
        self._events: set[str] = set()
        self._seq = 0
        self._dropped = 0
        self._violations = 0
        self._changes = TokenBucket(SUBSCRIPTIONS_BURST, SUBSCRIPTIONS_RATE, cloud.monotonic)
        self._outbox: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pnl: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the connection to its end."""
        self._start(self._push_outbox)
        self._start(self._push_quotes)
        try:
            async for message in self.ws:
                if message.type is WSMsgType.TEXT:
                    await self._hear(message.data)
        finally:
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        # Called inside the task: a coroutine made here would never be awaited if the task is cancelled before its first step.
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except ConnectionError:
            log.debug("The client of the stream went away.")
        except Exception:
            log.exception("A task of the stream failed.")

    async def _hear(self, text: str) -> None:
        try:
            message = loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            await self._send({"error": "Invalid JSON"})
            return
        actions: dict[str, Callable[[dict[str, Any], str], Awaitable[None]]] = {
            "rpc": self._rpc,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "streamPnl": self._stream_pnl,
            "ping": self._ping,
        }
        action = actions.get(str(message.get("action")))
        if action is None:
            await self._send({"error": "Unknown action"})
            return
        with contextlib.suppress(ConnectionError):
            await action(message, text)

    async def _send(self, frame: object) -> None:
        with contextlib.suppress(ConnectionError):
            await self.ws.send_str(frame if isinstance(frame, str) else dumps(self._cloud.world.respelt(frame)))

    async def _ping(self, _message: dict[str, Any], _text: str) -> None:
        await self._send({"type": "pong"})

    async def _rpc(self, message: dict[str, Any], text: str) -> None:
        request_id = message.get("id")
        refused = self._cloud.over_budget(self.token, str(message.get("api")))
        if refused is not None:
            await self._answer(request_id, refused)
            self._violations += 1
            if self._violations >= VIOLATIONS_MOST:
                await self.ws.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Rate limit exceeded")
            return
        self._violations = 0
        call, args = BY_NAME.get(str(message.get("api"))), message.get("args") or {}
        if call is None:
            await self._answer(request_id, unknown_command(message.get("api")))
        elif not isinstance(args, dict):
            await self._answer(request_id, Reply(400, {"error": "Invalid request"}))
        else:
            headers = dict(self._request.headers)
            record = self._cloud.note(call, transport="rpc", path=PATH, headers=headers, text=text, body=args)

            async def work() -> None:
                await self._answer(request_id, await self._cloud.perform(call, args, record, self.token))

            self._start(work)

    async def _answer(self, request_id: object, reply: Reply) -> None:
        if reply.lost is not None:
            hang_up(self._request, reset=reply.lost is Kind.RESET)
            return
        if reply.text is not None:
            await self._send(reply.text)
            return
        data = reply.body
        if reply.status >= 400 and isinstance(data, Mapping):
            data = {"success": False, **data}
        await self._send({"id": request_id, "data": data})

    async def _may_change(self) -> bool:
        wait = self._changes.take() if self._cloud.rate_limited else 0
        if wait:
            await self._send({"error": "rate_limited", "retryAfter": wait})
        return not wait

    async def _subscribe(self, message: dict[str, Any], _text: str) -> None:
        if not await self._may_change():
            return
        events, origin = message.get("events"), message.get("origin")
        if isinstance(events, list) and self._cloud.account_events and origin is None:
            self._events |= {str(event) for event in events}
            await self._acknowledge({"status": "subscribed", "events": events})
        elif (contracts := self._read_instruments(message)) is None:
            await self._send({"error": "Invalid request"})
        else:
            self._instruments |= {contract.name: contract for contract in contracts}
            await self._acknowledge({"status": "subscribed", "instruments": sorted(self._instruments)})

    async def _acknowledge(self, frame: dict[str, Any]) -> None:
        if not self._cloud.faults.take(str(frame["status"]).removesuffix("d"), Kind.NO_ACK):
            await self._send(frame)

    async def _unsubscribe(self, message: dict[str, Any], _text: str) -> None:
        if not await self._may_change():
            return
        contracts = self._read_instruments(message)
        if contracts is None:
            await self._send({"error": "Invalid request"})
            return
        for contract in contracts:
            self._instruments.pop(contract.name, None)
        await self._acknowledge({"status": "unsubscribed", "instruments": [contract.name for contract in contracts]})

    def _read_instruments(self, message: dict[str, Any]) -> list[Contract] | None:
        spellings = message.get("instruments")
        if not isinstance(spellings, list) or not spellings:
            return None
        try:
            return [self._cloud.world.contract(str(spelling)) for spelling in spellings]
        except ApiError:
            return None

    async def _stream_pnl(self, message: dict[str, Any], _text: str) -> None:
        if self._pnl is not None:
            self._pnl.cancel()
            self._pnl = None
        interval = message.get("interval", 1000)
        if message.get("enabled") is True and isinstance(interval, int):
            self._pnl = self._start(partial(self._push_pnl, max(interval / 1000, self._cloud.world.timing.results)))

    async def _push(self, frame_type: str, text: str) -> None:
        take = self._cloud.faults.take
        for kind in (Kind.DROP, Kind.RESET):
            if take(frame_type, kind):
                hang_up(self._request, reset=kind is Kind.RESET)
                return
        await self.ws.send_str(BROKEN_TEXT if take(frame_type, Kind.GARBAGE) else text)

    async def _push_outbox(self) -> None:
        while True:
            await self._push(*await self._outbox.get())

    async def _push_quotes(self) -> None:
        while True:
            await asyncio.sleep(self._cloud.world.timing.quotes)
            if self._instruments and not self._cloud.faults.take("marketData", Kind.OFFLINE):
                quotes = [self._quote(contract) for contract in self._instruments.values()]
                await self._push("marketData", dumps(self._cloud.world.respelt({"type": "marketData", "quotes": quotes})))

    def _quote(self, contract: Contract) -> dict[str, Any]:
        quote = self._cloud.world.market.quote(contract, self._cloud.world.clock())
        return {key: quote[key] for key in ("instrument", "last", "bid", "ask", "volume")}

    async def _push_pnl(self, seconds: float) -> None:
        while True:
            world = self._cloud.world
            rows = [_pnl_row(account, account.unrealised(world.market)) for account in world.accounts]
            frame = {"type": "pnlUpdate", "epoch": epoch_ms(world.clock()), "accounts": rows}
            if not self._cloud.faults.take("pnlUpdate", Kind.OFFLINE):
                await self._push("pnlUpdate", dumps(frame))
            await asyncio.sleep(seconds)

    @property
    def hears_events(self) -> bool:
        """Tell whether the client has asked for account events."""
        return bool(self._events)

    def tell(self, group: str, frame_type: str, account: str, entity: dict[str, Any]) -> None:
        """Push an account event, if the client asked for its group; it counts in `seq` even where it is lost."""
        if group not in self._events:
            return
        take = self._cloud.faults.take
        if take(frame_type, Kind.OFFLINE):
            return
        self._seq += 1
        if take(frame_type, Kind.EVENT_GAP):
            self._dropped += 1
            return
        epoch = epoch_ms(self._cloud.world.clock())
        frame: dict[str, Any] = {"type": frame_type, "seq": self._seq, "epoch": epoch, "account": account}
        frame |= {group.removesuffix("s"): entity}
        if take(frame_type, Kind.RESYNC):
            frame = {"type": "resync", "seq": self._seq, "epoch": epoch, "accounts": [account]}
        if self._dropped:
            frame["dropped"] = self._dropped
            self._dropped = 0
        times = 2 if take(frame_type, Kind.EVENT_TWICE) else 1
        for _ in range(times):
            self._outbox.put_nowait((frame_type, dumps(self._cloud.world.respelt(frame))))


class Hub:
    """All connections, one for each token."""

    def __init__(self, cloud: Cloud) -> None:
        """Start with nobody connected."""
        self._cloud = cloud
        self._sessions: dict[str, Session] = {}
        self._cuts: set[asyncio.Task[bool]] = set()
        self.is_open = True
        self.follow(cloud.world)

    @property
    def tells_events(self) -> bool:
        """Tell whether anybody who is connected has asked for account events."""
        return any(session.hears_events for session in self._sessions.values())

    def follow(self, world: World) -> None:
        """Hear what happens in this world's exchange."""
        world.exchange.listeners.append(self._hear)

    def _hear(self, order: Order, execution: Execution | None) -> None:
        account, contract = order.ticket.account, order.ticket.contract
        for session in self._sessions.values():
            session.tell("orders", "orderUpdate", account.name, order.row())
            if execution is not None:
                session.tell("executions", "executionUpdate", account.name, execution.row())
                held = position_row(account, contract, account.positions[contract], self._cloud.world.market)
                session.tell("positions", "positionUpdate", account.name, held)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take a connection; an older one of the same token is cut."""
        if not self.is_open:
            return web.Response(status=503, text="Service Unavailable")
        token = self._cloud.bearer(request.headers.get("Authorization"))
        if token is None:
            return _refusal({"success": False, "error": "unauthorized"})
        if (refused := self._cloud.without_plan(HANDSHAKE)) is not None:
            return _refusal(refused.body)
        session = Session(request, self._cloud, token)
        await session.ws.prepare(request)
        older = self._sessions.get(token)
        self._sessions[token] = session
        if older is not None:
            self._cut(older, ELSEWHERE_CODE, ELSEWHERE_REASON)
        try:
            await session.run()
        finally:
            if self._sessions.get(token) is session:
                del self._sessions[token]
        return session.ws

    def give_away(self) -> None:
        """Cut every connection as if another program had opened one with its token."""
        for session in self._sessions.values():
            self._cut(session, ELSEWHERE_CODE, ELSEWHERE_REASON)

    def set_open(self, *, open_now: bool) -> None:
        """Take connections again, or close those that there are and refuse new ones."""
        self.is_open = open_now
        for session in () if open_now else self._sessions.values():
            self._cut(session, WSCloseCode.GOING_AWAY, "Service restart")

    def _cut(self, session: Session, code: int, reason: str) -> None:
        cut = asyncio.create_task(session.ws.close(code=code, message=reason.encode()))
        self._cuts.add(cut)
        cut.add_done_callback(self._cuts.discard)

    async def close(self) -> None:
        """Close every connection, as a server that goes down does."""
        closing = [one.ws.close(code=WSCloseCode.GOING_AWAY) for one in self._sessions.values()]
        await asyncio.gather(*closing, *self._cuts, return_exceptions=True)


def _refusal(body: object) -> web.Response:
    return web.Response(status=401, text=dumps(body), content_type="application/json")


def _pnl_row(account: Account, unrealised: Decimal) -> dict[str, Any]:
    return {
        "account": account.name,
        "pnl": account.realised,
        "unrealized": unrealised,
        "total": account.realised + unrealised,
        "netliq": account.cash + unrealised,
        "poscount": len(account.open_positions()),
    }
