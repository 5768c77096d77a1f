"""Futures that exist here, their contract months, and every spelling of a contract. No prices."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

MONTH_CODES = "FGHJKMNQUVXZ"
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FRIDAY = 4


class Roll(StrEnum):
    """Rule for the day when trading moves on to the next month (inferred, close to practice)."""

    INDEX = "index"
    ENERGY = "energy"
    METAL = "metal"


@dataclass(frozen=True, slots=True)
class Product:
    """One future. `tick` and `point_value` (dollars a point a contract) are CME's; `price` and `margin` are made up."""

    root: str
    description: str
    exchange: str
    hours: str
    tick: Decimal
    point_value: Decimal
    months: str
    roll: Roll
    price: Decimal
    margin: Decimal

    @property
    def tick_value(self) -> Decimal:
        """Dollars a tick a contract."""
        return self.tick * self.point_value


def _index(root: str, description: str, tick: str, point_value: str, price: str, margin: str) -> Product:
    exchange = "CBOT" if root == "YM" else "Globex"
    return Product(
        root, description, exchange, "CME US Index Futures ETH", Decimal(tick), Decimal(point_value), "HMUZ", Roll.INDEX,
        Decimal(price), Decimal(margin),
    )  # fmt: skip


PRODUCTS = {
    product.root: product
    for product in (
        _index("ES", "E-mini S&P 500 Futures", "0.25", "50", "6600", "22000"),
        _index("MES", "Micro E-mini S&P 500 Futures", "0.25", "5", "6600", "2200"),
        _index("NQ", "E-mini Nasdaq-100 Futures", "0.25", "20", "24500", "32000"),
        _index("MNQ", "Micro E-mini Nasdaq-100 Futures", "0.25", "2", "24500", "3200"),
        _index("YM", "E-mini Dow ($5) Futures", "1", "5", "46500", "14000"),
        _index("RTY", "E-mini Russell 2000 Futures", "0.10", "50", "2450", "9500"),
        Product(
            "CL", "Crude Oil Futures", "Nymex", "Nymex Energy ETH", Decimal("0.01"), Decimal(1000), MONTH_CODES,
            Roll.ENERGY, Decimal(63), Decimal(6200),
        ),
        Product(
            "GC", "Gold Futures", "Comex", "Nymex Metals - Energy ETH", Decimal("0.10"), Decimal(100), "GJMQVZ",
            Roll.METAL, Decimal(3800), Decimal(15000),
        ),
    )
}  # fmt: skip


class UnknownInstrumentError(Exception):
    """No contract here is spelled that way."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One delivery month of a product."""

    product: Product
    year: int
    month: int

    def __hash__(self) -> int:
        # Of what tells contracts apart: all of a product took longer than the look-ups that this is for.
        return hash((self.product.root, self.year, self.month))

    @property
    def name(self) -> str:
        """The NT8 dated form, as every documented answer has it: ES 09-26."""
        return f"{self.product.root} {self.month:02d}-{self.year % 100:02d}"

    @property
    def first_day(self) -> date:
        """The month's first day, which the quote gives as `expiration`."""
        return date(self.year, self.month, 1)

    @property
    def roll_day(self) -> date:
        """The first day on which this month is no longer the front one."""
        if self.product.roll is Roll.INDEX:
            third_friday = self.first_day + timedelta(days=(FRIDAY - self.first_day.weekday()) % 7 + 14)
            return third_friday - timedelta(days=8)
        month_before = (self.first_day - timedelta(days=1)).replace(day=1)
        return month_before.replace(day=17 if self.product.roll is Roll.ENERGY else 27)


def _cycle(product: Product, year: int) -> Iterator[Contract]:
    while True:
        for month, code in enumerate(MONTH_CODES, start=1):
            if code in product.months:
                yield Contract(product, year, month)
        year += 1


def front_month(product: Product, today: date) -> Contract:
    """Find the first month that has not rolled yet."""
    return next(contract for contract in _cycle(product, today.year) if contract.roll_day > today)


_DATED = re.compile(r"([A-Z]+) (\d{2})-(\d{2})")
_CONTINUOUS = re.compile(r"([A-Z]+)1!")
_CODED = re.compile(rf"([A-Z]+)([{MONTH_CODES}])(\d|\d\d)")
_WORDED = re.compile(rf"([A-Z]+) ?({'|'.join(MONTH_NAMES)}) ?(\d\d)")


def _nearest_year(digits: str, today: date) -> int:
    span = 10 if len(digits) == 1 else 100
    base = today.year - today.year % span + int(digits)
    return min((base - span, base, base + span), key=lambda year: (abs(year - today.year), -year))


def _contract(root: str, month: int, year_digits: str, today: date) -> Contract:
    product = PRODUCTS.get(root)
    if product is None or not 1 <= month <= len(MONTH_CODES) or MONTH_CODES[month - 1] not in product.months:
        raise UnknownInstrumentError(root)
    return Contract(product, _nearest_year(year_digits, today), month)


def is_root(spelling: str) -> bool:
    """Tell whether it is a root without a month: `ES` or `ES1!`."""
    text = spelling.strip().upper()
    return (match[1] if (match := _CONTINUOUS.fullmatch(text)) else text) in PRODUCTS


def find_contract(spelling: str, today: date) -> Contract:
    """Read `ES 09-26`, `ES`, `ES1!`, `ESU6`, `ESU26` or `ES SEP26`, in any case; UnknownInstrumentError otherwise.

    A one-digit year means the nearest such year (inferred).
    """
    text = " ".join(spelling.upper().split())
    root = match[1] if (match := _CONTINUOUS.fullmatch(text)) else text
    if root in PRODUCTS:
        return front_month(PRODUCTS[root], today)
    if match := _DATED.fullmatch(text):
        return _contract(match[1], int(match[2]), match[3], today)
    if match := _WORDED.fullmatch(text):
        return _contract(match[1], MONTH_NAMES.index(match[2]) + 1, match[3], today)
    if match := _CODED.fullmatch(text):
        return _contract(match[1], MONTH_CODES.index(match[2]) + 1, match[3], today)
    raise UnknownInstrumentError(spelling)
