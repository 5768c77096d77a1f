"""Times of each interaction: when it left and when the bot answered it, and waiting for that answer.

Times are nanoseconds of the monotonic clock, which processes of one machine share; no content is kept here.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.discord._simcord import Interaction


@dataclass(slots=True)
class Times:
    """One interaction's times, in nanoseconds.

    Attributes:
        handed: its event was written to the bot's socket; None while it hasn't been.
        acknowledged: the request that answered it came in; None while none has.

    """

    handed: int | None = None
    acknowledged: int | None = None


@dataclass(slots=True)
class Watch:
    """The times of all interactions.

    Attributes:
        patience: seconds that a person waits for an answer; Discord's limit is 3.
        now: the monotonic clock, in nanoseconds.

    """

    patience: float = 3.0
    now: Callable[[], int] = time.monotonic_ns
    _times: dict[int, Times] = field(default_factory=dict)
    _waiting: dict[int, asyncio.Event] = field(default_factory=dict)

    def times(self, interaction_id: int) -> Times:
        """Return what is known of one interaction."""
        return self._times.setdefault(interaction_id, Times())

    def handed(self, interaction_id: int) -> None:
        """Note that the event went out; the first time counts, a replay doesn't."""
        times = self.times(interaction_id)
        if times.handed is None:
            times.handed = self.now()

    def acknowledged(self, interaction_id: int, received: int) -> None:
        """Note that the bot answered with a request that came in at this time."""
        self.times(interaction_id).acknowledged = received
        if waiting := self._waiting.get(interaction_id):
            waiting.set()

    async def answered(self, interaction: Interaction) -> None:
        """Wait until the bot has answered or the person has run out of patience."""
        if interaction.responded:
            return
        waiting = self._waiting.setdefault(interaction.id, asyncio.Event())
        try:
            async with asyncio.timeout(self.patience):
                await waiting.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.pop(interaction.id, None)
