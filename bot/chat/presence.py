"""The bot's own line in the member list: what is halted, and whether the desk can trade just now."""

import discord

from bot.trading.risk.halts import Switches, plain

LONGEST = 128
CROSSTRADE = "CrossTrade"
NO_SWITCHES = Switches()


def presence(
    *, up: bool, why: str, which: str = CROSSTRADE, partly: str = "", switches: Switches = NO_SWITCHES
) -> tuple[discord.Status, discord.CustomActivity]:
    """Status and line for what is halted and for the state of the chain.

    Args:
        up: whether entries get through.
        why: a sentence for people; needed where they don't.
        which: the links that are down.
        partly: what is wrong all the same, in a few words.
        switches: what is not active; it goes before a chain that is up, and after one that is down.
    """
    halted = ", ".join(f"{plain(switch)} {switch.state}" for switch in switches.by_weight())
    if not up:
        down = f"{which} is down, no entries: {why}"
        return discord.Status.dnd, discord.CustomActivity(f"{down}; {halted}"[:LONGEST] if halted else down[:LONGEST])
    if halted:
        return discord.Status.dnd, discord.CustomActivity(f"{halted}: exits only"[:LONGEST])
    if partly:
        return discord.Status.idle, discord.CustomActivity(f"CrossTrade is up; {partly}"[:LONGEST])
    return discord.Status.online, discord.CustomActivity("CrossTrade is up")
