"""Tickets, policies and members to test with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import TRADING_COMMANDS, Reverse
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.orders.tickets import Member, Origin, Preview, Ticket, Visibility
from bot.trading.risk.policy import READING_COMMANDS, Approval, Grant, Limit, Policy

GUILD = 1180000000000000001
OTHER_GUILD = 1180000000000000002
CHANNEL = 1180000000000000101
TRADER_ROLE, APPROVER_ROLE = 1180000000000000201, 1180000000000000203
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ES = Contract("ES", 2026, 9)

SHOWN = Preview(
    live=False,
    position=2,
    average_price=Decimal("5790.5"),
    after=1,
    bid=Decimal("5800.00"),
    ask=Decimal("5800.25"),
    last=Decimal("5800.25"),
    quoted_at=NOW,
    tick_size=Decimal("0.25"),
    tick_value=Decimal("12.5"),
    point_value=Decimal(50),
)
TICKET = Ticket(
    id="t1",
    intent=Reverse("Sim101", ES, Terms(Side.BUY, 1)),
    requester=Member(301, "Tess", frozenset({TRADER_ROLE})),
    origin=Origin(GUILD, CHANNEL),
    visibility=Visibility.CHANNEL,
    shown=SHOWN,
    created_at=NOW,
    expires_at=NOW + timedelta(seconds=30),
)
LIMIT = Terms(
    Side.SELL, 3, OrderType.STOPLIMIT, limit=Decimal("5795.00"), stop=Decimal("5796.00"), oco="grp", strategy="two legs"
)
POLICY = Policy(
    grants=(
        Grant(TRADER_ROLE, TRADING_COMMANDS | READING_COMMANDS | {"help", "policy"}, ("Sim*",), ("ES", "MES"), 5),
        Grant(APPROVER_ROLE, frozenset({"help"})),
    ),
    limits=(Limit(("*",), ("*",), max_position=10, daily_loss=Decimal(1000)),),
    approvals=(Approval(("Apex*",), APPROVER_ROLE, 3),),
)


def ticket(**changes: Any) -> Ticket:
    """The sample ticket with parts of it, of its intent, or of what it shows, replaced."""
    shown = {name: changes.pop(name) for name in list(changes) if hasattr(SHOWN, name)}
    intent = {name: changes.pop(name) for name in list(changes) if hasattr(TICKET.intent, name)}
    return replace(TICKET, intent=replace(TICKET.intent, **intent), shown=replace(SHOWN, **shown), **changes)
