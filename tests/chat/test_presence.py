"""The bot's own line in the member list."""

import discord

from bot.chat.presence import LONGEST, presence


def test_the_line_says_whether_entries_are_taken() -> None:
    status, activity = presence(up=True, why="CrossTrade answers.")
    assert status is discord.Status.online
    assert "up" in str(activity)
    status, activity = presence(up=False, why="HTTP 408 " + "x" * 500)
    assert status is discord.Status.dnd
    assert "down, no entries: HTTP 408" in str(activity)
    assert len(str(activity.name)) <= LONGEST
