"""The progress of a ticket of several calls: each step with its end, and each account and instrument as it was and as it is."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bot.trading.orders.instruments import Contract
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.words import quoted

# So many orders of a row are named; of more the number is told.
MOST_NAMED = 3


class StepState(StrEnum):
    """The state of one step. ``SENDING`` is on disk before the first byte leaves."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a call and its end.

    Attributes:
        what: in a few words, such as ``close ES 09-26``; for people alone, like ``text``.
        text: CrossTrade's, the broker's or our own words about its end, ready to show.
        closes: whether it closes what is open.
        unseen: whether it went out although the lists could not be read.
        enters: whether it places the new order of a reversal.
        account: where, if ``what`` doesn't say.
        ended_at: when its first answer came.
    """

    what: str
    sent_at: datetime
    state: StepState = StepState.SENDING
    text: str | None = None
    closes: bool = False
    unseen: bool = False
    enters: bool = False
    account: str | None = None
    ended_at: datetime | None = None

    @property
    def words(self) -> str:
        """The call, and where it was made."""
        return self.words_in(None)

    def words_in(self, account: str | None) -> str:
        """The call as it is told where that account has been named."""
        where = "" if self.account in {None, account} else f" in {quoted(self.account or '', 40)}"
        return f"{self.what}{where}{', unseen: the lists could not be read' if self.unseen else ''}"

    @property
    def took(self) -> timedelta | None:
        """The time that its first answer took; ``None`` where no answer is known of."""
        return None if self.ended_at is None else self.ended_at - self.sent_at

    @property
    def may_work(self) -> bool:
        """Tell whether it may have done something: it left, and nobody has refused it."""
        return self.state not in {StepState.REJECTED, StepState.NOT_SENT}


@dataclass(frozen=True, slots=True)
class Working:
    """An order that still works, as people need it to find it; prices are in price units, a stop order's is its stop."""

    id: str
    side: Side
    quantity: int
    type: OrderType | None
    price: Decimal | None
    closes: bool = False


@dataclass(frozen=True, slots=True)
class ExitRow:
    """One contract of one account, before and now; ``None`` is what could not be read.

    Attributes:
        contract: ``None`` for an account of which nothing could be read.
        before, now: signed quantities.
        orders_before, orders_now: working orders.
        working: the first few of those that work now.
    """

    account: str
    live: bool
    contract: Contract | None
    before: int | None
    orders_before: int | None
    now: int | None = None
    orders_now: int | None = None
    working: tuple[Working, ...] = ()

    @property
    def is_turned(self) -> bool:
        """Tell whether the position is on the other side of where it was; one that a close must never make."""
        return self.now is not None and self.before is not None and self.now * self.before < 0

    @property
    def is_done(self) -> bool:
        """Tell whether it was read that nothing is open and nothing works."""
        return self.now == 0 and self.orders_now == 0


@dataclass(frozen=True, slots=True)
class Progress:
    """All of it; ``done_at`` is when the last thing was read to be as it should.

    Attributes:
        old: of a replacement, how the order that was to go was last seen.
        old_told: whether people were told that it is in the way.
    """

    steps: tuple[Step, ...] = ()
    rows: tuple[ExitRow, ...] = ()
    done_at: datetime | None = None
    old: OrderState | None = None
    old_told: bool = False

    def shifted(self, by: timedelta) -> "Progress":
        """The same with all its moments that much later."""
        steps = tuple(
            replace(step, sent_at=step.sent_at + by, ended_at=step.ended_at and step.ended_at + by) for step in self.steps
        )
        return replace(self, steps=steps, done_at=self.done_at and self.done_at + by)

    @property
    def went_out(self) -> bool:
        """Tell whether one of its calls may have done something: it left, and nobody has refused it."""
        return any(step.may_work for step in self.steps)

    @property
    def went_unseen(self) -> bool:
        """Tell whether a call that went out unseen may have done something."""
        return any(step.unseen and step.may_work for step in self.steps)

    @property
    def last_close(self) -> Step | None:
        """The last call that closes, of those that may have done something."""
        return next((step for step in reversed(self.steps) if step.closes and step.may_work), None)

    def began(self, step: Step) -> "Progress":
        """A copy with one step more."""
        return replace(self, steps=(*self.steps, step))

    def ended(self, index: int, state: StepState, text: str | None = None, at: datetime | None = None) -> "Progress":
        """A copy with the end of a step; an end that is known already may turn out otherwise."""
        steps = list(self.steps)
        steps[index] = replace(steps[index], state=state, text=text, ended_at=steps[index].ended_at or at)
        return replace(self, steps=tuple(steps))
