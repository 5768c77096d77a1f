"""Prices as people type them: a plain number, or shorthand that is counted from the market, the position or the order. Pure.

    5790.25              a plain number: taken as it is, never rounded
    bid  ask  mid  last  a price of the quote; mid lies half way between bid and ask
    be                   break-even: the average price of the open position
    +10t  -0.25%         an offset alone: from the last price, or, where an order is modified, from the price that it has
    bid-2t  be+0.1%      an offset from one of the words, in ticks or in per cent of it

Case and blanks don't matter. What shorthand comes to lies always on the tick, rounded to the careful side: a buy limit down and
a sell limit up, so that no worse price is asked for; a buy stop up and a sell stop down, away from the market; break-even to
the side on which the position doesn't lose. Which order the price is for, and where the facts come from, isn't known here.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from bot.errors import PriceError
from bot.trading.orders.terms import Side, parse_price

BREAK_EVEN = "be"
WORDS = ("bid", "ask", "mid", "last", BREAK_EVEN)

_MINUS = str.maketrans("−–", "--")
_SHORTHAND = re.compile(
    rf"(?P<word>{'|'.join(WORDS)})?\s*"
    r"(?:(?P<sign>[+-])\s*(?:(?P<ticks>[0-9]{1,6})\s*t(?:icks?)?|(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,4})?|\.[0-9]{1,4})\s*%))?"
)
# Wide enough for any price that CrossTrade can tell times any per cent, to the last digit.
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Shorthand:
    """Shorthand that could be read; ``str()`` gives it without blanks, in small letters.

    Attributes:
        word: what is counted from; empty for an offset alone.
        ticks, percent: the offset, signed; one of them at most.
    """

    word: str = ""
    ticks: int | None = None
    percent: Decimal | None = None

    def __str__(self) -> str:
        if self.ticks is not None:
            return f"{self.word}{self.ticks:+d}t"
        return self.word if self.percent is None else f"{self.word}{self.percent:+f}%"


@dataclass(frozen=True, slots=True)
class Base:
    """The facts that shorthand is counted from; a price that isn't known is ``None``.

    Attributes:
        tick_size: of the contract, in price units.
        position: open contracts, signed; break-even is rounded by it.
        average_price: of the open position.
        present: the price that the order has, where one is modified.
    """

    tick_size: Decimal
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    position: int = 0
    average_price: Decimal | None = None
    present: Decimal | None = None


def read(name: str, typed: str | None) -> Decimal | Shorthand | None:
    """Read what was typed for a price, without any facts; blank means "not given".

    Raises:
        PriceError: it is neither a plain number above zero nor shorthand.
    """
    if typed is None or not typed.strip():
        return None
    if (shorthand := _read_shorthand(typed)) is not None:
        return shorthand
    try:
        return parse_price(name, typed)
    except PriceError as error:
        sentence = (
            f"The {name} price must be a number above zero like 5800.25, or shorthand like bid-2t, mid, be+4t, +10t or -0.25%."
        )
        raise PriceError(sentence) from error


def tidy(typed: str) -> str:
    """The text as typed, without blanks, in small letters, with the minus of keyboards that have another one made plain."""
    return "".join(typed.split()).lower().translate(_MINUS)


def resolve(name: str, typed: str | None, side: Side, base: Base) -> Decimal | None:
    """The price that was typed, in full.

    Args:
        name: ``stop`` is rounded as a stop, any other name (``limit``, ``target``) as a limit.
        typed: a plain number, which passes through unchanged, or shorthand; blank gives ``None``.
        side: of the order that the price is for.
        base: what shorthand is counted from.

    Raises:
        PriceError: it can't be read, a fact that it is counted from is missing, or it doesn't come to a price above zero.
    """
    found = read(name, typed)
    return _worked_out(name, found, side, base) if isinstance(found, Shorthand) else found


def _read_shorthand(typed: str) -> Shorthand | None:
    text = typed.strip().translate(_MINUS)
    # Letters of other scripts must not fold into ours.
    match = _SHORTHAND.fullmatch(text.lower()) if text.isascii() else None
    if match is None:
        return None
    sign, ticks, percent = match["sign"], match["ticks"], match["percent"]
    return Shorthand(
        match["word"] or "",
        None if ticks is None else int(sign + ticks),
        None if percent is None else Decimal(sign + percent),
    )


def _worked_out(name: str, shorthand: Shorthand, side: Side, base: Base) -> Decimal:
    price = _start(shorthand, base)
    if shorthand.ticks is not None:
        price = _EXACT.add(price, _EXACT.multiply(Decimal(shorthand.ticks), base.tick_size))
    elif shorthand.percent is not None:
        price = _EXACT.multiply(price, _EXACT.add(1, _EXACT.divide(shorthand.percent, Decimal(100))))
    rounding = ROUND_CEILING if _rounds_up(name, shorthand, side, base) else ROUND_FLOOR
    on_tick = _EXACT.multiply(_EXACT.divide(price, base.tick_size).to_integral_value(rounding), base.tick_size)
    if on_tick <= 0:
        raise PriceError(f"The {name} price {shorthand} comes to {on_tick:f}, which is not above zero; write it as a number.")
    return on_tick


def _rounds_up(name: str, shorthand: Shorthand, side: Side, base: Base) -> bool:
    if shorthand.word == BREAK_EVEN:
        return base.position > 0
    return (side is Side.BUY) == (name == "stop")


def _start(shorthand: Shorthand, base: Base) -> Decimal:
    """The price that the offset is counted from."""
    word = shorthand.word
    if word == BREAK_EVEN:
        return _break_even(shorthand, base)
    if word == "mid":
        bid, ask = _told("bid", base.bid, shorthand), _told("ask", base.ask, shorthand)
        return _EXACT.divide(_EXACT.add(bid, ask), Decimal(2))
    if not word and base.present is not None:
        return base.present
    known = {"bid": base.bid, "ask": base.ask}
    return _told(word or "last price", known.get(word, base.last), shorthand)


def _break_even(shorthand: Shorthand, base: Base) -> Decimal:
    if not base.position:
        raise PriceError(f"There is no open position for {shorthand} to be counted from; write the price as a number.")
    return _told("average price of the position", base.average_price, shorthand)


def _told(what: str, price: Decimal | None, shorthand: Shorthand) -> Decimal:
    if price is None:
        raise PriceError(f"There is no {what} now for {shorthand} to be counted from; write the price as a number.")
    return price
