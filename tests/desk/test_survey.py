"""Reading what a decision needs: in which order it is begun, how far back, and what counts as on its way meanwhile."""

import asyncio
from typing import Any

from bot.desk.lookup.fronts import Fronts
from bot.desk.lookup.look import FactsReader, survey
from bot.desk.ports import EventName
from bot.desk.requests import Press
from bot.journal.store import SqlJournal
from bot.timings import USUAL
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import TicketState, move
from bot.trading.risk.exposure import worst_position
from bot.trading.risk.policy import Limit
from tests.clocks import TODAY
from tests.desk.conftest import SECOND, TRADER, Room, make_desk
from tests.desk.fakes import FlakyJournal, eventually

EVERYWHERE = (("*",), ("*",))


def look(room: Room) -> FactsReader:
    return FactsReader(room.broker, USUAL.desk, Fronts(lambda: TODAY))


class Listed(FlakyJournal):
    """The journal, with a list of what was asked of it."""

    def __init__(self, real: SqlJournal, asked: list[str]) -> None:
        super().__init__(real)
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return super().__getattr__(name)


async def test_the_acknowledgement_leaves_before_anything_is_read(room: Room) -> None:
    ticket = await room.ticket()
    order: list[str] = []

    async def acknowledge() -> None:
        order.append("acknowledged")

    desk = make_desk(room.broker, Listed(room.disk.real, order), room.messenger, room.clock, room.policies)
    assert await desk.confirm(Press(TRADER, ticket.id, ticket.revision), acknowledge) is None
    assert order[:3] == ["acknowledged", "ticket", "recent"]


async def test_an_order_that_fills_while_the_world_is_read_counts_as_on_its_way(room: Room) -> None:
    ticket = await room.ticket()
    sent = move(ticket, TicketState.SENDING, sent_at=room.clock())
    accepted = move(sent, TicketState.ACCEPTED, order_ids=("order1",))
    done = move(accepted, TicketState.ACCEPTED, order_state=OrderState.FILLED, filled=1)
    assert await room.journal.advance(ticket, sent, ())
    assert await room.journal.advance(sent, accepted, ())
    room.broker.reading = asyncio.Event()
    looking = asyncio.create_task(
        survey(
            look(room),
            room.journal,
            ticket.order,
            lambda: room.policies[-1],
            room.clock,
        )
    )
    await eventually(lambda: room.broker.reads >= 8)
    assert await room.journal.advance(accepted, done, ())
    room.broker.reading.set()
    facts, recent = await looking
    # The positions may have been read before the fill, so that it is counted here or nowhere.
    assert worst_position(ticket.order, facts, recent.tickets) == 2


async def filled(room: Room) -> None:
    """An order that was sent and has filled, so that only a limit's window brings it up again."""
    ticket = await room.ticket()
    await room.confirm(ticket)
    sent = await room.now(ticket.id)
    assert await room.journal.advance(sent, move(sent, TicketState.ACCEPTED, order_state=OrderState.FILLED, filled=1), ())
    room.broker.forget_working()


async def test_a_duplicate_is_refused_for_as_long_as_the_policy_says(room: Room) -> None:
    room.rule(limits=(Limit(*EVERYWHERE, duplicate_seconds=7200),))
    await filled(room)
    room.clock.pass_by(7000)
    assert await room.refused(member=SECOND) == ["DUPLICATE"]
    room.clock.pass_by(201)
    assert (await room.ticket(member=SECOND)).state is TicketState.OFFERED


async def test_a_limit_that_comes_into_force_while_the_world_is_read_sees_what_was_sent_before(room: Room) -> None:
    await filled(room)
    room.clock.pass_by(5)
    second = await room.ticket(member=SECOND)
    room.broker.reading = asyncio.Event()
    reads = room.broker.reads
    press = asyncio.create_task(room.confirm(second, SECOND))
    await eventually(lambda: room.broker.reads >= reads + 4)
    room.rule(limits=(Limit(*EVERYWHERE, orders_per_minute=9, duplicate_seconds=10),))
    room.broker.reading.set()
    await press
    denied = await room.now(second.id)
    assert denied.state is TicketState.DENIED
    assert "DUPLICATE" in (denied.outcome or "")
    assert [event.name for event in await room.journal.events(second.id)][-1] is EventName.DENIED
