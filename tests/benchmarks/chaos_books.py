"""Books of the chaos bench, written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.chaos.books import Case, Story, cases
from benchmarks.chaos.channel import Card
from benchmarks.chaos.compare import Breach, violations
from benchmarks.chaos.plan import ACTS, Database, Press, Run, Session, Wave

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ACT = {act.name: act for act in ACTS}
PLACED = {"action": "BUY", "quantity": 2, "instrument": "ES 09-26", "orderId": "T1"}
ACCEPTED = "### accepted · order `T1`\nsubmitted"


def a_run(name: str = "place", held: int = 0, rests: int = 0, press: Press = Press.ONCE, **more: Any) -> Run:
    run = Run(0, ACT[name], "CX0001", "ES 09-26", held, rests, "buy", 2, {}, "trader", press, 0.0, None, "")
    return replace(run, **more)


def a_story(text: str, *, pressed: bool = True) -> Story:
    card = Card(1, "AAAABBBB", {"Confirm": "x"}, [(5_000_000_000, "### Place · confirm?"), (7_500_000_000, text)])
    return Story(card, "", NOW, 6_000_000_000) if pressed else Story(card)


def a_request(call: str = "PlaceOrder", body: Mapping[str, Any] = PLACED, *, done: bool = True, path: str = "") -> dict[str, Any]:
    path = path or "/v1/api/accounts/CX0001/orders/place"
    at = (NOW + timedelta(seconds=1)).isoformat()
    return {"call": call, "path": path, "body": dict(body), "time": at, "hadEffect": done, "status": 200}


def an_order(order_id: str = "N1", own: str | None = "T1", **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": order_id, "ownOrderId": own, "earlierIds": [], "account": "CX0001", "instrument": "ES 09-26",
        "orderAction": "Buy", "quantity": 2, "orderType": "Market", "orderState": "Filled", "name": "", "epoch": 1,
        "filled": 2, "limitPrice": 0.0, "userData": f"<N><AutomatedTradingOrderId>{own or 'G1'}</AutomatedTradingOrderId></N>",
    }  # fmt: skip
    return {**row, **more}


def a_position(account: str, instrument: str, signed: int) -> dict[str, Any]:
    return {"account": account, "instrument": instrument, "signedQuantity": signed}


def a_fill(signed: int, seconds: float = 0.0, name: str = "") -> dict[str, Any]:
    """A fill, so long after ``NOW``."""
    epoch, side = round((NOW + timedelta(seconds=seconds)).timestamp() * 1000), "Long" if signed > 0 else "Short"
    what = {"name": name, "epoch": epoch, "marketPosition": side, "quantity": abs(signed)}
    return {"account": "CX0001", "instrument": "ES 09-26", **what}


def a_book(
    requests: Sequence[Any] = (),
    orders: Sequence[Any] = (),
    position: int = 0,
    *more: Any,
    fills: Sequence[tuple[int, float] | tuple[int, float, str]] = (),
) -> dict[str, Any]:
    held = [*([a_position("CX0001", "ES 09-26", position)] if position else []), *more]
    return {
        "requests": list(requests),
        "orders": list(orders),
        "positions": held,
        "executions": [a_fill(*fill) for fill in fills],
    }


def a_session(run: Run) -> Session:
    return Session(1, 0, Database.SQLITE, "rest", (Wave((run,), None, None, 0.0),))


def a_case(run: Run, text: str, book: Mapping[str, Any], *, pressed: bool = True) -> Case:
    (case,) = cases(a_session(run), book, {0: a_story(text, pressed=pressed)})
    return case


def broken(case: Case) -> list[Breach]:
    return [violation.breach for violation in violations(case)]
