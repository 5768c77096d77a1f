"""A member who asks for one thing after another, all of it only to be looked at."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from itertools import cycle

from bot.sandbox.discord import LocalDiscord, NotPossibleError

EVERY_SECONDS = 0.25
LOOKS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("positions", {}),
    ("market", {"instrument": "ES,NQ,YM,RTY"}),
    ("orders", {}),
    ("quote", {"instrument": "ES,NQ"}),
    ("accounts", {}),
    ("pnl", {}),
    ("why", {}),
)


async def hammer(discord: LocalDiscord, member: str, every: float = EVERY_SECONDS) -> None:
    """Ask and ask, whether the last one was answered or not, until this is cancelled."""
    async with asyncio.TaskGroup() as asking:
        for command, options in cycle(LOOKS):
            asking.create_task(_ask(discord, member, command, options))
            await asyncio.sleep(every)


async def _ask(discord: LocalDiscord, member: str, command: str, options: Mapping[str, str]) -> None:
    # While the bot is away Discord has no command to offer.
    with suppress(NotPossibleError):
        await discord.slash(member, "desk", command, options)
