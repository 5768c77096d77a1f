"""The limits: every reason alone, everything that is missing is one, and the edges lie where the policy file says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trading.market.facts import Order, Position
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Holding, Scope
from bot.trading.orders.terms import OrderState, OrderType, Side, Terms
from bot.trading.orders.tickets import SENT, Member, Ticket, TicketState, Told
from bot.trading.risk.exposure import worst_position
from bot.trading.risk.limits import OwnOrders, check_order
from bot.trading.risk.policy import AccountRule, DenialCode, Limit, Policy
from bot.trading.risk.underway import stands_in_the_way
from tests.rules.strategies import (
    ES,
    ES_DECEMBER,
    EVERY_LIMIT,
    GOOD,
    INTENT,
    MEMBER,
    MODEST,
    NOW,
    NQ,
    ORDER,
    QUOTE,
    TICK,
    World,
    amounts,
    limits,
    on_tick,
    positions,
    sent,
    states_in_flight,
    well_formed_terms,
)


def at_limit(price: str) -> World:
    return GOOD.with_terms(type=OrderType.LIMIT, limit=Decimal(price))


def at_stop(price: str, side: Side = Side.SELL) -> World:
    return GOOD.with_terms(side=side, type=OrderType.STOPMARKET, stop=Decimal(price))


def test_nothing_speaks_against_a_good_order() -> None:
    assert GOOD.codes() == []


BOB = Member(8, "Bob")
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
        # Of a sweep.
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
    assert "`Sim101`" in denial.sentence
    assert "ES 09-26" in denial.sentence


def test_what_could_not_be_read_is_told_as_harmless_code() -> None:
    world = GOOD.with_facts(quote=None, missing=("quote: @everyone `x`\n<html>",))
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert "`quote: @everyone ˋxˋ <html>`" in denial.sentence


def test_what_could_not_be_read_for_no_known_reason_is_told_as_well() -> None:
    world = GOOD.with_facts(quote=None)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert "CrossTrade could not be read (no answer)" in denial.sentence


@pytest.mark.parametrize(("realised", "told"), [(None, "can't be read"), (Decimal(-1500), "is -1500")])
def test_the_days_result_is_told_or_that_it_could_not_be_read(realised: Decimal | None, told: str) -> None:
    world = GOOD.with_account(realised=realised)
    (denial,) = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert f"The day's result of `Sim101`, since 18:00 New York, {told} and its limit is -1000" in denial.sentence


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
    assert denial.sentence.startswith("CrossTrade doesn't tell whether `Sim101` is connected")
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
    assert denial.sentence.startswith("@\u200beveryone \\*\\*B\\*\\* (<@8>) sent the same order 5 s ago (ticket earlier)")


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


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any decision in which everything was read."""
    bid = draw(on_tick)
    quote = replace(
        QUOTE,
        bid=bid,
        ask=bid + draw(st.integers(0, 8)) * TICK,
        last=bid + draw(st.integers(-40, 40)) * TICK,
        at=NOW - timedelta(seconds=draw(st.integers(0, 40))),
    )
    account = replace(GOOD.facts.account or pytest.fail("GOOD has one"), realised=draw(amounts), unrealised=draw(amounts))
    terms = draw(well_formed_terms())
    facts = replace(GOOD.facts, account=account, quote=quote, positions=(Position("Sim101", ES, draw(positions)),))
    tickets = draw(
        st.lists(
            st.builds(
                sent,
                st.sampled_from(TicketState),
                ago=st.integers(0, 100),
                requester=st.sampled_from([MEMBER, BOB]),
                intent=st.sampled_from([replace(INTENT, terms=terms), replace(INTENT, contract=NQ), INTENT]),
            ),
            max_size=3,
        )
    )
    policy = replace(GOOD.policy, limits=(*draw(st.lists(limits, max_size=2)), EVERY_LIMIT))
    return World(replace(INTENT, terms=terms), MEMBER.id, facts, policy, OwnOrders(tuple(tickets)))


REMOVALS: dict[str, Callable[[World], World]] = {
    "account": lambda world: world.with_facts(account=None),
    "provider": lambda world: world.with_account(provider=None),
    "connected": lambda world: world.with_account(connected=None),
    "realised": lambda world: world.with_account(realised=None),
    "unrealised": lambda world: world.with_account(unrealised=None),
    "positions": lambda world: world.with_facts(positions=None),
    "position": lambda world: world.with_facts(positions=()),
    "orders": lambda world: world.with_facts(orders=None),
    "quote": lambda world: world.with_facts(quote=None),
    "bid": lambda world: world.with_quote(bid=None),
    "ask": lambda world: world.with_quote(ask=None),
    "last": lambda world: world.with_quote(last=None),
    "at": lambda world: world.with_quote(at=None),
}


@MODEST
@given(world=worlds(), removal=st.sampled_from(sorted(REMOVALS)))
def test_i23_with_any_one_input_removed_nothing_is_ever_allowed(world: World, removal: str) -> None:
    assert REMOVALS[removal](world).codes()


KINDS = {
    "market": GOOD,
    "limit": at_limit("5800.00"),
    "sell stop": at_stop("5790.00"),
    "buy stop": at_stop("5810.00", Side.BUY),
}


@pytest.mark.parametrize("removal", REMOVALS.values(), ids=list(REMOVALS))
def test_a_good_order_of_any_type_is_denied_for_each_input_that_is_removed(removal: Callable[[World], World]) -> None:
    for name, world in KINDS.items():
        assert world.codes() == [], name
        assert len(removal(world).codes()) == 1, name


@MODEST
@given(world=worlds(), more=st.integers(1, 20))
def test_a_larger_quantity_never_turns_a_denial_into_permission(world: World, more: int) -> None:
    # Another quantity is another order, so the rule against doubles, which asks for the same one, is set aside.
    rules = tuple(replace(limit, duplicate_seconds=None) for limit in world.policy.limits)
    world = replace(world, policy=replace(world.policy, limits=rules))
    larger = world.with_terms(quantity=world.intent.terms.quantity + more)
    assert set(world.codes()) <= set(larger.codes())


@MODEST
@given(world=worlds(), limit=limits)
def test_another_limit_never_turns_a_denial_into_permission(world: World, limit: Limit) -> None:
    stricter = replace(world, policy=replace(world.policy, limits=(*world.policy.limits, limit)))
    assert set(world.codes()) <= set(stricter.codes())


@MODEST
@given(world=worlds(), state=states_in_flight, ago=st.integers(0, 200))
def test_i3_one_more_order_in_flight_never_turns_a_denial_into_permission(world: World, state: TicketState, ago: int) -> None:
    more = replace(world, recent=OwnOrders((*world.recent.tickets, sent(state, ago=ago))))
    assert set(world.codes()) <= set(more.codes())
    assert DenialCode.OUTCOME_UNKNOWN in more.codes()


# What protects a position, turns it round, or takes an order's place.


def wanted(intent: OrderIntent, **facts: object) -> World:
    """A decision about another intent, with no limit but the usual age of a quote."""
    return replace(GOOD, intent=intent, policy=Policy(grants=())).with_facts(**facts)


def held(quantity: int) -> tuple[Position, ...]:
    return (Position("Sim101", ES, quantity),)


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


WORKS = replace(ORDER, ids=("old",), side=Side.BUY, type=OrderType.LIMIT, limit=Decimal("5795.00"), quantity=5)
BEFORE = Terms(Side.BUY, 5, OrderType.LIMIT, limit=Decimal("5795.00"))


def replacing(quantity: int, require: str = "", limit: str = "5796.00") -> World:
    """An order of 5 to buy at 5795 that is to be replaced, over a position of LONG 2."""
    terms = Terms(Side.BUY, quantity, OrderType.LIMIT, limit=Decimal(limit))
    intent = Replace("Sim101", ES, terms, "old", BEFORE, frozenset(filter(None, [require])))
    return wanted(intent, orders=(WORKS,))


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


BUYS_FIVE = replace(WORKS, ids=("hand",))
NO = [DenialCode.MAX_POSITION]
EACH_SIDE: dict[str, tuple[int, Side, int, list[DenialCode]]] = {
    "over on one side, out to flat": (11, Side.SELL, 11, []),
    "over on one side, through to the limit of the other": (11, Side.SELL, 14, []),
    "over on one side, through beyond the limit of the other": (11, Side.SELL, 15, NO),
    "over on one side, as far on the other": (11, Side.SELL, 22, NO),
    "over on one side, more of it": (11, Side.BUY, 1, NO),
    "short and over, through beyond the limit": (-11, Side.BUY, 15, NO),
    "short and over, through to the limit": (-11, Side.BUY, 14, []),
}


@pytest.mark.parametrize(("now", "side", "quantity", "codes"), EACH_SIDE.values(), ids=list(EACH_SIDE))
def test_each_side_of_the_market_counts_by_itself(now: int, side: Side, quantity: int, codes: list[DenialCode]) -> None:
    intent = PlaceOrder("Sim101", ES, Terms(side, quantity), "own")
    assert wanted(intent, positions=held(now)).with_limit(max_position=3).codes() == codes


@pytest.mark.parametrize(("quantity", "codes"), [(3, []), (4, NO), (5, NO)])
def test_a_working_order_on_the_other_side_makes_no_room_on_this_one(quantity: int, codes: list[DenialCode]) -> None:
    place = PlaceOrder("Sim101", ES, Terms(Side.SELL, quantity), "own")
    assert wanted(place, positions=(), orders=(BUYS_FIVE,)).with_limit(max_position=3).codes() == codes
    change = Change("Sim101", ES, Terms(Side.SELL, quantity), "o1", Terms(Side.SELL, 1))
    sells_one = replace(ORDER, quantity=1)
    assert wanted(change, positions=(), orders=(BUYS_FIVE, sells_one)).with_limit(max_position=3).codes() == codes


def bracketed(month: Contract, size: int) -> tuple[tuple[Position, ...], tuple[Order, ...]]:
    """A position that is protected by a stop and a target of its own size."""
    leg = replace(ORDER, contract=month, side=Side.SELL, quantity=size)
    stop = replace(leg, ids=("stop",), type=OrderType.STOPMARKET, stop=Decimal(5700), oco="pair")
    goal = replace(leg, ids=("target",), type=OrderType.LIMIT, limit=Decimal(5900), oco="pair")
    return (Position("Sim101", month, size),), (stop, goal)


@pytest.mark.parametrize(("most", "codes"), [(6, []), (5, NO)])
def test_a_bracket_of_another_month_counts_once_at_a_roll(most: int, codes: list[DenialCode]) -> None:
    positions_, orders = bracketed(ES_DECEMBER, 4)
    entry = PlaceOrder("Sim101", ES, Terms(Side.BUY, 2), "own")
    world = wanted(entry, positions=positions_, orders=orders).with_limit(max_position=most)
    assert world.codes() == codes
    for denial in check_order(entry, world.member, world.facts, world.policy, world.recent, world.now):
        assert "could hold 6 ES" in denial.sentence


CHANGING = Change("Sim101", ES_DECEMBER, replace(BEFORE, quantity=9), "hand", BEFORE)


@pytest.mark.parametrize(
    ("ticket", "orders", "worst"),
    [
        (sent(TicketState.SENDING, intent=CHANGING), (replace(BUYS_FIVE, contract=ES_DECEMBER),), 10),
        (sent(TicketState.ACCEPTED, intent=CHANGING), (replace(BUYS_FIVE, contract=ES_DECEMBER),), 10),
        (sent(TicketState.ACCEPTED, intent=CHANGING), (replace(BUYS_FIVE, contract=ES_DECEMBER, quantity=9),), 10),
        (sent(TicketState.ACCEPTED, intent=CHANGING), (), 5),
        (
            sent(TicketState.ACCEPTED, intent=CHANGING),
            (replace(BUYS_FIVE, contract=ES_DECEMBER, state=OrderState.CANCELLED),),
            1,
        ),
        (
            sent(TicketState.ACCEPTED, intent=CHANGING, order_state=OrderState.WORKING),
            (replace(BUYS_FIVE, contract=ES_DECEMBER),),
            6,
        ),
    ],
    ids=["on its way", "taken and not seen", "seen in the list", "of an order that isn't listed", "of one that is over", "seen"],
)
def test_an_order_that_is_being_made_larger_counts_as_it_shall_be(ticket: Ticket, orders: tuple[Order, ...], worst: int) -> None:
    facts = replace(GOOD.facts, positions=(), orders=orders)
    assert worst_position(PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), "own2"), facts, (ticket,)) == worst


@pytest.mark.parametrize(
    ("change", "result", "codes"),
    [
        ({"quantity": 4}, Decimal("-1000.01"), []),
        ({"quantity": 4}, None, []),
        ({"quantity": 6}, Decimal("-1000.01"), [DenialCode.DAILY_LOSS]),
        ({"quantity": 6}, Decimal(-1000), []),
        ({"limit": Decimal("5796.00")}, Decimal("-1000.01"), [DenialCode.DAILY_LOSS]),
    ],
    ids=["smaller", "smaller, the day unread", "larger", "larger on the figure itself", "nearer, though it closes nothing"],
)
def test_at_a_daily_loss_a_change_that_can_only_lessen_goes(
    change: dict[str, object], result: Decimal | None, codes: list[DenialCode]
) -> None:
    intent = Change("Sim101", ES, replace(BEFORE, **change), "old", BEFORE)  # type: ignore[arg-type]  # a table of parts
    world = wanted(intent, orders=(WORKS,)).with_limit(daily_loss=Decimal(1000))
    assert world.with_account(realised=result).codes() == codes


ELSEWHERE_UNKNOWN: dict[str, tuple[Ticket, list[DenialCode]]] = {
    "unknown in another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=replace(INTENT, contract=ES_DECEMBER)),
        [DenialCode.OUTCOME_UNKNOWN],
    ),
    "on its way in another month": (sent(TicketState.SENDING, intent=replace(INTENT, contract=ES_DECEMBER)), []),
    "unknown change in another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=replace(CHANGING, terms=BEFORE)),
        [DenialCode.OUTCOME_UNKNOWN],
    ),
    "unknown in another account": (sent(TicketState.UNKNOWN, ago=3600, intent=replace(INTENT, account="Sim102")), []),
    "unknown in another root": (sent(TicketState.UNKNOWN, ago=3600, intent=replace(INTENT, contract=NQ)), []),
    "unknown cancellation in another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=Cancel("Sim101", ES_DECEMBER, BEFORE, "x")),
        [],
    ),
    "unknown flatten of another month": (
        sent(TicketState.UNKNOWN, ago=3600, intent=Flatten(Scope(("Sim101",), ES_DECEMBER))),
        [DenialCode.FLATTENING],
    ),
    "flattening another month": (sent(TicketState.SENDING, ago=1, intent=Flatten(Scope(("Sim101",), ES_DECEMBER))), []),
    "unknown flatten of another account": (
        sent(TicketState.UNKNOWN, ago=3600, intent=Flatten(Scope(("Sim102",)))),
        [],
    ),
}


@pytest.mark.parametrize(("ticket", "codes"), ELSEWHERE_UNKNOWN.values(), ids=list(ELSEWHERE_UNKNOWN))
def test_an_unknown_outcome_bars_entries_in_every_month_of_its_root_and_no_way_out(
    ticket: Ticket, codes: list[DenialCode]
) -> None:
    world = GOOD.with_limit().with_recent(ticket)
    assert world.codes() == codes
    for denial in check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now):
        if denial.code is DenialCode.OUTCOME_UNKNOWN:
            assert "`Sim101` ES 12-26 is not known yet; until then no month of ES is entered there" in denial.sentence
    assert replace(world, intent=Close("Sim101", ES, Terms(Side.SELL, 2))).codes() == []


@pytest.mark.parametrize(
    ("order", "closes"),
    [
        (replace(ORDER, type=None), True),
        (replace(ORDER, type=None, limit=Decimal(5900)), False),
        (replace(ORDER, type=None, side=Side.BUY), False),
        (replace(ORDER, type=None, contract=ES_DECEMBER), False),
    ],
    ids=["no price", "a price", "the other side", "another month"],
)
def test_an_order_of_a_type_that_nobody_told_keeps_out_what_closes_first_and_nobody_in(order: Order, closes: bool) -> None:
    world = GOOD.with_limit().with_facts(orders=(order,))
    assert world.codes() == ([DenialCode.CLOSING] if closes else [])
    assert replace(world, intent=Close("Sim101", ES, Terms(Side.SELL, 2))).codes() == []


@pytest.mark.parametrize(("side", "codes"), [(Side.SELL, []), (Side.BUY, [DenialCode.MAX_POSITION])])
def test_who_is_over_the_limit_may_place_what_takes_away_from_it(side: Side, codes: list[DenialCode]) -> None:
    intent = PlaceOrder("Sim101", ES, Terms(side, 2), "own")
    assert wanted(intent, positions=held(12)).with_limit(max_position=10).codes() == codes


def test_where_nothing_may_be_held_not_one_contract_may_be_reversed_into() -> None:
    assert GOOD.with_terms(quantity=1).with_limit(max_position=0).codes() == [DenialCode.MAX_POSITION]


@pytest.mark.parametrize(
    ("intent", "worst"),
    [
        # LONG 2, of which both came of the old order; 4 in all leave 2 to come.
        (Change("Sim101", ES, replace(BEFORE, quantity=4), "old", BEFORE), 4),
        (Change("Sim101", ES, BEFORE, "old", BEFORE), 5),
        # A new order has filled nothing yet.
        (Replace("Sim101", ES, replace(BEFORE, quantity=4), "old", BEFORE), 6),
        (PlaceOrder("Sim101", ES, replace(BEFORE, quantity=4), "own"), 9),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_filled_of_an_order_counts_once(intent: OrderIntent, worst: int) -> None:
    facts = replace(GOOD.facts, orders=(replace(WORKS, filled=2, state=OrderState.PART_FILLED),))
    assert worst_position(intent, facts, ()) == worst


@pytest.mark.parametrize(
    "other",
    [Flatten(Scope(("Sim101",))), Cancel("Sim101", ES, BEFORE, "old"), Change("Sim101", ES, BEFORE, "old", BEFORE)],
    ids=lambda value: type(value).__name__,
)
def test_what_places_nothing_hides_no_order_behind_it(other: Intent) -> None:
    entry = sent(TicketState.SENDING, intent=PlaceOrder("Sim101", ES, Terms(Side.BUY, 3), "own"))
    recent = OwnOrders((sent(TicketState.SENDING, intent=other), entry))
    assert worst_position(PlaceOrder("Sim101", ES, Terms(Side.BUY, 1), "own2"), GOOD.facts, recent.tickets) == 2 + 3 + 1


def test_the_worst_of_a_replacement_counts_the_new_order_and_not_the_old_one() -> None:
    world = replacing(3)
    assert worst_position(world.intent, world.facts, world.recent.tickets) == 5


ASKED: list[OrderIntent] = [
    Reverse("Sim101", ES, Terms(Side.SELL, 3)),
    VerifiedReverse("Sim101", ES, Terms(Side.SELL, 3), "own"),
    Invert("Sim101", ES, Terms(Side.SELL, 2)),
    PlaceOrder("Sim101", ES, Terms(Side.SELL, 3), "own"),
    FlatPlace("Sim101", ES, Terms(Side.SELL, 3)),
    Close("Sim101", ES, Terms(Side.SELL, 2)),
    Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1"),
    Change("Sim101", ES, Terms(Side.SELL, 3), "o1", Terms(Side.SELL, 3)),
    Replace("Sim101", ES, Terms(Side.SELL, 3), "o1", Terms(Side.SELL, 3)),
    Bracket("Sim101", ES, Terms(Side.SELL, 2, OrderType.STOPMARKET, stop=Decimal(5790)), Decimal(5810)),
]
OTHERS: list[Intent] = [
    *ASKED,
    Flatten(Scope(("Sim101",))),
    Flatten(Scope(("Sim101", "Sim102"), everything=True)),
    Flatten(Scope(("Sim101",), ES), Holding.SHORT),
    CancelWorking(Scope(("Sim101",))),
]
ELSEWHERE: list[Intent] = [
    Flatten(Scope(("Sim102",))),
    Flatten(Scope(("Sim101",), NQ)),
    Close("Sim102", ES, Terms(Side.SELL, 2)),
    Reverse("Sim101", ES_DECEMBER, Terms(Side.SELL, 3)),
]
# An entry waits for all but cancellations, an exit for what closes, a cancel for nothing.
WITH_BOTH_CANCELS = "Cancel CancelWorking"
WHAT_KEEPS_THE_POSITION = "PlaceOrder Cancel Change Replace Bracket CancelWorking"
EVERYTHING = "Reverse VerifiedReverse Invert PlaceOrder FlatPlace Close Cancel Change Replace Bracket Flatten CancelWorking"
DOES_NOT_WAIT_FOR = {
    "Reverse": WITH_BOTH_CANCELS,
    "VerifiedReverse": WITH_BOTH_CANCELS,
    "Invert": WITH_BOTH_CANCELS,
    "PlaceOrder": WITH_BOTH_CANCELS,
    "FlatPlace": WITH_BOTH_CANCELS,
    "Change": WITH_BOTH_CANCELS,
    "Replace": WITH_BOTH_CANCELS,
    "Close": WHAT_KEEPS_THE_POSITION,
    "Bracket": WHAT_KEEPS_THE_POSITION,
    "Cancel": EVERYTHING,
}


def kind(intent: object) -> str:
    return type(intent).__name__


@pytest.mark.parametrize("intent", ASKED, ids=kind)
def test_who_waits_for_whom(intent: OrderIntent) -> None:
    free = DOES_NOT_WAIT_FOR[kind(intent)].split()
    for underway in OTHERS:
        assert stands_in_the_way(underway, intent) is (kind(underway) not in free), underway


def test_nobody_waits_for_what_happens_elsewhere() -> None:
    for intent in ASKED:
        assert [underway for underway in ELSEWHERE if stands_in_the_way(underway, intent)] == [], intent


@pytest.mark.parametrize("state", TicketState)
def test_a_flatten_lets_nothing_in_until_it_has_ended(state: TicketState) -> None:
    its = sent(state, ago=3600, intent=Flatten(Scope(("Sim101",))), requester=replace(BOB, name="@here"))
    codes = [DenialCode.FLATTENING] if state in {TicketState.SENDING, TicketState.UNKNOWN} else []
    close = Close("Sim101", ES, Terms(Side.SELL, 2))
    # A flatten that has been kept from closing for so long keeps nobody else from it.
    assert wanted(close).with_recent(its).codes() == (codes if state is TicketState.UNKNOWN else [])
    begun = replace(its, sent_at=NOW - timedelta(seconds=2))
    assert wanted(close).with_recent(begun).codes() == codes
    for intent in (INTENT, PlaceOrder("Sim101", ES, Terms(Side.SELL, 1), "own")):
        assert wanted(intent).with_recent(its).codes() == codes
    assert wanted(Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1"), orders=(ORDER,)).with_recent(its).codes() == []
    if codes:
        world = GOOD.with_recent(its)
        [denial] = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
        assert denial.sentence.startswith("@\u200bhere (<@8>) is flattening `Sim101` (ticket earlier)")


@pytest.mark.parametrize("intent", OTHERS, ids=kind)
def test_what_goes_over_many_things_or_only_cancels_counts_for_no_rate_double_or_position(intent: Intent) -> None:
    counts = not isinstance(intent, Flatten | CancelWorking | Cancel)
    world = GOOD.with_limit(orders_per_minute=1, max_position=3).with_recent(sent(TicketState.ACCEPTED, intent=intent))
    assert (DenialCode.ORDERS_PER_MINUTE in world.codes()) is counts
    places = isinstance(intent, Reverse | VerifiedReverse | Invert | PlaceOrder | FlatPlace | Replace | Close)
    assert (DenialCode.MAX_POSITION in world.codes()) is places


CLOSE = Close("Sim101", ES, Terms(Side.SELL, 2))
TAKEN = sent(TicketState.ACCEPTED, ago=1, intent=CLOSE)


@pytest.mark.parametrize("intent", [each for each in OTHERS if not isinstance(each, Flatten | CancelWorking)], ids=kind)
def test_a_close_that_was_taken_and_is_not_seen_done_is_not_done_twice(intent: OrderIntent) -> None:
    world = wanted(intent, orders=(ORDER,)).with_recent(TAKEN)
    closes = kind(intent) in {"Reverse", "VerifiedReverse", "Invert", "FlatPlace", "Close"}
    assert (DenialCode.OUTCOME_UNKNOWN in world.codes()) is closes


@pytest.mark.parametrize(
    "over",
    [
        replace(TAKEN, order_state=OrderState.FILLED),
        replace(TAKEN, outcome="Still LONG 2 after 15 s; look at NinjaTrader.", told=Told.OVERDUE),
        replace(TAKEN, intent=replace(CLOSE, account="Sim102")),
        replace(TAKEN, state=TicketState.REJECTED),
    ],
    ids=["seen done", "told overdue", "elsewhere", "rejected"],
)
def test_a_close_that_is_over_holds_up_nobody(over: Ticket) -> None:
    assert wanted(CLOSE).with_recent(over).codes() == []
