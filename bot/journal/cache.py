"""Tickets as they were last read or written here, so that a row which hasn't changed since need not be read whole again.

The database is asked every time and has the last word: it says which version stands, and only that version is taken from here;
or that nobody has committed anything since a question was answered, which is then answered alike.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import TypeVar, cast

from bot.journal.links import JournalLink, Stamp
from bot.trading.orders.tickets import Ticket

ROOM = 2000
Answer = TypeVar("Answer")


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


class StandingAnswers:
    """Answers of the database that stand until somebody commits something.

    Args:
        reads: by which they are asked; one that doesn't tell whether anybody has committed anything is asked each time.
    """

    def __init__(self, reads: JournalLink) -> None:
        self._reads = reads
        self._stamp: Stamp | None = None
        self._answers: dict[Hashable, object] = {}

    async def found(self, question: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a question, read now unless it is known to stand."""
        if (stamp := self._reads.stamp()) != self._stamp:
            self._stamp = stamp
            self._answers.clear()
        if stamp is not None and question in self._answers:
            return cast("Answer", self._answers[question])
        return await self.anew(question, read)

    async def anew(self, question: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """The same, read now."""
        stamp = self._reads.stamp()
        answer = await read()
        # Of before the reading: what was committed meanwhile makes the next one's another one.
        if stamp is not None and stamp == self._stamp:
            self._answers[question] = answer
        return answer
