"""Intents, and what a card shows of the world, as plain JSON values and back. What surrounds them in a row is in ``codec``."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.trading.instruments import Contract
from bot.trading.intents import (
    Bracket,
    Cancel,
    Change,
    Close,
    FlatPlace,
    Intent,
    Invert,
    OrderIntent,
    PlaceOrder,
    Replace,
    Reverse,
    VerifiedReverse,
)
from bot.trading.orders import OrderType, Side, Terms, TimeInForce
from bot.trading.sweeps import CancelWorking, Flatten, FlattenStrategy, Holding, Scope, Sweep
from bot.trading.tickets import Shown

Values = dict[str, object]
# A look-up here takes a tenth of an enumeration's own; this is read while a trader waits.
_SIDES = {each.value: each for each in Side}
_TYPES = {each.value: each for each in OrderType}
_TIFS = {each.value: each for each in TimeInForce}


# Their words in the database; once written they stay.
_KINDS: dict[type[Intent], str] = {
    Reverse: "reverse",
    VerifiedReverse: "reverse verified",
    Invert: "reverse invert",
    PlaceOrder: "place",
    FlatPlace: "flatplace",
    Close: "close",
    Cancel: "cancel",
    Change: "modify",
    Replace: "replace",
    Bracket: "bracket",
    Flatten: "flatten",
    CancelWorking: "cancel working",
    FlattenStrategy: "flatten strategy",
}


def intent_values(intent: Intent) -> Values:
    """An intent for JSON; of an order the terms stand beside its kind, as they always did."""
    kind = {"kind": _KINDS[type(intent)]}
    if isinstance(intent, Sweep):
        return kind | _sweep_values(intent)
    where: Values = {"account": intent.account, "contract": _contract(intent.contract), **terms_values(intent.terms)}
    return kind | where | _order_values(intent)


def _order_values(intent: OrderIntent) -> Values:
    match intent:
        case PlaceOrder():
            required: Values = {"require": sorted(intent.require), "guard": intent.guard}
            return {"order_id": intent.client_order_id, **required, "max_positions": intent.max_positions}
        case VerifiedReverse() | Cancel():
            return {"order_id": intent.client_order_id}
        case Close():
            return {"close_quantity": intent.quantity, "close_fraction": text(intent.fraction)}
        case Change():
            return {"order_id": intent.order_id, "before": terms_values(intent.before)}
        case Replace():
            return {"order_id": intent.order_id, "before": terms_values(intent.before), "require": sorted(intent.require)}
        case Bracket():
            return {"target": text(intent.target), "target_typed": intent.target_typed}
        case _:
            return {}


def _sweep_values(sweep: Sweep) -> Values:
    scope = sweep.scope
    return {
        "accounts": scope.accounts,
        "contract": None if scope.contract is None else _contract(scope.contract),
        "everything": scope.everything,
        "left_out": scope.left_out,
        "only": sweep.only if isinstance(sweep, Flatten) else None,
        **({"strategy_id": sweep.strategy_id, "strategy_name": sweep.name} if isinstance(sweep, FlattenStrategy) else {}),
    }


def read_intent(data: dict[str, Any]) -> Intent:
    """An intent from JSON.

    Raises:
        ValueError, KeyError: it is none of this version's.
    """
    kind = data["kind"]
    if kind in {"flatten", "cancel working", "flatten strategy"}:
        return _read_sweep(kind, data)
    where = (data["account"], Contract(*data["contract"]), read_terms(data))
    match kind:
        case "reverse":
            return Reverse(*where)
        case "reverse verified":
            return VerifiedReverse(*where, data["order_id"])
        case "reverse invert":
            return Invert(*where)
        case "place":
            # Tickets of earlier versions have no max_positions, or no guard.
            conditions = (frozenset(data["require"]), data.get("max_positions"), data.get("guard"))
            return PlaceOrder(*where, data["order_id"], *conditions)
        case "flatplace":
            return FlatPlace(*where)
        case "bracket":
            # Tickets of an earlier version have no shorthand there.
            return Bracket(*where, number(data["target"]), data.get("target_typed"))
        case _:
            return _read_on_what_is_there(kind, where, data)


def _read_on_what_is_there(kind: str, where: tuple[str, Contract, Terms], data: dict[str, Any]) -> Intent:
    match kind:
        case "close":
            return Close(*where, data["close_quantity"], number(data["close_fraction"]))
        case "cancel":
            return Cancel(*where, data["order_id"])
        case "modify":
            return Change(*where, data["order_id"], read_terms(data["before"]))
        case "replace":
            return Replace(*where, data["order_id"], read_terms(data["before"]), frozenset(data["require"]))
        case unknown:
            raise ValueError(unknown)


def _read_sweep(kind: str, data: dict[str, Any]) -> Sweep:
    contract = None if data["contract"] is None else Contract(*data["contract"])
    scope = Scope(tuple(data["accounts"]), contract, data["everything"], tuple(data["left_out"]))
    if kind == "cancel working":
        return CancelWorking(scope)
    if kind == "flatten strategy":
        return FlattenStrategy(scope, data["strategy_id"], data["strategy_name"])
    return Flatten(scope, None if data["only"] is None else Holding(data["only"]))


def _contract(contract: Contract) -> list[object]:
    return [contract.root, contract.year, contract.month]


def terms_values(terms: Terms) -> Values:
    """Terms for JSON."""
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


def read_terms(data: dict[str, Any]) -> Terms:
    """Terms from JSON."""
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
        "position_read": shown.position_read,
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
        # Rows of before have only positions that were read.
        position_read=data.get("position_read", True),
    )


def text(number: Decimal | None) -> str | None:
    """A number as JSON keeps it exactly."""
    return None if number is None else str(number)


def number(text: str | None) -> Decimal | None:
    """And back."""
    return None if text is None else Decimal(text)
