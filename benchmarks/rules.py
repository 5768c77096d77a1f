"""``python -m benchmarks rules``: how many orders the rules decide in a second, grants, halts, limits and the card's facts.

Everything in memory, one thread, nothing read or stored. A decision is what a press asks of the rules.
"""

import argparse
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from bot.desk.tickets.permissions import denial_of
from bot.trading.market.facts import Account, Facts, Position, Quote
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import PlaceOrder
from bot.trading.orders.terms import Side, Terms
from bot.trading.orders.tickets import Member, Origin, Preview, Ticket, TicketState, Visibility
from bot.trading.planning.preview import plan
from bot.trading.risk import halts as switches
from bot.trading.risk import limits
from bot.trading.risk.halts import Switches
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import Grant, Limit, Policy

NOW = datetime(2026, 8, 18, 14, 30, tzinfo=UTC)
ES, NQ = Contract("ES", 2026, 9), Contract("NQ", 2026, 9)
MEMBER = Member(7, "Ada", frozenset({1100}))
SHOWN = Preview(
    live=False,
    position=0,
    average_price=None,
    after=0,
    bid=None,
    ask=None,
    last=None,
    quoted_at=None,
    tick_size=None,
    tick_value=None,
    point_value=None,
)
ACCOUNTS = 50
GOALS = (5000, 1000)


@dataclass(frozen=True, slots=True)
class Load:
    """A desk of that size: grants in the file, limits in the file, tickets on their way."""

    grants: int
    limits: int = 0
    tickets: int = 0

    def __str__(self) -> str:
        parts = [f"{self.grants} grants", f"{self.limits} limits", f"{self.tickets} tickets on their way"]
        return ", ".join(part for part in parts if not part.startswith("0 "))


LOADS = (Load(500), Load(500, limits=300, tickets=100))


def _policy(load: Load) -> Policy:
    """Half of the grants and limits are patterns; the member's own grants are a tenth, and every limit holds for every order."""
    grants = tuple(
        Grant(1100 + number % 10, frozenset({"place"}), ("Sim*", f"Sim{number}"), ("ES", "N?"), 5)
        for number in range(load.grants)
    )
    rules = tuple(
        Limit(("Sim*",), ("*",), 900 + number, 900, 1, 400, Decimal(100_000), stale_seconds=10) for number in range(load.limits)
    )
    return Policy(grants, rules)


def _tickets(load: Load) -> tuple[Ticket, ...]:
    terms = Terms(Side.BUY, 1)
    return tuple(
        Ticket(
            id=f"t{number}",
            intent=PlaceOrder(f"Sim{number % ACCOUNTS}", NQ, terms, f"own{number}"),
            requester=MEMBER,
            origin=Origin(1, 2),
            visibility=Visibility.CHANNEL,
            shown=SHOWN,
            created_at=NOW,
            expires_at=NOW + timedelta(seconds=30),
            state=TicketState.SENDING,
            sent_at=NOW - timedelta(seconds=5),
        )
        for number in range(load.tickets)
    )


def rate(load: Load, seconds: float) -> float:
    """Decisions in a second, every one of which is a yes: so each rule is asked.

    Raises:
        ValueError: one was a no.
    """
    policy, recent = _policy(load), OwnOrders(_tickets(load))
    quote = Quote(ES, Decimal("0.25"), Decimal(50), Decimal(5800), Decimal("5800.25"), Decimal(5800), NOW, market_open=True)
    account = Account("Sim0", "Simulator", connected=True, realised=Decimal(0), unrealised=Decimal(0))
    facts = Facts(account, (Position("Sim0", ES, 2),), (), quote)
    order = PlaceOrder("Sim0", ES, Terms(Side.BUY, 2), "own")
    orders = [replace(order, account=f"Sim{number}") for number in range(ACCOUNTS)]
    made, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        intent = orders[made % ACCOUNTS]
        barred = switches.reasons(intent, 2, Switches())
        denials = limits.check_order(intent, MEMBER.id, facts, policy, recent, NOW)
        if barred or denials or denial_of(policy, MEMBER.roles, intent) is not None:
            raise ValueError(f"denied: {denials}")
        plan(intent, facts, policy, date(2026, 8, 18))
        made += 1
    return made / (time.perf_counter() - began)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "rules", help="how many orders the rules decide in a second, with large policies and busy desks"
    )
    command.add_argument("--seconds", type=float, default=3.0, help="how long each load is measured (default 3)")
    command.set_defaults(command=_measure)


def _measure(given: argparse.Namespace) -> int:
    for load, goal in zip(LOADS, GOALS, strict=True):
        print(f"{load}: {rate(load, given.seconds):,.0f} decisions a second (goal {goal:,})")
    return 0
