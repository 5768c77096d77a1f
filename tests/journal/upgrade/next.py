"""What a desk does about a journal that it finds: which tickets end how, while NinjaTrader lists this or that."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.trading.market.facts import Account
from bot.trading.orders.tickets import IN_FLIGHT
from tests.desk.conftest import make_desk
from tests.desk.fakes import ES, NOON, Clock, FakeBroker, FakeMessenger
from tests.journal.upgrade.keeping import restore
from tests.journal.upgrade.stage import HELD, POLICY
from tests.journals import new_place

# Longer than evidence and what is left of a mass action wait for anything.
LATER = 100
# Until the next process is there.
RESTART = timedelta(seconds=5)
# What each account holds, and whether the orders work that bear an id of the desk's own.
WORLDS: Mapping[str, tuple[int, bool]] = {
    "nothing is open": (0, False),
    "all is open": (HELD, False),
    "new orders work": (0, True),
}
Change = Callable[[SqlJournal], Awaitable[None]]


async def _nothing(_journal: SqlJournal) -> None:
    """Leave it as it is."""


async def what_comes(kept: dict[str, Any], change: Change = _nothing) -> dict[str, dict[str, list[str]]]:
    """How each ticket goes on in each of these worlds: where it ends, and the names of what is told of it.

    Args:
        kept: what was kept.
        change: is done to each before a desk finds it.
    """
    found, ahead = {}, datetime.fromisoformat(kept["at"]) - NOON + RESTART
    for name, (held, works) in WORLDS.items():
        url = f"sqlite+aiosqlite:///{new_place()}"
        await restore(url, kept)
        async with opened(url) as journal:
            await change(journal)
        found[name] = await _in_a_world(url, ahead, held, works=works)
    return found


async def _in_a_world(url: str, ahead: timedelta, held: int, *, works: bool) -> dict[str, list[str]]:
    clock = Clock(ahead)
    broker, messenger = FakeBroker(clock), FakeMessenger()
    async with opened(url, clock) as journal:
        tickets = await journal.live()
        names = {name for ticket in tickets for name in ticket.intent.accounts}
        broker.book_accounts = {name: Account(name, "Simulator", connected=True) for name in sorted(names)}
        broker.book_positions = {(name, ES): held for name in sorted(names)}
        for ticket in tickets if works else ():
            if (order_id := ticket.intent.client_order_id) is not None and ticket.state in IN_FLIGHT:
                broker.ids = (order_id,)
                broker.book(ticket.intent)
        before = {ticket.id: len(await journal.events(ticket.id)) for ticket in tickets}
        desk = make_desk(broker, journal, messenger, clock, [POLICY], "n")
        await desk.start()
        await asyncio.sleep(LATER)
        await desk.abandon()
        assert broker.sent == [], "nothing is sent for being found"
        return {ticket.id: await _went_on(journal, ticket.id, before[ticket.id]) for ticket in tickets}


async def _went_on(journal: SqlJournal, ticket_id: str, before: int) -> list[str]:
    ticket, events = await journal.ticket(ticket_id), await journal.events(ticket_id)
    assert ticket is not None
    state = "" if ticket.order_state is None else ticket.order_state.value
    return [ticket.state.value, state, *(event.name.value for event in events[before:])]
