"""Names as people type them, found among NinjaTrader's own: accounts, instruments, templates. Every no is a ``RequestRefused``.

What is then read or decided about them isn't here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.clock import Clock
from bot.desk.lookup.directory import Directory
from bot.desk.ports import Broker
from bot.errors import BrokerError, InstrumentError
from bot.trading.orders.instruments import Contract, Root, parse_instrument
from bot.trading.orders.intents import EXIT_COMMANDS
from bot.trading.orders.terms import DISGUISED
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import Denial, DenialCode, PermissionQuery, Policy, may
from bot.trading.words import disguise, quoted

LONGEST_ACCOUNT = 100
# How many names, and how much of each, fit into a sentence.
MOST_NAMES = 8
LONGEST_NAME = 40
WRITE_MONTH = ", or write it with its month, such as “ES 12-26”"


class RequestRefused(Exception):
    """Ends a request early with the reasons to tell."""

    def __init__(self, *denials: Denial) -> None:
        self.denials = denials
        super().__init__(str(denials))


@dataclass(frozen=True, slots=True)
class Naming:
    """Finds accounts, for those who may know of them.

    Attributes:
        broker: asked for one that isn't known yet, as urgently as the command is that names it.
    """

    directory: Directory
    broker: Broker
    policy: Callable[[], Policy]

    def ask(self, member: Member, request: PermissionQuery) -> None:
        """Go on only if the policy says yes.

        Raises:
            RequestRefused: it says no.
        """
        if denial := may(self.policy(), member.roles, request):
            raise RequestRefused(denial)

    async def account(self, member: Member, command: str, typed: str) -> str:
        """The canonical name of an account on which the member may use the command.

        Raises:
            RequestRefused: not granted, not there, or the accounts can't be read, which no way out needs.
        """
        typed = typed.strip()[:LONGEST_ACCOUNT]
        # Asked before the account is looked for, so that a stranger learns nothing of which accounts there are.
        self.ask(member, PermissionQuery(command, typed))
        name = await self._canonical(member, command, typed)
        self.ask(member, PermissionQuery(command, name))
        return name

    async def _canonical(self, member: Member, command: str, typed: str) -> str:
        if (known := self.directory.canonical(typed)) is not None:
            return known
        if (found := disguise(typed)) is not None:
            raise RequestRefused(
                Denial(DenialCode.BAD_REQUEST, DISGUISED.format(name="The account", found=found), f"account={typed}")
            )
        try:
            await self.directory.refresh_accounts(self.broker)
        except BrokerError as error:
            if command in EXIT_COMMANDS:
                # CrossTrade knows whether there is such an account; nobody is kept in because the list can't be had.
                return self.directory.remembered(typed)
            raise RequestRefused(unreadable("the accounts", error)) from error
        if (known := self.directory.canonical(typed)) is not None:
            return known
        theirs = ", ".join(quoted(name) for name in self.directory.accounts_for(self.policy(), member.roles, command)) or "none"
        sentence = f"There is no account {quoted(typed)} in NinjaTrader; yours are: {theirs}."
        raise RequestRefused(Denial(DenialCode.UNKNOWN_ACCOUNT, sentence, f"account={typed}"))


def instrument(typed: str, clock: Clock) -> Contract | Root:
    """The contract or bare root that was typed; a year of one digit goes by the calendar that people see.

    Raises:
        RequestRefused: nothing, or more than one contract, fits.
    """
    try:
        return parse_instrument(typed, clock.host().date())
    except InstrumentError as error:
        raise RequestRefused(Denial(DenialCode.UNKNOWN_INSTRUMENT, str(error), f"instrument={typed[:40]}")) from error


def template(typed: str, known: Sequence[str]) -> None:
    """Go on only if NinjaTrader has an ATM template of just that name; with another one it would reject the order.

    Raises:
        RequestRefused: it has none; the sentence names the closest, else those that there are.
    """
    if typed in known:
        return
    folded = {name.casefold(): name for name in known}
    close = [folded[each] for each in get_close_matches(typed.casefold(), folded, n=1)]
    names = ", ".join(quoted(name, LONGEST_NAME) for name in (close or sorted(known))[:MOST_NAMES])
    if close:
        mend = f"did you mean {names}?"
    elif known:
        more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
        mend = f"it has {names}{more}."
    else:
        mend = "it has none at all; leave strategy out."
    sentence = f"NinjaTrader has no ATM template {quoted(typed, LONGEST_NAME)}; {mend}"
    raise RequestRefused(Denial(DenialCode.UNKNOWN_STRATEGY, sentence, f"strategy={typed}"))


def unreadable(what: str, error: BrokerError, instead: str = "") -> Denial:
    """The no that follows from a read that failed; ``instead`` is what goes without it."""
    sentence = f"CrossTrade could not be asked for {what} ({quoted(str(error))}); try again shortly{instead}."
    return Denial(DenialCode.FACTS_MISSING, sentence)
