"""The reads that only show something to people: no order is decided by them. Those that decisions need are the client's own.

All are GET. Pages of the vendor go by the names of the table in ``endpoints``; "old", "mid" and "new" say how far one can be
trusted. What is inferred, or was seen in the code of others only, says so.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import date
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from bot.clock import STEP, Clock
from bot.crosstrade import paths, wire
from bot.crosstrade.errors import Clean, Reply, says_no_position, says_none
from bot.crosstrade.flights import Flight
from bot.crosstrade.link import Gauge
from bot.crosstrade.snapshot import Key, What
from bot.errors import BrokerGarbled, BrokerLacks, BrokerPartly, BrokerRefused
from bot.trading.market.facts import Execution, Order, OtherFill, OtherOrder, OtherPosition, Others, Position, Quote, Strategy
from bot.trading.market.funds import Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.market.session import Session
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import OrderState

Path = Callable[[], str]
# Paths without a name in them, so that a 404 of any form says that they aren't there.
_OF_NOTHING = frozenset({"all orders", "atm templates"})
NOT_THERE = "CrossTrade has no such call, as it said before."


Read = TypeVar("Read")
Shared = TypeVar("Shared")
Given = ParamSpec("Given")


class Judge(Protocol):
    """Keeper of the gauge that notes whether answers can be read."""

    _gauge: Gauge


Judging = TypeVar("Judging", bound=Judge)


def judged(
    what: str,
) -> Callable[
    [Callable[Concatenate[Judging, Given], Coroutine[Any, Any, Read]]],
    Callable[Concatenate[Judging, Given], Coroutine[Any, Any, Read]],
]:
    """Note of each answer to such a call whether it could be read; one that could be parsed need not be what was asked for."""

    def noting(
        read: Callable[Concatenate[Judging, Given], Coroutine[Any, Any, Read]],
    ) -> Callable[Concatenate[Judging, Given], Coroutine[Any, Any, Read]]:
        @wraps(read)
        async def noted(self: Judging, /, *given: Given.args, **named: Given.kwargs) -> Read:
            try:
                found = await read(self, *given, **named)
            except BrokerPartly as error:
                for text in error.unread:
                    self._gauge.rows.note(text)
                self._gauge.understood(what)
                raise
            except BrokerGarbled as error:
                self._gauge.unreadable(what, str(error))
                raise
            self._gauge.understood(what)
            return found

        return noted

    return noting


class Reading(ABC):
    """Reads for those who look; mixed into the client, whose way to the wire they share.

    What is said here of errors holds for every read of the client, those that decisions need among them. None is repeated.

    Raises:
        BrokerUnreachable: no usable answer came: a timeout, HTTP 408 with NinjaTrader away, 429, 3xx, 5xx, or a request budget
            that was used up before there was a turn.
        BrokerRefused: CrossTrade's own no, with its HTTP status: any other 4xx, the token's 401 among them, or a 2xx whose body
            says so. A name that can't be part of a path is one too, with 400, and isn't sent.
        BrokerLacks: a kind of ``BrokerRefused``: the path isn't there (404 with ``did_you_mean``), or the add-on is too old.
        BrokerGarbled: an answer that can't be read, or is not of what was asked for.
        BrokerPartly: a kind of it: of a list some rows can't be read.
    """

    _clean: Clean

    def __init__(self, gauge: Gauge, clock: Clock) -> None:
        self._gauge = gauge
        self._clock = clock
        self._lacking: set[str] = set()
        # What is no future, by account, as the newest list of each kind told.
        self._others: dict[str, list[OtherPosition]] = {}
        self._other_orders: dict[str, list[OtherOrder]] = {}
        self._other_fills: dict[str, tuple[OtherFill, ...]] = {}

    @abstractmethod
    async def _ask(self, path: Path, body: str | None = None, flight: Flight[object] | None = None) -> Reply:
        """Make one read and give its answer, whatever it says; with a ``body`` it is asked by POST.

        The moment in which it leaves is noted in its ``flight``, if it is one that others may wait for.
        """

    @abstractmethod
    def _told(self, positions: Sequence[Position], flight: Flight[object]) -> None:
        """Take of a list of all positions what it tells of each account."""

    @abstractmethod
    async def _shared(self, key: Key, reading: Callable[[Flight[object]], Awaitable[Shared]], times: int = 1) -> Shared:
        """The value that is known, is being read or is read now."""

    @abstractmethod
    def _body(self, reply: Reply) -> object:
        """The body of an answer that is none of the errors above."""

    @judged("snapshot")
    async def snapshot(self) -> tuple[AccountSummary, ...]:
        """All active accounts, each with its money and its open futures positions (GET Accounts summary, old to mid).

        Money in the account's currency, contracts signed, average prices in price units. The time of the whole is not read.
        """
        return wire.read_snapshot(await self._read(paths.snapshot_path), self._today())

    @judged("position")
    async def position(self, account: str, contract: Contract) -> Position | None:
        """One position (GET Get position, old to mid).

        Signed contracts, the average price in price units, the open result in the account's currency.

        ``None`` says that this call knows of none. That alone never proves that the account is flat: on CrossTrade's other
        surface it answered so while the list showed a position (measured by others). What a flat account answers is unknown,
        so 400 and a flat object are both read as ``None``.
        """
        reply = await self._ask(lambda: paths.position_path(account, contract))
        return None if says_no_position(reply) else wire.read_position(self._body(reply), account, contract, self._today())

    async def all_positions(self) -> tuple[Position, ...]:
        """The open futures positions of every account (GET All positions, mid).

        Signed contracts, average prices in price units, open results in the account's currency.
        """
        return await self._shared(Key(What.ALL_POSITIONS), self._list_all_positions)

    @judged("all positions")
    async def _list_all_positions(self, flight: Flight[object]) -> tuple[Position, ...]:
        body = await self._read(paths.all_positions_path, flight)
        others = wire.read_others(body, None)
        self._others.clear()
        for one in others:
            self._others.setdefault(one.account, []).append(one)
        positions = wire.read_all_positions(body, self._today())
        self._told(positions, flight)
        return positions

    def others(self, account: str) -> Others:
        """Holdings of an account that are no futures, as the newest lists told; it asks nothing and raises nothing."""
        positions, orders = tuple(self._others.get(account, ())), tuple(self._other_orders.get(account, ()))
        return Others(positions, orders, self._other_fills.get(account, ()))

    async def all_orders(self, *, active_only: bool) -> tuple[Order, ...]:
        """The futures orders of every account (GET All orders; the path is inferred, and disputed).

        Contracts without a sign, prices in price units, times UTC. ``active_only`` is that of the list of one account.

        Raises:
            BrokerLacks: there is no such path, which is asked once only; the lists of each account tell the same.
        """
        if active_only:
            return await self._list_all_orders(None, active_only=True)
        return await self._shared(Key(What.ALL_ORDERS), self._list_all_orders)

    @judged("all orders")
    async def _list_all_orders(self, flight: Flight[object] | None, *, active_only: bool = False) -> tuple[Order, ...]:
        body = await self._inferred("all orders", partial(paths.all_orders_path, active_only=active_only), flight)
        others = wire.read_other_orders(body, None)
        self._other_orders.clear()
        for one in others:
            self._other_orders.setdefault(one.account, []).append(one)
        return wire.read_all_orders(body, self._today())

    @judged("order status")
    async def order_status(self, account: str, order_id: str) -> OrderState | None:
        """An order's state alone, by any of its ids (GET Order status; path and reply seen in the code of others).

        ``None`` for 404 and for 400 "not found" (inferred), which prove as little as for ``order``. A state that we don't know is
        ``OrderState.OTHER``.
        """
        reply = await self._ask(lambda: paths.status_path(account, order_id))
        return None if says_none(reply, "order") else wire.read_status(self._body(reply), account)

    @judged("lifecycle")
    async def lifecycle(self, account: str, order_id: str) -> Lifecycle:
        """The story of an order, as the add-on wrote it down in 90 days (GET Order lifecycle, new; add-on 1.13.2 or later).

        Times UTC; contracts and prices in price units where a line tells them (inferred).

        The order may be named by its own id or by the one that it was placed with. The add-on does not look at the account: whose
        order it is stands in the answer. An id that it doesn't know has no lines (inferred).
        """
        body = await self._read(lambda: paths.lifecycle_path(account, order_id))
        return wire.read_lifecycle(body, paths.LIFECYCLE_LINES, self._clean)

    @judged("executions of")
    async def executions_of(self, account: str, order_id: str) -> tuple[Execution, ...]:
        """The fills of one order (GET Executions by order; the path is inferred, its reply is taken for that of the list).

        Contracts without a sign, prices in price units, times UTC.

        Raises:
            BrokerLacks: there is no such path, which is asked once only; the list of the last 15 minutes tells the newest.
        """
        body = await self._inferred("executions by order", lambda: paths.executions_of_path(account, order_id))
        return wire.read_executions(body, account, self._today())

    @judged("execution")
    async def execution(self, account: str, execution_id: str) -> Execution | None:
        """One fill: contracts without a sign, its price in price units, its time UTC (GET Get execution, old).

        ``None`` for 404 and for 400 "not found" (both inferred).
        """
        reply = await self._ask(lambda: paths.execution_path(account, execution_id))
        return None if says_none(reply, "execution") else wire.read_execution(self._body(reply), account, self._today())

    async def strategies(self, account: str) -> tuple[Strategy, ...]:
        """The ATM strategies that run in an account (GET List strategies; seen in the code of others, unverified).

        Signed contracts, average prices in price units, open results in the account's currency, each where it was told.
        """
        return await self._shared(Key.of(What.STRATEGIES, account), partial(self._list_strategies, account))

    @judged("strategies")
    async def _list_strategies(self, account: str, flight: Flight[object]) -> tuple[Strategy, ...]:
        return wire.read_strategies(await self._read(lambda: paths.strategies_path(account), flight), account, self._today())

    @judged("quotes")
    async def quotes(self, instruments: Sequence[Contract]) -> tuple[Quote, ...]:
        """Quotes in the order in which they are asked for, all or none (GET Quote, mid).

        Prices in price units, times UTC. They are always read, never those that the stream pushed.
        """
        read = wire.read_quotes(await self._read(lambda: paths.quotes_path(instruments)), instruments, self._today())
        return tuple(map(self._timed, read))

    @judged("account quotes")
    async def account_quotes(self, account: str, instruments: Sequence[Contract]) -> tuple[Quote, ...]:
        """Quotes of an account's feed, as asked for, all or none (GET Quote of an account, old, deprecated since add-on 1.12).

        Prices in price units. Such quotes have no time: theirs is local, without a zone, and never UTC. Nor do they tell
        whether the market is open.
        """
        body = await self._read(lambda: paths.account_quotes_path(account, instruments))
        return wire.read_quotes(body, instruments, self._today())

    @judged("session")
    async def session(self, instrument: Contract | Root) -> Session:
        """Session of a market: open or not, and when that changes, UTC; of the front month for a root (GET Market info, mid)."""
        return wire.read_session(await self._read(lambda: paths.session_path(instrument)), instrument, self._today())

    @judged("watermarks")
    async def watermarks(self, account: str) -> Watermarks:
        """High watermarks of an account, in the account's currency (GET Watermarks, old to mid).

        CrossTrade serves it from its own memory, also while NinjaTrader is away.
        """
        return wire.read_watermarks(await self._read(lambda: paths.watermarks_path(account)), account)

    @judged("atm templates")
    async def atm_templates(self) -> tuple[str, ...]:
        """The names of the ATM templates that are saved in NinjaTrader (GET ATM template names; seen in the code of others).

        Raises:
            BrokerLacks: there is no such path, which is asked once only.
        """
        return wire.read_templates(await self._inferred("atm templates", paths.templates_path))

    @judged("endpoints")
    async def endpoints(self) -> tuple[str, ...]:
        """Endpoints served, as CrossTrade says, like ``GET /v1/api/accounts`` (GET Endpoint catalogue; reply unknown)."""
        return wire.read_endpoints(await self._read(paths.endpoints_path))

    def _held(self, body: object, account: str) -> tuple[Position, ...]:
        """The positions of an account by its list; what is no future among them is kept beside."""
        self._others[account] = list(wire.read_others(body, account))
        return wire.read_positions(body, account, self._today())

    def _ordered(self, body: object, account: str) -> tuple[Order, ...]:
        """The orders of an account by its list; what is no future among them is kept beside."""
        self._other_orders[account] = list(wire.read_other_orders(body, account))
        return wire.read_orders(body, account, self._today())

    def _filled(self, body: object, account: str) -> tuple[Execution, ...]:
        """The fills of an account by its list; what is no future among them is kept beside."""
        self._other_fills[account] = wire.read_other_fills(body, account)
        return wire.read_executions(body, account, self._today())

    def _today(self) -> date:
        """The day by which a year of one digit is read."""
        return self._clock.host().date()

    def _timed(self, quote: Quote) -> Quote:
        """A quote with its stamp in the desk's time; one that lies ahead says nothing of how old it is."""
        if quote.at is None:
            return quote
        at = self._clock.own(quote.at)
        ahead = at - self._clock()
        return replace(quote, at=None, ahead=ahead) if ahead > STEP else replace(quote, at=at)

    async def _read(self, path: Path, flight: Flight[object] | None = None) -> object:
        return self._body(await self._ask(path, flight=flight))

    async def _inferred(self, name: str, path: Path, flight: Flight[object] | None = None) -> object:
        """Read by a path that is only inferred; once CrossTrade has said that there is none, it isn't asked again."""
        if name in self._lacking:
            raise BrokerLacks(HTTPStatus.NOT_FOUND, NOT_THERE)
        try:
            return await self._read(path, flight)
        except BrokerRefused as error:
            if error.status == HTTPStatus.NOT_FOUND and (isinstance(error, BrokerLacks) or name in _OF_NOTHING):
                self._lacking.add(name)
                raise BrokerLacks(error.status, str(error)) from None
            raise
