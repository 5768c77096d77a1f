"""Tickets as they were last read or written here, so that a row which hasn't changed since need not be read whole again.

The database is asked every time and has the last word: it says which version stands, and only that version is taken from here.
"""

from dataclasses import replace

from bot.trading.orders.tickets import Ticket

ROOM = 2000


class TicketCache:
    """The tickets last used; when the room is used up, the one that was put there first goes."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._tickets: dict[str, Ticket] = {}

    def find(self, ticket_id: str, version: int, message: int | None) -> Ticket | None:
        """The ticket just as the database has it, or nothing."""
        ticket = self._tickets.get(ticket_id)
        return ticket if ticket is not None and (ticket.version, ticket.message) == (version, message) else None

    def put(self, ticket: Ticket) -> None:
        """Keep a ticket that is in the database as it is here."""
        self._tickets[ticket.id] = ticket
        if len(self._tickets) > self._room:
            del self._tickets[next(iter(self._tickets))]

    def clear(self) -> None:
        """Let go of all: rows were changed that keep their version."""
        self._tickets.clear()

    def posted(self, ticket_id: str, message: int) -> None:
        """Note which message shows a ticket."""
        if (ticket := self._tickets.get(ticket_id)) is not None:
            self._tickets[ticket_id] = replace(ticket, message=message)
