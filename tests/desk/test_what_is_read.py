"""What each reading command asks CrossTrade for is what the table of endpoints says of it, and it is little."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from bot.crosstrade.endpoints import BESIDE, ENDPOINTS
from bot.errors import BrokerGarbled, BrokerLacks
from bot.trading.orders.terms import Side
from bot.trading.risk.policy import READING_COMMANDS
from tests.desk.conftest import TRADER, Room

# What every command may ask besides: who the accounts are, and whether they are real money.
NAMING = {"accounts", "account"}


def asks(room: Room) -> dict[str, Sequence[Callable[[], Awaitable[object]]]]:
    """Each command in all the ways in which it reads something else."""
    reads = room.desk.reads

    async def without_a_list_of_all(command: str) -> object:
        room.broker.shown.answers |= {"all_positions": BrokerLacks(404, "x"), "all_orders": BrokerLacks(404, "x")}
        return await (reads.positions(TRADER, None) if command == "positions" else reads.orders(TRADER, None, None))

    async def missed_order() -> object:
        room.broker.shown.answers |= {"order": None, "executions_of": BrokerLacks(404, "x")}
        return await reads.order(TRADER, "Sim101", "order1")

    async def refused_quotes() -> object:
        room.broker.shown.answers["quotes"] = BrokerGarbled("x")
        return await reads.quotes(TRADER, "ES, NQ")

    return {
        "positions": (
            lambda: reads.positions(TRADER, None),
            lambda: reads.positions(TRADER, "Sim101", "ES 09-26"),
            lambda: without_a_list_of_all("positions"),
        ),
        "orders": (lambda: reads.orders(TRADER, None, None), lambda: without_a_list_of_all("orders")),
        "order": (lambda: reads.order(TRADER, "Sim101", "order1"), missed_order),
        "accounts": (lambda: reads.accounts(TRADER),),
        "pnl": (lambda: reads.pnl(TRADER),),
        "account": (lambda: reads.account(TRADER, "Sim101"),),
        "executions": (
            lambda: reads.executions(TRADER, "Sim101"),
            lambda: reads.execution(TRADER, "Sim101", "fill1"),
        ),
        "quote": (
            lambda: reads.quotes(TRADER, "ES 09-26, NQ"),
            lambda: reads.quotes(TRADER, "ES", "Sim101"),
            refused_quotes,
        ),
        "market": (lambda: reads.market(TRADER, None),),
        "strategies": (lambda: reads.strategies(TRADER, "Sim101"),),
    }


# Drawn by somebody else, asked for before anybody wants it, or read from the journal alone; they have tests of their own.
ELSEWHERE = {"chart", "health", "why"}


async def test_every_reading_command_is_asked_here(room: Room) -> None:
    assert set(asks(room)) == READING_COMMANDS - ELSEWHERE


@pytest.mark.parametrize("command", sorted(READING_COMMANDS - ELSEWHERE))
async def test_a_command_reads_what_the_table_says_and_nothing_else(room: Room, command: str) -> None:
    for ask in asks(room)[command]:
        await ask()
    told = {one.client for one in (*ENDPOINTS, *BESIDE) if command in one.commands and not one.is_write}
    assert set(room.broker.called) - NAMING == told - NAMING
    assert told <= set(room.broker.called)


@pytest.mark.parametrize(("command", "most"), [("positions", 2), ("orders", 2), ("order", 4), ("executions", 2), ("quote", 2)])
async def test_the_usual_way_takes_few_requests_however_many_accounts_there_are(room: Room, command: str, most: int) -> None:
    await room.desk.reads.naming.directory.refresh_accounts()
    room.broker.book_orders.append(replace(room.broker.rest(Side.BUY, 1), ids=("order1",)))
    room.broker.called.clear()
    await asks(room)[command][0]()
    assert len(room.broker.called) <= most
