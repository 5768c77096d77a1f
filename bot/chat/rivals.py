"""Another program on the same Discord token: both are given every interaction, and Discord takes the faster one's answer.

The slower one is told that its answer comes too late. Here that is counted; what follows from it is the desk's business.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import discord

from bot.chat.translate import translated

ALREADY_ACKNOWLEDGED = 40060
UNKNOWN_INTERACTION = 10062
# An interaction that is older is unknown to Discord because nobody has answered it in time.
DISCORD_WAITS = 3.0
WINDOW = 60.0
# Where an interaction keeps when it came, and that Discord takes no answer to it: discord.py leaves room for what is ours.
CAME, OVER = "came", "over"


class Rivals:
    """The interactions of the last minute that somebody else was faster to answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[int, float] = {}

    def refused(self, interaction: int, code: int, came: float) -> None:
        """Discord refused an answer.

        Args:
            interaction: whose answer; one that is tried again counts once.
            code: Discord's own.
            came: when the interaction came, in seconds of the clock.
        """
        age = self._clock() - came
        if code == ALREADY_ACKNOWLEDGED or (code == UNKNOWN_INTERACTION and age < DISCORD_WAITS):
            self._seen.setdefault(interaction, self._clock())

    def count(self) -> int:
        """Number of these interactions."""
        now = self._clock()
        self._seen = {one: at for one, at in self._seen.items() if now - at <= WINDOW}
        return len(self._seen)


@contextmanager
def first_answer(interaction: discord.Interaction[Any], what: str, *, again: bool = False) -> Iterator[None]:
    """Run the call that answers an interaction first.

    Args:
        interaction: the one that is answered.
        what: as ``translated`` has it.
        again: one was lost on its way, which Discord may have: then it is the faster one.

    Raises:
        DeliveryError: see ``translated``.
    """
    with translated(what):
        try:
            yield
        except discord.HTTPException as error:
            is_ours = again and error.code == ALREADY_ACKNOWLEDGED
            if error.code in (ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION) and not is_ours:
                interaction.client.messenger.rivals.refused(interaction.id, error.code, interaction.extras[CAME])
                interaction.extras[OVER] = True
            raise
