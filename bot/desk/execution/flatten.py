"""Flatten, and cancel what works: read, do the next step, read again, until it is so or nothing more can be done.

Which step comes next is decided in ``bot.trading.exits.steps``, which is pure. Nobody is told "flat" that was not read to be so.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.desk.execution.flatten_end import Left, end_of
from bot.desk.execution.steps import End, Pause, StepRunner, step_state
from bot.desk.lookup.look import FactsReader
from bot.desk.outbox.recording import Recorder
from bot.desk.tracking.reasons import Reasons
from bot.errors import NO_JOURNAL, JournalError
from bot.trading.exits.rules import closing_elsewhere, followed, in_flight_elsewhere, may_close_still, others_left
from bot.trading.exits.steps import ExitAction, Exits, Held
from bot.trading.exits.strategies import StrategyExit
from bot.trading.exits.timings import ExitTimings
from bot.trading.market.facts import Facts
from bot.trading.orders.broker_calls import CancelEverything, CancelOrders, CloseStrategy, FlattenAccount
from bot.trading.orders.intents import Close
from bot.trading.orders.mass_actions import FlattenStrategy, MassAction
from bot.trading.orders.progress import ExitRow, Step, StepState
from bot.trading.orders.tickets import Ticket, TicketState
from bot.trading.reconciliation.following import reason
from bot.trading.risk.closing import CLOSES_COUNT
from bot.trading.risk.limits import OwnOrders
from bot.trading.words import quoted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MassActions:
    """Runs mass actions."""

    look: FactsReader
    recorder: Recorder
    reasons: Reasons
    clock: Clock
    pace: ExitTimings
    pause: Pause = asyncio.sleep

    async def run(self, runner: StepRunner, mass_action: MassAction) -> End:
        """Run a mass action; gives its end, to be stored.

        Raises:
            Overtaken: the bot is stopping.
        """
        lines, began = runner.progress.rows, runner.ticket.confirmed_at or self.clock()
        meant = {(line.account, line.contract) for line in lines if line.contract is not None}
        if isinstance(mass_action, FlattenStrategy):
            return await _Run(self, runner, mass_action, StrategyExit(mass_action, self.pace)).through()
        # What could not be read at the press is the first look that failed.
        unread = {line.account: 1 for line in lines if line.orders_before is None}
        return await _Run(self, runner, mass_action, Exits(mass_action, self.pace, began, meant, unread)).through()


class _Run:
    """One mass action under way."""

    def __init__(self, parts: MassActions, runner: StepRunner, mass_action: MassAction, exits: Exits | StrategyExit) -> None:
        self._parts = parts
        self._runner = runner
        self._mass_action = mass_action
        self._exits = exits
        self._lines: tuple[ExitRow, ...] = runner.progress.rows
        self._recent = OwnOrders()
        self._halted: str | None = None
        self._finished: set[str] = set()
        # What was last answered to a call that went out unseen, by account.
        self._answered: dict[str, str | None] = {}
        # The newest reading of each account.
        self._books: dict[str, Facts] = {}
        # In the order in which they began.
        self._calls: list[asyncio.Task[None]] = []
        # The number of the last call that closes, by contract; by none for an account whose contracts nobody has told.
        self._step_of: dict[Held, int] = {}
        # The lists over all accounts and each account's own take turns as long as the last ones couldn't be read.
        self._one_by_one = any(line.orders_before is None for line in self._lines)

    async def through(self) -> End:
        """Go on until it is done, nothing more can be tried, or time is up."""
        try:
            done_at = await self._go_on()
            await self._answers(None)
        finally:
            for call in self._calls:
                call.cancel()
        await self._runner.show(self._lines, done_at)
        others = tuple(ticket.id for ticket in self._others())
        beside = others_left(self._books)
        idle = {name: self._answered.get(name) for name in sorted(self._exits.did_nothing())}
        left = Left(self._lines, self._halted, others, self._exits.barred(), self._exits.went_unseen(), beside, idle)
        return end_of(self._runner, self._mass_action, left, self._parts.clock())

    async def _go_on(self) -> datetime | None:
        """The moment at which all of it was read as done; ``None`` where that didn't come about."""
        clock, pace = self._parts.clock, self._parts.pace
        began = clock()
        while True:
            books = await self._read()
            await self._take_note_of_rejections(books)
            now = clock()
            if self._is_done(books, now):
                return now
            if now - began >= timedelta(seconds=pace.whole) or self._halted or self._exits.gave_up(books):
                return None
            await self._runner.show(self._lines)
            self._act(self._exits.next_actions(books, now, self._held_up()), books)
            await self._answers(pace.call)
            await self._parts.pause(pace.poll if (now - began).total_seconds() < pace.hurry else pace.poll_later)

    async def _read(self) -> dict[str, Facts]:
        names = [name for name in self._mass_action.scope.accounts if name not in self._finished]
        # Asked before the lists are read: what is answered meanwhile is in them.
        self._recent = await self._in_flight()
        may_be_whole = isinstance(self._exits, Exits) and self._exits.may_be_whole
        patience = {name: self._patience(name) for name in names}
        turn = self._one_by_one
        read = await self._parts.look.all_left(self._mass_action, patience, listing=may_be_whole, one_by_one=turn)
        self._one_by_one = not (turn or read.at_once)
        if may_be_whole:
            self._heed_newcomers(read.listed)
        books = read.facts
        self._books |= books
        now = self._parts.clock()
        self._exits.read(books, now)
        for name in names:
            lines = followed(self._mass_action, self._lines, name, books[name])
            self._lines = (*(line for line in self._lines if line.account != name), *lines)
            settled = self._exits.is_settled({name: books[name]}, now)
            # Where nothing is open, nothing works and nothing is on its way there is nothing more to be read.
            if settled and all(line.is_done for line in lines) and not (books[name].other_orders or self._is_awaited(name)):
                self._finished.add(name)
        return books

    def _is_awaited(self, name: str) -> bool:
        return any(name in other.intent.accounts for other in self._others())

    def _patience(self, name: str) -> float:
        """Seconds that a look may take: a way out waits for no list. What went out unseen is read back however slow that is."""
        pace = self._parts.pace
        return pace.look_back if name in self._exits.went_unseen() else pace.look + pace.behind * len(self._calls)

    def _heed_newcomers(self, listed: frozenset[str] | None) -> None:
        """See whether an account has come that nobody was asked about; where the list can't be read, one may have."""
        if isinstance(self._exits, Exits) and (listed is None or not listed <= set(self._mass_action.scope.accounts)):
            self._exits.go_one_by_one()

    async def _in_flight(self) -> OwnOrders:
        try:
            return OwnOrders(tuple(await self._parts.recorder.journal.recent(self._parts.clock() - CLOSES_COUNT)))
        except JournalError as error:
            log.warning("ticket %s: what else is on its way can't be read: %s", self._runner.ticket.id, error)
            return self._recent

    def _others(self) -> list[Ticket]:
        return in_flight_elsewhere(self._runner.ticket, self._recent)

    def _held_up(self) -> frozenset[Held]:
        """Contracts that another ticket may be closing: one on its way, one whose answer was lost, or one just taken."""
        patience, now = self._parts.pace.patience, self._parts.clock()
        return frozenset(
            (line.account, line.contract)
            for ticket in closing_elsewhere(self._runner.ticket, self._recent)
            for line in self._lines
            if _reaches(ticket, line) and may_close_still(ticket, now, patience, is_read=line.now is not None)
        )

    def _is_done(self, books: dict[str, Facts], now: datetime) -> bool:
        on_its_way = any(ticket.state is TicketState.SENDING for ticket in self._others())
        is_left = any(not line.is_done for line in self._lines) or any(facts.other_orders for facts in books.values())
        return not (is_left or on_its_way) and self._exits.is_settled(books, now)

    async def _take_note_of_rejections(self, books: dict[str, Facts]) -> None:
        """Tell at once what NinjaTrader has rejected although CrossTrade had taken it, in the broker's words."""
        rejected = self._exits.rejections(books)
        # All at once: however many there are, closing waits for one answer.
        stories = await asyncio.gather(*(self._parts.reasons.story(order.account, order.id) for _, order in rejected))
        for (market, _), words in zip(rejected, map(reason, stories), strict=True):
            self._exits.refused(market, words)
            # There is no call yet where the journal holds it up; what was rejected was somebody else's then.
            steps = [self._step_of[key] for key in (market, (market[0], None)) if key in self._step_of]
            for index in steps[:1]:
                await self._runner.rejected(index, words)

    def _act(self, actions: list[ExitAction], books: dict[str, Facts]) -> None:
        for action in actions:
            self._exits.sending(action, books, self._parts.clock())
            self._calls.append(asyncio.create_task(self._send(action, books)))

    async def _answers(self, seconds: float | None) -> None:
        """Wait for the answers to all calls, or so long: one that hangs keeps nothing else from going on."""
        if not self._calls:
            return
        await asyncio.wait(self._calls, timeout=seconds)
        done, self._calls = [call for call in self._calls if call.done()], [call for call in self._calls if not call.done()]
        for call in done:
            call.result()

    async def _send(self, action: ExitAction, books: dict[str, Facts]) -> None:
        closes, unseen = not isinstance(action, CancelOrders | CancelEverything), self._exits.is_unseen(action, books)
        try:
            what, account = _named(action)
            leg = Step(what, self._parts.clock(), closes=closes, unseen=unseen, account=account)
            index = await self._runner.begin(action, leg)
        except JournalError as error:
            self._halted = f"{error} {NO_JOURNAL}"
            self._exits.sent(action, StepState.NOT_SENT, books, self._parts.clock())
            return
        if closes:
            self._step_of |= dict.fromkeys(self._meant(action), index)
        outcome = await self._runner.make(index, action)
        self._exits.sent(action, step_state(outcome), books, self._parts.clock())
        if unseen:
            name = getattr(action, "account", None)
            self._answered |= dict.fromkeys(books if name is None else [name], self._runner.progress.steps[index].text)

    def _meant(self, action: ExitAction) -> list[Held]:
        account, contract = getattr(action, "account", None), getattr(action, "contract", None)
        lines = [(line.account, line.contract) for line in self._lines]
        return [(name, its) for name, its in lines if account in {None, name} and contract in {None, its}]


def _reaches(ticket: Ticket, line: ExitRow) -> bool:
    """Tell whether a ticket may close something that a row is about; of an account that wasn't read, anything of it."""
    if line.contract is None:
        return line.account in ticket.intent.accounts
    return ticket.intent.touches(line.account, line.contract)


def _named(action: ExitAction) -> tuple[str, str | None]:
    """A call in a few words, and where it is made if they don't say."""
    match action:
        case Close(quantity=None):
            return f"close {action.contract}", action.account
        case Close():
            return f"close the other {action.terms.quantity} of {action.contract}", action.account
        case CancelOrders(account, contract):
            return f"cancel the orders{'' if contract is None else f' of {contract}'}", account
        case CancelEverything():
            return "cancel every order", None
        case CloseStrategy(account, strategy_id):
            return f"close strategy {quoted(strategy_id, 40)}", account
        case FlattenAccount(account, contract):
            return f"flatten {quoted(account, 40)}{'' if contract is None else f' {contract}'}", None
        case _:
            return "flatten everything", None
