"""Suggestions for the options of an order while somebody types, each with words that say what it is: prices, orders. Pure.

A suggestion is never more than that: what is sent back is read, asked of the policy and measured by the limits like anything
else that is typed. Where a fact is missing there is no suggestion, rather than one that may be wrong. Sizes are in ``sizing``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from bot.errors import PriceError
from bot.trading.market.facts import Order, Strategy, terms_of
from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderType, Side
from bot.trading.orders.tickets import side_word
from bot.trading.planning.shorthand import WORDS, Base, Shorthand, read, resolve, tidy

Value = TypeVar("Value", int, str)

# What is offered before anything is typed.
USUAL_PRICES = ("bid", "ask", "mid", "last", "+10t", "-10t", "be")
USUAL_TICKS = (1, 2, 4, 8, 10, 20)
SHORTEST_ID = 8

# The texts of suggestions, by what they tell of their values. A price stands in front, an id behind, cut where it is long.
_PRICES = frozenset({"limit", "stop", "target"})
_PRICE_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?) \([^()]+\)")
_ID_TEXT = re.compile(r".+ \(([A-Za-z0-9_-]+)(…?)\)")
_RUNNING_TEXT = re.compile(r".+: (?:(?:LONG|SHORT) [0-9]+|FLAT)")

_UNFINISHED = re.compile(rf"((?:{'|'.join(WORDS)})?[+-])([0-9]*\.?[0-9]*)")


@dataclass(frozen=True, slots=True)
class Suggestion(Generic[Value]):
    """A value for an option, and how it is shown."""

    value: Value
    name: str


@dataclass(frozen=True, slots=True)
class SoFar:
    """The options of a command as far as they are typed; blank or ``None`` where they aren't, and nothing has been checked."""

    command: str
    account: str = ""
    instrument: str = ""
    order: str = ""
    side: Side | None = None
    type: OrderType = OrderType.MARKET
    limit: str = ""
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """The subject of the options: a contract in an account, and the order that is named, if one is."""

    account: str
    contract: Contract
    order: Order | None = None


def prices(name: str, typed: str, side: Side | None, base: Base) -> list[Suggestion[str]]:
    """Prices for ``limit``, ``stop`` or ``target``: what was typed, worked out, and what it may become.

    Args:
        name: of the option.
        typed: so far.
        side: of the order; while it isn't chosen, only prices are offered that don't depend on it.
        base: what shorthand is counted from.
    """
    text = tidy(typed)
    found: dict[str, list[str]] = {}
    for each in dict.fromkeys(_candidates(text, base)):
        price = _either_way(name, each, side, base)
        if price is not None and (each == text or _may_wait(name, price, side, base)):
            found.setdefault(f"{price:f}", []).append(each)
    shown = [Suggestion(price, f"{price} ({', '.join(texts)})") for price, texts in found.items()]
    # Behind a number that is being typed only prices are offered that begin with it.
    return _plain(name, typed, base) + [each for each in shown if not _is_number(text) or each.value.startswith(text)]


def value_in(option: str, text: str) -> str | None:
    """The value of a suggestion whose text was given instead of it, where the text tells it whole; ``None`` elsewhere.

    Args:
        option: whose suggestion it may be.
        text: as given.
    """
    if option in _PRICES and (price := _PRICE_TEXT.fullmatch(text)):
        return price[1]
    if option in ("order", "ticket") and (found := _ID_TEXT.fullmatch(text)) and not found[2]:
        return found[1]
    return None


def is_cut(command: str, option: str, text: str) -> bool:
    """Tell whether it is the text of a suggestion, which doesn't tell the value whole."""
    # That of other commands is a template, which may be called anything.
    if (command, option) == ("flatten", "strategy"):
        return _RUNNING_TEXT.fullmatch(text) is not None
    found = _ID_TEXT.fullmatch(text) if option in ("order", "ticket") else None
    return found is not None and bool(found[2])


def label(order: Order) -> str:
    """An order in one line: ``BUY 1 LIMIT 5780.00 ES 09-26 (0f3a…)``."""
    terms = terms_of(order)
    given = " / ".join(f"{price:f}" for price in (terms.stop, terms.limit) if price is not None)
    filled = f", {order.filled} filled" if order.filled else ""
    short = order.id if len(order.id) <= SHORTEST_ID + 1 else f"{order.id[:SHORTEST_ID]}…"
    what = f"{order.side.upper()} {order.quantity} {terms.type} {given}".strip()
    return f"{what} {order.contract}{filled} ({short})"


def running_label(strategy: Strategy) -> str:
    """A running ATM strategy in one line: ``Scalp - 334081723: LONG 2``."""
    name = strategy.label or strategy.name or strategy.id
    return name if strategy.quantity is None else f"{name}: {side_word(strategy.quantity)}"


def _candidates(text: str, base: Base) -> Iterator[str]:
    """Shorthand that what was typed is, or may become."""
    if _is_shorthand(text):
        yield text
    unfinished = _UNFINISHED.fullmatch(text)
    if unfinished and unfinished[2]:
        yield from (f"{text}{unit}" for unit in ("t", "%"))
    elif unfinished:
        yield from (f"{text}{ticks}t" for ticks in USUAL_TICKS)
    elif text in WORDS:
        yield from (f"{text}{sign}{ticks}t" for ticks in USUAL_TICKS[:3] for sign in "+-")
    nearby = () if base.present is None else ("+1t", "-1t")
    yield from (each for each in (*nearby, *USUAL_PRICES) if each.startswith(text) or _is_number(text))


def _is_shorthand(text: str) -> bool:
    try:
        return isinstance(read("", text), Shorthand)
    except PriceError:
        return False


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _may_wait(name: str, price: Decimal, side: Side | None, base: Base) -> bool:
    """Tell whether an order at that price would be taken: a stop and a target must lie on their sides of the market."""
    if name == "limit" or side is None or base.bid is None or base.ask is None:
        return True
    if name == "target":
        return price < base.ask if side is Side.BUY else price > base.bid
    return price > base.ask if side is Side.BUY else price < base.bid


def _either_way(name: str, text: str, side: Side | None, base: Base) -> Decimal | None:
    """The price, if it can be worked out, and for both sides alike while none is chosen."""
    try:
        found = {resolve(name, text, each, base) for each in ((side,) if side else Side)}
    except PriceError:
        return None
    return found.pop() if len(found) == 1 else None


def _plain(name: str, typed: str, base: Base) -> list[Suggestion[str]]:
    """A plain number as it was typed, or the two prices beside it when it is off the tick."""
    try:
        price = read(name, typed)
    except PriceError:
        return []
    if not isinstance(price, Decimal):
        return []
    off = price % base.tick_size
    if not off:
        return [Suggestion(typed.strip(), typed.strip())]
    beside = ((price - off, "below"), (price - off + base.tick_size, "above"))
    return [Suggestion(f"{each:f}", f"{each:f} (next tick {where} {price:f})") for each, where in beside if each > 0]
