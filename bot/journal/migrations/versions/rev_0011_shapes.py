"""Intents, approvals and progress field by field, as the rules have them, so that one adapter reads and writes them all."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

Json = dict[str, Any]
_TERMS = ("side", "quantity", "type", "tif", "limit", "stop", "oco", "strategy", "typed")
_ROW = ("account", "live", "contract", "before", "orders_before", "now", "orders_now", "working")
_WORKING = ("id", "side", "quantity", "type", "price", "closes")
_OWN_IDS = {"place", "reverse verified"}
_MASS = {"flatten", "cancel working", "flatten strategy"}
_AT_ONCE = 500


def upgrade() -> None:
    """Write every ticket's columns anew."""
    connection = op.get_bind()
    tickets = sa.table("tickets", *(sa.column(name) for name in ("id", "intent", "approvals", "progress")))
    some = sa.select(*tickets.c).order_by(tickets.c.id).limit(_AT_ONCE)
    rows = list(connection.execute(some))
    while rows:
        for row in rows:
            values = {
                "intent": _written(_intent(json.loads(row.intent))),
                "approvals": _written([_approval(*each) for each in json.loads(row.approvals)]),
                "progress": None if row.progress is None else _written(_progress(json.loads(row.progress))),
            }
            connection.execute(sa.update(tickets).where(tickets.c.id == row.id).values(values))
        rows = list(connection.execute(some.where(tickets.c.id > rows[-1].id)))


def _intent(old: Json) -> Json:
    if (kind := old["kind"]) in _MASS:
        scope = {name: old[name] for name in ("accounts", "everything", "left_out")}
        new = {"kind": kind, "scope": {**scope, "contract": _contract(old["contract"])}, "only": old.get("only")}
        return new if kind != "flatten strategy" else {**new, "strategy_id": old["strategy_id"], "name": old["strategy_name"]}
    its = {name: value for name, value in old.items() if name not in _TERMS}
    its |= {"contract": _contract(old["contract"]), "terms": {name: old[name] for name in _TERMS if name in old}}
    if kind in _OWN_IDS:
        its["client_order_id"] = its.pop("order_id")
    if kind == "close":
        its |= {"quantity": its.pop("close_quantity"), "fraction": its.pop("close_fraction")}
    return its


def _approval(member: int, name: str, roles: list[int]) -> Json:
    return {"member": member, "name": name, "roles": roles}


def _progress(old: Json) -> Json:
    steps, rows = old.pop("legs"), old.pop("lines")
    return {**old, "steps": steps, "rows": [_row(dict(zip(_ROW, row, strict=False))) for row in rows]}


def _row(row: Json) -> Json:
    working = [dict(zip(_WORKING, each, strict=True)) for each in row.get("working", ())]
    return {**row, "contract": _contract(row["contract"]), "working": working}


def _contract(parts: list[Any] | None) -> Json | None:
    return None if parts is None else dict(zip(("root", "year", "month"), parts, strict=True))


def _written(value: object) -> str:
    # What JSON can't hold as it stands has been written as an escape, which no longer every reader takes.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return json.dumps(json.loads(text), separators=(",", ":"))
