"""The outbox's statements: news waiting for Discord, written in the transaction of the change that they tell."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Text, and_, bindparam, case, cast, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.desk.ports import Delivery, Notice, Tone
from bot.journal.codec import Values, deliveries_of
from bot.journal.schema import CARD, IS_CARD, IS_WAITING, NOTICE, outbox

_PRIORITY = {Tone.ALARM: 0, Tone.ROUTINE: 1}
_row = outbox.c


def show(connection: Connection, ticket_id: str, at: datetime, tone: Tone) -> None:
    """Make a ticket's card due: its first row, or one change more for the row that it has."""
    connection.execute(_showing(connection.dialect.name), {"kind": CARD, "ticket": ticket_id, **_fresh(tone, at)})


def tell(connection: Connection, notices: Iterable[Notice], at: datetime, ticket_id: str | None = None) -> None:
    """Add a row for each notice."""
    for notice in notices:
        told = {"channel": notice.channel, "text": notice.text, "silent": notice.silent, "tone": notice.tone}
        connection.execute(_TELL, {"kind": NOTICE, "ticket": ticket_id, **told, **_fresh(notice.tone, at)})


def due(connection: Connection, now: datetime, limit: int) -> Sequence[Delivery]:
    """Rows that wait and are due: alarms first, then what has waited longest."""
    return deliveries_of(connection.execute(_DUE, {"now": now, "most": limit}))


def foremost(connection: Connection, now: datetime, limit: int) -> Sequence[Delivery]:
    """The first row of each card and of each channel, of those that wait, in the same order."""
    return deliveries_of(connection.execute(_FOREMOST, {"now": now, "most": limit}))


def next_due(connection: Connection) -> datetime | None:
    """The time at which the first of those that wait is due; ``None`` if none waits."""
    found: datetime | None = connection.scalar(_NEXT)
    return found


def delivered(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """Take the row off, unless it has changed since it was read: then the rest of it is due."""
    connection.execute(_DELIVERED, {"row": delivery.id, "shown": delivery.sequence, "now": now})


def postpone(connection: Connection, delivery: Delivery, until: datetime) -> None:
    """Count a failed attempt."""
    connection.execute(_POSTPONE, {"row": delivery.id, "until": until})


def _fresh(tone: Tone, at: datetime) -> Values:
    times = {"since": at, "changed_at": at, "due_at": at}
    return {"priority": _PRIORITY[tone], **times, "sequence": 1, "attempts": 0, "delivered_at": None}


def _changed(new: Any) -> Values:
    # A row that still waits keeps its place in the queue, and the patience that Discord's refusals have taught it.
    return {
        "priority": case((and_(IS_WAITING, _row.priority < new.priority), _row.priority), else_=new.priority),
        "sequence": _row.sequence + 1,
        "since": case((IS_WAITING, _row.since), else_=new.since),
        "due_at": case((IS_WAITING, _row.due_at), else_=new.since),
        "attempts": case((IS_WAITING, _row.attempts), else_=0),
        "changed_at": new.since,
        "delivered_at": None,
    }


@cache
def _showing(dialect: str) -> Insert:
    if dialect == "sqlite":
        row = sqlite_insert(outbox)
        return row.on_conflict_do_update(index_elements=[_row.ticket], index_where=IS_CARD, set_=_changed(row.excluded))
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # noqa: PLC0415 - nobody else should have to load it

    new = postgresql_insert(outbox)
    return new.on_conflict_do_update(index_elements=[_row.ticket], index_where=IS_CARD, set_=_changed(new.excluded))


_TELL = insert(outbox)
_IS_DUE = and_(IS_WAITING, _row.due_at <= bindparam("now"))
_ORDER = (_row.priority, _row.since, _row.id)
_DUE = select(outbox).where(_IS_DUE).order_by(*_ORDER).limit(bindparam("most"))
_NEXT = select(_row.due_at).where(IS_WAITING).order_by(_row.due_at).limit(1)
# A hundred notices for one channel stand in the way of no other's.
_place = case((IS_CARD, _row.ticket), else_=cast(_row.channel, Text))
_places = (
    select(_row.id, func.row_number().over(partition_by=(_row.kind, _place), order_by=_ORDER).label("turn"))
    .where(_IS_DUE)
    .subquery()
)
_FOREMOST = (
    select(outbox).join(_places, _row.id == _places.c.id).where(_places.c.turn == 1).order_by(*_ORDER).limit(bindparam("most"))
)
_AS_SHOWN = _row.sequence == bindparam("shown")
_DELIVERED = (
    update(outbox)
    .where(_row.id == bindparam("row"))
    .values(
        delivered_at=case((_AS_SHOWN, bindparam("now", type_=_row.delivered_at.type)), else_=_row.delivered_at),
        # Of several changes that came meanwhile the last one's time is known; they lie within one delivery of each other.
        since=case((_AS_SHOWN, _row.since), else_=_row.changed_at),
        due_at=case((_AS_SHOWN, _row.due_at), else_=_row.changed_at),
        attempts=case((_AS_SHOWN, _row.attempts), else_=0),
    )
)
_POSTPONE = (
    update(outbox).where(_row.id == bindparam("row"), IS_WAITING).values(attempts=_row.attempts + 1, due_at=bindparam("until"))
)
