"""Tickets of several calls that the end of a process cut short: told as what can be read of them. Nothing is ever sent here."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.desk.lookup.look import FactsReader
from bot.desk.outbox.recording import Recorder
from bot.desk.ports import EventName
from bot.timings import DeskTimings
from bot.trading.exits.leftover import commands_for, in_words, left_of
from bot.trading.exits.rules import done_words, followed, others_left
from bot.trading.market.facts import Facts
from bot.trading.orders.intents import VerifiedReverse
from bot.trading.orders.mass_actions import CancelWorking, MassAction
from bot.trading.orders.terms import OrderState
from bot.trading.orders.tickets import Ticket, TicketState, Told, move, side_word

STOPPED = "The bot was stopped in the middle, and nothing more was sent."
UNSEEN = "It was sent unseen, as the lists could not be read."
UNSEEN_THERE = "It was sent unseen where the lists could not be read."


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Settles them."""

    recorder: Recorder
    look_at: FactsReader
    clock: Clock
    timings: DeskTimings
    began: datetime

    async def look(self, ticket: Ticket) -> bool:
        """Look at a ticket whose outcome is unknown; ``False`` when it is an order for evidence to find."""
        intent = ticket.intent
        if ticket.state is not TicketState.UNKNOWN:
            # That its order never left is known; one that looks like it is somebody else's.
            return isinstance(intent, VerifiedReverse) and not _may_be_placed(ticket)
        if isinstance(intent, MassAction):
            await self._mass_action(ticket, intent)
            return True
        if isinstance(intent, VerifiedReverse) and not _may_be_placed(ticket):
            await self._reversal(ticket, intent)
            return True
        return False

    async def _mass_action(self, ticket: Ticket, mass_action: MassAction) -> None:
        books = {name: await self.look_at.left(name, mass_action) for name in mass_action.scope.accounts}
        before = ticket.progress.rows
        lines = tuple(line for name in books for line in followed(mass_action, before, name, books[name]))
        progress, now = replace(ticket.progress, rows=lines), self.clock()
        is_read = all(facts.positions is not None and facts.orders is not None for facts in books.values())
        beside = others_left(books)
        left = [*left_of(lines), *beside]
        if left and not (is_read and self._is_late(ticket)):
            return
        # What isn't connected may look flat, or as it was a while ago.
        if not all([await self.look_at.is_up(name) for name in sorted({line.account for line in lines})]):
            return
        if not left:
            name = EventName.ORDER_CANCELLED if isinstance(mass_action, CancelWorking) else EventName.FLATTENED
            changes = {
                "order_state": OrderState.FILLED,
                "outcome": f"{_so_far(ticket)} Read since: {done_words(mass_action)}.",
                "progress": progress,
            }
            new = move(ticket, TicketState.ACCEPTED, ended_at=now, **changes)
            await self.recorder.move(ticket, new, name, data={"evidence": "positions and orders"})
        else:
            told = " ".join(
                filter(None, (in_words(beside), _so_far(ticket), commands_for(mass_action, lines), "Look at NinjaTrader."))
            )
            changes = {"order_state": OrderState.CANCELLED, "outcome": told, "told": Told.REST, "progress": progress}
            new = move(ticket, TicketState.ACCEPTED, ended_at=now, **changes)
            await self.recorder.move(ticket, new, EventName.NOT_CLOSED, data={"left": left})

    async def _reversal(self, ticket: Ticket, intent: VerifiedReverse) -> None:
        """The new order was never sent; what there is to tell is what became of the close."""
        if not self._is_late(ticket):
            return
        facts = await self.look_at.holdings(intent.account)
        if facts.positions is None or facts.orders is None or not await self.look_at.is_up(intent.account):
            return
        position = facts.position(intent.contract)
        now_held = 0 if position is None else position.quantity
        told = f"{STOPPED} The new order never left; the position is now {side_word(now_held)}{_working(intent, facts)}."
        new = move(ticket, TicketState.NEVER_ARRIVED, ended_at=self.clock(), outcome=told)
        await self.recorder.move(ticket, new, EventName.NEVER_ARRIVED, data={"position": now_held})

    def _is_late(self, ticket: Ticket) -> bool:
        return ticket.last_sent_at is not None and self.clock() - max(ticket.last_sent_at, self.began) >= self.timings.grace


def _so_far(ticket: Ticket) -> str:
    """The reason why the ticket didn't end by itself."""
    if not ticket.progress.went_unseen:
        return STOPPED
    return UNSEEN if len(ticket.intent.accounts) == 1 else UNSEEN_THERE


def _may_be_placed(ticket: Ticket) -> bool:
    """Tell whether the second call of a verified reversal, the new order, was begun."""
    intent = ticket.intent
    if ticket.lacks_its_claim:
        # Nor would the journal know of its calls.
        return True
    return isinstance(intent, VerifiedReverse) and any(step.enters for step in ticket.progress.steps)


def _working(intent: VerifiedReverse, facts: Facts) -> str:
    count = len(facts.working(intent.contract))
    return f", {count} {'order works' if count == 1 else 'orders work'} there" if count else ""
