"""Contents of a chart: bars, the last price, and of one account its position and working orders. Draws and sends nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.clock import Clock
from bot.desk.lookup.fronts import Front
from bot.desk.lookup.names import Naming, RequestRefused, instrument
from bot.desk.ports import Broker
from bot.desk.reads.reader import tried
from bot.desk.reads.reports import Listed, Quoted
from bot.errors import BrokerError, UsageError
from bot.trading.market.bars import FEWEST_BARS, MOST_BARS, Bars, Period, parse_period
from bot.trading.market.facts import Order, Position
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery
from bot.trading.words import quoted

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """The options of ``/chart`` as typed."""

    instrument: str
    account: str | None = None
    period: str = "5m"
    count: int = 80


@dataclass(frozen=True, slots=True)
class Charted:
    """The readings for one chart.

    Attributes:
        asked: what was typed; a bare root means its front month.
        bars: ``None`` when they could not be read; without rows only when CrossTrade said so.
        bars_why: why they could not be read, ready to show.
        quoted: the quote of the same contract, or why there is none.
        positions: all of the account's; ``None`` where no account was asked for.
        orders: its working orders; ``None`` where no account was asked for.
        at: when the oldest part was read.
        guessed: whether the calendar alone says that this is the month which the root means.
    """

    asked: Contract | Root
    period: Period
    bars: Bars | None
    bars_why: str
    quoted: Quoted
    positions: Listed[Position] | None
    orders: Listed[Order] | None
    at: datetime
    guessed: bool = False

    @property
    def contract(self) -> Contract | None:
        """The contract whose bars these are; ``None`` when they could not be read."""
        return None if self.bars is None else self.bars.contract

    @property
    def position(self) -> Position | None:
        """The open position in the contract, if the list was read and holds one."""
        rows = (self.positions.rows if self.positions else None) or ()
        return next((one for one in rows if one.contract == self.contract and one.quantity), None)

    @property
    def other_months(self) -> tuple[Position, ...]:
        """The positions in other months of the root, which the chart doesn't show."""
        rows = (self.positions.rows if self.positions else None) or ()
        of_root = (one for one in rows if self.contract and one.contract.root == self.contract.root and one.quantity)
        return tuple(one for one in of_root if one.contract != self.contract)

    @property
    def working(self) -> tuple[Order, ...]:
        """The orders in the contract that may still fill, if the list was read."""
        rows = (self.orders.rows if self.orders else None) or ()
        return tuple(one for one in rows if one.contract == self.contract and one.remaining)


class Lists(Protocol):
    """Reads one list of one account and says whether the account may be real money."""

    def __call__(self, account: str, reading: Awaitable[Sequence[Row]], /) -> Awaitable[Listed[Row]]:
        """The rows, or why they could not be read."""


@dataclass(frozen=True, slots=True)
class Charts:
    """Gathers what a chart shows; all of it is read side by side."""

    broker: Broker
    naming: Naming
    clock: Clock
    front: Callable[[Contract | Root], Awaitable[Front]]
    quoted: Callable[[Contract], Awaitable[Quoted]]
    listed: Lists

    async def gather(self, member: Member, request: ChartRequest) -> Charted:
        """Read everything; what fails leaves a gap with its reason.

        Raises:
            RequestRefused: not granted, or what was typed can't be used.
        """
        period = _period(request)
        asked = instrument(request.instrument, self.clock)
        self.naming.ask(member, PermissionQuery("chart"))
        account = None if request.account is None else await self.naming.account(member, "chart", request.account)
        front, why = await tried(self.front(asked))
        if front is None:
            positions, orders = await self._held(account)
            quoted = Quoted(asked, None, why, self.clock.host())
            at = quoted.at if positions is None else min(quoted.at, positions.at)
            return Charted(asked, period, None, why, quoted, positions, orders, at)
        (bars, why), quoted, (positions, orders) = await asyncio.gather(
            self._bars(front.contract, period, request.count), self.quoted(front.contract), self._held(account)
        )
        at = min(part.at for part in (quoted, positions, orders) if part is not None)
        return Charted(asked, period, bars, why, quoted, positions, orders, at, front.guessed)

    async def _bars(self, asked: Contract, period: Period, count: int) -> tuple[Bars | None, str]:
        try:
            return await self.broker.bars(asked, period, count), ""
        except BrokerError as error:
            return None, quoted(str(error))

    async def _held(self, account: str | None) -> tuple[Listed[Position] | None, Listed[Order] | None]:
        if account is None:
            return None, None
        return await asyncio.gather(
            self.listed(account, self.broker.positions(account)),
            self.listed(account, self.broker.orders(account, active_only=True)),
        )


def _period(request: ChartRequest) -> Period:
    try:
        period = parse_period(request.period)
    except UsageError as error:
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, str(error))) from error
    if not FEWEST_BARS <= request.count <= MOST_BARS:
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, f"Ask for {FEWEST_BARS} to {MOST_BARS} bars."))
    return period
