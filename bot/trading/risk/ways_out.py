"""Accounts of a policy in which somebody may open and nobody may close. Pure."""

from collections.abc import Iterator

from bot.trading.orders.intents import EXIT_COMMANDS, TRADING_COMMANDS
from bot.trading.risk.policy import PermissionQuery, Policy, may

_ENTRIES = TRADING_COMMANDS - EXIT_COMMANDS
# Each of these gets out of any position.
_CLOSES = ("close", "flatten")


def without_way_out(policy: Policy) -> Iterator[tuple[int, str]]:
    """Number of a grant, from 1, and accounts in it, as written, in which it has a root that no grant lets anybody close."""
    everybody = frozenset(grant.role for grant in policy.grants)
    for number, grant in enumerate(policy.grants, start=1):
        if not any(grant.has_command(command) for command in _ENTRIES):
            continue
        for pattern in grant.accounts:
            if any(
                all(may(policy, everybody, PermissionQuery(command, pattern, root)) for command in _CLOSES)
                for root in grant.instruments
            ):
                yield number, pattern
