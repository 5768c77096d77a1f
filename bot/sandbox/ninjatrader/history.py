"""Historical bars, made up on demand: a seeded walk back from the price of now. Live prices are the market's."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from .calls import Ask
from .products import Contract
from .wire import dotnet_utc, epoch_ms, invalid_request

MINUTES = {"minute": 1, "day": 1440, "week": 7 * 1440, "month": 30 * 1440, "year": 365 * 1440}
LIMIT_DEFAULT = LIMIT_MOST = 5000
EMPTY_SHARE = 0.02
"""Share of the periods that see no trade, and so have no bar."""


@dataclass(frozen=True, slots=True)
class _AskedBars:
    contract: Contract
    period_type: str
    period: int
    start: datetime
    end: datetime
    limit: int

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=MINUTES[self.period_type] * self.period)


def _moment(ask: Ask, name: str) -> datetime | None:
    text = ask.args.text(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_request() from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _positive(ask: Ask, name: str, default: int) -> int:
    number = ask.args.integer(name)
    if number is not None and number < 1:
        raise invalid_request()
    return default if number is None else number


def _read(ask: Ask) -> _AskedBars:
    period_type = (ask.args.text("periodType") or "minute").casefold()
    if period_type not in MINUTES:
        raise invalid_request()
    end = _moment(ask, "to") or ask.world.clock()
    days = timedelta(days=min(_positive(ask, "daysBack", 1), 3650))
    return _AskedBars(
        contract=ask.contract(),
        period_type=period_type,
        period=min(_positive(ask, "period", 1), 100_000),
        start=_moment(ask, "from") or end - days,
        end=end,
        limit=min(_positive(ask, "limit", LIMIT_DEFAULT), LIMIT_MOST),
    )


def _closes(asked: _AskedBars, ask: Ask) -> Iterator[datetime]:
    """Give the close of each period in which the exchange was open, the latest first."""
    hours = ask.world.market.hours
    length = asked.length.total_seconds()
    close = datetime.fromtimestamp(asked.end.timestamp() // length * length, UTC)
    by_day = asked.period_type != "minute"
    while close > asked.start:
        if by_day or hours.forced or hours.by_calendar(close - asked.length):
            yield close
        close -= asked.length


def _bar(close: datetime, last: Decimal, dice: random.Random, tick: Decimal, reach: int) -> tuple[dict[str, Any], Decimal]:
    opened = max(last + tick * dice.randint(-reach, reach), tick)
    high = max(opened, last) + tick * dice.randint(0, reach)
    low = max(min(opened, last) - tick * dice.randint(0, reach), tick)
    bar = {
        "time": dotnet_utc(close),
        "epoch": epoch_ms(close),
        "open": opened,
        "high": high,
        "low": low,
        "close": last,
        "volume": dice.randint(1, 4000),
    }
    return bar, opened


async def bars(ask: Ask) -> dict[str, Any]:
    """POST market/bars: stamped at the close, oldest first, the most recent `limit`; no bar for an empty period.

    Without a feed there is none at all (inferred).
    """
    asked = _read(ask)
    contract = asked.contract
    spelling = ask.args.required("instrument")
    if ask.world.is_no_month(spelling):
        return {
            "instrument": spelling,
            "periodType": asked.period_type,
            "period": asked.period,
            "count": 0,
            "bars": [],
            "success": True,
        }
    tick = contract.product.tick
    reach = max(2, int((MINUTES[asked.period_type] * asked.period) ** 0.5 * 4))
    ticker = ask.world.market.ticker(contract)
    last = ticker.last
    found: list[dict[str, Any]] = []
    for close in _closes(asked, ask) if ticker.has_feed else ():
        # Each period has its own dice, so that two requests agree on which periods are empty.
        dice = random.Random(f"{contract.name} {asked.period_type} {asked.period} {close.timestamp()}")
        if dice.random() < EMPTY_SHARE:
            continue
        bar, last = _bar(close, last, dice, tick, reach)
        found.append(bar)
        if len(found) == asked.limit:
            break
    found.reverse()
    return {
        "instrument": contract.name,
        "periodType": asked.period_type,
        "period": asked.period,
        "count": len(found),
        "bars": found,
        "success": True,
    }
