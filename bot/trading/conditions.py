"""The conditions that an order itself sets on what is open; CrossTrade checks them too."""

from collections.abc import Iterator

from bot.trading.facts import Facts
from bot.trading.intents import PlaceOrder, Replace
from bot.trading.policy import Denial, DenialCode
from bot.trading.words import code


def unmet(intent: PlaceOrder | Replace, facts: Facts) -> Iterator[Denial]:
    """Each condition of the order that doesn't hold, with what to do."""
    position = facts.position(intent.contract)
    now = "flat" if position is None else "long" if position.quantity > 0 else "short"
    if intent.require and now not in intent.require:
        yield Denial(
            DenialCode.POSITION_NOT_AS_REQUIRED,
            f"{code(intent.account)} is {now} in {intent.contract} and the order asks for "
            f"{' or '.join(sorted(intent.require))}; look at the position, or leave require out.",
            f"position={now} require={','.join(sorted(intent.require))}",
        )
    most = intent.max_positions if isinstance(intent, PlaceOrder) else None
    held = sum(1 for one in facts.positions or () if one.quantity)
    # Adding to what is open is no new position.
    if most is not None and position is None and held >= most:
        yield Denial(
            DenialCode.POSITION_NOT_AS_REQUIRED,
            f"{code(intent.account)} holds positions in {held} contracts and the order asks for fewer than {most}; "
            "close one, or raise max_positions.",
            f"positions={held} max_positions={most}",
        )
