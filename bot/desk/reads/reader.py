"""Means of all reading commands: who may see which account, whether it may be real money, and reads that may fail.

What each command reads, and what it makes of it, is in ``service`` and the parts beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeVar

from bot.clock import Clock
from bot.desk.lookup.fronts import Front
from bot.desk.lookup.names import Naming, RequestRefused, unreadable
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import Broker
from bot.desk.reads.reports import Listed, Quoted
from bot.errors import BrokerError, BrokerRefused, BrokerUnreachable, UsageError
from bot.trading.market.facts import Account, Quote
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.terms import parse_label
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery, Policy, may
from bot.trading.words import quoted

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Reader:
    """The means of reading."""

    broker: Broker
    recorder: Recorder
    naming: Naming
    policy: Callable[[], Policy]
    clock: Clock

    async def granted(self, member: Member, command: str) -> list[Account]:
        """Every account that the member may see with the command, as NinjaTrader lists them now.

        Raises:
            RequestRefused: there is none, or the accounts can't be read.
        """
        self.naming.ask(member, PermissionQuery(command))
        try:
            accounts = await self.broker.accounts()
        except BrokerError as error:
            raise RequestRefused(unreadable("the accounts", error)) from error
        policy = self.policy()
        found = [each for each in accounts if may(policy, member.roles, PermissionQuery(command, each.name)) is None]
        if not found:
            sentence = f"No account in NinjaTrader is one that your roles name for /{command}; ask whoever runs the desk."
            raise RequestRefused(Denial(DenialCode.ACCOUNT_NOT_GRANTED, sentence))
        return sorted(found, key=lambda account: account.name)

    async def is_live(self, name: str) -> bool:
        """Tell whether an account may be real money; one of which nothing is known may."""
        known = self.naming.directory.account(name)
        if known is None or known.provider is None:
            read, _ = await tried(self.broker.account(name))
            known = read or Account(name)
        return self.is_real(known)

    async def is_live_or_read(self, account: Account) -> bool:
        """Tell whether an account that was listed may be real money; the list needn't say who provides it."""
        return await self.is_live(account.name) if account.provider is None else self.is_real(account)

    def is_real(self, account: Account) -> bool:
        """Tell whether an account that was read may be real money."""
        return self.policy().is_live(account.name, account)

    def listed(
        self, account: str, read: tuple[Sequence[Answer] | None, str], *, live: bool, about: object = None, doubt: str = ""
    ) -> Listed[Answer]:
        """One list of one account, read or not."""
        rows, why = read
        return Listed(account, live, None if rows is None else tuple(rows), why, self.clock.host(), str(about or ""), doubt)

    async def front(self, asked: Contract | Root) -> Front:
        """The contract that is asked for; of a root its front month.

        Raises:
            BrokerError: nobody says which month that is.
        """
        if isinstance(asked, Contract):
            return Front(asked)
        return await self.naming.directory.fronts.of(self.broker, asked.name)

    async def quoted(self, asked: Contract) -> Quoted:
        """One quote, read or not."""
        quote, why = await tried(self.broker.quote(asked))
        return Quoted(asked, quote and self.as_shown(quote), why, self.clock.host())

    def as_shown(self, quote: Quote) -> Quote:
        """A quote with its time as the host's clock has it."""
        return replace(quote, at=quote.at and self.clock.shown(quote.at))

    async def listed_of(self, account: str, reading: Awaitable[Sequence[Answer]]) -> Listed[Answer]:
        """One list of one account of which nothing is known yet."""
        live, read = await asyncio.gather(self.is_live(account), tried(reading))
        return self.listed(account, read, live=live)


async def tried(reading: Awaitable[Answer]) -> tuple[Answer | None, str]:
    """The answer, or why it could not be read."""
    try:
        return await reading, ""
    except BrokerError as error:
        return None, quoted(str(error))


def asks_in_vain(error: BrokerError) -> bool:
    """Tell whether another call would meet the same: nobody answers, or the token is refused."""
    token_refused = isinstance(error, BrokerRefused) and error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return isinstance(error, BrokerUnreachable) or token_refused


def fits(contract: Contract, wanted: Contract | Root | None) -> bool:
    """Tell whether a contract is the one that is wanted, or of the root that is."""
    return wanted is None or (contract.root == wanted.name if isinstance(wanted, Root) else contract == wanted)


def an_id(name: str, typed: str, where: str) -> str:
    """An id that a person typed.

    Raises:
        RequestRefused: it can be none.
    """
    try:
        found = parse_label(name, typed)
    except UsageError as error:
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, str(error))) from error
    if found is None:
        raise RequestRefused(Denial(DenialCode.BAD_REQUEST, f"Give the {name}, as {where} shows it."))
    return found
