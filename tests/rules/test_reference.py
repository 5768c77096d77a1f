"""The desk's rules agree with a reference of them that was written from the docs alone, and what is taken away permits nothing.

``--rule-cases 200000`` plays the full number; the usual run has a slice of it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from bot.desk.tickets.permissions import denial_of
from bot.trading.market.facts import Account, Facts, Quote
from bot.trading.risk import halts as switches
from bot.trading.risk import limits
from bot.trading.risk.limits import OwnOrders
from bot.trading.risk.policy import Policy
from tests.rules.cases import case
from tests.rules.reference import UNSURE, WAYS_OUT, Case, approvers, verdict

Read = TypeVar("Read", Facts, Account, Quote)
BATCHES = 8
# Enough of each are among any two thousand cases, or the cases are none.
OFTEN = {
    "NO_GRANT",
    "ACCOUNT_NOT_GRANTED",
    "INSTRUMENT_NOT_GRANTED",
    "ORDER_TYPE_NOT_GRANTED",
    "QUANTITY_OVER_GRANT",
    "HALTED",
    "REDUCING",
    "OUTCOME_UNKNOWN",
    "FLATTENING",
    "CLOSING",
    "FACTS_MISSING",
    "LIVE_NOT_NAMED",
    "ACCOUNT_DISCONNECTED",
    "NO_POSITION",
    "POSITION_NOT_AS_REQUIRED",
    "BAD_REQUEST",
    "NO_SUCH_ORDER",
    "ORDER_FINISHED",
    "QUOTE_MISSING",
    "QUOTE_STALE",
    "BAD_PRICE",
    "PRICE_BAND",
    "MAX_POSITION",
    "ORDERS_PER_MINUTE",
    "DUPLICATE",
    "DAILY_LOSS",
}


def decided(one: Case) -> set[str]:
    """The codes of every reason that the desk's rules have against it, as a press asks for them."""
    position = one.facts.position(one.intent.contract)
    refused = denial_of(one.policy, one.roles, one.intent)
    found = [
        *([] if refused is None else [refused]),
        *switches.reasons(one.intent, 0 if position is None else position.quantity, one.switches),
        *limits.check_order(one.intent, one.member, one.facts, one.policy, OwnOrders(one.tickets), one.now),
    ]
    return {denial.code.value for denial in found}


@pytest.fixture
def numbers(request: pytest.FixtureRequest) -> range:
    """The cases of one batch."""
    batch, cases = request.param, request.config.getoption("--rule-cases")
    return range(batch, cases, BATCHES)


@pytest.mark.parametrize("numbers", range(BATCHES), indirect=True)
def test_the_rules_agree_with_what_the_docs_say(numbers: range) -> None:
    for number in numbers:
        one = case(number)
        told, expected = decided(one), verdict(one)
        assert bool(told) is bool(expected), (number, told, expected)
        if not (told | expected) & UNSURE:
            assert told == expected, (number, told, expected)
        is_entry = not one.intent.is_exit
        asked = one.policy.approver_roles(one.intent.account, one.intent.terms.quantity) if is_entry else frozenset()
        assert asked == approvers(one), number


def test_every_reason_is_met_and_many_orders_go() -> None:
    told = [verdict(case(number)) for number in range(2000)]
    assert set().union(*told) >= OFTEN
    assert sum(1 for each in told if not each) > 200


@pytest.mark.parametrize("numbers", range(BATCHES), indirect=True)
def test_no_fact_grant_or_role_that_is_taken_away_turns_a_no_into_a_yes(numbers: range) -> None:
    for number in numbers:
        one = case(number)
        if not decided(one):
            continue
        for what, less in without(one):
            assert decided(less), (number, what)


def without(one: Case) -> Iterator[tuple[str, Case]]:
    """The same decision with one thing less that was granted or known.

    For a way out a price, and the type of a working order, are no facts that it needs: a bid that would refuse a bracket refuses
    it no more once nobody knows it, and an order of which nobody knows that it closes keeps nobody from closing.
    """
    policy, facts = one.policy, one.facts
    for place in range(len(policy.grants)):
        yield f"grant {place}", replace(one, policy=_with_grants(policy, place))
    for role in one.roles:
        yield f"role {role}", replace(one, roles=one.roles - {role})
    for what in ("account", "positions", "orders", "quote"):
        yield what, replace(one, facts=_less(facts, what))
    if facts.account is not None:
        for what in ("provider", "connected", "realised", "unrealised"):
            yield what, replace(one, facts=replace(facts, account=_less(facts.account, what)))
    if isinstance(one.intent, WAYS_OUT):
        return
    if facts.quote is not None:
        for what in ("bid", "ask", "last", "at"):
            yield what, replace(one, facts=replace(facts, quote=_less(facts.quote, what)))
    for place, order in enumerate(facts.orders or ()):
        orders = list(facts.orders or ())
        orders[place] = replace(order, type=None)
        yield f"type of order {place}", replace(one, facts=replace(facts, orders=tuple(orders)))


def _with_grants(policy: Policy, left_out: int) -> Policy:
    return replace(policy, grants=policy.grants[:left_out] + policy.grants[left_out + 1 :])


def _less(facts: Read, what: str) -> Read:
    changes: dict[str, Any] = {what: None}
    return replace(facts, **changes)
