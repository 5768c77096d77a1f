"""Room for how far a ticket of several calls has come."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("tickets", sa.Column("progress", sa.Text))
