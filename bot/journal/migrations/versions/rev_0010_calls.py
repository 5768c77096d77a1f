"""Where each call of a ticket was made and when it was answered, who has ended a ticket, and what is told beside what is left.

Sentences of the versions before are read here for the last time, as those wrote them: their words stand here and nowhere else.
Where one isn't understood the row says no more than it did, and nothing is lost. The log is read and stays as it is.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_SIGNED = re.compile(r"(.*) \(<@([0-9]{1,20})>\)", re.DOTALL)
_UNSEEN = ", unseen: the lists could not be read"
_MASS_ACTIONS = {"flatten", "cancel working", "flatten strategy"}

Row = Any


def upgrade() -> None:
    """Add the column, and fill it and the calls."""
    op.add_column("tickets", sa.Column("ended_by_id", sa.BigInteger))
    connection = op.get_bind()
    names = "id", "intent", "ended_by", "ended_by_id", "outcome", "progress", "told"
    tickets = sa.table("tickets", *(sa.column(name) for name in names))
    some = tickets.c.ended_by.is_not(None) | tickets.c.progress.is_not(None)
    of_before = list(connection.execute(sa.select(*tickets.c).where(some)))
    for row in of_before:
        intent = json.loads(row.intent)
        values = _about_people(row) | _about_progress(connection, row, intent)
        if values:
            connection.execute(sa.update(tickets).where(tickets.c.id == row.id).values(values))


def _about_people(row: Row) -> dict[str, object]:
    signed = None if row.ended_by is None else _SIGNED.fullmatch(row.ended_by)
    return {} if signed is None else {"ended_by": signed[1], "ended_by_id": int(signed[2])}


def _about_progress(connection: sa.Connection, row: Row, intent: dict[str, Any]) -> dict[str, object]:
    if row.progress is None:
        return {}
    values: dict[str, object] = {}
    progress = json.loads(row.progress)
    if intent["kind"] in _MASS_ACTIONS and row.outcome is not None and row.told is None:
        left = "; ".join(_left_of(progress["lines"]))
        if left and f"{left}." in row.outcome:
            values |= {"told": "rest", "outcome": " ".join(row.outcome.replace(f"{left}.", "").split()) or None}
    if progress["legs"]:
        steps = _Steps(connection, row.id)
        progress["legs"] = [_leg(number, leg, intent, steps) for number, leg in enumerate(progress["legs"])]
        values["progress"] = json.dumps(progress, separators=(",", ":"))
    return values


def _leg(number: int, leg: list[Any], intent: dict[str, Any], steps: "_Steps") -> dict[str, object]:
    # The first rows of this table know nothing of the last ones.
    words, sent_at, state, text, *flags = leg
    closes, unseen, enters = (*flags, False, False, False)[:3]
    what, account = words.removesuffix(_UNSEEN) if unseen else words, None
    for name in intent.get("accounts", ()):
        if what.endswith(where := f" in {_code(name, 40)}"):
            what, account = what.removesuffix(where), name
    took = steps.took(number, words)
    return {
        "what": what,
        "account": account,
        "sent_at": sent_at,
        "ended_at": None if took is None else (datetime.fromisoformat(sent_at) + took).astimezone(UTC).isoformat(),
        "state": state,
        "text": text,
        "closes": closes,
        "unseen": unseen,
        "enters": enters,
    }


class _Steps:
    """The beginnings and ends of a ticket's calls in the log, each of which is one call's; calls may have the same words."""

    def __init__(self, connection: sa.Connection, ticket: str) -> None:
        events = sa.table("events", *(sa.column(name) for name in ("seq", "at", "name", "ticket", "data")))
        asked = sa.select(events.c.at, events.c.data).where(events.c.ticket == ticket, events.c.name == "step")
        steps = [(row.at, json.loads(row.data)) for row in connection.execute(asked.order_by(events.c.seq))]
        self._begun = [step for step in steps if step[1].get("state") == "sending"]
        self._ended = [step for step in steps if step[1].get("state") not in {None, "sending"}]

    def took(self, number: int, words: str) -> timedelta | None:
        """From the beginning of a call to its first answer; a line that doesn't number its call names it by its words."""

        def next_one(steps: list[tuple[int, dict[str, Any]]], since: int) -> int | None:
            mine = (each for each in steps if each[1].get("leg", number) == number and each[1]["what"] == words)
            if (found := next((each for each in mine if each[0] >= since), None)) is None:
                return None
            steps.remove(found)
            return found[0]

        begun = next_one(self._begun, 0)
        ended = None if begun is None else next_one(self._ended, begun)
        return None if begun is None or ended is None else timedelta(microseconds=ended - begun)


def _left_of(lines: list[list[Any]]) -> Iterator[str]:
    """What was left, line by line, in the words of then."""
    for account, _live, contract, before, _orders_before, now, orders_now, *more in lines:
        if not (now == 0 and orders_now == 0):
            where = _code(account, 60) + ("" if contract is None else f" {contract[0]} {contract[2]:02d}-{contract[1] % 100:02d}")
            yield f"{where}: {', '.join(_left(before, now, orders_now, more[0] if more else []))}"


def _left(before: int | None, now: int | None, orders_now: int | None, working: list[list[Any]]) -> Iterator[str]:
    if now is None:
        yield "positions could not be read, it may not be flat"
    elif now:
        is_other = before == 0 or (before is not None and now * before < 0)
        yield f"{'now' if is_other else 'still'} {'LONG' if now > 0 else 'SHORT'} {abs(now)}"
    if orders_now is None:
        yield "orders could not be read, some may work"
    elif orders_now and not working:
        yield f"{orders_now} still working"
    else:
        for order_id, side, quantity, kind, price, closes in working:
            told = f"{side.upper()} {quantity}{'' if kind is None else f' {kind}'}{'' if price is None else f' {_number(price)}'}"
            does = "closes" if closes else "works" if now else "works and may open a position when it fills"
            yield f"{told} (order {_code(order_id, 64)}) still {does}"
        if (more := (orders_now or 0) - len(working)) > 0:
            yield f"{more} more still working"


def _code(text: str, longest: int) -> str:
    line = " ".join(text.split()).replace("`", "\u02cb")
    return f"`{line if len(line) <= longest else f'{line[: longest - 1]}…'}`"


def _number(text: str) -> str:
    value = Decimal(text)
    return f"{value:f}" if -12 <= value.adjusted() <= 15 and value.is_finite() else f"{value:.6g}"
