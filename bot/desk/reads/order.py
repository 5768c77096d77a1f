"""The story of one order: how it stands, its fills, what CrossTrade wrote down of it, and the desk's ticket with its log.

A call for one order can miss a working one, so the account's list is looked through before anybody says that there is none.
CrossTrade's record of an order doesn't look at the account that was asked for, so here it is looked at.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from bot.desk.ports import Event, KeptFills
from bot.desk.reads.fills import FillBook
from bot.desk.reads.reader import Reader, an_id, asks_in_vain, tried
from bot.desk.reads.reports import OrderStory
from bot.errors import BrokerError, BrokerLacks, JournalError
from bot.trading.market.facts import Execution, Order
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Member, Ticket, shifted
from bot.trading.words import ascii_lower, quoted

# How far back an order is looked for among the desk's tickets and in its record of fills.
STORY_LOOKS_BACK = timedelta(days=7)
TOO_OLD = "the CrossTrade add-on in NinjaTrader is too old for it, 1.13.2 or later has it"
NAMELESS = "it doesn't say whose order it is"


@dataclass(frozen=True, slots=True)
class _Found:
    """An order as it stands, or at least its state, or why neither could be read; and what else was listed, if that was read."""

    order: Order | None = None
    state: OrderState | None = None
    why: str = ""
    listed: tuple[Order, ...] = ()

    def by(self, ids: Collection[str]) -> "_Found":
        """The same order, looked for among those listed once it is known which other ids it may have there."""
        order = self.order or next((each for each in self.listed if not set(ids).isdisjoint(each.ids)), None)
        return self if order is None else _Found(order)


@dataclass(frozen=True, slots=True)
class _Life:
    """CrossTrade's record of the order, if it is of the account's order."""

    life: Lifecycle | None = None
    why: str = ""
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class _OwnFills:
    fills: tuple[Execution, ...] | None
    why: str = ""
    are_recent: bool = False


async def story(reader: Reader, book: FillBook, member: Member, account: str, typed: str) -> OrderStory:
    """All that is known of the order that carries an id."""
    order_id = an_id("order id", typed, "its card or /orders")
    name = await reader.naming.account(member, "order", account)
    live, found, told, read = await asyncio.gather(
        reader.is_live(name),
        _order(reader, name, order_id),
        _life(reader, name, order_id),
        _fills(reader, book, name, order_id),
    )
    ids = {order_id, *(found.order.ids if found.order else ()), *(told.life.ids if told.life else ())}
    ticket, events, ticket_why = await _ticket(reader, name, ids)
    ids |= {*(ticket.order_ids if ticket else ())}
    found = found.by(ids)
    told = _owned(told, is_known=found.order is not None or ticket is not None)
    kept, _ = await book.kept(name, reader.clock.stamped(reader.clock()) - STORY_LOOKS_BACK, ids)
    fills = _own(ids, read, kept)
    return OrderStory(
        account=name,
        live=live,
        typed=order_id,
        order=found.order,
        order_why=found.why,
        fills=fills,
        fills_why=read.why,
        ticket=ticket,
        events=events,
        ticket_why=ticket_why,
        at=reader.clock.host(),
        state=found.state,
        life=told.life,
        life_why=told.why,
        is_elsewhere=told.is_elsewhere and found.order is None,
        fills_are_recent=read.are_recent,
    )


async def _order(reader: Reader, account: str, order_id: str) -> _Found:
    try:
        if (order := await reader.broker.order(account, order_id)) is not None:
            return _Found(order)
    except BrokerError as error:
        if asks_in_vain(error):
            return _Found(why=quoted(str(error)))
    (listed, why), (state, _) = await asyncio.gather(
        tried(reader.broker.orders(account, active_only=False)), tried(reader.broker.order_status(account, order_id))
    )
    return _Found(None, state, why, tuple(listed or ())).by({order_id})


async def _life(reader: Reader, account: str, order_id: str) -> _Life:
    try:
        life = await reader.broker.lifecycle(account, order_id)
    except BrokerLacks as error:
        return _Life(why=f"{TOO_OLD} ({quoted(str(error))})")
    except BrokerError as error:
        return _Life(why=quoted(str(error)))
    if life.account is not None and ascii_lower(life.account) != ascii_lower(account):
        return _Life(is_elsewhere=True)
    return _Life(life)


def _owned(told: _Life, *, is_known: bool) -> _Life:
    """The record, unless it might be of somebody else's order."""
    might_be_anybodys = told.life is not None and told.life.account is None and bool(told.life.events)
    return _Life(why=NAMELESS) if might_be_anybodys and not is_known else told


async def _fills(reader: Reader, book: FillBook, account: str, order_id: str) -> _OwnFills:
    """The fills of the order; or, where CrossTrade has no list of these, those of the account's last 15 minutes.

    Its path is only inferred, so that whatever it meets there says nothing of the other one.
    """
    own, _ = await tried(reader.broker.executions_of(account, order_id))
    if own is not None:
        return _OwnFills(tuple(own))
    rows, why = await tried(book.read(account))
    return _OwnFills(None if rows is None else tuple(rows), why, are_recent=True)


def _own(ids: Collection[str], read: _OwnFills, kept: KeptFills | None) -> tuple[Execution, ...] | None:
    """Its fills, with those that the desk has kept."""
    own = [fill for fill in read.fills or () if not read.are_recent or fill.order_id in ids]
    once = {(fill.id, fill.at): fill for fill in (*own, *(kept.fills if kept else ()))}
    return tuple(once.values()) if once or read.fills is not None else None


async def _ticket(reader: Reader, account: str, ids: set[str]) -> tuple[Ticket | None, tuple[Event, ...], str]:
    journal = reader.recorder.journal
    try:
        recent = await journal.recent(reader.clock() - STORY_LOOKS_BACK)
        found = next((one for one in recent if one.intent.account == account and not ids.isdisjoint(one.order_ids)), None)
        return found and shifted(found, reader.clock.set_by), () if found is None else tuple(await journal.events(found.id)), ""
    except JournalError as error:
        return None, (), quoted(str(error))
