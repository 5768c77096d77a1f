"""Quotes and sessions; and what CrossTrade tells of itself and of the templates that NinjaTrader has saved."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Annotated

from pydantic import BeforeValidator

from bot.crosstrade.wire._values import Number, Row, ShownText, Text, moment, reading, rows_of, thing_of, utc
from bot.errors import BrokerGarbled
from bot.trading.market.facts import Quote
from bot.trading.market.session import Session
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract, Root, read_contract


class _QuoteRow(Row):
    instrument: Text
    tick_size: Number
    point_value: Number
    bid: Number | None = None
    ask: Number | None = None
    last: Number | None = None
    epoch: Number | None = None
    is_market_open: bool | None = None


class _MarketStatusRow(Row):
    is_open: bool
    state: ShownText = None


class _SpanRow(Row):
    utc_start: Text
    utc_end: Text


def _object_or_none(value: object) -> object:
    return value if isinstance(value, Mapping) and value else None


class _SessionRow(Row):
    timestamp: Text
    instrument: Text
    status: _MarketStatusRow
    session: _SpanRow
    upcoming: Annotated[_SpanRow | None, BeforeValidator(_object_or_none)] = None


def read_quote(body: object, asked: Contract, today: date) -> Quote:
    """Read GET Quote: ``epoch`` in seconds, no ``success`` key (docs, mid). A price of 0 means that there is none (inferred).

    Read are ``instrument``, ``tickSize``, ``bid``, ``ask`` and ``last`` in price units, ``pointValue`` in money per whole
    point, and ``isMarketOpen``. The account's older quote has the same core, but no time that can be read: its ``quoteTime`` is
    local, in the PC's own form.
    """
    (quote,) = read_quotes(body, (asked,), today)
    return quote


def read_quotes(body: object, asked: Sequence[Contract], today: date) -> tuple[Quote, ...]:
    """Read GET Quote, or the older GET Quote of an account, for several instruments: ``epoch`` in seconds (docs, mid and old).

    They are read in the order in which they were asked for; a list is answered by a list.
    """
    inner = body.get("data", body) if isinstance(body, Mapping) else body
    rows = inner if isinstance(inner, list) else [inner]
    if len(rows) != len(asked):
        raise BrokerGarbled("CrossTrade's quote can't be read: it is not the one that was asked for.")
    return tuple(_quote_of(row, one, today) for row, one in zip(rows, asked, strict=True))


def read_session(body: object, asked: Contract | Root, today: date) -> Session:
    """Read GET Market info: times UTC with seven decimals (docs, mid); those that are local, without a zone, are left alone.

    Read are ``timestamp``, ``instrument``, ``isOpen`` and ``state`` of ``status``, and ``utcStart`` and ``utcEnd`` of
    ``session`` and ``upcoming``.
    """
    session = reading("market info", partial(_session, today), thing_of(body))
    _check(session.contract, asked, "the session")
    return session


def read_templates(body: object) -> tuple[str, ...]:
    """Read GET ATM template names: ``templates``, plain names (seen in the code of others); objects with a ``name`` do too."""
    return tuple(reading("ATM template", _template, item) for item in rows_of(body, "templates"))


def read_endpoints(body: object) -> tuple[str, ...]:
    """Read GET Endpoint catalogue into lines such as ``GET /v1/api/accounts``.

    What it looks like is unknown, so both guesses do (inferred): lines like ours, or objects with ``method`` and ``path``.
    """
    return tuple(reading("list of endpoints", _endpoint, item) for item in rows_of(body, "endpoints"))


def _quote_of(row: object, asked: Contract, today: date) -> Quote:
    quote = reading("quote", partial(_quote, today), row)
    _check(quote.contract, asked, "a quote")
    return quote


def _check(contract: Contract, asked: Contract | Root, what: str) -> None:
    if asked not in {contract, Root(contract.root)}:
        raise BrokerGarbled(f"CrossTrade answered with {what} of {contract} instead of {asked}.")


def _quote(today: date, item: object) -> Quote:
    row = _QuoteRow.model_validate(item)
    if row.tick_size <= 0 or row.point_value <= 0:
        raise ValueError("no tick")
    return Quote(
        contract=read_contract(row.instrument, today),
        tick_size=row.tick_size,
        point_value=row.point_value,
        bid=row.bid or None,
        ask=row.ask or None,
        last=row.last or None,
        at=moment(row.epoch),
        market_open=row.is_market_open,
    )


def _session(today: date, item: object) -> Session:
    row = _SessionRow.model_validate(item)
    return Session(
        contract=read_contract(row.instrument, today),
        is_open=row.status.is_open,
        state=row.status.state or ("Open" if row.status.is_open else "Closed"),
        span=_span(row.session),
        upcoming=None if row.upcoming is None else _span(row.upcoming),
        at=utc(row.timestamp),
    )


def _span(row: _SpanRow) -> Span:
    return Span(utc(row.utc_start), utc(row.utc_end))


class _TemplateRow(Row):
    name: Text


class _EndpointRow(Row):
    method: Text
    path: Text


def _template(item: object) -> str:
    # To the letter: a name is sent back as it is.
    if isinstance(item, str) and item.strip():
        return item
    return _TemplateRow.model_validate({"name": item} if isinstance(item, str) else item).name


def _endpoint(item: object) -> str:
    if isinstance(item, str) and item.strip():
        return item.strip()
    row = _EndpointRow.model_validate(item)
    return f"{row.method.upper()} {row.path}"
