"""Mass actions from what a person typed of a scope: which accounts, which contract. Looks at no limit, stores nothing."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.desk.lookup.look import FactsReader
from bot.desk.lookup.names import WRITE_MONTH, Naming, RequestRefused, instrument, unreadable
from bot.desk.ports import Broker
from bot.desk.requests import CancelRequest, FlattenRequest
from bot.desk.tickets.permissions import requests_of
from bot.errors import BrokerError, UsageError
from bot.trading.exits.rules import not_running
from bot.trading.orders.instruments import Contract
from bot.trading.orders.mass_actions import CancelWorking, Flatten, FlattenStrategy, Holding, MassAction, Scope
from bot.trading.orders.terms import parse_label
from bot.trading.orders.tickets import Member
from bot.trading.risk.policy import EVERYTHING, Denial, DenialCode, PermissionQuery, may

ONE_BY_ONE = ", or name one with scope:account, which needs no list of them"


@dataclass(frozen=True, slots=True)
class Scopes:
    """Makes mass actions, for those who may."""

    broker: Broker
    look: FactsReader
    naming: Naming
    clock: Clock

    async def mass_action(self, member: Member, request: FlattenRequest | CancelRequest) -> MassAction:
        """The mass action that the request asks for.

        Raises:
            RequestRefused: not granted, not readable, or not to be found.
            UsageError: an option is missing, or one too many.
            InstrumentError: more than one month fits.
        """
        _check(request)
        if isinstance(request, FlattenRequest):
            mass_action = await self._flatten(member, request)
        else:
            mass_action = CancelWorking(await self._scope(member, request))
        for asked in requests_of(mass_action):
            self.naming.ask(member, asked)
        return mass_action

    async def _flatten(self, member: Member, request: FlattenRequest) -> MassAction:
        if request.scope == "strategy":
            return await self._strategy(member, request)
        only = _only(request.only)
        return Flatten(await self._scope(member, request), only)

    async def _strategy(self, member: Member, request: FlattenRequest) -> FlattenStrategy:
        strategy_id = parse_label("strategy", request.strategy) or ""
        account = await self.naming.account(member, request.command, request.account)
        mass_action = await self.look.strategy(account, strategy_id)
        if mass_action is None:
            raise RequestRefused(
                Denial(DenialCode.NO_SUCH_STRATEGY, not_running(account, strategy_id), f"strategy={strategy_id}")
            )
        return mass_action

    async def _scope(self, member: Member, request: FlattenRequest | CancelRequest) -> Scope:
        if request.scope == "everything":
            return await self._everything(member, request.command)
        return await self._one(member, request)

    async def _one(self, member: Member, request: FlattenRequest | CancelRequest) -> Scope:
        named = instrument(request.instrument, self.clock) if request.scope == "instrument" else None
        account = await self.naming.account(member, request.command, request.account)
        if named is None or isinstance(named, Contract):
            return Scope((account,), named)
        # Asked before anything is read of the account.
        self.naming.ask(member, PermissionQuery(request.command, account, named.name))
        try:
            return Scope((account,), await self.look.month_of(account, named))
        except BrokerError as error:
            raise RequestRefused(unreadable(f"the month of {named}", error, WRITE_MONTH)) from error

    async def _everything(self, member: Member, command: str) -> Scope:
        """Every account on which the member may do it; the card names those that are left out."""
        self.naming.ask(member, PermissionQuery(command))
        try:
            listed = await self.broker.accounts()
        except BrokerError as error:
            raise RequestRefused(unreadable("the accounts", error, ONE_BY_ONE)) from error
        policy, names = self.naming.policy(), sorted(account.name for account in listed)
        theirs = tuple(name for name in names if may(policy, member.roles, PermissionQuery(command, name, EVERYTHING)) is None)
        if not theirs:
            sentence = f"Your roles allow /{command} on no whole account; name an account and an instrument."
            raise RequestRefused(Denial(DenialCode.ACCOUNT_NOT_GRANTED, sentence))
        left_out = tuple(name for name in names if name not in theirs)
        return Scope(theirs, everything=not left_out, left_out=left_out)


_OPTIONS = ("account", "instrument", "order", "strategy")
_NEEDS = {
    "strategy": {"account", "strategy"},
    "instrument": {"account", "instrument"},
    "account": {"account"},
    "everything": set[str](),
}


def _check(request: FlattenRequest | CancelRequest) -> None:
    """Each scope takes its own options and no other: one too many may mean that a smaller scope was meant."""
    # Discord's apps offer these words alone; what arrives is checked by nobody else.
    if request.scope not in _NEEDS or (request.scope == "strategy" and isinstance(request, CancelRequest)):
        smallest = "order" if isinstance(request, CancelRequest) else "strategy"
        raise UsageError(f"scope takes {smallest}, instrument, account or everything.")
    for option in _OPTIONS:
        needed, given = option in _NEEDS[request.scope], bool(str(getattr(request, option, "")).strip())
        if needed and not given:
            raise UsageError(f"scope:{request.scope} needs {option}; add it.")
        if given and not needed:
            raise UsageError(f"scope:{request.scope} takes no {option}; leave it out, or choose a smaller scope.")
    if request.scope == "strategy" and isinstance(request, FlattenRequest) and request.only:
        raise UsageError("scope:strategy takes no only; leave it out.")


def _only(typed: str) -> Holding | None:
    if typed and typed not in set(Holding):
        raise UsageError("only takes long or short; leave it out for both.")
    return Holding(typed) if typed else None
