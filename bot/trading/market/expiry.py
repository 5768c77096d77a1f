"""The days on which contracts expire and roll, as far as the exchanges' rules tell, and their warnings. Pure: today is given.

CrossTrade's quote gives the first day of the contract month for every contract, so the days are worked out here. Sources are the
contract specifications of CME Group:

- Equity index futures end on the third Friday of the month, a business day earlier where that is a holiday. By convention trading
  moves to the next month on the Thursday eight days before.
- CL ends three business days before the 25th of the month before; where the 25th is no business day, counted from the business
  day before it. MCL ends a business day before CL.
- GC and MGC end on the third last business day of the month; delivery notices begin on the last business day of the month before.

Business days are counted with the usual holidays of the United States; the exchange may have others, so such days are "about". Of
all other roots only the calendar and NinjaTrader's front month are known. Nothing here ever stands in an order's way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from bot.trading.orders.instruments import QUARTERLY_MONTHS, QUARTERLY_ROOTS, Contract

DAY = timedelta(days=1)
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
# How long before its end a contract is said to end.
SOON = timedelta(days=7)
ROLLS_BEFORE = timedelta(days=8)
# Of a month that nobody else named.
BY_CALENDAR = "is the front month by the calendar, as NinjaTrader doesn't tell it"

_OIL = frozenset({"CL", "MCL"})
_GOLD = frozenset({"GC", "MGC"})


@dataclass(frozen=True, slots=True)
class RuleDay:
    """A day that a rule gives; ``sure`` unless a holiday that isn't known here may move it."""

    on: date
    sure: bool = False

    def __str__(self) -> str:
        return f"{'on' if self.sure else 'about'} {self.on}"


def expiry(contract: Contract) -> RuleDay | None:
    """The last day of trading; ``None`` where the rule isn't known here."""
    first = date(contract.year, contract.month, 1)
    if contract.root in QUARTERLY_ROOTS:
        third_friday = _third_friday(first)
        last = _business_day(third_friday)
        return RuleDay(last, sure=last == third_friday)
    if contract.root in _OIL:
        last = _back(_business_day((first - DAY).replace(day=25)), 3)
        return RuleDay(last if contract.root == "CL" else _back(last, 1))
    if contract.root in _GOLD:
        return RuleDay(_back(_last_business_day(first), 2))
    return None


def roll(contract: Contract) -> date | None:
    """The day from which traders usually are in the next month; ``None`` where there is no such convention."""
    if contract.root not in QUARTERLY_ROOTS:
        return None
    return _third_friday(date(contract.year, contract.month, 1)) - ROLLS_BEFORE


def front_by_calendar(root: str, today: date) -> Contract | None:
    """The month that traders usually are in; ``None`` where there is no such convention for the root."""
    if root not in QUARTERLY_ROOTS:
        return None
    month = Contract(root, today.year, QUARTERLY_MONTHS[0])
    while (rolled := roll(month)) is not None and rolled <= today:
        month = following(month)
    return month


def first_notice(contract: Contract) -> RuleDay | None:
    """The day from which delivery notices are given; ``None`` where there is no delivery or the rule isn't known here."""
    if contract.root not in _GOLD:
        return None
    return RuleDay(_business_day(date(contract.year, contract.month, 1) - DAY))


def warnings_about(contract: Contract, today: date, front: Contract | None, *, leaving: bool) -> tuple[str, ...]:
    """The warnings about a contract before it is traded, each a plain sentence.

    Args:
        contract: that an order is in.
        today: by UTC; the exchange's own day may differ for some hours.
        front: the root's front month by NinjaTrader, if that is known.
        leaving: whether the order can only lessen what is held; then only its end matters.
    """
    return tuple(_warnings(contract, today, front, leaving=leaving))


def _warnings(contract: Contract, today: date, front: Contract | None, *, leaving: bool) -> Iterator[str]:
    end = expiry(contract)
    is_over = contract.is_past(today) if end is None else end.on < today
    if is_over:
        how = "" if end is None else f": it expired {end}"
        yield f"{contract} is past by the calendar{how}; the broker may refuse it"
    elif end is not None and end.on - today <= SOON:
        yield f"{contract} expires {end}, {_in_days((end.on - today).days)}"
    if leaving:
        return
    rolled = roll(contract)
    if rolled is not None and rolled <= today and not is_over:
        yield f"{contract} is past its usual roll date, {rolled}: {_where_to(contract, front)}"
        return
    notice = first_notice(contract)
    if notice is not None and notice.on - today <= SOON and not is_over:
        yield f"delivery notices for {contract} {'begin' if notice.on > today else 'began'} {notice}"
    if front is not None and front != contract:
        yield f"{contract} is not the front month: NinjaTrader's is {front}"


def _where_to(contract: Contract, front: Contract | None) -> str:
    if front is not None and front != contract:
        return f"the front month is {front}"
    return f"the next month is {following(contract)}"


def following(contract: Contract) -> Contract:
    """The next month of an equity index future."""
    later = [month for month in QUARTERLY_MONTHS if month > contract.month]
    return Contract(contract.root, contract.year, later[0]) if later else Contract(contract.root, contract.year + 1, 3)


def _in_days(days: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def _third_friday(first: date) -> date:
    return _nth(first.year, first.month, FRIDAY, 3)


def _last_business_day(first: date) -> date:
    """The last business day of the month that begins with that day."""
    return _business_day((first + 31 * DAY).replace(day=1) - DAY)


def _business_day(day: date) -> date:
    """The day itself, or the last business day before it."""
    while day.weekday() >= SATURDAY or day in _holidays(day.year):
        day -= DAY
    return day


def _back(day: date, business_days: int) -> date:
    for _ in range(business_days):
        day = _business_day(day - DAY)
    return day


@cache
def _holidays(year: int) -> frozenset[date]:
    """The exchange holidays of a year, on the weekdays on which they are kept."""
    fixed = [date(year, 6, 19), date(year, 7, 4), date(year, 12, 25)]
    new_year = date(year, 1, 1)
    return frozenset(
        {
            # A New Year's Day on a Saturday is not kept on the last day of the year.
            new_year + DAY if new_year.weekday() == SUNDAY else new_year,
            _nth(year, 1, MONDAY, 3),
            _nth(year, 2, MONDAY, 3),
            _easter(year) - 2 * DAY,
            _nth(year, 6, MONDAY, 1) - 7 * DAY,
            *map(_kept, fixed),
            _nth(year, 9, MONDAY, 1),
            _nth(year, 11, THURSDAY, 4),
        }
    )


def _kept(holiday: date) -> date:
    return holiday + {SATURDAY: -DAY, SUNDAY: DAY}.get(holiday.weekday(), 0 * DAY)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """The first, second … such weekday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _easter(year: int) -> date:
    """Easter Sunday, by the Gregorian rule for the years 1900 to 2099."""
    moon = (19 * (year % 19) + 24) % 30
    days = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    easter = date(year, 3, 22) + timedelta(days=moon + days)
    late = date(year, 4, 25)
    # Gauss's two exceptions.
    if easter == date(year, 4, 26) or (easter == late and moon == 28):
        return easter - 7 * DAY
    return easter
