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


def test_the_line_says_which_link_is_down_and_what_is_wrong_though_entries_get_through() -> None:
    status, activity = presence(up=False, why="HTTP 408", which="NinjaTrader")
    assert str(activity.name) == "NinjaTrader is down, no entries: HTTP 408"
    status, activity = presence(up=True, why="", partly="1 of 3 accounts without a broker" + "x" * 500)
    assert status is discord.Status.idle
    assert "CrossTrade is up; 1 of 3 accounts without a broker" in str(activity.name)
    assert len(str(activity.name)) <= LONGEST
