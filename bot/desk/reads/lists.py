"""Positions, orders and strategies: lists of one account, or of all that a member may see by as few requests as it takes.

One list of every account is asked for where CrossTrade has it. Where it doesn't, and for an account whose link is down, the
account's own list is: an account must not look flat for being left out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from bot.desk.lookup.all_accounts import tellable
from bot.desk.lookup.names import instrument
from bot.desk.reads.reader import Reader, asks_in_vain, fits, tried
from bot.desk.reads.reports import Listed, StrategyReport
from bot.errors import BrokerError, BrokerPartly
from bot.trading.market.facts import Account, Order, Position
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.tickets import Member, side_word
from bot.trading.risk.policy import PermissionQuery
from bot.trading.words import ascii_lower, quoted

Row = TypeVar("Row", Position, Order)


async def positions(reader: Reader, member: Member, account: str | None, typed: str | None) -> tuple[Listed[Position], ...]:
    """Open positions, of one contract or of every month of a root when an instrument is given."""
    wanted = None if typed is None else instrument(typed, reader.clock)

    def held(rows: Sequence[Position]) -> list[Position]:
        return [row for row in rows if fits(row.contract, wanted)]

    if account is None:
        every = reader.broker.all_positions
        found = await _of_all(reader, member, "positions", every, reader.broker.positions, held, wanted)
        return tuple(_with_others(reader, one) for one in found)
    name = await reader.naming.account(member, "positions", account)
    live, read, doubt = await _checked(reader, name, wanted, held)
    return (_with_others(reader, reader.listed(name, read, live=live, about=wanted, doubt=doubt)),)


async def orders(reader: Reader, member: Member, account: str | None, typed: str | None) -> tuple[Listed[Order], ...]:
    """Working orders, of one contract or of every month of a root when an instrument is given."""
    wanted = None if typed is None else instrument(typed, reader.clock)

    def working(rows: Sequence[Order]) -> list[Order]:
        return [row for row in rows if not row.state.is_done and fits(row.contract, wanted)]

    async def everything() -> Sequence[Order]:
        return await reader.broker.all_orders(active_only=True)

    async def own(name: str) -> Sequence[Order]:
        return await reader.broker.orders(name, active_only=True)

    if account is None:
        every = await _of_all(reader, member, "orders", everything, own, working, wanted)
        return tuple(_with_other_orders(reader, one) for one in every)
    name = await reader.naming.account(member, "orders", account)
    live, (read, doubt) = await asyncio.gather(reader.is_live(name), _rows(own(name), working))
    return (_with_other_orders(reader, reader.listed(name, read, live=live, about=wanted, doubt=doubt)),)


async def strategies(reader: Reader, member: Member, account: str) -> StrategyReport:
    """The strategies that run in an account, and the templates that NinjaTrader has saved."""
    name = await reader.naming.account(member, "strategies", account)
    live, read, (templates, why) = await asyncio.gather(
        reader.is_live(name), tried(reader.broker.strategies(name)), tried(reader.broker.atm_templates())
    )
    return StrategyReport(reader.listed(name, read, live=live), None if templates is None else tuple(templates), why)


async def _of_all(
    reader: Reader,
    member: Member,
    command: str,
    everything: Callable[[], Awaitable[Sequence[Row]]],
    own: Callable[[str], Awaitable[Sequence[Row]]],
    kept: Callable[[Sequence[Row]], list[Row]],
    wanted: Contract | Root | None,
) -> tuple[Listed[Row], ...]:
    reader.naming.ask(member, PermissionQuery(command))
    accounts, found = await asyncio.gather(
        reader.granted(member, command), _everything(everything, is_documented=command == "positions")
    )

    async def of_one(account: Account) -> Listed[Row]:
        if found is None or account.name in found[2] or (found[0] is not None and account.connected is False):
            live, (read, doubt) = await asyncio.gather(reader.is_live_or_read(account), _rows(own(account.name), kept))
            return reader.listed(account.name, read, live=live, about=wanted, doubt=doubt)
        rows, why, _ = found
        mine = None if rows is None else [row for row in rows if ascii_lower(row.account) == ascii_lower(account.name)]
        live = await reader.is_live_or_read(account)
        return reader.listed(account.name, _kept((mine, why), kept), live=live, about=wanted)

    return tuple(await asyncio.gather(*map(of_one, accounts)))


async def _everything(
    reading: Callable[[], Awaitable[Sequence[Row]]], *, is_documented: bool
) -> tuple[Sequence[Row] | None, str, frozenset[str]] | None:
    """The one list, why it could not be read, and the accounts of which it tells not all; ``None`` where own lists do better.

    A path that is only inferred may meet anything at all, which says nothing of documented ones.
    """
    try:
        rows, unread = await tellable(reading())
    except BrokerError as error:
        return (None, quoted(str(error)), frozenset()) if asks_in_vain(error) and is_documented else None
    return rows, "", unread


async def _rows(
    reading: Awaitable[Sequence[Row]], kept: Callable[[Sequence[Row]], list[Row]]
) -> tuple[tuple[list[Row] | None, str], str]:
    """An account's own list, or why it could not be read; of one that can be read in part these rows, and the doubt.

    Without a row that can be read nothing is shown for it: it would look as if there were none.
    """
    try:
        return (kept(await reading), ""), ""
    except BrokerPartly as error:
        rows = kept(cast("tuple[Row, ...]", error.rows))
        why = quoted(str(error))
        return ((rows, ""), f"not all rows can be read ({why})") if rows else ((None, why), "")
    except BrokerError as error:
        return (None, quoted(str(error))), ""


def _with_others(reader: Reader, listed: Listed[Position]) -> Listed[Position]:
    """The positions with those that are no futures."""
    return listed if listed.about else replace(listed, others=reader.broker.others(listed.account).positions)


def _with_other_orders(reader: Reader, listed: Listed[Order]) -> Listed[Order]:
    """The orders with those of what is no future."""
    return listed if listed.about else replace(listed, other_orders=reader.broker.others(listed.account).orders)


async def _checked(
    reader: Reader, name: str, wanted: Contract | Root | None, held: Callable[[Sequence[Position]], list[Position]]
) -> tuple[bool, tuple[list[Position] | None, str], str]:
    """The list; and of a single contract what CrossTrade says when asked for it by itself, which alone would prove nothing."""
    if not isinstance(wanted, Contract):
        live, (read, doubt) = await asyncio.gather(reader.is_live(name), _rows(reader.broker.positions(name), held))
        return live, read, doubt
    live, ((rows, why), doubt), (single, unread) = await asyncio.gather(
        reader.is_live(name), _rows(reader.broker.positions(name), held), tried(reader.broker.position(name, wanted))
    )
    return live, (rows, why), doubt or ("" if unread else _doubt(rows, single))


def _doubt(rows: Sequence[Position] | None, single: Position | None) -> str:
    alone = 0 if single is None else single.quantity
    if rows is None:
        return f"asked for by itself it is {side_word(alone)}" if alone else ""
    listed = sum(row.quantity for row in rows)
    return "" if alone == listed else f"asked for by itself it is {side_word(alone)}, in the list {side_word(listed)}"


def _kept(read: tuple[Sequence[Row] | None, str], kept: Callable[[Sequence[Row]], list[Row]]) -> tuple[list[Row] | None, str]:
    rows, why = read
    return (None if rows is None else kept(rows)), why
