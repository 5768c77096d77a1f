"""Intents, and what a card shows of the world, as plain JSON values and back. What surrounds them in a row is in ``codec``."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.trading.instruments import Contract
from bot.trading.intents import Cancel, Change, Close, FlatPlace, Intent, PlaceOrder, Reverse
from bot.trading.orders import OrderType, Side, Terms, TimeInForce
from bot.trading.tickets import Shown

Values = dict[str, object]
# A look-up here takes a tenth of an enumeration's own; this is read while a trader waits.
_SIDES = {each.value: each for each in Side}
_TYPES = {each.value: each for each in OrderType}
_TIFS = {each.value: each for each in TimeInForce}


def intent_values(intent: Intent) -> Values:
    """An intent for JSON; ``kind`` is its command, and the terms stand beside it, as they always did."""
    contract = intent.contract
    values: Values = {
        "kind": intent.command,
        "account": intent.account,
        "contract": [contract.root, contract.year, contract.month],
        **_terms(intent.terms),
    }
    match intent:
        case PlaceOrder():
            return {**values, "order_id": intent.order_id, "require": sorted(intent.require)}
        case Close():
            return {**values, "close_quantity": intent.quantity, "close_fraction": text(intent.fraction)}
        case Cancel():
            return {**values, "order_id": intent.order_id}
        case Change():
            return {**values, "order_id": intent.order_id, "before": _terms(intent.before)}
        case _:
            return values


def read_intent(data: dict[str, Any]) -> Intent:
    """An intent from JSON.

    Raises:
        ValueError, KeyError: it is none of this version's.
    """
    where = (data["account"], Contract(*data["contract"]), _read_terms(data))
    match data["kind"]:
        case Reverse.command:
            return Reverse(*where)
        case PlaceOrder.command:
            return PlaceOrder(*where, data["order_id"], frozenset(data["require"]))
        case FlatPlace.command:
            return FlatPlace(*where)
        case Close.command:
            return Close(*where, data["close_quantity"], number(data["close_fraction"]))
        case Cancel.command:
            return Cancel(*where, data["order_id"])
        case Change.command:
            return Change(*where, data["order_id"], _read_terms(data["before"]))
        case unknown:
            raise ValueError(unknown)


def _terms(terms: Terms) -> Values:
    return {
        "side": terms.side,
        "quantity": terms.quantity,
        "type": terms.type,
        "tif": terms.tif,
        "limit": text(terms.limit),
        "stop": text(terms.stop),
        "oco": terms.oco,
        "strategy": terms.strategy,
        "typed": terms.typed,
    }


def _read_terms(data: dict[str, Any]) -> Terms:
    return Terms(
        side=_SIDES[data["side"]],
        quantity=data["quantity"],
        type=_TYPES[data["type"]],
        tif=_TIFS[data["tif"]],
        limit=number(data["limit"]),
        stop=number(data["stop"]),
        oco=data["oco"],
        strategy=data["strategy"],
        # Rows of before there was shorthand don't have it.
        typed=tuple([(name, text) for name, text in data.get("typed", ())]),
    )


def shown_values(shown: Shown) -> Values:
    """What the card shows, for JSON."""
    return {
        "live": shown.live,
        "position": shown.position,
        "average_price": text(shown.average_price),
        "after": shown.after,
        "bid": text(shown.bid),
        "ask": text(shown.ask),
        "last": text(shown.last),
        "quoted_at": None if shown.quoted_at is None else shown.quoted_at.astimezone(UTC).isoformat(),
        "tick_size": text(shown.tick_size),
        "tick_value": text(shown.tick_value),
        "point_value": text(shown.point_value),
        "warnings": shown.warnings,
        "approver_roles": sorted(shown.approver_roles),
        "working_orders": shown.working_orders,
    }


def read_shown(data: dict[str, Any]) -> Shown:
    """What the card shows, from JSON."""
    return Shown(
        live=data["live"],
        position=data["position"],
        average_price=number(data["average_price"]),
        after=data["after"],
        bid=number(data["bid"]),
        ask=number(data["ask"]),
        last=number(data["last"]),
        quoted_at=None if data["quoted_at"] is None else datetime.fromisoformat(data["quoted_at"]),
        tick_size=number(data["tick_size"]),
        tick_value=number(data["tick_value"]),
        point_value=number(data["point_value"]),
        warnings=tuple(data["warnings"]),
        approver_roles=frozenset(data["approver_roles"]),
        working_orders=data["working_orders"],
    )


def text(number: Decimal | None) -> str | None:
    """A number as JSON keeps it exactly."""
    return None if number is None else str(number)


def number(text: str | None) -> Decimal | None:
    """And back."""
    return None if text is None else Decimal(text)
