"""Stops and targets in virtual time: whatever becomes of them is told, and they are never called there while they aren't."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from bot.chat import phrases
from bot.desk.requests import BracketRequest, PlaceRequest, TicketRequest
from bot.sandbox.ninjatrader import AccountSpec, Holding, Kind
from bot.sandbox.ninjatrader.orders import STOPS, OrderType
from bot.timings import USUAL
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import Ticket
from tests.desk.fakes import eventually
from tests.exits.floor import Floor, open_floor

ES, LONG = "ES 12-26", (AccountSpec("Sim1", holdings=(Holding("ES 12-26", 2),)),)
FLAT = (AccountSpec("Sim1"),)
BRACKET = BracketRequest("Sim1", ES, 2, "last+400t", "last-400t")
ENTRY = PlaceRequest("Sim1", ES, Side.BUY, 2, strategy="MyAtmStrategy")
# Alarms may take the wait for a stop, and one look before and one after it.
IN_TIME = USUAL.desk.protected_within.total_seconds() + 2 * USUAL.desk.old_every.total_seconds()


@asynccontextmanager
async def trading(accounts: tuple[AccountSpec, ...], transport: str) -> AsyncIterator[Floor]:
    """A floor whose desk runs, and whose prices stand still."""
    async with open_floor(accounts, transport=transport) as floor:
        floor.simulator.world.market.ticker(floor.simulator.world.contract(ES)).frozen = True
        await floor.desk.start()
        yield floor


async def sent(floor: Floor, request: TicketRequest) -> Ticket:
    """A ticket that was confirmed."""
    return await floor.confirm(await floor.ask(request))


def shows(floor: Floor, ticket: Ticket) -> str:
    """What the card says of it now."""
    latest = floor.messenger.shown.get(ticket.id, [ticket])[-1]
    return "\n".join([phrases.news(latest), *phrases.protection(latest)])


def stops(floor: Floor) -> int:
    """How many stops work."""
    orders = floor.simulator.world.exchange.orders
    return sum(1 for order in orders if order.ticket.order_type in STOPS and order.is_resting)


@pytest.mark.parametrize("transport", ["rest", "websocket"])
@pytest.mark.parametrize(("accounts", "request_"), [(LONG, BRACKET), (FLAT, ENTRY)], ids=["bracket", "strategy"])
@pytest.mark.parametrize(
    ("kind", "which", "words"),
    [
        (Kind.LEG_REJECTED, "both", "2 of LONG 2 unprotected"),
        (Kind.LEG_REJECTED, "stop", "2 of LONG 2 unprotected"),
        (Kind.LEG_REJECTED, "target", "0 of LONG 2 unprotected"),
        (Kind.LEG_CANCELLED, "stop", "2 of LONG 2 unprotected"),
    ],
)
async def test_a_leg_that_is_lost_is_told_as_unprotected(
    transport: str, accounts: tuple[AccountSpec, ...], request_: TicketRequest, kind: Kind, which: str, words: str
) -> None:
    async with trading(accounts, transport) as floor:
        floor.simulator.faults.add(kind, body=which, seconds=8.0, count=1)
        ticket = await sent(floor, request_)
        await eventually(lambda: "target and stop are there" in shows(floor, ticket), 5)
        assert stops(floor) == 1
        await eventually(lambda: words in shows(floor, ticket), 8 + IN_TIME)
        assert "there" not in shows(floor, ticket)
        assert ("Order rejected by the broker." in shows(floor, ticket)) is (kind is Kind.LEG_REJECTED)


@pytest.mark.parametrize("transport", ["rest", "websocket"])
@pytest.mark.parametrize("which", ["stop", "both"])
async def test_a_strategy_without_its_stop_is_told_after_five_seconds(transport: str, which: str) -> None:
    async with trading(FLAT, transport) as floor:
        floor.simulator.faults.add(Kind.ATM_BARE, body=which, count=1)
        ticket = await sent(floor, ENTRY)
        await eventually(lambda: "2 of LONG 2 unprotected" in shows(floor, ticket), IN_TIME)


@pytest.mark.parametrize("transport", ["rest", "websocket"])
@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize(("ticks", "words"), [(-401, "LONG 2 stopped out at"), (401, "LONG 2 target hit at")])
async def test_a_leg_that_fills_is_told_within_five_seconds(transport: str, pruned: bool, ticks: int, words: str) -> None:
    async with trading(LONG, transport) as floor:
        ticket = await sent(floor, BRACKET)
        await eventually(lambda: "there" in shows(floor, ticket), 5)
        if pruned:
            floor.simulator.faults.add(Kind.PRUNED)
        world = floor.simulator.world
        contract = world.contract(ES)
        world.market.set_price(contract, world.market.ticker(contract).last + ticks * Decimal("0.25"))
        world.exchange.match_all()
        await eventually(lambda: words in shows(floor, ticket), 5)
        assert floor.held() == {}


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (BracketRequest("Sim1", ES, 2, stop="last-400t"), OrderType.STOP_MARKET),
        (BracketRequest("Sim1", ES, 2, "last+400t"), OrderType.LIMIT),
    ],
    ids=["stop", "target"],
)
@pytest.mark.parametrize("transport", ["rest", "websocket"])
async def test_one_leg_alone_goes_out_alone(transport: str, request_: BracketRequest, kind: OrderType) -> None:
    async with trading(LONG, transport) as floor:
        ticket = await sent(floor, request_)
        await eventually(lambda: " is there" in shows(floor, ticket), 5)
        assert [order.ticket.order_type for order in floor.simulator.world.exchange.orders] == [kind]
