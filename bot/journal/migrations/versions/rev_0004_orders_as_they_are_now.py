"""Of a ticket, also its order's terms where they were changed since, and since when its card offers nothing any more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the two columns."""
    op.add_column("tickets", sa.Column("order_terms", sa.Text))
    op.add_column("tickets", sa.Column("retired_at", sa.BigInteger))
