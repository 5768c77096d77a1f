"""The desk itself: the only door for the chat layer, and the loops that keep promises between presses.

It wires the parts by hand and owns their tasks; each part's rules are in its own module.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.clock import Clock
from bot.desk.autocomplete.cache import SuggestionCache
from bot.desk.autocomplete.suggest import Suggest
from bot.desk.execution.flatten import MassActions
from bot.desk.execution.send import Sender
from bot.desk.execution.verified_reversal import VerifiedReversals
from bot.desk.halts.commands import HaltCommands
from bot.desk.halts.found import FoundHalts
from bot.desk.health.clockwatch import ClockWatch
from bot.desk.health.polling import HealthPoller
from bot.desk.health.watchdog import Watchdog
from bot.desk.locks import STOPPING, TicketLocks
from bot.desk.lookup.directory import Directory
from bot.desk.lookup.keeping import Keeping
from bot.desk.lookup.lanes import Lanes
from bot.desk.lookup.look import FactsReader
from bot.desk.lookup.names import Naming
from bot.desk.loops import Loops
from bot.desk.outbox.delivery import Outbox
from bot.desk.outbox.notices import notices_of_the_start
from bot.desk.outbox.occasions import LEAVES_A_QUESTION, TELLS_OF_AN_ORDER
from bot.desk.outbox.recording import Recorder
from bot.desk.outbox.startup_report import StartupReport
from bot.desk.ports import Broker, EventName, Journal, Messenger, Notice
from bot.desk.reads.fills import FillBook, FillWatch
from bot.desk.reads.service import Reads
from bot.desk.reads.shares import Tally
from bot.desk.requests import Press, Refused, SwitchRequest, TicketRequest
from bot.desk.tickets.card_actions import Actions
from bot.desk.tickets.confirm import Acknowledge, Presses
from bot.desk.tickets.decision import Decider
from bot.desk.tickets.drafts import Drafts
from bot.desk.tickets.draining import Draining
from bot.desk.tickets.members import Members
from bot.desk.tickets.offer import Makings, Offers
from bot.desk.tickets.scopes import Scopes
from bot.desk.tracking.card_buttons import Retirer
from bot.desk.tracking.doubts import Doubts, JournalTrust
from bot.desk.tracking.follow import Follower
from bot.desk.tracking.interrupted import Interrupted
from bot.desk.tracking.poll_budget import PollBudget
from bot.desk.tracking.reasons import Reasons
from bot.desk.tracking.reconcile import LOOKS_BACK, Reconciler
from bot.desk.tracking.recovery import Recovery
from bot.desk.tracking.resolve import Resolving
from bot.errors import JournalError
from bot.timings import USUAL, DeskTimings
from bot.trading.health.shares import HURRYING, READING
from bot.trading.orders.tickets import Member, Origin, Ticket, TicketState, move
from bot.trading.planning.card_actions import CardAction
from bot.trading.risk.halts import Switches
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery, Policy, may

log = logging.getLogger(__name__)


class Desk:
    """Offers, presses and everything that follows from them.

    Args:
        policy: gives the running policy; it may change between two calls.
        clock: the time, aware UTC.
        new_id: ids for tickets; short, unique, safe in a button's id.
        lanes: the same broker for each kind of reading; all alike where it is left out.
        timings: how long is waited for what.
        observe: is told of every stored event, for counting.
        halt_file: the first line of the file HALT, ``None`` while there is none.

    Attributes:
        reads: answers the commands that only read.
        suggest: answers keystrokes.
        health: watches every link, and raises the alarm.
        resolving: takes a person's word on an unknown outcome.
    """

    def __init__(
        self,
        broker: Broker,
        journal: Journal,
        messenger: Messenger,
        policy: Callable[[], Policy],
        clock: Clock,
        new_id: Callable[[], str],
        *,
        lanes: Lanes | None = None,
        timings: DeskTimings = USUAL.desk,
        observe: Callable[[EventName], None] = lambda _name: None,
        halt_file: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._journal = journal
        self._policy = policy
        self._clock = clock
        self._timings = timings
        lanes = lanes or Lanes.alike(broker)
        quiet = lanes.background
        self._locks, self._draining = TicketLocks(), Draining()
        self._directory = Directory(quiet, lambda: clock.host().date())
        self._fills = FillWatch(FillBook(quiet, journal, clock), clock, timings)
        self._observe = observe
        found_halts = FoundHalts(journal, clock, halt_file)
        self._recorder = Recorder(journal, policy, clock, self._stored, found_halts.switches, timings)
        look = FactsReader(lanes.tickets, timings, self._directory.fronts, self._directory.account)
        naming, first_naming = Naming(self._directory, lanes.tickets, policy), Naming(self._directory, lanes.exit_cards, policy)
        self._clockwatch = ClockWatch(self._recorder, policy, clock)
        self._safety = HaltCommands(self._recorder, found_halts, first_naming, policy, clock, timings)
        looking = Naming(self._directory, lanes.looking, policy)
        self.reads = Reads(lanes.looking, self._recorder, looking, policy, clock, Tally(READING, clock))
        self.suggest = Suggest(SuggestionCache(quiet, journal, policy, clock, timings), self._directory, policy, clock)
        self.resolving = Resolving(self._recorder, lanes.evidence, policy, clock)
        decider, hurrying = Decider(look, journal, policy, clock, self._safety.now), Tally(HURRYING, clock)
        usual = Makings(Drafts(look, journal, naming, Scopes(lanes.tickets, look, naming, clock), clock, new_id), decider)
        first = usual.asking(lanes.exit_cards, look.by(lanes.exit_cards), first_naming)
        self._offers = Offers(self._recorder, usual, first, self._locks, hurrying, clock, timings, new_id)
        self._sender = self._make_sender(broker, look.by(lanes.exits), messenger)
        self._presses = self._make_presses(decider, lanes, Members(messenger))
        began = clock()
        self._reconciler = self._make_reconciler(lanes.evidence, look.by(lanes.evidence), began)
        self._recovery = Recovery(self._recorder, self._locks, clock, timings, Doubts(self._reconciler, clock, timings))
        self._follower = Follower(self._recorder, lanes.news, clock, timings, PollBudget(timings.request_every))
        self._actions = Actions(self._recorder, lanes.tickets, lanes.exit_cards, hurrying, naming, clock)
        self._outbox = Outbox(self._recorder, messenger, policy, self._locks, clock, timings)
        self._next_evidence = self._evidence_at = began
        self._keeping = Keeping(lanes.open_cards, lanes.links, policy, clock, timings)
        rounds = HealthPoller(lanes.rounds, lanes.links, lanes.evidence, clock, timings, self._directory)
        self._retirer = Retirer(self._recorder, lambda: rounds.held, clock, timings)
        self.health = Watchdog(broker, self._recorder, messenger, rounds, policy, lambda: self.switches, clock, timings, began)
        self._loops, self._is_started = Loops(timings.loop_again), False
        # What the run before has left is a question, until it was looked at.
        self._evidence_wanted, self._has_questions = asyncio.Event(), True

    def _make_presses(self, decider: Decider, lanes: Lanes, members: Members) -> Presses:
        entries, ways_out = (replace(decider, look=decider.look.by(lane)) for lane in (lanes.presses, lanes.exit_presses))
        recorder, sender, locks = self._recorder, self._sender, self._locks
        return Presses(recorder, entries, ways_out, sender, locks, members, self._policy, self._clock, self._timings)

    def _make_reconciler(self, broker: Broker, look: FactsReader, began: datetime) -> Reconciler:
        recorder, clock, timings = self._recorder, self._clock, self._timings
        interrupted = Interrupted(recorder, look, clock, timings, began)
        return Reconciler(recorder, broker, clock, timings, interrupted, self._clockwatch.as_others, began)

    def _make_sender(self, broker: Broker, exits: FactsReader, messenger: Messenger) -> Sender:
        recorder, clock, timings = self._recorder, self._clock, self._timings
        reasons = Reasons(broker, timings.reason_within)
        mass_actions = MassActions(exits, recorder, reasons, clock, timings.exits)
        reversals = VerifiedReversals(exits, reasons, clock, timings.exits)
        return Sender(recorder, broker, messenger, self._locks, clock, timings, mass_actions, reversals, self._seek_evidence)

    @property
    def policy(self) -> Policy:
        """The running policy."""
        return self._policy()

    @property
    def switches(self) -> Switches:
        """All that is halted or reducing, as last seen; for showing."""
        return self._safety.known

    def may(self, member: Member, request: PermissionQuery) -> Denial | None:
        """The one decision of who may do what; ``None`` means yes."""
        return may(self._policy(), member.roles, request)

    async def denied(self, member: int, channel: int | None, command: str, denial: Denial) -> None:
        """Record that the gate turned somebody away before there was a request."""
        await self._recorder.denied(member, (denial,), command=command, channel=channel)

    async def offer(self, member: Member, origin: Origin, request: TicketRequest) -> Ticket | Refused:
        """Make a ticket of a request, or say every reason why not. The caller then posts it and calls ``posted``."""
        if self._locks.is_stopping:
            return Refused((Denial(DenialCode.DESK_DOWN, STOPPING),))
        with self._draining.counted():
            made = await self._offers.make(member, origin, request)
        if isinstance(made, Ticket):
            self._locks.being_posted.add(made.id)
        return made

    async def record(self, name: EventName, *, data: Mapping[str, object], notices: Sequence[Notice] = ()) -> None:
        """Store something that has happened to the desk itself, with the news of it; raises ``JournalError``."""
        await self._recorder.record(name, data=data, notices=notices)

    async def halt(self, member: Member, origin: Origin, request: SwitchRequest) -> str | Refused:
        """Halt the desk, an account or an instrument, at once; what the team reads of it, or every reason why not."""
        with self._draining.counted():
            return await self._safety.halt(member, origin, request)

    async def resume(self, member: Member, origin: Origin, request: SwitchRequest) -> str | Refused:
        """Lift what was halted; what the team reads of it, or every reason why not."""
        with self._draining.counted():
            return await self._safety.resume(member, origin, request)

    async def request(self, member: Member, ticket_id: str, verb: CardAction) -> TicketRequest | Refused:
        """The request that a member makes by pressing a button of a sent order's card; to be handed to ``offer``."""
        return await self._actions.request(member, ticket_id, verb)

    async def posted(self, ticket_id: str, channel: int, message: int) -> None:
        """Remember the message that shows a ticket; from then on the outbox draws it."""
        try:
            await self._journal.posted(ticket_id, channel, message)
        finally:
            self._locks.being_posted.discard(ticket_id)
            self._recorder.news.set()

    async def shown_privately(self, ticket_id: str) -> None:
        """The card is shown to its requester alone; its result will be posted."""
        self._locks.being_posted.discard(ticket_id)

    async def not_posted(self, ticket_id: str, why: str, *, perhaps: bool = False) -> None:
        """The card could not be shown, so nobody can confirm it: the ticket ends as void.

        Args:
            ticket_id: of an open ticket.
            why: what the member is told.
            perhaps: whether it may be shown all the same, its answer lost; then it is looked for and redrawn.
        """
        ticket = await self._journal.ticket(ticket_id)
        if ticket is not None and ticket.state is TicketState.OFFERED:
            new = move(ticket, TicketState.VOID, ended_at=self._clock(), outcome=why)
            # Otherwise it is shown nowhere: the member is told by the command's own answer.
            await self._recorder.move(ticket, new, EventName.VOID, data={"why": why}, show=perhaps)
        self._locks.being_posted.discard(ticket_id)

    async def confirm(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """The requester's Confirm; returns a sentence for the presser alone, or ``None`` when the card says it all."""
        return await self._press(self._presses.confirm, press, acknowledge)

    async def approve(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """The second person's Approve."""
        return await self._press(self._presses.approve, press, acknowledge)

    async def cancel(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Cancel an open ticket."""
        return await self._press(self._presses.cancel, press, acknowledge)

    def news(self, account: str | None) -> None:
        """The broker says that something may have changed in an account, or in any of them: look there soon.

        What it says is not believed, only looked into. An account that it names otherwise than NinjaTrader may be any.
        """
        self._follower.soon(None if account is None else self._directory.canonical(account))
        self._next_evidence = min(self._next_evidence, self._evidence_at + self._timings.evidence_soonest)
        if self._has_questions:
            self._evidence_wanted.set()

    def accounts_for(self, member: Member, command: str) -> Sequence[str]:
        """The accounts that a member may use with a command, from memory."""
        return self._directory.accounts_for(self._policy(), member.roles, command)

    def instruments_for(self, member: Member, command: str, account: str) -> Sequence[str]:
        """The contracts that a member may use with a command, from memory."""
        return self._directory.instruments_for(self._policy(), member.roles, command, account)

    async def start(self, trust: JournalTrust = JournalTrust.FULL) -> StartupReport:
        """Take over what the last run left, as far as the journal is to be trusted, tell what that was, then begin the loops.

        Nothing is ever sent because of a start.

        Raises:
            JournalError: the journal can't be read or written.
        """
        await self._clockwatch.take_over()
        last = await self._safety.last_run()
        found = await self._recovery.at_start(trust)
        self._directory.remember(name for ticket in await self._journal.live() for name in ticket.intent.accounts)
        left = {"left": await self._safety.take_over(last), **self._clockwatch.about_this_boot}
        data = {"expired": found.expired, "unknown": found.unknown, "late": found.late, **left}
        await self._recorder.record(EventName.STARTED, data=data, notices=notices_of_the_start(self._policy(), found))
        await self._safety.look()
        self._is_started = True
        begin = self._loops.begin
        begin("expiry", self._expire, hears=True)
        begin("evidence", self._seek, bell=self._evidence_wanted)
        begin("following", self._follow, hears=True, bell=self._follower.called)
        begin("retiring", self._retirer.look, bell=self._retirer.called)
        begin("outbox", self._outbox.deliver_due, bell=self._recorder.news)
        begin("front months", self._read_fronts)
        begin("rolling", self._forget_fronts)
        begin("switches", self._safety.look, hears=True)
        begin("clock", self._watch_clock)
        begin("fills", self._keep_fills)
        begin("open cards", self._keep, hears=True)
        begin("rounds", self._probe, hears=True)
        begin("watchdog", self.health.look, hears=True)
        return found

    async def close(self) -> None:
        """Claim nothing more, answer who is inside, see orders to their end (or store them unknown), deliver what fits, stop."""
        self._locks.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.sends_get.total_seconds()):
                await self._draining.drained()
                await self._sender.wait()
        await self._sender.abandon()
        with contextlib.suppress(JournalError):
            await self._recovery.lose_all()
        await self._loops.end()
        await self._outbox.flush(self._timings.news_get.total_seconds())
        if self._is_started:
            # Not there at the next start, this tells that the run was cut off; nothing is stored behind it.
            with contextlib.suppress(JournalError):
                await self._recorder.shut(EventName.STOPPED)
        await self._end()

    async def abandon(self) -> None:
        """Stop at once and write, send and tell nothing: another process has taken the journal over, and does all of it."""
        self._locks.stop()
        await self._sender.abandon()
        await self._end()

    async def _end(self) -> None:
        await self._loops.end()
        await self._follower.close()
        await self._reconciler.close()
        await self._outbox.close()
        await self.health.close()
        await self.suggest.close()

    async def _press(
        self, pressed: Callable[[Press, Acknowledge], Awaitable[str | None]], press: Press, acknowledge: Acknowledge
    ) -> str | None:
        if self._locks.is_stopping:
            await acknowledge()
            return STOPPING
        with self._draining.counted():
            return await pressed(press, acknowledge)

    def _seek_evidence(self) -> None:
        self._next_evidence = self._clock()
        self._evidence_wanted.set()

    def _stored(self, name: EventName, ticket: Ticket | None) -> None:
        if ticket is not None and name in TELLS_OF_AN_ORDER:
            for account in ticket.intent.accounts:
                self._broker.changed(account)
        if name in LEAVES_A_QUESTION:
            self._has_questions = True
            self._evidence_wanted.set()
        if name is EventName.SENDING:
            # Most orders have their answer by then, which changes more; looking now would hold the order itself up.
            asyncio.get_running_loop().call_later(self._timings.sending_shown_after.total_seconds(), self._loops.changed)
        else:
            self._loops.changed()
        self._observe(name)

    async def _expire(self) -> float | None:
        return await self._recovery.expire(await self._journal.live())

    async def _probe(self) -> float:
        before = self.health.rounds.went_at
        pause = await self.health.probe()
        if self.health.rounds.went_at != before:
            self._retirer.called.set()
        return pause

    async def _keep(self) -> float | None:
        return await self._keeping.look(await self._journal.live())

    async def _seek(self) -> float | None:
        now = self._clock()
        if self._has_questions and now >= self._next_evidence:
            self._evidence_at, self._next_evidence = now, now + self._timings.evidence_every
            self._has_questions = await self._reconciler.look(await self._journal.recent(now - LOOKS_BACK))
        return (self._next_evidence - self._clock()).total_seconds() if self._has_questions else None

    async def _follow(self) -> float | None:
        live = await self._journal.live()
        await self._follower.look(live)
        return self._follower.until_next(live)

    async def _watch_clock(self) -> float:
        every = self._timings.clock_every.total_seconds()
        if self._clockwatch.slept(every):
            # What became due meanwhile is looked at at once.
            self._loops.changed()
            self._evidence_wanted.set()
        await self._clockwatch.look()
        return every

    async def _read_fronts(self) -> float:
        await self._directory.refresh_fronts(self._policy())
        return self._timings.fronts_again.total_seconds()

    async def _keep_fills(self) -> float:
        return await self._fills.look(self._directory.granted(self._policy()))

    async def _forget_fronts(self) -> float:
        self._directory.forget_fronts()
        return self._timings.fronts_every.total_seconds()
