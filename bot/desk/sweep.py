"""Flatten, and cancel what works: read, do the next step, read again, until it is so or nothing more can be done.

Which step comes next is decided in ``bot.trading.exits``, which is pure. Nobody is told "flat" that was not read to be so.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from bot.desk.course import Course, End, Pause, leg_state
from bot.desk.ledger import Ledger
from bot.desk.look import Look
from bot.desk.ports import EventName
from bot.errors import NO_JOURNAL, JournalError
from bot.trading.actions import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount
from bot.trading.exits import ExitAction, Exits, Market, Pace
from bot.trading.facts import Facts
from bot.trading.intents import Close, accounts_of, touches
from bot.trading.limits import Recent
from bot.trading.orders import OrderState
from bot.trading.progress import LegState, Line
from bot.trading.strategies import StrategyExit
from bot.trading.sweeping import closing_elsewhere, followed, in_flight_elsewhere, left_of
from bot.trading.sweeps import CancelWorking, FlattenStrategy, Sweep
from bot.trading.tickets import Ticket, TicketState, move
from bot.trading.words import code

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweeping:
    """Takes sweeps through."""

    look: Look
    ledger: Ledger
    clock: Clock
    pace: Pace
    pause: Pause = asyncio.sleep

    async def run(self, course: Course, sweep: Sweep) -> End:
        """Take one through; its end, to be stored.

        Raises:
            Overtaken: the bot is stopping.
        """
        meant = {(line.account, line.contract) for line in course.progress.lines if line.contract is not None}
        if isinstance(sweep, FlattenStrategy):
            return await _Run(self, course, sweep, StrategyExit(sweep, self.pace)).through()
        return await _Run(self, course, sweep, Exits(sweep, self.pace, self.clock(), meant)).through()


class _Run:
    """One sweep under way."""

    def __init__(self, parts: Sweeping, course: Course, sweep: Sweep, exits: Exits | StrategyExit) -> None:
        self._parts = parts
        self._course = course
        self._sweep = sweep
        self._exits = exits
        self._lines: tuple[Line, ...] = course.progress.lines
        self._recent = Recent()
        self._halted: str | None = None
        self._finished: set[str] = set()

    async def through(self) -> End:
        """Go on until it is done, nothing more can be tried, or time is up."""
        clock, pace = self._parts.clock, self._parts.pace
        began = clock()
        while True:
            books = await self._read()
            now = clock()
            if self._is_done():
                await self._course.show(self._lines, now)
                return self._end()
            if now - began >= timedelta(seconds=pace.whole) or self._halted or self._exits.gave_up(books):
                await self._course.show(self._lines)
                return self._end()
            await self._course.show(self._lines)
            await self._act(self._exits.next_actions(books, now, self._held_up()), books)
            await self._parts.pause(pace.poll if (now - began).total_seconds() < pace.hurry else pace.poll_later)

    async def _read(self) -> dict[str, Facts]:
        names = [name for name in self._sweep.scope.accounts if name not in self._finished]
        # Asked before the lists are read: what is answered meanwhile is in them.
        self._recent = await self._in_flight()
        looking = asyncio.gather(*(self._parts.look.left(name, self._sweep) for name in names))
        read, _ = await asyncio.gather(looking, self._heed_newcomers())
        books = dict(zip(names, read, strict=True))
        self._exits.read(books, self._parts.clock())
        for name in names:
            lines = followed(self._sweep, self._lines, name, books[name])
            self._lines = (*(line for line in self._lines if line.account != name), *lines)
            # Where nothing is open, nothing works and nothing is on its way there is nothing more to be read.
            if all(line.is_done for line in lines) and not any(name in accounts_of(other.intent) for other in self._others()):
                self._finished.add(name)
        return books

    async def _heed_newcomers(self) -> None:
        """Look whether an account has come that nobody was asked about; where the list can't be read, one may have."""
        if isinstance(self._exits, Exits) and self._exits.may_be_whole:
            listed = await self._parts.look.names()
            if listed is None or not listed <= set(self._sweep.scope.accounts):
                self._exits.go_one_by_one()

    async def _in_flight(self) -> Recent:
        try:
            return Recent(tuple(await self._parts.ledger.journal.recent(self._parts.clock())))
        except JournalError as error:
            log.warning("ticket %s: what else is on its way can't be read: %s", self._course.ticket.id, error)
            return self._recent

    def _others(self) -> list[Ticket]:
        return in_flight_elsewhere(self._course.ticket, self._recent)

    def _held_up(self) -> frozenset[Market]:
        """Contracts that another ticket may be closing: one on its way, one whose answer was lost, or one just taken."""
        pace, now = self._parts.pace, self._parts.clock()
        waits = {TicketState.UNKNOWN: timedelta(seconds=pace.grace), TicketState.ACCEPTED: timedelta(seconds=pace.settle)}
        busy = [
            ticket
            for ticket in closing_elsewhere(self._course.ticket, self._recent)
            if ticket.last_sent_at is not None and now - ticket.last_sent_at < waits.get(ticket.state, timedelta.max)
        ]
        return frozenset(
            (line.account, line.contract)
            for line in self._lines
            for ticket in busy
            if line.contract is not None and touches(ticket.intent, line.account, line.contract)
        )

    def _is_done(self) -> bool:
        on_its_way = any(ticket.state is TicketState.SENDING for ticket in self._others())
        return all(line.is_done for line in self._lines) and not on_its_way

    async def _act(self, actions: list[ExitAction], books: dict[str, Facts]) -> None:
        await asyncio.gather(*(self._send(action, books) for action in actions))

    async def _send(self, action: ExitAction, books: dict[str, Facts]) -> None:
        try:
            outcome = await self._course.send(action, _words(action))
        except JournalError as error:
            self._halted = f"{error} {NO_JOURNAL}"
            return
        self._exits.sent(action, leg_state(outcome), books, self._parts.clock())

    def _end(self) -> End:
        ticket, progress, now = self._course.ticket, self._course.progress, self._parts.clock()
        left = left_of(self._lines)
        legs = progress.legs
        if not left:
            name = EventName.ORDER_CANCELLED if isinstance(self._sweep, CancelWorking) else EventName.FLATTENED
            told = self._about_others()
            changes = {"order_state": OrderState.FILLED, "outcome": told, "ended_at": now, "progress": progress}
            return name, move(ticket, TicketState.ACCEPTED, **changes)
        why = f" {self._halted}" if self._halted else ""
        if legs and all(leg.state is LegState.REJECTED for leg in legs):
            return EventName.REJECTED, move(ticket, TicketState.REJECTED, ended_at=now, outcome=legs[-1].text, progress=progress)
        if all(leg.state is LegState.NOT_SENT for leg in legs):
            told = self._halted or (legs[-1].text if legs else f"{'; '.join(left)}.")
            return EventName.NOT_SENT, move(ticket, TicketState.NOT_SENT, ended_at=now, outcome=told, progress=progress)
        told = f"{'; '.join(left)}.{why} Look at NinjaTrader."
        changes = {"order_state": OrderState.CANCELLED, "outcome": told, "ended_at": now, "progress": progress}
        return EventName.NOT_CLOSED, move(ticket, TicketState.ACCEPTED, **changes)

    def _about_others(self) -> str | None:
        """Flat for now; an order whose answer was lost may still turn up."""
        names = ", ".join(ticket.id for ticket in self._others())
        return f"Flat as read; the outcome of ticket {names} there is still unknown and may open a position." if names else None


def _words(action: ExitAction) -> str:
    match action:
        case Close():
            return f"close {action.contract} in {code(action.account, 40)}"
        case CancelOrders(account, contract):
            return f"cancel the orders{'' if contract is None else f' of {contract}'} in {code(account, 40)}"
        case CancelEverything():
            return "cancel every order"
        case CloseStrategy(account, strategy_id):
            return f"close strategy {code(strategy_id, 40)} in {code(account, 40)}"
        case FlattenAccount(account):
            return f"flatten {code(account, 40)}"
        case _:
            return "flatten everything"
