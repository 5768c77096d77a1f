"""The statements about fills that were read at CrossTrade: each is kept once, with the time in which all of them were read."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Insert, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.desk.ports import KeptFills
from bot.journal.codec import fill_values, fills_of
from bot.journal.schema import fill_spans, fills
from bot.trading.facts import Execution
from bot.trading.spans import Span

_fill, _span = fills.c, fill_spans.c
_LATEST = select(fill_spans).where(_span.account == bindparam("of")).order_by(_span.since.desc()).limit(1)
_BEGIN = insert(fill_spans)
_EXTEND = (
    update(fill_spans)
    .where(_span.account == bindparam("of"), _span.since == bindparam("began"))
    .values(until=bindparam("reaches", type_=_span.until.type))
)
_KEPT = select(fills).where(_fill.account == bindparam("of"), _fill.at >= bindparam("moment")).order_by(_fill.at, _fill.id)
_KEPT_OF = _KEPT.where(_fill.order_id.in_(bindparam("orders", expanding=True)))
_COVERED = select(fill_spans).where(_span.account == bindparam("of"), _span.until > bindparam("moment")).order_by(_span.since)


def keep(connection: Connection, account: str, read: Sequence[Execution], covered: Span) -> None:
    """Keep what isn't kept yet; a span that meets the last one makes it longer."""
    if read:
        connection.execute(_keeping(connection.dialect.name), [fill_values(account, fill) for fill in read])
    last = connection.execute(_LATEST, {"of": account}).one_or_none()
    if last is None or last.until < covered.start:
        connection.execute(_BEGIN, {"account": account, "since": covered.start, "until": covered.end})
    elif last.until < covered.end:
        connection.execute(_EXTEND, {"of": account, "began": last.since, "reaches": covered.end})


def kept(connection: Connection, account: str, since: datetime, orders: Collection[str] | None) -> KeptFills:
    """What is kept of an account since a moment, perhaps of some orders only."""
    whose = {} if orders is None else {"orders": list(orders)}
    found = fills_of(connection.execute(_KEPT if orders is None else _KEPT_OF, {"of": account, "moment": since, **whose}))
    spans = connection.execute(_COVERED, {"of": account, "moment": since})
    return KeptFills(tuple(found), tuple(Span(row.since, row.until) for row in spans))


@cache
def _keeping(dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite_insert(fills).on_conflict_do_nothing()
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # noqa: PLC0415 - nobody else should have to load it

    return postgresql_insert(fills).on_conflict_do_nothing()
