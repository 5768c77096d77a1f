"""The kill switch: what is halted or reducing, since when, by whom and why."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "switches",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.BigInteger),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "root", name="pk_switches"),
    )
