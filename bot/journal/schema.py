"""The tables, and how times and foreign words are kept in them.

Which statements are run on them is in ``bot.journal.store`` and ``bot.journal.outbox``; how a database comes to have them
is in ``bot.journal.migrations``, and a test compares the two.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    literal_column,
    text,
)
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CARD, NOTICE = "card", "notice"


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as whole microseconds since 1970 UTC: exact, sortable, and alike in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """To the database; a naive time is a fault and raises ``TypeError``."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """Back to UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Words(TypeDecorator[str]):
    """Text of strangers: what no database can hold (NUL, half a surrogate pair) must not cost the record of an order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """To the database."""
        return stored_words(value)


def stored_words(text: str | None) -> str | None:
    """A text as it comes back from a column of ``Words``: such characters become ``?``."""
    return None if text is None else text.replace("\0", "?").encode(errors="replace").decode()


# SQLite counts by itself only in a column that is plainly called INTEGER.
Counter = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# One row a ticket. What is asked for by a question of the desk has a column of its own; intent and shown are JSON.
tickets = Table(
    "tickets",
    metadata,
    Column("id", Words, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("account", Words, nullable=False),
    Column("contract", Words, nullable=False),
    Column("intent", Text, nullable=False),
    Column("requester", BigInteger, nullable=False),
    Column("requester_name", Words, nullable=False),
    Column("requester_roles", Text, nullable=False),
    Column("guild", BigInteger, nullable=False),
    Column("channel", BigInteger, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("message", BigInteger),
    Column("message_channel", BigInteger),
    Column("confirmed_at", Moment),
    Column("approvals", Text, nullable=False),
    Column("sent_at", Moment),
    Column("ended_at", Moment),
    Column("ended_by", Words),
    Column("outcome", Words),
    Column("order_ids", Text, nullable=False),
    Column("order_state", Text),
    Column("filled", BigInteger, nullable=False),
    Column("average_fill_price", Text),
    Column("orders_before", Text, nullable=False),
    Column("absent_since", Moment),
    Column("progress", Text),
    Column("order_terms", Text),
    Column("retired_at", Moment),
    Column("protection", Text),
    Column("guarded", Boolean),
    Column("told", Text),
    Column("ended_by_id", BigInteger),
)
Index("ix_tickets_state_order_state", tickets.c.state, tickets.c.order_state)
Index("ix_tickets_guarded", tickets.c.guarded)
Index("ix_tickets_sent_at", tickets.c.sent_at)

# Append-only; the migration adds triggers that refuse anything else. No foreign key: a log must never refuse a fact.
events = Table(
    "events",
    metadata,
    Column("seq", Counter, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("name", Text, nullable=False),
    Column("ticket", Words),
    Column("actor", BigInteger),
    Column("data", Text, nullable=False),
    # Of the line and of the one before it: bot.journal.chain.
    Column("digest", Text, nullable=False, server_default=text("''")),
    sqlite_autoincrement=True,
)
Index("ix_events_ticket_seq", events.c.ticket, events.c.seq)

# One row: the last line of the log, so that lines that were cut off are missed.
chain_head = Table(
    "chain_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)

# What is not active: the desk ("*", "*"), an account ("Sim101", "*") or an instrument's root in every account ("*", "ES").
switches = Table(
    "switches",
    metadata,
    Column("account", Words, nullable=False),
    Column("root", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", BigInteger),
    Column("actor_name", Words, nullable=False),
    Column("why", Words, nullable=False),
    PrimaryKeyConstraint("account", "root"),
)

# One row: which process leads, in which term, and when it was last heard of by the server's clock (microseconds since 1970).
leader = Table(
    "leader",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
)

# A ticket has at most one card row, which every change of it makes due again; a notice has a row of its own.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("ticket", Words, ForeignKey("tickets.id")),
    Column("channel", BigInteger),
    Column("text", Words),
    Column("silent", Boolean),
    Column("tone", Text),
    Column("priority", SmallInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", Moment),
    sqlite_autoincrement=True,
)
# Written out, as PostgreSQL can tell only then which index is meant.
IS_CARD = outbox.c.kind == literal_column(f"'{CARD}'")
IS_WAITING = outbox.c.delivered_at.is_(None)
# They cover the same rows on PostgreSQL, as the migration has it; to say so here would load that dialect at every start.
Index("ix_outbox_card", outbox.c.ticket, unique=True, sqlite_where=IS_CARD)
Index("ix_outbox_due", outbox.c.priority, outbox.c.since, outbox.c.id, sqlite_where=IS_WAITING)

# Fills that were read at CrossTrade, which forgets them after 15 minutes. An id is one account's, and may come again another day.
fills = Table(
    "fills",
    metadata,
    Column("account", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("id", Words, nullable=False),
    Column("order_id", Words),
    Column("contract", Words, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("price", Text, nullable=False),
    PrimaryKeyConstraint("account", "at", "id"),
)

# When an account's fills were all read, so that "none" can be told from "nobody looked".
fill_spans = Table(
    "fill_spans",
    metadata,
    Column("account", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    PrimaryKeyConstraint("account", "since"),
)
