"""Confirm, Approve and Cancel: one press, decided on fresh facts, claimed in the journal by one row.

The order of things is the promise: acknowledge, look again, decide again, then one transaction that claims the ticket *and*
says ``sending`` is committed to disk before the first byte leaves. Two clicks, two people, click against expiry: the journal
lets one of them change the row.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.desk.asking import denial_of
from bot.desk.decide import Decider, Decision
from bot.desk.hands import Hands
from bot.desk.ledger import Ledger
from bot.desk.ports import EventName
from bot.desk.requests import Press
from bot.desk.send import Sender
from bot.errors import Halted, JournalError
from bot.timings import DeskTimings
from bot.trading.intents import accounts_of
from bot.trading.plan import no_longer_true
from bot.trading.policy import Denial, DenialCode, Policy
from bot.trading.sweeps import Sweep
from bot.trading.tickets import Approved, Member, Ticket, TicketState, move
from bot.trading.words import harmless

log = logging.getLogger(__name__)

Acknowledge = Callable[[], Awaitable[None]]
WAITING = "You have confirmed this ticket already; it is sent once somebody has approved it."
APPROVED = "You have approved this ticket already; it is sent once {name} has confirmed it and nobody else must approve."
GONE = "I don't know this ticket any more; ask again with the command."
CHANGED = "This card has changed since you saw it; read it again, then press."
OVER = "This ticket is {state} already; nothing more is sent for it."
BUSY = "This ticket is being worked on; its card will say what became of it."
NOT_YOURS = "Only {name} can confirm this ticket."
NOT_APPROVER = "You can't approve this ticket: it needs somebody with the role <@&{role}>, and not who asked for it."
NOT_CANCELLER = "Only {name} or an approver can cancel this ticket."
UNREADABLE = "The journal can't be read, so nothing was sent; tell whoever runs the desk."
UNACKNOWLEDGED = "Discord didn't take the acknowledgement, so nothing was sent; press again."


@dataclass(frozen=True, slots=True)
class Presses:
    """Answers presses. Each method returns a sentence for the presser alone, or ``None`` when the card says it all."""

    ledger: Ledger
    decider: Decider
    sender: Sender
    hands: Hands
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
        return await self._guarded(press, acknowledge, self._cancel)

    async def _guarded(self, press: Press, acknowledge: Acknowledge, then: "Step") -> str | None:
        """What is true of every press: acknowledged at once, on an open ticket of the revision that was seen, one at a time."""
        pressed_at = self.clock()
        acknowledged = asyncio.ensure_future(acknowledge())
        try:
            with self.hands.hold(press.ticket) as held:
                # Discord's three seconds run already: the acknowledgement leaves before anything else is begun.
                await asyncio.sleep(0)
                answer = await self._on_open_ticket(press, pressed_at, acknowledged, then) if held else BUSY
        except JournalError:
            log.exception("press on ticket %s: journal", press.ticket)
            answer = UNREADABLE
        return answer if await self._taken(acknowledged) else answer or UNACKNOWLEDGED

    async def _on_open_ticket(
        self, press: Press, pressed_at: datetime, acknowledged: "asyncio.Future[None]", then: "Step"
    ) -> str | None:
        ticket = await self.ledger.journal.ticket(press.ticket)
        if ticket is None:
            return GONE
        if ticket.state is not TicketState.OFFERED:
            return OVER.format(state=ticket.state)
        if press.revision != ticket.revision:
            return CHANGED
        # A press counts from its moment: that the reads take a while can't make a timely one late.
        if ticket.is_over(pressed_at):
            return OVER.format(state=TicketState.EXPIRED)
        return await then(press, ticket, pressed_at, acknowledged)

    async def _confirm(
        self, press: Press, ticket: Ticket, pressed_at: datetime, acknowledged: "asyncio.Future[None]"
    ) -> str | None:
        if press.member.id != ticket.requester.id:
            return NOT_YOURS.format(name=harmless(ticket.requester.name, 40))
        if denial := denial_of(self.policy(), press.member.roles, ticket.intent):
            return denial.sentence
        if ticket.confirmed_at is not None and ticket.missing_roles:
            return WAITING
        confirmed = replace(ticket, confirmed_at=ticket.confirmed_at or pressed_at)
        return await self._complete_or_wait(press, ticket, confirmed, EventName.CONFIRMED, acknowledged)

    async def _approve(
        self, press: Press, ticket: Ticket, _pressed_at: datetime, acknowledged: "asyncio.Future[None]"
    ) -> str | None:
        counted = ticket.shown.approver_roles & press.member.roles
        if not counted or press.member.id == ticket.requester.id:
            return NOT_APPROVER.format(role=min(ticket.shown.approver_roles, default=0))
        if any(approval.member == press.member.id for approval in ticket.approvals):
            return APPROVED.format(name=harmless(ticket.requester.name, 40))
        approval = Approved(press.member.id, press.member.name, counted)
        approved = replace(ticket, approvals=(*ticket.approvals, approval))
        return await self._complete_or_wait(press, ticket, approved, EventName.APPROVED, acknowledged)

    async def _cancel(
        self, press: Press, ticket: Ticket, _pressed_at: datetime, _acknowledged: "asyncio.Future[None]"
    ) -> str | None:
        may_approve = bool(ticket.shown.approver_roles & press.member.roles)
        if press.member.id != ticket.requester.id and not may_approve:
            return NOT_CANCELLER.format(name=harmless(ticket.requester.name, 40))
        new = move(ticket, TicketState.CANCELLED, ended_at=self.clock(), ended_by=press.member.name)
        await self._store(ticket, new, EventName.CANCELLED, press.member)
        return None

    async def _complete_or_wait(
        self, press: Press, ticket: Ticket, signed: Ticket, name: EventName, acknowledged: "asyncio.Future[None]"
    ) -> str | None:
        """Send when Confirm and every approval are there; else store this one and wait for the other."""
        if signed.confirmed_at is None or signed.missing_roles:
            new = move(ticket, TicketState.OFFERED, confirmed_at=signed.confirmed_at, approvals=signed.approvals)
            await self._store(ticket, new, name, press.member)
            return None
        async with self.hands.deciding(ticket.requester.id, accounts_of(ticket.intent)):
            decision = await self.decider.decide(ticket.intent, ticket.requester.id, within=self.timings.exits.look)
            if not await self._taken(acknowledged):
                return UNACKNOWLEDGED
            claimed = await self._claim(press, ticket, signed, decision)
        if claimed is not None:
            await self.sender.send(claimed)
        return None

    async def _claim(self, press: Press, ticket: Ticket, signed: Ticket, decision: Decision) -> Ticket | None:
        """Act on what was decided on fresh facts; the claimed ticket, or ``None`` when it was denied, re-quoted or taken."""
        policy, now, shown = decision.policy, self.clock(), decision.shown
        # The requester's roles: as of now when it is their press, else as of their own.
        roles = press.member.roles if press.member.id == ticket.requester.id else ticket.requester.roles
        denial = denial_of(policy, roles, ticket.intent)
        if denial is not None or shown is None:
            await self._deny(press, ticket, (denial,) if denial else decision.denials)
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
            intent=decision.intent,
            progress=decision.progress,
            orders_before=decision.listed,
            outcome=None,
        )
        return await self._claimed(press, ticket, sending)

    async def _claimed(self, press: Press, ticket: Ticket, sending: Ticket) -> Ticket | None:
        try:
            stored = await self.ledger.move(ticket, sending, EventName.SENDING, actor=press.member.id)
        except Halted as error:
            # Halted since the look: the journal had the last word, in the very transaction that would have claimed it.
            await self._deny(press, ticket, (Denial(DenialCode(error.code), error.sentence, error.details),))
            return None
        except JournalError as error:
            # No order leaves that could not be journaled; that nothing was sent is told at once and stored when it can be.
            log.exception("ticket %s could not be claimed", ticket.id)
            await self.sender.not_sent(ticket, str(error))
            return None
        return sending if stored else None

    async def _deny(self, press: Press, ticket: Ticket, denials: tuple[Denial, ...]) -> None:
        told = "; ".join(f"{denial.code}: {denial.sentence}" for denial in denials)
        new = move(ticket, TicketState.DENIED, ended_at=self.clock(), outcome=told)
        reasons_text = [str(denial) for denial in denials]
        await self.ledger.move(ticket, new, EventName.DENIED, actor=press.member.id, data={"denials": reasons_text})

    async def _taken(self, acknowledged: "asyncio.Future[None]") -> bool:
        """Wait for Discord to take the acknowledgement; ``False`` when it didn't, or not in time to mean anything."""
        done, _ = await asyncio.wait({acknowledged}, timeout=self.timings.acknowledged_within.total_seconds())
        if not done:
            acknowledged.cancel()
            return False
        return not acknowledged.cancelled() and acknowledged.exception() is None

    async def _store(self, old: Ticket, new: Ticket, name: EventName, member: Member, **data: object) -> None:
        """Store a change; that somebody else was faster needs no word, the card shows what they did."""
        await self.ledger.move(old, new, name, actor=member.id, data=data)


def _what_changed(ticket: Ticket, decision: Decision) -> str | None:
    """Why the person must look again; a sweep is wanted whatever it finds, and reads its sizes as it goes."""
    before, now = ticket.intent, decision.intent
    if decision.shown is None or isinstance(before, Sweep) or isinstance(now, Sweep):
        return None
    return no_longer_true(before, now, ticket.shown, decision.shown, decision.policy.price_tolerance_ticks)


Step = Callable[[Press, Ticket, datetime, "asyncio.Future[None]"], Awaitable[str | None]]
