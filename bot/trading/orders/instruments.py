"""Futures contracts and the spellings that people and CrossTrade use for them.

Accepted spellings (CrossTrade, instrument names): ``ES 09-26`` (NT8 dated form, always safe), ``ES`` (root: a month must still
be found), ``ES1!`` (TradingView's continuous form, read as the root), ``ESU6`` and ``ESU26`` (CME code), ``ES SEP26`` (webhook
form). Which month a bare root means is not decided here: that needs positions and the front month.

Answers come in each of the dated spellings, by NinjaTrader's version (seen on others' installations: ``NQU6``, ``MES JUN26``);
what is sent is always the dated form.
"""

import re
from dataclasses import dataclass
from datetime import date

from bot.errors import InstrumentError

MONTH_CODES = "FGHJKMNQUVXZ"
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

# Equity index futures have no other months at the exchange; elsewhere NinjaTrader's word decides.
QUARTERLY_ROOTS = frozenset({"ES", "MES", "NQ", "MNQ", "YM", "MYM", "RTY", "M2K"})
QUARTERLY_MONTHS = (3, 6, 9, 12)

QUOTES = "\"'`“”„‘’«»"
LONGEST_NAME = 20

_ROOT = r"(?P<root>[A-Z0-9]{1,6})"
_DATED = re.compile(_ROOT + r" (?P<month>\d{1,2})-(?P<year>\d{2})")
_NAMED = re.compile(rf"(?P<root>[A-Z0-9]{{1,6}}?) ?(?P<name>{'|'.join(MONTH_NAMES)}) ?(?P<year>\d{{2}})")
_CONTINUOUS = re.compile(_ROOT + r"1!")
_CODED = re.compile(rf"(?P<root>[A-Z0-9]{{2,6}}?)(?P<code>[{MONTH_CODES}])(?P<year>\d{{1,2}})")
_BARE = re.compile(_ROOT)


@dataclass(frozen=True, slots=True, order=True)
class Contract:
    """One contract month of a root; ``str()`` is the NT8 dated form, such as ``ES 09-26``.

    Attributes:
        root: in capitals, such as ``ES``.
        year: four digits.
        month: 1 to 12, of delivery.
    """

    root: str
    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.root} {self.month:02d}-{self.year % 100:02d}"

    def is_past(self, today: date) -> bool:
        """Tell whether the contract month lies before today's by the calendar; the broker's word may differ."""
        return (self.year, self.month) < (today.year, today.month)


@dataclass(frozen=True, slots=True)
class Root:
    """A root without a month, as in ``ES`` or ``ES1!``."""

    name: str

    def __str__(self) -> str:
        return self.name


def parse_instrument(typed: str, today: date) -> Contract | Root:
    """Read any accepted spelling; literal quotes, case and doubled blanks don't matter.

    Raises:
        InstrumentError: nothing fits, or more than one contract does; the sentence says what would fit.
    """
    text = _plain(typed, typed.translate({ord(mark): " " for mark in QUOTES}))
    if match := _DATED.fullmatch(text):
        return _dated(typed, match["root"], 2000 + int(match["year"]), int(match["month"]))
    if match := _NAMED.fullmatch(text):
        return _dated(typed, match["root"], 2000 + int(match["year"]), MONTH_NAMES.index(match["name"]) + 1)
    if match := _CONTINUOUS.fullmatch(text):
        return Root(match["root"])
    if match := _CODED.fullmatch(text):
        month = MONTH_CODES.index(match["code"]) + 1
        return _dated(typed, match["root"], _year(typed, match["root"], month, match["year"], today), month)
    if _BARE.fullmatch(text):
        return Root(text)
    raise _unreadable(typed)


def read_contract(name: str, today: date) -> Contract:
    """Read a contract as CrossTrade answers it, in any dated spelling: ``ES 12-26``, ``ESZ6``, ``ESZ26``, ``ES DEC26``.

    A year of one digit is the one from four years before ``today`` to five after, as months are listed years ahead (inferred).

    Raises:
        InstrumentError: it is in none of them; a bare root is not either.
    """
    text = _plain(name, name)
    if _DATED.fullmatch(text):
        return parse_dated(name)
    if match := _NAMED.fullmatch(text):
        return Contract(match["root"], 2000 + int(match["year"]), MONTH_NAMES.index(match["name"]) + 1)
    if match := _CODED.fullmatch(text):
        digits, earliest = match["year"], today.year - 4
        year = 2000 + int(digits) if len(digits) > 1 else earliest + (int(digits) - earliest) % 10
        return Contract(match["root"], year, MONTH_CODES.index(match["code"]) + 1)
    raise _unreadable(name)


def parse_dated(name: str) -> Contract:
    """Read the NT8 dated form alone, in which the desk keeps and sends contracts.

    Raises:
        InstrumentError: it is not in that form.
    """
    match = _DATED.fullmatch(_plain(name, name))
    if match is None or not 1 <= int(match["month"]) <= len(MONTH_NAMES):
        raise _unreadable(name)
    return Contract(match["root"], 2000 + int(match["year"]), int(match["month"]))


def _plain(typed: str, text: str) -> str:
    """One line in capitals; other scripts are refused before they could fold into ASCII letters or count as digits."""
    line = " ".join(text.split())
    if not line or len(line) > LONGEST_NAME or not line.isascii():
        raise _unreadable(typed)
    return line.upper()


def _dated(typed: str, root: str, year: int, month: int) -> Contract:
    if not 1 <= month <= len(MONTH_NAMES):
        raise InstrumentError(typed, f"There is no month {month:02d}; write the contract like ES 09-26.")
    if not _has_month(root, month):
        fits = tuple(str(Contract(root, year, quarter)) for quarter in QUARTERLY_MONTHS)
        raise InstrumentError(typed, f"{root} has no month {month:02d}; in that year there are {', '.join(fits)}.", fits)
    return Contract(root, year, month)


def _has_month(root: str, month: int) -> bool:
    return root not in QUARTERLY_ROOTS or month in QUARTERLY_MONTHS


def _year(typed: str, root: str, month: int, digits: str, today: date) -> int:
    if len(digits) > 1:
        return 2000 + int(digits)
    # A single digit names one year in ten; the one within five years of today is meant, and exactly five away is a tie.
    years = [year for year in range(today.year - 5, today.year + 6) if year % 10 == int(digits)]
    if len(years) > 1 and _has_month(root, month):
        fits = tuple(str(Contract(root, year, month)) for year in years)
        raise InstrumentError(typed, f"That fits {' and '.join(fits)}; write the one you mean in that form.", fits)
    return years[-1]


def _unreadable(typed: str) -> InstrumentError:
    return InstrumentError(typed, "That is no instrument that can be read; write it like ES 09-26, ESU6 or ES.")
