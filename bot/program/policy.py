"""``python -m bot policy``: read a policy file and say in words what it allows, or print the schema for editors."""

import os
import sys
from pathlib import Path

from bot.policyfile import read_policy, schema_text
from bot.trading.policy import AccountRule, Approval, Grant, Limit, Policy, Route, matches

DEFAULT = "policy.toml"


def show(file: Path | None, *, schema: bool) -> int:
    """Print; returns the exit code.

    Raises:
        PolicyError: the file can't be used.
    """
    if schema:
        sys.stdout.write(schema_text())
        return 0
    path = file or Path(os.environ.get("POLICY_FILE") or DEFAULT)
    sys.stdout.write("\n".join(in_words(read_policy(path))) + "\n")
    return 0


def in_words(policy: Policy) -> list[str]:
    """A policy, a line a rule."""
    lines = [f"A ticket lives {policy.confirm_seconds} s and is shown in {policy.ticket_visibility.value}."]
    entries = "go by REST" if policy.entries_fall_back else "are not sent"
    lines += [f"While the stream is away that orders travel by, ways out go by REST, entries {entries}."]
    lines += [_grant(grant) for grant in policy.grants]
    lines += [_limit(limit) for limit in policy.limits]
    lines += [_approval(rule) for rule in policy.approvals]
    lines += [_account(rule, policy) for rule in policy.accounts]
    lines += [_route(route) for route in policy.routes]
    return lines


def _names(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "none"


def _grant(grant: Grant) -> str:
    size = "" if grant.max_quantity is None else f", at most {grant.max_quantity} per order"
    where = f" on {_names(grant.accounts)}" if grant.accounts else ""
    where += f" in {_names(grant.instruments)}" if grant.instruments else ""
    types = ", ".join(sorted(kind.value for kind in grant.order_types))
    return f"Role {grant.role} may use {_names(grant.commands)}{where}{size}; order types {types}."


def _limit(limit: Limit) -> str:
    parts = {
        "position at most": limit.max_position,
        "orders a minute": limit.orders_per_minute,
        "seconds between doubles": limit.duplicate_seconds,
        "ticks from the last price": limit.price_band_ticks,
        "daily loss": limit.daily_loss,
        "seconds until a quote is stale": limit.stale_seconds,
    }
    told = ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)
    return f"For {_names(limit.accounts)} in {_names(limit.instruments)}: {told}."


def _approval(rule: Approval) -> str:
    return f"On {_names(rule.accounts)} from {rule.min_quantity} on, somebody else of role {rule.role} approves."


def _account(rule: AccountRule, policy: Policy) -> str:
    """What a line on an account comes to beside the others."""
    if not rule.live:
        return f"{rule.name} is not live, whatever other lines say: no entry goes there unless it is a simulation; ways out go."
    barred = [other.name for other in policy.accounts if not other.live]
    if matches(rule.name, barred):
        return f"{rule.name} stays shut for entries, as another line says live = false for all of it."
    but = [name for name in barred if matches(name, (rule.name,))]
    return f"{rule.name} is live and may be traded{f', but not {_names(tuple(but))}' if but else ''}."


def _route(route: Route) -> str:
    silent = f", silently {_names(route.silent)}" if route.silent else ""
    return f"Channel {route.channel} reads {_names(route.events)} of {_names(route.accounts)}{silent}."
