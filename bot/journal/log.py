"""The append-only log: writing its lines as a chain, and reading it whole. What a digest is made of is in ``chain``."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.desk.ports import Event, EventName
from bot.journal.chain import Head, Line, linked
from bot.journal.codec import event_data, events_of
from bot.journal.schema import EPOCH, MICROSECOND, chain_head, events, stored_words

# How many lines are in memory at once while the log is read whole.
_AT_ONCE = 1000
# Below every number that a line may bear, a forged one included.
_LEAST = -(2**63)

_APPEND = insert(events)
_HEAD = select(chain_head.c.seq, chain_head.c.digest)
_KEEP = update(chain_head)
_SOME = select(events).where(events.c.seq > bindparam("last")).order_by(events.c.seq).limit(_AT_ONCE)


def append(connection: Connection, happened: Sequence[Event]) -> None:
    """Write lines behind the last one. There is one writer, which holds the journal's lock, so nobody comes between."""
    if not happened:
        return
    last, rows = head(connection), []
    for event in happened:
        at = (event.at - EPOCH) // MICROSECOND
        line = linked(last, at, event.name, stored_words(event.ticket), event.actor, event_data(event))
        rows.append(
            {
                "seq": line.seq,
                "at": event.at,
                "name": line.name,
                "ticket": line.ticket,
                "actor": line.actor,
                "data": line.data,
                "digest": line.digest,
            }
        )
        last = Head(line.seq, line.digest)
    connection.execute(_APPEND, rows)
    connection.execute(_KEEP, {"seq": last.seq, "digest": last.digest})


def head(connection: Connection) -> Head:
    """The last line."""
    return Head(*connection.execute(_HEAD).one())


def last(connection: Connection, names: Collection[EventName]) -> Event | None:
    """The newest event of one of these names; looked for from the end, where it is soon found."""
    newest = select(events).where(events.c.name.in_(sorted(names))).order_by(events.c.seq.desc()).limit(1)
    return next(iter(events_of(connection.execute(newest))), None)


def lines(connection: Connection) -> Iterator[Line]:
    """The whole log, oldest first."""
    last = _LEAST
    while rows := connection.execute(_SOME, {"last": last}).all():
        for row in rows:
            at = (row.at - EPOCH) // MICROSECOND
            yield Line(row.seq, at, row.name, row.ticket, row.actor, row.data, row.digest)
        last = rows[-1].seq
