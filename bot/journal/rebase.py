"""The leftovers of a run before, put into the time of this one: tickets that may still change, and news that wait."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, bindparam, or_, select, update

from bot.journal.codec import ticket_values, tickets_of
from bot.journal.schema import IS_WAITING, outbox, tickets
from bot.trading.orders.tickets import Ticket, shifted

_row, _news = tickets.c, outbox.c
_PUT = update(tickets).where(_row.id == bindparam("key"))
_WAITING = select(_news.id, _news.since, _news.changed_at, _news.due_at).where(IS_WAITING)
_MOVE = update(outbox).where(_news.id == bindparam("row"))
NOTHING = timedelta(0)


def rebase(connection: Connection, unsettled: ColumnElement[bool], by: timedelta, now: datetime) -> None:
    """Move moments that a run before has stamped.

    Args:
        connection: in a transaction.
        unsettled: which tickets may still change.
        by: how far the host's clock was set during that run.
        now: no moment that has been may lie behind it, as nothing that waits for such a moment would come in time.
    """
    ahead = or_(_row.created_at > now, _row.sent_at > now, _row.ended_at > now)
    for ticket in tickets_of(connection.execute(_which(unsettled, ahead, by))):
        moved = shifted(ticket, by)
        moved = shifted(moved, min(now - _latest(moved), NOTHING))
        if moved is not ticket:
            connection.execute(_PUT, {**ticket_values(moved), "key": ticket.id})
    for row in connection.execute(_WAITING).all():
        times = {name: min(getattr(row, name) + by, now) for name in ("since", "changed_at", "due_at")}
        connection.execute(_MOVE, {**times, "row": row.id})


def _which(unsettled: ColumnElement[bool], ahead: ColumnElement[bool], by: timedelta) -> Select[tuple[object, ...]]:
    return select(tickets).where(or_(unsettled, ahead) if by else ahead)


def _latest(ticket: Ticket) -> datetime:
    """The last moment that has been; when an offer expires lies ahead."""
    been = (ticket.created_at, ticket.sent_at, ticket.ended_at, ticket.last_sent_at, ticket.absent_since)
    return max(at for at in been if at is not None)
