"""Fills that were read at CrossTrade, and the time in which all of them were."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "fills",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "at", "id", name="pk_fills"),
    )
    op.create_table(
        "fill_spans",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "since", name="pk_fill_spans"),
    )
