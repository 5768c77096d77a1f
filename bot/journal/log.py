"""The append-only log: writing its lines as a chain, and reading it whole. What a digest is made of is in ``chain``."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import BigInteger, Connection, bindparam, insert, select, type_coerce, update

from bot.desk.ports import Event, EventName
from bot.journal.chain import Head, LogLine, linked
from bot.journal.codec import event_data, events_of
from bot.journal.schema import EPOCH, MICROSECOND, chain_head, events, stored_words

# How many lines are in memory at once while the log is read whole.
_AT_ONCE = 1000
# The numbers that a line may bear, a forged one included.
_LEAST, _MOST = -(2**63), 2**63 - 1
# No moment and nobody's id.
_NEVER = _LEAST

_APPEND = insert(events)
_HEAD = select(chain_head.c.seq, chain_head.c.digest)
_KEEP = update(chain_head)
# As the database holds them: a time that a forger has put there may be none.
_RAW = (
    events.c.seq,
    type_coerce(events.c.at, BigInteger),
    *(events.c[name] for name in ("name", "ticket", "actor", "data", "digest")),
)
_SOME = select(*_RAW).where(events.c.seq >= bindparam("first")).order_by(events.c.seq).limit(_AT_ONCE)


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


def only_head(connection: Connection) -> Head | None:
    """The last line, or ``None`` where somebody has left no head, several, or something else in its place."""
    found = connection.execute(_HEAD).all()
    match [tuple(row) for row in found]:
        case [(int(seq), str(digest))]:
            return Head(seq, digest)
    return None


def last(connection: Connection, names: Collection[EventName]) -> Event | None:
    """The newest event of one of these names; looked for from the end, where it is soon found."""
    newest = select(events).where(events.c.name.in_(sorted(names))).order_by(events.c.seq.desc()).limit(1)
    return next(iter(events_of(connection.execute(newest))), None)


def lines(connection: Connection) -> Iterator[LogLine]:
    """The whole log, oldest first, whatever anybody may have made of it."""
    first = _LEAST
    while rows := connection.execute(_SOME, {"first": first}).all():
        for row in rows:
            yield _line(*row)
        if (last := rows[-1][0]) == _MOST:
            return
        first = last + 1


def _line(seq: int, at: object, name: object, ticket: object, actor: object, data: object, digest: object) -> LogLine:
    """A line; what is no number or no text, which SQLite lets in, becomes something that was never written."""
    return LogLine(
        seq=seq,
        at=at if isinstance(at, int) else _NEVER,
        name=_text(name),
        ticket=None if ticket is None else _text(ticket),
        actor=actor if actor is None or isinstance(actor, int) else _NEVER,
        data=_text(data),
        digest=_text(digest),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"not a text: {value!r}"
