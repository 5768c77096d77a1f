"""A desk over the real journal (in memory), a broker with a book, and a channel that remembers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.desk.desk import Desk
from bot.desk.lookup.lanes import Lanes
from bot.desk.ports import Journal
from bot.desk.requests import Press, Refused, ReverseRequest, TicketRequest
from bot.journal.opening import opened
from bot.sandbox.virtual import loop_factories
from bot.timings import USUAL, DeskTimings
from bot.trading.orders.terms import Side
from bot.trading.orders.tickets import Member, Origin, Ticket, TicketState
from bot.trading.risk.policy import AccountRule, Approval, Grant, Policy, Route
from tests.desk.fakes import Clock, FakeBroker, FakeMessenger, FlakyJournal, eventually
from tests.journals import new_journal

TRADER_ROLE, APPROVER_ROLE = 1100, 1101
TRADER = Member(1, "Tina", frozenset({TRADER_ROLE}))
SECOND = Member(2, "Tom", frozenset({TRADER_ROLE}))
APPROVER = Member(3, "Ann", frozenset({APPROVER_ROLE}))
STRANGER = Member(4, "Sam")
HERE = Origin(10, 20)
NEWS_CHANNEL = 2001
ASK = ReverseRequest("Sim101", "ES 09-26", Side.BUY, 1)

POLICY = Policy(
    grants=(Grant(TRADER_ROLE, frozenset({"*"}), ("Sim*", "Apex*"), ("*",), 5),),
    approvals=(Approval(("Apex*",), APPROVER_ROLE, 1),),
    accounts=(AccountRule("Apex-*", live=True),),
    routes=(Route(NEWS_CHANNEL, frozenset({"*"})),),
)


async def at_once() -> None:
    """An acknowledgement that Discord takes at once."""


# Every test of the desk runs in virtual time: seconds pass when everybody waits.
def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> object:
    return loop_factories(config, item)


@dataclass
class Room:
    """A desk and everything around it."""

    desk: Desk
    broker: FakeBroker
    journal: Journal
    messenger: FakeMessenger
    clock: Clock
    disk: FlakyJournal
    policies: list[Policy] = field(default_factory=list)
    # What the file HALT says, if there is one.
    halt_file: list[str] = field(default_factory=list)
    timings: DeskTimings = USUAL.desk

    async def ticket(self, request: TicketRequest = ASK, member: Member = TRADER) -> Ticket:
        """Ask and post the card."""
        made = await self.desk.offer(member, HERE, request)
        assert isinstance(made, Ticket), made
        await self.desk.posted(made.id, HERE.channel, 7000)
        return await self.now(made.id)

    async def refused(self, request: TicketRequest = ASK, member: Member = TRADER) -> list[str]:
        """Ask for something that is denied; the codes."""
        made = await self.desk.offer(member, HERE, request)
        assert isinstance(made, Refused), made
        return [denial.code.value for denial in made.denials]

    async def now(self, ticket_id: str) -> Ticket:
        """The ticket as stored."""
        ticket = await self.journal.ticket(ticket_id)
        assert ticket is not None
        return ticket

    async def confirm(
        self, ticket: Ticket, member: Member = TRADER, acknowledge: Callable[[], Awaitable[None]] = at_once
    ) -> str | None:
        """Press Confirm on the card as shown."""
        return await self.desk.confirm(Press(member, ticket.id, ticket.revision), acknowledge)

    async def approve(self, ticket: Ticket, member: Member = APPROVER) -> str | None:
        """Press Approve."""
        return await self.desk.approve(Press(member, ticket.id, ticket.revision), at_once)

    async def cancel(self, ticket: Ticket, member: Member = TRADER) -> str | None:
        """Press Cancel."""
        return await self.desk.cancel(Press(member, ticket.id, ticket.revision), at_once)

    async def all_told(self, *, cards: bool = False) -> None:
        """Wait until no notices wait for Discord, perhaps no cards either."""
        async with asyncio.timeout(60):
            while any(cards or row.notice is not None for row in await self.journal.due(self.clock(), 99)):
                await asyncio.sleep(0.01)

    async def passes(self, seconds: float) -> None:
        """Let time pass; whatever is due meanwhile happens."""
        await asyncio.sleep(seconds)

    async def look_around(self) -> None:
        """Let the desk read accounts, what they hold and front months, as its loops do now and then."""
        await self.desk.health.probe()
        await self.desk._read_fronts()

    async def follow(self) -> None:
        """Let the desk look at its orders, if it is time to."""
        await self.desk._follower.look(await self.journal.live())

    async def until(self, ticket: Ticket, state: TicketState, seconds: float = 60.0) -> Ticket:
        """Wait until the card shows a state."""
        await eventually(lambda: state in self.messenger.states(ticket.id), seconds)
        return await self.now(ticket.id)

    def rule(self, **changes: object) -> None:
        """Change the running policy."""
        self.policies[-1] = replace(self.policies[-1], **changes)  # type: ignore[arg-type]  # the test names the fields

    def again(self, quiet: FakeBroker | None = None) -> Desk:
        """A second desk over the same journal, as after a restart."""
        return make_desk(
            self.broker,
            self.journal,
            self.messenger,
            self.clock,
            self.policies,
            "r",
            quiet=quiet,
            halt_file=self.halt_file,
            timings=self.timings,
        )


def make_desk(
    broker: FakeBroker,
    journal: Journal,
    messenger: FakeMessenger,
    clock: Clock,
    policies: list[Policy],
    prefix: str = "t",
    quiet: FakeBroker | None = None,
    *,
    halt_file: Sequence[str] = (),
    timings: DeskTimings = USUAL.desk,
) -> Desk:
    """Build a desk by hand."""
    numbers = itertools.count(1)
    new_id = lambda: f"{prefix}{next(numbers)}"  # noqa: E731 - one line, used once
    file = lambda: halt_file[0] if halt_file else None  # noqa: E731 - one line, used once
    lanes = Lanes.alike(broker)
    if quiet is not None:
        lanes = replace(lanes, news=quiet, rounds=quiet, background=quiet)
    policy = lambda: policies[-1]  # noqa: E731 - one line, used once
    return Desk(broker, journal, messenger, policy, clock, new_id, lanes=lanes, halt_file=file, timings=timings)


def timed(**changes: timedelta) -> pytest.MarkDecorator:
    """For a test whose desk waits for some things as long as it says."""
    own = replace(USUAL.desk, **changes)  # type: ignore[arg-type]  # the test names the fields
    return pytest.mark.parametrize("timings", [pytest.param(own, id="own timings")])


@pytest.fixture
def timings() -> DeskTimings:
    """How long the desk waits for what."""
    return USUAL.desk


@pytest.fixture
async def room(timings: DeskTimings) -> AsyncIterator[Room]:
    """A desk whose loops don't run yet."""
    clock = Clock()
    broker, messenger, policies = FakeBroker(clock), FakeMessenger(), [POLICY]
    async with opened(new_journal(), clock) as journal:
        disk = FlakyJournal(journal)
        halt_file: list[str] = []
        desk = make_desk(broker, disk, messenger, clock, policies, halt_file=halt_file, timings=timings)
        yield Room(desk, broker, journal, messenger, clock, disk, policies, halt_file, timings)
        disk.failing.clear()
        await desk.close()


@pytest.fixture
async def running(room: Room) -> Room:
    """The same with its loops running."""
    await room.desk.start()
    # The start itself is news.
    await eventually(lambda: bool(room.messenger.told))
    room.messenger.told.clear()
    return room


def price(text: str) -> Decimal:
    """A price."""
    return Decimal(text)
