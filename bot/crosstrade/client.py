"""``CrossTrade``: the broker, as the desk sees it, over REST or with its writes over the WebSocket.

Here the parts meet: budget, transport, the table of outcomes, the reading of rows. Reads always travel by REST, whose paths are
documented, while the RPC names of most reads are not; both draw on one budget. Nothing here decides whether to trade.
"""

import logging
from collections.abc import Callable, Coroutine
from copy import copy
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from bot.crosstrade import requests, wire
from bot.crosstrade.budget import Budget, Priority
from bot.crosstrade.calls import Call, call_of
from bot.crosstrade.errors import (
    BUDGET_SPENT,
    EXPECTED,
    Reply,
    outcome_of_failure,
    outcome_of_reply,
    park_seconds,
    problem_of_failure,
    problem_of_reply,
    says_no_order,
    sentence_of,
)
from bot.crosstrade.jsontext import dumps
from bot.crosstrade.link import Gauge, Link
from bot.crosstrade.redaction import Redactor
from bot.crosstrade.rest import USUAL, Rest, Timeouts, open_session
from bot.crosstrade.stream import BACKOFF, Stream
from bot.errors import BrokerRefused, BrokerUnreachable
from bot.trading.facts import Account, Execution, Order, Position, Quote
from bot.trading.instruments import Contract, Root
from bot.trading.intents import Intent
from bot.trading.outcomes import NotSent, Outcome

log = logging.getLogger(__name__)


class Transport(StrEnum):
    """How orders travel."""

    REST = "rest"
    WEBSOCKET = "websocket"


class CrossTrade:
    """The CrossTrade client; an async context manager that owns its session and its socket.

    Reads raise ``BrokerUnreachable``, ``BrokerRefused`` or ``BrokerGarbled``. Writes raise nothing but ``CancelledError``: they
    return an outcome, and are sent once. No text that comes from here holds the token.

    Args:
        url: scheme and host; REST is under ``/v1/api``, the stream under ``/ws/stream``.
        token: the user's bearer token. Only one WebSocket may live with it: a second one cuts the first.
        transport: how orders travel; with the WebSocket, one that can't be put on an open socket is not sent.
        rate, burst: the request budget, per second and at once.
        timeouts: seconds for connecting, reads and writes.
        clock: now, aware UTC.
        new_id: an id that was never given before, for each RPC.
        backoff: seconds before each attempt to connect the socket again; the last one repeats.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        transport: Transport | str = Transport.REST,
        rate: float = 3.0,
        burst: int = 20,
        timeouts: Timeouts = USUAL,
        backoff: tuple[float, ...] = BACKOFF,
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._clock = clock
        self._new_id = new_id
        self._transport = Transport(transport)
        self._timeouts = timeouts
        self._backoff = backoff
        self._budget = Budget(rate, burst)
        self._clean = Redactor(token)
        self._gauge = Gauge(clock)
        self._reads_as = Priority.READ
        self._stream: Stream | None = None
        self._rest: Rest

    async def __aenter__(self) -> Self:
        self._session = open_session(self._token, self._timeouts)
        self._fresh = open_session(self._token, self._timeouts, keep=False)
        self._rest = Rest(self._session, self._url, self._clock, self._timeouts, self._fresh)
        if self._transport is Transport.WEBSOCKET:
            self._stream = Stream(
                self._session,
                self._url,
                clock=self._clock,
                new_id=self._new_id,
                clean=self._clean,
                seconds=self._timeouts.write,
                backoff=self._backoff,
            )
            self._stream.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None:
            await self._stream.close()
        await self._session.close()
        await self._fresh.close()

    @property
    def link(self) -> Link:
        """Whether CrossTrade and NinjaTrader can be reached: the socket's state first, then what the last call met."""
        if self._stream is not None and not self._stream.link.up:
            return self._stream.link
        return self._gauge.link

    @property
    def stream(self) -> Stream | None:
        """The WebSocket, where orders travel by it."""
        return self._stream

    @property
    def in_background(self) -> "CrossTrade":
        """The same client, whose reads give way to those that somebody waits for."""
        quiet = copy(self)
        quiet._reads_as = Priority.BACKGROUND  # noqa: SLF001  it is one of ours
        return quiet

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts; each may hold its name only (GET List accounts; item shape inferred)."""
        return wire.read_accounts(await self._read(requests.accounts_path))

    async def account(self, name: str) -> Account:
        """One account with the day's profit and loss in its currency (GET Get account, mid)."""
        return wire.read_account(await self._read(lambda: requests.account_path(name)), name)

    async def positions(self, account: str) -> tuple[Position, ...]:
        """The open futures positions, quantities signed (GET List positions, mid; empty when flat inferred)."""
        return wire.read_positions(await self._read(lambda: requests.positions_path(account)), account)

    async def orders(self, account: str, *, active_only: bool) -> tuple[Order, ...]:
        """The futures orders of an account (GET List orders; fields of GET Get order; seen by others)."""
        return wire.read_orders(await self._read(lambda: requests.orders_path(account, active_only=active_only)), account)

    async def order(self, account: str, order_id: str) -> Order | None:
        """One order by any of its ids, ``None`` for 404 and for 400 "not found" (GET Get order; 404 inferred)."""
        reply = await self._ask(lambda: requests.order_path(account, order_id))
        if says_no_order(reply):
            return None
        return wire.read_order(self._body(reply), account)

    async def executions(self, account: str) -> tuple[Execution, ...]:
        """The fills of the last 15 minutes (GET List executions, old; the side is inferred)."""
        return wire.read_executions(await self._read(lambda: requests.executions_path(account)), account)

    async def quote(self, instrument: Contract | Root) -> Quote:
        """The quote, of the front month for a root (GET Quote of the market service, mid)."""
        return wire.read_quote(await self._read(lambda: requests.quote_path(instrument)), instrument)

    async def atm_templates(self) -> tuple[str, ...]:
        """The names of NinjaTrader's ATM templates, of no account in particular (GET atm-templates; seen by others)."""
        return wire.read_templates(await self._read(requests.atm_templates_path))

    async def send(self, intent: Intent, *, deadline: datetime) -> Outcome:
        """Make the one call that an intent stands for, once, over the transport for orders.

        Args:
            intent: what to do; ``bot.crosstrade.calls`` says which endpoint that is.
            deadline: until when to wait for the request budget. Ways out go first there, and a part of it is kept for them.
        """
        try:
            call = call_of(intent)
        except ValueError:
            log.exception("an order could not be put into words for CrossTrade")
            return NotSent("This order can't be put into words for CrossTrade.")
        patience = (deadline - self._clock()).total_seconds()
        if not await self._budget.acquire(call.priority, self._budget.now() + patience):
            return NotSent(BUDGET_SPENT)
        answer = await self._attempt(call.api, self._on_its_way(call))
        if isinstance(answer, Reply):
            return outcome_of_reply(answer, self._clean, gives_id=call.gives_id)
        return outcome_of_failure(answer)

    def _on_its_way(self, call: Call) -> Coroutine[None, None, Reply]:
        if self._stream is not None:
            return self._stream.call(call.api, call.account, {**call.named, **call.body})
        return self._rest.write(call.method, call.path, dumps(call.body))

    async def _read(self, path: Callable[[], str]) -> object:
        return self._body(await self._ask(path))

    async def _ask(self, path: Callable[[], str]) -> Reply:
        try:
            target = path()
        except ValueError:
            raise BrokerRefused(400, "Nothing at CrossTrade can have that name.") from None
        if not await self._budget.acquire(self._reads_as, self._budget.now() + self._timeouts.read):
            raise BrokerUnreachable(BUDGET_SPENT)
        answer = await self._attempt("a read", self._rest.get(target))
        if isinstance(answer, Reply):
            return answer
        raise problem_of_failure(answer)

    async def _attempt(self, what: str, call: Coroutine[None, None, Reply]) -> Reply | Exception:
        """Make one call and give what came of it; the caller's table reads it."""
        try:
            reply = await call
        except EXPECTED as error:
            log.warning("%s had no answer: %s", what, type(error).__name__)
            lost: Exception = error
        except Exception as error:
            # Whatever a library may raise, an order that may have left has an outcome.
            log.exception("%s met what was not expected", what)
            lost = error
        else:
            self._heed(reply)
            return reply
        self._gauge.fell(sentence_of(lost))
        return lost

    def _body(self, reply: Reply) -> object:
        problem = problem_of_reply(reply, self._clean)
        if problem is not None:
            raise problem
        return reply.body

    def _heed(self, reply: Reply) -> None:
        seconds = park_seconds(reply)
        if seconds is not None:
            self._budget.park(seconds)
            return
        self._gauge.answered(reply, self._clean)
