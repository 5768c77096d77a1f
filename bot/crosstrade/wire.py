"""CrossTrade's replies, read into the words of ``bot.trading``: accounts, positions, orders, executions, quotes.

Tolerant where nothing is lost (unknown keys, flat or nested bodies, unknown states) and strict where something would be: a row
that can't be read makes the whole reply unreadable, so that nothing reads as "flat" or "no order" by accident. Units are
settled here, by endpoint. Every function raises ``BrokerGarbled``.
"""

import html
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from bot.errors import BrokerGarbled, InstrumentError
from bot.trading.facts import Account, Execution, Order, Position, Quote
from bot.trading.instruments import Contract, Root, parse_dated
from bot.trading.orders import OrderState, OrderType, Side

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds reach this in the year 5138, milliseconds did in 1973.
_SMALLEST_MILLISECONDS = Decimal(10) ** 11
_NOISE_STARTS_AT = 8
_LARGEST = Decimal(10) ** 15
_OWN_ID = re.compile(r"<AutomatedTradingOrderId>([^<]*)</AutomatedTradingOrderId>")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_ORDER_SIDES = {"buy": Side.BUY, "buytocover": Side.BUY, "sell": Side.SELL, "sellshort": Side.SELL}
_ORDER_TYPES = {kind.value: kind for kind in OrderType}


def _number(value: object) -> object:
    """An exact number without the binary noise that CrossTrade's own floats carry."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no number")  # noqa: TRY004  pydantic turns a ValueError into its own, not a TypeError
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("no number") from None
    if not number.is_finite() or abs(number) > _LARGEST:
        raise ValueError("no number that can be meant")
    if number == round(number, _NOISE_STARTS_AT):
        return number or abs(number)
    return Decimal(format(round(number, _NOISE_STARTS_AT).normalize(), "f"))


def _count(value: object) -> object:
    number = _number(value)
    if isinstance(number, Decimal) and (number != int(number) or number < 0):
        raise ValueError("no count")
    return int(number) if isinstance(number, Decimal) else number


def _text(value: object) -> object:
    """Text, blank being none; ids may come as numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else value


Number = Annotated[Decimal, BeforeValidator(_number)]
Count = Annotated[int, BeforeValidator(_count)]
Text = Annotated[str, BeforeValidator(_text)]
MaybeText = Annotated[str | None, BeforeValidator(_text)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


class _AccountItem(_Row):
    cash_value: Number | None = None
    realized_profit_loss: Number | None = None
    unrealized_profit_loss: Number | None = None


class _AccountRow(_Row):
    name: Text
    provider: MaybeText = None
    connection_status: MaybeText = None
    item: _AccountItem | None = None


class _InstrumentRow(_Row):
    account: MaybeText = None
    instrument: Text


class _PositionRow(_InstrumentRow):
    market_position: Text
    quantity: Count
    average_price: Number | None = None
    unrealized_profit_loss: Number | None = None


class _OrderRow(_InstrumentRow):
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
    oco_id: MaybeText = None
    epoch: Number | None = None


class _ExecutionRow(_InstrumentRow):
    id: Text
    order_id: MaybeText = None
    market_position: Text
    quantity: Count
    price: Number
    epoch: Number


class _QuoteRow(_Row):
    instrument: Text
    tick_size: Number
    point_value: Number
    bid: Number | None = None
    ask: Number | None = None
    last: Number | None = None
    epoch: Number | None = None
    is_market_open: bool | None = None


_R = TypeVar("_R", bound=_InstrumentRow)
_F = TypeVar("_F")


def read_accounts(body: object) -> tuple[Account, ...]:
    """Read GET List accounts. The items are presumably those of GET Get account (inferred); plain names count too."""
    return tuple(
        Account(item.strip()) if isinstance(item, str) and item.strip() else _account(item) for item in _list(body, "accounts")
    )


def read_account(body: object, name: str) -> Account:
    """Read GET Get account: money in the account's currency under ``item`` (docs, mid)."""
    account = _account(_object(body, "account"))
    if not _is_same(account.name, name):
        raise BrokerGarbled("CrossTrade answered for another account than the one asked for.")
    return account


def read_positions(body: object, account: str) -> tuple[Position, ...]:
    """Read GET List positions: ``quantity`` has no sign, the direction is in ``marketPosition`` (docs, mid)."""
    read = _futures(_list(body, "positions"), "position", partial(_position, account))
    return tuple(position for position in read if position.quantity)


def read_orders(body: object, account: str) -> tuple[Order, ...]:
    """Read GET List orders."""
    return tuple(_futures(_list(body, "orders"), "order", partial(_order, account)))


def read_order(body: object, account: str) -> Order:
    """Read GET Get order, flat (docs) or nested (seen by others)."""
    return _reading("order", partial(_order, account), _object(body, "order"))


def read_executions(body: object, account: str) -> tuple[Execution, ...]:
    """Read GET List executions: ``epoch`` in milliseconds; ``marketPosition`` is the fill's side (Long = buy, inferred)."""
    return tuple(_futures(_list(body, "executions"), "execution", partial(_execution, account)))


def read_quote(body: object, asked: Contract | Root) -> Quote:
    """Read GET Quote: ``epoch`` in seconds, no ``success`` key (docs, mid). A price of 0 means that there is none (inferred)."""
    inner = body.get("data", body) if isinstance(body, Mapping) else body
    # A list of instruments is answered by a list; one instrument by an object.
    rows = inner if isinstance(inner, list) else [inner]
    if len(rows) != 1:
        raise BrokerGarbled("CrossTrade's quote can't be read: it is not the one that was asked for.")
    quote = _reading("quote", _quote, rows[0])
    if asked not in {quote.contract, Root(quote.contract.root)}:
        raise BrokerGarbled(f"CrossTrade answered with a quote of {quote.contract} instead of {asked}.")
    return quote


def read_templates(body: object) -> tuple[str, ...]:
    """Read GET atm-templates: names under ``templates`` (seen by others), to the letter."""
    rows = _list(body, "templates")
    names = tuple(row for row in rows if isinstance(row, str) and row.strip())
    if len(names) != len(rows):
        raise BrokerGarbled("CrossTrade's ATM templates can't be read.")
    return names


def moment(epoch: Decimal | None) -> datetime | None:
    """Read an epoch in seconds or milliseconds, which can't be mistaken for each other; ``None`` when it is no real time."""
    if epoch is None or epoch <= 0:
        return None
    seconds = epoch / 1000 if epoch >= _SMALLEST_MILLISECONDS else epoch
    try:
        return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError:
        return None


def _account(item: object) -> Account:
    row = _reading("account", _AccountRow.model_validate, item)
    money = row.item or _AccountItem()
    connected = None if row.connection_status is None else row.connection_status.casefold() == "connected"
    return Account(row.name, row.provider, connected, money.realized_profit_loss, money.unrealized_profit_loss, money.cash_value)


def _position(account: str, item: object) -> Position:
    row = _row(_PositionRow, item, account)
    signs = {"long": 1, "short": -1, "flat": 0}
    sign = signs[row.market_position.casefold()]
    if not sign and row.quantity:
        raise ValueError("flat with a quantity")
    return Position(
        account=row.account or account,
        contract=parse_dated(row.instrument),
        quantity=sign * row.quantity,
        average_price=row.average_price,
        unrealised=row.unrealized_profit_loss,
    )


def _order(account: str, item: object) -> Order:
    row = _row(_OrderRow, item, account)
    own = _OWN_ID.search(row.user_data) if isinstance(row.user_data, str) else None
    # A row of a connected broker has its number in ``id`` and null in ``orderId`` (seen by others), so ``id`` goes first.
    found = (row.id, row.order_id, html.unescape(own[1]).strip() if own else None)
    ids = tuple(dict.fromkeys(one for one in found if one))
    if not ids:
        raise ValueError("no id")
    return Order(
        ids=ids,
        account=row.account or account,
        contract=parse_dated(row.instrument),
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
    )


def _execution(account: str, item: object) -> Execution:
    row = _row(_ExecutionRow, item, account)
    side = {"long": Side.BUY, "short": Side.SELL}[row.market_position.casefold()]
    at = moment(row.epoch)
    if at is None or not row.quantity:
        raise ValueError("no time or no quantity")
    return Execution(
        id=row.id,
        order_id=row.order_id,
        account=row.account or account,
        contract=parse_dated(row.instrument),
        side=side,
        quantity=row.quantity,
        price=row.price,
        at=at,
    )


def _quote(item: object) -> Quote:
    row = _QuoteRow.model_validate(item)
    if row.tick_size <= 0 or row.point_value <= 0:
        raise ValueError("no tick")
    return Quote(
        contract=parse_dated(row.instrument),
        tick_size=row.tick_size,
        point_value=row.point_value,
        bid=row.bid or None,
        ask=row.ask or None,
        last=row.last or None,
        at=moment(row.epoch),
        market_open=row.is_market_open,
    )


def _row(model: type[_R], item: object, account: str) -> _R:
    row = model.model_validate(item)
    # CrossTrade echoes the account in its canonical case (official).
    if row.account is not None and not _is_same(row.account, account):
        raise ValueError("a row of another account")
    return row


def _is_same(name: str, other: str) -> bool:
    """Tell whether two account names are one: the case of ASCII letters doesn't matter."""
    return name.translate(_LOWER) == other.translate(_LOWER)


def _futures(rows: Sequence[object], name: str, read: Callable[[object], _F]) -> Iterator[_F]:
    """Read the rows but those that say that they are no futures: a dated contract is all that is traded here."""
    for row in rows:
        kind = row.get("instrumentType") if isinstance(row, Mapping) else None
        if isinstance(kind, str) and kind.strip() and kind.strip().casefold() != "future":
            continue
        yield _reading(name, read, row)


def _reading(name: str, read: Callable[[object], _F], item: object) -> _F:
    try:
        return read(item)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, one["loc"])) or "the whole of it" for one in error.errors()}))
        raise BrokerGarbled(f"CrossTrade's {name} can't be read ({where[:100]}).") from None
    except (KeyError, ValueError, InstrumentError) as error:
        raise BrokerGarbled(f"CrossTrade's {name} can't be read.") from error


def _list(body: object, key: str) -> list[object]:
    """The rows: under their key, flat or nested in ``data``, or bare. Anything else must not read as "none"."""
    found: object = body
    if isinstance(body, Mapping):
        data = body.get("data")
        found = body[key] if key in body else data.get(key) if isinstance(data, Mapping) else data
        if found is data and body.get("success") is not True:
            found = None
    if not isinstance(found, list):
        raise BrokerGarbled(f"CrossTrade's answer holds no list of {key}.")
    return found


def _object(body: object, key: str) -> object:
    """The one thing that was asked for: flat, or nested in ``data`` or under its key or both."""
    for name in ("data", key):
        if isinstance(body, Mapping) and isinstance(body.get(name), Mapping):
            body = body[name]
    return body
