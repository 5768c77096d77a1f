"""Decisions that a version makes inside; the names are its own, and what they answer is compared."""

from bot.desk.tracking.follow import _is_overdue
from bot.desk.tracking.interrupted import _may_be_placed
from bot.trading.orders.tickets import Ticket
from bot.trading.reconciliation.resolving import is_word


def is_overdue(ticket: Ticket) -> bool:
    """Tell whether people were told already that what was asked takes too long."""
    return _is_overdue(ticket)


def may_be_placed(ticket: Ticket) -> bool:
    """Tell whether the new order of a verified reversal may have left."""
    return _may_be_placed(ticket)


__all__ = ["is_overdue", "is_word", "may_be_placed"]
