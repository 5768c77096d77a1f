"""Decisions that tests of the limits begin with: the good order at a price, and other intents over what is open."""

from dataclasses import replace
from decimal import Decimal

from bot.trading.market.facts import Position
from bot.trading.orders.intents import (
    OrderIntent,
    Replace,
)
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Policy
from tests.rules.strategies import (
    ES,
    GOOD,
    ORDER,
    World,
)


def at_limit(price: str) -> World:
    return GOOD.with_terms(type=OrderType.LIMIT, limit=Decimal(price))


def at_stop(price: str, side: Side = Side.SELL) -> World:
    return GOOD.with_terms(side=side, type=OrderType.STOPMARKET, stop=Decimal(price))


BOB = Member(8, "Bob")


def wanted(intent: OrderIntent, **facts: object) -> World:
    """A decision about another intent, with no limit but the usual age of a quote."""
    return replace(GOOD, intent=intent, policy=Policy(grants=())).with_facts(**facts)


def held(quantity: int) -> tuple[Position, ...]:
    return (Position("Sim101", ES, quantity),)


WORKS = replace(ORDER, ids=("old",), side=Side.BUY, type=OrderType.LIMIT, limit=Decimal("5795.00"), quantity=5)
BEFORE = Terms(Side.BUY, 5, OrderType.LIMIT, limit=Decimal("5795.00"))


def replacing(quantity: int, require: str = "", limit: str = "5796.00") -> World:
    """An order of 5 to buy at 5795 that is to be replaced, over a position of LONG 2."""
    terms = Terms(Side.BUY, quantity, OrderType.LIMIT, limit=Decimal(limit))
    intent = Replace("Sim101", ES, terms, "old", BEFORE, frozenset(filter(None, [require])))
    return wanted(intent, orders=(WORKS,))
