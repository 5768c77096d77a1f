"""What protects a ticket's position, as plain JSON values and back. What surrounds it in a row is in ``codec``."""

from typing import Any

from bot.journal.intents import number, text
from bot.trading.orders import OrderState
from bot.trading.protection import End, Leg, Part, Protection

Values = dict[str, object]


def protection_values(protection: Protection) -> Values:
    """Stops and targets for JSON."""
    return {
        "legs": [_leg(leg) for leg in protection.legs],
        "owner": protection.owner,
        "held": protection.held,
        "bare": protection.bare,
        "targetless": protection.targetless,
        "left": protection.left,
        "end": protection.end,
    }


def read_protection(data: dict[str, Any]) -> Protection:
    """Stops and targets from JSON."""
    return Protection(
        legs=tuple(_read_leg(leg) for leg in data["legs"]),
        owner=data["owner"],
        held=data["held"],
        bare=data["bare"],
        targetless=data["targetless"],
        left=data["left"],
        end=None if data["end"] is None else End(data["end"]),
    )


def _leg(leg: Leg) -> Values:
    return {
        "part": leg.part,
        "ids": leg.ids,
        "state": leg.state,
        "quantity": leg.quantity,
        "filled": leg.filled,
        "price": text(leg.price),
        "fill_price": text(leg.fill_price),
        "oco": leg.oco,
        "why": leg.why,
    }


def _read_leg(data: dict[str, Any]) -> Leg:
    return Leg(
        part=Part(data["part"]),
        ids=tuple(data["ids"]),
        state=OrderState(data["state"]),
        quantity=data["quantity"],
        filled=data["filled"],
        price=number(data["price"]),
        fill_price=number(data["fill_price"]),
        oco=data["oco"],
        why=data["why"],
    )
