"""People who look, all at once: each has a share and is told so, and nobody's order or news waits for them."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from bot.desk.desk import Desk
from bot.desk.lookup.lanes import Lanes
from bot.desk.ports import EventName
from bot.desk.requests import (
    BracketRequest,
    CancelRequest,
    CloseRequest,
    FlattenRequest,
    PlaceRequest,
    Refused,
    ReverseRequest,
    TicketRequest,
)
from bot.trading.health.shares import HURRYING, READING, TYPING
from bot.trading.orders.terms import OrderState, OrderType, Side
from bot.trading.orders.tickets import Member, TicketState
from bot.trading.planning.card_actions import CardAction
from bot.trading.planning.suggestions import SoFar
from bot.trading.risk.policy import DenialCode, Grant, Route
from tests.desk.conftest import HERE, SECOND, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES, FakeBroker, eventually

PLACE = PlaceRequest("Sim101", "ES 09-26", Side.BUY, 1)
CLOSE = CloseRequest("Sim101", "ES 09-26")
FIVE = "ES,NQ,CL,GC,RTY"
CROWD = [Member(50 + number, f"Member {number}", frozenset({TRADER_ROLE})) for number in range(10)]


@pytest.fixture(autouse=True)
def everything_is_granted(room: Room) -> None:
    """Traders may do anything in every simulation."""
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("Sim*",), ("*",), 9),))


def why(made: object) -> str:
    """The one sentence of a refusal for having asked too often."""
    assert isinstance(made, Refused), made
    [denial] = made.denials
    assert denial.code is DenialCode.ASKED_TOO_OFTEN
    return denial.sentence


async def test_one_member_has_a_share_of_reading_and_is_told_when_there_is_room_again(room: Room) -> None:
    reads = room.desk.reads
    for _ in range(4):
        assert not isinstance(await reads.market(TRADER, FIVE), Refused)
        await room.passes(13)
    asked = room.broker.reads
    assert why(await reads.market(TRADER, FIVE)) == "You have asked CrossTrade for 20 readings in a minute; next in 8 s."
    assert room.broker.reads == asked
    assert not isinstance(await reads.market(SECOND, FIVE), Refused)
    await room.passes(8)
    assert not isinstance(await reads.market(TRADER, FIVE), Refused)


async def test_all_members_have_a_share_together_and_whoever_has_asked_for_little_is_served(room: Room) -> None:
    reads = room.desk.reads
    refused = []
    for _ in range(4):
        refused += [made for member in CROWD if isinstance(made := await reads.market(member, FIVE), Refused)]
    assert room.broker.reads <= READING.of_all + READING.of_one
    assert refused
    assert "all members together for 60; next in 60 s." in why(refused[-1])
    assert not isinstance(await reads.positions(TRADER, "Sim101"), Refused)


async def test_whoever_may_not_is_told_that_and_spends_nothing(room: Room) -> None:
    stranger = Member(9, "Sam")
    for _ in range(30):
        made = await room.desk.reads.market(stranger, FIVE)
        assert isinstance(made, Refused)
        assert made.denials[0].code is DenialCode.NO_GRANT
    assert room.desk.reads.tally.ask(stranger.id, READING.of_one) is None


async def test_a_refusal_for_having_asked_too_often_is_written_down_once_a_minute(room: Room) -> None:
    for seconds in (0, 59, 1.1):
        await room.passes(seconds)
        for _ in range(12):
            await room.desk.reads.accounts(TRADER)
    told = [event for event in room.disk.recorded if event.name is EventName.DENIED]
    assert [event.data["command"] for event in told] == ["accounts"] * 2


async def test_keystrokes_have_a_share_for_each_member_and_one_for_all(room: Room) -> None:
    await room.look_around()
    room.broker.reads = 0
    for _ in range(60):
        for member in CROWD:
            await room.desk.suggest.prices(member, SoFar("place", "Sim101", "ES 09-26", side=Side.BUY), "limit", "")
        await room.passes(0.9)
    assert room.broker.reads <= TYPING.of_all + TYPING.of_one


async def test_no_share_denies_an_order(room: Room) -> None:
    for _ in range(20):
        await room.desk.reads.market(TRADER, FIVE)
    for request in (PLACE, CLOSE, FlattenRequest("account", "Sim101")):
        for _ in range(5):
            assert (await room.ticket(request)).state is TicketState.OFFERED


@pytest.fixture
async def lanes(room: Room) -> AsyncIterator[Lanes]:
    """The room's broker, one for each lane, and a desk that has them."""
    each = {field.name: replace(room.broker, called=[]) for field in fields(Lanes)}
    kinds = Lanes(**each)
    numbers, usual = itertools.count(1), room.desk
    new_id = lambda: f"L{next(numbers)}"  # noqa: E731 - one line, used once
    policy = lambda: room.policies[-1]  # noqa: E731 - one line, used once
    room.desk = Desk(kinds.tickets, room.disk, room.messenger, policy, room.clock, new_id, lanes=kinds)
    yield kinds
    await room.desk.close()
    room.desk = usual


def read_by(lanes: Lanes) -> set[str]:
    """Which lanes were read by since this was last asked."""
    found = set()
    for field in fields(lanes):
        broker = getattr(lanes, field.name)
        assert isinstance(broker, FakeBroker)
        if broker.called:
            found.add(field.name)
        broker.called.clear()
    return found


OUT = {
    "close": CLOSE,
    "close of a root": CloseRequest("Sim101", "ES"),
    "close, the account not known yet": CloseRequest("sim102", "ES"),
    "flatten": FlattenRequest("account", "Sim101"),
    "flatten everything": FlattenRequest("everything"),
    "cancel": CancelRequest("Sim101", "rest1"),
    "cancel all": CancelRequest("Sim101", scope="account"),
    "bracket": BracketRequest("Sim101", "ES 09-26", 2, "5790", "5810"),
}


@pytest.mark.parametrize("request_", OUT.values(), ids=OUT)
async def test_ways_out_are_read_before_everything(room: Room, lanes: Lanes, request_: TicketRequest) -> None:
    room.broker.rest(Side.BUY, 1)
    made = await room.desk.offer(TRADER, HERE, request_)
    assert read_by(lanes) == {"exit_cards"}
    if not isinstance(made, Refused):
        await room.desk.posted(made.id, 20, 7000)
        await room.confirm(made)
        assert "exit_presses" in (read := read_by(lanes))
        # What goes on after it is read anew.
        assert read <= {"exit_presses", "exits"}


@pytest.mark.parametrize("request_", [PLACE, ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1)], ids=["place", "reverse"])
async def test_entries_are_read_before_people_who_look(room: Room, lanes: Lanes, request_: TicketRequest) -> None:
    ticket = await room.ticket(request_)
    assert read_by(lanes) == {"tickets"}
    await room.confirm(ticket)
    assert read_by(lanes) == {"presses"}


async def test_buttons_of_a_sent_order_are_read_before_nearly_everything(room: Room, lanes: Lanes) -> None:
    ticket = await room.ticket(ReverseRequest("Sim101", "ES 09-26", Side.BUY, 3))
    await room.confirm(ticket)
    read_by(lanes)
    await room.desk.request(TRADER, ticket.id, CardAction.CANCEL_ORDER)
    assert read_by(lanes) == {"exit_cards"}


async def test_people_who_look_are_read_for_behind_all_of_these_and_what_becomes_of_orders_before(
    room: Room, lanes: Lanes
) -> None:
    await room.desk.reads.positions(TRADER, "nobody")
    await room.desk.reads.orders(TRADER, "Sim101", None)
    assert read_by(lanes) == {"looking"}
    await room.confirm(await room.ticket(PLACE))
    read_by(lanes)
    await room.passes(1)
    await room.follow()
    assert read_by(lanes) == {"news"}


async def test_whoever_asks_for_very_many_ways_out_is_read_for_as_others_are(room: Room, lanes: Lanes) -> None:
    for _ in range(HURRYING.of_one):
        await room.ticket(CLOSE)
    assert read_by(lanes) == {"exit_cards"}
    late = await room.ticket(CLOSE)
    assert read_by(lanes) == {"tickets"}
    await room.confirm(late)
    assert read_by(lanes) == {"exit_presses"}
    await room.passes(HURRYING.within.total_seconds())
    room.broker.book_positions["Sim101", ES] = 1
    await room.ticket(FlattenRequest("account", "Sim101"))
    assert read_by(lanes) == {"exit_cards"}


async def test_cards_of_one_members_entries_are_read_for_one_at_a_time(room: Room) -> None:
    await room.look_around()
    room.broker.called.clear()
    room.broker.reading = asyncio.Event()
    asked = [asyncio.create_task(room.desk.offer(TRADER, HERE, PLACE)) for _ in range(3)]
    theirs = asyncio.create_task(room.desk.offer(SECOND, HERE, PLACE))
    out = asyncio.create_task(room.desk.offer(TRADER, HERE, CLOSE))
    await eventually(lambda: room.broker.called.count("quote") == 3)
    await room.passes(9)
    assert room.broker.called.count("quote") == 3
    await room.passes(2)
    assert "still being read" in why(await asked[1])
    assert "still being read" in why(await asked[2])
    room.broker.reading.set()
    for made in (await asked[0], await theirs, await out):
        assert not isinstance(made, Refused)


async def test_the_shares_leave_most_of_the_budget(room: Room) -> None:
    a_minute = 3 * 60
    assert READING.within == TYPING.within == timedelta(minutes=1)
    assert READING.of_all + TYPING.of_all <= a_minute * 0.6


async def followed(room: Room, accounts: int) -> list[str]:
    """So many accounts with an order that rests since long ago, and one in which an order has just been placed."""
    names = [f"Sim{200 + number}" for number in range(accounts)]
    for name in names:
        room.broker.book_accounts[name] = replace(room.broker.book_accounts["Sim102"], name=name)
        await room.confirm(await room.ticket(replace(PLACE, account=name, type=OrderType.LIMIT, limit="5790"), SECOND), SECOND)
    await room.passes(400)
    return names


async def told(room: Room, account: str, event: bool) -> float:
    """How long it takes until a fill there is told."""
    order = next(order for order in room.broker.book_orders if order.account == account and not order.state.is_done)
    room.broker.change(order.id, OrderState.FILLED, 1)
    began = room.clock()
    if event:
        room.desk.news(account)
    await eventually(lambda: any(account in notice.text and "Filled" in notice.text for notice in room.messenger.told))
    return (room.clock() - began).total_seconds()


async def test_a_fill_is_told_soon_however_many_orders_rest_elsewhere(running: Room) -> None:
    running.rule(routes=(Route(2001, frozenset({"filled"})),))
    names = await followed(running, 15)
    assert await told(running, names[7], event=True) <= 5
    # Without an event an old order is looked at when its turn comes, and no later than without the others' events.
    assert await told(running, names[8], event=False) <= 20
    await running.confirm(await running.ticket(replace(PLACE, type=OrderType.LIMIT, limit="5790")))
    await running.passes(2)
    assert await told(running, "Sim101", event=False) <= 5


async def test_an_account_that_does_not_answer_holds_up_no_other_accounts_news(running: Room) -> None:
    running.rule(routes=(Route(2001, frozenset({"filled"})),))
    names = await followed(running, 3)
    running.broker.takes[f"orders {names[0]}"] = running.broker.takes[f"orders {names[1]}"] = 60.0
    await running.passes(10)
    assert await told(running, names[2], event=True) <= 5
    running.broker.takes.clear()
    assert await told(running, names[0], event=True) <= 60


async def test_what_fails_while_nobody_waits_for_it_is_looked_at_again(running: Room) -> None:
    running.rule(routes=(Route(2001, frozenset({"filled"})),))
    [name] = await followed(running, 1)
    running.broker.takes[f"orders {name}"] = 5.0
    running.disk.failing.add("advance")
    order = next(order for order in running.broker.book_orders if order.account == name)
    running.broker.change(order.id, OrderState.FILLED, 1)
    running.desk.news(name)
    await running.passes(8)
    running.disk.failing.clear()
    await eventually(lambda: any("Filled" in notice.text for notice in running.messenger.told))
