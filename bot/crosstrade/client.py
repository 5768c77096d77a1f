"""``CrossTrade``: the broker, as the desk sees it, over REST or with its writes over the WebSocket.

Here the parts meet: budget, transport, the table of outcomes, the reading of rows. Reads always travel by REST, whose paths are
documented, while the RPC names of most reads are not; both draw on one budget. A price that the stream has just pushed spares
its read, whichever way orders travel. Nothing here decides whether to trade.
"""

import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from types import TracebackType
from typing import Self

from bot.clock import Clock
from bot.crosstrade import requests, wire
from bot.crosstrade.budget import Budget
from bot.crosstrade.calls import Call, call_of
from bot.crosstrade.endpoints import ENDPOINTS, Trust
from bot.crosstrade.errors import (
    BUDGET_SPENT,
    EXPECTED,
    NeverLeft,
    NoStream,
    Reply,
    outcome_of_failure,
    outcome_of_reply,
    park_seconds,
    problem_of_failure,
    problem_of_reply,
    says_no_call,
    says_none,
    sentence_of,
)
from bot.crosstrade.feed import Feed, Tell
from bot.crosstrade.history import BarsBody, bars_path, read_bars
from bot.crosstrade.jsontext import dumps
from bot.crosstrade.known import Flying, Known
from bot.crosstrade.link import Gauge, Link
from bot.crosstrade.reading import Path, judged
from bot.crosstrade.redaction import Excerpt
from bot.crosstrade.rest import Rest, WhyNot, never_why, open_session
from bot.crosstrade.stream import Stream
from bot.dates import Dates
from bot.errors import BrokerRefused, BrokerUnreachable
from bot.timings import USUAL, CrossTradeTimings
from bot.trading.health.vitals import StreamState, Vitals
from bot.trading.market.bars import Bars, Period
from bot.trading.market.facts import Day, Execution, Order
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Action
from bot.trading.orders.outcomes import NotSent, Outcome
from bot.transport import Transport

log = logging.getLogger(__name__)
# RPCs whose names are on no page of the vendor's: the paths of the same calls are.
UNSURE_NAMES = frozenset(one.rpc for one in ENDPOINTS if one.is_write and one.rpc_from is not Trust.PAGE)
ENTRIES_WAIT = "Ways out go by REST meanwhile, entries only with entries_fall_back = true in the policy file."


class CrossTrade(Known):
    """The CrossTrade client; an async context manager that owns its session and its socket.

    Reads raise what ``Reading`` says of all of them, and nothing else. Writes raise nothing but ``CancelledError``: they return
    an outcome, and are sent once. No text that comes from here holds the token. What is read is in the units of
    ``bot.trading``: times aware and UTC, contracts as whole numbers, prices in price units, money in the account's currency.

    Args:
        url: scheme and host; REST is under ``/v1/api``, the stream under ``/ws/stream``.
        token: the user's bearer token. Only one WebSocket may live with it: a second one cuts the first.
        transport: how orders travel; with the WebSocket, what can't be put on an open socket goes by REST or is not sent.
        streamed: whether to hold the stream. Whoever only has a look leaves it to the program that holds it.
        rate, burst: the request budget, per second and at once.
        timings: how long is waited for what.
        clock: the desk's; the times of what decisions rest on are in it, all others as CrossTrade stamps them.
        new_id: an id that was never given before, for each RPC.
        entries_fall_back: whether an entry that can't be put on the socket goes by REST; a way out always does.
        why_not: asked as the last thing before an order leaves; what it says stands in the way, and the order is not sent.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        transport: Transport | str = Transport.REST,
        streamed: bool = True,
        rate: float = 3.0,
        burst: int = 20,
        timings: CrossTradeTimings = USUAL.crosstrade,
        entries_fall_back: Callable[[], bool] = lambda: False,
        why_not: WhyNot = never_why,
        proxy: str | None = None,
    ) -> None:
        gauge = Gauge(clock)
        super().__init__(gauge, clock, Feed(clock, timings, gauge.rows.note, self.changed), timings)
        self._url = url.rstrip("/")
        self._token = token
        self._dates = Dates(clock)
        self._new_id = new_id
        self._transport = Transport(transport)
        self._streamed = streamed or self._transport is Transport.WEBSOCKET
        self._timings = timings
        self._entries_fall_back = entries_fall_back
        self._why_not = why_not
        self._proxy = proxy
        self._budget = Budget(rate, burst, clock=clock.seconds, timings=timings)
        self._clean = Excerpt(token)
        self._stream: Stream | None = None
        self._rest: Rest

    async def __aenter__(self) -> Self:
        self._session = open_session(self._token, self._timings, proxy=self._proxy)
        self._fresh = open_session(self._token, self._timings, keep=False, proxy=self._proxy)
        self._rest = Rest(self._session, self._url, self._clock, self._dates, self._timings, self._fresh, self._why_not)
        if self._streamed:
            self._stream = Stream(
                self._session,
                self._url,
                clock=self._clock,
                new_id=self._new_id,
                clean=self._clean,
                listener=self._feed,
                needed=self._transport is Transport.WEBSOCKET,
                timings=self._timings,
                why_not=self._why_not,
            )
            self._stream.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None:
            await self._stream.close()
        await self._flights.close()
        await self._session.close()
        await self._fresh.close()

    @property
    def link(self) -> Link:
        """Reachability of CrossTrade and NinjaTrader: the socket where entries need it, then what the last call met."""
        stream = None if self._entries_fall_back() else self._orders_stream
        if stream is not None and not stream.link.up:
            return stream.link
        return self._gauge.link

    def vitals(self) -> Vitals:
        """State of this client's own links, as it knows it just now; it asks nothing, waits for nothing and raises nothing.

        Its times are UTC. A moment is that of receipt, of a pushed price (WebSocket page, item keys inferred) too.
        """
        link, stream = self._gauge.link, self._stream
        return Vitals(
            link.reach,
            link.why,
            link.good_at,
            _state_of(stream),
            "" if stream is None else stream.link.why,
            None if stream is None else stream.link.since,
            self._orders_stream is not None,
            self._budget.left,
            self._feed.priced_at,
            self._entries_fall_back(),
            self._gauge.garbled,
            self._dates.ahead,
            self._gauge.rows.lately,
            self._budget.spending,
        )

    @property
    def stream(self) -> Stream | None:
        """The WebSocket, unless this client leaves it to another program."""
        return self._stream

    @property
    def _orders_stream(self) -> Stream | None:
        return self._stream if self._transport is Transport.WEBSOCKET else None

    @judged("order")
    async def order(self, account: str, order_id: str) -> Order | None:
        """One order by any of its ids, in the units of ``orders``: contracts, price units, UTC (GET Get order, old).

        ``None`` for 404 (inferred) and for 400 "not found". That alone proves nothing: a live order that has no ATM strategy
        may not be found by the id that it was placed with (seen by others).
        """
        reply = await self._ask(lambda: requests.order_path(account, order_id))
        if says_none(reply, "order"):
            return None
        return wire.read_order(self._body(reply), account, self._today())

    @judged("executions")
    async def executions(self, account: str) -> tuple[Execution, ...]:
        """The futures fills of the last 15 minutes: contracts without a sign, prices in price units, times UTC.

        Source: GET List executions (old; which side is which is inferred). Its look-back is in seconds, and 900 is the most.
        """
        return self._filled(await self._read(lambda: requests.executions_path(account)), account)

    def day(self, account: str) -> Day | None:
        """An account's profit and loss as the stream has just pushed it; ``None`` when it has to be read. It raises nothing.

        In the account's currency, a loss negative; its time is UTC. The stream is asked for it as long as somebody asks here or a
        position is held (WebSocket page; item keys inferred).
        """
        return self._feed.day(account)

    def listen(self, tell: Tell) -> None:
        """Have told of every account in which something may just have changed; ``None`` stands for all of them.

        What changed, if anything did, only a read can tell: events get lost, doubled and out of order (WebSocket page, for
        Tradovate; that NinjaTrader's accounts have any is inferred).
        """
        self._feed.listen(tell)

    @judged("bars")
    async def bars(self, contract: Contract, period: Period, most: int) -> Bars:
        """The newest bars of a contract (POST Historical bars, mid).

        Prices in price units, volumes in contracts, times UTC and those of each bar's end. It is waited for 45 s, longer than
        for any other read, as NinjaTrader may have to fetch them first (so in the code of others).

        Args:
            contract: of what.
            period: how long each bar lasts.
            most: bars at most.
        """
        body = dumps(BarsBody.of(contract, period, most).fields())
        return read_bars(self._body(await self._ask(bars_path, body)), contract, period, most, self._today())

    async def send(self, action: Action, *, deadline: datetime) -> Outcome:
        """Make the one call that an action stands for, once, over the transport for orders; it raises only ``CancelledError``.

        Args:
            action: what to do; its own docstring names the vendor's page, and ``bot.crosstrade.calls`` makes it a call.
            deadline: until when to wait for the request budget, aware UTC. Ways out go first there, and a part of it is kept for
                them. How long the answer is waited for is not its business: that is ``Timeouts.write``.

        Returns:
            ``Accepted``: submitted, not filled. ``Rejected``: proved to have done nothing. ``NotSent``: it can't be put into
            words, the budget had no turn for it, no connection stood, or ``why_not`` spoke. ``Unknown``: anything else, HTTP 408
            and 5xx among it, as late answers to calls that did go through look the same.
        """
        try:
            call = call_of(action)
        except ValueError:
            log.exception("an order could not be put into words for CrossTrade")
            return NotSent("This order can't be put into words for CrossTrade.")
        patience = (deadline - self._clock()).total_seconds()
        if not await self._budget.acquire(call.priority, self._budget.now() + patience):
            return NotSent(BUDGET_SPENT)
        may_fall_back = action.is_exit or self._entries_fall_back()
        self.changed(call.account)
        try:
            answer = await self._attempt(call.api, self._on_its_way(call, may_fall_back=may_fall_back))
        finally:
            # What was asked for meanwhile may tell of the time before.
            self.changed(call.account)
        if isinstance(answer, Reply):
            return outcome_of_reply(answer, self._clean, gives_id=call.gives_id)
        return outcome_of_failure(answer)

    async def _on_its_way(self, call: Call, *, may_fall_back: bool) -> Reply:
        """Put it on the one transport, once; on the other only where none of it was put on the first, or nobody took it there."""
        if self._orders_stream is not None and call.api not in self._lacking:
            try:
                reply = await self._orders_stream.call(call.api, call.account, {**call.named, **call.body})
            except NoStream as error:
                if not may_fall_back:
                    raise NoStream(f"{error} {ENTRIES_WAIT}") from None
                log.warning("%s goes by REST: %s", call.api, error)
            else:
                if call.api not in UNSURE_NAMES or not says_no_call(reply):
                    return reply
                # Nobody has taken it: the add-on knows no such name, which is on no page; the path of REST is.
                log.warning("%s goes by REST: CrossTrade has no RPC of that name", call.api)
                self._lacking.add(call.api)
        return await self._rest.write(call.method, call.path, dumps(call.body))

    async def _ask(self, path: Path, body: str | None = None, flight: Flying | None = None) -> Reply:
        try:
            target = path()
        except ValueError:
            raise BrokerRefused(400, "Nothing at CrossTrade can have that name.") from None
        if not await self._budget.acquire(self._reads_as, self._budget.now() + self._timings.read):
            raise BrokerUnreachable(BUDGET_SPENT)
        if flight is not None:
            flight.asked = self._snapshot.asked(self._clock())
        reading = self._rest.get(target) if body is None else self._rest.query(target, body)
        answer = await self._attempt("a read", reading, is_read=True)
        if isinstance(answer, Reply):
            return answer
        raise problem_of_failure(answer)

    async def _attempt(self, what: str, call: Coroutine[None, None, Reply], *, is_read: bool = False) -> Reply | Exception:
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
            self._heed(reply, is_read=is_read)
            return reply
        # What never left says nothing of who was to have it.
        if not isinstance(lost, NeverLeft):
            self._gauge.fell(sentence_of(lost))
        return lost

    def _body(self, reply: Reply) -> object:
        problem = problem_of_reply(reply, self._clean)
        if problem is not None:
            raise problem
        return reply.body

    def _heed(self, reply: Reply, *, is_read: bool) -> None:
        self._clock.measured(self._dates.theirs)
        seconds = park_seconds(reply)
        if seconds is not None:
            self._budget.park(seconds)
            return
        self._gauge.answered(reply, self._clean, is_read=is_read)


def _state_of(stream: Stream | None) -> StreamState:
    if stream is None:
        return StreamState.UNUSED
    if stream.stopped:
        return StreamState.TAKEN
    return StreamState.OPEN if stream.link.up else StreamState.CLOSED
