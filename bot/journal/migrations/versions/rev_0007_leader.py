"""Which process leads, of several on one PostgreSQL database."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table; its one row comes with the first leader."""
    op.create_table(
        "leader",
        sa.Column("id", sa.SmallInteger, nullable=False, autoincrement=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leader"),
    )
