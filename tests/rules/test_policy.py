"""The policy: nobody has anything without a grant, grants add up without mixing, and names match as they are written."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.trading.market.facts import Account
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import OrderType
from bot.trading.risk.policy import (
    COMMANDS,
    EVERYTHING,
    READING_COMMANDS,
    RUNNING_COMMANDS,
    AccountRule,
    Approval,
    Denial,
    DenialCode,
    Grant,
    Limit,
    PermissionQuery,
    Policy,
    Route,
    matches,
    may,
)
from bot.trading.words import ascii_lower
from tests.rules.strategies import MODEST, ROLES, account_names, limits, policies, requests

TRADER, VIEWER, BOSS = 1100, 1101, 1102
GRANT = Grant(TRADER, frozenset({"reverse"}), ("Sim*",), ("ES", "MES"), 5, frozenset({OrderType.MARKET, OrderType.LIMIT}))
DESK = Policy(grants=(GRANT, Grant(VIEWER, frozenset({"help"}))))
ASKED = PermissionQuery("reverse", "Sim101", "ES", 5, OrderType.MARKET)


def code_of(denial: Denial | None) -> DenialCode | None:
    return None if denial is None else denial.code


def fits(name: str, pattern: str) -> bool:
    """The meaning of a pattern, written out once more: ``*`` any run, ``?`` one character but that, A-Z is a-z."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(fits(name[start:], pattern[1:]) for start in range(len(name) + 1))
    same = name[:1] == pattern[0] or (name.isascii() and pattern.isascii() and name[:1].lower() == pattern[0].lower())
    return bool(name) and ((pattern[0] == "?" and name[0] != "*") or same) and fits(name[1:], pattern[1:])


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("Sim101", "Sim101", True),
        ("SIM101", "sim101", True),
        ("Sim101", "*", True),
        ("", "*", True),
        ("Sim101", "Sim*", True),
        ("Sim101", "*101", True),
        ("Sim101", "Sim?01", True),
        ("Sim1", "Sim??", False),
        # The name that means all, and patterns in place of names: only what fits all of them does.
        ("*", "*", True),
        ("*", "**", True),
        ("*", "?", False),
        ("*", "?*", False),
        ("*", "*?", False),
        ("ES*", "ES?", False),
        ("ES*", "ES**", True),
        ("Sim101", "Sim", False),
        ("MySim101", "Sim*", False),
        ("Sim101\n", "Sim101", False),
        ("Sim[1]", "Sim[1]", True),
        ("Sim1", "Sim[1]", False),
        ("Sim[2]", "Sim[*]", True),
        ("Sim2", "Sim[!1]", False),
        ("a]b", "a]b", True),
        ("[", "[", True),
        ("Sim.01", "Sim.01", True),
        ("SimX01", "Sim.01", False),
        ("Sim\\d", "Sim\\d", True),
        ("(a+)+", "(a+)+", True),
        # Kelvin sign, long s and the i of Turkish: other scripts never fold into an account's ASCII name.
        ("\u212a1", "k1", False),
        ("k1", "\u212a1", False),
        ("\u017fim", "sim", False),
        ("S\u0131m", "sim", False),
        ("S\u0130m", "sim", False),
        ("É", "é", False),
        ("É", "É", True),
    ],
)
def test_a_pattern_means_what_it_says(name: str, pattern: str, expected: bool) -> None:
    assert matches(name, (pattern,)) is expected


names = st.text(st.sampled_from("aAbK1[]!-*?.^\u212a"), max_size=6)


@MODEST
@given(name=names, patterns=st.lists(names, max_size=3))
def test_any_one_pattern_is_enough_and_each_is_read_to_the_letter(name: str, patterns: list[str]) -> None:
    folded = [(name.translate(FOLD), pattern.translate(FOLD)) for pattern in patterns]
    assert matches(name, patterns) == any(fits(one, pattern) for one, pattern in folded)


FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@MODEST
@given(text=st.text())
@example(text="@AZ[`az{")
def test_folding_touches_nothing_but_a_to_z(text: str) -> None:
    assert ascii_lower(text) == "".join(char.lower() if "A" <= char <= "Z" else char for char in text)


def test_no_pattern_matches_nothing() -> None:
    assert not matches("Sim101", ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"command": "help"}, DenialCode.NO_GRANT),
        ({"command": "flatten"}, DenialCode.NO_GRANT),
        ({"account": "sIM999"}, None),
        ({"account": "Apex-1"}, DenialCode.ACCOUNT_NOT_GRANTED),
        ({"account": ""}, DenialCode.ACCOUNT_NOT_GRANTED),
        ({"root": "MES"}, None),
        ({"root": "NQ"}, DenialCode.INSTRUMENT_NOT_GRANTED),
        ({"order_type": OrderType.LIMIT}, None),
        ({"order_type": OrderType.STOPMARKET}, DenialCode.ORDER_TYPE_NOT_GRANTED),
        ({"quantity": 1}, None),
        ({"quantity": 6}, DenialCode.QUANTITY_OVER_GRANT),
        ({"quantity": 10**9}, DenialCode.QUANTITY_OVER_GRANT),
        ({"account": None, "root": None, "quantity": None, "order_type": None}, None),
        ({"account": "Apex-1", "root": "NQ", "quantity": 9}, DenialCode.ACCOUNT_NOT_GRANTED),
    ],
)
def test_a_grant_allows_what_it_names_and_nothing_beside(changes: dict[str, object], code: DenialCode | None) -> None:
    denial = may(DESK, frozenset({TRADER}), replace(ASKED, **changes))  # type: ignore[arg-type]  # a table of parts
    assert code_of(denial) == code


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        (
            {"command": "flatten"},
            "NO_GRANT: command=flatten",
            "Your roles don't allow /flatten; ask whoever runs the desk for a grant.",
        ),
        (
            {"account": "Apex-1"},
            "ACCOUNT_NOT_GRANTED: account=Apex-1",
            "Your roles don't allow /reverse on “Apex-1”; pick an account that is offered.",
        ),
        (
            {"root": "NQ"},
            "INSTRUMENT_NOT_GRANTED: instrument=NQ",
            "Your roles don't allow NQ there; pick an instrument that is offered.",
        ),
        (
            {"root": EVERYTHING},
            "INSTRUMENT_NOT_GRANTED: instrument=*",
            "Your roles don't allow every instrument there; name one, with scope:instrument.",
        ),
        (
            {"order_type": OrderType.STOPMARKET},
            "ORDER_TYPE_NOT_GRANTED: order_type=STOPMARKET",
            "Your roles don't allow stopmarket orders there; pick another type.",
        ),
        (
            {"quantity": 6},
            "QUANTITY_OVER_GRANT: quantity=6 max_quantity=5",
            "Your roles allow at most 5 per order there; lower the quantity.",
        ),
    ],
)
def test_what_no_grant_allows_is_told_to_the_letter(changes: dict[str, object], code: str, sentence: str) -> None:
    denial = may(DESK, frozenset({TRADER}), replace(ASKED, **changes))  # type: ignore[arg-type]  # a table of parts
    assert denial is not None
    assert (str(denial), denial.sentence) == (code, sentence)


def test_a_long_account_name_is_cut() -> None:
    denial = may(DESK, frozenset({TRADER}), replace(ASKED, account="x" * 100))
    assert denial is not None
    assert f"“{'x' * 59}…”" in denial.sentence


@pytest.mark.parametrize("roles", [frozenset(), frozenset({VIEWER}), frozenset({BOSS}), frozenset({0, -1, 1})])
def test_who_has_no_grant_for_a_command_has_nothing(roles: frozenset[int]) -> None:
    for command in TRADING_COMMANDS:
        assert code_of(may(DESK, roles, PermissionQuery(command))) is DenialCode.NO_GRANT, command
        assert code_of(may(Policy(grants=()), frozenset({TRADER}), PermissionQuery(command))) is DenialCode.NO_GRANT, command


def test_a_grant_of_everything_has_every_command_but_no_quantity_that_it_doesnt_name() -> None:
    everything = Policy(grants=(Grant(BOSS, frozenset({EVERYTHING}), ("*",), ("*",)),))
    held = frozenset({BOSS})
    assert [may(everything, held, PermissionQuery(command, "Any", "ES")) for command in sorted(COMMANDS)] == [None] * len(
        COMMANDS
    )
    for quantity in (1, 5):
        assert code_of(may(everything, held, replace(ASKED, quantity=quantity))) is DenialCode.QUANTITY_OVER_GRANT


def test_a_command_trades_reads_or_runs_the_desk_and_never_two_of_these() -> None:
    kinds = (TRADING_COMMANDS, READING_COMMANDS, RUNNING_COMMANDS)
    assert frozenset().union(*kinds) == COMMANDS
    assert len(COMMANDS) == sum(map(len, kinds))
    assert EVERYTHING not in COMMANDS


def test_grants_of_two_roles_add_up_but_their_parts_dont_mix() -> None:
    desk = Policy(
        grants=(
            Grant(TRADER, frozenset({"reverse"}), ("Sim*",), ("ES",), 10),
            Grant(BOSS, frozenset({"reverse"}), ("Apex*",), ("ES", "NQ"), 1, frozenset({OrderType.LIMIT})),
        )
    )
    both = frozenset({TRADER, BOSS})
    assert may(desk, both, PermissionQuery("reverse", "Sim101", "ES", 10, OrderType.MARKET)) is None
    assert may(desk, both, PermissionQuery("reverse", "Apex-1", "NQ", 1, OrderType.LIMIT)) is None
    assert (
        code_of(may(desk, both, PermissionQuery("reverse", "Apex-1", "ES", 10, OrderType.LIMIT)))
        is DenialCode.QUANTITY_OVER_GRANT
    )
    assert (
        code_of(may(desk, both, PermissionQuery("reverse", "Sim101", "NQ", 1, OrderType.LIMIT)))
        is DenialCode.INSTRUMENT_NOT_GRANTED
    )
    assert (
        code_of(may(desk, both, PermissionQuery("reverse", "Apex-1", "NQ", 1, OrderType.MARKET)))
        is DenialCode.ORDER_TYPE_NOT_GRANTED
    )


def allows(grant: Grant, request: PermissionQuery) -> bool:
    """The whole of a request by one grant, written out once more; who may trade there may halt it, too."""
    may_halt = request.command == "halt" and bool(grant.commands & TRADING_COMMANDS)
    return (
        (request.command in grant.commands or "*" in grant.commands or may_halt)
        and (request.account is None or any(fits(request.account, pattern) for pattern in grant.accounts))
        and (request.root is None or any(fits(request.root, pattern) for pattern in grant.instruments))
        and (request.order_type is None or request.order_type in grant.order_types)
        and (request.quantity is None or (grant.max_quantity is not None and request.quantity <= grant.max_quantity))
    )


held_roles = st.frozensets(st.sampled_from([*ROLES, 9]))


@MODEST
@given(policy=policies, roles=held_roles, request=requests)
@example(policy=Policy(grants=(Grant(1, frozenset({"bracket"})),)), roles=frozenset({1}), request=PermissionQuery("halt"))
def test_a_request_is_allowed_if_and_only_if_one_single_grant_allows_the_whole(
    policy: Policy, roles: frozenset[int], request: PermissionQuery
) -> None:
    expected = any(grant.role in roles and allows(grant, request) for grant in policy.grants)
    assert (may(policy, roles, request) is None) is expected


@MODEST
@given(policy=policies, roles=held_roles, more=held_roles, request=requests)
def test_another_role_never_takes_away(
    policy: Policy, roles: frozenset[int], more: frozenset[int], request: PermissionQuery
) -> None:
    if may(policy, roles, request) is None:
        assert may(policy, roles | more, request) is None


@MODEST
@given(policy=policies, roles=held_roles, request=requests)
def test_what_is_allowed_whole_is_allowed_in_every_part(policy: Policy, roles: frozenset[int], request: PermissionQuery) -> None:
    if may(policy, roles, request) is None:
        for part in ("account", "root", "quantity", "order_type"):
            assert may(policy, roles, replace(request, **{part: None})) is None  # type: ignore[arg-type]  # a part by its name


@pytest.mark.parametrize("account", ["@everyone", "<@1>", "**bold**", "“code”", "x" * 4000, "a\nb"])
def test_a_denial_quotes_a_foreign_account_name_in_one_quote(account: str) -> None:
    denial = may(DESK, frozenset({TRADER}), replace(ASKED, account=account))
    assert denial is not None
    assert (denial.sentence.count("“"), denial.sentence.count("”")) == (1, 1)
    assert len(denial.sentence) < 200
    assert "\n" not in denial.sentence


def test_a_denial_reads_as_its_code_and_the_facts_behind_it() -> None:
    assert str(Denial(DenialCode.NO_GRANT, "Ask.", "command=reverse")) == "NO_GRANT: command=reverse"
    assert str(Denial(DenialCode.NO_POSITION, "None.")) == "NO_POSITION"


def test_a_quantity_over_the_grant_is_told_with_what_would_be_allowed() -> None:
    denial = may(DESK, frozenset({TRADER}), replace(ASKED, quantity=6))
    assert denial is not None
    assert "at most 5" in denial.sentence
    assert denial.details == "quantity=6 max_quantity=5"


APPROVALS = Policy(
    grants=(),
    approvals=(Approval(("Apex*",), BOSS, 3), Approval(("Apex-9",), VIEWER), Approval(("Sim[1]",), TRADER, 1)),
)


@pytest.mark.parametrize(
    ("account", "quantity", "roles"),
    [
        ("Apex-1", 2, set()),
        ("Apex-1", 3, {BOSS}),
        ("apex-1", 4, {BOSS}),
        ("Apex-9", 1, {VIEWER}),
        ("Apex-9", 3, {BOSS, VIEWER}),
        ("Sim[1]", 1, {TRADER}),
        ("Sim1", 100, set()),
        ("Sim101", 100, set()),
    ],
)
def test_the_two_person_rule_asks_for_every_role_that_matches_from_its_quantity_on(
    account: str, quantity: int, roles: set[int]
) -> None:
    assert APPROVALS.approver_roles(account, quantity) == roles


@MODEST
@given(policy=policies, account=account_names, quantity=st.integers(1, 6), more=st.integers(0, 6))
def test_a_larger_order_never_needs_fewer_approvals(policy: Policy, account: str, quantity: int, more: int) -> None:
    assert policy.approver_roles(account, quantity) <= policy.approver_roles(account, quantity + more)


@pytest.mark.parametrize(
    ("account", "named"),
    [("Apex-1", True), ("APEX-1", True), ("Apex", False), ("Live[1]", True), ("Live1", False), ("Demo-1", False)],
)
def test_an_account_is_live_only_where_a_line_names_it(account: str, named: bool) -> None:
    rules = (AccountRule("Apex-*", live=True), AccountRule("Live[1]", live=True), AccountRule("Demo-*", live=False))
    assert Policy(grants=(), accounts=rules).names_live(account) is named
    assert not Policy(grants=()).names_live(account)


@pytest.mark.parametrize(
    "rules",
    [
        (("*", True), ("Apex-1", False)),
        (("Apex-1", False), ("*", True)),
        (("Apex-*", True), ("apex-?", False)),
        (("Apex-1", True), ("Apex-1", False)),
        (("Apex-1", True), ("*", False)),
        (("Apex-?", True), ("*-1", False)),
    ],
)
def test_a_line_that_takes_it_back_counts_in_whichever_order_and_however_narrow(rules: tuple[tuple[str, bool], ...]) -> None:
    policy = Policy(grants=(), accounts=tuple(AccountRule(name, live=live) for name, live in rules))
    assert not policy.names_live("Apex-1")
    without = replace(policy, accounts=tuple(rule for rule in policy.accounts if rule.live))
    assert without.names_live("Apex-1")


@pytest.mark.parametrize(
    ("account", "live"),
    [(Account("Apex-1", "Simulator"), True), (Account("Sim1", "Simulator"), False), (Account("Sim1"), True), (None, True)],
)
def test_live_is_said_of_real_money_of_what_may_be_and_of_what_is_named_so(account: Account | None, live: bool) -> None:
    policy = Policy(grants=(), accounts=(AccountRule("Apex-*", live=True),))
    assert policy.is_live("Sim1" if account is None else account.name, account) is live


SIM_ES = Limit(("Sim*",), ("ES",), max_position=5, stale_seconds=4)
ALL = Limit(("*",), ("*",), daily_loss=Decimal(100), stale_seconds=30)


@pytest.mark.parametrize(
    ("account", "root", "found", "stale_seconds"),
    [
        ("Sim101", "ES", (SIM_ES, ALL), 4),
        ("sim101", "es", (SIM_ES, ALL), 4),
        ("Sim101", "MES", (ALL,), 10),
        ("Apex-1", "ES", (ALL,), 10),
    ],
)
def test_all_limits_that_match_an_order_hold_and_the_strictest_age_of_a_quote_counts(
    account: str, root: str, found: tuple[Limit, ...], stale_seconds: int
) -> None:
    policy = Policy(grants=(), limits=(SIM_ES, ALL))
    assert policy.limits_for(account, root) == found
    assert policy.stale_seconds(account, root) == stale_seconds


def test_what_the_file_leaves_out_is_as_the_contract_says() -> None:
    bare = Policy(grants=())
    assert (bare.confirm_seconds, bare.ticket_visibility, bare.price_tolerance_ticks) == (30, "channel", 20)
    assert (bare.fresh, bare.guard) == (timedelta(seconds=1.5), True)
    none = Limit(("*",), ("*",))
    assert none == Limit(("*",), ("*",), None, None, None, None, None, stale_seconds=10)
    assert Grant(TRADER, frozenset()).order_types == frozenset(OrderType)


def test_without_a_limit_a_quote_may_be_ten_seconds_old() -> None:
    assert Policy(grants=()).stale_seconds("Sim101", "ES") == 10
    assert Policy(grants=(), limits=(SIM_ES,)).stale_seconds("Apex-1", "ES") == 10


@MODEST
@given(one=limits, other=limits, account=account_names)
def test_another_limit_never_makes_a_quote_last_longer(one: Limit, other: Limit, account: str) -> None:
    none, alone, both = (Policy(grants=(), limits=each) for each in ((), (one,), (one, other)))
    ages = [policy.stale_seconds(account, "ES") for policy in (both, alone, none)]
    assert ages == sorted(ages)


@pytest.mark.parametrize(
    ("events", "accounts", "event", "account", "carried"),
    [
        ({"*"}, ("*",), "filled", "Sim101", True),
        ({"filled"}, ("*",), "filled", "Sim101", True),
        ({"filled"}, ("*",), "accepted", "Sim101", False),
        ({"filled"}, ("Apex*",), "filled", "Sim101", False),
        ({"*"}, ("sim*",), "filled", "Sim101", True),
        (set(), ("*",), "filled", "Sim101", False),
        ({"*"}, (), "filled", "Sim101", False),
    ],
)
def test_a_route_carries_the_events_and_accounts_that_it_names(
    events: set[str],
    accounts: tuple[str, ...],
    event: str,
    account: str,
    carried: bool,
) -> None:
    assert Route(2001, frozenset(events), accounts).carries(event, account) is carried


@pytest.mark.parametrize(("silent", "is_silent"), [({"accepted"}, True), ({"*"}, True), ({"filled"}, False), (set(), False)])
def test_an_event_is_silent_where_the_route_says_so(silent: set[str], is_silent: bool) -> None:
    assert Route(2001, frozenset({"*"}), silent=frozenset(silent)).is_silent("accepted") is is_silent
