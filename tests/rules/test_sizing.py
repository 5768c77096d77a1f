"""What the quantity option offers: never more than would be let through, and costs that are true."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Facts
from bot.trading.orders.intents import Reverse
from bot.trading.orders.terms import OrderType, Side, Terms
from bot.trading.orders.tickets import TicketState
from bot.trading.planning.sizing import SizingContext, loss_left, most_allowed, sizes, sizes_at_risk, sizes_to_close
from bot.trading.planning.suggestions import SoFar, Where
from bot.trading.risk.limits import OwnOrders, check_order
from bot.trading.risk.policy import Grant, Limit, PermissionQuery, Policy
from tests.rules.strategies import ACCOUNT, ES, FACTS, LONG_TWO, MEMBER, MODEST, NOW, ORDER, QUOTE, positions, sent, sides

TRADERS = Grant(1100, frozenset({"*"}), ("*",), ("*",), 5)
POLICY = Policy(grants=(TRADERS,), limits=(Limit(("*",), ("*",), max_position=4, daily_loss=Decimal(1000)),))
STANDING = SizingContext(MEMBER, FACTS, POLICY, OwnOrders(), NOW)
HERE = Where("Sim101", ES)
PLACE = SoFar("place", "Sim101", "ES 09-26", side=Side.BUY)


def named(so_far: SoFar = PLACE, typed: str = "", where: Where = HERE, **changes: Any) -> list[str]:
    """The names of what is offered; changes are to facts, policy or what is on its way."""
    facts = {name: changes.pop(name) for name in list(changes) if hasattr(FACTS, name)}
    standing = replace(STANDING, facts=replace(FACTS, **facts), **changes)
    return [each.name for each in sizes(so_far, typed, where, standing)]


def test_what_is_open_and_half_of_it_rounded_up() -> None:
    assert [each.name for each in sizes_to_close(3, "")] == ["3 (all of LONG 3)", "2 (half of LONG 3)"]
    assert [each.name for each in sizes_to_close(-4, "")] == ["4 (all of SHORT 4)", "2 (half of SHORT 4)"]
    assert [each.name for each in sizes_to_close(1, "")] == ["1 (all of LONG 1)"]
    assert sizes_to_close(0, "") == []


def test_a_new_order_is_offered_what_limits_leave_what_is_open_and_half_of_it() -> None:
    assert named() == ["2 (most that your limits leave; all of LONG 2)", "1 (half of LONG 2)"]
    assert named(replace(PLACE, side=Side.SELL), positions=(replace(LONG_TWO, quantity=4),)) == [
        "5 (most that your limits leave)",
        "4 (all of LONG 4)",
        "2 (half of LONG 4)",
    ]


def test_a_reversal_closes_what_is_open_before_its_order_counts() -> None:
    assert named(replace(PLACE, command="reverse", side=Side.SELL))[0] == "4 (most that your limits leave)"
    assert named(replace(PLACE, command="flatplace"))[0] == "4 (most that your limits leave)"


def test_while_no_side_is_chosen_the_most_is_what_fits_either_way() -> None:
    assert named(replace(PLACE, side=None))[0].startswith("2 (most that your limits leave")


def test_a_grant_may_leave_less_than_the_limits() -> None:
    small = replace(TRADERS, max_quantity=1)
    assert named(policy=replace(POLICY, grants=(small,))) == ["1 (most that your limits leave; half of LONG 2)"]
    other = replace(TRADERS, commands=frozenset({"close"}), max_quantity=50)
    assert named(policy=replace(POLICY, grants=(small, other)))[0].startswith("1 (most")
    markets = replace(TRADERS, order_types=frozenset({OrderType.MARKET}))
    assert named(replace(PLACE, type=OrderType.LIMIT), policy=replace(POLICY, grants=(markets, small)))[0].startswith("1 (most")


@pytest.mark.parametrize(
    "elsewhere", [{"commands": frozenset({"close"})}, {"accounts": ("Sim102",)}, {"instruments": ("NQ",)}], ids=str
)
def test_a_grant_for_something_else_leaves_no_more(elsewhere: dict[str, Any]) -> None:
    here = replace(TRADERS, commands=frozenset({"place"}), accounts=("Sim101",), instruments=("ES",), max_quantity=1)
    other = replace(here, **elsewhere, max_quantity=2)
    assert named(policy=replace(POLICY, grants=(here, other)))[0].startswith("1 (most")


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": Policy(grants=())},
        {"policy": Policy(grants=(replace(TRADERS, max_quantity=None),))},
        {"account": replace(ACCOUNT, realised=Decimal(-2000))},
        {"account": replace(ACCOUNT, connected=False)},
        {"recent": OwnOrders((sent(TicketState.UNKNOWN),))},
        {"recent": OwnOrders((sent(),)), "policy": Policy((TRADERS,), limits=(Limit(("*",), ("*",), orders_per_minute=1),))},
        {"positions": (replace(LONG_TWO, quantity=4),)},
    ],
)
def test_where_no_order_would_be_let_through_no_size_is_offered(changes: dict[str, Any]) -> None:
    assert named(**changes) == []


def test_a_moment_that_is_bad_for_any_size_hides_none() -> None:
    """A stale price or the same order just sent are told when the order is asked for; they may be gone by then."""
    assert named(quote=replace(QUOTE, at=None))[0].startswith("2 (most that your limits leave")


@pytest.mark.parametrize("unknown", [{"account": None}, {"orders": None}, {"quote": None}, {"recent": None}])
def test_what_could_not_be_read_leaves_out_what_depends_on_it(unknown: dict[str, Any]) -> None:
    assert named(**unknown) == ["2 (all of LONG 2)", "1 (half of LONG 2)"]


def test_nothing_is_offered_while_the_position_is_not_known() -> None:
    assert named(positions=None) == []


def test_a_command_without_a_rule_of_its_own_is_offered_what_is_open() -> None:
    assert named(replace(PLACE, command="bracket")) == ["2 (all of LONG 2)", "1 (half of LONG 2)"]


def test_an_order_that_is_modified_is_offered_its_own_size_and_the_most() -> None:
    resting = replace(ORDER, side=Side.BUY, quantity=1, type=OrderType.LIMIT, limit=Decimal(5790))
    so_far = SoFar("modify", "Sim101", order="o1", stop="5700")
    where = Where("Sim101", ES, resting)
    assert named(so_far, where=where, orders=(resting,)) == ["2 (most that your limits leave)", "1 (as it is)"]
    # Its type is that of the order, whatever is chosen beside it.
    limits = Policy(grants=(replace(TRADERS, order_types=frozenset({OrderType.LIMIT})),), limits=POLICY.limits)
    assert named(so_far, where=where, orders=(resting,), policy=limits)[0].startswith("2 (most")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # Bought at the ask of 5800.25: 5.25 points of $50 each a contract.
        ({"stop": "5795.00"}, ["1 (a stop at 5795.00 costs $262.50)", "3 (a stop at 5795.00 costs $787.50)"]),
        ({"stop": "ask-21t"}, ["1 (a stop at 5795.00 costs $262.50)", "3 (a stop at 5795.00 costs $787.50)"]),
        (
            {"stop": "5795.00", "limit": "5797.00"},
            ["5 (most that your limits leave; a stop at 5795.00 costs $500.00)", "2 (a stop at 5795.00 costs $200.00)"],
        ),
        ({"stop": "5788.25"}, ["1 (a stop at 5788.25 costs $600.00)"]),
        # Each price is rounded as its own kind and side ask for: the stop that buys up, the limit that buys down.
        ({"stop": "last-0.2%"}, ["1 (a stop at 5788.75 costs $575.00)"]),
        (
            {"stop": "5790.00", "limit": "last-0.05%"},
            ["1 (a stop at 5790.00 costs $362.50)", "2 (a stop at 5790.00 costs $725.00)"],
        ),
        ({"stop": "last+0.2%", "side": Side.SELL}, ["1 (a stop at 5811.75 costs $587.50)"]),
        # Sold at the bid of 5800.00.
        ({"stop": "5806.00", "side": Side.SELL}, ["1 (a stop at 5806.00 costs $300.00)", "3 (a stop at 5806.00 costs $900.00)"]),
        # Beyond every amount, on the side that doesn't lose, where the position begins, or not to be read.
        ({"stop": "5700.00"}, []),
        ({"stop": "5805.00"}, []),
        ({"stop": "5800.25"}, []),
        ({"stop": "5795.00", "type": OrderType.STOPMARKET}, []),
        ({"stop": "5795.00", "side": None}, []),
        ({"stop": "cheap"}, []),
        ({"stop": ""}, []),
    ],
)
def test_a_stop_tells_which_sizes_cost_what(changes: dict[str, Any], said: list[str]) -> None:
    wide = Policy(grants=(TRADERS,))
    found = named(replace(PLACE, **changes), policy=wide, positions=())
    assert [name for name in found if "costs" in name] == said


@pytest.mark.parametrize(("command", "most"), [("modify", 4), ("replace", 2)])
def test_what_has_filled_of_an_order_is_in_its_new_size_and_not_in_that_of_another(command: str, most: int) -> None:
    resting = replace(ORDER, side=Side.BUY, quantity=3, filled=2, type=OrderType.LIMIT, limit=Decimal(5790))
    found = named(SoFar(command, "Sim101", order="o1"), where=Where("Sim101", ES, resting), orders=(resting,))
    assert found == [f"{most} (most that your limits leave)", *(["3 (as it is)"] if most > 3 else [])]


def test_a_contract_that_risks_less_than_a_dollar_is_counted_too() -> None:
    found = sizes_at_risk(Decimal("100.25"), Decimal("100.00"), Side.BUY, Decimal(2), [(Decimal(5), "")])
    assert found == [(10, "a stop at 100.00 costs $5.00")]


def test_a_stop_that_protects_is_measured_from_what_was_paid_and_by_what_is_open() -> None:
    protects = replace(PLACE, side=Side.SELL, type=OrderType.STOPMARKET, stop="5788.00")
    held = (replace(LONG_TWO, quantity=3),)
    # Two and a half points below 5790.50; for $500 it would be four, and three are open.
    assert [name for name in named(protects, positions=held) if "costs" in name] == [
        "2 (half of LONG 3; a stop at 5788.00 costs $250.00)"
    ]
    assert named(protects, "250", positions=held) == ["2 (a stop at 5788.00 costs $250.00)"]
    assert named(protects, "9999", positions=held) == []
    assert named(replace(protects, stop="5795.00"), "500", positions=held) == []
    unpaid = (replace(LONG_TWO, average_price=None),)
    assert named(protects, "500", positions=unpaid) == []


@pytest.mark.parametrize(
    ("quantity", "stop", "said"),
    [
        (
            -2,
            "5795.00",
            ["1 (half of SHORT 2; a stop at 5795.00 costs $225.00)", "2 (all of SHORT 2; a stop at 5795.00 costs $450.00)"],
        ),
        (-1, "5795.00", ["1 (all of SHORT 1; a stop at 5795.00 costs $225.00)"]),
        (1, "5786.00", ["1 (all of LONG 1; a stop at 5786.00 costs $225.00)"]),
    ],
)
def test_a_stop_may_cover_all_that_is_open_on_either_side(quantity: int, stop: str, said: list[str]) -> None:
    side = Side.BUY if quantity < 0 else Side.SELL
    protects = replace(PLACE, side=side, type=OrderType.STOPMARKET, stop=stop)
    found = named(protects, positions=(replace(LONG_TWO, quantity=quantity),))
    assert sorted(name for name in found if "costs" in name) == said


def test_no_risk_is_told_of_an_order_that_is_modified_nor_where_the_position_is_not_known() -> None:
    stopped = replace(PLACE, stop="5795.00")
    assert named(stopped, positions=None) == []
    resting = replace(ORDER, side=Side.BUY, quantity=1, type=OrderType.LIMIT, limit=Decimal(5790))
    found = named(replace(stopped, command="modify"), where=Where("Sim101", ES, resting), orders=(resting,), positions=())
    assert [name for name in found if "costs" in name] == []


def test_an_amount_of_seven_digits_is_one_and_longer_ones_are_slips() -> None:
    far = replace(PLACE, stop="1000.00")
    assert named(far, "1000000", positions=()) == ["4 (a stop at 1000.00 costs $960,050.00)"]
    assert named(far, "01000000", positions=()) == []


def test_an_amount_of_money_may_be_typed() -> None:
    stopped = replace(PLACE, stop="5798.25")
    assert named(stopped, "100", positions=()) == ["1 (a stop at 5798.25 costs $100.00)"]
    assert named(stopped, "390", positions=()) == ["3 (a stop at 5798.25 costs $300.00)"]
    assert named(stopped, "2", positions=()) == ["2 (a stop at 5798.25 costs $200.00)"]
    for typed in ("99", "9999999", "10000000", "-5", "half", "٣"):
        assert named(stopped, typed, positions=()) == []


def test_what_the_day_leaves_is_an_amount_too() -> None:
    stopped = replace(PLACE, stop="5798.25")
    tired = replace(ACCOUNT, realised=Decimal(-850))
    assert named(stopped, account=tired, positions=()) == [
        "4 (most that your limits leave)",
        "2 (a stop at 5798.25 costs $200.00)",
        "1 (a stop at 5798.25 costs $100.00 of $150.00 left today)",
    ]


def test_what_is_left_of_the_day_is_that_of_the_strictest_limit() -> None:
    lossy = [
        Limit(("*",), ("*",), daily_loss=Decimal(1000)),
        Limit(("*",), ("*",), daily_loss=Decimal(600)),
        Limit(("*",), ("*",)),
    ]
    assert loss_left(lossy, replace(ACCOUNT, realised=Decimal(-100))) == Decimal(500)
    assert loss_left(lossy, replace(ACCOUNT, realised=Decimal(-900))) == 0
    assert loss_left(lossy, None) is None
    assert loss_left(lossy, replace(ACCOUNT, realised=None)) is None
    assert loss_left([Limit(("*",), ("*",))], ACCOUNT) is None


def test_sizes_are_found_by_their_first_digits() -> None:
    assert [each.value for each in sizes_to_close(25, "2")] == [25]
    assert [each.value for each in sizes_to_close(25, "13")] == [13]
    assert sizes_to_close(25, "7") == []


@MODEST
@given(
    side=sides,
    held=positions,
    working=st.lists(st.tuples(sides, st.integers(1, 4)), max_size=3),
    granted=st.integers(0, 30),
    cap=st.integers(0, 20),
    command=st.sampled_from(["reverse", "place", "flatplace"]),
)
def test_the_most_is_let_through_and_one_more_is_not(
    side: Side, held: int, working: list[tuple[Side, int]], granted: int, cap: int, command: str
) -> None:
    policy = Policy((replace(TRADERS, max_quantity=granted),), (Limit(("*",), ("*",), max_position=cap),))
    orders = tuple(replace(ORDER, ids=(f"w{i}",), side=s, quantity=q) for i, (s, q) in enumerate(working))
    facts: Facts = replace(FACTS, positions=(replace(LONG_TWO, quantity=held),), orders=orders)
    standing = replace(STANDING, facts=facts, policy=policy)

    def make(quantity: int) -> Reverse:
        return Reverse("Sim101", ES, Terms(side, quantity))

    most = most_allowed(make, PermissionQuery("reverse", "Sim101", "ES"), standing)
    assert most is not None
    assert 0 <= most <= granted
    for quantity, passes in ((most, True), (most + 1, most + 1 > granted)):
        if quantity:
            found = check_order(make(quantity), MEMBER.id, facts, policy, OwnOrders(), NOW)
            assert (not found) is passes or quantity > granted


@MODEST
@given(
    entry=st.integers(1000, 9000),
    stop=st.integers(1000, 9000),
    side=sides,
    point_value=st.sampled_from([Decimal(2), Decimal(50), Decimal("12.5")]),
    amount=st.integers(1, 100_000),
)
def test_a_stop_never_costs_more_than_the_amount_and_one_more_would(
    entry: int, stop: int, side: Side, point_value: Decimal, amount: int
) -> None:
    found = sizes_at_risk(Decimal(entry), Decimal(stop), side, point_value, [(Decimal(amount), "")])
    each = (entry - stop) * side.sign * point_value
    for size, words in found:
        assert size * each <= amount < (size + 1) * each
        assert f"costs ${size * each:,.2f}" in words
    assert bool(found) is (0 < each <= amount)
