"""Shorthand in an intent: worked out once from the facts, kept beside the number, and never sent as anything but a number."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given

from bot.errors import PriceError, UsageError
from bot.trading.market.facts import Facts
from bot.trading.orders.intents import Bracket, Change, PlaceOrder, Reverse
from bot.trading.orders.terms import OrderType, Side, Terms, check_terms
from bot.trading.planning.pricing import base_of, check_changes, priced, with_prices
from bot.trading.risk.limits import OwnOrders, check_order
from bot.trading.risk.policy import DenialCode
from tests.rules.strategies import ES, ES_DECEMBER, FACTS, MEMBER, MODEST, NOW, POLICY, QUOTE, well_formed_terms

STOPLIMIT = Terms(Side.SELL, 1, OrderType.STOPLIMIT)
RESTING = Terms(Side.BUY, 2, OrderType.LIMIT, limit=Decimal("5790.00"))


def placed(terms: Terms) -> PlaceOrder:
    """An order that is to be placed."""
    return PlaceOrder("Sim101", ES, terms, "own1")


def changed(limit: str) -> Change:
    """A resting order with another limit."""
    return Change("Sim101", ES, with_prices(RESTING, limit, None), "o1", RESTING)


def test_shorthand_is_worked_out_and_kept_beside_the_number() -> None:
    intent = placed(with_prices(STOPLIMIT, "Bid - 2T", "5799.00"))
    assert (intent.terms.limit, intent.terms.stop, intent.terms.typed) == (None, Decimal("5799.00"), (("limit", "bid-2t"),))
    assert intent.terms.unpriced == (("limit", "bid-2t"),)
    terms = priced(intent, FACTS).terms
    assert (terms.limit, terms.stop, terms.typed) == (Decimal("5799.50"), Decimal("5799.00"), (("limit", "bid-2t"),))
    assert terms.unpriced == ()
    assert (terms.shorthand("limit"), terms.shorthand("stop")) == ("bid-2t", None)


def test_both_prices_may_be_shorthand() -> None:
    terms = priced(placed(with_prices(STOPLIMIT, "be", "last-0.1%")), FACTS).terms
    assert (terms.limit, terms.stop) == (Decimal("5790.50"), Decimal("5794.25"))


def test_once_worked_out_it_is_never_worked_out_again() -> None:
    intent = priced(placed(with_prices(STOPLIMIT, "bid", "bid-4t")), FACTS)
    elsewhere = replace(FACTS, quote=replace(QUOTE, bid=Decimal(6000), ask=Decimal(6001), last=Decimal(6000)))
    assert priced(intent, elsewhere) == intent


@MODEST
@given(terms=well_formed_terms())
def test_an_order_of_plain_numbers_stays_as_it_is(terms: Terms) -> None:
    intent = Reverse("Sim101", ES, terms)
    assert priced(intent, FACTS) == intent
    assert priced(intent, replace(FACTS, quote=None)) == intent


def test_orders_are_the_same_whatever_was_typed_for_them() -> None:
    by_hand = with_prices(RESTING, "5800.00", None)
    by_shorthand = priced(placed(with_prices(RESTING, "bid", None)), FACTS).terms
    assert by_hand == by_shorthand
    assert hash(by_hand) == hash(by_shorthand)


@pytest.mark.parametrize("missing", ["quote", "positions"])
def test_what_could_not_be_read_leaves_the_order_unpriced_and_the_limits_say_so(missing: str) -> None:
    facts: Facts = replace(FACTS, **{missing: None})  # type: ignore[arg-type]  # the table names the field
    intent = placed(with_prices(RESTING, "bid", None))
    assert base_of(facts, ES) is None
    assert priced(intent, facts).terms.unpriced
    assert DenialCode.FACTS_MISSING in [d.code for d in check_order(intent, MEMBER.id, facts, POLICY, OwnOrders(), NOW)]


def test_break_even_is_that_of_the_orders_own_month() -> None:
    december = replace(placed(with_prices(RESTING, "be", None)), contract=ES_DECEMBER)
    with pytest.raises(PriceError, match="no open position"):
        priced(december, FACTS)


@pytest.mark.parametrize(("typed", "limit"), [("+2t", "5790.50"), ("-0.1%", "5784.00"), ("last-2t", "5799.75"), ("5791", "5791")])
def test_a_modified_order_is_counted_from_the_price_that_it_has(typed: str, limit: str) -> None:
    assert priced(changed(typed), FACTS).terms.limit == Decimal(limit)


PROTECTING = Terms(Side.SELL, 2, OrderType.STOPMARKET)


def test_the_target_and_the_stop_of_a_bracket_are_worked_out() -> None:
    terms = with_prices(PROTECTING, None, "be-2t")
    bracket = Bracket("Sim101", ES, terms, None, "be+8t")
    assert priced(bracket, FACTS) == replace(bracket, terms=replace(terms, stop=Decimal("5790.00")), target=Decimal("5792.50"))
    number = replace(bracket, target=Decimal("5810.10"), target_typed="")
    assert priced(number, FACTS) == replace(number, terms=replace(terms, stop=Decimal("5790.00")))
    assert priced(replace(bracket, terms=replace(PROTECTING, stop=Decimal(5780))), FACTS).terms.stop == Decimal(5780)


def test_a_bracket_is_left_as_it_is_where_nothing_could_be_read() -> None:
    bracket = Bracket("Sim101", ES, replace(PROTECTING, stop=Decimal(5780)), None, "be+8t")
    assert priced(bracket, replace(FACTS, quote=None)) == bracket


def test_a_target_is_rounded_away_from_the_market_and_counted_from_its_own_month() -> None:
    bracket = Bracket("Sim101", ES, replace(PROTECTING, stop=Decimal(5780)), None, "last+0.1%")
    target = getattr(priced(bracket, FACTS), "target", None)
    assert target == Decimal("5806.25")
    short = replace(bracket, terms=replace(bracket.terms, side=Side.BUY), target_typed="last-0.1%")
    assert getattr(priced(short, FACTS), "target", None) == Decimal("5794.25")
    with pytest.raises(PriceError, match="no open position"):
        priced(replace(bracket, contract=ES_DECEMBER, target_typed="be+8t"), FACTS)
    with pytest.raises(PriceError, match="target"):
        priced(replace(bracket, target_typed="last-100%"), FACTS)


@pytest.mark.parametrize("typed", ["+0t", "bid-40t", "5790"])
def test_a_modification_that_comes_to_what_is_there_changes_nothing(typed: str) -> None:
    with pytest.raises(UsageError, match="changes nothing"):
        priced(changed(typed), FACTS)


def test_terms_that_differ_in_anything_are_a_change() -> None:
    check_changes(RESTING, replace(RESTING, quantity=1))
    with pytest.raises(UsageError):
        check_changes(RESTING, replace(RESTING))


def test_prices_that_were_left_out_stay_as_they_are() -> None:
    assert with_prices(RESTING, None, " ") == RESTING
    assert with_prices(RESTING, None, " ").typed == ()
    both = replace(STOPLIMIT, limit=Decimal(5800), stop=Decimal(5801))
    assert with_prices(both, None, None) == both
    for name, typed in (("limit", ("cheap", None)), ("limit", ("0", None)), ("stop", (None, "cheap")), ("stop", (None, "0"))):
        with pytest.raises(PriceError, match=f"{name} price"):
            with_prices(RESTING, *typed)


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("name", ["limit", "stop"])
def test_shorthand_counts_as_a_price_where_a_type_asks_for_one(kind: OrderType, name: str) -> None:
    """Whatever is typed for a price, a type takes its own prices and no others."""
    numbers = replace(Terms(Side.BUY, 1, kind), **{name: Decimal(5)})  # type: ignore[arg-type]  # the test names the field
    shorthand = with_prices(Terms(Side.BUY, 1, kind), *(("bid", None) if name == "limit" else (None, "bid")))
    said = []
    for terms in (numbers, shorthand):
        try:
            check_terms(terms)
            said.append("")
        except PriceError as error:
            said.append(str(error))
    assert said[0] == said[1]
