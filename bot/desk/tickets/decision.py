"""One decision about one intent, on fresh facts: what it is by now, why not, what would be shown. Nothing is stored."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import Clock
from bot.desk.lookup.look import FactsReader, survey, survey_books
from bot.desk.ports import Journal
from bot.errors import PriceError, UsageError
from bot.trading.exits import rules, strategies
from bot.trading.market.facts import Facts
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Intent, OrderIntent
from bot.trading.orders.mass_actions import FlattenStrategy, MassAction
from bot.trading.orders.progress import Progress
from bot.trading.orders.tickets import NO_PROGRESS, Preview
from bot.trading.planning import preview
from bot.trading.planning.pricing import priced
from bot.trading.risk import conditions, halts, limits
from bot.trading.risk.halts import Switches
from bot.trading.risk.overtaking import flattened_since
from bot.trading.risk.policy import Denial, DenialCode, Policy

# CrossTrade's list of them is on no page of the vendor's.
UNCHECKED_STRATEGY = "the strategies that run can't be read, so nobody can check that this one does"


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of looking.

    Attributes:
        intent: with what it says of the position or of an order as they are now.
        denials: every reason against it; empty means allowed, and only then there is something ``shown``.
        progress: of a mass action, each contract that it is about.
        listed: ids of every order that was listed.
        held: the contracts of the positions that were read, by account.
        policy: the rules that it was decided by.
    """

    intent: Intent
    denials: tuple[Denial, ...]
    shown: Preview | None
    progress: Progress
    listed: tuple[str, ...]
    held: Mapping[str, tuple[Contract, ...]]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Decider:
    """Looks and decides."""

    look: FactsReader
    journal: Journal
    policy: Callable[[], Policy]
    clock: Clock
    switches: Callable[[], Awaitable[Switches]]

    async def decide(
        self, intent: Intent, member: int, confirmed_at: datetime | None = None, *, within: float | None = None
    ) -> Decision:
        """Decide about an intent of a member.

        Args:
            intent: as it was asked or shown.
            member: who asks.
            confirmed_at: when they have confirmed it; ``None`` while there is no card.
            within: seconds for the lists of a mass action, which goes without them, too.

        Raises:
            JournalError: the journal can't be read.
        """
        if isinstance(intent, MassAction):
            return await self._mass_action(intent, within)
        return await self._order(intent, member, confirmed_at)

    async def with_market(self, decision: Decision) -> Decision:
        """The decision with what a mass action's card says of markets that are shut; an order's has read its quote."""
        shown, mass_action = decision.shown, decision.intent
        if shown is None or not isinstance(mass_action, MassAction):
            return decision
        shut = await self.look.shut(rules.to_close(mass_action, decision.progress.rows))
        return replace(decision, shown=rules.with_shut(shown, shut))

    async def _order(self, intent: OrderIntent, member: int, confirmed_at: datetime | None) -> Decision:
        surveying = survey(self.look, self.journal, intent, self.policy, self.clock, confirmed_at)
        (facts, recent), switches = await asyncio.gather(surveying, self.switches())
        policy, now = self.policy(), self.clock()
        fresh, unpriced = _priced(conditions.guarded(preview.refreshed(intent, facts), facts, policy), facts)
        held = facts.position(fresh.contract)
        barred = halts.reasons(fresh, held.quantity if held else 0, switches)
        since = () if confirmed_at is None else flattened_since(fresh, recent, confirmed_at)
        denials = (*barred, *since, *limits.check_order(fresh, member, facts, policy, recent, now), *unpriced)
        shown = None if denials else _warned(preview.plan(fresh, facts, policy, self.clock.host().date()), fresh, switches)
        books = {intent.account: facts}
        return Decision(fresh, denials, shown, NO_PROGRESS, _listed(books), _held(books), policy)

    async def _mass_action(self, intent: MassAction, within: float | None) -> Decision:
        surveying = survey_books(self.look, self.journal, intent, self.clock, within)
        (mass_action, books, recent), switches = await asyncio.gather(surveying, self.switches())
        policy = self.policy()
        its, more = (
            _of_strategy(mass_action, books)
            if isinstance(mass_action, FlattenStrategy)
            else (books, rules.others_too(mass_action, books))
        )
        denials = rules.reasons(mass_action, its, recent)
        lines = rules.lines(mass_action, its, policy)
        shown = None if denials else _warned(rules.plan(mass_action, lines, *more), mass_action, switches)
        return Decision(mass_action, denials, shown, Progress(rows=lines), _listed(books), _held(books), policy)


def _warned(shown: Preview, intent: Intent, switches: Switches) -> Preview:
    """The preview; where something is halted and this passes, its card says so."""
    switch = switches.over_intent(intent)
    return shown if switch is None else replace(shown, warnings=(f"{switch.headline}.", *shown.warnings))


def _priced(intent: OrderIntent, facts: Facts) -> tuple[OrderIntent, tuple[Denial, ...]]:
    """The intent with its shorthand worked out, once and for all; or as it was, with why that can't be done."""
    try:
        return priced(intent, facts), ()
    except PriceError as error:
        return intent, (Denial(DenialCode.BAD_PRICE, str(error)),)
    except UsageError as error:
        return intent, (Denial(DenialCode.BAD_REQUEST, str(error)),)


def _of_strategy(mass_action: FlattenStrategy, books: Mapping[str, Facts]) -> tuple[dict[str, Facts], tuple[str, ...]]:
    """The strategy's own facts, and what to warn of that is the account's."""
    facts = books[mass_action.account]
    warned = UNCHECKED_STRATEGY if facts.running is None else strategies.warning(mass_action, facts)
    return {name: strategies.seen(mass_action, facts) for name, facts in books.items()}, (warned,) if warned else ()


def _listed(books: Mapping[str, Facts]) -> tuple[str, ...]:
    return tuple(sorted({each for facts in books.values() for order in facts.orders or () for each in order.ids}))


def _held(books: Mapping[str, Facts]) -> dict[str, tuple[Contract, ...]]:
    return {name: tuple(p.contract for p in facts.positions) for name, facts in books.items() if facts.positions is not None}
