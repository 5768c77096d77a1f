"""A permission explained: by which grant of the policy file, or why by none, and what else the file asks. Pure.

It asks ``may`` itself, once for all grants and once for each alone, so that it can't say anything else than what is decided.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from bot.errors import UsageError
from bot.trading.orders.instruments import Contract, parse_instrument
from bot.trading.orders.intents import EXIT_COMMANDS, TRADING_COMMANDS
from bot.trading.orders.terms import OrderType, parse_count
from bot.trading.risk.policy import COMMANDS, Approval, Denial, Limit, PermissionQuery, Policy, may
from bot.trading.words import quoted

# Table of the policy file and number of the entry in it, from 1, as its errors name them: in words.
Place = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer to a question of permission.

    Attributes:
        query: what was asked.
        denial: the decision; ``None`` is yes.
        allowing: number of the first grant that allows all of it.
        against: of grants of these roles that name the command and don't allow it, number and reason.
        approvals: numbers of those that an order like this meets, and from which quantity on.
        limits: numbers of those that hold for it.
        needs_live: whether an account that is no simulation takes it only by an ``[[account]]`` line that isn't there.
    """

    query: PermissionQuery
    denial: Denial | None
    allowing: int | None
    against: tuple[tuple[int, Denial], ...]
    approvals: tuple[tuple[int, int], ...]
    limits: tuple[int, ...]
    needs_live: bool

    def words(self, place: Place) -> Iterator[str]:
        """The answer in lines."""
        asked = subject(self.query)
        if self.denial is None:
            yield f"Yes: {asked} is allowed by {place('grant', self.allowing or 0)}."
        else:
            yield f"No: {asked} is not allowed. {self.denial.sentence}"
        yield from (f"{place('grant', number)}: {why.sentence}" for number, why in self.against)
        if self.denial is None:
            yield from (
                f"From {least} on somebody else must approve it: {place('approval', number)}." for number, least in self.approvals
            )
            yield from (f"A limit holds for it, too: {place('limit', number)}." for number in self.limits)
            if self.needs_live:
                yield "Unless the account is a simulation it takes no entry, as no line [[account]] says live = true for it."


def explained(policy: Policy, roles: frozenset[int], query: PermissionQuery) -> Explained:
    """Explain what ``may`` says to these roles."""
    alone = {
        number: may(replace(policy, grants=(grant,)), frozenset({grant.role}), query)
        for number, grant in enumerate(policy.grants, start=1)
        if grant.role in roles and grant.has_command(query.command)
    }
    enters = query.command in TRADING_COMMANDS - EXIT_COMMANDS
    return Explained(
        query,
        may(policy, roles, query),
        next((number for number, denial in alone.items() if denial is None), None),
        tuple((number, denial) for number, denial in alone.items() if denial is not None),
        tuple(
            (number, rule.min_quantity)
            for number, rule in enumerate(policy.approvals, start=1)
            if enters and _asks(policy, rule, query)
        ),
        tuple(number for number, limit in enumerate(policy.limits, start=1) if enters and _holds(policy, limit, query)),
        needs_live=enters and query.account is not None and not policy.names_live(query.account),
    )


def question(
    command: str, account: str | None, instrument: str | None, quantity: int | None, order_type: OrderType | None, today: date
) -> PermissionQuery:
    """A question of permission; of the instrument the root alone is asked, as no grant looks at a month.

    Raises:
        UsageError: there is no such command, or the instrument or the quantity can't be one.
    """
    named = command.removeprefix("/").strip().lower()
    if named not in COMMANDS:
        raise UsageError(f"There is no command {quoted(command, 40)}; name one as it is used, such as reverse.")
    found = parse_instrument(instrument, today) if instrument else None
    root = found.root if isinstance(found, Contract) else None if found is None else found.name
    return PermissionQuery(named, account or None, root, parse_count("qty", quantity), order_type)


def subject(query: PermissionQuery) -> str:
    """The subject of a question: ``/reverse 2 ES on “Apex-1”``."""
    size = "" if query.quantity is None else f" {query.quantity}"
    kind = "" if query.order_type is None else f" {query.order_type.value}"
    root = "" if query.root is None else f" {query.root}"
    return f"/{query.command}{size}{kind}{root}{'' if query.account is None else f' on {quoted(query.account, 60)}'}"


def _asks(policy: Policy, rule: Approval, query: PermissionQuery) -> bool:
    alone = replace(policy, approvals=(rule,))
    return query.account is not None and bool(alone.approver_roles(query.account, query.quantity or rule.min_quantity))


def _holds(policy: Policy, limit: Limit, query: PermissionQuery) -> bool:
    alone = replace(policy, limits=(limit,))
    return query.account is not None and query.root is not None and bool(alone.limits_for(query.account, query.root))
