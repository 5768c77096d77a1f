"""Reading an order out of a request, and what the faults in force do to it. Nothing is placed here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .book import ZERO, Account, side_word
from .calls import Ask
from .faults import Kind, Rule
from .orders import LIMITS, REJECTED, STOPS, Action, Befalls, Fate, OrderType, Ticket, TimeInForce, Treatment
from .products import Contract
from .wire import ApiError, invalid_request

ACTIONS: Mapping[str, Action] = {action.value.upper(): action for action in Action}
ORDER_TYPES: Mapping[str, OrderType] = {kind.value.upper(): kind for kind in OrderType}
TIMES_IN_FORCE: Mapping[str, TimeInForce] = {tif.value.upper(): tif for tif in TimeInForce}


def read_action(ask: Ask) -> Action:
    """Read BUY or SELL, in any case."""
    action = ACTIONS.get(ask.args.required("action").upper())
    if action is None:
        raise invalid_request()
    return action


def read_quantity(ask: Ask) -> int | None:
    """Read a number of contracts, at least 1, if there is one."""
    quantity = ask.args.integer("quantity")
    if quantity is not None and quantity < 1:
        raise invalid_request()
    return quantity


def read_price(ask: Ask, name: str) -> Decimal | None:
    """Read a price above zero, if there is one."""
    price = ask.args.number(name)
    if price is not None and price <= 0:
        raise invalid_request()
    return price


def _needed_price(ask: Ask, name: str, *, needed: bool) -> Decimal:
    if not needed:
        return ZERO
    price = read_price(ask, name)
    if price is None:
        raise invalid_request()
    return price


def read_ticket(ask: Ask) -> Ticket:
    """Read PlaceOrder's core fields; a price that the order type does not use is ignored."""
    args = ask.args
    account, contract = ask.account(), ask.contract()
    order_type = ORDER_TYPES.get(args.required("orderType").upper())
    time_in_force = TIMES_IN_FORCE.get(args.required("timeInForce").upper())
    action, quantity = read_action(ask), read_quantity(ask)
    if order_type is None or time_in_force is None or quantity is None:
        raise invalid_request()
    return Ticket(
        account,
        contract,
        action,
        order_type,
        quantity,
        time_in_force,
        limit=_needed_price(ask, "limitPrice", needed=order_type in LIMITS),
        stop=_needed_price(ask, "stopPrice", needed=order_type in STOPS),
        oco_id=args.text("ocoId") or "",
        strategy=args.text("strategy"),
        own_id=args.text("orderId"),
    )


def check_conditions(ask: Ask, account: Account, contract: Contract) -> None:
    """Hold PlaceOrder's requireMarketPosition and maxPositions; 400 and no order otherwise (texts inferred)."""
    held = account.quantity(contract)
    wanted = ask.args.text("requireMarketPosition")
    if wanted is not None:
        words = {word.strip().casefold() for word in wanted.split(",")}
        if not words <= {"flat", "long", "short"}:
            raise invalid_request()
        if side_word(held).casefold() not in words:
            raise ApiError(400, f"Market position is {side_word(held)}, required: {wanted}", bare=True)
    most = ask.args.integer("maxPositions")
    if most is not None and held == 0 and len(account.open_positions()) >= most:
        raise ApiError(400, f"Maximum number of open positions reached: {most}", bare=True)


def entry_treatment(ask: Ask, *, closes: bool = False, account: str | None = None) -> Treatment:
    """Tell what the faults do to the order that the request places."""
    locked = _locked(ask, account, closes=closes)
    reject, partial = locked or ask.take(Kind.REJECT), ask.take(Kind.PARTIAL)
    return Treatment(
        reject_after=None if reject is None else _seconds(reject, ask.world.timing.reject),
        reject_text=_lock(locked).get("text", REJECTED),
        chunk=None if partial is None else partial.quantity,
        chunk_every=None if partial is None else partial.seconds,
        own_id_lost=ask.take(Kind.OWN_ID_LOST) is not None,
        id_changes=ask.take(Kind.ID_CHANGES) is not None,
        fates=leg_fates(ask) if ask.args.text("strategy") is not None else (),
    )


def leg_fates(ask: Ask) -> tuple[Fate, ...]:
    """Tell what the faults do to the stop and the target that the request brings."""
    rejected, cancelled, bare = (ask.take(kind) for kind in (Kind.LEG_REJECTED, Kind.LEG_CANCELLED, Kind.ATM_BARE))
    fates = [
        None if rule is None else Fate(befalls, rule.body or usual, _seconds(rule, ask.world.timing.reject))
        for rule, befalls, usual in (
            (rejected, Befalls.REJECTED, "both"),
            (cancelled, Befalls.CANCELLED, "both"),
            (bare, Befalls.MISSING, "stop"),
        )
    ]
    return tuple(fate for fate in fates if fate is not None)


def close_treatment(ask: Ask) -> Treatment:
    """Tell what the faults do to an order that closes a position on the way to something else."""
    slow, locked = ask.take(Kind.SLOW_CLOSE), _locked(ask, closes=True)
    return Treatment(
        fill_after=None if slow is None else slow.seconds,
        reject_after=None if locked is None else _seconds(locked, ask.world.timing.reject),
        reject_text=_lock(locked).get("text", REJECTED),
    )


def _locked(ask: Ask, account: str | None = None, *, closes: bool) -> Rule | None:
    """Give the rule by which the broker refuses orders of the account, or its closes."""
    name = (account or ask.args.text("account") or "").casefold()

    def fits(rule: Rule) -> bool:
        lock = _lock(rule)
        return str(lock.get("account", name)).casefold() == name and (closes or not lock.get("closes"))

    return ask.take(Kind.LOCKED, fits)


def _lock(rule: Rule | None) -> Mapping[str, Any]:
    return rule.body if rule is not None and isinstance(rule.body, dict) else {}


def _seconds(rule: Rule, default: float) -> float:
    return default if rule.seconds is None else rule.seconds
