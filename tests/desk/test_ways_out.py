"""Ways out ask for a grant, the account and what they act on, and touch nothing that wasn't granted."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.desk.requests import BracketRequest, CancelRequest, CloseRequest, FlattenRequest, PlaceRequest, Refused, TicketRequest
from bot.trading.market.facts import Account
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, FlattenAccount, FlattenEverything
from bot.trading.orders.intents import Cancel
from bot.trading.orders.mass_actions import CancelWorking, Flatten, Scope
from bot.trading.orders.terms import OrderState, Side
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.risk.policy import AccountRule, Grant
from tests.desk.conftest import HERE, TRADER, TRADER_ROLE, Room
from tests.desk.fakes import ES

REAL = "Apex-001"
EVERYTHING = FlattenRequest("everything")
CANCEL_EVERYTHING = CancelRequest("", scope="everything")
# Every way out of an account that is named.
OF_ONE = (
    CloseRequest(REAL, "ES 09-26"),
    CancelRequest(REAL, "rest1"),
    CancelRequest(REAL, "", "account"),
    CancelRequest(REAL, "", "instrument", "ES 09-26"),
    FlattenRequest("account", REAL),
    FlattenRequest("instrument", REAL, "ES 09-26"),
    BracketRequest(REAL, "ES 09-26", 2, target="5790", stop="5810"),
)
LIVE_TAKEN_BACK = (AccountRule("*", live=True), AccountRule("Apex-*", live=False))


async def sent(room: Room, request: TicketRequest) -> list[object]:
    """What reaches the broker once it was asked for and confirmed."""
    ticket = await room.ticket(request)
    assert ticket.shown.live
    await room.confirm(ticket)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED
    return list(room.broker.sent)


@pytest.mark.parametrize("rules", [(), LIVE_TAKEN_BACK, (AccountRule("*", live=False),)])
@pytest.mark.parametrize("request_", [*OF_ONE, EVERYTHING, CANCEL_EVERYTHING], ids=str)
async def test_real_money_that_no_line_names_is_left_by_every_way_out(
    room: Room, request_: TicketRequest, rules: tuple[AccountRule, ...]
) -> None:
    room.rule(accounts=rules)
    room.broker.rest(Side.BUY, 2, REAL)
    assert await sent(room, request_)
    assert await room.refused(PlaceRequest(REAL, "ES 09-26", Side.BUY, 1)) == ["LIVE_NOT_NAMED"]


async def test_a_live_line_that_is_taken_away_between_card_and_press_keeps_nobody_in(room: Room) -> None:
    ticket = await room.ticket(EVERYTHING)
    room.rule(accounts=())
    await room.confirm(ticket)
    assert not any(room.broker.book_positions.values())


@pytest.mark.parametrize("request_", OF_ONE, ids=str)
async def test_the_accounts_were_never_read_and_every_way_out_of_one_that_is_named_goes(
    room: Room, request_: TicketRequest
) -> None:
    room.broker.rest(Side.BUY, 2, REAL)
    room.broker.failing.add("accounts")
    assert await sent(room, request_)
    assert await room.refused(PlaceRequest(REAL, "ES 09-26", Side.BUY, 1)) == ["FACTS_MISSING"]
    assert await room.refused(FlattenRequest("account", "Other-1")) == ["ACCOUNT_NOT_GRANTED"]


async def test_an_account_of_the_last_run_is_meant_in_any_case_though_the_accounts_were_never_read(room: Room) -> None:
    before = await room.ticket(FlattenRequest("account", REAL))
    room.broker.failing.update({"accounts", "positions", "orders"})
    await room.confirm(before)
    assert (await room.now(before.id)).state is TicketState.UNKNOWN
    again = room.again()
    await again.start()
    try:
        made = await again.offer(TRADER, HERE, FlattenRequest("account", REAL.upper()))
        assert isinstance(made, Ticket), made
        assert set(made.intent.accounts) == {REAL}
    finally:
        await again.close()


async def test_an_account_of_which_nothing_could_be_read_since_keeps_nobody_in(room: Room) -> None:
    await room.ticket(CloseRequest(REAL, "ES 09-26"))
    room.desk._directory._accounts[REAL] = Account(REAL)
    room.broker.failing.add("account")
    assert await sent(room, CloseRequest(REAL, "ES 09-26"))


@pytest.mark.parametrize("trouble", ["failing", "hanging"])
async def test_an_order_is_cancelled_whatever_of_the_rest_can_be_read(room: Room, trouble: str) -> None:
    order = room.broker.rest(Side.BUY, 2)
    await room.ticket(CloseRequest("Sim101", "ES 09-26"))
    getattr(room.broker, trouble).update({"positions", "quote", "account"})
    began = room.clock()
    ticket = await room.ticket(CancelRequest("Sim101", order.id))
    assert (ticket.shown.position_read, ticket.shown.live) == (False, False)
    await room.confirm(ticket)
    assert [type(action) for action in room.broker.sent] == [Cancel]
    assert (await room.now(ticket.id)).shown == ticket.shown
    assert room.broker.book_orders[0].state is OrderState.CANCELLED
    # A second for what it can do without, at the request and at the press.
    assert (room.clock() - began).total_seconds() <= 2.5


@pytest.mark.parametrize(
    "request_", [CloseRequest("Sim101", "ES 09-26"), FlattenRequest("account", "Sim101"), EVERYTHING, CANCEL_EVERYTHING], ids=str
)
async def test_what_a_way_out_can_do_without_never_holds_it_up(room: Room, request_: TicketRequest) -> None:
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(request_)
    room.broker.hanging |= {"quote", "account", "accounts"}
    began = room.clock()
    await room.confirm(ticket)
    assert room.broker.sent
    assert (room.broker.times[0] - began).total_seconds() <= 2.5


def everywhere(room: Room, *accounts: str) -> None:
    """Let traders do everything in these accounts alone."""
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), accounts, ("*",), 5),))


def comes_back(room: Room, name: str) -> Callable[[], Awaitable[None]]:
    """An acknowledgement that Discord takes after the decision was made; an account that nobody saw is back by then."""
    room.broker.book_positions[name, ES] = 5
    room.broker.rest(Side.SELL, 5, name)

    async def acknowledge() -> None:
        await asyncio.sleep(0.5)
        room.broker.book_accounts[name] = Account(name, "Simulator", connected=True)

    return acknowledge


@pytest.mark.parametrize("accounts", [("Sim*", "Apex-*"), ("*",)])
@pytest.mark.parametrize("command", [EVERYTHING, CANCEL_EVERYTHING])
async def test_what_comes_back_between_press_and_call_is_not_touched(
    room: Room, command: TicketRequest, accounts: tuple[str, ...]
) -> None:
    everywhere(room, *accounts)
    room.broker.book_positions["Sim102", ES] = 1
    for name in ("Sim101", "Sim102", REAL):
        room.broker.rest(Side.BUY, 2, name)
    acknowledge = comes_back(room, "Playback-9")
    ticket = await room.ticket(command)
    assert ticket.intent.accounts == (REAL, "Sim101", "Sim102")
    await room.confirm(ticket, acknowledge=acknowledge)
    assert (await room.now(ticket.id)).state is TicketState.ACCEPTED
    assert not any(isinstance(action, FlattenEverything | CancelEverything) for action in room.broker.sent)
    assert room.broker.book_positions["Playback-9", ES] == 5
    assert [order.account for order in room.broker.book_orders if not order.state.is_done] == ["Playback-9"]


async def test_a_grant_that_is_narrowed_between_card_and_press_names_each_account(room: Room) -> None:
    everywhere(room, "*")
    room.broker.book_positions["Sim102", ES] = 1
    ticket = await room.ticket(EVERYTHING)
    everywhere(room, "Sim*", "Apex-*")
    await room.confirm(ticket)
    assert room.broker.sent == [FlattenAccount(name) for name in (REAL, "Sim101", "Sim102")]
    assert (await room.now(ticket.id)).intent == Flatten(Scope((REAL, "Sim101", "Sim102")))


async def test_whoever_may_everywhere_still_needs_one_call_each(room: Room) -> None:
    everywhere(room, "*")
    for name in ("Sim101", REAL):
        room.broker.rest(Side.BUY, 2, name)
    ticket = await room.ticket(CANCEL_EVERYTHING)
    await room.confirm(ticket)
    assert room.broker.sent == [CancelEverything()]


async def test_where_the_accounts_can_not_be_listed_one_can_be_named(room: Room) -> None:
    await room.ticket()
    room.broker.failing.add("accounts")
    refused = await room.desk.offer(TRADER, HERE, EVERYTHING)
    assert isinstance(refused, Refused)
    assert "scope:account" in refused.denials[0].sentence
    assert await sent_to(room, FlattenRequest("account", "Sim101")) == [FlattenAccount("Sim101")]


async def sent_to(room: Room, request: TicketRequest) -> list[object]:
    """What leaves, of any account, once that was asked for and confirmed."""
    await room.confirm(await room.ticket(request))
    return list(room.broker.sent)


@pytest.mark.parametrize("pattern", ["?", "E?", "??", "?*", "ES*"])
async def test_only_a_star_grants_every_instrument(room: Room, pattern: str) -> None:
    room.rule(grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("*",), (pattern,), 5),))
    room.broker.rest(Side.BUY, 2)
    for request in (FlattenRequest("account", "Sim101"), CancelRequest("Sim101", "", "account")):
        assert await room.refused(request) == ["INSTRUMENT_NOT_GRANTED"]
    for request in (EVERYTHING, CANCEL_EVERYTHING):
        assert await room.refused(request) == ["ACCOUNT_NOT_GRANTED"]


async def test_a_list_that_is_read_too_late_names_each_account(room: Room) -> None:
    everywhere(room, "*")
    room.broker.rest(Side.BUY, 2, REAL)
    room.broker.rest(Side.BUY, 2)
    ticket = await room.ticket(CANCEL_EVERYTHING)
    assert ticket.intent == CancelWorking(Scope((REAL, "Sim101", "Sim102"), everything=True))
    room.broker.hanging.add("accounts")
    await room.confirm(ticket)
    assert room.broker.sent == [CancelOrders(REAL), CancelOrders("Sim101")]
