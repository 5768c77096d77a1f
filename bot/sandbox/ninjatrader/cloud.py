"""The CrossTrade cloud between the client and the add-on: token, budget, faults, and the log of what came in.

REST and RPC both pass through here; how a reply travels is theirs.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from .calls import Ask, Call
from .faults import Faults, Kind, Rule
from .limits import TokenBucket
from .wire import ApiError, Args, dumps
from .world import World

CAPACITY, RATE = 20, 3
# The limiter that some have met instead of the 429: two quick calls, and then one in twenty seconds without waiting.
QUICK_CALLS, QUICK_RATE = 2, 1 / 20
SLOWED_LEAST, SLOWED_MOST = 5.0, 16.0
HANDSHAKE = "handshake"
NOT_READY = {"success": False, "error": "Client not ready"}
BROKEN_TEXT = '{"success": true, "orderId": "'


@dataclass(slots=True)
class Reply:
    """The reply that goes back. `text` None and a `lost` reason: nothing does."""

    status: int
    body: Any = None
    text: str | None = None
    lost: Kind | None = None
    retry_after: int | None = None
    drip: float | None = None

    @property
    def payload(self) -> str:
        """The body as it goes out."""
        return dumps(self.body) if self.text is None else self.text


@dataclass(slots=True)
class Received:
    """One request that could change something, as it came in. `status` None: no answer went back (yet)."""

    time: datetime
    transport: str
    call: str
    path: str
    headers: Mapping[str, str]
    text: str
    body: Any
    status: int | None = None
    had_effect: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give it as /control/book shows it."""
        return {
            "time": self.time.isoformat(),
            "transport": self.transport,
            "call": self.call,
            "path": self.path,
            "headers": dict(self.headers),
            "text": self.text,
            "body": self.body,
            "status": self.status,
            "hadEffect": self.had_effect,
        }


@dataclass(slots=True)
class Cloud:
    """The gates, in order: token, budget, faults, add-on. `world` is replaced by a reset.

    `rate_limited` and `account_events` may be switched at any time. `asked` counts the requests that a good token came with, by
    call, whatever became of them; `over` those of them for which there was no budget left.
    """

    world: World
    faults: Faults
    token: str | None
    rate_limited: bool
    account_events: bool = False
    monotonic: Callable[[], float] = time.monotonic
    date_ahead: float = 0.0
    received: list[Received] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    over: int = 0
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)
    _quick: dict[str, TokenBucket] = field(default_factory=dict)
    _late: set[asyncio.Task[Reply]] = field(default_factory=set)

    def dated(self) -> datetime:
        """Give what the cloud's own clock says, which stamps its answers and nothing of NinjaTrader's."""
        return (self.world.clock() + timedelta(seconds=self.date_ahead)).astimezone(UTC)

    def bearer(self, header: str | None) -> str | None:
        """Give the token of an Authorization header if it is good, None otherwise."""
        scheme, _, token = (header or "").partition(" ")
        token = token.strip()
        if scheme.casefold() != "bearer" or not token or self.token not in (None, token):
            return None
        return token

    def over_budget(self, token: str, call: str) -> Reply | None:
        """Count a request and spend it of the token's budget; the 429 if there is none left."""
        self.asked[call] += 1
        if not self.rate_limited or self.faults.has(call, Kind.SLOW_LIMIT):
            return None
        bucket = self._buckets.setdefault(token, TokenBucket(CAPACITY, RATE, self.monotonic))
        shared = self.faults.take(call, Kind.SHARED)
        wait = bucket.take(0 if shared is None else shared.quantity)
        if not wait:
            return None
        self.over += 1
        return self._rate_limited(call, wait)

    def without_plan(self, call: str) -> Reply | None:
        """Give the 401 that says so, if the plan has no API now."""
        body = {"success": False, "error": "api_requires_pro"}
        return Reply(HTTPStatus.UNAUTHORIZED, body) if self.faults.take(call, Kind.NO_PLAN) else None

    def forget(self) -> None:
        """Empty the log and the counts, fill the budgets, and drop the requests that are still on their way to the add-on."""
        self.received.clear()
        self.asked.clear()
        self.over = 0
        self._buckets.clear()
        self._quick.clear()
        for task in self._late:
            task.cancel()

    async def close(self) -> None:
        """Leave nothing running."""
        late = tuple(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def note(self, call: Call, *, transport: str, path: str, headers: Mapping[str, str], text: str, body: object) -> Received:
        """Make the record of a request; only those that could change something are kept."""
        is_kept = call.is_trading
        shown = {key: value for key, value in headers.items() if key.casefold() != "authorization"} if is_kept else {}
        record = Received(self.world.clock(), transport, call.name, path, shown, text, body)
        if is_kept:
            self.received.append(record)
        return record

    async def perform(self, call: Call, args: Mapping[str, Any], record: Received, token: str) -> Reply:
        """Do a call, or what the faults make of it, and note how it ended."""
        # What strikes a request is settled as it arrives, however long it is then held up.
        delay, refused = self.faults.take(call.name, Kind.DELAY), self._refused(call, record.transport)
        trouble = None if refused else self._trouble(call)
        await self._hold_up(call, token)
        if delay is not None and not delay.effect:
            await asyncio.sleep(delay.seconds or 0)
        reply = refused or await self._answered(call, args, record, trouble)
        if delay is not None and delay.effect:
            await asyncio.sleep(delay.seconds or 0)
        record.status = None if reply.lost else reply.status
        return reply

    async def _hold_up(self, call: Call, token: str) -> None:
        """Let the quiet limiter have its way."""
        rule = self.faults.take(call.name, Kind.SLOW_LIMIT)
        if rule is not None:
            quick = self._quick.setdefault(token, TokenBucket(QUICK_CALLS, QUICK_RATE, self.monotonic))
            await asyncio.sleep(self.faults.seconds(rule, SLOWED_LEAST, SLOWED_MOST) if quick.take() else 0)

    def _refused(self, call: Call, transport: str) -> Reply | None:
        """Say no for the plan's sake or the add-on's, or as there is no such call."""
        if (reply := self.without_plan(call.name)) is not None:
            return reply
        if self.faults.take(call.name, Kind.WITHOUT, lambda rule: rule.body in {None, transport}):
            return (
                unknown_command(call.name)
                if transport == "rpc"
                else wrong_path(f"No endpoint {call.method} {call.path}", "GET accounts")
            )
        if call.needs_addon and self.faults.take(call.name, Kind.OFFLINE):
            return Reply(HTTPStatus.REQUEST_TIMEOUT, NOT_READY)
        if call.is_newer and self.faults.take(call.name, Kind.OLD_ADDON):
            return unknown_command(call.name)
        return None

    def _trouble(self, call: Call) -> Rule | None:
        kinds = (Kind.DROP, Kind.RESET, Kind.TIMEOUT, Kind.LATE, Kind.RATE_LIMIT, Kind.ANSWER, Kind.GARBAGE)
        return next((rule for kind in kinds if (rule := self.faults.take(call.name, kind))), None)

    async def _answered(self, call: Call, args: Mapping[str, Any], record: Received, trouble: Rule | None) -> Reply:
        if trouble is None:
            return await self._work(call, args, record)
        if trouble.kind is Kind.LATE and trouble.effect:
            self.world.exchange.scheduler.after(trouble.seconds or 0, lambda: self._begin_late(call, args, record))
        elif trouble.effect or trouble.kind is Kind.GARBAGE:
            await self._work(call, args, record)
        return self._spoilt(trouble, call)

    def _begin_late(self, call: Call, args: Mapping[str, Any], record: Received) -> None:
        task = asyncio.create_task(self._work(call, args, record))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _work(self, call: Call, args: Mapping[str, Any], record: Received) -> Reply:
        ask = Ask(call.name, Args(args), self.world, self.faults, is_rpc=record.transport == "rpc")
        try:
            body = await call.handler(ask)
            record.had_effect = call.is_trading
            reply = Reply(HTTPStatus.OK, self._nested(call, self.world.respelt(body)))
        except ApiError as error:
            record.had_effect = error.done
            reply = Reply(error.status, _bare(error.body) if ask.take(Kind.BARE) else error.body)
        drip = ask.take(Kind.DRIP)
        reply.drip = None if drip is None else drip.seconds
        return reply

    def _nested(self, call: Call, body: Any) -> Any:
        rule = self.faults.take(call.name, Kind.NESTED)
        if rule is None:
            return body
        inner = {name: value for name, value in body.items() if name != "success"} if isinstance(body, dict) else body
        return {"success": True, rule.body or "data": inner}

    def _rate_limited(self, call: str, wait: int) -> Reply:
        if self.faults.take(call, Kind.OLD_LIMIT):
            return Reply(HTTPStatus.TOO_MANY_REQUESTS, {"error": "Rate limit exceeded"})
        body = {"success": False, "error": "rate_limited", "retryAfter": wait}
        return Reply(HTTPStatus.TOO_MANY_REQUESTS, body, retry_after=wait)

    def _spoilt(self, rule: Rule, call: Call) -> Reply:
        match rule.kind:
            case Kind.DROP | Kind.RESET:
                return Reply(0, lost=rule.kind)
            case Kind.TIMEOUT | Kind.LATE:
                return Reply(HTTPStatus.REQUEST_TIMEOUT, NOT_READY)
            case Kind.RATE_LIMIT:
                return self._rate_limited(call.name, math.ceil(rule.seconds or 1))
            case Kind.GARBAGE:
                return Reply(HTTPStatus.OK, text=BROKEN_TEXT)
            case _:
                return Reply(rule.status, rule.body, text=rule.body if isinstance(rule.body, str) else None)


def wrong_path(detail: str, near: str) -> Reply:
    """CrossTrade's answer to a path that it doesn't have (structured 404, official; other keys inferred)."""
    return Reply(HTTPStatus.NOT_FOUND, {"success": False, "error": "not_found", "detail": detail, "did_you_mean": near})


def unknown_command(name: object) -> Reply:
    """An add-on's answer to a function that it does not have; the status is inferred."""
    return Reply(HTTPStatus.BAD_REQUEST, {"error": f"Unknown API command: {name}"})


def _bare(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": body.get("detail", body["error"])}
