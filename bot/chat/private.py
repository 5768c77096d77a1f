"""Cards that only their requester sees. Discord lets such a message be changed only by an interaction's token, for 15 minutes."""

from collections import OrderedDict
from typing import Any

import discord

MOST = 200


class PrivateCards:
    """The newest interaction of each private card, in memory only; a restart or time loses them, and then news go elsewhere."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, discord.Interaction[Any]] = OrderedDict()

    def keep(self, ticket_id: str, interaction: discord.Interaction[Any]) -> None:
        """Remember the interaction whose answer is the card; the oldest is dropped when there are too many."""
        self._kept[ticket_id] = interaction
        self._kept.move_to_end(ticket_id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def renew(self, ticket_id: str, interaction: discord.Interaction[Any]) -> None:
        """Go on with a newer interaction on the same card, whose token lives longer."""
        if ticket_id in self._kept:
            self.keep(ticket_id, interaction)

    def find(self, ticket_id: str) -> discord.Interaction[Any] | None:
        """The interaction by which the card can still be changed, if there is one."""
        interaction = self._kept.get(ticket_id)
        if interaction is not None and interaction.is_expired():
            self.drop(ticket_id)
            return None
        return interaction

    def drop(self, ticket_id: str) -> None:
        """Forget a card that is over."""
        self._kept.pop(ticket_id, None)
