"""What the tests of the rules share: one good order with everything around it, and strategies for money, contracts and the rest.

``World`` is a whole decision; ``GOOD`` is one in which nothing speaks against the order, so that a test changes just the one
thing that it is about.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from bot.trading.market.facts import Account, Facts, Order, Position, Quote
from bot.trading.orders.instruments import MONTH_CODES, QUARTERLY_MONTHS, QUARTERLY_ROOTS, Contract
from bot.trading.orders.intents import OrderIntent, Reverse
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms, TimeInForce
from bot.trading.orders.tickets import Member, Origin, Preview, Ticket, TicketState, Visibility
from bot.trading.risk.limits import OwnOrders, check_order
from bot.trading.risk.policy import COMMANDS, AccountRule, Approval, DenialCode, Grant, Limit, PermissionQuery, Policy

# Many rules, two cores: enough examples to find what is there, few enough to be run at every change.
MODEST = settings(max_examples=50, deadline=None)

# ES 09-26 is the front month then, and its end is far.
NOW = datetime(2026, 8, 18, 14, 30, tzinfo=UTC)
TICK = Decimal("0.25")
ES = Contract("ES", 2026, 9)
ES_DECEMBER = Contract("ES", 2026, 12)
NQ = Contract("NQ", 2026, 9)
MEMBER = Member(7, "Ada", frozenset({1100}))
INTENT = Reverse("Sim101", ES, Terms(Side.SELL, 3))
QUOTE = Quote(
    contract=ES,
    tick_size=TICK,
    point_value=Decimal(50),
    bid=Decimal("5800.00"),
    ask=Decimal("5800.25"),
    last=Decimal("5800.25"),
    at=NOW - timedelta(seconds=1),
    market_open=True,
)
ACCOUNT = Account("Sim101", "Simulator", connected=True, realised=Decimal(0), unrealised=Decimal(0), cash=Decimal(100_000))
LONG_TWO = Position("Sim101", ES, 2, Decimal("5790.50"))
FACTS = Facts(ACCOUNT, (LONG_TWO,), (), QUOTE)
SHOWN = Preview(
    live=False,
    position=2,
    average_price=LONG_TWO.average_price,
    after=-3,
    bid=Decimal("5800.00"),
    ask=Decimal("5800.25"),
    last=Decimal("5800.25"),
    quoted_at=NOW - timedelta(seconds=1),
    tick_size=TICK,
    tick_value=Decimal("12.50"),
    point_value=Decimal(50),
)
TICKET = Ticket(
    id="t1",
    intent=INTENT,
    requester=MEMBER,
    origin=Origin(1, 2001),
    visibility=Visibility.CHANNEL,
    shown=SHOWN,
    created_at=NOW - timedelta(seconds=10),
    expires_at=NOW + timedelta(seconds=20),
)
ORDER = Order(("o1",), "Sim101", ES, Side.SELL, OrderType.MARKET, OrderState.WORKING, 3, at=NOW)
EVERY_LIMIT = Limit(
    accounts=("*",),
    instruments=("*",),
    max_position=10,
    orders_per_minute=3,
    duplicate_seconds=10,
    price_band_ticks=200,
    daily_loss=Decimal(1000),
    stale_seconds=10,
)
POLICY = Policy(grants=(Grant(1100, frozenset({"reverse"}), ("*",), ("*",), 5),), limits=(EVERY_LIMIT,))

NOTHING_SENT = OwnOrders()


@dataclass(frozen=True, slots=True)
class World:
    """Everything that ``limits.reasons`` looks at."""

    intent: OrderIntent = INTENT
    member: int = MEMBER.id
    facts: Facts = FACTS
    policy: Policy = POLICY
    recent: OwnOrders = NOTHING_SENT
    now: datetime = NOW

    def codes(self) -> list[DenialCode]:
        """The codes of every reason against the order."""
        return [d.code for d in check_order(self.intent, self.member, self.facts, self.policy, self.recent, self.now)]

    def with_terms(self, **changes: Any) -> "World":
        """The same with other terms of the order."""
        return replace(self, intent=replace(self.intent, terms=replace(self.intent.terms, **changes)))

    def with_facts(self, **changes: Any) -> "World":
        """The same with other facts."""
        return replace(self, facts=replace(self.facts, **changes))

    def with_quote(self, **changes: Any) -> "World":
        """The same with another quote; ``GOOD`` has one."""
        return self.with_facts(quote=replace(self.facts.quote or QUOTE, **changes))

    def with_account(self, **changes: Any) -> "World":
        """The same with another account; ``GOOD`` has one."""
        return self.with_facts(account=replace(self.facts.account or ACCOUNT, **changes))

    def with_limit(self, **changes: Any) -> "World":
        """The same with one limit, in which only these parts are set."""
        return replace(self, policy=replace(self.policy, limits=(Limit(("*",), ("*",), **changes),)))

    def with_recent(self, *tickets: Ticket) -> "World":
        """The same with these tickets already there."""
        return replace(self, recent=OwnOrders(tickets))


GOOD = World()


def sent(state: TicketState = TicketState.ACCEPTED, ago: float = 5, **changes: Any) -> Ticket:
    """A ticket that was sent some seconds ago."""
    ticket = replace(TICKET, id="earlier", state=state, sent_at=NOW - timedelta(seconds=ago))
    return replace(ticket, **changes)


def months_of(root: str) -> tuple[int, ...]:
    """The months that may be asked of a root."""
    return QUARTERLY_MONTHS if root in QUARTERLY_ROOTS else tuple(range(1, len(MONTH_CODES) + 1))


ROOTS = ("ES", "MES", "NQ", "MNQ", "YM", "RTY", "M2K", "CL", "GC", "6E", "ZN", "NG")
roots = st.sampled_from(ROOTS)
contracts = roots.flatmap(
    lambda root: st.builds(Contract, st.just(root), st.integers(2000, 2099), st.sampled_from(months_of(root)))
)
quantities = st.integers(1, 12)
positions = st.integers(-6, 6).filter(bool)
on_tick = st.integers(1, 60_000).map(lambda ticks: ticks * TICK)
amounts = st.decimals(min_value=-5000, max_value=5000, places=2)
sides = st.sampled_from(Side)


@st.composite
def well_formed_terms(draw: st.DrawFn) -> Terms:
    """Terms that hold just the prices that their type asks for, on the tick."""
    kind = draw(st.sampled_from(OrderType))
    return Terms(
        side=draw(sides),
        quantity=draw(quantities),
        type=kind,
        tif=draw(st.sampled_from(TimeInForce)),
        limit=draw(on_tick) if kind.has_limit else None,
        stop=draw(on_tick) if kind.has_stop else None,
    )


# Few values, so that what is drawn for a grant and for a request meet often.
ROLES = (1, 2, 3)
account_names = st.sampled_from(["Sim101", "sim101", "SIM102", "Apex-1", "Apex-2", "Sim[1]"])
account_patterns = st.lists(st.sampled_from(["*", "Sim*", "apex-?", "Sim101", "Sim[1]", "?im10*"]), max_size=2).map(tuple)
instrument_patterns = st.lists(st.sampled_from(["*", "ES", "M*", "nq"]), max_size=2).map(tuple)
grants = st.builds(
    Grant,
    role=st.sampled_from(ROLES),
    commands=st.frozensets(st.sampled_from([*sorted(COMMANDS), "*"]), max_size=2),
    accounts=account_patterns,
    instruments=instrument_patterns,
    max_quantity=st.none() | st.integers(1, 5),
    order_types=st.frozensets(st.sampled_from(OrderType)),
)
requests = st.builds(
    PermissionQuery,
    command=st.sampled_from(sorted(COMMANDS)),
    account=st.none() | account_names,
    root=st.none() | st.sampled_from(["ES", "MES", "NQ"]),
    quantity=st.none() | st.integers(1, 6),
    order_type=st.none() | st.sampled_from(OrderType),
)
policies = st.builds(
    Policy,
    grants=st.lists(grants, max_size=4).map(tuple),
    approvals=st.lists(st.builds(Approval, account_patterns, st.sampled_from(ROLES), st.integers(1, 5)), max_size=3).map(tuple),
    accounts=st.lists(st.builds(AccountRule, st.sampled_from(["Apex-*", "Sim[1]"]), st.booleans()), max_size=2).map(tuple),
)
limits = st.builds(
    Limit,
    accounts=account_patterns,
    instruments=instrument_patterns,
    max_position=st.none() | st.integers(0, 20),
    orders_per_minute=st.none() | st.integers(1, 3),
    duplicate_seconds=st.none() | st.integers(1, 30),
    price_band_ticks=st.none() | st.integers(0, 400),
    daily_loss=st.none() | st.integers(0, 5000).map(Decimal),
    stale_seconds=st.integers(1, 30),
)
states_in_flight = st.sampled_from([TicketState.SENDING, TicketState.UNKNOWN])
