"""The watchdog: a link that goes while a position is open, another program on the stream, another on the token."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

import aiohttp

from bot.sandbox.discord import MessageView
from bot.sandbox.discord.world import FILLS
from bot.sandbox.ninjatrader import Kind, Rule
from bot.timings import USUAL
from tests.journals import new_journal
from tests.street import CROSSTRADE_SECRET, POLICY, until
from tests.whole.conftest import Street

ALL_POSITIONS = "GetAllPositions"


async def watched(street: Street) -> None:
    """Wait until the watchdog has read what is open."""
    rules = [Rule(Kind.DELAY, call, seconds=0, count=1) for call in ("GetAllPositions", "ListAccounts")]
    for rule in rules:
        street.simulator.faults.rules.append(rule)
        await until(lambda rule=rule: not any(each is rule for each in street.simulator.faults.rules))  # type: ignore[misc]
    # Its answer has come once the next command is answered.
    await asked(street)


async def asked(street: Street) -> str:
    """What the trader reads after /health."""
    reply = await street.discord.slash("trader", "desk", "health")
    await until(lambda: bool(street.discord.interaction(reply.id).text))
    return street.discord.interaction(reply.id).text


async def test_a_link_that_goes_while_a_position_is_open_is_told_and_so_is_its_return(street: Street) -> None:
    await street.start()
    await watched(street)
    assert "✓ NinjaTrader" in await asked(street)
    await street.control("faults", rules=[{"kind": "offline"}])
    alarm = await street.card("Link down", FILLS, seconds=40)
    assert "NinjaTrader: add-on is away" in alarm.text
    assert "`Sim101` (SIM) · ES" in alarm.text
    assert "read 1" in alarm.text or "read 2" in alarm.text
    await until(lambda: "NinjaTrader is down" in str(street.discord.gateway.presence))
    said = await asked(street)
    assert "✗ NinjaTrader   add-on is away" in said
    assert "Start NinjaTrader" in said
    # Getting out is tried, and goes as soon as it can.
    card = await street.offered("flatten", scope="account", account="Sim101")
    await street.discord.click("trader", card.id, "Confirm")
    await street.control("faults", clear=True)
    await until(lambda: not [p for p in street.simulator.book()["positions"] if p["account"] == "Sim101"])
    told = await street.card("Link up", FILLS, seconds=40)
    assert "NinjaTrader is back after" in told.text
    assert len([message for message in street.discord.messages(FILLS) if "Link " in message.text]) == 2
    assert [row[0] for row in street.rows("SELECT name FROM events WHERE name LIKE 'link%'")] == ["link down", "link up"]
    assert await street.stop() == 0


async def test_an_alarm_counts_from_when_the_list_was_asked_for_whoever_asked(street: Street) -> None:
    await street.start()
    await watched(street)
    asked_at = await asked_for_positions(street)
    await asyncio.sleep(USUAL.desk.rounds_at_stake.total_seconds() - USUAL.desk.known_rounds.total_seconds() + 1)
    before = street.simulator.cloud.asked[ALL_POSITIONS]
    await street.discord.slash("trader", "desk", "positions")
    member_asked_at = await asked_for_positions(street)
    # The round comes while that list is young enough for it, and asks nothing.
    await asyncio.sleep(USUAL.desk.rounds_at_stake.total_seconds() - (member_asked_at - asked_at) + 0.5)
    assert street.simulator.cloud.asked[ALL_POSITIONS] == before + 1
    await street.control("faults", rules=[{"kind": "offline"}])
    alarm = await street.card("Link down", FILLS, seconds=40)
    ago = re.search(r"read (\d+) s ago", alarm.text)
    assert ago is not None
    assert abs(int(ago[1]) - (asyncio.get_running_loop().time() - member_asked_at)) < 1
    assert await street.stop() == 0


async def asked_for_positions(street: Street) -> float:
    """Wait until the list of all positions is asked for once more; when that was."""
    before = street.simulator.cloud.asked[ALL_POSITIONS]
    await until(lambda: street.simulator.cloud.asked[ALL_POSITIONS] > before)
    return asyncio.get_running_loop().time()


async def test_what_requests_to_crosstrade_were_made_for_is_told_for_a_minute(street: Street) -> None:
    await street.start()
    await watched(street)
    assert "orders" not in spent(await asked(street))
    card = await street.offered("place", account="Sim101", instrument="ES 09-26", side="buy", qty=1)
    await street.discord.click("trader", card.id, "Confirm")
    await street.card("filled 1")
    await street.discord.slash("trader", "desk", "positions", {"account": "Sim101"})
    said = spent(await asked(street))
    assert said["orders"] == 1
    assert said["cards and evidence"] > 0
    assert said["commands that only read"] > 0
    assert said["watching and suggestions"] > 0
    await asyncio.sleep(61)
    said = spent(await asked(street))
    assert "orders" not in said
    assert "commands that only read" not in said
    assert said["watching and suggestions"] > 0
    assert await street.stop() == 0


def spent(text: str) -> dict[str, int]:
    """The requests by purpose that /health tells."""
    [line] = [line for line in text.splitlines() if "requests to CrossTrade in the last minute: " in line]
    total, _, parts = line.partition(" requests to CrossTrade in the last minute: ")
    purposes, _, _ = parts.rpartition("; ")
    made = {what: int(count) for what, _, count in (part.rpartition(" ") for part in purposes.split(", "))}
    assert int(total) == sum(made.values())
    return made


async def test_another_program_on_the_stream_is_told_to_people(street: Street) -> None:
    await street.start()
    await until(lambda: bool(street.simulator.hub._sessions))
    headers = {"Authorization": f"Bearer {CROSSTRADE_SECRET}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(f"{street.crosstrade}/ws/stream"):
        alarm = await street.card("Another program took CrossTrade's stream", FILLS)
        assert "Link down" in alarm.text
        assert "taken by another" in await asked(street)
        await until(lambda: "taken by another" in str(street.discord.gateway.presence))
    assert await street.stop() == 0


async def test_two_bots_on_one_token_send_no_order_twice_and_say_so(street: Street, tmp_path: Path) -> None:
    await street.start()
    folder = tmp_path / "second"
    folder.mkdir()
    (folder / "policy.toml").write_text(POLICY)
    settings = {**street.settings, "DATABASE_URL": new_journal(folder)}
    other = replace(street, folder=folder, settings=settings, tickets="OTHER", lives=None)
    await other.start()
    await until(lambda: street.discord.gateway.connected == 2)
    # Whoever is faster at the command has the ticket, and whoever is faster at the press answers it.
    for made_by, pressed_at in product((street, other), repeat=2):
        with frozen(other if made_by is street else street):
            card = await street.offered("place", account="Sim101", instrument="ES 09-26", side="buy", qty=1)
        assert made_by.tickets in card.text
        sent = len(placed(street))
        with frozen(other if pressed_at is street else street):
            for _ in range(2):
                await press(street, card)
        assert len(placed(street)) - sent == (made_by is pressed_at)
    alarm = await street.card("Another program answers with this Discord token", FILLS, seconds=30)
    assert "stop it" in alarm.text
    for bot in (street, other):
        await until(lambda bot=bot: bot.rows("SELECT 1 FROM tickets WHERE ended_at IS NULL") == [], 60)  # type: ignore[misc]
        assert len(bot.rows("SELECT id FROM tickets WHERE sent_at IS NOT NULL")) == 1
    assert len(placed(street)) == 2
    assert await other.stop() == 0
    assert await street.stop() == 0


@contextmanager
def frozen(bot: Street) -> Iterator[None]:
    """It hears of everything a while later."""
    assert bot.lives is not None
    bot.lives.suspend()
    yield
    bot.lives.resume()


def placed(street: Street) -> list[str]:
    """The orders that reached the simulator."""
    return [request["call"] for request in street.simulator.book()["requests"] if request["call"] == "PlaceOrder"]


async def press(street: Street, card: MessageView) -> None:
    """Press its Confirm, even once that is gone, and wait for an answer, or for what the card says of it."""
    confirm = next(button.custom_id or "" for button in card.buttons if button.label == "Confirm")
    reply = await street.discord.press_anyway("trader", card.id, confirm)

    def is_over() -> bool:
        return bool(street.discord.interaction(reply.id).text) or "accepted" in street.discord.message(card.id).text

    await until(is_over)
