"""Facts: what is missing stays missing, and real money is what is not proved to be a simulation."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.trading.market.facts import Account, Facts, Position
from bot.trading.orders.outcomes import Accepted, NotSent, Outcome, Rejected, Unknown
from bot.trading.orders.terms import OrderState
from tests.rules.strategies import ACCOUNT, ES, ES_DECEMBER, FACTS, LONG_TWO, NOW, NQ, ORDER, QUOTE


@pytest.mark.parametrize(
    ("provider", "is_simulation"),
    [
        ("Simulator", True),
        ("SIMULATOR", True),
        ("Playback", True),
        ("Rithmic", False),
        ("Simulator2", False),
        ("", False),
        (None, False),
    ],
)
def test_i15_an_account_is_a_simulation_only_if_the_brokers_side_says_so(provider: str | None, is_simulation: bool) -> None:
    assert Account("Sim101", provider).is_simulation is is_simulation


@pytest.mark.parametrize(
    ("realised", "unrealised", "result"),
    [
        (Decimal(-400), Decimal("150.25"), Decimal("-249.75")),
        (Decimal(0), Decimal(0), Decimal(0)),
        (None, Decimal(5), None),
        (Decimal(5), None, None),
        (None, None, None),
    ],
)
def test_the_days_result_is_known_only_if_both_parts_are(
    realised: Decimal | None, unrealised: Decimal | None, result: Decimal | None
) -> None:
    assert replace(ACCOUNT, realised=realised, unrealised=unrealised).day_result == result


@pytest.mark.parametrize(
    ("state", "filled", "remaining"),
    [
        (OrderState.WORKING, 0, 3),
        (OrderState.PART_FILLED, 2, 1),
        (OrderState.CANCEL_PENDING, 1, 2),
        (OrderState.OTHER, 0, 3),
        (OrderState.WORKING, 3, 0),
        (OrderState.WORKING, 4, 0),
        (OrderState.FILLED, 0, 0),
        (OrderState.CANCELLED, 1, 0),
        (OrderState.REJECTED, 0, 0),
    ],
)
def test_what_may_still_fill_is_what_is_left_of_an_order_that_is_not_done(state: OrderState, filled: int, remaining: int) -> None:
    assert replace(ORDER, state=state, filled=filled).remaining == remaining


def test_an_order_of_which_nothing_is_said_has_not_filled() -> None:
    assert ORDER.filled == 0


def test_the_first_id_of_an_order_is_shown() -> None:
    assert replace(ORDER, ids=("676173541025", "cb1f")).id == "676173541025"


@pytest.mark.parametrize(("ago", "age"), [(0, 0.0), (2.5, 2.5), (-3, 0.0), (90_000, 90_000.0)])
def test_a_quotes_age_is_never_negative_and_counts_whole_days(ago: float, age: float) -> None:
    assert replace(QUOTE, at=NOW - timedelta(seconds=ago)).age(NOW) == age


def test_a_quote_without_a_time_has_no_age() -> None:
    assert replace(QUOTE, at=None).age(NOW) is None


def test_a_tick_is_worth_its_size_times_the_point() -> None:
    assert QUOTE.tick_value == Decimal("12.50")


def test_the_position_is_found_by_its_month_and_nothing_read_is_no_position() -> None:
    december = Position("Sim101", ES_DECEMBER, -1)
    facts = replace(FACTS, positions=(december, LONG_TWO))
    assert facts.position(ES) is LONG_TWO
    assert facts.position(ES_DECEMBER) is december
    assert facts.position(NQ) is None
    assert replace(FACTS, positions=(Position("Sim101", ES, 0),)).position(ES) is None
    assert replace(FACTS, positions=None).position(ES) is None
    assert Facts(None, None, None, None).missing == ()


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(Accepted("cb1f"), "cb1f"), (Rejected("no", 400), "no"), (NotSent("down"), "down"), (Unknown("408"), "408")],
)
def test_an_outcome_is_one_of_four_and_keeps_its_words(outcome: Outcome, said: str) -> None:
    assert said in repr(outcome)
    with pytest.raises(FrozenInstanceError):
        setattr(outcome, fields(outcome)[0].name, "changed")
