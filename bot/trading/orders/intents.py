"""The intent of a ticket, in our words: an order intent, or a mass action over many things (``mass_actions``).

Every order intent has an account, a contract and ``terms``: of the new order, of the order that closes, or of the order that is
cancelled or changed. So limits, evidence and cards speak of all of them alike; what differs is asked of the few words below.
"""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar, get_args

from bot.trading.orders.broker_calls import MassCall
from bot.trading.orders.instruments import Contract
from bot.trading.orders.kind import OneContract
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.terms import Side, Terms


class _Unlabelled(OneContract):
    """A kind whose order gets no id of the desk's own, as CrossTrade takes none there."""

    __slots__ = ()
    client_order_id: ClassVar[None] = None


class _OfAnOrder(_Unlabelled):
    """A kind that is about an order that is there.

    Attributes:
        order_id: of that order.
        lives_on: whether it is another ticket's still, and not replaced.
    """

    __slots__ = ()
    order_id: str
    lives_on: ClassVar[bool] = True

    @property
    def target_id(self) -> str:
        """The id of the order that is cancelled, changed or replaced."""
        return self.order_id

    @property
    def kept_id(self) -> str | None:
        """The id of an order of another ticket that lives on: one that is cancelled or changed, not one that is replaced."""
        return self.order_id if self.lives_on else None


@dataclass(frozen=True, slots=True)
class Reverse(_Unlabelled):
    """``/reverse``: close the open position, then place ``terms`` (POST Reverse Position, mid).

    Without a position nothing is done. CrossTrade waits about 5 s for the close, and then places even so (its newest page).
    """

    kind: ClassVar[str] = "reverse"
    command: ClassVar[str] = "reverse"
    closes: ClassVar[bool] = True
    places: ClassVar[bool] = True
    needs_position: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class VerifiedReverse(OneContract):
    """``/reverse mode:verified``: close, read back until flat, then place ``terms`` with an id of ours; never flat, never placed.

    Several calls, so that no client sends it as it is (POST Close Position, then POST Place Order).

    Attributes:
        client_order_id: the desk's own id of the new order, fresh for each ticket.
    """

    kind: ClassVar[str] = "reverse verified"
    command: ClassVar[str] = "reverse"
    closes: ClassVar[bool] = True
    places: ClassVar[bool] = True
    needs_position: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Invert(_Unlabelled):
    """``/reverse mode:invert``: turn the position round at its own size (POST Reverse, mid); ``terms`` are of the new side."""

    kind: ClassVar[str] = "reverse invert"
    command: ClassVar[str] = "reverse"
    closes: ClassVar[bool] = True
    places: ClassVar[bool] = True
    needs_position: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class PlaceOrder(OneContract):
    """``/place``: place ``terms`` beside whatever is open (POST Place Order, new).

    Attributes:
        client_order_id: the desk's own id, fresh for each ticket; a label to look the order up by, no lock against doubles.
        require: positions in which it may be placed, of ``flat``, ``long`` and ``short``; CrossTrade checks it, and so do we.
            Empty sets no condition.
        max_positions: open a new position only while the account has fewer open ones than that, over all instruments; adding to
            one is allowed. CrossTrade checks it, and so do we. ``None`` sets no condition.
        guard: the position that the card shows, ``flat``, ``long`` or ``short``, as the desk's own condition where the member has
            set none; CrossTrade checks it. ``None`` sets no condition.
    """

    kind: ClassVar[str] = "place"
    command: ClassVar[str] = "place"
    places: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms
    client_order_id: str
    require: frozenset[str] = frozenset()
    max_positions: int | None = None
    guard: str | None = None


@dataclass(frozen=True, slots=True)
class FlatPlace(_Unlabelled):
    """``/flatplace``: close whatever is open there, if anything is, then place ``terms`` (POST Flat Place Order, mid)."""

    kind: ClassVar[str] = "flatplace"
    command: ClassVar[str] = "flatplace"
    closes: ClassVar[bool] = True
    places: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class Close(_Unlabelled):
    """``/close``: close a position whole or in part (POST Close Position, new).

    Attributes:
        terms: the market order that closes it, as the position stood when it was read.
        quantity: contracts to close, at least 1, no sign; ``None`` for a share or for all.
        fraction: share to close, above 0 and up to 1; else ``None``. It never travels: CrossTrade is told ``size``.
    """

    kind: ClassVar[str] = "close"
    command: ClassVar[str] = "close"
    is_exit: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    needs_position: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms
    quantity: int | None = None
    fraction: Decimal | None = None

    @property
    def shows_in_position(self) -> bool:
        """Tell whether what became of it shows in the position alone: CrossTrade names no order for a close."""
        return True

    @property
    def is_whole(self) -> bool:
        """Tell whether the whole position is closed; CrossTrade then lets NinjaTrader flatten it."""
        return self.quantity is None and self.fraction is None

    @property
    def size(self) -> int | None:
        """Contracts to tell CrossTrade, at least 1, no sign; of a share, those that its terms were sized to; ``None`` for all."""
        return self.quantity if self.fraction is None else self.terms.quantity


@dataclass(frozen=True, slots=True)
class Cancel(_OfAnOrder):
    """``/cancel``: cancel one working order (POST Cancel Order, new); ``terms`` are that order's."""

    kind: ClassVar[str] = "cancel"
    command: ClassVar[str] = "cancel"
    is_exit: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms
    order_id: str


@dataclass(frozen=True, slots=True)
class Change(_OfAnOrder):
    """``/modify``: change quantity or prices of one working order (PUT Change Order, mid).

    Attributes:
        before: the order's terms as it was listed.
        terms: what they shall be.
    """

    kind: ClassVar[str] = "modify"
    command: ClassVar[str] = "modify"
    account: str
    contract: Contract
    terms: Terms
    order_id: str
    before: Terms


@dataclass(frozen=True, slots=True)
class Replace(_OfAnOrder):
    """``/replace``: cancel one working order and place a new one (POST Replace Order, the vendor's "cancel replace"; mid).

    Attributes:
        order_id: of the order that goes.
        before: its terms as it was listed.
        terms: those of the new order.
        require: as in :class:`PlaceOrder`.
    """

    kind: ClassVar[str] = "replace"
    command: ClassVar[str] = "replace"
    places: ClassVar[bool] = True
    lives_on: ClassVar[bool] = False
    account: str
    contract: Contract
    terms: Terms
    order_id: str
    before: Terms
    require: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Bracket(_Unlabelled):
    """``/bracket``: cancel what works there, then protect the position by target, stop or both (POST Cancel and Bracket, mid).

    Attributes:
        terms: of the stop; the target has the same side and size. Of a target alone they are its own, as a limit order.
        target: limit price of the target beside a stop, in price units; ``None`` for a stop alone, and while its shorthand
            hasn't been worked out.
        target_typed: that shorthand, for people to read.
    """

    kind: ClassVar[str] = "bracket"
    command: ClassVar[str] = "bracket"
    is_exit: ClassVar[bool] = True
    needs_position: ClassVar[bool] = True
    account: str
    contract: Contract
    terms: Terms
    target: Decimal | None
    target_typed: str | None = field(default=None, compare=False)


OrderIntent = Reverse | VerifiedReverse | Invert | PlaceOrder | FlatPlace | Close | Cancel | Change | Replace | Bracket
Intent = OrderIntent | MassAction
# One call each: what a broker can be told to do.
Action = OrderIntent | MassCall
KINDS: tuple[type[Intent], ...] = (*get_args(OrderIntent), *get_args(MassAction))
TRADING_COMMANDS = frozenset(kind.command for kind in KINDS)
EXIT_COMMANDS = frozenset(kind.command for kind in KINDS if kind.is_exit)


def closing_side(position: int) -> Side:
    """The side of the order that closes a position."""
    return Side.SELL if position > 0 else Side.BUY


def closing_terms(position: int, quantity: int | None, fraction: Decimal | None) -> Terms:
    """The market order that closes that much of a position; a share is rounded up to whole contracts, so at least to one."""
    size = abs(position)
    if quantity is not None:
        size = quantity
    elif fraction is not None:
        size = int((fraction * size).to_integral_value(ROUND_CEILING))
    return Terms(closing_side(position), size)
