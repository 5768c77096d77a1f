"""From what a person typed of a scope to a sweep: which accounts, which contract. No limit is looked at, nothing is stored."""

from dataclasses import dataclass

from bot.desk.asking import requests_of
from bot.desk.ledger import Clock
from bot.desk.look import Look
from bot.desk.naming import Naming, Stop, instrument, unreadable
from bot.desk.ports import Broker
from bot.desk.requests import CancelRequest, FlattenRequest
from bot.errors import BrokerError, UsageError
from bot.trading.instruments import Contract
from bot.trading.policy import EVERYTHING, Denial, DenialCode, Request, may
from bot.trading.sweeps import CancelWorking, Flatten, Holding, Scope, Sweep
from bot.trading.tickets import Member


@dataclass(frozen=True, slots=True)
class Scopes:
    """Makes sweeps, for those who may."""

    broker: Broker
    look: Look
    naming: Naming
    clock: Clock

    async def sweep(self, member: Member, request: FlattenRequest | CancelRequest) -> Sweep:
        """What the request asks for.

        Raises:
            Stop: not granted, not readable, or not to be found.
            UsageError: an option is missing, or one too many.
            InstrumentError: more than one month fits.
        """
        _check(request)
        only = _only(request.only) if isinstance(request, FlattenRequest) else None
        if request.scope == "everything":
            scope = await self._everything(member, request.command)
        else:
            scope = await self._one(member, request)
        sweep = Flatten(scope, only) if isinstance(request, FlattenRequest) else CancelWorking(scope)
        for asked in requests_of(sweep):
            self.naming.ask(member, asked)
        return sweep

    async def _one(self, member: Member, request: FlattenRequest | CancelRequest) -> Scope:
        named = instrument(request.instrument, self.clock()) if request.scope == "instrument" else None
        account = await self.naming.account(member, request.command, request.account)
        if named is None or isinstance(named, Contract):
            return Scope((account,), named)
        # Asked before anything is read of the account.
        self.naming.ask(member, Request(request.command, account, named.name))
        try:
            return Scope((account,), await self.look.month_of(account, named))
        except BrokerError as error:
            raise Stop(unreadable(f"the month of {named}", error)) from error

    async def _everything(self, member: Member, command: str) -> Scope:
        """Every account on which the member may do it; the card names those that are left out."""
        self.naming.ask(member, Request(command))
        try:
            listed = await self.broker.accounts()
        except BrokerError as error:
            raise Stop(unreadable("the accounts", error)) from error
        policy, names = self.naming.policy(), sorted(account.name for account in listed)
        theirs = tuple(name for name in names if may(policy, member.roles, Request(command, name, EVERYTHING)) is None)
        if not theirs:
            sentence = f"Your roles allow /{command} on no whole account; name an account and an instrument."
            raise Stop(Denial(DenialCode.ACCOUNT_NOT_GRANTED, sentence))
        left_out = tuple(name for name in names if name not in theirs)
        return Scope(theirs, everything=not left_out, left_out=left_out)


_NEEDS = {
    "instrument": {"account": True, "instrument": True, "order": False},
    "account": {"account": True, "instrument": False, "order": False},
    "everything": {"account": False, "instrument": False, "order": False},
}


def _check(request: FlattenRequest | CancelRequest) -> None:
    """Each scope takes its own options and no other: one too many may mean that a smaller scope was meant."""
    # Discord's apps offer these words alone; what arrives is checked by nobody else.
    if request.scope not in _NEEDS:
        raise UsageError("scope takes instrument, account or everything.")
    for option, needed in _NEEDS[request.scope].items():
        given = bool(str(getattr(request, option, "")).strip())
        if needed and not given:
            raise UsageError(f"scope:{request.scope} needs {option}; add it.")
        if given and not needed:
            raise UsageError(f"scope:{request.scope} takes no {option}; leave it out, or choose a smaller scope.")


def _only(typed: str) -> Holding | None:
    if typed and typed not in set(Holding):
        raise UsageError("only takes long or short; leave it out for both.")
    return Holding(typed) if typed else None
