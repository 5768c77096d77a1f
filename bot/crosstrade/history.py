"""Historical bars: the body that asks for them, and the reply. It is the one read that travels as a POST.

Source: the page on POST Historical bars (mid). ``from`` and ``to`` are not used, as some NinjaTrader machines fail at reading
their dates (seen by others); ``daysBack`` and ``limit``, which keeps the most recent, say the same.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bot.crosstrade.requests import API, Body
from bot.crosstrade.wire._values import Count, MaybeText, Number, moment
from bot.errors import BrokerGarbled, InstrumentError
from bot.trading.market.bars import Bar, Bars, Period, PeriodType
from bot.trading.orders.instruments import Contract, read_contract

UNREADABLE = "CrossTrade's bars can't be read"


class BarsBody(Body):
    """Body of POST Historical bars (mid).

    Attributes:
        period: minutes, days or weeks in each bar, whichever ``period_type`` says.
        days_back: calendar days from now (that they are those of the calendar is inferred).
        limit: bars to give at most; the most recent ones are kept.
    """

    instrument: str
    period_type: PeriodType
    period: Annotated[int, Field(ge=1)]
    days_back: Annotated[int, Field(ge=1)]
    limit: Annotated[int, Field(ge=1)]

    @classmethod
    def of(cls, contract: Contract, period: Period, most: int) -> "BarsBody":
        """Build it for the newest bars of a contract."""
        return cls(
            instrument=str(contract),
            period_type=period.type,
            period=period.count,
            days_back=period.days_back(most),
            limit=most,
        )


class _HistoryRow(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True, defer_build=True)


class _BarRow(_HistoryRow):
    epoch: Number | None = None
    time: MaybeText = None
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Count | None = None

    def bar(self) -> Bar:
        at = moment(self.epoch) or _utc(self.time)
        return Bar(at, self.open, self.high, self.low, self.close, self.volume)


class _Reply(_HistoryRow):
    instrument: MaybeText = None
    period_type: MaybeText = None
    period: Number | None = None
    bars: tuple[_BarRow, ...]


def bars_path() -> str:
    """POST Historical bars; it changes nothing."""
    return f"{API}/market/bars"


def read_bars(body: object, asked: Contract, period: Period, most: int, today: date) -> Bars:
    """Read POST Historical bars (mid): ``bars`` with ``epoch`` in milliseconds, or else ``time`` in UTC with seven decimals.

    Either is the bar's end (measured by others). ``open``, ``high``, ``low`` and ``close`` are in price units, ``volume`` in
    contracts. Flat, nested in ``data`` or a bare list; where ``instrument``, ``periodType`` or ``period`` isn't told, it is
    what was asked for.

    Raises:
        BrokerGarbled: it can't be read, or these are not the bars that were asked for.
    """
    try:
        reply = _Reply.model_validate(_inner(body))
        contract = asked if reply.instrument is None else read_contract(reply.instrument, today)
        rows = sorted((row.bar() for row in reply.bars), key=lambda bar: bar.at)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, one["loc"])) or "the whole of it" for one in error.errors()}))
        raise BrokerGarbled(f"{UNREADABLE} ({where[:100]}).") from None
    except (ValueError, InstrumentError) as error:
        raise BrokerGarbled(f"{UNREADABLE}.") from error
    if asked != contract:
        raise BrokerGarbled(f"CrossTrade answered with bars of {contract} instead of {asked}.")
    if not _is_period(reply, period):
        raise BrokerGarbled(f"CrossTrade answered with other bars than those of {period.words}.")
    return Bars(contract, period, tuple(rows[-most:]))


def _inner(body: object) -> object:
    data = body.get("data") if isinstance(body, Mapping) and "bars" not in body else None
    inner = body if data is None else data
    return {"bars": inner} if isinstance(inner, list) else inner


def _is_period(reply: _Reply, period: Period) -> bool:
    told = (reply.period_type or period.type).casefold(), period.count if reply.period is None else reply.period
    return told == (period.type, period.count)


def _utc(text: str | None) -> datetime:
    at = datetime.fromisoformat(text or "")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
