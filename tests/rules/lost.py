"""A ticket whose answer was lost, and what reads tell of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.trading.market.facts import Execution, Order, Position
from bot.trading.market.lifecycle import Lifecycle, OrderEvent
from bot.trading.orders.intents import (
    OrderIntent,
    Replace,
    Reverse,
)
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.reconciliation.evidence import weigh
from bot.trading.reconciliation.verdicts import Verdict
from tests.rules.strategies import ES, NOW, NQ, ORDER, SHOWN, TICKET

SENT_AT = NOW - timedelta(seconds=30)


def lost(position: int, terms: Terms) -> Ticket:
    """A ticket that was sent over that position and of which no answer came."""
    shown = replace(SHOWN, position=position, after=terms.quantity * terms.side.sign)
    intent = Reverse("Sim101", ES, terms)
    return replace(TICKET, intent=intent, shown=shown, state=TicketState.UNKNOWN, sent_at=SENT_AT, orders_before=("old", "older"))


def like(ticket: Ticket, order_id: str = "new", state: OrderState = OrderState.FILLED, seconds: float | None = 6) -> Order:
    """An order of the very shape of the ticket's."""
    terms = ticket.order.terms
    at = None if seconds is None else SENT_AT + timedelta(seconds=seconds)
    return Order(
        (order_id,), "Sim101", ES, terms.side, terms.type, state, terms.quantity, limit=terms.limit, stop=terms.stop, at=at
    )


def fill(
    order_id: str | None, quantity: int, side: Side = Side.SELL, at: datetime = SENT_AT, price: str = "5800.00"
) -> Execution:
    return Execution(f"x{order_id}{quantity}", order_id, "Sim101", ES, side, quantity, Decimal(price), at)


@dataclass(frozen=True)
class Reads:
    """What the three reads gave."""

    ticket: Ticket
    orders: tuple[Order, ...] = ()
    executions: tuple[Execution, ...] = ()
    position: int = 2
    taken: frozenset[str] = frozenset()
    life: Lifecycle | None = None

    @property
    def verdict(self) -> Verdict:
        held = (Position("Sim101", ES, self.position), Position("Sim101", NQ, 9)) if self.position else ()
        return weigh(self.ticket, self.orders, self.executions, held, self.taken, self.life)


ANOTHERS = "an order of its shape is there, but its name, its OCO group or its strategy is another's"
# LONG 2, SELL 3: the close sells 2, so that the new order looks like nothing else.
PLAIN = lost(2, Terms(Side.SELL, 3))
CLOSE = replace(ORDER, ids=("close",), quantity=2, filled=2, state=OrderState.FILLED, at=SENT_AT)
IT = like(PLAIN)


def is_new(reads: Reads, order_ids: tuple[str, ...]) -> bool:
    return not {*reads.ticket.orders_before, *reads.taken} & set(order_ids)


def its_new_twins(reads: Reads) -> list[Order]:
    """New orders of exactly the ticket's shape, written out once more."""
    terms = reads.ticket.order.terms
    shape = (ES, terms.side, terms.quantity, terms.type, terms.limit)
    return [o for o in reads.orders if is_new(reads, o.ids) and (o.contract, o.side, o.quantity, o.type, o.limit) == shape]


def life(order_id: str, *told: str) -> Lifecycle:
    """What the add-on has written down of an order, as the account writes itself there."""
    return Lifecycle("SIM101", (order_id,), tuple(OrderEvent(what, at=SENT_AT) for what in told))


def unanswered(intent: OrderIntent, position: int, after: int) -> Ticket:
    """A ticket of any command that was sent over that position and of which no answer came."""
    return replace(PLAIN, intent=intent, shown=replace(SHOWN, position=position, after=after))


OLD_TERMS = Terms(Side.SELL, 3, OrderType.LIMIT, limit=Decimal("5810.00"))
NEW_TERMS = Terms(Side.SELL, 1, OrderType.LIMIT, limit=Decimal("5812.00"))
REPLACED = unanswered(Replace("Sim101", ES, NEW_TERMS, "old", OLD_TERMS), 2, 1)


def old(state: OrderState) -> Order:
    return replace(like(REPLACED, "old", state), quantity=3, limit=OLD_TERMS.limit)
