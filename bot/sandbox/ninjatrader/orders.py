"""One order: its words, its states, its row on the wire, its lifecycle. Matching is the exchange's."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .book import ZERO, Account
from .products import Contract
from .wire import dotnet_local, dotnet_utc, epoch_ms


class Action(StrEnum):
    """The side of an order."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is Action.BUY else -1

    @property
    def opposite(self) -> "Action":
        """The other side."""
        return Action.SELL if self is Action.BUY else Action.BUY


class OrderType(StrEnum):
    """NT8's names as they come out; upper case goes in."""

    MARKET = "Market"
    LIMIT = "Limit"
    STOP_MARKET = "StopMarket"
    STOP_LIMIT = "StopLimit"


STOPS = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT})
LIMITS = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


class TimeInForce(StrEnum):
    """NT8's names as they come out."""

    DAY = "Day"
    GTC = "Gtc"


class State(StrEnum):
    """NT8's order states."""

    INITIALIZED = "Initialized"
    SUBMITTED = "Submitted"
    ACCEPTED = "Accepted"
    WORKING = "Working"
    CHANGE_PENDING = "ChangePending"
    PART_FILLED = "PartFilled"
    CANCEL_PENDING = "CancelPending"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"

    @property
    def is_done(self) -> bool:
        """True when nothing can follow."""
        return self in {State.FILLED, State.CANCELLED, State.REJECTED}


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as somebody asked to have it placed."""

    account: Account
    contract: Contract
    action: Action
    order_type: OrderType
    quantity: int
    time_in_force: TimeInForce
    limit: Decimal = ZERO
    stop: Decimal = ZERO
    oco_id: str = ""
    strategy: str | None = None
    own_id: str | None = None
    name: str = ""


REJECTED = "Order rejected by the broker."


class Befalls(StrEnum):
    """Mishap of a stop or a target, against its owner's will."""

    REJECTED = "rejected"
    CANCELLED = "cancelled"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Fate:
    """One such thing: of which of them, `stop`, `target` or `both`, and how long after it was placed."""

    befalls: Befalls
    which: str
    seconds: float = 0.0

    def is_of(self, order_type: OrderType) -> bool:
        """Tell whether it is about a leg of that type."""
        return self.which in {"both", "stop" if order_type in STOPS else "target"}


@dataclass(frozen=True, slots=True)
class Treatment:
    """Effect of faults on one order, or on the stop and target that come of it. Seconds; None leaves the ordinary course."""

    reject_after: float | None = None
    reject_text: str = REJECTED
    fill_after: float | None = None
    chunk: int | None = None
    chunk_every: float | None = None
    own_id_lost: bool = False
    id_changes: bool = False
    fates: tuple[Fate, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """The ATM strategy instance that an order belongs to."""

    id: str
    template: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an order's lifecycle."""

    time: datetime
    source: str
    event: str
    fields: dict[str, Any]


@dataclass(slots=True, eq=False)
class Order:
    """A placed order. `shown_id` is the automated-trading id in `userData`: the caller's own or a generated one."""

    id: str
    ticket: Ticket
    shown_id: str
    created: datetime
    quantity: int
    limit: Decimal
    stop: Decimal
    treatment: Treatment = Treatment()
    owner: Owner | None = None
    state: State = State.INITIALIZED
    filled: int = 0
    average: Decimal = ZERO
    triggered: bool = False
    ready: bool = False
    finished: datetime | None = None
    earlier_ids: tuple[str, ...] = ()
    events: list[Event] = field(default_factory=list)

    @property
    def remaining(self) -> int:
        """Contracts still to be filled."""
        return self.quantity - self.filled

    @property
    def is_resting(self) -> bool:
        """True while the exchange holds it; a stop order rests at Accepted."""
        if self.state is State.ACCEPTED:
            return self.ticket.order_type in STOPS
        return self.state in {State.WORKING, State.PART_FILLED}

    def answers_to(self, order_id: str) -> bool:
        """Tell whether an id finds this order: NT8's id of now or before, or the automated-trading id that NT8 kept."""
        return order_id in (*self.ids, self.shown_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that NT8 has given it, the present one first."""
        return (self.id, *self.earlier_ids)

    def rename(self, new_id: str) -> None:
        """Go by another id from now on."""
        self.id, self.earlier_ids = new_id, self.ids

    def record(self, time: datetime, source: str, event: str, **fields: object) -> None:
        """Add a line to the lifecycle."""
        self.events.append(Event(time, source, event, fields))

    def move(self, state: State, time: datetime) -> None:
        """Go to a state."""
        self.state = state
        if state.is_done:
            self.finished = time
        self.record(time, "order_update", state.value, filled=self.filled, quantity=self.quantity)

    def row(self) -> dict[str, Any]:
        """Give the fields of GetOrder in the documented order, plus the broker's `id`; without `success`."""
        kind = self.ticket.order_type
        return {
            "id": self.id,
            "account": self.ticket.account.name,
            "orderId": self.id,
            "instrument": self.ticket.contract.name,
            "instrumentType": "Future",
            "orderType": kind.value,
            "orderState": self.state.value,
            "quantity": self.quantity,
            "averageFillPrice": self.average,
            "filled": self.filled,
            "fromEntrySignal": None,
            "gtd": "2099-12-01T00:00:00.0000000",
            "hasOverfill": False,
            "isBacktestOrder": False,
            "limitPrice": self.limit,
            "limitPriceChanged": self.limit,
            "ocoId": self.ticket.oco_id,
            "orderAction": self.ticket.action.value,
            "quantityChanged": self.quantity,
            "stopPrice": self.stop,
            "stopPriceChanged": self.stop,
            "time": dotnet_local(self.created),
            "epoch": epoch_ms(self.created),
            "timeInForce": self.ticket.time_in_force.value,
            "name": self.ticket.name,
            "isLimit": kind is OrderType.LIMIT,
            "isLiveUntilCancelled": self.ticket.time_in_force is TimeInForce.GTC,
            "isLong": self.ticket.action is Action.BUY,
            "isMarket": kind is OrderType.MARKET,
            "isMarketIfTouched": False,
            "isShort": self.ticket.action is Action.SELL,
            "isSimulatedStop": False,
            "isStopLimit": kind is OrderType.STOP_LIMIT,
            "isStopMarket": kind is OrderType.STOP_MARKET,
            "isTrackingConfigured": False,
            "isTrackingEnabled": False,
            "userData": _user_data(self.shown_id),
            "ownerStrategy": self._owner_row(),
        }

    def _owner_row(self) -> dict[str, Any]:
        owner = self.owner
        if owner is None:
            return {"id": None, "name": None, "displayName": None}
        return {"id": owner.id, "name": owner.template, "displayName": owner.name}

    def lifecycle(self, *, fills: bool, limit: int) -> list[dict[str, Any]]:
        """Give the stored events, oldest first: `epoch` in milliseconds, as a float; the latest `limit` of them.

        Fills are left out when the other events alone fill the limit.
        """
        others = [event for event in self.events if event.source != "fill"]
        wanted = self.events if fills and len(others) < limit else others
        return [
            {
                "timestamp": dotnet_utc(event.time),
                "epoch": event.time.timestamp() * 1000,
                "source": event.source,
                "event": event.event,
                **event.fields,
            }
            for event in wanted[-limit:]
        ]


def _user_data(shown_id: str) -> str:
    return f"<NinjaTrader><AutomatedTradingOrderId>{shown_id}</AutomatedTradingOrderId></NinjaTrader>"
