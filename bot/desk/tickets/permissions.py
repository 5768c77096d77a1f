"""Questions to the policy about an intent: at the request, at the press, and by whoever presses for another."""

from dataclasses import replace

from bot.trading.orders.intents import Intent
from bot.trading.orders.mass_actions import MassAction
from bot.trading.risk.policy import EVERYTHING, Denial, PermissionQuery, Policy, may


def requests_of(intent: Intent) -> tuple[PermissionQuery, ...]:
    """Every question, all of which must be answered with yes; how much somebody may get out of is nobody's to limit.

    What goes over a whole account touches whatever is in it, so it takes a grant for all instruments there.
    """
    if isinstance(intent, MassAction):
        root = EVERYTHING if intent.scope.contract is None else intent.scope.contract.root
        return tuple(PermissionQuery(intent.command, account, root) for account in intent.scope.accounts)
    asked = PermissionQuery(intent.command, intent.account, intent.contract.root)
    if intent.is_exit:
        return (asked,)
    terms = intent.terms
    return (PermissionQuery(intent.command, intent.account, intent.contract.root, terms.quantity, terms.type),)


def as_granted(intent: Intent, policy: Policy, roles: frozenset[int]) -> Intent:
    """The intent; a mass action goes over everything at once only for whoever may do it in every account there is or will be.

    CrossTrade's calls over everything reach an account that comes back after the list was read, too.
    """
    if not isinstance(intent, MassAction) or not intent.scope.everything:
        return intent
    if may(policy, roles, PermissionQuery(intent.command, EVERYTHING, EVERYTHING)) is None:
        return intent
    return replace(intent, scope=replace(intent.scope, everything=False))


def denial_of(policy: Policy, roles: frozenset[int], intent: Intent) -> Denial | None:
    """The first no of the policy, or ``None``."""
    return next((denial for request in requests_of(intent) if (denial := may(policy, roles, request))), None)
