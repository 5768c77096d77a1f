"""The reading commands: what a member may see, read fresh from CrossTrade and the journal. Nothing is ever sent here.

Reading is granted by account: a grant that names no accounts shows nothing of any account. A grant's instruments and sizes are
about orders; hiding a position because of them would make an account look flat. Markets and their quotes belong to no account.

Here is who may ask for what; how it is read is in the parts beside this one.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.desk.lookup.names import LONGEST_ACCOUNT, RequestRefused
from bot.desk.reads import accounts as money
from bot.desk.reads import fills, lists, why
from bot.desk.reads import order as stories
from bot.desk.reads import quotes as markets
from bot.desk.reads.charts import Charted, ChartRequest, Charts
from bot.desk.reads.reader import Answer, Reader
from bot.desk.reads.reports import (
    AccountReport,
    Balance,
    Explanation,
    Fills,
    Listed,
    OneFill,
    OrderStory,
    Quoted,
    StrategyReport,
    Traded,
)
from bot.desk.reads.shares import Tally
from bot.desk.requests import Refused
from bot.trading.health.shares import Full, words
from bot.trading.market.facts import Execution, Order, Position
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reads(Reader):
    """Answers the reading commands; every answer may be ``Refused``.

    Attributes:
        tally: what members have asked CrossTrade for. A command costs about as many requests as it takes.
    """

    tally: Tally

    @property
    def book(self) -> fills.FillBook:
        """The desk's record of fills, as far as somebody waits for it."""
        return fills.FillBook(self.broker, self.recorder.journal, self.clock)

    async def positions(
        self, member: Member, account: str | None, typed: str | None = None
    ) -> tuple[Listed[Position], ...] | Refused:
        """The open positions of one account, or of all that the member may see; of one instrument when one is given."""
        return await self._answer(
            member, "positions", account, 1 if account else 2, lambda: lists.positions(self, member, account, typed)
        )

    async def orders(self, member: Member, account: str | None, typed: str | None) -> tuple[Listed[Order], ...] | Refused:
        """The working orders of one account, or of all that the member may see; of one instrument when one is given."""
        return await self._answer(
            member, "orders", account, 1 if account else 2, lambda: lists.orders(self, member, account, typed)
        )

    async def accounts(self, member: Member) -> tuple[Balance, ...] | Refused:
        """All accounts that the member may see."""
        return await self._answer(member, "accounts", None, 2, lambda: money.balances(self, member, "accounts"))

    async def pnl(self, member: Member) -> tuple[Balance, ...] | Refused:
        """The day of all accounts that the member may see; ``/pnl`` is granted by itself."""
        return await self._answer(member, "pnl", None, 2, lambda: money.balances(self, member, "pnl"))

    async def account(self, member: Member, account: str) -> AccountReport | Refused:
        """One account with its money."""
        return await self._answer(member, "account", account, 2, lambda: money.account(self, member, account))

    async def executions(self, member: Member, account: str, hours: int | None = None) -> Fills | Refused:
        """The fills of an account: the last 15 minutes from CrossTrade, before them the desk's own record."""
        return await self._answer(
            member, "executions", account, 1, lambda: fills.executions(self, self.book, member, account, hours)
        )

    async def execution(self, member: Member, account: str, typed: str) -> OneFill | Refused:
        """One fill by its id."""
        return await self._answer(
            member, "executions", account, 1, lambda: fills.execution(self, self.book, member, account, typed)
        )

    async def recent_fills(self, member: Member, account: str) -> tuple[Execution, ...]:
        """Fills to offer in autocomplete, newest first, from the desk's own record; none where the member may see none."""
        return await fills.recent(self, self.book, member, account)

    async def quotes(self, member: Member, typed: str, account: str | None = None) -> tuple[Quoted, ...] | Refused:
        """The quotes of one or several instruments, comma-separated; of the front month for a root."""
        return await self._answer(member, "quote", account, 1, lambda: markets.quotes(self, member, typed, account))

    async def market(self, member: Member, typed: str | None) -> tuple[Traded, ...] | Refused:
        """The sessions of one or several markets: whether each trades, and when that changes."""
        return await self._answer(
            member, "market", None, len((typed or "").split(",")), lambda: markets.market(self, member, typed)
        )

    async def strategies(self, member: Member, account: str) -> StrategyReport | Refused:
        """The strategies that run in an account."""
        return await self._answer(member, "strategies", account, 2, lambda: lists.strategies(self, member, account))

    async def order(self, member: Member, account: str, order_id: str) -> OrderStory | Refused:
        """One order by any of its ids, with its fills, its life and its ticket."""
        return await self._answer(member, "order", account, 4, lambda: stories.story(self, self.book, member, account, order_id))

    async def why(self, member: Member, typed: str | None) -> Explanation | Refused:
        """The story of a ticket or an order, or of the member's own newest request."""
        return await self._answer(member, why.COMMAND, None, 1, lambda: why.explain(self, member, typed))

    async def chart(self, member: Member, request: ChartRequest) -> Charted | Refused:
        """The bars of an instrument; with an account, its position and working orders there too."""
        return await self._answer(
            member, "chart", request.account, 2 if request.account is None else 4, lambda: self._charts.gather(member, request)
        )

    @property
    def _charts(self) -> Charts:
        return Charts(self.broker, self.naming, self.clock, self.front, self.quoted, self.listed_of)

    async def _answer(
        self, member: Member, command: str, account: str | None, cost: int, reading: Callable[[], Awaitable[Answer]]
    ) -> Answer | Refused:
        named = (account or "")[:LONGEST_ACCOUNT]
        try:
            self.naming.ask(member, PermissionQuery(command))
            if (full := self.tally.ask(member.id, cost)) is not None:
                return await self._too_often(member, command, named, full)
            return await reading()
        except RequestRefused as stop:
            await self.recorder.denied(member.id, stop.denials, command=command, account=named)
            return Refused(stop.denials)

    async def _too_often(self, member: Member, command: str, account: str, full: Full) -> Refused:
        denial = Denial(DenialCode.ASKED_TOO_OFTEN, words(self.tally.share, full), f"own={full.own} all={full.all}")
        # However often it is asked again: the log holds what matters, and writing it costs orders their turn at the disk.
        if self.tally.is_first(member.id):
            await self.recorder.denied(member.id, (denial,), command=command, account=account)
        return Refused((denial,))
