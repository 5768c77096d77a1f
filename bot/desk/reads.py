"""The reading commands: what a member may see, read fresh from CrossTrade and the journal. Nothing is ever sent here.

Reading is granted by account: a grant that names no accounts shows nothing of any account. A grant's instruments and sizes are
about orders; hiding a position because of them would make an account look flat. Quotes belong to no account.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from bot.desk.charts import Charted, ChartRequest, Charts
from bot.desk.ledger import Clock, Ledger
from bot.desk.naming import LONGEST_ACCOUNT, Naming, Stop, instrument, unreadable
from bot.desk.ports import Broker, Event, EventName
from bot.desk.reports import Balance, Listed, OrderStory, Quoted
from bot.desk.requests import Refused
from bot.errors import BrokerError, JournalError, UsageError
from bot.trading.facts import Account, Execution, Order, Position
from bot.trading.instruments import Contract, Root
from bot.trading.orders import parse_label
from bot.trading.policy import Denial, DenialCode, Policy, Request, may
from bot.trading.tickets import Member, Ticket
from bot.trading.words import code

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
MOST_QUOTES = 10
# How far back an order is looked for among the desk's tickets.
STORY_LOOKS_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Reads:
    """Answers the reading commands; every answer may be ``Refused``."""

    broker: Broker
    ledger: Ledger
    naming: Naming
    policy: Callable[[], Policy]
    clock: Clock

    async def positions(self, member: Member, account: str | None) -> tuple[Listed[Position], ...] | Refused:
        """The open positions of one account, or of all that the member may see."""
        return await self._answer(member, "positions", account, self._positions(member, account))

    async def orders(self, member: Member, account: str, typed: str | None) -> Listed[Order] | Refused:
        """The working orders of an account; of one contract, or of every month of a root, when an instrument is given."""
        return await self._answer(member, "orders", account, self._orders(member, account, typed))

    async def accounts(self, member: Member) -> tuple[Balance, ...] | Refused:
        """All accounts that the member may see."""
        return await self._answer(member, "accounts", None, self._balances(member, "accounts"))

    async def pnl(self, member: Member) -> tuple[Balance, ...] | Refused:
        """The day's result of all accounts that the member may see; ``/pnl`` is granted by itself and shows no cash."""
        return await self._answer(member, "pnl", None, self._results(member))

    async def account(self, member: Member, account: str) -> Balance | Refused:
        """One account with its money."""
        return await self._answer(member, "account", account, self._account(member, account))

    async def executions(self, member: Member, account: str) -> Listed[Execution] | Refused:
        """The fills of an account in the last 15 minutes."""
        return await self._answer(member, "executions", account, self._executions(member, account))

    async def quotes(self, member: Member, typed: str) -> tuple[Quoted, ...] | Refused:
        """The quotes of one or several instruments, comma-separated; of the front month for a root."""
        return await self._answer(member, "quote", None, self._quotes(member, typed))

    async def order(self, member: Member, account: str, order_id: str) -> OrderStory | Refused:
        """One order by any of its ids, with its fills and its ticket."""
        return await self._answer(member, "order", account, self._story(member, account, order_id))

    async def chart(self, member: Member, request: ChartRequest) -> Charted | Refused:
        """The bars of an instrument; with an account, its position and working orders there too."""
        charts = Charts(self.broker, self.naming, self.clock, self._quote, self._listed)
        return await self._answer(member, "chart", request.account, charts.gather(member, request))

    async def _answer(self, member: Member, command: str, account: str | None, reading: Awaitable[Answer]) -> Answer | Refused:
        try:
            return await reading
        except Stop as stop:
            data = {
                "command": command,
                "account": (account or "")[:LONGEST_ACCOUNT],
                "denials": [str(denial) for denial in stop.denials],
            }
            try:
                await self.ledger.record(EventName.DENIED, actor=member.id, data=data)
            except JournalError:
                # The no stands without its record.
                log.exception("denial not journaled")
            return Refused(stop.denials)

    async def _positions(self, member: Member, typed: str | None) -> tuple[Listed[Position], ...]:
        if typed is None:
            names = [account.name for account in await self._granted(member, "positions")]
        else:
            names = [await self.naming.account(member, "positions", typed)]
        return tuple(await asyncio.gather(*(self._listed(name, self.broker.positions(name)) for name in names)))

    async def _orders(self, member: Member, account: str, typed: str | None) -> Listed[Order]:
        wanted = None if typed is None else instrument(typed, self.clock())
        name = await self.naming.account(member, "orders", account)

        async def working() -> list[Order]:
            orders = await self.broker.orders(name, active_only=True)
            return [order for order in orders if not order.state.is_done and _fits(order.contract, wanted)]

        return await self._listed(name, working())

    async def _balances(self, member: Member, command: str) -> tuple[Balance, ...]:
        granted = await self._granted(member, command)
        return tuple(await asyncio.gather(*(self._balance(account) for account in granted)))

    async def _results(self, member: Member) -> tuple[Balance, ...]:
        granted = await self._granted(member, "pnl")
        return tuple(await asyncio.gather(*(self._result(account) for account in granted)))

    async def _result(self, account: Account) -> Balance:
        """The account's day: from the list if that tells it, else as just pushed, else read."""
        account, at = self._told_before(account), self.clock()
        if account.day_result is None and (day := self.broker.day(account.name)) is not None:
            account, at = replace(account, realised=day.realised, unrealised=day.unrealised), day.at
        if account.provider is None or account.day_result is None:
            return await self._balance(account)
        return Balance(account, self._is_real(account), "", at)

    async def _account(self, member: Member, typed: str) -> Balance:
        name = await self.naming.account(member, "account", typed)
        return await self._balance(Account(name))

    async def _executions(self, member: Member, typed: str) -> Listed[Execution]:
        name = await self.naming.account(member, "executions", typed)
        return await self._listed(name, self.broker.executions(name))

    async def _quotes(self, member: Member, typed: str) -> tuple[Quoted, ...]:
        self.naming.ask(member, Request("quote"))
        asked = dict.fromkeys(instrument(part, self.clock()) for part in typed.split(",") if part.strip()) or (
            instrument(typed, self.clock()),
        )
        if len(asked) > MOST_QUOTES:
            raise Stop(Denial(DenialCode.BAD_REQUEST, f"Ask for at most {MOST_QUOTES} instruments at once."))
        return tuple(await asyncio.gather(*(self._quote(one) for one in asked)))

    async def _quote(self, asked: Contract | Root) -> Quoted:
        quote, why = await _tried(self.broker.quote(asked))
        return Quoted(asked, quote, why, self.clock())

    async def _story(self, member: Member, account: str, typed: str) -> OrderStory:
        order_id = _order_id(typed)
        name = await self.naming.account(member, "order", account)
        live, (order, order_why), (fills, fills_why) = await asyncio.gather(
            self._is_live(name), _tried(self.broker.order(name, order_id)), _tried(self.broker.executions(name))
        )
        ids = {order_id, *(order.ids if order else ())}
        ticket, events, ticket_why = await self._ticket(name, ids)
        ids |= {*(ticket.order_ids if ticket else ())}
        own = None if fills is None else tuple(fill for fill in fills if fill.order_id in ids)
        return OrderStory(name, live, order_id, order, order_why, own, fills_why, ticket, events, ticket_why, self.clock())

    async def _ticket(self, account: str, ids: set[str]) -> tuple[Ticket | None, tuple[Event, ...], str]:
        try:
            recent = await self.ledger.journal.recent(self.clock() - STORY_LOOKS_BACK)
            found = next((one for one in recent if one.intent.account == account and not ids.isdisjoint(one.order_ids)), None)
            return found, () if found is None else tuple(await self.ledger.journal.events(found.id)), ""
        except JournalError as error:
            return None, (), code(str(error))

    async def _granted(self, member: Member, command: str) -> list[Account]:
        """Every account that the member may see with the command, as NinjaTrader lists them now."""
        self.naming.ask(member, Request(command))
        try:
            accounts = await self.broker.accounts()
        except BrokerError as error:
            raise Stop(unreadable("the accounts", error)) from error
        policy = self.policy()
        found = [each for each in accounts if may(policy, member.roles, Request(command, each.name)) is None]
        if not found:
            sentence = f"No account in NinjaTrader is one that your roles name for /{command}; ask whoever runs the desk."
            raise Stop(Denial(DenialCode.ACCOUNT_NOT_GRANTED, sentence))
        return sorted(found, key=lambda account: account.name)

    async def _balance(self, account: Account) -> Balance:
        """The account with its money, which a list needn't tell."""
        why = ""
        if None in {account.provider, account.day_result, account.cash}:
            read, why = await _tried(self.broker.account(account.name))
            account = read or self._told_before(account)
        return Balance(account, self._is_real(account), why, self.clock())

    def _told_before(self, account: Account) -> Account:
        """The account with who provides it from memory; money is never from memory."""
        known = self.naming.directory.account(account.name)
        return account if known is None else replace(account, provider=account.provider or known.provider)

    async def _listed(self, account: str, reading: Awaitable[Sequence[Answer]]) -> Listed[Answer]:
        live, (rows, why) = await asyncio.gather(self._is_live(account), _tried(reading))
        return Listed(account, live, None if rows is None else tuple(rows), why, self.clock())

    async def _is_live(self, name: str) -> bool:
        known = self.naming.directory.account(name)
        if known is None or known.provider is None:
            read, _ = await _tried(self.broker.account(name))
            known = read or Account(name)
        return self._is_real(known)

    def _is_real(self, account: Account) -> bool:
        return not account.is_simulation or self.policy().names_live(account.name)


async def _tried(reading: Awaitable[Answer]) -> tuple[Answer | None, str]:
    """What was read, or why it could not be."""
    try:
        return await reading, ""
    except BrokerError as error:
        return None, code(str(error))


def _fits(contract: Contract, wanted: Contract | Root | None) -> bool:
    return wanted is None or (contract.root == wanted.name if isinstance(wanted, Root) else contract == wanted)


def _order_id(typed: str) -> str:
    try:
        found = parse_label("order id", typed)
    except UsageError as error:
        raise Stop(Denial(DenialCode.BAD_REQUEST, str(error))) from error
    if found is None:
        raise Stop(Denial(DenialCode.BAD_REQUEST, "Give the order's id, as its card or /orders shows it."))
    return found
