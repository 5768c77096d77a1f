"""What a desk does about a journal that it finds: which tickets end how, with nothing open at NinjaTrader or all of it."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.trading.facts import Account
from bot.trading.intents import accounts_of
from tests.desk.conftest import make_desk
from tests.desk.fakes import ES, Clock, FakeBroker, FakeMessenger, eventually
from tests.journal.upgrade.keeping import restore
from tests.journal.upgrade.stage import HELD, POLICY

# Longer than evidence and what is left of a sweep wait for anything.
LATER = 100
WORLDS: Mapping[str, int] = {"nothing is open": 0, "all is open": HELD}
Change = Callable[[SqlJournal], Awaitable[None]]


async def _nothing(_journal: SqlJournal) -> None:
    """Leave it as it is."""


async def what_comes(file: Path, kept: dict[str, Any], change: Change = _nothing) -> dict[str, dict[str, list[str]]]:
    """How each ticket goes on in each of these worlds: where it ends, and the names of what is told of it.

    Args:
        file: where the journals may lie.
        kept: what was kept.
        change: is done to each before a desk finds it.
    """
    found = {}
    for name, held in WORLDS.items():
        url = f"sqlite+aiosqlite:///{file.with_stem(f'{file.stem} {held}')}"
        await restore(url, kept)
        found[name] = await _in_a_world(url, held, change)
    return found


async def _in_a_world(url: str, held: int, change: Change) -> dict[str, list[str]]:
    clock = Clock()
    broker, messenger = FakeBroker(clock), FakeMessenger()
    async with opened(url, clock) as journal:
        await change(journal)
    # A journal keeps what it has read, so that another one sees the change.
    async with opened(url, clock) as journal:
        tickets = await journal.live()
        names = {name for ticket in tickets for name in accounts_of(ticket.intent)}
        broker.book_accounts = {name: Account(name, "Simulator", connected=True) for name in sorted(names)}
        broker.book_positions = {(name, ES): held for name in sorted(names)}
        before = {ticket.id: len(await journal.events(ticket.id)) for ticket in tickets}
        desk = make_desk(broker, journal, messenger, clock, [POLICY], "n")
        await desk.start()
        await eventually(lambda: clock.seconds() > LATER, 10 * LATER)
        await desk.abandon()
        assert broker.sent == [], "nothing is sent for being found"
        return {ticket.id: await _went_on(journal, ticket.id, before[ticket.id]) for ticket in tickets}


async def _went_on(journal: SqlJournal, ticket_id: str, before: int) -> list[str]:
    ticket, events = await journal.ticket(ticket_id), await journal.events(ticket_id)
    assert ticket is not None
    state = "" if ticket.order_state is None else ticket.order_state.value
    return [ticket.state.value, state, *(event.name.value for event in events[before:])]
