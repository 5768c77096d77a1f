"""Accounts and their money: all of them by two requests, one of them with its margins and watermarks."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.desk.reads.reader import Reader, tried
from bot.desk.reads.reports import AccountReport, Balance
from bot.trading.market.facts import Account
from bot.trading.market.holdings import AccountSummary
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import PermissionQuery
from bot.trading.words import ascii_lower


async def balances(reader: Reader, member: Member, command: str) -> tuple[Balance, ...]:
    """All accounts that the member may see with the command.

    The list says which there are; the snapshot of all tells their money. What neither tells is asked for by itself.
    """
    reader.naming.ask(member, PermissionQuery(command))
    granted, (standings, _) = await asyncio.gather(reader.granted(member, command), tried(reader.broker.snapshot()))
    by_name = {ascii_lower(one.account.name): one for one in standings or ()}
    pushed = command == "pnl"
    return tuple(await asyncio.gather(*(_balance(reader, account, by_name, pushed=pushed) for account in granted)))


async def account(reader: Reader, member: Member, typed: str) -> AccountReport:
    """One account with its money."""
    name = await reader.naming.account(member, "account", typed)
    balance, (marks, why) = await asyncio.gather(_balance(reader, Account(name), {}), tried(reader.broker.watermarks(name)))
    return AccountReport(balance, marks, why)


async def _balance(reader: Reader, listed: Account, standings: Mapping[str, AccountSummary], *, pushed: bool = False) -> Balance:
    standing = standings.get(ascii_lower(listed.name))
    known = [listed] if standing is None else [standing.account, listed]
    found, why = next((each for each in known if _tells_all(each)), None), ""
    at = reader.clock.host()
    if found is None and pushed:
        listed, at = _pushed(reader, listed)
        found = listed if None not in {listed.provider, listed.day_result} else None
    if found is None:
        read, why = await tried(reader.broker.account(listed.name))
        found = read or _told_before(reader, listed if pushed else known[0])
    return Balance(found, reader.is_real(found), why, at, None if standing is None else standing.open_count)


def _pushed(reader: Reader, listed: Account) -> tuple[Account, datetime]:
    """The account with its day as CrossTrade has just pushed it, and as of when; for a command that shows no cash."""
    account, day = _told_before(reader, listed), reader.broker.day(listed.name)
    if day is None or account.day_result is not None:
        return account, reader.clock.host()
    return replace(account, realised=day.realised, unrealised=day.unrealised), reader.clock.shown(day.at)


def _tells_all(account: Account) -> bool:
    return None not in {account.provider, account.day_result, account.cash}


def _told_before(reader: Reader, account: Account) -> Account:
    """The account with who provides it from memory; money is never from memory."""
    known = reader.naming.directory.account(account.name)
    return account if known is None else replace(account, provider=account.provider or known.provider)
