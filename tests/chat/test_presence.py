"""The bot's own line in the member list."""

from datetime import UTC, datetime

import discord

from bot.chat.presence import LONGEST, presence
from bot.trading.risk.halts import Switch, Switches, SwitchState


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


def test_the_line_says_what_is_halted_the_strictest_first() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    reducing = Switch("Sim101", "*", SwitchState.REDUCING, at, 1, "Tess")
    halted = Switch("*", "ES", SwitchState.HALTED, at, 1, "Tess")
    switches = Switches((reducing, halted))
    status, activity = presence(up=True, why="", switches=switches)
    assert status is discord.Status.dnd
    assert activity.name == "ES halted, Sim101 reducing: exits only"
    status, activity = presence(up=False, why="HTTP 408", switches=switches)
    assert status is discord.Status.dnd
    assert activity.name == "CrossTrade is down, no entries: HTTP 408; ES halted, Sim101 reducing"
    _, activity = presence(up=True, why="", switches=Switches((halted,) * 40))
    assert len(str(activity.name)) <= LONGEST
