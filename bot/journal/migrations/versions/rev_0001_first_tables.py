"""The first tables: tickets, events, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IS_CARD = sa.text("kind = 'card'")
IS_WAITING = sa.text("delivered_at IS NULL")

_SQLITE = """
CREATE TRIGGER events_no_{word} BEFORE {word} ON events
BEGIN SELECT RAISE(ABORT, 'events is append-only'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRESQL = """
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()
"""


def upgrade() -> None:
    """Make them."""
    _tickets()
    _events()
    _outbox()


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("requester", sa.BigInteger, nullable=False),
        sa.Column("requester_name", sa.Text, nullable=False),
        sa.Column("requester_roles", sa.Text, nullable=False),
        sa.Column("guild", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.BigInteger, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("message", sa.BigInteger),
        sa.Column("message_channel", sa.BigInteger),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("approvals", sa.Text, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("order_ids", sa.Text, nullable=False),
        sa.Column("order_state", sa.Text),
        sa.Column("filled", sa.BigInteger, nullable=False),
        sa.Column("average_fill_price", sa.Text),
        sa.Column("orders_before", sa.Text, nullable=False),
        sa.Column("absent_since", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
    )
    op.create_index("ix_tickets_state_order_state", "tickets", ["state", "order_state"])
    op.create_index("ix_tickets_sent_at", "tickets", ["sent_at"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", COUNTER, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("ticket", sa.Text),
        sa.Column("actor", sa.BigInteger),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_ticket_seq", "events", ["ticket", "seq"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL_FUNCTION)
        op.execute(_POSTGRESQL)
    else:
        op.execute(_SQLITE.format(word="UPDATE"))
        op.execute(_SQLITE.format(word="DELETE"))


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ticket", sa.Text),
        sa.Column("channel", sa.BigInteger),
        sa.Column("text", sa.Text),
        sa.Column("silent", sa.Boolean),
        sa.Column("tone", sa.Text),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name="fk_outbox_ticket"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_card", "outbox", ["ticket"], unique=True, sqlite_where=IS_CARD, postgresql_where=IS_CARD)
    op.create_index("ix_outbox_due", "outbox", ["priority", "since", "id"], sqlite_where=IS_WAITING, postgresql_where=IS_WAITING)
