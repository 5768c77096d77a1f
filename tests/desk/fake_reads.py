"""What the broker's stand-in shows beyond what decisions need: the same book, seen from other sides."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from bot.trading.market.facts import Account, Execution, Order, Position, Quote, Strategy
from bot.trading.market.funds import Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.market.session import Session
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import OrderState

Told = TypeVar("Told")


@dataclass
class Shown:
    """What is shown, where the book alone doesn't say it.

    Attributes:
        answers: an error to raise, or an answer to give, in place of the book's, by the name of the read.
        lives: what was written down of orders, by id; the account that is asked for makes no difference.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    lives: dict[str, Lifecycle] = field(default_factory=dict)
    strategies: list[Strategy] = field(default_factory=list)
    templates: tuple[str, ...] = ("Scalp", "Two legs")


class ShowsBook:
    """Fills ``bot.desk.ports.Shows`` from a broker's book."""

    shown: Shown
    clock: Any
    book_accounts: dict[str, Account]
    book_positions: dict[tuple[str, Contract], int]
    book_orders: list[Order]
    book_executions: list[Execution]
    last: Decimal
    front: Contract | None

    async def _read(self, what: str) -> None:
        raise NotImplementedError

    async def _show(self, what: str, usual: Told) -> Told:
        await self._read(what)
        answer: Told | Exception = self.shown.answers.get(what, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _held(self) -> list[Position]:
        return [
            Position(account, contract, size, Decimal(5790)) for (account, contract), size in self.book_positions.items() if size
        ]

    async def snapshot(self) -> Sequence[AccountSummary]:
        held = self._held()
        mine = {name: tuple(one for one in held if one.account == name) for name in self.book_accounts}
        usual = [AccountSummary(one, mine[name], not mine[name]) for name, one in self.book_accounts.items()]
        return await self._show("snapshot", usual)

    async def position(self, account: str, contract: Contract) -> Position | None:
        usual = next((one for one in self._held() if (one.account, one.contract) == (account, contract)), None)
        return await self._show("position", usual)

    async def all_positions(self) -> Sequence[Position]:
        return await self._show("all_positions", self._held())

    async def all_orders(self, *, active_only: bool) -> Sequence[Order]:
        usual = [order for order in self.book_orders if not (active_only and order.state.is_done)]
        return await self._show("all_orders", usual)

    async def order_status(self, account: str, order_id: str) -> OrderState | None:
        usual = next((one.state for one in self.book_orders if one.account == account and order_id in one.ids), None)
        return await self._show("order_status", usual)

    async def lifecycle(self, account: str, order_id: str) -> Lifecycle:
        return await self._show("lifecycle", self.shown.lives.get(order_id, Lifecycle(None, (), ())))

    async def executions_of(self, account: str, order_id: str) -> Sequence[Execution]:
        usual = [one for one in self.book_executions if one.account == account and one.order_id == order_id]
        return await self._show("executions_of", usual)

    async def execution(self, account: str, execution_id: str) -> Execution | None:
        usual = next((one for one in self.book_executions if one.account == account and one.id == execution_id), None)
        return await self._show("execution", usual)

    async def strategies(self, account: str) -> Sequence[Strategy]:
        usual = [one for one in self.shown.strategies if one.account == account]
        return await self._show("strategies", usual)

    async def quotes(self, instruments: Sequence[Contract]) -> Sequence[Quote]:
        return await self._show("quotes", [self.quoted(one, self.clock()) for one in instruments])

    async def account_quotes(self, account: str, instruments: Sequence[Contract]) -> Sequence[Quote]:
        return await self._show("account_quotes", [self.quoted(one, None) for one in instruments])

    def quoted(self, contract: Contract, at: datetime | None) -> Quote:
        """A quote at the book's last price."""
        tick = Decimal("0.25")
        return Quote(contract, tick, Decimal(50), self.last - tick, self.last, self.last, at)

    async def session(self, instrument: Contract | Root) -> Session:
        now: datetime = self.clock()
        contract = instrument if isinstance(instrument, Contract) else self.front or Contract(instrument.name, 2026, 9)
        hour = timedelta(hours=1)
        today, next_one = Span(now - 20 * hour, now + 3 * hour), Span(now + 4 * hour, now + 27 * hour)
        usual = Session(contract, is_open=True, state="Open", span=today, upcoming=next_one, at=now)
        return await self._show("session", usual)

    async def watermarks(self, account: str) -> Watermarks:
        return await self._show("watermarks", Watermarks(account, Decimal(100)))

    async def atm_templates(self) -> Sequence[str]:
        return await self._show("atm_templates", self.shown.templates)
