"""What is said while something is broken is true, and says what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat import phrases
from bot.chat.sheets import health
from bot.desk.requests import CancelRequest, CloseRequest, FlattenRequest, Press, Refused, ReplaceRequest, TicketRequest
from bot.errors import NO_JOURNAL
from bot.trading.health.vitals import Reach, Vitals
from bot.trading.market.facts import Account
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import AccountRule
from tests.desk.conftest import HERE, TRADER, Room, at_once
from tests.desk.fakes import NOON

AWAY = Vitals(Reach.AWAY, "CrossTrade answered HTTP 408. Client not ready", NOON)
WAYS_OUT = [CloseRequest("Sim101", "ES 09-26"), FlattenRequest("account", "Sim101")]


async def told(room: Room, seconds: float = 40) -> list[str]:
    """The alarms that Discord has after a while."""
    await room.passes(seconds)
    return [notice.text for notice in room.messenger.told if "Link down" in notice.text]


@pytest.mark.parametrize("request_", WAYS_OUT, ids=str)
async def test_a_journal_that_can_not_be_written_is_told_with_what_it_means_for_exits(
    running: Room, request_: TicketRequest
) -> None:
    await running.passes(10)
    ticket = await running.ticket(request_)
    running.disk.failing |= {"advance", "open", "record", "append"}
    assert await running.desk.confirm(Press(TRADER, ticket.id, ticket.revision), at_once) is None
    shown = running.messenger.shown[ticket.id][-1]
    assert shown.state is TicketState.NOT_SENT
    assert NO_JOURNAL in (shown.outcome or "")
    refused = await running.desk.offer(TRADER, HERE, request_)
    assert isinstance(refused, Refused)
    assert NO_JOURNAL in refused.denials[0].sentence
    [alarm] = await told(running)
    assert "exits are tried" not in alarm
    assert NO_JOURNAL in alarm
    assert running.broker.sent == []


async def test_with_the_journal_away_too_no_other_alarm_says_that_exits_are_tried(running: Room) -> None:
    await running.passes(10)
    running.disk.failing |= {"advance", "open", "record", "append"}
    running.broker.known = replace(AWAY, good_at=running.clock())
    await running.desk.offer(TRADER, HERE, CloseRequest("Sim101", "ES 09-26"))
    alarms = await told(running)
    assert len(alarms) == 2
    assert not any("exits are tried" in alarm for alarm in alarms)


@pytest.mark.parametrize("provider", ["Simulator", "Rithmic", None])
async def test_an_alarm_says_live_where_cards_do(running: Room, provider: str | None) -> None:
    running.rule(accounts=(AccountRule("Sim101", live=True),))
    running.broker.book_accounts["Sim101"] = Account("Sim101", provider, connected=True)
    ticket = await running.ticket(CloseRequest("Sim101", "ES 09-26"))
    assert ticket.shown.live
    await running.passes(10)
    running.broker.known = replace(AWAY, good_at=running.clock())
    [alarm] = await told(running)
    assert "“Sim101” (LIVE) · ES 09-26" in alarm


async def test_an_account_that_is_named_as_live_meanwhile_is_told_as_such(running: Room) -> None:
    await running.passes(10)
    running.rule(accounts=(AccountRule("Sim101", live=True),))
    running.broker.known = replace(AWAY, good_at=running.clock() - timedelta(seconds=10))
    [alarm] = await told(running)
    assert "(SIM)" not in alarm


@pytest.mark.parametrize(
    "request_",
    [
        *WAYS_OUT,
        FlattenRequest("everything"),
        FlattenRequest("instrument", "Sim101", "ES 09-26"),
        CloseRequest("Sim101", "ES 09-26", 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("market_open", [False, True, None])
async def test_a_market_that_is_shut_is_told_on_the_card_of_what_closes(
    room: Room, request_: TicketRequest, market_open: bool | None
) -> None:
    room.broker.quote_changes["market_open"] = market_open
    ticket = await room.ticket(request_)
    told_of = [warning for warning in ticket.shown.warnings if "the market is shut: it fills at the open" in warning]
    assert len(told_of) == (market_open is False)
    await room.confirm(ticket)
    assert room.broker.sent


async def test_nobody_waits_for_a_quote_to_be_offered_a_flatten(room: Room) -> None:
    room.broker.hanging.add("quote")
    began = room.clock()
    ticket = await room.ticket(FlattenRequest("account", "Sim101"))
    assert ticket.shown.warnings == ()
    assert (room.clock() - began).total_seconds() <= 1.5


async def test_what_only_cancels_says_nothing_of_the_market(room: Room) -> None:
    room.broker.rest(Side.BUY, 1)
    room.broker.quote_changes["market_open"] = False
    ticket = await room.ticket(CancelRequest("Sim101", "", "account"))
    assert ticket.shown.warnings == ()
    assert "quote" not in room.broker.called


async def test_health_does_not_say_that_all_stands_while_nothing_can_be_read(running: Room) -> None:
    await running.passes(20)
    running.broker.known = Vitals(Reach.GARBLED, "CrossTrade sent an answer that can't be read.", NOON, garbled={"positions": 3})
    report = await running.desk.health.report(TRADER)
    [text] = health(report)
    assert "Every link stands" not in text
    assert "3 unreadable" in text
    assert not running.desk.health.sign.up
    [alarm] = await told(running)
    assert "CrossTrade: 3 unreadable" in alarm
    assert "Look in NinjaTrader" in alarm


REPLACE = ReplaceRequest("Sim101", "rest1", 2, OrderType.STOPMARKET, stop="5810")


async def replaced(room: Room, state: OrderState) -> Ticket:
    """A replacement that CrossTrade took, with the old order as NinjaTrader has it."""
    room.broker.rest(Side.BUY, 2)
    room.broker.replaced = state
    ticket = await room.ticket(REPLACE)
    await room.confirm(ticket)
    return await room.now(ticket.id)


def said(ticket: Ticket) -> str:
    """All that the card says of the orders."""
    return "\n".join([*phrases.order(ticket), phrases.news(ticket)])


def alarms(room: Room) -> list[str]:
    """What the channel reads of an order that stayed."""
    return [notice.text for notice in room.messenger.told if "The order that was replaced is still there" in notice.text]


@pytest.mark.parametrize("state", [OrderState.CANCEL_PENDING, OrderState.CANCEL_SUBMITTED, OrderState.WORKING])
async def test_the_order_that_was_replaced_is_not_called_cancelled_before_it_is_seen_so(running: Room, state: OrderState) -> None:
    ticket = await replaced(running, state)
    assert "rest1` is cancelled" not in said(ticket)
    await running.passes(14)
    assert alarms(running) == []
    await running.passes(4)
    [alarm] = alarms(running)
    assert f"order “rest1” was last seen {state.value}, not cancelled" in alarm
    assert "/cancel one of them" in alarm
    assert f"was last seen {state.value}" in said(await running.now(ticket.id))
    await running.passes(60)
    assert len(alarms(running)) == 1
    running.broker.change("rest1", OrderState.CANCELLED)
    await running.passes(10)
    assert "order “rest1” is cancelled" in said(await running.now(ticket.id))


async def test_a_replacement_whose_old_order_goes_is_told_without_a_word_of_alarm(running: Room) -> None:
    ticket = await replaced(running, OrderState.CANCELLED)
    await running.passes(20)
    assert alarms(running) == []
    assert "order “rest1” is cancelled" in said(await running.now(ticket.id))


async def test_an_old_order_that_fills_beside_the_new_one_is_an_alarm_at_once(running: Room) -> None:
    await replaced(running, OrderState.FILLED)
    await running.passes(3)
    [alarm] = alarms(running)
    assert "order “rest1” has filled: this order stands beside it" in alarm


async def test_a_new_order_that_fills_beside_one_that_stays_is_told_with_it_within_five_seconds(running: Room) -> None:
    ticket = await replaced(running, OrderState.CANCEL_PENDING)
    running.broker.change("order2", OrderState.FILLED, 2)
    await running.passes(5)
    assert len(alarms(running)) == 1
    [fill] = [notice.text for notice in running.messenger.told if "Filled 2" in notice.text]
    assert "order “rest1” was last seen CancelPending" in fill
    stored = await running.now(ticket.id)
    assert (stored.order_state, stored.is_followed) == (OrderState.FILLED, False)


async def test_a_list_that_lags_makes_no_alarm_of_an_old_order_that_has_gone(running: Room) -> None:
    await replaced(running, OrderState.CANCEL_PENDING)
    running.broker.change("order2", OrderState.FILLED, 2)
    await running.passes(1.5)
    running.broker.change("rest1", OrderState.CANCELLED)
    await running.passes(4)
    assert alarms(running) == []
    assert any("Filled 2" in notice.text for notice in running.messenger.told)


async def test_who_replaces_an_order_that_is_being_cancelled_is_warned(room: Room) -> None:
    room.broker.rest(Side.BUY, 2)
    room.broker.change("rest1", OrderState.CANCEL_PENDING)
    ticket = await room.ticket(REPLACE)
    assert any("order “rest1” is CancelPending already and may not go" in each for each in ticket.shown.warnings)
