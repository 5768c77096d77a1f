"""What a ticket is about, in our words: an order intent, or a sweep over many things (``sweeps``).

Every order intent has an account, a contract and ``terms``: of the new order, of the order that closes, or of the order that is
cancelled or changed. So limits, evidence and cards speak of all of them alike; what differs is asked of the few words below.
"""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar

from bot.trading.actions import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount, FlattenEverything, SweepAction
from bot.trading.instruments import Contract
from bot.trading.orders import Side, Terms
from bot.trading.sweeps import CancelWorking, Flatten, FlattenStrategy, Sweep


@dataclass(frozen=True, slots=True)
class Reverse:
    """``/reverse``: close the open position, then place ``terms`` (POST Reverse Position, mid).

    Without a position nothing is done. CrossTrade waits about 5 s for the close, and then places even so (its newest page).
    """

    command: ClassVar[str] = "reverse"
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class VerifiedReverse:
    """``/reverse mode:verified``: close, read back until flat, then place ``terms`` with an id of ours; never flat, never placed.

    Several calls, so that no client sends it as it is (POST Close Position, then POST Place Order).

    Attributes:
        client_order_id: the desk's own id of the new order, fresh for each ticket.
    """

    command: ClassVar[str] = "reverse"
    account: str
    contract: Contract
    terms: Terms
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Invert:
    """``/reverse mode:invert``: turn the position round at its own size (POST Reverse, mid); ``terms`` are of the new side."""

    command: ClassVar[str] = "reverse"
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class PlaceOrder:
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

    command: ClassVar[str] = "place"
    account: str
    contract: Contract
    terms: Terms
    client_order_id: str
    require: frozenset[str] = frozenset()
    max_positions: int | None = None
    guard: str | None = None


@dataclass(frozen=True, slots=True)
class FlatPlace:
    """``/flatplace``: close whatever is open there, if anything is, then place ``terms`` (POST Flat Place Order, mid)."""

    command: ClassVar[str] = "flatplace"
    account: str
    contract: Contract
    terms: Terms


@dataclass(frozen=True, slots=True)
class Close:
    """``/close``: close a position whole or in part (POST Close Position, new).

    Attributes:
        terms: the market order that closes it, as the position stood when it was read.
        quantity: contracts to close, at least 1, no sign; ``None`` for a share or for all.
        fraction: share to close, above 0 and up to 1; else ``None``. It never travels: CrossTrade is told ``size``.
    """

    command: ClassVar[str] = "close"
    account: str
    contract: Contract
    terms: Terms
    quantity: int | None = None
    fraction: Decimal | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether the whole position is closed; CrossTrade then lets NinjaTrader flatten it."""
        return self.quantity is None and self.fraction is None

    @property
    def size(self) -> int | None:
        """Contracts to tell CrossTrade, at least 1, no sign; of a share, those that its terms were sized to; ``None`` for all."""
        return self.quantity if self.fraction is None else self.terms.quantity


@dataclass(frozen=True, slots=True)
class Cancel:
    """``/cancel``: cancel one working order (POST Cancel Order, new); ``terms`` are that order's."""

    command: ClassVar[str] = "cancel"
    account: str
    contract: Contract
    terms: Terms
    order_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """``/modify``: change quantity or prices of one working order (PUT Change Order, mid).

    Attributes:
        before: the order's terms as it was listed.
        terms: what they shall be.
    """

    command: ClassVar[str] = "modify"
    account: str
    contract: Contract
    terms: Terms
    order_id: str
    before: Terms


@dataclass(frozen=True, slots=True)
class Replace:
    """``/replace``: cancel one working order and place a new one (POST Replace Order, the vendor's "cancel replace"; mid).

    Attributes:
        order_id: of the order that goes.
        before: its terms as it was listed.
        terms: those of the new order.
        require: as in :class:`PlaceOrder`.
    """

    command: ClassVar[str] = "replace"
    account: str
    contract: Contract
    terms: Terms
    order_id: str
    before: Terms
    require: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Bracket:
    """``/bracket``: cancel what works there, then protect the position by target, stop or both (POST Cancel and Bracket, mid).

    Attributes:
        terms: of the stop; the target has the same side and size. Of a target alone they are its own, as a limit order.
        target: limit price of the target beside a stop, in price units; ``None`` for a stop alone, and while its shorthand
            hasn't been worked out.
        target_typed: that shorthand, for people to read.
    """

    command: ClassVar[str] = "bracket"
    account: str
    contract: Contract
    terms: Terms
    target: Decimal | None
    target_typed: str | None = field(default=None, compare=False)


OrderIntent = Reverse | VerifiedReverse | Invert | PlaceOrder | FlatPlace | Close | Cancel | Change | Replace | Bracket
Intent = OrderIntent | Sweep
# One call each: what a broker can be told to do.
Action = OrderIntent | SweepAction
SWEEPS = (Flatten, CancelWorking, FlattenStrategy)
# They can only lessen what is at risk: no limit may stand in their way.
EXITS = (Close, Cancel, Bracket, *SWEEPS)
EXIT_COMMANDS = frozenset(kind.command for kind in EXITS)
SWEEP_CALLS = (CancelOrders, CancelEverything, FlattenAccount, FlattenEverything, CloseStrategy)
# They close what is open in front of whatever else they do.
CLOSING = (Reverse, VerifiedReverse, Invert, FlatPlace, Close)
# They turn a position that must be there.
REVERSING = (Reverse, VerifiedReverse, Invert)
# They place a new order that may open or grow a position.
PLACING = (Reverse, VerifiedReverse, Invert, PlaceOrder, FlatPlace, Replace)


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


def target(intent: Intent) -> str | None:
    """The id of the order that is cancelled, changed or replaced."""
    return intent.order_id if isinstance(intent, Cancel | Change | Replace) else None


def kept(intent: Intent) -> str | None:
    """The id of an order of another ticket that lives on: one that is cancelled or changed, not one that is replaced."""
    return intent.order_id if isinstance(intent, Cancel | Change) else None


def own_id(intent: Intent) -> str | None:
    """The desk's own id of the new order, where CrossTrade takes one."""
    return intent.client_order_id if isinstance(intent, PlaceOrder | VerifiedReverse) else None


def is_way_out(action: Action) -> bool:
    """Tell whether a call can only lessen what is at risk."""
    return isinstance(action, (*EXITS, *SWEEP_CALLS))


def accounts_of(intent: Intent) -> tuple[str, ...]:
    """Every account that it touches."""
    return intent.scope.accounts if isinstance(intent, Sweep) else (intent.account,)


def touches(intent: Intent, account: str, contract: Contract) -> bool:
    """Tell whether it is about that contract in that account, among others perhaps."""
    if isinstance(intent, Sweep):
        return intent.scope.covers(account, contract)
    return (intent.account, intent.contract) == (account, contract)


def places(intent: Intent) -> bool:
    """Tell whether a new order comes of it, whose life its card then tells."""
    return isinstance(intent, PLACING)


def shows_in_order(intent: Intent) -> bool:
    """Tell whether what became of it shows in one order: the one that is placed, cancelled or changed."""
    return places(intent) or target(intent) is not None


def shows_in_position(intent: Intent) -> bool:
    """Tell whether what became of it shows in the position alone: CrossTrade names no order for a close."""
    return isinstance(intent, Close)
