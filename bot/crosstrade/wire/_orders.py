"""Orders, their fills, and an order's life as CrossTrade wrote it down."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import chain

from bot.crosstrade.wire._values import (
    Count,
    InstrumentRow,
    MaybeText,
    Number,
    Row,
    ShownCount,
    ShownNumber,
    ShownText,
    Text,
    check_account,
    futures,
    is_no_future,
    moment,
    reading,
    row_of,
    rows_of,
    thing_of,
)
from bot.trading.market.facts import Execution, Order, OtherFill, OtherOrder
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.instruments import read_contract
from bot.trading.orders.terms import OrderState, OrderType, Side

_OWN_ID = re.compile(r"<AutomatedTradingOrderId>([^<]*)</AutomatedTradingOrderId>")
_ORDER_SIDES = {"buy": Side.BUY, "buytocover": Side.BUY, "sell": Side.SELL, "sellshort": Side.SELL}
_FILL_SIDES = {"long": Side.BUY, "short": Side.SELL}
_ORDER_TYPES = {kind.value: kind for kind in OrderType}


class _OrderRow(InstrumentRow):
    id: MaybeText = None
    order_id: MaybeText = None
    user_data: object = None
    order_action: Text
    order_type: MaybeText = None
    order_state: MaybeText = None
    quantity: Count
    filled: Count | None = None
    average_fill_price: Number | None = None
    limit_price: Number | None = None
    stop_price: Number | None = None
    # Not on the vendor's page: what can't be read of these is not told, and never costs the row.
    oco_id: ShownText = None
    owner_strategy: object = None
    name: ShownText = None
    epoch: ShownNumber = None


class _ExecutionRow(InstrumentRow):
    id: Text
    order_id: MaybeText = None
    market_position: Text
    quantity: Count
    price: Number
    epoch: Number


class _OtherOrderRow(Row):
    account: ShownText = None
    instrument: ShownText = None
    instrument_type: Text
    id: ShownText = None
    order_id: ShownText = None
    order_action: ShownText = None
    order_state: ShownText = None
    market_position: ShownText = None
    quantity: ShownCount = None
    price: ShownNumber = None


class _StatusRow(Row):
    account: ShownText = None
    status: Text


class _EventRow(Row):
    event: Text
    source: ShownText = None
    epoch: ShownNumber = None
    filled: ShownCount = None
    quantity: ShownCount = None
    price: ShownNumber = None
    # The rest of a line is not documented; these are the usual words for a reason (inferred).
    reason: ShownText = None
    error: ShownText = None
    message: ShownText = None
    detail: ShownText = None


class _LifecycleRow(Row):
    account: MaybeText = None
    order_id: MaybeText = None
    original_order_id: MaybeText = None


def read_orders(body: object, account: str, today: date) -> tuple[Order, ...]:
    """Read GET List orders: rows with the fields of GET Get order (seen in the code of others).

    Of each are read ``account``, ``instrument``, ``orderAction``, ``orderType``, ``orderState``, ``ocoId``; ``quantity`` and
    ``filled``, in contracts without a sign; ``averageFillPrice``, ``limitPrice`` and ``stopPrice``, in price units, 0 being
    none; ``epoch``, taken for milliseconds UTC (inferred). Ids are ``id``, ``orderId`` and, in the XML of ``userData``, the one
    that the order was placed with; without an ATM strategy NinjaTrader may have put one of its own there (seen by others). Whose
    order it is say ``id`` and ``name`` in ``ownerStrategy``, and what NinjaTrader calls it ``name``.
    """
    return tuple(futures(rows_of(body, "orders"), "order", partial(_order, today, account)))


def read_all_orders(body: object, today: date) -> tuple[Order, ...]:
    """Read GET All orders: the same rows, ``epoch`` in milliseconds, of every account, each with its name (inferred)."""
    return tuple(futures(rows_of(body, "orders"), "order", partial(_order, today, None)))


def read_other_orders(body: object, account: str | None) -> tuple[OtherOrder, ...]:
    """Read GET List orders and GET All orders for what says that it is no future and may still fill (inferred).

    The fields are those of every order, with ``instrumentType``; what can't be read of them isn't told.
    """
    rows = (row for row in rows_of(body, "orders") if is_no_future(row))
    return tuple(one for one in (_other_order(row, account) for row in rows) if not one.state.is_done)


def read_other_fills(body: object, account: str) -> tuple[OtherFill, ...]:
    """Read GET List executions for what says that it is no future (docs, old); what can't be read of it isn't told."""
    return tuple(_other_fill(row, account) for row in rows_of(body, "executions") if is_no_future(row))


def read_order(body: object, account: str, today: date) -> Order:
    """Read GET Get order, flat (docs, old) or nested (seen in the code of others); ``epoch`` as in the list, in milliseconds."""
    return reading("order", partial(_order, today, account), thing_of(body, "order"))


def read_status(body: object, account: str) -> OrderState:
    """Read GET Order status: a string ``status`` at the top (seen in the code of others), perhaps with its ``account``."""
    row = reading("order status", _StatusRow.model_validate, thing_of(body, "order"))
    check_account(row.account, account)
    return OrderState.read(row.status)


def read_executions(body: object, account: str, today: date) -> tuple[Execution, ...]:
    """Read GET List executions (docs, old): ``id``, ``orderId``, ``account``, ``instrument``, ``quantity``, ``price``, ``epoch``.

    ``epoch`` is in milliseconds UTC; ``time`` beside it is local without a zone (inferred) and not read. ``quantity`` is in
    contracts without a sign, ``marketPosition`` the fill's side (Long = buy, inferred).
    """
    return tuple(futures(rows_of(body, "executions"), "execution", partial(_execution, today, account)))


def read_execution(body: object, account: str, today: date) -> Execution:
    """Read GET Get execution: one such row, flat, its ``epoch`` in milliseconds too (docs, old)."""
    return reading("execution", partial(_execution, today, account), thing_of(body, "execution"))


def read_lifecycle(body: object, most: int, clean: Callable[[str], str]) -> Lifecycle:
    """Read GET Order lifecycle: ``epoch`` in milliseconds, with decimals; its ISO time disagrees and isn't read (docs, new).

    Of the whole are read ``account``, ``orderId``, ``originalOrderId`` and ``events``; of each line ``event`` and ``source``,
    and, by the names that they have elsewhere (inferred), ``filled`` and ``quantity`` in contracts, ``price`` in price units,
    and ``reason``, ``error``, ``message`` and ``detail``.

    Args:
        body: the reply.
        most: how many lines were asked for.
        clean: takes secrets out of what it says in words.
    """
    told = (reading("order lifecycle", _event, item) for item in rows_of(body, "events"))
    events = tuple(event if event.note is None else replace(event, note=clean(event.note)) for event in told)
    row = _LifecycleRow() if isinstance(body, list) else reading("order lifecycle", _LifecycleRow.model_validate, thing_of(body))
    ids = tuple(dict.fromkeys(one for one in (row.order_id, row.original_order_id) if one))
    return Lifecycle(row.account, ids, events, is_cut=len(events) >= most)


def _order(today: date, account: str | None, item: object) -> Order:
    row = row_of(_OrderRow, item, account)
    own = _OWN_ID.search(row.user_data) if isinstance(row.user_data, str) else None
    # A row of a connected broker has its number in ``id`` and null in ``orderId`` (seen by others), so ``id`` goes first.
    found = (row.id, row.order_id, html.unescape(own[1]).strip() if own else None)
    ids = tuple(dict.fromkeys(one for one in found if one))
    if not ids:
        raise ValueError("no id")
    return Order(
        ids=ids,
        account=row.account or account or "",
        contract=read_contract(row.instrument, today),
        side=_ORDER_SIDES[row.order_action.replace(" ", "").casefold()],
        type=_ORDER_TYPES.get((row.order_type or "").replace(" ", "").upper()),
        state=OrderState.read(row.order_state or ""),
        quantity=row.quantity,
        filled=row.filled or 0,
        average_fill_price=row.average_fill_price or None,
        limit=row.limit_price or None,
        stop=row.stop_price or None,
        oco=row.oco_id,
        at=moment(row.epoch),
        owner=_owner(row.owner_strategy, "id"),
        template=_owner(row.owner_strategy, "name"),
        name=row.name,
    )


def _other_order(item: object, account: str | None) -> OtherOrder:
    row = reading("order", _OtherOrderRow.model_validate, item)
    return OtherOrder(
        account=row.account or account or "",
        instrument=row.instrument or "?",
        kind=row.instrument_type,
        side=row.order_action,
        quantity=row.quantity,
        state=OrderState.read(row.order_state or ""),
        id=row.id or row.order_id,
    )


def _other_fill(item: object, account: str) -> OtherFill:
    row = reading("execution", _OtherOrderRow.model_validate, item)
    side = _FILL_SIDES.get((row.market_position or "").casefold())
    return OtherFill(row.account or account, row.instrument or "?", row.instrument_type, side, row.quantity, row.price)


def _owner(told: object, field: str) -> str | None:
    """A field of ``ownerStrategy``, any of which may be null (seen in the code of others)."""
    found = told.get(field) if isinstance(told, Mapping) else None
    return str(found).strip() or None if isinstance(found, str | int) else None


def _execution(today: date, account: str, item: object) -> Execution:
    row = row_of(_ExecutionRow, item, account)
    side = _FILL_SIDES[row.market_position.casefold()]
    at = moment(row.epoch)
    if at is None or not row.quantity:
        raise ValueError("no time or no quantity")
    return Execution(
        id=row.id,
        order_id=row.order_id,
        account=row.account or account,
        contract=read_contract(row.instrument, today),
        side=side,
        quantity=row.quantity,
        price=row.price,
        at=at,
    )


def _event(item: object) -> OrderEvent:
    row = _EventRow.model_validate(item)
    said = chain((row.reason, row.error), (row.message, row.detail))
    return OrderEvent(
        what=row.event,
        source=row.source,
        at=moment(row.epoch),
        filled=row.filled,
        quantity=row.quantity,
        price=row.price or None,
        note=": ".join(dict.fromkeys(part for part in said if part)) or None,
    )
