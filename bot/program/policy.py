"""``python -m bot policy``: read a policy file and say in words what it allows, or print the schema for editors."""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from bot.clock import utc_now
from bot.errors import SettingsError, UsageError
from bot.policyfile import read_policy, schema_text
from bot.trading.market.facts import SINCE
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.orders.terms import OrderType
from bot.trading.risk.explaining import explained, question
from bot.trading.risk.policy import COMMANDS, OLDEST_QUOTE, AccountRule, Approval, Grant, Limit, Policy, Route, matches
from bot.trading.words import quoted

DEFAULT = "policy.toml"
WHY, PARTS = "--why", {"account", "instrument", "qty", "type"}
# So many lines of a change a channel reads; a message has room for some more.
MOST_DIFFERENCES = 12
_HEAD = re.compile(r"\s*\[\[\s*\"?(\w+)\"?\s*\]\]")


def show(file: Path | None, *, schema: bool, why: Sequence[str] | None = None) -> int:
    """Print; returns the exit code.

    Args:
        file: the policy file; that of ``POLICY_FILE`` if left out.
        schema: print the schema in place of the policy.
        why: a question in its place: ids of roles with commas between, a command, and parts such as ``account=Sim101``.

    Raises:
        PolicyError: the file can't be used.
        SettingsError: the question can't be read.
    """
    if schema:
        sys.stdout.write(schema_text())
        return 0
    path = file or Path(os.environ.get("POLICY_FILE") or DEFAULT)
    policy = read_policy(path)
    lines = in_words(policy) if why is None else list(answer(policy, path.read_text(encoding="utf-8"), why))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def answer(policy: Policy, text: str, why: Sequence[str]) -> Iterator[str]:
    """The answer to a question of permission, in lines that name those of the file.

    Raises:
        SettingsError: the question can't be read.
    """
    roles, *rest = why
    if not rest or not all(role.strip().isdecimal() for role in roles.split(",")):
        raise SettingsError(WHY, "give ids of roles, a command and what it is about: 1100,1101 reverse account=Sim101 qty=2.")
    parts = dict(part.split("=", 1) for part in rest[1:] if "=" in part)
    quantity, kind = parts.get("qty"), parts.get("type", "").upper()
    is_readable = (quantity is None or quantity.isdecimal()) and (not kind or kind in set(OrderType)) and parts.keys() <= PARTS
    if len(parts) < len(rest) - 1 or not is_readable:
        raise SettingsError(
            WHY, f"write each part once: account=Sim101, instrument=ES, qty=2, type={'|'.join(OrderType).lower()}."
        )
    size, order_type = None if quantity is None else int(quantity), OrderType(kind) if kind else None
    try:
        query = question(rest[0], parts.get("account"), parts.get("instrument"), size, order_type, utc_now().date())
    except UsageError as error:
        raise SettingsError(WHY, str(error)) from error
    lines = lines_of(text)

    def place(table: str, number: int) -> str:
        line = lines.get((table, number))
        return f"{table}[{number}]" + ("" if line is None else f", line {line}")

    yield from explained(policy, frozenset(int(role) for role in roles.split(",")), query).words(place)


def lines_of(text: str) -> dict[tuple[str, int], int]:
    """The line of each ``[[table]]`` of a policy file, by the table's name and its number among those of the name."""
    counted, found = Counter[str](), dict[tuple[str, int], int]()
    for number, line in enumerate(text.splitlines(), start=1):
        if (head := _HEAD.match(line)) is not None:
            counted[head[1]] += 1
            found[head[1], counted[head[1]]] = number
    return found


def in_words(policy: Policy) -> list[str]:
    """A policy, a line a rule."""
    lines = [f"A ticket lives {policy.confirm_seconds} s and is shown in {policy.ticket_visibility.value}."]
    entries = "go by REST" if policy.entries_fall_back else "are not sent"
    lines += [f"While the stream is away that orders travel by, ways out go by REST, entries {entries}."]
    lines += [_fresh(policy), _guard(policy)]
    lines += [_grant(grant) for grant in policy.grants]
    lines += _overlaps(policy)
    lines += [_limit(limit) for limit in policy.limits]
    lines += [_approval(rule) for rule in policy.approvals]
    lines += [_account(rule, policy) for rule in policy.accounts]
    lines += [_route(route) for route in policy.routes]
    return lines


def _fresh(policy: Policy) -> str:
    if not policy.fresh:
        return "A press reads everything that it decides on anew."
    return (
        f"A press decides on what was read at most {policy.fresh // timedelta(milliseconds=1)} ms before it, else it reads anew."
    )


def _guard(policy: Policy) -> str:
    if not policy.guard:
        return "An order by /place goes out whatever the position has become, unless its member requires one."
    return "An order by /place is refused once the position is no longer flat, long or short as on its card, or as required."


def differences(before: Policy, after: Policy) -> list[str]:
    """The differences between two policies: which role gains or loses which commands, then each rule that went or came."""
    old, new = in_words(before), in_words(after)
    gone, come = [line for line in old if line not in new], [line for line in new if line not in old]
    told = [*(f"− {line}" for line in gone), *(f"+ {line}" for line in come)]
    # Who gains or loses is said of grants already: of very many lines theirs are left out first.
    lines = [*_of_roles(before, after), *sorted(told, key=lambda line: line[2:].startswith("Role "))]
    rest = len(lines) - MOST_DIFFERENCES
    return lines if rest <= 0 else [*lines[:MOST_DIFFERENCES], f"… and {rest} more; python -m bot policy says all that holds."]


def _of_roles(before: Policy, after: Policy) -> Iterator[str]:
    for role in dict.fromkeys(grant.role for grant in (*before.grants, *after.grants)):
        had, has = (
            {command for command in COMMANDS if any(grant.has_command(command) for grant in policy.grants_of(frozenset({role})))}
            for policy in (before, after)
        )
        changed = (("gains", has - had), ("loses", had - has))
        if told := "; ".join(f"{verb} {', '.join(sorted(commands))}" for verb, commands in changed if commands):
            yield f"Role {role} {told}."


def _quoted(names: tuple[str, ...]) -> str:
    """Patterns of accounts or roots, as the file has them."""
    return ", ".join(quoted(name, 60) for name in sorted(names)) or "none"


def _names(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "none"


def _grant(grant: Grant) -> str:
    size = "" if grant.max_quantity is None else f", at most {grant.max_quantity} per order"
    where = f" on {_quoted(grant.accounts)}" if grant.accounts else ""
    where += f" in {_quoted(grant.instruments)}" if grant.instruments else ""
    types = ", ".join(sorted(kind.value for kind in grant.order_types))
    return f"Role {grant.role} may use {_names(grant.commands)}{where}{size}; order types {types}."


def _overlaps(policy: Policy) -> list[str]:
    """Effect of several grants of one command: each by itself, as one of them must allow the whole of a request."""
    lines = []
    numbered = list(enumerate(policy.grants, start=1))
    for role in dict.fromkeys(grant.role for grant in policy.grants):
        held = [(number, grant) for number, grant in numbered if grant.role == role]
        by_numbers: dict[tuple[int, ...], list[str]] = {}
        for command in sorted(TRADING_COMMANDS):
            naming = tuple(number for number, grant in held if grant.has_command(command))
            if len(naming) > 1:
                by_numbers.setdefault(naming, []).append(command)
        for naming, commands in by_numbers.items():
            each = "; or ".join(f"grant[{number}]: {_terms(grant)}" for number, grant in held if number in naming)
            lines.append(
                f"Role {role}, {', '.join(commands)}: one grant must allow the whole order, parts never mix. Either {each}."
            )
    if len({grant.role for grant in policy.grants}) > 1:
        lines.append("Who has several roles has all their grants, and one of these must allow the whole order, too.")
    return lines


def _terms(grant: Grant) -> str:
    size = "any size" if grant.max_quantity is None else f"at most {grant.max_quantity}"
    types = (
        "" if grant.order_types == frozenset(OrderType) else f", {_names(frozenset(kind.value for kind in grant.order_types))}"
    )
    return f"{size} in {_quoted(grant.instruments)} on {_quoted(grant.accounts)}{types}"


def _limit(limit: Limit) -> str:
    parts = {
        "position at most": limit.max_position,
        "orders a minute": limit.orders_per_minute,
        "seconds between doubles": limit.duplicate_seconds,
        "ticks from the last price": limit.price_band_ticks,
        f"daily loss ({SINCE})": limit.daily_loss,
        "seconds until a quote is stale": min(limit.stale_seconds, OLDEST_QUOTE),
    }
    told = ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)
    return f"For {_quoted(limit.accounts)} in {_quoted(limit.instruments)}: {told}."


def _approval(rule: Approval) -> str:
    return f"On {_quoted(rule.accounts)} from {rule.min_quantity} on, somebody else of role {rule.role} approves."


def _account(rule: AccountRule, policy: Policy) -> str:
    """Effect of a line on an account beside the others."""
    name = quoted(rule.name, 60)
    if not rule.live:
        return f"{name} is not live, whatever other lines say: no entry goes there unless it is a simulation; ways out go."
    barred = [other.name for other in policy.accounts if not other.live]
    if matches(rule.name, barred):
        return f"{name} stays shut for entries, as another line says live = false for all of it."
    but = [name for name in barred if matches(name, (rule.name,))]
    return f"{name} is live and may be traded{f', but not {_quoted(tuple(but))}' if but else ''}."


def _route(route: Route) -> str:
    silent = f", silently {_names(route.silent)}" if route.silent else ""
    return f"Channel {route.channel} reads {_names(route.events)} of {_quoted(route.accounts)}{silent}."
