"""Pushes of CrossTrade's stream, read into our words: prices, profit and loss, and whose account an event is about.

A push is an extra, so a row that can't be read is left out, and nothing in it is ever guessed. What follows stands in ``feed``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.crosstrade.wire._values import LONGEST_INSTRUMENT, Number, Text, moment
from bot.errors import InstrumentError
from bot.trading.market.facts import Day
from bot.trading.orders.instruments import Contract, read_contract
from bot.trading.words import verbatim

# Spellings of the same in lower case. The items of ``pnlUpdate`` are not documented; the first of each is that of GET Get
# account, the others are those of watermarks and of Tradovate's account (inferred).
_NAMES = ("account", "name", "accountname")
_REALISED = ("realizedprofitloss", "realizedpnl", "realised", "realized")
_UNREALISED = ("unrealizedprofitloss", "unrealizedpnl", "openpnl", "unrealised", "unrealized")
_TOTAL = ("totalpnl", "total")
# What CrossTrade's own floats may lose in a sum.
_CENT = Decimal("0.01")
_ACCOUNT_KEYS = ("account", "accountName")

_number = TypeAdapter[Decimal](Number, config=ConfigDict(defer_build=True))


@dataclass(frozen=True, slots=True)
class Tick:
    """One row of prices as it came; it carries no time (WebSocket page; keys seen in the code of others).

    Attributes:
        last, bid, ask: price units; ``None`` when there is none.
        volume: contracts of the session so far, no sign (seen by others).
    """

    contract: Contract
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    volume: Decimal | None


class _PushedQuote(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    instrument: Text
    last: Number | None = None
    bid: Number | None = None
    ask: Number | None = None
    volume: Number | None = None


def read_ticks(frame: Mapping[str, object], today: date, unread: Callable[[str], None] = lambda _text: None) -> Iterator[Tick]:
    """Read ``marketData`` (WebSocket page; the keys of its ``quotes`` seen in the code of others).

    ``instrument``; ``last``, ``bid`` and ``ask`` in price units; ``volume`` in contracts of the session so far. A price of 0
    means that there is none (inferred). What can't be read is left out, and told to ``unread`` by its text; nothing is raised.
    """
    for item in _items(frame, "quotes"):
        try:
            row = _PushedQuote.model_validate(item)
            yield Tick(read_contract(row.instrument, today), row.last or None, row.bid or None, row.ask or None, row.volume)
        except (ValidationError, InstrumentError):
            named = item.get("instrument") if isinstance(item, Mapping) else None
            unread(f'price "{verbatim(named, LONGEST_INSTRUMENT) if isinstance(named, str) else "?"}"')


def read_days(frame: Mapping[str, object], now: datetime) -> dict[str, Day]:
    """Read ``pnlUpdate`` (WebSocket page; its items inferred): money in the account's currency, a loss negative, by account name.

    What can't be read is left out; nothing is raised.

    Args:
        frame: with the ``epoch`` of all its items in milliseconds; the day is never later than ``now``.
        now: the time of receipt, which counts where there is no epoch.
    """
    told = moment(_decimal(frame.get("epoch")))
    at = now if told is None else min(told, now)
    return {name: Day(*money, at) for item in _items(frame, "accounts") for name, money in _day(item)}


def account_of(frame: Mapping[str, object], entity: str) -> str | None:
    """The account that an event names, itself or in what it is about; ``None`` when it can't be told."""
    inner = next((part for key in (entity, "data") if isinstance(part := frame.get(key), Mapping)), None)
    if inner is None:
        return None
    found = (part.get(key) for part in (frame, inner) for key in _ACCOUNT_KEYS)
    return next((name.strip() for name in found if isinstance(name, str) and name.strip()), None)


def _items(frame: Mapping[str, object], key: str) -> list[object]:
    items = frame.get(key)
    return items if isinstance(items, list) else []


def _day(item: object) -> Iterator[tuple[str, tuple[Decimal, Decimal]]]:
    if not isinstance(item, Mapping):
        return
    row = {str(key).casefold(): value for key, value in item.items()}
    name = next((row[key].strip() for key in _NAMES if isinstance(row.get(key), str)), "")
    unrealised = _first(row, _UNREALISED)
    realised = _first(row, _REALISED) if unrealised is None else _realised(row, unrealised)
    # Two keys that differ in case alone contradict each other, or one of them is not what it seems.
    if name and realised is not None and unrealised is not None and len(row) == len(item):
        yield name, (realised, unrealised)


def _realised(row: Mapping[str, object], unrealised: Decimal) -> Decimal | None:
    """Realised result; a bare ``pnl`` could be the whole, so it counts only where the row's own total proves it."""
    told = _first(row, _REALISED)
    if told is not None:
        return told
    bare, total = _first(row, ("pnl",)), _first(row, _TOTAL)
    proved = bare is not None and total is not None and abs(bare + unrealised - total) <= _CENT
    return bare if proved else None


def _first(row: Mapping[str, object], keys: tuple[str, ...]) -> Decimal | None:
    return next((value for key in keys if (value := _decimal(row.get(key))) is not None), None)


def _decimal(value: object) -> Decimal | None:
    try:
        return _number.validate_python(value)
    except ValidationError:
        return None
