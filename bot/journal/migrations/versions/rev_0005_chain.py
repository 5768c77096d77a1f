"""The log as a hash chain: a digest for each line, those that are there included, and its head beside it."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

START = "0" * 64
_SQLITE = """
CREATE TRIGGER events_no_UPDATE BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events is append-only'); END
"""
_events = sa.table(
    "events",
    sa.column("seq", sa.BigInteger),
    sa.column("at", sa.BigInteger),
    sa.column("name", sa.Text),
    sa.column("ticket", sa.Text),
    sa.column("actor", sa.BigInteger),
    sa.column("data", sa.Text),
    sa.column("digest", sa.Text),
)


def upgrade() -> None:
    """Add the digest and the head, and chain what is there; its numbers may have gaps, so they are counted anew."""
    op.add_column("events", sa.Column("digest", sa.Text, nullable=False, server_default=sa.text("''")))
    on_server = op.get_bind().dialect.name == "postgresql"
    if on_server:
        op.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
    else:
        op.execute("DROP TRIGGER events_no_UPDATE")
    seq, digest = _chain()
    if on_server:
        op.execute("ALTER TABLE events ENABLE TRIGGER events_append_only")
    else:
        op.execute(_SQLITE)
    head = op.create_table(
        "chain_head",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": seq, "digest": digest}])


def _chain() -> tuple[int, str]:
    """Number and link the lines; as the digest is fixed for ever, it is spelled out here."""
    bind, seq, digest = op.get_bind(), 0, START
    for row in bind.execute(sa.select(_events).order_by(_events.c.seq)).all():
        seq += 1
        written = json.dumps([digest, seq, row.at, row.name, row.ticket, row.actor, row.data], separators=(",", ":"))
        digest = hashlib.sha256(written.encode()).hexdigest()
        bind.execute(_events.update().where(_events.c.seq == row.seq).values(seq=seq, digest=digest))
    return seq, digest
