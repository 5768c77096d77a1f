"""The limits of what protects a position, turns it round, or takes an order's place."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.trading.orders.intents import (
    Bracket,
    Change,
    Invert,
    VerifiedReverse,
)
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.risk.limits import check_order
from bot.trading.risk.policy import DenialCode, Limit, Policy
from tests.rules.strategies import (
    ES,
    NOW,
    World,
    sent,
)
from tests.rules.wanting import BEFORE, WORKS, held, replacing, wanted


def bracket(target: str, stop: str, quantity: int = 2, position: int = 2) -> World:
    """A bracket around a position; the bid is 5800.00, the ask 5800.25."""
    side = Side.SELL if position > 0 else Side.BUY
    terms = Terms(side, quantity, OrderType.STOPMARKET, stop=Decimal(stop))
    return wanted(Bracket("Sim101", ES, terms, Decimal(target)), positions=held(position) if position else ())


BRACKETS: dict[str, tuple[World, list[DenialCode]]] = {
    "around a long one": (bracket("5810.00", "5790.00"), []),
    "around a short one": (bracket("5790.00", "5810.00", position=-2), []),
    "of a part": (bracket("5810.00", "5790.00", quantity=1), []),
    "as near as can be": (bracket("5800.25", "5799.75"), []),
    "as near as can be, short": (bracket("5800.00", "5800.50", position=-2), []),
    "larger than the position": (bracket("5810.00", "5790.00", quantity=3), [DenialCode.BAD_REQUEST]),
    "larger than a short one": (bracket("5790.00", "5810.00", quantity=3, position=-2), [DenialCode.BAD_REQUEST]),
    "nothing to protect": (bracket("5810.00", "5790.00", position=0), [DenialCode.NO_POSITION]),
    "target at the bid": (bracket("5800.00", "5790.00"), [DenialCode.BAD_PRICE]),
    "target below": (bracket("5795.00", "5790.00"), [DenialCode.BAD_PRICE]),
    "target at the ask, short": (bracket("5800.25", "5810.00", position=-2), [DenialCode.BAD_PRICE]),
    "target above, short": (bracket("5805.00", "5810.00", position=-2), [DenialCode.BAD_PRICE]),
    "stop at the bid": (bracket("5810.00", "5800.00"), [DenialCode.BAD_PRICE]),
    "stop above": (bracket("5810.00", "5805.00"), [DenialCode.BAD_PRICE]),
    "stop at the ask, short": (bracket("5790.00", "5800.25", position=-2), [DenialCode.BAD_PRICE]),
    "both the wrong way round": (bracket("5790.00", "5810.00"), [DenialCode.BAD_PRICE] * 2),
    "target off the tick": (bracket("5810.10", "5790.00"), [DenialCode.BAD_PRICE]),
    "stop off the tick": (bracket("5810.00", "5790.10"), [DenialCode.BAD_PRICE]),
    "no quote": (bracket("5810.00", "5790.00").with_facts(quote=None), [DenialCode.FACTS_MISSING]),
    "no bid": (bracket("5810.00", "5790.00").with_quote(bid=None), []),
    "no ask": (bracket("5810.00", "5790.00").with_quote(ask=None), []),
    "no bid, off the tick": (bracket("5810.10", "5790.00").with_quote(bid=None), [DenialCode.BAD_PRICE]),
    "the side that counts is there": (bracket("5800.00", "5790.00").with_quote(ask=None), [DenialCode.BAD_PRICE]),
    "the side that counts is there, short": (
        bracket("5805.00", "5810.00", position=-2).with_quote(bid=None),
        [DenialCode.BAD_PRICE],
    ),
    "a stop that an old bid would refuse": (bracket("5810.00", "5805.00").with_quote(at=NOW - timedelta(hours=1)), []),
    "a target that an old bid would refuse": (bracket("5795.00", "5790.00").with_quote(at=NOW - timedelta(hours=1)), []),
    "a bid just too old": (bracket("5795.00", "5790.00").with_quote(at=NOW - timedelta(seconds=10, microseconds=1)), []),
    "a bid just young enough": (
        bracket("5795.00", "5790.00").with_quote(at=NOW - timedelta(seconds=10)),
        [DenialCode.BAD_PRICE],
    ),
    "a bid of an unknown time": (bracket("5795.00", "5790.00").with_quote(at=None), []),
    "an old price off the tick": (
        bracket("5810.10", "5790.00").with_quote(at=NOW - timedelta(hours=1)),
        [DenialCode.BAD_PRICE],
    ),
    "no last price needed": (bracket("5810.00", "5790.00").with_quote(last=None), []),
    "an old price does": (bracket("5810.00", "5790.00").with_quote(at=NOW - timedelta(hours=1)), []),
    "positions unread": (bracket("5810.00", "5790.00").with_facts(positions=None), [DenialCode.FACTS_MISSING]),
    "real money that nobody has named": (bracket("5810.00", "5790.00").with_account(provider="Rithmic"), []),
    "account unread": (bracket("5810.00", "5790.00").with_facts(account=None), []),
}


@pytest.mark.parametrize(("world", "codes"), BRACKETS.values(), ids=list(BRACKETS))
def test_a_bracket_lies_on_both_sides_of_the_market_and_protects_no_more_than_there_is(
    world: World, codes: list[DenialCode]
) -> None:
    assert world.codes() == codes


def test_no_limit_stands_in_the_way_of_a_bracket() -> None:
    strict = Limit(("*",), ("*",), max_position=0, orders_per_minute=0, duplicate_seconds=60, price_band_ticks=0)
    world = replace(bracket("5810.00", "5790.00"), policy=Policy(grants=(), limits=(strict,)))
    assert world.with_account(realised=None, connected=False).with_recent(sent(), sent()).codes() == []


def test_a_bracket_off_the_tick_or_on_the_wrong_side_says_where_it_could_lie() -> None:
    world = bracket("5799.10", "5790.00")
    told = [d.sentence for d in check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)]
    assert told == [
        "The target 5799.10 is off the tick of 0.25: the nearest are 5799.00 and 5799.25.",
        "The target must lie above the bid of 5800.00; 5799.10 would fill at once.",
    ]
    short = bracket("5805.00", "5810.00", position=-2)
    [denial] = check_order(short.intent, short.member, short.facts, short.policy, short.recent, short.now)
    assert denial.sentence == "The target must lie below the ask of 5800.25; 5805.00 would fill at once."


@pytest.mark.parametrize(
    ("position", "side", "quantity", "codes"),
    [
        (2, Side.SELL, 2, []),
        (-3, Side.BUY, 3, []),
        (2, Side.BUY, 2, [DenialCode.BAD_REQUEST]),
        (2, Side.SELL, 1, [DenialCode.BAD_REQUEST]),
        (2, Side.SELL, 3, [DenialCode.BAD_REQUEST]),
        (-3, Side.SELL, 3, [DenialCode.BAD_REQUEST]),
        (0, Side.SELL, 2, [DenialCode.NO_POSITION]),
    ],
)
def test_who_inverts_must_mean_the_whole_position(position: int, side: Side, quantity: int, codes: list[DenialCode]) -> None:
    intent = Invert("Sim101", ES, Terms(side, quantity))
    world = wanted(intent, positions=held(position) if position else ())
    assert world.codes() == codes
    for denial in check_order(intent, world.member, world.facts, world.policy, world.recent, world.now):
        assert codes != [DenialCode.BAD_REQUEST] or f"qty:{abs(position)}" in denial.sentence


def test_a_verified_reversal_needs_a_position_as_any_reversal_does() -> None:
    intent = VerifiedReverse("Sim101", ES, Terms(Side.SELL, 3), "own")
    assert wanted(intent).codes() == []
    assert wanted(intent, positions=()).codes() == [DenialCode.NO_POSITION]


REPLACEMENTS: dict[str, tuple[World, list[DenialCode]]] = {
    "the old order is gone then": (replacing(8).with_limit(max_position=10), []),
    "and no more than that": (replacing(9).with_limit(max_position=10), [DenialCode.MAX_POSITION]),
    "another order stays": (
        replacing(8).with_limit(max_position=10).with_facts(orders=(WORKS, replace(WORKS, ids=("other",), quantity=1))),
        [DenialCode.MAX_POSITION],
    ),
    "who is over the limit may take away from it": (replacing(4).with_limit(max_position=1), []),
    "but not add to it": (replacing(6).with_limit(max_position=1), [DenialCode.MAX_POSITION]),
    "what has filled of the old one is in the position": (
        replacing(3).with_limit(max_position=1).with_facts(orders=(replace(WORKS, filled=2),)),
        [],
    ),
    "and can't be had again": (
        replacing(4).with_limit(max_position=1).with_facts(orders=(replace(WORKS, filled=2),)),
        [DenialCode.MAX_POSITION],
    ),
    "required as it is": (replacing(1, "long"), []),
    "required otherwise": (replacing(1, "flat"), [DenialCode.POSITION_NOT_AS_REQUIRED]),
    "required short": (replacing(1, "short"), [DenialCode.POSITION_NOT_AS_REQUIRED]),
    "not listed": (replacing(1).with_facts(orders=()), [DenialCode.NO_SUCH_ORDER]),
    "over": (replacing(1).with_facts(orders=(replace(WORKS, state=OrderState.FILLED),)), [DenialCode.ORDER_FINISHED]),
    "off the tick": (replacing(1, limit="5796.10"), [DenialCode.BAD_PRICE]),
    "far away": (replacing(1, limit="5700.00").with_limit(price_band_ticks=200), [DenialCode.PRICE_BAND]),
    "too much lost": (
        replacing(1).with_limit(daily_loss=Decimal(1)).with_account(realised=Decimal(-2)),
        [DenialCode.DAILY_LOSS],
    ),
    "an old price": (replacing(1).with_quote(at=None), [DenialCode.QUOTE_STALE]),
    "no such order, and a contract more than there is already": (
        replacing(1).with_limit(max_position=1).with_facts(orders=()),
        [DenialCode.NO_SUCH_ORDER, DenialCode.MAX_POSITION],
    ),
    "no such order, and too large": (
        replacing(11).with_limit(max_position=10).with_facts(orders=()),
        [DenialCode.NO_SUCH_ORDER, DenialCode.MAX_POSITION],
    ),
}


@pytest.mark.parametrize(("world", "codes"), REPLACEMENTS.values(), ids=list(REPLACEMENTS))
def test_a_replacement_is_an_entry_of_which_the_old_order_is_gone(world: World, codes: list[DenialCode]) -> None:
    assert world.codes() == codes


@pytest.mark.parametrize(("quantity", "codes"), [(4, []), (5, []), (6, [DenialCode.MAX_POSITION])])
def test_who_is_over_the_limit_may_make_an_order_smaller(quantity: int, codes: list[DenialCode]) -> None:
    intent = Change("Sim101", ES, replace(BEFORE, quantity=quantity), "old", BEFORE)
    assert wanted(intent, orders=(WORKS,)).with_limit(max_position=1).codes() == codes
