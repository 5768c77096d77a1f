"""The verified reversal: close, read back until flat, then place. What doesn't get flat is never followed by the new order.

CrossTrade's own call waits about five seconds and then places the new order whether the position has gone or not.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.clock import Clock
from bot.desk.execution.apply_outcome import settled
from bot.desk.execution.steps import End, Pause, StepRunner
from bot.desk.lookup.look import FactsReader
from bot.desk.ports import EventName
from bot.desk.tracking.reasons import Reasons
from bot.errors import NO_JOURNAL, Halted, JournalError
from bot.trading.exits.timings import ExitTimings
from bot.trading.market.facts import Facts, Order
from bot.trading.orders.broker_calls import CancelOrders
from bot.trading.orders.intents import Close, PlaceOrder, VerifiedReverse, closing_terms
from bot.trading.orders.outcomes import NotSent, Outcome, Rejected, Unknown
from bot.trading.orders.progress import Step
from bot.trading.orders.tickets import Ticket, TicketState, move, side_word
from bot.trading.reconciliation.following import reason
from bot.trading.risk.closing import SentClose, held_in


@dataclass(frozen=True, slots=True)
class VerifiedReversals:
    """Runs verified reversals."""

    look: FactsReader
    reasons: Reasons
    clock: Clock
    pace: ExitTimings
    pause: Pause = asyncio.sleep

    async def run(self, runner: StepRunner, intent: VerifiedReverse) -> End:
        """Run a verified reversal; gives its end, to be stored.

        Raises:
            Overtaken: the bot is stopping.
        """
        held = runner.ticket.shown.position
        try:
            leg = Step(f"close {side_word(held)}", self.clock(), closes=True)
            closed = await runner.send(Close(intent.account, intent.contract, closing_terms(held, None, None)), leg)
        except JournalError as error:
            return settled(runner.ticket, NotSent(f"{error} {NO_JOURNAL}"), self.clock)
        if isinstance(closed, Rejected | NotSent):
            # Nothing was done, so the ticket ends as if it had been one call.
            return settled(replace(runner.ticket, progress=runner.progress), closed, self.clock)
        if (left := await self._until_flat(runner, intent, self._patience(closed))) is not None:
            told = f"After the close it was not read as flat: {left}. The new order was not sent. Look at NinjaTrader."
            return EventName.NOT_CLOSED, self._stopped(runner, told)
        return await self._place(runner, intent)

    async def _place(self, runner: StepRunner, intent: VerifiedReverse) -> End:
        entry = PlaceOrder(intent.account, intent.contract, intent.terms, intent.client_order_id, frozenset({"flat"}))
        try:
            if (flatten := await runner.flattened_by()) is not None:
                who = flatten.requester.named
                return self._not_placed(runner, f"{who} is flattening there (ticket {flatten.id}).")
            leg = Step(f"place {intent.terms.side} {intent.terms.quantity}", self.clock(), enters=True)
            placed = await runner.send(entry, leg)
        except (Halted, JournalError) as error:
            return self._not_placed(runner, str(error))
        name, ended = settled(replace(runner.ticket, progress=runner.progress), placed, self.clock)
        if isinstance(placed, Rejected | NotSent):
            ended = replace(ended, outcome=f"The position was closed; the new order was not placed: {ended.outcome}")
        return name, ended

    def _patience(self, closed: Outcome) -> timedelta:
        """The time that the close may take; one whose answer was lost may come about for as long as anything that was lost."""
        return timedelta(seconds=self.pace.grace if isinstance(closed, Unknown) else self.pace.flat_within)

    async def _until_flat(self, runner: StepRunner, intent: VerifiedReverse, patience: timedelta) -> str | None:
        """Wait until it is read that nothing is open, nothing works and the close is over; else say what is left.

        Orders that the close has left behind, such as the stop of the position that is gone, are cancelled once.
        """
        began, is_cancelled = self.clock(), False
        shown, known = runner.ticket.shown, frozenset(runner.ticket.orders_before)
        beside = bool(shown.working_orders)
        sent = SentClose(runner.progress.steps[0].state, began, shown.position, known, is_beside=beside)
        while True:
            facts = await self.look.holdings(intent.account)
            left, passed = _left(runner.ticket, intent, facts), self.clock() - began
            if left is None and self._is_over(sent, intent, facts):
                return None
            if facts.orders is not None and (refused := sent.rejected(facts, intent.contract)):
                return await self._refused(runner, refused[0], left)
            if passed >= patience or _is_turned(runner.ticket, intent, facts):
                return left or "whether the close is over could not be read"
            late = passed >= timedelta(seconds=self.pace.tidy)
            if late and not is_cancelled and _are_left_behind(runner.ticket, intent, facts):
                is_cancelled = True
                try:
                    leg = Step(f"cancel the orders of {intent.contract}", self.clock())
                    await runner.send(CancelOrders(intent.account, intent.contract), leg)
                except JournalError as error:
                    return f"{left}. {str(error).removesuffix('.')}"
            await self.pause(self.pace.poll)

    def _is_over(self, sent: SentClose, intent: VerifiedReverse, facts: Facts) -> bool:
        now = self.clock()
        sent.read(facts, intent.contract, now)
        return sent.is_over(facts, intent.contract, now, self.pace.patience)

    async def _refused(self, runner: StepRunner, order: Order, left: str | None) -> str:
        words = reason(await self.reasons.story(order.account, order.id))
        await runner.rejected(0, words)
        return f"{left or 'no position'}; NinjaTrader rejected the close{f': {words}' if words else ''}"

    def _not_placed(self, runner: StepRunner, why: str) -> End:
        return EventName.NOT_SENT, self._stopped(runner, f"The position was closed. {why} The new order was not sent.")

    def _stopped(self, runner: StepRunner, told: str) -> Ticket:
        changes = {"ended_at": self.clock(), "outcome": told, "progress": runner.progress}
        return move(runner.ticket, TicketState.NOT_SENT, **changes)


def _are_left_behind(ticket: Ticket, intent: VerifiedReverse, facts: Facts) -> bool:
    """Tell whether the position is gone, and all that works there worked before the close."""
    working = facts.working(intent.contract)
    if facts.positions is None or facts.position(intent.contract) is not None or not working:
        return False
    before = frozenset(ticket.orders_before)
    return all(not before.isdisjoint(order.ids) for order in working)


def _left(ticket: Ticket, intent: VerifiedReverse, facts: Facts) -> str | None:
    if facts.positions is None or facts.orders is None:
        return "NinjaTrader could not be read"
    position = facts.position(intent.contract)
    if position is not None:
        return f"{'now' if _is_turned(ticket, intent, facts) else 'still'} {side_word(position.quantity)}"
    working = len(facts.working(intent.contract))
    return f"{working} still working" if working else None


def _is_turned(ticket: Ticket, intent: VerifiedReverse, facts: Facts) -> bool:
    """Tell whether the position is on the other side by now, which no close may ever bring about."""
    return held_in(facts, intent.contract) * ticket.shown.position < 0
