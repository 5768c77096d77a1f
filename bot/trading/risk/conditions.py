"""The conditions that an order carries about what is open; CrossTrade checks them too, in the moment that it takes the order."""

from collections.abc import Iterator
from dataclasses import replace

from bot.trading.market.facts import Facts
from bot.trading.orders.instruments import Contract
from bot.trading.orders.intents import Intent, OrderIntent, PlaceOrder, Replace
from bot.trading.risk.policy import Denial, DenialCode, Policy
from bot.trading.words import quoted


def holding(facts: Facts, contract: Contract) -> str:
    """The side of a position, in the words that CrossTrade takes as a condition: ``flat``, ``long`` or ``short``."""
    position = facts.position(contract)
    return "flat" if position is None else "long" if position.quantity > 0 else "short"


def guarded(intent: OrderIntent, facts: Facts, policy: Policy) -> OrderIntent:
    """An order by ``/place`` with the position that was read as its guard, unless its member requires one; others as they are.

    Working orders have no part in it, and of a position only its side: a larger one on the same side meets the guard.
    """
    if not isinstance(intent, PlaceOrder):
        return intent
    is_wanted = policy.guard and not intent.require and facts.positions is not None
    return replace(intent, guard=holding(facts, intent.contract) if is_wanted else None)


def as_on_card(fresh: Intent, carded: Intent) -> Intent:
    """The intent to send for a card that still tells the truth: with the card's guard, whatever the policy says by now."""
    if isinstance(fresh, PlaceOrder) and isinstance(carded, PlaceOrder):
        return replace(fresh, guard=carded.guard)
    return fresh


def unmet(intent: PlaceOrder | Replace, facts: Facts) -> Iterator[Denial]:
    """Each condition of the order that doesn't hold, with what to do."""
    now = holding(facts, intent.contract)
    if intent.require and now not in intent.require:
        yield Denial(
            DenialCode.POSITION_NOT_AS_REQUIRED,
            f"{quoted(intent.account)} is {now} in {intent.contract} and the order asks for "
            f"{' or '.join(sorted(intent.require))}; look at the position, or leave require out.",
            f"position={now} require={','.join(sorted(intent.require))}",
        )
    most = intent.max_positions if isinstance(intent, PlaceOrder) else None
    held = sum(1 for one in facts.positions or () if one.quantity)
    # Adding to what is open is no new position.
    if most is not None and now == "flat" and held >= most:
        yield Denial(
            DenialCode.POSITION_NOT_AS_REQUIRED,
            f"{quoted(intent.account)} holds positions in {held} contracts and the order asks for fewer than {most}; "
            "close one, or raise max_positions.",
            f"positions={held} max_positions={most}",
        )
