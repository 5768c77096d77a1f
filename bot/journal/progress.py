"""How far a ticket of several calls has come, as plain JSON values and back. What surrounds it in a row is in ``codec``."""

from datetime import UTC, datetime
from typing import Any

from bot.trading.instruments import Contract
from bot.trading.orders import OrderState
from bot.trading.progress import Leg, LegState, Line, Progress

Values = dict[str, object]


def progress_values(progress: Progress) -> Values:
    """Progress for JSON."""
    return {
        "legs": [[leg.what, _moment(leg.sent_at), leg.state, leg.text] for leg in progress.legs],
        "lines": [_line(line) for line in progress.lines],
        "done_at": None if progress.done_at is None else _moment(progress.done_at),
        "old": progress.old,
        "old_told": progress.old_told,
    }


def read_progress(data: dict[str, Any]) -> Progress:
    """Progress from JSON."""
    return Progress(
        legs=tuple(Leg(what, datetime.fromisoformat(at), LegState(state), text) for what, at, state, text in data["legs"]),
        lines=tuple(_read_line(line) for line in data["lines"]),
        done_at=None if data["done_at"] is None else datetime.fromisoformat(data["done_at"]),
        # Rows of before don't have these.
        old=None if data.get("old") is None else OrderState(data["old"]),
        old_told=data.get("old_told", False),
    )


def _line(line: Line) -> list[object]:
    contract = None if line.contract is None else [line.contract.root, line.contract.year, line.contract.month]
    return [line.account, line.live, contract, line.before, line.orders_before, line.now, line.orders_now]


def _read_line(values: list[Any]) -> Line:
    account, live, contract, *counts = values
    return Line(account, live, None if contract is None else Contract(*contract), *counts)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
