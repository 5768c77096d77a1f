"""Confirm, Approve and Cancel: one press, decided on fresh facts, claimed in the journal by one row.

The order of things is the promise: acknowledge, look again, decide again, then one transaction that claims the ticket *and*
says ``sending`` is committed to disk before the first byte leaves. Two clicks, two people, click against expiry: the journal
lets one of them change the row.

Entries are decided one after the other. A way out waits for none of them; an entry that one has overtaken is decided again, and
one that waits too long is denied. Until the claim Cancel always works.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.desk.execution.send import Sender
from bot.desk.locks import STOPPING, TicketLocks
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import EventName
from bot.desk.requests import Press
from bot.desk.tickets.decision import Decider, Decision
from bot.desk.tickets.members import Members, Standing, Unasked
from bot.desk.tickets.permissions import as_granted, denial_of
from bot.errors import NO_JOURNAL, Halted, JournalError
from bot.timings import DeskTimings
from bot.trading.orders.mass_actions import MassAction
from bot.trading.orders.tickets import Approved, Member, Ticket, TicketState, move
from bot.trading.planning.preview import no_longer_true
from bot.trading.risk.conditions import as_on_card
from bot.trading.risk.overtaking import bears_on
from bot.trading.risk.policy import Denial, DenialCode, Policy

log = logging.getLogger(__name__)

Acknowledge = Callable[[], Awaitable[None]]
WAITING = "You have confirmed this ticket already; it is sent once somebody has approved it."
APPROVED = "You have approved this ticket already; it is sent once {name} has confirmed it and nobody else must approve."
GONE = "I don't know this ticket any more; ask again with the command."
CHANGED = "This card has changed since you saw it; read it again, then press."
OVER = "This ticket is {state} already; nothing more is sent for it."
BUSY = "This ticket is being worked on; its card will say what became of it."
NOT_YOURS = "Only {name} can confirm this ticket."
NOT_APPROVER = "You can't approve this ticket: it needs somebody with the role {role}, and not who asked for it."
NOT_CANCELLER = "Only {name} or an approver can cancel this ticket."
TOO_LATE = (
    "It could not be decided within {seconds:.0f} s of the press, nor before the card's end, so nothing was sent; "
    "ask again if it is still wanted."
)
UNREADABLE = f"The journal can't be read, so nothing was sent; tell whoever runs the desk. {NO_JOURNAL}"
UNACKNOWLEDGED = "Discord didn't take the acknowledgement, so nothing was sent; press again."


class Outdated(Exception):
    """Something was claimed since it was decided; it has to be decided again."""


class Stopping(Exception):
    """The desk stops, so that nothing is claimed any more."""


@dataclass(frozen=True, slots=True)
class OpenPress:
    """A press on an open ticket of the revision that was seen.

    Attributes:
        at: its moment; that reads take a while can't make a timely one late.
        ticket: as it was stored then.
        acknowledged: done once Discord has taken the acknowledgement.
    """

    press: Press
    at: datetime
    ticket: Ticket
    acknowledged: "asyncio.Future[None]"

    @property
    def member(self) -> Member:
        """The member who pressed."""
        return self.press.member


@dataclass(frozen=True, slots=True)
class Presses:
    """Answers presses. Each method returns a sentence for the presser alone, or ``None`` when the card says it all.

    Attributes:
        decider, way_out: decide about entries and about ways out, whose reads go first.
    """

    recorder: Recorder
    decider: Decider
    way_out: Decider
    sender: Sender
    locks: TicketLocks
    members: Members
    policy: Callable[[], Policy]
    clock: Clock
    timings: DeskTimings

    async def confirm(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """The requester's Confirm."""
        return await self._guarded(press, acknowledge, self._confirm)

    async def approve(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """The second person's Approve."""
        return await self._guarded(press, acknowledge, self._approve)

    async def cancel(self, press: Press, acknowledge: Acknowledge) -> str | None:
        """Cancel, by the requester or by somebody who could approve."""
        acknowledged = asyncio.ensure_future(acknowledge())
        return await self._answered(press, acknowledged, self._cancel(press, self.clock()))

    async def _guarded(self, press: Press, acknowledge: Acknowledge, then: "Step") -> str | None:
        """Answer a yes: acknowledged at once, on an open ticket of the revision that was seen, one at a time."""
        acknowledged = asyncio.ensure_future(acknowledge())
        return await self._answered(press, acknowledged, self._held(press, self.clock(), acknowledged, then))

    async def _held(self, press: Press, pressed_at: datetime, acknowledged: "asyncio.Future[None]", then: "Step") -> str | None:
        with self.locks.hold(press.ticket) as held:
            # Discord's three seconds run already: the acknowledgement leaves before anything else is begun.
            await asyncio.sleep(0)
            return await self._on_open_ticket(press, pressed_at, acknowledged, then) if held else BUSY

    async def _answered(self, press: Press, acknowledged: "asyncio.Future[None]", working: Awaitable[str | None]) -> str | None:
        try:
            answer = await working
        except JournalError:
            log.exception("press on ticket %s: journal", press.ticket)
            answer = UNREADABLE
        return answer if await self._taken(acknowledged) else answer or UNACKNOWLEDGED

    async def _on_open_ticket(
        self, press: Press, pressed_at: datetime, acknowledged: "asyncio.Future[None]", then: "Step"
    ) -> str | None:
        ticket = await self.recorder.journal.ticket(press.ticket)
        if ticket is None:
            return GONE
        if ticket.state is not TicketState.OFFERED:
            return OVER.format(state=ticket.state)
        if press.revision != ticket.revision:
            return CHANGED
        if ticket.is_over(pressed_at):
            return OVER.format(state=TicketState.EXPIRED)
        return await then(OpenPress(press, pressed_at, ticket, acknowledged))

    async def _confirm(self, press: OpenPress) -> str | None:
        ticket = press.ticket
        if press.member.id != ticket.requester.id:
            return NOT_YOURS.format(name=ticket.requester.named)
        if denial := denial_of(self.policy(), press.member.roles, ticket.intent):
            return denial.sentence
        if ticket.confirmed_at is not None and ticket.missing_roles:
            return WAITING
        return await self._complete_or_wait(
            press, replace(ticket, confirmed_at=ticket.confirmed_at or press.at), EventName.CONFIRMED
        )

    async def _approve(self, press: OpenPress) -> str | None:
        ticket = press.ticket
        counted = ticket.shown.approver_roles & press.member.roles
        if not counted or press.member.id == ticket.requester.id:
            return NOT_APPROVER.format(role=min(ticket.shown.approver_roles, default=0))
        if any(approval.member == press.member.id for approval in ticket.approvals):
            return APPROVED.format(name=ticket.requester.named)
        approval = Approved(press.member.id, press.member.name, counted)
        approved = replace(ticket, approvals=(*ticket.approvals, approval))
        return await self._complete_or_wait(press, approved, EventName.APPROVED)

    async def _cancel(self, press: Press, pressed_at: datetime) -> str | None:
        """Cancel whatever is decided meanwhile, as long as it isn't claimed: of both the journal lets one change the row."""
        await asyncio.sleep(0)
        if self.locks.has_ended(press.ticket):
            return BUSY
        while True:
            ticket = await self.recorder.journal.ticket(press.ticket)
            if ticket is None:
                return GONE
            if (no := self._uncancelled(press, ticket, pressed_at)) is not None:
                return no
            new = move(
                ticket, TicketState.CANCELLED, ended_at=self.clock(), ended_by=press.member.name, ended_by_id=press.member.id
            )
            # Quoted again, or approved, meanwhile: it is open still, and a no is a no to that, too.
            if await self.recorder.move(ticket, new, EventName.CANCELLED, actor=press.member.id):
                return None

    def _uncancelled(self, press: Press, ticket: Ticket, pressed_at: datetime) -> str | None:
        """The reason why it can't be cancelled, by this member or any more; ``None`` if it can."""
        if ticket.state is not TicketState.OFFERED:
            return OVER.format(state=ticket.state)
        # A timely yes may still be worked on after the card's end.
        if ticket.is_over(pressed_at) and not self.locks.holds(ticket.id):
            return OVER.format(state=TicketState.EXPIRED)
        may_approve = bool(ticket.shown.approver_roles & press.member.roles)
        if press.member.id != ticket.requester.id and not may_approve:
            return NOT_CANCELLER.format(name=ticket.requester.named)
        return None

    async def _complete_or_wait(self, press: OpenPress, signed: Ticket, name: EventName) -> str | None:
        """Send when Confirm and every approval are there; else store this one and wait for the other."""
        ticket = press.ticket
        if signed.confirmed_at is None or signed.missing_roles:
            new = move(ticket, TicketState.OFFERED, confirmed_at=signed.confirmed_at, approvals=signed.approvals)
            await self._store(ticket, new, name, press.member)
            return None
        try:
            claimed = await self._decide_and_claim(press, signed)
        except (TimeoutError, Stopping):
            await self._deny(press, (self._undecided(),))
            return None
        if isinstance(claimed, Ticket):
            await self.sender.send(claimed)
            return None
        return claimed

    def _undecided(self) -> Denial:
        """The denial of a press that was in time although nothing speaks against it."""
        if self.locks.is_stopping:
            return Denial(DenialCode.DESK_DOWN, STOPPING)
        return Denial(DenialCode.TOO_LATE, TOO_LATE.format(seconds=self.timings.decided_within.total_seconds()))

    async def _decide_and_claim(self, press: OpenPress, signed: Ticket) -> Ticket | str | None:
        """The claimed ticket, or what to tell the presser; again whenever something was claimed that bears on it.

        Raises:
            TimeoutError: it took too long, or the desk stops.
            Stopping: the desk stops.
        """
        ticket, late_at = press.ticket, self._late_at(press)
        decider = self.way_out if ticket.intent.is_exit else self.decider
        async with AsyncExitStack() as turn:
            async with self._until(late_at):
                await turn.enter_async_context(self.locks.deciding(ticket.requester.id, ticket.intent))
            while True:
                before = self.locks.claims
                async with self._until(late_at):
                    # Nobody but who presses has signed what one person may send.
                    deciding = decider.decide(
                        ticket.intent, ticket.requester.id, signed.confirmed_at, within=self.timings.exits.look
                    )
                    try:
                        standing, decision = await asyncio.gather(self.members.standing(press.press, signed), deciding)
                    except Unasked as error:
                        return str(error)
                    if not await self._taken(press.acknowledged):
                        return UNACKNOWLEDGED
                if late_at is not None and self.clock() > late_at:
                    # Timers stand still while the machine sleeps.
                    raise TimeoutError
                with suppress(Outdated):
                    return await self._claim(press, signed, decision, standing, before)

    def _late_at(self, press: OpenPress) -> datetime | None:
        """The moment after which a press is too late; ``None`` for a mass action: what it can't read in time it does unseen."""
        if press.ticket.intent.is_mass:
            return None
        return max(press.at + self.timings.decided_within, press.ticket.expires_at)

    def _until(self, moment: datetime | None) -> AbstractAsyncContextManager[None]:
        return self.locks.unless_stopping(None if moment is None else max((moment - self.clock()).total_seconds(), 0.0))

    async def _claim(
        self, press: OpenPress, signed: Ticket, decision: Decision, standing: Standing, before: int
    ) -> Ticket | None:
        """Act on what was decided on fresh facts; the claimed ticket, or ``None`` when it was denied, re-quoted or taken."""
        ticket = press.ticket
        policy, now, shown = decision.policy, self.clock(), decision.shown
        roles = standing.roles
        denial = standing.denial or denial_of(policy, roles, ticket.intent)
        if denial is not None or shown is None:
            await self._deny(press, (denial,) if denial else decision.denials)
            return None
        why = _what_changed(ticket, decision)
        if why is not None:
            again = move(
                ticket,
                TicketState.OFFERED,
                intent=decision.intent,
                revision=ticket.revision + 1,
                shown=shown,
                expires_at=now + timedelta(seconds=policy.confirm_seconds),
                confirmed_at=None,
                approvals=(),
                outcome=f"Not sent yet: {why}. Read the card again.",
            )
            await self._store(ticket, again, EventName.REQUOTED, press.member, why=why)
            return None
        sending = move(
            ticket,
            TicketState.SENDING,
            confirmed_at=signed.confirmed_at,
            approvals=signed.approvals,
            sent_at=now,
            intent=as_granted(as_on_card(decision.intent, ticket.intent), policy, roles),
            progress=decision.progress,
            orders_before=decision.listed,
            outcome=None,
        )
        return await self._claimed(press, sending, before)

    async def _claimed(self, press: OpenPress, sending: Ticket, before: int) -> Ticket | None:
        ticket = press.ticket
        try:
            async with self.locks.claiming:
                # The last look before it leaves: what is claimed is seen to its end, nothing else is begun.
                if self.locks.is_stopping:
                    raise Stopping
                newer = self.locks.claimed_since(before)
                if newer is None or any(bears_on(each, sending.intent, sending.requester.id) for each in newer):
                    raise Outdated
                stored = await self.recorder.move(ticket, sending, EventName.SENDING, actor=press.member.id)
                if stored:
                    self.locks.claimed(sending)
        except Halted as error:
            # Halted since the look: the journal had the last word, in the very transaction that would have claimed it.
            await self._deny(press, (Denial(DenialCode(error.code), error.sentence, error.details),))
            return None
        except JournalError as error:
            # No order leaves that could not be journaled; that nothing was sent is told at once and stored when it can be.
            log.exception("ticket %s could not be claimed", ticket.id)
            await self.sender.not_sent(ticket, f"{error} {NO_JOURNAL}")
            return None
        return sending if stored else None

    async def _deny(self, press: OpenPress, denials: tuple[Denial, ...]) -> None:
        ticket = press.ticket
        told = "; ".join(f"{denial.code}: {denial.sentence}" for denial in denials)
        new = move(ticket, TicketState.DENIED, ended_at=self.clock(), outcome=told)
        reasons_text = [str(denial) for denial in denials]
        await self.recorder.move(ticket, new, EventName.DENIED, actor=press.member.id, data={"denials": reasons_text})

    async def _taken(self, acknowledged: "asyncio.Future[None]") -> bool:
        """Wait for Discord to take the acknowledgement; ``False`` when it didn't, or not in time to mean anything."""
        done, _ = await asyncio.wait({acknowledged}, timeout=self.timings.acknowledged_within.total_seconds())
        if not done:
            acknowledged.cancel()
            return False
        return not acknowledged.cancelled() and acknowledged.exception() is None

    async def _store(self, old: Ticket, new: Ticket, name: EventName, member: Member, **data: object) -> None:
        """Store a change; that somebody else was faster needs no word, the card shows what they did."""
        await self.recorder.move(old, new, name, actor=member.id, data=data)


def _what_changed(ticket: Ticket, decision: Decision) -> str | None:
    """The reason why the person must look again; a mass action is wanted whatever it finds, and reads its sizes as it goes."""
    before, now = ticket.intent, decision.intent
    if decision.shown is None or isinstance(before, MassAction) or isinstance(now, MassAction):
        return None
    return no_longer_true(before, now, ticket.shown, decision.shown, decision.policy.price_tolerance_ticks)


Step = Callable[[OpenPress], Awaitable[str | None]]
