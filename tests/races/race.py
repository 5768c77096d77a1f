"""One race: two presses and something that comes between them, played in every order of their steps up to so many delays.

The desk is the real one over its real journal, its broker and channel are written by hand, and the loop decides which of the
callbacks that are ready goes next. A delay puts one callback behind all others that are ready; most races need one or two.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.desk.desk import Desk
from bot.desk.ports import EventName
from bot.desk.requests import Press, SwitchRequest
from bot.desk.tickets.confirm import BUSY
from bot.journal.opening import opened
from bot.journal.store import SqlJournal
from bot.sandbox.virtual import Delayed, VirtualLoop
from bot.trading.orders.tickets import Member, Ticket, TicketState
from bot.trading.risk.policy import Approval, Policy
from tests.desk.conftest import APPROVER, APPROVER_ROLE, ASK, HERE, POLICY, TRADER, make_desk
from tests.desk.fakes import Clock, FakeBroker, FakeMessenger
from tests.journals import new_journal

Pressing = Callable[[Press, Callable[[], Awaitable[None]]], Awaitable[str | None]]
UNSENT = frozenset({TicketState.EXPIRED, TicketState.CANCELLED, TicketState.DENIED, TicketState.NOT_SENT, TicketState.VOID})
ENDED = UNSENT | {TicketState.ACCEPTED, TicketState.REJECTED, TicketState.NEVER_ARRIVED}
# How long everything gets to come to its end: a card's life, thirty seconds, a second look. What has ended gets less, as
# nothing more is due of it.
SETTLES = 120.0
SETTLES_ENDED = 5.0
MOST_PRESSES = 6
NEVER = 10**9


class Second(StrEnum):
    """The press beside Confirm."""

    CONFIRM = "a second Confirm"
    CANCEL = "Cancel"
    APPROVE = "Approve, which it needs"


class Between(StrEnum):
    """What happens meanwhile."""

    NOTHING = "nothing"
    EXPIRY = "the card's time ends"
    HALT = "the desk is halted"
    POLICY = "the policy takes the grant away"
    SIGTERM = "the bot is told to stop"
    LEASE = "another process takes the lead"


ENDS_THE_RUN = frozenset({Between.SIGTERM, Between.LEASE})


@dataclass(slots=True)
class Outcome:
    """What a race came to.

    Attributes:
        sent: orders that reached the broker.
        sent_later: those among them that left when the run had ended.
        ticket: as the journal has it at the end.
        shown: states that its card has shown.
        answers: what the presses were answered, ``None`` where the card says it.
        is_barred: whether it was claimed when the desk was halted already.
        choices: steps at which another one was ready.
    """

    sent: int = 0
    sent_by_then: int = 0
    sent_later: int = 0
    ticket: Ticket | None = None
    shown: list[TicketState] = field(default_factory=list)
    answers: list[str | None] = field(default_factory=list)
    is_barred: bool = False
    choices: Sequence[int] = ()

    def wrong(self) -> Iterator[str]:
        """Everything that breaks a promise."""
        ticket = self.ticket
        assert ticket is not None
        if self.sent > 1:
            yield f"{self.sent} orders left"
        if self.sent_later:
            yield "an order left when the run had ended"
        if self.is_barred:
            yield "it was claimed although the desk was halted"
        if self.sent and ticket.confirmed_at is None:
            yield "an order left that nobody confirmed"
        if self.sent and ticket.missing_roles:
            yield "an order left that nobody approved"
        if self.sent and ticket.state in UNSENT:
            yield f"an order left, and the ticket says {ticket.state}"
        if ticket.state in {TicketState.OFFERED, TicketState.SENDING}:
            yield f"it still says {ticket.state}"
        if ticket.state not in self.shown:
            yield f"{ticket.state}, and the card showed {self.shown}"


@dataclass(frozen=True, slots=True)
class Race:
    """Who races.

    Attributes:
        second: the press beside Confirm.
        between: what happens meanwhile.
    """

    second: Second
    between: Between

    def steps(self) -> int:
        """How many steps there are while it lasts, where nothing comes between."""
        window = _Window(rings_at=NEVER)
        _play(self, window)
        return window.steps

    def play(self, delays: Collection[int], begins: int) -> Outcome:
        """Play it with these steps delayed, and what comes between beginning at that step."""
        window = _Window(delays, begins)
        outcome = _play(self, window)
        outcome.choices = window.choices
        return outcome

    def every_order(self, most: int, every: int) -> Iterator[tuple[Sequence[int], int, Outcome]]:
        """Play every order of steps that at most so many delays make; what begins at a later step is one delay, too.

        A step is delayed only where another one was ready: anywhere else that would be an order which was played before.

        Args:
            most: delays at once.
            every: which steps count: each one, each second one and so on.
        """
        yield from self._delayed((), 0, most, every)
        if most and self.between is not Between.NOTHING:
            for begins in range(every, self.steps(), every):
                yield from self._delayed((), begins, most - 1, every)

    def _delayed(self, delays: Sequence[int], begins: int, most: int, every: int) -> Iterator[tuple[Sequence[int], int, Outcome]]:
        outcome = self.play(delays, begins)
        yield delays, begins, outcome
        for step in outcome.choices if most else ():
            if step % every == 0 and step > max(delays, default=-1):
                yield from self._delayed((*delays, step), begins, most - 1, every)


def _play(race: Race, window: "_Window") -> Outcome:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(window)) as runner:
        return runner.run(_raced(race, window))


class _Window(Delayed):
    """Counts and delays only while the race lasts, and rings when a step is reached.

    Args:
        delays: steps to delay.
        rings_at: the step.
    """

    def __init__(self, delays: Collection[int] = (), rings_at: int = 0) -> None:
        super().__init__(delays)
        self.is_open = False
        self.bell = asyncio.Event()
        self._rings_at = rings_at

    def __call__(self, ready: deque[Any]) -> Any:
        if not self.is_open:
            return ready.popleft()
        if self.steps >= self._rings_at:
            self.bell.set()
        return super().__call__(ready)


async def _raced(race: Race, window: _Window) -> Outcome:
    clock = Clock()
    broker, messenger, policies = FakeBroker(clock), FakeMessenger(), [POLICY]
    if race.second is Second.APPROVE:
        policies[-1] = replace(POLICY, approvals=(Approval(("*",), APPROVER_ROLE),))
    async with opened(new_journal(), clock) as journal:
        desk = make_desk(broker, journal, messenger, clock, policies)
        await desk.start()
        made = await desk.offer(TRADER, HERE, ASK)
        assert isinstance(made, Ticket), made
        await desk.posted(made.id, HERE.channel, 7000)
        await asyncio.sleep(1)
        outcome = Outcome()
        window.is_open = True
        happening = asyncio.ensure_future(_happens(race.between, window.bell, desk, policies, clock, made))
        racers = [_pressed(desk.confirm, made, TRADER), _second(desk, race.second, made)]
        # Whoever loses the lead drops its presses without a word; the next one tells what became of the ticket.
        cut_off = race.between is Between.LEASE
        outcome.answers = [None if isinstance(one, BaseException) else one for one in await gathered(racers, cut_off=cut_off)]
        window.is_open = False
        window.bell.set()
        await happening
        if race.between in ENDS_THE_RUN:
            outcome.sent_by_then = len(broker.sent)
            await asyncio.sleep(SETTLES)
            outcome.sent_later = len(broker.sent) - outcome.sent_by_then
            desk = make_desk(broker, journal, messenger, clock, policies, "r")
            await desk.start()
        await _settled(journal, messenger, made)
        await desk.close()
        outcome.sent = len(broker.sent)
        outcome.ticket = await journal.ticket(made.id)
        outcome.shown = messenger.states(made.id)
        outcome.is_barred = await _claimed_after_halt(journal, made)
    return outcome


async def gathered(racers: Sequence[Awaitable[str | None]], *, cut_off: bool) -> Sequence[str | BaseException | None]:
    """What the presses were answered; only where they are cut off one may end without."""
    return await asyncio.gather(*racers, return_exceptions=cut_off)


async def _settled(journal: SqlJournal, messenger: FakeMessenger, ticket: Ticket) -> None:
    for _ in range(int(SETTLES / SETTLES_ENDED)):
        now = await journal.ticket(ticket.id)
        await asyncio.sleep(SETTLES_ENDED)
        if now is not None and now.state in ENDED and now.state in messenger.states(ticket.id):
            return


async def _claimed_after_halt(journal: SqlJournal, ticket: Ticket) -> bool:
    claims = [event.at for event in await journal.events(ticket.id) if event.name is EventName.SENDING]
    halt = await journal.last({EventName.HALTED})
    return halt is not None and any(at > halt.at for at in claims)


async def _pressed(press: Pressing, ticket: Ticket, who: Member) -> str | None:
    """Press, and again as people do while it is said to be worked on."""

    async def acknowledge() -> None:
        await asyncio.sleep(0)

    for _ in range(MOST_PRESSES):
        answer = await press(Press(who, ticket.id, ticket.revision), acknowledge)
        if answer != BUSY:
            return answer
    return BUSY


async def _second(desk: Desk, second: Second, ticket: Ticket) -> str | None:
    match second:
        case Second.CONFIRM:
            return await _pressed(desk.confirm, ticket, TRADER)
        case Second.CANCEL:
            return await _pressed(desk.cancel, ticket, TRADER)
        case Second.APPROVE:
            return await _pressed(desk.approve, ticket, APPROVER)


async def _happens(
    between: Between, bell: asyncio.Event, desk: Desk, policies: list[Policy], clock: Clock, ticket: Ticket
) -> None:
    await bell.wait()
    match between:
        case Between.NOTHING:
            return
        case Between.EXPIRY:
            clock.pass_by((ticket.expires_at - clock()).total_seconds())
        case Between.HALT:
            await desk.halt(TRADER, HERE, SwitchRequest("halt", "desk"))
        case Between.POLICY:
            policies[-1] = replace(policies[-1], grants=())
        case Between.SIGTERM:
            await desk.close()
        case Between.LEASE:
            await desk.abandon()
