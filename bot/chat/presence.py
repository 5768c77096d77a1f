"""The bot's own line in the member list: what is halted, and whether the desk can trade just now."""

import discord

from bot.trading.switches import Switches, plain

LONGEST = 128
NO_SWITCHES = Switches()


def presence(*, up: bool, why: str, switches: Switches = NO_SWITCHES) -> tuple[discord.Status, discord.CustomActivity]:
    """Status and line for what is halted and for the state of the link to CrossTrade.

    Args:
        up: whether CrossTrade answers for NinjaTrader.
        why: a sentence for people.
        switches: what is not active; it goes before a link that is up, and after one that is down.
    """
    halted = ", ".join(f"{plain(switch)} {switch.state}" for switch in switches.by_weight())
    if not up:
        down = f"CrossTrade is down, no entries: {why}"
        return discord.Status.dnd, discord.CustomActivity(f"{down}; {halted}"[:LONGEST] if halted else down[:LONGEST])
    if halted:
        return discord.Status.dnd, discord.CustomActivity(f"{halted}: exits only"[:LONGEST])
    return discord.Status.online, discord.CustomActivity("CrossTrade is up")
