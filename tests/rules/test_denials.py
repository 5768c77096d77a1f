"""What a denial says to the letter: a number or a name in the wrong place would send a trader the wrong way."""

import re
from dataclasses import replace

import pytest

from bot.trading.orders.intents import Bracket, Cancel, Close, Invert
from bot.trading.orders.mass_actions import Flatten, Scope
from bot.trading.orders.terms import OrderState, Side, Terms
from bot.trading.orders.tickets import TicketState
from bot.trading.risk.limits import check_order
from tests.rules.strategies import ES, GOOD, NQ, ORDER, TICKET, World, sent

from .test_limits import ALONE
from .test_limits_of_what_is_there import BRACKETS, REPLACEMENTS


def close(quantity: int, contract: object = ES) -> World:
    """All is well, and a close is asked for."""
    return replace(GOOD, intent=Close("Sim101", contract, Terms(Side.SELL, quantity)))  # type: ignore[arg-type]  # ES or NQ


UNREAD = {"orders": None, "missing": ("orders: HTTP 500", "account: no answer")}
SAID: list[tuple[World, str, str]] = [
    (
        GOOD.with_facts(**UNREAD),
        "FACTS_MISSING",
        "CrossTrade could not be read (“orders: HTTP 500”; “account: no answer”), so nothing is sent; try again shortly.",
    ),
    (
        close(2).with_facts(**UNREAD),
        "FACTS_MISSING",
        (
            "CrossTrade could not be read (“orders: HTTP 500”; “account: no answer”), so nothing is sent; try again shortly, or "
            "use “/flatten scope:instrument”, which goes out unseen within 5 s and is read back once the lists can be read."
        ),
    ),
    (
        replace(GOOD, intent=Cancel("Sim101", ES, Terms(Side.SELL, 3), "o1")).with_facts(orders=None),
        "FACTS_MISSING",
        (
            "CrossTrade could not be read (no answer), so nothing is sent; try again shortly, or use "
            "“/cancel scope:instrument”, which goes out unseen within 5 s and is read back once the lists can be read."
        ),
    ),
    (
        replace(GOOD, intent=Bracket("Sim101", ES, Terms(Side.SELL, 2), None)).with_facts(orders=None),
        "FACTS_MISSING",
        "CrossTrade could not be read (no answer), so nothing is sent; try again shortly.",
    ),
    (
        ALONE["not a simulation"][0],
        "LIVE_NOT_NAMED: account=Sim101 provider=Rithmic",
        (
            "“Sim101” is not a simulation and the policy file doesn't name it as live; whoever runs the desk must add it under "
            "[[account]]."
        ),
    ),
    (
        ALONE["disconnected"][0],
        "ACCOUNT_DISCONNECTED: account=Sim101",
        "NinjaTrader says that “Sim101” is not connected; connect it there and try again.",
    ),
    (
        ALONE["connection untold"][0],
        "ACCOUNT_DISCONNECTED: account=Sim101",
        "CrossTrade doesn't tell whether “Sim101” is connected, so nothing new is sent there; look at it in NinjaTrader.",
    ),
    (
        ALONE["flat"][0],
        "NO_POSITION: account=Sim101 instrument=ES 09-26",
        "“Sim101” has no position in ES 09-26, so there is nothing to reverse.",
    ),
    (
        close(1, NQ),
        "NO_POSITION: account=Sim101 instrument=NQ 09-26",
        "“Sim101” has no position in NQ 09-26, so there is nothing to close.",
    ),
    (
        replace(GOOD, intent=Invert("Sim101", ES, Terms(Side.BUY, 3))),
        "BAD_REQUEST: side=buy quantity=3 position=2",
        "mode:invert turns the whole of LONG 2 round, so it takes side:sell qty:2; change these, or take another mode.",
    ),
    (
        close(3),
        "BAD_REQUEST: quantity=3 position=2",
        "Only 2 of ES 09-26 are open, less than 3; lower qty, or leave it out to close all.",
    ),
    (
        BRACKETS["larger than a short one"][0],
        "BAD_REQUEST: quantity=3 position=-2",
        "Only 2 of ES 09-26 are open, less than 3; lower qty.",
    ),
    (
        BRACKETS["target below"][0],
        "BAD_PRICE: target=5795.00 bid=5800.00 ask=5800.25",
        "The target must lie above the bid of 5800.00; 5795.00 would fill at once.",
    ),
    (
        BRACKETS["target above, short"][0],
        "BAD_PRICE: target=5805.00 bid=5800.00 ask=5800.25",
        "The target must lie below the ask of 5800.25; 5805.00 would fill at once.",
    ),
    (
        BRACKETS["target off the tick"][0],
        "BAD_PRICE: tick=0.25",
        "The target 5810.10 is off the tick of 0.25: the nearest are 5810.00 and 5810.25.",
    ),
    (
        ALONE["order not listed"][0],
        "NO_SUCH_ORDER: account=Sim101 order=o1",
        "NinjaTrader lists no order “o1” in “Sim101”; /orders shows those that work.",
    ),
    (
        ALONE["order over"][0],
        "ORDER_FINISHED: order=o1 state=Filled",
        "Order “o1” is filled already, so there is nothing to cancel.",
    ),
    (
        ALONE["being flattened"][0],
        "FLATTENING: ticket=earlier state=sending",
        (
            "“Ada” (member 7) is flattening “Sim101” (ticket earlier), so nothing new is taken there; "
            "wait until its card says what became of it."
        ),
    ),
    (
        ALONE["what closes already"][0],
        "CLOSING: order=o1 remaining=1",
        (
            "Order “o1” closes there already (SELL 1 MARKET, 1 to fill); wait for it, or take it back with “/cancel "
            "scope:order account:Sim101 order:o1” and ask again."
        ),
    ),
    (
        ALONE["outcome unknown"][0],
        "OUTCOME_UNKNOWN: ticket=earlier state=unknown",
        "The outcome of ticket earlier in “Sim101” ES 09-26 is not known yet; wait until its card says what became of it.",
    ),
    (
        ALONE["crossed market"][0],
        "QUOTE_MISSING: bid=5800.50 ask=5800.25 last=5800.25",
        "There is no usable price for ES 09-26; check the data feed in NinjaTrader and try again.",
    ),
    (
        ALONE["old quote"][0],
        "QUOTE_STALE: age=11s stale_seconds=10",
        "The last price of ES 09-26 is too old to trade on; try again when prices move.",
    ),
    (
        ALONE["quote without time"][0].with_quote(at=None, market_open=False),
        "QUOTE_STALE: age=unknown stale_seconds=10",
        "The last price of ES 09-26 is too old to trade on; try again when prices move. The market is closed.",
    ),
    (
        ALONE["limit off the tick"][0],
        "BAD_PRICE: tick=0.25",
        "The limit price 5800.10 is off the tick of 0.25: the nearest are 5800.00 and 5800.25.",
    ),
    (
        ALONE["limit far away"][0],
        "PRICE_BAND: price=5850.50 last=5800.25 ticks=200",
        "The limit price 5850.50 lies more than 200 ticks from the last price 5800.25; check it for a slip.",
    ),
    (
        ALONE["stop far away"][0],
        "PRICE_BAND: price=5750.00 last=5800.25 ticks=200",
        "The stop price 5750.00 lies more than 200 ticks from the last price 5800.25; check it for a slip.",
    ),
    (
        ALONE["too large"][0],
        "MAX_POSITION: worst=11 side=sell max_position=10",
        (
            "With working orders and orders on their way “Sim101” could hold 11 ES, more than the 10 allowed; lower the quantity "
            "or cancel working orders."
        ),
    ),
    (
        ALONE["too many a minute"][0],
        "ORDERS_PER_MINUTE: sent=3 orders_per_minute=3",
        "You have sent 3 orders in the last minute and 3 are allowed; wait a little.",
    ),
    (
        ALONE["the same again"][0],
        "DUPLICATE: ticket=earlier duplicate_seconds=10",
        "“Ada” (member 7) sent the same order 5 s ago (ticket earlier); if a second one is meant, ask again after 10 s.",
    ),
    (
        ALONE["too much lost"][0],
        "DAILY_LOSS: result=-1000.01 daily_loss=1000",
        (
            "The day's result of “Sim101”, since 18:00 New York, is -1000.01 and its limit is -1000: "
            "only what lessens the risk is allowed there now."
        ),
    ),
    (
        ALONE["realised unread"][0],
        "DAILY_LOSS: result=None daily_loss=1000",
        (
            "The day's result of “Sim101”, since 18:00 New York, can't be read and its limit is -1000: "
            "only what lessens the risk is allowed there now."
        ),
    ),
    (
        REPLACEMENTS["over"][0],
        "ORDER_FINISHED: order=old state=Filled",
        "Order “old” is filled already, so there is nothing to replace.",
    ),
]


@pytest.mark.parametrize(("world", "code", "sentence"), SAID, ids=[code for _, code, _ in SAID])
def test_a_denial_says_just_that(world: World, code: str, sentence: str) -> None:
    [denial] = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert (str(denial), denial.sentence) == (code, sentence)


LONG = "x" * 100
DONE = replace(ORDER, ids=(LONG,), state=OrderState.FILLED)
BY_A_LONG_NAME = replace(TICKET.requester, name=LONG)


@pytest.mark.parametrize(
    ("world", "shown"),
    [
        (replace(GOOD, intent=Cancel("Sim101", ES, Terms(Side.SELL, 3), LONG)), 64),
        (replace(GOOD, intent=Cancel("Sim101", ES, Terms(Side.SELL, 3), LONG)).with_facts(orders=(DONE,)), 64),
        (GOOD.with_recent(sent(TicketState.SENDING, intent=Flatten(Scope(("Sim101",))), requester=BY_A_LONG_NAME)), 40),
        (GOOD.with_limit(duplicate_seconds=10).with_recent(sent(requester=BY_A_LONG_NAME)), 40),
    ],
    ids=["not listed", "over", "being flattened", "the same again"],
)
def test_a_long_name_is_cut(world: World, shown: int) -> None:
    [denial] = check_order(world.intent, world.member, world.facts, world.policy, world.recent, world.now)
    assert re.findall(r"x+…", denial.sentence) == ["x" * (shown - 1) + "…"]


def test_every_code_that_a_limit_can_give_is_among_them() -> None:
    assert {code.partition(":")[0] for _, code, _ in SAID} >= {code.name for _, code in ALONE.values()} - {
        "POSITION_NOT_AS_REQUIRED"  # its words are in test_conditions
    }
