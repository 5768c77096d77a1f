"""The terms of an order, the states it goes through, and what can be said of its terms without asking anybody.

Values as CrossTrade lists them (POST Reverse Position): BUY and SELL; MARKET, LIMIT, STOPMARKET, STOPLIMIT; DAY and GTC.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from bot.errors import PriceError, UsageError
from bot.trading.words import disguise, price

_PLAIN_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_LABEL = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,64}")
DISGUISED = "{name} holds what can't be seen, or looks like something else ({found}); type it without."
LARGEST_QUANTITY = 1_000_000
WHOLE = Decimal(100)
HOLDINGS = frozenset({"flat", "long", "short"})


class Side(StrEnum):
    """The side of the new order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell: the direction in which a fill moves the position."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """Order types; ``STOP`` is not one of CrossTrade's values, STOPMARKET is."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOPMARKET = "STOPMARKET"
    STOPLIMIT = "STOPLIMIT"

    @property
    def has_limit(self) -> bool:
        """Tell whether a limit price belongs to it."""
        return self in {OrderType.LIMIT, OrderType.STOPLIMIT}

    @property
    def has_stop(self) -> bool:
        """Tell whether a stop price belongs to it."""
        return self in {OrderType.STOPMARKET, OrderType.STOPLIMIT}


class TimeInForce(StrEnum):
    """The time for which an order works."""

    DAY = "DAY"
    GTC = "GTC"


class OrderState(StrEnum):
    """NinjaTrader's order states, and two words of our own that nothing is read as.

    OTHER is a state that we don't know: evidence of nothing, and not terminal. GONE is an order that isn't listed any more and
    of which no end could be read: it is not followed on.
    """

    INITIALIZED = "Initialized"
    SUBMITTED = "Submitted"
    ACCEPTED = "Accepted"
    TRIGGER_PENDING = "TriggerPending"
    WORKING = "Working"
    SUSPENDED = "Suspended"
    CHANGE_PENDING = "ChangePending"
    CHANGE_SUBMITTED = "ChangeSubmitted"
    PART_FILLED = "PartFilled"
    CANCEL_PENDING = "CancelPending"
    CANCEL_SUBMITTED = "CancelSubmitted"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    OTHER = "Other"
    GONE = "Gone"

    @classmethod
    def read(cls, text: str) -> "OrderState":
        """Read a state as CrossTrade or NinjaTrader may spell it: case, blanks, ``_`` and ``-`` don't matter."""
        return _STATES.get(_fold(text), cls.OTHER)

    @property
    def is_done(self) -> bool:
        """Tell whether nothing more will be seen of the order."""
        return self in DONE_STATES


# No set: an enumeration's hash takes longer than four comparisons, and every order is asked at every look.
DONE_STATES = (OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.GONE)


def _fold(text: str) -> str:
    return re.sub(r"[\s_-]", "", text).casefold()


_STATES = {_fold(state.value): state for state in OrderState if state not in {OrderState.OTHER, OrderState.GONE}}


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one new order.

    Attributes:
        quantity: contracts, at least 1.
        limit: limit price, for LIMIT and STOPLIMIT only.
        stop: stop price, for STOPMARKET and STOPLIMIT only.
        oco: free-text OCO group id; NinjaTrader uses each up once.
        strategy: name of an ATM template in NinjaTrader.
        typed: prices that came as shorthand, as they were typed: ``("limit", "bid-2t")``. For people to read; two orders are the
            same whatever was typed for them.
    """

    side: Side
    quantity: int
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.DAY
    limit: Decimal | None = None
    stop: Decimal | None = None
    oco: str | None = None
    strategy: str | None = None
    typed: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def price(self, name: str) -> Decimal | None:
        """The price of that name, ``limit`` or ``stop``."""
        return self.limit if name == "limit" else self.stop

    def shorthand(self, name: str) -> str | None:
        """The text typed for that price, if it was shorthand."""
        return dict(self.typed).get(name)

    @property
    def unpriced(self) -> tuple[tuple[str, str], ...]:
        """Shorthand that hasn't been worked out yet; an order that has any must not be sent."""
        return tuple((name, text) for name, text in self.typed if self.price(name) is None)


def words_of(terms: Terms, tick_size: Decimal | None = None) -> str:
    """An order in a few words: ``BUY 1 LIMIT limit 5800.25``; with the decimals of the tick, where it is known."""
    named = (("limit", terms.limit), ("stop", terms.stop))
    prices = "".join(f" {name} {price(at, tick_size)}" for name, at in named if at is not None)
    return f"{terms.side.upper()} {terms.quantity} {terms.type}{prices}"


def parse_price(name: str, typed: str | None) -> Decimal | None:
    """Read a price that a person typed; ``None`` and blank mean "not given".

    Raises:
        PriceError: it is not a plain decimal number above zero.
    """
    if typed is None or not typed.strip():
        return None
    text = typed.strip()
    if not _PLAIN_NUMBER.fullmatch(text) or not (price := Decimal(text)):
        raise PriceError(f"The {name} price must be a plain number above zero with a point for decimals, like 5800.25.")
    return price


def parse_label(name: str, typed: str | None) -> str | None:
    """Read a free-text name such as an OCO id or an ATM template; blank means "not given".

    Raises:
        UsageError: it is longer than 64 characters, or holds what isn't seen where it is shown, or looks like something else.
    """
    if typed is None or not typed.strip():
        return None
    text = typed.strip()
    if not _LABEL.fullmatch(text):
        raise UsageError(f"The {name} must be one line of at most 64 characters.")
    if (found := disguise(text)) is not None:
        raise UsageError(DISGUISED.format(name=f"The {name}", found=found))
    return text


def parse_fraction(typed: str | None) -> Decimal | None:
    """Read a percentage, with or without ``%``, as a share of one; blank means "not given".

    Raises:
        UsageError: it is not a plain number above 0 and up to 100.
    """
    if typed is None or not typed.strip():
        return None
    text = typed.strip().removesuffix("%").strip()
    percent = Decimal(text) if _PLAIN_NUMBER.fullmatch(text) else Decimal()
    if not 0 < percent <= WHOLE:
        raise UsageError("The percentage must be a number above 0 and up to 100, like 50 or 12.5.")
    return percent / WHOLE


def parse_requirement(typed: str | None) -> frozenset[str]:
    """Read a comma list of positions in which an order may be placed; blank means "in any".

    Raises:
        UsageError: a word is none of flat, long and short.
    """
    words = frozenset(word for part in (typed or "").split(",") if (word := part.strip().lower()))
    if not words <= HOLDINGS:
        raise UsageError("require takes flat, long and short, one or several with commas, like flat,long.")
    return words


def parse_count(name: str, typed: int | None) -> int | None:
    """Hold a number to 1 or more; ``None`` means "not given".

    Raises:
        UsageError: it is below 1.
    """
    if typed is not None and typed < 1:
        raise UsageError(f"{name} must be 1 or more.")
    return typed


def check_terms(terms: Terms) -> None:
    """Check what needs no market: the quantity, and that just the prices that the type asks for are there.

    Raises:
        UsageError, PriceError: the first thing that is wrong, with what to do.
    """
    if not 1 <= terms.quantity <= LARGEST_QUANTITY:
        raise UsageError(f"The quantity must be a whole number from 1 to {LARGEST_QUANTITY}.")
    for name, wanted in (("limit", terms.type.has_limit), ("stop", terms.type.has_stop)):
        given = terms.price(name) is not None or terms.shorthand(name) is not None
        if wanted and not given:
            raise PriceError(f"A {terms.type.lower()} order needs a {name} price: add {name}:5800.25 or the like.")
        if given and not wanted:
            raise PriceError(f"A {terms.type.lower()} order takes no {name} price: leave {name} out or change type.")


def check_ticks(terms: Terms, tick_size: Decimal) -> None:
    """Check that each price lies on the instrument's tick.

    Raises:
        PriceError: it doesn't; the sentence names the two nearest prices that do.
    """
    for name, value in (("limit", terms.limit), ("stop", terms.stop)):
        if value is not None and value % tick_size:
            below = value - value % tick_size
            raise PriceError(
                f"The {name} price {value} is off the tick of {tick_size}: the nearest are {below} and {below + tick_size}."
            )


def check_stop_side(terms: Terms, bid: Decimal | None, ask: Decimal | None) -> None:
    """Check that a stop lies beyond the market, as it would trigger at once otherwise; a side without a price proves nothing.

    Raises:
        PriceError: a buy stop at or below the ask, or a sell stop at or above the bid.
    """
    if terms.stop is None:
        return
    if terms.side is Side.BUY and ask is not None and terms.stop <= ask:
        raise PriceError(f"A buy stop must lie above the ask of {ask}; {terms.stop} would trigger at once.")
    if terms.side is Side.SELL and bid is not None and terms.stop >= bid:
        raise PriceError(f"A sell stop must lie below the bid of {bid}; {terms.stop} would trigger at once.")
