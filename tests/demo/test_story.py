"""The story from inside: a step that fails says so, and the texts of the transcript are read and written right."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.sandbox.demo.child import BotEnded, is_warning
from bot.sandbox.demo.guide import news, reverse_command, spoken
from bot.sandbox.demo.scene import fill_on, order_id_on
from bot.sandbox.demo.stage import staged
from bot.sandbox.demo.story import SHORTEST_LIFE, StoryBroken, tell
from bot.sandbox.ninjatrader import Kind

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def unread(_line: str) -> None:
    """Nobody reads the transcript here."""


async def test_an_order_that_is_not_accepted_breaks_the_story_with_what_the_channel_said() -> None:
    async with staged(unread, confirm_seconds=SHORTEST_LIFE) as stage:
        stage.simulator.faults.add(Kind.ANSWER, "ReversePosition", status=403, body={"error": "api_requires_pro"})
        with pytest.raises(StoryBroken) as broken:
            await stage.bot.beside(tell(stage, unread, patience=2))
    sentence = str(broken.value)
    assert sentence.startswith("Step 1 (A reversal, from the command to the order id) failed.")
    assert "expected: a card with “accepted · order ”, within 2 s" in sentence
    assert "rejected / No order was placed." in sentence
    assert "api_requires_pro" in sentence


async def test_an_order_that_travels_another_way_than_was_asked_for_breaks_the_story() -> None:
    async with staged(unread, confirm_seconds=SHORTEST_LIFE) as stage:
        with pytest.raises(StoryBroken, match=r"every order to travel by rpc and not by \['rest'\]"):
            await stage.bot.beside(tell(replace(stage, transport="websocket"), unread))


async def test_a_command_that_is_denied_breaks_the_story_at_once() -> None:
    async with staged(unread, confirm_seconds=SHORTEST_LIFE) as stage:
        world = stage.simulator.world
        world.set_position(world.account("Sim101"), world.contract("ES 09-26"), 0, None)
        # What the bot has read before is taken for so for a while.
        asked, seen = stage.simulator.cloud.asked, stage.simulator.cloud.asked["GetAllPositions"]
        await stage.discord.until(lambda: asked["GetAllPositions"] > seen or None, 30)
        with pytest.raises(StoryBroken, match="NO_POSITION"):
            await stage.bot.beside(tell(stage, unread))


async def test_a_fill_that_nobody_tells_breaks_the_story_although_there_is_an_order_id() -> None:
    lines: list[str] = []
    async with staged(unread, confirm_seconds=SHORTEST_LIFE) as stage:
        stage.simulator.faults.add(Kind.REJECT, "ReversePosition", seconds=0.05)
        with pytest.raises(StoryBroken) as broken:
            await stage.bot.beside(tell(stage, lines.append, patience=3))
    assert "Step 5 (The first reversal's fill) failed." in str(broken.value)
    assert any("accepted · order " in line for line in lines)


async def test_a_bot_that_dies_ends_what_was_done_beside_it() -> None:
    async with staged(unread) as stage:
        os.kill(stage.bot.pid, signal.SIGTERM)
        with pytest.raises(BotEnded, match=r"ended by itself with exit code \d+.*\n(.*\n)*.*started: 0 tickets"):
            await stage.bot.beside(stage.discord.until(lambda: None, 20))


async def is_gone(pid: int) -> None:
    """Wait until a process has ended and was seen to."""
    with suppress(ProcessLookupError):
        async with asyncio.timeout(20):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="signal 0 means something else there")
async def test_a_bot_that_hears_control_c_before_the_demo_does_has_not_died() -> None:
    async with staged(unread) as stage:

        async def told_later() -> str:
            await is_gone(stage.bot.pid)
            await asyncio.sleep(0.2)
            return "Stopped."

        os.kill(stage.bot.pid, signal.SIGTERM)
        assert await stage.bot.beside(told_later()) == "Stopped."


@pytest.mark.skipif(sys.platform == "win32", reason="signal 0 means something else there")
async def test_nothing_of_the_stage_outlives_it() -> None:
    async with staged(unread) as stage:
        pid, folder = stage.bot.pid, stage.folder
        assert stage.log.read_text(encoding="utf-8")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not folder.exists()


def test_a_card_is_read_aloud_without_its_markup() -> None:
    text = "### Reverse · confirm?\n🟥 **LIVE** · `Apex-001`\nNeeds Approve by <@&1180000000000000203> or <@&1>"
    soon, past = int(NOW.timestamp()) + 30, int(NOW.timestamp()) - 2
    text += f"\nExpires <t:{soon}:R>, quoted <t:{past}:R>\nby a\\_b\n-# ticket ABC"
    assert spoken(text, NOW) == [
        "Reverse · confirm?",
        "🟥 LIVE · Apex-001",
        "Needs Approve by @Approver or @1",
        "Expires in 30 s, quoted 2 s ago",
        "by a_b",
        "ticket ABC",
    ]


def test_only_what_was_not_on_the_card_is_news() -> None:
    assert news(["confirm?", "Sim101"], ["accepted", "Sim101"]) == ["accepted"]
    assert news([], ["confirm?"]) == ["confirm?"]


@pytest.mark.parametrize(("quantity", "side"), [(2, "sell"), (-2, "buy")])
def test_a_reversal_goes_against_what_is_held(quantity: int, side: str) -> None:
    line = f'/reverse account:Sim1 instrument:"ES 12-26" side:{side} qty:1'
    assert reverse_command("Sim1", {"ES 12-26": quantity}) == line


def test_order_ids_and_fills_are_read_off_a_card() -> None:
    assert order_id_on("### accepted · order `9b3a`\nfilled 1 at 6751.5") == "9b3a"
    assert order_id_on("### rejected") is None
    assert fill_on("### accepted · order `9b3a`\nfilled 1 at 6751.50") == (1, Decimal("6751.5"))
    assert fill_on("submitted to NinjaTrader, not filled yet") is None


@pytest.mark.parametrize(
    ("line", "warns"),
    [
        ("2026-11-22T22:20:21.093Z WARNING bot.desk: slow", True),
        ("2026-11-22T22:20:21.093Z ERROR bot.desk ticket=A: broken", True),
        ("2026-11-22T22:20:21.093Z INFO bot.desk: a WARNING in passing", False),
        ("    File WARNING of a traceback", False),
        ("", False),
    ],
)
def test_warnings_are_told_from_the_rest_of_the_log(line: str, warns: bool) -> None:
    assert is_warning(line) is warns
