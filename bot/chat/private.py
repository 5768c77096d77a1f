"""Cards that only their requester sees. Discord lets such a message be changed only by an interaction's token, for 15 minutes."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import discord

MOST = 200


@dataclass(frozen=True, slots=True)
class _Kept:
    interaction: discord.Interaction[Any]
    since: float


class PrivateCards:
    """The newest interaction of each private card, in memory only; a restart or time loses them, and then news go elsewhere.

    Args:
        clock: seconds of a count that nothing sets back.
        lives: seconds that a card can be changed.
        most: cards at most.
    """

    def __init__(self, clock: Callable[[], float], lives: float, most: int = MOST) -> None:
        self._clock = clock
        self._lives = lives
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, ticket_id: str, interaction: discord.Interaction[Any]) -> None:
        """Remember the interaction whose answer is the card; the oldest is dropped when there are too many."""
        self._kept[ticket_id] = _Kept(interaction, self._clock())
        self._kept.move_to_end(ticket_id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def renew(self, ticket_id: str, interaction: discord.Interaction[Any]) -> None:
        """Go on with a newer interaction on the same card, whose token lives longer."""
        if ticket_id in self._kept:
            self.keep(ticket_id, interaction)

    def find(self, ticket_id: str) -> discord.Interaction[Any] | None:
        """The interaction by which the card can still be changed, if there is one."""
        kept = self._kept.get(ticket_id)
        if kept is None:
            return None
        if self._clock() - kept.since >= self._lives:
            self.drop(ticket_id)
            return None
        return kept.interaction

    def drop(self, ticket_id: str) -> None:
        """Forget a card that is over."""
        self._kept.pop(ticket_id, None)
