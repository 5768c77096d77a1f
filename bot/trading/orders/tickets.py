"""A ticket: what is shown for confirmation, bound to one intent, one person, one account and a short life.

A ticket moves only along the table of transitions below; each function here returns the moved copy or says why it can't
move. Storing the move, and so deciding who wins a race, is the journal's work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bot.trading.orders.intents import Bracket, Change, Close, Intent, OrderIntent
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.progress import Progress
from bot.trading.orders.protection import Protection
from bot.trading.orders.terms import OrderState, Terms
from bot.trading.words import person, quoted


class TicketState(StrEnum):
    """The state of a ticket. ``SENDING`` is on disk before the first byte leaves."""

    OFFERED = "offered"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"
    NEVER_ARRIVED = "never arrived"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOID = "void"


S = TicketState
TRANSITIONS: Mapping[TicketState, frozenset[TicketState]] = {
    # Unknown at once where its claim was stored and the journal's database has lost it.
    S.OFFERED: frozenset({S.OFFERED, S.SENDING, S.UNKNOWN, S.NOT_SENT, S.DENIED, S.CANCELLED, S.EXPIRED, S.VOID}),
    # A ticket of several calls stays there from one to the next.
    S.SENDING: frozenset({S.SENDING, S.ACCEPTED, S.REJECTED, S.UNKNOWN, S.NOT_SENT}),
    # Evidence settles an unknown; accepted stays accepted while its order lives on.
    S.UNKNOWN: frozenset({S.UNKNOWN, S.ACCEPTED, S.REJECTED, S.NEVER_ARRIVED}),
    # An order that turns up after all is told, however late.
    S.NEVER_ARRIVED: frozenset({S.ACCEPTED}),
    S.ACCEPTED: frozenset({S.ACCEPTED}),
    S.REJECTED: frozenset(),
    S.NOT_SENT: frozenset(),
    S.DENIED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
    S.VOID: frozenset(),
}
# From here something may be on its way to the market, or in it, without the positions and orders showing it yet.
IN_FLIGHT = frozenset({S.SENDING, S.UNKNOWN})
# What counts as an order that was sent, for limits on how often and for doubles.
SENT = frozenset({S.SENDING, S.UNKNOWN, S.ACCEPTED})


class Visibility(StrEnum):
    """The place where a ticket is shown; the result is posted to the channel either way."""

    CHANNEL = "channel"
    PRIVATE = "private"


NO_PROGRESS = Progress()


class IllegalMove(RuntimeError):
    """A ticket was to be moved along no line of the table: a fault in this program."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person, by Discord's ids; the name is for reading only, and roles are as of the interaction."""

    id: int
    name: str
    roles: frozenset[int] = frozenset()

    @property
    def named(self) -> str:
        """The member as people are told of them."""
        return person(self.name, self.id)


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in Discord where something was asked."""

    guild: int
    channel: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The facts that the card shows; when they are no longer true the card is re-quoted instead of sent.

    Attributes:
        position: signed quantity now.
        after: signed quantity once the order has filled whole.
        bid, ask, last, quoted_at, tick_size, tick_value, point_value: of the quote; ``None`` where it couldn't be read, which
            stands in the way of nothing that can only lessen the risk. ``tick_value`` is money per tick and contract.
        warnings: plain sentences.
        approver_roles: roles of which somebody else must approve.
        position_read: whether ``position`` was read; to cancel an order nobody need know it.
    """

    live: bool
    position: int
    average_price: Decimal | None
    after: int
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    quoted_at: datetime | None
    tick_size: Decimal | None
    tick_value: Decimal | None
    point_value: Decimal | None
    warnings: tuple[str, ...] = ()
    approver_roles: frozenset[int] = frozenset()
    working_orders: int = 0
    position_read: bool = True


class Told(StrEnum):
    """The kind of thing that the outcome of a ticket tells, where something depends on it; the sentence itself decides nothing.

    ``REST`` stands before what its rows say is left.
    """

    EVIDENCE = "evidence"
    WORD = "word"
    OVERDUE = "overdue"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Approved:
    """One approval: who, and for which of the asked roles it counts."""

    member: int
    name: str
    roles: frozenset[int]

    @property
    def named(self) -> str:
        """The approver as people are told of them."""
        return person(self.name, self.member)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket with all that has become of it.

    Attributes:
        revision: grows with each re-quote; a press on an older card doesn't count.
        version: grows with each stored change; the journal compares it so that of two racing changes one wins.
        expires_at: the end of its life as an offer.
        message: id of the message that shows it, once posted.
        sent_at: when ``sending`` was stored.
        ended_at: when its end was known; of an accepted ticket, when its order was seen to be over, and before that when it was
            accepted.
        ended_by: the name of the person who ended it: by Cancel, or by saying how an unknown outcome came out.
        ended_by_id: that person's id; ``None`` where an older version has kept the name alone.
        outcome: what people are told of the end, ready to show: foreign words in it stand in quotes (``words.quoted``).
        told: what kind of thing that tells.
        order_ids: every id under which the order has been seen, the one to show first.
        filled: contracts filled so far, whatever the order's state.
        orders_before: ids of every order that was listed just before sending; what isn't among them came after.
        absent_since: since when evidence has been read as "not there", for an unknown outcome.
        progress: of a ticket of several calls, what has become of each.
        order_terms: the order's terms as they are now, where somebody has changed them since it was placed.
        retired_at: when what it opened was seen to be closed, or had become too old for buttons.
        protection: the stops and targets of a bracket, or of the ATM strategy that an entry has started.
    """

    id: str
    intent: Intent
    requester: Member
    origin: Origin
    visibility: Visibility
    shown: Preview
    created_at: datetime
    expires_at: datetime
    state: TicketState = TicketState.OFFERED
    revision: int = 1
    version: int = 1
    message: int | None = None
    confirmed_at: datetime | None = None
    approvals: tuple[Approved, ...] = ()
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_by_id: int | None = None
    outcome: str | None = None
    told: Told | None = None
    order_ids: tuple[str, ...] = ()
    order_state: OrderState | None = None
    filled: int = 0
    average_fill_price: Decimal | None = None
    orders_before: tuple[str, ...] = ()
    absent_since: datetime | None = None
    progress: Progress = NO_PROGRESS
    order_terms: Terms | None = None
    retired_at: datetime | None = None
    protection: Protection | None = None

    @property
    def order(self) -> OrderIntent:
        """The intent, of a ticket that is about one order.

        Raises:
            TypeError: it is a mass action; whoever asks must have looked before.
        """
        if isinstance(self.intent, MassAction):
            raise TypeError(f"ticket {self.id} is about no single order")
        return self.intent

    @property
    def order_id(self) -> str | None:
        """The order id to show, as CrossTrade gave it."""
        return self.order_ids[0] if self.order_ids else None

    @property
    def lacks_its_claim(self) -> bool:
        """Tell whether it may have been sent although the journal knows of no press: its database has lost that."""
        return self.state is TicketState.UNKNOWN and self.confirmed_at is None

    @property
    def last_sent_at(self) -> datetime | None:
        """The time at which its last step began, of several; of a single call ``sent_at``."""
        return self.progress.steps[-1].sent_at if self.progress.steps else self.sent_at

    @property
    def terms(self) -> Terms:
        """The terms of its order as they are now."""
        return self.order_terms or self.order.terms

    @property
    def missing_roles(self) -> frozenset[int]:
        """Roles whose approval is still needed."""
        return self.shown.approver_roles.difference(*(approval.roles for approval in self.approvals))

    @property
    def is_followed(self) -> bool:
        """Tell whether its order may still change: accepted and not yet in a final state; of a change or a bracket: unseen."""
        if self.state is not TicketState.ACCEPTED:
            return False
        seen_once_is_enough = isinstance(self.intent, Change | Bracket)
        return self.order_state is None or not (seen_once_is_enough or self.order_state.is_done)

    @property
    def is_guarded(self) -> bool:
        """Tell whether its stops and targets are followed: until the position that they protect is closed."""
        if self.state is not TicketState.ACCEPTED or isinstance(self.intent, MassAction):
            return False
        if self.protection is not None and self.protection.end is not None:
            return False
        if isinstance(self.intent, Bracket):
            # One of before this was followed has been seen, and nothing of its orders was kept.
            return self.order_state is None or (self.protection is not None and not self.order_state.is_done)
        return self.intent.places and self.intent.terms.strategy is not None and self.filled > 0

    @property
    def is_closing(self) -> bool:
        """Tell whether it is a close that was taken and of which nothing else has been told since."""
        return isinstance(self.intent, Close) and self.is_followed and self.told is None

    @property
    def ender(self) -> str | None:
        """The person who ended it, as people are told of them; ``None`` if nobody did."""
        if self.ended_by is None:
            return None
        return quoted(self.ended_by, 40) if self.ended_by_id is None else person(self.ended_by, self.ended_by_id)

    @property
    def turned_to(self) -> int | None:
        """The signed position on the other side, where one was found behind a way out."""
        return next((line.now for line in self.progress.rows if line.is_turned), None)

    def is_over(self, now: datetime) -> bool:
        """Tell whether its life as an offer has ended."""
        return now >= self.expires_at

    def same_shape(self, other: Intent) -> bool:
        """Tell whether another intent would place the same order: account, contract, side, quantity and type."""
        if isinstance(self.intent, MassAction) or isinstance(other, MassAction) or not (self.intent.places and other.places):
            return False
        mine, its = self.intent.terms, other.terms
        same_market = (self.intent.account, self.intent.contract) == (other.account, other.contract)
        return same_market and (mine.side, mine.quantity, mine.type) == (its.side, its.quantity, its.type)


def is_claim(old: Ticket, new: Ticket) -> bool:
    """Tell whether a change claims a ticket: from here its order leaves."""
    return (old.state, new.state) == (TicketState.OFFERED, TicketState.SENDING)


def move(ticket: Ticket, state: TicketState, **changes: object) -> Ticket:
    """The ticket in its next state, one version on; another outcome tells nothing in particular unless it is said what.

    Raises:
        IllegalMove: the table has no such line.
    """
    if state not in TRANSITIONS[ticket.state]:
        raise IllegalMove(f"ticket {ticket.id}: {ticket.state} -> {state}")
    told = {"told": None} if "outcome" in changes else {}
    return replace(ticket, state=state, version=ticket.version + 1, **{**told, **changes})  # type: ignore[arg-type]  # fields are checked by the callers' names


_MOMENTS = ("created_at", "expires_at", "confirmed_at", "sent_at", "ended_at", "absent_since", "retired_at")


def shifted(ticket: Ticket, by: timedelta) -> Ticket:
    """The same ticket with all its moments that much later, as another clock has them."""
    if not by:
        return ticket
    moments = {name: at + by for name in _MOMENTS if (at := getattr(ticket, name)) is not None}
    quoted_at = ticket.shown.quoted_at
    shown = replace(ticket.shown, quoted_at=quoted_at and quoted_at + by)
    return replace(ticket, shown=shown, progress=ticket.progress.shifted(by), **moments)


def side_word(quantity: int) -> str:
    """Say a signed quantity as traders do: ``LONG 2``, ``SHORT 1`` or ``FLAT``."""
    if quantity == 0:
        return "FLAT"
    return f"{'LONG' if quantity > 0 else 'SHORT'} {abs(quantity)}"
