"""A permission explained: the same answer as the decision, by which grant, and what else is asked."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.trading.orders.terms import OrderType
from bot.trading.risk.explaining import explained, question
from bot.trading.risk.policy import AccountRule, Approval, Grant, Limit, PermissionQuery, Policy, may
from tests.rules.strategies import MODEST, ROLES, policies, requests

TRADES = Grant(1100, frozenset({"reverse", "close"}), ("Sim*",), ("ES",), 5)
APEX = Grant(1101, frozenset({"*"}), ("Apex-*",), ("*",), 2, frozenset({OrderType.LIMIT}))
DESK = Policy(
    (TRADES, APEX),
    limits=(Limit(("Sim*",), ("NQ",)), Limit(("*",), ("*",), max_position=3)),
    approvals=(Approval(("Sim*",), 9, 4), Approval(("Apex*",), 9, 2)),
    accounts=(AccountRule("Apex-1", live=True),),
)
TODAY = date(2026, 8, 3)


def told(roles: set[int], command: str, **parts: str) -> list[str]:
    size, kind = parts.get("qty"), parts.get("type")
    order_type = None if kind is None else OrderType(kind.upper())
    asked = question(
        command, parts.get("account"), parts.get("instrument"), None if size is None else int(size), order_type, TODAY
    )
    return list(explained(DESK, frozenset(roles), asked).words(lambda table, number: f"{table}[{number}]"))


@MODEST
@given(policy=policies, roles=st.frozensets(st.sampled_from([*ROLES, 9])), query=requests)
def test_it_says_what_is_decided(policy: Policy, roles: frozenset[int], query: PermissionQuery) -> None:
    found = explained(policy, roles, query)
    assert found.denial == may(policy, roles, query)
    assert (found.denial is None) == (found.allowing is not None)
    if found.allowing is not None:
        grant = policy.grants[found.allowing - 1]
        assert may(replace(policy, grants=(grant,)), frozenset({grant.role}), query) is None


def test_a_yes_names_its_grant_and_what_else_is_asked() -> None:
    assert told({1100}, "/reverse", account="Sim101", instrument="ES 09-26", qty="4", type="market") == [
        "Yes: /reverse 4 MARKET ES on “Sim101” is allowed by grant[1].",
        "From 4 on somebody else must approve it: approval[1].",
        "A limit holds for it, too: limit[2].",
        "Unless the account is a simulation it takes no entry, as no line [[account]] says live = true for it.",
    ]


def test_a_no_names_each_grant_and_why() -> None:
    assert told({1100, 1101}, "reverse", account="Apex-1", qty="3") == [
        "No: /reverse 3 on “Apex-1” is not allowed. Your roles allow at most 2 per order there; lower the quantity.",
        "grant[1]: Your roles don't allow /reverse on “Apex-1”; pick an account that is offered.",
        "grant[2]: Your roles allow at most 2 per order there; lower the quantity.",
    ]
    assert told({7}, "close") == [
        "No: /close is not allowed. Your roles don't allow /close; ask whoever runs the desk for a grant."
    ]


def test_a_way_out_meets_no_limit_no_approval_and_no_live_line() -> None:
    assert told({1101}, "close", account="Apex-2", instrument="ES", qty="2") == [
        "Yes: /close 2 ES on “Apex-2” is allowed by grant[2]."
    ]


def test_without_a_quantity_every_approval_there_is_named() -> None:
    assert "From 4 on somebody else must approve it: approval[1]." in told({1100}, "reverse", account="Sim101")
    assert not any("approve" in line for line in told({1100}, "reverse", account="Sim101", qty="3"))


@pytest.mark.parametrize(
    ("command", "instrument", "quantity", "said"),
    [
        ("fly", None, None, "There is no command “fly”"),
        ("reverse", None, 0, "qty must be 1 or more"),
        ("reverse", "E S", None, "That is no instrument that can be read"),
    ],
)
def test_what_can_not_be_read_is_told_with_what_to_do(
    command: str, instrument: str | None, quantity: int | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        question(command, None, instrument, quantity, None, TODAY)
