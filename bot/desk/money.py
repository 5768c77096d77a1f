"""Accounts and their money: all of them by two requests, one of them with its margins and watermarks."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bot.desk.reader import Reader, tried
from bot.desk.reports import AccountReport, Balance
from bot.trading.facts import Account
from bot.trading.holdings import Standing
from bot.trading.policy import Request, ascii_lower
from bot.trading.tickets import Member


async def balances(reader: Reader, member: Member, command: str) -> tuple[Balance, ...]:
    """All accounts that the member may see with the command.

    The list says which there are; the snapshot of all tells their money. What neither tells is asked for by itself.
    """
    reader.naming.ask(member, Request(command))
    granted, (standings, _) = await asyncio.gather(reader.granted(member, command), tried(reader.broker.snapshot()))
    by_name = {ascii_lower(one.account.name): one for one in standings or ()}
    return tuple(await asyncio.gather(*(_balance(reader, account, by_name) for account in granted)))


async def account(reader: Reader, member: Member, typed: str) -> AccountReport:
    """One account with its money."""
    name = await reader.naming.account(member, "account", typed)
    balance, (marks, why) = await asyncio.gather(_balance(reader, Account(name), {}), tried(reader.broker.watermarks(name)))
    return AccountReport(balance, marks, why)


async def _balance(reader: Reader, listed: Account, standings: Mapping[str, Standing]) -> Balance:
    standing = standings.get(ascii_lower(listed.name))
    known = [listed] if standing is None else [standing.account, listed]
    found, why = next((each for each in known if _tells_all(each)), None), ""
    if found is None:
        read, why = await tried(reader.broker.account(listed.name))
        found = read or _told_before(reader, known[0])
    return Balance(found, reader.is_real(found), why, reader.clock(), None if standing is None else standing.open_count)


def _tells_all(account: Account) -> bool:
    return None not in {account.provider, account.day_result, account.cash}


def _told_before(reader: Reader, account: Account) -> Account:
    """The account with who provides it from memory; money is never from memory."""
    known = reader.naming.directory.account(account.name)
    return account if known is None else replace(account, provider=account.provider or known.provider)
