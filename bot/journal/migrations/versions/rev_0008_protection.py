"""Of a ticket, also its stops and targets, and whether they are followed. Tickets of before have none that are."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the two columns, and the index by which the followed ones are found."""
    op.add_column("tickets", sa.Column("protection", sa.Text))
    op.add_column("tickets", sa.Column("guarded", sa.Boolean))
    op.create_index("ix_tickets_guarded", "tickets", ["guarded"])
