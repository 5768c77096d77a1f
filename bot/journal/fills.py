"""The statements about fills that were read at CrossTrade: each is kept once, with the time in which all of them were read."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Insert, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.journal.codec import fill_values, fills_of
from bot.journal.schema import fill_spans, fills
from bot.trading.market.facts import Execution
from bot.trading.market.spans import Span

_fill, _span = fills.c, fill_spans.c
_LATEST = select(fill_spans).where(_span.account == bindparam("of")).order_by(_span.since.desc()).limit(1)
_FORGET = delete(fill_spans).where(_span.account == bindparam("of"), _span.until > bindparam("beyond"))
_BEGIN = insert(fill_spans)
_EXTEND = (
    update(fill_spans)
    .where(_span.account == bindparam("of"), _span.since == bindparam("began"))
    .values(until=bindparam("reaches", type_=_span.until.type))
)
# More of them would hold up for some hundredths of a second whoever waits for the loop.
PAGE = 500
_KEPT = (
    select(fills)
    .where(
        _fill.account == bindparam("of"),
        _fill.at >= bindparam("moment"),
        or_(_fill.at > bindparam("moment"), _fill.id > bindparam("behind")),
    )
    .order_by(_fill.at, _fill.id)
    .limit(PAGE)
)
_KEPT_OF = _KEPT.where(_fill.order_id.in_(bindparam("orders", expanding=True)))
_COVERED = select(fill_spans).where(_span.account == bindparam("of"), _span.until > bindparam("moment")).order_by(_span.since)


def keep(connection: Connection, account: str, read: Sequence[Execution], span: Span) -> None:
    """Keep what isn't kept yet; a span that meets the last one makes it longer.

    One that lies far ahead was stamped by a wrong clock: nobody has read there yet.
    """
    # Of two readings side by side the later one may be kept first.
    connection.execute(_FORGET, {"of": account, "beyond": span.end + (span.end - span.start)})
    if read:
        connection.execute(_keeping(connection.dialect.name), [fill_values(account, fill) for fill in read])
    last = connection.execute(_LATEST, {"of": account}).one_or_none()
    if last is None or last.until < span.start:
        connection.execute(_BEGIN, {"account": account, "since": span.start, "until": span.end})
    elif last.until < span.end:
        connection.execute(_EXTEND, {"of": account, "began": last.since, "reaches": span.end})


def page(connection: Connection, account: str, since: datetime, behind: str, orders: Collection[str] | None) -> list[Execution]:
    """The next fills that are kept of an account, perhaps of some orders only; fewer than ``PAGE`` are the last ones.

    Args:
        connection: to the database.
        account: whose.
        since: a moment.
        behind: of that very moment only those whose ids come behind this one.
        orders: whose fills; ``None`` for all.
    """
    whose = {} if orders is None else {"orders": list(orders)}
    values = {"of": account, "moment": since, "behind": behind, **whose}
    return fills_of(connection.execute(_KEPT if orders is None else _KEPT_OF, values))


def covered(connection: Connection, account: str, since: datetime) -> tuple[Span, ...]:
    """The spans since a moment in which all fills of an account were read."""
    return tuple(Span(row.since, row.until) for row in connection.execute(_COVERED, {"of": account, "moment": since}))


@cache
def _keeping(dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite_insert(fills).on_conflict_do_nothing()
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # noqa: PLC0415 - nobody else should have to load it

    return postgresql_insert(fills).on_conflict_do_nothing()
