"""The kill switch: what is halted or reducing, for whom, and what still passes. Keeping it is the journal's work.

A switch covers the whole desk, an account, an instrument's root in every account, or that root in one account. Of several that
cover an order the strictest holds. What passes in which state:

    state       passes
    active      everything
    reducing    the ways out, and a change of a working order that can't make a position larger (``only_lessens``)
    halted      the ways out alone: closes, flattens, cancellations, and a bracket around what is open

No switch is ever asked about them. A new order, a reversal and a replacement pass in neither state, not
even one that would lessen what is open: once that is closed some other way it would open something.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.trading.orders.intents import Change, Intent, OrderIntent, closing_side
from bot.trading.orders.mass_actions import MassAction
from bot.trading.risk.policy import EVERYTHING, HALT, RESUME, Denial, DenialCode, Policy, matches
from bot.trading.words import ascii_lower, person, quoted, verbatim

LONGEST_WHY = 200


class SwitchState(StrEnum):
    """The state of a switch, which says what may be sent."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"

    def is_stricter_than(self, other: "SwitchState") -> bool:
        """Tell whether less passes."""
        return _STRICTNESS[self] > _STRICTNESS[other]


_STRICTNESS = {SwitchState.ACTIVE: 0, SwitchState.REDUCING: 1, SwitchState.HALTED: 2}
_CODES = {SwitchState.HALTED: DenialCode.HALTED, SwitchState.REDUCING: DenialCode.REDUCING}
_STILL = {
    SwitchState.HALTED: "nothing new is sent; closes, flattens, brackets and cancellations still go",
    SwitchState.REDUCING: "only what can't make a position larger is sent; closes, flattens, brackets and cancellations go",
}


class Source(StrEnum):
    """The source of a switch, and so what lifts it."""

    PERSON = "person"
    FILE = "file"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch that is not as usual.

    Attributes:
        account, root: what it covers; ``*`` is all of them.
        at: since when.
        actor: Discord id of who set it, ``None`` for a file and for the desk itself.
        actor_name: for reading only, as Discord or the program has it.
        why: the reason that was given, perhaps empty; foreign words.
        source: only a person's is stored, and only that is lifted by ``/resume``.
    """

    account: str
    root: str
    state: SwitchState
    at: datetime
    actor: int | None = None
    actor_name: str = ""
    why: str = ""
    source: Source = Source.PERSON

    def covers(self, account: str, root: str | None) -> bool:
        """Tell whether it holds for an order there; where the root isn't known it may."""
        mine = self.account == EVERYTHING or ascii_lower(self.account) == ascii_lower(account)
        return mine and (root is None or self.root in {EVERYTHING, root})

    def is_about(self, account: str, root: str) -> bool:
        """Tell whether it is the one switch of just that scope."""
        return (ascii_lower(self.account), self.root) == (ascii_lower(account), root)

    @property
    def where(self) -> str:
        """Its scope in words, at the beginning of a sentence."""
        return where(self.account, self.root)

    @property
    def headline(self) -> str:
        """The state of the scope, by whom, since when and why: one line without a full stop."""
        return f"{self.where} is {self.state} by {self._who} since {self.at:%Y-%m-%d %H:%M:%S} UTC{self._reason}"

    @property
    def lifted(self) -> str:
        """The way in which it was lifted, of one that is active again."""
        match self.source:
            case Source.FILE:
                return "the file HALT is gone"
            case Source.CRASH:
                return "all that the crash left unknown is settled"
            case _:
                return f"lifted by {self._who}{self._reason}"

    @property
    def _who(self) -> str:
        return verbatim(self.actor_name, 60) if self.actor is None else person(self.actor_name, self.actor)

    @property
    def _reason(self) -> str:
        return f" ({quoted(self.why, LONGEST_WHY)})" if self.why.strip() else ""

    @property
    def mend(self) -> str:
        """The sentence that says what ends it."""
        match self.source:
            case Source.FILE:
                return "Take the file HALT away to go on."
            case Source.CRASH:
                return "It ends once they are settled: by what the bot finds, or by /resolve."
            case _:
                return f"{resume_line(self.account, self.root)} lifts it, by a role that the policy grants /resume there."

    @property
    def sentence(self) -> str:
        """All that somebody whose order it bars must know, and what to do."""
        return f"{self.headline}: {_STILL[self.state]}. {self.mend}"


def where(account: str, root: str) -> str:
    """A scope in words, at the beginning of a sentence."""
    if root == EVERYTHING:
        return "The desk" if account == EVERYTHING else f"Account {quoted(account, 60)}"
    return f"{root} in {'every account' if account == EVERYTHING else quoted(account, 60)}"


def plain(switch: Switch) -> str:
    """Its scope where there is not much room: ``desk``, ``Sim101``, ``ES``, ``ES in Sim101``."""
    if switch.root == EVERYTHING:
        return "desk" if switch.account == EVERYTHING else verbatim(switch.account, 40)
    return switch.root if switch.account == EVERYTHING else f"{switch.root} in {verbatim(switch.account, 40)}"


def resume_line(account: str, root: str) -> str:
    """The command that lifts a switch of that scope."""
    scope = "instrument" if root != EVERYTHING else "desk" if account == EVERYTHING else "account"
    its_account = "" if account == EVERYTHING else f" account:{account}"
    its_root = "" if root == EVERYTHING else f" instrument:{root}"
    return quoted(f"/resume scope:{scope}{its_account}{its_root}", 120)


@dataclass(frozen=True, slots=True)
class Switches:
    """All that are not active."""

    all: tuple[Switch, ...] = ()

    def over(self, account: str, root: str | None) -> Switch | None:
        """The switch that holds there: the strictest that covers it, of equals the widest; ``None`` where all is as usual."""
        covering = [switch for switch in self.all if switch.covers(account, root) and switch.state is not SwitchState.ACTIVE]
        return max(covering, key=_weight, default=None)

    def by_weight(self) -> tuple[Switch, ...]:
        """The strictest and widest first."""
        return tuple(sorted(self.all, key=_weight, reverse=True))

    def over_intent(self, intent: Intent) -> Switch | None:
        """The switch that holds where an intent does something, of a mass action anywhere there."""
        if isinstance(intent, MassAction):
            root = None if intent.scope.contract is None else intent.scope.contract.root
            found = [self.over(account, root) for account in intent.accounts]
            return max((switch for switch in found if switch is not None), key=_weight, default=None)
        return self.over(intent.account, intent.contract.root)

    def at(self, account: str, root: str) -> Switch | None:
        """The switch of just that scope that a person has set."""
        return next((each for each in self.all if each.source is Source.PERSON and each.is_about(account, root)), None)

    def without(self, account: str, root: str) -> "Switches":
        """All but the one of just that scope that a person has set."""
        mine = self.at(account, root)
        return Switches(tuple(each for each in self.all if each is not mine))

    def __or__(self, other: Iterable[Switch]) -> "Switches":
        return Switches((*self.all, *other))


def _weight(switch: Switch) -> tuple[int, int]:
    return _STRICTNESS[switch.state], (switch.account == EVERYTHING) + (switch.root == EVERYTHING)


def may_resume_everywhere(policy: Policy, roles: frozenset[int]) -> bool:
    """Tell whether these roles' grants of ``/resume`` cover every account that somebody may trade, now and later.

    Decided on the patterns of the policy alone, so that it needs nobody to list the accounts.
    """
    theirs = {ascii_lower(each) for grant in policy.grants_of(roles) if grant.has_command(RESUME) for each in grant.accounts}
    traded = {ascii_lower(each) for grant in policy.grants if grant.has_command(HALT) for each in grant.accounts}
    # A pattern without "?" that fits another one letter by letter fits whatever that one fits.
    wide = [each for each in theirs if "?" not in each]
    return bool(theirs) and all(each in theirs or matches(each, wide) for each in traded)


def reasons(intent: Intent, position: int, switches: Switches) -> tuple[Denial, ...]:
    """The reason why an intent may not be sent while the switches are so: one, or none.

    Args:
        intent: what is to be sent.
        position: what is open there, signed, as it was last read; zero where it could not be read.
        switches: what is not active.
    """
    if isinstance(intent, MassAction) or intent.is_exit:
        return ()
    switch = switches.over_intent(intent)
    if switch is None or (switch.state is SwitchState.REDUCING and only_lessens(intent, position)):
        return ()
    details = f"account={switch.account} instrument={switch.root} state={switch.state} actor={switch.actor or switch.source}"
    return (Denial(_CODES[switch.state], switch.sentence, details),)


def only_lessens(intent: OrderIntent, position: int) -> bool:
    """Tell whether an order other than a way out can't make a position larger, whatever fills.

    Only a change of a working order can: it may take contracts away from any order, and move the prices of one that closes what
    is open and is no larger than that. Anything else, and whatever isn't known for certain, is a no.
    """
    if not isinstance(intent, Change):
        return False
    before, after = intent.before, intent.terms
    if (after.side, after.type) != (before.side, before.type) or after.quantity > before.quantity:
        return False
    if (after.limit, after.stop) == (before.limit, before.stop):
        return True
    return position != 0 and after.side is closing_side(position) and after.quantity <= abs(position)
