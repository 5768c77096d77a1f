"""How far a ticket of several calls has come, as plain JSON values and back. What surrounds it in a row is in ``codec``."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.trading.instruments import Contract
from bot.trading.orders import OrderState, OrderType, Side
from bot.trading.progress import Leg, LegState, Line, Progress, Working

Values = dict[str, object]


def progress_values(progress: Progress) -> Values:
    """Progress for JSON."""
    return {
        "legs": [_leg(leg) for leg in progress.steps],
        "lines": [_line(line) for line in progress.rows],
        "done_at": None if progress.done_at is None else _moment(progress.done_at),
        "old": progress.old,
        "old_told": progress.old_told,
    }


def read_progress(data: dict[str, Any]) -> Progress:
    """Progress from JSON."""
    return Progress(
        steps=tuple(_read_leg(leg) for leg in data["legs"]),
        rows=tuple(_read_line(line) for line in data["lines"]),
        done_at=None if data["done_at"] is None else datetime.fromisoformat(data["done_at"]),
        # Rows of before don't have these.
        old=None if data.get("old") is None else OrderState(data["old"]),
        old_told=data.get("old_told", False),
    )


def _leg(leg: Leg) -> Values:
    return {
        "what": leg.what,
        "account": leg.account,
        "sent_at": _moment(leg.sent_at),
        "ended_at": None if leg.ended_at is None else _moment(leg.ended_at),
        "state": leg.state,
        "text": leg.text,
        "closes": leg.closes,
        "unseen": leg.unseen,
        "enters": leg.enters,
    }


def _read_leg(values: dict[str, Any]) -> Leg:
    ended_at = values["ended_at"]
    return Leg(
        what=values["what"],
        sent_at=datetime.fromisoformat(values["sent_at"]),
        state=LegState(values["state"]),
        text=values["text"],
        closes=values["closes"],
        unseen=values["unseen"],
        enters=values["enters"],
        account=values["account"],
        ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
    )


def _line(line: Line) -> list[object]:
    contract = None if line.contract is None else [line.contract.root, line.contract.year, line.contract.month]
    counts = [line.before, line.orders_before, line.now, line.orders_now]
    return [line.account, line.live, contract, *counts, [_order(order) for order in line.working]]


def _read_line(values: list[Any]) -> Line:
    account, live, contract, before, orders_before, now, orders_now, *more = values
    working = tuple(_read_order(order) for order in (more[0] if more else ()))
    held = None if contract is None else Contract(*contract)
    return Line(account, live, held, before, orders_before, now, orders_now, working)


def _order(order: Working) -> list[object]:
    price = None if order.price is None else str(order.price)
    return [order.id, order.side, order.quantity, order.type, price, order.closes]


def _read_order(values: list[Any]) -> Working:
    order_id, side, quantity, kind, price, closes = values
    type_ = None if kind is None else OrderType(kind)
    return Working(order_id, Side(side), quantity, type_, None if price is None else Decimal(price), closes)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
