"""Sizes worth offering while somebody types a quantity: what is open, what is allowed, what a stop may cost. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bot.errors import PriceError
from bot.trading.market.facts import Account, Facts, terms_of
from bot.trading.orders.intents import Change, FlatPlace, OrderIntent, PlaceOrder, Replace, Reverse
from bot.trading.orders.terms import Side, Terms
from bot.trading.orders.tickets import Member, side_word
from bot.trading.planning.pricing import base_of
from bot.trading.planning.shorthand import Base, resolve
from bot.trading.planning.suggestions import SoFar, Suggestion, Where
from bot.trading.risk.limits import OwnOrders, check_order
from bot.trading.risk.policy import DenialCode, Limit, PermissionQuery, Policy, may
from bot.trading.words import money

ROUND_AMOUNTS = (Decimal(250), Decimal(500), Decimal(1000))
LONGEST_AMOUNT = 7

# A quantity, and what it means.
Size = tuple[int, str]

# Reasons that have nothing to do with how many contracts it is.
_OF_PRICE_AND_MOMENT = frozenset(
    {
        DenialCode.QUOTE_MISSING,
        DenialCode.QUOTE_STALE,
        DenialCode.BAD_PRICE,
        DenialCode.PRICE_BAND,
        DenialCode.DUPLICATE,
        DenialCode.POSITION_NOT_AS_REQUIRED,
    }
)


@dataclass(frozen=True, slots=True)
class SizingContext:
    """The member, and all that their order would be decided on; ``recent`` is ``None`` while the journal couldn't be read."""

    member: Member
    facts: Facts
    policy: Policy
    recent: OwnOrders | None
    now: datetime


def sizes(so_far: SoFar, typed: str, where: Where, standing: SizingContext) -> list[Suggestion[int]]:
    """Sizes for a new order, or for one that is modified or replaced: never more than would be let through, where that is known.

    Args:
        so_far: the other options.
        typed: digits, so far; where there is a stop they may be an amount of money too.
        where: what the order is about.
        standing: what it would be decided on.
    """
    facts, most = standing.facts, _most(so_far, where, standing)
    position = facts.position(where.contract)
    found = [(most, "most that your limits leave")] if most else []
    if where.order is not None:
        found.append((where.order.quantity, "as it is"))
    elif position is not None:
        found += _of_position(position.quantity)
    amounts = [(amount, "") for amount in ROUND_AMOUNTS]
    left = loss_left(standing.policy.limits_for(where.account, where.contract.root), facts.account)
    if left is not None:
        amounts.append((left, f" of ${money(left)} left today"))
    found += _at_risk(so_far, where, facts, amounts)
    of_amount = _at_risk(so_far, where, facts, [(Decimal(typed), "")]) if _is_amount(typed) else []
    fitting = [*_beginning_with(typed, found), *of_amount]
    return _shown([(size, words) for size, words in fitting if most is None or size <= most])


def sizes_to_close(position: int, typed: str) -> list[Suggestion[int]]:
    """All of a position, and half of it, rounded up; of those, what begins with the digits typed so far."""
    return _shown(_beginning_with(typed, _of_position(position)))


def most_allowed(make: Callable[[int], OrderIntent], request: PermissionQuery, standing: SizingContext) -> int | None:
    """The largest size that grants and limits leave now; 0 when nothing of the kind may be sent, ``None`` if that isn't known.

    Args:
        make: the intent with a quantity.
        request: the question to the policy, without a quantity.
        standing: what the order would be decided on.
    """
    member, policy, recent = standing.member, standing.policy, standing.recent
    facts = standing.facts
    if recent is None or None in {facts.account, facts.positions, facts.orders, facts.quote}:
        return None
    granted = {grant.max_quantity or 0 for grant in policy.grants_of(member.roles)}
    ceiling = max((size for size in granted if may(policy, member.roles, replace(request, quantity=size)) is None), default=0)

    def fits(quantity: int) -> bool:
        found = check_order(make(quantity), member.id, facts, policy, recent, standing.now)
        return all(denial.code in _OF_PRICE_AND_MOMENT for denial in found)

    return _largest(ceiling, fits)


def sizes_at_risk(
    entry: Decimal | None, stop: Decimal, side: Side, point_value: Decimal, amounts: Iterable[tuple[Decimal, str]]
) -> list[Size]:
    """Sizes at which a stop that is hit costs no more than an amount, each with its cost; none where the stop doesn't lose.

    Args:
        entry: the price at which the position is, or would be, opened; ``None`` if that isn't known.
        stop: where it is given up.
        side: of the position: buy for a long one.
        point_value: money per whole point and contract.
        amounts: money, each with words to put behind the cost.
    """
    each = Decimal() if entry is None else (entry - stop) * side.sign * point_value
    if each <= 0:
        return []
    found = []
    for amount, words in amounts:
        size = int(amount // each)
        if size >= 1:
            found.append((size, f"a stop at {stop:f} costs ${money(size * each)}{words}"))
    return found


def loss_left(limits: Iterable[Limit], account: Account | None) -> Decimal | None:
    """The amount that may still be lost in an account today by its limits; ``None`` where none is set or the day isn't known."""
    result = None if account is None else account.day_result
    set_ = [limit.daily_loss for limit in limits if limit.daily_loss is not None]
    return None if result is None or not set_ else max(min(set_) + result, Decimal())


def _of_position(position: int) -> list[Size]:
    size, word = abs(position), side_word(position)
    half = (size + 1) // 2
    found = [(size, f"all of {word}"), (half, f"half of {word}")]
    return found if half < size else found[: min(size, 1)]


def _beginning_with(typed: str, found: Iterable[Size]) -> list[Size]:
    return [(size, words) for size, words in found if str(size).startswith(typed)]


def _shown(found: Iterable[Size]) -> list[Suggestion[int]]:
    """Each size once, with everything that is to be said of it."""
    said: dict[int, dict[str, None]] = {}
    for size, words in found:
        said.setdefault(size, {})[words] = None
    return [Suggestion(size, f"{size} ({'; '.join(words)})") for size, words in said.items()]


def _most(so_far: SoFar, where: Where, standing: SizingContext) -> int | None:
    """The largest size that would be let through, whichever side is chosen."""
    kind = so_far.type if where.order is None else terms_of(where.order).type
    asked = PermissionQuery(so_far.command, where.account, where.contract.root, order_type=kind)
    found = [most_allowed(make, asked, standing) for make in _makers(so_far, where)]
    known = [most for most in found if most is not None]
    return min(known) if known and len(known) == len(found) else None


def _makers(so_far: SoFar, where: Where) -> list[Callable[[int], OrderIntent]]:
    """The intents that the command would make, each from a quantity; for both sides while none is chosen."""
    account, contract, order = where.account, where.contract, where.order
    if order is not None:
        before = terms_of(order)
        changed = Replace if so_far.command == "replace" else Change
        return [lambda quantity: changed(account, contract, replace(before, quantity=quantity), order.id, before)]
    kinds: dict[str, Callable[[Terms], OrderIntent]] = {
        "reverse": lambda terms: Reverse(account, contract, terms),
        "place": lambda terms: PlaceOrder(account, contract, terms, ""),
        "flatplace": lambda terms: FlatPlace(account, contract, terms),
    }
    kind = kinds.get(so_far.command)
    sides = Side if so_far.side is None else (so_far.side,)
    return [] if kind is None else [_sized(kind, side) for side in sides]


def _sized(kind: Callable[[Terms], OrderIntent], side: Side) -> Callable[[int], OrderIntent]:
    return lambda quantity: kind(Terms(side, quantity))


def _at_risk(so_far: SoFar, where: Where, facts: Facts, amounts: Iterable[tuple[Decimal, str]]) -> list[Size]:
    """Sizes by what the stop that was typed would cost."""
    base, quote, side = base_of(facts, where.contract), facts.quote, so_far.side
    if where.order is not None or base is None or quote is None or side is None:
        return []
    stop = _price("stop", so_far.stop, side, base)
    if stop is None:
        return []
    if so_far.command == "place" and base.position * side.sign < 0:
        # It protects what is open: no more of it than there is can be lost.
        held = Side.BUY if base.position > 0 else Side.SELL
        found = sizes_at_risk(base.average_price, stop, held, quote.point_value, amounts)
        return [(size, words) for size, words in found if size <= abs(base.position)]
    if so_far.type.has_stop:
        # There the stop is where the position begins, not where it ends.
        return []
    entry = _price("limit", so_far.limit, side, base) or (base.ask if side is Side.BUY else base.bid)
    return sizes_at_risk(entry, stop, side, quote.point_value, amounts)


def _price(name: str, typed: str, side: Side, base: Base) -> Decimal | None:
    try:
        return resolve(name, typed, side, base)
    except PriceError:
        return None


def _is_amount(typed: str) -> bool:
    return typed.isascii() and typed.isdecimal() and len(typed) <= LONGEST_AMOUNT


def _largest(ceiling: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to the ceiling that fits, where every smaller one does too; 0 when none does."""
    fitting, failing = 0, ceiling + 1
    while failing - fitting > 1:
        middle = (fitting + failing) // 2
        if fits(middle):
            fitting = middle
        else:
            failing = middle
    return fitting
