"""The bot's own line in the member list: whether the desk can trade just now."""

import discord

LONGEST = 128
CROSSTRADE = "CrossTrade"


def presence(*, up: bool, why: str, which: str = CROSSTRADE, partly: str = "") -> tuple[discord.Status, discord.CustomActivity]:
    """Status and line for the state of the chain.

    Args:
        up: whether entries get through.
        why: a sentence for people; needed where they don't.
        which: the links that are down.
        partly: what is wrong all the same, in a few words.
    """
    if not up:
        return discord.Status.dnd, discord.CustomActivity(f"{which} is down, no entries: {why}"[:LONGEST])
    if partly:
        return discord.Status.idle, discord.CustomActivity(f"CrossTrade is up; {partly}"[:LONGEST])
    return discord.Status.online, discord.CustomActivity("CrossTrade is up")
