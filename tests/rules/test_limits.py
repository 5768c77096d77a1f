"""The limits: every reason alone, everything that is missing is one, and the edges lie where the policy file says."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.trading.market.facts import Position
from bot.trading.orders.intents import (
    Cancel,
    Close,
    PlaceOrder,
)
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import SENT, TicketState
from bot.trading.risk.limits import check_order
from bot.trading.risk.policy import AccountRule, DenialCode, Limit, Policy
from tests.rules.strategies import (
    ES,
    ES_DECEMBER,
    GOOD,
    INTENT,
    NOW,
    NQ,
    ORDER,
    QUOTE,
    World,
    sent,
)
from tests.rules.wanting import BOB, at_limit, at_stop


def test_nothing_speaks_against_a_good_order() -> None:
    assert GOOD.codes() == []


ALONE: dict[str, tuple[World, DenialCode]] = {
    "account unread": (GOOD.with_facts(account=None), DenialCode.FACTS_MISSING),
    "positions unread": (GOOD.with_facts(positions=None), DenialCode.FACTS_MISSING),
    "orders unread": (GOOD.with_facts(orders=None), DenialCode.FACTS_MISSING),
    "quote unread": (GOOD.with_facts(quote=None), DenialCode.FACTS_MISSING),
    "not a simulation": (GOOD.with_account(provider="Rithmic"), DenialCode.LIVE_NOT_NAMED),
    "provider unknown": (GOOD.with_account(provider=None), DenialCode.LIVE_NOT_NAMED),
    "disconnected": (GOOD.with_account(connected=False), DenialCode.ACCOUNT_DISCONNECTED),
    "connection untold": (GOOD.with_account(connected=None), DenialCode.ACCOUNT_DISCONNECTED),
    "flat": (GOOD.with_facts(positions=()), DenialCode.NO_POSITION),
    "position of nothing": (GOOD.with_facts(positions=(Position("Sim101", ES, 0),)), DenialCode.NO_POSITION),
    "position in another root": (GOOD.with_facts(positions=(Position("Sim101", NQ, 1),)), DenialCode.NO_POSITION),
    "position in another month": (GOOD.with_facts(positions=(Position("Sim101", ES_DECEMBER, 1),)), DenialCode.NO_POSITION),
    "no bid": (GOOD.with_quote(bid=None), DenialCode.QUOTE_MISSING),
    "no ask": (GOOD.with_quote(ask=None), DenialCode.QUOTE_MISSING),
    "no last price": (GOOD.with_quote(last=None), DenialCode.QUOTE_MISSING),
    "crossed market": (GOOD.with_quote(bid=Decimal("5800.50")), DenialCode.QUOTE_MISSING),
    "quote without time": (GOOD.with_quote(at=None), DenialCode.QUOTE_STALE),
    "old quote": (GOOD.with_quote(at=NOW - timedelta(seconds=11)), DenialCode.QUOTE_STALE),
    "quote of yesterday": (GOOD.with_quote(at=NOW - timedelta(days=1)), DenialCode.QUOTE_STALE),
    "limit off the tick": (at_limit("5800.10"), DenialCode.BAD_PRICE),
    "sell stop above the market": (at_stop("5805.00"), DenialCode.BAD_PRICE),
    "buy stop below the market": (at_stop("5795.00", Side.BUY), DenialCode.BAD_PRICE),
    "limit far away": (at_limit("5850.50"), DenialCode.PRICE_BAND),
    "stop far away": (at_stop("5750.00"), DenialCode.PRICE_BAND),
    "too large": (GOOD.with_terms(quantity=11), DenialCode.MAX_POSITION),
    "too large with working orders": (
        GOOD.with_facts(orders=(replace(ORDER, quantity=8, type=OrderType.LIMIT),)),
        DenialCode.MAX_POSITION,
    ),
    "too many a minute": (
        GOOD.with_recent(*(sent(ago=20, intent=replace(INTENT, account="Sim102")) for _ in range(3))),
        DenialCode.ORDERS_PER_MINUTE,
    ),
    "what closes already": (
        GOOD.with_facts(orders=(replace(ORDER, side=Side.SELL, quantity=1, type=OrderType.MARKET),)),
        DenialCode.CLOSING,
    ),
    "the same again": (GOOD.with_limit(duplicate_seconds=10).with_recent(sent()), DenialCode.DUPLICATE),
    "too much lost": (GOOD.with_account(realised=Decimal(-900), unrealised=Decimal("-100.01")), DenialCode.DAILY_LOSS),
    "realised unread": (GOOD.with_account(realised=None), DenialCode.DAILY_LOSS),
    "unrealised unread": (GOOD.with_account(unrealised=None), DenialCode.DAILY_LOSS),
    "outcome unknown": (GOOD.with_recent(sent(TicketState.UNKNOWN, ago=3600)), DenialCode.OUTCOME_UNKNOWN),
    "not flat as required": (
        replace(GOOD, intent=PlaceOrder("Sim101", ES, Terms(Side.SELL, 3), "own1", frozenset({"flat"}))),
        DenialCode.POSITION_NOT_AS_REQUIRED,
    ),
    "order not listed": (replace(GOOD, intent=Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1")), DenialCode.NO_SUCH_ORDER),
    "order over": (
        replace(GOOD, intent=Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1")).with_facts(
            orders=(replace(ORDER, state=OrderState.FILLED),)
        ),
        DenialCode.ORDER_FINISHED,
    ),
    "being flattened": (
        GOOD.with_recent(sent(TicketState.SENDING, ago=1, intent=Flatten(Scope(("Sim101",))))),
        DenialCode.FLATTENING,
    ),
    "being sent": (GOOD.with_recent(sent(TicketState.SENDING, ago=60.5)), DenialCode.OUTCOME_UNKNOWN),
}


@pytest.mark.parametrize(("world", "code"), ALONE.values(), ids=list(ALONE))
def test_each_reason_alone_is_enough_and_is_told_alone(world: World, code: DenialCode) -> None:
    assert world.codes() == [code]


def test_an_order_of_which_nobody_knows_is_told_beside_what_could_not_be_read() -> None:
    world = GOOD.with_facts(quote=None).with_recent(sent(TicketState.UNKNOWN, ago=3600))
    assert world.codes() == [DenialCode.OUTCOME_UNKNOWN, DenialCode.FACTS_MISSING]


def test_the_table_has_every_code_that_a_limit_can_give() -> None:
    others = {
        DenialCode.NOT_HERE,
        DenialCode.NO_GRANT,
        DenialCode.ACCOUNT_NOT_GRANTED,
        DenialCode.INSTRUMENT_NOT_GRANTED,
        DenialCode.ORDER_TYPE_NOT_GRANTED,
        DenialCode.QUANTITY_OVER_GRANT,
        DenialCode.BAD_REQUEST,
        DenialCode.UNKNOWN_ACCOUNT,
        DenialCode.UNKNOWN_INSTRUMENT,
        DenialCode.UNKNOWN_STRATEGY,
        # Of a mass action.
        DenialCode.NO_SUCH_STRATEGY,
        # Of the kill switch.
        DenialCode.HALTED,
        DenialCode.REDUCING,
        DenialCode.DESK_DOWN,
        # Of a press, and of people who look.
        DenialCode.TOO_LATE,
        DenialCode.ASKED_TOO_OFTEN,
        # Of buttons, before there is an intent.
        DenialCode.CARD_OVER,
        DenialCode.NOT_ONE_STOP,
    }
    assert {code for _, code in ALONE.values()} == set(DenialCode) - others


def test_each_denial_is_one_sentence_that_can_be_shown() -> None:
    for name, (world, _) in ALONE.items():
        for denial in check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now):
            assert denial.sentence.endswith("."), name
            assert "\n" not in denial.sentence, name
            assert 20 < len(denial.sentence) < 400, name


def test_every_reason_is_told_and_not_just_the_first() -> None:
    world = GOOD.with_account(provider=None, connected=False, realised=None).with_terms(quantity=11).with_quote(at=None, bid=None)
    assert world.codes() == [
        DenialCode.LIVE_NOT_NAMED,
        DenialCode.ACCOUNT_DISCONNECTED,
        DenialCode.QUOTE_MISSING,
        DenialCode.QUOTE_STALE,
        DenialCode.MAX_POSITION,
        DenialCode.DAILY_LOSS,
    ]


def test_a_list_that_was_read_and_holds_no_position_settles_it_whatever_else_is_missing() -> None:
    world = GOOD.with_facts(positions=(), account=None, orders=None, quote=None)
    assert world.codes() == [DenialCode.NO_POSITION, DenialCode.FACTS_MISSING]


def test_a_denial_for_no_position_names_account_and_instrument() -> None:
    world = GOOD.with_facts(positions=())
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert "“Sim101”" in denial.sentence
    assert "ES 09-26" in denial.sentence


def test_what_could_not_be_read_is_told_in_quotes() -> None:
    world = GOOD.with_facts(quote=None, missing=("quote: @everyone “x”\n<html>",))
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert '“quote: @everyone "x" <html>”' in denial.sentence


def test_what_could_not_be_read_for_no_known_reason_is_told_as_well() -> None:
    world = GOOD.with_facts(quote=None)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert "CrossTrade could not be read (no answer)" in denial.sentence


@pytest.mark.parametrize(("realised", "told"), [(None, "can't be read"), (Decimal(-1500), "is -1500")])
def test_the_days_result_is_told_or_that_it_could_not_be_read(realised: Decimal | None, told: str) -> None:
    world = GOOD.with_account(realised=realised)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert f"The day's result of “Sim101”, since 18:00 New York, {told} and its limit is -1000" in denial.sentence


def test_a_closed_market_is_named_beside_an_old_price() -> None:
    world = GOOD.with_quote(at=None, market_open=False)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert "The market is closed." in denial.sentence


def test_a_live_account_passes_once_the_policy_names_it() -> None:
    live = GOOD.with_account(provider="Rithmic")
    named = replace(live, policy=replace(live.policy, accounts=(AccountRule("sim*", live=True),)))
    denied = replace(live, policy=replace(live.policy, accounts=(AccountRule("sim*", live=False),)))
    assert named.codes() == []
    assert denied.codes() == [DenialCode.LIVE_NOT_NAMED]


def test_an_entry_is_denied_where_nobody_tells_whether_the_account_is_connected_and_no_way_out_is() -> None:
    world = GOOD.with_account(connected=None)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert denial.sentence.startswith("CrossTrade doesn't tell whether “Sim101” is connected")
    close = replace(world, intent=Close("Sim101", ES, Terms(Side.SELL, 2)))
    assert close.codes() == []


EDGES: dict[str, tuple[World, World, DenialCode]] = {
    "age of the quote": (
        GOOD.with_quote(at=NOW - timedelta(seconds=10)),
        GOOD.with_quote(at=NOW - timedelta(seconds=10, microseconds=1)),
        DenialCode.QUOTE_STALE,
    ),
    "strictest age": (
        GOOD.with_limit(stale_seconds=3).with_quote(at=NOW - timedelta(seconds=3)),
        GOOD.with_limit(stale_seconds=3).with_quote(at=NOW - timedelta(seconds=3, microseconds=1)),
        DenialCode.QUOTE_STALE,
    ),
    "age with a longer one": (
        GOOD.with_limit(stale_seconds=60).with_quote(at=NOW - timedelta(seconds=10)),
        GOOD.with_limit(stale_seconds=60).with_quote(at=NOW - timedelta(seconds=10, microseconds=1)),
        DenialCode.QUOTE_STALE,
    ),
    "age without any limit": (
        replace(GOOD, policy=Policy(grants=())).with_quote(at=NOW - timedelta(seconds=10)),
        replace(GOOD, policy=Policy(grants=())).with_quote(at=NOW - timedelta(seconds=10, microseconds=1)),
        DenialCode.QUOTE_STALE,
    ),
    "locked market": (GOOD.with_quote(bid=QUOTE.ask), GOOD.with_quote(bid=Decimal("5800.50")), DenialCode.QUOTE_MISSING),
    "band above": (at_limit("5850.25"), at_limit("5850.50"), DenialCode.PRICE_BAND),
    "band below": (at_limit("5750.25"), at_limit("5750.00"), DenialCode.PRICE_BAND),
    "band of a stop": (at_stop("5750.25"), at_stop("5750.00"), DenialCode.PRICE_BAND),
    "band of nothing": (
        at_limit("5800.25").with_limit(price_band_ticks=0),
        at_limit("5800.50").with_limit(price_band_ticks=0),
        DenialCode.PRICE_BAND,
    ),
    "position": (GOOD.with_terms(quantity=10), GOOD.with_terms(quantity=11), DenialCode.MAX_POSITION),
    "position with a working order": (
        GOOD.with_facts(orders=(replace(ORDER, quantity=7, type=OrderType.LIMIT),)),
        GOOD.with_facts(orders=(replace(ORDER, quantity=8, type=OrderType.LIMIT),)),
        DenialCode.MAX_POSITION,
    ),
    "position with another month": (
        GOOD.with_facts(positions=(*(GOOD.facts.positions or ()), Position("Sim101", ES_DECEMBER, -7))),
        GOOD.with_facts(positions=(*(GOOD.facts.positions or ()), Position("Sim101", ES_DECEMBER, -8))),
        DenialCode.MAX_POSITION,
    ),
    "orders a minute": (
        GOOD.with_limit(orders_per_minute=2).with_recent(sent(ago=1)),
        GOOD.with_limit(orders_per_minute=2).with_recent(sent(ago=1), sent(ago=1)),
        DenialCode.ORDERS_PER_MINUTE,
    ),
    "the minute": (
        GOOD.with_limit(orders_per_minute=1).with_recent(sent(ago=60.001)),
        GOOD.with_limit(orders_per_minute=1).with_recent(sent(ago=60)),
        DenialCode.ORDERS_PER_MINUTE,
    ),
    "seconds to a double": (
        GOOD.with_limit(duplicate_seconds=10).with_recent(sent(ago=10.001)),
        GOOD.with_limit(duplicate_seconds=10).with_recent(sent(ago=10)),
        DenialCode.DUPLICATE,
    ),
    "loss": (
        GOOD.with_account(realised=Decimal(-1250), unrealised=Decimal(250)),
        GOOD.with_account(realised=Decimal(-1250), unrealised=Decimal("249.99")),
        DenialCode.DAILY_LOSS,
    ),
}


@pytest.mark.parametrize(("inside", "outside", "code"), EDGES.values(), ids=list(EDGES))
def test_just_the_limit_is_allowed_and_the_least_bit_more_is_not(inside: World, outside: World, code: DenialCode) -> None:
    assert inside.codes() == []
    assert outside.codes() == [code]


def test_a_quote_slightly_from_the_future_is_fresh() -> None:
    assert GOOD.with_quote(at=NOW + timedelta(seconds=5)).codes() == []


@pytest.mark.parametrize("state", TicketState)
def test_only_orders_that_may_have_reached_the_market_count_for_rate_and_doubles(state: TicketState) -> None:
    for part, code in (("orders_per_minute", DenialCode.ORDERS_PER_MINUTE), ("duplicate_seconds", DenialCode.DUPLICATE)):
        world = GOOD.with_limit(**{part: 1}).with_recent(sent(state, ago=0.5))
        assert (code in world.codes()) is (state in SENT)


def test_what_was_never_sent_counts_for_nothing() -> None:
    offered = replace(sent(), sent_at=None)
    assert GOOD.with_limit(orders_per_minute=1, duplicate_seconds=60).with_recent(offered).codes() == []


def test_the_rate_is_each_members_own_over_all_accounts() -> None:
    theirs = [sent(requester=BOB, intent=replace(INTENT, account="Sim102")) for _ in range(9)]
    mine = sent(intent=replace(INTENT, account="Sim102"))
    world = GOOD.with_limit(orders_per_minute=2)
    assert world.with_recent(*theirs, mine).codes() == []
    assert world.with_recent(*theirs, mine, mine).codes() == [DenialCode.ORDERS_PER_MINUTE]


def test_a_double_is_one_whoever_sent_the_first() -> None:
    theirs = sent(requester=replace(BOB, name="@everyone **B**"))
    world = GOOD.with_limit(duplicate_seconds=10).with_recent(theirs)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert denial.code is DenialCode.DUPLICATE
    assert denial.sentence.startswith("“@everyone **B**” (member 8) sent the same order 5 s ago (ticket earlier)")


@pytest.mark.parametrize(
    "other",
    [
        replace(INTENT, account="Sim102"),
        replace(INTENT, contract=ES_DECEMBER),
        replace(INTENT, terms=Terms(Side.BUY, 3)),
        replace(INTENT, terms=Terms(Side.SELL, 2)),
        replace(INTENT, terms=Terms(Side.SELL, 3, OrderType.LIMIT, limit=Decimal(5800))),
    ],
    ids=["account", "month", "side", "quantity", "type"],
)
def test_another_shape_is_no_double(other: object) -> None:
    assert GOOD.with_limit(duplicate_seconds=10).with_recent(sent(intent=other)).codes() == []


def test_a_double_is_found_behind_other_orders() -> None:
    others = [sent(intent=replace(INTENT, account=f"Sim{n}")) for n in range(5)]
    assert GOOD.with_limit(duplicate_seconds=10).with_recent(*others, sent()).codes() == [DenialCode.DUPLICATE]


@pytest.mark.parametrize("state", [TicketState.SENDING, TicketState.UNKNOWN])
def test_i2_there_is_one_exit_at_a_time_for_each_account_and_instrument(state: TicketState) -> None:
    """Whatever the side, quantity or member: a second close of the same position must wait for the first one's outcome."""
    other_terms = replace(INTENT, terms=Terms(Side.BUY, 1, OrderType.LIMIT, limit=Decimal(5700)))
    none_set = GOOD.with_limit()
    assert none_set.with_recent(sent(state, requester=BOB, intent=other_terms)).codes() == [DenialCode.OUTCOME_UNKNOWN]
    assert none_set.with_recent(sent(state, intent=replace(INTENT, account="Sim102"))).codes() == []
    assert none_set.with_recent(sent(state, intent=replace(INTENT, contract=NQ))).codes() == []


def test_i3_orders_on_their_way_count_against_the_position_limit() -> None:
    """Entries pressed at the same moment would each pass a limit that saw only what has filled already."""
    other_month = replace(INTENT, contract=ES_DECEMBER, terms=Terms(Side.SELL, 8))
    world = GOOD.with_limit(max_position=10)
    assert world.with_recent(sent(TicketState.UNKNOWN, intent=other_month)).codes() == [
        DenialCode.OUTCOME_UNKNOWN,
        DenialCode.MAX_POSITION,
    ]
    for ticket in (sent(TicketState.SENDING, intent=other_month), sent(TicketState.ACCEPTED, intent=other_month)):
        assert world.with_recent(ticket).codes() == [DenialCode.MAX_POSITION]
    assert world.with_recent(sent(TicketState.REJECTED, intent=other_month)).codes() == []


def test_a_limit_for_other_accounts_or_instruments_is_not_asked() -> None:
    tight = {"max_position": 1, "daily_loss": Decimal(0), "price_band_ticks": 0, "stale_seconds": 1}
    elsewhere = (Limit(("Apex*",), ("*",), **tight), Limit(("*",), ("NQ",), **tight))  # type: ignore[arg-type]  # one table of parts
    world = replace(GOOD, policy=replace(GOOD.policy, limits=elsewhere)).with_account(realised=Decimal(-5))
    assert world.with_quote(at=NOW - timedelta(seconds=9)).codes() == []


def test_each_limit_that_matches_is_asked() -> None:
    two = (Limit(("*",), ("*",), max_position=2), Limit(("Sim*",), ("ES",), max_position=1))
    assert replace(GOOD, policy=replace(GOOD.policy, limits=two)).codes() == [DenialCode.MAX_POSITION] * 2
