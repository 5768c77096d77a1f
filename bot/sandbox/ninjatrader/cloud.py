"""The CrossTrade cloud between the client and the add-on: token, budget, faults, and the log of what came in.

REST and RPC both pass through here; how a reply travels is theirs.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from .calls import Ask, Call
from .faults import Faults, Kind, Rule
from .limits import TokenBucket
from .wire import ApiError, Args, dumps
from .world import World

CAPACITY, RATE = 20, 3
NOT_READY = {"success": False, "error": "Client not ready"}
BROKEN_TEXT = '{"success": true, "orderId": "'


@dataclass(slots=True)
class Reply:
    """What goes back. `text` None and a `lost` reason: nothing does."""

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
    """The gates, in order: token, budget, faults, add-on. `world` is replaced by a reset."""

    world: World
    faults: Faults
    token: str | None
    rate_limited: bool
    monotonic: Callable[[], float] = time.monotonic
    received: list[Received] = field(default_factory=list)
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)

    def bearer(self, header: str | None) -> str | None:
        """Give the token of an Authorization header if it is good, None otherwise."""
        scheme, _, token = (header or "").partition(" ")
        token = token.strip()
        if scheme.casefold() != "bearer" or not token or self.token not in (None, token):
            return None
        return token

    def over_budget(self, token: str) -> Reply | None:
        """Spend one request of the token's budget; the 429 if there is none left."""
        if not self.rate_limited:
            return None
        bucket = self._buckets.setdefault(token, TokenBucket(CAPACITY, RATE, self.monotonic))
        wait = bucket.take()
        return _rate_limited(wait) if wait else None

    def forget(self) -> None:
        """Empty the log and fill the budgets."""
        self.received.clear()
        self._buckets.clear()

    def note(self, call: Call, *, transport: str, path: str, headers: Mapping[str, str], text: str, body: object) -> Received:
        """Make the record of a request; only those that could change something are kept."""
        shown = {key: value for key, value in headers.items() if key.casefold() != "authorization"}
        record = Received(self.world.clock(), transport, call.name, path, shown, text, body)
        if call.is_trading:
            self.received.append(record)
        return record

    async def perform(self, call: Call, args: Mapping[str, Any], record: Received) -> Reply:
        """Do a call, or what the faults make of it, and note how it ended."""
        delay, trouble = self.faults.take(call.name, Kind.DELAY), self._trouble(call)
        if delay is not None and not delay.effect:
            await asyncio.sleep(delay.seconds or 0)
        if trouble is not None and not (trouble.effect or trouble.kind is Kind.GARBAGE):
            reply = _spoilt(trouble)
        else:
            reply = await self._work(call, args, record)
            if trouble is not None:
                reply = _spoilt(trouble)
        if delay is not None and delay.effect:
            await asyncio.sleep(delay.seconds or 0)
        record.status = None if reply.lost else reply.status
        return reply

    def _trouble(self, call: Call) -> Rule | None:
        if call.needs_addon and (rule := self.faults.take(call.name, Kind.OFFLINE)):
            return rule
        kinds = (Kind.DROP, Kind.RESET, Kind.TIMEOUT, Kind.RATE_LIMIT, Kind.ANSWER, Kind.GARBAGE)
        return next((rule for kind in kinds if (rule := self.faults.take(call.name, kind))), None)

    async def _work(self, call: Call, args: Mapping[str, Any], record: Received) -> Reply:
        ask = Ask(call.name, Args(args), self.world, self.faults, is_rpc=record.transport == "rpc")
        try:
            reply = Reply(HTTPStatus.OK, await call.handler(ask))
            record.had_effect = call.is_trading
        except ApiError as error:
            body = error.body
            if ask.take(Kind.BARE):
                body = {"error": body.get("detail", body["error"])}
            reply = Reply(error.status, body)
        drip = ask.take(Kind.DRIP)
        reply.drip = None if drip is None else drip.seconds
        return reply


def _rate_limited(wait: int) -> Reply:
    body = {"success": False, "error": "rate_limited", "retryAfter": wait}
    return Reply(HTTPStatus.TOO_MANY_REQUESTS, body, retry_after=wait)


def _spoilt(rule: Rule) -> Reply:
    if rule.kind in {Kind.DROP, Kind.RESET}:
        return Reply(0, lost=rule.kind)
    if rule.kind in {Kind.TIMEOUT, Kind.OFFLINE}:
        return Reply(HTTPStatus.REQUEST_TIMEOUT, NOT_READY)
    if rule.kind is Kind.RATE_LIMIT:
        return _rate_limited(math.ceil(rule.seconds or 1))
    if rule.kind is Kind.GARBAGE:
        return Reply(HTTPStatus.OK, text=BROKEN_TEXT)
    return Reply(rule.status, rule.body, text=rule.body if isinstance(rule.body, str) else None)
