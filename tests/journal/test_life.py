"""The life of tickets and of their orders as a model of plain dictionaries, played at random against each database.

The model knows what every method promises and nothing of how it is kept. Whatever is done in whatever order, also twice, late, by
two who race, and over closing and opening again: both must say the same afterwards, and the log must be an unbroken chain.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.desk.ports import Delivery, Event, EventName, Notice, Tone
from bot.journal.chain import verify
from bot.journal.log import head, lines
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import IN_FLIGHT, TRANSITIONS, IllegalMove, Ticket, TicketState, move
from tests.clocks import HandClock

from .conftest import SERVER, on_server
from .making import NOON, SECOND, sqlite_url, ticket

STEPS, EXAMPLES = 30, 6
MOVES = [(before, after) for before, afters in TRANSITIONS.items() for after in sorted(afters)]
ORDER_STATES = st.none() | st.sampled_from(OrderState)
LATE = timedelta(seconds=20)


@dataclass
class Row:
    """A row of the outbox, as promised: what it tells, since when, how often it was tried, and when it is due."""

    key: str | Notice
    since: datetime
    due: datetime
    attempts: int = 0
    sequence: int = 1


@dataclass
class Model:
    """All that the journal should know."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def show(self, ticket_id: str, at: datetime) -> None:
        """A ticket's card is due: one row at most, which keeps its place while it waits."""
        for row in self.rows:
            if row.key == ticket_id:
                row.sequence += 1
                return
        self.rows.append(Row(ticket_id, at, at))

    def live(self) -> set[str]:
        """Of what may still become something."""
        return {one.id for one in self.tickets.values() if one.state is TicketState.OFFERED} | self.unsettled()

    def unsettled(self) -> set[str]:
        """Perhaps in the market."""
        return {
            one.id
            for one in self.tickets.values()
            if one.state in IN_FLIGHT
            or (one.state is TicketState.ACCEPTED and (one.order_state is None or not one.order_state.is_done))
        }


class Life(RuleBasedStateMachine):
    """Plays both; ``url`` is set by each test."""

    url = ""
    ids = Bundle("ids")
    old = Bundle("old")

    @initialize()
    def begin(self) -> None:
        """Open an empty journal."""
        self.loop = asyncio.Runner()
        self.model, self.clock, self.number = Model(), HandClock(NOON), 0
        self.stack: AsyncExitStack | None = None
        self.empty()
        self.open()

    def empty(self) -> None:
        """Give it an empty database."""

    def open(self) -> None:
        """Open it, as a start does."""

        async def work() -> tuple[AsyncExitStack, SqlJournal]:
            stack = AsyncExitStack()
            return stack, await stack.enter_async_context(opened(self.url, self.clock))

        self.stack, self.journal = self.loop.run(work())

    def close(self) -> None:
        """Close it, as a stop does."""
        if self.stack is not None:
            self.loop.run(self.stack.aclose())
            self.stack = None

    def teardown(self) -> None:
        """Leave nothing open."""
        if hasattr(self, "loop"):
            self.close()
            self.loop.close()

    def event(self, name: EventName, ticket_id: str | None) -> Event:
        """Something that happens now."""
        return Event(self.clock.now, name, ticket_id, 7, {"n": len(self.model.events)})

    def notices(self, tones: Sequence[Tone]) -> list[Notice]:
        """News for the team."""
        self.number += len(tones)
        return [Notice(20, f"news {self.number}.{index}", tone=tone) for index, tone in enumerate(tones)]

    @rule(seconds=st.integers(0, 90))
    def wait(self, seconds: int) -> None:
        """Time goes by."""
        self.clock.now += timedelta(seconds=seconds)

    @rule(target=ids)
    def offer(self) -> str:
        """A new ticket."""
        self.number += 1
        made = ticket(f"t{self.number}", created_at=self.clock.now, expires_at=self.clock.now + 30 * SECOND)
        event = self.event(EventName.OFFERED, made.id)
        self.loop.run(self.journal.open(made, event))
        self.model.tickets[made.id] = made
        self.model.events.append(event)
        return made.id

    @rule(
        target=old,
        id_=ids,
        which=st.integers(0, 100),
        order_state=ORDER_STATES,
        tones=st.lists(st.sampled_from(Tone), max_size=2),
        show=st.booleans(),
    )
    def go_on(self, id_: str, which: int, order_state: OrderState | None, tones: list[Tone], *, show: bool) -> Any:
        """Any move that the table has, with any state of its order."""
        if not (afters := sorted(TRANSITIONS[self.model.tickets[id_].state])):
            return multiple()
        return self.go(id_, afters[which % len(afters)], order_state, tones, show=show)

    def go(
        self, id_: str, state: TicketState, order_state: OrderState | None, tones: Sequence[Tone] = (), *, show: bool = True
    ) -> Ticket:
        """Move a ticket on; what it was before."""
        before = self.model.tickets[id_]
        sent = {"sent_at": self.clock.now} if state is TicketState.SENDING else {}
        after = move(before, state, order_state=order_state, outcome=f"v{before.version}", **sent)
        event, notices = self.event(EventName.SEEN, id_), self.notices(tones)
        assert self.loop.run(self.journal.advance(before, after, [event], notices, show=show))
        self.model.tickets[id_] = after
        self.model.events.append(event)
        self.model.rows += [Row(notice, self.clock.now, self.clock.now) for notice in notices]
        if show:
            self.model.show(id_, self.clock.now)
        return before

    @rule(stale=old, which=st.integers(0, 100))
    def go_on_from_what_is_over(self, stale: Ticket, which: int) -> None:
        """Whoever was too late changes nothing: no state, no line of the log, no news."""
        afters = sorted(TRANSITIONS[stale.state])
        after = move(stale, afters[which % len(afters)], outcome="too late")
        told = self.notices([Tone.ALARM])
        assert not self.loop.run(self.journal.advance(stale, after, [self.event(EventName.SEEN, stale.id)], told))

    @rule(id_=ids, state=st.sampled_from(TicketState))
    def go_where_no_line_leads(self, id_: str, state: TicketState) -> None:
        """The table has no such move, so there is no ticket to store."""
        before = self.model.tickets[id_]
        if state in TRANSITIONS[before.state]:
            return
        with pytest.raises(IllegalMove):
            move(before, state)

    @rule(tones=st.lists(st.sampled_from(Tone), max_size=2))
    def record(self, tones: list[Tone]) -> None:
        """Something that is no ticket's."""
        event, notices = self.event(EventName.DENIED, None), self.notices(tones)
        self.loop.run(self.journal.record(event, notices))
        self.model.events.append(event)
        self.model.rows += [Row(notice, self.clock.now, self.clock.now) for notice in notices]

    @rule(id_=ids, message=st.integers(1, 9))
    def post(self, id_: str, message: int) -> None:
        """The card's message; nobody's version changes."""
        self.loop.run(self.journal.posted(id_, 20, message))
        self.model.tickets[id_] = replace(self.model.tickets[id_], message=message)

    @rule(which=st.integers(0, 100), changed=st.booleans())
    def deliver(self, which: int, *, changed: bool) -> None:
        """A row is shown; what changed in the meantime stays due."""
        found = self.pick(which)
        if found is None:
            return
        delivery, row = found
        if changed and isinstance(row.key, str):
            self.go_on(row.key, which, None, [], show=True)
        newer = row.sequence != delivery.sequence
        self.loop.run(self.journal.delivered(delivery, self.clock.now))
        if newer:
            row.since = row.due = self.clock.now
            row.attempts = 0
        else:
            self.model.rows.remove(row)

    @rule(which=st.integers(0, 100), changed=st.booleans())
    def put_off(self, which: int, *, changed: bool) -> None:
        """Discord wouldn't have it now; a change that comes meanwhile doesn't make it due any sooner."""
        found = self.pick(which)
        if found is None:
            return
        delivery, row = found
        self.loop.run(self.journal.postpone(delivery, self.clock.now + LATE))
        row.attempts += 1
        row.due = self.clock.now + LATE
        if changed and isinstance(row.key, str):
            self.go_on(row.key, which, None, [], show=True)

    def pick(self, which: int) -> tuple[Delivery, Row] | None:
        """One of what is due, on both sides."""
        due = self.due()
        if not due:
            return None
        delivery = due[which % len(due)]
        key = delivery.notice if delivery.notice is not None else delivery.ticket
        return delivery, next(row for row in self.model.rows if row.key == key)

    def due(self) -> Sequence[Delivery]:
        """What the journal says is due."""
        return self.loop.run(self.journal.due(self.clock.now, 1000))

    @rule()
    def start_again(self) -> None:
        """Nothing is forgotten by a stop."""
        self.close()
        self.open()

    @invariant()
    def both_say_the_same(self) -> None:
        """Tickets, log and outbox."""
        model = self.model
        for id_, expected in model.tickets.items():
            assert self.loop.run(self.journal.ticket(id_)) == expected
            assert self.loop.run(self.journal.events(id_)) == [one for one in model.events if one.ticket == id_]
        assert {one.id for one in self.loop.run(self.journal.live())} == model.live()
        since = self.clock.now - timedelta(minutes=1)
        sent = {one.id for one in model.tickets.values() if one.sent_at is not None and one.sent_at >= since}
        assert {one.id for one in self.loop.run(self.journal.recent(since))} == model.unsettled() | sent
        waiting = {(str(row.key), row.since, row.attempts, row.sequence) for row in model.rows if row.due <= self.clock.now}
        told = {(str(one.notice or one.ticket), one.since, one.attempts, one.sequence) for one in self.due()}
        assert told == waiting

    @invariant()
    def the_log_is_whole(self) -> None:
        """Every line of it, in a chain that nobody has touched."""
        log, last = self.loop.run(self.journal._reads.run(lambda connection: (list(lines(connection)), head(connection))))
        assert len(log) == len(self.model.events)
        assert verify(log, last) is None


def play(machine: type[Life]) -> None:
    """Let it run."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def way_to(state: TicketState) -> list[TicketState]:
    """The shortest way from an offer to a state."""
    ways: list[list[TicketState]] = [[TicketState.OFFERED]]
    for way in ways:
        if way[-1] is state:
            return way[1:]
        ways += [[*way, after] for after in sorted(TRANSITIONS[way[-1]]) if after not in way]
    raise AssertionError(state)


def go_every_way(machine: Life) -> None:
    """Take every line of the table once, with the order in every state."""
    machine.begin()
    try:
        for before, after in MOVES:
            # Called by hand a rule gives what it returns.
            id_ = str(machine.offer())
            for state in way_to(before):
                machine.go(id_, state, None)
            machine.go(id_, after, None)
            if before is after:
                # A ticket that stays what it is: its order goes through all its states.
                for order_state in OrderState:
                    machine.go(id_, after, order_state)
                    assert (id_ in machine.model.live()) is (id_ in {one.id for one in machine.loop.run(machine.journal.live())})
        for card in range(8):
            # What Discord wouldn't have, and then has while it changes.
            machine.put_off(card, changed=True)
            machine.both_say_the_same()
            machine.clock.now += LATE
            machine.deliver(card, changed=True)
            machine.both_say_the_same()
        machine.the_log_is_whole()
    finally:
        machine.teardown()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> type[Life]:
    """The machine on files of its own."""

    class OnSqlite(Life):
        def empty(self) -> None:
            self.url = sqlite_url(tmp_path / f"{uuid4().hex}.db")

    return OnSqlite


@pytest.fixture
def on_postgresql(server_database: str) -> type[Life]:
    """The machine on a database that is emptied each time."""

    class OnPostgresql(Life):
        def empty(self) -> None:
            schema = ("SET synchronous_commit = off", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
            asyncio.run(on_server(server_database, *schema))
            self.url = f"{SERVER}/{server_database}"

    return OnPostgresql


def test_the_life_of_tickets_on_sqlite(on_sqlite: type[Life]) -> None:
    play(on_sqlite)


def test_the_life_of_tickets_on_postgresql(on_postgresql: type[Life]) -> None:
    play(on_postgresql)


def test_every_line_of_the_table_on_sqlite(on_sqlite: type[Life]) -> None:
    go_every_way(on_sqlite())


def test_every_line_of_the_table_on_postgresql(on_postgresql: type[Life]) -> None:
    go_every_way(on_postgresql())
