"""The seams of the desk: what it needs of the broker, the journal and the chat, as protocols and plain data.

``bot.crosstrade`` fills :class:`Broker`, ``bot.journal`` fills :class:`Journal`, ``bot.chat`` fills :class:`Messenger`; tests
fill them by hand. No implementation lives here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.trading.health.vitals import ChatVitals, Vitals
from bot.trading.market.bars import Bars, Period
from bot.trading.market.facts import Account, Day, Execution, Order, Others, Position, Quote, Strategy
from bot.trading.market.funds import Watermarks
from bot.trading.market.holdings import AccountSummary
from bot.trading.market.lifecycle import Lifecycle
from bot.trading.market.session import Session
from bot.trading.market.spans import Span
from bot.trading.orders.instruments import Contract, Root
from bot.trading.orders.intents import Action, OrderIntent
from bot.trading.orders.outcomes import Outcome
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket
from bot.trading.risk.halts import Switch, Switches


class Shows(Protocol):
    """CrossTrade's reads for people beyond what decisions need; errors are those of every read of a ``Broker``."""

    async def snapshot(self) -> Sequence[AccountSummary]:
        """All active accounts with their money and positions."""

    async def position(self, account: str, contract: Contract) -> Position | None:
        """One position; ``None`` alone never proves that there is none."""

    async def all_positions(self) -> Sequence[Position]:
        """The open positions of every account."""

    async def all_orders(self, *, active_only: bool) -> Sequence[Order]:
        """The orders of every account; ``BrokerRefused`` where CrossTrade doesn't have that list."""

    async def order_status(self, account: str, order_id: str) -> OrderState | None:
        """An order's state; ``None`` when CrossTrade says that it has none."""

    async def lifecycle(self, account: str, order_id: str) -> Lifecycle:
        """CrossTrade's record of an order, which may be another account's."""

    async def executions_of(self, account: str, order_id: str) -> Sequence[Execution]:
        """The fills of one order; ``BrokerRefused`` where CrossTrade doesn't have that list."""

    async def execution(self, account: str, execution_id: str) -> Execution | None:
        """One fill; ``None`` when CrossTrade says that it has none."""

    async def strategies(self, account: str) -> Sequence[Strategy]:
        """The ATM strategies that run in an account."""

    async def quotes(self, instruments: Sequence[Contract]) -> Sequence[Quote]:
        """Quotes in the order in which they are asked for, all or none."""

    async def account_quotes(self, account: str, instruments: Sequence[Contract]) -> Sequence[Quote]:
        """Quotes from an account's own feed, in the order in which they are asked for, all or none."""

    async def session(self, instrument: Contract | Root) -> Session:
        """The session: whether a market trades, and when that changes; for a root, of the front month as CrossTrade tells it."""

    async def watermarks(self, account: str) -> Watermarks:
        """The watermarks of an account: how high it once stood."""

    async def atm_templates(self) -> Sequence[str]:
        """The names of the ATM templates in NinjaTrader."""


class Broker(Shows, Protocol):
    """CrossTrade, whichever way it is reached.

    Every read raises one of ``bot.errors.BrokerError`` when it fails: a failed read is unknown, never empty. A write never
    raises and is never repeated: it returns what came of it.
    """

    async def accounts(self) -> Sequence[Account]:
        """All accounts that NinjaTrader has."""

    async def account(self, name: str) -> Account:
        """One account with the day's profit and loss."""

    async def positions(self, account: str) -> Sequence[Position]:
        """The open positions of an account; empty only when CrossTrade said so."""

    async def orders(self, account: str, *, active_only: bool) -> Sequence[Order]:
        """The orders of an account; finished ones stay listed for some minutes."""

    async def order(self, account: str, order_id: str) -> Order | None:
        """One order by any of its ids; ``None`` when CrossTrade says that it has none (which a live order may meet too)."""

    async def executions(self, account: str) -> Sequence[Execution]:
        """The fills of the last 15 minutes, the longest look-back that CrossTrade offers."""

    async def quote(self, contract: Contract) -> Quote:
        """The quote."""

    def others(self, account: str) -> Others:
        """Positions and orders of an account that are of no future, as the newest of its lists told, at no cost."""

    def day(self, account: str) -> Day | None:
        """An account's profit and loss as just pushed, at no cost; ``None`` when it has to be read."""

    def vitals(self) -> Vitals:
        """Everything known of the links to CrossTrade and NinjaTrader, at no cost."""

    async def bars(self, contract: Contract, period: Period, most: int) -> Bars:
        """The newest bars, at most so many. Slow: NinjaTrader may have to fetch them first."""

    def changed(self, account: str | None) -> None:
        """Take nothing for true any more that was read of an account before, or of all of them, at no cost."""

    def at_hand(self, account: str, contract: Contract) -> tuple[Account, Sequence[Order], Sequence[Position], Quote] | None:
        """Facts for a decision, at no cost; ``None`` unless all of them are known, young enough and not void."""

    def age(self, account: str) -> timedelta | None:
        """The time since the older of an account's two lists was asked for, at no cost; ``None`` if one isn't known, or void."""

    def asked_at(self, positions: Sequence[Position], account: str | None) -> datetime | None:
        """The moment at which a list of an account's positions, or of all accounts', just given, was asked for, at no cost.

        ``None`` where another one has come meanwhile.
        """

    async def send(self, action: Action, *, deadline: datetime) -> Outcome:
        """Make the one call that the action stands for, once; it waits for the request budget until the deadline, no longer."""


class Tone(StrEnum):
    """The urgency of news; the outbox delivers alarms first."""

    ROUTINE = "routine"
    ALARM = "alarm"


class EventName(StrEnum):
    """Names of events, in the words of the policy file's ``[[notify]] events`` and of the journal."""

    OFFERED = "offered"
    REQUOTED = "requoted"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"
    NEVER_ARRIVED = "never arrived"
    RESOLVED = "resolved"
    NOT_CLOSED = "not closed"
    NOT_CANCELLED = "not cancelled"
    NOT_CHANGED = "not changed"
    LOST_SIGHT = "lost sight"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOID = "void"
    STEP = "step"
    SEEN = "seen"
    WORKING = "working"
    PART_FILLED = "part filled"
    FILLED = "filled"
    FLATTENED = "flattened"
    STOPPED_OUT = "stopped out"
    TARGET_HIT = "target hit"
    UNPROTECTED = "unprotected"
    PROTECTED = "protected"
    ORDER_CANCELLED = "order cancelled"
    HALTED = "halted"
    RESUMED = "resumed"
    POLICY_CHANGED = "policy changed"
    AUDIT_HEAD = "audit head"
    STARTED = "started"
    TOOK_OVER = "took over"
    CLOCK_SET = "clock set"
    LINK_DOWN = "link down"
    LINK_UP = "link up"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only log.

    Attributes:
        ticket: id of the ticket it belongs to; ``None`` for a denial before there was one, and for an event of the desk itself.
        actor: Discord id of the person, ``None`` for the desk itself.
        data: plain JSON values; never a secret.
    """

    at: datetime
    name: EventName
    ticket: str | None = None
    actor: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """News for one channel, to be stored with the change that it tells.

    Attributes:
        channel: Discord id of the channel.
        text: a headline and lines below it; foreign words stand in quotes, and the chat layer draws them.
        silent: without a notification sound.
    """

    channel: int
    text: str
    silent: bool = False
    tone: Tone = Tone.ROUTINE


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox that is due.

    A card row (``notice is None``) says "show this ticket as it stands when you get to it": several changes coalesce into one
    row, whose ``sequence`` tells a newer change from the one that was shown.

    Attributes:
        since: when the oldest change that was not shown yet happened.
        attempts: deliveries tried before.
    """

    id: int
    ticket: str | None
    notice: Notice | None
    since: datetime
    sequence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class KeptFills:
    """Fills of an account that the desk has read and kept, and the time in which it has read them all.

    Attributes:
        fills: oldest first.
        covered: spans in which every fill that CrossTrade had was read.
    """

    fills: tuple[Execution, ...]
    covered: tuple[Span, ...]


class Journal(Protocol):
    """The store of what was asked, decided, sent and answered. Every method raises ``JournalError`` when disk or database fails.

    Each changing method is one transaction, committed to disk when it returns.
    """

    async def open(self, ticket: Ticket, event: Event) -> None:
        """Store a new ticket with its first event."""

    async def advance(
        self,
        old: Ticket,
        new: Ticket,
        events: Sequence[Event],
        notices: Sequence[Notice] = (),
        *,
        show: bool = True,
        tone: Tone = Tone.ROUTINE,
        sends: OrderIntent | None = None,
    ) -> bool:
        """Store a ticket's change if its version is still ``old.version``; ``False``, and nothing at all, if it isn't.

        Events, notices and (with ``show``) the card's row in the outbox, as urgent as ``tone``, are written in the same
        transaction. The message id is not among what is compared or written here.

        The switches are asked in that transaction about what the change lets out: the ticket's intent where an offer becomes
        ``sending``, and ``sends``, the next of several calls.

        Raises:
            Halted: a switch bars it; nothing at all was stored.
        """

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        """Remember which message shows the ticket."""

    async def record(self, event: Event, notices: Sequence[Notice] = ()) -> None:
        """Store an event that changes no ticket."""

    async def switches(self) -> Switches:
        """All switches that are not active."""

    async def switch(self, switch: Switch, event: Event, notices: Sequence[Notice] = ()) -> bool:
        """Set a switch if that is stricter than what stands in just its scope, or, with ``active``, lift one that stands.

        ``False``, and nothing at all, where it would change nothing or make something looser than asked.
        """

    async def last(self, names: Collection[EventName]) -> Event | None:
        """The newest event of one of these names."""

    async def ticket(self, ticket_id: str) -> Ticket | None:
        """One ticket."""

    async def tickets(self, ids: Collection[str]) -> Sequence[Ticket]:
        """Those of these tickets that there are, in the order in which they were asked."""

    async def rebase(self, by: timedelta, now: datetime) -> None:
        """Put into this run's time what runs before have left: tickets that may still change, and news that wait.

        Args:
            by: how far the host's clock was set during the last run.
            now: nothing that has been lies behind it afterwards.
        """

    async def live(self) -> Sequence[Ticket]:
        """Tickets that are offered, sending, unknown, or accepted with an order not yet in a final state."""

    async def recent(self, since: datetime) -> Sequence[Ticket]:
        """Tickets that are ``live`` but not merely offered, and those sent at or after the moment."""

    async def events(self, ticket_id: str) -> Sequence[Event]:
        """A ticket's log, oldest first."""

    async def newest(self, actor: int, names: Collection[EventName], most: int) -> Sequence[Event]:
        """The newest events of these names that a member has caused, newest first, among the last lines of the log."""

    async def keep_fills(self, account: str, fills: Sequence[Execution], covered: Span) -> None:
        """Keep fills that were read, each once, and that in this span they are all there were."""

    async def kept_fills(self, account: str, since: datetime, orders: Collection[str] | None = None) -> KeptFills:
        """The fills of an account at or after the moment, perhaps of some orders only, and what of that time was covered."""

    async def due(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Outbox rows that wait: alarms first, then oldest first."""

    async def foremost(self, now: datetime, limit: int) -> Sequence[Delivery]:
        """Of the rows that wait the first of each card and of each channel, in that order."""

    async def next_due(self) -> datetime | None:
        """The time at which the next row is due, of those that wait; ``None`` where none does."""

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Mark a row as delivered; a card row stays due when a newer change has come since."""

    async def postpone(self, delivery: Delivery, until: datetime) -> None:
        """Count a failed attempt and put the row off."""


class Messenger(Protocol):
    """Discord, as far as news go. Raises ``DeliveryDelayed`` or ``DeliveryRefused``."""

    @property
    def attached(self) -> bool:
        """True while the bot is logged in; until then the outbox waits."""

    def vitals(self) -> ChatVitals:
        """Everything known of the link to Discord, at no cost."""

    async def show(self, ticket: Ticket, late: float) -> int | None:
        """Draw the ticket as it stands: edit its message, or post one where it was asked when it has none.

        ``late`` is how many seconds ago the news happened. Returns the id of the message if it posted one.
        """

    async def tell(self, notice: Notice, delivery_id: int, late: float, perhaps_since: datetime | None = None) -> None:
        """Post a notice; the id makes a repeat within Discord's short window harmless.

        With ``perhaps_since`` it may have been posted before, at that moment or later, and is looked for first.
        """

    async def roles(self, guild: int, member: int) -> frozenset[int] | None:
        """A member's roles as of now; ``None`` for somebody who isn't there."""

    async def fall_back(self, ticket: Ticket, late: float) -> None:
        """Tell a ticket's end where it can still be read, when its own channel is gone: its requester's direct messages."""
