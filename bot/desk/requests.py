"""Requests of the chat layer to the desk, and its answers: plain data, as typed by a person."""

from dataclasses import dataclass
from typing import ClassVar

from bot.trading.orders.terms import OrderType, Side, TimeInForce
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial


@dataclass(frozen=True, slots=True)
class ReverseRequest:
    """The options of ``/reverse`` as they were typed; nothing has been checked yet.

    Attributes:
        instrument: any spelling, quotes included.
        limit, stop: prices as strings, so that no binary fraction ever stands in between.
        mode: ``direct``, ``verified`` or ``invert``; the policy's, where it was left out.
    """

    command: ClassVar[str] = "reverse"
    account: str
    instrument: str
    side: Side
    quantity: int
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.DAY
    limit: str | None = None
    stop: str | None = None
    oco: str | None = None
    strategy: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """The options of ``/place``, as those of ``/reverse``.

    Attributes:
        require: a comma list of ``flat``, ``long`` and ``short``: positions in which the order may be placed.
        max_positions: open a new position only while fewer than that are open in the account.
    """

    command: ClassVar[str] = "place"
    account: str
    instrument: str
    side: Side
    quantity: int
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.DAY
    limit: str | None = None
    stop: str | None = None
    oco: str | None = None
    strategy: str | None = None
    require: str | None = None
    max_positions: int | None = None


@dataclass(frozen=True, slots=True)
class FlatPlaceRequest:
    """The options of ``/flatplace``, as those of ``/reverse``."""

    command: ClassVar[str] = "flatplace"
    account: str
    instrument: str
    side: Side
    quantity: int
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.DAY
    limit: str | None = None
    stop: str | None = None
    oco: str | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """The options of ``/close``: a quantity, or a percentage as typed (``50``, ``12.5%``), or neither for all."""

    command: ClassVar[str] = "close"
    account: str
    instrument: str
    quantity: int | None = None
    percent: str | None = None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """The options of ``/cancel``; blank where they were left out.

    Attributes:
        scope: ``order``, ``instrument``, ``account`` or ``everything``.
    """

    command: ClassVar[str] = "cancel"
    account: str
    order: str = ""
    scope: str = "order"
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class FlattenRequest:
    """The options of ``/flatten``; blank where they were left out.

    Attributes:
        scope: ``strategy``, ``instrument``, ``account`` or ``everything``.
        only: ``long`` or ``short``.
        strategy: id of an ATM strategy that runs.
    """

    command: ClassVar[str] = "flatten"
    scope: str
    account: str = ""
    instrument: str = ""
    only: str = ""
    strategy: str = ""


@dataclass(frozen=True, slots=True)
class ModifyRequest:
    """The options of ``/modify``; what is ``None`` stays as it is."""

    command: ClassVar[str] = "modify"
    account: str
    order: str
    quantity: int | None = None
    limit: str | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class ReplaceRequest:
    """The options of ``/replace``; what is ``None`` stays as the order has it."""

    command: ClassVar[str] = "replace"
    account: str
    order: str
    quantity: int
    type: OrderType | None = None
    tif: TimeInForce | None = None
    limit: str | None = None
    stop: str | None = None
    oco: str | None = None
    strategy: str | None = None
    require: str | None = None


@dataclass(frozen=True, slots=True)
class BracketRequest:
    """The options of ``/bracket``; one of the two prices may be empty."""

    command: ClassVar[str] = "bracket"
    account: str
    instrument: str
    quantity: int
    target: str = ""
    stop: str = ""


@dataclass(frozen=True, slots=True)
class SwitchRequest:
    """The options of ``/halt`` and ``/resume`` as they were typed; what was left out is empty.

    Attributes:
        command: ``halt`` or ``resume``.
        scope: ``desk``, ``account`` or ``instrument``.
        state: ``halted`` or ``reducing``; a resumption takes none.
    """

    command: str
    scope: str
    account: str = ""
    instrument: str = ""
    reason: str = ""
    state: str = "halted"


EntryRequest = ReverseRequest | PlaceRequest | FlatPlaceRequest
TicketRequest = EntryRequest | CloseRequest | CancelRequest | FlattenRequest | ModifyRequest | ReplaceRequest | BracketRequest
# Whoever asks for these wants to get out, or to protect what is open.
WAYS_OUT = (CloseRequest, CancelRequest, FlattenRequest, BracketRequest)


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    """The options of ``/resolve`` as they were typed.

    Attributes:
        outcome: what a person has found out: ``accepted``, ``never arrived`` or ``rejected``.
        why: how they know.
        order: the order's id, where it was accepted and has one.
    """

    ticket: str
    outcome: str
    why: str
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """A press of one of a card's buttons; ``revision`` is that of the card that was pressed."""

    member: Member
    ticket: str
    revision: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The desk's no before there was a ticket, with every reason; the first is the one to tell first."""

    denials: tuple[Denial, ...]
