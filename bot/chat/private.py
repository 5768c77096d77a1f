"""Cards that only their requester sees. Discord lets such a message be changed only by an interaction's token, for 15 minutes."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import discord

from bot.chat.tokens import Answered, Token

MOST = 200


@dataclass(frozen=True, slots=True)
class PrivateCard:
    """The token of the newest interaction on a card; whoever has it may change the card, by whichever client.

    Attributes:
        since: when it was given out, in seconds of a count that nothing sets back.
    """

    token: Token
    since: float

    async def redraw(self, client: discord.Client, view: discord.ui.LayoutView) -> None:
        """Draw the card anew.

        Raises:
            discord.DiscordException: Discord didn't take it.
        """
        await self.token.edit(client, view=view)


class PrivateCards:
    """The private cards that can be changed, in memory only; a restart or time loses them, and then news go elsewhere.

    Args:
        clock: seconds of a count that nothing sets back.
        lives: seconds that a card can be changed.
        most: cards at most.
    """

    def __init__(self, clock: Callable[[], float], lives: float, most: int = MOST) -> None:
        self._clock = clock
        self._lives = lives
        self._most = most
        self._kept: OrderedDict[str, PrivateCard] = OrderedDict()

    def keep(self, ticket_id: str, interaction: Answered) -> None:
        """Remember the interaction whose answer is the card; the oldest is dropped when there are too many."""
        self._kept[ticket_id] = PrivateCard(Token.of(interaction), self._clock())
        self._kept.move_to_end(ticket_id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def renew(self, ticket_id: str, interaction: Answered) -> None:
        """Go on with a newer interaction on the same card, whose token lives longer."""
        if ticket_id in self._kept:
            self.keep(ticket_id, interaction)

    def find(self, ticket_id: str) -> PrivateCard | None:
        """The card, as long as it can be changed."""
        kept = self._kept.get(ticket_id)
        if kept is None:
            return None
        if self._clock() - kept.since >= self._lives:
            self.drop(ticket_id)
            return None
        return kept

    def drop(self, ticket_id: str) -> None:
        """Forget a card that is over."""
        self._kept.pop(ticket_id, None)
