"""The bot's own line in the member list: whether the desk can trade just now."""

import discord

LONGEST = 128


def presence(*, up: bool, why: str) -> tuple[discord.Status, discord.CustomActivity]:
    """Status and line for the state of the link to CrossTrade.

    Args:
        up: whether CrossTrade answers for NinjaTrader.
        why: a sentence for people.
    """
    if up:
        return discord.Status.online, discord.CustomActivity("CrossTrade is up")
    return discord.Status.dnd, discord.CustomActivity(f"CrossTrade is down, no entries: {why}"[:LONGEST])
