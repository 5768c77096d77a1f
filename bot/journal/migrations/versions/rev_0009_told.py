"""What kind of thing the outcome of a ticket tells, and which call placed the new order of a reversal, as fields.

Before this they were read from the sentences themselves. That is done here once more, and nowhere else.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_EVIDENCE = frozenset(
    {
        "The answer was lost; the order was found in NinjaTrader.",
        "The answer was lost; the position shows that it was closed.",
    }
)
_WORD = "resolved by "
# What is seen in an order or a position that was there before; of what places an order nothing was ever told to be overdue.
_ABOUT_WHAT_IS_THERE = frozenset({"close", "cancel", "modify", "bracket"})
_tickets = sa.table(
    "tickets",
    sa.column("id", sa.Text),
    sa.column("state", sa.Text),
    sa.column("intent", sa.Text),
    sa.column("ended_by", sa.Text),
    sa.column("outcome", sa.Text),
    sa.column("progress", sa.Text),
    sa.column("told", sa.Text),
)


def upgrade() -> None:
    """Add the column, and fill it and the calls from the sentences of before."""
    op.add_column("tickets", sa.Column("told", sa.Text))
    bind = op.get_bind()
    rows = bind.execute(sa.select(_tickets).where(sa.or_(_tickets.c.outcome.is_not(None), _tickets.c.progress.is_not(None))))
    for row in rows.all():
        intent = json.loads(row.intent)
        changes = {"told": _told(row, intent["kind"]), "progress": _with_entry(row.progress, intent)}
        if (row.told, row.progress) != (changes["told"], changes["progress"]):
            bind.execute(_tickets.update().where(_tickets.c.id == row.id).values(changes))


def _told(row: Any, kind: str) -> str | None:
    if row.outcome is None:
        return None
    if row.ended_by is not None and row.outcome.startswith(_WORD):
        return "word"
    if row.state != "accepted":
        return None
    if row.outcome in _EVIDENCE:
        return "evidence"
    return "overdue" if kind in _ABOUT_WHAT_IS_THERE else None


def _with_entry(progress: str | None, intent: dict[str, Any]) -> str | None:
    """The calls of a verified reversal, with which of them placed its new order."""
    if progress is None or intent["kind"] != "reverse verified":
        return progress
    data = json.loads(progress)
    entry = f"place {intent['side']} {intent['quantity']}"
    for leg in data["legs"]:
        # Rows of long before have fewer flags.
        leg.extend([*[False] * (6 - len(leg)), leg[0] == entry])
    return json.dumps(data, separators=(",", ":"))
