"""``/halt`` and ``/resume``, and telling people of switches that nobody has set.

What a switch bars is in ``bot.trading.risk.halts``.

A halt needs neither CrossTrade nor a second press: it is stored at once, and every claim after that is refused.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.clock import Clock
from bot.desk.halts.found import FoundHalts
from bot.desk.lookup.names import Naming, RequestRefused, instrument
from bot.desk.outbox.notices import switch_words
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import EventName
from bot.desk.requests import Refused, SwitchRequest
from bot.errors import JournalError, UsageError
from bot.timings import DeskTimings
from bot.trading.orders.instruments import Contract
from bot.trading.orders.tickets import Member, Origin, TicketState
from bot.trading.risk.halts import LONGEST_WHY, Source, Switch, Switches, SwitchState, may_resume_everywhere
from bot.trading.risk.policy import EVERYTHING, HALT, RESUME, Denial, DenialCode, PermissionQuery, Policy

log = logging.getLogger(__name__)
ALREADY = "Nothing was changed. {sentence}"
NOT_HALTED = "{where} is not halted or reducing by anybody, so nothing was changed."
UNCHECKED = "CrossTrade could not be asked whether there is such an account; it is taken as typed."
NOT_STORED = (
    "{error} So it isn't sure that this holds: look at /policy. A file named HALT beside the journal halts the desk without it."
)


@dataclass(frozen=True, slots=True)
class LastRun:
    """The run before this one, as the journal tells of it.

    Attributes:
        was_cut_off: whether it never came to its stop.
        left: tickets that a crash before it had left unknown.
    """

    was_cut_off: bool
    left: frozenset[str]


class HaltCommands:
    """The desk's kill switch.

    Attributes:
        known: all that is not active, as last seen; for showing, never for deciding.
    """

    def __init__(
        self,
        recorder: Recorder,
        found_halts: FoundHalts,
        naming: Naming,
        policy: Callable[[], Policy],
        clock: Clock,
        timings: DeskTimings,
    ) -> None:
        self.known = Switches()
        self._recorder = recorder
        self._found_halts = found_halts
        self._naming = naming
        self._policy = policy
        self._clock = clock
        self._timings = timings
        self._stored: Switches | None = None
        self._told: dict[Source, Switch] = {}
        self._looking = asyncio.Lock()

    async def switches(self) -> Switches:
        """All that are not active just now.

        Raises:
            JournalError: the journal can't be read.
        """
        self._stored = await self._recorder.journal.switches()
        return await self.now()

    async def now(self) -> Switches:
        """The same, with what is stored as this desk knows it: nobody else changes it, and a claim asks the journal itself.

        Raises:
            JournalError: the journal can't be read.
        """
        stored = await self._recorder.journal.switches() if self._stored is None else self._stored
        self._stored = stored
        self.known = stored | await self._found_halts.switches()
        return self.known

    async def last_run(self) -> LastRun:
        """The end of the last run; to be asked before this one writes anything.

        Raises:
            JournalError: the journal can't be read.
        """
        journal = self._recorder.journal
        started, newest = await journal.last({EventName.STARTED}), await journal.last({EventName.STARTED, EventName.STOPPED})
        left = () if started is None else started.data.get("left", ())
        was_cut_off = newest is not None and newest.name is EventName.STARTED
        return LastRun(was_cut_off, frozenset(map(str, left)) if isinstance(left, list | tuple) else frozenset())

    async def take_over(self, last: LastRun) -> Sequence[str]:
        """Let only out what can't make a position larger until all that crashes left unknown is settled; gives those tickets.

        Raises:
            JournalError: the journal can't be read.
        """
        unknown = [ticket.id for ticket in await self._recorder.journal.live() if ticket.state is TicketState.UNKNOWN]
        left = sorted(each for each in unknown if last.was_cut_off or each in last.left)
        self._found_halts.left(left)
        await self.switches()
        return left

    async def look(self) -> float:
        """See what holds, and tell of a switch that nobody has set when it comes and when it goes, once each.

        Gives the seconds until the next look: at a claim they are looked for anyway, this is how soon people hear of it.

        Raises:
            JournalError: it could not be stored; the next look tries again.
        """
        # Each comes and goes once, whoever looks at the same time.
        async with self._looking:
            found_halts = await self._found_halts.switches()
            # Nobody but this desk changes what is stored.
            self.known = (self._stored or Switches()) | found_halts
            found = {switch.source: switch for switch in found_halts}
            for source in (Source.FILE, Source.CRASH):
                now, before = found.get(source), self._told.get(source)
                if now is not None and before is None:
                    await self._recorder.told_of_switch(EventName.HALTED, now)
                    self._told[source] = now
                elif now is None and before is not None:
                    over = replace(before, state=SwitchState.ACTIVE, at=self._clock())
                    await self._recorder.told_of_switch(EventName.RESUMED, over, self.known.over(EVERYTHING, EVERYTHING))
                    del self._told[source]
        return self._timings.switches_every.total_seconds()

    async def halt(self, member: Member, origin: Origin, request: SwitchRequest) -> str | Refused:
        """Halt, at once; what the team reads of it, or every reason why not."""
        return await self._guarded(member, origin, request, self._halt)

    async def resume(self, member: Member, origin: Origin, request: SwitchRequest) -> str | Refused:
        """Lift a switch; what the team reads of it, or every reason why not."""
        return await self._guarded(member, origin, request, self._resume)

    async def _guarded(self, member: Member, origin: Origin, request: SwitchRequest, then: "Step") -> str | Refused:
        try:
            return await then(member, origin, request)
        except RequestRefused as stop:
            return await self._refused(member, origin, request, stop.denials)
        except UsageError as error:
            return await self._refused(member, origin, request, (Denial(DenialCode.BAD_REQUEST, str(error)),))
        except JournalError as error:
            log.exception("/%s", request.command)
            return Refused((Denial(DenialCode.DESK_DOWN, NOT_STORED.format(error=error)),))

    async def _halt(self, member: Member, origin: Origin, request: SwitchRequest) -> str:
        state = _state(request)
        account, root, warned = await self._scope(member, request)
        self._naming.ask(member, PermissionQuery(HALT, _named(account), _named(root)))
        why = request.reason.strip()[:LONGEST_WHY]
        switch = Switch(account, root, state, self._clock(), member.id, member.name, why)
        if not await self._recorder.switch(EventName.HALTED, switch, origin.channel):
            standing = (await self._recorder.journal.switches()).at(account, root)
            # Somebody may just have lifted what was in the way.
            return ALREADY.format(sentence=switch.where if standing is None else standing.sentence)
        log.warning("%s: %s", request.command, switch.headline)
        await self._seen()
        return "\n".join([switch_words(self._policy(), EventName.HALTED, switch), *([warned] if warned else [])])

    async def _resume(self, member: Member, origin: Origin, request: SwitchRequest) -> str:
        account, root, _ = await self._scope(member, request)
        if account == EVERYTHING:
            self._ask_for_all(member)
        else:
            self._naming.ask(member, PermissionQuery(RESUME, account))
        why = request.reason.strip()[:LONGEST_WHY]
        switch = Switch(account, root, SwitchState.ACTIVE, self._clock(), member.id, member.name, why)
        still = (await self.switches()).without(account, root).over(account, root)
        if not await self._recorder.switch(EventName.RESUMED, switch, origin.channel, still):
            told = NOT_HALTED.format(where=switch.where)
            return told if still is None else f"{told} {still.sentence}"
        log.warning("%s: %s", request.command, switch.headline)
        await self._seen()
        return switch_words(self._policy(), EventName.RESUMED, switch, still)

    async def _seen(self) -> None:
        """Show what holds now that something was stored; that it can't be read takes nothing back."""
        try:
            await self.switches()
        except JournalError as error:
            log.warning("the switches can't be read: %s", error)

    def _ask_for_all(self, member: Member) -> None:
        self._naming.ask(member, PermissionQuery(RESUME))
        if not may_resume_everywhere(self._policy(), member.roles):
            sentence = (
                "Your roles allow /resume in some accounts only, and this holds in all of them; ask somebody whose grant of "
                "/resume covers every account that is traded."
            )
            raise RequestRefused(Denial(DenialCode.ACCOUNT_NOT_GRANTED, sentence, "account=*"))

    async def _scope(self, member: Member, request: SwitchRequest) -> tuple[str, str, str | None]:
        """Account and root, ``*`` for all of them, and what could not be checked."""
        _check(request)
        root = EVERYTHING
        if request.instrument.strip():
            named = instrument(request.instrument, self._clock)
            root = named.root if isinstance(named, Contract) else named.name
        if not request.account.strip():
            return EVERYTHING, root, None
        account, warned = await self._account(member, request, root)
        return account, root, warned

    async def _account(self, member: Member, request: SwitchRequest, root: str) -> tuple[str, str | None]:
        typed = request.account.strip()
        if EVERYTHING in typed:
            raise UsageError("account takes the name of one account; for all of them leave it out.")
        # One that NinjaTrader doesn't list any more must still be found, to be resumed.
        standing = (await self._recorder.journal.switches()).at(typed, root)
        if standing is not None:
            return standing.account, None
        try:
            return await self._naming.account(member, request.command, typed), None
        except RequestRefused as stop:
            # CrossTrade being down must keep nobody from halting.
            if request.command != HALT or stop.denials[0].code is not DenialCode.FACTS_MISSING:
                raise
            return typed, UNCHECKED

    async def _refused(self, member: Member, origin: Origin, request: SwitchRequest, denials: tuple[Denial, ...]) -> Refused:
        typed = {"scope": request.scope, "account": request.account[:100], "instrument": request.instrument[:100]}
        await self._recorder.denied(member.id, denials, command=request.command, channel=origin.channel, **typed)
        return Refused(denials)


Step = Callable[[Member, Origin, SwitchRequest], Awaitable[str]]


def _named(part: str) -> str | None:
    return None if part == EVERYTHING else part


def _state(request: SwitchRequest) -> SwitchState:
    if request.state not in {SwitchState.HALTED, SwitchState.REDUCING}:
        raise UsageError("state takes halted or reducing.")
    return SwitchState(request.state)


_TAKES = {"desk": (False, False), "account": (True, False), "instrument": (None, True)}


def _check(request: SwitchRequest) -> None:
    """Each scope takes its own options and no other: one too many may mean that a smaller scope was meant."""
    if request.scope not in _TAKES:
        raise UsageError("scope takes desk, account or instrument.")
    options = zip(("account", "instrument"), (request.account, request.instrument), _TAKES[request.scope], strict=True)
    for option, typed, wanted in options:
        if wanted is True and not typed.strip():
            raise UsageError(f"scope:{request.scope} needs {option}; add it.")
        if wanted is False and typed.strip():
            raise UsageError(f"scope:{request.scope} takes no {option}; leave it out, or choose a smaller scope.")
