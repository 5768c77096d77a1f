"""An interaction's token: for 15 minutes whoever has it may answer, whichever session of Discord the question came by."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import discord

NOBODY = discord.AllowedMentions.none()


class _Original(int):
    """A word that Discord takes in place of the id of the message that answers an interaction.

    Its id isn't known where Discord's answer was lost, and discord.py writes ids into addresses as they are, but quotes words.
    """

    def __format__(self, _spec: str) -> str:
        return "@original"


_ORIGINAL = _Original()


class Answered(Protocol):
    """The part of an interaction that is kept."""

    @property
    def application_id(self) -> int:
        """The application that answers."""

    @property
    def token(self) -> str:
        """The token that allows to answer, and to change the answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """Answers by any client; each call raises ``discord.DiscordException`` where Discord didn't take it."""

    application: int
    token: str = field(repr=False)

    @classmethod
    def of(cls, interaction: Answered) -> "Token":
        """The token of an interaction."""
        return cls(interaction.application_id, interaction.token)

    async def edit(self, client: discord.Client, **fields: Any) -> None:
        """Change the first answer; "thinking" is one."""
        await self._webhook(client).edit_message(_ORIGINAL, allowed_mentions=NOBODY, **fields)

    async def send(self, client: discord.Client, text: str) -> None:
        """Answer once more, for the person alone."""
        await self._webhook(client).send(text, ephemeral=True, allowed_mentions=NOBODY)

    def _webhook(self, client: discord.Client) -> discord.Webhook:
        webhook = discord.Webhook.partial(self.application, self.token, client=client)
        # The only kind that may answer one person alone.
        webhook.type = discord.WebhookType.application
        return webhook
